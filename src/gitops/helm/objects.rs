//! Objects of a revision: made, waited for, run as hooks.

use std::time::Duration;

use serde_json::Value;

use super::deploy::ANTECEDENT;
use super::pass::{Pass, is_going};
use super::wish::Wish;
use crate::cluster::object::{set, text};
use crate::gitops::health::{Health, health};
use crate::helm::Rendered;
use crate::helm::manifest::Hook;
use crate::helm::record::Record;

/// How often objects that are waited for are looked at.
const LOOK: Duration = Duration::from_millis(200);

impl Pass {
    /// Makes objects, and takes those away that only the revision before had.
    pub(super) async fn make(&self, wish: &Wish, objects: &[Value], before: Option<&Record>) -> Result<(), String> {
        for object in objects {
            let mut object = object.clone();
            set(&mut object, &["metadata", "labels", "app.kubernetes.io/managed-by"], "Helm");
            set(&mut object, &["metadata", "annotations", "meta.helm.sh/release-name"], wish.release.as_str());
            set(&mut object, &["metadata", "annotations", "meta.helm.sh/release-namespace"], wish.namespace.as_str());
            set(&mut object, &["metadata", "annotations", ANTECEDENT], self.id());
            self.hands.apply(&object, &wish.namespace).await?;
            if self.stop.is_cancelled() {
                return Err("the controller ends".to_owned());
            }
        }
        let is_there = |old: &Value| objects.iter().any(|object| same_object(object, old));
        for old in before.map(self::objects).unwrap_or_default() {
            let keeps = text(&old, &["metadata", "annotations", "helm.sh/resource-policy"]) == "keep";
            if !is_there(&old) && !keeps {
                self.hands.delete(&old, &wish.namespace).await?;
            }
        }
        Ok(())
    }

    /// Waits until objects are ready, as long as the release may take.
    pub(super) async fn wait(&self, wish: &Wish, objects: &[Value]) -> Result<(), String> {
        let began = self.clock.now();
        loop {
            let mut missing = None;
            for object in objects {
                let live = self.hands.live(object, &wish.namespace).await?;
                let name = format!("{} {}", text(object, &["kind"]), text(object, &["metadata", "name"]));
                match live.as_ref().map(health) {
                    Some(Health::Current) => {}
                    Some(Health::Failed(why)) => return Err(format!("{name}: {why}")),
                    Some(Health::InProgress(why)) => missing = Some(format!("{name}: {why}")),
                    other => missing = Some(format!("{name}: {other:?}")),
                }
            }
            let Some(missing) = missing else { return Ok(()) };
            let waited = Duration::try_from(self.clock.now().duration_since(began)).unwrap_or_default();
            if waited >= wish.timeout {
                return Err(format!("timed out waiting for the condition: {missing}"));
            }
            if self.look().await?.is_none_or(|release| is_going(&release)) {
                return Err("the release is being deleted".to_owned());
            }
            tokio::select! {
                () = self.stop.cancelled() => return Err("the controller ends".to_owned()),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Runs the hooks of a moment, one after the other.
    pub(super) async fn hooks(&self, wish: &Wish, rendered: &Rendered, event: &str) -> Result<(), String> {
        let mut all: Vec<&Hook> = rendered.hooks.iter().filter(|hook| hook.is_for(event)).collect();
        all.sort_by_key(|hook| (hook.weight, text(&hook.made.object, &["metadata", "name"]).to_owned()));
        for hook in all {
            let object = &hook.made.object;
            let policy = text(object, &["metadata", "annotations", "helm.sh/hook-delete-policy"]);
            if policy.is_empty() || policy.contains("before-hook-creation") {
                self.hands.delete(object, &wish.namespace).await?;
            }
            self.hands.apply(object, &wish.namespace).await.map_err(|why| format!("failed {event}: {why}"))?;
            let mut done = Ok(());
            if matches!(text(object, &["kind"]), "Job" | "Pod") {
                done =
                    self.wait(wish, std::slice::from_ref(object)).await.map_err(|why| format!("failed {event}: {why}"));
            }
            if policy.contains(if done.is_ok() { "hook-succeeded" } else { "hook-failed" }) {
                self.hands.delete(object, &wish.namespace).await?;
            }
            done?;
        }
        Ok(())
    }
}

/// The objects of a revision.
pub(super) fn objects(record: &Record) -> Vec<Value> {
    crate::cluster::yaml::documents(record.manifest()).into_iter().flatten().filter(Value::is_object).collect()
}

fn same_object(a: &Value, b: &Value) -> bool {
    text(a, &["kind"]) == text(b, &["kind"])
        && text(a, &["metadata", "name"]) == text(b, &["metadata", "name"])
        && text(a, &["metadata", "namespace"]) == text(b, &["metadata", "namespace"])
}
