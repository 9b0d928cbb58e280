//! A workshop for many: one address, one process, a sandbox for each learner.
//!
//! ```text
//! cookie ─→ front ─→ Place ─ wake ─→ Live: the learner's own App, sandbox and terminals
//!             └──→ join, trainer
//! ```
//!
//! A learner's requests reach a server that has only their sandbox: nothing in it could lead to somebody else's.

mod front;
mod join;
mod kept;
mod place;
mod trainer;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::role::Token;
use super::state::App;
use super::{Config, Error, listen, listen_on};
use crate::cluster::folder::Folder;
use crate::panel::terminal::Confine;
use crate::workshop::Workshop;
use crate::workshop::room::pace::Pace;
use crate::workshop::room::roster::{Refusal, Roster};
use crate::workshop::store;
use place::Place;

/// Sandboxes that are started at a time.
const STARTS: usize = 4;
/// Wrong codes of one address: at once, and a second after that.
const GUESSES: (u32, f64) = (20, 0.2);
/// Addresses with wrong codes that are remembered.
const GUESSERS: usize = 10_000;

/// How many, for how long, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Learners at most.
    pub max: usize,
    /// A sandbox whose learner does nothing for so long is put away.
    pub idle: Duration,
    /// Whether learners get a shell on this machine.
    pub terminals: bool,
}

/// How to hold a workshop for many.
pub struct RoomConfig {
    /// The address, the names it answers to, the title.
    pub server: Config,
    /// The steps.
    pub workshop: Arc<Workshop>,
    /// Where everything is kept.
    pub folder: Folder,
    /// The files that repositories begin with.
    pub seed: PathBuf,
    /// This program.
    pub program: PathBuf,
    /// The user's `PATH`.
    pub path: Option<OsString>,
    /// The user's home, whose kubeconfig is never written.
    pub home: Option<PathBuf>,
    /// The rules.
    pub rules: Rules,
}

/// What all places stand on.
pub(super) struct Ground {
    /// What answers what is the same for all.
    base: Arc<App>,
    workshop: Arc<Workshop>,
    folder: Folder,
    seed: PathBuf,
    program: PathBuf,
    path: Option<OsString>,
    home: Option<PathBuf>,
    shell: Option<OsString>,
    /// Whether a learner's shell is kept to their own files.
    confines: bool,
    rules: Rules,
    bound: SocketAddr,
    /// How programs on this machine reach the server.
    address: String,
    starts: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Ground {
    fn folder_of(&self, id: &str) -> Folder {
        self.folder.below("learners").below(id)
    }

    /// The folder of the step files, for `foredeck workshop` in learners' terminals.
    fn steps(&self) -> PathBuf {
        self.folder.path().join("steps")
    }

    /// What a shell in a folder reaches, where this system can keep that up.
    fn confine(&self, own: &Path) -> Option<Confine> {
        let folders = self.path.as_deref().into_iter().flat_map(std::env::split_paths);
        Confine::new(own, self.folder.path(), folders.chain([self.program.clone(), self.steps()]).collect())
    }

    /// What learners' shells can reach, for the trainer.
    fn shells(&self) -> &'static str {
        match (self.rules.terminals, self.confines) {
            (false, _) => "Learners have no terminals; buttons run what the steps say.",
            (true, true) => "Each learner's terminal reaches their own files and the system's programs only.",
            (true, false) => {
                "Learners' terminals can read each other's files, and yours: this system has no means to keep them apart."
            }
        }
    }
}

/// Everybody who takes part, and their places.
pub struct Room {
    ground: Arc<Ground>,
    roster: Mutex<Roster>,
    places: Mutex<Vec<Arc<Place>>>,
    guesses: Mutex<std::collections::HashMap<std::net::IpAddr, Pace>>,
    /// What the trainer has to know about the room itself.
    problem: Mutex<Option<String>>,
    /// What the trainer asked for, one thing at a time for each learner.
    errands: TaskTracker,
}

