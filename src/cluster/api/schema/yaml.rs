//! YAML in the body of a request.

use serde_json::Value;

use super::decode::normalize_numbers;
use super::json::parse_json;
use crate::cluster::yaml::Composer;

/// Reads the first document of a body, with what strict reading finds: at most one finding, which names the keys that
/// are there twice. Nothing is `null`; of two keys the last holds.
///
/// # Errors
/// What is wrong, as the server says it.
pub fn parse_yaml(body: &[u8]) -> Result<(Value, Vec<String>), String> {
    // kubectl sends JSON as YAML. Where it is not plain JSON, the findings are told as YAML's.
    if body.starts_with(b"{")
        && let Ok((mut value, twice)) = parse_json(body)
        && twice.is_empty()
    {
        normalize_numbers(&mut value);
        return Ok((value, twice));
    }
    let converting = |error: String| format!("error converting YAML to JSON: {error}");
    let text = str::from_utf8(body).map_err(|_| converting("yaml: invalid leading UTF-8 octet".to_owned()))?;
    let mut composer = Composer::new(text);
    let value = composer.document().map_err(|error| converting(format!("yaml: {error}")))?.unwrap_or_default();
    let twice = composer.twice.iter().map(|(line, key)| format!("\n  line {line}: key {key:?} already set in map"));
    let twice: String = twice.collect();
    let finding = (!twice.is_empty()).then(|| format!("yaml: unmarshal errors:{twice}"));
    Ok((value, finding.into_iter().collect()))
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
