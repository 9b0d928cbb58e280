//! Drift: what a watch sees, and how it is repaired without looking at everything.

use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::Value;
use tokio::time::Instant;

use crate::gitops::apply::{Applier, served};
use crate::gitops::explain::{State, drift, one};
use crate::gitops::health::{Health, health};
use crate::gitops::object::{Manifest, ObjectKey};
use crate::gitops::plan::{Action, Live, Plan, change, decide, plan};
use crate::gitops::record::{Ending, SyncRecord};
use crate::gitops::schedule::{Moment, Outcome, Trigger};
use crate::gitops::settings::Drift;
use crate::gitops::status::Activity;

use super::Engine;

/// What a watch saw.
#[derive(Debug)]
pub enum Seen {
    /// An object as it is now.
    Object(Value),
    /// An object is not there any more, or has lost its mark.
    Gone(ObjectKey),
}

/// How a repair went.
#[derive(Debug)]
pub struct Repaired {
    /// What was done, when something was.
    pub record: Option<Arc<SyncRecord>>,
    /// How it ended.
    pub outcome: Outcome,
    /// When the next repair is allowed, when somebody writes the same fields again and again.
    pub again: Option<Moment>,
}

impl Engine {
    /// Takes note of what a watch saw. True when something is to be repaired.
    pub fn saw(&mut self, seen: Seen) -> bool {
        let Some(desired) = &self.desired else { return false };
        let (key, found) = match seen {
            Seen::Object(object) => (ObjectKey::of(&object), Some(object)),
            Seen::Gone(key) => (key, None),
        };
        let Some(manifest) = desired.index.get(&key).cloned() else { return false };
        let tolerated = self.tolerated.get(&key).map_or(&[] as &[_], Vec::as_slice);
        let action = decide(&manifest, found.as_ref(), tolerated);
        let step = change(&manifest, action);
        let known = self.objects.get(&key).map(|state| &**state);
        if !step.is_work() {
            // Nothing is wrong with it, but it may be doing better or worse.
            let health = Some(found.as_ref().map_or(Health::NotFound, health));
            let drifted = known.is_some_and(|state| state.state == State::OutOfSync);
            if drifted || known.is_some_and(|state| state.health != health) {
                let state = one(known, &step, found.as_ref(), self.now());
                self.objects.insert(key, Arc::new(state));
                self.stale = true;
            }
            return false;
        }
        let mut state = one(known, &step, found.as_ref(), self.now());
        state.state = State::OutOfSync;
        if let Action::Update { fields, .. } = &step.action {
            drift(&mut state, fields, found.as_ref());
        }
        if self.settings.drift == Drift::Interval {
            state.hint = Some("it is repaired by the next sync".to_owned());
        }
        self.objects.insert(key.clone(), Arc::new(state));
        self.stale = true;
        if self.settings.drift == Drift::Interval {
            return false;
        }
        self.dirty.insert(key);
        true
    }

    /// A watch has listed all objects of a kind: those of Git that are not among them are gone.
    pub fn listed(&mut self, api_version: &str, kind: &str, there: &std::collections::HashSet<ObjectKey>) -> bool {
        let is_missing = |manifest: &&Arc<Manifest>| {
            manifest.api_version == api_version && *manifest.key.kind.kind == *kind && !there.contains(&manifest.key)
        };
        let gone: Vec<ObjectKey> = self.manifests().iter().filter(is_missing).map(|m| m.key.clone()).collect();
        let mut dirty = false;
        for key in gone {
            dirty |= self.saw(Seen::Gone(key));
        }
        dirty
    }

    /// Repairs what drifted, and tries again what failed.
    pub async fn repair(&mut self) -> Repaired {
        self.act(Activity::Repairing);
        let repaired = self.repair_now().await;
        self.publish();
        self.act(Activity::Idle);
        repaired
    }

