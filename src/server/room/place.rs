//! The place of one learner: their sandbox and server while they are here, their folder while they are away.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Ground, kept};
use crate::cluster::api::Limits as Quota;
use crate::cluster::embedded;
use crate::cluster::folder::Folder;
use crate::gitops::schedule::Intervals;
use crate::panel::terminal::Guest;
use crate::sandbox::keep::{Demo, keep};
use crate::sandbox::{self, ClusterPlan, RepositoryPlan, repository};
use crate::server::role::{Role, Token};
use crate::server::state::App;
use crate::server::{Config, Error, router, work};
use crate::workshop::progress::Progress;
use crate::workshop::room::board::{self, Presence, Row};
use crate::workshop::room::pace::Pace;
use crate::workshop::room::roster::Learner;
use crate::workshop::seat::{Seat, Setting};
use crate::workshop::session::{self, Session};
use crate::workshop::store;

/// The demo repository's name in addresses, its branch, and the folder of it that is applied.
const REPOSITORY: &str = "demo";
const BRANCH: &str = "main";
const APPLIED: &str = "deploy";
/// What one learner may fill: far more than the steps need, far less than would hurt the others.
const QUOTA: Quota = Quota { objects: 5_000, bytes: 32 << 20 };
/// Windows of one learner.
const STREAMS: usize = 24;
/// Requests of one learner: at once, and a second after that.
const REQUESTS: (u32, f64) = (300, 40.0);
/// Messages of the trainer that are remembered.
const NOTES: usize = 20;
/// How long a sandbox is waited for.
const START: Duration = Duration::from_secs(90);

/// A message of the trainer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) number: u64,
    pub(super) html: String,
    pub(super) at: u64,
}

/// The place of one learner.
pub(super) struct Place {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) token: Mutex<Token>,
    pub(super) notes: watch::Sender<Vec<Note>>,
    folder: Folder,
    /// Held while a sandbox is put away, so that the next one waits.
    live: tokio::sync::Mutex<Option<Arc<Live>>>,
    /// The same to look at.
    shown: Mutex<Option<Arc<Live>>>,
    seen: AtomicU64,
    pace: Mutex<Pace>,
    progress: Mutex<Progress>,
}

/// A sandbox that works, and the server of its learner alone.
pub(super) struct Live {
    pub(super) router: Router,
    /// By which that server knows its learner; nobody else ever has it.
    pub(super) cookie: HeaderValue,
    /// What has to be known to use the repository.
    pub(super) push: Token,
    pub(super) seat: Arc<Seat>,
    app: Arc<App>,
    demo: watch::Receiver<Demo>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(0)
}

impl Place {
    /// A place whose learner is away; `None` when the token cannot be one.
    pub(super) fn new(learner: &Learner, ground: &Ground) -> Option<Self> {
        let file = session::file(ground.folder_of(&learner.id).path(), &learner.id);
        Some(Self {
            id: learner.id.clone(),
            name: learner.name.clone(),
            token: Mutex::new(Token::known(&learner.token)?),
            notes: watch::Sender::new(kept::notes(ground.folder_of(&learner.id).path())),
            folder: ground.folder_of(&learner.id),
            live: tokio::sync::Mutex::new(None),
            shown: Mutex::new(None),
            seen: AtomicU64::new(0),
            pace: Mutex::new(Pace::new(REQUESTS.0, REQUESTS.1, now_ms())),
            progress: Mutex::new(kept::peek(&file, &ground.workshop.name)),
        })
    }

    /// Whether the learner may ask for one more thing.
    pub(super) fn may_ask(&self) -> bool {
        lock(&self.pace).take(now_ms())
    }

    /// The sandbox, if it is not put away.
    pub(super) fn live(&self) -> Option<Arc<Live>> {
        lock(&self.shown).clone()
    }

