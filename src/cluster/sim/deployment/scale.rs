//! Sizing replica sets: one by one, or all in proportion while a rollout is under way.

use serde_json::{Value, json};

use super::{DEPLOYMENT, Newest, Rollout, Set, annotations};
use crate::cluster::sim::actions;
use crate::cluster::sim::scaled::{int32, to_int32};

impl<'a> Rollout<'a> {
    /// Whether a set was sized for another number of replicas than the deployment has now.
    pub(super) fn is_being_scaled(&self) -> bool {
        let active = self.active();
        // Recreate has no proportions to keep: it brings several sets down to one instead.
        let only_one = active.len() == 1 || !self.spec.recreate;
        let mut desired = active.iter().filter_map(|set| set.number(annotations::DESIRED));
        only_one && desired.any(|desired| desired != self.spec.replicas)
    }

    /// Sizes the sets after the deployment was scaled, or while it is paused: no rollout goes on meanwhile.
    pub(super) fn scale(&mut self) {
        let active = self.active();
        if let Some(only) = self.active_or_latest(&active) {
            self.resize(&only, self.spec.replicas, true);
        } else if self.is_saturated() {
            for set in self.active_old() {
                self.resize(&set, 0, true);
            }
        } else if !self.spec.recreate {
            self.scale_in_proportion(active);
        }
        if self.spec.paused {
            self.clean_up();
        }
        self.write_plain_status();
    }

    /// The one set that has pods; when none has, the newest.
    fn active_or_latest(&self, active: &[Set<'a>]) -> Option<Set<'a>> {
        match active {
            [] if let Newest::There(newest) = &self.newest => Some(newest.clone()),
            [] => self.old.last().cloned(),
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    fn is_saturated(&self) -> bool {
        self.newest.set().is_some_and(|newest| {
            newest.replicas() == self.spec.replicas
                && newest.number(annotations::DESIRED) == Some(self.spec.replicas)
                && newest.view.status.available_replicas == self.spec.replicas
        })
    }

    /// Shares what is to be added or taken away among the sets by their sizes, the largest first; it also gets the
    /// rest. Among equals the newer get more, and the older lose more.
    fn scale_in_proportion(&mut self, mut sets: Vec<Set<'a>>) {
        let total: i64 = sets.iter().map(Set::replicas).sum();
        let allowed = if self.spec.replicas > 0 { self.spec.max_total() } else { 0 };
        let to_add = allowed - total;
        sets.sort_by(|one, other| {
            let by_age = if to_add > 0 { other.age().cmp(&one.age()) } else { one.age().cmp(&other.age()) };
            other.replicas().cmp(&one.replicas()).then(by_age)
        });
        let mut added = 0;
        let mut sizes = Vec::new();
        for set in &sets {
            let left = to_add - added;
            let share = self.fair_share(set);
            let share = if to_add > 0 { share.min(left) } else { share.max(left) };
            let share = if left == 0 { 0 } else { share };
            added += share;
            sizes.push(set.replicas() + share);
        }
        if let Some(first) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (set, size) in sets.iter().zip(sizes) {
            self.resize(set, size, true);
        }
    }

    /// By how much a set would grow if it kept its share of the deployment.
    fn fair_share(&self, set: &Set<'_>) -> i64 {
        if self.spec.replicas == 0 {
            return -set.replicas();
        }
        let before = set.number(annotations::MAX).filter(|max| *max > 0);
        let before = before.or_else(|| int32(&self.object, &["status", "replicas"]));
        let Some(before) = before.filter(|before| *before > 0) else { return 0 };
        let product = i128::from(set.replicas()) * i128::from(self.spec.max_total());
        // Halves are rounded up.
        let size = (2 * product + i128::from(before)).div_euclid(2 * i128::from(before));
        to_int32(i64::try_from(size).unwrap_or(i64::MAX)) - set.replicas()
    }

    /// Sets how many pods a set shall have, and tells it how large the deployment is: always, or only with a new size.
    pub(super) fn resize(&mut self, set: &Set<'_>, replicas: i64, always: bool) -> bool {
        let resized = set.replicas() != replicas;
        if !resized && !always {
            return false;
        }
        let mut sizes = annotations::sizes(self.spec.replicas, self.spec.max_total());
        sizes.retain(|name, value| set.annotation(name) != value.as_str());
        let mut patch = json!({});
        if !sizes.is_empty() {
            patch["metadata"] = json!({"annotations": Value::Object(sizes)});
        }
        if resized {
            patch["spec"] = json!({"replicas": replicas});
        }
        if patch != json!({}) {
            self.decision.push(actions::patch(set.stored, patch));
        }
        if resized {
            self.tell_scaling(&set.stored.key.name, set.replicas(), replicas);
        }
        resized
    }

    pub(super) fn tell_scaling(&mut self, name: &str, from: i64, to: i64) {
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {name} from {from} to {to}");
        self.decision.push(DEPLOYMENT.normal(self.stored, "ScalingReplicaSet", message));
    }
}
