//! Definitions of custom resources: what is filled in, and what is wrong with them.

mod columns;
mod default_values;
mod openapi;
mod root;
mod shown;
mod spec;
mod structural;
mod warnings;

use serde_json::{Value, json};

use super::names::label_fault;
use crate::cluster::api::status::FieldError;
use crate::cluster::object::{at, entry, list, set_default, text};

pub use warnings::{definition_warnings, object_warnings};

const APPROVED: &str = "api-approved.kubernetes.io";

/// Fills in what a definition leaves out: names, conversion, and the status of a new one. The storage version joins the
/// versions that were ever stored.
pub fn defaults(definition: &mut Value) {
    let kind = text(definition, &["spec", "names", "kind"]).to_owned();
    let empty = |definition: &Value, member| text(definition, &["spec", "names", member]).is_empty();
    if !kind.is_empty() {
        for (member, name) in [("singular", kind.to_lowercase()), ("listKind", format!("{kind}List"))] {
            if empty(definition, member) {
                *entry(definition, &["spec", "names", member]) = name.into();
            }
        }
    }
    set_default(definition, &["spec", "conversion"], json!({"strategy": "None"}));
    const SERVICE: [&str; 5] = ["spec", "conversion", "webhook", "clientConfig", "service"];
    if at(definition, &SERVICE).is_some_and(Value::is_object) {
        set_default(definition, &[&SERVICE[..], &["port"]].concat(), 443);
    }
    for (member, value) in [
        ("conditions", Value::Null),
        ("acceptedNames", json!({"plural": "", "kind": ""})),
        ("storedVersions", json!([])),
    ] {
        set_default(definition, &["status", member], value);
    }
    let storage =
        list(definition, &["spec", "versions"]).iter().find(|version| version.get("storage") == Some(&true.into()));
    let Some(name) = storage.map(|version| version.get("name").cloned().unwrap_or_default()) else { return };
    if let Value::Array(stored) = entry(definition, &["status", "storedVersions"])
        && !stored.contains(&name)
    {
        stored.push(name);
    }
}

/// What is wrong with a definition, after [`defaults`]; `old` is what an update replaces.
///
/// General rules of metadata are checked elsewhere; here the name has to be plural and group.
pub fn validate(definition: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let named = |member| text(definition, &["spec", "names", member]);
    let group = text(definition, &["spec", "group"]);
    let name = text(definition, &["metadata", "name"]);
    if old.is_none() && name != format!("{}.{group}", named("plural")) {
        errors.push(FieldError::invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
    }
    errors.extend(spec::errors(definition));
    if let Some(old) = old {
        errors.extend(changed(definition, old));
    }
    let accepted = at(definition, &["status", "acceptedNames"]).unwrap_or(&Value::Null);
    errors.extend(name_errors(accepted, "status.acceptedNames"));
    errors.extend(stored_version_errors(definition));
    errors.extend(approval_error(definition, old, group));
    if at(definition, &["spec", "preserveUnknownFields"]) == Some(&true.into()) {
        let hint =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.push(FieldError::invalid("spec.preserveUnknownFields", true, hint));
    }
    errors
}

/// Names that may not change any more: some never, some once the kind is established.
fn changed(definition: &Value, old: &Value) -> Vec<FieldError> {
    let conditions = list(old, &["status", "conditions"]);
    let established =
        conditions.iter().any(|one| text(one, &["type"]) == "Established" && text(one, &["status"]) == "True");
    let fixed: [(&[&str], bool); 4] = [
        (&["spec", "scope"], established),
        (&["spec", "names", "kind"], established),
        (&["spec", "group"], true),
        (&["spec", "names", "plural"], true),
    ];
    let differs = |path: &[&str]| text(definition, path) != text(old, path);
    let fixed = fixed.into_iter().filter(|(path, fixed)| *fixed && differs(path));
    fixed.map(|(path, _)| FieldError::invalid(path.join("."), text(definition, path), "field is immutable")).collect()
}

/// What is wrong with the form of names.
fn name_errors(names: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let one = |member: &str| text(names, &[member]);
    for member in ["plural", "singular"] {
        let name = one(member);
        if let Some(fault) = label_fault(name).filter(|_| !name.is_empty()) {
            errors.push(FieldError::invalid(format!("{path}.{member}"), name, fault));
        }
    }
    for member in ["kind", "listKind"] {
        let name = one(member);
        if let Some(fault) = label_fault(&name.to_lowercase()).filter(|_| !name.is_empty()) {
            let hint = format!("may have mixed case, but should otherwise match: {fault}");
            errors.push(FieldError::invalid(format!("{path}.{member}"), name, hint));
        }
    }
    let several = |member: &str, errors: &mut Vec<FieldError>| {
        for (index, name) in list(names, &[member]).iter().enumerate() {
            let name = name.as_str().unwrap_or_default();
            if let Some(fault) = label_fault(name) {
                errors.push(FieldError::invalid(format!("{path}.{member}[{index}]"), name, fault));
            }
        }
    };
    several("shortNames", &mut errors);
    if !one("kind").is_empty() && one("kind") == one("listKind") {
        let hint = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(format!("{path}.listKind"), one("listKind"), hint));
    }
    several("categories", &mut errors);
    errors
}

