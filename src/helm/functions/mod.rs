//! The functions of charts: Go's own, sprig's as far as charts use them, and Helm's.

mod base32;
mod cases;
mod decimal;
mod dicts;
mod encode;
mod lists;
mod logic;
mod numbers;
mod own;
pub(super) mod signature;
mod strings;
pub(super) mod times;
mod toml;
mod urls;

use self::signature::Signature;
use super::template::go;
use super::template::run::Runner;
use super::template::value::{Native, Value};

type Answer = Result<Value, String>;

/// Why a function gives nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// It could not do it.
    Says(String),
    /// The chart itself says no, and these are its words.
    Refused(String),
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::Says(message)
    }
}

/// Names without `must` in front, which in sprig means that errors are errors; here they always are.
fn plain(name: &str) -> String {
    match name.strip_prefix("must") {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_uppercase()) => {
            let mut chars = rest.chars();
            chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
        }
        _ => name.to_owned(),
    }
}

/// What a function wants, if there is one of that name; one that exists may still be refused when it is called.
pub(super) fn signature(name: &str) -> Option<Signature> {
    signature::of(&plain(name))
}

/// Whether a function exists.
pub(super) fn is_known(name: &str) -> bool {
    signature(name).is_some()
}

/// Calls a function, whose signature the arguments fit.
///
/// # Errors
/// When it does not like its arguments, or needs keys, the network or real chance: charts that call such a one are
/// refused, not guessed at.
pub(super) fn call(runner: &mut Runner<'_>, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
    let called = name;
    let name = plain(name);
    let name = name.as_str();
    let args = Arguments { name, must: called != name, all: arguments };
    if let Some(answer) = own::call(runner, name, &args) {
        return answer;
    }
    let refused = || Err("this function is not supported here; render the chart with helm itself".to_owned());
    let answer = strings::call(name, &args)
        .or_else(|| lists::call(name, &args))
        .or_else(|| dicts::call(name, &args))
        .or_else(|| logic::call(name, &args))
        .or_else(|| numbers::call(name, &args))
        .or_else(|| encode::call(name, &args))
        .or_else(|| times::call(name, &args, runner.now))
        .or_else(|| urls::call(name, &args))
        .or_else(|| go::call(name, arguments))
        .unwrap_or_else(refused);
    answer.map_err(Fault::Says)
}

/// What a function was given.
struct Arguments<'a> {
    name: &'a str,
    /// Called with `must` in front.
    must: bool,
    all: &'a [Value],
}

impl<'a> Arguments<'a> {
    fn at(&self, number: usize) -> Result<&'a Value, String> {
        self.all.get(number).ok_or_else(|| {
            format!("wrong number of args for {}: want at least {} got {}", self.name, number + 1, self.all.len())
        })
    }

    fn last(&self) -> Result<&'a Value, String> {
        self.at(self.all.len().saturating_sub(1))
    }

    /// Text, or what prints as such.
    fn text(&self, number: usize) -> Result<String, String> {
        match self.at(number)? {
            Value::Nil => {
                Err(format!("wrong type for value; expected string; got interface {{}} (argument {})", number + 1))
            }
            Value::Text(text) => Ok(text.to_string()),
            other => Err(format!("wrong type for value; expected string; got {}", other.type_name())),
        }
    }

    fn int(&self, number: usize) -> Result<i64, String> {
        self.at(number).map(Value::to_int)
    }

    fn size(&self, number: usize) -> Result<usize, String> {
        let given = self.int(number)?;
        usize::try_from(given)
            .ok()
            .filter(|size| *size <= MOST)
            .ok_or_else(|| format!("{given} is no size that can be"))
    }

    fn list(&self, number: usize) -> Result<Vec<Value>, String> {
        match self.at(number)? {
            Value::List(items) => Ok(items.to_vec()),
            Value::Native(Native::ApiVersions(all)) => Ok(all.iter().map(Value::text).collect()),
            Value::Native(Native::Bytes(text)) => Ok(text.bytes().map(|byte| Value::Int(i64::from(byte))).collect()),
            Value::Nil => Err("runtime error: invalid memory address or nil pointer dereference".to_owned()),
            other => Err(match self.name {
                "append" | "push" => format!("Cannot push on type {}", other.kind_name()),
                "prepend" | "compact" => format!("Cannot {} on type {}", self.name, other.kind_name()),
                "concat" => format!("Cannot concat type {} as list", other.kind_name()),
                "chunk" => format!("Cannot chunk type {}", other.kind_name()),
                "slice" => format!("list should be type of slice or array but {}", other.kind_name()),
                name => format!("Cannot find {name} on type {}", other.kind_name()),
            }),
        }
    }

    /// A mapping; nil is one without anything.
    fn map(&self, number: usize) -> Result<super::template::value::Dict, String> {
        match self.at(number)? {
            Value::Map(map) => Ok(map.clone()),
            Value::Nil => Ok(super::template::value::Dict::default()),
            other => {
                Err(format!("wrong type for value; expected map[string]interface {{}}; got {}", other.type_name()))
            }
        }
    }
}

/// The most that is repeated or counted at once.
const MOST: usize = 1 << 20;

/// How sprig makes text of anything.
fn strval(value: &Value) -> String {
    match value {
        Value::Native(Native::Bytes(text)) => text.to_string(),
        value => value.print(),
    }
}

fn strings_of(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().filter(|item| !matches!(item, Value::Nil)).map(strval).collect(),
        Value::Nil => Vec::new(),
        other => vec![strval(other)],
    }
}

fn texts(items: impl IntoIterator<Item = String>) -> Value {
    Value::list(items.into_iter().map(Value::text).collect())
}
