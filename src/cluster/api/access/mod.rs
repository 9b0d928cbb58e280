//! Who may do what: RBAC over the roles and bindings there are, the reviews that ask about it, impersonation.

mod bootstrap;
mod impersonation;
mod review;
mod rules;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::status::Refusal;

pub use bootstrap::{aggregated, bootstrap_objects};
pub use impersonation::{Impersonation, impersonate};
pub use review::{
    local_subject_access_review, self_subject_access_review, self_subject_review, self_subject_rules_review,
    subject_access_review, token_review,
};

/// The group whose members may do everything.
pub const MASTERS: &str = "system:masters";
/// The group of everybody who is known.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The group of those who are not.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The name of those who are not known.
pub const ANONYMOUS: &str = "system:anonymous";

/// Somebody who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The groups.
    pub groups: Vec<String>,
    /// The uid; may be empty.
    pub uid: String,
    /// What else is known of them.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user by name and groups.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        Self { name: name.to_owned(), groups, ..Self::default() }
    }

    /// Somebody who did not say who they are.
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS, &[UNAUTHENTICATED])
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known == group)
    }

    /// As `userInfo` shows it.
    pub fn to_value(&self) -> Value {
        let mut user = Map::new();
        for (member, value) in [("username", &self.name), ("uid", &self.uid)] {
            if !value.is_empty() {
                user.insert(member.to_owned(), value.as_str().into());
            }
        }
        if !self.groups.is_empty() {
            user.insert("groups".to_owned(), json!(self.groups));
        }
        if !self.extra.is_empty() {
            user.insert("extra".to_owned(), json!(self.extra));
        }
        Value::Object(user)
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// `get`, `list`, `watch`, `create` …
    pub verb: &'a str,
    /// The API group.
    pub group: &'a str,
    /// The plural name of the resource.
    pub resource: &'a str,
    /// The subresource; empty for the object itself.
    pub subresource: &'a str,
    /// The name of the object; may be empty.
    pub name: &'a str,
    /// The namespace; empty for what is of the cluster, and for all namespaces.
    pub namespace: &'a str,
    /// The path, when it is not about a resource.
    pub path: &'a str,
}

/// The roles and bindings of the cluster.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy<'a> {
    /// All ClusterRoles.
    pub cluster_roles: &'a [Value],
    /// All ClusterRoleBindings.
    pub cluster_role_bindings: &'a [Value],
    /// Roles, at least those of the namespace that is asked about.
    pub roles: &'a [Value],
    /// RoleBindings, at least those of the namespace that is asked about.
    pub role_bindings: &'a [Value],
}

/// Whether something may be done, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may.
    pub allowed: bool,
    /// Why; or what was wrong with the policy. May be empty.
    pub reason: String,
}

/// Decides whether a user may do something.
pub fn decide(policy: &Policy<'_>, user: &User, attributes: &Attributes<'_>) -> Verdict {
    if user.is_in(MASTERS) {
        return Verdict { allowed: true, reason: String::new() };
    }
    let mut missing = Vec::new();
    for grant in rules::grants(policy, user, attributes.namespace) {
        match grant.rules {
            Ok(rules) => {
                if rules.iter().any(|rule| rules::permits(rule, attributes)) {
                    return Verdict { allowed: true, reason: format!("RBAC: allowed by {}", grant.description) };
                }
            }
            Err(error) => missing.push(error),
        }
    }
    let reason = match missing.as_slice() {
        [] => String::new(),
        [one] => format!("RBAC: {one}"),
        several => format!("RBAC: [{}]", several.join(", ")),
    };
    Verdict { allowed: false, reason }
}

/// Whether a user may do something.
pub fn allowed(policy: &Policy<'_>, user: &User, attributes: &Attributes<'_>) -> bool {
    decide(policy, user, attributes).allowed
}

/// What is said to a user who may not do something; `reason` is that of the verdict.
pub fn refusal(user: &User, attributes: &Attributes<'_>, reason: &str) -> Refusal {
    let who = format!("User {} cannot {}", json!(user.name), attributes.verb);
    let mut why = if attributes.path.is_empty() {
        let what = match attributes.subresource {
            "" => attributes.resource.to_owned(),
            subresource => format!("{}/{subresource}", attributes.resource),
        };
        let place = match attributes.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        format!("{who} resource \"{what}\" in API group \"{}\" {place}", attributes.group)
    } else {
        format!("{who} path {}", json!(attributes.path))
    };
    // the answer could end up in a page
    why = why.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if !reason.is_empty() {
        why = format!("{why}: {reason}");
    }
    if attributes.path.is_empty() {
        Refusal::forbidden(attributes.group, attributes.resource, attributes.name, &why)
    } else {
        let details = super::status::Details::default();
        Refusal::new(403, "Forbidden", format!("forbidden: {why}")).with_details(details)
    }
}

#[cfg(test)]
mod tests;
