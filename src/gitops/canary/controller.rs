//! The controller: it watches Canaries and makes a pass over each at its interval, by the cluster's clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{BoxStream, FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::events::Events;
use super::go;
use super::handle::{Handle, MOST_POKES};
use super::http::Http;
use super::install;
use super::machine::Oddities;
use super::objects::Objects;
use super::options::Options;
use super::pass::{Ended, Pass};
use super::shared::Shared;
use super::spec::Canary;
use crate::cluster::clock::Clock;
use crate::cluster::object::{Key, text};
use crate::cluster::sim::driver::SharedImages;

/// How long passes may go on after the stop.
const GRACE: Duration = Duration::from_secs(5);
/// After this many ticks that were missed, the rest is skipped.
const MOST_BEHIND: i64 = 360;
/// While missed ticks are made up for, pods get so much time of ours to follow.
const BREATH: Duration = Duration::from_millis(20);
/// How long after a failure the installation is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// How often definitions are made at most that others take away.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why there is no controller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client for webhooks and metrics can be made.
    #[error("cannot make a client for webhooks and metrics")]
    Http(#[source] std::io::Error),
}

/// Releases canaries until it is stopped.
pub struct Canaries {
    shared: Arc<Shared>,
    events: Arc<Events>,
    pokes: mpsc::Receiver<Key>,
    jobs: BTreeMap<Key, Job>,
    passes: FuturesUnordered<BoxFuture<'static, (Key, Ended)>>,
    /// Whether the watch has failed.
    blind: bool,
}

impl std::fmt::Debug for Canaries {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Canaries").field("jobs", &self.jobs).finish_non_exhaustive()
    }
}

/// What is due for a canary.
#[derive(Debug)]
struct Job {
    canary: Canary,
    created: String,
    interval: Duration,
    next: Timestamp,
    /// The time for which the pass was due that is going on.
    busy: Option<Timestamp>,
    /// Not before this time of ours, while missed ticks are made up for.
    rest: Option<tokio::time::Instant>,
}

impl Canaries {
    /// A controller that begins its work with [`Canaries::run`], and how others talk to it. What is known of `images`
    /// says how well versions do.
    ///
    /// # Errors
    /// When no client for webhooks can be made.
    pub fn new(
        client: kube::Client,
        clock: Clock,
        options: Options,
        images: SharedImages,
    ) -> Result<(Self, Handle), Error> {
        let http = Http::new().map_err(Error::Http)?;
        let shared = Arc::new(Shared::new(Objects::new(client), http, clock, options, images));
        let (sender, pokes) = mpsc::channel(MOST_POKES);
        let handle = Handle::new(shared.clone(), sender);
        let events = Arc::new(Events::default());
        let (jobs, passes) = (BTreeMap::new(), FuturesUnordered::new());
        Ok((Self { shared, events, pokes, jobs, passes, blind: false }, handle))
    }

