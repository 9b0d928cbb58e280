//! Watches: what there is, then what happens, as lines of JSON.
//!
//! A watcher holds no queue. It remembers how far it has told, sleeps until its resource changes, and reads the store's
//! window; one that falls behind the window is told so (410) and lists again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use serde_json::json;
use tokio::sync::watch as cell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Api;
use super::accept::Wanted;
use super::query::{ReadOptions, Version};
use super::read::Scope;
use super::resource::Resource;
use super::status::Refusal;
use super::store::{Change, ChangeKind, Store, Stored};
use super::view::Show;
use crate::cluster::object::set;

/// How often a quiet watch tells the revision.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// How long before its end a watch tells the revision once more.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// When a watch ends that did not say when.
const LONGEST: Duration = Duration::from_secs(45 * 60);
/// Bytes told at once, about.
const CHUNK: usize = 128 * 1024;

/// A watch that has begun.
#[derive(Debug)]
struct Watcher {
    api: Arc<Api>,
    resource: Arc<Resource>,
    scope: Scope,
    options: ReadOptions,
    wanted: Wanted,
    changed: cell::Receiver<u64>,
    stop: CancellationToken,
    /// Everything up to this revision has been told.
    told: u64,
    /// What is to be told first.
    initial: std::collections::VecDeque<Arc<Stored>>,
    /// The initial objects are to be closed by a bookmark.
    closing: bool,
    end: Instant,
    bookmark: Instant,
    first: bool,
    over: bool,
}

/// Begins a watch; its lines come as a stream of chunks.
pub fn watch(
    api: Arc<Api>,
    resource: Arc<Resource>,
    scope: Scope,
    options: ReadOptions,
    wanted: Wanted,
    stop: CancellationToken,
) -> impl Stream<Item = Bytes> + Send {
    let changed = api.follow(&resource.stored);
    let start = Instant::now();
    let lasts = options.timeout.filter(|&seconds| seconds > 0).map_or(LONGEST, Duration::from_secs).min(LONGEST);
    let end = start + lasts;
    let from_the_start = options.initial_events || matches!(options.version, Version::Newest | Version::Any);
    let closing = options.bookmarks && (options.initial_events || options.version == Version::Newest);
    let (told, initial) = api.look(|store| match options.version {
        Version::NotOlderThan(revision) | Version::Exact(revision) if !from_the_start => (revision, Vec::new()),
        _ => {
            let objects = store.list(&resource.stored, &scope.namespace).filter(|object| scope.matches(object));
            (store.revision(), objects.cloned().collect())
        }
    });
    let bookmark = (start + BOOKMARKS).min(end.checked_sub(LAST_BOOKMARK).unwrap_or(end));
    let watcher = Watcher {
        api,
        resource,
        scope,
        options,
        wanted,
        changed,
        stop,
        told,
        initial: initial.into(),
        closing,
        end,
        bookmark,
        first: true,
        over: false,
    };
    futures::stream::unfold(watcher, |mut watcher| async move { Some((watcher.next().await?, watcher)) })
}

impl Watcher {
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        loop {
            // Marked before the look, so that a change right after it wakes us.
            self.changed.borrow_and_update();
            let mut out = Vec::new();
            self.tell(&mut out);
            if !out.is_empty() {
                return Some(out.into());
            }
            if self.over {
                return None;
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep_until(self.end) => return None,
                () = tokio::time::sleep_until(self.bookmark), if self.options.bookmarks => {
                    let mut out = Vec::new();
                    self.told = self.told.max(self.api.look(Store::revision));
                    self.show().bookmark(&mut out, self.told, false, self.first);
                    self.first = false;
                    let now = Instant::now();
                    let last = self.end.checked_sub(LAST_BOOKMARK).unwrap_or(self.end);
                    self.bookmark = if now < last { (now + BOOKMARKS).min(last) } else { self.end + BOOKMARKS };
                    return Some(out.into());
                }
                changed = self.changed.changed() => if changed.is_err() {
                    return None;
                },
            }
        }
    }

    fn show(&self) -> Show<'_> {
        Show {
            resource: &self.resource,
            wanted: self.wanted,
            include: self.options.include,
            now: self.api.now(),
            pretty: false,
        }
    }

    /// Writes what there is to tell, a chunk at most.
    fn tell(&mut self, out: &mut Vec<u8>) {
        while let Some(object) = self.initial.pop_front() {
            self.show().event(out, "ADDED", &object, self.first);
            self.first = false;
            if out.len() > CHUNK {
                return;
            }
        }
        if std::mem::take(&mut self.closing) {
            self.show().bookmark(out, self.told, true, self.first);
            self.first = false;
        }
        let told = self.told;
        let changes: Option<Vec<Arc<Change>>> = self.api.look(|store| {
            let newest = store.revision();
            let changes = store.since(told)?;
            let mine = changes.filter(|change| *change.object.resource == *self.resource.stored);
            let changes = mine.cloned().collect();
            self.told = self.told.max(newest);
            Some(changes)
        });
        let Some(changes) = changes else {
            self.over = true;
            let oldest = self.api.look(Store::oldest);
            let refusal = Refusal::new(410, "Expired", format!("too old resource version: {told} ({oldest})"));
            let line = json!({"type": "ERROR", "object": refusal.to_value()});
            out.extend_from_slice(line.to_string().as_bytes());
            out.push(b'\n');
            return;
        };
        for change in changes {
            if let Some((kind, object)) = self.seen(&change) {
                self.show().event(out, kind, &object, self.first);
                self.first = false;
            }
            if out.len() > CHUNK {
                self.told = change.object.revision;
                return;
            }
        }
    }

    /// What this watcher sees of a change: an object that comes into what it selects is new, one that leaves is gone.
    fn seen(&self, change: &Change) -> Option<(&'static str, Arc<Stored>)> {
        let before = change.previous.as_ref().filter(|previous| self.scope.matches(previous));
        let after = change.kind != ChangeKind::Deleted && self.scope.matches(&change.object);
        match (before, after) {
            (None, true) => Some(("ADDED", change.object.clone())),
            (Some(_), true) => Some(("MODIFIED", change.object.clone())),
            (Some(_), false) if change.kind == ChangeKind::Deleted => Some(("DELETED", change.object.clone())),
            (Some(previous), false) => {
                let mut last = previous.value();
                set(&mut last, &["metadata", "resourceVersion"], change.object.revision.to_string());
                let last = Stored::preview(previous.resource.clone(), &last, change.object.revision);
                Some(("DELETED", Arc::new(last)))
            }
            (None, false) => None,
        }
    }
}
