//! Whether a pod fits on a node, and if not, why.

use crate::cluster::api::store::Stored;
use crate::cluster::object::Key;
use crate::cluster::sim::matching::matches_all;
use crate::cluster::sim::view::{NodeSelectorTerm, Pod, PodAffinityTerm, SpreadConstraint};

use super::seats::{Amounts, Place, Seat, Seats, asked, host_ports};

/// A pod that asks for a node.
pub(super) struct Asked<'a> {
    stored: &'a Stored,
    pod: &'a Pod,
    amounts: Amounts,
    ports: Vec<(String, u16)>,
    /// Claims that are filled when the node is known.
    pub(super) waiting: Vec<Key>,
}

/// Whether it gets this one.
pub(super) enum Verdict {
    Fits,
    Fails {
        /// In the scheduler's words.
        why: Vec<String>,
        /// Whether it would not fit even if other pods went.
        final_: bool,
    },
}

fn never(why: &str) -> Verdict {
    Verdict::Fails { why: vec![why.to_owned()], final_: true }
}

fn not_now(why: &str) -> Verdict {
    Verdict::Fails { why: vec![why.to_owned()], final_: false }
}

impl<'a> Asked<'a> {
    pub(super) fn new(stored: &'a Stored, pod: &'a Pod, waiting: Vec<Key>) -> Self {
        Self { stored, pod, amounts: asked(pod), ports: host_ports(pod), waiting }
    }

    /// Whether the pod fits on a node; the first thing that is against it counts.
    pub(super) fn fits(&self, place: &Place, seats: &Seats) -> Verdict {
        let Some(node) = &place.stored else { return never("node(s) were not ready") };
        let tolerates = |key: &str| {
            let taint = crate::cluster::sim::view::Taint {
                key: key.to_owned(),
                effect: "NoSchedule".to_owned(),
                ..Default::default()
            };
            self.pod.spec.tolerations.iter().any(|toleration| toleration.covers(&taint))
        };
        if place.node.spec.unschedulable && !tolerates("node.kubernetes.io/unschedulable") {
            return never("node(s) were unschedulable");
        }
        if place.node.spec.taints.iter().any(|taint| {
            matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
                && !self.pod.spec.tolerations.iter().any(|toleration| toleration.covers(taint))
        }) {
            return never("node(s) had untolerated taint(s)");
        }
        if !self.selects(node) {
            return never("node(s) didn't match Pod's node affinity/selector");
        }
        if self.ports.iter().any(|port| place.ports.get(port).is_some_and(|count| *count > 0)) {
            return not_now("node(s) didn't have free ports for the requested pod ports");
        }
        let short = self.short_of(place);
        if !short.is_empty() {
            let final_ = self.amounts.iter().any(|(name, amount)| *amount > allocatable(place, name));
            return Verdict::Fails { why: short, final_ };
        }
        for constraint in &self.pod.spec.topology_spread_constraints {
            if let Some(hindrance) = self.spread_hinders(constraint, node, seats) {
                return hindrance;
            }
        }
        self.neighbours(node, seats)
    }

    fn selects(&self, node: &Stored) -> bool {
        let terms = &self.pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution;
        let terms = terms.as_ref().map(|selector| selector.node_selector_terms.as_slice());
        matches_all(&self.pod.spec.node_selector, &node.labels)
            && terms.is_none_or(|terms| terms.iter().any(|term| holds(term, node)))
    }

    fn short_of(&self, place: &Place) -> Vec<String> {
        let mut short = Vec::new();
        let seats = place.allocatable.get("pods").copied().unwrap_or(0) / 1000;
        if place.pods.len() as i128 + 1 > seats {
            short.push("Too many pods".to_owned());
        }
        for (name, amount) in &self.amounts {
            let taken = place.taken.get(name).copied().unwrap_or(0);
            if taken + amount > allocatable(place, name) {
                short.push(format!("Insufficient {name}"));
            }
        }
        short
    }

