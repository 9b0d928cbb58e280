//! A machine deployment: machine sets of its templates, old and new, and the way from one to the other.

use serde_json::{Value, json};

use super::action::{Action, Pass, finalize, id_of, own, owner_reference, set_label};
use super::condition::{self, Condition};
use super::kind::Kind;
use super::machine_set::{scaling, selector};
use super::phase::{self, Rules};
use super::reference;
use super::rollout::{Set, on_delete, rolling_update};
use super::tally::{Tally, machines_condition};
use super::words;
use super::world::{Id, World, annotation, controller, is_going, is_paused, label, name, namespace};
use crate::cluster::object::{at, flag, int, map, remove, set, text};
use crate::cluster::sim::template;

/// Fields of a machine's spec that do not make another template: they are changed in place.
const IN_PLACE: [&str; 6] = [
    "nodeDrainTimeout",
    "nodeVolumeDetachTimeout",
    "nodeDeletionTimeout",
    "readinessGates",
    "minReadySeconds",
    "deletion",
];

/// What tells the template of a deployment from others.
pub(super) fn template_hash(deployment: &Value) -> String {
    let mut spec = at(deployment, &["spec", "template", "spec"]).cloned().unwrap_or(json!({}));
    for field in IN_PLACE {
        remove(&mut spec, &[field]);
    }
    let version = reference::version(text(&spec, &["version"]));
    set(&mut spec, &["version"], version);
    template::hash(&spec, 0)
}

/// A machine deployment.
pub(super) fn reconcile<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let cluster = pass.world.cluster_of(Kind::MachineDeployment, old);
    let mut new = old.clone();
    let sets = pass.world.controlled_by(old, Kind::MachineSet);
    if is_going(old) {
        for (id, set) in &sets {
            pass.delete(id, set);
        }
        if sets.is_empty() {
            finalize(&mut new, Kind::MachineDeployment, false);
        }
        let deleting =
            Condition::yes(if sets.is_empty() { "DeletionCompleted" } else { "WaitingForMachineSetDeletion" });
        condition::set(&mut new, "Deleting", &deleting, pass.now);
        report(pass, old, &mut new, &sets);
        return pass.settle(id, old, new);
    }
    finalize(&mut new, Kind::MachineDeployment, true);
    let Some(cluster) = cluster else {
        let cluster = text(old, &["spec", "clusterName"]);
        pass.problems.push(format!("{id}: failed to get Cluster \"{cluster}\": it does not exist"));
        return pass.settle(id, old, new);
    };
    defaults(&mut new, cluster);
    let spec = at(old, &["spec", "template", "spec"]).cloned().unwrap_or_default();
    reference::adopt_templates(pass, cluster, &[spec]);
    let paused = is_paused(old, Some(cluster)) || flag(old, &["spec", "paused"]);
    // what is made follows the defaults: they are written first
    if !paused && new.get("spec") == old.get("spec") {
        roll(pass, old, &sets);
    }
    condition::set(&mut new, "Deleting", &Condition::no("NotDeleting", ""), pass.now);
    condition::set(&mut new, "Paused", &Condition::either(paused, "Paused", "NotPaused"), pass.now);
    report(pass, old, &mut new, &sets);
    pass.settle(id, old, new);
}

/// What admission fills in.
fn defaults(new: &mut Value, cluster: &Value) {
    set_label(new, words::CLUSTER, name(cluster));
    own(new, cluster, false);
    if int(new, &["spec", "replicas"]).is_none() {
        set(new, &["spec", "replicas"], 1);
    }
    let bare = map(new, &["spec", "selector", "matchLabels"]).is_none_or(serde_json::Map::is_empty);
    let own_name = name(new).to_owned();
    for place in [&["spec", "selector", "matchLabels"][..], &["spec", "template", "metadata", "labels"]] {
        let label = |key| [place, &[key]].concat();
        if bare {
            set(new, &label(words::DEPLOYMENT), own_name.clone());
        }
        set(new, &label(words::CLUSTER), name(cluster));
    }
}

