//! A machine set: as many machines of one template as it is asked for.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::action::{Pass, finalize, own, set_label};
use super::clone::{self, Plan};
use super::condition::{self, Condition};
use super::health_check;
use super::kind::Kind;
use super::reference;
use super::rollout::{Candidate, deletion_order};
use super::tally::{Tally, machines_condition};
use super::words;
use super::world::{Id, annotation, controller, is_going, is_paused, name};
use crate::cluster::object::{at, int, map, set, text};

/// A machine set.
pub(super) fn reconcile<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let cluster = pass.world.cluster_of(Kind::MachineSet, old);
    let mut new = old.clone();
    let machines = pass.world.controlled_by(old, Kind::Machine);
    if is_going(old) {
        for (id, machine) in &machines {
            pass.delete(id, machine);
        }
        if machines.is_empty() {
            finalize(&mut new, Kind::MachineSet, false);
        }
        let deleting =
            Condition::yes(if machines.is_empty() { "DeletionCompleted" } else { "WaitingForMachineDeletion" });
        condition::set(&mut new, "Deleting", &deleting, pass.now);
        report(pass, old, &mut new, &machines, "");
        return pass.settle(id, old, new);
    }
    finalize(&mut new, Kind::MachineSet, true);
    let Some(cluster) = cluster else {
        let cluster = text(old, &["spec", "clusterName"]);
        pass.problems.push(format!("{id}: failed to get Cluster \"{cluster}\": it does not exist"));
        return pass.settle(id, old, new);
    };
    set_label(&mut new, words::CLUSTER, name(cluster));
    if controller(old).is_none() {
        own(&mut new, cluster, false);
    }
    if int(old, &["spec", "replicas"]).is_none() {
        set(&mut new, &["spec", "replicas"], 1);
    }
    let paused = is_paused(old, Some(cluster));
    let replacing = !paused && health_check::replace(pass, old, &machines);
    let missing = if paused || replacing { String::new() } else { resize(pass, id, old, &machines) };
    condition::set(&mut new, "Deleting", &Condition::no("NotDeleting", ""), pass.now);
    condition::set(&mut new, "Paused", &Condition::either(paused, "Paused", "NotPaused"), pass.now);
    report(pass, old, &mut new, &machines, &missing);
    pass.settle(id, old, new);
}

/// Makes or deletes machines; says what keeps it from making them.
fn resize(pass: &mut Pass<'_>, id: &Id, set: &Value, machines: &[(&Id, &Value)]) -> String {
    let wanted = int(set, &["spec", "replicas"]).unwrap_or(1).max(0);
    let there = i64::try_from(machines.len()).unwrap_or(i64::MAX);
    if there > wanted {
        shrink(pass, set, machines, usize::try_from(there - wanted).unwrap_or(0));
        return String::new();
    }
    let plan = plan(set);
    for _ in there..wanted {
        match clone::machine(pass, &plan) {
            Ok(machine) => pass.event(set, "SuccessfulCreate", format!("Created Machine \"{machine}\"")),
            Err(missing) => {
                let missing = reference::do_not_exist(&missing);
                pass.problems.push(format!("{id}: failed to create Machine: {missing}"));
                if !condition::read(set, "ScalingUp").is_some_and(|found| found.message.contains(&missing)) {
                    pass.warn(set, "FailedCreate", format!("Failed to create Machine: {missing}"));
                }
                return missing;
            }
        }
    }
    // what is there can still be missing for the next time
    let references: Vec<&Value> = [&["bootstrap", "configRef"][..], &["infrastructureRef"]]
        .iter()
        .filter_map(|place| at(&plan.spec, place))
        .collect();
    reference::do_not_exist(&reference::missing_templates(&pass.world, set, &references))
}

