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
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A namespace of its own in a cluster.
pub struct ClusterTest {
    pub client: Client,
    pub namespace: String,
    /// What `kubectl` is told.
    pub kubeconfig: PathBuf,
    pub embedded: Option<Embedded>,
    folder: tempfile::TempDir,
}

impl ClusterTest {
    /// The cluster that was asked for, with an empty namespace.
    pub async fn start() -> Self {
        // Several crates bring a provider; the first caller decides.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = folder.path().join("kubeconfig");
        let (embedded, client) = match std::env::var("FOREDECK_TEST_CONTEXT") {
            Ok(context) if !context.is_empty() => {
                let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
                let mut own = Kubeconfig::read().expect("a kubeconfig");
                own.current_context = Some(context);
                let text = serde_json::to_string(&own).expect("a kubeconfig is data");
                std::fs::write(&kubeconfig, text).expect("a file");
                let config = kube::Config::from_custom_kubeconfig(own, &options).await.expect("the context is there");
                (None, Client::try_from(config).expect("a client"))
            }
            _ => {
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
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// A file of the test.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// The real kubectl in the test's namespace; `None` where there is none.
    pub fn kubectl(&self, arguments: &[&str]) -> Option<Output> {
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
    pub async fn finish(self) {
        if let Some(embedded) = self.embedded {
            return embedded.stop().await;
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let _ = namespaces.delete(&self.namespace, &DeleteParams::background()).await;
    }
}

/// A client that reaches an embedded cluster through the network.
pub async fn client_of(embedded: &Embedded) -> Client {
    let config = Kubeconfig::from_yaml(&embedded.kubeconfig()).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.expect("a config");
    Client::try_from(config).expect("a client")
}

/// Whether the real kubectl can be used; says so when not.
pub fn has_kubectl() -> bool {
    let there = Command::new("kubectl").args(["version", "--client"]).output().is_ok();
    if !there {
        eprintln!("skipped: there is no kubectl on this machine");
    }
    there
}

/// Waits until something is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
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
