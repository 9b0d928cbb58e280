//! The presentation server: bind, serve, stop.
//!
//! ```text
//! DeckFeed (project) ─→ ShownDeck ─→ pages, slides.json      made once per version, shared
//!                           │
//! POST /api/v1/control ─→ Stage ─→ Hub: two Boards ─→ /events   one frame for all windows
//!                                   (speaker, audience)
//! ```

pub mod address;
pub mod desk;
pub mod document;
pub mod error;
pub mod feed;
pub mod guard;
pub mod hub;
pub mod listen;
pub mod live;
pub mod metrics;
pub mod panels;
pub mod record;
pub mod replay;
pub mod role;
pub mod room;
pub mod router;
pub mod routes;
pub mod state;
pub mod store;

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use address::{Urls, qr_text};
pub use error::Error;
pub use feed::DeckFeed;
pub use state::Limits;

use crate::diagnostic::report;
use crate::panel::terminal::Guest;
use crate::project::{Compiled, files};
use crate::render::notes;
use crate::render::template::Templates;
use crate::runbook::trusted::Trusted;
use crate::sandbox::keep::Demo;
use crate::workshop::seat::Seat;
use desk::Desk;
use feed::ShownDeck;
use guard::HostPolicy;
use hub::Hub;
use live::Stage;
use panels::Panels;
use role::{Token, Tokens};
use state::App;

/// Where the server listens unless told otherwise.
pub const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// See [`HOST`].
pub const PORT: u16 = 3939;
/// Connections that may wait to be accepted: a room opens the address at once.
const BACKLOG: u32 = 4096;

/// How to serve.
pub struct Config {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// The project's folder: nothing outside is served.
    pub root: PathBuf,
    /// The decks, in the order of the index.
    pub decks: Vec<DeckFeed>,
    /// Title of the index.
    pub title: String,
    /// Host names allowed besides `localhost` and the address.
    pub allow_hosts: Vec<String>,
    /// How the audience reaches the server when not by its address: `https://talk.example`.
    pub public_url: Option<String>,
    /// Where the talk's state is kept.
    pub state_file: Option<PathBuf>,
    /// Whether to go on where the state file says.
    pub resume: bool,
    /// HTML that shows a deck's errors.
    pub overlay: fn(&Compiled) -> Option<String>,
    /// A presenter note as HTML.
    pub notes_html: fn(&str) -> String,
    /// Milliseconds since 1970.
    pub clock: fn() -> u64,
    /// How much to take on.
    pub limits: Limits,
    /// The live system behind the slides.
    pub demo: watch::Receiver<Demo>,
    /// The commands that somebody agreed to.
    pub trusted: Trusted,
    /// Nothing is ever run.
    pub safe: bool,
    /// The user's shell, for terminals.
    pub shell: Option<OsString>,
    /// The workshop, when there is one.
    pub workshop: Option<Arc<Seat>>,
    /// How this run is recorded, when it is.
    pub record: Option<record::Plan>,
    /// The runs that are shown in the place of the live system.
    pub replay: replay::Plan,
    /// The pseudonym of the one learner whose sandbox this is, among many.
    pub learner: Option<String>,
    /// Who types in terminals, when it is not the user.
    pub guest: Option<Guest>,
}

impl Config {
    /// The default: `127.0.0.1:3939`, nothing kept.
    pub fn new(root: impl Into<PathBuf>, decks: Vec<DeckFeed>) -> Self {
        Self {
            host: HOST,
            port: PORT,
            root: root.into(),
            decks,
            title: "foredeck".to_owned(),
            allow_hosts: Vec::new(),
            public_url: None,
            state_file: None,
            resume: false,
            overlay: problems,
            notes_html: notes::html,
            clock: wall_clock,
            limits: Limits::default(),
            demo: watch::channel(Demo::Off).1,
            trusted: Trusted::default(),
            safe: false,
            shell: None,
            workshop: None,
            record: None,
            replay: replay::Plan::default(),
            learner: None,
            guest: None,
        }
    }
}

/// A server that has its address but answers only once it is [served](Server::serve).
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
    feeds: Vec<DeckFeed>,
    state_file: Option<PathBuf>,
    reel: Option<record::Reel>,
}

impl Server {
    /// Takes the address. Clients can connect from now on; no deck has to be compiled for that.
    ///
    /// # Errors
    /// When the address cannot be had, or the folder cannot be opened.
    pub async fn bind(config: Config) -> Result<Self, Error> {
        let root = tokio::fs::canonicalize(&config.root).await;
        let root = root.map_err(|source| Error::Root { path: config.root.clone(), source })?;
        let listener = listen_on(SocketAddr::new(config.host, config.port))?;
        let bound = listener.local_addr().unwrap_or(SocketAddr::new(config.host, config.port));
        let earlier = match config.state_file.as_deref().filter(|_| config.resume) {
            Some(path) => store::read(path).await,
            None => None,
        };
        let (tape, reel) = config.record.clone().map(|plan| record::tape(plan, (config.clock)())).unzip();
        let app = Arc::new(App { tape, ..app(&config, root, bound, earlier)? });
        Ok(Self { listener, app, feeds: config.decks, state_file: config.state_file, reel })
    }