fn roll(pass: &mut Pass<'_>, deployment: &Value, sets: &[(&Id, &Value)]) {
    let hash = template_hash(deployment);
    let replicas = int(deployment, &["spec", "replicas"]).unwrap_or(1).max(0);
    let mut ordered: Vec<(&Id, &Value)> = sets.iter().copied().filter(|(_, set)| !is_going(set)).collect();
    ordered.sort_by(|(_, left), (_, right)| age(left).cmp(&age(right)));
    let (new, old): (Vec<_>, Vec<_>) =
        ordered.into_iter().partition(|(_, set)| label(set, words::TEMPLATE_HASH) == Some(hash.as_str()));
    // of several sets of the same template the oldest counts
    let (new, more) = match new.split_first() {
        Some((first, rest)) => (Some(*first), rest.to_vec()),
        None => (None, Vec::new()),
    };
    let old = [more, old].concat();
    let state = |set: &Value| Set {
        wanted: int(set, &["spec", "replicas"]).unwrap_or(0),
        there: Tally::read(set).replicas,
        available: Tally::read(set).available,
    };
    let states: Vec<Set> = old.iter().map(|(_, set)| state(set)).collect();
    let current = new.map(|(_, set)| state(set)).unwrap_or_default();
    let (size, sizes) = if reference::is_on_delete(deployment) {
        on_delete(replicas, current, &states)
    } else {
        rolling_update(replicas, reference::limits(deployment, replicas), current, &states)
    };
    match new {
        None => create(pass, deployment, &hash, size, sets),
        Some((id, set)) => {
            follow(pass, deployment, id, set);
            resize(pass, deployment, id, set, size);
        }
    }
    for ((id, set), size) in old.iter().zip(sizes) {
        resize(pass, deployment, id, set, size);
    }
    clean_up(pass, deployment, &old);
}

fn age(set: &Value) -> (i64, &str, &str) {
    let revision = annotation(set, words::REVISION).and_then(|text| text.parse().ok()).unwrap_or(0);
    (revision, text(set, &["metadata", "creationTimestamp"]), name(set))
}

fn resize(pass: &mut Pass<'_>, deployment: &Value, id: &Id, set: &Value, size: i64) {
    let before = int(set, &["spec", "replicas"]).unwrap_or(0);
    if before == size {
        return;
    }
    let uid = text(set, &["metadata", "uid"]).to_owned();
    pass.actions.push(Action::Patch { id: id.clone(), uid, patch: json!({"spec": {"replicas": size}}) });
    let way = if size > before { "up" } else { "down" };
    pass.event(deployment, "SuccessfulScale", format!("Scaled {way} MachineSet {}: {before} -> {size}", id.name));
}

/// What may change in place follows the deployment.
fn follow(pass: &mut Pass<'_>, deployment: &Value, id: &Id, old: &Value) {
    let mut new = old.clone();
    let template = |object: &Value, path: &[&str]| at(object, &[&["spec", "template"], path].concat()).cloned();
    let mut spec = template(deployment, &["spec"]).unwrap_or(json!({}));
    let version = reference::version(text(&spec, &["version"]));
    if !version.is_empty() {
        set(&mut spec, &["version"], version);
    }
    set(&mut new, &["spec", "template", "spec"], spec);
    if let Some(annotations) = template(deployment, &["metadata", "annotations"]) {
        set(&mut new, &["spec", "template", "metadata", "annotations"], annotations);
    }
    for (name, value) in map(deployment, &["spec", "template", "metadata", "labels"]).into_iter().flatten() {
        set(&mut new, &["spec", "template", "metadata", "labels", name], value.clone());
    }
    pass.settle(id, old, new);
}

fn create(pass: &mut Pass<'_>, deployment: &Value, hash: &str, size: i64, sets: &[(&Id, &Value)]) {
    let space = namespace(deployment);
    let spec = at(deployment, &["spec", "template", "spec"]).cloned().unwrap_or(json!({}));
    let own_name = match reference::rules(&spec) {
        Rules::V1Alpha3 => format!("{}-{hash}", name(deployment)),
        Rules::V1Beta2 => pass.free_name(Kind::MachineSet, space, name(deployment)),
    };
    if pass.world.get(Kind::MachineSet, space, &own_name).is_some() {
        pass.problems.push(format!(
            "MachineSet {space}/{own_name} is there but is not of MachineDeployment {}",
            name(deployment)
        ));
        return;
    }
    let mut template = at(deployment, &["spec", "template"]).cloned().unwrap_or(json!({}));
    set(&mut template, &["metadata", "labels", words::TEMPLATE_HASH], hash);
    set(&mut template, &["metadata", "labels", words::DEPLOYMENT], name(deployment));
    let version = reference::version(text(&template, &["spec", "version"]));
    if !version.is_empty() {
        set(&mut template, &["spec", "version"], version);
    }
    let mut selector = at(deployment, &["spec", "selector"]).cloned().unwrap_or(json!({}));
    set(&mut selector, &["matchLabels", words::TEMPLATE_HASH], hash);
    let labels = at(&template, &["metadata", "labels"]).cloned().unwrap_or(json!({}));
    let revision = sets.iter().map(|(_, set)| age(set).0).max().unwrap_or(0) + 1;
    let mut object = json!({
        "apiVersion": Kind::MachineSet.api_version(), "kind": "MachineSet",
        "metadata": {
            "name": own_name, "namespace": space, "labels": labels, "annotations": {words::REVISION: revision.to_string()},
            "ownerReferences": [owner_reference(deployment, true)],
        },
        "spec": {
            "clusterName": text(deployment, &["spec", "clusterName"]), "replicas": size, "selector": selector,
            "template": template, "deletePolicy": format!("{:?}", reference::order(deployment)),
        },
    });
    if let Some(seconds) = at(deployment, &["spec", "minReadySeconds"]) {
        set(&mut object, &["spec", "minReadySeconds"], seconds.clone());
    }
    finalize(&mut object, Kind::MachineSet, true);
    pass.actions.push(Action::Create { id: id_of(Kind::MachineSet, &object), object });
    let message = format!("Created MachineSet {space}/{own_name} with {size} replicas");
    pass.event(deployment, "SuccessfulCreate", message);
}

