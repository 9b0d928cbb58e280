//! Refusals, as the `metav1.Status` that clients read.
//!
//! Texts and reasons are those of kube-apiserver 1.36.

use serde_json::{Value, json};

use crate::cluster::object::{GroupKind, Map};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// The reason word; empty prints as `Unknown` in kubectl.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// More, for programs; boxed since most results are none.
    pub details: Option<Box<Details>>,
    /// Where an expired list can go on all the same.
    pub continued: Option<Box<str>>,
}

/// The `details` of a Status; empty members are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// Name of the object.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its plural resource, or its kind in a 422.
    pub kind: String,
    /// Its uid.
    pub uid: String,
    /// One for each thing wrong.
    pub causes: Vec<Cause>,
    /// When to try again.
    pub retry_after_seconds: Option<u32>,
}

/// One cause of a refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// The reason word, as `FieldValueInvalid`.
    pub reason: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where; may be empty.
    pub field: String,
}

/// A field that is wrong, as `k8s.io/apimachinery/pkg/util/validation/field.Error`.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    /// Where, as `spec.containers[0].image`.
    pub field: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It has to be there; with a hint, which may be empty.
    Required(String),
    /// Its value cannot be; with the value and a hint.
    Invalid(Value, String),
    /// It is none of the values that can be.
    NotSupported(Value, Vec<String>),
    /// It may not be set.
    Forbidden(String),
    /// It is there twice.
    Duplicate(Value),
    /// It is too long; with the rest of the sentence, as `may not be more than 63 bytes`.
    TooLong(String),
    /// There are too many; how many there are and may be.
    TooMany(usize, usize),
    /// It names something that is not there.
    NotFound(Value),
    /// Its type is wrong; with the value and a hint.
    TypeInvalid(Value, String),
    /// Its value cannot be and is not shown, as an object would be too long; with a hint.
    Unfit(String),
    /// It is there twice and is not shown.
    Repeated,
}

impl FieldError {
    /// A field that has to be there.
    pub fn required(field: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { field: field.into(), fault: Fault::Required(hint.into()) }
    }

    /// A value that cannot be.
    pub fn invalid(field: impl Into<String>, value: impl Into<Value>, hint: impl Into<String>) -> Self {
        Self { field: field.into(), fault: Fault::Invalid(value.into(), hint.into()) }
    }

    /// A value that is none of those that can be.
    pub fn not_supported(field: impl Into<String>, value: impl Into<Value>, supported: &[&str]) -> Self {
        let supported = supported.iter().map(|&value| value.to_owned()).collect();
        Self { field: field.into(), fault: Fault::NotSupported(value.into(), supported) }
    }

    /// A field that may not be set.
    pub fn forbidden(field: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { field: field.into(), fault: Fault::Forbidden(hint.into()) }
    }

    /// A value that is there twice.
    pub fn duplicate(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { field: field.into(), fault: Fault::Duplicate(value.into()) }
    }

    /// The reason word of its cause.
    pub fn reason(&self) -> &'static str {
        match self.fault {
            Fault::Required(_) => "FieldValueRequired",
            Fault::Invalid(..) | Fault::Unfit(_) => "FieldValueInvalid",
            Fault::NotSupported(..) => "FieldValueNotSupported",
            Fault::Forbidden(_) => "FieldValueForbidden",
            Fault::Duplicate(_) | Fault::Repeated => "FieldValueDuplicate",
            Fault::TooLong(_) => "FieldValueTooLong",
            Fault::TooMany(..) => "FieldValueTooMany",
            Fault::NotFound(_) => "FieldValueNotFound",
            Fault::TypeInvalid(..) => "FieldValueTypeInvalid",
        }
    }

    /// The message without the field.
    pub fn message(&self) -> String {
        let with_hint = |start: String, hint: &str| if hint.is_empty() { start } else { format!("{start}: {hint}") };
        match &self.fault {
            Fault::Required(hint) => with_hint("Required value".to_owned(), hint),
            Fault::Invalid(value, hint) => with_hint(format!("Invalid value: {}", shown(value)), hint),
            Fault::NotSupported(value, supported) => {
                let start = format!("Unsupported value: {}", shown(value));
                if supported.is_empty() {
                    return start;
                }
                let quoted: Vec<_> = supported.iter().map(|value| format!("\"{value}\"")).collect();
                format!("{start}: supported values: {}", quoted.join(", "))
            }
            Fault::Forbidden(hint) => with_hint("Forbidden".to_owned(), hint),
            Fault::Duplicate(value) => format!("Duplicate value: {}", shown(value)),
            Fault::TooLong(rest) => with_hint("Too long".to_owned(), rest),
            Fault::TooMany(there, 1) => format!("Too many: {there}: must have at most 1 item"),
            Fault::TooMany(there, most) => format!("Too many: {there}: must have at most {most} items"),
            Fault::NotFound(value) => format!("Not found: {}", shown(value)),
            Fault::TypeInvalid(value, hint) => with_hint(format!("Invalid value: {}", shown(value)), hint),
            Fault::Unfit(hint) => with_hint("Invalid value".to_owned(), hint),
            Fault::Repeated => "Duplicate value".to_owned(),
        }
    }
}

