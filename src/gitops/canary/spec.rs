//! A Canary as its author wrote it, in either API version, with the defaults filled in.

use std::time::Duration;

use serde_json::Value;

use super::alert::{Rule, Severity};
use super::go;
use super::status::Status;
use crate::cluster::object::{Key, at, flag, int, list, text};

/// How many hooks and metrics of a Canary are looked at.
const MOST: usize = 100;
/// Numbers beyond this make no sense, and are taken for this.
const LARGEST: i64 = 1_000_000_000;

/// A whole number of a size that makes sense.
pub(super) fn sound(number: i64) -> i64 {
    number.clamp(-LARGEST, LARGEST)
}
/// The finalizer of canaries that undo everything when they are deleted, in the form that API servers ask for; and
/// Flagger's own, which has no path.
pub const FINALIZERS: [&str; 2] = ["flagger.app/finalizer", "finalizer.flagger.app"];

/// A Canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Canary {
    /// Namespace and name.
    pub key: Key,
    /// Its uid.
    pub uid: String,
    /// Which version of the spec it is.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether our finalizer is on it.
    pub held: bool,
    /// What is wanted.
    pub spec: Spec,
    /// How far it is.
    pub status: Status,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Who moves the traffic; the controller's own choice when none.
    pub provider: Option<String>,
    /// The Prometheus to ask; the controller's own when none.
    pub metrics_server: Option<String>,
    /// What is released.
    pub target: Reference,
    /// What scales it.
    pub autoscaler: Option<Reference>,
    /// The autoscaler's bounds for the primary.
    pub scaler_replicas: Option<Value>,
    /// The `service` block as written.
    pub service: Value,
    /// Seconds that a workload may be unavailable.
    pub progress_deadline: i64,
    /// Promote at once.
    pub skip_analysis: bool,
    /// Do nothing.
    pub suspend: bool,
    /// Undo everything on deletion.
    pub revert_on_deletion: bool,
    /// How it is judged.
    pub analysis: Analysis,
}

/// Another object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// Its API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Reference {
    fn read(value: &Value) -> Self {
        let word = |name: &str| text(value, &[name]).to_owned();
        Self { api_version: word("apiVersion"), kind: word("kind"), name: word("name") }
    }
}

/// How a release is judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Analysis {
    /// The time between two checks, as written.
    pub interval: String,
    /// How many failed checks end it; at least 1.
    pub threshold: i64,
    /// The most weight, 0 for unset.
    pub max_weight: i64,
    /// By how much the weight grows, 0 for unset.
    pub step_weight: i64,
    /// The weights one after the other.
    pub step_weights: Vec<i64>,
    /// By how much it moves back after promotion, 0 for at once.
    pub step_weight_promotion: i64,
    /// How many checks before traffic moves at once, 0 for a weighted release.
    pub iterations: i64,
    /// Send copies of requests first.
    pub mirror: bool,
    /// Percent of the primary's pods that have to be available.
    pub primary_ready: i64,
    /// Percent of the target's pods that have to be available.
    pub canary_ready: i64,
    /// What is measured.
    pub metrics: Vec<Metric>,
    /// Who is asked.
    pub webhooks: Vec<Webhook>,
    /// Who hears of it.
    pub alerts: Vec<Rule>,
    /// Which requests reach the canary in an A/B test.
    pub matches: Vec<Value>,
}

/// Something to measure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metric {
    /// `request-success-rate`, `request-duration`, or a name of the author's.
    pub name: String,
    /// The window.
    pub interval: String,
    /// The older form of the bound.
    pub threshold: f64,
    /// The bounds: least and most; none when not given.
    pub range: Option<(Option<f64>, Option<f64>)>,
    /// A query of its own.
    pub query: String,
    /// Namespace (or empty) and name of a template.
    pub template: Option<(String, String)>,
    /// Values for the template.
    pub variables: Vec<(String, String)>,
}

/// When a hook is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookType {
    /// Before the first pod of a revision.
    ConfirmRollout,
    /// Before the first step.
    PreRollout,
    /// At every check.
    Rollout,
    /// Before each step.
    ConfirmTrafficIncrease,
    /// Before promotion.
    ConfirmPromotion,
    /// Whether to go back.
    Rollback,
    /// When all is over.
    PostRollout,
    /// For every event.
    Event,
    /// None that is known: it is never asked.
    Unknown,
}

