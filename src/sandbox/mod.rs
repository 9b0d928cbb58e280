//! A system to play in: a cluster, a repository, a reconciler that makes the one match the other, and a folder for
//! terminals. A speaker has one on stage, each learner has one of their own.
//!
//! [`Plan`] → [`start`] → a [`Sandbox`] that anybody may share and a [`Running`] that somebody has to run. [`keep::keep`]
//! does both again and again, so that whatever goes wrong here does not take the slides along.

pub mod automation;
pub mod builtin;
pub mod charts;
pub mod checkpoint;
mod checkpoint_file;
pub mod daemon;
mod delivery;
pub mod error;
pub mod keep;
mod mend;
pub mod metrics;
pub mod repair;
pub mod repository;
pub mod time;
pub mod tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cluster::clock::Clock;
use crate::cluster::embedded::{self, Embedded};
use crate::cluster::folder::Folder;
use crate::cluster::kubeconfig::own;
use crate::cluster::process;
use crate::cluster::strays;
use crate::gitops::canary;
use crate::gitops::capi;
use crate::gitops::git::identity::KeyOptions;
use crate::gitops::git::{Program, Remote};
use crate::gitops::helm;
use crate::gitops::reconciler::{Handle, Reconciler};
use crate::gitops::release::automation::Rights;
use crate::gitops::schedule::Intervals;
use crate::gitops::settings::Settings;
pub use error::Error;
use repository::Repository;

/// Where the cluster of a sandbox comes from.
#[derive(Clone)]
pub enum ClusterPlan {
    /// One of its own, in this process.
    Embedded(Box<embedded::Config>),
    /// One that is there: kind, or an allowed context.
    Existing {
        /// How to talk to it.
        client: kube::Client,
        /// Its name for people: `kind-demo`.
        name: String,
        /// What `$KUBECONFIG` has to hold, so that programs get this cluster and no other: one file, or several of
        /// which the first says which context is meant.
        kubeconfig: OsString,
        /// Whether foredeck made it, so that things in it may be destroyed.
        ours: bool,
    },
}

impl std::fmt::Debug for ClusterPlan {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded(_) => out.write_str("Embedded"),
            Self::Existing { name, .. } => write!(out, "Existing({name})"),
        }
    }
}

/// Where the repository of a sandbox comes from.
#[derive(Debug, Clone)]
pub enum RepositoryPlan {
    /// One of its own, served by the presentation server.
    Demo(repository::Plan),
    /// Somebody else's.
    Remote(Remote),
}

/// What a sandbox is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The cluster.
    pub cluster: ClusterPlan,
    /// The repository.
    pub repository: RepositoryPlan,
    /// Folders of the repository to look in; everything when there are none.
    pub paths: Vec<String>,
    /// Nothing is written to the repository.
    pub read_only: bool,
    /// When things are done.
    pub intervals: Intervals,
    /// Where its files are.
    pub folder: Folder,
    /// The user's home, whose kubeconfig is never written.
    pub home: Option<PathBuf>,
    /// This program, which stands in for `kubectl` and `fluxctl` where they are missing.
    pub program: PathBuf,
    /// The user's `PATH`.
    pub path: Option<OsString>,
    /// The presentation server, for `fluxctl`: `http://127.0.0.1:3939`.
    pub server: String,
    /// Whether what an earlier run left is put aside.
    pub fresh: bool,
}

/// The cluster of a sandbox.
#[derive(Debug, Clone)]
pub enum Cluster {
    /// In this process.
    Embedded(Arc<Embedded>),
    /// Elsewhere.
    Existing {
        /// Its name for people.
        name: String,
        /// Whether foredeck made it.
        ours: bool,
    },
}

/// A system to play in.
pub struct Sandbox {
    /// How to talk to the cluster.
    pub client: kube::Client,
    /// The cluster.
    pub cluster: Cluster,
    /// `$KUBECONFIG` for terminals and steps.
    pub kubeconfig: OsString,
    /// The repository, when it is one of its own.
    pub repository: Option<Repository>,
    /// Where the manifests come from, for people.
    pub source: String,
    /// The reconciler.
    pub reconciler: Handle,
    /// New images.
    pub automation: automation::Handle,
    /// Canary releases; none on clusters elsewhere.
    pub canaries: Option<canary::Handle>,
    /// Clusters of Cluster API; none on clusters elsewhere.
    pub clusters: Option<capi::Handle>,
    /// Helm releases; none on clusters elsewhere.
    pub releases: Option<helm::Handle>,
    /// What `fluxctl` talks to.
    pub daemon: daemon::Daemon,
    /// What terminals find in their environment.
    pub tools: tools::Tools,
    /// Where its files are.
    pub folder: Folder,
    intervals: Intervals,
    checkpoints: checkpoint::Checkpoints,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sandbox").field("cluster", &self.cluster_name()).field("folder", &self.folder).finish()
    }
}

impl Sandbox {
    /// The embedded cluster, if it is one.
    pub fn embedded(&self) -> Option<&Arc<Embedded>> {
        match &self.cluster {
            Cluster::Embedded(embedded) => Some(embedded),
            Cluster::Existing { .. } => None,
        }
    }

    /// The cluster's time; real time for clusters elsewhere.
    pub fn clock(&self) -> Clock {
        self.embedded().map_or_else(Clock::default, |embedded| embedded.api().clock.clone())
    }

    /// The cluster's name for people.
    pub fn cluster_name(&self) -> &str {
        match &self.cluster {
            Cluster::Embedded(_) => "embedded",
            Cluster::Existing { name, .. } => name,
        }
    }

