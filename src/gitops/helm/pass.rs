//! One pass over a HelmRelease: look, decide, act, say what came of it. What is acted with is in the files beside it.

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::chart::Sources;
use super::controller::Revisions;
use super::hands::Hands;
use super::prepare::{Ready, title};
use super::status::Phase;
use super::wish::{Generation, Wish};
use crate::cluster::clock::Clock;
use crate::cluster::object::{Key, int, list, text};
use crate::gitops::helm_release::{Step, next_step};
use crate::helm::record::Record;

/// What a pass needs.
#[derive(Clone)]
pub(super) struct Pass {
    pub(super) hands: Hands,
    pub(super) sources: Arc<Sources>,
    pub(super) clock: Clock,
    pub(super) stop: CancellationToken,
    pub(super) generation: Generation,
    pub(super) key: Key,
    pub(super) revisions: Revisions,
}

impl Pass {
    /// Does what is to be done; true when it should be looked at again soon.
    pub(super) async fn run(&self) -> Result<bool, String> {
        let Some(release) = self.look().await? else { return Ok(false) };
        let wish = Wish::read(&release);
        let history = self.history(&wish).await?;
        if is_going(&release) {
            self.uninstall(&wish, &history).await?;
            self.let_go(&release).await?;
            return Ok(false);
        }
        if wish.suspended {
            return Ok(false);
        }
        self.hold(&release).await?;
        let ready = match self.prepare(&wish, &history).await {
            Ok(ready) => ready,
            Err((phase, why)) => {
                let message = match phase {
                    Phase::ChartFetchFailed => format!("chart fetch failed: {why}"),
                    _ => format!(
                        "synchronization of release '{}' in namespace '{}' failed: {why}",
                        wish.release, wish.namespace
                    ),
                };
                self.say(&release, &wish, history.last(), phase, &message).await?;
                if phase != Phase::ChartFetchFailed {
                    self.say(&release, &wish, history.last(), Phase::Failed, &message).await?;
                }
                self.event(&release, false, "FailedReleaseSync", &message).await;
                return Ok(true);
            }
        };
        let step = next_step(&self.seen(&release, &wish, &history, &ready).await?);
        self.carry_out(&release, &wish, &history, &ready, step).await
    }

    pub(super) async fn look(&self) -> Result<Option<Value>, String> {
        self.hands.get(self.generation.api_version(), "HelmRelease", &self.key).await
    }

    /// All revisions, oldest first.
    pub(super) async fn history(&self, wish: &Wish) -> Result<Vec<Record>, String> {
        let labels = format!("owner=helm,name={}", wish.release);
        let secrets = self.hands.list("Secret", &wish.namespace, &labels).await?;
        let mut all: Vec<Record> = secrets.iter().filter_map(Record::of).collect();
        all.sort_by_key(Record::revision);
        let revision = all.last().map_or(0, Record::revision);
        let mut revisions = self.revisions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        revisions.insert((self.generation, self.key.clone()), revision);
        drop(revisions);
        Ok(all)
    }

    async fn carry_out(
        &self,
        release: &Value,
        wish: &Wish,
        history: &[Record],
        ready: &Ready,
        step: Step,
    ) -> Result<bool, String> {
        let (name, namespace) = (&wish.release, &wish.namespace);
        match step {
            Step::Skip | Step::DryRun | Step::Done => {
                if !is_told(release, self.generation) {
                    self.succeeded(release, wish, history.last()).await?;
                }
                Ok(false)
            }
            Step::Refuse(why) => {
                let message = format!("synchronization of release '{name}' in namespace '{namespace}' failed: {why}");
                self.say(release, wish, history.last(), Phase::Failed, &message).await?;
                self.event(release, false, "FailedReleaseSync", &message).await;
                Ok(true)
            }
            step => {
                self.say(
                    release,
                    wish,
                    history.last(),
                    Phase::ChartFetched,
                    &format!("chart fetched: {}, rendered by {}", title(&ready.chart), ready.renderer),
                )
                .await?;
                self.admit(release, wish).await;
                let upgrade = step == Step::Upgrade;
                let phase = if upgrade { Phase::Upgrading } else { Phase::Installing };
                let doing = if upgrade { "upgrade" } else { "installation" };
                self.say(
                    release,
                    wish,
                    history.last(),
                    phase,
                    &format!("{doing} of release '{name}' in namespace '{namespace}' is running"),
                )
                .await?;
                match self.deploy(wish, history, ready, upgrade).await {
                    Ok(record) => {
                        self.say(
                            release,
                            wish,
                            Some(&record),
                            Phase::Deployed,
                            &format!(
                                "installation or upgrade succeeded for release '{name}' in namespace '{namespace}'"
                            ),
                        )
                        .await?;
                        self.succeeded(release, wish, Some(&record)).await?;
                        Ok(false)
                    }
                    Err(why) if self.stop.is_cancelled() => Err(why),
                    Err(why) => self.failed(release, wish, history, upgrade, &why).await,
                }
            }
        }
    }

