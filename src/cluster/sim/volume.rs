//! Claims and volumes: finds or makes a volume for each claim, as the local-path provisioner of kind does.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, at, list, set, text};
use crate::cluster::quantity::Quantity;
use crate::cluster::sim::matching::Selector;
use crate::cluster::sim::tools::{self, delete, event, patch_metadata, resource};
use crate::cluster::sim::view::{Pod, lax, view};
use crate::cluster::sim::{Action, Decision, World};

const CLAIMS: &str = "persistentvolumeclaims";
const VOLUMES: &str = "persistentvolumes";
const CLASSES: &str = "storageclasses.storage.k8s.io";
const SOURCE: &str = "persistentvolume-controller";

/// The annotation that says where the first pod with a claim will run.
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// What was told about claims, so that it is told once; it can be lost at any time.
#[derive(Debug, Default)]
pub struct Memory {
    told: HashMap<Box<str>, &'static str>,
}

/// How it is with a claim, for somebody who wants to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// There is none.
    Missing,
    /// It has a volume.
    Bound,
    /// It gets one as soon as it is known where it is needed.
    Waits,
    /// It has none.
    Unbound,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimView {
    #[serde(deserialize_with = "lax")]
    spec: ClaimSpec,
    #[serde(deserialize_with = "lax")]
    status: ClaimStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimSpec {
    storage_class_name: Option<String>,
    #[serde(deserialize_with = "lax")]
    volume_name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimStatus {
    #[serde(deserialize_with = "lax")]
    phase: String,
}

/// How it is with a claim.
pub(crate) fn claim_of(store: &Store, key: &Key) -> Claim {
    let Some(claim) = store.get(CLAIMS, key).filter(|claim| !claim.deleting) else { return Claim::Missing };
    let claim: ClaimView = view(claim).unwrap_or_default();
    if claim.status.phase == "Bound" {
        return Claim::Bound;
    }
    let class = claim.spec.storage_class_name.and_then(|class| store.get(CLASSES, &Key::new("", &class)));
    let waits = class.is_some_and(|class| text(&class.value(), &["volumeBindingMode"]) == "WaitForFirstConsumer");
    if waits && claim.spec.volume_name.is_empty() { Claim::Waits } else { Claim::Unbound }
}

/// What is to be done about a claim, or about a volume, whose key has no namespace.
pub fn reconcile(world: &World<'_>, key: &Key, memory: &mut Memory) -> Decision {
    let mut decision = Decision::default();
    if key.namespace.is_empty() {
        if let Some(stored) = world.store.get(VOLUMES, key) {
            volume(world, stored, &mut decision);
        }
    } else if let Some(stored) = world.store.get(CLAIMS, key) {
        claim(world, stored, memory, &mut decision);
    }
    decision
}

/// The claims and volumes to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    let pending = || {
        let claims = store.list(CLAIMS, "");
        claims.filter(|claim| view::<ClaimView>(claim).is_some_and(|claim| claim.status.phase != "Bound"))
    };
    match &*object.resource {
        CLAIMS => {
            let volume = view::<ClaimView>(object).unwrap_or_default().spec.volume_name;
            let volume = (!volume.is_empty()).then(|| Key::new("", &volume));
            std::iter::once(object.key.clone()).chain(volume).collect()
        }
        VOLUMES => {
            let claim = at(&object.value(), &["spec", "claimRef"])
                .map(|claim| Key::new(text(claim, &["namespace"]), text(claim, &["name"])));
            let waiting: Vec<Key> = match claim {
                Some(claim) => vec![claim],
                None => pending().map(|claim| claim.key.clone()).collect(),
            };
            std::iter::once(object.key.clone()).chain(waiting).collect()
        }
        CLASSES => pending().map(|claim| claim.key.clone()).collect(),
        "pods" if store.count(CLAIMS) > 0 => {
            let pod = view::<Pod>(object).filter(|pod| object.deleting || pod.is_over()).unwrap_or_default();
            claims_of(&pod).map(|name| Key::new(&object.key.namespace, name)).collect()
        }
        _ => Vec::new(),
    }
}

fn claims_of(pod: &Pod) -> impl Iterator<Item = &str> {
    let claims = pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    claims.map(|claim| claim.claim_name.as_str())
}

/// Takes a finalizer away.
fn release(stored: &Stored, object: &Value, finalizer: &str, decision: &mut Decision) {
    let finalizers = list(object, &["metadata", "finalizers"]);
    let kept: Vec<_> = finalizers.iter().filter(|one| one.as_str() != Some(finalizer)).cloned().collect();
    if kept.len() < finalizers.len() {
        decision.actions.push(patch_metadata(stored, json!({"finalizers": kept})));
    }
}

