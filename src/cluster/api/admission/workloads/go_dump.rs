//! Objects as kube-apiserver dumps its own Go structs into messages: every field there, under its Go name.
//!
//! Two messages carry such a dump: the changed template of a job, and the difference of a pod that may not change.
//! `go_types.txt` lists the fields of the internal types of 1.36 in their order: `Struct Field:kind …`, where a field
//! may name its JSON member (`CephFS=cephfs:…`), and the kinds are
//! `s` text, `i` number, `b` truth, `q` quantity, `v` number or text, `p` anything that may be null, `l` list of
//! scalars, `m` map, `S` label selector, `.T` struct, `*T` struct that may be null, `[]T` list of structs, `+T` members
//! of T in place, `^` before a field that the enclosing JSON object holds.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};

use super::read::Read;
use crate::cluster::object::{METADATA, Map};

type Types = HashMap<&'static str, Vec<Field>>;

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut words = line.split(' ');
        Some((words.next()?, words.map(Field::parse).collect()))
    };
    include_str!("go_types.txt").lines().filter_map(line).collect()
});

struct Field {
    go: &'static str,
    json: String,
    kind: Kind,
    /// The enclosing object holds it.
    outer: bool,
}

enum Kind {
    Text,
    Number,
    Truth,
    Quantity,
    NumberOrText,
    Nullable,
    List,
    Map,
    Selector,
    Struct(&'static str),
    NullableStruct(&'static str),
    Structs(&'static str),
    Inline(&'static str),
}

impl Field {
    fn parse(word: &'static str) -> Self {
        if let Some(name) = word.strip_prefix('+') {
            return Self { go: name, json: String::new(), kind: Kind::Inline(name), outer: false };
        }
        let (outer, word) = word.strip_prefix('^').map_or((false, word), |word| (true, word));
        let (names, kind) = word.split_once(':').unwrap_or((word, "p"));
        let (go, json) = match names.split_once('=') {
            Some((go, json)) => (go, json.to_owned()),
            None => (names, json_name(names)),
        };
        Self { go, json, kind: Kind::parse(kind), outer }
    }
}

impl Kind {
    fn parse(text: &'static str) -> Self {
        match text {
            "s" => Self::Text,
            "i" => Self::Number,
            "b" => Self::Truth,
            "q" => Self::Quantity,
            "v" => Self::NumberOrText,
            "l" => Self::List,
            "m" => Self::Map,
            "S" => Self::Selector,
            _ => {
                if let Some(name) = text.strip_prefix("[]") {
                    Self::Structs(name)
                } else if let Some(name) = text.strip_prefix('*') {
                    Self::NullableStruct(name)
                } else if let Some(name) = text.strip_prefix('.') {
                    Self::Struct(name)
                } else {
                    Self::Nullable
                }
            }
        }
    }
}

/// The JSON name that belongs to a Go name: `DNSPolicy` and `dnsPolicy`, `TTY` and `tty`.
fn json_name(go: &str) -> String {
    let capitals = go.bytes().take_while(u8::is_ascii_uppercase).count();
    let lowered = if capitals > 1 && capitals < go.len() && go.as_bytes()[capitals].is_ascii_lowercase() {
        capitals - 1
    } else {
        capitals.max(1)
    };
    let (start, rest) = go.split_at(lowered);
    start.to_ascii_lowercase() + rest
}

/// A JSON object as the Go struct `name`.
pub(super) fn go_struct(name: &str, object: &Value) -> Value {
    let mut members = Map::new();
    fill(name, Some(object), None, &mut members);
    Value::Object(members)
}

/// A label selector in Go's order.
pub(super) fn go_selector(selector: Option<&Value>) -> Value {
    let Some(selector) = selector.filter(|selector| selector.is_object()) else { return Value::Null };
    let mut members = Map::new();
    if let Value::Object(labels) = go_map(selector.part("matchLabels")) {
        members.insert("matchLabels".to_owned(), Value::Object(labels));
    }
    let expressions: Vec<_> = selector.items("matchExpressions").iter().map(requirement).collect();
    if !expressions.is_empty() {
        members.insert("matchExpressions".to_owned(), expressions.into());
    }
    Value::Object(members)
}

/// A map with its keys sorted; null when there is none.
pub(super) fn go_map(map: Option<&Value>) -> Value {
    let Some(map) = map.and_then(Value::as_object).filter(|map| !map.is_empty()) else { return Value::Null };
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Go's `json.MarshalIndent(value, "", " ")`.
pub(super) fn indented(value: &Value) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b" "));
    let written = value.serialize(&mut serializer).is_ok();
    let text = String::from_utf8(out).unwrap_or_default();
    if written { text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e") } else { String::new() }
}

fn requirement(expression: &Value) -> Value {
    let mut members = json!({"key": expression.text("key"), "operator": expression.text("operator")});
    if !expression.items("values").is_empty() {
        members["values"] = expression.items("values").to_vec().into();
    }
    members
}

fn fill(name: &str, object: Option<&Value>, outer: Option<&Value>, members: &mut Map) {
    if name == "ObjectMeta" {
        metadata(object.part("metadata"), members);
        return;
    }
    for field in TYPES.get(name).into_iter().flatten() {
        if let Kind::Inline(name) = field.kind {
            fill(name, object, outer, members);
            continue;
        }
        let holder = if field.outer { outer } else { object };
        members.insert(field.go.to_owned(), written(&field.kind, holder.part(&field.json), object));
    }
}

fn metadata(metadata: Option<&Value>, members: &mut Map) {
    for name in METADATA {
        let value = match name {
            "labels" | "annotations" => go_map(metadata.part(name)),
            _ => metadata.part(name).cloned().unwrap_or(Value::Null),
        };
        if !value.is_null() && value != "" {
            members.insert(name.to_owned(), value);
        }
    }
}

fn written(kind: &Kind, value: Option<&Value>, holder: Option<&Value>) -> Value {
    let or = |zero: Value| value.cloned().unwrap_or(zero);
    let of = |name: &str, value: Option<&Value>| {
        let mut members = Map::new();
        fill(name, value, holder, &mut members);
        Value::Object(members)
    };
    match kind {
        Kind::Text => or("".into()),
        Kind::Number | Kind::NumberOrText => or(0.into()),
        Kind::Truth => or(false.into()),
        Kind::Quantity => or("0".into()),
        Kind::Nullable => or(Value::Null),
        Kind::List => value.filter(|value| value.as_array().is_some_and(|items| !items.is_empty())).cloned().into(),
        Kind::Map => go_map(value),
        Kind::Selector => go_selector(value),
        Kind::Struct(name) | Kind::Inline(name) => of(name, value),
        Kind::NullableStruct(name) => value.map_or(Value::Null, |value| of(name, Some(value))),
        Kind::Structs(name) => match value.and_then(Value::as_array) {
            Some(items) if !items.is_empty() => items.iter().map(|item| of(name, Some(item))).collect(),
            _ => Value::Null,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_go() {
        let cases = [
            ("DNSPolicy", "dnsPolicy"),
            ("TTY", "tty"),
            ("HostIP", "hostIP"),
            ("SELinuxOptions", "seLinuxOptions"),
            ("AWSElasticBlockStore", "awsElasticBlockStore"),
            ("Name", "name"),
            ("OS", "os"),
        ];
        for (go, json) in cases {
            assert_eq!(json_name(go), json);
        }
    }

    #[test]
    fn every_type_that_is_named_is_there() {
        assert_eq!(TYPES.len(), include_str!("go_types.txt").lines().count(), "a type is there twice");
        for (name, fields) in TYPES.iter() {
            assert!(!fields.is_empty(), "{name}");
            for field in fields {
                let (Kind::Struct(used) | Kind::NullableStruct(used) | Kind::Structs(used) | Kind::Inline(used)) =
                    field.kind
                else {
                    continue;
                };
                assert!(used == "ObjectMeta" || TYPES.contains_key(used), "{name} names {used}");
            }
        }
    }

    #[test]
    fn a_template_is_dumped_with_the_zeros_of_go() {
        let template = json!({
            "metadata": {"labels": {"b": "2", "a": "1"}},
            "spec": {"hostNetwork": true, "securityContext": {}, "containers": [{"name": "c", "command": ["a && b"]}]},
        });
        let dump = go_struct("PodTemplateSpec", &template);
        let members: Vec<_> = dump.as_object().map(|dump| dump.keys().cloned().collect()).unwrap_or_default();
        assert_eq!(members, ["labels", "Spec"]);
        assert_eq!(dump["labels"].to_string(), "{\"a\":\"1\",\"b\":\"2\"}");
        assert_eq!(dump["Spec"]["Volumes"], Value::Null);
        assert_eq!(dump["Spec"]["SecurityContext"]["HostNetwork"], true);
        assert_eq!(
            dump["Spec"]["Containers"][0]["Resources"],
            json!({"Limits": null, "Requests": null, "Claims": null})
        );
        assert!(indented(&dump).contains("\n     \"a \\u0026\\u0026 b\"\n"));
    }
}
