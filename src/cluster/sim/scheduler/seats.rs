//! Who sits where: nodes, and what the pods on them have asked for. Follows the store's changes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::cluster::api::store::{ChangeKind, Store, Stored};
use crate::cluster::object::Key;
use crate::cluster::quantity::Quantity;
use crate::cluster::sim::view::{Container, Node, Pod, PodAffinityTerm, view};

/// Amounts by the name of the resource, in thousandths.
pub(super) type Amounts = BTreeMap<String, i128>;

/// A node and what is taken of it.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) stored: Option<Arc<Stored>>,
    pub(super) node: Node,
    pub(super) allocatable: Amounts,
    pub(super) taken: Amounts,
    pub(super) pods: HashSet<Key>,
    pub(super) ports: HashMap<(String, u16), u32>,
    owners: HashMap<Box<str>, i128>,
}

/// A pod that has a node.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) node: Box<str>,
    pub(super) labels: Box<[(Box<str>, Box<str>)]>,
    /// Pods that it does not want beside it.
    pub(super) rejects: Vec<PodAffinityTerm>,
    uid: Box<str>,
    asked: Amounts,
    ports: Vec<(String, u16)>,
    owner: Option<Box<str>>,
}

/// All nodes and all pods that have one.
#[derive(Debug, Default)]
pub(super) struct Seats {
    revision: u64,
    begun: bool,
    places: BTreeMap<Box<str>, Place>,
    seats: HashMap<Key, Seat>,
}

/// What a pod asks for in all.
pub(super) fn asked(pod: &Pod) -> Amounts {
    let add = |sum: &mut Amounts, container: &Container| {
        for (name, amount) in &container.resources.requests {
            *sum.entry(name.clone()).or_default() += thousandths(amount);
        }
    };
    let mut sum = Amounts::new();
    pod.spec.containers.iter().for_each(|container| add(&mut sum, container));
    let mut most = Amounts::new();
    for container in &pod.spec.init_containers {
        if container.restart_policy == "Always" {
            add(&mut sum, container);
            continue;
        }
        let mut one = Amounts::new();
        add(&mut one, container);
        for (name, amount) in one {
            let place = most.entry(name).or_default();
            *place = (*place).max(amount);
        }
    }
    for (name, amount) in most {
        let place = sum.entry(name).or_default();
        *place = (*place).max(amount);
    }
    for (name, amount) in &pod.spec.overhead {
        *sum.entry(name.clone()).or_default() += thousandths(amount);
    }
    sum.retain(|_, amount| *amount > 0);
    sum
}

/// The ports of the host that a pod takes.
pub(super) fn host_ports(pod: &Pod) -> Vec<(String, u16)> {
    let ports = pod.spec.containers.iter().flat_map(|container| &container.ports);
    ports
        .filter_map(|port| {
            let number = if pod.spec.host_network { port.container_port } else { port.host_port };
            (number > 0).then(|| (port.protocol.clone(), number))
        })
        .collect()
}

/// What does not count as a quantity counts as nothing.
fn thousandths(amount: &str) -> i128 {
    amount.parse::<Quantity>().map_or(0, Quantity::in_thousandths)
}

impl Seats {
    /// Catches up with the store.
    pub(super) fn refresh(&mut self, store: &Store) {
        let changes = if self.begun { store.since(self.revision) } else { None };
        match changes {
            Some(changes) => {
                for change in changes {
                    match (&*change.object.resource, change.kind) {
                        ("pods", ChangeKind::Deleted) => self.leave(&change.object.key),
                        ("pods", _) => self.sit(&change.object),
                        ("nodes", ChangeKind::Deleted) => drop(self.places.remove(&change.object.key.name)),
                        ("nodes", _) => self.place(&change.object),
                        _ => {}
                    }
                }
            }
            None => {
                (self.places, self.seats) = Default::default();
                store.list("nodes", "").for_each(|node| self.place(node));
                store.list("pods", "").for_each(|pod| self.sit(pod));
            }
        }
        self.begun = true;
        self.revision = store.revision();
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.places.iter().map(|(name, place)| (&**name, place)).filter(|(_, place)| place.stored.is_some())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Key, &Seat)> {
        self.seats.iter()
    }