/// Why somebody cannot join.
#[derive(Debug)]
pub enum NotJoined {
    /// What they asked for cannot be had.
    Refused(Refusal),
    /// This machine cannot.
    Failed(String),
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    /// Somebody new, and the token that is theirs.
    ///
    /// # Errors
    /// When there is no room, the pseudonym cannot be had, or the disk takes nothing.
    pub fn join(&self, wish: &str) -> Result<Token, NotJoined> {
        let failed = |error: String| NotJoined::Failed(error);
        let token = Token::random().map_err(|error| failed(error.to_string()))?;
        let mut number = [0; 4];
        getrandom::fill(&mut number).map_err(|error| failed(error.to_string()))?;
        let mut roster = lock(&self.roster);
        let mut next = roster.clone();
        let most = self.ground.rules.max;
        let number = u32::from_ne_bytes(number);
        let joined = next.join(wish, number, token.reveal().to_owned(), most, place::now_ms());
        let learner = joined.map_err(NotJoined::Refused)?.clone();
        // What somebody left here whom nobody knows any more is not theirs.
        let folder = self.ground.folder_of(&learner.id);
        match std::fs::remove_dir_all(folder.path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error.to_string())),
            _ => {}
        }
        self.keep(&next).map_err(failed)?;
        *roster = next;
        let place = Place::new(&learner, &self.ground).ok_or_else(|| failed("the token is broken".to_owned()))?;
        lock(&self.places).push(Arc::new(place));
        Ok(token)
    }

    /// A new link for a learner who lost theirs; the old one is worth nothing any more.
    fn renew(&self, place: &Place) -> Result<Token, String> {
        let token = Token::random().map_err(|error| error.to_string())?;
        let mut roster = lock(&self.roster);
        let mut next = roster.clone();
        let learner = next.learners.iter_mut().find(|learner| learner.id == place.id);
        learner.ok_or("there is no such learner")?.token = token.reveal().to_owned();
        self.keep(&next)?;
        *roster = next;
        *place.token.lock().unwrap_or_else(PoisonError::into_inner) = token.clone();
        Ok(token)
    }

    /// Writes down who takes part; the trainer is told when that is not possible.
    fn keep(&self, roster: &Roster) -> Result<(), String> {
        let kept = store::replace(&kept::file(self.ground.folder.path()), roster);
        let kept = kept.map_err(|error| format!("nothing can be written to the room's folder: {error}"));
        *lock(&self.problem) = kept.as_ref().err().cloned();
        kept
    }

    fn places(&self) -> Vec<Arc<Place>> {
        lock(&self.places).clone()
    }

    fn place(&self, id: &str) -> Option<Arc<Place>> {
        lock(&self.places).iter().find(|place| place.id == id).cloned()
    }

    /// The place whose token this is. All are compared, so that the time tells nothing.
    fn place_of(&self, given: &str) -> Option<Arc<Place>> {
        let places = lock(&self.places);
        places.iter().filter(|place| lock(&place.token).matches(given)).fold(None, |_, place| Some(place.clone()))
    }

    /// Whether an address may try another code.
    fn may_guess(&self, address: std::net::IpAddr) -> bool {
        let now = place::now_ms();
        let mut guesses = lock(&self.guesses);
        if guesses.len() >= GUESSERS {
            guesses.retain(|_, pace| !pace.is_full(now));
        }
        let full = guesses.len() >= GUESSERS && !guesses.contains_key(&address);
        !full && guesses.entry(address).or_insert_with(|| Pace::new(GUESSES.0, GUESSES.1, now)).take(now)
    }

    /// Puts sandboxes away whose learners do nothing, until stopped; then all of them.
    async fn tend(self: Arc<Self>) {
        let idle = self.ground.rules.idle;
        let every = (idle / 4).clamp(Duration::from_millis(50), Duration::from_secs(30));
        loop {
            tokio::select! {
                () = self.ground.stop.cancelled() => break,
                () = tokio::time::sleep(every) => {}
            }
            let idle = self.places().into_iter().filter(|place| place.is_idle(idle));
            futures::future::join_all(idle.map(|place| async move {
                tracing::info!(learner.id = place.id, "a sandbox is put away");
                place.put_away().await;
            }))
            .await;
        }
        self.errands.close();
        self.errands.wait().await;
        let places = self.places();
        futures::future::join_all(places.iter().map(|place| place.put_away())).await;
    }
}

