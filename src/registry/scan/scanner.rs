//! Looks through registries, one round after another.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{OptionFuture, join_all, select_all};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::filter::{Filter, glob};
use super::pace::Pace;
use super::schedule::Refresh;
use super::{Knowledge, Known, News, Scan, Scans, State, cache};
use crate::registry::credentials::Keyring;
use crate::registry::error::{Error, Why};
use crate::registry::name::Name;
use crate::registry::{Image, Registry};

/// News that are kept for those who are slow to take them.
const NEWS: usize = 256;
/// Questions that are under way at once.
const AT_ONCE: usize = 10;

/// How registries are looked through.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which images.
    pub filter: Filter,
    /// The images whose labels say when they were built, as globs.
    pub use_labels: Vec<String>,
    /// How often the tags of an image are listed.
    pub every: SignedDuration,
    /// Questions a second.
    pub rate: f64,
    /// Questions at once after a rest.
    pub burst: u32,
    /// Tags of one image that are looked at in a round.
    pub most: usize,
    /// Where to keep what is known.
    pub file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            use_labels: ["index.docker.io/weaveworks/*", "index.docker.io/fluxcd/*"].map(str::to_owned).to_vec(),
            every: SignedDuration::from_mins(1),
            rate: 50.0,
            burst: 10,
            most: 500,
            file: None,
        }
    }
}

/// The images to look at, and what opens their repositories.
pub type Wanted = BTreeMap<Name, Keyring>;

/// What others have of a scanner.
#[derive(Debug, Clone)]
pub struct Handle {
    wanted: watch::Sender<Wanted>,
    scans: watch::Receiver<Arc<Scans>>,
    news: broadcast::Sender<News>,
}

impl Handle {
    /// Says which images to look at from now on.
    pub fn want(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|before| std::mem::replace(before, wanted.clone()) != wanted);
    }

    /// What is known of all of them, now and whenever it changes.
    pub fn scans(&self) -> watch::Receiver<Arc<Scans>> {
        self.scans.clone()
    }

    /// What is new, from now on.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
}

/// Looks through registries until stopped.
#[derive(Debug)]
pub struct Scanner {
    registries: Vec<Arc<dyn Registry>>,
    /// Change when the images of near registries do.
    changes: Vec<watch::Receiver<u64>>,
    settings: Settings,
    wanted: watch::Receiver<Wanted>,
    scans: watch::Sender<Arc<Scans>>,
    news: broadcast::Sender<News>,
    pace: Mutex<Pace>,
    /// What was known at the last start, of images that nobody wanted since.
    remembered: Scans,
    /// When an image is looked at again.
    due: BTreeMap<Name, Timestamp>,
}

/// What a look at one repository found.
struct Look {
    state: State,
    knowledge: Knowledge,
    moved: Vec<String>,
    /// The registry wants to be left alone.
    limited: bool,
}

impl Scanner {
    /// A scanner of these registries; an image is asked about at the first one that holds it. `changes` tell of new
    /// images in those that are near.
    pub fn new(
        registries: Vec<Arc<dyn Registry>>,
        changes: Vec<watch::Receiver<u64>>,
        settings: Settings,
    ) -> (Self, Handle) {
        let (want, wanted) = watch::channel(Wanted::new());
        let remembered = settings.file.as_deref().map(cache::read).unwrap_or_default();
        let (scans, seen) = watch::channel(Arc::default());
        let news = broadcast::Sender::new(NEWS);
        let handle = Handle { wanted: want, scans: seen, news: news.clone() };
        let pace = Mutex::new(Pace::new(settings.rate, settings.burst, Instant::now()));
        let due = BTreeMap::new();
        (Self { registries, changes, settings, wanted, scans, news, pace, remembered, due }, handle)
    }

