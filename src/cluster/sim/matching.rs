//! Label and node selectors.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cluster::sim::view::lax;

/// Labels as the store keeps them.
pub(crate) type Labels = [(Box<str>, Box<str>)];

/// The value of a label.
pub(crate) fn label<'a>(labels: &'a Labels, name: &str) -> Option<&'a str> {
    labels.iter().find(|(label, _)| &**label == name).map(|(_, value)| &**value)
}

/// A `metav1.LabelSelector`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Selector {
    #[serde(default, deserialize_with = "lax")]
    match_labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "lax")]
    match_expressions: Vec<Requirement>,
}

/// One requirement of a label or node selector.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Requirement {
    key: String,
    operator: String,
    #[serde(default, deserialize_with = "lax")]
    values: Vec<String>,
}

impl Selector {
    /// Whether all that is asked for holds.
    pub(crate) fn matches(&self, labels: &Labels) -> bool {
        matches_all(&self.match_labels, labels)
            && self.match_expressions.iter().all(|wanted| wanted.holds(label(labels, &wanted.key)))
    }
}

/// Whether labels have all the wanted values.
pub(crate) fn matches_all(wanted: &BTreeMap<String, String>, labels: &Labels) -> bool {
    wanted.iter().all(|(name, value)| label(labels, name) == Some(value))
}

impl Requirement {
    /// The label that it is about.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether a value, or its absence, is what is asked for.
    pub(crate) fn holds(&self, value: Option<&str>) -> bool {
        let listed = || value.is_some_and(|value| self.values.iter().any(|one| one == value));
        let compared = |holds: fn(i64, i64) -> bool| {
            let wanted = self.values.first().and_then(|wanted| wanted.parse().ok());
            value.and_then(|value| value.parse().ok()).zip(wanted).is_some_and(|(value, wanted)| holds(value, wanted))
        };
        match self.operator.as_str() {
            "In" => listed(),
            "NotIn" => !listed(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => compared(|value, wanted| value > wanted),
            "Lt" => compared(|value, wanted| value < wanted),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_select() {
        let labels: Box<Labels> = Box::new([("app".into(), "web".into()), ("n".into(), "5".into())]);
        let cases = [
            (json!({}), true),
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "web", "x": "y"}}), false),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "web"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}), false),
            (json!({"matchExpressions": [{"key": "no", "operator": "NotIn", "values": ["web"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist", "values": null}]}), false),
            (json!({"matchExpressions": [{"key": "n", "operator": "Gt", "values": ["4"]}]}), true),
            (json!({"matchExpressions": [{"key": "n", "operator": "Lt", "values": ["4"]}]}), false),
            (json!({"matchExpressions": [{"key": "n", "operator": "Odd"}]}), false),
        ];
        for (selector, expected) in cases {
            let text = selector.to_string();
            let selector: Selector = serde_json::from_value(selector).unwrap_or_default();
            assert_eq!(selector.matches(&labels), expected, "{text}");
        }
    }
}
