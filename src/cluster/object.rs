//! Kubernetes objects as JSON: how to read them without a panic, and what identifies one.

use std::fmt;

use serde_json::Value;

/// The members of metadata in the order that people are used to: names first, bookkeeping last.
pub const METADATA: [&str; 14] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
];

/// A JSON object's members.
pub type Map = serde_json::Map<String, Value>;

/// Namespace and name; the namespace is empty for cluster-scoped objects. Sorts as `kubectl get -A` does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The namespace, or empty.
    pub namespace: Box<str>,
    /// The name.
    pub name: Box<str>,
}

impl Key {
    /// The key of an object in a namespace; `""` for cluster scope.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key that an object's metadata names.
    pub fn of(object: &Value) -> Self {
        Self::new(text(object, &["metadata", "namespace"]), text(object, &["metadata", "name"]))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(out, "{}/", self.namespace)?;
        }
        out.write_str(&self.name)
    }
}

/// Group and kind, as in `Deployment.apps`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKind {
    /// The API group; empty for the core.
    pub group: Box<str>,
    /// The kind.
    pub kind: Box<str>,
}

impl GroupKind {
    /// The kind `kind` of the group `group`.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.into(), kind: kind.into() }
    }

    /// Group and kind as a pair, to match on: `("apps", "Deployment")`.
    pub fn pair(&self) -> (&str, &str) {
        (&self.group, &self.kind)
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(out, ".{}", self.group)?;
        }
        Ok(())
    }
}

/// The group of an `apiVersion`: `apps` of `apps/v1`, empty for `v1`.
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The value at a path of member names.
pub fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

/// The text at a path; empty when there is none.
pub fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or("")
}

/// The whole number at a path.
pub fn int(value: &Value, path: &[&str]) -> Option<i64> {
    at(value, path).and_then(Value::as_i64)
}

/// Whether there is a `true` at a path.
pub fn flag(value: &Value, path: &[&str]) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or(false)
}

/// The items of the list at a path; empty when there is none.
pub fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The members of the object at a path.
pub fn map<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Map> {
    at(value, path).and_then(Value::as_object)
}

/// The place at a path, made of objects where there is nothing yet; anything in the way that is no object is replaced.
pub fn entry<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Value {
    let mut here = value;
    for name in path {
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        here = match here {
            Value::Object(members) => members.entry(*name).or_insert(Value::Null),
            _ => unreachable!("it was made an object just above"),
        };
    }
    here
}

/// Sets the value at a path, making the objects on the way.
pub fn set(value: &mut Value, path: &[&str], new: impl Into<Value>) {
    *entry(value, path) = new.into();
}

/// Sets the value at a path unless something is there.
pub fn set_default(value: &mut Value, path: &[&str], new: impl Into<Value>) {
    let place = entry(value, path);
    if place.is_null() {
        *place = new.into();
    }
}

/// Takes the value at a path away and gives it back.
pub fn remove(value: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, way) = path.split_last()?;
    let mut here = value;
    for name in way {
        here = here.get_mut(*name)?;
    }
    here.as_object_mut()?.shift_remove(*last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_and_writes_by_path() {
        let mut object = json!({"metadata": {"name": "a"}, "spec": 3});
        assert_eq!(text(&object, &["metadata", "name"]), "a");
        assert_eq!(text(&object, &["metadata", "namespace"]), "");
        set_default(&mut object, &["metadata", "name"], "b");
        set(&mut object, &["spec", "replicas"], 2);
        assert_eq!(object, json!({"metadata": {"name": "a"}, "spec": {"replicas": 2}}));
        assert_eq!(remove(&mut object, &["spec", "replicas"]), Some(json!(2)));
        assert_eq!(remove(&mut object, &["nothing", "here"]), None);
    }
}
