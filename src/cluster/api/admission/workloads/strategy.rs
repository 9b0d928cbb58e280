//! What the server adds to an object that is created, and keeps of one that is updated.

use serde_json::{Value, json};

use super::fill;
use super::job::{NAME_LABELS, UID_LABELS};
use super::qos::qos_class;
use super::read::Read;
use super::same::same;
use super::{priority, service_account};
use crate::cluster::api::status::Refusal;
use crate::cluster::object::{Map, entry, set, set_default, text};

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// What is known outside of an object that is created.
#[derive(Debug, Clone, Copy)]
pub struct CreateContext<'a> {
    /// Five random letters and digits, for the name of the volume with the token of a pod.
    pub random_suffix: &'a str,
    /// The service account of the name that [`super::service_account_name`] tells; none if there is none.
    pub service_account: Option<&'a Value>,
    /// All priority classes.
    pub priority_classes: &'a [Value],
    /// The uid that the object gets.
    pub uid: &'a str,
}

pub(super) fn create_pod(pod: &mut Value, context: &CreateContext<'_>) -> Result<(), Refusal> {
    let admitted = service_account::admit(pod, context.service_account, context.random_suffix)
        .and_then(|()| priority::admit(pod, context.priority_classes));
    if let Err(why) = admitted {
        let name = match text(pod, &["metadata", "generateName"]) {
            "" => text(pod, &["metadata", "name"]),
            start => start,
        };
        return Err(Refusal::forbidden("", "pods", name, &why));
    }
    tolerate_for_a_while(pod);
    match_own_labels(pod);
    let mut status = json!({"phase": "Pending"});
    if !pod.part("spec").items("schedulingGates").is_empty() {
        status["conditions"] = json!([{
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": null,
            "lastTransitionTime": null,
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    status["qosClass"] = qos_class(pod).into();
    set(pod, &["status"], status);
    Ok(())
}

/// A pod stays on a node that is lost for five minutes, unless it says otherwise.
fn tolerate_for_a_while(pod: &mut Value) {
    for taint in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerates = |toleration: &Value| {
            ["", taint].contains(&toleration.text("key")) && ["", "NoExecute"].contains(&toleration.text("effect"))
        };
        if pod.part("spec").items("tolerations").iter().any(tolerates) {
            continue;
        }
        let toleration = json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
        match entry(pod, &["spec", "tolerations"]) {
            Value::Array(tolerations) => tolerations.push(toleration),
            place => *place = vec![toleration].into(),
        }
    }
}

/// `matchLabelKeys`: pods near or far that have the same labels as this one.
fn match_own_labels(pod: &mut Value) {
    let Some(labels) = pod.part("metadata").members("labels").cloned() else { return };
    let spec = fill::object(entry(pod, &["spec"]));
    for constraint in fill::each(spec, "topologySpreadConstraints") {
        match_labels(constraint, &labels);
    }
    let Some(affinity) = fill::there(spec, "affinity") else { return };
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(affinity) = fill::there(affinity, kind) else { continue };
        for term in fill::each(affinity, "requiredDuringSchedulingIgnoredDuringExecution") {
            match_labels(term, &labels);
        }
        for weighted in fill::each(affinity, "preferredDuringSchedulingIgnoredDuringExecution") {
            if let Some(term) = fill::there(weighted, "podAffinityTerm") {
                match_labels(term, &labels);
            }
        }
    }
}

fn match_labels(term: &mut Map, labels: &Map) {
    let mut expressions = Vec::new();
    for (list, operator) in [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")] {
        let keys = term.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for (key, value) in keys.filter_map(|key| Some((key, labels.get(key)?))) {
            expressions.push(json!({"key": key, "operator": operator, "values": [value]}));
        }
    }
    let Some(selector) = fill::there(term, "labelSelector").filter(|_| !expressions.is_empty()) else { return };
    match selector.get_mut("matchExpressions") {
        Some(Value::Array(known)) => known.extend(expressions),
        _ => {
            selector.insert("matchExpressions".to_owned(), expressions.into());
        }
    }
}

/// A job selects its pods by its uid, unless somebody else takes care of that.
pub(super) fn create_job(job: &mut Value, uid: &str) {
    if !job.part("spec").is_on("manualSelector") {
        let name = text(job, &["metadata", "name"]).to_owned();
        let labels = entry(job, &["spec", "template", "metadata", "labels"]);
        for label in NAME_LABELS {
            set_default(labels, &[label], name.as_str());
        }
        for label in UID_LABELS {
            set_default(labels, &[label], uid);
        }
        set_default(job, &["spec", "selector", "matchLabels", UID_LABELS[1]], uid);
    }
    let bare = job.part("metadata").members("labels").is_none_or(Map::is_empty);
    let labels = job.part("spec").part("template").part("metadata").part("labels").cloned();
    if let Some(labels) = labels.filter(|_| bare) {
        set(job, &["metadata", "labels"], labels);
    }
}

/// A daemon set counts its templates in an annotation.
pub(super) fn create_daemon_set(daemon_set: &mut Value) {
    set(daemon_set, &["metadata", "annotations", TEMPLATE_GENERATION], "1");
}

pub(super) fn update_daemon_set(new: &mut Value, old: &Value) {
    let before = text(old, &["metadata", "annotations", TEMPLATE_GENERATION]).parse().unwrap_or(1_u64);
    let template = |object: &Value| object.part("spec").part("template").cloned();
    let changed = !same(template(new).as_ref(), template(old).as_ref());
    let generation = before.saturating_add(u64::from(changed));
    set(new, &["metadata", "annotations", TEMPLATE_GENERATION], generation.to_string());
}

/// What was given to the pod stays, even if a client that does not know it leaves it out.
pub(super) fn update_pod(pod: &mut Value, old: &Value) {
    for member in ["priority", "preemptionPolicy"] {
        let before = old.part("spec").part(member);
        if let Some(before) = before.filter(|_| pod.part("spec").part(member).is_none()) {
            set(pod, &["spec", member], before.clone());
        }
    }
    tolerate_for_a_while(pod);
}

/// Whether what somebody wants has changed, and not only what is.
pub(super) fn wants_something_else(kind: (&str, &str), new: &Value, old: &Value) -> bool {
    let changed = |member: &str| !same(new.get(member), old.get(member));
    let annotations = |object: &Value| object.part("metadata").part("annotations").cloned();
    match kind {
        ("apps", "ControllerRevision") => false,
        ("", "PodTemplate") => changed("template"),
        ("apps", "Deployment") => changed("spec") || !same(annotations(new).as_ref(), annotations(old).as_ref()),
        _ => changed("spec"),
    }
}
