//! Which nodes a pod wants or has to run on, and which pods it wants near.

use std::collections::HashSet;

use serde_json::Value;

use super::super::check::Errors;
use super::super::read::Read;
use super::super::selector;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Checks `affinity`.
pub(super) fn validate(affinity: &Value, at: &Path<'_>, errors: &mut Errors) {
    if let Some(nodes) = affinity.part("nodeAffinity") {
        node_affinity(nodes, &at.child("nodeAffinity"), errors);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        if let Some(pods) = affinity.part(kind) {
            pod_affinity(pods, &at.child(kind), errors);
        }
    }
}

fn node_affinity(affinity: &Value, at: &Path<'_>, errors: &mut Errors) {
    if let Some(required) = affinity.part(REQUIRED) {
        let at = at.child(REQUIRED);
        let at_terms = at.child("nodeSelectorTerms");
        let terms = required.items("nodeSelectorTerms");
        if terms.is_empty() {
            errors.push(FieldError::required(at_terms, "must have at least one node selector term"));
        }
        for (index, term) in terms.iter().enumerate() {
            node_term(Some(term), true, &at_terms.index(index), errors);
        }
    }
    let at = at.child(PREFERRED);
    for (index, term) in affinity.items(PREFERRED).iter().enumerate() {
        let at = at.index(index);
        weight(term, &at, errors);
        node_term(term.part("preference"), false, &at.child("preference"), errors);
    }
}

fn weight(term: &Value, at: &Path<'_>, errors: &mut Errors) {
    let weight = term.int("weight").unwrap_or(0);
    if !(1..=100).contains(&weight) {
        errors.push(FieldError::invalid(at.child("weight"), weight, "must be in the range 1-100"));
    }
}

fn node_term(term: Option<&Value>, check_values: bool, at: &Path<'_>, errors: &mut Errors) {
    let at_labels = at.child("matchExpressions");
    for (index, expression) in term.items("matchExpressions").iter().enumerate() {
        selector::requirement(expression, &["Gt", "Lt"], check_values, &at_labels.index(index), errors);
    }
    let at_fields = at.child("matchFields");
    for (index, expression) in term.items("matchFields").iter().enumerate() {
        node_field(expression, &at_fields.index(index), errors);
    }
}

fn node_field(expression: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at_values = at.child("values");
    match expression.text("operator") {
        "In" | "NotIn" if expression.items("values").len() == 1 => {}
        "In" | "NotIn" => {
            let hint = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.push(FieldError::required(at_values, hint));
        }
        operator => {
            errors.push(FieldError::invalid(at.child("operator"), operator, "not a valid selector operator"));
        }
    }
    match expression.text("key") {
        "metadata.name" => {
            for (index, name) in expression.strings("values").enumerate() {
                invalid(&at_values.index(index), name, text::dns1123_subdomain(name), errors);
            }
        }
        key => errors.push(FieldError::invalid(at.child("key"), key, "not a valid field selector key")),
    }
}

fn pod_affinity(affinity: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at_required = at.child(REQUIRED);
    for (index, term) in affinity.items(REQUIRED).iter().enumerate() {
        pod_term(Some(term), &at_required.index(index), errors);
    }
    let at_preferred = at.child(PREFERRED);
    for (index, weighted) in affinity.items(PREFERRED).iter().enumerate() {
        let at = at_preferred.index(index);
        weight(weighted, &at, errors);
        pod_term(weighted.part("podAffinityTerm"), &at.child("podAffinityTerm"), errors);
    }
}

fn pod_term(term: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    for name in ["labelSelector", "namespaceSelector"] {
        selector::validate(term.part(name), &at.child(name), errors);
    }
    for namespace in term.strings("namespaces") {
        invalid(&at.child("namespace"), namespace, text::dns1123_label(namespace), errors);
    }
    label_keys(term, at, errors);
    let topology = term.text("topologyKey");
    let at = at.child("topologyKey");
    if topology.is_empty() {
        errors.push(FieldError::required(at, "can not be empty"));
    }
    invalid(&at, topology, text::label_key(topology), errors);
}

/// `matchLabelKeys` and `mismatchLabelKeys`, which the server has already put into the selector.
fn label_keys(term: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let selector = term.part("labelSelector");
    for list in ["matchLabelKeys", "mismatchLabelKeys"] {
        let at = at.child(list);
        if selector.is_none() && !term.items(list).is_empty() {
            errors.push(FieldError::forbidden(at, "must not be specified when labelSelector is not set"));
            continue;
        }
        for (index, key) in term.strings(list).enumerate() {
            invalid(&at.index(index), key, text::label_key(key), errors);
        }
    }
    if term.items("matchLabelKeys").is_empty() {
        return;
    }
    let keys: Vec<_> = term.strings("matchLabelKeys").collect();
    let mut seen: HashSet<_> = selector.texts("matchLabels").map(|(key, _)| key).collect();
    for expression in selector.items("matchExpressions") {
        let key = expression.text("key");
        let index = keys.iter().rposition(|other| *other == key);
        if let Some(index) = index.filter(|_| seen.contains(key)) {
            let hint = "exists in both matchLabelKeys and labelSelector";
            errors.push(FieldError::invalid(at.index(index), key, hint));
        }
        seen.insert(key);
    }
    let at = at.child("matchLabelKeys");
    for (index, key) in keys.iter().enumerate() {
        if term.strings("mismatchLabelKeys").any(|other| other == *key) {
            let hint = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.push(FieldError::invalid(at.index(index), *key, hint));
        }
    }
}
