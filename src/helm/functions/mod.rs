//! The functions of charts: Go's own, sprig's as far as charts use them, and Helm's.

mod dicts;
mod encode;
mod lists;
mod logic;
mod numbers;
mod own;
mod strings;
mod times;

use super::template::go;
use super::template::run::Runner;
use super::template::value::Value;

type Answer = Result<Value, String>;

/// Functions of sprig that need keys, the network or real chance. Charts that call them are refused, not guessed at.
const REFUSED: [&str; 16] = [
    "genCA",
    "genSelfSignedCert",
    "genSignedCert",
    "genCAWithKey",
    "genSelfSignedCertWithKey",
    "genSignedCertWithKey",
    "genPrivateKey",
    "derivePassword",
    "htpasswd",
    "bcrypt",
    "encryptAES",
    "decryptAES",
    "buildCustomCert",
    "toToml",
    "fromToml",
    "urlParse",
];

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

/// Whether a function exists; one that exists may still be refused when it is called.
pub(super) fn is_known(name: &str) -> bool {
    let name = plain(name);
    let name = name.as_str();
    [
        &go::NAMES[..],
        &own::NAMES,
        &strings::NAMES,
        &lists::NAMES,
        &dicts::NAMES,
        &logic::NAMES,
        &numbers::NAMES,
        &encode::NAMES,
        &times::NAMES,
        &REFUSED,
    ]
    .iter()
    .any(|names| names.contains(&name))
}

/// Calls a function.
///
/// # Errors
/// When it does not like its arguments, or is none of those that work here.
pub(super) fn call(runner: &mut Runner<'_>, name: &str, arguments: &[Value], file: &str) -> Answer {
    let name = plain(name);
    let name = name.as_str();
    let args = Arguments { name, all: arguments };
    go::call(name, arguments)
        .or_else(|| own::call(runner, name, &args, file))
        .or_else(|| strings::call(name, &args))
        .or_else(|| lists::call(name, &args))
        .or_else(|| dicts::call(name, &args))
        .or_else(|| logic::call(name, &args))
        .or_else(|| numbers::call(name, &args))
        .or_else(|| encode::call(name, &args))
        .or_else(|| times::call(name, &args, runner.now))
        .unwrap_or_else(|| Err("this function is not supported here; render the chart with helm itself".to_owned()))
}

/// What a function was given.
struct Arguments<'a> {
    name: &'a str,
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
            Value::Nil => Ok(Vec::new()),
            other => Err(format!("a list is wanted, not {}", other.type_name())),
        }
    }

    fn map(&self, number: usize) -> Result<super::template::value::Dict, String> {
        match self.at(number)? {
            Value::Map(map) => Ok(map.clone()),
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
    value.print()
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
