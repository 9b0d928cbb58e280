//! What makes a pod of a stateful set the one it is: its number, in name, labels, host name and volumes.

use serde_json::{Value, json};

use crate::cluster::api::store::Stored;
use crate::cluster::object::{at, entry, list, set, text};
use crate::cluster::sim::actions::Kind;
use crate::cluster::sim::revision::POD_REVISION;
use crate::cluster::sim::template;

const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The set's name and the number in a pod's name.
pub(super) fn split(pod: &str) -> Option<(&str, i64)> {
    let (parent, number) = pod.rsplit_once('-')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((parent, number.parse().ok().filter(|_| digits)?))
}

/// The name of the pod of a number.
pub(super) fn name(owner: &Stored, number: i64) -> String {
    format!("{}-{number}", owner.key.name)
}

/// The name of a claim of the pod of a number.
pub(super) fn claim_name(claim: &Value, owner: &Stored, number: i64) -> String {
    format!("{}-{}-{number}", text(claim, &["metadata", "name"]), owner.key.name)
}

/// The pod of a number, made of a revision's template.
pub(super) fn pod(kind: &Kind, owner: &Stored, object: &Value, template: &Value, number: i64, revision: &str) -> Value {
    let name = name(owner, number);
    let mut pod = template::pod(kind, owner, template, &format!("{}-", owner.key.name), &name);
    template::set_label(&mut pod, POD_REVISION, revision);
    template::set_label(&mut pod, POD_NAME, &name);
    template::set_label(&mut pod, POD_INDEX, &number.to_string());
    set(&mut pod, &["spec", "hostname"], name.as_str());
    set(&mut pod, &["spec", "subdomain"], text(object, &["spec", "serviceName"]));
    let claims = list(object, &["spec", "volumeClaimTemplates"]);
    if !claims.is_empty() {
        let volume = |claim: &Value| {
            json!({"name": text(claim, &["metadata", "name"]),
                "persistentVolumeClaim": {"claimName": claim_name(claim, owner, number)}})
        };
        let claimed =
            |volume: &&Value| claims.iter().any(|claim| at(claim, &["metadata", "name"]) == volume.get("name"));
        let others = list(template, &["spec", "volumes"]).iter().filter(|volume| !claimed(volume)).cloned();
        let volumes: Vec<_> = claims.iter().map(volume).chain(others).collect();
        set(entry(&mut pod, &["spec"]), &["volumes"], volumes);
    }
    pod
}

/// The labels that a pod needs to be known by its number, if it has them not.
pub(super) fn missing_labels(pod: &Stored, number: i64) -> Option<Value> {
    let number = number.to_string();
    let has = pod.label(POD_NAME) == Some(&*pod.key.name) && pod.label(POD_INDEX) == Some(&number);
    (!has).then(|| json!({"metadata": {"labels": {POD_NAME: pod.key.name, POD_INDEX: number}}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        let cases = [
            ("db-0", Some(("db", 0))),
            ("my-db-12", Some(("my-db", 12))),
            ("db", None),
            ("db-", None),
            ("db-x", None),
            ("db-+1", None),
            ("db-99999999999999999999", None),
        ];
        for (name, expected) in cases {
            assert_eq!(split(name), expected, "{name}");
        }
    }
}
