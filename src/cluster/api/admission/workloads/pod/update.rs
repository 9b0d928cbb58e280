//! What may change in a pod.

use serde_json::{Value, json};

use super::super::check::Errors;
use super::super::diff::unified;
use super::super::go_dump::{go_map, go_struct, indented};
use super::super::read::Read;
use super::super::same::same;
use super::{annotations, container, metadata_and_spec, scheduling, spec_of};
use crate::cluster::api::admission::metadata::validate_metadata_update;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;
use crate::cluster::object::{self, entry, remove, set};

const MAY_CHANGE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
                          `spec.tolerations` (only additions to existing tolerations),\
                          `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// Checks a pod against what it was.
pub(super) fn validate(pod: &Value, old: &Value, errors: &mut Errors) {
    validate_metadata_update(pod, old, true, errors);
    metadata_and_spec(pod, errors);
    annotations::validate_update(pod, old, &Path::new("metadata").child("annotations"), errors);
    let at = Path::new("spec");
    let (spec, old) = (spec_of(pod), spec_of(old));
    for list in ["containers", "initContainers"] {
        if !containers(spec.items(list), old.items(list), &at.child(list), errors) {
            return;
        }
    }
    if !deadline(spec, old, &at.child("activeDeadlineSeconds"), errors) {
        return;
    }
    tolerations(spec, old, &at, errors);
    gates(spec.items("schedulingGates"), old.items("schedulingGates"), &at.child("schedulingGates"), errors);
    if spec == old {
        return;
    }
    let munged = munge(spec, old, &at, errors);
    if same(Some(&munged), Some(old)) {
        return;
    }
    // Only the structs of Go know which zeros are the same as nothing.
    let (munged, old) = (go_struct("PodSpec", &munged), go_struct("PodSpec", old));
    if munged != old {
        let difference = unified(&indented(&old), &indented(&munged));
        let hint = format!("pod updates may not change fields other than {MAY_CHANGE}\n{difference}");
        errors.push(FieldError::forbidden(at, hint));
    }
}

/// Tells whether it is worth going on.
fn containers(new: &[Value], old: &[Value], at: &Path<'_>, errors: &mut Errors) -> bool {
    if new.len() != old.len() {
        errors.push(FieldError::forbidden(at, "pod updates may not add or remove containers"));
        return false;
    }
    for (index, container) in new.iter().enumerate() {
        let at = at.index(index);
        if container.text("image").is_empty() {
            errors.push(FieldError::required(at.child("image"), ""));
        }
        container::image_without_space(container, &at, errors);
    }
    true
}

/// It may be set, or made shorter. Tells whether it is worth going on.
fn deadline(new: &Value, old: &Value, at: &Path<'_>, errors: &mut Errors) -> bool {
    let before = old.int("activeDeadlineSeconds");
    let Some(seconds) = new.int("activeDeadlineSeconds") else {
        if before.is_some() {
            let hint = "must not update from a positive integer to nil value";
            errors.push(FieldError::invalid(at, Value::Null, hint));
        }
        return true;
    };
    let most = i64::from(i32::MAX);
    let hint = if !(0..=most).contains(&seconds) {
        text::range(0, most)
    } else if before.is_some_and(|before| before < seconds) {
        "must be less than or equal to previous value".to_owned()
    } else {
        return true;
    };
    errors.push(FieldError::invalid(at, seconds, hint));
    false
}

/// Tolerations may be added, and their seconds may change.
fn tolerations(new: &Value, old: &Value, at: &Path<'_>, errors: &mut Errors) {
    const MEMBERS: [&str; 4] = ["key", "operator", "value", "effect"];
    let same = |a: &Value, b: &Value| MEMBERS.iter().all(|member| a.text(member) == b.text(member));
    let kept = |old: &Value| new.items("tolerations").iter().any(|new| same(new, old));
    if old.items("tolerations").iter().all(kept) {
        scheduling::tolerations(new, at, errors);
    } else {
        let hint = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(FieldError::forbidden(at.child("tolerations"), hint));
    }
}

fn gates(new: &[Value], old: &[Value], at: &Path<'_>, errors: &mut Errors) {
    for (index, gate) in new.iter().enumerate() {
        let name = gate.text("name");
        if !old.iter().any(|old| old.text("name") == name) {
            let hint = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.push(FieldError::forbidden(at.index(index).child("name"), hint));
        }
    }
}

/// The new spec with everything that may change as it was.
fn munge(new: &Value, old: &Value, at: &Path<'_>, errors: &mut Errors) -> Value {
    let mut munged = new.clone();
    for list in ["containers", "initContainers"] {
        let containers = munged.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, old) in containers.zip(old.items(list)) {
            set(container, &["image"], old.text("image"));
        }
    }
    for member in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        keep(&mut munged, old, member);
    }
    let grace = |spec: &Value| spec.int("terminationGracePeriodSeconds");
    if grace(old).is_some_and(|seconds| seconds < 0) && grace(new) == Some(1) {
        keep(&mut munged, old, "terminationGracePeriodSeconds");
    }
    if !old.items("schedulingGates").is_empty() {
        munge_gated(&mut munged, old, at, errors);
    }
    munged
}

fn keep(spec: &mut Value, old: &Value, member: &str) {
    match old.get(member) {
        Some(value) => set(spec, &[member], value.clone()),
        None => {
            remove(spec, &[member]);
        }
    }
}

/// A pod that nobody schedules yet may be sent to fewer nodes.
fn munge_gated(munged: &mut Value, old: &Value, at: &Path<'_>, errors: &mut Errors) {
    let selector = go_map(munged.part("nodeSelector"));
    if selector != go_map(old.part("nodeSelector")) {
        if old.texts("nodeSelector").any(|(key, value)| selector.text(key) != value) {
            let hint = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            errors.push(FieldError::invalid(at.child("nodeSelector"), selector, hint));
        }
        keep(munged, old, "nodeSelector");
    }
    let affinity = |spec: &Value| {
        let nodes = spec.part("affinity").part("nodeAffinity");
        nodes.map_or(Value::Null, |nodes| go_struct("NodeAffinity", nodes))
    };
    if affinity(munged) == affinity(old) {
        return;
    }
    let at = at.child("affinity");
    node_affinity(
        munged.part("affinity").part("nodeAffinity"),
        old.part("affinity").part("nodeAffinity"),
        &at.child("nodeAffinity"),
        errors,
    );
    let others = |spec: &Value| {
        let affinity = spec.part("affinity");
        affinity.part("podAffinity").is_some() || affinity.part("podAntiAffinity").is_some()
    };
    if old.part("affinity").is_none() && !others(munged) {
        keep(munged, old, "affinity");
        return;
    }
    let kept = old.part("affinity").part("nodeAffinity").cloned().unwrap_or(Value::Null);
    *entry(munged, &["affinity", "nodeAffinity"]) = kept;
}

/// Terms that are there may only be made narrower.
fn node_affinity(new: Option<&Value>, old: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let terms = |affinity: Option<&Value>| {
        affinity.map_or(&[][..], |affinity| object::list(affinity, &[REQUIRED, "nodeSelectorTerms"])).to_vec()
    };
    let (new, old) = (terms(new), terms(old));
    let at = at.child(REQUIRED);
    let at = at.child("nodeSelectorTerms");
    let shown = |term: &Value| go_struct("NodeSelectorTerm", term);
    if !old.is_empty() && old.len() != new.len() {
        let hint = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        let terms = if new.is_empty() { Value::Null } else { new.iter().map(shown).collect() };
        errors.push(FieldError::invalid(at, terms, hint));
        return;
    }
    for (index, (new, old)) in new.iter().zip(&old).enumerate() {
        if !is_narrower(new, old) {
            let hint = "only additions are allowed (no mutations or deletions)";
            errors.push(FieldError::invalid(at.index(index), shown(new), hint));
        }
    }
}

fn is_narrower(new: &Value, old: &Value) -> bool {
    const LISTS: [&str; 2] = ["matchExpressions", "matchFields"];
    let is_empty = |term: &Value| LISTS.iter().all(|list| term.items(list).is_empty());
    if is_empty(old) {
        return is_empty(new);
    }
    let starts = |list: &&str| new.items(list).get(..old.items(list).len()) == Some(old.items(list));
    LISTS.iter().all(|list| starts(list) || json!(old.items(list)) == json!([]))
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
