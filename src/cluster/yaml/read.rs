//! Reading: YAML or JSON, one document or many.

use serde_json::Value;

use super::Composer;

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
}

/// The documents of a text, up to the first that cannot be read; empty ones are left out.
pub fn documents(text: &str) -> Vec<Result<Value, Error>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return json(text);
    }
    let mut found = Vec::new();
    let mut first_line = 0;
    for part in parts(text) {
        match value(part) {
            Ok(Value::Null) => {}
            Ok(value) => found.push(Ok(value)),
            Err(error) => {
                found.push(Err(Error { line: error.line + first_line, ..error }));
                break;
            }
        }
        first_line += part.matches('\n').count() + 1;
    }
    found
}

/// JSON objects one after the other.
fn json(text: &str) -> Vec<Result<Value, Error>> {
    let mut found = Vec::new();
    for read in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let read = read.map_err(|error| Error { message: error.to_string(), line: error.line() });
        // `{a: b}` and `{{ template }}` are YAML, or wrong YAML.
        if read.is_err() && found.is_empty() {
            return vec![value(text)];
        }
        let failed = read.is_err();
        found.push(read);
        if failed {
            break;
        }
    }
    found
}

/// Cuts a text at lines of `---`.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut position) = (0, 0);
    for line in text.split_inclusive('\n') {
        let rest = line.strip_prefix("---").map(str::trim);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#')) {
            parts.push(text.get(start..position).unwrap_or(""));
            start = position + line.len();
        }
        position += line.len();
    }
    parts.push(text.get(start..).unwrap_or(""));
    parts
}

/// The value of the first document; null when there is none. Of keys that are there twice the last holds.
///
/// # Errors
/// When it is no YAML.
pub fn value(text: &str) -> Result<Value, Error> {
    Ok(Composer::new(text).document()?.unwrap_or_default())
}
