//! When to fetch, when to sync: two timers, what people and the cluster ask for, and patience with failures.

use std::time::Duration;

use super::files::Mode;

/// A time since some start that never goes back, whatever the wall clock does.
pub type Moment = Duration;

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// Between two looks at the repository.
    pub poll: Duration,
    /// Between two syncs of the same commit.
    pub sync: Duration,
    /// Between two tries to reach a repository that is not ready.
    pub reach: Duration,
    /// Until the first retry of what failed; each further one takes twice as long, up to the sync interval.
    pub retry: Duration,
    /// How long drift is gathered before it is repaired.
    pub settle: Duration,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(300),
            sync: Duration::from_secs(300),
            reach: Duration::from_secs(10),
            retry: Duration::from_secs(2),
            settle: Duration::from_millis(5),
        }
    }
}

/// Why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// The reconciler has begun.
    Start,
    /// The timer of syncs.
    Interval,
    /// What failed is tried again.
    Retry,
    /// The timer of fetches found a new commit.
    Poll,
    /// Something in the cluster was changed or deleted.
    Drift,
    /// The repository can be reached again.
    Recovery,
    /// Somebody pushed.
    Push,
    /// Somebody asked.
    Demand,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Look at the repository.
    Fetch,
    /// Sync everything.
    Sync(Trigger),
    /// Repair what drifted.
    Repair,
}

/// How a sync went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as it should be.
    Good,
    /// Some objects are not.
    Partly,
    /// It did not come to its end.
    Failed,
}

/// When the next things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upcoming {
    /// The next look at the repository.
    pub fetch: Option<Moment>,
    /// The next sync by the timer.
    pub sync: Option<Moment>,
    /// The next try of what failed.
    pub retry: Option<Moment>,
}

/// When what is due.
#[derive(Debug, Clone)]
pub struct Schedule {
    intervals: Intervals,
    mode: Mode,
    paused: bool,
    ready: bool,
    head: Option<String>,
    fetch_for: Option<Trigger>,
    /// A look at the repository is going on, for this reason.
    fetching: Option<Trigger>,
    sync_for: Option<Trigger>,
    next_fetch: Option<Moment>,
    next_sync: Option<Moment>,
    next_retry: Option<Moment>,
    repair_at: Option<Moment>,
    failures: u32,
}

impl Schedule {
    /// At the start the repository is looked at, and what it has is synced.
    pub fn new(intervals: Intervals, mode: Mode) -> Self {
        Self {
            intervals,
            mode,
            paused: false,
            ready: false,
            head: None,
            fetch_for: Some(Trigger::Start),
            fetching: None,
            sync_for: None,
            next_fetch: None,
            next_sync: None,
            next_retry: None,
            repair_at: None,
            failures: 0,
        }
    }

    /// Somebody pushed, or asks for a sync. Several wishes are one.
    pub fn ask(&mut self, why: Trigger) {
        self.fetch_for = self.fetch_for.max(Some(why));
    }

    /// Nothing is done until [`Schedule::resume`].
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Goes on.
    pub fn resume(&mut self) {
        self.paused = false;
        self.ask(Trigger::Demand);
    }

    /// Whether nothing is done.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether a look at the repository is going on that somebody asked for, or is still to come.
    pub fn is_asked(&self) -> bool {
        self.fetching.is_some() || self.fetch_for.is_some() || self.sync_for.is_some()
    }

    /// The repository was looked at; `head` is the commit to apply.
    pub fn fetched(&mut self, head: &str, now: Moment) {
        let why = self.fetching.take();
        let back = !std::mem::replace(&mut self.ready, true);
        self.next_fetch = Some(now + self.intervals.poll);
        let new = self.head.as_deref() != Some(head);
        self.head = Some(head.to_owned());
        // Flux v1 syncs only when there is something new, whoever asks.
        let wanted = match why {
            _ if new => why.filter(|why| *why != Trigger::Retry).or(Some(Trigger::Poll)),
            Some(Trigger::Demand | Trigger::Retry) if self.mode == Mode::Safe => why,
            _ if back => Some(Trigger::Recovery),
            _ => None,
        };
        self.sync_for = self.sync_for.max(wanted);
    }

    /// The repository cannot be used.
    pub fn not_ready(&mut self, now: Moment) {
        let why = self.fetching.take();
        self.ready = false;
        self.next_fetch = Some(now + self.intervals.reach);
        // What is known already can be applied again.
        if self.mode == Mode::Safe && self.head.is_some() && matches!(why, Some(Trigger::Demand | Trigger::Retry)) {
            self.sync_for = self.sync_for.max(why);
        }
    }