    async fn repair_now(&mut self) -> Repaired {
        let nothing = Repaired { record: None, outcome: Outcome::Good, again: None };
        let begun = Instant::now();
        let deadline = begun + self.settings.sync_limit;
        let (Some(desired), Some(kinds)) = (self.desired.clone(), self.kinds.clone()) else { return nothing };
        let moment = self.moment();
        let mut keys = std::mem::take(&mut self.dirty);
        // A namespace or a definition that comes back makes others possible.
        let opens = |key: &ObjectKey| matches!(&*key.kind.kind, "Namespace" | "CustomResourceDefinition");
        let retry = keys.iter().any(opens);
        let unfinished = |state: &State| *state == State::Waiting || (retry && *state == State::Failed);
        keys.extend(self.objects.iter().filter(|(_, state)| unfinished(&state.state)).map(|(key, _)| key.clone()));
        let mut again: Option<Moment> = None;
        let mut steps = Vec::new();
        let mut live = Live::new();
        for key in keys {
            let Some(manifest) = desired.index.get(&key) else { continue };
            if let Some(wait) = self.fights.wait(&key, moment) {
                let then = moment + wait;
                again = Some(again.map_or(then, |other| other.min(then)));
                self.tell_of_fight(&key);
                self.dirty.insert(key);
                continue;
            }
            let Ok(kind) = served(manifest, &kinds) else { continue };
            let applier = Applier { objects: &self.api, deadline, dry_run: false };
            match applier.patiently(|| self.api.get(kind, &key.at).boxed()).await {
                Ok(found) => {
                    if let Some(found) = found {
                        live.insert(key.clone(), Arc::new(found));
                    }
                    steps.push(manifest.clone());
                }
                Err(error) => {
                    tracing::warn!(%error, object = %key, "cannot look at what drifted");
                    self.dirty.insert(key);
                    return Repaired { outcome: Outcome::Failed, again, ..nothing };
                }
            }
        }
        let wanted = crate::gitops::files::Loaded { manifests: steps, ..Default::default() };
        let mut steps = plan(&wanted, &live, &self.tolerated, &self.rules);
        steps.changes.retain(|change| change.manifest.is_some());
        self.carry_out_repair(steps, &live, begun, again).await
    }

    async fn carry_out_repair(&mut self, steps: Plan, live: &Live, begun: Instant, again: Option<Moment>) -> Repaired {
        let kinds = self.kinds.clone().unwrap_or_default();
        let now = self.now();
        for change in &steps.changes {
            let found = live.get(&change.key).map(|object| &**object);
            let known = self.objects.get(&change.key).map(|state| &**state);
            let state = one(known, change, found, now);
            self.objects.insert(change.key.clone(), Arc::new(state));
        }
        if steps.is_empty() {
            return Repaired { record: None, outcome: Outcome::Good, again };
        }
        let deadline = begun + self.settings.sync_limit;
        let mut record = self.records.begin(Trigger::Drift, now);
        record.revision.clone_from(&self.synced);
        record.previous.clone_from(&self.synced);
        let report = self.carry_out(&steps, live, &kinds, deadline).await;
        let moment = self.moment();
        for fared in report.fared.iter().filter(|fared| fared.result.is_ok()) {
            self.fights.repaired(&fared.change.key, moment);
        }
        self.note(&mut record, &steps, &report);
        record.durations.apply_ms = begun.elapsed().as_secs_f64() * 1000.0;
        record.durations.all_ms = record.durations.apply_ms;
        record.ended = Some(self.now());
        let outcome = if report.broken_off.is_some() {
            let tried: std::collections::HashSet<_> = report.fared.iter().map(|fared| &fared.change.key).collect();
            let left = steps.changes.iter().filter(|change| change.is_work() && !tried.contains(&change.key));
            self.dirty.extend(left.map(|change| change.key.clone()));
            Outcome::Failed
        } else if record.errors.is_empty() {
            Outcome::Good
        } else {
            Outcome::Partly
        };
        record.ending = match outcome {
            Outcome::Good => Ending::Good,
            Outcome::Partly => Ending::Partly,
            Outcome::Failed => Ending::Failed,
        };
        record.error = report.broken_off;
        let record = self.records.end(record);
        let history = self.records.history();
        self.status.send_modify(|status| status.history = history);
        Repaired { record: Some(record), outcome, again }
    }

    /// Says that somebody writes an object again and again.
    fn tell_of_fight(&mut self, key: &ObjectKey) {
        let Some(known) = self.objects.get(key) else { return };
        let mut state = (**known).clone();
        state.state = State::OutOfSync;
        let writer = state.writer.clone().unwrap_or_else(|| "somebody".to_owned());
        let field = state.fields.first().map_or("it", |field| &field.path);
        state.reason = Some(format!("{writer} changes {field} back again and again, so it is repaired more rarely"));
        state.hint = Some("leave the field out of Git, or stop the other writer".to_owned());
        self.objects.insert(key.clone(), Arc::new(state));
    }
}
