//! Where validation gathers what is wrong, and the checks that many kinds share.

use serde_json::Value;

use super::kind::Kind;
use crate::cluster::api::admission::names;
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::object::{Map, at, list};
use crate::cluster::quantity::Quantity;

/// What Kubernetes says of a field that may not change.
pub(super) const IMMUTABLE: &str = "field is immutable";
/// What it says of a number below zero.
pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
/// What it says of a number that should be above zero.
pub(super) const POSITIVE: &str = "must be greater than zero";
/// The protocols that a port can have.
pub(super) const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// The errors found so far in an object of a kind.
pub(super) struct Check<'e> {
    pub(super) kind: &'static Kind,
    pub(super) errors: &'e mut Vec<FieldError>,
}

impl Check<'_> {
    /// A field that has to be there.
    pub(super) fn required(&mut self, field: impl Into<String>, hint: &str) {
        self.errors.push(FieldError::required(field, hint));
    }

    /// A value that cannot be.
    pub(super) fn invalid(&mut self, field: impl Into<String>, value: impl Into<Value>, hint: impl Into<String>) {
        self.errors.push(FieldError::invalid(field, value, hint));
    }

    /// A field that may not be set.
    pub(super) fn forbidden(&mut self, field: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(FieldError::forbidden(field, hint));
    }

    /// A value that is there twice.
    pub(super) fn duplicate(&mut self, field: impl Into<String>, value: impl Into<Value>) {
        self.errors.push(FieldError::duplicate(field, value));
    }

    /// More bytes than can be.
    pub(super) fn too_long(&mut self, field: impl Into<String>, most: usize) {
        let fault = Fault::TooLong(format!("may not be more than {most} bytes"));
        self.errors.push(FieldError { field: field.into(), fault });
    }

    /// A value that none of the supported ones is.
    pub(super) fn unsupported(&mut self, field: impl Into<String>, value: impl Into<Value>, supported: &[&str]) {
        self.errors.push(FieldError::not_supported(field, value, supported));
    }

    /// One error for each sentence said of a value.
    pub(super) fn sentences(&mut self, field: &str, value: &str, sentences: Vec<String>) {
        for sentence in sentences {
            self.invalid(field, value, sentence);
        }
    }

    /// A text that has to be one of some.
    pub(super) fn one_of(&mut self, field: &str, value: &str, supported: &[&str]) {
        if !supported.contains(&value) {
            self.unsupported(field, value, supported);
        }
    }

    /// A text that has to be there and one of some.
    pub(super) fn required_one_of(&mut self, field: &str, value: &str, supported: &[&str]) {
        if value.is_empty() { self.required(field, "") } else { self.one_of(field, value, supported) }
    }

    /// A text that has to be there and follow a rule.
    pub(super) fn required_name(&mut self, field: &str, value: &str, rule: fn(&str) -> Vec<String>) {
        if value.is_empty() { self.required(field, "") } else { self.sentences(field, value, rule(value)) }
    }

    /// A member that may not change; reported as `field`.
    pub(super) fn immutable(&mut self, field: &str, new: &Value, old: &Value, path: &[&str]) {
        let (new, old) = (at(new, path), at(old, path));
        if !same(new, old) {
            self.invalid(field, new.cloned().unwrap_or_default(), IMMUTABLE);
        }
    }

    /// The number of a port.
    pub(super) fn port(&mut self, field: impl Into<String>, port: i64) {
        if !(1..=65535).contains(&port) {
            self.invalid(field, port, names::PORT);
        }
    }

    /// A number that may not be below zero.
    pub(super) fn not_negative(&mut self, field: &str, number: Option<i64>) {
        if let Some(number) = number.filter(|number| *number < 0) {
            self.invalid(field, number, NOT_NEGATIVE);
        }
    }

    /// A quantity that may not be below zero, and has to be whole for things that are counted.
    pub(super) fn quantity(&mut self, field: &str, value: &Value, counted: bool) {
        let Some(amount) = Quantity::read(value) else { return };
        if amount.sign().is_lt() {
            self.invalid(field, amount, NOT_NEGATIVE);
        }
        if counted && !amount.is_whole() {
            self.invalid(field, amount, "must be an integer");
        }
    }

    /// The items of a list with their paths.
    pub(super) fn items<'v>(
        &mut self,
        object: &'v Value,
        path: &[&str],
        mut each: impl FnMut(&mut Self, &str, &'v Value),
    ) {
        for (index, item) in list(object, path).iter().enumerate() {
            each(self, &format!("{}[{index}]", path.join(".")), item);
        }
    }
}

/// Whether two members are the same, taking what is empty as absent, which Go's encoding does not tell apart.
pub(super) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left.filter(|value| !is_empty(value)), right.filter(|value| !is_empty(value))) {
        (Some(left), Some(right)) => alike(left, right),
        (None, None) => true,
        _ => false,
    }
}

fn alike(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            names.into_iter().all(|name| same(left.get(name), right.get(name)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| alike(left, right))
        }
        _ => left == right,
    }
}

/// Whether a value is what Go leaves out.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The entries of a map of texts; what is no text counts as empty.
pub(super) fn entries(members: Option<&Map>) -> impl Iterator<Item = (&str, &str)> {
    members.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or("")))
}

/// The texts of a list.
pub(super) fn texts<'v>(object: &'v Value, path: &[&str]) -> impl Iterator<Item = &'v str> {
    list(object, path).iter().filter_map(Value::as_str)
}
