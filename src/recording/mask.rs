//! Secrets out of JSON values. Pure.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value;

use crate::panel::redact::Secrets;

/// No secret is shorter, with what it is known by.
const SHORTEST: usize = 8;
/// Texts that are remembered to be harmless.
const MOST_KNOWN: usize = 20_000;

/// Masks secrets. Most texts come again and again, so those without any are remembered.
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

    /// Masks the secrets in all texts of a value.
    pub fn mask(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.mask(field)),
            _ => {}
        }
    }

    /// Masks the secrets in a text.
    pub fn text(&mut self, text: &mut String) {
        if text.len() < SHORTEST {
            return;
        }
        let hash = self.hasher.hash_one(text.as_bytes());
        if self.harmless.contains(&hash) {
            return;
        }
        let masked = self.secrets.redact(text);
        if masked != *text {
            *text = masked;
            return;
        }
        if self.harmless.len() >= MOST_KNOWN {
            self.harmless.clear();
        }
        self.harmless.insert(hash);
    }
}