    /// The addresses to print.
    pub fn urls(&self) -> &Urls {
        &self.app.urls
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.app.hosts.address, self.app.tokens.port)
    }

    /// What the handlers share, to look into while the server runs.
    pub fn app(&self) -> Arc<App> {
        self.app.clone()
    }

    /// Answers until stopped; then ends every stream with a goodbye, lets open requests finish for
    /// a few seconds, and leaves no task behind.
    pub async fn serve(self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        for (index, feed) in self.feeds.into_iter().enumerate() {
            tasks.spawn(self.app.clone().follow(index, feed, stop.clone()));
        }
        if let Some(path) = self.state_file {
            let (saved, tokens) = (self.app.hub.saved(), self.app.tokens.clone());
            tasks.spawn(store::keep(path, saved, tokens, stop.clone()));
        }
        work(&self.app, &tasks, &stop);
        if self.app.replay.is_there() {
            tasks.spawn(replay::watch(self.app.clone(), stop.clone()));
            tasks.spawn(replay::play(self.app.clone(), stop.clone()));
        }
        if let Some((reel, tape)) = self.reel.zip(self.app.tape.clone()) {
            tasks.spawn(record::run(self.app.clone(), tape, reel, stop.clone()));
        }
        let router = router::router(self.app.clone());
        listen::accept(self.listener, router, self.app, tasks.clone(), stop).await;
        tasks.close();
        tasks.wait().await;
    }
}

/// Does what an app needs beside its answers, until stopped.
fn work(app: &Arc<App>, tasks: &TaskTracker, stop: &CancellationToken) {
    let (hub, stopping) = (app.clone(), stop.clone());
    tasks.spawn(async move { hub.hub.run(stopping).await });
    tasks.spawn(desk::tell(app.clone(), stop.clone()));
    tasks.spawn(panels::run(app.clone(), stop.clone()));
}

/// The errors of a deck as HTML, when there are any.
fn problems(compiled: &Compiled) -> Option<String> {
    Some(report::overlay(&compiled.diagnostics, &compiled.source)).filter(|html| !html.is_empty())
}

/// Milliseconds since 1970; 0 for a clock that is set before that.
fn wall_clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

fn listen_on(address: SocketAddr) -> Result<TcpListener, Error> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let listening = socket.and_then(|socket| {
        // A restarted server takes its port back at once. Windows means something else by this.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    });
    listening.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortInUse { port: address.port() },
        _ => Error::Listen { address, source },
    })
}

fn app(config: &Config, root: PathBuf, bound: SocketAddr, earlier: Option<store::Earlier>) -> Result<App, Error> {
    let started_ms = (config.clock)();
    let slugs: Vec<String> = config.decks.iter().map(|feed| feed.slug.clone()).collect();
    let mut stage = Stage::new(&slugs, started_ms);
    let (presenter, remote) = match earlier {
        Some(earlier) => {
            stage.resume(&earlier.live);
            (earlier.presenter, earlier.remote)
        }
        None => (Token::random().map_err(Error::Random)?, Token::random().map_err(Error::Random)?),
    };
    let tokens = Tokens { presenter, remote, port: bound.port() };
    let secrets = vec![tokens.presenter.reveal().to_owned(), tokens.remote.reveal().to_owned()];
    let mut names = config.allow_hosts.clone();
    let public = config.public_url.as_deref().and_then(|url| url.parse::<axum::http::Uri>().ok());
    names.extend(public.and_then(|uri| uri.host().map(str::to_owned)));
    let own = root.clone();
    Ok(App {
        panels: Panels::new(slugs.len(), config.demo.clone(), secrets.clone()),
        templates: Templates::new(move |name| files::own_template(&own, name)),
        decks: config.decks.iter().map(ShownDeck::new).collect(),
        hub: Hub::new(slugs, stage),
        urls: Urls::new(bound, config.public_url.as_deref(), &tokens),
        tokens,
        hosts: HostPolicy { address: bound.ip(), names },
        metrics: metrics::Metrics::default(),
        root,
        title: config.title.clone(),
        assets: routes::asset::Assets::default(),
        streams: state::Streams::default(),
        limits: config.limits,
        demo: config.demo.clone(),
        desk: Desk::new(config, secrets),
        replay: replay::Replay::new(config.replay.clone()),
        tape: None,
        workshop: config.workshop.clone(),
        learner: config.learner.clone(),
        overlay: config.overlay,
        notes_html: config.notes_html,
        clock: config.clock,
        started_ms,
    })
}