impl HookType {
    /// As manifests write it.
    pub fn of(word: &str) -> Self {
        match word {
            "" | "rollout" => Self::Rollout,
            "confirm-rollout" => Self::ConfirmRollout,
            "pre-rollout" => Self::PreRollout,
            "confirm-traffic-increase" => Self::ConfirmTrafficIncrease,
            "confirm-promotion" => Self::ConfirmPromotion,
            "rollback" => Self::Rollback,
            "post-rollout" => Self::PostRollout,
            "event" => Self::Event,
            _ => Self::Unknown,
        }
    }

    /// Whether somebody has to open it for the release to go on.
    pub fn is_gate(self) -> bool {
        matches!(self, Self::ConfirmRollout | Self::ConfirmTrafficIncrease | Self::ConfirmPromotion)
    }
}

/// Somebody to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// When it is asked.
    pub when: HookType,
    /// Where.
    pub url: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How often it is asked again when it fails.
    pub retries: u32,
    /// Do not look at certificates.
    pub disable_tls: bool,
    /// Nobody is alerted while it is waited for.
    pub mute_alert: bool,
    /// What it is told besides.
    pub metadata: Vec<(String, String)>,
}

impl Canary {
    /// Reads a Canary of either version.
    pub fn read(object: &Value) -> Self {
        let empty = Value::Null;
        Self {
            key: Key::of(object),
            uid: text(object, &["metadata", "uid"]).to_owned(),
            generation: int(object, &["metadata", "generation"]).unwrap_or(0),
            deleting: !text(object, &["metadata", "deletionTimestamp"]).is_empty(),
            held: list(object, &["metadata", "finalizers"]).iter().any(is_finalizer),
            spec: Spec::read(object.get("spec").unwrap_or(&empty)),
            status: Status::read(object.get("status").unwrap_or(&empty)),
        }
    }

    /// `name.namespace`, as events say it.
    pub fn title(&self) -> String {
        format!("{}.{}", self.key.name, self.key.namespace)
    }

    /// `target.namespace`.
    pub fn target_title(&self) -> String {
        format!("{}.{}", self.spec.target.name, self.key.namespace)
    }

    /// The name of the primary workload.
    pub fn primary(&self) -> String {
        format!("{}-primary", self.spec.target.name)
    }

    /// The name of the service that clients use.
    pub fn apex(&self) -> &str {
        match text(&self.spec.service, &["name"]) {
            "" => &self.spec.target.name,
            name => name,
        }
    }
}

impl Spec {
    /// Reads a spec of either version.
    pub fn read(spec: &Value) -> Self {
        let word = |name: &str| Some(text(spec, &[name]).to_owned()).filter(|word| !word.is_empty());
        // The older block counts only where there is no newer one.
        let analysis = spec.get("analysis").filter(|block| block.is_object()).or_else(|| spec.get("canaryAnalysis"));
        let empty = Value::Null;
        let analysis = Analysis::read(analysis.unwrap_or(&empty));
        Self {
            provider: word("provider"),
            metrics_server: word("metricsServer"),
            target: Reference::read(spec.get("targetRef").unwrap_or(&empty)),
            autoscaler: spec.get("autoscalerRef").filter(|it| it.is_object()).map(Reference::read),
            scaler_replicas: at(spec, &["autoscalerRef", "primaryScalerReplicas"]).cloned(),
            service: spec.get("service").cloned().unwrap_or_default(),
            progress_deadline: sound(int(spec, &["progressDeadlineSeconds"]).unwrap_or(600)),
            skip_analysis: flag(spec, &["skipAnalysis"]),
            suspend: flag(spec, &["suspend"]),
            revert_on_deletion: flag(spec, &["revertOnDeletion"]),
            analysis,
        }
    }
}

impl Analysis {
    fn read(block: &Value) -> Self {
        let number = |name: &str| sound(int(block, &[name]).unwrap_or(0));
        let step_weights =
            list(block, &["stepWeights"]).iter().take(MOST).filter_map(Value::as_i64).map(sound).collect();
        Self {
            interval: text(block, &["interval"]).to_owned(),
            threshold: number("threshold").max(1),
            max_weight: number("maxWeight"),
            step_weight: number("stepWeight"),
            step_weights,
            step_weight_promotion: number("stepWeightPromotion"),
            iterations: number("iterations"),
            mirror: flag(block, &["mirror"]),
            primary_ready: int(block, &["primaryReadyThreshold"]).unwrap_or(100),
            canary_ready: int(block, &["canaryReadyThreshold"]).unwrap_or(100),
            metrics: list(block, &["metrics"]).iter().take(MOST).map(Metric::read).collect(),
            webhooks: list(block, &["webhooks"]).iter().take(MOST).map(Webhook::read).collect(),
            alerts: list(block, &["alerts"]).iter().take(MOST).map(rule).collect(),
            matches: list(block, &["match"]).iter().take(MOST).cloned().collect(),
        }
    }
}

