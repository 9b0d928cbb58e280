//! Rolling updates: new pods come as the surge allows, old ones go as availability allows.

use super::{Newest, Rollout, Set};

impl Rollout<'_> {
    /// One step of a rolling update.
    pub(super) fn roll(&mut self) {
        if matches!(self.newest, Newest::Missing) && !self.make_newest() {
            return;
        }
        let scaled = self.grow_newest() || self.shrink_old();
        if !scaled && self.is_complete() {
            self.clean_up();
        }
        self.write_status();
    }

    /// How many pods the current set may have by now.
    pub(super) fn room_for_newest(&self) -> i64 {
        let replicas = self.newest.replicas();
        if self.spec.recreate {
            return self.spec.replicas;
        }
        let room = (self.spec.max_total() - self.total()).max(0);
        replicas + room.min(self.spec.replicas - replicas)
    }

    fn grow_newest(&mut self) -> bool {
        let Newest::There(newest) = &self.newest else { return false };
        let newest = newest.clone();
        let replicas = if newest.replicas() > self.spec.replicas { self.spec.replicas } else { self.room_for_newest() };
        self.resize(&newest, replicas, false)
    }

    fn shrink_old(&mut self) -> bool {
        let old = self.active_old();
        let available_new = self.newest.set().map_or(0, Set::available);
        let unavailable_new = self.newest.replicas() - available_new;
        let may_go = self.total() - self.spec.min_available() - unavailable_new;
        if old.is_empty() || may_go <= 0 {
            return false;
        }
        // First what serves nobody anyway, then what can be spared.
        let mut sizes: Vec<i64> = old.iter().map(Set::replicas).collect();
        let mut left = may_go;
        for (set, size) in old.iter().zip(&mut sizes) {
            let goes = left.min(*size - set.available()).max(0);
            *size -= goes;
            left -= goes;
        }
        let available: i64 = available_new + old.iter().map(Set::available).sum::<i64>();
        let mut spare = (available - self.spec.min_available()).min(left);
        for size in &mut sizes {
            let goes = spare.min(*size).max(0);
            *size -= goes;
            spare -= goes;
        }
        let mut scaled = false;
        for (set, size) in old.iter().zip(sizes) {
            scaled |= self.resize(set, size, false);
        }
        scaled
    }
}
