//! `wait="deploy/podinfo -n demo available"`: what it means, and whether it holds for an object. Pure.

use serde_json::Value;

use crate::cluster::jsonpath::{self, Template};
use crate::cluster::object::{list, text};
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
    /// `condition=TYPE[=STATUS]`, both in lower case.
    Condition(String, String),
    /// `jsonpath={…}[=VALUE]`.
    Member(Template, Option<String>),
}

/// How an object stands to what is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not hold yet; what is in the way.
    NotYet(String),
    /// It will not hold.
    Never(String),
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
            Goal::Condition(kind, _) => kind,
            Goal::Member(..) => "as described",
        };
        format!("{}/{} to be {goal}", self.kind, self.name)
    }

    /// Whether it holds for the object as it is now; `None` is an object that is not there.
    pub fn judge(&self, object: Option<&Value>) -> Verdict {
        let Some(object) = object else {
            return match self.goal {
                Goal::Deleted => Verdict::Holds,
                _ => Verdict::NotYet(format!("{}/{} is not there", self.kind, self.name)),
            };
        };
        match &self.goal {
            Goal::Exists => Verdict::Holds,
            Goal::Deleted => Verdict::NotYet(format!("{}/{} is still there", self.kind, self.name)),
            Goal::Healthy => healthy(object),
            Goal::Complete => complete(object),
            Goal::Condition(kind, status) => condition(object, kind, status),
            Goal::Member(template, value) => member(object, template, value.as_deref()),
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
        if let Some(condition) = asked.strip_prefix("condition=") {
            let (kind, status) = condition.split_once('=').unwrap_or((condition, "true"));
            return Ok(Self::Condition(kind.to_lowercase(), status.to_lowercase()));
        }
        if let Some(member) = asked.strip_prefix("jsonpath=") {
            let member = member.replace("}'=", "}=").replace("}\"=", "}=");
            let (path, value) = match member.rsplit_once("}=") {
                Some((path, value)) => (format!("{path}}}"), Some(value.trim_matches(['\'', '"']).to_owned())),
                None => (member, None),
            };
            let template = Template::path(path.trim_matches(['\'', '"']));
            let template = template.map_err(|why| format!("`{path}` is no JSON path: {why}"))?;
            return Ok(Self::Member(template, value));
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

fn healthy(object: &Value) -> Verdict {
    match health(object) {
        Health::Current => Verdict::Holds,
        // What has failed may still heal: that is what demos are about.
        Health::InProgress(why) | Health::Failed(why) => Verdict::NotYet(why),
        Health::Terminating => Verdict::NotYet("it is being deleted".to_owned()),
        Health::NotFound => Verdict::NotYet("it is not there".to_owned()),
    }
}

fn status_of<'a>(object: &'a Value, kind: &str) -> Option<(&'a str, &'a str)> {
    let conditions = list(object, &["status", "conditions"]).iter();
    let mut found = conditions.filter(|condition| text(condition, &["type"]).eq_ignore_ascii_case(kind));
    found.next().map(|condition| (text(condition, &["status"]), text(condition, &["message"])))
}

fn complete(object: &Value) -> Verdict {
    match (status_of(object, "Complete"), status_of(object, "Failed")) {
        (Some(("True", _)), _) => Verdict::Holds,
        (_, Some(("True", message))) => Verdict::Never(format!("it failed: {message}")),
        _ => Verdict::NotYet("it has not completed".to_owned()),
    }
}

fn condition(object: &Value, kind: &str, status: &str) -> Verdict {
    let generation = crate::cluster::object::int(object, &["metadata", "generation"]);
    let seen = crate::cluster::object::int(object, &["status", "observedGeneration"]);
    if seen.zip(generation).is_some_and(|(seen, there)| seen < there) {
        return Verdict::NotYet("the controller has not seen the newest version yet".to_owned());
    }
    match status_of(object, kind) {
        Some((is, _)) if is.eq_ignore_ascii_case(status) => Verdict::Holds,
        Some((is, "")) => Verdict::NotYet(format!("{kind} is {is}")),
        Some((is, message)) => Verdict::NotYet(format!("{kind} is {is}: {message}")),
        None => Verdict::NotYet(format!("there is no condition {kind} yet")),
    }
}

fn member(object: &Value, template: &Template, wanted: Option<&str>) -> Verdict {
    let found = match template.find(object) {
        Ok(found) => found,
        Err(why) => return Verdict::Never(why.to_string()),
    };
    match (found.as_slice(), wanted) {
        ([], _) => Verdict::NotYet("the member is not there yet".to_owned()),
        (_, None) => Verdict::Holds,
        ([one], Some(wanted)) => match jsonpath::shown(one).trim() {
            is if is == wanted.trim() => Verdict::Holds,
            is => Verdict::NotYet(format!("it is {is}, not {wanted}")),
        },
        _ => Verdict::Never("the JSON path matches more than one value".to_owned()),
    }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
