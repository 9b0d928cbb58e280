//! What the server warns of although it lets it pass.

use serde_json::Value;

use super::pod;
use super::read::Read;
use super::strategy::wants_something_else;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;

/// Warnings about an object that is created, or that somebody changes.
pub(super) fn of(kind: (&str, &str), object: &Value, old: Option<&Value>) -> Vec<String> {
    let mut warnings = Vec::new();
    let spec = object.part("spec");
    let at = Path::new("spec");
    let template = |holder: Option<&Value>, at: &Path<'_>, warnings: &mut Vec<String>| {
        if let Some(template) = holder.part("template") {
            pod::warnings(template, &at.child("template"), warnings);
        }
    };
    if old.is_none() {
        name(kind, object.part("metadata").text("name"), &mut warnings);
    } else if kind == ("", "Pod") || old.is_some_and(|old| !wants_something_else(kind, object, old)) {
        return warnings;
    }
    match kind {
        ("", "Pod") => pod::warnings(object, &Path::ROOT, &mut warnings),
        ("", "PodTemplate") => template(Some(object), &Path::ROOT, &mut warnings),
        ("apps", "StatefulSet") => {
            template(spec, &at, &mut warnings);
            let at_claims = at.child("volumeClaimTemplates");
            for (index, claim) in spec.items("volumeClaimTemplates").iter().enumerate() {
                pod::claim_warnings(claim.part("spec"), &at_claims.index(index).child("Spec"), &mut warnings);
            }
            if spec.int("revisionHistoryLimit").is_some_and(|limit| limit < 0) {
                let why = "a negative value retains all historical revisions; a value >= 0 is recommended";
                warnings.push(format!("spec.revisionHistoryLimit: {why}"));
            }
        }
        ("batch", "CronJob") => {
            let at = at.child("jobTemplate");
            job(spec.part("jobTemplate").part("spec"), &at.child("spec"), &mut warnings);
            if spec.text("schedule").contains("TZ") {
                warnings.push(
                    "CRON_TZ or TZ used in spec.spec.schedule is not officially supported, see \
                     https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                        .to_owned(),
                );
            }
        }
        ("batch", "Job") => job(spec, &at, &mut warnings),
        _ => template(spec, &at, &mut warnings),
    }
    warnings
}

fn job(spec: Option<&Value>, at: &Path<'_>, warnings: &mut Vec<String>) {
    let above = |member: &str, most: i64| spec.int(member).is_some_and(|value| value > most);
    if spec.text("completionMode") == "Indexed" && above("completions", 100_000) && above("parallelism", 10_000) {
        warnings.push(format!(
            "{at}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    if let Some(template) = spec.part("template") {
        pod::warnings(template, &at.child("template"), warnings);
    }
}

/// Names go into those of pods, and these into host names.
fn name(kind: (&str, &str), name: &str, warnings: &mut Vec<String>) {
    let used = match kind {
        ("", "Pod") => "the Pod's hostname",
        ("", "ReplicationController") | ("apps", "Deployment" | "ReplicaSet") | ("batch", "Job" | "CronJob") => {
            "Pod names and hostnames"
        }
        _ => return,
    };
    let faults = text::dns1123_label(name);
    if !faults.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is \
             recommended: [{}]",
            faults.join(" ")
        ));
    }
}
