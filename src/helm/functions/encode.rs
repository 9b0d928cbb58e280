//! YAML, JSON, base64 and hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{Answer, Arguments};
use crate::cluster::{gojson, yaml};
use crate::helm::template::value::Value;

pub(super) const NAMES: [&str; 17] = [
    "toYaml",
    "toYamlPretty",
    "fromYaml",
    "fromYamlArray",
    "toJson",
    "toRawJson",
    "toPrettyJson",
    "fromJson",
    "fromJsonArray",
    "b64enc",
    "b64dec",
    "sha1sum",
    "sha256sum",
    "adler32sum",
    "crc32sum",
    "b32enc",
    "uuidv5",
];

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
        "toYaml" | "toYamlPretty" => args.at(0).map(|value| {
            let written = yaml::text(&value.to_json());
            Value::text(written.strip_suffix('\n').unwrap_or(&written))
        }),
        "fromYaml" | "fromYamlArray" => text().map(|text| {
            let list = name == "fromYamlArray";
            match yaml::value(&text) {
                Ok(Json::Null) => {
                    if list {
                        Value::list(Vec::new())
                    } else {
                        Value::map([])
                    }
                }
                Ok(json) if json.is_array() == list && (list || json.is_object()) => Value::from_json(&json),
                Ok(_) => fail("error unmarshaling JSON: it is of another kind".to_owned(), list),
                Err(error) => fail(format!("error converting YAML to JSON: yaml: {error}"), list),
            }
        }),
        "fromJson" | "fromJsonArray" => text().map(|text| {
            let list = name == "fromJsonArray";
            match serde_json::from_str::<Json>(&text) {
                Ok(json) if json.is_array() == list && (list || json.is_object()) => Value::from_json(&json),
                Ok(_) => fail("json: cannot unmarshal it into Go value of another kind".to_owned(), list),
                Err(error) => fail(error.to_string(), list),
            }
        }),
        "toJson" => args.at(0).map(|value| {
            let json = gojson::compact(&value.to_json());
            Value::text(json)
        }),
        "toRawJson" => args.at(0).map(|value| Value::text(value.to_json().to_string())),
        "toPrettyJson" => {
            args.at(0).map(|value| Value::text(serde_json::to_string_pretty(&value.to_json()).unwrap_or_default()))
        }
        "b64enc" => text().map(|text| Value::text(STANDARD.encode(text))),
        "b64dec" => text().map(|text| match STANDARD.decode(&text).map(String::from_utf8) {
            Ok(Ok(plain)) => Value::text(plain),
            Ok(Err(_)) => Value::text("the bytes are no text"),
            Err(error) => Value::text(error.to_string()),
        }),
        "sha1sum" => text().map(|text| Value::text(hex(&<Sha1 as sha1::Digest>::digest(text)))),
        "sha256sum" => text().map(|text| Value::text(hex(&Sha256::digest(text)))),
        "adler32sum" => text().map(|text| Value::text(adler(&text).to_string())),
        _ => return None,
    })
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
