//! Tests of the kinds: whole objects after defaults, whole lists of what is wrong.

mod allocation;
mod autoscaling;
mod core;
mod laws;
mod others;
mod service;
mod storage;

use serde_json::{Value, json};

use super::{before_create, before_update, defaults, validate};
use crate::cluster::api::status::FieldError;
use crate::cluster::object::GroupKind;

/// `Ingress.networking.k8s.io` as a kind.
fn kind(name: &str) -> GroupKind {
    let (kind, group) = name.split_once('.').unwrap_or((name, ""));
    GroupKind::new(group, kind)
}

fn told(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(|error| format!("{}: {}", error.field, error.message())).collect()
}

/// What is wrong with a new object after defaults. Its metadata gets a name, and a namespace for kinds that have one.
fn refused(name: &str, mut object: Value) -> Vec<String> {
    name_it(name, &mut object);
    made(name, &mut object);
    let mut errors = Vec::new();
    assert!(validate(&kind(name), &object, None, &mut errors));
    told(&errors)
}

/// What is wrong with changing `old` to `new`, both after defaults.
fn refused_change(name: &str, mut old: Value, mut new: Value) -> Vec<String> {
    for object in [&mut old, &mut new] {
        name_it(name, object);
        defaults(&kind(name), object);
    }
    before_update(&kind(name), &mut new, &old);
    let mut errors = Vec::new();
    assert!(validate(&kind(name), &new, Some(&old), &mut errors));
    told(&errors)
}

/// A new object as it gets stored.
fn made(name: &str, object: &mut Value) {
    assert!(defaults(&kind(name), object), "{name}");
    assert!(before_create(&kind(name), object));
}

fn name_it(name: &str, object: &mut Value) {
    let known = super::find(&kind(name)).unwrap();
    if object.get("metadata").is_none() {
        object["metadata"] = json!({});
    }
    if object["metadata"].get("name").is_none() && object["metadata"].get("generateName").is_none() {
        object["metadata"]["name"] = "x".into();
    }
    if known.namespaced && object["metadata"].get("namespace").is_none() {
        object["metadata"]["namespace"] = "ns".into();
    }
}

/// The object after defaults and all else that happens to a new one, without its metadata.
fn stored(name: &str, mut object: Value) -> Value {
    made(name, &mut object);
    let mut again = object.clone();
    defaults(&kind(name), &mut again);
    assert_eq!(again, object, "defaults twice");
    if let Some(object) = object.as_object_mut() {
        object.shift_remove("metadata");
    }
    object
}
