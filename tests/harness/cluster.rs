//! A cluster to test against: embedded, or the one that `FOREDECK_TEST_CONTEXT` names.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use foredeck::cluster::embedded::{Config, Embedded};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A namespace of its own in a cluster.
pub(crate) struct ClusterTest {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// What `kubectl` is told.
    pub(crate) kubeconfig: PathBuf,
    pub(crate) embedded: Option<Embedded>,
    folder: tempfile::TempDir,
}

impl ClusterTest {
    /// The cluster that was asked for, with an empty namespace.
    pub(crate) async fn start() -> Self {
        // Several crates bring a provider; the first caller decides.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = folder.path().join("kubeconfig");
        let (embedded, client) = match named().await {
            Some(Named { client, kubeconfig: text, .. }) => {
                std::fs::write(&kubeconfig, text).expect("a file");
                (None, client)
            }
            None => {
                let embedded = Embedded::start(Config::default()).await.expect("a cluster starts");
                std::fs::write(&kubeconfig, embedded.kubeconfig()).expect("a file");
                let client = client_of(&embedded).await;
                (Some(embedded), client)
            }
        };
        let namespace = format!("foredeck-test-{}-{}", std::process::id(), number());
        let test = Self { client, namespace, kubeconfig, embedded, folder };
        test.make_namespace().await;
        test
    }

    async fn make_namespace(&self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let metadata = ObjectMeta { name: Some(self.namespace.clone()), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        namespaces.create(&PostParams::default(), &namespace).await.expect("a namespace is made");
        let accounts: Api<ServiceAccount> = self.api();
        until("the namespace's service account", || async { accounts.get_opt("default").await.ok().flatten() }).await;
    }

    /// The objects of a kind in the test's namespace.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// A file of the test.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// The real kubectl in the test's namespace; `None` where there is none.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Option<Output> {
        let mut command = Command::new("kubectl");
        command
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.folder.path())
            .env("KUBE_EDITOR", "false");
        match command.output() {
            Ok(output) => Some(output),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => panic!("kubectl: {error}"),
        }
    }

    /// Ends the test: what it made goes.
    pub(crate) async fn finish(self) {
        if let Some(embedded) = self.embedded {
            return embedded.stop().await;
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let _ = namespaces.delete(&self.namespace, &DeleteParams::background()).await;
    }
}

/// The real cluster that `FOREDECK_TEST_CONTEXT` names.
pub(crate) struct Named {
    pub(crate) client: Client,
    pub(crate) name: String,
    /// The text of a kubeconfig that leads to it.
    pub(crate) kubeconfig: String,
}

/// The real cluster to test against, if one is named.
pub(crate) async fn named() -> Option<Named> {
    let name = std::env::var("FOREDECK_TEST_CONTEXT").ok().filter(|context| !context.is_empty())?;
    let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
    let mut own = Kubeconfig::read().expect("a kubeconfig");
    own.current_context = Some(name.clone());
    let kubeconfig = serde_json::to_string(&own).expect("a kubeconfig is data");
    let config = kube::Config::from_custom_kubeconfig(own, &options).await.expect("the context is there");
    Some(Named { client: Client::try_from(config).expect("a client"), name, kubeconfig })
}

/// A client that reaches an embedded cluster through the network.
pub(crate) async fn client_of(embedded: &Embedded) -> Client {
    let config = Kubeconfig::from_yaml(&embedded.kubeconfig()).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.expect("a config");
    Client::try_from(config).expect("a client")
}

/// The oldest kubectl that the tests are written for; older ones word their answers differently.
const KUBECTL: u32 = 29;

/// Whether the real kubectl can be used; says so when not.
pub(crate) fn has_kubectl() -> bool {
    let output = Command::new("kubectl").args(["version", "--client", "-o", "json"]).output();
    let version: serde_json::Value =
        output.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok()).unwrap_or_default();
    let minor = version["clientVersion"]["minor"].as_str().unwrap_or_default();
    let minor: u32 = minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
    if minor < KUBECTL {
        eprintln!("skipped: there is no kubectl 1.{KUBECTL} or later on this machine");
    }
    minor >= KUBECTL
}

/// Waits until something is there.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
