//! Steps 9 to 12: a chart, a canary that succeeds, one that fails, a cluster. Time passes faster than outside.

use std::time::Duration;

use foredeck::workshop::judge::Verdict;
use foredeck::workshop::progress::State;

use super::{Learner, PATIENCE, has_tools};

/// How much faster time passes.
const SPEED: f64 = 10.0;

impl Learner {
    async fn quick() -> Self {
        let learner = Self::start().await;
        learner.session.sandbox().set_speed(SPEED);
        learner
    }

    /// How a check of a step stands, when it is as wanted.
    async fn verdict(&self, step: &str, check: usize, wanted: impl Fn(&Verdict) -> bool) -> Verdict {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let report = self.session.check(step).await.expect("a report");
            let verdict = report.checks[check].verdict.clone();
            if wanted(&verdict) {
                return verdict;
            }
            assert!(tokio::time::Instant::now() < deadline, "{report:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.work().join(file);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        assert!(text.contains(from), "{file} has no `{from}`");
        std::fs::write(path, text.replacen(from, to, 1)).expect("the file is written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canaries_by_real_kubectl_and_git() {
    if !has_tools() {
        return;
    }
    let learner = Learner::quick().await;
    learner.begin("10").await;
    let said = |verdict: &Verdict| verdict.why().to_owned();
    let before = learner.verdict("10", 1, |_| true).await;
    assert_eq!(said(&before), "there is no Canary podinfo in the namespace prod");
    learner.sh("cp apps/watched.yaml deploy/").await;
    learner.sh("git add deploy && git commit -qm 'Watch over podinfo in prod' && git push -q && fluxctl sync").await;
    learner.sh("kubectl -n prod wait canary/podinfo --for=condition=Promoted --timeout=60s").await;
    let deployments = learner.sh("kubectl -n prod get deployments").await;
    assert!(deployments.contains("podinfo-primary   1/1"), "{deployments}");
    // Not wrong, but the second half is still to come.
    let half = learner.verdict("10", 1, |verdict| verdict.why().contains("nothing newer was released")).await;
    assert!(matches!(half, Verdict::NotYet { .. }), "{half:?}");
    learner.edit("deploy/watched.yaml", "podinfo:6.5.0", "podinfo:6.5.1");
    learner.sh("git commit -qam 'podinfo 6.5.1' && git push -q").await;
    learner.verdict("10", 1, |verdict| verdict.why().contains("is on its way: Progressing, weight")).await;
    let done = learner.session.wait("10", false).await.expect("a report");
    assert!(done.passed, "{done:#?}");
    let canaries = learner.sh("kubectl -n prod get canaries").await;
    assert!(canaries.contains("podinfo   Succeeded   0"), "{canaries}");

    assert_eq!(learner.begin("11").await, [""; 0]);
    // A version that does well is the wrong one here.
    learner.edit("deploy/watched.yaml", "podinfo:6.5.1", "podinfo:6.5.3");
    learner.sh("git commit -qam 'podinfo 6.5.3' && git push -q").await;
    let wrong = learner.verdict("11", 1, |verdict| matches!(verdict, Verdict::Fail { .. })).await;
    assert_eq!(said(&wrong), "podinfo:6.5.3 does well; it needs --random-error to fail");
    let bad = "podinfo:6.5.2\n          command: [./podinfo, --port=9898, --random-error]";
    learner.edit("deploy/watched.yaml", "podinfo:6.5.3", bad);
    learner.sh("git commit -qam 'podinfo 6.5.2' && git push -q").await;
    learner.verdict("11", 1, |verdict| verdict.why() == "the release was taken back").await;
    let reported = learner.verdict("11", 2, |_| true).await;
    assert_eq!(said(&reported), "Git still asks for the bad version: git revert takes the commit back");
    let events = learner.sh("kubectl -n prod get events --sort-by=.lastTimestamp").await;
    assert!(events.contains("Rolling back podinfo.prod failed checks threshold reached 3"), "{events}");
    assert!(events.contains("Halt podinfo.prod advancement success rate"), "{events}");
    learner.sh("git pull -q --rebase && git revert --no-edit $(git log -1 --format=%h -- deploy/watched.yaml) && git push -q").await;
    let done = learner.session.wait("11", false).await.expect("a report");
    assert!(done.passed, "{done:#?}");
    let served = learner.sh("kubectl -n prod get deployment podinfo-primary -o jsonpath='{..image}'").await;
    assert!(served.ends_with("podinfo:6.5.3"), "{served}");
    learner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_by_real_kubectl_and_git() {
    if !has_tools() {
        return;
    }
    let learner = Learner::quick().await;
    learner.begin("12").await;
    learner.sh("cp apps/cluster.yaml deploy/ && git add deploy && git commit -qm 'A cluster' && git push -q").await;
    let half = learner.verdict("12", 2, |verdict| verdict.why().starts_with("two workers")).await;
    assert!(matches!(half, Verdict::NotYet { .. }), "{half:?}");
    learner.sh("kubectl wait cluster/demo --for=condition=Available --timeout=90s").await;
    let machines = learner.sh("kubectl get clusters,machines").await;
    assert_eq!(machines.matches("Running").count(), 3, "{machines}");
    learner.edit("deploy/cluster.yaml", "  replicas: 2", "  replicas: 5");
    learner.sh("git commit -qam 'Five workers' && git push -q").await;
    let wrong = learner.verdict("12", 2, |verdict| matches!(verdict, Verdict::Fail { .. })).await;
    assert_eq!(wrong.why(), "5 workers are asked for; it should be three");
    learner.edit("deploy/cluster.yaml", "  replicas: 5", "  replicas: 3");
    learner.sh("git commit -qam 'Three workers' && git push -q").await;
    let done = learner.session.wait("12", false).await.expect("a report");
    assert!(done.passed, "{done:#?}");
    learner.end().await;
}

/// From nothing to the last steps, and back to one in the middle, where nothing of them is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_steps_are_reached_from_nothing_and_left_backward() {
    if !has_tools() {
        return;
    }
    let learner = Learner::quick().await;
    let told = learner.begin("11").await;
    assert!(told.iter().any(|line| line.starts_with("do 10-release-step-by-step: ")), "{told:?}");
    learner.solve("11").await;
    learner.begin("12").await;
    learner.solve("12").await;
    let told = learner.begin("04").await;
    let last: Vec<&str> = told.iter().map(String::as_str).take(3).collect();
    let expected = ["12-a-cluster-from-git", "11-let-a-release-fail", "10-release-step-by-step"];
    assert_eq!(last, expected.map(|step| format!("take back {step}")), "{told:#?}");
    let progress = learner.session.progress().borrow().clone();
    for step in ["10-release-step-by-step", "11-let-a-release-fail", "12-a-cluster-from-git"] {
        assert_eq!(progress.step(step).state, State::NotStarted);
        let report = learner.session.check(step).await.expect("a report");
        assert!(!report.passed, "{report:#?}");
    }
    let left = learner.sh("kubectl get canaries,clusters,machines -A --ignore-not-found -o name").await;
    assert!(!left.contains('/'), "{left}");
    // With a checkpoint it is one move.
    learner.solve("04").await;
    learner.begin("12").await;
    learner.solve("12").await;
    assert_eq!(learner.begin("04").await, ["go back to the beginning of 04-add-a-manifest"]);
    learner.begin("12").await;
    learner.solve("12").await;
    learner.end().await;
}