    /// The sandbox, brought back when it was put away. It may still be starting.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub(super) async fn wake(&self, ground: &Arc<Ground>) -> Result<Arc<Live>, Error> {
        self.seen.store(now_ms(), Ordering::Relaxed);
        let mut live = self.live.lock().await;
        if let Some(live) = &*live {
            return Ok(live.clone());
        }
        let started = Arc::new(Live::start(self, ground)?);
        *live = Some(started.clone());
        *lock(&self.shown) = Some(started.clone());
        Ok(started)
    }

    /// Whether the learner did nothing for so long.
    pub(super) fn is_idle(&self, after: Duration) -> bool {
        let since = now_ms().saturating_sub(self.seen.load(Ordering::Relaxed));
        self.live().is_some() && u128::from(since) > after.as_millis()
    }

    /// Ends the sandbox; what is in its folder stays. Whoever comes back meanwhile waits until that is done.
    pub(super) async fn put_away(&self) {
        let mut live = self.live.lock().await;
        let Some(ended) = live.take() else { return };
        if let Some(session) = ended.seat.session() {
            *lock(&self.progress) = session.progress().borrow().clone();
        }
        ended.end().await;
        *lock(&self.shown) = None;
    }

    /// The session, as soon as the sandbox works.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub(super) async fn session(&self, ground: &Arc<Ground>) -> Result<Arc<Session>, String> {
        let live = self.wake(ground).await.map_err(|error| error.to_string())?;
        let mut sessions = live.seat.sessions();
        let found = tokio::time::timeout(START, sessions.wait_for(Option::is_some)).await;
        let found = found.map_err(|_| "the sandbox does not start in time".to_owned())?;
        found.ok().and_then(|found| found.clone()).ok_or_else(|| "the sandbox has ended".to_owned())
    }

    /// Says something to the learner.
    pub(super) fn tell(&self, html: String) {
        self.notes.send_modify(|notes| {
            // Numbers grow over restarts, too: a window knows by them what it has shown.
            let number = notes.last().map_or(0, |note| note.number + 1).max(now_ms());
            notes.push(Note { number, html, at: now_ms() });
            let old = notes.len().saturating_sub(NOTES);
            notes.drain(..old);
        });
        let file = kept::notes_file(self.folder.path());
        let kept = self.folder.make().map_err(std::io::Error::other);
        if let Err(error) = kept.and_then(|()| store::replace(&file, &*self.notes.borrow())) {
            tracing::warn!(%error, learner.id = self.id, "a message cannot be kept for later");
        }
    }

    /// How the learner is doing, for the trainer.
    pub(super) fn row(&self, ground: &Ground) -> Row {
        let live = self.live();
        let session = live.as_ref().and_then(|live| live.seat.session());
        let failed = live.as_ref().and_then(|live| match &*live.demo.borrow() {
            Demo::Failed(why) => Some(why.clone()),
            _ => None,
        });
        let presence = match (&live, &session, &failed) {
            (None, ..) => Presence::Away,
            (_, Some(_), _) => Presence::Here,
            (_, _, Some(_)) => Presence::Failed,
            _ => Presence::Starting,
        };
        let progress = match &session {
            Some(session) => session.progress().borrow().clone(),
            None => lock(&self.progress).clone(),
        };
        let problem = failed.or_else(|| session.and_then(|session| session.problem()));
        board::row((&self.id, &self.name), presence, &ground.workshop, &progress, problem)
    }
}

impl Live {
    fn start(place: &Place, ground: &Arc<Ground>) -> Result<Self, Error> {
        let push = Token::random().map_err(Error::Random)?;
        let folder = ground.folder_of(&place.id);
        let setting = Setting {
            switch: Some(APPLIED.to_owned()),
            file: Some(session::file(folder.path(), &place.id)),
            token: Token::random().map_err(Error::Random)?.reveal().to_owned(),
        };
        let seat = Seat::new(ground.workshop.clone(), setting);
        let (sender, demo) = watch::channel(Demo::Starting);
        let mut config = Config::new(&ground.base.root, Vec::new());
        (config.demo, config.workshop) = (demo.clone(), Some(seat.clone()));
        (config.safe, config.shell) = (!ground.rules.terminals, ground.shell.clone());
        config.learner = Some(place.name.clone());
        config.guest = Some(guest(place, ground, seat.token()));
        config.title.clone_from(&ground.base.title);
        config.limits = crate::server::Limits { streams_per_address: STREAMS, ..ground.base.limits };
        config.allow_hosts.clone_from(&ground.base.hosts.names);
        let app = Arc::new(crate::server::app(&config, ground.base.root.clone(), ground.bound, None)?);
        let cookie = app.tokens.cookie(Role::Presenter);
        let cookie = cookie.and_then(|set| HeaderValue::from_str(set.to_str().ok()?.split(';').next()?).ok());
        let cookie = cookie.unwrap_or(HeaderValue::from_static(""));
        let (stop, tasks) = (ground.stop.child_token(), TaskTracker::new());
        work(&app, &tasks, &stop);
        tasks.spawn(seat.clone().run(demo.clone(), stop.clone()));
        let plan = plan(&place.id, ground, folder, &push);
        tasks.spawn(in_turn(plan, sender, stop.clone(), ground.starts.clone()));
        tracing::info!(learner.id = place.id, "a sandbox is started");
        Ok(Self { router: router::router(app.clone()), cookie, push, seat, app, demo, stop, tasks })
    }

