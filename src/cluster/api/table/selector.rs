//! Labels and selectors as one line of text.

use serde_json::Value;

use crate::cluster::object::{Map, list, map, text};

/// `a=b,c=d`, sorted; `<none>` for none.
pub(super) fn labels(labels: Option<&Map>) -> String {
    let mut pairs: Vec<_> = labels
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort_unstable();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A label selector; `<none>` when it is empty, `<error>` when it is none.
pub(super) fn label_selector(selector: Option<&Value>) -> String {
    match requirements(selector) {
        None => "<error>".to_owned(),
        Some(text) if text.is_empty() => "<none>".to_owned(),
        Some(text) => text,
    }
}

/// The requirements of a label selector, sorted by key; none when one of them is broken.
pub(super) fn requirements(selector: Option<&Value>) -> Option<String> {
    let Some(selector) = selector else { return Some(String::new()) };
    let mut all = Vec::new();
    for (name, value) in map(selector, &["matchLabels"]).into_iter().flatten() {
        all.push((name.as_str(), format!("{name}={}", value.as_str()?)));
    }
    for expression in list(selector, &["matchExpressions"]) {
        all.push((text(expression, &["key"]), requirement(expression)?));
    }
    all.sort_by_key(|(key, _)| *key);
    let all: Vec<_> = all.into_iter().map(|(_, text)| text).collect();
    Some(all.join(","))
}

fn requirement(expression: &Value) -> Option<String> {
    let key = text(expression, &["key"]);
    let mut values: Vec<_> = list(expression, &["values"]).iter().filter_map(Value::as_str).collect();
    values.sort_unstable();
    let values = values.join(",");
    match text(expression, &["operator"]) {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_as_text() {
        let cases = [
            (json!(null), "<none>"),
            (json!({}), "<none>"),
            (json!({"matchLabels": {"b": "2", "a": "1"}}), "a=1,b=2"),
            (
                json!({"matchLabels": {"m": "x"}, "matchExpressions": [
                    {"key": "z", "operator": "In", "values": ["q", "p"]},
                    {"key": "y", "operator": "NotIn", "values": ["p"]},
                    {"key": "x", "operator": "Exists"},
                    {"key": "a", "operator": "DoesNotExist"},
                ]}),
                "!a,m=x,x,y notin (p),z in (p,q)",
            ),
            (json!({"matchExpressions": [{"key": "a", "operator": "Near"}]}), "<error>"),
        ];
        for (selector, expected) in cases {
            assert_eq!(label_selector(Some(&selector)), expected, "{selector}");
        }
        assert_eq!(label_selector(None), "<none>");
        assert_eq!(labels(None), "<none>");
        assert_eq!(labels(json!({"b": "", "a": "1"}).as_object()), "a=1,b=");
    }
}
