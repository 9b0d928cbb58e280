//! The annotations by which a deployment and its replica sets remember revisions and sizes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cluster::object::map;

/// The revision that a replica set, or a deployment, is at.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// The revisions that a replica set was before, after roll-backs.
pub(super) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The deployment's replicas when its replica set was last sized.
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// The deployment's replicas and surge then.
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations of the deployment that are its own.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

/// How long the history of revisions may get.
const HISTORY_LENGTH: usize = 2000;

/// Annotations to be set on the current replica set so that it has the deployment's, and at least `revision`.
pub(super) fn missing(deployment: &Value, has: &BTreeMap<Box<str>, Box<str>>, revision: i64) -> Map<String, Value> {
    let mut missing = Map::new();
    for (name, value) in map(deployment, &["metadata", "annotations"]).into_iter().flatten() {
        let same = has.get(name.as_str()).map(|value| &**value) == value.as_str();
        if !NOT_COPIED.contains(&name.as_str()) && !same {
            missing.insert(name.clone(), value.clone());
        }
    }
    let Some(before) = has.get(REVISION) else {
        missing.insert(REVISION.into(), json!(revision.to_string()));
        return missing;
    };
    if before.parse::<i64>().is_ok_and(|before| before < revision) {
        missing.insert(REVISION.into(), json!(revision.to_string()));
        let history = has.get(REVISION_HISTORY).map_or("", |history| history);
        missing.insert(REVISION_HISTORY.into(), json!(longer(history, before)));
    }
    missing
}

/// The history with one more revision; the oldest go when it gets too long.
fn longer(history: &str, revision: &str) -> String {
    let mut history: Vec<&str> = history.split(',').filter(|revision| !revision.is_empty()).collect();
    history.push(revision);
    let mut joined = history.join(",");
    while joined.len() > HISTORY_LENGTH && history.len() > 1 {
        history.remove(0);
        joined = history.join(",");
    }
    joined
}

/// The annotations that say how large the deployment is.
pub(super) fn sizes(replicas: i64, max: i64) -> Map<String, Value> {
    Map::from_iter([(DESIRED.to_owned(), json!(replicas.to_string())), (MAX.to_owned(), json!(max.to_string()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_follow_the_deployment() {
        let deployment = json!({"metadata": {"annotations": {
            "kubernetes.io/change-cause": "second", "deployment.kubernetes.io/revision": "9",
            "kubectl.kubernetes.io/last-applied-configuration": "{}", "same": "same",
        }}});
        let has = |revision: Option<&str>, history: Option<&str>| {
            let known = [("same", Some("same")), (REVISION, revision), (REVISION_HISTORY, history)];
            let known = known.iter().filter_map(|(name, value)| Some(((*name).into(), (*value)?.into())));
            known.collect::<BTreeMap<Box<str>, Box<str>>>()
        };
        let cause = json!("second");
        let cases = [
            (has(None, None), json!({"kubernetes.io/change-cause": cause, REVISION: "3"})),
            (has(Some("3"), None), json!({"kubernetes.io/change-cause": cause})),
            (has(Some("4"), None), json!({"kubernetes.io/change-cause": cause})),
            (has(Some("x"), None), json!({"kubernetes.io/change-cause": cause})),
            (has(Some("1"), None), json!({"kubernetes.io/change-cause": cause, REVISION: "3", REVISION_HISTORY: "1"})),
            (
                has(Some("2"), Some("1")),
                json!({"kubernetes.io/change-cause": cause, REVISION: "3", REVISION_HISTORY: "1,2"}),
            ),
        ];
        for (has, expected) in cases {
            assert_eq!(Value::Object(missing(&deployment, &has, 3)), expected);
        }
    }

    #[test]
    fn the_history_stays_short() {
        let long = vec!["100000"; 285].join(",");
        let longer = longer(&long, "200000");
        assert!(longer.len() <= HISTORY_LENGTH && longer.ends_with("100000,200000"));
    }
}
