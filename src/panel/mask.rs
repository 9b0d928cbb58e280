//! Secrets out of what panels show, and out of JSON values. Pure.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use serde_json::{Map, Value};

use super::redact::Secrets;
use super::state::Body;

/// No secret is shorter, with what it is known by.
const SHORTEST: usize = 8;
/// Texts that are remembered to be harmless.
const MOST_KNOWN: usize = 20_000;

/// Masks secrets. Most texts come again and again, so those without any are remembered.
#[derive(Debug)]
pub struct Masker {
    secrets: Secrets,
    harmless: HashSet<u64>,
    hasher: RandomState,
}

impl Masker {
    /// One for these secrets.
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets, harmless: HashSet::new(), hasher: RandomState::new() }
    }

    /// Masks the secrets in what a panel shows.
    pub fn body(&mut self, body: Body) -> Body {
        let Ok(mut value) = serde_json::to_value(&body) else { return body };
        if !self.mask(&mut value) {
            return body;
        }
        // What was masked has the same shape.
        serde_json::from_value(value).unwrap_or(Body::Waiting)
    }

    /// Masks the secrets in all texts of a value; says whether there were any.
    pub fn mask(&mut self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().fold(false, |any, item| self.mask(item) | any),
            Value::Object(fields) => self.object(fields),
            _ => false,
        }
    }

    /// A name and its value may stand in two cells of a row, or be the label and the value of a fact.
    fn object(&mut self, fields: &mut Map<String, Value>) -> bool {
        let mut any = fields.values_mut().fold(false, |any, field| self.mask(field) | any);
        if let (Some(Value::String(label)), Some(Value::String(value))) = (fields.get("label"), fields.get("value")) {
            let masked = self.secrets.redact(&format!("{label}: {value}"));
            if let Some(value) = masked.strip_prefix(&format!("{label}: ")).filter(|masked| *masked != value) {
                fields.insert("value".to_owned(), value.into());
                any = true;
            }
        }
        any
    }

    fn text(&mut self, text: &mut String) -> bool {
        if text.len() < SHORTEST {
            return false;
        }
        let hash = self.hasher.hash_one(text.as_bytes());
        if self.harmless.contains(&hash) {
            return false;
        }
        let masked = self.secrets.redact(text);
        if masked != *text {
            *text = masked;
            return true;
        }
        if self.harmless.len() >= MOST_KNOWN {
            self.harmless.clear();
        }
        self.harmless.insert(hash);
        false
    }
}