    /// A sync has ended.
    pub fn synced(&mut self, outcome: Outcome, now: Moment) {
        self.next_sync = Some(now + self.intervals.sync);
        if outcome == Outcome::Good {
            self.failures = 0;
            self.next_retry = None;
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let wait = backoff(self.failures, self.intervals.retry, self.intervals.sync);
        self.next_retry = (self.mode == Mode::Safe).then_some(now + wait);
    }

    /// A repair has ended; objects that failed are tried again.
    pub fn repaired(&mut self, outcome: Outcome, now: Moment) {
        if outcome == Outcome::Good {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let wait = backoff(self.failures, self.intervals.retry, self.intervals.sync);
        let retry = now + wait;
        self.next_retry = Some(self.next_retry.map_or(retry, |planned| planned.min(retry)));
    }

    /// Something in the cluster is not as it should be.
    pub fn drifted(&mut self, now: Moment) {
        self.repair_at.get_or_insert(now + self.intervals.settle);
    }

    /// A repair is due at a certain moment.
    pub fn repair_at(&mut self, moment: Moment) {
        self.repair_at = Some(self.repair_at.map_or(moment, |planned| planned.min(moment)));
    }

    /// Other intervals; timers that are running end accordingly.
    pub fn set_intervals(&mut self, intervals: Intervals, now: Moment) {
        let nearer = |planned: Option<Moment>, interval: Duration| planned.map(|moment| moment.min(now + interval));
        self.next_fetch = nearer(self.next_fetch, intervals.poll);
        self.next_sync = nearer(self.next_sync, intervals.sync);
        self.next_retry = nearer(self.next_retry, intervals.sync);
        self.intervals = intervals;
    }

    /// What is due; to be done at once, since it is not given twice.
    pub fn due(&mut self, now: Moment) -> Option<Work> {
        if self.paused {
            return None;
        }
        let over = |moment: Option<Moment>| moment.is_some_and(|moment| moment <= now);
        // Without its repository Flux v1 does nothing at all.
        let able = self.head.is_some() && (self.ready || self.mode == Mode::Safe);
        if able && over(self.next_retry) {
            // What failed may have failed because of the repository.
            self.next_retry = None;
            self.fetch_for = self.fetch_for.max(Some(Trigger::Retry));
        }
        if self.fetching.is_none() && (self.fetch_for.is_some() || over(self.next_fetch)) {
            self.next_fetch = None;
            self.fetching = self.fetch_for.take().or(Some(Trigger::Poll));
            return Some(Work::Fetch);
        }
        if able {
            let timed = over(self.next_sync).then_some(Trigger::Interval);
            if let Some(why) = self.sync_for.take().max(timed) {
                self.next_retry = None;
                self.next_sync = None;
                self.repair_at = None;
                return Some(Work::Sync(why));
            }
            if over(self.repair_at) {
                self.repair_at = None;
                return Some(Work::Repair);
            }
        }
        None
    }

    /// When there may be something due again; never, when only others can bring work.
    pub fn next(&self) -> Option<Moment> {
        if self.paused {
            return None;
        }
        if self.fetching.is_none() && self.fetch_for.is_some() {
            return Some(Moment::ZERO);
        }
        let able = self.head.is_some() && (self.ready || self.mode == Mode::Safe);
        if able && self.sync_for.is_some() {
            return Some(Moment::ZERO);
        }
        let timers = [self.next_sync, self.next_retry, self.repair_at].into_iter().filter(|_| able);
        timers.chain([self.next_fetch.filter(|_| self.fetching.is_none())]).flatten().min()
    }

    /// For countdowns.
    pub fn upcoming(&self) -> Upcoming {
        if self.paused {
            return Upcoming::default();
        }
        Upcoming { fetch: self.next_fetch, sync: self.next_sync, retry: self.next_retry }
    }
}

/// How long to wait after so many failures in a row.
pub fn backoff(failures: u32, first: Duration, most: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
    first.saturating_mul(factor).min(most.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Moment {
        Duration::from_secs(n)
    }

    /// A schedule that has fetched and synced commit `a` at second 0.
    fn settled(mode: Mode) -> Schedule {
        let mut schedule = Schedule::new(Intervals::default(), mode);
        assert_eq!(schedule.due(seconds(0)), Some(Work::Fetch));
        schedule.fetched("a", seconds(0));
        assert_eq!(schedule.due(seconds(0)), Some(Work::Sync(Trigger::Start)));
        schedule.synced(Outcome::Good, seconds(0));
        assert_eq!(schedule.due(seconds(0)), None);
        schedule
    }

    #[test]
    fn a_new_commit_is_synced_at_once() {
        for (why, mode) in [(Trigger::Push, Mode::Safe), (Trigger::Push, Mode::Strict), (Trigger::Demand, Mode::Strict)]
        {
            let mut schedule = settled(mode);
            schedule.ask(why);
            schedule.ask(why);
            assert_eq!(schedule.due(seconds(10)), Some(Work::Fetch));
            schedule.fetched("b", seconds(10));
            assert_eq!(schedule.due(seconds(10)), Some(Work::Sync(why)));
            schedule.synced(Outcome::Good, seconds(12));
            assert_eq!(schedule.upcoming().sync, Some(seconds(312)), "the timer starts again");
            assert_eq!(schedule.due(seconds(12)), None, "two wishes are one");
        }
        let mut schedule = settled(Mode::Safe);
        assert_eq!(schedule.next(), Some(seconds(300)));
        assert_eq!(schedule.due(seconds(300)), Some(Work::Fetch));
        schedule.fetched("b", seconds(300));
        assert_eq!(schedule.due(seconds(300)), Some(Work::Sync(Trigger::Poll)));
    }

    #[test]
    fn asking_syncs_an_old_commit_again_unless_it_is_flux_v1() {
        let asked = |mode| {
            let mut schedule = settled(mode);
            schedule.ask(Trigger::Demand);
            schedule.due(seconds(1));
            schedule.fetched("a", seconds(1));
            schedule.due(seconds(1))
        };
        assert_eq!(asked(Mode::Safe), Some(Work::Sync(Trigger::Demand)));
        assert_eq!(asked(Mode::Strict), None);
        let mut schedule = settled(Mode::Strict);
        schedule.due(seconds(300));
        schedule.fetched("a", seconds(300));
        assert_eq!(schedule.due(seconds(300)), Some(Work::Sync(Trigger::Interval)), "the timer does it then");
    }

    #[test]
    fn an_unreachable_repository_is_tried_again() {
        for (mode, heals) in [(Mode::Safe, true), (Mode::Strict, false)] {
            let mut schedule = settled(mode);
            schedule.due(seconds(300));
            schedule.not_ready(seconds(300));
            assert_eq!(schedule.upcoming().fetch, Some(seconds(310)));
            let work = schedule.due(seconds(300));
            assert_eq!(work, heals.then_some(Work::Sync(Trigger::Interval)));
            schedule.synced(Outcome::Good, seconds(301));
            schedule.drifted(seconds(302));
            assert_eq!(schedule.due(seconds(303)), heals.then_some(Work::Repair));
            assert_eq!(schedule.due(seconds(310)), Some(Work::Fetch));
            schedule.fetched("a", seconds(310));
            assert_eq!(schedule.due(seconds(310)), Some(Work::Sync(Trigger::Recovery)));
        }
    }

    #[test]
    fn failures_are_tried_again_more_and_more_rarely() {
        let mut schedule = settled(Mode::Safe);
        let mut now = seconds(1);
        let mut waits = Vec::new();
        for _ in 0..10 {
            schedule.synced(Outcome::Partly, now);
            let next = schedule.upcoming().retry.unwrap();
            waits.push((next - now).as_secs());
            now = next;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(schedule.due(now), Some(Work::Fetch), "a retry begins with the repository");
        schedule.not_ready(now);
        assert_eq!(schedule.due(now), Some(Work::Sync(Trigger::Retry)), "but does not depend on it");
        schedule.synced(Outcome::Good, now);
        assert_eq!(schedule.upcoming().retry, None);
        schedule.repaired(Outcome::Partly, now);
        assert_eq!(schedule.upcoming().retry, Some(now + seconds(2)));
        assert_eq!(backoff(u32::MAX, seconds(2), seconds(300)), seconds(300));
    }

    #[test]
    fn a_push_during_a_look_means_another_look() {
        let mut schedule = settled(Mode::Safe);
        schedule.ask(Trigger::Push);
        assert_eq!(schedule.due(seconds(1)), Some(Work::Fetch));
        schedule.ask(Trigger::Push);
        schedule.drifted(seconds(1));
        assert_eq!(schedule.due(seconds(2)), Some(Work::Repair), "a slow repository holds nothing up");
        assert_eq!(schedule.due(seconds(2)), None);
        schedule.fetched("b", seconds(3));
        assert_eq!(schedule.due(seconds(3)), Some(Work::Fetch));
        schedule.fetched("c", seconds(4));
        assert_eq!(schedule.due(seconds(4)), Some(Work::Sync(Trigger::Push)));
        assert_eq!(schedule.due(seconds(4)), None);
    }

    #[test]
    fn drift_is_gathered_a_moment() {
        let mut schedule = settled(Mode::Safe);
        schedule.drifted(seconds(1));
        schedule.drifted(seconds(2));
        assert_eq!(schedule.due(seconds(1)), None);
        assert_eq!(schedule.due(seconds(1) + Duration::from_millis(5)), Some(Work::Repair));
        schedule.drifted(seconds(3));
        schedule.pause();
        assert_eq!((schedule.due(seconds(900)), schedule.next()), (None, None));
        schedule.resume();
        assert_eq!(schedule.due(seconds(900)), Some(Work::Fetch));
    }
}
