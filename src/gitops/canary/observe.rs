//! The objects around a canary as they were found, and what they mean.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::configs::{self, Config};
use super::effect::Routes;
use super::machine::{Target, Workload};
use super::readiness::{self, Demand};
use super::route;
use super::spec::Canary;
use super::workload;
use crate::cluster::object::{int, text};

/// The objects around a canary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// What is released.
    pub target: Option<Value>,
    /// What serves.
    pub primary: Option<Value>,
    /// Where requests go.
    pub route: Option<Value>,
    /// The target's autoscaler.
    pub scaler: Option<Value>,
    /// The configs that the target names, as far as they are there.
    pub configs: BTreeMap<Config, Value>,
}

impl Seen {
    /// The target as the decisions see it.
    ///
    /// # Errors
    /// When it is not there or cannot be released; the words are for an event.
    pub fn target(&self, canary: &Canary, now: Timestamp) -> Result<Target, String> {
        let wanted = &canary.spec.target;
        let (kind, title) = (wanted.kind.to_lowercase(), canary.target_title());
        if !workload::is_supported(wanted) {
            let (version, kind) = (&wanted.api_version, &wanted.kind);
            return Err(format!(
                "{kind} {title} in {version} cannot be released: targetRef has to name a Deployment or a DaemonSet of apps/v1"
            ));
        }
        let Some(object) = &self.target else {
            return Err(format!("{kind} {title} get query error: {kind}s.apps \"{}\" not found", wanted.name));
        };
        workload::label(object)?;
        if let Some(scaler) = canary.spec.autoscaler.as_ref().filter(|scaler| scaler.kind != "HorizontalPodAutoscaler")
        {
            return Err(format!(
                "autoscalerRef of kind {} cannot be used: it has to be a HorizontalPodAutoscaler",
                scaler.kind
            ));
        }
        let min = self.scaler.as_ref().and_then(|scaler| int(scaler, &["spec", "minReplicas"])).unwrap_or(1);
        Ok(Target {
            workload: read(object, canary, canary.spec.analysis.canary_ready, now),
            revision: workload::revision(object),
            configs: self.tracked().map(|(config, object)| (config.key(), configs::checksum(object))).collect(),
            scaler_min: canary.spec.autoscaler.is_some().then_some(min),
        })
    }

    /// The primary as the decisions see it.
    pub fn primary(&self, canary: &Canary, now: Timestamp) -> Option<Workload> {
        self.primary.as_ref().map(|object| read(object, canary, canary.spec.analysis.primary_ready, now))
    }

    /// Where requests go.
    ///
    /// # Errors
    /// When a gateway does not take the route.
    pub fn routes(&self, canary: &Canary) -> Result<Option<Routes>, String> {
        self.route.as_ref().map_or(Ok(None), |object| route::read(canary, object))
    }

    /// The configs that are looked at.
    pub fn tracked(&self) -> impl Iterator<Item = (&Config, &Value)> {
        self.configs.iter().filter(|(config, object)| configs::is_tracked(config.holder, object))
    }

    /// The names of those.
    pub fn tracked_names(&self) -> BTreeSet<Config> {
        self.tracked().map(|(config, _)| config.clone()).collect()
    }

    /// The version of the image that is released, and of the one that serves.
    pub fn images(&self) -> (String, String) {
        let image = |object: &Option<Value>| object.as_ref().map(workload::image).unwrap_or_default();
        (image(&self.target), image(&self.primary))
    }
}

fn read(object: &Value, canary: &Canary, percent: i64, now: Timestamp) -> Workload {
    debug_assert!(!text(object, &["kind"]).is_empty(), "objects say what they are");
    let demand = Demand { percent, deadline: canary.spec.progress_deadline, now };
    Workload { replicas: workload::replicas(object), ready: readiness::of(object, demand) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_that_cannot_be_released_is_named() {
        let canary = |target: Value| {
            Canary::read(&json!({"metadata": {"name": "c", "namespace": "prod"}, "spec": {"targetRef": target}}))
        };
        let missing = canary(json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}));
        let text = "deployment podinfo.prod get query error: deployments.apps \"podinfo\" not found";
        assert_eq!(Seen::default().target(&missing, Timestamp::UNIX_EPOCH), Err(text.to_owned()));
        let other = canary(json!({"apiVersion": "v1", "kind": "Service", "name": "podinfo"}));
        assert!(Seen::default().target(&other, Timestamp::UNIX_EPOCH).unwrap_err().contains("cannot be released"));
    }
}
