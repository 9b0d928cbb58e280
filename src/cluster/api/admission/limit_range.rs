//! LimitRange: the requests and limits that it gives to containers, and those that it does not let through.

use std::collections::BTreeMap;

use serde_json::Value;

use super::usage::{Usage, amounts, pod_total};
use crate::cluster::object::{GroupKind, Map, entry, list, map, set, text};
use crate::cluster::quantity::Quantity;

/// Where it is noted what was given.
const NOTE: &str = "kubernetes.io/limit-ranger";

/// Gives the containers of a new pod the requests and limits that the ranges of its namespace have for those without.
pub fn defaults(pod: &mut Value, ranges: &[Value]) {
    for range in ranges {
        let limits = list(range, &["spec", "limits"]).iter().filter(|limit| text(limit, &["type"]) == "Container");
        let (mut requests, mut most) = (Map::new(), Map::new());
        for limit in limits {
            requests.extend(map(limit, &["defaultRequest"]).cloned().into_iter().flatten());
            most.extend(map(limit, &["default"]).cloned().into_iter().flatten());
        }
        let mut notes = Vec::new();
        for (part, what) in [("containers", "container"), ("initContainers", "init container")] {
            let containers = pod.pointer_mut(&format!("/spec/{part}")).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                for (part, given, kind) in [("requests", &requests, "request"), ("limits", &most, "limit")] {
                    let names = give(container, part, given);
                    if !names.is_empty() {
                        let name = text(container, &["name"]);
                        notes.push(format!("{} {kind} for {what} {name}", names.join(", ")));
                    }
                }
            }
        }
        if !notes.is_empty() {
            let note = format!("LimitRanger plugin set: {}", notes.join("; "));
            set(pod, &["metadata", "annotations", NOTE], note);
        }
    }
}

/// Gives a container what it lacks, and says what that was.
fn give<'n>(container: &mut Value, part: &str, given: &'n Map) -> Vec<&'n str> {
    let mut names = Vec::new();
    for (name, amount) in given {
        let place = entry(container, &["resources", part, name]);
        if place.is_null() {
            *place = amount.clone();
            names.push(name.as_str());
        }
    }
    names.sort_unstable();
    names
}

/// Finds out whether a new pod, or a claim, keeps to the ranges of its namespace; or else gives what comes behind
/// `is forbidden: `.
pub fn check(kind: &GroupKind, object: &Value, ranges: &[Value]) -> Result<(), String> {
    for range in ranges {
        let mut errors = Vec::new();
        for limit in list(range, &["spec", "limits"]) {
            let limit = Limit { kind: text(limit, &["type"]), limit };
            match (kind.pair(), limit.kind) {
                (("", "Pod"), "Container") => {
                    for part in ["containers", "initContainers"] {
                        for container in list(object, &["spec", part]) {
                            let of = |part| amounts(map(container, &["resources", part]));
                            limit.check(&of("requests"), &of("limits"), &mut errors);
                        }
                    }
                }
                (("", "Pod"), "Pod") => {
                    limit.check(&pod_total(object, "requests"), &pod_total(object, "limits"), &mut errors);
                }
                (("", "PersistentVolumeClaim"), "PersistentVolumeClaim") => {
                    limit.check_claim(&amounts(map(object, &["spec", "resources", "requests"])), &mut errors);
                }
                _ => {}
            }
        }
        let mut said = Vec::new();
        for error in errors {
            if !said.contains(&error) {
                said.push(error);
            }
        }
        match said.as_slice() {
            [] => {}
            [one] => return Err(one.clone()),
            several => return Err(format!("[{}]", several.join(", "))),
        }
    }
    Ok(())
}

/// One item of a range.
struct Limit<'l> {
    kind: &'l str,
    limit: &'l Value,
}