fn shrink(pass: &mut Pass<'_>, set: &Value, machines: &[(&Id, &Value)], fewer: usize) {
    let candidates = machines.iter().map(|(id, machine)| Candidate {
        name: &id.name,
        deleting: is_going(machine),
        marked: annotation(machine, words::DELETE_FIRST).is_some(),
        updating: condition::is_true(machine, "Updating"),
        healthy: !text(machine, &["status", "nodeRef", "name"]).is_empty() && condition::is_true(machine, "Ready"),
        made: text(machine, &["metadata", "creationTimestamp"]).parse().unwrap_or(Timestamp::UNIX_EPOCH),
    });
    for chosen in deletion_order(candidates.collect(), reference::order(set)).into_iter().take(fewer) {
        let Some((id, machine)) = machines.iter().find(|(id, _)| &*id.name == chosen.name) else { continue };
        if !is_going(machine) {
            pass.delete(id, machine);
            pass.event(set, "SuccessfulDelete", format!("Deleted Machine \"{}\"", id.name));
        }
    }
}

fn plan(set: &Value) -> Plan<'_> {
    let part = |path: &[&str]| at(set, path).cloned().unwrap_or(json!({}));
    let mut labels = part(&["spec", "template", "metadata", "labels"]);
    crate::cluster::object::set(&mut labels, &[words::SET], name(set));
    let spec = part(&["spec", "template", "spec"]);
    Plan {
        owner: set,
        cluster: text(set, &["spec", "clusterName"]),
        labels,
        annotations: part(&["spec", "template", "metadata", "annotations"]),
        rules: reference::rules(&spec),
        spec,
        config: None,
    }
}

fn report(pass: &Pass<'_>, old: &Value, new: &mut Value, machines: &[(&Id, &Value)], missing: &str) {
    let now = pass.now;
    let tally = Tally::of(machines);
    tally.write(new);
    set(new, &["status", "fullyLabeledReplicas"], tally.replicas);
    set(new, &["status", "selector"], selector(old));
    if let Some(generation) = int(old, &["metadata", "generation"]) {
        set(new, &["status", "observedGeneration"], generation);
    }
    let wanted = if is_going(old) { 0 } else { int(old, &["spec", "replicas"]).unwrap_or(1) };
    for (kind, found) in scaling(tally.replicas, wanted, missing) {
        condition::set(new, kind, &found, now);
    }
    condition::set(new, "MachinesReady", &machines_condition(machines, "Ready"), now);
    condition::set(new, "MachinesUpToDate", &machines_condition(machines, "UpToDate"), now);
    let replaced = machines.iter().filter(|(_, machine)| health_check::is_given_up(machine)).count();
    let remediating = match replaced {
        0 => Condition::no("NotRemediating", ""),
        1 => Condition::yes("Remediating").saying("Machine being remediated"),
        more => Condition::yes("Remediating").saying(format!("{more} Machines being remediated")),
    };
    condition::set(new, "Remediating", &remediating, now);
}

/// Whether something grows or shrinks, and what blocks it.
pub(super) fn scaling(there: i64, wanted: i64, missing: &str) -> [(&'static str, Condition); 2] {
    let blocked = if missing.is_empty() { String::new() } else { format!(" is blocked because {missing}") };
    let up = if there < wanted {
        Condition::yes("ScalingUp").saying(format!("Scaling up from {there} to {wanted} replicas{blocked}"))
    } else if missing.is_empty() {
        Condition::no("NotScalingUp", "")
    } else {
        Condition::no("NotScalingUp", format!("Scaling up would be blocked because {missing}"))
    };
    let down = if there > wanted {
        Condition::yes("ScalingDown").saying(format!("Scaling down from {there} to {wanted} replicas"))
    } else {
        Condition::no("NotScalingDown", "")
    };
    [("ScalingUp", up), ("ScalingDown", down)]
}

/// A selector as text, for the scale subresource.
pub(super) fn selector(object: &Value) -> String {
    let labels = map(object, &["spec", "selector", "matchLabels"]);
    let pairs =
        labels.into_iter().flatten().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    let mut pairs: Vec<String> = pairs.collect();
    pairs.sort();
    pairs.join(",")
}
