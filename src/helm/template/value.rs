//! What templates compute with. Mappings can be changed in place, as charts do with `set`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::helm::files::Files;

/// Deeper values are cut off: a mapping may have been put into itself.
pub(crate) const DEEPEST: usize = 100;

/// A mapping that all who have it share.
pub(crate) type Dict = Rc<RefCell<BTreeMap<String, Value>>>;

#[derive(Debug, Clone, Default)]
pub(crate) enum Value {
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    List(Rc<Vec<Value>>),
    Map(Dict),
    /// Something with methods.
    Native(Native),
}

#[derive(Debug, Clone)]
pub(crate) enum Native {
    Files(Rc<Files>),
    ApiVersions(Rc<Vec<String>>),
    KubeVersion(Rc<str>),
}

impl Value {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(text.as_ref().into())
    }

    pub(crate) fn list(items: Vec<Value>) -> Self {
        Self::List(Rc::new(items))
    }

    pub(crate) fn map(entries: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self::Map(Rc::new(RefCell::new(entries.into_iter().collect())))
    }

    /// From JSON; numbers are floating, as Helm reads them.
    pub(crate) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(yes) => Self::Bool(*yes),
            Json::Number(number) => number.as_f64().map_or(Self::Nil, Self::Float),
            Json::String(text) => Self::text(text),
            Json::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            Json::Object(members) => {
                Self::map(members.iter().map(|(key, value)| (key.clone(), Self::from_json(value))))
            }
        }
    }

    /// As JSON; what goes too deep is null.
    pub(crate) fn to_json(&self) -> Json {
        self.json_at(0)
    }

    fn json_at(&self, depth: usize) -> Json {
        if depth > DEEPEST {
            return Json::Null;
        }
        match self {
            Self::Nil => Json::Null,
            Self::Bool(yes) => Json::Bool(*yes),
            Self::Int(number) => Json::from(*number),
            Self::Float(number) => float_json(*number),
            Self::Text(text) => Json::String(text.to_string()),
            Self::List(items) => Json::Array(items.iter().map(|item| item.json_at(depth + 1)).collect()),
            Self::Map(map) => {
                let map = map.borrow();
                Json::Object(map.iter().map(|(key, value)| (key.clone(), value.json_at(depth + 1))).collect())
            }
            Self::Native(Native::Files(files)) => {
                Json::Object(files.all().map(|(path, text)| (path.to_owned(), Json::from(text))).collect())
            }
            Self::Native(Native::ApiVersions(all)) => Json::from(all.to_vec()),
            Self::Native(Native::KubeVersion(version)) => Json::from(&**version),
        }
    }

    /// Whether `if` takes it for true.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(yes) => *yes,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.borrow().is_empty(),
            Self::Native(_) => true,
        }
    }

    /// Go's word for its type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Native(Native::Files(_)) => "engine.files",
            Self::Native(Native::ApiVersions(_)) => "chartutil.VersionSet",
            Self::Native(Native::KubeVersion(_)) => "chartutil.KubeVersion",
        }
    }

    /// Go's word for its kind.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::List(_) => "slice",
            Self::Map(_) | Self::Native(_) => "map",
            other => other.type_name(),
        }
    }

    /// As `%v` and `{{ }}` print it.
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        self.print_to(&mut out, 0);
        out
    }

    fn print_to(&self, out: &mut String, depth: usize) {
        match self {
            _ if depth > DEEPEST => out.push_str("..."),
            Self::Nil => out.push_str("<nil>"),
            Self::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
            Self::Int(number) => out.push_str(&number.to_string()),
            Self::Float(number) => out.push_str(&float(*number)),
            Self::Text(text) => out.push_str(text),
            Self::List(items) => {
                out.push('[');
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        out.push(' ');
                    }
                    item.print_to(out, depth + 1);
                }
                out.push(']');
            }
            Self::Map(map) => {
                out.push_str("map[");
                for (number, (key, value)) in map.borrow().iter().enumerate() {
                    if number > 0 {
                        out.push(' ');
                    }
                    out.push_str(key);
                    out.push(':');
                    value.print_to(out, depth + 1);
                }
                out.push(']');
            }
            Self::Native(Native::Files(files)) => {
                out.push_str("map[");
                let all: Vec<String> = files.all().map(|(path, text)| format!("{path}:{text}")).collect();
                out.push_str(&all.join(" "));
                out.push(']');
            }
            Self::Native(Native::ApiVersions(all)) => out.push_str(&format!("[{}]", all.join(" "))),
            Self::Native(Native::KubeVersion(version)) => out.push_str(version),
        }
    }

    /// As a number, the way sprig casts.
    pub(crate) fn to_int(&self) -> i64 {
        match self {
            Self::Bool(yes) => i64::from(*yes),
            Self::Int(number) => *number,
            // Saturates.
            #[allow(clippy::cast_possible_truncation, reason = "the cast saturates, which is what is wanted")]
            Self::Float(number) => *number as i64,
            Self::Text(text) => text.trim().parse::<f64>().map_or(0, |number| Self::Float(number).to_int()),
            _ => 0,
        }
    }

    /// As a floating number, the way sprig casts.
    pub(crate) fn to_float(&self) -> f64 {
        match self {
            Self::Bool(yes) => f64::from(u8::from(*yes)),
            #[allow(clippy::cast_precision_loss, reason = "as in Go")]
            Self::Int(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Text(text) => text.trim().parse().unwrap_or(0.0),
            _ => 0.0,
        }
    }
}

fn float_json(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < 9.0e18 {
        return Json::from(Value::Float(number).to_int());
    }
    serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number)
}

/// Go's `%v` of a floating number: the shortest digits, with an exponent from a million on.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
