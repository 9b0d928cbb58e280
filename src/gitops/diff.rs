//! What Git wants against what is there: only fields that Git names count.

use std::borrow::Cow;

use serde_json::Value;

use crate::cluster::object::text;
use crate::cluster::quantity::Quantity;

/// One field that is not as it should be.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Difference {
    /// The field, as in `spec.template.spec.containers[name=web].image`.
    pub path: String,
    /// What Git wants; nothing when Git does not name it any more.
    pub wanted: Option<Value>,
    /// What is there; nothing when it is missing.
    pub found: Option<Value>,
}

/// More differences of one object are not told.
pub const MOST: usize = 50;

/// The fields of `wanted` that `found` has otherwise or not at all.
pub fn differences(wanted: &Value, found: &Value) -> Vec<Difference> {
    let group = crate::cluster::object::group_of(text(wanted, &["apiVersion"]));
    let mut walk = Walk { builtin: is_builtin(group), both_ways: false, out: Vec::new() };
    walk.compare(wanted, Some(found), &mut Vec::new());
    walk.out
}

/// All fields that changed from one state of an object to the next, but for those that only servers write.
pub fn changes(before: &Value, after: &Value) -> Vec<Difference> {
    let group = crate::cluster::object::group_of(text(after, &["apiVersion"]));
    let mut walk = Walk { builtin: is_builtin(group), both_ways: true, out: Vec::new() };
    walk.compare(&bare(after), Some(&bare(before)), &mut Vec::new());
    walk.out
}

/// Whether a group is one of Kubernetes' own, whose lists are known.
pub fn is_builtin(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// An object without what servers write.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    for path in [
        &["metadata", "managedFields"][..],
        &["metadata", "resourceVersion"],
        &["metadata", "generation"],
        &["metadata", "uid"],
        &["metadata", "creationTimestamp"],
        &["metadata", "annotations", crate::gitops::mark::CHECKSUM],
        &["status"],
    ] {
        crate::cluster::object::remove(&mut object, path);
    }
    object
}

