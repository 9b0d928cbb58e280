//! YAML, JSON, base64 and hashes.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use serde_json::Value as Json;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::{Answer, Arguments, base32, toml};
use crate::cluster::{gojson, yaml};
use crate::helm::template::value::Value;

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    let text = || args.text(0);
    // What cannot be read is an answer, too, not an error: charts look for `Error` in it.
    let fail = |message: String, list: bool| {
        if list {
            Value::list(vec![Value::text(message)])
        } else {
            Value::map([("Error".to_owned(), Value::text(message))])
        }
    };
    Some(match name {
        "toYaml" => args.at(0).map(|value| {
            let written = yaml::text(&value.to_json());
            Value::text(written.strip_suffix('\n').unwrap_or(&written))
        }),
        "toYamlPretty" => args.at(0).map(|value| {
            let written = indented(&yaml::text(&value.to_json()));
            Value::text(written.strip_suffix('\n').unwrap_or(&written))
        }),
        "fromYaml" | "fromYamlArray" => text().map(|text| {
            let list = name == "fromYamlArray";
            match yaml::value(&text) {
                Ok(Json::Null) if list => Value::list(Vec::new()),
                Ok(Json::Null) => Value::map([]),
                Ok(json) if json.is_array() == list && (list || json.is_object()) => Value::from_json(&json),
                Ok(json) => {
                    fail(format!("error unmarshaling JSON: while decoding JSON: {}", another(&json, list)), list)
                }
                Err(error) => {
                    let error = error.to_string();
                    let error = error
                        .strip_prefix("line 1: mapping values")
                        .map(|rest| format!("mapping values{rest}"))
                        .unwrap_or(error);
                    fail(format!("error converting YAML to JSON: yaml: {error}"), list)
                }
            }
        }),
        "fromJson" | "fromJsonArray" => text().map(|text| {
            let list = name == "fromJsonArray";
            match serde_json::from_str::<Json>(&text) {
                Ok(json) if json.is_array() == list && (list || json.is_object()) => Value::from_json(&json),
                Ok(Json::Null) if list => Value::list(Vec::new()),
                Ok(Json::Null) => Value::map([]),
                Ok(json) => fail(another(&json, list), list),
                Err(error) if error.is_eof() => fail("unexpected end of JSON input".to_owned(), list),
                Err(error) => fail(error.to_string(), list),
            }
        }),
        "toToml" => args.at(0).map(|value| Value::text(toml::write(value).unwrap_or_else(|why| why))),
        "fromToml" => text().map(|text| toml::read(&text).unwrap_or_else(|why| fail(why, false))),
        "toJson" => args.at(0).map(|value| Value::text(small(&gojson::compact(&value.to_json())))),
        "toRawJson" => args.at(0).map(|value| Value::text(unescaped(&small(&gojson::compact(&value.to_json()))))),
        "toPrettyJson" => args.at(0).map(|value| Value::text(pretty(&value.to_json()))),
        "b64enc" => text().map(|text| Value::text(STANDARD.encode(text))),
        "b64dec" => text().map(|text| {
            let plain = STANDARD.decode(&text).map_err(|error| match error {
                DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
                DecodeError::InvalidLength(length) => length,
                DecodeError::InvalidPadding => text.trim_end_matches('=').len(),
            });
            match plain {
                Ok(bytes) => Value::text(String::from_utf8_lossy(&bytes)),
                Err(at) => Value::text(format!("illegal base64 data at input byte {at}")),
            }
        }),
        "b32enc" => text().map(|text| Value::text(base32::encode(text.as_bytes()))),
        "b32dec" => text().map(|text| match base32::decode(&text) {
            Ok(bytes) => Value::text(String::from_utf8_lossy(&bytes)),
            Err(at) => Value::text(format!("illegal base32 data at input byte {at}")),
        }),
        "sha1sum" => text().map(|text| Value::text(hex(&<Sha1 as sha1::Digest>::digest(text)))),
        "sha256sum" => text().map(|text| Value::text(hex(&Sha256::digest(text)))),
        "sha512sum" => text().map(|text| Value::text(hex(&Sha512::digest(text)))),
        "adler32sum" => text().map(|text| Value::text(adler(&text).to_string())),
        _ => return None,
    })
}

/// What Go says of JSON that is of another kind.
fn another(json: &Json, list: bool) -> String {
    let is = match json {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    let wanted = if list { "[]interface {}" } else { "map[string]interface {}" };
    format!("json: cannot unmarshal {is} into Go value of type {wanted}")
}

/// Lists in mappings are set off by two blanks.
fn indented(text: &str) -> String {
    let (mut out, mut open): (String, Vec<usize>) = (String::new(), Vec::new());
    for line in text.split_inclusive('\n') {
        let column = line.len() - line.trim_start_matches(' ').len();
        let is_item = line[column..].starts_with("- ") || line[column..].trim_end() == "-";
        while open.last().is_some_and(|list| *list > column || (*list == column && !is_item)) {
            open.pop();
        }
        if is_item && open.last() != Some(&column) && !out.is_empty() {
            open.push(column);
        }
        if line.trim().is_empty() {
            out.push_str(line);
        } else {
            out.push_str(&"  ".repeat(open.len()));
            out.push_str(line);
        }
    }
    out
}

/// Go's JSON in lines, indented by two blanks.
fn pretty(json: &Json) -> String {
    let text = gojson::pretty(json);
    let lines = text.trim_end().lines().map(|line| {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}", " ".repeat(blanks / 2), &line[blanks..])
    });
    small(&lines.collect::<Vec<_>>().join("\n"))
}

/// `1e-07` as `1e-7`, outside of texts.
fn small(json: &str) -> String {
    let (mut out, mut within, mut escaped) = (String::with_capacity(json.len()), false, false);
    let bytes = json.as_bytes();
    for (at, c) in json.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => within = !within,
            '0' if !within && at > 1 && bytes.get(at - 1) == Some(&b'-') && bytes.get(at - 2) == Some(&b'e') => {
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

fn unescaped(json: &str) -> String {
    json.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn adler(text: &str) -> u32 {
    let (a, b) = text.bytes().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    (b << 16) | a
}
