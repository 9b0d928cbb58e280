//! What kubelets do: pods that are bound to a node run there, get ready, fail, are started anew, and end.

mod address;
mod answer;
mod exec;
#[cfg(test)]
mod inside_tests;
mod life;
mod logs;
mod probe;
mod process;
mod status;
mod step;
#[cfg(test)]
mod tests;
mod timings;

use core::net::Ipv4Addr;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, set};
use crate::cluster::sim::autoscaler::Usage;
use crate::cluster::sim::image::Images;
use crate::cluster::sim::node::{address_of, node_of, pods_on, works};
use crate::cluster::sim::tools::{chance, delete_now, earlier, event, later, reference_to, resource, since, until};
use crate::cluster::sim::view::{ContainerStatus, Pod, view};
use crate::cluster::sim::{Action, Decision, World};

pub use answer::{answer, reach};
pub use exec::{Chunk, ExecResult, Shell, exec};
pub use logs::{LogOptions, LogText, logs};
pub use process::{Surroundings, is_shell};
pub use timings::Timings;

use address::Addresses;
use life::{Doom, Life};
use status::Status;
use step::Step;

/// Who tells of pods' lives.
const SOURCE: &str = "kubelet";
/// How long volumes may lack something before that is told.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked whether it is there now.
const RETRY: Duration = Duration::from_millis(300);

/// What the kubelets remember: what happens within seconds is in no status. When it is lost, or belongs to other
/// objects than those in the store, it is made anew from what pods' statuses tell.
#[derive(Debug, Default)]
pub struct Memory {
    lives: HashMap<Key, Life>,
    addresses: Addresses,
    pulled: HashMap<String, HashSet<String>>,
    nodes: HashMap<Box<str>, KnownNode>,
}

/// A node as it was at a version.
#[derive(Debug, Clone)]
struct KnownNode {
    revision: u64,
    works: bool,
    address: String,
    range: String,
}

impl Memory {
    /// Forgets a pod and takes its address back.
    fn forget(&mut self, key: &Key) {
        if let Some(life) = self.lives.remove(key) {
            self.drop_address(&life, key);
        }
    }

    fn drop_address(&mut self, life: &Life, key: &Key) {
        if let Some(address) = life.address {
            self.addresses.give_back(address, key);
        }
    }

    fn address(&mut self, store: Option<&Store>, pod: &Pod, key: &Key) -> Option<Ipv4Addr> {
        let range = self.nodes.get(pod.spec.node_name.as_str()).map_or("", |node| node.range.as_str()).to_owned();
        self.addresses.take(store?, &range, key)
    }

    fn has_image(&self, node: &str, image: &str) -> bool {
        self.pulled.get(node).is_some_and(|images| images.contains(image))
    }

    fn keep_image(&mut self, node: &str, image: &str) {
        self.pulled.entry(node.to_owned()).or_default().insert(image.to_owned());
    }

    fn node(&mut self, store: &Store, name: &str) -> Option<KnownNode> {
        let stored = store.get("nodes", &Key::new("", name))?;
        if let Some(known) = self.nodes.get(name).filter(|known| known.revision == stored.revision) {
            return Some(known.clone());
        }
        let node = works(stored);
        let known = KnownNode {
            revision: stored.revision,
            works: node.is_some(),
            address: node.as_ref().map(address_of).unwrap_or_default(),
            range: node.map(|node| node.spec.pod_cidr).unwrap_or_default(),
        };
        self.nodes.insert(name.into(), known.clone());
        Some(known)
    }
}

/// Lets a pod's life go on up to now.
pub fn reconcile(world: &World<'_>, key: &Key, memory: &mut Memory, images: &Images, timings: &Timings) -> Decision {
    let Some(stored) = world.store.get("pods", key) else {
        memory.forget(key);
        return Decision::default();
    };
    let Some(pod) = view::<Pod>(stored).filter(|pod| !pod.spec.node_name.is_empty()) else {
        return Decision::default();
    };
    let Some(node) = memory.node(world.store, &pod.spec.node_name).filter(|node| node.works) else {
        return Decision::default();
    };
    if pod.is_over() {
        memory.forget(key);
        return if stored.deleting { finished(stored, &pod) } else { Decision::default() };
    }
    let mut life = life_of(world, key, stored, &pod, memory, timings);
    let around = Surroundings { images, store: Some(world.store), now: world.now };
    let about = reference_to("v1", "Pod", stored);
    let mut step = Step { pod: &pod, key, about, around, timings, memory, actions: Vec::new(), doomed: false };
    mount(&mut step, &mut life);
    step.play(&mut life);
    if stored.deleting && life.doom != Some(Doom::Deleted) {
        step.doom(&mut life, Doom::Deleted);
        step.play(&mut life);
    }
    let deadline = deadline(&pod, &life);
    if life.doom.is_none() && deadline.is_some_and(|deadline| deadline <= world.now) {
        let message = "Pod was active on the node longer than the specified deadline".to_owned();
        let told = event(&step.about, SOURCE, "Normal", "DeadlineExceeded", message);
        step.actions.push(told);
        step.doom(&mut life, Doom::TooLong);
        step.play(&mut life);
    }
    let actions = step.actions;
    let decision = written(world, stored, &pod, &node, &life, actions, deadline);
    memory.lives.insert(key.clone(), life);
    decision
}

