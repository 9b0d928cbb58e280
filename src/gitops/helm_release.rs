//! What the Helm operator makes of a `HelmRelease`: its name, its values, and the next step.

use serde_json::Value;

use crate::cluster::object::{self, Map};

/// The key of a `ConfigMap` or `Secret` that holds values unless another is named.
const VALUES_KEY: &str = "values.yaml";

/// The namespace of a `HelmRelease`.
fn own_namespace(release: &Value) -> &str {
    non_empty(object::text(release, &["metadata", "namespace"])).unwrap_or("default")
}

/// The namespace that the chart is installed in.
pub fn target_namespace(release: &Value) -> &str {
    non_empty(object::text(release, &["spec", "targetNamespace"])).unwrap_or_else(|| own_namespace(release))
}

/// The name of the release in Helm.
pub fn release_name(release: &Value) -> String {
    if let Some(name) = non_empty(object::text(release, &["spec", "releaseName"])) {
        return name.to_owned();
    }
    let (namespace, target) = (own_namespace(release), target_namespace(release));
    let name = object::text(release, &["metadata", "name"]);
    if namespace == target { format!("{target}-{name}") } else { format!("{namespace}-{target}-{name}") }
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Where values come from. What is optional may be missing or broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuesSource {
    /// Where.
    pub place: ValuesPlace,
    /// It may be missing.
    pub optional: bool,
}

/// A place that holds values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuesPlace {
    /// A key of a `ConfigMap`.
    ConfigMap(KeyPlace),
    /// A key of a `Secret`.
    Secret(KeyPlace),
    /// A file behind an address.
    Url(String),
    /// A file of the chart.
    ChartFile(String),
}

/// A key of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    /// The object's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The key.
    pub key: String,
}

/// The sources of a release's values in their order; `spec.values` comes last and is none of them.
pub fn values_sources(release: &Value) -> Vec<ValuesSource> {
    let key_place = |reference: &Value| KeyPlace {
        namespace: non_empty(object::text(reference, &["namespace"]))
            .unwrap_or_else(|| own_namespace(release))
            .to_owned(),
        name: object::text(reference, &["name"]).to_owned(),
        key: non_empty(object::text(reference, &["key"])).unwrap_or(VALUES_KEY).to_owned(),
    };
    let file = |reference: &Value, field: &str| object::text(reference, &[field]).to_owned();
    let early = object::list(release, &["spec", "valueFileSecrets"]).iter().map(|reference| ValuesSource {
        place: ValuesPlace::Secret(KeyPlace { namespace: own_namespace(release).to_owned(), ..key_place(reference) }),
        optional: false,
    });
    let listed = object::list(release, &["spec", "valuesFrom"]).iter().filter_map(|source| {
        let place = |kind: &str, place: &dyn Fn(&Value) -> ValuesPlace| {
            source.get(kind).map(|reference| (place(reference), object::flag(reference, &["optional"])))
        };
        let (place, optional) = place("configMapKeyRef", &|reference| ValuesPlace::ConfigMap(key_place(reference)))
            .or_else(|| place("secretKeyRef", &|reference| ValuesPlace::Secret(key_place(reference))))
            .or_else(|| place("externalSourceRef", &|reference| ValuesPlace::Url(file(reference, "url"))))
            .or_else(|| place("chartFileRef", &|reference| ValuesPlace::ChartFile(file(reference, "path"))))?;
        Some(ValuesSource { place, optional })
    });
    early.chain(listed).collect()
}

/// Values laid over each other, the last ones on top: mappings are merged, everything else is replaced.
pub fn merge_values(sources: impl IntoIterator<Item = Value>) -> Value {
    let mut merged = Map::new();
    for source in sources {
        if let Value::Object(members) = source {
            merge_into(&mut merged, members);
        }
    }
    Value::Object(merged)
}

fn merge_into(target: &mut Map, source: Map) {
    for (key, value) in source {
        match (target.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge_into(below, above),
            (_, value) => {
                target.insert(key, value);
            }
        }
    }
}