    async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // Those who still listen are told to come again.
        self.app.desk.terminals.only_in(None);
    }
}

/// What a learner's shell finds and reaches.
fn guest(place: &Place, ground: &Ground, token: &str) -> Guest {
    // For its owner alone; what keeps it from being made is said by the sandbox.
    let _ = place.folder.make();
    let own = place.folder.path();
    let (home, scratch) = (own.join("home"), own.join("tmp"));
    for folder in [&home, &scratch] {
        if let Err(error) = std::fs::create_dir_all(folder) {
            tracing::warn!(%error, folder = %folder.display(), "a learner's folder cannot be made");
        }
    }
    let address = format!("{}/l/{}", ground.address, place.id);
    let mail = format!("{}@learner.example", place.id);
    let mut variables: Vec<(String, OsString)> = vec![
        ("HOME".to_owned(), home.into()),
        ("FOREDECK_PROMPT".to_owned(), "$ ".into()),
        ("TMPDIR".to_owned(), scratch.into()),
        ("FOREDECK_WORKSHOP".to_owned(), ground.steps().into()),
        ("FOREDECK_WORKSHOP_URL".to_owned(), address.into()),
        ("FOREDECK_WORKSHOP_TOKEN".to_owned(), token.into()),
    ];
    for role in ["AUTHOR", "COMMITTER"] {
        variables.push((format!("GIT_{role}_NAME"), OsString::from(&place.name)));
        variables.push((format!("GIT_{role}_EMAIL"), OsString::from(&mail)));
    }
    Guest { variables, confine: ground.confine(own) }
}

fn plan(id: &str, ground: &Ground, folder: Folder, push: &Token) -> sandbox::Plan {
    let cluster =
        embedded::Config { folder: Some(folder.path().join("cluster")), limits: QUOTA, ..embedded::Config::default() };
    sandbox::Plan {
        cluster: ClusterPlan::Embedded(Box::new(cluster)),
        repository: RepositoryPlan::Demo(repository::Plan {
            name: REPOSITORY.to_owned(),
            branch: BRANCH.to_owned(),
            seed: Some(ground.seed.clone()),
            base: format!("{}/git/{id}", ground.address),
            token: push.reveal().to_owned(),
            time: i64::try_from(now_ms() / 1000).unwrap_or(0),
        }),
        paths: vec![APPLIED.to_owned()],
        read_only: false,
        intervals: Intervals::default(),
        folder,
        home: ground.home.clone(),
        program: PathBuf::clone(&ground.program),
        path: ground.path.clone(),
        server: format!("{}/l/{id}", ground.address),
        fresh: false,
    }
}

/// Keeps a sandbox, but starts it only when it is its turn: a room that comes at once is let in a few at a time.
async fn in_turn(plan: sandbox::Plan, sender: watch::Sender<Demo>, stop: CancellationToken, starts: Arc<Semaphore>) {
    let turn = tokio::select! {
        turn = starts.acquire_owned() => turn,
        () = stop.cancelled() => return,
    };
    let mut demo = sender.subscribe();
    let done = async move {
        let _ = demo.wait_for(|demo| matches!(demo, Demo::Ready(_) | Demo::Failed(_))).await;
        drop(turn);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = keep(plan, sender, stop) => {}
        () = done => {}
    }
}
