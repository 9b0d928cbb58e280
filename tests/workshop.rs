//! The built-in workshop, done by its own solutions with real kubectl and git: in order, from anywhere, after sabotage.

mod cli;
mod delivery;
mod hands;
mod killed;
mod ruins;
mod ways;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foredeck::cluster::folder::Folder;
use foredeck::gitops::schedule::Intervals;
use foredeck::sandbox::keep::{Demo, keep};
use foredeck::sandbox::{ClusterPlan, Plan, RepositoryPlan, builtin, repository};
use foredeck::server::{Config, Server};
use foredeck::workshop::judge::Verdict;
use foredeck::workshop::progress::{By, State};
use foredeck::workshop::seat::{Seat, Setting};
use foredeck::workshop::session::{Error, Session};
use foredeck::workshop::{Workshop, load};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::cluster::Named;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A learner with a sandbox, a server and a seat.
struct Learner {
    folder: tempfile::TempDir,
    session: Arc<Session>,
    address: String,
    stop: CancellationToken,
    tasks: TaskTracker,
}

fn has_tools() -> bool {
    let there = |program: &str, arg: &str| std::process::Command::new(program).arg(arg).output().is_ok();
    let all = there("kubectl", "--help") && there("git", "--version") && there("ssh-keygen", "-V");
    if !all {
        eprintln!("skipped: kubectl, git or ssh-keygen is missing");
    }
    all
}

impl Learner {
    async fn start() -> Self {
        Self::with(Arc::new(load::builtin().workshop)).await
    }

    async fn with(workshop: Arc<Workshop>) -> Self {
        Self::on(workshop, None).await
    }

    /// On a real cluster, or on an embedded one.
    async fn on(workshop: Arc<Workshop>, cluster: Option<Named>) -> Self {
        Self::equipped(workshop, cluster, std::env::var_os("PATH")).await
    }

    /// With the programs of this `PATH`.
    async fn equipped(workshop: Arc<Workshop>, cluster: Option<Named>, path: Option<OsString>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        builtin::write(&root.join("seed")).expect("the seed is written");
        let file = root.join("progress/you.json");
        let setting = Setting { switch: Some("deploy".to_owned()), file: Some(file), token: "t".repeat(24) };
        let seat = Seat::new(workshop, setting);
        let (sender, demo) = watch::channel(Demo::Off);
        let mut config = Config::new(root, Vec::new());
        (config.port, config.demo, config.workshop) = (0, demo.clone(), Some(seat.clone()));
        let server = Server::bind(config).await.expect("an address");
        let address = format!("http://{}", server.address());
        let cluster = match cluster {
            None => ClusterPlan::Embedded(Box::default()),
            Some(Named { client, name, kubeconfig: text }) => {
                let kubeconfig = root.join("kubeconfig");
                std::fs::write(&kubeconfig, text).expect("a file");
                ClusterPlan::Existing { client, name, kubeconfig: kubeconfig.into(), ours: true }
            }
        };
        let plan = Plan {
            cluster,
            repository: RepositoryPlan::Demo(repository::Plan {
                name: "demo".to_owned(),
                branch: "main".to_owned(),
                seed: Some(root.join("seed")),
                base: format!("{address}/git"),
                token: "the-token".to_owned(),
                time: 1_700_000_000,
            }),
            paths: vec!["deploy".to_owned()],
            read_only: false,
            intervals: Intervals::default(),
            folder: Folder::of(root),
            home: None,
            program: env!("CARGO_BIN_EXE_foredeck").into(),
            path,
            server: address.clone(),
            fresh: true,
        };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(server.serve(stop.clone()));
        tasks.spawn(keep(plan, sender, stop.clone()));
        tasks.spawn(seat.clone().run(demo, stop.clone()));
        let mut sessions = seat.sessions();
        let found = tokio::time::timeout(PATIENCE, sessions.wait_for(Option::is_some)).await;
        let session = found.expect("in time").expect("the seat is there").clone().expect("a session");
        Self { folder, session, address, stop, tasks }
    }

    fn work(&self) -> &Path {
        self.session.sandbox().work_folder()
    }

    async fn begin(&self, step: &str) -> Vec<String> {
        let mut told = Vec::new();
        let started = self.session.start(step, &mut |moved| told.push(moved.to_string())).await;
        if let Err(error) = started {
            panic!("{step} is not reached: {}; after {told:?}", shown(&error));
        }
        told
    }

    async fn solve(&self, step: &str) {
        match self.session.solve(step).await {
            Ok(report) => assert!(report.passed, "{step}: {report:#?}"),
            Err(error) => panic!("{step}: {}", shown(&error)),
        }
    }

