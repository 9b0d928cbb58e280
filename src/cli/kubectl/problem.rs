//! What goes wrong, in kubectl's words.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::cluster::object;

/// Why a command stops.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Problem {
    /// The server refused.
    Refused(Box<Status>),
    /// Something else, said behind `error: `.
    Said(String),
    /// The server cannot be reached; said as it is.
    Unreachable(String),
    /// Several, said one after the other.
    Several(Vec<Problem>),
    /// Nobody reads any more; nothing is said.
    Closed,
}

/// The `Status` that a server refuses with.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Status {
    /// The HTTP status.
    pub(super) code: u16,
    /// The reason word.
    pub(super) reason: String,
    /// What a person reads.
    pub(super) message: String,
    /// More, for programs.
    pub(super) details: Value,
}

impl Problem {
    /// Something wrong.
    pub(super) fn said(message: impl Into<String>) -> Self {
        Self::Said(message.into())
    }

    /// A command line that makes no sense.
    pub(super) fn usage(message: impl Into<String>, command: &str) -> Self {
        Self::Said(format!("{}\nSee 'kubectl {command} --help' for usage.", message.into()))
    }

    /// What an answer that is no success says.
    pub(super) fn of_answer(code: u16, body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        if object::text(&status, &["kind"]) == "Status" {
            return Self::Refused(Box::new(Status::of(&status, code)));
        }
        let text = String::from_utf8_lossy(body);
        let (reason, message) = match code {
            404 => ("NotFound", "the server could not find the requested resource".to_owned()),
            401 => ("Unauthorized", "the server has asked for the client to provide credentials".to_owned()),
            403 => ("Forbidden", format!("unknown ({})", text.trim())),
            405 => ("MethodNotAllowed", "the server does not allow this method on the requested resource".to_owned()),
            _ => {
                ("", format!("an error on the server (\"{}\") has prevented the request from succeeding", text.trim()))
            }
        };
        let message = message.chars().take(2_000).collect();
        Self::Refused(Box::new(Status { code, reason: reason.to_owned(), message, details: Value::Null }))
    }

    /// The same with a word before the server's message, as `error when creating "x.yaml"`.
    pub(super) fn when(self, doing: &str) -> Self {
        match self {
            Self::Refused(mut status) => {
                status.message = format!("{doing}: {}", status.message);
                Self::Refused(status)
            }
            Self::Said(message) => Self::Said(format!("{doing}: {message}")),
            other => other,
        }
    }

    /// Several problems as one; none when there is none.
    pub(super) fn gathered(mut problems: Vec<Self>) -> Result<(), Self> {
        match (problems.pop(), problems.is_empty()) {
            (None, _) => Ok(()),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                problems.push(last);
                Err(Self::Several(problems))
            }
        }
    }

    /// Whether the server says that an object is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(status) if status.reason == "NotFound")
    }

    /// The server's message, or what is said.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Refused(status) => status.message.clone(),
            Self::Said(message) | Self::Unreachable(message) => message.clone(),
            other => other.to_string(),
        }
    }

    fn lines(&self, prefix: &str) -> String {
        match self {
            Self::Refused(status) => status.to_string(),
            Self::Said(message) if message.starts_with("error: ") => message.clone(),
            Self::Said(message) => format!("{prefix}{message}"),
            Self::Unreachable(message) => message.clone(),
            Self::Several(problems) => {
                // As kubectl: the word `error` stands only before a single one.
                let lines: Vec<_> = problems.iter().map(|problem| problem.lines("")).collect();
                lines.join("\n")
            }
            Self::Closed => String::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.lines("error: "))
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Said(error.to_string()) }
    }
}

impl Status {
    /// Reads a `Status`.
    pub(super) fn of(status: &Value, code: u16) -> Self {
        let text = |name: &str| object::text(status, &[name]).to_owned();
        let told = object::int(status, &["code"]).and_then(|code| u16::try_from(code).ok());
        Self {
            code: told.unwrap_or(code),
            reason: text("reason"),
            message: text("message"),
            details: status.get("details").cloned().unwrap_or(Value::Null),
        }
    }

