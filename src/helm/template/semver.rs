//! A version as templates have it: with fields, and compared with others.

use std::fmt;

use super::value::{Native, Value};
use crate::helm::version::Version;

/// A version and how it was written.
#[derive(Debug, Clone)]
pub(crate) struct Semver {
    original: String,
    numbers: [u64; 3],
    pre: String,
    metadata: String,
    version: Version,
}

impl Semver {
    /// Reads a version.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let version = Version::parse(text).ok_or_else(|| "Invalid Semantic Version".to_owned())?;
        let plain = text.strip_prefix('v').unwrap_or(text);
        let (rest, metadata) = plain.split_once('+').unwrap_or((plain, ""));
        let (digits, pre) = rest.split_once('-').unwrap_or((rest, ""));
        let mut numbers = [0; 3];
        for (place, part) in numbers.iter_mut().zip(digits.split('.')) {
            *place = part.parse().unwrap_or(0);
        }
        Ok(Self { original: text.to_owned(), numbers, pre: pre.to_owned(), metadata: metadata.to_owned(), version })
    }

    pub(crate) fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let number = |at: usize| i64::try_from(self.numbers.get(at).copied().unwrap_or(0)).unwrap_or(i64::MAX);
        let other = || match arguments {
            [Value::Native(Native::Semver(other))] => Ok(self.version.cmp(&other.version)),
            [] => Err(format!("wrong number of args for {name}: want 1 got 0")),
            [other, ..] => Err(format!("wrong type for value; expected *semver.Version; got {}", other.type_name())),
        };
        Some(match name {
            "Major" => Ok(Value::Long(number(0))),
            "Minor" => Ok(Value::Long(number(1))),
            "Patch" => Ok(Value::Long(number(2))),
            "Prerelease" => Ok(Value::text(&self.pre)),
            "Metadata" => Ok(Value::text(&self.metadata)),
            "Original" => Ok(Value::text(&self.original)),
            "String" => Ok(Value::text(self.to_string())),
            "Compare" => other().map(|order| Value::Int(order as i64)),
            "Equal" => other().map(|order| Value::Bool(order.is_eq())),
            "LessThan" => other().map(|order| Value::Bool(order.is_lt())),
            "GreaterThan" => other().map(|order| Value::Bool(order.is_gt())),
            _ => return None,
        })
    }
}

impl fmt::Display for Semver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        if !self.pre.is_empty() {
            write!(out, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(out, "+{}", self.metadata)?;
        }
        Ok(())
    }
}
