//! One step of a field's path: a member, an item by its keys, an item by its value, or a place.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Number, Value};

use crate::cluster::api::patch::go;

/// One step of a path. Members sort before keyed items, those before items of sets, those before places.
#[derive(Debug, Clone)]
pub enum Element {
    /// `f:NAME`: a member of a map or object.
    Field(Box<str>),
    /// `k:{…}`: an item of a list by the members that identify it, sorted by name.
    Key(Vec<(Box<str>, Value)>),
    /// `v:VALUE`: an item of a set.
    Value(Box<Value>),
    /// `i:PLACE`: an item by its place.
    Index(i64),
}

/// Why a text is no element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Its type is not known; it is to be left out.
    Unknown,
    /// It is broken.
    Broken(String),
}

impl Element {
    /// The member of a name.
    pub fn field(name: &str) -> Self {
        Self::Field(name.into())
    }

    /// The item of these keys.
    pub(super) fn key(mut keys: Vec<(Box<str>, Value)>) -> Self {
        keys.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self::Key(keys)
    }

    /// Reads `f:name`, `k:{"name":"x"}`, `v:"x"` or `i:0`.
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let broken = |why: &dyn fmt::Display| Unreadable::Broken(format!("{why}"));
        let json = |text| serde_json::from_str::<Value>(text).map_err(|error| broken(&error));
        let (kind, rest) = match (text.get(..1), text.get(1..2), text.get(2..)) {
            (Some(kind), Some(":"), Some(rest)) => (kind, rest),
            _ if text.len() < 2 => return Err(broken(&"key must be 2 characters long:")),
            _ => return Err(broken(&format_args!("missing colon: {text}"))),
        };
        match kind {
            "f" => Ok(Self::field(rest)),
            "v" => Ok(Self::Value(Box::new(json(rest)?))),
            "i" => rest.parse().map(Self::Index).map_err(|error| broken(&error)),
            "k" => match json(rest)? {
                Value::Object(keys) => {
                    Ok(Self::key(keys.into_iter().map(|(name, value)| (name.into(), value)).collect()))
                }
                _ => Err(broken(&format_args!("not an object: {rest}"))),
            },
            _ => Err(Unreadable::Unknown),
        }
    }

    /// Appends its text in `FieldsV1`.
    pub(super) fn print(&self, out: &mut String) {
        match self {
            Self::Field(name) => {
                out.push_str("f:");
                out.push_str(name);
            }
            Self::Key(keys) => {
                out.push_str("k:{");
                for (place, (name, value)) in keys.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    go::write_json(&Value::from(&**name), out);
                    out.push(':');
                    go::write_json(value, out);
                }
                out.push('}');
            }
            Self::Value(value) => {
                out.push_str("v:");
                go::write_json(value, out);
            }
            Self::Index(place) => out.push_str(&format!("i:{place}")),
        }
    }

    /// Its text, written over what is in `out`.
    pub(super) fn name<'a>(&self, out: &'a mut String) -> &'a str {
        out.clear();
        self.print(out);
        out
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

/// As in a conflict's field: `.spec`, `[name="x"]`, `[="x"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(out, ".{name}"),
            Self::Key(keys) => {
                out.write_str("[")?;
                for (place, (name, value)) in keys.iter().enumerate() {
                    let comma = if place > 0 { "," } else { "" };
                    write!(out, "{comma}{name}={}", shown(value))?;
                }
                out.write_str("]")
            }
            Self::Value(value) => write!(out, "[={}]", shown(value)),
            Self::Index(place) => write!(out, "[{place}]"),
        }
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                let pairs = a.iter().zip(b).map(|(a, b)| a.0.cmp(&b.0).then_with(|| compare(&a.1, &b.1)));
                pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
            }
            (Self::Value(a), Self::Value(b)) => compare(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Element {}

/// Orders any two values: numbers, texts, booleans, lists, objects, null.
fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => a.to_string().cmp(&b.to_string()),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Ordering {
    let ((a, rest_of_a), (b, rest_of_b)) = (parts(a), parts(b));
    a.cmp(&b).then(rest_of_a.total_cmp(&rest_of_b))
}

/// A number as its whole part and what is left, so that whole numbers and others compare exactly.
fn parts(number: &Number) -> (i128, f64) {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole, number.as_f64()) {
        (Some(whole), _) => (whole, 0.0),
        (None, Some(float)) if float.abs() < 1e30 => (float.floor() as i128, float - float.floor() + 0.0),
        (None, float) => {
            let float = float.unwrap_or_default();
            (if float < 0.0 { i128::MIN } else { i128::MAX }, float)
        }
    }
}

/// Whether two values are the same; `1` and `1.0` are.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || compare_numbers(a, b).is_eq(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => go::quoted(text),
        Value::Null => "null".to_owned(),
        other => go::plain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_printed_and_shown() {
        let cases = [
            ("f:name", "f:name", ".name"),
            ("f:a:b/c", "f:a:b/c", ".a:b/c"),
            (
                r#"k:{"protocol":"TCP", "containerPort":80}"#,
                r#"k:{"containerPort":80,"protocol":"TCP"}"#,
                r#"[containerPort=80,protocol="TCP"]"#,
            ),
            (r#"k:{"name":"a<b"}"#, r#"k:{"name":"a\u003cb"}"#, r#"[name="a<b"]"#),
            (r#"k:{"port":80.0}"#, r#"k:{"port":80}"#, "[port=80]"),
            (r#"v:"x""#, r#"v:"x""#, r#"[="x"]"#),
            ("v:1.5", "v:1.5", "[=1.5]"),
            ("v:true", "v:true", "[=true]"),
            ("i:7", "i:7", "[7]"),
        ];
        for (text, printed, display) in cases {
            let element = Element::parse(text).unwrap();
            let mut out = String::new();
            element.print(&mut out);
            assert_eq!((out.as_str(), element.to_string().as_str()), (printed, display));
        }
        assert_eq!(Element::parse("x:1"), Err(Unreadable::Unknown));
        for broken in ["", "f", "ff", "é:", "k:1", "k:{", "v:", "i:x"] {
            assert!(matches!(Element::parse(broken), Err(Unreadable::Broken(_))), "{broken}");
        }
    }

    #[test]
    fn elements_sort_by_type_then_by_value() {
        let texts = [
            "f:a",
            "f:b",
            r#"k:{"a":1}"#,
            r#"k:{"a":1,"b":1}"#,
            r#"k:{"port":80}"#,
            r#"k:{"port":443}"#,
            r#"k:{"port":"80"}"#,
            "v:2",
            "v:10",
            r#"v:"a""#,
            "v:true",
            "i:2",
            "i:10",
        ];
        let elements: Vec<_> = texts.iter().map(|text| Element::parse(text).unwrap()).collect();
        assert!(elements.is_sorted());
        assert_eq!(Element::parse("v:1").unwrap(), Element::parse("v:1.0").unwrap());
    }
}