    /// The value of a label of the node that a pod is on.
    pub(super) fn topology<'a>(&'a self, seat: &Seat, key: &str) -> Option<&'a str> {
        self.places.get(&seat.node)?.stored.as_ref()?.label(key)
    }

    fn place(&mut self, stored: &Arc<Stored>) {
        let node: Node = view(stored).unwrap_or_default();
        let place = self.places.entry(stored.key.name.clone()).or_default();
        let amount = |(name, amount): (&String, &String)| {
            Some((name.clone(), amount.parse::<Quantity>().ok()?.in_thousandths()))
        };
        place.allocatable = node.status.allocatable.iter().filter_map(amount).collect();
        place.node = node;
        place.stored = Some(stored.clone());
    }

    fn sit(&mut self, stored: &Arc<Stored>) {
        let Some(pod) = view::<Pod>(stored) else { return };
        if pod.spec.node_name.is_empty() || pod.is_over() {
            // A seat that was only taken in mind stays until the binding has been refused or done.
            if pod.is_over() {
                self.leave(&stored.key);
            }
            return;
        }
        if self.seats.get(&stored.key).is_some_and(|seat| *seat.uid == *stored.uid && *seat.node == *pod.spec.node_name)
        {
            return;
        }
        self.take(stored, &pod, &pod.spec.node_name);
    }

    /// Gives a pod a seat.
    pub(super) fn take(&mut self, stored: &Stored, pod: &Pod, node: &str) {
        self.leave(&stored.key);
        let affinity = &pod.spec.affinity.pod_anti_affinity;
        let seat = Seat {
            node: node.into(),
            labels: stored.labels.clone(),
            rejects: affinity.required_during_scheduling_ignored_during_execution.clone(),
            uid: stored.uid.clone(),
            asked: asked(pod),
            ports: host_ports(pod),
            owner: stored.controller().map(|owner| owner.uid.clone()),
        };
        let place = self.places.entry(node.into()).or_default();
        seat.asked.iter().for_each(|(name, amount)| *place.taken.entry(name.clone()).or_default() += amount);
        seat.ports.iter().for_each(|port| *place.ports.entry(port.clone()).or_default() += 1);
        if let Some(owner) = &seat.owner {
            *place.owners.entry(owner.clone()).or_default() += 1;
        }
        place.pods.insert(stored.key.clone());
        self.seats.insert(stored.key.clone(), seat);
    }

    fn leave(&mut self, key: &Key) {
        let Some(seat) = self.seats.remove(key) else { return };
        let Some(place) = self.places.get_mut(&seat.node) else { return };
        place.pods.remove(key);
        for (name, amount) in seat.asked {
            *place.taken.entry(name).or_default() -= amount;
        }
        for port in seat.ports {
            if let Some(count) = place.ports.get_mut(&port) {
                *count = count.saturating_sub(1);
            }
        }
        if let Some(owner) = seat.owner
            && let Some(count) = place.owners.get_mut(&owner)
        {
            *count -= 1;
            if *count <= 0 {
                place.owners.remove(&owner);
            }
        }
    }

    /// How gladly a pod would be on a node, the least being best: few of its own kind, few pods, much room.
    pub(super) fn score(&self, place: &Place, pod: &Stored) -> Vec<i128> {
        let kin = pod.controller().and_then(|owner| place.owners.get(&owner.uid)).copied().unwrap_or(0);
        let disliked = place.node.spec.taints.iter().filter(|taint| taint.effect == "PreferNoSchedule").count();
        let cpu = place.taken.get("cpu").copied().unwrap_or(0);
        vec![kin, disliked as i128, place.pods.len() as i128, cpu]
    }
}
