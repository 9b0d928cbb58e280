//! `condition=TYPE[=STATUS]` and `jsonpath={…}[=VALUE]`, as `kubectl wait --for` has them. Pure.

use serde_json::Value;

use crate::cluster::jsonpath::{self, Template};
use crate::cluster::object::{int, list, text};

/// What has to hold for an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A condition's type, and the status it has to have, both in lower case.
    Status(String, String),
    /// A member, and the value it has to have; any when there is none.
    Member(Template, Option<String>),
}

/// How an object stands to a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Holds,
    /// It does not hold yet; what is in the way.
    NotYet(String),
    /// It will not hold.
    Never(String),
}

impl Condition {
    /// Reads a condition; `None` when the text is not of either form.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(asked: &str) -> Option<Result<Self, String>> {
        if let Some(condition) = asked.strip_prefix("condition=") {
            let (kind, status) = condition.split_once('=').unwrap_or((condition, "true"));
            return Some(Ok(Self::Status(kind.to_lowercase(), status.to_lowercase())));
        }
        asked.strip_prefix("jsonpath=").map(Self::member)
    }

    fn member(asked: &str) -> Result<Self, String> {
        let asked = asked.replace("}'=", "}=").replace("}\"=", "}=");
        // A filter may hold `==` and `}`; the value stands behind the last brace.
        let (path, value) = match asked.rsplit_once("}=") {
            Some((path, value)) => (format!("{path}}}"), Some(value.trim_matches(['\'', '"']).to_owned())),
            None if asked.contains('}') => (asked, None),
            None => match asked.split_once('=') {
                Some((path, value)) => (path.to_owned(), Some(value.to_owned())),
                None => (asked, None),
            },
        };
        let path = path.trim_matches(['\'', '"']);
        let template = Template::path(path).map_err(|why| why.to_string())?;
        match value.as_deref() {
            Some("") => Err("jsonpath wait has to have a value".to_owned()),
            _ => Ok(Self::Member(template, value)),
        }
    }

    /// Whether it holds for an object.
    pub fn judge(&self, object: &Value) -> Standing {
        match self {
            Self::Status(kind, status) => judge_status(object, kind, status),
            Self::Member(template, value) => judge_member(object, template, value.as_deref()),
        }
    }
}

/// The status and the message of an object's condition; upper and lower case are the same in its type.
pub fn status_of<'a>(object: &'a Value, kind: &str) -> Option<(&'a str, &'a str)> {
    let mut conditions = list(object, &["status", "conditions"]).iter();
    let found = conditions.find(|condition| text(condition, &["type"]).eq_ignore_ascii_case(kind))?;
    Some((text(found, &["status"]), text(found, &["message"])))
}

fn judge_status(object: &Value, kind: &str, status: &str) -> Standing {
    let generation = int(object, &["metadata", "generation"]);
    let seen = int(object, &["status", "observedGeneration"]);
    // What a controller has not seen yet says nothing.
    if seen.zip(generation).is_some_and(|(seen, there)| seen < there) {
        return Standing::NotYet("the controller has not seen the newest version yet".to_owned());
    }
    match status_of(object, kind) {
        Some((is, _)) if is.eq_ignore_ascii_case(status) => Standing::Holds,
        Some((is, "")) => Standing::NotYet(format!("{kind} is {is}")),
        Some((is, message)) => Standing::NotYet(format!("{kind} is {is}: {message}")),
        None => Standing::NotYet(format!("there is no condition {kind} yet")),
    }
}

fn judge_member(object: &Value, template: &Template, wanted: Option<&str>) -> Standing {
    let found = match template.find(object) {
        Ok(found) => found,
        Err(why) => return Standing::Never(why.to_string()),
    };
    match (found.as_slice(), wanted) {
        ([], _) => Standing::NotYet("the member is not there yet".to_owned()),
        (_, None) => Standing::Holds,
        ([Value::Array(_) | Value::Object(_)], Some(_)) => {
            Standing::Never("jsonpath leads to a nested object or list which is not supported".to_owned())
        }
        ([one], Some(wanted)) => match jsonpath::shown(one).trim() {
            is if is == wanted.trim() => Standing::Holds,
            is => Standing::NotYet(format!("it is {is}, not {wanted}")),
        },
        _ => Standing::Never("given jsonpath expression matches more than one value".to_owned()),
    }
}