    /// What the release asks for and is not done is said, once for each of its revisions.
    async fn admit(&self, release: &Value, wish: &Wish) {
        if !wish.unheeded.is_empty() {
            let message = format!("not acted on here: {}", wish.unheeded.join(", "));
            self.event(release, false, "NotSupported", &message).await;
        }
    }

    async fn succeeded(&self, release: &Value, wish: &Wish, record: Option<&Record>) -> Result<(), String> {
        let (name, namespace) = (&wish.release, &wish.namespace);
        let message = match (self.generation, record) {
            (Generation::Toolkit, Some(record)) => format!(
                "Helm {} succeeded for release {namespace}/{name}.v{} with chart {}@{}",
                if record.revision() > 1 { "upgrade" } else { "install" },
                record.revision(),
                record.chart(),
                record.chart_version()
            ),
            _ => format!("Release was successful for Helm release '{name}' in '{namespace}'."),
        };
        self.say(release, wish, record, Phase::Succeeded, &message).await?;
        let told = match self.generation {
            Generation::Operator => format!("managed release '{name}' in namespace '{namespace}' synchronized"),
            Generation::Toolkit => message,
        };
        let reason = match (self.generation, record.is_some_and(|record| record.revision() > 1)) {
            (Generation::Operator, _) => "ReleaseSynced",
            (Generation::Toolkit, true) => "UpgradeSucceeded",
            (Generation::Toolkit, false) => "InstallSucceeded",
        };
        self.event(release, true, reason, &told).await;
        Ok(())
    }

    /// After a failure: an installation is taken away, an upgrade taken back if that is wanted.
    async fn failed(
        &self,
        release: &Value,
        wish: &Wish,
        history: &[Record],
        upgrade: bool,
        why: &str,
    ) -> Result<bool, String> {
        let message =
            format!("synchronization of release '{}' in namespace '{}' failed: {why}", wish.release, wish.namespace);
        self.event(release, false, "FailedReleaseSync", &message).await;
        self.say(release, wish, history.last(), Phase::DeployFailed, &message).await?;
        let now = self.history(wish).await?;
        let step = if upgrade { Step::Upgrade } else { Step::Install };
        let good = history.iter().rev().find(|record| record.status() == "deployed");
        match wish.care.follow(&step, false, good.is_some(), now.len() > history.len()) {
            Step::Uninstall => {
                self.uninstall(wish, &now).await?;
                self.say(release, wish, None, Phase::Failed, &message).await?;
                Ok(true)
            }
            Step::RollBack => {
                let Some(good) = good else { return Ok(true) };
                self.say(release, wish, now.last(), Phase::RollingBack, &format!("rolling back: {why}")).await?;
                let back = self.roll_back(wish, &now, good).await;
                let (phase, record, said) = match back {
                    Ok(record) => {
                        (Phase::RolledBack, record, format!("rolled back to revision {}: {why}", good.revision()))
                    }
                    Err(error) => (Phase::RollbackFailed, good.clone(), format!("roll back failed: {error}")),
                };
                self.say(release, wish, Some(&record), phase, &said).await?;
                self.event(release, false, "FailedReleaseSync", &said).await;
                Ok(wish.care.retry)
            }
            _ => {
                self.say(release, wish, now.last(), Phase::Failed, &message).await?;
                Ok(false)
            }
        }
    }

    /// Which HelmRelease this is, as objects name it.
    pub(super) fn id(&self) -> String {
        format!("{}:helmrelease/{}", self.key.namespace, self.key.name)
    }

    pub(super) fn stamp(&self) -> String {
        self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

pub(super) fn is_going(release: &Value) -> bool {
    !text(release, &["metadata", "deletionTimestamp"]).is_empty()
}

/// Whether the status says already that all is well with this generation.
fn is_told(release: &Value, generation: Generation) -> bool {
    let name = if generation == Generation::Operator { "Released" } else { "Ready" };
    let fine = |it: &Value| text(it, &["type"]) == name && text(it, &["status"]) == "True";
    let bad = |it: &Value| text(it, &["type"]) == "RolledBack" && text(it, &["status"]) == "True";
    let all = list(release, &["status", "conditions"]);
    int(release, &["status", "observedGeneration"]) == int(release, &["metadata", "generation"])
        && (all.iter().any(fine) || all.iter().any(bad))
}