fn rule(value: &Value) -> Rule {
    let word = |path: &[&str]| text(value, path).to_owned();
    Rule {
        name: word(&["name"]),
        severity: Severity::of(text(value, &["severity"])),
        provider: (word(&["providerRef", "namespace"]), word(&["providerRef", "name"])),
    }
}

impl Metric {
    fn read(value: &Value) -> Self {
        let bound = |name: &str| at(value, &["thresholdRange", name]).and_then(Value::as_f64);
        let has_range = value.get("thresholdRange").is_some_and(Value::is_object);
        let interval = text(value, &["interval"]);
        let template = value.get("templateRef").filter(|it| it.is_object());
        Self {
            name: text(value, &["name"]).to_owned(),
            interval: if interval.is_empty() { "1m".to_owned() } else { interval.to_owned() },
            threshold: value.get("threshold").and_then(Value::as_f64).unwrap_or(0.0),
            range: has_range.then(|| (bound("min"), bound("max"))),
            query: text(value, &["query"]).to_owned(),
            template: template.map(|it| (text(it, &["namespace"]).to_owned(), text(it, &["name"]).to_owned())),
            variables: pairs(value, "templateVariables"),
        }
    }

    /// The window in seconds; a minute when it cannot be read.
    pub fn window(&self) -> f64 {
        go::seconds(&self.interval).filter(|seconds| *seconds > 0.0).unwrap_or(60.0)
    }
}

impl Webhook {
    fn read(value: &Value) -> Self {
        const TIMEOUT: Duration = Duration::from_secs(10);
        const LONGEST: Duration = Duration::from_mins(10);
        let timeout = go::seconds(text(value, &["timeout"])).and_then(|it| Duration::try_from_secs_f64(it).ok());
        Self {
            name: text(value, &["name"]).to_owned(),
            when: HookType::of(text(value, &["type"])),
            url: text(value, &["url"]).to_owned(),
            timeout: timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(TIMEOUT).min(LONGEST),
            retries: int(value, &["retries"]).and_then(|it| u32::try_from(it).ok()).unwrap_or(0).min(10),
            disable_tls: flag(value, &["disableTLS"]),
            mute_alert: flag(value, &["muteAlert"]),
            metadata: pairs(value, "metadata"),
        }
    }

    /// A value of its metadata.
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.metadata.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Whether a finalizer is ours.
pub fn is_finalizer(name: &Value) -> bool {
    name.as_str().is_some_and(|name| FINALIZERS.contains(&name))
}

fn pairs(value: &Value, name: &str) -> Vec<(String, String)> {
    let members = value.get(name).and_then(Value::as_object).into_iter().flatten().take(MOST);
    members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_versions_give_the_same() {
        let block = json!({"interval": "10s", "stepWeight": 5, "threshold": 5,
            "metrics": [{"name": "request-duration", "threshold": 500, "interval": "1m"}],
            "webhooks": [{"name": "load-test", "url": "http://load-tester.prod/", "metadata": {"cmd": "hey"}}]});
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"});
        let old = Spec::read(&json!({"targetRef": target, "canaryAnalysis": block}));
        let new = Spec::read(&json!({"targetRef": target, "analysis": block}));
        assert_eq!(old, new);
        assert_eq!(old.analysis.webhooks[0].when, HookType::Rollout);
        assert_eq!(old.analysis.webhooks[0].timeout, Duration::from_secs(10));
        let both = Spec::read(&json!({"analysis": {"threshold": 2}, "canaryAnalysis": block}));
        assert_eq!((both.analysis.threshold, both.analysis.step_weight), (2, 0));
    }

    #[test]
    fn nonsense_is_read_without_a_panic() {
        let nonsense = json!({"spec": {"analysis": {"webhooks": [3, {"timeout": "-1s", "retries": -4, "type": "new"}],
            "metrics": {}, "stepWeights": ["a"], "threshold": -3}, "service": []}, "status": "x", "metadata": 1});
        let canary = Canary::read(&nonsense);
        assert_eq!(canary.spec.analysis.threshold, 1);
        assert_eq!(canary.spec.analysis.webhooks[1].timeout, Duration::from_secs(10));
        assert_eq!(canary.spec.analysis.webhooks[1].when, HookType::Unknown);
        assert_eq!(Canary::read(&Value::Null).apex(), "");
    }
}
