//! LimitRange, ResourceQuota.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use super::check::{Check, IMMUTABLE, texts};
use super::kind::{Blank, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{Map, at, entry, list, map, text};
use crate::cluster::quantity::Quantity;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        kind: "LimitRange",
        create_on_update: true,
        always: &[(&["spec", "limits"], Blank::Null)],
        defaults: |range| {
            for limit in range.pointer_mut("/spec/limits").and_then(Value::as_array_mut).into_iter().flatten() {
                if text(limit, &["type"]) == "Container" {
                    for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
                        complete(limit, from, to);
                    }
                }
            }
        },
        validate: |check, new, _| {
            check.new_metadata(new);
            check.limits(new);
        },
        ..Kind::NAMESPACED
    },
    Kind {
        kind: "ResourceQuota",
        status: Status::Separate,
        always: &[(&["spec"], Blank::Object), (&["status"], Blank::Object)],
        validate: quota,
        ..Kind::NAMESPACED
    },
];

/// Gives `to` the amounts of `from` that it lacks.
fn complete(limit: &mut Value, from: &str, to: &str) {
    for (name, amount) in map(limit, &[from]).cloned().into_iter().flatten() {
        let place = entry(limit, &[to, &name]);
        if place.is_null() {
            *place = amount;
        }
    }
}

/// Resources that Kubernetes itself knows, and where each may be limited.
const RESOURCES: [(&str, Use); 22] = [
    ("cpu", Use::Container),
    ("memory", Use::Container),
    ("ephemeral-storage", Use::Container),
    ("requests.cpu", Use::Quota),
    ("requests.memory", Use::Quota),
    ("requests.storage", Use::Quota),
    ("requests.ephemeral-storage", Use::Quota),
    ("limits.cpu", Use::Quota),
    ("limits.memory", Use::Quota),
    ("limits.ephemeral-storage", Use::Quota),
    ("pods", Use::Count),
    ("resourcequotas", Use::Count),
    ("services", Use::Count),
    ("replicationcontrollers", Use::Count),
    ("secrets", Use::Count),
    ("persistentvolumeclaims", Use::Count),
    ("configmaps", Use::Count),
    ("services.nodeports", Use::Count),
    ("services.loadbalancers", Use::Count),
    ("storage", Use::Claim),
    ("limits", Use::Other),
    ("requests", Use::Other),
];

/// Where a resource may be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Container,
    Quota,
    Count,
    Claim,
    Other,
}

fn known(resource: &str) -> Option<Use> {
    let huge = resource.starts_with("hugepages-") || resource.starts_with("requests.hugepages-");
    let found = RESOURCES.iter().find(|(name, _)| *name == resource).map(|(_, place)| *place);
    found.filter(|place| *place != Use::Other).or(huge.then_some(Use::Container))
}

/// Whether a resource is counted in whole things.
fn is_counted(resource: &str) -> bool {
    known(resource) == Some(Use::Count) || resource.starts_with("count/") || is_extended(resource)
}

/// Whether a resource is one that somebody added to the nodes.
pub(in crate::cluster::api::admission) fn is_extended(resource: &str) -> bool {
    let domain = resource.split_once('/').map_or("", |(domain, _)| domain);
    !domain.is_empty() && !domain.contains("kubernetes.io") && !resource.starts_with("requests.") && domain != "count"
}

/// Scopes of a quota.
const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

/// Whether a scope can be told of what a resource counts.
fn scope_fits(scope: &str, resource: &str) -> bool {
    const COMPUTE: [&str; 6] = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
    match scope {
        "Terminating" | "NotTerminating" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" => {
            COMPUTE.contains(&resource) || resource == "pods"
        }
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => resource == "persistentvolumeclaims" || resource == "requests.storage",
        _ => true,
    }
}

fn quota(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    check.quota_amounts(new, &["spec", "hard"]);
    check.scopes(new);
    match old {
        None => {
            check.quota_amounts(new, &["status", "hard"]);
            check.quota_amounts(new, &["status", "used"]);
        }
        Some(old) => {
            let scopes = |quota| texts(quota, &["spec", "scopes"]).map(str::to_owned).collect::<BTreeSet<_>>();
            if scopes(new) != scopes(old) {
                let all = at(new, &["spec", "scopes"]).cloned().unwrap_or_default();
                check.invalid("spec.scopes", all, IMMUTABLE);
            }
        }
    }
}

