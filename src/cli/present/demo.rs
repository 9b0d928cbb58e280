//! The demo side of a presentation: which cluster and repository, and when they are started.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::args::DemoArgs;
use crate::cli::cluster::{self, Place, reach};
use crate::cli::console::{Code, Console, Failure};
use crate::cluster::folder::Folder;
use crate::cluster::kubeconfig::own;
use crate::cluster::provider::{Provider, connect};
use crate::gitops::git::Remote;
use crate::gitops::schedule::Intervals;
use crate::project::watch::LiveDeck;
use crate::sandbox::keep::{Demo, keep};
use crate::sandbox::{ClusterPlan, Plan, RepositoryPlan, builtin, repository};
use crate::workshop::load;
use crate::workshop::seat::{Agreement, Seat};

/// The demo repository's name in addresses.
const REPOSITORY: &str = "demo";
const BRANCH: &str = "main";
/// The folder of the demo repository that is applied, when it has one of this name.
const APPLIED: &str = "deploy";

/// What is known of the demo side before the server has its address.
pub(in crate::cli) struct Prepared {
    cluster: ClusterPlan,
    place: Place,
    folder: Folder,
    intervals: Intervals,
}

/// Chooses the cluster. A cluster that may not be touched or does not answer is told before anything is shown.
///
/// # Errors
/// When the cluster cannot be had.
pub(in crate::cli) async fn prepare(
    args: &DemoArgs,
    folder: Folder,
    console: Console,
) -> Result<Option<Prepared>, Failure> {
    if args.no_demo {
        return Ok(None);
    }
    let mut place = Place::here(console)?;
    place.around.folder = folder.clone();
    let provider = cluster::provider(&args.which)?;
    let cluster = match &provider {
        Provider::Embedded => ClusterPlan::Embedded(Box::default()),
        other => {
            let connected = connect(other, &place.around).await?;
            let name = connected.chosen.context.clone();
            let kubeconfig = reach::of(other, name.clone(), &place)?.variable()?;
            // A kind cluster that was adopted is somebody else's.
            let ours = match other {
                Provider::Kind { name } => {
                    std::fs::read_to_string(folder.kind(name)).is_ok_and(|text| own::says_made(&text))
                }
                _ => false,
            };
            ClusterPlan::Existing { client: connected.client, name, kubeconfig, ours }
        }
    };
    let mut intervals = Intervals::default();
    if let Some(text) = &args.git_poll_interval {
        intervals.poll = cluster::limit(text)?;
    }
    if let Some(text) = &args.sync_interval {
        intervals.sync = cluster::limit(text)?;
    }
    Ok(Some(Prepared { cluster, place, folder, intervals }))
}

impl Prepared {
    /// Where the talk's state is kept; nowhere in a folder that cannot be written.
    pub(super) fn state_file(&self) -> Option<PathBuf> {
        self.folder.make().ok().map(|()| self.folder.path().join("present.json"))
    }

    /// The folder of the demo side's files.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The whole plan, once the server's address is known.
    ///
    /// # Errors
    /// When this program's own file is not known, or the seed cannot be written.
    pub(in crate::cli) fn plan(self, args: &DemoArgs, root: &Path, port: u16, token: String) -> Result<Plan, Failure> {
        let failed = |error: std::io::Error, what: &str| {
            Failure::new(Code::Environment, anyhow::Error::new(error).context(what.to_owned()))
        };
        let program = std::env::current_exe().map_err(|error| failed(error, "this program's file is not known"))?;
        let server = format!("http://127.0.0.1:{port}");
        let (repository, paths) = match &args.git_url {
            Some(url) => {
                let branch = args.git_branch.as_deref().unwrap_or("master");
                (RepositoryPlan::Remote(Remote::new(url, branch)), Vec::new())
            }
            None => {
                let seed = self.seed(root).map_err(|error| failed(error, "the demo repository's files"))?;
                let paths = seed.join(APPLIED).is_dir().then(|| APPLIED.to_owned());
                let plan = repository::Plan {
                    name: REPOSITORY.to_owned(),
                    branch: args.git_branch.clone().unwrap_or_else(|| BRANCH.to_owned()),
                    seed: Some(seed),
                    base: format!("{server}/git"),
                    token,
                    time: now(),
                };
                (RepositoryPlan::Demo(plan), paths.into_iter().collect())
            }
        };
        Ok(Plan {
            cluster: self.cluster,
            repository,
            paths: if args.git_path.is_empty() { paths } else { args.git_path.clone() },
            read_only: args.git_readonly,
            intervals: self.intervals,
            folder: self.folder,
            home: self.place.home,
            program,
            path: std::env::var_os("PATH"),
            server,
            fresh: !args.resume,
        })
    }

    /// The project's own `workshop/repo/`, else the one in this program.
    fn seed(&self, root: &Path) -> std::io::Result<PathBuf> {
        let own = root.join("workshop").join("repo");
        if own.is_dir() {
            return Ok(own);
        }
        let folder = self.folder.path().join("seed");
        builtin::write(&folder)?;
        Ok(folder)
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Starts the demo side as soon as a deck has something live in it or somebody works at the seat, and keeps it running.
pub(super) async fn run(
    plan: Plan,
    always: bool,
    decks: Vec<LiveDeck>,
    seat: Option<Arc<Seat>>,
    demo: watch::Sender<Demo>,
    stop: CancellationToken,
) -> Result<(), std::io::Error> {
    if !always {
        let live = decks.into_iter().map(|deck| Box::pin(until_live(deck)));
        let at_work = async {
            match &seat {
                Some(seat) => seat.until_wanted().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = futures::future::select_all(live) => {}
            () = at_work => {}
        }
    }
    keep(plan, demo, stop).await;
    Ok(())
}

/// The place at the workshop that lies beside the decks, in their sandbox; none without a workshop that can be run.
pub(super) fn seat(root: &Path, runs: bool, console: Console) -> Option<Arc<Seat>> {
    let folder = root.join("workshop");
    if !folder.is_dir() || !load::is_workshop(&folder) {
        return None;
    }
    match load::folder(&folder) {
        Ok(loaded) if !loaded.is_broken() => {
            let agreement = if runs { Agreement::Asked } else { Agreement::Never };
            Some(Seat::beside_decks(Arc::new(loaded.workshop), agreement))
        }
        _ => {
            console.say("  The workshop beside the decks has mistakes and is not shown: `foredeck workshop list`.");
            None
        }
    }
}

/// Waits until a deck has a panel or a fence to run.
async fn until_live(mut deck: LiveDeck) {
    loop {
        let live = deck.cell.borrow_and_update().as_ref().is_some_and(|compiled| is_live(compiled.source.text()));
        if live {
            return;
        }
        if deck.cell.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn is_live(text: &str) -> bool {
    text.contains("```panel ") || text.contains("\"panel: ") || text.contains("{run")
}
