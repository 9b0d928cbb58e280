//! A repository, a cluster and a reconciler between them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::gitops::explain::{ObjectState, State};
use foredeck::gitops::git::Remote;
use foredeck::gitops::git::command::{SigningKey, Trust};
use foredeck::gitops::git::identity::{KeyOptions, generate, install};
use foredeck::gitops::reconciler::{Handle, Reconciler};
use foredeck::gitops::record::SyncRecord;
use foredeck::gitops::settings::Settings;
use foredeck::gitops::status::Status;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A bare repository, and a person's clone of it.
pub(crate) struct Forge {
    folder: tempfile::TempDir,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let forge = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        forge.git(&forge.path(""), &["init", "-q", "--bare", "-b", "master", "remote.git"]);
        forge.git(&forge.path(""), &["init", "-q", "-b", "master", "work"]);
        forge.git(&forge.work(), &["remote", "add", "origin", &forge.url()]);
        forge.write("README.md", "# Configuration\n");
        forge.push();
        forge
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn remote(&self) -> PathBuf {
        self.path("remote.git")
    }

    pub(crate) fn url(&self) -> String {
        self.remote().display().to_string()
    }

    /// Runs git as a person would.
    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(dir).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]).args(args);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR");
        let output = command.output().expect("git starts");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.work().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.work().join(path)).expect("the file was there");
    }

    /// Commits everything and pushes; gives the commit.
    pub(crate) fn push(&self) -> String {
        self.commit_and_push(&[])
    }

    pub(crate) fn commit_and_push(&self, options: &[&str]) -> String {
        self.git(&self.work(), &["add", "-A"]);
        self.git(&self.work(), &[&["commit", "-q", "--allow-empty", "-m", "change"], options].concat());
        self.git(&self.work(), &["push", "-q", "--force", "origin", "HEAD:master"]);
        self.git(&self.work(), &["rev-parse", "HEAD"])
    }

    /// The commit that the sync tag points at.
    pub(crate) fn tag(&self) -> Option<String> {
        let tag = self.git(&self.remote(), &["for-each-ref", "--format=%(*objectname)", "refs/tags/flux-sync"]);
        (!tag.is_empty()).then_some(tag)
    }
}

/// Keys for a repository whose first commit is then signed; what a reconciler needs to sign and to check.
pub(crate) async fn signed(forge: &Forge) -> (SigningKey, Trust) {
    let options = KeyOptions { kind: Some("ed25519".to_owned()), ..KeyOptions::default() };
    let pair = generate(&options, &forge.path("")).await.expect("a key");
    let key = install(&pair, &forge.path("keys")).expect("a folder").key.expect("a file");
    std::fs::write(key.with_extension("pub"), &pair.public).expect("a file");
    let allowed = forge.path("allowed");
    std::fs::write(&allowed, format!("* {}\n", pair.public)).expect("a file");
    for (name, value) in [("gpg.format", "ssh"), ("user.signingKey", &key.display().to_string())] {
        forge.git(&forge.work(), &["config", name, value]);
    }
    forge.git(&forge.work(), &["commit", "-q", "--amend", "--no-edit", "-S"]);
    (SigningKey::Ssh(key), Trust { gpg_home: None, allowed_signers: Some(allowed) })
}

/// A reconciler at work.
pub(crate) struct GitopsTest {
    pub(crate) forge: Forge,
    pub(crate) cluster: Embedded,
    pub(crate) client: kube::Client,
    pub(crate) handle: Handle,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// The usual settings, with a folder beside the repository.
pub(crate) fn settings(forge: &Forge) -> Settings {
    Settings::new(Some(Remote::new(&forge.url(), "master")), forge.path("foredeck"))
}

impl GitopsTest {
    /// A reconciler of a new repository with usual settings.
    pub(crate) async fn start() -> Self {
        Self::with(Forge::new(), |_| {}).await
    }

    /// One of a certain repository with changed settings, which has synced once (if it can).
    pub(crate) async fn with(forge: Forge, change: impl FnOnce(&mut Settings)) -> Self {
        let cluster = Embedded::start(Config::default()).await.expect("a cluster starts");
        let client = cluster.client();
        let mut settings = settings(&forge);
        change(&mut settings);
        let (reconciler, handle) = Reconciler::new(settings, client.clone()).expect("the settings are right");
        let stop = CancellationToken::new();
        let task = tokio::spawn(reconciler.run(stop.clone()));
        Self { forge, cluster, client, handle, stop, task }
    }

