//! Reads members of JSON objects the way Go reads struct fields: what is absent is the zero value.

use serde_json::Value;

use crate::cluster::object::Map;

/// Members of an object, or of one that may not be there; anything that is no object has none.
pub(super) trait Read<'a>: Copy {
    /// The value itself.
    fn whole(self) -> Option<&'a Value>;

    /// A member, even one that is null.
    fn member(self, name: &str) -> Option<&'a Value> {
        self.whole().and_then(|value| value.get(name))
    }

    /// A member that is there and not null.
    fn part(self, name: &str) -> Option<&'a Value> {
        self.member(name).filter(|value| !value.is_null())
    }

    /// A text; empty when absent.
    fn text(self, name: &str) -> &'a str {
        self.member(name).and_then(Value::as_str).unwrap_or("")
    }

    /// A whole number.
    fn int(self, name: &str) -> Option<i64> {
        self.member(name).and_then(Value::as_i64)
    }

    /// True or false.
    fn flag(self, name: &str) -> Option<bool> {
        self.member(name).and_then(Value::as_bool)
    }

    /// A list; empty when absent.
    fn items(self, name: &str) -> &'a [Value] {
        self.member(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A map.
    fn members(self, name: &str) -> Option<&'a Map> {
        self.member(name).and_then(Value::as_object)
    }

    /// The text members of a map.
    fn texts(self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.members(name).into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// The texts of a list.
    fn strings(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.items(name).iter().filter_map(Value::as_str)
    }

    /// Whether there is such a text, even an empty one.
    fn has_text(self, name: &str) -> bool {
        self.member(name).is_some_and(Value::is_string)
    }

    /// Whether it is true.
    fn is_on(self, name: &str) -> bool {
        self.flag(name) == Some(true)
    }
}

impl<'a> Read<'a> for &'a Value {
    fn whole(self) -> Option<&'a Value> {
        Some(self)
    }
}

impl<'a> Read<'a> for Option<&'a Value> {
    fn whole(self) -> Option<&'a Value> {
        self
    }
}
