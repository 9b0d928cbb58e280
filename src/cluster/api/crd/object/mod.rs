//! Whether a custom object is as its schema and rules want it.

mod check;
mod embedded;
mod lists;

use serde_json::Value;

use super::CustomVersion;
use crate::cluster::api::status::{Fault, FieldError};

pub(super) use check::{counterpart, errors_at};

/// What is wrong with an object, in Kubernetes' order: schema, scale, embedded objects, lists, rules.
///
/// Of an update, what is unchanged is not held to the schema again. Name and metadata are checked elsewhere.
pub fn validate_object(version: &CustomVersion, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let schema = &*version.checks;
    let mut errors = check::errors(schema, object, old);
    if let Some(scale) = &version.scale {
        errors.extend(scale.errors(object));
    }
    errors.extend(embedded::errors(schema, object));
    if old.is_none_or(|old| lists::errors(schema, old).is_empty()) {
        errors.extend(lists::errors(schema, object));
    }
    if version.rules.is_empty() {
        return errors;
    }
    if errors.iter().any(blocks_rules) {
        let hint = "some validation rules were not checked because the object was invalid; correct the existing errors \
                    to complete validation";
        errors.push(FieldError::invalid("<nil>", Value::Null, hint));
    } else {
        errors.extend(version.rules.errors(schema, object, old));
    }
    errors
}

/// Rules may not be asked about objects with faults of these kinds.
fn blocks_rules(error: &FieldError) -> bool {
    matches!(
        error.fault,
        Fault::NotSupported(..) | Fault::Required(_) | Fault::TooLong(_) | Fault::TooMany(..) | Fault::TypeInvalid(..)
    )
}