    async fn sh(&self, text: &str) -> String {
        let ran = foredeck::workshop::act::script(self.session.sandbox(), text, PATIENCE).await;
        assert!(ran.went_well(), "{text}: {ran:?}");
        ran.output
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("everything ends");
    }
}

fn shown(error: &Error) -> String {
    match error {
        Error::Action { output, .. } => format!("{error}\n{output}"),
        _ => error.to_string(),
    }
}

#[test]
fn the_built_in_workshop_has_no_findings() {
    let loaded = load::builtin();
    assert_eq!(loaded.findings.iter().map(|(_, found)| found.message.as_str()).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(loaded.workshop.steps.len(), 12);
    for step in &loaded.workshop.steps {
        use foredeck::deck::step::Role;
        assert!(step.actions(Role::Reset).next().is_some(), "{} cannot be taken back", step.id);
        assert!(!step.hints.is_empty(), "{} has no hint", step.id);
        assert!(step.source.text().contains("## What just happened"), "{} does not explain itself", step.id);
        assert!(step.duration <= Duration::from_secs(300), "{} is too long", step.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_solution_turns_its_step_green_and_every_reset_works() {
    if !has_tools() {
        return;
    }
    let learner = Learner::start().await;
    let steps = learner.session.workshop().steps.clone();
    let begun = Instant::now();
    for step in &steps {
        if step.number == 10 {
            // Canaries and clusters take their time.
            learner.session.sandbox().set_speed(10.0);
        }
        assert_eq!(learner.begin(&step.id).await, [""; 0], "{} has to do nothing first", step.id);
        learner.solve(&step.id).await;
        println!("{} is green after {:?}", step.id, begun.elapsed());
    }
    let progress = learner.session.progress().borrow().clone();
    assert_eq!((progress.passed(), progress.next(learner.session.workshop())), (12, None));
    assert!(progress.steps.values().all(|step| step.by == Some(By::Solution)));
    for step in steps.iter().rev() {
        if let Err(error) = learner.session.reset_by_commands(&step.id).await {
            panic!("{} is not taken back: {}", step.id, shown(&error));
        }
    }
    println!("all is taken back after {:?}", begun.elapsed());
    assert_eq!(learner.session.progress().borrow().passed(), 0);
    let first = learner.session.check("01").await.expect("a report");
    assert!(!first.passed, "{first:#?}");
    learner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn step_six_is_reached_from_nothing_from_three_and_from_ruins() {
    if !has_tools() {
        return;
    }
    let learner = Learner::start().await;
    let begun = Instant::now();
    let told = learner.begin("06").await;
    println!("from nothing to step 6 in {:?}: {told:#?}", begun.elapsed());
    assert!(told.first().is_some_and(|line| line.starts_with("do 01-install-the-operator: ")), "{told:?}");
    // What is there needs nothing.
    let before = learner.session.check("06").await.expect("a report");
    let why = "Deployment/podinfo is still the one from before this step";
    assert_eq!(before.missing().as_deref(), Some(why));
    learner.solve("06").await;
    // Ruins: everything deleted that a learner can delete.
    learner.sh("kubectl delete namespace demo flux --wait=true").await;
    std::fs::remove_dir_all(learner.work()).unwrap();
    let dir = learner.session.sandbox().repository.as_ref().unwrap().demo.dir().to_path_buf();
    std::fs::remove_dir_all(&dir).unwrap();
    let told = learner.begin("07").await;
    println!("out of the ruins: {told:#?}");
    learner.solve("07").await;
    // Back to the checkpoint of 6 is not possible: its commits went with the repository.
    let told = learner.begin("06").await;
    assert_eq!(
        told[..3],
        ["go back to the beginning of 06-break-it", "take back 07-change-the-replicas", "take back 06-break-it"]
    );
    assert_eq!(learner.session.progress().borrow().step("07-change-the-replicas").state, State::NotStarted);
    learner.solve("06").await;
    // With the repository of that time it is.
    assert_eq!(learner.begin("06").await, ["go back to the beginning of 06-break-it"]);
    learner.solve("06").await;
    learner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_yet_is_told_apart_from_wrong() {
    if !has_tools() {
        return;
    }
    let learner = Learner::start().await;
    learner.begin("04").await;
    let report = learner.session.check("04").await.expect("a report");
    assert_eq!(report.missing().as_deref(), Some("no commit that touches deploy/podinfo.yaml"));
    learner.sh("cp apps/podinfo.yaml deploy/").await;
    let report = learner.session.check("04").await.expect("a report");
    let Verdict::NotYet { next, .. } = &report.checks[0].verdict else { panic!("{report:#?}") };
    assert_eq!(next, "a file is changed but not committed: `git add`, `git commit`");
    learner.sh("echo '  broken: [' >> deploy/podinfo.yaml; git add .; git commit -qm broken; git push -q").await;
    let deadline = Instant::now() + PATIENCE;
    let wrong = loop {
        let report = learner.session.check("04").await.expect("a report");
        if let Verdict::Fail { why } = &report.checks[1].verdict {
            break why.clone();
        }
        assert!(Instant::now() < deadline, "{report:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(wrong.starts_with("deploy/podinfo.yaml:"), "{wrong}");
    // Without the operator nothing heals, and the learner is told.
    learner.sh("git checkout -q HEAD~1 -- . && git rm -qf deploy/podinfo.yaml; cp apps/podinfo.yaml deploy/; git add .; git commit -qm good; git push -q").await;
    assert!(learner.session.wait("04", false).await.expect("a report").passed);
    learner.begin("06").await;
    learner.sh("kubectl -n flux delete deployment flux --wait=true").await;
    learner.sh("kubectl -n demo delete deployment podinfo").await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let report = learner.session.check("06").await.expect("a report");
        let Verdict::NotYet { next, .. } = &report.checks[0].verdict else { panic!("{report:#?}") };
        if next == "nothing is applied: there is no Deployment flux in the namespace flux" {
            break;
        }
        assert!(Instant::now() < deadline, "{report:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    learner.sh("kubectl apply -f flux/").await;
    assert!(learner.session.wait("06", false).await.expect("a report").passed);
    // What was done is known to somebody who starts again.
    let kept = learner.folder.path().join("progress/you.json");
    let again = Session::open(learner.session.workshop().clone(), learner.session.sandbox().clone(), None, Some(kept));
    assert_eq!(again.progress().borrow().step("06-break-it").by, Some(By::Own));
    learner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_show_steps_and_only_the_learner_acts() {
    if !has_tools() {
        return;
    }
    use foredeck::net::ask::{Ask, ask};
    let learner = Learner::start().await;
    let token = "t".repeat(24);
    let get = async |path: &str, token: Option<&str>| {
        let url = format!("{}{path}", learner.address);
        ask(Ask { token, ..Ask::get(&url, PATIENCE) }).await.expect("an answer")
    };
    let post = async |path: &str, token: Option<&str>, body: &str| {
        let url = format!("{}{path}", learner.address);
        let ask_for = Ask { method: "POST", url: &url, token, body: Some(body.to_owned()), limit: PATIENCE };
        ask(ask_for).await.expect("an answer")
    };
    let list = get("/w/", None).await;
    assert_eq!(list.status, 200);
    assert!(list.body.contains("Break it and see it heal") && list.body.contains("href=\"/w/break-it\""));
    let step = get("/w/break-it", None).await;
    assert!(step.body.contains("kubectl -n demo delete deployment podinfo") && step.body.contains("<h1"));
    assert_eq!(get("/w/nowhere", None).await.status, 404);
    assert_eq!(get("/w?t=wrong", None).await.status, 303);
    assert_eq!(get("/w/?t=wrong", None).await.status, 403);
    assert_eq!(get(&format!("/w/?t={token}"), None).await.status, 303);
    assert_eq!(get("/api/v1/workshop/01", None).await.status, 403);
    assert_eq!(get("/api/v1/workshop/01", Some("x")).await.status, 403);
    assert_eq!(post("/api/v1/workshop/01/solve", None, "{}").await.status, 403);
    let report = get("/api/v1/workshop/01", Some(&token)).await;
    assert_eq!(report.status, 200);
    assert!(report.body.contains("there is no Deployment/flux in the namespace flux"), "{}", report.body);
    assert_eq!(post("/api/v1/workshop/01/start", Some(&token), "").await.status, 200);
    let ran = post("/api/v1/workshop/01/run", Some(&token), "{\"name\":\"install\"}").await;
    assert!(ran.body.contains("\"ok\":true") && ran.body.contains("deployment.apps/flux created"), "{}", ran.body);
    let waited = post("/api/v1/workshop/01/wait", Some(&token), "").await;
    assert!(waited.body.contains("\"passed\":true"), "{}", waited.body);
    let hint = post("/api/v1/workshop/01/hint", Some(&token), "").await;
    assert!(hint.body.contains("\"number\":1,\"of\":2"), "{}", hint.body);
    assert_eq!(post("/api/v1/workshop/01/run", Some(&token), "{\"name\":\"rm\"}").await.status, 404);
    assert_eq!(post("/api/v1/workshop/01/destroy", Some(&token), "").await.status, 404);
    assert_eq!(post("/api/v1/workshop/01/run", Some(&token), "{").await.status, 400);
    let status = get("/api/v1/workshop", None).await;
    assert!(status.body.contains("\"state\":\"passed\",\"by\":\"own\""), "{}", status.body);
    learner.end().await;
}
