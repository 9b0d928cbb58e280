//! Carrying out a plan: in ranks, patiently when the API server is away, one object's failure never another's.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::time::Instant;

use super::api::{Error, Objects};
use super::diff::{Difference, changes, differences, is_builtin};
use super::health::{Health, health};
use super::kinds::{Kinds, Lookup, Served, defined_by};
use super::object::Manifest;
use super::plan::{Action, Change, Live, Plan, rank};
use crate::cluster::object::text;

/// How many objects are applied at the same time.
const AT_ONCE: usize = 8;
/// How long definitions may take to be established.
const ESTABLISHED: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What was done with an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// It was made.
    Created,
    /// It was changed.
    Configured {
        /// The fields, as they were (`found`) and as they are (`wanted`).
        changed: Vec<Difference>,
    },
    /// It was as wanted, but for how the cluster writes it.
    Unchanged,
    /// It was deleted.
    Deleted,
}

/// Why nothing was done with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The API server's words.
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
}

/// How an object fared.
#[derive(Debug, Clone, PartialEq)]
pub struct Fared {
    /// What was to be done.
    pub change: Change,
    /// What was done.
    pub result: Result<Done, Failed>,
    /// The object afterwards.
    pub object: Option<Value>,
    /// Fields that the cluster writes in another way than Git, whatever is applied.
    pub tolerated: Vec<Difference>,
}

/// How a plan was carried out.
#[derive(Debug, Default)]
pub struct Report {
    /// All objects that something was to be done with, as far as it went.
    pub fared: Vec<Fared>,
    /// Why it was broken off: the rest has not been tried.
    pub broken_off: Option<String>,
    /// The kinds of the cluster, when they are more than before.
    pub kinds: Option<Kinds>,
}

impl Report {
    /// The objects with which nothing could be done.
    pub fn failed(&self) -> impl Iterator<Item = (&Change, &Failed)> {
        self.fared.iter().filter_map(|fared| fared.result.as_ref().err().map(|failed| (&fared.change, failed)))
    }
}

/// Carries out plans.
#[derive(Debug)]
pub struct Applier<'a> {
    /// The cluster's objects.
    pub objects: &'a Objects,
    /// When it has to be over.
    pub deadline: Instant,
    /// Nothing is really done.
    pub dry_run: bool,
}