    /// Commits, pushes, tells, and waits until the commit was synced, well or not.
    pub(crate) async fn push(&self) -> Arc<SyncRecord> {
        let commit = self.forge.push();
        self.handle.pushed();
        self.synced(&commit).await
    }

    /// Waits until a commit was synced, well or not.
    pub(crate) async fn synced(&self, commit: &str) -> Arc<SyncRecord> {
        let has = |status: &Status| {
            status.history.iter().rev().find(|record| record.revision.as_deref() == Some(commit)).cloned()
        };
        let status = self.until(&format!("{commit} is synced"), |status| has(status).is_some()).await;
        has(&status).expect("it is there")
    }

    /// Waits until the status is as wanted.
    pub(crate) async fn until(&self, what: &str, mut wanted: impl FnMut(&Status) -> bool) -> Status {
        let mut status = self.handle.status();
        let found = tokio::time::timeout(PATIENCE, status.wait_for(|status| wanted(status))).await;
        match found {
            Ok(found) => found.expect("the reconciler runs").clone(),
            Err(_) => {
                let last = serde_json::to_string_pretty(&*self.handle.status().borrow()).expect("a status is data");
                panic!("waited in vain until {what}: {last}");
            }
        }
    }

    /// Waits until an object is in a state.
    pub(crate) async fn object(&self, id: &str, state: State) -> Arc<ObjectState> {
        let find =
            |status: &Status| status.objects.values().find(|object| object.id == id && object.state == state).cloned();
        let status = self.until(&format!("{id} is {state:?}"), |status| find(status).is_some()).await;
        find(&status).expect("it is there")
    }

    /// An API of objects in the namespace `default`.
    pub(crate) fn api(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        api(&self.client, version, kind)
    }

    pub(crate) async fn get(&self, version: &str, kind: &str, name: &str) -> Option<Value> {
        get(&self.client, version, kind, name).await
    }

    /// Changes an object as somebody else.
    pub(crate) async fn patch(&self, version: &str, kind: &str, name: &str, patch: Value) {
        let params = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
        self.api(version, kind).patch(name, &params, &Patch::Merge(patch)).await.expect("the change is taken");
    }

    pub(crate) async fn delete(&self, version: &str, kind: &str, name: &str) {
        self.api(version, kind).delete(name, &DeleteParams::background()).await.expect("it is deleted");
    }

    /// Waits until an object is as wanted.
    pub(crate) async fn until_object(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        wanted: impl Fn(Option<&Value>) -> bool,
    ) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.get(version, kind, name).await;
            if wanted(found.as_ref()) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited in vain for {kind} {name}: {found:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Ends the reconciler; repository and cluster stay.
    pub(crate) async fn stop(self) -> (Forge, Embedded) {
        self.stop.cancel();
        self.task.await.expect("it ends well");
        (self.forge, self.cluster)
    }
}

/// An API of objects in the namespace `default`.
pub(crate) fn api(client: &kube::Client, version: &str, kind: &str) -> Api<DynamicObject> {
    let (group, short) = version.split_once('/').unwrap_or(("", version));
    let plural = format!("{}s", kind.to_lowercase());
    let resource = ApiResource {
        group: group.to_owned(),
        version: short.to_owned(),
        api_version: version.to_owned(),
        kind: kind.to_owned(),
        plural,
    };
    if matches!(kind, "Namespace" | "CustomResourceDefinition") {
        Api::all_with(client.clone(), &resource)
    } else {
        Api::namespaced_with(client.clone(), "default", &resource)
    }
}

pub(crate) async fn get(client: &kube::Client, version: &str, kind: &str, name: &str) -> Option<Value> {
    let found = api(client, version, kind).get_opt(name).await.expect("the API answers");
    found.map(|object| serde_json::to_value(object).expect("an object is data"))
}

/// A ConfigMap.
pub(crate) fn config(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  x: \"{value}\"\n")
}

/// A Deployment.
pub(crate) fn deployment(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: {replicas}\n  selector:\n    \
         matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      \
         containers:\n      - name: {name}\n        image: stefanprodan/podinfo:1.4.1\n"
    )
}
