//! Members that are filled in: the defaults of schemas, and the zero values that Go writes.

use serde_json::Value;

use super::conform::zero;
use super::{Field, Presence, Struct, Type};

/// Fills in the defaults that the schema gives, in all that is there and in what is filled in.
///
/// For custom resources these are the `default`s of the CRD. Of built-in kinds only a few are told by the schema (a
/// port's protocol); the others depend on more than the schema and are filled in by admission.
pub fn fill(kind: &Struct, object: &mut Value) {
    let (Some(fields), Value::Object(members)) = (kind.fields.get(), object) else { return };
    for (name, field) in fields {
        if let Some(default) = &field.default {
            let missing = members.get(name).is_none_or(|value| value.is_null() && !field.nullable);
            if missing {
                members.insert(name.clone(), default.clone());
            }
        }
    }
    for (name, value) in members {
        if let Some(field) = fields.get(name) {
            fill_value(field, value);
        }
    }
}

fn fill_value(field: &Field, value: &mut Value) {
    match (&field.shape, value) {
        (Type::Struct(kind), value) => fill(kind, value),
        (Type::Map(of), Value::Object(members)) => members.values_mut().for_each(|value| fill_element(of, value)),
        (Type::List(of), Value::Array(items)) => items.iter_mut().for_each(|item| fill_element(of, item)),
        _ => {}
    }
}

/// An item or map value, which the schema may give a default for `null`.
fn fill_element(of: &Field, value: &mut Value) {
    if let (Value::Null, Some(default), false) = (&*value, &of.default, of.nullable) {
        *value = default.clone();
    }
    fill_value(of, value);
}

/// Adds what the server writes of a built-in kind though nobody has set it, as `resources: {}`, `status: {}` and
/// `lastProbeTime: null`. It is the last thing to do to an object before it is stored: validation and admission tell
/// absent members from zero ones.
pub fn complete(kind: &Struct, object: &mut Value) {
    let (Some(fields), Value::Object(members)) = (kind.fields.get(), object) else { return };
    for (name, field) in fields {
        match members.get_mut(name) {
            Some(value) => complete_value(field, value),
            None => {
                let mut value = match field.presence {
                    Presence::Set | Presence::NonZero => continue,
                    Presence::Always => zero(&field.shape),
                    Presence::AlwaysNull => Value::Null,
                };
                complete_value(field, &mut value);
                members.insert(name.clone(), value);
            }
        }
    }
}

fn complete_value(field: &Field, value: &mut Value) {
    match (&field.shape, value) {
        (Type::Struct(kind), value) => complete(kind, value),
        (Type::Map(of), Value::Object(members)) => members.values_mut().for_each(|value| complete_value(of, value)),
        (Type::List(of), Value::Array(items)) => items.iter_mut().for_each(|item| complete_value(of, item)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::cluster::api::schema::builtin::builtin;

    #[test]
    fn built_in_kinds_get_the_few_defaults_that_the_schema_has() {
        let filled = |api_version: &str, kind: &str, mut object: Value| {
            fill(&builtin().kind(api_version, kind).expect(kind), &mut object);
            object
        };
        let pod = json!({"spec": {"containers": [{"ports": [{"containerPort": 80}, {"protocol": "UDP"}]}]}});
        let expected = json!({"spec": {"containers": [{"ports": [
            {"containerPort": 80, "protocol": "TCP"}, {"protocol": "UDP"},
        ]}]}});
        assert_eq!(filled("v1", "Pod", pod), expected);
        assert_eq!(filled("v1", "ReplicationController", json!({"spec": {}})), json!({"spec": {"replicas": 1}}));
        assert_eq!(filled("apps/v1", "ControllerRevision", json!({})), json!({}));
    }

    #[test]
    fn custom_resources_get_all_defaults_however_deep() {
        let of = |fields: Vec<(&str, Field)>| {
            let fields: BTreeMap<_, _> = fields.into_iter().map(|(name, field)| (name.to_owned(), field)).collect();
            Type::Struct(Struct { fields: fields.into(), ..Struct::default() }.into())
        };
        let with = |shape, default: Value| Field { default: Some(default), ..Field::new(shape) };
        let size = with(Type::Int64, json!(3));
        let nullable = Field { nullable: true, ..with(Type::String, json!("x")) };
        let inner = of(vec![("size", size), ("text", nullable)]);
        let fields = vec![
            ("made", with(inner.clone(), json!({}))),
            ("list", Field::new(Type::List(Field::new(inner.clone()).into()))),
            ("map", Field::new(Type::Map(with(inner.clone(), json!({"size": 9})).into()))),
            ("absent", Field::new(inner)),
        ];
        let Type::Struct(kind) = of(fields) else { unreachable!("it is a struct") };
        let mut object = json!({"list": [{"size": null, "text": null}, 5], "map": {"a": null}});
        fill(&kind, &mut object);
        let expected = json!({
            "made": {"size": 3, "text": "x"},
            "list": [{"size": 3, "text": null}, 5],
            "map": {"a": {"size": 9, "text": "x"}},
        });
        assert_eq!(object, expected);
    }

    #[test]
    fn what_go_always_writes_is_added() {
        let completed = |api_version: &str, kind: &str, mut object: Value| {
            complete(&builtin().kind(api_version, kind).expect(kind), &mut object);
            object
        };
        let deployment = json!({"metadata": {}, "spec": {"selector": {}, "template": {"spec": {"containers": [{
            "name": "a", "ports": [{"protocol": "TCP"}],
        }]}}}});
        let expected = json!({
            "metadata": {}, "status": {},
            "spec": {"selector": {}, "strategy": {}, "template": {"metadata": {}, "spec": {"containers": [{
                "name": "a", "ports": [{"protocol": "TCP", "containerPort": 0}], "resources": {},
            }]}}},
        });
        assert_eq!(completed("apps/v1", "Deployment", deployment), expected);
        let slice = json!({"metadata": {}, "addressType": "IPv4"});
        let expected = json!({"metadata": {}, "addressType": "IPv4", "endpoints": null, "ports": null});
        assert_eq!(completed("discovery.k8s.io/v1", "EndpointSlice", slice), expected);
        let status = json!({"metadata": {}, "spec": {"containers": []}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let condition = json!({"type": "Ready", "status": "True", "lastProbeTime": null, "lastTransitionTime": null});
        assert_eq!(completed("v1", "Pod", status)["status"]["conditions"][0], condition);
        let node = completed("v1", "Node", json!({}));
        assert_eq!(node["status"]["daemonEndpoints"], json!({"kubeletEndpoint": {"Port": 0}}));
        assert_eq!(completed("v1", "ConfigMap", json!({"data": {}})), json!({"data": {}, "metadata": {}}));
    }
}
