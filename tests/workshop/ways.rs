//! From any step to any step, and out of whatever somebody broke.

use std::sync::Arc;
use std::time::Instant;

use foredeck::workshop::graph::before;
use foredeck::workshop::progress::State;
use foredeck::workshop::session::Session;

use super::{Learner, has_tools, shown};

/// The steps of the built-in workshop.
const STEPS: u32 = 8;

/// A way along every pair of steps, each pair once: it ends where it begins.
fn tour() -> Vec<u32> {
    let mut left: Vec<Vec<u32>> = (0..STEPS).map(|_| (1..=STEPS).collect()).collect();
    let (mut way, mut tour) = (vec![1], Vec::new());
    while let Some(at) = way.last() {
        match left.get_mut(*at as usize - 1).and_then(Vec::pop) {
            Some(next) => way.push(next),
            None => tour.extend(way.pop()),
        }
    }
    tour
}

/// One of four parts of the way; each begins where the one before ends.
fn part(number: usize) -> Vec<u32> {
    let tour = tour();
    let length = (tour.len() - 1) / 4;
    tour[number * length..=(number + 1) * length].to_vec()
}

#[test]
fn the_tour_has_every_pair_once() {
    let parts: Vec<Vec<u32>> = (0..4).map(part).collect();
    let mut pairs: Vec<(u32, u32)> =
        parts.iter().flat_map(|part| part.windows(2).map(|pair| (pair[0], pair[1]))).collect();
    pairs.sort_unstable();
    let all: Vec<(u32, u32)> = (1..=STEPS).flat_map(|from| (1..=STEPS).map(move |to| (from, to))).collect();
    assert_eq!(pairs, all);
}

/// Brings the sandbox to the beginning of a step, and shows that it is there.
async fn arrive(session: &Session, step: &str, from: &str) {
    let mut told = Vec::new();
    if let Err(error) = session.start(step, &mut |moved| told.push(moved.to_string())).await {
        panic!("{from} → {step} is not reached: {}; after {told:#?}", shown(&error));
    }
    let step = session.step(step).expect("it is there").clone();
    for needed in before(session.workshop(), &step.id) {
        let report = session.check(&needed.id).await.expect("a report");
        assert!(report.passed, "{from} → {}: {} does not hold after {told:#?}: {report:#?}", step.id, needed.id);
    }
    let progress = session.progress().borrow().clone();
    assert_eq!(progress.step(&step.id).state, State::InProgress, "{from} → {}", step.id);
    let at = session.workshop().position(&step.id).expect("it has a place");
    for later in &session.workshop().steps[at + 1..] {
        assert_eq!(progress.step(&later.id).state, State::NotStarted, "{from} → {}: {}", step.id, later.id);
    }
    // To watch is all that there is to do in step 5.
    if step.number != 5 {
        let report = session.check(&step.id).await.expect("a report");
        assert!(!report.passed, "{from} → {}: it is done already, after {told:#?}", step.id);
    }
}

/// Does a step, and shows that it is done.
async fn finish(session: &Session, step: &str, from: &str) {
    match session.solve(step).await {
        Ok(report) => assert!(report.passed, "{from} → {step}: {report:#?}"),
        Err(error) => panic!("{from} → {step}: {}", shown(&error)),
    }
}

async fn walk(session: &Session, way: &[u32]) {
    let _hurry = session.sandbox().embedded().map(|embedded| embedded.hurry());
    let mut from = "nothing".to_owned();
    for step in way {
        let (step, begun) = (step.to_string(), Instant::now());
        arrive(session, &step, &from).await;
        let arrived = begun.elapsed();
        finish(session, &step, &from).await;
        eprintln!("{from} → {step}: {arrived:?}, done after {:?}", begun.elapsed());
        from = step;
    }
}

