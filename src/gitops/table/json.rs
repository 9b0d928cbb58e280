//! JSON as Go writes it: in one line, with the characters of HTML escaped.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A value in a line.
pub(super) fn line(value: &Value) -> String {
    let mut text = value.to_string();
    // Outside of strings none of these can stand.
    for (c, escape) in
        [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")]
    {
        if text.contains(c) {
            text = text.replace(c, escape);
        }
    }
    text.push('\n');
    text
}

/// An image and when it was built.
pub(super) fn image(reference: &str, created: Option<Timestamp>) -> Value {
    let mut members = Map::new();
    members.insert("ID".to_owned(), json!(reference));
    members.insert("Labels".to_owned(), json!({}));
    if let Some(created) = created {
        members.insert("CreatedAt".to_owned(), json!(created.to_string()));
    }
    Value::Object(members)
}

/// Members without those that are empty or zero.
pub(super) fn without_empty(members: &[(&str, Value)]) -> Value {
    let told = members.iter().filter(|(_, value)| {
        let empty =
            value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("") || value.as_u64() == Some(0);
        !empty
    });
    Value::Object(told.map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}