/// A pod of which only the status is read: it is compared far more often than changed.
#[derive(Default, Deserialize)]
struct OnlyStatus {
    status: Value,
}

/// Writes the status if it is another one now, and deletes a pod whose containers have all stopped.
fn written(
    world: &World<'_>,
    stored: &Stored,
    pod: &Pod,
    node: &KnownNode,
    life: &Life,
    actions: Vec<Action>,
    deadline: Option<Timestamp>,
) -> Decision {
    let mut decision = Decision { actions, again: None };
    let before = view::<OnlyStatus>(stored).unwrap_or_default().status;
    let status = Status { pod, life, host: &node.address, now: world.now }.value(&before);
    if before != status {
        let mut object = stored.value();
        set(&mut object, &["status"], status);
        decision.actions.push(Action::UpdateStatus { resource: resource("pods"), object });
    }
    if stored.deleting && !life.anything_runs() {
        decision.actions.extend(finished(stored, pod).actions);
        return decision;
    }
    let next = life.due().map(|(time, _)| time);
    let next = if life.doom.is_none() { earlier(next, deadline) } else { next };
    let next = if life.blocked.is_some() { earlier(next, Some(later(world.now, RETRY))) } else { next };
    decision.again = next.map(|next| until(world.now, next));
    decision
}

/// The last thing that happens to a deleted pod.
fn finished(stored: &Stored, pod: &Pod) -> Decision {
    // A finalizer may hold it longer; asking again would not help.
    if stored.finalized && pod.metadata.deletion_grace_period_seconds == Some(0) {
        return Decision::default();
    }
    Decision::one(delete_now(stored))
}

fn life_of(world: &World<'_>, key: &Key, stored: &Stored, pod: &Pod, memory: &mut Memory, timings: &Timings) -> Life {
    if let Some(life) = memory.lives.remove(key) {
        if life.uid == *stored.uid {
            return life;
        }
        memory.drop_address(&life, key);
    }
    if pod.status.start_time.0.is_none() {
        return Life::new(pod, world.now, timings);
    }
    let life = Life::recalled(pod, world.now, timings);
    if let Some(address) = life.address {
        memory.addresses.keep(address, key);
    }
    life
}

/// Looks whether all is there that the pod's volumes need, as long as nothing has started.
fn mount(step: &mut Step<'_>, life: &mut Life) {
    let now = step.around.now;
    if life.is_networked() || life.doom.is_some() {
        life.blocked = None;
        return;
    }
    let missing = step.around.store.and_then(|store| process::missing_volume(store, step.pod));
    let Some((volume, why)) = missing else {
        if life.blocked.take().is_some() {
            life.clock = life.clock.max(now);
        }
        return;
    };
    let began = *life.blocked.get_or_insert(now);
    if since(now, began) >= PATIENCE && !life.blocked_told {
        life.blocked_told = true;
        let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
        let told = event(&step.about, SOURCE, "Warning", "FailedMount", message);
        step.actions.push(told);
    }
}

/// When a pod has been active for long enough.
fn deadline(pod: &Pod, life: &Life) -> Option<Timestamp> {
    let seconds = u64::try_from(pod.spec.active_deadline_seconds?).ok()?;
    Some(later(life.born, Duration::from_secs(seconds)))
}

/// All pods that have a node: to be looked at when images have changed.
pub fn everyone(store: &Store) -> Vec<Key> {
    store.list("pods", "").filter(|pod| !node_of(pod).is_empty()).map(|pod| pod.key.clone()).collect()
}

/// What a pod uses, as its images say, a little more or less each minute; `None` unless all of it runs.
pub fn usage(pod: &Stored, images: &Images, now: Timestamp) -> Option<Usage> {
    let pod = view::<Pod>(pod)?;
    let running = |status: &ContainerStatus| status.state.running.is_some();
    if pod.status.container_statuses.is_empty() || !pod.status.container_statuses.iter().all(running) {
        return None;
    }
    let minute = (now.as_second() / 60).to_le_bytes();
    let factor = 0.9 + 0.2 * chance(3, &[pod.metadata.uid.as_bytes(), &minute]);
    let behaviours = || pod.spec.containers.iter().map(|container| images.behaviour(&container.image));
    let cpu: u64 = behaviours().map(|behaviour| u64::from(behaviour.cpu)).sum();
    let memory: u64 = behaviours().map(|behaviour| behaviour.memory).sum();
    Some(Usage { cpu: (cpu as f64 * factor) as u64, memory: (memory as f64 * factor) as u64 })
}

/// The pods to look at after a change. When images change, [`everyone`] is.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    match (&*object.resource, change.kind) {
        ("pods", _) => vec![object.key.clone()],
        ("configmaps" | "secrets", ChangeKind::Added | ChangeKind::Modified) => {
            let pods = store.list("pods", &object.key.namespace);
            pods.filter(|pod| process::may_wait_for(pod, &object.key.name)).map(|pod| pod.key.clone()).collect()
        }
        ("nodes", ChangeKind::Added | ChangeKind::Modified) => {
            let worked = change.previous.as_ref().is_some_and(|before| works(before).is_some());
            if worked || works(object).is_none() {
                return Vec::new();
            }
            pods_on(store, &object.key.name).map(|(pod, _)| pod.key.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// The pod that a value is.
fn pod_of(value: &Value) -> Pod {
    process::pod_of(value)
}