impl Check<'_> {
    fn quota_amounts(&mut self, quota: &Value, path: &[&str]) {
        for (name, amount) in map(quota, path).into_iter().flatten() {
            let field = format!("{}[{name}]", path.join("."));
            self.resource(
                &field,
                name,
                &[Use::Container, Use::Quota, Use::Count],
                "must be a standard resource for quota",
            );
            self.quantity(&field, amount, is_counted(name));
        }
    }

    /// The name of a resource; those without a domain have to be known, and limited in such a place.
    fn resource(&mut self, field: &str, name: &str, places: &[Use], hint: &str) {
        let sentences = names::qualified_name(name);
        if !sentences.is_empty() {
            self.sentences(field, name, sentences);
        } else if !name.contains('/') {
            match known(name) {
                None => {
                    self.invalid(field, name, "must be a standard resource type or fully qualified");
                    if !hint.is_empty() {
                        self.invalid(field, name, hint);
                    }
                }
                Some(place) if !places.contains(&place) && !hint.is_empty() => self.invalid(field, name, hint),
                Some(_) => {}
            }
        }
    }

    fn scopes(&mut self, quota: &Value) {
        let all = at(quota, &["spec", "scopes"]).cloned().unwrap_or_default();
        let hard = map(quota, &["spec", "hard"]);
        let misfit =
            |scope: &str| hard.into_iter().flatten().any(|(name, _)| known(name).is_some() && !scope_fits(scope, name));
        for scope in texts(quota, &["spec", "scopes"]) {
            if !SCOPES.contains(&scope) {
                self.invalid("spec.scopes", all.clone(), "unsupported scope");
            }
            if misfit(scope) {
                self.invalid("spec.scopes", all.clone(), "unsupported scope applied to resource");
            }
        }
        self.scope_pairs(texts(quota, &["spec", "scopes"]).collect(), &all);
        let Some(selector) = at(quota, &["spec", "scopeSelector"]).filter(|selector| !selector.is_null()) else {
            return;
        };
        const FIELD: &str = "spec.scopeSelector.matchExpressions";
        let requirements = list(selector, &["matchExpressions"]);
        for requirement in requirements {
            let scope = text(requirement, &["scopeName"]);
            if !SCOPES.contains(&scope) {
                self.invalid(format!("{FIELD}.scopeName"), scope, "unsupported scope");
            }
            if misfit(scope) {
                self.invalid(FIELD, selector.clone(), "unsupported scope applied to resource");
            }
            self.scope_requirement(FIELD, requirement);
        }
        self.scope_pairs(requirements.iter().map(|requirement| text(requirement, &["scopeName"])).collect(), &all);
    }

    fn scope_pairs(&mut self, scopes: Vec<&str>, all: &Value) {
        for pair in [["BestEffort", "NotBestEffort"], ["NotTerminating", "Terminating"]] {
            if pair.iter().all(|scope| scopes.contains(scope)) {
                self.invalid("spec.scopes", all.clone(), "conflicting scopes");
            }
        }
    }

    fn scope_requirement(&mut self, field: &str, requirement: &Value) {
        let (scope, operator) = (text(requirement, &["scopeName"]), text(requirement, &["operator"]));
        let values = at(requirement, &["values"]).cloned().unwrap_or_default();
        let empty = list(requirement, &["values"]).is_empty();
        let valued = scope == "PriorityClass" || scope == "VolumeAttributesClass" || !SCOPES.contains(&scope);
        if !valued && operator != "Exists" {
            let hint = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
                ResourceQuotaScopeCrossNamespacePodAffinity";
            self.invalid(format!("{field}.operator"), operator, hint);
        }
        match operator {
            "In" | "NotIn" if empty => {
                let hint = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                self.required(format!("{field}.values"), hint);
            }
            "Exists" | "DoesNotExist" if !empty => {
                let hint = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                self.invalid(format!("{field}.values"), values, hint);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => self.invalid(format!("{field}.operator"), operator, "not a valid selector operator"),
        }
    }

    fn limits(&mut self, range: &Value) {
        let mut seen = BTreeSet::new();
        self.items(range, &["spec", "limits"], |check, field, limit| {
            let kind = text(limit, &["type"]);
            check.limit_type(&format!("{field}.type"), kind);
            if !seen.insert(kind) {
                check.duplicate(format!("{field}.type"), kind);
            }
            check.limit_resources(field, limit, kind);
            let names = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
            let resources: BTreeSet<&String> =
                names.iter().filter_map(|member| map(limit, &[member])).flat_map(Map::keys).collect();
            for resource in resources {
                check.limit_amounts(field, limit, resource);
            }
        });
    }

    fn limit_type(&mut self, field: &str, kind: &str) {
        let sentences = names::qualified_name(kind);
        if !sentences.is_empty() {
            self.sentences(field, kind, sentences);
        } else if !kind.contains('/') && !["Pod", "Container", "PersistentVolumeClaim"].contains(&kind) {
            self.invalid(field, kind, "must be a standard limit type or fully qualified");
        }
    }

    fn limit_resources(&mut self, field: &str, limit: &Value, kind: &str) {
        let hint = if ["Pod", "Container"].contains(&kind) { "must be a standard resource for containers" } else { "" };
        for member in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            let amounts = map(limit, &[member]);
            if kind == "Pod" && member.starts_with("default") {
                if amounts.is_some_and(|amounts| !amounts.is_empty()) {
                    self.forbidden(format!("{field}.{member}"), "may not be specified when `type` is 'Pod'");
                }
                continue;
            }
            if member == "maxLimitRequestRatio" && kind == "PersistentVolumeClaim" {
                let has = |member| at(limit, &[member, "storage"]).is_some();
                if !has("min") && !has("max") {
                    let hint = "either minimum or maximum storage value is required, but neither was provided";
                    self.required(format!("{field}.limits"), hint);
                }
            }
            for name in amounts.into_iter().flat_map(Map::keys) {
                self.resource(&format!("{field}.{member}[{name}]"), name, &[Use::Container], hint);
            }
        }
    }

    /// Whether the amounts of a resource go together.
    fn limit_amounts(&mut self, field: &str, limit: &Value, resource: &str) {
        let pod = text(limit, &["type"]) == "Pod";
        let amount = |member: &str| {
            let value = at(limit, &[member, resource]).filter(|_| !(pod && member.starts_with("default")));
            value.and_then(Quantity::read)
        };
        // what may not be more than what; which of them is reported, and under which name each goes
        const ORDER: [(&str, &str, &str, &str, &str, &str); 6] = [
            ("min", "min", "max", "min", "min value", "max value"),
            ("defaultRequest", "min", "defaultRequest", "defaultRequest", "min value", "default request value"),
            ("defaultRequest", "defaultRequest", "max", "defaultRequest", "default request value", "max value"),
            (
                "defaultRequest",
                "defaultRequest",
                "default",
                "defaultRequest",
                "default request value",
                "default limit value",
            ),
            ("default", "min", "default", "min", "min value", "default value"),
            ("default", "default", "max", "max", "default value", "max value"),
        ];
        for (reported, small, large, shown, small_name, large_name) in ORDER {
            let (Some(less), Some(more), Some(value)) = (amount(small), amount(large), amount(shown)) else { continue };
            if less > more {
                let hint = format!("{small_name} {less} is greater than {large_name} {more}");
                self.invalid(format!("{field}.{reported}[{resource}]"), value, hint);
            }
        }
        if let Some(ratio) = amount("maxLimitRequestRatio") {
            let field = format!("{field}.maxLimitRequestRatio[{resource}]");
            if ratio < Quantity::count(1) {
                self.invalid(field.as_str(), ratio, format!("ratio {ratio} is less than 1"));
            }
            if let (Some(min), Some(max)) = (amount("min"), amount("max"))
                && min.sign() == Ordering::Greater
                && ratio.as_f64() > max.as_f64() / min.as_f64()
            {
                let most = max.as_f64() / min.as_f64();
                self.invalid(field, ratio, format!("ratio {ratio} is greater than max/min = {most:.6}"));
            }
        }
        let strict = is_extended(resource) || resource.starts_with("hugepages-");
        if let (true, Some(most), Some(usual)) = (strict, amount("default"), amount("defaultRequest"))
            && most != usual
        {
            let hint = format!("default value {most} must equal to defaultRequest value {usual} in {resource}");
            self.invalid(format!("{field}.defaultRequest[{resource}]"), usual, hint);
        }
    }
}
