//! A registry of container images in this process: what the simulated images are told by, and where new ones are pushed.

mod access;
mod path;
mod push;
mod read;
mod refusal;
mod shelf;
mod store;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use access::{Access, Action};
pub use access::{Limit, Login, Pulls};
use path::{Route, route};
use refusal::{Code, Refusal};
use shelf::Shelf;
use store::Store;

use super::clock::Clock;
use super::sim::driver::SharedImages;
use crate::net::{self, Patience};

/// How many connections it takes at once.
const CONNECTIONS: usize = 256;
const PATIENCE: Patience =
    Patience { head: Duration::from_secs(20), stall: Duration::from_secs(60), buffer: 64 * 1024 };
/// How long a whole request may take; uploads are made on one machine.
const LONGEST: Duration = Duration::from_secs(300);
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// How a registry is to be.
#[derive(Debug, Clone)]
pub struct Config {
    /// The port; 0 for any free one.
    pub port: u16,
    /// Who may pull.
    pub pulls: Pulls,
    /// How many requests are answered; all when none.
    pub limit: Option<Limit>,
}

impl Config {
    /// A registry at a port from which everybody may pull.
    pub fn at(port: u16) -> Self {
        Self { port, pulls: Pulls::Open, limit: None }
    }
}

/// A registry that runs until its cluster stops.
#[derive(Debug)]
pub struct Hosted {
    address: SocketAddr,
    login: Login,
}

impl Hosted {
    /// Starts a registry of these images; its tasks end when `stop` is cancelled.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub(super) async fn start(
        host: IpAddr,
        config: Config,
        login: Login,
        images: SharedImages,
        clock: Clock,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::new(host, config.port)).await?;
        let address = listener.local_addr()?;
        let port = address.port();
        images.change(|images| images.serve_at([address.to_string(), format!("localhost:{port}")]));
        let registry = Arc::new(Registry {
            images,
            clock,
            access: Access::new(config.pulls, login.clone(), config.limit, Instant::now()),
            shelves: Mutex::default(),
            store: Mutex::default(),
        });
        let until = stop.clone();
        let serve = move |stream| {
            let (registry, until) = (registry.clone(), until.clone());
            let answer = move |request| {
                let registry = registry.clone();
                async move { registry.answer(request).await }
            };
            async move { net::serve(stream, PATIENCE, until, answer).await }
        };
        tasks.spawn(net::accept(listener, CONNECTIONS, tasks.clone(), stop.clone(), serve));
        Ok(Self { address, login })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address for clients; as the registry of an image name it is written without `http://`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Who may push.
    pub fn login(&self) -> &Login {
        &self.login
    }
}

/// The registry.
#[derive(Debug)]
struct Registry {
    images: SharedImages,
    clock: Clock,
    access: Access,
    /// By the full names of repositories.
    shelves: Mutex<HashMap<String, Arc<Shelf>>>,
    store: Mutex<Store>,
}

impl Registry {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn full_name(&self, name: &str) -> String {
        let images = self.images.look();
        images.repository(name).map_or_else(|| images.canonical(name), |repository| repository.name.clone())
    }

    /// What is to be told of a repository's images now.
    fn shelf(&self, full: &str) -> Option<Arc<Shelf>> {
        let images = self.images.look();
        let repository = images.repository(full)?;
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf = shelves.entry(repository.name.clone()).or_default();
        if shelf.revision != images.revision() || shelf.is_empty() {
            *shelf = Arc::new(Shelf::of(repository, images.revision(), shelf));
        }
        Some(shelf.clone())
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let done = tokio::time::timeout(LONGEST, self.carry_out(request)).await;
        let late = || Refusal::new(408, Code::Unsupported, "the request took too long");
        let mut response = match done.unwrap_or_else(|_| Err(late())) {
            Ok(response) => response,
            Err(refusal) => refusal.answer(),
        };
        response.headers_mut().insert(VERSION, HeaderValue::from_static("registry/2.0"));
        response
    }

    async fn carry_out(&self, request: Request<Body>) -> Result<Response<Body>, Refusal> {
        let (parts, body) = request.into_parts();
        let (headers, query, now) = (&parts.headers, parts.uri.query().unwrap_or_default(), Instant::now());
        check_host(headers)?;
        let route = route(parts.uri.path())?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let wrong = || Refusal::new(405, Code::Unsupported, "the operation is unsupported");
        if !matches!(route, Route::Token | Route::Version) {
            self.access.count(now)?;
        }
        let (may, is) = (|action| self.access.check(headers, action, now), |method| parts.method == method);
        match &route {
            Route::Token if reads => self.access.token(headers, query, now).map(|told| json(&told)),
            Route::Version if reads => {
                may(Action::Ping)?;
                Ok(json(&serde_json::json!({})))
            }
            Route::Catalog if reads => {
                may(Action::Catalog)?;
                self.catalog(query)
            }
            Route::Tags { name } if reads => {
                may(Action::Pull(name))?;
                self.tags(name, query)
            }
            Route::Manifest { name, reference } if reads => {
                may(Action::Pull(name))?;
                self.manifest(name, reference, headers)
            }
            Route::Manifest { name, reference } if is(Method::PUT) => {
                may(Action::Push(name))?;
                self.put_manifest(name, reference, headers, body).await
            }
            Route::Blob { name, digest } if reads => {
                may(Action::Pull(name))?;
                self.blob(name, digest)
            }
            Route::Uploads { name } if is(Method::POST) => {
                may(Action::Push(name))?;
                self.begin(name, query, body).await
            }
            Route::Upload { name, id }
                if [Method::GET, Method::PATCH, Method::PUT, Method::DELETE].contains(&parts.method) =>
            {
                may(Action::Push(name))?;
                self.upload(name, id, &parts.method, query, headers, body).await
            }
            _ => Err(wrong()),
        }
    }
}

fn json(value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    let media = HeaderValue::from_static("application/json");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, media);
    response
}

/// Only names of this machine lead here: a page in a browser cannot make its own name one.
fn check_host(headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let near = name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if near { Ok(()) } else { Err(Refusal::new(403, Code::Denied, "this registry is for this machine alone")) }
}

#[cfg(test)]
mod tests;
