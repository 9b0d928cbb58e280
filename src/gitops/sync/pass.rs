//! One sync: load, decide, apply, delete, write down, move the pointer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::Instant;

use crate::gitops::apply::{Applier, Done, Fared, Report};
use crate::gitops::diff::shown;
use crate::gitops::event::sync_text;
use crate::gitops::explain::{done, planned};
use crate::gitops::fight::Fights;
use crate::gitops::files::{Hold, Loaded};
use crate::gitops::finding::Level;
use crate::gitops::git::history::Range;
use crate::gitops::git::signature::short;
use crate::gitops::id::ResourceId;
use crate::gitops::kinds::Kinds;
use crate::gitops::observe::observe;
use crate::gitops::plan::{Action, Keep, Plan, Skip, plan};
use crate::gitops::record::{Changed, Counts, Ending, MOST_ENTRIES, ObjectError, SyncRecord, Verb};
use crate::gitops::schedule::{Outcome, Trigger};
use crate::gitops::status::{Activity, Stage};

use super::{Desired, Engine};

/// The state of objects is shown at most this often while they are applied.
const SHOW_EVERY: Duration = Duration::from_millis(100);

impl Engine {
    /// Makes the cluster as Git wants it.
    pub async fn sync(&mut self, trigger: Trigger) -> (Arc<SyncRecord>, Outcome) {
        let begun = Instant::now();
        if trigger == Trigger::Demand {
            // Whoever asks wants things right now, whoever wrote them before.
            self.fights = Fights::default();
        }
        let mut record = self.records.begin(trigger, self.now());
        record.durations.fetch_ms = std::mem::take(&mut self.fetch_ms);
        let limit = self.settings.sync_limit;
        let deadline = begun + limit;
        let ended = tokio::time::timeout_at(deadline, self.pass(&mut record, trigger, deadline)).await;
        let ended = ended.unwrap_or_else(|_| Err(format!("the sync was broken off after {} s", limit.as_secs())));
        if ended.is_ok() {
            // Leave to delete everything holds once.
            self.rules.allow_empty = self.settings.allow_empty;
        }
        record.ending = match &ended {
            Err(_) => Ending::Failed,
            Ok(()) if record.errors.is_empty() && record.error.is_none() => Ending::Good,
            Ok(()) => Ending::Partly,
        };
        if let Err(error) = ended {
            tracing::warn!(sync.error = %error, "sync failed");
            record.error = Some(error);
        }
        record.durations.all_ms = begun.elapsed().as_secs_f64() * 1000.0;
        record.ended = Some(self.now());
        // What is wrong in a file stays so until the next commit; all else may be better the next time.
        let settled = record.error.is_none() && record.counts.failed == 0 && !self.waits_for_kinds();
        let failed = record.ending == Ending::Failed;
        let outcome = if failed {
            Outcome::Failed
        } else if settled {
            Outcome::Good
        } else {
            Outcome::Partly
        };
        let (counts, revision) = (record.counts, record.revision.as_deref().map(short).unwrap_or_default());
        tracing::info!(
            sync.trigger = ?trigger, sync.revision = %revision, sync.duration_ms = record.durations.all_ms as u64,
            sync.created = counts.created, sync.configured = counts.configured, sync.pruned = counts.pruned,
            sync.failed = counts.failed, event = record.event.as_deref().unwrap_or_default(), "sync ended"
        );
        let record = self.records.end(record);
        self.stale = false;
        let (objects, history, synced) = (Arc::new(self.objects.clone()), self.records.history(), self.synced.clone());
        self.status.send_modify(|status| {
            status.objects = objects;
            status.history = history;
            status.synced = synced;
            status.activity = Activity::Idle;
        });
        self.fights.tidy(self.moment());
        (record, outcome)
    }

    fn waits_for_kinds(&self) -> bool {
        let held = self.desired.as_ref().map_or(&[] as &[_], |desired| &desired.loaded.held);
        held.iter().any(|held| held.why == Hold::UnknownKind)
    }