/// Every version that was ever stored has to be there still.
fn stored_version_errors(definition: &Value) -> Vec<FieldError> {
    let path = "status.storedVersions";
    let stored = list(definition, &["status", "storedVersions"]);
    if stored.is_empty() {
        return vec![FieldError::invalid(path, json!([]), "must have at least one stored version")];
    }
    let versions = list(definition, &["spec", "versions"]);
    let mut errors = Vec::new();
    for version in versions.iter().filter(|version| version.get("storage") == Some(&true.into())) {
        let name = text(version, &["name"]);
        if !stored.iter().any(|stored| stored.as_str() == Some(name)) {
            errors.push(FieldError::invalid(path, stored.to_vec(), format!("must have the storage version {name}")));
        }
    }
    for (index, name) in stored.iter().enumerate() {
        let name = name.as_str().unwrap_or_default();
        if !versions.iter().any(|version| text(version, &["name"]) == name) {
            let hint = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions \
                 until a storage migration ensures no data remains persisted in {name} and removes {name} from \
                 status.storedVersions"
            );
            errors.push(FieldError::invalid(format!("{path}[{index}]"), name, hint));
        }
    }
    errors
}

/// Whether somebody may define kinds in a group of Kubernetes' own.
#[derive(PartialEq, Eq)]
enum Approval {
    Missing,
    Bypassed,
    Approved,
    Invalid,
}

fn approval(definition: &Value) -> Approval {
    let annotation = text(definition, &["metadata", "annotations", APPROVED]);
    let url = annotation.split_once("://").filter(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(|c| c.is_ascii_alphanumeric())
    });
    match url {
        _ if annotation.is_empty() => Approval::Missing,
        _ if annotation.starts_with("unapproved") => Approval::Bypassed,
        Some((_, rest)) if !rest.starts_with('/') && !rest.is_empty() && !annotation.contains(' ') => {
            Approval::Approved
        }
        _ => Approval::Invalid,
    }
}

fn approval_error(definition: &Value, old: Option<&Value>, group: &str) -> Option<FieldError> {
    let protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|own| group.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    let now = approval(definition);
    if !protected || old.is_some_and(|old| approval(old) == now) {
        return None;
    }
    let field = format!("metadata.annotations[{APPROVED}]");
    let hint = format!("protected groups must have approval annotation \"{APPROVED}\"");
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    match now {
        Approval::Approved | Approval::Bypassed => None,
        Approval::Missing => Some(FieldError::required(field, format!("{hint}, {see}"))),
        Approval::Invalid => {
            let value = text(definition, &["metadata", "annotations", APPROVED]);
            let hint = format!("{hint} with either a URL or a reason starting with \"unapproved\", {see}");
            Some(FieldError::invalid(field, value, hint))
        }
    }
}

#[cfg(test)]
mod tests;
