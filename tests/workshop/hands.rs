//! The eight steps done by hand: the commands that a learner types, with kubectl, git and fluxctl.

use std::ffi::OsString;
use std::sync::Arc;

use foredeck::workshop::load;
use foredeck::workshop::progress::By;

use super::{Learner, has_tools, shown};

/// Somebody types commands in the repository's folder.
struct Hands {
    learner: Learner,
}

impl Hands {
    /// Begins a step, for which nothing has to be done first.
    async fn begin(&self, step: &str) {
        assert_eq!(self.learner.begin(step).await, [""; 0], "{step}");
        if step != "05" {
            let before = self.learner.session.check(step).await.expect("a report");
            assert!(!before.passed, "{step} is green before anything was typed");
        }
    }

    /// Types a command; gives what it says.
    async fn types(&self, line: &str) -> String {
        self.learner.sh(line).await
    }

    /// An editor: replaces a text in a file, which has to be there.
    fn edits(&self, file: &str, from: &str, to: &str) {
        let path = self.learner.work().join(file);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        assert!(text.contains(from), "{file} has no `{from}`");
        std::fs::write(path, text.replacen(from, to, 1)).expect("the file is written");
    }

    /// The step is green, by the learner's own doing.
    async fn is_green(&self, step: &str) {
        let report = match self.learner.session.wait(step, false).await {
            Ok(report) => report,
            Err(error) => panic!("{step}: {}", shown(&error)),
        };
        assert!(report.passed, "{step}: {report:#?}");
        assert_eq!(report.progress.by, Some(By::Own), "{step}");
    }

    /// Steps 1 to 7, as the workshop of 2019 has them, where that was right.
    async fn seven_steps(&self) {
        self.begin("01").await;
        assert!(self.types("kubectl apply -f ./flux/").await.contains("deployment.apps/flux created"));
        self.types("kubectl -n flux rollout status deployment/flux").await;
        assert!(self.types("kubectl -n flux get pods").await.contains("flux-"));
        self.is_green("01").await;

        self.begin("02").await;
        let key = self.types("fluxctl identity").await;
        assert!(key.starts_with("ssh-"), "{key}");
        self.types("mkdir -p keys && fluxctl identity > keys/flux.pub").await;
        self.types("git add .").await;
        self.types("git commit -m 'Add the key of Flux'").await;
        self.types("git push").await;
        self.is_green("02").await;
        assert_eq!(self.types("fluxctl identity").await, key, "it is kept");

        self.begin("03").await;
        let url = self.types("git remote get-url origin").await;
        let file = "flux/flux-deployment.yaml";
        self.edits(file, "git@git.example.com:somebody/some-repository.git", url.trim());
        self.edits(file, "--git-branch=master", "--git-branch=main");
        self.edits(file, "--git-path=manifests", "--git-path=deploy");
        self.types("kubectl apply -f flux/flux-deployment.yaml").await;
        self.is_green("03").await;

        self.begin("04").await;
        self.types("cp apps/podinfo.yaml deploy/").await;
        self.types("git add .").await;
        self.types("git commit -m \"Add podinfo to cluster\"").await;
        self.types("git push").await;
        self.types("fluxctl sync").await;
        self.is_green("04").await;

        self.begin("05").await;
        self.types("kubectl -n demo rollout status deployment/podinfo --timeout=60s").await;
        assert!(self.types("kubectl -n demo get pods").await.contains("podinfo-"));
        let workloads = self.types("fluxctl list-workloads -n demo").await;
        assert!(workloads.contains("demo:deployment/podinfo") && workloads.contains("ready"), "{workloads}");
        self.is_green("05").await;

        self.begin("06").await;
        self.types("kubectl -n demo delete deployment podinfo").await;
        self.types("kubectl -n demo get deployments").await;
        self.is_green("06").await;

        self.begin("07").await;
        assert!(self.types("kubectl -n demo get deployment podinfo").await.contains("3/3"));
        self.edits("deploy/podinfo.yaml", "replicas: 3", "replicas: 4");
        self.types("git commit -am 'Four replicas'").await;
        self.types("git push").await;
        self.types("fluxctl sync").await;
        self.is_green("07").await;
        assert!(self.types("kubectl -n demo get deployment podinfo").await.contains("4/4"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_steps_by_real_kubectl_and_git() {
    if !has_tools() {
        return;
    }
    let hands = Hands { learner: Learner::start().await };
    hands.seven_steps().await;
    hands.begin("08").await;
    hands.edits(
        "deploy/podinfo.yaml",
        "  name: podinfo\n",
        "  name: podinfo\n  annotations:\n    flux.weave.works/tag.podinfod: glob:*\n    \
         flux.weave.works/automated: 'true'\n",
    );
    hands.types("git add .").await;
    hands.types("git commit -m 'Automate podinfo'").await;
    hands.types("git push").await;
    hands.is_green("08").await;
    hands.learner.end().await;
}

/// The programs of this `PATH` but kubectl, as links in a folder.
#[cfg(unix)]
fn without_kubectl(folder: &std::path::Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    for program in std::env::split_paths(&path).filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten()
    {
        if program.file_name() != "kubectl" {
            // The first of a name counts; the others are refused.
            let _ = std::os::unix::fs::symlink(program.path(), folder.join(program.file_name()));
        }
    }
    folder.into()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_steps_by_the_built_in_kubectl_and_fluxctl() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = without_kubectl(folder.path());
    if ["git", "ssh-keygen"].iter().any(|name| !folder.path().join(name).exists()) {
        eprintln!("skipped: git or ssh-keygen is missing");
        return;
    }
    let learner = Learner::equipped(Arc::new(load::builtin().workshop), None, Some(path)).await;
    assert_eq!(learner.session.sandbox().tools.kubectl, None);
    let hands = Hands { learner };
    hands.seven_steps().await;
    hands.begin("08").await;
    let images = hands.types("fluxctl list-images -w demo:deployment/podinfo").await;
    assert!(images.contains("podinfod") && images.contains("6.5.0"), "{images}");
    // The binary itself under that name.
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_foredeck"), folder.path().join("fluxctl")).expect("a link");
    let policy = "policy -w demo:deployment/podinfo --tag='podinfod=semver:~6.5'";
    let fluxctl = folder.path().join("fluxctl");
    let told = hands.types(&format!("{} {policy}", fluxctl.display())).await;
    assert!(told.contains("demo:deployment/podinfo"), "{told}");
    // What is locked is not touched by hand either.
    hands.types("fluxctl lock -w demo:deployment/podinfo -m 'not now'").await;
    assert!(hands.types("git --git-dir=../demo.git show main:deploy/podinfo.yaml").await.contains("fluxcd.io/locked"));
    hands.types("fluxctl unlock -w demo:deployment/podinfo").await;
    hands
        .types("fluxctl release --workload=demo:deployment/podinfo --update-image=ghcr.io/stefanprodan/podinfo:6.5.1")
        .await;
    hands.types("fluxctl automate -w demo:deployment/podinfo").await;
    hands.is_green("08").await;
    hands.learner.end().await;
}
