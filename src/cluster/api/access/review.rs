//! Reviews: a client asks what it or somebody may do, or who it is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{AUTHENTICATED, Attributes, Policy, User, decide, rules};
use crate::cluster::api::status::{FieldError, Refusal};
use crate::cluster::object::{GroupKind, at, list, map, set, text};

const AUTHORIZATION: &str = "authorization.k8s.io";

/// What a review asks about.
fn attributes(review: &Value) -> Attributes<'_> {
    let spec = |part: &'static str, member: &'static str| text(review, &["spec", part, member]);
    if at(review, &["spec", "nonResourceAttributes"]).is_some_and(|asked| !asked.is_null()) {
        let part = "nonResourceAttributes";
        // a request for a path always has one
        let path = Some(spec(part, "path")).filter(|path| !path.is_empty()).unwrap_or("/");
        return Attributes { verb: spec(part, "verb"), path, ..Attributes::default() };
    }
    let part = "resourceAttributes";
    Attributes {
        verb: spec(part, "verb"),
        group: spec(part, "group"),
        resource: spec(part, "resource"),
        subresource: spec(part, "subresource"),
        name: spec(part, "name"),
        namespace: spec(part, "namespace"),
        path: "",
    }
}

/// What is wrong with the question itself.
fn faults(review: &Value) -> Vec<FieldError> {
    let there = |member: &str| at(review, &["spec", member]).filter(|asked| !asked.is_null());
    match (there("resourceAttributes"), there("nonResourceAttributes")) {
        (Some(_), Some(path)) => {
            let hint = "cannot be specified in combination with resourceAttributes";
            vec![FieldError::invalid("spec.nonResourceAttributes", path.clone(), hint)]
        }
        (None, None) => {
            let hint = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            vec![FieldError::invalid("spec.resourceAttributes", Value::Null, hint)]
        }
        _ => Vec::new(),
    }
}

fn refuse(kind: &str, errors: &[FieldError]) -> Result<(), Refusal> {
    if errors.is_empty() { Ok(()) } else { Err(Refusal::invalid(&GroupKind::new(AUTHORIZATION, kind), "", errors)) }
}

/// The review with its answer.
fn answered(mut review: Value, status: Value) -> Value {
    crate::cluster::object::set_default(&mut review, &["metadata"], Map::new());
    set(&mut review, &["status"], status);
    review
}

fn verdict(review: Value, user: &User, policy: &Policy<'_>) -> Value {
    let verdict = decide(policy, user, &attributes(&review));
    let mut status = json!({"allowed": verdict.allowed});
    if !verdict.reason.is_empty() {
        set(&mut status, &["reason"], verdict.reason);
    }
    answered(review, status)
}

/// Answers a SelfSubjectAccessReview.
pub fn self_subject_access_review(review: Value, user: &User, policy: &Policy<'_>) -> Result<Value, Refusal> {
    refuse("SelfSubjectAccessReview", &faults(&review))?;
    Ok(verdict(review, user, policy))
}

/// The user that a review asks about.
fn subject(review: &Value) -> User {
    let texts = |values: &Value| {
        let values = values.as_array().into_iter().flatten();
        values.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    User {
        name: text(review, &["spec", "user"]).to_owned(),
        groups: at(review, &["spec", "groups"]).map(texts).unwrap_or_default(),
        uid: text(review, &["spec", "uid"]).to_owned(),
        extra: map(review, &["spec", "extra"])
            .into_iter()
            .flatten()
            .map(|(name, values)| (name.clone(), texts(values)))
            .collect::<BTreeMap<_, _>>(),
    }
}

fn subject_faults(review: &Value) -> Vec<FieldError> {
    let mut errors = faults(review);
    if text(review, &["spec", "user"]).is_empty() && list(review, &["spec", "groups"]).is_empty() {
        let hint = "at least one of user or group must be specified";
        errors.push(FieldError::invalid("spec.user", "", hint));
    }
    errors
}

/// Answers a SubjectAccessReview.
pub fn subject_access_review(review: Value, policy: &Policy<'_>) -> Result<Value, Refusal> {
    refuse("SubjectAccessReview", &subject_faults(&review))?;
    let user = subject(&review);
    Ok(verdict(review, &user, policy))
}

/// Answers a LocalSubjectAccessReview of a namespace.
pub fn local_subject_access_review(review: Value, namespace: &str, policy: &Policy<'_>) -> Result<Value, Refusal> {
    const KIND: &str = "LocalSubjectAccessReview";
    let mut errors = subject_faults(&review);
    if at(&review, &["spec", "nonResourceAttributes"]).is_some_and(|asked| !asked.is_null()) {
        let hint = "disallowed on this kind of request";
        errors.push(FieldError::forbidden("spec.nonResourceAttributes", hint));
    }
    refuse(KIND, &errors)?;
    let asked = text(&review, &["spec", "resourceAttributes", "namespace"]);
    if asked != namespace {
        return Err(Refusal::bad_request(format!(
            "spec.resourceAttributes.namespace must match namespace: {namespace}"
        )));
    }
    let user = subject(&review);
    Ok(verdict(review, &user, policy))
}

/// Answers a SelfSubjectRulesReview: all rules that the user has in a namespace.
pub fn self_subject_rules_review(review: Value, user: &User, policy: &Policy<'_>) -> Result<Value, Refusal> {
    let namespace = text(&review, &["spec", "namespace"]);
    if namespace.is_empty() {
        return Err(Refusal::bad_request("no namespace on request"));
    }
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    for grant in rules::grants(policy, user, namespace) {
        for rule in grant.rules.iter().flat_map(|rules| rules.iter()) {
            let part = |members: &[&str]| {
                let there = members.iter().filter(|member| !list(rule, &[member]).is_empty());
                there
                    .filter_map(|member| Some(((*member).to_owned(), rule.get(*member)?.clone())))
                    .collect::<Map<_, _>>()
            };
            if !list(rule, &["resources"]).is_empty() {
                resources.push(Value::Object(part(&["verbs", "apiGroups", "resources", "resourceNames"])));
            }
            if !grant.namespaced && !list(rule, &["nonResourceURLs"]).is_empty() {
                paths.push(Value::Object(part(&["verbs", "nonResourceURLs"])));
            }
        }
    }
    Ok(answered(review, json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})))
}

/// Answers a SelfSubjectReview: who the user is.
pub fn self_subject_review(review: Value, user: &User) -> Value {
    answered(review, json!({"userInfo": user.to_value()}))
}

/// Finds the user of a token, and which of some audiences it is for.
pub(super) type Known<'a> = dyn Fn(&str, &[String]) -> Option<(User, Vec<String>)> + 'a;

/// Answers a TokenReview; `known` finds the user of a token, and which of the audiences asked about it is for.
pub fn token_review(review: Value, known: &Known<'_>) -> Result<Value, Refusal> {
    let token = text(&review, &["spec", "token"]);
    if token.is_empty() {
        return Err(Refusal::bad_request("token is required for TokenReview in authentication"));
    }
    let audiences = list(&review, &["spec", "audiences"]).iter().filter_map(Value::as_str).map(str::to_owned);
    let status = match known(token, &audiences.collect::<Vec<_>>()) {
        None => json!({"user": {}, "error": "[invalid bearer token]"}),
        Some((mut user, audiences)) => {
            if !user.is_in(AUTHENTICATED) {
                user.groups.push(AUTHENTICATED.to_owned());
            }
            let mut status = json!({"authenticated": true, "user": user.to_value()});
            if !audiences.is_empty() {
                set(&mut status, &["audiences"], audiences);
            }
            status
        }
    };
    Ok(answered(review, status))
}
