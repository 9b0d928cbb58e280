//! What annotations say about an object: automated, locked, ignored, and which tags its containers may have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::image::pattern::{ALL, InvalidPattern, Pattern};
use crate::cluster::object;

/// The prefix of new annotations.
pub const PREFIX: &str = "fluxcd.io/";
/// The prefix of early ones, which means the same.
pub const OLD_PREFIX: &str = "flux.weave.works/";
/// Another way to write the filter of a container.
pub const FILTER_PREFIX: &str = "filter.fluxcd.io/";

/// New images are taken without asking.
pub const AUTOMATED: &str = "automated";
/// No image is changed.
pub const LOCKED: &str = "locked";
/// Who locked it.
pub const LOCKED_USER: &str = "locked_user";
/// Why it was locked.
pub const LOCKED_MESSAGE: &str = "locked_msg";
/// The object is none of Flux's business.
pub const IGNORE: &str = "ignore";
/// The value of [`IGNORE`] that only keeps the object from being deleted.
pub const SYNC_ONLY: &str = "sync_only";
/// Stands for the filters of all containers; never written down.
pub const TAG_ALL: &str = "tag_all";
const TAG_PREFIX: &str = "tag.";

/// The name of the policy that filters a container's tags.
pub fn tag_policy(container: &str) -> String {
    format!("{TAG_PREFIX}{container}")
}

/// The policies of an object: name to value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies(BTreeMap<String, String>);

impl Policies {
    /// The policies of an object's annotations. Values that are no text are no policies.
    pub fn of(object: &Value) -> Self {
        let annotations = object::map(object, &["metadata", "annotations"]).into_iter().flatten();
        Self::from_annotations(annotations.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))))
    }

    /// The policies of annotations. Where two spellings disagree, the new one counts.
    pub fn from_annotations<'a>(annotations: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
        for (key, value) in annotations {
            let Some((rank, policy)) = policy_of(key) else { continue };
            if found.get(&policy).is_none_or(|(known, _)| rank < *known) {
                found.insert(policy, (rank, value.to_owned()));
            }
        }
        Self(found.into_iter().map(|(policy, (_, value))| (policy, value)).collect())
    }

    /// Policies by name, as they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(policy, value)| (policy.as_str(), value.as_str()))
    }

    /// A policy's value.
    pub fn get(&self, policy: &str) -> Option<&str> {
        self.0.get(policy).map(String::as_str)
    }

    /// Whether a policy is on. Nothing but `true` switches one on.
    pub fn is_on(&self, policy: &str) -> bool {
        self.get(policy) == Some("true")
    }

    /// Whether the object is not to be applied.
    pub fn is_ignored(&self) -> bool {
        self.is_on(IGNORE)
    }

    /// Whether the object is not to be deleted when it leaves Git.
    pub fn is_kept(&self) -> bool {
        self.is_ignored() || self.get(IGNORE) == Some(SYNC_ONLY)
    }

    /// The filter of a container's tags, if it has one of its own.
    pub fn own_filter(&self, container: &str) -> Option<Pattern> {
        self.get(&tag_policy(container)).map(Pattern::new)
    }

    /// The filter of a container's tags.
    pub fn filter(&self, container: &str) -> Pattern {
        self.own_filter(container).unwrap_or_else(|| Pattern::new(ALL))
    }
}

/// The policy that an annotation's key names, and how the key ranks among its spellings.
pub fn policy_of(key: &str) -> Option<(usize, String)> {
    if let Some(policy) = key.strip_prefix(PREFIX) {
        return Some((0, policy.to_owned()));
    }
    if let Some(policy) = key.strip_prefix(OLD_PREFIX) {
        return Some((1, policy.to_owned()));
    }
    key.strip_prefix(FILTER_PREFIX).map(|container| (2, tag_policy(container)))
}

/// The keys that spell a policy.
pub(crate) fn spellings(policy: &str) -> Vec<String> {
    let filter = policy.strip_prefix(TAG_PREFIX).map(|container| format!("{FILTER_PREFIX}{container}"));
    [format!("{PREFIX}{policy}"), format!("{OLD_PREFIX}{policy}")].into_iter().chain(filter).collect()
}

/// A change that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// A filter is broken.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
    /// The object runs no containers.
    #[error("resource {0} does not have containers")]
    NoWorkload(String),
}

/// Policies to set and to take away. What is in both is taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// Policies to set; an empty value takes one away.
    pub add: BTreeMap<String, String>,
    /// Policies to take away.
    pub remove: BTreeSet<String>,
}

