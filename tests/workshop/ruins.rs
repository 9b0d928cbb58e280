//! Out of whatever somebody broke, to a step of one's choice.

use std::sync::Arc;
use std::time::Instant;

use foredeck::workshop::session::Session;

use super::ways::{arrive, finish, tour_of_pairs, walk};
use super::{Learner, has_tools};

/// What people break in the cluster, and how.
const CLUSTER: [(&str, &str); 7] = [
    ("the namespace deleted", "kubectl delete namespace demo --wait=true"),
    ("the namespace going", "kubectl delete namespace demo --wait=false"),
    ("the operator's namespace deleted", "kubectl delete namespace flux --wait=true"),
    ("the operator deleted", "kubectl -n flux delete deployment flux --wait=true"),
    (
        "the operator stopped",
        "kubectl -n flux scale deployment flux --replicas=0; kubectl -n demo delete deployment podinfo",
    ),
    (
        "the deploy key removed",
        "kubectl -n flux delete secret flux-git-deploy --ignore-not-found; kubectl -n flux delete pods --all",
    ),
    (
        "a flood of objects",
        "kubectl -n demo scale deployment podinfo --replicas=60; \
         for i in $(seq 120); do printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: flood-%s, namespace: demo}\n---\n' $i; done \
         | kubectl apply --server-side -f - >/dev/null",
    ),
];

/// What people break in the repository, and how.
const REPOSITORY: [(&str, &str); 13] = [
    (
        "the repository emptied",
        "git pull -q --rebase --autostash; git rm -rq . && git commit -qm 'Nothing' && git push -q",
    ),
    (
        "other history pushed by force",
        "git branch -qD other 2>/dev/null || true; git checkout -q --orphan other && git rm -rqf . \
         && git commit -q --allow-empty -m Other && git push -qf origin other:main",
    ),
    (
        "an old commit pushed by force",
        "git pull -q --rebase --autostash; git push -qf origin \"$(git rev-list --max-parents=0 HEAD | tail -n1):main\"",
    ),
    ("the branch deleted", "git --git-dir=../demo.git update-ref -d refs/heads/main"),
    (
        "a flood of commits",
        "git pull -q --rebase --autostash; for i in $(seq 40); do echo $i > deploy/flood; git add deploy; git commit -qm \"Flood $i\"; \
         if [ $((i % 8)) = 0 ]; then git push -q; fi; done",
    ),
    (
        "a broken file, no operator, a rebase in the middle",
        "git pull -q --rebase --autostash; mkdir -p deploy; printf 'a: [\n' > deploy/broken.yaml; git add .; \
         git commit -qm Broken; git push -q; kubectl -n flux scale deployment flux --replicas=0; \
         kubectl -n demo delete deployment podinfo --ignore-not-found; mkdir -p .git/rebase-merge; touch .git/index.lock",
    ),
    (
        "a manifest that the cluster refuses",
        "git pull -q --rebase --autostash; sed -e 's/^  replicas: .*/  replicas: -1/' deploy/podinfo.yaml > x && mv x deploy/podinfo.yaml; \
         git commit -qam Refused; git push -q",
    ),
    (
        "a rebase that stopped at a conflict",
        "git pull -q --rebase --autostash; date +%N > README.md; git commit -qam One; git push -q; \
         git reset -q --hard HEAD~1; date +%N-two > README.md; git commit -qam Two; git pull -q --rebase || test -d .git/rebase-merge",
    ),
    (
        "a detached HEAD with work",
        "git checkout -q --detach; echo mine > deploy/mine; git add .; git commit -qm Mine; echo more > README.md",
    ),
    ("another origin", "git remote set-url origin http://127.0.0.1:1/nowhere.git"),
    ("an index that is none", "echo nonsense > .git/index; echo nonsense > .git/config"),
    ("the copy to work in deleted", "rm -rf ./* .git"),
    ("the repository deleted", "rm -rf ../demo.git"),
];

async fn out_of_ruins(goal: &str, done: &str, ruins: &[(&str, &str)]) {
    if !has_tools() {
        return;
    }
    let learner = Learner::start().await;
    let _hurry = learner.session.sandbox().embedded().map(|embedded| embedded.hurry());
    for (what, how) in ruins {
        let mut times = vec![Instant::now()];
        // Somebody who sits down at it knows nothing of what was done before.
        let sit_down =
            || Session::open(learner.session.workshop().clone(), learner.session.sandbox().clone(), None, None);
        let before = sit_down();
        arrive(&before, done, "what was left").await;
        finish(&before, done, "what was left").await;
        times.push(Instant::now());
        learner.sh(how).await;
        times.push(Instant::now());
        let session = sit_down();
        arrive(&session, goal, what).await;
        times.push(Instant::now());
        finish(&session, goal, what).await;
        times.push(Instant::now());
        // The same once more, by somebody who has been there.
        learner.sh(how).await;
        times.push(Instant::now());
        arrive(&session, goal, what).await;
        times.push(Instant::now());
        finish(&session, goal, what).await;
        times.push(Instant::now());
        let parts: Vec<String> =
            times.windows(2).map(|pair| format!("{:.1}", (pair[1] - pair[0]).as_secs_f32())).collect();
        eprintln!("{what} → {goal}: {} s", parts.join(" + "));
    }
    learner.end().await;
}

/// One of two halves.
fn half<T>(all: &[T], number: usize) -> &[T] {
    let (first, second) = all.split_at(all.len() / 2);
    [first, second][number]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_step_is_reached_out_of_the_ruins_of_a_cluster() {
    out_of_ruins("07", "06", &CLUSTER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_step_is_reached_out_of_the_ruins_of_a_cluster() {
    out_of_ruins("04", "08", &CLUSTER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_step_is_reached_out_of_the_ruins_of_a_repository() {
    out_of_ruins("07", "06", half(&REPOSITORY, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_step_is_reached_out_of_the_ruins_of_a_copy() {
    out_of_ruins("07", "06", half(&REPOSITORY, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_step_is_reached_out_of_the_ruins_of_a_repository() {
    out_of_ruins("04", "08", half(&REPOSITORY, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_step_is_reached_out_of_the_ruins_of_a_copy() {
    out_of_ruins("04", "08", half(&REPOSITORY, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_on_a_real_cluster() {
    let Some(cluster) = crate::harness::cluster::named().await else {
        eprintln!("skipped: FOREDECK_TEST_CONTEXT names no context");
        return;
    };
    let learner = Learner::on(Arc::new(foredeck::workshop::load::builtin().workshop), Some(cluster)).await;
    walk(&learner.session, &tour_of_pairs()).await;
    for (what, how) in CLUSTER.iter().chain(&REPOSITORY) {
        learner.sh(how).await;
        arrive(&learner.session, "06", what).await;
        finish(&learner.session, "06", what).await;
    }
    learner.sh("kubectl delete namespace demo flux --ignore-not-found").await;
    learner.end().await;
}
