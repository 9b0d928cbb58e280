//! A Kubernetes-compatible cluster in this process: started in milliseconds, gone when it is dropped.

pub mod gate;
pub mod identity;
pub mod persist;
pub mod pods;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::policy;
use super::api::serve::{Frontend, refused};
use super::api::store::{Journaling, Store};
use super::api::{Api, FIRST_REVISION, LIMITS, Limits};
use super::clock::Clock;
use super::kubeconfig::own::{self, Entry};
use super::registry::{self, Hosted, Login};
use super::sim::driver::{Driver, Haste, Hurry, SharedImages, Simulation};
use crate::net::{self, Patience};
use identity::{Certificate, Token};
use pods::Pods;

/// How many connections a cluster takes at once.
const CONNECTIONS: usize = 4096;
/// How long clients may take.
const PATIENCE: Patience =
    Patience { head: Duration::from_secs(20), stall: Duration::from_secs(60), buffer: 64 * 1024 };
/// How long a client may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why a cluster does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else listens there.
    #[error("port {port} is in use; choose another with `--port`, or any free one with `--port 0`")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// Somebody else listens where the registry is to be.
    #[error("port {port} is in use; choose another for the registry with `--registry`, or any free one with 0")]
    RegistryPortInUse {
        /// The port.
        port: u16,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What the cluster is kept in cannot be used.
    #[error(transparent)]
    Persist(#[from] persist::Error),
    /// What every cluster has from the start cannot be kept.
    #[error("cannot fill the cluster: {0}")]
    Bootstrap(String),
    /// No certificate can be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// The client for this process cannot be made.
    #[error("cannot make a client for the embedded cluster")]
    Client(#[source] Box<kube::Error>),
}

/// How a cluster is to be.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; loopback.
    pub host: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Without encryption and token: for a look with `curl` on a machine of one's own.
    pub plain_http: bool,
    /// The context's name in the kubeconfig.
    pub name: String,
    /// How the simulated parts behave.
    pub simulation: Simulation,
    /// Where the cluster is kept; nowhere when none.
    pub folder: Option<PathBuf>,
    /// How much it may hold.
    pub limits: Limits,
    /// Its time.
    pub clock: Clock,
    /// The registry that serves the images; none when none.
    pub registry: Option<registry::Config>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            plain_http: false,
            name: "foredeck".to_owned(),
            simulation: Simulation::default(),
            folder: None,
            limits: LIMITS,
            clock: Clock::default(),
            registry: None,
        }
    }
}

