//! JSON patch, JSON merge patch and strategic merge patch.
//!
//! Each gives the patched object, not yet decoded: unknown members and wrong types are found by the decoder, whose
//! complaint [`undecodable`] and [`undecodable_strategic`] turn into the answer of the real server.

pub(crate) mod go;
mod json;
mod merge;
mod order;
mod strategic;

use serde_json::Value;

pub use json::{json, unknown_members};
pub use merge::merge;
pub use strategic::{strategic, undecodable_strategic};

use super::status::{Details, FieldError, Refusal};
use crate::cluster::object::{GroupKind, Map};

/// 422 of a patch whose outcome cannot be decoded; `patched` is that outcome and `why` the decoder's complaint.
pub fn undecodable(patched: &Value, why: &str) -> Refusal {
    invalid(&patched.to_string(), why)
}

/// 422 that shows `shown` as the patch.
fn invalid(shown: &str, why: &str) -> Refusal {
    Refusal::invalid(&GroupKind::new("", ""), "", &[FieldError::invalid("patch", shown, why)])
}

/// Takes out of an object what a patch sets to null.
fn drop_nulled(target: &mut Map, patch: &Map) {
    if patch.values().any(Value::is_null) {
        target.retain(|name, _| !patch.get(name).is_some_and(Value::is_null));
    }
}

/// 422 without a reason to read.
fn unprocessable() -> Refusal {
    Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request")
        .with_details(Details::default())
}

/// 400 of a body that has the wrong shape; `wanted` is the Go type.
pub(super) fn wrong_body(body: &Value, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {wanted}", go::json_word(body))
}
