//! Revisions: made, made again, taken away; each is kept in a Secret.

use serde_json::Value;

use super::objects::objects;
use super::pass::Pass;
use super::prepare::Ready;
use super::wish::Wish;
use crate::cluster::object::text;
use crate::helm::record::{About, Record};

/// The annotation that says which HelmRelease an object comes from.
pub(super) const ANTECEDENT: &str = "helm.fluxcd.io/antecedent";
/// Later revisions than this are not compared for.
const MOST_HISTORY: usize = 256;

impl Pass {
    /// Makes a new revision.
    pub(super) async fn deploy(
        &self,
        wish: &Wish,
        history: &[Record],
        ready: &Ready,
        upgrade: bool,
    ) -> Result<Record, String> {
        let now = self.stamp();
        let first = history.first().map_or(now.as_str(), Record::first).to_owned();
        let event = if upgrade { "upgrade" } else { "install" };
        let about = About {
            name: &wish.release,
            namespace: &wish.namespace,
            revision: history.last().map_or(0, Record::revision) + 1,
            first: &first,
            now: &now,
            status: &format!("pending-{event}"),
            description: if upgrade { "Preparing upgrade" } else { "Initial install underway" },
        };
        let record = Record::new(&ready.chart, &ready.config, &ready.rendered, &about);
        self.keep(&record).await?;
        let before = history.iter().rev().find(|record| record.status() == "deployed");
        let made = ready.rendered.made.iter().filter(|made| made.object.is_object());
        let objects: Vec<Value> = made.map(|made| made.object.clone()).collect();
        let done = async {
            if !upgrade && !wish.skip_crds {
                for definition in &ready.rendered.crds {
                    self.hands.apply(definition, &wish.namespace).await?;
                }
            }
            self.hooks(wish, &ready.rendered, &format!("pre-{event}")).await?;
            self.make(wish, &objects, before).await?;
            if wish.waits {
                self.wait(wish, &objects).await?;
            }
            self.hooks(wish, &ready.rendered, &format!("post-{event}")).await?;
            if wish.care.test {
                let tested = self.hooks(wish, &ready.rendered, "test").await;
                if !wish.care.ignore_test_failures {
                    tested?;
                }
            }
            Ok::<(), String>(())
        };
        match done.await {
            Ok(()) => {
                let said = if upgrade { "Upgrade complete" } else { "Install complete" };
                let record = record.with_status("deployed", said);
                self.keep(&record).await?;
                if let Some(before) = before {
                    let description = before.clone().with_status("superseded", "Superseded");
                    self.keep(&description).await?;
                }
                self.prune(wish).await?;
                Ok(record)
            }
            Err(why) => {
                self.keep(&record.with_status("failed", &format!("Release {:?} failed: {why}", wish.release))).await?;
                Err(why)
            }
        }
    }

    /// Makes an older revision again, as a new one.
    pub(super) async fn roll_back(&self, wish: &Wish, now: &[Record], good: &Record) -> Result<Record, String> {
        let revision = now.last().map_or(0, Record::revision) + 1;
        let said = format!("Rollback to {}", good.revision());
        let record = good.clone().again(revision, &self.stamp(), &said);
        self.keep(&record).await?;
        let objects = objects(good);
        self.make(wish, &objects, now.last()).await?;
        let record = record.with_status("deployed", &said);
        self.keep(&record).await?;
        self.keep(&good.clone().with_status("superseded", "Superseded")).await?;
        self.prune(wish).await?;
        Ok(record)
    }

    /// Takes everything away, history included.
    pub(super) async fn uninstall(&self, wish: &Wish, history: &[Record]) -> Result<(), String> {
        if let Some(last) = history.last() {
            for object in objects(last).iter().rev() {
                if text(object, &["metadata", "annotations", "helm.sh/resource-policy"]) != "keep" {
                    self.hands.delete(object, &wish.namespace).await?;
                }
            }
        }
        for record in history {
            self.forget(record).await?;
        }
        Ok(())
    }

    async fn keep(&self, record: &Record) -> Result<(), String> {
        let secret = record.secret().map_err(|error| error.to_string())?;
        self.hands.apply(&secret, record.namespace()).await?;
        let mut revisions = self.revisions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = revisions.entry((self.generation, self.key.clone())).or_default();
        *known = record.revision().max(*known);
        Ok(())
    }

    async fn forget(&self, record: &Record) -> Result<(), String> {
        let secret = record.secret().map_err(|error| error.to_string())?;
        self.hands.delete(&secret, record.namespace()).await
    }

    async fn prune(&self, wish: &Wish) -> Result<(), String> {
        let history = self.history(wish).await?;
        let most = if wish.max_history == 0 { MOST_HISTORY } else { wish.max_history };
        for old in history.iter().take(history.len().saturating_sub(most)) {
            if old.status() != "deployed" {
                self.forget(old).await?;
            }
        }
        Ok(())
    }
}