async fn walk_part(number: usize) {
    if !has_tools() {
        return;
    }
    let learner = Learner::start().await;
    walk(&learner.session, &part(number)).await;
    learner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_first_part() {
    walk_part(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_second_part() {
    walk_part(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_third_part() {
    walk_part(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_fourth_part() {
    walk_part(3).await;
}

/// What people break, and how.
const SABOTAGE: [(&str, &str); 9] = [
    ("the namespace deleted", "kubectl delete namespace demo --wait=true"),
    ("the operator's namespace deleted", "kubectl delete namespace flux --wait=true"),
    ("the operator deleted", "kubectl -n flux delete deployment flux --wait=true"),
    (
        "the deploy key removed",
        "kubectl -n flux delete secret flux-git-deploy --ignore-not-found; kubectl -n flux delete pods --all",
    ),
    (
        "the repository emptied",
        "git pull -q --rebase --autostash; git rm -rq . && git commit -qm 'Nothing' && git push -q",
    ),
    (
        "other history pushed by force",
        "git branch -qD other 2>/dev/null || true; git checkout -q --orphan other && git rm -rqf . && git commit -q --allow-empty -m Other \
         && git push -qf origin other:main",
    ),
    (
        "a broken file, no operator, a rebase in the middle",
        "git pull -q --rebase --autostash; mkdir -p deploy; printf 'a: [\\n' > deploy/broken.yaml; git add .; \
         git commit -qm Broken; git push -q; kubectl -n flux scale deployment flux --replicas=0; \
         kubectl -n demo delete deployment podinfo --ignore-not-found; mkdir -p .git/rebase-merge; touch .git/index.lock",
    ),
    ("the copy to work in deleted", "rm -rf ./* .git"),
    ("the repository deleted", "rm -rf ../demo.git"),
];

async fn out_of_ruins(goal: &str, done: &str) {
    if !has_tools() {
        return;
    }
    let learner = Learner::start().await;
    let _hurry = learner.session.sandbox().embedded().map(|embedded| embedded.hurry());
    for (what, how) in SABOTAGE {
        let begun = Instant::now();
        // Somebody who sits down at it knows nothing of what was done before.
        let sit_down =
            || Session::open(learner.session.workshop().clone(), learner.session.sandbox().clone(), None, None);
        let before = sit_down();
        arrive(&before, done, "what was left").await;
        finish(&before, done, "what was left").await;
        learner.sh(how).await;
        let session = sit_down();
        arrive(&session, goal, what).await;
        finish(&session, goal, what).await;
        // The same once more, by somebody who has been there.
        learner.sh(how).await;
        arrive(&session, goal, what).await;
        finish(&session, goal, what).await;
        eprintln!("{what}: {:?}", begun.elapsed());
    }
    learner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes long, and not all ruins are left yet: cargo test --test suite out_of_any_ruins -- --ignored --nocapture"]
async fn a_later_step_is_reached_out_of_any_ruins() {
    out_of_ruins("07", "06").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes long, and not all ruins are left yet: cargo test --test suite out_of_any_ruins -- --ignored --nocapture"]
async fn an_earlier_step_is_reached_out_of_any_ruins() {
    out_of_ruins("04", "08").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test suite measure -- --ignored --nocapture --test-threads 1"]
async fn measure_nothing_to_step_six() {
    let mut times = Vec::new();
    for _ in 0..5 {
        let learner = Learner::start().await;
        let begun = Instant::now();
        learner.begin("06").await;
        times.push(begun.elapsed());
        learner.end().await;
    }
    times.sort();
    eprintln!("from nothing to step 6, five times: {times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_on_a_real_cluster() {
    let Some(cluster) = crate::harness::cluster::named().await else {
        eprintln!("skipped: FOREDECK_TEST_CONTEXT names no context");
        return;
    };
    let learner = Learner::on(Arc::new(foredeck::workshop::load::builtin().workshop), Some(cluster)).await;
    walk(&learner.session, &tour()).await;
    for (what, how) in SABOTAGE {
        learner.sh(how).await;
        arrive(&learner.session, "06", what).await;
        finish(&learner.session, "06", what).await;
    }
    learner.sh("kubectl delete namespace demo flux --ignore-not-found").await;
    learner.end().await;
}
