//! ResourceQuota: what objects use, whether there is enough left, and how much is used in all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rest::is_extended;
use super::usage::{
    Usage, amounts, claim_usage, containers, is_best_effort, is_over, pod_usage, reaches_other_namespaces,
    service_usage,
};
use crate::cluster::api::status::qualified;
use crate::cluster::object::{GroupKind, Map, at, int, list, map, set, text};
use crate::cluster::quantity::Quantity;

/// What containers have to say when a quota is on it.
const DEMANDED: [&str; 6] = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
/// Kinds that have a name in quotas besides `count/…`.
const COUNTED: [&str; 6] =
    ["configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services"];
/// Kinds that change what they use when they change.
const GROWING: [&str; 3] = ["persistentvolumeclaims", "services", "resourceclaims"];
/// Kinds that no quota is on.
const FREE: [(&str, &str); 3] = [("", "events"), ("", "bindings"), ("events.k8s.io", "events")];

/// Finds out whether the quotas of a namespace leave room for a new object, or for the change of `old` to it. Gives
/// back the quotas that then have another `status.used`; or else what comes behind `is forbidden: `.
pub fn check(
    kind: &GroupKind,
    plural: &str,
    object: &Value,
    old: Option<&Value>,
    quotas: &[Value],
) -> Result<Vec<Value>, String> {
    let what = Counted { kind, plural };
    if FREE.contains(&(&kind.group, plural)) || old.is_some() && !GROWING.contains(&plural) {
        return Ok(Vec::new());
    }
    let matching: Vec<&Value> = quotas.iter().filter(|quota| what.matches(quota, object)).collect();
    for quota in &matching {
        let limited = what.limited_by(map(quota, &["status", "hard"]));
        if what.is_pod() {
            demand(object, &limited).map_err(|missing| format!("failed quota: {}: {missing}", name(quota)))?;
        }
        let used = map(quota, &["status", "used"]);
        if limited.iter().any(|resource| !used.is_some_and(|used| used.contains_key(*resource))) {
            let resources: Vec<_> = limited.into_iter().collect();
            return Err(format!("status unknown for quota: {}, resources: {}", name(quota), resources.join(",")));
        }
    }
    let usage = what.usage(object);
    let negative: Vec<&str> =
        usage.iter().filter(|(_, amount)| amount.sign().is_lt()).map(|(name, _)| name.as_str()).collect();
    if !matching.is_empty() && !negative.is_empty() {
        return Err(format!("quota usage is negative for resource(s): {}", negative.join(",")));
    }
    let mut changed = Vec::new();
    for quota in matching {
        let mut asked = usage.clone();
        if let Some(old) = old.filter(|old| what.matches(quota, old)) {
            let before = what.usage(old);
            for (name, amount) in &mut asked {
                *amount = *amount - before.get(name).copied().unwrap_or_default();
            }
        }
        asked.retain(|_, amount| amount.sign().is_gt());
        changed.extend(charge(quota, &asked)?);
    }
    Ok(changed)
}

/// A quota with more of it used; `None` when nothing of what is asked is limited by it.
fn charge(quota: &Value, asked: &Usage) -> Result<Option<Value>, String> {
    let hard = amounts(map(quota, &["status", "hard"]));
    let used = amounts(map(quota, &["status", "used"]));
    let asked: Usage =
        asked.iter().filter(|(name, _)| hard.contains_key(*name)).map(|(n, a)| (n.clone(), *a)).collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let total = |name: &str, amount: Quantity| used.get(name).copied().unwrap_or_default() + amount;
    let exceeded: BTreeSet<&str> = asked
        .iter()
        .filter(|(name, amount)| hard.get(*name).is_some_and(|most| total(name, **amount) > *most))
        .map(|(name, _)| name.as_str())
        .collect();
    if !exceeded.is_empty() {
        let shown = |usage: &Usage| {
            let parts = usage.iter().filter(|(name, _)| exceeded.contains(name.as_str()));
            parts.map(|(name, amount)| format!("{name}={amount}")).collect::<Vec<_>>().join(",")
        };
        let (asked, used, hard) = (shown(&asked), shown(&used), shown(&hard));
        return Err(format!("exceeded quota: {}, requested: {asked}, used: {used}, limited: {hard}", name(quota)));
    }
    let mut quota = quota.clone();
    for (name, amount) in &asked {
        set(&mut quota, &["status", "used", name], total(name, *amount));
    }
    Ok(Some(quota))
}

