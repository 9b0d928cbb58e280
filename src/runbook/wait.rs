//! `wait="deploy/podinfo -n demo available"`: what it means, and whether it holds for an object. Pure.

use serde_json::Value;

use crate::cluster::condition::{Condition, Standing, status_of};
use crate::cluster::short_names;
use crate::gitops::health::{Health, health};
use crate::gitops::kinds::{Kinds, Served};

/// What a step waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The kind as written, in lower case: `deploy`, `deployments.apps`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The namespace; the cluster's default one when not given.
    pub namespace: Option<String>,
    /// What has to hold.
    pub goal: Goal,
}

/// What has to hold for the object.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// `available`, `ready`: it is as it was asked to be.
    Healthy,
    /// `complete`: a job has ended well.
    Complete,
    /// `exists`: it is there.
    Exists,
    /// `deleted`: it is gone.
    Deleted,
    /// `condition=TYPE[=STATUS]` or `jsonpath={…}[=VALUE]`.
    Condition(Condition),
}

impl Wait {
    /// Reads the value of the attribute.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(asked: &str) -> Result<Self, String> {
        const FORM: &str = "write `KIND/NAME [-n NAMESPACE] available`";
        let mut words = asked.split_whitespace();
        let object = words.next().ok_or_else(|| format!("`wait` is empty; {FORM}"))?;
        let (kind, name) = object.split_once('/').ok_or_else(|| format!("`{object}` names no object; {FORM}"))?;
        if kind.is_empty() || name.is_empty() || name.contains('/') {
            return Err(format!("`{object}` names no object; {FORM}"));
        }
        let mut namespace = None;
        let mut goal = Vec::new();
        while let Some(word) = words.next() {
            match word {
                "-n" | "--namespace" if goal.is_empty() || namespace.is_none() => {
                    namespace = Some(words.next().ok_or_else(|| format!("`{word}` has no namespace behind it"))?);
                }
                _ => match word.strip_prefix("--namespace=") {
                    Some(given) => namespace = Some(given),
                    None => goal.push(word),
                },
            }
        }
        Ok(Self {
            kind: kind.to_lowercase(),
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            goal: Goal::parse(&goal.join(" "))?,
        })
    }

    /// Takes the namespace that a command names when the author gave none.
    pub fn in_namespace_of(&mut self, script: &str) {
        if self.namespace.is_none() {
            self.namespace = namespace_in(script);
        }
    }

    /// For people: `deploy/podinfo available`.
    pub fn shown(&self) -> String {
        let goal = match &self.goal {
            Goal::Healthy => "ready",
            Goal::Complete => "complete",
            Goal::Exists => "there",
            Goal::Deleted => "gone",
            Goal::Condition(Condition::Status(kind, _)) => kind,
            Goal::Condition(Condition::Member(..)) => "as described",
        };
        format!("{}/{} to be {goal}", self.kind, self.name)
    }

    /// Whether it holds for the object as it is now; `None` is an object that is not there.
    pub fn judge(&self, object: Option<&Value>) -> Standing {
        let Some(object) = object else {
            return match self.goal {
                Goal::Deleted => Standing::Holds,
                _ => Standing::NotYet(format!("{}/{} is not there", self.kind, self.name)),
            };
        };
        match &self.goal {
            Goal::Exists => Standing::Holds,
            Goal::Deleted => Standing::NotYet(format!("{}/{} is still there", self.kind, self.name)),
            Goal::Healthy => healthy(object),
            Goal::Complete => complete(object),
            Goal::Condition(condition) => condition.judge(object),
        }
    }

    /// The kind that the word means, among those a cluster has.
    pub fn resolve<'a>(&self, kinds: &'a Kinds) -> Option<&'a Served> {
        let (word, group) = match self.kind.split_once('.') {
            Some((word, group)) => (word, Some(group)),
            None => (self.kind.as_str(), None),
        };
        let word = short_names::long(word);
        let fits = |served: &&Served| {
            (served.plural == word || served.kind.to_lowercase() == word)
                && group.is_none_or(|group| served.group == group)
        };
        let mut found: Vec<&Served> = kinds.owned().filter(fits).collect();
        // As kubectl: what Kubernetes itself brings goes before what others add.
        found.sort_by_key(|served| (served.group.contains('.') && !served.group.ends_with(".k8s.io"), &served.group));
        found.first().copied()
    }
}

/// The one namespace that the commands of a script name.
fn namespace_in(script: &str) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    let mut words = script.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let named = match word {
            "-n" | "--namespace" => words.peek().copied(),
            _ => word.strip_prefix("--namespace=").or_else(|| word.strip_prefix("-n=")),
        };
        found.extend(named);
    }
    found.dedup();
    let plain = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match found.as_slice() {
        [one] => Some(one).filter(|name| plain(name)).map(|name| (*name).to_owned()),
        _ => None,
    }
}

impl Goal {
    fn parse(asked: &str) -> Result<Self, String> {
        if let Some(condition) = Condition::parse(asked) {
            return condition.map(Self::Condition).map_err(|why| format!("`{asked}` cannot be waited for: {why}"));
        }
        match asked.to_lowercase().as_str() {
            "available" | "ready" | "healthy" | "" => Ok(Self::Healthy),
            "complete" | "completed" => Ok(Self::Complete),
            "exists" | "created" => Ok(Self::Exists),
            "deleted" | "gone" => Ok(Self::Deleted),
            _ => Err(format!(
                "`{asked}` cannot be waited for; there are: available, ready, complete, exists, deleted, \
                 condition=TYPE, jsonpath={{.path}}=value"
            )),
        }
    }
}

fn healthy(object: &Value) -> Standing {
    match health(object) {
        Health::Current => Standing::Holds,
        // What has failed may still heal: that is what demos are about.
        Health::InProgress(why) | Health::Failed(why) => Standing::NotYet(why),
        Health::Terminating => Standing::NotYet("it is being deleted".to_owned()),
        Health::NotFound => Standing::NotYet("it is not there".to_owned()),
    }
}

fn complete(object: &Value) -> Standing {
    match (status_of(object, "Complete"), status_of(object, "Failed")) {
        (Some(("True", _)), _) => Standing::Holds,
        (_, Some(("True", message))) => Standing::Never(format!("it failed: {message}")),
        _ => Standing::NotYet("it has not completed".to_owned()),
    }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