    /// Works until stopped, or until nobody has a handle any more.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => true,
                () = self.round() => false,
            };
            if done || self.rest(&stop).await {
                return;
            }
        }
    }

    /// Waits until there is something to do; whether to end.
    async fn rest(&mut self, stop: &CancellationToken) -> bool {
        let now = Timestamp::now();
        let wait = self.due.values().min().map(|due| due.duration_since(now).max(SignedDuration::ZERO));
        let wait = wait.and_then(|wait| Duration::try_from(wait).ok());
        let time = OptionFuture::from(wait.map(tokio::time::sleep));
        let mut changes = std::mem::take(&mut self.changes);
        let change = async {
            // One that nobody can change any more is as one that never does.
            let each = changes.iter_mut().map(|cell| {
                Box::pin(async move {
                    if cell.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                })
            });
            let each: Vec<_> = each.collect();
            if each.is_empty() {
                std::future::pending::<()>().await;
            } else {
                select_all(each).await;
            }
        };
        let mut changed = false;
        let ended = tokio::select! {
            () = stop.cancelled() => true,
            wanted = self.wanted.changed() => wanted.is_err(),
            Some(()) = time => false,
            () = change => {
                changed = true;
                false
            }
        };
        self.changes = changes;
        if changed {
            let near = |name: &Name| self.registry(name).is_some_and(|registry| registry.is_near());
            let near: Vec<_> = self.due.keys().filter(|name| near(name)).cloned().collect();
            self.due.extend(near.into_iter().map(|name| (name, now)));
        }
        ended
    }

    fn registry(&self, name: &Name) -> Option<&Arc<dyn Registry>> {
        self.registries.iter().find(|registry| registry.holds(name))
    }

    /// Looks at all images whose time has come.
    async fn round(&mut self) {
        let wanted = self.wanted.borrow_and_update().clone();
        self.take_over(&wanted);
        let now = Timestamp::now();
        let due: Vec<_> = self.due.iter().filter(|(_, due)| **due <= now).map(|(name, _)| name.clone()).collect();
        if due.is_empty() {
            return;
        }
        let mut limited = false;
        for name in due {
            let keyring = wanted.get(&name).cloned().unwrap_or_default();
            let near = self.registry(&name).is_some_and(|registry| registry.is_near());
            if limited && !near {
                self.again(name, None);
                continue;
            }
            let look = self.look(&name, &keyring).await;
            limited |= look.limited;
            let until = match &look.state {
                State::RateLimited { until } => Some(*until),
                _ => None,
            };
            self.tell(&name, look);
            self.again(name, until);
        }
        if let Some(file) = self.settings.file.clone() {
            let scans = self.scans.borrow().clone();
            let written = tokio::task::spawn_blocking(move || cache::write(&file, &scans)).await;
            if let Ok(Err(error)) = written {
                tracing::warn!(%error, "cannot keep what is known of images");
            }
        }
    }

    /// Begins with new images and forgets those that nobody wants any more.
    fn take_over(&mut self, wanted: &Wanted) {
        let filter = &self.settings.filter;
        let takes = |name: &Name| filter.takes(&name.to_string());
        self.due.retain(|name, _| wanted.contains_key(name) && takes(name));
        for name in wanted.keys().filter(|name| takes(name)) {
            self.due.entry(name.clone()).or_insert(Timestamp::MIN);
        }
        let texts: BTreeMap<_, _> = wanted.keys().map(|name| (name.to_string(), takes(name))).collect();
        let remembered = &mut self.remembered;
        self.scans.send_if_modified(|scans| {
            let before = scans.clone();
            let scans = Arc::make_mut(scans);
            scans.retain(|name, _| texts.contains_key(name));
            for (name, taken) in &texts {
                let scan = scans.entry(name.clone()).or_insert_with(|| remembered.remove(name).unwrap_or_default());
                match (&scan.state, taken) {
                    (State::Excluded, true) => scan.state = State::NotScanned,
                    (_, false) => *scan = Scan { state: State::Excluded, ..Scan::default() },
                    _ => {}
                }
            }
            *scans != *before
        });
    }

    fn again(&mut self, name: Name, until: Option<Timestamp>) {
        let due = Timestamp::now().checked_add(self.settings.every).unwrap_or(Timestamp::MAX);
        self.due.insert(name, until.map_or(due, |until| until.max(due)));
    }

    /// Says what a look found.
    fn tell(&self, name: &Name, look: Look) {
        let image = name.to_string();
        let before = self.scans.borrow().get(&image).map(|scan| scan.knowledge.clone()).unwrap_or_default();
        let added: Vec<_> = look.knowledge.tags.keys().filter(|tag| !before.tags.contains_key(*tag)).cloned().collect();
        let first = before.tags.is_empty() && before.listed.is_empty();
        let scan = Scan { state: look.state, knowledge: Arc::new(look.knowledge) };
        self.scans.send_modify(|scans| {
            Arc::make_mut(scans).insert(image.clone(), scan);
        });
        if !added.is_empty() || !look.moved.is_empty() {
            // Nobody listens: nobody wants to know.
            let _ = self.news.send(News { image, added, moved: look.moved, first });
        }
    }

    /// Looks at one repository.
    async fn look(&self, name: &Name, keyring: &Keyring) -> Look {
        let known = self.scans.borrow().get(&name.to_string()).map(|scan| scan.knowledge.clone()).unwrap_or_default();
        let knowledge = Knowledge::clone(&known);
        let (Some(registry), now) = (self.registry(name), Timestamp::now()) else {
            let state = State::Failed { reason: "no registry is asked about it".to_owned(), at: Timestamp::now() };
            return Look { state, knowledge, moved: Vec::new(), limited: false };
        };
        self.wait(registry.as_ref()).await;
        let listed = match registry.tags(name, keyring).await {
            Ok(mut listed) => {
                listed.sort_unstable();
                listed.dedup();
                listed
            }
            Err(error) => {
                let limited = matches!(error.why, Why::RateLimited { .. });
                return Look { state: State::failed(&error, now), knowledge, moved: Vec::new(), limited };
            }
        };
        let mut look = Look { state: State::NotScanned, knowledge, moved: Vec::new(), limited: false };
        look.knowledge.tags.retain(|tag, _| listed.binary_search(tag).is_ok());
        look.knowledge.listed = listed;
        let problem = self.look_at_tags(name, keyring, registry.as_ref(), now, &mut look).await;
        let missing = look.knowledge.listed.len().saturating_sub(look.knowledge.tags.len());
        look.state = match problem {
            Some(error) if look.limited => State::failed(&error, now),
            problem => State::Scanned {
                tags: look.knowledge.listed.len(),
                at: now,
                missing,
                problem: problem.map(|error| error.why.to_string()),
            },
        };
        look
    }

    /// Looks at the tags that are new and those whose time has come; what went wrong, if something did.
    async fn look_at_tags(
        &self,
        name: &Name,
        keyring: &Keyring,
        registry: &dyn Registry,
        now: Timestamp,
        look: &mut Look,
    ) -> Option<Error> {
        let work = plan(&look.knowledge, registry.is_near(), self.settings.most, now);
        let text = name.to_string();
        let by_label = self.settings.use_labels.iter().any(|pattern| glob(pattern, &text));
        let mut problem = None;
        for batch in work.chunks(AT_ONCE) {
            let asked = batch.iter().map(|(tag, known)| self.look_at(name, tag, known.as_ref(), keyring, registry));
            for ((tag, before), found) in batch.iter().zip(join_all(asked).await) {
                let known = match found {
                    Ok(found) => Some(learn(before.as_ref(), found, by_label, now)),
                    Err(Error { why: Why::NoPlatform, .. }) => Some(left_alone(now)),
                    // The tag went while we looked.
                    Err(Error { why: Why::NoImage, .. }) => None,
                    Err(error) => {
                        look.limited |= matches!(error.why, Why::RateLimited { .. });
                        problem = Some(error);
                        continue;
                    }
                };
                match known {
                    Some(known) => {
                        let other = |before: &&Known| before.excluded.is_none() && before.digest != known.digest;
                        if before.as_ref().filter(other).is_some() {
                            look.moved.push(tag.clone());
                        }
                        look.knowledge.tags.insert(tag.clone(), known);
                    }
                    None => {
                        look.knowledge.tags.remove(tag);
                        look.knowledge.listed.retain(|listed| listed != tag);
                    }
                }
            }
            if look.limited {
                break;
            }
        }
        problem
    }

    /// What a tag names; nothing when that is what it was before.
    async fn look_at(
        &self,
        name: &Name,
        tag: &str,
        known: Option<&Known>,
        keyring: &Keyring,
        registry: &dyn Registry,
    ) -> Result<Option<Image>, Error> {
        if let Some(known) = known.filter(|known| known.excluded.is_none()) {
            self.wait(registry).await;
            if registry.digest(name, tag, keyring).await? == known.digest {
                return Ok(None);
            }
        }
        self.wait(registry).await;
        registry.image(name, tag, keyring).await.map(Some)
    }

    /// Waits for a turn to ask.
    async fn wait(&self, registry: &dyn Registry) {
        if registry.is_near() {
            return;
        }
        let wait = self.pace.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// The tags to look at, and what is known of them: those that are due first, then new ones, the highest first.
fn plan(knowledge: &Knowledge, near: bool, most: usize, now: Timestamp) -> Vec<(String, Option<Known>)> {
    let due = |known: &Known| near || known.refresh.is_due(now);
    let old = knowledge.tags.iter().filter(|(_, known)| due(known));
    let old = old.map(|(tag, known)| (tag.clone(), Some(known.clone())));
    let new = knowledge.listed.iter().rev().filter(|tag| !knowledge.tags.contains_key(*tag));
    let new = new.map(|tag| (tag.clone(), None));
    old.chain(new).take(if near { usize::MAX } else { most }).collect()
}

/// What is known of a tag now.
fn learn(before: Option<&Known>, found: Option<Image>, by_label: bool, now: Timestamp) -> Known {
    match (before, found) {
        (Some(before), None) => Known { refresh: before.refresh.unchanged(now), ..before.clone() },
        (before, found) => {
            let image = found.unwrap_or_default();
            let labelled = Some(&image).filter(|_| by_label).and_then(Image::created_by_label);
            let refresh = before.filter(|before| before.excluded.is_none()).map(|before| before.refresh.moved(now));
            Known {
                created: labelled.or(image.created),
                digest: image.digest,
                id: image.id,
                excluded: None,
                refresh: refresh.unwrap_or_else(|| Refresh::first(now)),
            }
        }
    }
}

/// What is known of a tag that is nothing for us.
fn left_alone(now: Timestamp) -> Known {
    Known {
        digest: String::new(),
        id: String::new(),
        created: None,
        excluded: Some(Why::NoPlatform.to_string()),
        refresh: Refresh::excluded(now),
    }
}

#[cfg(test)]
#[path = "scanner_tests.rs"]
mod tests;
