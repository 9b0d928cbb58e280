//! Stateful sets.

use serde_json::{Value, json};

use super::check::{Errors, NEGATIVE, not_negative, optional};
use super::go_dump::{go_selector, go_struct};
use super::read::Read;
use super::same::same;
use super::template::{self, amount, int_or_percent, not_more_than_all};
use super::{claim, pod, selector};
use crate::cluster::api::admission::metadata::{validate_metadata, validate_metadata_update};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::{self, NameRule};
use crate::cluster::api::status::FieldError;
use crate::cluster::object::entry;

const MAY_CHANGE: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

pub(super) fn validate(set: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = set.part("spec").unwrap_or(&Value::Null);
    match old {
        None => validate_metadata(set, true, NameRule::Label, errors),
        Some(old) => validate_metadata_update(set, old, true, errors),
    }
    let at = Path::new("spec");
    let old_spec = old.map(|old| old.part("spec").unwrap_or(&Value::Null));
    validate_spec(spec, old_spec, &at, errors);
    if old_spec.is_some_and(|old| changes_more(spec, old)) {
        let hint = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                    'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                    'minReadySeconds' are forbidden";
        errors.push(FieldError::forbidden(at, hint));
    }
}

fn changes_more(new: &Value, old: &Value) -> bool {
    let names = [new, old].into_iter().filter_map(Value::as_object).flat_map(|spec| spec.keys());
    names.into_iter().any(|name| !MAY_CHANGE.contains(&name.as_str()) && !same(new.get(name), old.get(name)))
}

fn validate_spec(spec: &Value, old: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    match spec.text("podManagementPolicy") {
        "OrderedReady" | "Parallel" => {}
        "" => errors.push(FieldError::required(at.child("podManagementPolicy"), "")),
        policy => {
            let hint = "must be 'OrderedReady' or 'Parallel'";
            errors.push(FieldError::invalid(at.child("podManagementPolicy"), policy, hint));
        }
    }
    strategy(spec.part("updateStrategy").unwrap_or(&Value::Null), &at.child("updateStrategy"), errors);
    retention(spec, &at.child("persistentVolumeClaimRetentionPolicy"), errors);
    if old.is_none() {
        let at = at.child("volumeClaimTemplates");
        for (index, template) in spec.items("volumeClaimTemplates").iter().enumerate() {
            claim::validate_spec(template.part("spec"), &at.index(index).child("spec"), errors);
        }
    }
    not_negative(spec, &["replicas", "minReadySeconds"], at, errors);
    if let Some(start) = spec.part("ordinals").int("start").filter(|&start| start < 0) {
        errors.push(FieldError::invalid(at.child("ordinals.start"), start, NEGATIVE));
    }
    if old.is_none() {
        optional(spec, "serviceName", text::dns1123_label, at, errors);
    }
    template::validate_selector(spec, "statefulset", at, errors);
    let selector = spec.part("selector");
    if selector::is_usable(selector) {
        template::selects(spec, at, errors);
        pods(spec, old, at, errors);
    } else {
        errors.push(FieldError::invalid(at.child("selector"), go_selector(selector), ""));
    }
    template::always_restarted(spec, "StatefulSet", at, errors);
}

fn strategy(strategy: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at_rolling = at.child("rollingUpdate");
    match (strategy.text("type"), strategy.part("rollingUpdate")) {
        ("", _) => errors.push(FieldError::required(at, "")),
        ("OnDelete", Some(rolling)) => {
            let shown = go_struct("RollingUpdateStatefulSetStrategy", rolling);
            errors.push(FieldError::invalid(at_rolling, shown, "only allowed for updateStrategy 'RollingUpdate'"));
        }
        ("RollingUpdate", Some(rolling)) => rolling_update(rolling, &at_rolling, errors),
        ("OnDelete" | "RollingUpdate", None) => {}
        _ => {
            let shown = go_struct("StatefulSetUpdateStrategy", strategy);
            errors.push(FieldError::invalid(at, shown, "must be 'RollingUpdate' or 'OnDelete'"));
        }
    }
}

fn rolling_update(rolling: &Value, at: &Path<'_>, errors: &mut Errors) {
    not_negative(rolling, &["partition"], at, errors);
    let unavailable = rolling.part("maxUnavailable");
    let at = at.child("maxUnavailable");
    int_or_percent(unavailable, &at, errors);
    if let Some(value) = unavailable.filter(|_| amount(unavailable) == 0) {
        errors.push(FieldError::invalid(at, value.clone(), "cannot be 0"));
    }
    not_more_than_all(unavailable, &at, errors);
}

fn retention(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let Some(policy) = spec.part("persistentVolumeClaimRetentionPolicy") else { return };
    for when in ["whenDeleted", "whenScaled"] {
        let value = policy.text(when);
        if !["Retain", "Delete"].contains(&value) {
            errors.push(FieldError::not_supported(at.child(when), value, &["Retain", "Delete"]));
        }
    }
}

/// The template, with the claims as volumes. What was wrong before may stay wrong.
fn pods(spec: &Value, old: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let check = |spec: &Value, errors: &mut Errors| {
        let template = with_claims(spec);
        pod::validate_template(&template, &at.child("template"), errors);
    };
    let mut found = Errors::new();
    check(spec, &mut found);
    let was_wrong = !found.is_empty()
        && old.is_some_and(|old| {
            let mut before = Errors::new();
            check(old, &mut before);
            !before.is_empty()
        });
    if !was_wrong {
        errors.append(&mut found);
    }
}

fn with_claims(spec: &Value) -> Value {
    let mut template = spec.part("template").cloned().unwrap_or(Value::Null);
    let names = spec.items("volumeClaimTemplates").iter().map(|claim| claim.part("metadata").text("name"));
    let own: Vec<_> =
        spec.part("template").part("spec").items("volumes").iter().map(|volume| volume.text("name")).collect();
    let names: Vec<_> = names.filter(|name| !name.is_empty() && !own.contains(name)).collect();
    if names.is_empty() {
        return template;
    }
    let volumes = entry(&mut template, &["spec", "volumes"]);
    if !volumes.is_array() {
        *volumes = json!([]);
    }
    if let Value::Array(volumes) = volumes {
        let claim = |name: &&str| json!({"name": name, "persistentVolumeClaim": {"claimName": name}});
        volumes.extend(names.iter().map(claim));
    }
    template
}
