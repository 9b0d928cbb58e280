//! JSON merge patch (RFC 7386).

use serde_json::Value;

use super::super::status::Refusal;
use super::wrong_body;
use crate::cluster::object::Map;

/// The object after a merge patch: null takes a member away, objects are merged, all else is put in place.
pub fn merge(current: &Value, patch: &Value) -> Result<Value, Refusal> {
    match patch {
        Value::Object(members) => {
            let mut merged = current.clone();
            merge_into(&mut merged, members);
            Ok(merged)
        }
        Value::Null => Err(Refusal::bad_request("Invalid JSON Patch")),
        other => {
            let why = wrong_body(other, "map[string]interface {}");
            Err(Refusal::bad_request(format!("error decoding patch: {why}")))
        }
    }
}

fn merge_into(target: &mut Value, patch: &Map) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    super::drop_nulled(target, patch);
    for (name, change) in patch {
        match (change, target.get_mut(name)) {
            (Value::Null, _) => {}
            (Value::Object(members), Some(there @ Value::Object(_))) => merge_into(there, members),
            (change, _) => {
                target.insert(name.clone(), without_nulls(change));
            }
        }
    }
}

/// A value without members that are null; as in the real server, also inside lists.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, member)| !member.is_null());
            Value::Object(kept.map(|(name, member)| (name.clone(), without_nulls(member))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    use crate::cluster::api::ownership::testing::any_value;

    #[test]
    fn examples_of_the_rfc() {
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({"a": "foo"}), json!({"a": {"b": null}}), json!({"a": {}})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            // the library of the real server drops nulls inside new lists too
            (json!({}), json!({"a": [{"b": null, "c": 1}, null]}), json!({"a": [{"c": 1}, null]})),
        ];
        for (current, patch, merged) in cases {
            assert_eq!(merge(&current, &patch), Ok(merged), "{current} + {patch}");
        }
    }

    #[test]
    fn bodies_that_are_no_objects_are_refused() {
        let refusal = |body| merge(&json!({}), &body).unwrap_err();
        let array = refusal(json!([1, 2]));
        assert_eq!(array.code, 400);
        assert_eq!(
            array.message,
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        );
        assert_eq!(refusal(json!(null)).message, "Invalid JSON Patch");
        assert_eq!(
            refusal(json!("x")).message,
            "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}"
        );
    }

    proptest! {
        #[test]
        fn a_patch_twice_is_a_patch_once(current in any_value(), patch in any_value()) {
            if let Ok(once) = merge(&current, &patch) {
                prop_assert_eq!(merge(&once, &patch), Ok(once));
            }
        }

        #[test]
        fn the_empty_patch_changes_nothing(current in any_value()) {
            let wanted = if current.is_object() { current.clone() } else { json!({}) };
            prop_assert_eq!(merge(&current, &json!({})), Ok(wanted));
        }

        #[test]
        fn an_object_without_nulls_is_what_it_makes_of_nothing(value in any_value()) {
            if value.is_object() {
                prop_assert_eq!(merge(&json!({}), &value), Ok(without_nulls(&value)));
            }
        }
    }
}
