//! What a HelmRelease of either generation wants.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::cluster::object::{at, flag, int, list, map, text};
use crate::gitops::helm_release::{self, Care, KeyPlace, ValuesPlace, ValuesSource};

/// Which of the two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Generation {
    /// `helm.fluxcd.io/v1`.
    Operator,
    /// `helm.toolkit.fluxcd.io/v2`.
    Toolkit,
}

impl Generation {
    /// Its group and version.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Operator => "helm.fluxcd.io/v1",
            Self::Toolkit => "helm.toolkit.fluxcd.io/v2",
        }
    }
}

/// Where a chart comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChartPlace {
    /// A chart repository, or a registry when the address begins with `oci://`.
    Repository {
        /// Its address.
        url: String,
        /// The chart.
        name: String,
        /// A version, a range, or nothing.
        version: String,
    },
    /// A folder of a git repository.
    Git {
        /// Its address.
        url: String,
        /// A branch, a tag or a commit; nothing for the usual branch.
        reference: String,
        /// The folder.
        path: String,
    },
    /// Another object knows: kind, namespace and name, with chart and version.
    Source {
        /// `HelmRepository`, `OCIRepository`, `GitRepository` or `HelmChart`.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The chart or the folder; empty for `OCIRepository` and `HelmChart`.
        chart: String,
        /// A version, a range, or nothing.
        version: String,
    },
}

/// Values from elsewhere, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// Where from.
    pub source: ValuesSource,
    /// The one value that the text is, when it is no mapping of values.
    pub target: String,
}

/// The annotation that says what a chart is rendered with: `engine`, or the `helm` program, where there is one.
const RENDERER: &str = "foredeck.dev/helm-renderer";

/// What a chart is rendered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renderer {
    /// The `helm` program, where there is one, else the engine.
    Program,
    /// The engine.
    Engine,
}

impl Renderer {
    fn of(release: &Value) -> Self {
        match text(release, &["metadata", "annotations", RENDERER]) {
            "engine" => Self::Engine,
            _ => Self::Program,
        }
    }
}

/// Fields that ask for something, of those that are set.
fn unheeded(release: &Value, fields: &'static [&'static str]) -> Vec<&'static str> {
    let asks = |field: &&str| {
        let path: Vec<&str> = field.split('.').collect();
        match at(release, &path) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Array(all)) => !all.is_empty(),
            Some(Value::Object(all)) => !all.is_empty(),
            Some(Value::String(text)) => !text.is_empty() && text != "disabled",
            Some(_) => true,
        }
    };
    fields.iter().copied().filter(|field| asks(field)).collect()
}

/// What a HelmRelease wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Which kind it is.
    pub generation: Generation,
    /// The release's name.
    pub release: String,
    /// The namespace that the chart is installed in.
    pub namespace: String,
    /// The chart; none when it says nothing of one.
    pub chart: Option<ChartPlace>,
    /// Values, which count most.
    pub values: Map<String, Value>,
    /// Values from elsewhere.
    pub from: Vec<From>,
    /// What is done about failures.
    pub care: Care,
    /// How long things may take.
    pub timeout: Duration,
    /// How many revisions are kept; 0 for all.
    pub max_history: usize,
    /// It is deployed when all its objects are ready.
    pub waits: bool,
    /// Nothing is done.
    pub suspended: bool,
    /// Definitions are not made.
    pub skip_crds: bool,
    /// What the chart is rendered with.
    pub renderer: Renderer,
    /// Fields that are set and not acted on.
    pub unheeded: Vec<&'static str>,
}

impl Wish {
    /// Reads a HelmRelease.
    pub fn read(release: &Value) -> Self {
        if text(release, &["apiVersion"]).starts_with("helm.toolkit.fluxcd.io/") {
            Self::toolkit(release)
        } else {
            Self::operator(release)
        }
    }

    fn operator(release: &Value) -> Self {
        let chart = at(release, &["spec", "chart"]).filter(|chart| chart.is_object());
        let words = |field: &str| text(release, &["spec", "chart", field]).to_owned();
        let place = |_: &Value| match words("git") {
            url if url.is_empty() => {
                ChartPlace::Repository { url: words("repository"), name: words("name"), version: words("version") }
            }
            url => ChartPlace::Git { url, reference: words("ref"), path: words("path") },
        };
        let from = helm_release::values_sources(release).into_iter();
        Self {
            generation: Generation::Operator,
            release: helm_release::release_name(release),
            namespace: helm_release::target_namespace(release).to_owned(),
            chart: chart.map(place),
            values: map(release, &["spec", "values"]).cloned().unwrap_or_default(),
            from: from.map(|source| From { source, target: String::new() }).collect(),
            care: Care::of(release),
            timeout: seconds(int(release, &["spec", "timeout"]).unwrap_or(300)),
            max_history: int(release, &["spec", "maxHistory"])
                .and_then(|most| usize::try_from(most).ok())
                .unwrap_or(10),
            waits: flag(release, &["spec", "wait"]),
            suspended: false,
            skip_crds: flag(release, &["spec", "skipCRDs"]),
            renderer: Renderer::of(release),
            unheeded: unheeded(release, &["spec.forceUpgrade", "spec.resetValues", "spec.chart.chartPullSecret"]),
        }
    }

