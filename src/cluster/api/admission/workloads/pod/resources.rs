//! What containers and pods ask for and may take.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::super::check::{Errors, NEGATIVE, optional};
use super::super::read::Read;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::quantity::Quantity;

/// Names that stand for a resource without a domain before them, somewhere in the cluster.
const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];

/// Whose resources they are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Of {
    /// A container's.
    Container,
    /// A whole pod's.
    Pod,
}

/// The names of the claims that a pod has.
pub(super) type Claims<'a> = BTreeSet<&'a str>;

/// Checks `limits`, `requests` and `claims`.
pub(super) fn validate(resources: &Value, of: Of, claims: &Claims<'_>, at: &Path<'_>, errors: &mut Errors) {
    let (limits, requests) = (resources.members("limits"), resources.members("requests"));
    let at_limits = at.child("limits");
    for (name, value) in limits.into_iter().flatten() {
        entry(name, &shown(value), of, &at_limits.key(name), errors);
        huge_page_multiple(name, &shown(value), &at_limits.key(name), errors);
    }
    let at_requests = at.child("requests");
    for (name, value) in requests.into_iter().flatten() {
        let asked = shown(value);
        entry(name, &asked, of, &at_requests.key(name), errors);
        match limits.and_then(|limits| limits.get(name)) {
            Some(limit) => within_limit(name, &asked, &shown(limit), &at_requests, errors),
            None if !is_overcommittable(name) => {
                let hint = "Limit must be set for non overcommitable resources";
                errors.push(FieldError::required(at_limits, hint));
            }
            None => {}
        }
        huge_page_multiple(name, &asked, &at_requests.key(name), errors);
    }
    let names = || limits.into_iter().chain(requests).flatten().map(|(name, _)| name.as_str());
    if names().any(is_huge_page) && !names().any(|name| name == "cpu" || name == "memory") {
        errors.push(FieldError::forbidden(at, "HugePages require cpu or memory"));
    }
    used_claims(resources, claims, &at.child("claims"), errors);
}

/// A quantity as it is written; a bare number is one too.
fn shown(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

fn entry(name: &str, value: &str, of: Of, at: &Path<'_>, errors: &mut Errors) {
    resource_name(name, of, at, errors);
    let Ok(amount) = value.parse::<Quantity>() else { return };
    if amount.sign().is_lt() {
        errors.push(FieldError::invalid(at, value, NEGATIVE));
    }
    if is_whole(name) && !amount.is_whole() {
        errors.push(FieldError::invalid(at, value, "must be an integer"));
    }
}

fn resource_name(name: &str, of: Of, at: &Path<'_>, errors: &mut Errors) {
    let faults = text::label_key(name);
    let sound = faults.is_empty();
    invalid(at, name, faults, errors);
    let plain = !name.contains('/');
    let standard = STANDARD.contains(&name) || is_huge_page(name) || name.starts_with("requests.hugepages-");
    let mut wrong = |hint: &str| errors.push(FieldError::invalid(at, name, hint));
    if sound && plain && !standard {
        wrong("must be a standard resource type or fully qualified");
        if of == Of::Pod {
            return;
        }
    }
    if of == Of::Pod {
        if sound && !matches!(name, "cpu" | "memory") && !is_huge_page(name) {
            errors.push(FieldError::not_supported(at, name, &["cpu", "hugepages-", "memory"]));
        }
    } else if plain {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !is_huge_page(name) {
            wrong("must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        wrong("doesn't follow extended resource name standard");
    }
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && text::label_key(&format!("requests.{name}")).is_empty()
}

fn is_overcommittable(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Things that are counted.
fn is_whole(name: &str) -> bool {
    let counted = STANDARD.iter().skip(9).filter(|name| !name.ends_with("storage"));
    counted.into_iter().any(|counted| *counted == name) || is_extended(name)
}

fn within_limit(name: &str, asked: &str, limit: &str, at: &Path<'_>, errors: &mut Errors) {
    let hint = match compare_quantities(asked, limit) {
        None | Some(Ordering::Equal) => return,
        Some(_) if !is_overcommittable(name) => format!("must be equal to {name} limit of {limit}"),
        Some(Ordering::Greater) => format!("must be less than or equal to {name} limit of {limit}"),
        Some(Ordering::Less) => return,
    };
    errors.push(FieldError::invalid(at, asked, hint));
}

fn huge_page_multiple(name: &str, value: &str, at: &Path<'_>, errors: &mut Errors) {
    let Some(size) = name.strip_prefix("hugepages-") else { return };
    let is_divisible = match (value.parse::<Quantity>(), size.parse::<Quantity>()) {
        (Ok(value), Ok(size)) => value.sign().is_ge() && size.sign().is_gt() && value.is_multiple_of(size),
        _ => false,
    };
    if !is_divisible {
        let hint = format!("{value} is not positive integer multiple of {name}");
        errors.push(FieldError::invalid(at, value, hint));
    }
}

fn used_claims(resources: &Value, claims: &Claims<'_>, at: &Path<'_>, errors: &mut Errors) {
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    for (index, claim) in resources.items("claims").iter().enumerate() {
        let at = at.index(index);
        let (name, request) = (claim.text("name"), claim.text("request"));
        if name.is_empty() {
            errors.push(FieldError::required(at, ""));
            continue;
        }
        if seen.contains(&(name, "")) {
            errors.push(FieldError::duplicate(at, name));
        } else {
            optional(claim, "request", text::dns1123_label, &at, errors);
            if !seen.insert((name, request)) {
                errors.push(FieldError::duplicate(at, format!("{name}/{request}")));
            } else if request.is_empty() {
                for _ in seen.iter().filter(|(other, request)| *other == name && !request.is_empty()) {
                    errors.push(FieldError::duplicate(at, name));
                }
            }
        }
        if !claims.contains(name) {
            errors.push(FieldError { field: (&at).into(), fault: Fault::NotFound(name.into()) });
        }
    }
}

fn compare_quantities(a: &str, b: &str) -> Option<Ordering> {
    Some(a.parse::<Quantity>().ok()?.cmp(&b.parse().ok()?))
}

/// No container may take more than its pod.
pub(super) fn containers_within_pod(spec: &Value, limits: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("containers");
    for (index, container) in spec.items("containers").iter().enumerate() {
        let at = at.index(index);
        let own = container.part("resources").part("limits");
        for (name, limit) in own.and_then(Value::as_object).into_iter().flatten() {
            let Some(most) = limits.part(name).map(shown) else { continue };
            let limit = shown(limit);
            if compare_quantities(&limit, &most) == Some(Ordering::Greater) {
                let hint = format!("must be less than or equal to pod limits of {most}");
                errors.push(FieldError::invalid(at.key(name).child("limits"), limit.into_owned(), hint));
            }
        }
    }
}