/// Writes the step files for learners to read; those of another workshop go.
fn write_steps(folder: &Path, workshop: &Workshop) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(folder)?,
    }
    workshop
        .steps
        .iter()
        .try_for_each(|step| std::fs::write(folder.join(format!("{}.md", step.id)), step.source.text()))
}

/// A room that has its address but answers only once it is [served](RoomServer::serve).
pub struct RoomServer {
    listener: TcpListener,
    room: Arc<Room>,
    note: Option<String>,
}

impl RoomServer {
    /// Takes the address, and finds who took part before. Everything ends with `stop`.
    ///
    /// # Errors
    /// When the address or the folder cannot be had.
    pub async fn bind(config: RoomConfig, stop: CancellationToken) -> Result<Self, Error> {
        let root = tokio::fs::canonicalize(&config.server.root).await;
        let root = root.map_err(|source| Error::Root { path: config.server.root.clone(), source })?;
        let listener = listen_on(SocketAddr::new(config.server.host, config.server.port))?;
        let bound = listener.local_addr().unwrap_or(SocketAddr::new(config.server.host, config.server.port));
        let base = Arc::new(super::app(&config.server, root, bound, None)?);
        let file = kept::file(config.folder.path());
        let (roster, note) = kept::read(&file, &config.workshop.name).map_err(Error::Random)?;
        let local = if bound.ip().is_unspecified() { std::net::Ipv4Addr::LOCALHOST.into() } else { bound.ip() };
        let mut ground = Ground {
            base,
            workshop: config.workshop,
            folder: config.folder,
            seed: config.seed,
            program: config.program,
            path: config.path,
            home: config.home,
            shell: config.server.shell,
            confines: false,
            rules: config.rules,
            bound,
            address: format!("http://{}", SocketAddr::new(local, bound.port())),
            starts: Arc::new(Semaphore::new(STARTS)),
            stop,
        };
        ground.confines = ground.confine(&ground.folder.path().join("learners")).is_some();
        write_steps(&ground.steps(), &ground.workshop)
            .map_err(|source| Error::Root { path: ground.steps(), source })?;
        let ground = Arc::new(ground);
        let places = roster.learners.iter().filter_map(|learner| Place::new(learner, &ground)).map(Arc::new);
        let places = Mutex::new(places.collect());
        let room = Arc::new(Room {
            places,
            ground,
            roster: Mutex::new(roster),
            guesses: Mutex::default(),
            problem: Mutex::new(note.clone()),
            errands: TaskTracker::new(),
        });
        let kept = room.keep(&lock(&room.roster).clone());
        let note = note.or(kept.err());
        lock(&room.problem).clone_from(&note);
        Ok(Self { listener, room, note })
    }

    /// What learners' shells can reach, for people.
    pub fn shells(&self) -> &'static str {
        self.room.ground.shells()
    }

    /// What the trainer has to be told about the room that was kept.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// How many took part before.
    pub fn learners(&self) -> usize {
        self.room.places().len()
    }

    /// The address for learners, for everybody in the room.
    pub fn join_link(&self) -> String {
        let base = self.room.ground.base.urls.audience.trim_end_matches("/a").to_owned();
        format!("{base}/join?c={}", lock(&self.room.roster).code)
    }

    /// The trainer's address, for them alone.
    pub fn trainer_link(&self) -> String {
        let base = self.room.ground.base.urls.index.trim_end_matches('/').to_owned();
        format!("{base}/trainer?t={}", lock(&self.room.roster).trainer)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.room.ground.bound
    }

    /// Everybody who takes part.
    pub fn room(&self) -> Arc<Room> {
        self.room.clone()
    }

    /// Answers until stopped; then puts all sandboxes away.
    pub async fn serve(self) {
        let ground = self.room.ground.clone();
        let tasks = TaskTracker::new();
        super::work(&ground.base, &tasks, &ground.stop);
        tasks.spawn(self.room.clone().tend());
        let router = front::router(self.room);
        listen::accept(self.listener, router, ground.base.clone(), tasks.clone(), ground.stop.clone()).await;
        tasks.close();
        tasks.wait().await;
    }
}