    /// `The Deployment "x" is invalid: …`, with a line for each cause when there are several.
    fn invalid(&self) -> String {
        let (kind, name) = (object::text(&self.details, &["kind"]), object::text(&self.details, &["name"]));
        let causes = object::list(&self.details, &["causes"]);
        let mut start = "The request is invalid".to_owned();
        if !kind.is_empty() || !name.is_empty() {
            start = format!("The {kind} {name:?} is invalid");
        } else if causes.is_empty() && !self.message.is_empty() {
            start = format!("{start}: {}", self.message);
        }
        let mut seen = BTreeSet::new();
        let told = causes.iter().map(|cause| {
            let (field, message) = (object::text(cause, &["field"]), object::text(cause, &["message"]));
            if field.is_empty() { message.to_owned() } else { format!("{field}: {message}") }
        });
        let told: Vec<String> = told.filter(|line| seen.insert(line.clone())).collect();
        match told.as_slice() {
            [] => start,
            [only] => format!("{start}: {only}"),
            several => format!("{start}: \n* {}", several.join("\n* ")),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.as_str() {
            "Invalid" => out.write_str(&self.invalid()),
            "Unauthorized" => {
                write!(out, "error: You must be logged in to the server ({})", self.message)
            }
            "" => write!(out, "Error from server: {}", self.message),
            reason => write!(out, "Error from server ({reason}): {}", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(status: &Value) -> String {
        Problem::of_answer(400, status.to_string().as_bytes()).to_string()
    }

    #[test]
    fn a_servers_words_are_kept() {
        let status = |reason: &str, message: &str, details: Value| json!({ "kind": "Status", "reason": reason, "message": message, "details": details });
        assert_eq!(
            refused(&status("NotFound", "pods \"x\" not found", json!({}))),
            "Error from server (NotFound): pods \"x\" not found"
        );
        assert_eq!(refused(&status("", "no reason", json!(null))), "Error from server: no reason");
        let cause = |field: &str, message: &str| json!({ "field": field, "message": message });
        let one = json!({ "kind": "Deployment", "name": "x", "causes": [cause("spec.a", "Required value")] });
        assert_eq!(refused(&status("Invalid", "m", one)), "The Deployment \"x\" is invalid: spec.a: Required value");
        let two = json!({
            "kind": "Pod", "name": "x",
            "causes": [cause("a", "bad"), cause("a", "bad"), cause("b", "worse")],
        });
        assert_eq!(refused(&status("Invalid", "m", two)), "The Pod \"x\" is invalid: \n* a: bad\n* b: worse");
        assert_eq!(refused(&status("Invalid", "m", json!({}))), "The request is invalid: m");
    }

    #[test]
    fn answers_that_are_no_status_are_told_too() {
        let told = |code, body: &[u8]| Problem::of_answer(code, body).to_string();
        assert_eq!(
            told(404, b"404 page not found"),
            "Error from server (NotFound): the server could not find the requested resource"
        );
        assert_eq!(
            told(502, b"\xffbad"),
            "Error from server: an error on the server (\"\u{fffd}bad\") has prevented the request from succeeding"
        );
    }

    #[test]
    fn several_are_said_one_after_the_other() {
        let not_found = Problem::of_answer(404, br#"{"kind":"Status","reason":"NotFound","message":"a"}"#);
        let gathered = Problem::gathered(vec![not_found.clone().when("error when deleting \"f\""), Problem::said("b")]);
        assert_eq!(gathered.unwrap_err().to_string(), "Error from server (NotFound): error when deleting \"f\": a\nb");
        assert_eq!(Problem::gathered(Vec::new()), Ok(()));
        assert_eq!(Problem::gathered(vec![not_found.clone()]), Err(not_found));
    }
}