/// What is known when the next step is to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The `HelmRelease` is being deleted.
    pub deleted: bool,
    /// The release in Helm; none before the first installation.
    pub helm: Option<HelmState>,
    /// The newest spec has been dealt with.
    pub generation_observed: bool,
    /// The chart is another than at the last attempt.
    pub chart_changed: bool,
    /// The last upgrade was rolled back.
    pub rolled_back: bool,
    /// An upgrade that was rolled back may be tried again.
    pub may_retry: bool,
    /// A dry run showed a difference; none when there was no dry run yet.
    pub difference: Option<bool>,
}

/// A release in Helm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmState {
    /// Helm's word for its state.
    pub status: String,
    /// Another `HelmRelease` that its resources say they come from.
    pub other_owner: Option<String>,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Install the chart.
    Install,
    /// Upgrade the release.
    Upgrade,
    /// Find out by a dry run whether an upgrade would change something.
    DryRun,
    /// Leave it as it is.
    Skip,
    /// Uninstall it with its history.
    Uninstall,
    /// Run the chart's tests.
    Test,
    /// Go back to the last good revision.
    RollBack,
    /// All is done.
    Done,
    /// Leave it as it is, because it would not be safe.
    Refuse(Unsafe),
}

/// Why nothing is done to a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// It belongs to another.
    #[error("release appears to be managed by '{0}'")]
    OtherOwner(String),
    /// Helm is in the middle of something, or was.
    #[error("status '{0}' of release does not allow a safe upgrade")]
    Status(String),
}

impl Step {
    /// The word in logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::DryRun => "dry-run-compare",
            Self::Skip => "skip",
            Self::Uninstall => "uninstall",
            Self::Test => "test",
            Self::RollBack => "rollback",
            Self::Done => "done",
            Self::Refuse(_) => "none",
        }
    }
}

/// Finds the next step.
pub fn next_step(seen: &Seen) -> Step {
    if seen.deleted {
        return Step::Uninstall;
    }
    let Some(helm) = &seen.helm else { return Step::Install };
    if let Some(owner) = &helm.other_owner {
        return Step::Refuse(Unsafe::OtherOwner(owner.clone()));
    }
    if helm.status != "deployed" {
        return Step::Refuse(Unsafe::Status(helm.status.clone()));
    }
    if !seen.generation_observed || seen.chart_changed || (seen.rolled_back && seen.may_retry) {
        return Step::Upgrade;
    }
    match seen.difference {
        None => Step::DryRun,
        Some(true) => Step::Upgrade,
        Some(false) => Step::Skip,
    }
}

/// How a release wants its failures handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Care {
    /// The chart's tests are run.
    pub test: bool,
    /// Tests may fail.
    pub ignore_test_failures: bool,
    /// Failed upgrades are rolled back.
    pub rollback: bool,
    /// Rolled back upgrades are tried again.
    pub retry: bool,
    /// How often; always when zero.
    pub max_retries: i64,
}

impl Care {
    /// What the spec of a `HelmRelease` wants.
    pub fn of(release: &Value) -> Self {
        Self {
            test: object::flag(release, &["spec", "test", "enable"]),
            ignore_test_failures: object::flag(release, &["spec", "test", "ignoreFailures"]),
            rollback: object::flag(release, &["spec", "rollback", "enable"]),
            retry: object::flag(release, &["spec", "rollback", "retry"]),
            max_retries: object::int(release, &["spec", "rollback", "maxRetries"]).unwrap_or(5),
        }
    }

    /// Whether an upgrade that was rolled back so often is tried again.
    pub fn may_retry(&self, rollbacks: i64) -> bool {
        self.rollback && self.retry && (self.max_retries == 0 || rollbacks < self.max_retries)
    }

    /// What follows a step. `had_release` tells whether there was a release before, `newer` whether Helm holds a
    /// revision newer than that one.
    pub fn follow(&self, step: &Step, succeeded: bool, had_release: bool, newer: bool) -> Step {
        let back = if self.rollback && had_release && newer { Step::RollBack } else { Step::Done };
        match (step, succeeded) {
            (Step::Install | Step::Upgrade, true) if self.test => Step::Test,
            (Step::Install, false) => Step::Uninstall,
            (Step::Upgrade, false) => back,
            (Step::Test, false) if self.ignore_test_failures => Step::Done,
            (Step::Test, false) if had_release => back,
            (Step::Test, false) => Step::Uninstall,
            _ => Step::Done,
        }
    }
}

#[cfg(test)]
#[path = "helm_release_tests.rs"]
mod tests;
