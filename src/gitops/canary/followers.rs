//! The fleet of followers: simulated requests to the versions of a canary, the same for the same seed.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::checks::{Kind, NoValue};
use super::effect::Routes;

/// How far back requests are known.
const KEPT: usize = 512;
/// The most seconds of a window that are looked at.
const LONGEST: i64 = 3600;
/// The most requests in a second to one version.
const MOST: u32 = 500;

/// Which version answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// The one that everybody has.
    Primary,
    /// The one that is judged.
    Canary,
}

/// How well a version does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// Percent of requests that succeed.
    pub success: f64,
    /// How long 99 of 100 requests take at most.
    pub latency: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self { success: 100.0, latency: Duration::from_millis(20) }
    }
}

impl Faults {
    /// The same with numbers that make sense.
    fn sound(self) -> Self {
        let success = if self.success.is_finite() { self.success.clamp(0.0, 100.0) } else { 100.0 };
        Self { success, latency: self.latency.min(Duration::from_mins(1)) }
    }

    /// Both at once.
    pub(super) fn with(self, other: Self) -> Self {
        Self { success: self.success.min(other.success), latency: self.latency.max(other.latency) }
    }
}

/// What primary and canary do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Pair {
    primary: Faults,
    canary: Faults,
}

impl Pair {
    fn of(&self, backend: Backend) -> Faults {
        match backend {
            Backend::Primary => self.primary,
            Backend::Canary => self.canary,
        }
    }

    fn of_mut(&mut self, backend: Backend) -> &mut Faults {
        match backend {
            Backend::Primary => &mut self.primary,
            Backend::Canary => &mut self.canary,
        }
    }
}

/// What holds from a time on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    from: Timestamp,
    routes: Routes,
    /// As somebody wants it.
    set: Pair,
    /// By what the versions are.
    own: Pair,
    /// A load test.
    load: Load,
}

/// The requests of a load test.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Load {
    /// So many per second.
    rate: f64,
    /// Until then.
    until: Timestamp,
    /// To the canary itself, and not through the service that clients use.
    direct: bool,
}

/// The requests to one canary.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// Which of all possible fleets.
    seed: u64,
    /// Requests per second.
    rate: f64,
    spans: VecDeque<Span>,
}

impl Traffic {
    /// A fleet of so many requests per second, which starts at a time.
    pub fn new(seed: u64, rate: f64, from: Timestamp) -> Self {
        let rate = if rate.is_finite() { rate.clamp(0.0, f64::from(MOST)) } else { 0.0 };
        let span = Span {
            from,
            routes: Routes::PRIMARY,
            set: Pair::default(),
            own: Pair::default(),
            load: Load { rate: 0.0, until: from, direct: false },
        };
        Self { seed, rate, spans: VecDeque::from([span]) }
    }

    fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut Span)) {
        let Some(last) = self.spans.back().copied() else { return };
        let mut span = Span { from: at.max(last.from), ..last };
        change(&mut span);
        if span.from == last.from {
            self.spans.pop_back();
        }
        self.spans.push_back(span);
        if self.spans.len() > KEPT {
            self.spans.pop_front();
        }
    }

    /// Requests go there from now on.
    pub fn route(&mut self, at: Timestamp, routes: Routes) {
        if self.spans.back().is_some_and(|span| span.routes != routes) {
            self.change(at, |span| span.routes = routes);
        }
    }

    /// A version does no better than this from now on, because somebody wants it so.
    pub fn set_faults(&mut self, at: Timestamp, backend: Backend, faults: Faults) {
        self.change(at, |span| *span.set.of_mut(backend) = faults.sound());
    }

    /// How well a version does as somebody wants it.
    pub fn faults(&self, backend: Backend) -> Faults {
        self.spans.back().map_or_else(Faults::default, |span| span.set.of(backend))
    }

    /// A version does no better than this from now on, because of what it is.
    pub fn set_own(&mut self, at: Timestamp, backend: Backend, faults: Faults) {
        let faults = faults.sound();
        if self.spans.back().is_some_and(|span| span.own.of(backend) != faults) {
            self.change(at, |span| *span.own.of_mut(backend) = faults);
        }
    }

    /// A load test sends requests: to the canary itself, or to the service that clients use.
    pub fn load(&mut self, at: Timestamp, rate: f64, lasts: Duration, direct: bool) {
        let rate = if rate.is_finite() { rate.clamp(0.0, f64::from(MOST)) } else { 0.0 };
        let until = at.checked_add(lasts.min(Duration::from_hours(1))).unwrap_or(at);
        self.change(at, |span| span.load = Load { rate, until, direct });
    }

    /// What a window that ends at a time shows of a version.
    ///
    /// # Errors
    /// When there was no request in it.
    pub fn measure(&self, backend: Backend, kind: Kind, window: f64, now: Timestamp) -> Result<f64, NoValue> {
        #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
        let seconds = (window.ceil() as i64).clamp(1, LONGEST);
        let mut all = Vec::new();
        let end = now.as_second();
        for second in end.saturating_sub(seconds)..end {
            self.second(backend, second, &mut all);
        }
        if all.is_empty() {
            return Err(NoValue::Empty);
        }
        let count = u32::try_from(all.len()).map_or(f64::MAX, f64::from);
        if kind != Kind::Duration {
            let good = all.iter().filter(|request| request.good).count();
            return Ok(u32::try_from(good).map_or(f64::MAX, f64::from) / count * 100.0);
        }
        all.sort_by(|a, b| a.millis.total_cmp(&b.millis));
        let place = (all.len() * 99).div_ceil(100).saturating_sub(1);
        all.get(place).map(|request| request.millis).ok_or(NoValue::Empty)
    }

    /// The requests of a second.
    fn second(&self, backend: Backend, second: i64, all: &mut Vec<Request>) {
        // What held when the second began; of changes within it, the next second shows.
        let Some(span) = self.spans.iter().rev().find(|span| span.from.as_second() <= second) else { return };
        let load = if second < span.load.until.as_second() { span.load.rate } else { 0.0 };
        let (direct, apex) = if span.load.direct { (load, self.rate) } else { (0.0, self.rate + load) };
        let copies = if span.routes.mirror { apex } else { 0.0 };
        let rate = match backend {
            Backend::Primary => apex * share(span.routes.primary),
            Backend::Canary => apex * share(span.routes.canary) + copies + direct,
        };
        let faults = span.set.of(backend).with(span.own.of(backend));
        let mut dice = Dice::new(self.seed, backend, second);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
        let whole = (rate as u32).min(MOST);
        let more = u32::from(dice.roll() < rate.fract());
        for _ in 0..whole + more {
            let good = dice.roll() * 100.0 < faults.success;
            // Most are quick, one in a hundred takes the whole time and a little more.
            let slow = (dice.roll() / 0.99).powi(6);
            let millis = faults.latency.as_secs_f64() * 1000.0 * (0.3 + 0.7 * slow);
            all.push(Request { good, millis });
        }
    }
}

fn share(percent: i64) -> f64 {
    f64::from(u32::try_from(percent.clamp(0, 100)).unwrap_or(0)) / 100.0
}

struct Request {
    good: bool,
    millis: f64,
}

