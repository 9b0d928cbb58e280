//! Label selectors: whether one is well made, and whether it matches labels.

use serde_json::Value;

use super::check::Errors;
use super::read::Read;
use crate::cluster::api::admission::metadata::{invalid, validate_labels};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

const NEEDS_VALUES: &str = "must be specified when `operator` is 'In' or 'NotIn'";
const TAKES_NO_VALUES: &str = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
const NO_OPERATOR: &str = "not a valid selector operator";

/// Checks a selector, if there is one.
pub(super) fn validate(selector: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    validate_labels(selector.members("matchLabels"), &at.child("matchLabels"), errors);
    for (index, expression) in selector.items("matchExpressions").iter().enumerate() {
        let at = at.child("matchExpressions");
        requirement(expression, &[], true, &at.index(index), errors);
    }
}

/// Checks one requirement of a label selector or of a node selector, which also compares numbers: `numeric` are the
/// operators that take one value.
pub(super) fn requirement(
    expression: &Value,
    numeric: &[&str],
    check_values: bool,
    at: &Path<'_>,
    errors: &mut Errors,
) {
    let values = expression.items("values");
    match expression.text("operator") {
        "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(at.child("values"), NEEDS_VALUES)),
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.push(FieldError::forbidden(at.child("values"), TAKES_NO_VALUES));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        operator if numeric.contains(&operator) => {
            if values.len() != 1 {
                let hint = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                errors.push(FieldError::required(at.child("values"), hint));
            }
        }
        operator => errors.push(FieldError::invalid(at.child("operator"), operator, NO_OPERATOR)),
    }
    let key = expression.text("key");
    invalid(&at.child("key"), key, text::label_key(key), errors);
    if check_values {
        let at = at.child("values");
        for (index, value) in expression.strings("values").enumerate() {
            invalid(&at.index(index), value, text::label_value(value), errors);
        }
    }
}

/// Whether a selector can be used to select; none at all selects nothing.
pub(super) fn is_usable(selector: Option<&Value>) -> bool {
    let mut errors = Errors::new();
    validate(selector, &Path::ROOT, &mut errors);
    errors.is_empty()
}

/// Whether a selector that is there asks for nothing, so that it selects everything.
pub(super) fn is_empty(selector: Option<&Value>) -> bool {
    let asks = selector.members("matchLabels").is_some_and(|labels| !labels.is_empty());
    selector.is_some() && !asks && selector.items("matchExpressions").is_empty()
}

/// Whether a selector matches the labels of an object with metadata.
pub(super) fn matches(selector: Option<&Value>, labelled: Option<&Value>) -> bool {
    let Some(selector) = selector else { return false };
    let labels = labelled.part("metadata").part("labels");
    let label = |key: &str| labels.part(key).and_then(Value::as_str);
    selector.texts("matchLabels").all(|(key, value)| label(key) == Some(value))
        && selector.items("matchExpressions").iter().all(|expression| {
            let listed = |value| expression.strings("values").any(|listed| listed == value);
            match (expression.text("operator"), label(expression.text("key"))) {
                ("In", found) => found.is_some_and(listed),
                ("NotIn", found) => !found.is_some_and(listed),
                ("Exists", found) => found.is_some(),
                ("DoesNotExist", found) => found.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_match() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        let cases = [
            (json!({}), true),
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "db"}}), false),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "web"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}), false),
            (json!({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["web"]}]}), true),
            (json!({"matchExpressions": [{"key": "none", "operator": "Exists"}]}), false),
            (json!({"matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]}), true),
        ];
        for (selector, expected) in cases {
            assert_eq!(matches(Some(&selector), Some(&object)), expected, "{selector}");
        }
        assert!(!matches(None, Some(&object)));
    }
}
