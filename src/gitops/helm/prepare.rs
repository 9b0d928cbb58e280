//! What there is to decide on: the chart, rendered, and how the release is.

use serde_json::{Map, Value};

use super::deploy::ANTECEDENT;
use super::pass::Pass;
use super::status::Phase;
use super::wish::{Renderer, Wish};
use super::{chart, values};
use crate::cluster::object::{Key, int, text};
use crate::gitops::helm_release::{HelmState, Seen};
use crate::helm::record::{About, Record};
use crate::helm::{Capabilities, Chart, Release, Rendered, render};

/// A chart with values, rendered.
pub(super) struct Ready {
    pub(super) chart: Chart,
    pub(super) config: Map<String, Value>,
    pub(super) rendered: Rendered,
    /// What it was rendered with, for people.
    pub(super) renderer: String,
}

impl Pass {
    /// The chart, rendered for this release; or the phase that this ends in, and why.
    pub(super) async fn prepare(&self, wish: &Wish, history: &[Record]) -> Result<Ready, (Phase, String)> {
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
        let program = self.sources.helm.as_ref().filter(|_| wish.renderer == Renderer::Program);
        let Some(program) = program else {
            return self.with_the_engine(chart, config, release, capabilities).await.map_err(failed);
        };
        let rendered = program.render(&chart, &config, &release, &capabilities).await.map_err(failed)?;
        Ok(Ready { chart, config, rendered, renderer: program.name().await })
    }

    async fn with_the_engine(
        &self,
        chart: Chart,
        config: Map<String, Value>,
        release: Release,
        capabilities: Capabilities,
    ) -> Result<Ready, String> {
        let (hands, runtime) = (self.hands.clone(), tokio::runtime::Handle::current());
        let work = move || {
            // As with helm on a cluster: what is not there is an empty mapping.
            let lookup = |version: &str, kind: &str, namespace: &str, name: &str| {
                let at = Key::new(namespace, name);
                runtime.block_on(hands.get(version, kind, &at)).ok().flatten().unwrap_or_default()
            };
            let rendered = render(&chart, &config, &release, &capabilities, &lookup);
            let renderer = "foredeck's own engine".to_owned();
            rendered.map(|rendered| Ready { chart, config, rendered, renderer }).map_err(|error| error.to_string())
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
    }

    pub(super) async fn seen(
        &self,
        release: &Value,
        wish: &Wish,
        history: &[Record],
        ready: &Ready,
    ) -> Result<Seen, String> {
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

/// `podinfo-6.5.0`.
pub(super) fn title(chart: &Chart) -> String {
    format!("{}-{}", chart.name, chart.version)
}