/// Numbers that look random and are always the same.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    fn new(seed: u64, backend: Backend, second: i64) -> Self {
        let mut dice = Self::of(seed, second.unsigned_abs());
        if backend == Backend::Canary {
            dice.draw();
        }
        dice
    }

    /// Dice for a seed and a number.
    pub fn of(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next number: splitmix64.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1, below 1.
    fn roll(&mut self) -> f64 {
        let bits = u32::try_from(self.draw() >> 32).unwrap_or(0);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn fleet() -> Traffic {
        let mut traffic = Traffic::new(7, 100.0, at(0));
        traffic.route(at(10), Routes { primary: 50, canary: 50, mirror: false });
        traffic
    }

    #[test]
    fn a_version_without_requests_shows_nothing() {
        let traffic = fleet();
        assert_eq!(traffic.measure(Backend::Canary, Kind::SuccessRate, 10.0, at(10)), Err(NoValue::Empty));
        assert_eq!(traffic.measure(Backend::Canary, Kind::SuccessRate, 10.0, at(20)), Ok(100.0));
        assert_eq!(traffic.measure(Backend::Primary, Kind::SuccessRate, 60.0, at(-100)), Err(NoValue::Empty));
    }

    #[test]
    fn faults_show_as_they_were_set() {
        let mut traffic = fleet();
        let faults = Faults { success: 80.0, latency: Duration::from_millis(600) };
        traffic.set_faults(at(10), Backend::Canary, faults);
        let rate = traffic.measure(Backend::Canary, Kind::SuccessRate, 60.0, at(70)).unwrap();
        assert!((rate - 80.0).abs() < 3.0, "{rate}");
        let time = traffic.measure(Backend::Canary, Kind::Duration, 60.0, at(70)).unwrap();
        assert!((time - 600.0).abs() < 30.0, "{time}");
        assert_eq!(traffic.measure(Backend::Primary, Kind::SuccessRate, 60.0, at(70)), Ok(100.0));
    }

    #[test]
    fn a_version_is_as_bad_as_it_is_and_as_somebody_wants_it() {
        let mut traffic = fleet();
        let own = Faults { success: 60.0, ..Faults::default() };
        traffic.set_own(at(10), Backend::Canary, own);
        assert_eq!(traffic.faults(Backend::Canary), Faults::default());
        let rate = |traffic: &Traffic| traffic.measure(Backend::Canary, Kind::SuccessRate, 60.0, at(70)).unwrap();
        assert!((rate(&traffic) - 60.0).abs() < 4.0, "{}", rate(&traffic));
        traffic.set_faults(at(10), Backend::Canary, Faults { success: 20.0, ..Faults::default() });
        assert!((rate(&traffic) - 20.0).abs() < 4.0, "{}", rate(&traffic));
        // What was the same before is no change.
        let before = traffic.spans.len();
        traffic.set_own(at(80), Backend::Canary, own);
        assert_eq!(traffic.spans.len(), before);
    }

    #[test]
    fn the_same_seed_gives_the_same_requests() {
        let faults = Faults { success: 95.0, ..Faults::default() };
        let of = |seed| {
            let mut traffic = Traffic { seed, ..fleet() };
            traffic.set_faults(at(10), Backend::Canary, faults);
            traffic.measure(Backend::Canary, Kind::SuccessRate, 60.0, at(70)).unwrap()
        };
        assert_eq!(of(1).to_bits(), of(1).to_bits());
        assert_ne!(of(1).to_bits(), of(2).to_bits());
    }

    #[test]
    fn a_load_test_reaches_a_canary_without_weight() {
        let mut traffic = Traffic::new(1, 0.0, at(0));
        traffic.load(at(5), 20.0, Duration::from_secs(10), true);
        assert_eq!(traffic.measure(Backend::Canary, Kind::SuccessRate, 5.0, at(12)), Ok(100.0));
        assert_eq!(traffic.measure(Backend::Canary, Kind::SuccessRate, 5.0, at(30)), Err(NoValue::Empty));
    }

    #[test]
    fn a_load_test_of_the_service_is_shared_by_the_weights() {
        let mut traffic = Traffic::new(1, 0.0, at(0));
        traffic.load(at(0), 20.0, Duration::from_mins(1), false);
        assert_eq!(traffic.measure(Backend::Canary, Kind::SuccessRate, 5.0, at(10)), Err(NoValue::Empty));
        traffic.route(at(10), Routes::CANARY);
        assert_eq!(traffic.measure(Backend::Canary, Kind::SuccessRate, 5.0, at(20)), Ok(100.0));
    }

    #[test]
    fn nonsense_is_made_sound_and_memory_is_bounded() {
        let mut traffic = Traffic::new(1, f64::NAN, at(0));
        traffic.set_faults(at(1), Backend::Canary, Faults { success: f64::NAN, latency: Duration::MAX });
        assert_eq!(traffic.faults(Backend::Canary).success.to_bits(), 100.0_f64.to_bits());
        for second in 0..2000 {
            traffic.load(at(second), 1.0, Duration::MAX, false);
        }
        assert!(traffic.spans.len() <= KEPT);
        let _ = traffic.measure(Backend::Canary, Kind::Duration, f64::INFINITY, at(2000));
    }
}