/// A value as Go's field errors show it: text quoted, objects as the JSON of Go, which may stand in HTML.
fn shown(value: &Value) -> String {
    let json = value.to_string();
    if value.is_string() || !json.contains(['<', '>', '&']) {
        return json;
    }
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

impl Refusal {
    /// A refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, continued: None }
    }

    /// The same with details.
    pub fn with_details(mut self, details: Details) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// 400: the request cannot be read.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 404 of an object; `resource` is the plural name.
    pub fn not_found(group: &str, resource: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", qualified(resource, group)))
            .with_details(named(group, resource, name))
    }

    /// 404 of a path below a group that exists.
    pub fn unknown_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").with_details(Details::default())
    }

    /// 409: the name is taken.
    pub fn already_exists(group: &str, resource: &str, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", qualified(resource, group)))
            .with_details(named(group, resource, name))
    }

    /// 409: somebody else wrote in between, or a precondition does not hold.
    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let what = qualified(resource, group);
        Self::new(409, "Conflict", format!("Operation cannot be fulfilled on {what} \"{name}\": {why}"))
            .with_details(named(group, resource, name))
    }

    /// 409 of a stale `resourceVersion`.
    pub fn modified(group: &str, resource: &str, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(group, resource, name, why)
    }

    /// 403 by admission; `resource` is the plural name.
    pub fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let what = qualified(resource, group);
        let what = if name.is_empty() { what } else { format!("{what} \"{name}\"") };
        Self::new(403, "Forbidden", format!("{what} is forbidden: {why}")).with_details(named(group, resource, name))
    }

    /// 422: fields are wrong. There must be at least one error.
    pub fn invalid(kind: &GroupKind, name: &str, errors: &[FieldError]) -> Self {
        // What several checks found alike is said once.
        let mut texts: Vec<String> = Vec::new();
        for text in errors.iter().map(|error| format!("{}: {}", error.field, error.message())) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let listed = match texts.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let causes = errors
            .iter()
            .map(|error| Cause { reason: error.reason(), message: error.message(), field: error.field.clone() })
            .collect();
        let details = Details {
            name: name.to_owned(),
            group: kind.group.to_string(),
            kind: kind.kind.to_string(),
            causes,
            ..Details::default()
        };
        Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {listed}")).with_details(details)
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).with_details(Details::default())
    }

    /// 500.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {why}"))
    }

    /// The Status object.
    pub fn to_value(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message,
        });
        if let Some(continued) = &self.continued {
            status["metadata"]["continue"] = (&**continued).into();
        }
        if let Value::Object(members) = &mut status {
            if !self.reason.is_empty() {
                members.insert("reason".to_owned(), self.reason.into());
            }
            if let Some(details) = &self.details {
                members.insert("details".to_owned(), details.to_value());
            }
            members.insert("code".to_owned(), self.code.into());
        }
        status
    }
}

impl Details {
    /// The JSON of it.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        let texts = [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)];
        for (member, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
            members.insert(member.to_owned(), value.as_str().into());
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(Cause::to_value).collect();
            members.insert("causes".to_owned(), Value::Array(causes));
        }
        if let Some(seconds) = self.retry_after_seconds {
            members.insert("retryAfterSeconds".to_owned(), seconds.into());
        }
        Value::Object(members)
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let mut members = Map::new();
        for (member, value) in [("reason", self.reason), ("message", &self.message), ("field", &self.field)] {
            if !value.is_empty() {
                members.insert(member.to_owned(), value.into());
            }
        }
        Value::Object(members)
    }
}

fn named(group: &str, resource: &str, name: &str) -> Details {
    Details { name: name.to_owned(), group: group.to_owned(), kind: resource.to_owned(), ..Details::default() }
}

/// `deployments.apps`, or `pods` in the core group.
pub fn qualified(resource: &str, group: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_field_errors_are_listed() {
        let errors = [
            FieldError::required("spec.selector", ""),
            FieldError::invalid("spec.replicas", -1, "must be greater than or equal to 0"),
        ];
        let status = Refusal::invalid(&GroupKind::new("apps", "Deployment"), "x", &errors).to_value();
        assert_eq!(
            status["message"],
            "Deployment.apps \"x\" is invalid: [spec.selector: Required value, spec.replicas: Invalid value: -1: \
             must be greater than or equal to 0]"
        );
        assert_eq!(status["details"]["causes"][0]["reason"], "FieldValueRequired");
        assert_eq!(status["details"]["kind"], "Deployment");
    }

    #[test]
    fn equal_texts_are_said_once_and_caused_twice() {
        let error = FieldError::invalid("spec.args", json!(["a < b && c"]), "no");
        let refusal = Refusal::invalid(&GroupKind::new("", "Pod"), "x", &[error.clone(), error]);
        let text = "Pod \"x\" is invalid: spec.args: Invalid value: [\"a \\u003c b \\u0026\\u0026 c\"]: no";
        assert_eq!(refusal.message, text);
        assert_eq!(refusal.details.map(|details| details.causes.len()), Some(2));
    }
}
