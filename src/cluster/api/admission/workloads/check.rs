//! Small checks that many fields share.

use serde_json::Value;

use super::read::Read;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::{self, Faults};
use crate::cluster::api::status::FieldError;

/// What is wrong with an object, in the order of kube-apiserver.
pub(super) type Errors = Vec<FieldError>;

/// The sentence about a number below zero.
pub(super) const NEGATIVE: &str = "must be greater than or equal to 0";

/// The sentence about a number that is not above zero.
pub(super) const NOT_POSITIVE: &str = "must be greater than zero";

/// Texts that have to be there.
pub(super) fn required<'a>(of: impl Read<'a>, members: &[&str], at: &Path<'_>, errors: &mut Errors) {
    for member in members.iter().filter(|member| of.text(member).is_empty()) {
        errors.push(FieldError::required(at.child(member), ""));
    }
}

/// A text that has to be there and to keep a rule.
pub(super) fn named(value: &str, rule: fn(&str) -> Faults, at: &Path<'_>, errors: &mut Errors) {
    if value.is_empty() {
        errors.push(FieldError::required(at, ""));
    } else {
        invalid(at, value, rule(value), errors);
    }
}

/// A text that keeps a rule unless it is empty.
pub(super) fn optional<'a>(
    of: impl Read<'a>,
    member: &str,
    rule: fn(&str) -> Faults,
    at: &Path<'_>,
    errors: &mut Errors,
) {
    let value = of.text(member);
    if !value.is_empty() {
        invalid(&at.child(member), value, rule(value), errors);
    }
}

/// A text that has to be one of several.
pub(super) fn one_of<'a>(of: impl Read<'a>, member: &str, known: &[&str], at: &Path<'_>, errors: &mut Errors) {
    match of.text(member) {
        "" => errors.push(FieldError::required(at.child(member), "")),
        value if !known.contains(&value) => errors.push(FieldError::not_supported(at.child(member), value, known)),
        _ => {}
    }
}

/// A text that has to be one of several if it is there.
pub(super) fn one_of_if_set<'a>(of: impl Read<'a>, member: &str, known: &[&str], at: &Path<'_>, errors: &mut Errors) {
    if let Some(value) = of.part(member).and_then(Value::as_str).filter(|value| !known.contains(value)) {
        errors.push(FieldError::not_supported(at.child(member), value, known));
    }
}

/// Numbers that may not be below zero.
pub(super) fn not_negative<'a>(of: impl Read<'a>, members: &[&str], at: &Path<'_>, errors: &mut Errors) {
    for member in members {
        if let Some(value) = of.int(member).filter(|&value| value < 0) {
            errors.push(FieldError::invalid(at.child(member), value, NEGATIVE));
        }
    }
}

/// A number that keeps a rule if it is there.
pub(super) fn number<'a>(of: impl Read<'a>, member: &str, rule: fn(i64) -> Faults, at: &Path<'_>, errors: &mut Errors) {
    if let Some(value) = of.int(member) {
        errors.extend(rule(value).into_iter().map(|fault| FieldError::invalid(at.child(member), value, fault)));
    }
}

/// A path that leads down from where it stands.
pub(super) fn descending(path: &str, at: &Path<'_>, errors: &mut Errors) {
    if path.starts_with('/') {
        errors.push(FieldError::invalid(at, path, "must be a relative path"));
    }
    no_backsteps(path, at, errors);
}

/// A path without `..` as one of its steps.
pub(super) fn no_backsteps(path: &str, at: &Path<'_>, errors: &mut Errors) {
    if path.split('/').any(|step| step == "..") {
        errors.push(FieldError::invalid(at, path, "must not contain '..'"));
    }
}

/// A number of a port or the name of one.
pub(super) fn port(value: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    match value {
        Some(Value::String(name)) => invalid(at, name, text::port_name(name), errors),
        value => {
            let port = value.and_then(Value::as_i64).unwrap_or(0);
            errors.extend(text::port_number(port).into_iter().map(|fault| FieldError::invalid(at, port, fault)));
        }
    }
}