    /// Whether things in the cluster may be destroyed: foredeck made it.
    pub fn may_destroy(&self) -> bool {
        match &self.cluster {
            Cluster::Embedded(_) => true,
            Cluster::Existing { ours, .. } => *ours,
        }
    }

    /// The folder that terminals begin in.
    pub fn work_folder(&self) -> &Path {
        self.repository.as_ref().map_or(self.folder.path(), |repository| repository.work.as_path())
    }
}

/// The part of a sandbox that has to be run.
#[derive(Debug)]
pub struct Running {
    reconciler: Reconciler,
    automation: automation::Automation,
    delivery: delivery::Delivery,
    jobs: daemon::Jobs,
    sandbox: Arc<Sandbox>,
}

impl Running {
    /// Works until it is stopped, or its cluster ends; then the cluster ends, too.
    pub async fn run(self, stop: CancellationToken) {
        let others = stop.child_token();
        let reconciling = async {
            self.reconciler.run(others.clone()).await;
            others.cancel();
        };
        let embedded = self.sandbox.embedded().cloned();
        let watching = async {
            let over = async {
                match &embedded {
                    Some(embedded) => embedded.over().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => others.cancel(),
                () = others.cancelled() => {}
            }
        };
        tokio::join!(
            reconciling,
            watching,
            self.automation.run(others.clone()),
            self.delivery.run(&self.sandbox.reconciler, others.clone()),
            self.jobs.run(others.clone())
        );
        if let Some(embedded) = embedded {
            embedded.stop().await;
        }
        strays::end_all(self.sandbox.folder.path()).await;
    }
}

/// Starts a sandbox.
///
/// # Errors
/// When the cluster, the repository or a file cannot be had.
pub async fn start(plan: &Plan) -> Result<(Arc<Sandbox>, Running), Error> {
    plan.folder.make().map_err(|error| Error::Cluster(Box::new(error)))?;
    // Of a run that was killed.
    strays::end_all(plan.folder.path()).await;
    let git = Program::default();
    let (repository, remote) = match &plan.repository {
        RepositoryPlan::Demo(demo) => {
            let repository = Repository::open(demo, git.clone(), plan.folder.path(), plan.fresh).await?;
            let remote = Remote::new(&repository.demo.dir().display().to_string(), repository.demo.branch());
            (Some(repository), remote)
        }
        RepositoryPlan::Remote(remote) => (None, remote.clone()),
    };
    let (cluster, client, kubeconfig) = cluster(plan).await?;
    let tools = tools::Tools::set_up(plan, &kubeconfig, repository.as_ref()).await?;
    let source =
        repository.as_ref().map_or_else(|| crate::gitops::mark::without_password(&remote.url), |own| own.url.clone());
    let mut settings = Settings::new(Some(remote), plan.folder.path().join("reconciler"));
    settings.program = Program { users_settings: repository.is_none(), ..git };
    settings.paths.clone_from(&plan.paths);
    settings.read_only = plan.read_only;
    settings.intervals = plan.intervals;
    settings.kubectl = tools.kubectl.clone();
    settings.ssh_key =
        Some(KeyOptions { comment: "foredeck".to_owned(), ..KeyOptions::default() }).filter(|_| repository.is_some());
    let scratch = settings.folder.clone();
    let (reconciler, handle) = Reconciler::new(settings, client.clone()).map_err(Error::Path)?;
    let embedded = match &cluster {
        Cluster::Embedded(embedded) => Some(&**embedded),
        Cluster::Existing { .. } => None,
    };
    let (automation, images) = automation::Automation::new(&automation::Plan {
        embedded,
        client: &client,
        reconciler: &handle,
        rights: Rights { read_only: plan.read_only, scanning_disabled: false },
        every: plan.intervals.sync,
        folder: plan.folder.path(),
        home: plan.home.as_deref(),
    })?;
    let (delivery, handles) = delivery::Delivery::new(embedded, repository.as_ref(), helm_program(plan));
    let (jobs, daemon) = daemon::new(&client, &handle, &images, scratch);
    let sandbox = Arc::new(Sandbox {
        client,
        cluster,
        kubeconfig,
        repository,
        source,
        reconciler: handle,
        automation: images,
        canaries: handles.canaries,
        clusters: handles.clusters,
        releases: handles.releases,
        daemon,
        tools,
        folder: plan.folder.clone(),
        intervals: plan.intervals,
        checkpoints: checkpoint::Checkpoints::new(plan),
    });
    Ok((sandbox.clone(), Running { reconciler, automation, delivery, jobs, sandbox }))
}

/// The user's `helm`, which renders charts where it is there.
fn helm_program(plan: &Plan) -> Option<helm::Program> {
    let path = process::find("helm", plan.path.as_deref(), &[])?;
    Some(helm::Program::new(path, plan.folder.path().join("helm")))
}

async fn cluster(plan: &Plan) -> Result<(Cluster, kube::Client, OsString), Error> {
    match &plan.cluster {
        ClusterPlan::Embedded(config) => {
            let embedded =
                Embedded::start((**config).clone()).await.map_err(|error| Error::Embedded(Box::new(error)))?;
            let file = plan.folder.embedded();
            let written = own::write(&file, &embedded.kubeconfig(), plan.home.as_deref());
            written.map_err(|error| Error::Cluster(Box::new(error)))?;
            let client = embedded.client();
            Ok((Cluster::Embedded(Arc::new(embedded)), client, file.into_os_string()))
        }
        ClusterPlan::Existing { client, name, kubeconfig, ours } => {
            let cluster = Cluster::Existing { name: name.clone(), ours: *ours };
            Ok((cluster, client.clone(), kubeconfig.clone()))
        }
    }
}
