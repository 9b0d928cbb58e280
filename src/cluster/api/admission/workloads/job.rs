//! Jobs.

use serde_json::{Value, json};

use super::check::{Errors, not_negative, one_of_if_set};
use super::go_dump::{go_map, go_selector, go_struct};
use super::read::Read;
use super::same::same;
use super::{job_policies, pod, selector, template};
use crate::cluster::api::admission::metadata::{IMMUTABLE, invalid, validate_metadata, validate_metadata_update};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::{self, NameRule};
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::object::{entry, remove, set};

/// The labels by which a job knows its pods, those with and those without a prefix.
pub(super) const UID_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];
/// The labels with the name of the job.
pub(super) const NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];

/// Above so many completions less may run and fail at once.
const MANY: i64 = 100_000;
const FEWER: i64 = 10_000;

const NUMBERS: [&str; 6] = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
];

pub(super) fn validate(job: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = job.part("spec").unwrap_or(&Value::Null);
    let at = Path::new("spec");
    validate_metadata(job, true, NameRule::Subdomain, errors);
    generated_selector(job, old, errors);
    validate_spec(spec, &at, errors);
    selected(spec, &at, errors);
    host_name_of_last_pod(job, spec, errors);
    let Some(old) = old else { return };
    validate_metadata_update(job, old, true, errors);
    validate_spec(spec, &at, errors);
    selected(spec, &at, errors);
    immutable(spec, old, &at, errors);
}

/// The labels that the server itself has put into the template, which the user may have given otherwise.
fn generated_selector(job: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = job.part("spec");
    let Some(selector) = spec.part("selector").filter(|_| !spec.is_on("manualSelector")) else { return };
    let metadata = job.part("metadata");
    let (name, uid) = (metadata.text("name"), metadata.text("uid"));
    if uid.is_empty() {
        errors.push(FieldError::required("metadata.uid", ""));
    }
    let template = spec.part("template").part("metadata");
    let labels = template.part("labels");
    let at = Path::new("spec");
    let at = at.child("template");
    let at = at.child("metadata");
    let at = at.child("labels");
    let with_prefix = |object: &Value| {
        let labels = object.part("spec").part("template").part("metadata").part("labels");
        labels.has_text(UID_LABELS[1]) || labels.has_text(NAME_LABELS[1])
    };
    let prefixed = old.is_none_or(with_prefix);
    let mut expected = json!({});
    for ((uid_label, name_label), has_prefix) in UID_LABELS.iter().zip(NAME_LABELS).zip([false, true]) {
        if has_prefix && !prefixed {
            continue;
        }
        for (label, value) in [(*uid_label, uid), (name_label, name)] {
            set(&mut expected, &["metadata", "labels", label], value);
            let hint = format!("must be '{value}'");
            match labels.part(label).and_then(Value::as_str) {
                None => errors.push(FieldError::required(at.key(label), hint)),
                Some(found) if found != value => errors.push(FieldError::invalid(at.key(label), go_map(labels), hint)),
                Some(_) => {}
            }
        }
    }
    if selector::is_usable(Some(selector)) && !selector::matches(Some(selector), Some(&expected)) {
        let hint = "`selector` not auto-generated";
        errors.push(FieldError::invalid("spec.selector", go_selector(Some(selector)), hint));
    }
}

fn selected(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (selector, pods) = (spec.part("selector"), spec.part("template"));
    if selector.is_none() {
        errors.push(FieldError::required(at.child("selector"), ""));
    }
    selector::validate(selector, &at.child("selector"), errors);
    if selector::is_usable(selector) && !selector::matches(selector, pods) {
        template::mismatch(pods, at, errors);
    }
}

/// The pods of an indexed job are called after it.
fn host_name_of_last_pod(job: &Value, spec: &Value, errors: &mut Errors) {
    let completions = spec.int("completions").unwrap_or(0);
    if spec.text("completionMode") != "Indexed" || completions <= 0 {
        return;
    }
    let name = job.part("metadata").text("name");
    let last = format!("{name}-{}", completions - 1);
    if !text::dns1123_label(&last).is_empty() {
        let hint = format!("will not able to create pod with invalid DNS label: {last}");
        errors.push(FieldError::invalid("metadata.name", name, hint));
    }
}

/// What a job and the template of one have alike.
pub(super) fn validate_spec(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    not_negative(spec, &NUMBERS, at, errors);
    not_negative(spec, &["maxFailedIndexes"], at, errors);
    if spec.int("maxFailedIndexes").is_some() && spec.int("backoffLimitPerIndex").is_none() {
        let hint = "when maxFailedIndexes is specified";
        errors.push(FieldError::required(at.child("backoffLimitPerIndex"), hint));
    }
    if spec.has_text("managedBy") {
        managed_by(spec.text("managedBy"), &at.child("managedBy"), errors);
    }
    one_of_if_set(spec, "completionMode", &["NonIndexed", "Indexed"], at, errors);
    match spec.text("completionMode") {
        "Indexed" => indexed(spec, at, errors),
        "" | "NonIndexed" => {
            for member in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if let Some(value) = spec.int(member) {
                    errors.push(FieldError::invalid(at.child(member), value, "requires indexed completion mode"));
                }
            }
        }
        _ => {}
    }
    job_policies::validate(spec, at, errors);
    let template = spec.part("template").unwrap_or(&Value::Null);
    pod::validate_template(template, &at.child("template"), errors);
    restart(spec, &at.child("template").child("spec").child("restartPolicy"), errors);
}