    async fn pass(&mut self, record: &mut SyncRecord, trigger: Trigger, deadline: Instant) -> Result<(), String> {
        let show = |engine: &Self, stage| engine.act(Activity::Syncing { trigger, stage });
        let mut clock = Lap::new();
        show(self, Stage::Load);
        let revision = self.target.clone().ok_or_else(|| self.not_ready())?;
        record.revision = Some(revision.clone());
        let previous = self.previous(record).await?;
        let loaded = self.load(&revision, trigger, deadline).await?;
        record.durations.load_ms = clock.lap();
        if let Some(why) = &loaded.refused {
            return Err(why.clone());
        }
        show(self, Stage::Plan);
        let kinds = self.kinds.clone().unwrap_or_default();
        let applier = Applier { objects: &self.api, deadline, dry_run: false };
        let look = || observe(&self.api, &kinds, &loaded.manifests, &self.settings.allowed_namespaces).boxed();
        let seen = applier.patiently(look).await.map_err(|error| error.to_string())?;
        let plan = plan(&loaded, &seen.live, &self.tolerated, &self.rules);
        self.take_plan(&loaded, &plan, &seen.live);
        self.status.send_modify(|status| {
            status.blind = Arc::new(seen.blind);
            let kept = |change: &&crate::gitops::plan::Change| change.action == Action::Keep(Keep::EmptyRepository);
            status.would_prune = plan.changes.iter().filter(kept).count();
        });
        record.durations.plan_ms = clock.lap();
        show(self, Stage::Apply);
        let (prunes, applies): (Vec<_>, Vec<_>) =
            plan.changes.iter().cloned().partition(|change| change.action == Action::Prune);
        let report = self.carry_out(&Plan { changes: applies }, &seen.live, &kinds, deadline).await;
        record.durations.apply_ms = clock.lap();
        self.note(record, &plan, &report);
        note_files(record, &loaded);
        if let Some(why) = &report.broken_off {
            return Err(why.clone());
        }
        show(self, Stage::Prune);
        let kinds = self.kinds.clone().unwrap_or_default();
        let report = self.carry_out(&Plan { changes: prunes }, &seen.live, &kinds, deadline).await;
        record.durations.prune_ms = clock.lap();
        self.note(record, &Plan::default(), &report);
        if let Some(why) = &report.broken_off {
            return Err(why.clone());
        }
        show(self, Stage::Record);
        self.tell_event(record, &loaded, &revision, previous.as_deref()).await;
        show(self, Stage::Tag);
        clock.lap();
        self.synced = Some(revision.clone());
        if previous.as_deref() != Some(revision.as_str()) {
            if let Err(error) = self.move_pointer(&revision).await {
                record.error = Some(format!("everything is applied, but the sync pointer was not moved: {error}"));
            } else if let Ok(mirror) = self.mirror() {
                record.notes.push(mirror.moved(previous.as_deref(), &revision));
            }
        }
        record.durations.tag_ms = clock.lap();
        Ok(())
    }

    /// What was synced before, wherever that is kept.
    async fn previous(&mut self, record: &mut SyncRecord) -> Result<Option<String>, String> {
        let previous = self.pointer().await?;
        if let Some(ours) = &self.synced
            && previous.as_ref() != Some(ours)
            && !std::mem::replace(&mut self.warned, true)
        {
            let words =
                "detected external change in sync state; the sync state should not be shared by fluxd instances";
            record.notes.push(words.to_owned());
        }
        record.previous.clone_from(&previous);
        record.initial = previous.is_none();
        Ok(previous)
    }

    /// Reads what a commit wants.
    async fn load(&mut self, revision: &str, trigger: Trigger, deadline: Instant) -> Result<Arc<Loaded>, String> {
        // Kinds come and go, but a push must not wait for that.
        if self.kinds.is_none() || self.waits_for_kinds() || !matches!(trigger, Trigger::Push | Trigger::Poll) {
            let applier = Applier { objects: &self.api, deadline, dry_run: false };
            let fresh = applier.patiently(|| self.api.kinds().boxed()).await.map_err(|error| error.to_string())?;
            if self.kinds.as_deref() != Some(&fresh) {
                self.kinds = Some(Arc::new(fresh));
            }
        }
        let kinds = self.kinds.clone().unwrap_or_default();
        let mirror = self.source.mirror().ok_or_else(|| "git repo not ready".to_owned())?;
        let loaded = self.build.load(mirror, revision, &kinds).await;
        let loaded = loaded.map_err(|error| format!("loading resources from repo: {}", self.git_failed(&error)))?;
        let findings = Arc::new(loaded.findings.clone());
        self.status.send_modify(|status| status.findings = findings);
        Ok(loaded)
    }

    /// From here on this is what Git wants.
    fn take_plan(&mut self, loaded: &Arc<Loaded>, plan: &Plan, live: &crate::gitops::plan::Live) {
        let index = loaded.manifests.iter().map(|manifest| (manifest.key.clone(), manifest.clone())).collect();
        self.desired = Some(Arc::new(Desired { loaded: loaded.clone(), index }));
        self.objects = planned(&self.objects, plan, live, self.now());
        crate::gitops::explain::with_commits(&mut self.objects, &self.touched);
        self.dirty.clear();
        self.publish();
    }

    /// Carries out a plan and keeps what came of it.
    pub(super) async fn carry_out(
        &mut self,
        plan: &Plan,
        live: &crate::gitops::plan::Live,
        kinds: &Kinds,
        deadline: Instant,
    ) -> Report {
        let (clock, status, objects) = (self.settings.clock.clone(), &self.status, &mut self.objects);
        let mut shown_at = Instant::now();
        let mut tell = |fared: &Fared| {
            let key = &fared.change.key;
            let state = done(objects.get(key).map(|state| &**state), fared, clock());
            objects.insert(key.clone(), Arc::new(state));
            if shown_at.elapsed() > SHOW_EVERY {
                shown_at = Instant::now();
                let objects = Arc::new(objects.clone());
                status.send_modify(|status| status.objects = objects);
            }
        };
        let applier = Applier { objects: &self.api, deadline, dry_run: false };
        let report = applier.carry_out(plan, live, kinds, &mut tell).await;
        for fared in report.fared.iter().filter(|fared| fared.result.is_ok()) {
            if fared.tolerated.is_empty() {
                self.tolerated.remove(&fared.change.key);
            } else {
                self.tolerated.insert(fared.change.key.clone(), fared.tolerated.clone());
            }
        }
        if let Some(kinds) = &report.kinds {
            self.kinds = Some(Arc::new(kinds.clone()));
        }
        report
    }