    fn spread_hinders(&self, wanted: &SpreadConstraint, node: &Stored, seats: &Seats) -> Option<Verdict> {
        if wanted.when_unsatisfiable == "ScheduleAnyway" {
            return None;
        }
        let Some(here) = node.label(&wanted.topology_key) else {
            return Some(never("node(s) didn't match pod topology spread constraints (missing required label)"));
        };
        let counts =
            |seat: &Seat| wanted.label_selector.as_ref().is_some_and(|selector| selector.matches(&seat.labels));
        let count = |value: &str| {
            let own = |(key, seat): &(&Key, &Seat)| {
                key.namespace == self.stored.key.namespace
                    && seats.topology(seat, &wanted.topology_key) == Some(value)
                    && counts(seat)
            };
            i64::try_from(seats.all().filter(own).count()).unwrap_or(i64::MAX)
        };
        let domains = seats.nodes().filter_map(|(_, place)| {
            let node = place.stored.as_ref()?;
            node.label(&wanted.topology_key).filter(|_| self.selects(node))
        });
        let least = domains.map(count).min().unwrap_or(0);
        let itself = wanted.label_selector.as_ref().is_some_and(|selector| selector.matches(&self.stored.labels));
        (count(here) + i64::from(itself) - least > wanted.max_skew.max(1))
            .then(|| not_now("node(s) didn't match pod topology spread constraints"))
    }

    /// Whether a term of this pod is about another one.
    fn means(&self, term: &PodAffinityTerm, key: &Key, labels: &[(Box<str>, Box<str>)]) -> bool {
        concerns(term, &self.stored.key.namespace, key, labels)
    }

    fn neighbours(&self, node: &Stored, seats: &Seats) -> Verdict {
        let affinity = &self.pod.spec.affinity;
        let together = |seat: &Seat, topology: &str| {
            let here = node.label(topology);
            here.is_some() && seats.topology(seat, topology) == here
        };
        for term in &affinity.pod_affinity.required_during_scheduling_ignored_during_execution {
            let mut meant = seats.all().filter(|(key, seat)| self.means(term, key, &seat.labels)).peekable();
            // The first of a group that wants to be together may be anywhere.
            let first = meant.peek().is_none() && self.means(term, &self.stored.key, &self.stored.labels);
            if !first && !meant.any(|(_, seat)| together(seat, &term.topology_key)) {
                return never("node(s) didn't match pod affinity rules");
            }
        }
        for term in &affinity.pod_anti_affinity.required_during_scheduling_ignored_during_execution {
            let near =
                |(key, seat): (&Key, &Seat)| self.means(term, key, &seat.labels) && together(seat, &term.topology_key);
            if seats.all().any(near) {
                return not_now("node(s) didn't match pod anti-affinity rules");
            }
        }
        let rejected = seats.all().any(|(key, seat)| {
            seat.rejects.iter().any(|term| {
                concerns(term, &key.namespace, &self.stored.key, &self.stored.labels)
                    && together(seat, &term.topology_key)
            })
        });
        if rejected { not_now("node(s) didn't satisfy existing pods anti-affinity rules") } else { Verdict::Fits }
    }
}

fn allocatable(place: &Place, name: &str) -> i128 {
    place.allocatable.get(name).copied().unwrap_or(0)
}

/// Whether a term of a pod in `namespace` is about a pod.
fn concerns(term: &PodAffinityTerm, namespace: &str, key: &Key, labels: &[(Box<str>, Box<str>)]) -> bool {
    let place = match term.namespaces.as_slice() {
        [] => *key.namespace == *namespace,
        listed => listed.iter().any(|one| **one == *key.namespace),
    };
    place && term.label_selector.as_ref().is_some_and(|selector| selector.matches(labels))
}

fn holds(term: &NodeSelectorTerm, node: &Stored) -> bool {
    let some = !(term.match_expressions.is_empty() && term.match_fields.is_empty());
    some && term.match_expressions.iter().all(|wanted| wanted.holds(node.label(wanted.key())))
        && term
            .match_fields
            .iter()
            .all(|wanted| wanted.holds((wanted.key() == "metadata.name").then_some(&*node.key.name)))
}
