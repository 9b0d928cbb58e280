//! What a sync would do, asked of the cluster without changing it.

use std::sync::Arc;

use futures::FutureExt as _;
use tokio::time::Instant;

use crate::gitops::apply::{Applier, Done};
use crate::gitops::diff::{Difference, shown};
use crate::gitops::finding::{Finding, Place};
use crate::gitops::git::Mirror;
use crate::gitops::observe::observe;
use crate::gitops::plan::{Action, Live, plan};

use super::Engine;

/// What would be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Would {
    /// It would be made.
    Create,
    /// It would be changed.
    Update,
    /// It would be deleted.
    Prune,
    /// It is not in Git, but would stay.
    Keep,
    /// It would be left alone.
    Skip,
    /// The cluster would refuse it.
    Fail,
}

/// What would be done with an object, and why.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// What would be done.
    pub would: Would,
    /// The fields that would change.
    pub fields: Vec<Difference>,
    /// Why.
    pub reason: Option<String>,
    /// Where it is written.
    pub place: Option<Place>,
}

/// What a sync would do; objects that would stay as they are, are left out.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Preview {
    /// The commit.
    pub revision: String,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What is wrong in the commit.
    pub findings: Vec<Finding>,
    /// Why nothing at all would be done.
    pub refused: Option<String>,
    /// How many objects would stay as they are.
    pub unchanged: usize,
}

impl Engine {
    /// What syncing a commit would do; the newest when none is named.
    ///
    /// # Errors
    /// Why that cannot be told, in words.
    pub async fn preview(&mut self, revision: Option<&str>) -> Result<Preview, String> {
        let deadline = Instant::now() + self.settings.sync_limit;
        let mirror: Mirror = self.mirror()?.clone();
        let revision = match revision {
            Some(name) => mirror.resolve(name).await.map_err(|error| error.to_string())?,
            None => self.target.clone(),
        };
        let revision = revision.ok_or("there is no such commit")?;
        let applier = Applier { objects: &self.api, deadline, dry_run: true };
        let kinds = Arc::new(applier.patiently(|| self.api.kinds().boxed()).await.map_err(|error| error.to_string())?);
        let loaded = self.build.load(&mirror, &revision, &kinds).await.map_err(|error| error.to_string())?;
        let look = || observe(&self.api, &kinds, &loaded.manifests, &self.settings.allowed_namespaces).boxed();
        let seen = applier.patiently(look).await.map_err(|error| error.to_string())?;
        let plan = plan(&loaded, &seen.live, &self.tolerated, &self.rules);
        let report = applier.carry_out(&plan, &seen.live, &kinds, &mut |_| {}).await;
        if let Some(why) = report.broken_off {
            return Err(why);
        }
        let mut steps = Vec::new();
        let mut unchanged = 0;
        for change in &plan.changes {
            let fared = report.fared.iter().find(|fared| fared.change.key == change.key && change.is_work());
            let (would, fields, reason) = match (&change.action, fared.map(|fared| &fared.result)) {
                (Action::Unchanged, _) | (_, Some(Ok(Done::Unchanged))) => {
                    unchanged += 1;
                    continue;
                }
                // What needs its namespace or definition first cannot be tried.
                (Action::Create, Some(Err(failed))) if plan_makes_room(&plan, change, &failed.message) => {
                    (Would::Create, Vec::new(), None)
                }
                (_, Some(Err(failed))) => (Would::Fail, Vec::new(), Some(failed.message.clone())),
                (Action::Create, _) => (Would::Create, Vec::new(), None),
                (Action::Update { fields, .. }, result) => {
                    let fields = if let Some(Ok(Done::Configured { changed })) = result { changed } else { fields };
                    (Would::Update, shown(&change.key.kind.kind, fields), None)
                }
                (Action::Prune, _) => (Would::Prune, Vec::new(), Some("is not in Git any more".to_owned())),
                (Action::Keep(keep), _) => (Would::Keep, Vec::new(), Some(keep.reason())),
                (Action::Skip(skip), _) => (Would::Skip, Vec::new(), Some(skip.reason())),
            };
            steps.push(Step { id: change.id.to_string(), would, fields, reason, place: change.place.clone() });
        }
        let (findings, refused) = (loaded.findings.clone(), loaded.refused.clone());
        Ok(Preview { revision, steps, findings, refused, unchanged })
    }

    /// The objects of the cluster that a sync would look at; for those who compare for themselves.
    ///
    /// # Errors
    /// Why they cannot be read, in words.
    pub async fn live(&self) -> Result<Live, String> {
        let kinds = self.kinds.clone().unwrap_or_default();
        let seen = observe(&self.api, &kinds, self.manifests(), &self.settings.allowed_namespaces).await;
        seen.map(|seen| seen.live).map_err(|error| error.to_string())
    }
}

/// Whether an object fails only because the same plan makes its namespace.
fn plan_makes_room(plan: &crate::gitops::plan::Plan, change: &crate::gitops::plan::Change, message: &str) -> bool {
    let namespace = &*change.key.at.namespace;
    message == format!("namespaces \"{namespace}\" not found")
        && plan.changes.iter().any(|other| {
            other.action == Action::Create && other.id.kind == "namespace" && *other.key.at.name == *namespace
        })
}