impl Limit<'_> {
    fn of(&self, member: &str) -> BTreeMap<String, Quantity> {
        amounts(map(self.limit, &[member]))
    }

    fn check(&self, requests: &Usage, limits: &Usage, errors: &mut Vec<String>) {
        for (name, least) in self.of("min") {
            let start = format!("minimum {name} usage per {} is {least}", self.kind);
            errors.extend(self.too_little(&name, least, requests, limits).map(|rest| format!("{start}{rest}")));
        }
        for (name, most) in self.of("max") {
            let start = format!("maximum {name} usage per {} is {most}", self.kind);
            let rest = match (limits.get(&name), requests.get(&name)) {
                (None, _) => ".  No limit is specified".to_owned(),
                (Some(limit), _) if *limit > most => format!(", but limit is {limit}"),
                (_, Some(request)) if *request > most => format!(", but request is {request}"),
                _ => continue,
            };
            errors.push(format!("{start}{rest}"));
        }
        for (name, ratio) in self.of("maxLimitRequestRatio") {
            let start = format!("{name} max limit to request ratio per {} is {ratio}", self.kind);
            let positive = |amounts: &Usage| amounts.get(&name).copied().filter(|amount| amount.sign().is_gt());
            let rest = match (positive(requests), positive(limits)) {
                (None, _) => "no request is specified or request is 0".to_owned(),
                (_, None) => "no limit is specified or limit is 0".to_owned(),
                (Some(request), Some(limit)) if limit.as_f64() / request.as_f64() > ratio.as_f64() => {
                    format!("provided ratio is {:.6}", limit.as_f64() / request.as_f64())
                }
                _ => continue,
            };
            errors.push(format!("{start}, but {rest}"));
        }
    }

    fn too_little(&self, name: &str, least: Quantity, requests: &Usage, limits: &Usage) -> Option<String> {
        match (requests.get(name), limits.get(name)) {
            (None, _) => Some(".  No request is specified".to_owned()),
            (Some(request), _) if *request < least => Some(format!(", but request is {request}")),
            (_, Some(limit)) if *limit < least => Some(format!(", but limit is {limit}")),
            _ => None,
        }
    }

    /// A claim has requests alone.
    fn check_claim(&self, requests: &Usage, errors: &mut Vec<String>) {
        for (name, least) in self.of("min") {
            let rest = self.too_little(&name, least, requests, &Usage::new());
            errors.extend(rest.map(|rest| format!("minimum {name} usage per {} is {least}{rest}", self.kind)));
        }
        for (name, most) in self.of("max") {
            let start = format!("maximum {name} usage per {} is {most}", self.kind);
            match requests.get(&name) {
                None => errors.push(format!("{start}. No request is specified")),
                Some(request) if *request > most => errors.push(format!("{start}, but request is {request}")),
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn range(limit: Value) -> Value {
        json!({"metadata": {"name": "lr"}, "spec": {"limits": [limit]}})
    }

    fn pod(resources: Value) -> Value {
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "p", "resources": resources}]}})
    }

    #[test]
    fn containers_get_what_they_lack() {
        let range = range(json!({
            "type": "Container",
            "default": {"memory": "64Mi"},
            "defaultRequest": {"memory": "64Mi", "cpu": "10m"},
        }));
        let mut pod = pod(json!({"requests": {"memory": "1Mi"}}));
        defaults(&mut pod, std::slice::from_ref(&range));
        let expected = json!({
            "metadata": {"name": "p", "annotations": {
                NOTE: "LimitRanger plugin set: cpu request for container p; memory limit for container p"
            }},
            "spec": {"containers": [{"name": "p", "resources": {
                "requests": {"memory": "1Mi", "cpu": "10m"}, "limits": {"memory": "64Mi"}
            }}]}
        });
        assert_eq!(pod, expected);
        defaults(&mut pod, &[range]);
        assert_eq!(pod, expected, "nothing is lacking any more");
    }

    #[test]
    fn what_goes_too_far_is_refused() {
        let container = |member: &str, amounts: Value| json!({"type": "Container", member: amounts});
        let cases = [
            (
                container("max", json!({"cpu": "1"})),
                json!({"limits": {"cpu": "2"}}),
                "maximum cpu usage per Container is 1, but limit is 2",
            ),
            (
                container("max", json!({"cpu": "1"})),
                json!({}),
                "maximum cpu usage per Container is 1.  No limit is specified",
            ),
            (
                container("max", json!({"cpu": "1"})),
                json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1100m"}}),
                "maximum cpu usage per Container is 1, but request is 1100m",
            ),
            (
                container("min", json!({"memory": "500Mi"})),
                json!({"requests": {"memory": "100Mi"}}),
                "minimum memory usage per Container is 500Mi, but request is 100Mi",
            ),
            (
                container("min", json!({"cpu": "1"})),
                json!({}),
                "minimum cpu usage per Container is 1.  No request is specified",
            ),
            (
                container("maxLimitRequestRatio", json!({"memory": "2"})),
                json!({"limits": {"memory": "3Gi"}, "requests": {"memory": "1Gi"}}),
                "memory max limit to request ratio per Container is 2, but provided ratio is 3.000000",
            ),
            (
                container("maxLimitRequestRatio", json!({"memory": "2"})),
                json!({"limits": {"memory": "3Gi"}, "requests": {"memory": "0"}}),
                "memory max limit to request ratio per Container is 2, but no request is specified or request is 0",
            ),
            (
                json!({"type": "Pod", "max": {"cpu": "1", "memory": "1Gi"}}),
                json!({"limits": {"cpu": "2", "memory": "2Gi"}}),
                "[maximum cpu usage per Pod is 1, but limit is 2, maximum memory usage per Pod is 1Gi, but limit is 2Gi]",
            ),
            (container("max", json!({"cpu": "1"})), json!({"limits": {"cpu": "1000m"}}), ""),
        ];
        for (limit, resources, expected) in cases {
            let result = check(&GroupKind::new("", "Pod"), &pod(resources), &[range(limit)]);
            assert_eq!(result.err().unwrap_or_default(), expected);
        }
    }

    #[test]
    fn claims_are_held_to_their_size() {
        let range =
            range(json!({"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}));
        let kind = GroupKind::new("", "PersistentVolumeClaim");
        let claim = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
        let refused = |size| check(&kind, &claim(size), std::slice::from_ref(&range)).err();
        assert_eq!(refused("1Gi"), None);
        assert_eq!(
            refused("3Gi").as_deref(),
            Some("maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi")
        );
        assert_eq!(
            refused("1Mi").as_deref(),
            Some("minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi")
        );
    }
}