/// A cluster that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Embedded {
    api: Arc<Api>,
    images: SharedImages,
    haste: Haste,
    registry: Option<Hosted>,
    address: SocketAddr,
    name: String,
    access: Option<(Certificate, Token)>,
    frontend: Arc<Frontend>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Embedded {
    /// Starts a cluster: its address answers when this returns.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let asked = SocketAddr::new(config.host, config.port);
        let listener = TcpListener::bind(asked).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => Error::PortInUse { port: config.port },
            _ => Error::Listen { address: asked, source },
        })?;
        let address = listener.local_addr().unwrap_or(asked);
        let access = if config.plain_http { None } else { Some((identity::certificate()?, Token::random()?)) };
        let (journal, store) = match &config.folder {
            Some(folder) => {
                let (log, store) = persist::Log::open(folder)?;
                (Some(Box::new(log) as Box<dyn Journaling>), store)
            }
            None => (None, Store::starting_at(FIRST_REVISION)),
        };
        let api = Arc::new(Api::of(config.clock, store, journal, config.limits));
        let authority = access.as_ref().map(|(certificate, _)| certificate.authority_pem.clone()).unwrap_or_default();
        let images = config.simulation.images.clone();
        let haste = config.simulation.haste.clone();
        let driver = Driver::new(api.clone(), config.simulation, authority)
            .map_err(|refusal| Error::Bootstrap(refusal.message))?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let registry = match config.registry {
            Some(wanted) => Some(registry(wanted, config.host, &images, api.clock.clone(), &tasks, &stop).await?),
            None => None,
        };
        let pods = Pods::new(api.clone(), images.clone(), stop.clone(), tasks.clone());
        let frontend = Arc::new(Frontend::new(api.clone(), address.to_string(), Arc::new(pods), stop.clone()));
        // Without its controllers or its door it is no cluster: when one of them breaks off, all of it ends.
        let (working, listening) = (stop.clone().drop_guard(), stop.clone().drop_guard());
        let until = stop.clone();
        tasks.spawn(async move {
            let _working = working;
            driver.run(until).await;
        });
        let door = Door { access: access.clone(), frontend: frontend.clone() };
        let until = stop.clone();
        let serve = move |stream| connection(stream, door.clone(), until.clone());
        let accepting = net::accept(listener, CONNECTIONS, tasks.clone(), stop.clone(), serve);
        tasks.spawn(async move {
            let _listening = listening;
            accepting.await;
        });
        tasks.close();
        Ok(Self { api, images, haste, registry, address, name: config.name, access, frontend, stop, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its objects, for those in this process.
    pub fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// The images that its pods run; a demo publishes new ones here.
    pub fn images(&self) -> &SharedImages {
        &self.images
    }

    /// Containers start and stop at once until what this gives is dropped: for what nobody watches.
    pub fn hurry(&self) -> Hurry {
        self.haste.begin()
    }

    /// The registry of those images, if there is one.
    pub fn registry(&self) -> Option<&Hosted> {
        self.registry.as_ref()
    }

    /// The address of that registry.
    pub fn registry_url(&self) -> Option<String> {
        self.registry.as_ref().map(Hosted::url)
    }

    /// How `kubectl` reaches it.
    pub fn url(&self) -> String {
        let scheme = if self.access.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// How it is reached.
    pub fn entry(&self) -> Entry {
        let access = self.access.as_ref();
        Entry {
            name: self.name.clone(),
            server: self.url(),
            authority: access.map(|(certificate, _)| certificate.authority_pem.clone()),
            token: access.map(|(_, token)| token.text().to_owned()),
            namespace: Some("default".to_owned()),
        }
    }

    /// A kubeconfig with everything in it.
    pub fn kubeconfig(&self) -> String {
        own::text(&[self.entry()])
    }

    /// A client that does not go through the network.
    pub fn client(&self) -> kube::Client {
        let frontend = self.frontend.clone();
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let frontend = frontend.clone();
            async move { Ok::<_, Infallible>(frontend.answer(policy::administrator(), request.map(Body::new)).await) }
        });
        kube::Client::new(service, "default")
    }

    /// Waits until it has ended, whether it was stopped or broke.
    pub async fn over(&self) {
        self.stop.cancelled().await;
    }

    /// Ends it: streams end, open requests are answered, no task stays.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
        self.api.close();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop.cancel();
        self.api.close();
    }
}

/// Starts the registry of a cluster.
async fn registry(
    wanted: registry::Config,
    host: IpAddr,
    images: &SharedImages,
    clock: Clock,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Hosted, Error> {
    let port = wanted.port;
    let login = Login { user: "foredeck".to_owned(), password: Token::random()? };
    let started = Hosted::start(host, wanted, login, images.clone(), clock, tasks, stop).await;
    started.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::RegistryPortInUse { port },
        _ => Error::Listen { address: SocketAddr::new(host, port), source },
    })
}

/// What a connection leads to.
#[derive(Debug, Clone)]
struct Door {
    access: Option<(Certificate, Token)>,
    frontend: Arc<Frontend>,
}

impl Door {
    async fn answer(&self, request: Request<Body>) -> axum::response::Response {
        let token = self.access.as_ref().map(|(_, token)| token);
        let bearer = |token: &str| self.frontend.bearer(token);
        match gate::enter(token, request.uri().path(), request.headers(), bearer) {
            Ok(user) => self.frontend.answer(user, request).await,
            Err(refusal) => refused(&refusal),
        }
    }
}

async fn connection(stream: TcpStream, door: Door, stop: CancellationToken) {
    let tls = door.access.as_ref().map(|(certificate, _)| TlsAcceptor::from(certificate.tls.clone()));
    let answer = |request| {
        let door = door.clone();
        async move { door.answer(request).await }
    };
    let Some(tls) = tls else { return net::serve(stream, PATIENCE, stop, answer).await };
    let agreed = tokio::select! {
        () = stop.cancelled() => return,
        agreed = tokio::time::timeout(HANDSHAKE, tls.accept(stream)) => agreed,
    };
    match agreed {
        Ok(Ok(stream)) => net::serve(stream, PATIENCE, stop, answer).await,
        Ok(Err(error)) => tracing::debug!(%error, "a client did not agree on encryption"),
        Err(_) => tracing::debug!("a client took too long to agree on encryption"),
    }
}
