//! Whether an object that is applied fits its kind: server-side apply takes no unknown fields and no duplicates.

use serde_json::Value;

use super::element::Element;
use super::shape::Shape;
use crate::cluster::api::patch::go;
use crate::cluster::api::schema::{Field, Struct, Type};

/// What is wrong with an object, as the real server lists it; `None` when it fits.
pub(super) fn check(kind: &Struct, object: &Value) -> Option<String> {
    let mut findings = Findings::default();
    findings.object(kind, object, true);
    match findings.texts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("errors:\n  {}", several.join("\n  "))),
    }
}

#[derive(Default)]
struct Findings {
    path: String,
    texts: Vec<String>,
}

impl Findings {
    fn add(&mut self, what: impl std::fmt::Display) {
        let colon = if self.path.is_empty() { "" } else { ": " };
        self.texts.push(format!("{}{colon}{what}", self.path));
    }

    fn below(&mut self, step: &Element, look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(&step.to_string());
        look(self);
        self.path.truncate(length);
    }

    fn object(&mut self, kind: &Struct, value: &Value, root: bool) {
        let members = match value {
            Value::Object(members) => members,
            Value::Null => return,
            other => return self.add(format_args!("expected map, got &{{{}}}", go::plain(other))),
        };
        for (name, member) in members {
            let known = kind.field(name);
            let always = root && matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
            if known.is_none() && !kind.open && !always {
                self.below(&Element::field(name), |this| this.add("field not declared in schema"));
                return;
            }
            if let Some(field) = known {
                self.below(&Element::field(name), |this| this.value(field, member));
            }
        }
    }

    fn value(&mut self, field: &Field, value: &Value) {
        match &field.shape {
            Type::Any => {}
            Type::Struct(kind) => self.object(kind, value, false),
            Type::Map(of) => match value {
                Value::Object(members) => {
                    for (name, member) in members {
                        self.below(&Element::field(name), |this| this.value(of, member));
                    }
                }
                Value::Null => {}
                other => self.add(format_args!("expected map, got &{{{}}}", go::plain(other))),
            },
            Type::List(of) => match value {
                Value::Array(items) => self.list(field, of, items),
                Value::Null => {}
                other => self.add(format_args!("expected list, got &{{{}}}", go::plain(other))),
            },
            _ if value.is_null() => {}
            Type::String | Type::Bytes if !value.is_string() => {
                let shown = go::syntax(value);
                self.add(format_args!("expected string, got &value.valueUnstructured{{Value:{shown}}}"));
            }
            Type::Int32 | Type::Int64 | Type::Number if !value.is_number() => {
                let name = go::type_name(value);
                self.add(format_args!("expected numeric (int or float), got {name}"));
            }
            Type::Boolean if !value.is_boolean() => {
                self.add(format_args!("expected boolean, got &{{{}}}", go::plain(value)));
            }
            _ if value.is_array() || value.is_object() => {
                self.add(format_args!("expected any scalar, got &{{{}}}", go::plain(value)));
            }
            _ => {}
        }
    }

    fn list(&mut self, field: &Field, of: &Field, items: &[Value]) {
        let shape = Shape::of(field);
        let mut known = std::collections::BTreeSet::new();
        for (place, item) in items.iter().enumerate() {
            let step = if shape.is_list() {
                match shape.identify(item) {
                    Ok(element) => element,
                    Err(why) => return self.add(format_args!("element {place}: {why}")),
                }
            } else {
                Element::Index(i64::try_from(place).unwrap_or(i64::MAX))
            };
            if !known.insert(step.clone()) {
                self.add(format_args!("duplicate entries for key {step}"));
            }
            self.below(&step, |this| this.value(of, item));
        }
    }
}
