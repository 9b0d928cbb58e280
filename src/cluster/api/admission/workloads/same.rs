//! Whether two values are the same to Go, where nothing, null, and what is empty are one.

use serde_json::Value;

/// Compares two values that may not be there.
pub(super) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (Some(one), None) | (None, Some(one)) => return is_bare(one),
        (None, None) => return true,
    };
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.iter().all(|(key, value)| same(Some(value), b.get(key)))
                && b.iter().all(|(key, value)| a.contains_key(key) || is_bare(value))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(Some(a), Some(b)))
        }
        (a, b) => a == b || is_bare(a) && is_bare(b),
    }
}

fn is_bare(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_bare),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_and_empty_are_the_same() {
        let cases = [
            (json!({"a": null, "b": "x"}), json!({"b": "x", "c": []}), true),
            (json!({"a": [{"b": ""}]}), json!({"a": [{}]}), true),
            (json!({"a": [1, 2]}), json!({"a": [1]}), false),
            (json!({"a": false}), json!({}), false),
            (json!({}), json!(null), true),
        ];
        for (a, b, expected) in cases {
            assert_eq!(same(Some(&a), Some(&b)), expected, "{a} {b}");
            assert_eq!(same(Some(&b), Some(&a)), expected, "{b} {a}");
        }
    }
}