/// Fields whose lists are maps: what tells their elements apart.
const KEYED: [(&str, &[&str]); 16] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("volumes", &["name"]),
    ("env", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("secrets", &["name"]),
    ("webhooks", &["name"]),
    ("ports", &["containerPort", "port", "protocol"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("hostAliases", &["ip"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("resourceClaims", &["name"]),
    ("conditions", &["type"]),
    ("ownerReferences", &["uid"]),
];

enum Step<'a> {
    Member(&'a str),
    Element(String),
}

struct Walk {
    builtin: bool,
    /// Whether fields count that only `found` has.
    both_ways: bool,
    out: Vec<Difference>,
}

impl Walk {
    fn compare<'a>(&mut self, wanted: &'a Value, found: Option<&'a Value>, path: &mut Vec<Step<'a>>) {
        if self.out.len() >= MOST {
            return;
        }
        match (wanted, found) {
            // Null says nothing.
            (Value::Null, _) if !self.both_ways => {}
            (Value::Object(wants), Some(Value::Object(has))) => {
                for (name, value) in wants {
                    path.push(Step::Member(name));
                    self.compare(value, has.get(name), path);
                    path.pop();
                }
                if self.both_ways {
                    for (name, value) in has.iter().filter(|(name, _)| !wants.contains_key(*name)) {
                        path.push(Step::Member(name));
                        self.gone(value, path);
                        path.pop();
                    }
                }
            }
            (Value::Array(wants), Some(Value::Array(has))) => self.lists(wants, has, wanted, found, path),
            (wanted, None) if is_empty(wanted) => {}
            // Labels and annotations are named one by one, also when there are none at all.
            (Value::Object(wants), None) if are_names(path) => {
                for (name, value) in wants {
                    path.push(Step::Member(name));
                    self.compare(value, None, path);
                    path.pop();
                }
            }
            (wanted, Some(found)) if same_scalar(wanted, found, is_amount(path)) => {}
            (wanted, found) => self.tell(path, Some(wanted), found),
        }
    }

    fn lists<'a>(
        &mut self,
        wants: &'a [Value],
        has: &'a [Value],
        wanted: &'a Value,
        found: Option<&'a Value>,
        path: &mut Vec<Step<'a>>,
    ) {
        let field = path.iter().rev().find_map(|step| if let Step::Member(name) = step { Some(*name) } else { None });
        if field == Some("finalizers") && !self.both_ways {
            if wants.iter().any(|item| !has.contains(item)) {
                self.tell(path, Some(wanted), found);
            }
            return;
        }
        let keys = KEYED.iter().find(|(name, _)| self.builtin && Some(*name) == field).map(|(_, keys)| *keys);
        let named = |item: &Value| keys.and_then(|keys| key_of(item, keys));
        if keys.is_some() && wants.iter().all(|item| named(item).is_some()) {
            for item in wants {
                let name = named(item);
                let other = has.iter().find(|other| named(other) == name);
                path.push(Step::Element(name.unwrap_or_default()));
                match other {
                    Some(other) => self.compare(item, Some(other), path),
                    None => self.tell(path, Some(item), None),
                }
                path.pop();
            }
            if self.both_ways {
                for item in has.iter().filter(|item| !wants.iter().any(|other| named(other) == named(item))) {
                    path.push(Step::Element(named(item).unwrap_or_default()));
                    self.tell(path, None, Some(item));
                    path.pop();
                }
            }
            return;
        }
        if wants.len() != has.len() {
            self.tell(path, Some(wanted), found);
            return;
        }
        for (number, (item, other)) in wants.iter().zip(has).enumerate() {
            path.push(Step::Element(number.to_string()));
            self.compare(item, Some(other), path);
            path.pop();
        }
    }

    /// Tells of what is not wanted any more: labels and annotations one by one.
    fn gone<'a>(&mut self, found: &'a Value, path: &mut Vec<Step<'a>>) {
        match found {
            Value::Object(has) if are_names(path) => {
                for (name, value) in has {
                    path.push(Step::Member(name));
                    self.gone(value, path);
                    path.pop();
                }
            }
            _ if self.out.len() < MOST => self.tell(path, None, Some(found)),
            _ => {}
        }
    }

    fn tell(&mut self, path: &[Step<'_>], wanted: Option<&Value>, found: Option<&Value>) {
        self.out.push(Difference { path: written(path), wanted: wanted.cloned(), found: found.cloned() });
    }
}

/// Whether members of this part of an object's metadata have names of their own.
fn are_names(path: &[Step<'_>]) -> bool {
    matches!(path, [Step::Member("metadata")] | [Step::Member("metadata"), Step::Member("labels" | "annotations")])
}

fn written(path: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Member(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
                out.push_str(&if plain { Cow::Borrowed(*name) } else { Cow::Owned(format!("'{name}'")) });
            }
            Step::Element(key) => {
                out.push('[');
                out.push_str(key);
                out.push(']');
            }
        }
    }
    out
}

/// What tells an element from others; nothing when it has none of the members.
fn key_of(item: &Value, keys: &[&str]) -> Option<String> {
    let mut parts = Vec::new();
    for key in keys {
        match item.get(key) {
            Some(Value::String(text)) => parts.push(format!("{key}={text}")),
            Some(Value::Number(number)) => parts.push(format!("{key}={number}")),
            Some(_) => return None,
            None if *key == "protocol" && !parts.is_empty() => parts.push("protocol=TCP".to_owned()),
            None => {}
        }
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

/// Whether a value is nothing but empty maps, empty lists and nulls, which servers drop.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether a field holds amounts, which can be written in several ways.
fn is_amount(path: &[Step<'_>]) -> bool {
    const WORDS: [&str; 6] = ["limits", "requests", "hard", "capacity", "sizeLimit", "overhead"];
    path.iter().rev().take(2).any(|step| matches!(step, Step::Member(name) if WORDS.contains(name)))
}

fn same_scalar(wanted: &Value, found: &Value, amount: bool) -> bool {
    if wanted == found {
        return true;
    }
    if let (Value::Number(one), Value::Number(other)) = (wanted, found) {
        return one.as_f64() == other.as_f64();
    }
    amount && Quantity::read(wanted).is_some_and(|amount| Quantity::read(found) == Some(amount))
}

/// Differences as they may be shown: secrets hidden, long values cut.
pub fn shown(kind: &str, differences: &[Difference]) -> Vec<Difference> {
    const LONGEST: usize = 400;
    let show = |path: &str, value: &Value| {
        let hidden = kind == "Secret" && (path.starts_with("data") || path.starts_with("stringData"));
        match value {
            _ if hidden => Value::String("(hidden)".to_owned()),
            Value::String(text) if text.len() > LONGEST => {
                Value::String(text.chars().take(LONGEST).chain("…".chars()).collect())
            }
            Value::Object(_) | Value::Array(_) if value.to_string().len() > LONGEST => {
                Value::String(value.to_string().chars().take(LONGEST).chain("…".chars()).collect())
            }
            value => value.clone(),
        }
    };
    let shown = |difference: &Difference| Difference {
        path: difference.path.clone(),
        wanted: difference.wanted.as_ref().map(|value| show(&difference.path, value)),
        found: difference.found.as_ref().map(|value| show(&difference.path, value)),
    };
    differences.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(wanted: Value, found: Value) -> Vec<String> {
        differences(&wanted, &found).into_iter().map(|difference| difference.path).collect()
    }

    fn pod(version: &str, containers: Value) -> Value {
        json!({"apiVersion": version, "spec": {"containers": containers}})
    }

    #[test]
    fn only_what_git_names_counts() {
        let found = json!({"apiVersion": "apps/v1", "spec": {"replicas": 5, "paused": false}, "status": {"x": 1}});
        assert_eq!(paths(json!({"apiVersion": "apps/v1", "spec": {"paused": false}}), found.clone()), [] as [&str; 0]);
        assert_eq!(paths(json!({"apiVersion": "apps/v1", "spec": {"replicas": 1}}), found.clone()), ["spec.replicas"]);
        assert_eq!(paths(json!({"spec": {"a": null, "b": {}, "c": []}}), found.clone()), [] as [&str; 0]);
        assert_eq!(
            paths(json!({"metadata": {"labels": {"a.b/c": "d", "e": "f"}, "annotations": {"g": "h"}}}), found),
            ["metadata.labels.'a.b/c'", "metadata.labels.e", "metadata.annotations.g"]
        );
        assert_eq!(
            paths(json!({"metadata": {"labels": {"a.b/c": "d"}}}), json!({"metadata": {"labels": {}}})),
            ["metadata.labels.'a.b/c'"]
        );
    }

    #[test]
    fn lists_that_are_maps_are_compared_by_key() {
        let found = json!([{"name": "sidecar"}, {"name": "web", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]);
        let same = json!([{"name": "web", "image": "a:1", "ports": [{"containerPort": 80}]}]);
        assert_eq!(paths(pod("v1", same), pod("v1", found.clone())), [] as [&str; 0]);
        let other = json!([{"name": "web", "image": "a:2", "ports": [{"containerPort": 81}]}, {"name": "new"}]);
        assert_eq!(
            paths(pod("v1", other), pod("v1", found)),
            [
                "spec.containers[name=web].image",
                "spec.containers[name=web].ports[containerPort=81,protocol=TCP]",
                "spec.containers[name=new]"
            ]
        );
        let custom = pod("example.com/v1", json!([{"name": "a"}]));
        let more = pod("example.com/v1", json!([{"name": "a"}, {"name": "b"}]));
        assert_eq!(paths(custom, more), ["spec.containers"], "in other kinds a list is one value");
    }

    #[test]
    fn amounts_may_be_written_in_several_ways() {
        let limits = |value: Value| json!({"limits": {"cpu": value}, "data": {"cpu": value}});
        assert_eq!(paths(limits(json!("0.5")), limits(json!("500m"))), ["data.cpu"]);
        assert_eq!(paths(limits(json!(1)), limits(json!("1"))), ["data.cpu"]);
        assert_eq!(paths(limits(json!("1Gi")), limits(json!("1024Mi"))), ["data.cpu"]);
        assert_eq!(paths(limits(json!("1Gi")), limits(json!("1G"))).len(), 2);
        assert_eq!(paths(json!({"a": 1}), json!({"a": 1.0})), [] as [&str; 0]);
    }

    #[test]
    fn changes_go_both_ways() {
        let before = json!({"apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "data": {"a": "1", "b": "2"}});
        let after = json!({"apiVersion": "v1", "metadata": {"resourceVersion": "2"}, "data": {"a": "1", "c": "3"}});
        let found = changes(&before, &after);
        assert_eq!(
            found,
            [
                Difference { path: "data.c".to_owned(), wanted: Some(json!("3")), found: None },
                Difference { path: "data.b".to_owned(), wanted: None, found: Some(json!("2")) },
            ]
        );
        let labelled = json!({"apiVersion": "v1", "metadata": {"labels": {"a": "1", "b": "2"}}});
        let plain = json!({"apiVersion": "v1", "metadata": {}});
        for (before, after) in [(&labelled, &plain), (&plain, &labelled)] {
            let found = changes(before, after);
            let paths: Vec<&str> = found.iter().map(|difference| difference.path.as_str()).collect();
            assert_eq!(paths, ["metadata.labels.a", "metadata.labels.b"]);
        }
        assert_eq!(shown("Secret", &found)[0].wanted, Some(json!("(hidden)")));
    }
}