fn claim(world: &World<'_>, stored: &Stored, memory: &mut Memory, decision: &mut Decision) {
    let object = stored.value();
    if stored.deleting {
        let pods = world.store.list("pods", &stored.key.namespace).filter_map(|pod| view::<Pod>(pod));
        let used = pods.filter(|pod| !pod.is_over()).any(|pod| claims_of(&pod).any(|name| *name == *stored.key.name));
        if !used {
            release(stored, &object, "kubernetes.io/pvc-protection", decision);
        }
        memory.told.remove(&stored.uid);
        return;
    }
    let name = text(&object, &["spec", "volumeName"]);
    match (name, text(&object, &["status", "phase"])) {
        (_, "Bound") => {}
        ("", _) => unbound(world, stored, object, memory, decision),
        (name, _) => bound(world, stored, object.clone(), name, decision),
    }
}

/// A claim that names its volume.
fn bound(world: &World<'_>, stored: &Stored, mut object: Value, name: &str, decision: &mut Decision) {
    let Some(volume) = world.store.get(VOLUMES, &Key::new("", name)) else { return };
    let mut volume = volume.value();
    let owner = text(&volume, &["spec", "claimRef", "uid"]);
    if owner.is_empty() {
        // Somebody asked for just this volume.
        let volume_again = claimed(&mut volume, stored);
        decision.actions.push(Action::Update { resource: resource(VOLUMES), object: volume_again });
        return;
    }
    if owner != &*stored.uid {
        return;
    }
    let modes = at(&volume, &["spec", "accessModes"]).cloned().unwrap_or_default();
    let capacity = at(&volume, &["spec", "capacity"]).cloned().unwrap_or_default();
    set(&mut object, &["status"], json!({"accessModes": modes, "capacity": capacity, "phase": "Bound"}));
    decision.actions.push(Action::UpdateStatus { resource: resource(CLAIMS), object });
}

/// The volume as one that belongs to a claim.
fn claimed(volume: &mut Value, claim: &Stored) -> Value {
    set(volume, &["spec", "claimRef"], claim_ref(claim));
    set(volume, &["metadata", "annotations", "pv.kubernetes.io/bound-by-controller"], "yes");
    std::mem::take(volume)
}

fn claim_ref(claim: &Stored) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim.key.name,
        "namespace": claim.key.namespace, "resourceVersion": claim.revision.to_string(), "uid": claim.uid,
    })
}

/// The claim with its volume's name.
fn with_volume(mut claim: Value, volume: &str, provisioner: &str) -> Action {
    set(&mut claim, &["spec", "volumeName"], volume);
    set(&mut claim, &["metadata", "annotations", "pv.kubernetes.io/bind-completed"], "yes");
    set(&mut claim, &["metadata", "annotations", "pv.kubernetes.io/bound-by-controller"], "yes");
    if !provisioner.is_empty() {
        for name in ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"] {
            set(&mut claim, &["metadata", "annotations", name], provisioner);
        }
    }
    Action::Update { resource: resource(CLAIMS), object: claim }
}

fn unbound(world: &World<'_>, stored: &Stored, object: Value, memory: &mut Memory, decision: &mut Decision) {
    let class_name = at(&object, &["spec", "storageClassName"]).and_then(Value::as_str).map(str::to_owned);
    let Some(class_name) = class_name else {
        let mut classes = world.store.list(CLASSES, "").map(|class| class.value());
        let default = classes.find(|class| text(class, &["metadata", "annotations", DEFAULT_CLASS]) == "true");
        match default {
            Some(class) => decision.actions.push(Action::Patch {
                resource: resource(CLAIMS),
                key: stored.key.clone(),
                patch: json!({"spec": {"storageClassName": text(&class, &["metadata", "name"])}}),
            }),
            None => fixed(world, stored, object, "", memory, decision),
        }
        return;
    };
    fixed(world, stored, object, &class_name, memory, decision);
}

/// Looks for a volume that is there; failing that, has one made.
fn fixed(
    world: &World<'_>,
    stored: &Stored,
    object: Value,
    class_name: &str,
    memory: &mut Memory,
    decision: &mut Decision,
) {
    let class = world.store.get(CLASSES, &Key::new("", class_name)).map(|class| class.value());
    let waits = class.as_ref().is_some_and(|class| text(class, &["volumeBindingMode"]) == "WaitForFirstConsumer");
    let node = text(&object, &["metadata", "annotations", SELECTED_NODE]).to_owned();
    if !(waits && node.is_empty())
        && let Some(volume) = best_volume(world.store, &object, class_name)
    {
        let name = text(&volume, &["metadata", "name"]).to_owned();
        let mut volume = volume;
        decision.actions.push(Action::Update { resource: resource(VOLUMES), object: claimed(&mut volume, stored) });
        decision.actions.push(with_volume(object, &name, ""));
        return;
    }
    let about = tools::reference(&object);
    let mut tell = |kind: &'static str, reason: &'static str, message: String, decision: &mut Decision| {
        if memory.told.insert(stored.uid.clone(), reason) != Some(reason) {
            decision.actions.push(event(&about, SOURCE, kind, reason, message));
        }
    };
    let Some(class) = class else {
        if class_name.is_empty() {
            let message = "no persistent volumes available for this claim and no storage class is set";
            tell("Normal", "FailedBinding", message.to_owned(), decision);
        } else {
            let message = format!("storageclass.storage.k8s.io \"{class_name}\" not found");
            tell("Warning", "ProvisioningFailed", message, decision);
        }
        return;
    };
    let provisioner = text(&class, &["provisioner"]);
    if waits && node.is_empty() {
        let message = "waiting for first consumer to be created before binding";
        tell("Normal", "WaitForFirstConsumer", message.to_owned(), decision);
    } else if provisioner == "kubernetes.io/no-provisioner" {
        let message = "no persistent volumes available for this claim and no storage class is set";
        tell("Normal", "FailedBinding", message.to_owned(), decision);
    } else {
        let message = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
             system administrator. If volume creation is delayed, please verify that the provisioner is running and \
             correctly registered."
        );
        tell("Normal", "ExternalProvisioning", message, decision);
        let name = format!("pvc-{}", stored.uid);
        if world.store.get(VOLUMES, &Key::new("", &name)).is_none() {
            let volume = provisioned(stored, &object, &class, &name, &node);
            decision.actions.push(Action::Create { resource: resource(VOLUMES), object: volume });
            let message = format!("Successfully provisioned volume {name}");
            decision.actions.push(event(&about, "rancher.io/local-path", "Normal", "ProvisioningSucceeded", message));
        }
        decision.actions.push(with_volume(object, &name, provisioner));
    }
}

