//! Rolling updates of daemon sets: replace node by node, or put the new pod beside the old one first.

use super::placement::{Fit, NodeFit};
use super::{Look, Pod};

/// The pods of one node that stay, by revision. There are none of these on a node that has two of one sort.
struct OnNode<'a> {
    new: Option<Pod<'a>>,
    old: Option<Pod<'a>>,
}

impl<'a> Look<'a> {
    /// One step of a rolling update.
    pub(super) fn update(&mut self) {
        let desired = self.nodes.iter().filter(|node| node.fit == Fit::Runs).count();
        let (surge, unavailable) = self.spec.bounds(i64::try_from(desired).unwrap_or(i64::MAX));
        if surge == 0 {
            self.replace(unavailable);
        } else {
            self.put_beside(surge);
        }
    }

    fn on_node(&self, pods: &[Pod<'a>]) -> Option<OnNode<'a>> {
        let mut found = OnNode { new: None, old: None };
        for pod in pods.iter().filter(|pod| !pod.stored.deleting) {
            let place = if self.is_updated(pod) { &mut found.new } else { &mut found.old };
            if place.replace(pod.clone()).is_some() {
                return None;
            }
        }
        Some(found)
    }

    /// Deletes old pods: those that serve nobody, and as many others as may be unavailable.
    fn replace(&mut self, max_unavailable: i64) {
        let mut unavailable = 0;
        let (mut useless, mut candidates) = (Vec::new(), Vec::new());
        for pods in self.pods.values() {
            match self.on_node(pods) {
                Some(OnNode { new: Some(new), old: None }) => unavailable += i64::from(!self.available(&new)),
                Some(OnNode { new: None, old: Some(old) }) if self.available(&old) => candidates.push(old),
                Some(OnNode { new: None, old: Some(old) }) => useless.push(old),
                _ => unavailable += 1,
            }
        }
        let spare = usize::try_from(max_unavailable - unavailable).unwrap_or(0);
        let gone: Vec<_> = useless.into_iter().chain(candidates.into_iter().take(spare)).collect();
        gone.iter().for_each(|pod| self.unmake(pod));
    }

    /// Makes new pods beside old ones, and deletes old ones whose successor is available.
    fn put_beside(&mut self, max_surge: i64) {
        let mut surging = 0;
        let (mut gone, mut urgent, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
        for NodeFit { name, fit } in self.nodes.iter().copied() {
            let Some(pods) = self.pods.get(name) else { continue };
            match self.on_node(pods) {
                Some(OnNode { old: None, .. }) => {}
                Some(OnNode { new: None, old: Some(_) }) if fit != Fit::Runs => {}
                Some(OnNode { new: None, old: Some(old) }) if self.available(&old) => candidates.push(name),
                Some(OnNode { new: None, old: Some(_) }) => urgent.push(name),
                Some(OnNode { new: Some(new), old: Some(old) }) if self.available(&new) => gone.push(old),
                _ => surging += 1,
            }
        }
        let spare = usize::try_from(max_surge - surging).unwrap_or(0);
        gone.iter().for_each(|pod| self.unmake(pod));
        urgent.extend(candidates.into_iter().take(spare));
        self.make_on(&urgent);
    }
}
