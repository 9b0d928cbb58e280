//! The loop: one job after the other, woken by pushes, people, timers and the cluster.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::files::PathError;
use super::git::history::Commit;
use super::record::SyncRecord;
use super::schedule::{Intervals, Moment, Outcome, Schedule, Trigger, Work};
use super::settings::Settings;
use super::status::{Next, Status};
use super::sync::job::{Checkout, Decide, Edits};
use super::sync::preview::Preview;
use super::sync::repair::Seen;
use super::sync::{Engine, Looked};
use super::watches::{News, Watches};

/// How long a job may go on after the stop.
const GRACE: Duration = Duration::from_secs(5);
/// What is known of objects is shown so soon after it has changed.
const SHOW_AFTER: Duration = Duration::from_millis(30);
/// More wishes than these wait for nobody.
const MOST_WISHES: usize = 256;

/// Why a wish cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The reconciler has ended.
    #[error("the reconciler is not running")]
    Stopped,
    /// It has a reason.
    #[error("{0}")]
    Refused(String),
}

enum Wish {
    Pushed,
    Nudge,
    Sync(oneshot::Sender<Result<Arc<SyncRecord>, Error>>),
    Preview(Option<String>, oneshot::Sender<Result<Preview, Error>>),
    Commit(Decide, oneshot::Sender<Result<Option<String>, Error>>),
    Checkout(oneshot::Sender<Result<Checkout, Error>>),
    Identity(bool, oneshot::Sender<Result<String, Error>>),
    KeepKeyIn(String),
    Unsynced(Option<String>, oneshot::Sender<Result<Vec<Commit>, Error>>),
    Pause,
    Resume,
    Intervals(Intervals),
    PruneAll,
}

/// Makes a cluster match a repository, until it is stopped.
pub struct Reconciler {
    engine: Engine,
    schedule: Schedule,
    watches: Watches,
    wishes: mpsc::Receiver<Wish>,
    waiting: Vec<oneshot::Sender<Result<Arc<SyncRecord>, Error>>>,
    show_at: Option<Instant>,
    deaf: bool,
    looking: Option<BoxFuture<'static, Looked>>,
}

impl std::fmt::Debug for Reconciler {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Reconciler").field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

/// How others talk to a reconciler.
#[derive(Debug, Clone)]
pub struct Handle {
    wishes: mpsc::Sender<Wish>,
    status: watch::Receiver<Status>,
}

impl Reconciler {
    /// A reconciler that begins its work with [`Reconciler::run`].
    ///
    /// # Errors
    /// When a path to look in cannot be one.
    pub fn new(settings: Settings, client: kube::Client) -> Result<(Self, Handle), PathError> {
        settings.check()?;
        let schedule = Schedule::new(settings.intervals, settings.mode);
        let engine = Engine::new(settings, client);
        let (sender, wishes) = mpsc::channel(MOST_WISHES);
        let handle = Handle { wishes: sender, status: engine.status.subscribe() };
        let watches = Watches::default();
        Ok((
            Self { engine, schedule, watches, wishes, waiting: Vec::new(), show_at: None, deaf: false, looking: None },
            handle,
        ))
    }

