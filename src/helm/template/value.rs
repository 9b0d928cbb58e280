//! What templates compute with. Mappings can be changed in place, as charts do with `set`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Zoned;
use serde_json::Value as Json;

use super::semver::Semver;
use crate::helm::files::{Capable, Files};

/// Deeper values are cut off: a mapping may have been put into itself.
pub(crate) const DEEPEST: usize = 100;

/// A mapping that all who have it share.
pub(crate) type Dict = Rc<RefCell<BTreeMap<String, Value>>>;

#[derive(Debug, Clone, Default)]
pub(crate) enum Value {
    #[default]
    Nil,
    Bool(bool),
    /// Go's `int`.
    Int(i64),
    /// Go's `int64`, which is another type.
    Long(i64),
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
    /// What a file holds.
    Bytes(Rc<str>),
    ApiVersions(Rc<Vec<String>>),
    KubeVersion(Rc<str>),
    Capabilities(Rc<Capable>),
    Semver(Rc<Semver>),
    Time(Zoned),
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
            Self::Int(number) | Self::Long(number) => Json::from(*number),
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
            Self::Native(Native::Capabilities(all)) => Json::from(&*all.kube),
            Self::Native(Native::Bytes(text)) => Json::from(STANDARD.encode(&**text)),
            Self::Native(Native::Semver(version)) => Json::from(version.to_string()),
            Self::Native(Native::Time(time)) => Json::from(time.strftime("%Y-%m-%dT%H:%M:%S%:Q").to_string()),
        }
    }

    /// A whole number of either type.
    pub(crate) fn whole(&self) -> Option<i64> {
        match self {
            Self::Int(number) | Self::Long(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether `if` takes it for true.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(yes) => *yes,
            Self::Int(number) | Self::Long(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.borrow().is_empty(),
            Self::Native(Native::Files(files)) => files.all().next().is_some(),
            Self::Native(Native::ApiVersions(all)) => !all.is_empty(),
            Self::Native(Native::Bytes(text)) => !text.is_empty(),
            Self::Native(_) => true,
        }
    }

    /// Go's word for its type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Long(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Native(Native::Files(_)) => "engine.files",
            Self::Native(Native::ApiVersions(_)) => "chartutil.VersionSet",
            Self::Native(Native::KubeVersion(_)) => "chartutil.KubeVersion",
            Self::Native(Native::Capabilities(_)) => "*chartutil.Capabilities",
            Self::Native(Native::Bytes(_)) => "[]uint8",
            Self::Native(Native::Semver(_)) => "*semver.Version",
            Self::Native(Native::Time(_)) => "time.Time",
        }
    }

    /// Go's word for its kind.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::List(_) | Self::Native(Native::Bytes(_) | Native::ApiVersions(_)) => "slice",
            Self::Map(_) | Self::Native(Native::Files(_)) => "map",
            Self::Native(Native::Semver(_) | Native::Capabilities(_)) => "ptr",
            Self::Native(_) => "struct",
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
            Self::Int(number) | Self::Long(number) => out.push_str(&number.to_string()),
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
            Self::Native(Native::Capabilities(all)) => out.push_str(&all.kube),
            Self::Native(Native::Bytes(text)) => {
                let all: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
                out.push_str(&format!("[{}]", all.join(" ")));
            }
            Self::Native(Native::Semver(version)) => out.push_str(&version.to_string()),
            Self::Native(Native::Time(time)) => {
                out.push_str(&time.strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string());
            }
        }
    }

    /// As a number, the way sprig casts.
    pub(crate) fn to_int(&self) -> i64 {
        match self {
            Self::Bool(yes) => i64::from(*yes),
            Self::Int(number) | Self::Long(number) => *number,
            // Saturates.
            #[allow(clippy::cast_possible_truncation, reason = "the cast saturates, which is what is wanted")]
            Self::Float(number) => *number as i64,
            Self::Text(text) => whole(text),
            _ => 0,
        }
    }

    /// As a floating number, the way sprig casts.
    pub(crate) fn to_float(&self) -> f64 {
        match self {
            Self::Bool(yes) => f64::from(u8::from(*yes)),
            #[allow(clippy::cast_precision_loss, reason = "as in Go")]
            Self::Int(number) | Self::Long(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Text(text) => text.parse().unwrap_or(0.0),
            _ => 0.0,
        }
    }
}

/// A whole number as Go's programs write it: with a mark for its base, underscores, or zeros behind a point.
fn whole(text: &str) -> i64 {
    let plain = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    };
    match super::lex::number(plain) {
        Some(super::lex::Token::Int(number)) => number,
        _ => 0,
    }
}

fn float_json(number: f64) -> Json {
    // Whole numbers as their shortest digits say, as long as they fit.
    if number.fract() == 0.0 && number.abs() < 1e21 {
        let digits = format!("{number}");
        let whole = digits.parse::<i64>().map(Json::from).or_else(|_| digits.parse::<u64>().map(Json::from));
        if let Ok(whole) = whole {
            return whole;
        }
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
