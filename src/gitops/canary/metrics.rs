//! Who measures: a Prometheus, or the counters of the simulated requests.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use super::checks::{Kind, NoValue};
use super::followers::{Backend, Traffic};
use super::http::{Ask, Http};
use super::query;
use super::webhook::words;
use crate::cluster::object::Key;

/// How long a Prometheus may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The canary.
    pub canary: Key,
    /// In which way.
    pub kind: Kind,
    /// The query, ready to be asked.
    pub query: String,
    /// The seconds to look back.
    pub window: f64,
    /// The time.
    pub now: Timestamp,
}

/// Who measures.
pub trait MetricSource: Send + Sync + fmt::Debug {
    /// Whether it can be asked.
    fn online(&self) -> BoxFuture<'_, Result<(), String>>;
    /// A value.
    fn measure(&self, asked: Asked) -> BoxFuture<'_, Result<f64, NoValue>>;
}

/// The requests to all canaries.
#[derive(Debug, Clone, Default)]
pub struct Fleet(Arc<Mutex<HashMap<Key, Traffic>>>);

impl Fleet {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Traffic>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something with the requests to a canary, which start with `new` when there are none yet.
    pub fn with<T>(&self, canary: &Key, new: impl FnOnce() -> Traffic, what: impl FnOnce(&mut Traffic) -> T) -> T {
        what(self.lock().entry(canary.clone()).or_insert_with(new))
    }

    /// The canary is gone.
    pub fn forget(&self, canary: &Key) {
        self.lock().remove(canary);
    }

    /// What a window shows of a version.
    pub fn measure(&self, asked: &Asked, backend: Backend) -> Result<f64, NoValue> {
        let traffic = self.lock().get(&asked.canary).cloned();
        traffic.map_or(Err(NoValue::Empty), |traffic| traffic.measure(backend, asked.kind, asked.window, asked.now))
    }
}

impl MetricSource for Fleet {
    fn online(&self) -> BoxFuture<'_, Result<(), String>> {
        std::future::ready(Ok(())).boxed()
    }

    fn measure(&self, asked: Asked) -> BoxFuture<'_, Result<f64, NoValue>> {
        let builtin = matches!(asked.kind, Kind::SuccessRate | Kind::Duration);
        let value = if builtin {
            Self::measure(self, &asked, Backend::Canary)
        } else {
            let why = "the counters here know request-success-rate and request-duration alone; \
                       name a Prometheus in metricsServer or in a MetricTemplate";
            Err(NoValue::Failed(why.to_owned()))
        };
        std::future::ready(value).boxed()
    }
}

/// A Prometheus.
#[derive(Debug, Clone)]
pub struct Prometheus {
    http: Http,
    address: String,
    authorization: Option<String>,
}

impl Prometheus {
    pub(super) fn new(http: Http, address: &str, authorization: Option<String>) -> Self {
        Self { http, address: address.trim_end_matches('/').to_owned(), authorization }
    }

    async fn ask(&self, query: &str) -> Result<f64, NoValue> {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let ask = Ask {
            method: Method::GET,
            url: format!("{}/api/v1/query?query={query}", self.address),
            body: Vec::new(),
            authorization: self.authorization.clone(),
            limit: PATIENCE,
        };
        let answer = self.http.ask(ask).await;
        let (status, body) = answer.map_err(|why| NoValue::Failed(format!("request failed: {why}")))?;
        if status != StatusCode::OK {
            let words = words(&body, status.as_u16());
            return Err(NoValue::Failed(format!("error response: Status {status}: {words}")));
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        query::sample(&answer)
    }
}

impl MetricSource for Prometheus {
    fn online(&self) -> BoxFuture<'_, Result<(), String>> {
        async {
            match self.ask("vector(1)").await {
                Ok(1.0) => Ok(()),
                Ok(other) => Err(format!("expected 1, got {other}")),
                Err(NoValue::Empty) => Err("no values found".to_owned()),
                Err(NoValue::Failed(why) | NoValue::Template(why)) => Err(why),
            }
        }
        .boxed()
    }

    fn measure(&self, asked: Asked) -> BoxFuture<'_, Result<f64, NoValue>> {
        async move { self.ask(&asked.query).await }.boxed()
    }
}