impl Applier<'_> {
    /// Carries out a plan; `tell` hears of every object that is done with.
    pub async fn carry_out(
        &self,
        plan: &Plan,
        live: &Live,
        kinds: &Kinds,
        tell: &mut (dyn FnMut(&Fared) + Send),
    ) -> Report {
        let mut report = Report::default();
        let work: Vec<&Change> = plan.changes.iter().filter(|change| change.is_work()).collect();
        for group in work.chunk_by(|one, other| step(one) == step(other)) {
            let known = report.kinds.as_ref().unwrap_or(kinds).clone();
            let all: Vec<BoxFuture<'_, _>> =
                group.iter().map(|change| self.one(change, live, &known).boxed()).collect();
            let mut running = stream::iter(all).buffer_unordered(AT_ONCE);
            let mut away = None;
            while let Some(fared) = running.next().await {
                match fared {
                    Ok(fared) => {
                        tell(&fared);
                        report.fared.push(fared);
                    }
                    Err(error) => away = Some(error.to_string()),
                }
            }
            drop(running);
            if let Some(error) = away {
                report.broken_off = Some(error);
                return report;
            }
            if !self.dry_run
                && let Some(kinds) = self.settle_definitions(group, &report, &known).await
            {
                report.kinds = Some(kinds);
            }
        }
        report
    }

    /// Does what is to be done with one object.
    ///
    /// # Errors
    /// When the API server stays away.
    async fn one(&self, change: &Change, live: &Live, kinds: &Kinds) -> Result<Fared, Error> {
        let found = live.get(&change.key).map(|object| &**object);
        let done = match (&change.action, &change.manifest) {
            (Action::Prune, _) => self.delete(change, found, kinds).await,
            (_, Some(manifest)) => self.apply(manifest, found, kinds).await,
            (_, None) => return Ok(fared(change, Ok(Done::Unchanged), None)),
        };
        match done {
            Ok((done, object)) => Ok(fared(change, Ok(done), object)),
            Err(error) if error.is_passing() => Err(error),
            Err(error) => {
                let message = error.to_string();
                let hint = hint(&message).map(str::to_owned);
                Ok(fared(change, Err(Failed { message, hint }), None))
            }
        }
    }

    async fn apply(
        &self,
        manifest: &Manifest,
        found: Option<&Value>,
        kinds: &Kinds,
    ) -> Result<(Done, Option<Value>), Error> {
        let served = served(manifest, kinds)?;
        let ask = || self.objects.apply(served, &manifest.key.at, &manifest.object, self.dry_run).boxed();
        let after = self.patiently(ask).await?;
        let Some(before) = found else { return Ok((Done::Created, Some(after))) };
        let version = |object: &Value| text(object, &["metadata", "resourceVersion"]).to_owned();
        let changed = changes(before, &after);
        if changed.is_empty() && (self.dry_run || version(before) == version(&after)) {
            return Ok((Done::Unchanged, Some(after)));
        }
        Ok((Done::Configured { changed }, Some(after)))
    }

    async fn delete(
        &self,
        change: &Change,
        found: Option<&Value>,
        kinds: &Kinds,
    ) -> Result<(Done, Option<Value>), Error> {
        let (Some(found), Some(served)) = (found, kinds.preferred(&change.key.kind)) else {
            return Ok((Done::Deleted, None));
        };
        self.patiently(|| self.objects.delete(served, found, self.dry_run).boxed()).await?;
        Ok((Done::Deleted, None))
    }

    /// Asks again while the API server is away, as long as there is time.
    ///
    /// # Errors
    /// When it says no, or stays away for too long.
    pub async fn patiently<'f, T>(&self, ask: impl Fn() -> BoxFuture<'f, Result<T, Error>> + Send) -> Result<T, Error> {
        let mut wait = FIRST_WAIT;
        loop {
            let answer = tokio::time::timeout_at(self.deadline, ask()).await;
            match answer {
                Ok(Err(error)) if error.is_passing() && Instant::now() + wait < self.deadline => {
                    tracing::debug!(%error, "asking the API server again");
                }
                Ok(answer) => return answer,
                Err(_) => return Err(Error::Away("the time of this sync is over".to_owned())),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Waits until definitions that were just applied are established; gives the cluster's kinds then.
    async fn settle_definitions(&self, group: &[&Change], report: &Report, kinds: &Kinds) -> Option<Kinds> {
        let applied: HashSet<_> =
            report.fared.iter().filter(|fared| fared.result.is_ok()).map(|fared| &fared.change.key).collect();
        let made = group.iter().filter(|change| applied.contains(&change.key)).filter_map(|c| c.manifest.as_ref());
        let definitions: Vec<_> = made.filter(|manifest| defined_by(&manifest.object).is_some()).collect();
        if definitions.is_empty() {
            return None;
        }
        let until = (Instant::now() + ESTABLISHED).min(self.deadline);
        for manifest in &definitions {
            let Ok(served) = served(manifest, kinds) else { continue };
            let mut wait = Duration::from_millis(5);
            loop {
                let found = self.objects.get(served, &manifest.key.at).await;
                let settled = matches!(&found, Ok(Some(object)) if !matches!(health(object), Health::InProgress(_)));
                if settled || Instant::now() >= until {
                    break;
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_millis(200));
            }
        }
        // Discovery may follow a moment later.
        loop {
            let found = self.objects.kinds().await.ok();
            let all = found.as_ref().is_some_and(|found| definitions.iter().all(|manifest| knows(found, manifest)));
            if all || Instant::now() >= until {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Whether all versions that a definition serves are there.
fn knows(kinds: &Kinds, definition: &Manifest) -> bool {
    defined_by(&definition.object).is_none_or(|(kind, _)| kinds.preferred(&kind).is_some())
}

fn fared(change: &Change, result: Result<Done, Failed>, object: Option<Value>) -> Fared {
    let tolerated = match (&object, &change.manifest) {
        (Some(object), Some(manifest)) => differences(&manifest.object, object),
        _ => Vec::new(),
    };
    Fared { change: change.clone(), result, object, tolerated }
}

/// What is done at the same time: objects of a rank.
fn step(change: &Change) -> (bool, usize) {
    let builtin = is_builtin(&change.key.kind.group);
    (change.action == Action::Prune, if builtin { rank(&change.id.kind) } else { usize::MAX })
}

/// The kind of a manifest as it is served.
pub fn served<'a>(manifest: &Manifest, kinds: &'a Kinds) -> Result<&'a Served, Error> {
    match kinds.look_up(&manifest.api_version, &manifest.key.kind.kind) {
        Lookup::Served(served) => Ok(served),
        _ => {
            let (version, kind) = (&manifest.api_version, &manifest.key.kind.kind);
            let message = format!("the cluster does not serve {kind} of {version} yet");
            Err(Error::Refused { code: 404, reason: "NotFound".to_owned(), message })
        }
    }
}

/// What may help against a refusal, by its words.
fn hint(message: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 9] = [
        ("field is immutable", "this field cannot be changed; delete the object, and it is made again"),
        ("may not change once set", "this field cannot be changed; delete the object, and it is made again"),
        ("updates to statefulset spec for fields other than", "delete the stateful set, and it is made again"),
        ("being terminated", "its namespace is just being deleted; it is made again afterwards"),
        ("does not serve", "its definition is not established yet; it is tried again"),
        ("field not declared in schema", "a field is misspelt or in the wrong place"),
        ("unknown field", "a field is misspelt or in the wrong place"),
        ("exceeded quota", "raise the quota, or ask for less"),
        ("failed calling webhook", "a webhook of the cluster is away"),
    ];
    if message.starts_with("namespaces \"") && message.ends_with("not found") {
        return Some("add the namespace to the repository");
    }
    HINTS.iter().find(|(words, _)| message.contains(words)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_come_with_advice() {
        let cases = [
            ("namespaces \"demo\" not found", Some("add the namespace to the repository")),
            (
                "spec.selector: Invalid value: x: field is immutable",
                Some("this field cannot be changed; delete the object, and it is made again"),
            ),
            (
                "strict decoding error: unknown field \"spec.replica\"",
                Some("a field is misspelt or in the wrong place"),
            ),
            ("something else", None),
        ];
        for (message, expected) in cases {
            assert_eq!(hint(message), expected, "{message}");
        }
    }
}