    fn toolkit(release: &Value) -> Self {
        let own = text(release, &["metadata", "namespace"]);
        let name = text(release, &["metadata", "name"]);
        let target = Some(text(release, &["spec", "targetNamespace"])).filter(|target| !target.is_empty());
        let given = Some(text(release, &["spec", "releaseName"])).filter(|name| !name.is_empty());
        let usual = || target.map_or_else(|| name.to_owned(), |target| format!("{target}-{name}"));
        let retries = int(release, &["spec", "upgrade", "remediation", "retries"]);
        let remediates = retries.is_some_and(|retries| retries != 0)
            || flag(release, &["spec", "upgrade", "remediation", "remediateLastFailure"]);
        Self {
            generation: Generation::Toolkit,
            release: given.map_or_else(usual, str::to_owned),
            namespace: target.unwrap_or(own).to_owned(),
            chart: toolkit_chart(release, own),
            values: map(release, &["spec", "values"]).cloned().unwrap_or_default(),
            from: list(release, &["spec", "valuesFrom"]).iter().map(|from| toolkit_from(from, own)).collect(),
            care: Care {
                test: flag(release, &["spec", "test", "enable"]),
                ignore_test_failures: flag(release, &["spec", "test", "ignoreFailures"]),
                rollback: remediates && text(release, &["spec", "upgrade", "remediation", "strategy"]) != "uninstall",
                retry: retries.is_some_and(|retries| retries != 0),
                max_retries: retries.map_or(0, |retries| retries.max(0)),
            },
            timeout: duration(text(release, &["spec", "timeout"])).unwrap_or(seconds(300)),
            max_history: int(release, &["spec", "maxHistory"]).and_then(|most| usize::try_from(most).ok()).unwrap_or(5),
            waits: !flag(release, &["spec", "install", "disableWait"]),
            suspended: flag(release, &["spec", "suspend"]),
            skip_crds: text(release, &["spec", "install", "crds"]) == "Skip",
            renderer: Renderer::of(release),
            unheeded: unheeded(
                release,
                &[
                    "spec.driftDetection.mode",
                    "spec.postRenderers",
                    "spec.dependsOn",
                    "spec.kubeConfig",
                    "spec.serviceAccountName",
                    "spec.upgrade.force",
                    "spec.test.filters",
                ],
            ),
        }
    }
}

fn toolkit_chart(release: &Value, own: &str) -> Option<ChartPlace> {
    let words = |path: &[&str]| text(release, path).to_owned();
    let (reference, chart, version): (&[&str], String, String) = if at(release, &["spec", "chartRef"]).is_some() {
        (&["spec", "chartRef"], String::new(), String::new())
    } else {
        let chart = words(&["spec", "chart", "spec", "chart"]);
        (&["spec", "chart", "spec", "sourceRef"], chart, words(&["spec", "chart", "spec", "version"]))
    };
    let reference = at(release, reference)?;
    let namespace = Some(text(reference, &["namespace"])).filter(|namespace| !namespace.is_empty()).unwrap_or(own);
    let field = |field: &str| text(reference, &[field]).to_owned();
    Some(ChartPlace::Source {
        kind: field("kind"),
        namespace: namespace.to_owned(),
        name: field("name"),
        chart,
        version,
    })
}

fn toolkit_from(from: &Value, own: &str) -> From {
    let key = Some(text(from, &["valuesKey"])).filter(|key| !key.is_empty()).unwrap_or("values.yaml");
    let place = KeyPlace { namespace: own.to_owned(), name: text(from, &["name"]).to_owned(), key: key.to_owned() };
    let place =
        if text(from, &["kind"]) == "Secret" { ValuesPlace::Secret(place) } else { ValuesPlace::ConfigMap(place) };
    From {
        source: ValuesSource { place, optional: flag(from, &["optional"]) },
        target: text(from, &["targetPath"]).to_owned(),
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0).clamp(1, 3600))
}

/// `5m`, `1h30m`, `90s`.
fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let read = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(seconds(read.as_secs()))
}
