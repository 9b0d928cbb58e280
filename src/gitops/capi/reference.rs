//! What is the same in all versions but written differently: references, strategies, versions.

use serde_json::{Value, json};

use super::action::Pass;
use super::kind::Kind;
use super::phase::Rules;
use super::rollout::{Limits, Order};
use super::world::{Id, World, name, namespace};
use crate::cluster::object::{at, int, text};

/// Which release's rules an object is written for, by the references in a machine's or a cluster's spec.
pub(super) fn rules(spec: &Value) -> Rules {
    let version = ["infrastructureRef", "controlPlaneRef"].iter().map(|name| text(spec, &[name, "apiVersion"]));
    if version.into_iter().any(|version| version.ends_with("/v1alpha3")) { Rules::V1Alpha3 } else { Rules::V1Beta2 }
}

/// A reference as the new version writes it, or with its version as it was given.
pub(super) fn to(kind: Kind, name: &str, like: &Value) -> Value {
    match text(like, &["apiVersion"]) {
        "" => json!({"apiGroup": kind.group(), "kind": kind.name(), "name": name}),
        version => json!({"apiVersion": version, "kind": kind.name(), "name": name}),
    }
}

/// A Kubernetes version with its `v`.
pub(super) fn version(text: &str) -> String {
    if text.is_empty() || text.starts_with('v') { text.to_owned() } else { format!("v{text}") }
}

/// Whether machines are replaced only when somebody deletes them.
pub(super) fn is_on_delete(deployment: &Value) -> bool {
    strategy(deployment).is_some_and(|strategy| text(strategy, &["type"]) == "OnDelete")
}

/// What a machine deployment's rolling update may do.
pub(super) fn limits(deployment: &Value, replicas: i64) -> Limits {
    let part = |name| strategy(deployment).and_then(|strategy| at(strategy, &["rollingUpdate", name]));
    let or_nothing = |value: Option<&Value>| value.cloned().unwrap_or_default();
    Limits::resolve(replicas, &or_nothing(part("maxSurge")), &or_nothing(part("maxUnavailable")))
}

fn strategy(deployment: &Value) -> Option<&Value> {
    at(deployment, &["spec", "rollout", "strategy"]).or_else(|| at(deployment, &["spec", "strategy"]))
}

/// Which machines of a deployment or set go first.
pub(super) fn order(object: &Value) -> Order {
    const PLACES: [&[&str]; 3] = [
        &["spec", "deletion", "order"],
        &["spec", "strategy", "rollingUpdate", "deletePolicy"],
        &["spec", "deletePolicy"],
    ];
    Order::of(PLACES.iter().map(|place| text(object, place)).find(|name| !name.is_empty()).unwrap_or_default())
}

/// How long a machine has to be ready before it is available.
pub(super) fn min_ready_seconds(object: &Value) -> i64 {
    let inner = int(object, &["spec", "template", "spec", "minReadySeconds"]);
    int(object, &["spec", "minReadySeconds"]).or(inner).unwrap_or(0).max(0)
}

/// The names of the templates that a machine template names and that are not there.
pub(super) fn missing_templates(world: &World<'_>, owner: &Value, references: &[&Value]) -> Vec<String> {
    let missing = references.iter().filter(|reference| {
        !text(reference, &["name"]).is_empty() && world.referred(namespace(owner), reference).is_none()
    });
    missing.map(|reference| text(reference, &["kind"]).to_owned()).collect()
}

/// Makes the templates that machines' specs name the cluster's: they go with it.
pub(super) fn adopt_templates(pass: &mut Pass<'_>, cluster: &Value, specs: &[Value]) {
    for spec in specs {
        for place in [&["bootstrap", "configRef"][..], &["infrastructureRef"]] {
            let Some(reference) = at(spec, place) else { continue };
            let Some(kind) = Kind::of(text(reference, &["kind"])).filter(|kind| kind.name().ends_with("Template"))
            else {
                continue;
            };
            if let Some(template) = pass.world.referred(namespace(cluster), reference) {
                pass.adopt(&Id::of(kind, template), template, cluster, false, name(cluster));
            }
        }
    }
}

/// `A does not exist`, `A and B do not exist`.
pub(super) fn do_not_exist(kinds: &[String]) -> String {
    match kinds {
        [] => String::new(),
        [one] => format!("{one} does not exist"),
        more => format!("{} do not exist", more.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_are_read() {
        let old = json!({"spec": {"strategy": {"type": "OnDelete", "rollingUpdate": {
            "maxSurge": "50%", "maxUnavailable": 0, "deletePolicy": "Oldest"}}}});
        let new = json!({"spec": {"rollout": {"strategy": {"type": "OnDelete", "rollingUpdate": {
            "maxSurge": "50%", "maxUnavailable": 0}}}, "deletion": {"order": "Oldest"}}});
        for deployment in [old, new] {
            assert!(is_on_delete(&deployment));
            assert_eq!(limits(&deployment, 5), Limits { surge: 3, unavailable: 0 });
            assert_eq!(order(&deployment), Order::Oldest);
        }
        assert_eq!(limits(&json!({}), 3), Limits { surge: 1, unavailable: 0 });
        assert_eq!(version("1.33.1"), "v1.33.1");
        assert_eq!(rules(&json!({"infrastructureRef": {"apiVersion": "x/v1alpha3"}})), Rules::V1Alpha3);
        assert_eq!(do_not_exist(&["A".to_owned(), "B".to_owned()]), "A and B do not exist");
    }
}