/// A volume on the disk of a node.
fn provisioned(claim: &Stored, object: &Value, class: &Value, name: &str, node: &str) -> Value {
    let policy = match text(class, &["reclaimPolicy"]) {
        "" => "Delete",
        policy => policy,
    };
    let mut volume = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": text(class, &["provisioner"])},
        },
        "spec": {
            "accessModes": at(object, &["spec", "accessModes"]),
            "capacity": {"storage": at(object, &["spec", "resources", "requests", "storage"])},
            "claimRef": claim_ref(claim),
            "hostPath": {
                "path": format!("/var/local-path-provisioner/{name}_{}_{}", claim.key.namespace, claim.key.name),
                "type": "DirectoryOrCreate",
            },
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": text(class, &["metadata", "name"]),
            "volumeMode": "Filesystem",
        },
    });
    if !node.is_empty() {
        let terms = json!([{
            "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}],
        }]);
        set(&mut volume, &["spec", "nodeAffinity", "required", "nodeSelectorTerms"], terms);
    }
    volume
}

/// The smallest volume that nobody has and that a claim can use.
fn best_volume(store: &Store, claim: &Value, class: &str) -> Option<Value> {
    let amount = |object: &Value, path: &[&str]| at(object, path).and_then(Quantity::read).unwrap_or_default();
    let wanted = amount(claim, &["spec", "resources", "requests", "storage"]);
    let selector = at(claim, &["spec", "selector"]).and_then(|selector| Selector::deserialize(selector).ok());
    let key = Key::of(claim);
    let mut best: Option<(Quantity, Value)> = None;
    for stored in store.list(VOLUMES, "").filter(|stored| !stored.deleting) {
        let volume = stored.value();
        let owner = at(&volume, &["spec", "claimRef"]);
        let free = owner.is_none_or(|owner| {
            text(owner, &["uid"]).is_empty() && Key::new(text(owner, &["namespace"]), text(owner, &["name"])) == key
        });
        let modes = list(&volume, &["spec", "accessModes"]);
        let size = amount(&volume, &["spec", "capacity", "storage"]);
        let fits = free
            && text(&volume, &["spec", "storageClassName"]) == class
            && list(claim, &["spec", "accessModes"]).iter().all(|mode| modes.contains(mode))
            && selector.as_ref().is_none_or(|selector| selector.matches(&stored.labels))
            && size >= wanted;
        if fits && best.as_ref().is_none_or(|(smallest, _)| size < *smallest) {
            best = Some((size, volume));
        }
    }
    best.map(|(_, volume)| volume)
}

fn volume(world: &World<'_>, stored: &Stored, decision: &mut Decision) {
    let mut object = stored.value();
    let reference = at(&object, &["spec", "claimRef"]).cloned();
    let uid = reference.as_ref().map(|claim| text(claim, &["uid"])).unwrap_or("");
    let claim = world.store.by_uid(uid).filter(|_| !uid.is_empty());
    if stored.deleting {
        if claim.is_none() {
            release(stored, &object, "kubernetes.io/pv-protection", decision);
        }
        return;
    }
    let phase = match (uid, claim) {
        ("", _) => "Available",
        (_, Some(_)) => "Bound",
        (_, None) => "Released",
    };
    if phase == "Released" && text(&object, &["spec", "persistentVolumeReclaimPolicy"]) == "Delete" {
        decision.actions.push(delete(stored, ""));
    } else if text(&object, &["status", "phase"]) != phase {
        set(&mut object, &["status", "phase"], phase);
        decision.actions.push(Action::UpdateStatus { resource: resource(VOLUMES), object });
    }
}