impl PolicyChange {
    /// Sets a policy.
    #[must_use]
    pub fn with(mut self, policy: &str, value: &str) -> Self {
        self.add.insert(policy.to_owned(), value.to_owned());
        self
    }

    /// Takes a policy away.
    #[must_use]
    pub fn without(mut self, policy: &str) -> Self {
        self.remove.insert(policy.to_owned());
        self
    }

    /// What it comes to for an object with these containers: each policy with its new value, or none.
    ///
    /// # Errors
    /// When a filter is broken.
    pub fn resolve(&self, containers: &[String]) -> Result<BTreeMap<String, Option<String>>, InvalidPattern> {
        let mut result: BTreeMap<String, Option<String>> = BTreeMap::new();
        let all = self.add.get(TAG_ALL);
        // A filter named for one container counts for more than that of all.
        for container in containers.iter().filter(|_| all.is_some()) {
            let filter = all.filter(|filter| *filter != ALL).cloned();
            result.insert(tag_policy(container), filter);
        }
        for (policy, value) in self.add.iter().filter(|(policy, _)| *policy != TAG_ALL) {
            result.insert(policy.clone(), Some(value.clone()).filter(|value| !value.is_empty()));
        }
        for policy in self.remove.iter().filter(|policy| *policy != TAG_ALL) {
            result.insert(policy.clone(), None);
        }
        let filters = result.iter().filter(|(policy, _)| policy.starts_with(TAG_PREFIX));
        for filter in filters.filter_map(|(_, value)| value.as_ref()) {
            let checked = Pattern::new(filter).check();
            checked.map_err(|_| InvalidPattern(filter.clone()))?;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn annotations_are_policies_under_all_prefixes() {
        let object = json!({"metadata": {"annotations": {
            "fluxcd.io/automated": "true",
            "flux.weave.works/locked": "true",
            "flux.weave.works/automated": "false",
            "filter.fluxcd.io/app": "semver:~1",
            "fluxcd.io/ignore": true,
            "other.io/x": "y",
        }}});
        let policies = Policies::of(&object);
        let shown: Vec<_> = policies.iter().collect();
        assert_eq!(shown, [("automated", "true"), ("locked", "true"), ("tag.app", "semver:~1")]);
        assert!(policies.is_on(AUTOMATED) && policies.is_on(LOCKED) && !policies.is_ignored());
        assert_eq!(policies.filter("app").to_string(), "semver:~1");
        assert_eq!(policies.filter("other").to_string(), "glob:*");
    }

    #[test]
    fn only_true_switches_on() {
        for (value, ignored, kept) in
            [("true", true, true), ("sync_only", false, true), ("false", false, false), ("True", false, false)]
        {
            let policies = Policies::of(&json!({"metadata": {"annotations": {"fluxcd.io/ignore": value}}}));
            assert_eq!((policies.is_ignored(), policies.is_kept()), (ignored, kept), "{value}");
        }
    }

    fn resolved(change: &PolicyChange) -> Vec<(String, Option<String>)> {
        change.resolve(&["app".to_owned(), "side".to_owned()]).unwrap().into_iter().collect()
    }

    #[test]
    fn changes_come_to_single_policies() {
        let pair = |policy: &str, value: Option<&str>| (policy.to_owned(), value.map(str::to_owned));
        let change = PolicyChange::default().with(TAG_ALL, "glob:main-*").with("tag.app", "semver:1");
        assert_eq!(resolved(&change), [pair("tag.app", Some("semver:1")), pair("tag.side", Some("glob:main-*"))]);
        let change = PolicyChange::default().with(TAG_ALL, "glob:*");
        assert_eq!(resolved(&change), [pair("tag.app", None), pair("tag.side", None)]);
        let change = PolicyChange::default().with(LOCKED, "true").with(LOCKED_MESSAGE, "").without(LOCKED);
        assert_eq!(resolved(&change), [pair("locked", None), pair("locked_msg", None)]);
    }

    #[test]
    fn broken_filters_are_refused() {
        for (policy, filter) in [("tag.a", "semver:invalid"), ("tag.a", "regexp:*"), (TAG_ALL, "semver:")] {
            let change = PolicyChange::default().with(policy, filter);
            let found = change.resolve(&["a".to_owned()]).map_err(|error| error.to_string());
            assert_eq!(found, Err(format!("invalid tag pattern: \"{filter}\"")));
        }
        assert!(PolicyChange::default().with("other", "semver:invalid").resolve(&[]).is_ok());
    }
}