    /// Writes down how objects fared.
    pub(super) fn note(&self, record: &mut SyncRecord, plan: &Plan, report: &Report) {
        count(&mut record.counts, plan);
        for fared in &report.fared {
            let (verb, fields) = match &fared.result {
                Ok(Done::Created) => (Verb::Created, Vec::new()),
                Ok(Done::Configured { changed }) => (Verb::Configured, shown(&fared.change.key.kind.kind, changed)),
                Ok(Done::Deleted) => (Verb::Pruned, Vec::new()),
                Ok(Done::Unchanged) => {
                    record.counts.unchanged += 1;
                    continue;
                }
                Err(failed) => {
                    record.counts.failed += 1;
                    let place = fared.change.place.as_ref();
                    record.errors.push(ObjectError {
                        id: fared.change.id.to_string(),
                        path: place.map(|place| place.file.clone()).unwrap_or_default(),
                        error: failed.message.clone(),
                    });
                    continue;
                }
            };
            match verb {
                Verb::Created => record.counts.created += 1,
                Verb::Configured => record.counts.configured += 1,
                Verb::Pruned => record.counts.pruned += 1,
            }
            if record.changed.len() < MOST_ENTRIES {
                record.changed.push(Changed { id: fared.change.id.to_string(), verb, fields });
            }
        }
        for change in &plan.changes {
            if let Action::Skip(Skip::Held(Hold::Duplicate | Hold::Invalid, reason)) = &change.action {
                record.errors.push(ObjectError {
                    id: change.id.to_string(),
                    path: change.place.as_ref().map(|place| place.file.clone()).unwrap_or_default(),
                    error: reason.clone(),
                });
            }
        }
    }

    /// Finds the commits of a sync and the objects that they changed.
    async fn tell_event(&mut self, record: &mut SyncRecord, loaded: &Loaded, revision: &str, previous: Option<&str>) {
        let checksums: HashMap<_, _> =
            loaded.manifests.iter().map(|manifest| (manifest.key.clone(), manifest.checksum.clone())).collect();
        let before = std::mem::replace(&mut self.checksums, checksums);
        if previous == Some(revision) {
            return;
        }
        let Ok(mirror) = self.mirror() else { return };
        let paths = self.settings.log_paths();
        let range = Range { after: previous, paths: &paths, most: MOST_ENTRIES, ..Range::up_to(revision) };
        match mirror.commits(range).await {
            Ok(commits) => record.commits = commits,
            // The pointer may be on a commit that is gone.
            Err(error) => record
                .notes
                .push(format!("failed to list the commits since {}: {error}", previous.map(short).unwrap_or_default())),
        }
        if record.commits.is_empty() {
            return;
        }
        let known = !before.is_empty();
        let applied = |id: &ResourceId| record.changed.iter().any(|changed| changed.id == id.to_string());
        let changed = loaded.manifests.iter().filter(|manifest| match before.get(&manifest.key) {
            Some(checksum) => *checksum != manifest.checksum,
            // After a restart what was applied before is told by what had to be applied.
            None => known || record.initial || applied(&manifest.id),
        });
        let mut ids: Vec<ResourceId> = changed.map(|manifest| manifest.id.clone()).collect();
        ids.sort();
        ids.truncate(MOST_ENTRIES);
        let commits: Vec<&str> = record.commits.iter().map(|commit| commit.id.as_str()).collect();
        record.event = Some(sync_text(&commits, &ids));
    }
}

/// Files that cannot be read are errors too, if not of an object.
fn note_files(record: &mut SyncRecord, loaded: &Loaded) {
    let wrong = loaded.findings.iter().filter(|finding| finding.level == Level::Error && finding.object.is_none());
    record.errors.extend(wrong.map(|finding| ObjectError {
        id: String::new(),
        path: finding.place.as_ref().map(ToString::to_string).unwrap_or_default(),
        error: finding.message.clone(),
    }));
}

fn count(counts: &mut Counts, plan: &Plan) {
    for change in &plan.changes {
        counts.objects += usize::from(change.place.is_some());
        match change.action {
            Action::Unchanged => counts.unchanged += 1,
            Action::Keep(_) => counts.kept += 1,
            Action::Skip(_) => counts.skipped += 1,
            Action::Create | Action::Update { .. } | Action::Prune => {}
        }
    }
}

/// Measures parts of a whole.
struct Lap(Instant);

impl Lap {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let part = now - std::mem::replace(&mut self.0, now);
        part.as_secs_f64() * 1000.0
    }
}
