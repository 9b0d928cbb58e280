//! RBAC: which rules a user has, and what a rule permits.

use std::borrow::Cow;

use serde_json::Value;

use super::bootstrap::gathered;
use super::{Attributes, Policy, User};
use crate::cluster::object::{at, list, text};

/// What a binding gives to a user.
pub(super) struct Grant<'p> {
    /// The rules of the role; or what is said of a role that is not there.
    pub(super) rules: Result<Cow<'p, [Value]>, String>,
    /// Which binding, role and subject it is.
    pub(super) description: String,
    /// Whether it holds in one namespace alone.
    pub(super) namespaced: bool,
}

/// What all bindings give to a user: those of the cluster, then those of a namespace.
pub(super) fn grants<'p>(policy: &Policy<'p>, user: &User, namespace: &str) -> impl Iterator<Item = Grant<'p>> {
    let policy = *policy;
    let everywhere = policy.cluster_role_bindings.iter().filter_map(move |binding| grant(&policy, user, binding, ""));
    let here = policy.role_bindings.iter().filter_map(move |binding| {
        let place = text(binding, &["metadata", "namespace"]);
        (!namespace.is_empty() && place == namespace).then(|| grant(&policy, user, binding, place)).flatten()
    });
    everywhere.chain(here)
}

fn grant<'p>(policy: &Policy<'p>, user: &User, binding: &'p Value, namespace: &'p str) -> Option<Grant<'p>> {
    let subject = list(binding, &["subjects"]).iter().find(|subject| names(subject, user, namespace))?;
    let (kind, role) = (text(binding, &["roleRef", "kind"]), text(binding, &["roleRef", "name"]));
    let name = text(binding, &["metadata", "name"]);
    let bound = match namespace {
        "" => format!("ClusterRoleBinding \"{name}\""),
        namespace => format!("RoleBinding \"{name}/{namespace}\""),
    };
    let whom = match (text(subject, &["kind"]), text(subject, &["name"])) {
        ("ServiceAccount", account) => {
            format!("ServiceAccount \"{account}/{}\"", account_namespace(subject, namespace))
        }
        (kind, name) => format!("{kind} \"{name}\""),
    };
    Some(Grant {
        rules: role_rules(policy, kind, role, namespace),
        description: format!("{bound} of {kind} \"{role}\" to {whom}"),
        namespaced: !namespace.is_empty(),
    })
}

fn account_namespace<'v>(subject: &'v Value, namespace: &'v str) -> &'v str {
    Some(text(subject, &["namespace"])).filter(|named| !named.is_empty()).unwrap_or(namespace)
}

fn names(subject: &Value, user: &User, namespace: &str) -> bool {
    let name = text(subject, &["name"]);
    match text(subject, &["kind"]) {
        "User" => user.name == name,
        "Group" => user.is_in(name),
        "ServiceAccount" => {
            let account = user.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
            account == Some((account_namespace(subject, namespace), name))
        }
        _ => false,
    }
}

fn role_rules<'p>(policy: &Policy<'p>, kind: &str, name: &str, namespace: &str) -> Result<Cow<'p, [Value]>, String> {
    let named = |role: &&Value| text(role, &["metadata", "name"]) == name;
    if kind == "ClusterRole" {
        let role = policy.cluster_roles.iter().find(named);
        let role = role.ok_or_else(|| format!("clusterrole.rbac.authorization.k8s.io \"{name}\" not found"))?;
        return Ok(match at(role, &["aggregationRule"]).filter(|rule| !rule.is_null()) {
            Some(_) => Cow::Owned(gathered(role, policy.cluster_roles)),
            None => Cow::Borrowed(list(role, &["rules"])),
        });
    }
    let mut here = policy.roles.iter().filter(|role| text(role, &["metadata", "namespace"]) == namespace);
    let role = here.find(named);
    let role = role.ok_or_else(|| format!("role.rbac.authorization.k8s.io \"{name}\" not found"))?;
    Ok(Cow::Borrowed(list(role, &["rules"])))
}

/// Whether a list of a rule has `*` or a value.
fn covers(rule: &Value, member: &str, value: &str) -> bool {
    list(rule, &[member]).iter().any(|item| item == "*" || item == value)
}

/// Whether a rule lets something be done.
pub(super) fn permits(rule: &Value, attributes: &Attributes<'_>) -> bool {
    if !covers(rule, "verbs", attributes.verb) {
        return false;
    }
    if !attributes.path.is_empty() {
        return list(rule, &["nonResourceURLs"]).iter().filter_map(Value::as_str).any(|pattern| {
            pattern == attributes.path
                || pattern.strip_suffix('*').is_some_and(|start| attributes.path.starts_with(start))
        });
    }
    let names = list(rule, &["resourceNames"]);
    covers(rule, "apiGroups", attributes.group)
        && list(rule, &["resources"]).iter().filter_map(Value::as_str).any(|known| is_resource(known, attributes))
        && (names.is_empty() || names.iter().any(|name| name == attributes.name))
}

fn is_resource(pattern: &str, attributes: &Attributes<'_>) -> bool {
    match (pattern, pattern.split_once('/')) {
        ("*", _) => true,
        (_, None) => attributes.subresource.is_empty() && pattern == attributes.resource,
        (_, Some((resource, subresource))) => {
            !attributes.subresource.is_empty()
                && subresource == attributes.subresource
                && (resource == "*" || resource == attributes.resource)
        }
    }
}
