//! What fluxctl and the daemon say to each other, in Flux's JSON.

mod images;
mod results;
mod update;
mod workloads;

use serde_json::{Value, json};

use super::output::{ApiError, ApiErrorKind};

pub use images::images;
pub use results::{results, results_json};
pub use update::{Containers, Images, Update};
pub use workloads::workloads;

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Others come first.
    Queued,
    /// It is being done.
    Running,
    /// It could not be done.
    Failed(String),
    /// It is done.
    Succeeded(Done),
}

/// What a job came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The commit; empty when there is none.
    pub revision: String,
    /// What became of every workload.
    pub results: crate::gitops::release::Results,
    /// What there is to say besides.
    pub notes: Vec<String>,
}

impl Job {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let (word, error, done) = match self {
            Self::Queued => ("queued", "", None),
            Self::Running => ("running", "", None),
            Self::Failed(error) => ("failed", error.as_str(), None),
            Self::Succeeded(done) => ("succeeded", "", Some(done)),
        };
        let result = match done {
            Some(done) => {
                json!({"revision": done.revision, "result": results_json(&done.results), "notes": done.notes})
            }
            None => json!({"result": null}),
        };
        json!({"Result": result, "Err": error, "StatusString": word})
    }

    /// From JSON.
    pub fn of(value: &Value) -> Option<Self> {
        Some(match text(value, "StatusString") {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "failed" => Self::Failed(text(value, "Err").to_owned()),
            "succeeded" => {
                let result = value.get("Result")?;
                Self::Succeeded(Done {
                    revision: text(result, "revision").to_owned(),
                    results: results(result.get("result").unwrap_or(&Value::Null))?,
                    notes: texts(result, "notes"),
                })
            }
            _ => return None,
        })
    }
}

/// The repository and its key, as the daemon has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitConfig {
    /// The address.
    pub url: String,
    /// The branch.
    pub branch: String,
    /// How far the repository is, in one word.
    pub status: String,
    /// What is wrong with it.
    pub error: String,
    /// The public key; empty when there is none.
    pub key: String,
    /// Its MD5 fingerprint.
    pub fingerprint: String,
    /// A picture of it.
    pub picture: String,
}

impl GitConfig {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "remote": {"url": self.url, "branch": self.branch},
            "publicSSHKey": {
                "key": self.key,
                "fingerprints": {"md5": {"hash": self.fingerprint, "randomart": self.picture}},
            },
            "status": self.status,
            "errors": self.error,
        })
    }

    /// From JSON.
    pub fn of(value: &Value) -> Option<Self> {
        let remote = value.get("remote")?;
        let key = value.get("publicSSHKey").unwrap_or(&Value::Null);
        let print = key.pointer("/fingerprints/md5").unwrap_or(&Value::Null);
        Some(Self {
            url: text(remote, "url").to_owned(),
            branch: text(remote, "branch").to_owned(),
            status: text(value, "status").to_owned(),
            error: text(value, "errors").to_owned(),
            key: text(key, "key").to_owned(),
            fingerprint: text(print, "hash").to_owned(),
            picture: text(print, "randomart").to_owned(),
        })
    }
}

impl ApiError {
    /// An error in the daemon's JSON.
    pub fn of(value: &Value) -> Option<Self> {
        let kind = match text(value, "type") {
            "missing" => ApiErrorKind::Missing,
            "user" => ApiErrorKind::User,
            "server" => ApiErrorKind::Server,
            _ => return None,
        };
        Some(Self { kind, help: text(value, "help").to_owned(), error: text(value, "error").to_owned() })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
