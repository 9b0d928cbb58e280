//! Acting as somebody else.

use std::collections::BTreeMap;

use super::{ANONYMOUS, AUTHENTICATED, Attributes, Policy, UNAUTHENTICATED, User, decide, refusal};
use crate::cluster::api::status::Refusal;

/// Who somebody wants to be taken for, as the `Impersonate-…` headers say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// `Impersonate-User`; may be empty.
    pub name: String,
    /// `Impersonate-Group`, each time it is there.
    pub groups: Vec<String>,
    /// `Impersonate-Uid`; may be empty.
    pub uid: String,
    /// `Impersonate-Extra-…`, by the lower-case end of the header.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Impersonation {
    /// Whether nothing of the kind is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The user that a request is then taken to come from.
pub fn impersonate(user: &User, ask: &Impersonation, policy: &Policy<'_>) -> Result<User, Refusal> {
    if ask.is_empty() {
        return Ok(user.clone());
    }
    if ask.name.is_empty() {
        let what = match (ask.groups.first(), ask.uid.as_str()) {
            (Some(group), _) => format!("Group {group}"),
            (None, "") => "extra".to_owned(),
            (None, uid) => format!("UID {uid}"),
        };
        return Err(Refusal::internal(format!("requested [{{{what}}}] without impersonating a user")));
    }
    let account = ask.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let authentication = "authentication.k8s.io";
    let mut asked = vec![match account {
        Some((namespace, name)) => Attributes { resource: "serviceaccounts", namespace, name, ..Attributes::default() },
        None => Attributes { resource: "users", name: &ask.name, ..Attributes::default() },
    }];
    asked.extend(ask.groups.iter().map(|name| Attributes { resource: "groups", name, ..Attributes::default() }));
    for (key, values) in &ask.extra {
        let extra =
            Attributes { group: authentication, resource: "userextras", subresource: key, ..Attributes::default() };
        asked.extend(values.iter().map(|name| Attributes { name, ..extra }));
    }
    if !ask.uid.is_empty() {
        asked.push(Attributes { group: authentication, resource: "uids", name: &ask.uid, ..Attributes::default() });
    }
    for attributes in asked {
        let attributes = Attributes { verb: "impersonate", ..attributes };
        let verdict = decide(policy, user, &attributes);
        if !verdict.allowed {
            return Err(refusal(user, &attributes, &verdict.reason));
        }
    }
    let mut groups = ask.groups.clone();
    if let (Some((namespace, _)), true) = (account, groups.is_empty()) {
        groups = vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    }
    let known = if ask.name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
    if ![AUTHENTICATED, UNAUTHENTICATED].iter().any(|group| groups.iter().any(|there| there == group)) {
        groups.push(known.to_owned());
    }
    Ok(User { name: ask.name.clone(), groups, uid: ask.uid.clone(), extra: ask.extra.clone() })
}
