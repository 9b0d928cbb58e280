//! Label selectors as objects carry them: which labels they match.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::cluster::sim::views::or_default;

/// A label selector; also the plain map of labels that a ReplicationController has.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "BTreeMap<Box<str>, Part>")]
pub(crate) struct Selector {
    labels: Vec<(Box<str>, Box<str>)>,
    requirements: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Label(Box<str>),
    Labels(BTreeMap<Box<str>, Box<str>>),
    Requirements(Vec<Requirement>),
    Other(IgnoredAny),
}

/// What one label has to be like; `Gt` and `Lt` are for nodes only.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Requirement {
    key: Box<str>,
    operator: Box<str>,
    #[serde(deserialize_with = "or_default")]
    values: Vec<Box<str>>,
}

impl From<BTreeMap<Box<str>, Part>> for Selector {
    fn from(parts: BTreeMap<Box<str>, Part>) -> Self {
        let mut selector = Self::default();
        for (name, part) in parts {
            match part {
                Part::Label(value) => selector.labels.push((name, value)),
                Part::Labels(labels) => selector.labels.extend(labels),
                Part::Requirements(requirements) => selector.requirements = requirements,
                Part::Other(_) => {}
            }
        }
        selector
    }
}

impl Selector {
    /// Whether it asks for nothing; such a selector selects nothing here.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.requirements.is_empty()
    }

    /// Whether it selects an object with these labels.
    pub(crate) fn matches(&self, labels: &[(Box<str>, Box<str>)]) -> bool {
        !self.is_empty()
            && self.labels.iter().all(|(name, value)| find(labels, name) == Some(value))
            && self.requirements.iter().all(|requirement| requirement.allows(find(labels, &requirement.key)))
    }
}

impl Requirement {
    /// The label that it is about.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The values that it names.
    pub(crate) fn values(&self) -> &[Box<str>] {
        &self.values
    }

    /// Whether a label may have this value, or be missing.
    pub(crate) fn allows(&self, value: Option<&str>) -> bool {
        let listed = value.is_some_and(|value| self.values.iter().any(|allowed| **allowed == *value));
        let compare = |accept: fn(i64, i64) -> bool| {
            let bound = self.values.first().and_then(|bound| bound.parse().ok());
            value.and_then(|value| value.parse().ok()).zip(bound).is_some_and(|(value, bound)| accept(value, bound))
        };
        match &*self.operator {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => compare(|value, bound| value > bound),
            "Lt" => compare(|value, bound| value < bound),
            _ => false,
        }
    }
}

/// The value of a label.
pub(crate) fn find<'a>(labels: &'a [(Box<str>, Box<str>)], name: &str) -> Option<&'a str> {
    labels.iter().find(|(label, _)| **label == *name).map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn selectors_match() {
        let labels: Vec<(Box<str>, Box<str>)> = vec![("app".into(), "web".into()), ("size".into(), "3".into())];
        let one = |operator: &str, key: &str, values: &[&str]| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        let cases: Vec<(Value, bool)> = vec![
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "web", "tier": "x"}}), false),
            (json!({"app": "web"}), true),
            (json!({"app": "other"}), false),
            (json!({}), false),
            (json!({"matchLabels": {}}), false),
            (json!({"matchLabels": null, "matchExpressions": [{"key": "app", "operator": "Exists"}]}), true),
            (one("In", "app", &["db", "web"]), true),
            (one("NotIn", "app", &["web"]), false),
            (one("NotIn", "tier", &["web"]), true),
            (one("Exists", "tier", &[]), false),
            (one("DoesNotExist", "tier", &[]), true),
            (one("Gt", "size", &["2"]), true),
            (one("Lt", "size", &["3"]), false),
            (one("Gt", "app", &["2"]), false),
            (one("Like", "app", &["web"]), false),
        ];
        for (selector, expected) in cases {
            let parsed: Selector = serde_json::from_value(selector.clone()).unwrap();
            assert_eq!(parsed.matches(&labels), expected, "{selector}");
        }
    }
}
