//! Parts of objects with an address of their own: scale, eviction, binding, tokens.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::deletion::{DeleteOptions, Deleted};
use super::resource::Resource;
use super::status::{Cause, Details, FieldError, Refusal};
use super::store::Stored;
use super::write::{ATTEMPTS, Call, Part, Written};
use super::{Api, stamp, table};
use crate::cluster::object::{GroupKind, Key, at, entry, int, list, map, remove, set, text};

/// The Scale of an object.
pub fn scale_of(resource: &Resource, object: &Value) -> Value {
    let (wanted, there, selector) = match resource.custom.as_ref().and_then(|version| version.scale.as_ref()) {
        Some(paths) => {
            let scale = paths.read(object);
            (scale.replicas.unwrap_or(0), scale.current, scale.selector)
        }
        None => (
            int(object, &["spec", "replicas"]).unwrap_or(0),
            int(object, &["status", "replicas"]).unwrap_or(0),
            selector_text(at(object, &["spec", "selector"]).unwrap_or(&Value::Null)),
        ),
    };
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = at(object, &["metadata", field]) {
            metadata[field] = value.clone();
        }
    }
    let mut spec = json!({});
    if wanted != 0 {
        spec["replicas"] = wanted.into();
    }
    let mut status = json!({"replicas": there});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status})
}

/// A Scale as a Table with one row.
pub fn scale_table(scale: &Value, now: Timestamp) -> Value {
    let cells: Vec<Value> =
        table::cells("autoscaling", "Scale", scale).iter().map(|cell| table::show(cell, now)).collect();
    let object =
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": scale["metadata"]});
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "columnDefinitions": table::definitions(table::columns("autoscaling/v1/scale").unwrap_or_default()),
        "rows": [{"cells": cells, "object": object}],
    })
}

/// A label selector as text: `app=web,tier in (a,b)`; a plain map of labels works as well.
fn selector_text(selector: &Value) -> String {
    let structured = selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
    let labels = if structured { map(selector, &["matchLabels"]) } else { selector.as_object() };
    let mut terms: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    for expression in list(selector, &["matchExpressions"]) {
        let name = text(expression, &["key"]);
        let values: Vec<_> = list(expression, &["values"]).iter().filter_map(Value::as_str).collect();
        terms.push(match text(expression, &["operator"]) {
            "In" => format!("{name} in ({})", values.join(",")),
            "NotIn" => format!("{name} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{name}"),
            _ => name.to_owned(),
        });
    }
    terms.sort();
    terms.join(",")
}

/// What a Scale asks for.
///
/// # Errors
/// 422 of a number that cannot be.
fn replicas_of(scale: &Value, name: &str) -> Result<i64, Refusal> {
    let replicas = int(scale, &["spec", "replicas"]).unwrap_or(0);
    if replicas < 0 {
        let error = FieldError::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        return Err(Refusal::invalid(&GroupKind::new("autoscaling", "Scale"), name, &[error]));
    }
    Ok(replicas)
}

impl Api {
    /// Writes the number of replicas that `change` makes of an object's Scale; gives the new Scale back.
    ///
    /// # Errors
    /// 404, 409, 422.
    pub fn rescale(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        key: &Key,
        change: impl Fn(&Value) -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        for _ in 0..ATTEMPTS {
            match self.rescale_once(call, resource, key, &change) {
                // Somebody else wrote in between: what was asked for holds for the newer version as well.
                Err(refusal) if refusal.reason == "Conflict" => {}
                done => return done,
            }
        }
        self.rescale_once(call, resource, key, &change)
    }

    fn rescale_once(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        key: &Key,
        change: &impl Fn(&Value) -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        let mut object = self.get(resource, key)?.value();
        let current = scale_of(resource, &object);
        let scale = change(&current)?;
        let replicas = replicas_of(&scale, &key.name)?;
        let sent = text(&scale, &["metadata", "resourceVersion"]);
        if !sent.is_empty() && sent != text(&object, &["metadata", "resourceVersion"]) {
            return Err(Refusal::modified(&resource.group, &resource.plural, &key.name));
        }
        match resource.custom.as_ref().and_then(|version| version.scale.as_ref()) {
            Some(paths) => paths.write(&mut object, replicas),
            None => set(&mut object, &["spec", "replicas"], replicas),
        }
        if sent.is_empty() {
            remove(&mut object, &["metadata", "resourceVersion"]);
        }
        let written = self.update(call, resource, key, Part::Other("scale"), object)?;
        Ok(scale_of(resource, &written.object.value()))
    }