/// Whether a quota is on something that objects of a kind use.
pub fn concerns(quota: &Value, kind: &GroupKind, plural: &str) -> bool {
    !Counted { kind, plural }.limited_by(map(quota, &["spec", "hard"])).is_empty()
}

/// The status of a quota as it should be, with what the objects of its namespace use. `objects` gives each with its
/// kind and plural.
pub fn recount<'a>(quota: &Value, objects: impl IntoIterator<Item = (&'a GroupKind, &'a str, &'a Value)>) -> Value {
    let hard = map(quota, &["spec", "hard"]).cloned().unwrap_or_default();
    let counted = hard.keys().filter(|name| is_counted(name));
    let mut used: Usage = counted.map(|name| (name.clone(), Quantity::default())).collect();
    for (kind, plural, object) in objects {
        let what = Counted { kind, plural };
        if !scopes(quota).all(|scope| what.in_scope(object, &scope)) {
            continue;
        }
        for (name, amount) in what.usage(object) {
            if let Some(total) = used.get_mut(&name) {
                *total = *total + amount;
            }
        }
    }
    let mut status = Map::new();
    if !hard.is_empty() {
        status.insert("hard".to_owned(), Value::Object(hard));
        let used = used.into_iter().map(|(name, amount)| (name, amount.into())).collect::<Map>();
        status.insert("used".to_owned(), Value::Object(used));
    }
    Value::Object(status)
}

/// Whether there is something that counts for a name in a quota.
fn is_counted(name: &str) -> bool {
    const PLAIN: [&str; 5] = ["pods", "cpu", "memory", "ephemeral-storage", "storage"];
    name.contains(['.', '/']) || name.starts_with("hugepages-") || PLAIN.contains(&name) || COUNTED.contains(&name)
}

fn name(quota: &Value) -> &str {
    text(quota, &["metadata", "name"])
}

/// A part of what a quota is on: the scope, how it is asked for, and of which values.
struct Scope<'q> {
    name: &'q str,
    operator: &'q str,
    values: &'q [Value],
}

fn scopes(quota: &Value) -> impl Iterator<Item = Scope<'_>> {
    let plain = list(quota, &["spec", "scopes"]).iter().filter_map(Value::as_str);
    let plain = plain.map(|name| Scope { name, operator: "Exists", values: &[] });
    plain.chain(list(quota, &["spec", "scopeSelector", "matchExpressions"]).iter().map(|requirement| Scope {
        name: text(requirement, &["scopeName"]),
        operator: text(requirement, &["operator"]),
        values: list(requirement, &["values"]),
    }))
}

impl Scope<'_> {
    /// Whether the name of a class, if any, is one that the scope asks for.
    fn wants(&self, class: &str) -> bool {
        let listed = self.values.iter().any(|value| value == class);
        match self.operator {
            "Exists" => !class.is_empty(),
            "DoesNotExist" => class.is_empty(),
            "In" => !class.is_empty() && listed,
            "NotIn" => !listed,
            _ => false,
        }
    }
}

/// A kind of thing that is counted.
struct Counted<'k> {
    kind: &'k GroupKind,
    plural: &'k str,
}

