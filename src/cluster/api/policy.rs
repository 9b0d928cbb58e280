//! Who asks and whether they may: RBAC over the roles in the store, reviews, impersonation.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use serde_json::Value;

use super::access::{self, Attributes, Impersonation, MASTERS, Policy, User};
use super::resource::Resource;
use super::status::Refusal;
use super::store::Store;
use crate::cluster::object::GroupKind;

/// The administrator of an embedded cluster, as kind names its own.
pub fn administrator() -> User {
    User::new("kubernetes-admin", &[MASTERS, access::AUTHENTICATED])
}

fn with_policy<T>(store: &Store, namespace: &str, ask: impl FnOnce(&Policy<'_>) -> T) -> T {
    let of = |plural: &str, namespace: &str| -> Vec<Value> {
        let name = format!("{plural}.rbac.authorization.k8s.io");
        store.list(&name, namespace).map(|object| object.value()).collect()
    };
    let (cluster_roles, cluster_role_bindings) = (of("clusterroles", ""), of("clusterrolebindings", ""));
    let (roles, role_bindings) = (of("roles", namespace), of("rolebindings", namespace));
    ask(&Policy {
        cluster_roles: &cluster_roles,
        cluster_role_bindings: &cluster_role_bindings,
        roles: &roles,
        role_bindings: &role_bindings,
    })
}

fn is_master(user: &User) -> bool {
    user.groups.iter().any(|group| group == MASTERS)
}

/// Lets a request pass.
///
/// # Errors
/// 403.
pub fn allow(store: &Store, user: &User, attributes: &Attributes<'_>) -> Result<(), Refusal> {
    if is_master(user) {
        return Ok(());
    }
    let verdict = with_policy(store, attributes.namespace, |policy| access::decide(policy, user, attributes));
    if verdict.allowed { Ok(()) } else { Err(access::refusal(user, attributes, &verdict.reason)) }
}

/// Whom a request is taken to come from, by its `Impersonate-…` headers.
///
/// # Errors
/// 403 when the user may not act as somebody else.
pub fn impersonated(store: &Store, user: User, headers: &HeaderMap) -> Result<User, Refusal> {
    let texts = |name: &str| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
    };
    let first = |name: &str| texts(name).into_iter().next().unwrap_or_default();
    let extra: BTreeMap<String, Vec<String>> = headers
        .keys()
        .filter_map(|name| Some((name.as_str().strip_prefix("impersonate-extra-")?.to_owned(), texts(name.as_str()))))
        .collect();
    let ask = Impersonation {
        name: first("impersonate-user"),
        groups: texts("impersonate-group"),
        uid: first("impersonate-uid"),
        extra,
    };
    if ask.is_empty() {
        return Ok(user);
    }
    with_policy(store, "", |policy| access::impersonate(&user, &ask, policy))
}

const REVIEWS: [(&str, &str); 6] = [
    ("authorization.k8s.io", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "SubjectAccessReview"),
    ("authorization.k8s.io", "LocalSubjectAccessReview"),
    ("authorization.k8s.io", "SelfSubjectRulesReview"),
    ("authentication.k8s.io", "SelfSubjectReview"),
    ("authentication.k8s.io", "TokenReview"),
];

/// Whether objects of a resource are questions that are answered and not kept.
pub fn is_review(resource: &Resource) -> bool {
    REVIEWS.contains(&resource.kind.pair())
}

/// Answers a review.
///
/// # Errors
/// 400 or 422 of a question that makes no sense.
pub fn review(store: &Store, kind: &GroupKind, object: Value, user: &User, namespace: &str) -> Result<Value, Refusal> {
    let asked_about = crate::cluster::object::text(&object, &["spec", "resourceAttributes", "namespace"]);
    let rules_of = crate::cluster::object::text(&object, &["spec", "namespace"]);
    let about = [namespace, asked_about, rules_of].into_iter().find(|name| !name.is_empty()).unwrap_or("").to_owned();
    with_policy(store, &about, |policy| match &*kind.kind {
        "SelfSubjectAccessReview" => access::self_subject_access_review(object, user, policy),
        "SubjectAccessReview" => access::subject_access_review(object, policy),
        "LocalSubjectAccessReview" => access::local_subject_access_review(object, namespace, policy),
        "SelfSubjectRulesReview" => access::self_subject_rules_review(object, user, policy),
        _ => Ok(access::self_subject_review(object, user)),
    })
}