    /// Works until it is stopped. A job that is going on then has a few seconds to end; nothing is lost if it does not.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            while let Ok(wish) = self.wishes.try_recv() {
                self.grant_within(wish, &stop).await;
            }
            let now = self.engine.moment();
            if let Some(work) = self.schedule.due(now) {
                within_grace(self.work(work), &stop).await;
                continue;
            }
            self.show_next();
            let wake = self.schedule.next().map(|moment| self.engine.instant(moment));
            let wake = [wake, self.show_at].into_iter().flatten().min();
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                wish = self.wishes.recv(), if !self.deaf => match wish {
                    Some(wish) => self.grant_within(wish, &stop).await,
                    // Nobody can ask for anything any more; timers and watches go on.
                    None => self.deaf = true,
                },
                looked = next_look(&mut self.looking) => within_grace(self.looked(looked), &stop).await,
                news = self.watches.next() => {
                    if take_news(&mut self.engine, news) {
                        let now = self.engine.moment();
                        self.schedule.drifted(now);
                    }
                    if self.engine.is_stale() && self.show_at.is_none() {
                        self.show_at = Some(Instant::now() + SHOW_AFTER);
                    }
                }
                () = sleep_until(wake) => {}
            }
            if self.show_at.is_some_and(|moment| moment <= Instant::now()) {
                self.show_at = None;
                self.engine.publish();
            }
        }
    }

    async fn work(&mut self, work: Work) {
        match work {
            // It may take long; meanwhile drift is repaired.
            Work::Fetch => self.looking = Some(self.engine.begin_fetch().await),
            Work::Sync(trigger) => {
                let (record, outcome) = self.engine.sync(trigger).await;
                let now = self.engine.moment();
                self.schedule.synced(outcome, now);
                for waiting in self.waiting.drain(..) {
                    let _ = waiting.send(Ok(record.clone()));
                }
                self.watch();
                self.show_next();
                self.engine.trace_commits().await;
            }
            Work::Repair => {
                let repaired = self.engine.repair().await;
                let now = self.engine.moment();
                self.schedule.repaired(repaired.outcome, now);
                if let Some(moment) = repaired.again {
                    self.schedule.repair_at(moment);
                }
                if repaired.outcome == Outcome::Good {
                    self.watch();
                }
            }
        }
    }

    /// The repository was looked at.
    async fn looked(&mut self, looked: Looked) {
        self.looking = None;
        let target = self.engine.end_fetch(looked).await;
        let now = self.engine.moment();
        match target {
            Some(head) => self.schedule.fetched(&head, now),
            None => self.schedule.not_ready(now),
        }
        if !self.schedule.is_asked() {
            self.answer_waiting();
        }
    }

    /// Watches all kinds that Git names.
    fn watch(&mut self) {
        let Some(kinds) = self.engine.kinds().cloned() else { return };
        let client = self.engine.client();
        let namespaces = self.engine.settings.allowed_namespaces.clone();
        self.watches.follow(&client, &kinds, self.engine.manifests(), &namespaces);
    }

    /// Those who wait for a sync hear at once when there is none to come.
    fn answer_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let status = self.engine.status.borrow().clone();
        let unverified = status.unverified.as_ref().map(|unverified| unverified.why.clone());
        let why = status.source.not_ready().or(unverified);
        for waiting in self.waiting.drain(..) {
            let answer = match (&why, status.history.back()) {
                (None, Some(record)) => Ok(record.clone()),
                (why, _) => Err(Error::Refused(why.clone().unwrap_or_else(|| "nothing was synced".to_owned()))),
            };
            let _ = waiting.send(answer);
        }
    }

    /// Shows when the next things happen.
    fn show_next(&mut self) {
        let upcoming = self.schedule.upcoming();
        let wall = |moment: Option<Moment>| moment.and_then(|moment| self.engine.wall(moment));
        let next = Next { fetch: wall(upcoming.fetch), sync: wall(upcoming.sync), retry: wall(upcoming.retry) };
        let paused = self.schedule.is_paused();
        self.engine.status.send_if_modified(|status| {
            let seconds =
                |next: &Next| [next.fetch, next.sync, next.retry].map(|time| time.map(|time| time.as_second()));
            let changed = seconds(&status.next) != seconds(&next) || status.paused != paused;
            if changed {
                (status.next, status.paused) = (next, paused);
            }
            changed
        });
    }

    async fn grant_within(&mut self, wish: Wish, stop: &CancellationToken) {
        within_grace(self.grant(wish), stop).await;
    }

    async fn grant(&mut self, wish: Wish) {
        if matches!(wish, Wish::Commit(..) | Wish::Identity(..))
            && let Some(look) = self.looking.take()
        {
            // What it finds is older than what comes of this.
            let looked = look.await;
            self.looked(looked).await;
        }
        match wish {
            Wish::Pushed => self.schedule.ask(Trigger::Push),
            Wish::Nudge => self.schedule.ask(Trigger::Demand),
            Wish::Sync(_) if self.schedule.is_paused() => {
                if let Wish::Sync(answer) = wish {
                    let _ = answer.send(Err(Error::Refused("syncing is paused".to_owned())));
                }
            }
            Wish::Sync(answer) => {
                self.schedule.ask(Trigger::Demand);
                self.waiting.push(answer);
            }
            Wish::Preview(revision, answer) => {
                let preview = self.engine.preview(revision.as_deref()).await;
                let _ = answer.send(preview.map_err(Error::Refused));
            }
            Wish::Commit(decide, answer) => {
                let commit = self.engine.commit(decide).await;
                if matches!(commit, Ok(Some(_))) {
                    self.schedule.ask(Trigger::Push);
                }
                let _ = answer.send(commit.map_err(Error::Refused));
            }
            Wish::Checkout(answer) => {
                let _ = answer.send(self.engine.look().await.map_err(Error::Refused));
            }
            Wish::Identity(regenerate, answer) => {
                let public = self.engine.identity(regenerate).await;
                if regenerate && public.is_ok() {
                    self.schedule.ask(Trigger::Push);
                }
                let _ = answer.send(public.map_err(Error::Refused));
            }
            Wish::KeepKeyIn(namespace) => self.engine.keep_key_in(namespace),
            Wish::Unsynced(revision, answer) => {
                let commits = self.engine.unsynced(revision.as_deref()).await;
                let _ = answer.send(commits.map_err(Error::Refused));
            }
            Wish::Pause => {
                self.schedule.pause();
                for waiting in self.waiting.drain(..) {
                    let _ = waiting.send(Err(Error::Refused("syncing is paused".to_owned())));
                }
            }
            Wish::Resume => self.schedule.resume(),
            Wish::Intervals(intervals) => self.schedule.set_intervals(intervals, self.engine.moment()),
            Wish::PruneAll => {
                self.engine.allow_empty();
                self.schedule.ask(Trigger::Demand);
            }
        }
    }
}

