//! Policies of jobs: what failures mean, and when there are enough successes.

use serde::Deserialize;

use super::indexes::Indexes;
use super::pods::JobPodView;
use crate::cluster::sim::views::or_default;

/// What a failed pod means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Action {
    /// The job has failed.
    FailJob,
    /// The index has failed.
    FailIndex,
    /// Nothing.
    Ignore,
    /// One more failure.
    Count,
}

/// What failed pods mean: the first rule that matches decides.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct FailurePolicy {
    #[serde(deserialize_with = "or_default")]
    rules: Vec<FailureRule>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailureRule {
    action: Action,
    on_exit_codes: Option<OnExitCodes>,
    #[serde(default, deserialize_with = "or_default")]
    on_pod_conditions: Vec<OnPodCondition>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OnExitCodes {
    container_name: Option<Box<str>>,
    operator: Box<str>,
    values: Vec<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct OnPodCondition {
    r#type: Box<str>,
    status: Option<Box<str>>,
}

/// A rule that matches a pod.
#[derive(Debug, PartialEq)]
pub(super) struct Match<'a> {
    pub(super) action: Action,
    rule: usize,
    cause: Cause<'a>,
}

#[derive(Debug, PartialEq)]
enum Cause<'a> {
    Exit(&'a str, i64),
    Condition(&'a str),
}

impl FailurePolicy {
    /// The first rule that matches a failed pod.
    pub(super) fn find<'a>(&self, pod: &'a JobPodView) -> Option<Match<'a>> {
        self.rules.iter().enumerate().find_map(|(rule, it)| {
            let cause = match &it.on_exit_codes {
                Some(codes) => codes.find(pod),
                None => it.on_pod_conditions.iter().find_map(|condition| condition.find(pod)),
            };
            cause.map(|cause| Match { action: it.action, rule, cause })
        })
    }
}

impl OnExitCodes {
    fn find<'a>(&self, pod: &'a JobPodView) -> Option<Cause<'a>> {
        let named = |name: &str| self.container_name.as_deref().is_none_or(|wanted| wanted == name);
        let listed = |code: i64| match &*self.operator {
            "In" => self.values.contains(&code),
            "NotIn" => !self.values.contains(&code),
            _ => false,
        };
        let exit = pod.exits.iter().find(|(name, code)| named(name) && listed(*code));
        exit.map(|(name, code)| Cause::Exit(name, *code))
    }
}

impl OnPodCondition {
    fn find<'a>(&self, pod: &'a JobPodView) -> Option<Cause<'a>> {
        let wanted = self.status.as_deref().unwrap_or("True");
        let found = pod.conditions.iter().find(|(kind, status)| *kind == self.r#type && **status == *wanted);
        found.map(|(kind, _)| Cause::Condition(kind))
    }
}

impl Match<'_> {
    /// The sentence about `pod`, given as namespace and name.
    pub(super) fn message(&self, pod: &str) -> String {
        let (action, rule) = (self.action, self.rule);
        match self.cause {
            Cause::Exit(container, code) => {
                format!(
                    "Container {container} for pod {pod} failed with exit code {code} matching {action:?} rule at index {rule}"
                )
            }
            Cause::Condition(kind) => {
                format!("Pod {pod} has condition {kind} matching {action:?} rule at index {rule}")
            }
        }
    }
}

/// When there are enough successes of an indexed job.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SuccessRule {
    succeeded_indexes: Option<Box<str>>,
    succeeded_count: Option<i64>,
}

impl SuccessRule {
    /// Whether these indexes are enough.
    pub(super) fn is_met(&self, succeeded: &Indexes, completions: i64) -> bool {
        let required = self.succeeded_indexes.as_deref().map(|text| Indexes::parse(text, completions));
        match (required, self.succeeded_count) {
            (None, None) => false,
            (None, Some(count)) => succeeded.len() >= count,
            (Some(required), None) => succeeded.common(&required) >= required.len(),
            (Some(required), Some(count)) => succeeded.common(&required) >= count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_rule_that_matches_decides() {
        let policy: FailurePolicy = serde_json::from_value(json!({"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
            {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}},
            {"action": "Count", "onExitCodes": {"operator": "NotIn", "values": [1, 2]}},
        ]}))
        .unwrap();
        let pod = |exits: &[(&str, i64)], conditions: &[(&str, &str)]| JobPodView {
            exits: exits.iter().map(|(name, code)| ((*name).into(), *code)).collect(),
            conditions: conditions.iter().map(|(kind, status)| ((*kind).into(), (*status).into())).collect(),
            ..JobPodView::default()
        };
        let message = |pod: JobPodView| policy.find(&pod).map(|found| found.message("n/p"));
        let fail = "Container main for pod n/p failed with exit code 42 matching FailJob rule at index 1";
        let count = "Container side for pod n/p failed with exit code 42 matching Count rule at index 2";
        let ignore = "Pod n/p has condition DisruptionTarget matching Ignore rule at index 0";
        let cases = [
            (pod(&[], &[]), None),
            (pod(&[("main", 42)], &[]), Some(fail)),
            (pod(&[("side", 42)], &[]), Some(count)),
            (pod(&[("side", 1)], &[]), None),
            (pod(&[("main", 42)], &[("DisruptionTarget", "True")]), Some(ignore)),
            (pod(&[("main", 42)], &[("DisruptionTarget", "False")]), Some(fail)),
        ];
        for (pod, expected) in cases {
            assert_eq!(message(pod).as_deref(), expected);
        }
    }

    #[test]
    fn successes_can_be_enough() {
        let cases = [
            (json!({"succeededIndexes": "0,2-3"}), "0-3", true),
            (json!({"succeededIndexes": "0,2-3"}), "0-2", false),
            (json!({"succeededIndexes": "0-4", "succeededCount": 2}), "1,3", true),
            (json!({"succeededIndexes": "0-4", "succeededCount": 2}), "1,8", false),
            (json!({"succeededCount": 2}), "1,8", true),
            (json!({}), "0-9", false),
        ];
        for (rule, succeeded, expected) in cases {
            let parsed: SuccessRule = serde_json::from_value(rule.clone()).unwrap();
            assert_eq!(parsed.is_met(&Indexes::parse(succeeded, 10), 10), expected, "{rule}");
        }
    }
}
