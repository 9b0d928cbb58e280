//! A workshop with its sandbox and server, in this process.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::console::{Code, Failure};
use crate::cli::present::args::RunArgs;
use crate::cli::runs;
use crate::cluster::embedded;
use crate::cluster::folder::Folder;
use crate::cluster::provider::Provider;
use crate::gitops::schedule::Intervals;
use crate::recording::What;
use crate::sandbox::keep::{Demo, keep};
use crate::sandbox::{ClusterPlan, Plan, RepositoryPlan, builtin, repository};
use crate::server::role::Token;
use crate::server::{Config, Server};
use crate::workshop::Workshop;
use crate::workshop::seat::{Seat, Setting};
use crate::workshop::session::{self, Session};

/// The demo repository's name in addresses, its branch, and the folder of it that is applied.
const REPOSITORY: &str = "demo";
const BRANCH: &str = "main";
const APPLIED: &str = "deploy";
/// Who works when there is only one.
const PARTICIPANT: &str = "you";
/// How long a sandbox may take to start.
const START: Duration = Duration::from_secs(60);

/// What is hosted, and where.
pub(super) struct Hosting {
    pub(super) workshop: Arc<Workshop>,
    /// The folder of steps, whose `repo/` is the seed; the built-in one when none.
    pub(super) steps: Option<PathBuf>,
    /// Where everything is kept.
    pub(super) folder: Folder,
    pub(super) host: IpAddr,
    pub(super) port: u16,
    /// Begin anew.
    pub(super) fresh: bool,
    /// Keep nothing for a later run.
    pub(super) passing: bool,
    /// Record what happens.
    pub(super) recorded: bool,
}

impl Hosting {
    /// On this machine alone, at any port.
    pub(super) fn quietly(workshop: Arc<Workshop>, steps: Option<PathBuf>, folder: Folder) -> Self {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { workshop, steps, folder, host, port: 0, fresh: false, passing: false, recorded: false }
    }
}

/// A workshop that is served.
pub(super) struct Host {
    /// Its address: `http://127.0.0.1:3939`.
    pub(super) address: String,
    pub(super) token: String,
    seat: Arc<Seat>,
    demo: watch::Receiver<Demo>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

fn failed(error: impl Into<anyhow::Error>, what: &'static str) -> Failure {
    Failure::new(Code::Environment, error.into().context(what))
}

impl Host {
    /// Starts it.
    ///
    /// # Errors
    /// When the address or a file cannot be had.
    pub(super) async fn start(hosting: Hosting, stop: CancellationToken) -> Result<Self, Failure> {
        hosting.folder.make()?;
        if hosting.fresh {
            put_aside(hosting.folder.path()).map_err(|error| failed(error, "what was kept cannot be put aside"))?;
        }
        let token = Token::random().map_err(|error| failed(error, "there are no random numbers"))?;
        let push = Token::random().map_err(|error| failed(error, "there are no random numbers"))?;
        let file = (!hosting.passing).then(|| session::file(hosting.folder.path(), PARTICIPANT));
        // Where no step installs an operator, nobody is there to be waited for.
        let operator = hosting.steps.as_ref().is_none_or(|steps| steps.join("repo/flux").is_dir());
        let switch = operator.then(|| APPLIED.to_owned());
        let setting = Setting { switch, file, token: token.reveal().to_owned() };
        let seat = Seat::new(hosting.workshop.clone(), setting);
        let (sender, demo) = watch::channel(Demo::Starting);
        let mut config = Config::new(hosting.folder.path(), Vec::new());
        (config.host, config.port) = (hosting.host, hosting.port);
        (config.demo, config.workshop) = (demo.clone(), Some(seat.clone()));
        config.title.clone_from(&hosting.workshop.name);
        if hosting.recorded {
            let (args, folder) = (RunArgs::default(), hosting.folder.path());
            config.record = runs::record(&args, folder, What::Workshop, hosting.port, &Provider::Embedded);
        }
        let server = Server::bind(config).await.map_err(|error| Failure::new(Code::Environment, error))?;
        let address = format!("http://127.0.0.1:{}", server.address().port());
        let plan = plan(&hosting, &address, push.reveal())?;
        let tasks = TaskTracker::new();
        tasks.spawn(server.serve(stop.clone()));
        tasks.spawn(keep(plan, sender, stop.clone()));
        tasks.spawn(seat.clone().run(demo.clone(), stop.clone()));
        Ok(Self { address, token: token.reveal().to_owned(), seat, demo, stop, tasks })
    }

    /// The session, as soon as the sandbox works.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) async fn session(&self) -> Result<Arc<Session>, Failure> {
        let mut sessions = self.seat.sessions();
        let mut demo = self.demo.clone();
        let ready = async {
            loop {
                if let Demo::Failed(why) = &*demo.borrow_and_update() {
                    return Err(why.clone());
                }
                if let Some(session) = sessions.borrow_and_update().clone() {
                    return Ok(session);
                }
                tokio::select! {
                    changed = sessions.changed() => if changed.is_err() { return Err("it has ended".to_owned()) },
                    changed = demo.changed() => if changed.is_err() { return Err("it has ended".to_owned()) },
                }
            }
        };
        match tokio::time::timeout(START, ready).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(why)) => {
                let error = anyhow::Error::msg(why).context("the sandbox does not start");
                Err(Failure::new(Code::Environment, error).hint("`foredeck workshop start --fresh` begins anew"))
            }
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

fn plan(hosting: &Hosting, address: &str, token: &str) -> Result<Plan, Failure> {
    let program = std::env::current_exe().map_err(|error| failed(error, "this program's file is not known"))?;
    let seed = seed(hosting.steps.as_deref(), &hosting.folder)
        .map_err(|error| failed(error, "the repository's first files cannot be written"))?;
    let cluster = embedded::Config {
        folder: (!hosting.passing).then(|| hosting.folder.path().join("cluster")),
        ..embedded::Config::default()
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Plan {
        cluster: ClusterPlan::Embedded(Box::new(cluster)),
        repository: RepositoryPlan::Demo(repository::Plan {
            name: REPOSITORY.to_owned(),
            branch: BRANCH.to_owned(),
            seed: Some(seed),
            base: format!("{address}/git"),
            token: token.to_owned(),
            time: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        }),
        paths: vec![APPLIED.to_owned()],
        read_only: false,
        intervals: Intervals::default(),
        folder: hosting.folder.clone(),
        home: std::env::home_dir().filter(|home| home.is_absolute()),
        program,
        path: std::env::var_os("PATH"),
        server: address.to_owned(),
        fresh: false,
    })
}

/// The workshop's own `repo/`, else the built-in one.
pub(super) fn seed(steps: Option<&Path>, folder: &Folder) -> std::io::Result<PathBuf> {
    if let Some(own) = steps.map(|steps| steps.join("repo")).filter(|own| own.is_dir()) {
        return own.canonicalize();
    }
    let folder = folder.path().join("seed");
    builtin::write(&folder)?;
    Ok(folder)
}

/// Moves cluster, repository and progress out of the way, all together; the time before is forgotten then.
fn put_aside(folder: &Path) -> std::io::Result<()> {
    let before = folder.join("before");
    match std::fs::remove_dir_all(&before) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(&before)?,
    }
    for name in ["cluster", "demo.git", "demo", "reconciler", "progress", "checkpoints"] {
        match std::fs::rename(folder.join(name), before.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