    /// Installs the definitions and works until it is stopped. Passes that are going on then have a few seconds to
    /// end; a pass that does not end is taken up by the next controller. What broke off can be run again.
    pub async fn run(&mut self, stop: CancellationToken) {
        self.passes = FuturesUnordered::new();
        self.jobs.values_mut().for_each(|job| job.busy = None);
        if !install(&self.shared.clone(), &stop).await {
            return;
        }
        let mut installed = tokio::time::Instant::now();
        let mut watch = self.watch();
        let mut known: Option<Vec<Key>> = None;
        let mut deaf = false;
        while !stop.is_cancelled() {
            if self.blind && installed.elapsed() >= PATIENCE {
                // A cluster that went back to a moment before the definitions were there has lost them.
                tokio::select! {
                    () = stop.cancelled() => break,
                    done = install::definitions(&self.shared.objects) => drop(done),
                }
                (installed, self.blind) = (tokio::time::Instant::now(), false);
            }
            let (due, rest) = self.start_due();
            let clock = self.shared.clock.clone();
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Some((key, ended)) = self.passes.next(), if !self.passes.is_empty() => self.passed(&key, ended),
                event = watch.next() => match event {
                    Some(event) => self.take(event, &mut known),
                    None => watch = self.watch(),
                },
                poke = self.pokes.recv(), if !deaf => match poke {
                    Some(key) => self.poke(&key),
                    None => deaf = true,
                },
                () = sleep_until(&clock, due) => {}
                () = rest_until(rest) => {}
            }
        }
        let rest = async { while self.passes.next().await.is_some() {} };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            tracing::warn!("passes over canaries did not end in time");
        }
    }

    fn watch(&self) -> BoxStream<'static, Result<Event<DynamicObject>, watcher::Error>> {
        let resource = ApiResource {
            group: "flagger.app".to_owned(),
            version: "v1beta1".to_owned(),
            api_version: "flagger.app/v1beta1".to_owned(),
            kind: "Canary".to_owned(),
            plural: "canaries".to_owned(),
        };
        let api: Api<DynamicObject> = Api::all_with(self.shared.objects.client().clone(), &resource);
        watcher(api, watcher::Config::default()).default_backoff().boxed()
    }

    fn take(&mut self, event: Result<Event<DynamicObject>, watcher::Error>, known: &mut Option<Vec<Key>>) {
        match event {
            Ok(Event::Init) => *known = Some(Vec::new()),
            Ok(Event::InitApply(object)) => {
                let key = self.take_canary(&serde_json::to_value(object).unwrap_or_default());
                known.get_or_insert_default().push(key);
            }
            Ok(Event::Apply(object)) => {
                self.take_canary(&serde_json::to_value(object).unwrap_or_default());
            }
            Ok(Event::Delete(object)) => self.drop_canary(&Key::of(&serde_json::to_value(object).unwrap_or_default())),
            Ok(Event::InitDone) => {
                let there = known.take().unwrap_or_default();
                let gone: Vec<Key> = self.jobs.keys().filter(|key| !there.contains(key)).cloned().collect();
                gone.iter().for_each(|key| self.drop_canary(key));
                self.shared.set_problem(None);
            }
            Err(error) => {
                self.blind = true;
                self.shared.set_problem(Some(format!("canaries cannot be watched: {error}")));
            }
        }
    }

    fn take_canary(&mut self, object: &Value) -> Key {
        let (canary, now) = (Canary::read(object), self.shared.clock.now());
        let key = canary.key.clone();
        let interval = go::interval(&canary.spec.analysis.interval, self.shared.options.shortest_interval);
        self.shared.show_new(&key);
        let job = self.jobs.entry(key.clone()).or_insert_with(|| Job {
            canary: canary.clone(),
            created: text(object, &["metadata", "creationTimestamp"]).to_owned(),
            interval,
            next: now,
            busy: None,
            rest: None,
        });
        // Another interval starts anew; a deletion is not kept waiting.
        if job.interval != interval || (canary.deleting && !job.canary.deleting) || job.canary.uid != canary.uid {
            (job.interval, job.next) = (interval, now);
        }
        job.canary = canary;
        key
    }

    /// A canary is gone. Its target is not left without pods, unless the original's way is wanted.
    fn drop_canary(&mut self, key: &Key) {
        let Some(job) = self.jobs.remove(key) else { return };
        let pods = self.shared.primary_pods(key);
        self.shared.forget(key);
        self.events.forget(key);
        if self.shared.options.oddities == Oddities::Kept || job.canary.spec.revert_on_deletion {
            return;
        }
        let (pass, canary) = (self.pass(key, self.shared.clock.now(), None), job.canary);
        let provider = canary.spec.provider.clone().unwrap_or_else(|| self.shared.options.provider.clone());
        let key = key.clone();
        let undo = async move {
            if let Err(error) = pass.undo(&canary, &provider, pods).await {
                tracing::warn!(canary = %key, %error, "the target of a deleted canary was not scaled up");
            }
            (key, Ended::Gone)
        };
        self.passes.push(undo.boxed());
    }

    fn pass(&self, key: &Key, now: Timestamp, rival: Option<Key>) -> Pass {
        Pass { shared: self.shared.clone(), events: self.events.clone(), key: key.clone(), now, rival }
    }

    fn poke(&mut self, key: &Key) {
        let now = self.shared.clock.now();
        if let Some(job) = self.jobs.get_mut(key) {
            job.next = job.next.min(now);
        }
    }

    /// The canary that was first on a target, if it is another one.
    fn rival(&self, key: &Key) -> Option<Key> {
        let mine = self.jobs.get(key)?;
        let same = |job: &Job| {
            (&job.canary.key.namespace, &job.canary.spec.target)
                == (&mine.canary.key.namespace, &mine.canary.spec.target)
        };
        let all = self.jobs.iter().filter(|(_, job)| same(job));
        let first = all.min_by(|(a, x), (b, y)| (&x.created, a).cmp(&(&y.created, b)))?.0;
        (first != key).then(|| first.clone())
    }

    /// Starts the passes that are due; gives the next time something is.
    fn start_due(&mut self) -> (Option<Timestamp>, Option<tokio::time::Instant>) {
        let (now, instant) = (self.shared.clock.now(), tokio::time::Instant::now());
        let due = |job: &Job| job.busy.is_none() && job.next <= now && job.rest.is_none_or(|rest| rest <= instant);
        let due: Vec<(Key, Timestamp)> =
            self.jobs.iter().filter(|(_, job)| due(job)).map(|(key, job)| (key.clone(), job.next)).collect();
        for (key, at) in due {
            let rival = self.rival(&key);
            let pass = self.pass(&key, at, rival);
            if let Some(job) = self.jobs.get_mut(&key) {
                (job.busy, job.rest) = (Some(at), None);
            }
            self.passes.push(async move { (key, pass.run().await) }.boxed());
        }
        let idle = self.jobs.values().filter(|job| job.busy.is_none());
        let next = idle.clone().filter(|job| job.rest.is_none()).map(|job| job.next).min();
        (next, idle.filter_map(|job| job.rest).min())
    }

    fn passed(&mut self, key: &Key, ended: Ended) {
        let (now, is_virtual) = (self.shared.clock.now(), self.shared.clock.is_virtual());
        let Some(job) = self.jobs.get_mut(key) else { return };
        if job.busy.take() != Some(job.next) {
            // It was called for again meanwhile.
            return;
        }
        let interval = i64::try_from(job.interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let behind = (now.as_millisecond() - job.next.as_millisecond()) / interval;
        // Stepped time has its ticks one after the other; a laptop that slept does not make up for the night.
        let skipped = if is_virtual && behind <= MOST_BEHIND { 0 } else { behind.max(0) };
        let step = Duration::from_millis(u64::try_from(interval.saturating_mul(skipped + 1)).unwrap_or(u64::MAX));
        job.next = job.next.checked_add(step).unwrap_or(Timestamp::MAX);
        if job.next <= now && ended == Ended::Unready {
            job.rest = Some(tokio::time::Instant::now() + BREATH);
        }
        let next = job.next;
        self.shared.show(key, |view| view.next = Some(next));
    }
}

async fn sleep_until(clock: &Clock, due: Option<Timestamp>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn rest_until(rest: Option<tokio::time::Instant>) {
    match rest {
        Some(rest) => tokio::time::sleep_until(rest).await,
        None => std::future::pending().await,
    }
}

/// Makes the definitions; false when it was stopped meanwhile.
async fn install(shared: &Shared, stop: &CancellationToken) -> bool {
    loop {
        let installed = tokio::select! {
            () = stop.cancelled() => return false,
            installed = install::definitions(&shared.objects) => installed,
        };
        let Err(error) = installed else {
            shared.set_problem(None);
            return true;
        };
        shared.set_problem(Some(format!("canaries cannot be defined: {error}")));
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}
