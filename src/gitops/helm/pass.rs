//! One pass over a HelmRelease: look, decide, act, say what came of it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::chart::{self, Sources};
use super::controller::Revisions;
use super::hands::Hands;
use super::status::Phase;
use super::values;
use super::wish::{Generation, Wish};
use crate::cluster::clock::Clock;
use crate::cluster::object::{Key, int, list, set, text};
use crate::gitops::health::{Health, health};
use crate::gitops::helm_release::{HelmState, Seen, Step, next_step};
use crate::helm::manifest::Hook;
use crate::helm::record::{About, Record};
use crate::helm::{Chart, Release, Rendered, render};

/// The annotation that says which HelmRelease an object comes from.
const ANTECEDENT: &str = "helm.fluxcd.io/antecedent";
/// How often objects that are waited for are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Later revisions than this are not compared for.
const MOST_HISTORY: usize = 256;

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

/// A chart with values, rendered.
struct Ready {
    chart: Chart,
    config: Map<String, Value>,
    rendered: Rendered,
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

    /// The chart, rendered for this release; or the phase that this ends in, and why.
    async fn prepare(&self, wish: &Wish, history: &[Record]) -> Result<Ready, (Phase, String)> {
        let fetch = |why| (Phase::ChartFetchFailed, why);
        let place = wish.chart.as_ref().ok_or_else(|| fetch("the release names no chart".to_owned()))?;
        let chart = chart::fetch(&self.hands, &self.sources, place).await.map_err(fetch)?;
        let failed = |why| (Phase::DeployFailed, why);
        let config = values::gather(&self.hands, wish, &chart).await.map_err(failed)?;
        let capabilities = self.hands.capabilities().await.map_err(failed)?;
        let revision = history.last().map_or(0, Record::revision) + 1;
        let release = Release {
            name: wish.release.clone(),
            namespace: wish.namespace.clone(),
            revision: u64::try_from(revision).unwrap_or(1),
            upgrade: !history.is_empty(),
            now: self.clock.now().as_second(),
        };
        let (hands, runtime) = (self.hands.clone(), tokio::runtime::Handle::current());
        let work = move || {
            // As with helm on a cluster: what is not there is an empty mapping.
            let lookup = |version: &str, kind: &str, namespace: &str, name: &str| {
                let at = Key::new(namespace, name);
                runtime.block_on(hands.get(version, kind, &at)).ok().flatten().unwrap_or_default()
            };
            let rendered = render(&chart, &config, &release, &capabilities, &lookup);
            rendered.map(|rendered| Ready { chart, config, rendered }).map_err(|error| error.to_string())
        };
        let ready = tokio::task::spawn_blocking(work).await;
        ready.map_err(|error| failed(error.to_string()))?.map_err(failed)
    }

    async fn seen(&self, release: &Value, wish: &Wish, history: &[Record], ready: &Ready) -> Result<Seen, String> {
        let deployed = history.iter().rev().find(|record| record.status() == "deployed");
        let last = deployed.or(history.last());
        let mut other_owner = None;
        if last.is_none() {
            // Objects of another HelmRelease are not taken over.
            for made in ready.rendered.made.iter().filter(|made| made.object.is_object()) {
                let live = self.hands.live(&made.object, &wish.namespace).await.unwrap_or_default().unwrap_or_default();
                let owner = text(&live, &["metadata", "annotations", ANTECEDENT]);
                if !owner.is_empty() && owner != self.id() {
                    other_owner = Some(owner.to_owned());
                    break;
                }
            }
        }
        let helm = match (last, &other_owner) {
            (Some(record), _) => Some(HelmState { status: record.status().to_owned(), other_owner: None }),
            (None, Some(_)) => Some(HelmState { status: "deployed".to_owned(), other_owner }),
            (None, None) => None,
        };
        // A first revision that failed was uninstalled: it is begun anew.
        let helm = helm.filter(|helm| helm.status != "failed" && helm.status != "uninstalled");
        let difference = last.map(|record| differs(record, ready, wish));
        let rollbacks = int(release, &["status", "rollbackCount"]).unwrap_or(0);
        let observed = int(release, &["status", "observedGeneration"]);
        Ok(Seen {
            deleted: false,
            helm,
            // Values decide; a generation that changes nothing needs no new revision.
            generation_observed: observed == int(release, &["metadata", "generation"]) || difference == Some(false),
            chart_changed: false,
            rolled_back: rollbacks > 0,
            may_retry: wish.care.may_retry(rollbacks) && difference == Some(true),
            difference: difference
                .map(|differs| differs && !(rollbacks > 0 && observed == int(release, &["metadata", "generation"]))),
        })
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
                    &format!("chart fetched: {}", title(&ready.chart)),
                )
                .await?;
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

    /// Makes a new revision.
    async fn deploy(&self, wish: &Wish, history: &[Record], ready: &Ready, upgrade: bool) -> Result<Record, String> {
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
    async fn roll_back(&self, wish: &Wish, now: &[Record], good: &Record) -> Result<Record, String> {
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

    /// Makes objects, and takes those away that only the revision before had.
    async fn make(&self, wish: &Wish, objects: &[Value], before: Option<&Record>) -> Result<(), String> {
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
        for old in before.map(crate::gitops::helm::pass::objects).unwrap_or_default() {
            let keeps = text(&old, &["metadata", "annotations", "helm.sh/resource-policy"]) == "keep";
            if !is_there(&old) && !keeps {
                self.hands.delete(&old, &wish.namespace).await?;
            }
        }
        Ok(())
    }

    /// Waits until objects are ready, as long as the release may take.
    async fn wait(&self, wish: &Wish, objects: &[Value]) -> Result<(), String> {
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
    async fn hooks(&self, wish: &Wish, rendered: &Rendered, event: &str) -> Result<(), String> {
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

    /// Takes everything away, history included.
    async fn uninstall(&self, wish: &Wish, history: &[Record]) -> Result<(), String> {
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

    fn id(&self) -> String {
        format!("{}:helmrelease/{}", self.key.namespace, self.key.name)
    }

    pub(super) fn stamp(&self) -> String {
        self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

fn is_going(release: &Value) -> bool {
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

fn objects(record: &Record) -> Vec<Value> {
    crate::cluster::yaml::documents(record.manifest()).into_iter().flatten().filter(Value::is_object).collect()
}

fn same_object(a: &Value, b: &Value) -> bool {
    text(a, &["kind"]) == text(b, &["kind"])
        && text(a, &["metadata", "name"]) == text(b, &["metadata", "name"])
        && text(a, &["metadata", "namespace"]) == text(b, &["metadata", "namespace"])
}

/// Whether values or chart are others than those of a revision; what runs in the cluster is not compared.
fn differs(record: &Record, ready: &Ready, wish: &Wish) -> bool {
    let about = About {
        name: &wish.release,
        namespace: &wish.namespace,
        revision: record.revision(),
        first: "",
        now: "",
        status: "",
        description: "",
    };
    let other = Record::new(&ready.chart, &ready.config, &ready.rendered, &about);
    record.config() != ready.config || record.kept_chart() != other.kept_chart()
}

fn title(chart: &Chart) -> String {
    format!("{}-{}", chart.name, chart.version)
}