/// Old sets that are empty go, but for as many as are kept to go back to.
fn clean_up(pass: &mut Pass<'_>, deployment: &Value, old: &[(&Id, &Value)]) {
    let spec = at(deployment, &["spec", "template", "spec"]).unwrap_or(&Value::Null);
    let usual = if reference::rules(spec) == Rules::V1Alpha3 { 1 } else { 0 };
    let kept = int(deployment, &["spec", "revisionHistoryLimit"]).unwrap_or(usual).max(0);
    let empty: Vec<_> = old
        .iter()
        .filter(|(_, set)| int(set, &["spec", "replicas"]) == Some(0) && Tally::read(set).replicas == 0)
        .collect();
    let excess = empty.len().saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX));
    // a set is empty before its machines were counted, too
    for (id, set) in empty.into_iter().take(excess) {
        if pass.world.controlled_by(set, Kind::Machine).is_empty() {
            pass.delete(id, set);
        }
    }
}

/// The machines of a deployment.
pub(super) fn machines<'a>(world: &World<'a>, deployment: &Value) -> Vec<(&'a Id, &'a Value)> {
    let sets = world.controlled_by(deployment, Kind::MachineSet);
    sets.iter().flat_map(|(_, set)| world.controlled_by(set, Kind::Machine)).collect()
}

fn report(pass: &Pass<'_>, old: &Value, new: &mut Value, sets: &[(&Id, &Value)]) {
    let now = pass.now;
    let machines = machines(&pass.world, old);
    let tally = Tally::of(&machines);
    tally.write(new);
    set(new, &["status", "selector"], selector(new));
    if let Some(generation) = int(old, &["metadata", "generation"]) {
        set(new, &["status", "observedGeneration"], generation);
    }
    let going = is_going(old);
    let wanted = int(old, &["spec", "replicas"]);
    set(new, &["status", "phase"], phase::deployment(wanted, tally.replicas, going));
    let mut references = Vec::new();
    for place in [&["bootstrap", "configRef"][..], &["infrastructureRef"]] {
        references.extend(at(old, &[&["spec", "template", "spec"], place].concat()));
    }
    let missing = reference::do_not_exist(&reference::missing_templates(&pass.world, old, &references));
    let aimed = if going { 0 } else { wanted.unwrap_or(1) };
    for (kind, found) in scaling(tally.replicas, aimed, &missing) {
        condition::set(new, kind, &found, now);
    }
    let outdated = tally.replicas - tally.up_to_date;
    let rolling = if outdated > 0 && sets.len() > 1 && !going {
        Condition::yes("RollingOut").saying(format!("Rolling out {outdated} not up-to-date replicas"))
    } else {
        Condition::no("NotRollingOut", "")
    };
    condition::set(new, "RollingOut", &rolling, now);
    condition::set(new, "MachinesReady", &machines_condition(&machines, "Ready"), now);
    condition::set(new, "MachinesUpToDate", &machines_condition(&machines, "UpToDate"), now);
    condition::set(new, "Remediating", &Condition::no("NotRemediating", ""), now);
    condition::set(new, "Available", &available(old, tally, wanted, going), now);
    if controller(old).is_some() {
        set(new, &["status", "replicas"], tally.replicas);
    }
}

fn available(deployment: &Value, tally: Tally, wanted: Option<i64>, going: bool) -> Condition {
    if going {
        return Condition::no("NotAvailable", "Deletion in progress");
    }
    let Some(wanted) = wanted else {
        return Condition::unknown("WaitingForReplicasSet", "Waiting for spec.replicas set");
    };
    let unavailable = reference::limits(deployment, wanted).unavailable;
    let least = (wanted - unavailable).max(0);
    if tally.available >= least {
        return Condition::yes("Available");
    }
    let message = format!(
        "{} available replicas, at least {least} required (spec.strategy.rollout.maxUnavailable is {unavailable}, spec.replicas is {wanted})",
        tally.available
    );
    Condition::no("NotAvailable", message)
}