    /// Deletes a pod if no disruption budget needs it.
    ///
    /// # Errors
    /// 404, 429.
    pub fn evict(&self, resource: &Resource, key: &Key, options: &DeleteOptions) -> Result<Deleted, Refusal> {
        let pod = self.get(resource, key)?;
        let value = pod.value();
        let ended = matches!(text(&value, &["status", "phase"]), "Succeeded" | "Failed" | "Pending");
        if !ended && !pod.deleting {
            self.use_budget(&pod, options.dry_run)?;
        }
        self.delete(resource, key, options)
    }

    /// Takes one allowed disruption of the budgets that a pod falls under.
    fn use_budget(&self, pod: &Stored, dry_run: bool) -> Result<(), Refusal> {
        self.commit(|store| {
            let budgets = store.list("poddisruptionbudgets.policy", &pod.key.namespace);
            let mine: Vec<Value> = budgets
                .map(|budget| budget.value())
                .filter(|budget| super::selector::matches_selector(&budget["spec"]["selector"], |name| pod.label(name)))
                .collect();
            if mine.len() > 1 {
                let why =
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                return Err(Refusal::internal(why));
            }
            let Some(mut budget) = mine.into_iter().next() else { return Ok(()) };
            let allowed = int(&budget, &["status", "disruptionsAllowed"]).unwrap_or(0);
            if allowed <= 0 {
                return Err(budget_refuses(&budget));
            }
            if !dry_run {
                set(&mut budget, &["status", "disruptionsAllowed"], allowed - 1);
                let name = pod.key.name.to_string();
                set(entry(&mut budget, &["status", "disruptedPods"]), &[&name], stamp(self.now()));
                store.put(&"poddisruptionbudgets.policy".into(), budget);
            }
            Ok(())
        })
    }

    /// Puts a pod on a node, as schedulers do.
    ///
    /// # Errors
    /// 404, 409 when it is on one already.
    pub fn bind(&self, call: &Call<'_>, resource: &Resource, key: &Key, binding: &Value) -> Result<Written, Refusal> {
        let node = text(binding, &["target", "name"]);
        if node.is_empty() {
            let error = FieldError::required("target.name", "");
            return Err(Refusal::invalid(&GroupKind::new("", "Binding"), &key.name, &[error]));
        }
        let mut pod = self.get(resource, key)?.value();
        let bound = text(&pod, &["spec", "nodeName"]);
        if !bound.is_empty() {
            let why = format!("pod {} is already assigned to node \"{bound}\"", key.name);
            return Err(Refusal::conflict("", "pods/binding", &key.name, &why));
        }
        set(&mut pod, &["spec", "nodeName"], node);
        let now = stamp(self.now());
        let condition =
            json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
        let conditions = entry(&mut pod, &["status", "conditions"]);
        let kept = conditions.as_array().into_iter().flatten().filter(|other| text(other, &["type"]) != "PodScheduled");
        *conditions = kept.cloned().chain([condition]).collect();
        self.update(call, resource, key, Part::Other("binding"), pod)
    }
}

fn budget_refuses(budget: &Value) -> Refusal {
    let name = text(budget, &["metadata", "name"]);
    let needed = int(budget, &["status", "desiredHealthy"]).unwrap_or(0);
    let healthy = int(budget, &["status", "currentHealthy"]).unwrap_or(0);
    let message = format!("The disruption budget {name} needs {needed} healthy pods and has {healthy} currently");
    let cause = Cause { reason: "DisruptionBudget", message, field: String::new() };
    let details = Details { causes: vec![cause], ..Details::default() };
    Refusal::new(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.")
        .with_details(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_as_text() {
        let selector = json!({
            "matchLabels": {"b": "1", "a": "2"},
            "matchExpressions": [{"key": "c", "operator": "In", "values": ["x", "y"]}, {"key": "d", "operator": "DoesNotExist"}],
        });
        assert_eq!(selector_text(&selector), "!d,a=2,b=1,c in (x,y)");
        assert_eq!(selector_text(&json!({"app": "web"})), "app=web");
    }
}
