//! A sandbox and its server for one deck, in a folder that goes away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::console::{Code, Failure};
use crate::cluster::folder::Folder;
use crate::gitops::schedule::Intervals;
use crate::sandbox::keep::{Demo, keep};
use crate::sandbox::{ClusterPlan, Plan, RepositoryPlan, Sandbox, builtin, repository};
use crate::server::role::Token;
use crate::server::state::App;
use crate::server::{Config, Server};

/// The demo repository's name in addresses, its branch, and the folder of it that is applied when there is one.
const REPOSITORY: &str = "demo";
const BRANCH: &str = "main";
const APPLIED: &str = "deploy";
/// How long the sandbox may take to start, and its first sync.
const START: Duration = Duration::from_secs(60);

/// A running sandbox with its server.
pub(super) struct Stage {
    /// What runs steps.
    pub(super) app: Arc<App>,
    /// Its folder; declared so that it goes last.
    _passing: Passing,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A folder that goes away with this value.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn failed(error: impl Into<anyhow::Error>, what: &'static str) -> Failure {
    Failure::new(Code::Environment, error.into().context(what))
}

impl Stage {
    /// Starts one as `present` would for a project, with nothing kept, and waits for the first sync.
    ///
    /// # Errors
    /// When a file or an address cannot be had, or it does not start in time.
    pub(super) async fn start(root: &Path, stop: CancellationToken) -> Result<Self, Failure> {
        let name = Token::random().map_err(|error| failed(error, "there are no random numbers"))?;
        let passing = Passing(std::env::temp_dir().join(format!("foredeck-test-{}", name.reveal())));
        let folder = Folder::of(&passing.0);
        folder.make()?;
        let (sender, demo) = watch::channel(Demo::Starting);
        let mut config = Config::new(folder.path(), Vec::new());
        config.port = 0;
        config.demo = demo.clone();
        config.shell = std::env::var_os("SHELL");
        let server = Server::bind(config).await.map_err(|error| Failure::new(Code::Environment, error))?;
        let app = server.app();
        let plan = plan(root, &folder, &format!("http://127.0.0.1:{}", server.address().port()))?;
        let tasks = TaskTracker::new();
        tasks.spawn(server.serve(stop.clone()));
        tasks.spawn(keep(plan, sender, stop.clone()));
        let stage = Self { app, _passing: passing, stop, tasks };
        match stage.ready(demo).await {
            Ok(()) => Ok(stage),
            Err(failure) => {
                stage.end().await;
                Err(failure)
            }
        }
    }

    /// Waits until the cluster is as Git wants it.
    async fn ready(&self, mut demo: watch::Receiver<Demo>) -> Result<(), Failure> {
        let ready = async {
            let sandbox = started(&mut demo).await?;
            sandbox.reconciler.sync().await.map(|_| ()).map_err(|error| error.to_string())
        };
        let ready = tokio::select! {
            ready = tokio::time::timeout(START, ready) => ready,
            () = self.stop.cancelled() => return Err(Failure::new(Code::Interrupted, anyhow::Error::msg("stopped"))),
        };
        match ready {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(failed(anyhow::Error::msg(why), "the sandbox does not start")),
            Err(_) => Err(Failure::new(Code::Cluster, anyhow::Error::msg("the sandbox does not start in time"))),
        }
    }

    /// Ends it, and everything that it started.
    pub(super) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The sandbox, as soon as it works.
async fn started(demo: &mut watch::Receiver<Demo>) -> Result<Arc<Sandbox>, String> {
    loop {
        match &*demo.borrow_and_update() {
            Demo::Ready(sandbox) => return Ok(sandbox.clone()),
            Demo::Failed(why) => return Err(why.clone()),
            Demo::Starting | Demo::Off => {}
        }
        if demo.changed().await.is_err() {
            return Err("it has ended".to_owned());
        }
    }
}

fn plan(root: &Path, folder: &Folder, address: &str) -> Result<Plan, Failure> {
    let program = std::env::current_exe().map_err(|error| failed(error, "this program's file is not known"))?;
    let seed = seed(root, folder).map_err(|error| failed(error, "the repository's first files cannot be written"))?;
    let push = Token::random().map_err(|error| failed(error, "there are no random numbers"))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Plan {
        cluster: ClusterPlan::Embedded(Box::default()),
        paths: seed.join(APPLIED).is_dir().then(|| APPLIED.to_owned()).into_iter().collect(),
        repository: RepositoryPlan::Demo(repository::Plan {
            name: REPOSITORY.to_owned(),
            branch: BRANCH.to_owned(),
            seed: Some(seed),
            base: format!("{address}/git"),
            token: push.reveal().to_owned(),
            time: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        }),
        read_only: false,
        intervals: Intervals::default(),
        folder: folder.clone(),
        home: std::env::home_dir().filter(|home| home.is_absolute()),
        program,
        path: std::env::var_os("PATH"),
        server: address.to_owned(),
        fresh: false,
    })
}

/// The project's own `workshop/repo/`, else the one in this program.
fn seed(root: &Path, folder: &Folder) -> std::io::Result<PathBuf> {
    let own = root.join("workshop").join("repo");
    if own.is_dir() {
        return own.canonicalize();
    }
    let seed = folder.path().join("seed");
    builtin::write(&seed)?;
    Ok(seed)
}