fn restart(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    match spec.part("template").part("spec").text("restartPolicy") {
        "" | "Always" => errors.push(FieldError::required(at, "valid values: \"OnFailure\", \"Never\"")),
        "OnFailure" if spec.part("podFailurePolicy").is_some() => {
            let hint = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.push(FieldError::invalid(at, "OnFailure", hint));
        }
        "OnFailure" | "Never" => {}
        policy => errors.push(FieldError::not_supported(at, policy, &["OnFailure", "Never"])),
    }
}

fn indexed(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (completions, failed) = (spec.int("completions"), spec.int("maxFailedIndexes"));
    let parallelism = spec.int("parallelism").unwrap_or(0);
    if completions.is_none() {
        errors.push(FieldError::required(at.child("completions"), "when completion mode is Indexed"));
    }
    let mut above = |member: &str, value: i64, hint: String| {
        errors.push(FieldError::invalid(at.child(member), value, hint));
    };
    if parallelism > MANY {
        let hint = format!("must be less than or equal to {MANY} when completion mode is Indexed");
        above("parallelism", parallelism, hint);
    }
    if let Some(failed) = failed.filter(|failed| completions.is_some_and(|completions| *failed > completions)) {
        above("maxFailedIndexes", failed, "must be less than or equal to completions".to_owned());
    }
    if let Some(failed) = failed.filter(|&failed| failed > MANY) {
        above("maxFailedIndexes", failed, format!("must be less than or equal to {MANY}"));
    }
    if completions.is_none_or(|completions| completions <= MANY) || spec.int("backoffLimitPerIndex").is_none() {
        return;
    }
    let hint = format!(
        "must be less than or equal to {FEWER} when completions are above {MANY} and used with backoff limit per index"
    );
    if failed.is_none() {
        let hint = format!("must be specified when completions is above {MANY}");
        errors.push(FieldError::required(at.child("maxFailedIndexes"), hint));
    }
    if parallelism > FEWER {
        errors.push(FieldError::invalid(at.child("parallelism"), parallelism, hint.as_str()));
    }
    if let Some(failed) = failed.filter(|&failed| failed > FEWER) {
        errors.push(FieldError::invalid(at.child("maxFailedIndexes"), failed, hint.as_str()));
    }
}

/// `example.com/controller`.
fn managed_by(value: &str, at: &Path<'_>, errors: &mut Errors) {
    const FORM: &str = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+";
    if value.is_empty() {
        errors.push(FieldError::required(at, ""));
        return;
    }
    match value.split_once('/') {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            invalid(at, host, text::dns1123_subdomain(host), errors);
            if !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte)) {
                let hint = format!("Invalid path (regex used for validation is '{FORM}')");
                errors.push(FieldError::invalid(at, path, hint));
            }
        }
        _ => {
            let hint = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            errors.push(FieldError::invalid(at, value, hint));
        }
    }
    if value.len() > 63 {
        errors.push(FieldError { field: at.into(), fault: Fault::TooLong("may not be more than 63 bytes".to_owned()) });
    }
}

fn immutable(spec: &Value, old: &Value, at: &Path<'_>, errors: &mut Errors) {
    let old_spec = old.part("spec").unwrap_or(&Value::Null);
    let shown = |member: &str| match (member, spec.part(member)) {
        (_, None) => Value::Null,
        ("selector", found) => go_selector(found),
        ("template", Some(template)) => go_struct("PodTemplateSpec", template),
        ("podFailurePolicy", Some(policy)) => go_struct("PodFailurePolicy", policy),
        ("successPolicy", Some(policy)) => go_struct("SuccessPolicy", policy),
        (_, Some(value)) => value.clone(),
    };
    let mut keep = |member: &str, hint: &str| errors.push(FieldError::invalid(at.child(member), shown(member), hint));
    let changed = |member: &str| !same(spec.part(member), old_spec.part(member));
    if changed("completions") {
        if spec.text("completionMode") != "Indexed" {
            keep("completions", IMMUTABLE);
        } else if spec.int("completions").is_some_and(|completions| spec.int("parallelism") != Some(completions)) {
            keep("completions", "can only be modified in tandem with spec.parallelism");
        }
    }
    if changed("selector") {
        keep("selector", IMMUTABLE);
    }
    if changed("template") && !only_scheduling_changed(spec, old) {
        keep("template", IMMUTABLE);
    }
    for member in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        if changed(member) {
            keep(member, IMMUTABLE);
        }
    }
}

/// A job that is suspended may be sent elsewhere and be given more or less before it goes on.
fn only_scheduling_changed(spec: &Value, old: &Value) -> bool {
    let condition = |name: &str| {
        let found = old.part("status").items("conditions").iter().find(|condition| condition.text("type") == name);
        found.is_some_and(|condition| condition.text("status") == "True")
    };
    let started = old.part("status").part("startTime").is_some();
    if !old.part("spec").is_on("suspend") || started && !condition("Suspended") {
        return false;
    }
    let bared = |spec: Option<&Value>| {
        let mut template = spec.part("template").cloned().unwrap_or_default();
        for path in [
            &["metadata", "labels"][..],
            &["metadata", "annotations"],
            &["spec", "nodeSelector"],
            &["spec", "tolerations"],
            &["spec", "schedulingGates"],
            &["spec", "affinity", "nodeAffinity"],
        ] {
            remove(&mut template, path);
        }
        for list in ["containers", "initContainers"] {
            let containers = entry(&mut template, &["spec", list]).as_array_mut();
            for container in containers.into_iter().flatten() {
                remove(container, &["resources"]);
            }
        }
        template
    };
    same(Some(&bared(Some(spec))), Some(&bared(old.part("spec"))))
}
