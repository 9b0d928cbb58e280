//! Reads members of JSON objects the way Go reads struct fields: what is absent is the zero value.

use serde_json::Value;

use crate::cluster::object::Map;

/// Members of an object; anything that is no object has none.
pub(super) trait Read {
    /// A member that is there and not null.
    fn part(&self, name: &str) -> Option<&Value>;
    /// A text; empty when absent.
    fn text(&self, name: &str) -> &str;
    /// A whole number.
    fn int(&self, name: &str) -> Option<i64>;
    /// True or false.
    fn flag(&self, name: &str) -> Option<bool>;
    /// A list; empty when absent.
    fn items(&self, name: &str) -> &[Value];
    /// A map.
    fn members(&self, name: &str) -> Option<&Map>;
    /// The text members of a map.
    fn texts(&self, name: &str) -> impl Iterator<Item = (&str, &str)>;
    /// The texts of a list.
    fn strings(&self, name: &str) -> impl Iterator<Item = &str>;

    /// Whether there is such a text, even an empty one.
    fn has_text(&self, name: &str) -> bool {
        self.part(name).is_some_and(Value::is_string)
    }

    /// Whether it is true.
    fn is_on(&self, name: &str) -> bool {
        self.flag(name) == Some(true)
    }
}

impl Read for Value {
    fn part(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or("")
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    fn items(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn members(&self, name: &str) -> Option<&Map> {
        self.get(name).and_then(Value::as_object)
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        self.members(name).into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    fn strings(&self, name: &str) -> impl Iterator<Item = &str> {
        self.items(name).iter().filter_map(Value::as_str)
    }
}

impl Read for Option<&Value> {
    fn part(&self, name: &str) -> Option<&Value> {
        self.and_then(|value| value.part(name))
    }

    fn text(&self, name: &str) -> &str {
        self.map_or("", |value| Read::text(value, name))
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.and_then(|value| value.int(name))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.and_then(|value| value.flag(name))
    }

    fn items(&self, name: &str) -> &[Value] {
        self.map_or(&[], |value| value.items(name))
    }

    fn members(&self, name: &str) -> Option<&Map> {
        self.and_then(|value| value.members(name))
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        self.into_iter().flat_map(|value| value.texts(name))
    }

    fn strings(&self, name: &str) -> impl Iterator<Item = &str> {
        self.into_iter().flat_map(|value| value.strings(name))
    }
}