impl Counted<'_> {
    fn is_core(&self, plural: &str) -> bool {
        self.kind.group.is_empty() && self.plural == plural
    }

    fn is_pod(&self) -> bool {
        self.is_core("pods")
    }

    fn count_name(&self) -> String {
        format!("count/{}", qualified(self.plural, &self.kind.group))
    }

    /// Whether the quota has to do with the object.
    fn matches(&self, quota: &Value, object: &Value) -> bool {
        scopes(quota).all(|scope| self.in_scope(object, &scope))
            && !self.limited_by(map(quota, &["status", "hard"])).is_empty()
    }

    /// The resources that objects of the kind can use, among those that a quota is on.
    fn limited_by<'q>(&self, hard: Option<&'q Map>) -> BTreeSet<&'q str> {
        let count = self.count_name();
        let names = hard.into_iter().flat_map(Map::keys).map(String::as_str);
        names.filter(|name| *name == count || self.is_measured_by(name)).collect()
    }

    fn is_measured_by(&self, resource: &str) -> bool {
        if !self.kind.group.is_empty() {
            return false;
        }
        match self.plural {
            "pods" => {
                let plain = resource.trim_start_matches("requests.").trim_start_matches("limits.");
                let extended = resource.strip_prefix("requests.").is_some_and(is_extended);
                ["cpu", "memory", "ephemeral-storage"].contains(&plain)
                    || resource == "pods"
                    || plain.starts_with("hugepages-")
                    || extended
            }
            "services" => ["services", "services.nodeports", "services.loadbalancers"].contains(&resource),
            "persistentvolumeclaims" => {
                ["persistentvolumeclaims", "requests.storage"].contains(&resource)
                    || resource.contains(".storageclass.storage.k8s.io/")
            }
            plural => COUNTED.contains(&plural) && resource == plural,
        }
    }

    fn in_scope(&self, object: &Value, scope: &Scope<'_>) -> bool {
        if self.is_core("persistentvolumeclaims") && scope.name == "VolumeAttributesClass" {
            return scope.wants(text(object, &["spec", "volumeAttributesClassName"]));
        }
        if !self.is_pod() {
            return false;
        }
        let terminating = int(object, &["spec", "activeDeadlineSeconds"]).is_some_and(|seconds| seconds >= 0);
        match scope.name {
            "Terminating" => terminating,
            "NotTerminating" => !terminating,
            "BestEffort" => is_best_effort(object),
            "NotBestEffort" => !is_best_effort(object),
            "PriorityClass" => scope.wants(text(object, &["spec", "priorityClassName"])),
            "CrossNamespacePodAffinity" => reaches_other_namespaces(object),
            _ => false,
        }
    }

    /// How much an object uses of what a quota can be on.
    fn usage(&self, object: &Value) -> Usage {
        let mut usage = Usage::from([(self.count_name(), Quantity::count(1))]);
        if !self.kind.group.is_empty() {
            return usage;
        }
        if COUNTED.contains(&self.plural) {
            usage.insert(self.plural.to_owned(), Quantity::count(1));
        }
        match self.plural {
            "pods" if !is_over(object) => usage.extend(pod_usage(object)),
            "services" => usage.extend(service_usage(object)),
            "persistentvolumeclaims" => usage.extend(claim_usage(object)),
            _ => {}
        }
        usage
    }
}

/// Says which containers do not say how much they need of what a quota is on.
fn demand(pod: &Value, limited: &BTreeSet<&str>) -> Result<(), String> {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for resource in DEMANDED.into_iter().filter(|resource| limited.contains(resource)) {
        let (part, plain) = match resource.split_once('.') {
            Some((part, plain)) => (part, plain),
            None => ("requests", resource),
        };
        let silent = containers(pod).filter(|container| at(container, &["resources", part, plain]).is_none());
        for container in silent {
            missing.entry(resource).or_default().insert(text(container, &["name"]));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let parts = missing.iter().map(|(resource, containers)| {
        let containers: Vec<_> = containers.iter().copied().collect();
        format!("{resource} for: {}", containers.join(","))
    });
    Err(format!("must specify {}", parts.collect::<Vec<_>>().join("; ")))
}

#[cfg(test)]
#[path = "quota_tests.rs"]
mod tests;