/// Gives news of the cluster to the engine. True when something is to be repaired.
fn take_news(engine: &mut Engine, news: News) -> bool {
    match news {
        News::Object(object) => engine.saw(Seen::Object(object)),
        News::Gone(key) => engine.saw(Seen::Gone(key)),
        News::Listed { api_version, kind, there } => engine.listed(&api_version, &kind, &there),
        News::Blind(why) => {
            tracing::debug!(%why, "a watch is interrupted");
            false
        }
    }
}

/// Waits for a job; after the stop only for a while.
async fn within_grace(job: impl Future<Output = ()>, stop: &CancellationToken) {
    tokio::pin!(job);
    tokio::select! {
        biased;
        () = &mut job => {}
        () = stop.cancelled() => {
            let _ = tokio::time::timeout(GRACE, job).await;
        }
    }
}

/// The end of a look at the repository; none ever, when none is going on.
async fn next_look(looking: &mut Option<BoxFuture<'static, Looked>>) -> Looked {
    match looking {
        Some(look) => look.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Handle {
    /// What can be read at any time.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Somebody pushed to the repository: it is looked at at once.
    pub fn pushed(&self) {
        // When so many wishes wait already, one of them does it.
        let _ = self.wishes.try_send(Wish::Pushed);
    }

    /// Somebody would like a sync, also of what is synced already, and does not wait for it.
    pub fn nudge(&self) {
        let _ = self.wishes.try_send(Wish::Nudge);
    }

    /// Syncs, also what is synced already, and gives what came of it.
    ///
    /// # Errors
    /// Why there was no sync.
    pub async fn sync(&self) -> Result<Arc<SyncRecord>, Error> {
        self.ask(Wish::Sync).await
    }

    /// What a sync of a commit would do; of the newest when none is named.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub async fn preview(&self, revision: Option<String>) -> Result<Preview, Error> {
        self.ask(|answer| Wish::Preview(revision, answer)).await
    }

    /// Commits and pushes a change, which is then synced. Gives the commit; nothing when nothing had to change.
    ///
    /// # Errors
    /// Why nothing was committed.
    pub async fn commit<F>(&self, decide: F) -> Result<Option<String>, Error>
    where
        F: FnMut(&Checkout) -> Result<Option<Edits>, String> + Send + 'static,
    {
        self.ask(|answer| Wish::Commit(Box::new(decide), answer)).await
    }

    /// The files of the newest commit that was seen.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub async fn checkout(&self) -> Result<Checkout, Error> {
        self.ask(Wish::Checkout).await
    }

    /// The public half of the key for SSH; of a new one, when it is to be made anew.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn identity(&self, regenerate: bool) -> Result<String, Error> {
        self.ask(|answer| Wish::Identity(regenerate, answer)).await
    }

    /// The secret with the key for SSH is in this namespace from now on.
    pub fn keep_key_in(&self, namespace: &str) {
        let _ = self.wishes.try_send(Wish::KeepKeyIn(namespace.to_owned()));
    }

    /// The commits up to one that are not synced yet; up to the newest when none is named. None are left when it is
    /// applied.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub async fn unsynced(&self, revision: Option<String>) -> Result<Vec<Commit>, Error> {
        self.ask(|answer| Wish::Unsynced(revision, answer)).await
    }

    /// Does nothing any more until [`Handle::resume`].
    pub fn pause(&self) {
        let _ = self.wishes.try_send(Wish::Pause);
    }

    /// Goes on.
    pub fn resume(&self) {
        let _ = self.wishes.try_send(Wish::Resume);
    }

    /// Other intervals from now on.
    pub fn set_intervals(&self, intervals: Intervals) {
        let _ = self.wishes.try_send(Wish::Intervals(intervals));
    }

    /// Confirms that everything is to be deleted although the repository is empty: once, by a sync that begins now.
    pub fn prune_everything(&self) {
        let _ = self.wishes.try_send(Wish::PruneAll);
    }

    async fn ask<T>(&self, wish: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Wish) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        self.wishes.send(wish(sender)).await.map_err(|_| Error::Stopped)?;
        answer.await.unwrap_or(Err(Error::Stopped))
    }
}
