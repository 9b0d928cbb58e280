//! Probes: when they are due and what comes of them.

use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::sim::image::behaviour::positive;
use crate::cluster::sim::image::http::Request;
use crate::cluster::sim::script::{self, Limits};
use crate::cluster::sim::tools::{chance, earlier, later, since};
use crate::cluster::sim::view::{Container, Probe};

use super::process::{Process, Program};
use super::timings::Timings;

/// What a probe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Startup,
    Liveness,
    Readiness,
}

pub(super) const KINDS: [Kind; 3] = [Kind::Startup, Kind::Liveness, Kind::Readiness];

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }

    pub(super) fn of(self, container: &Container) -> Option<&Probe> {
        match self {
            Self::Startup => container.startup_probe.as_ref(),
            Self::Liveness => container.liveness_probe.as_ref(),
            Self::Readiness => container.readiness_probe.as_ref(),
        }
    }
}

/// One probe's state.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Track {
    pub(super) next: Option<Timestamp>,
    pub(super) successes: u32,
    pub(super) failures: u32,
    count: u32,
}

/// The state of a container's probes.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracking {
    tracks: [Track; 3],
    /// Whether the probes after the startup probe are at work.
    pub(super) begun: bool,
    /// The version of the images that the results hold for.
    revision: u64,
}

impl Tracking {
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.tracks.iter().fold(None, |next, track| earlier(next, track.next))
    }

    pub(super) fn track(&mut self, kind: Kind) -> &mut Track {
        &mut self.tracks[kind as usize]
    }

    /// The probe that is due at a time.
    pub(super) fn due(&self, time: Timestamp) -> Option<Kind> {
        KINDS.into_iter().find(|kind| self.tracks[*kind as usize].next.is_some_and(|next| next <= time))
    }

    /// Sets the first times: of the startup probe alone, if there is one, until it has succeeded.
    pub(super) fn begin(
        &mut self,
        container: &Container,
        since: Timestamp,
        now: Timestamp,
        started: bool,
        timings: &Timings,
    ) {
        self.begun = true;
        self.tracks = [Track::default(); 3];
        for kind in KINDS {
            let wanted = if kind == Kind::Startup { !started } else { started };
            let Some(probe) = kind.of(container).filter(|_| wanted) else { continue };
            let first = later(since, Duration::from_secs(probe.initial_delay_seconds));
            self.track(kind).next = Some(later(first.max(now), timings.probe));
        }
    }

    /// Looks again when images behave differently than before.
    pub(super) fn refresh(&mut self, container: &Container, revision: u64, since: Timestamp, now: Timestamp) {
        if std::mem::replace(&mut self.revision, revision) == revision {
            return;
        }
        for kind in KINDS {
            let track = self.track(kind);
            let at_rest = track.next.is_none() && track.count > 0;
            let Some(probe) = kind.of(container).filter(|_| at_rest) else { continue };
            let period = period(probe);
            let rounds = (now.duration_since(since).as_secs().max(0) as u64 / period.as_secs().max(1)) + 1;
            track.next = Some(later(since, Duration::from_secs(rounds.saturating_mul(period.as_secs()))));
        }
    }
}

fn period(probe: &Probe) -> Duration {
    Duration::from_secs(if probe.period_seconds == 0 { 10 } else { probe.period_seconds })
}

/// What a probe found.
pub(super) struct Finding {
    /// Why it failed, if it did.
    pub(super) failure: Option<String>,
    /// Whether it would find the same at any later time.
    steady: bool,
}

impl Track {
    /// Counts a finding and sets the next time. Says whether a threshold was reached: `Some(true)` of successes.
    pub(super) fn count(&mut self, probe: &Probe, finding: &Finding, at: Timestamp) -> Option<bool> {
        self.count = self.count.saturating_add(1);
        let threshold = |wanted: u32, default: u32| if wanted == 0 { default } else { wanted };
        let reached = if finding.failure.is_some() {
            self.successes = 0;
            self.failures = self.failures.saturating_add(1);
            (self.failures >= threshold(probe.failure_threshold, 3)).then_some(false)
        } else {
            self.failures = 0;
            self.successes = self.successes.saturating_add(1);
            (self.successes >= threshold(probe.success_threshold, 1)).then_some(true)
        };
        let rests = finding.steady && finding.failure.is_none() && reached.is_some();
        self.next = (!rests).then(|| later(at, period(probe)));
        reached
    }
}

/// Tries a probe of a container that runs since `since`.
pub(super) fn attempt(
    process: &Process<'_>,
    probe: &Probe,
    number: u32,
    since_start: Timestamp,
    at: Timestamp,
) -> Finding {
    let behaviour = process.around.images.behaviour(&process.container.image);
    let program = process.program();
    let age = since(at, since_start);
    if let Some(exec) = &probe.exec {
        return match program {
            Program::Script { text, arguments } => command(process, &exec.command, &text, arguments, since_start, age),
            _ => Finding { failure: None, steady: true },
        };
    }
    let Program::Own(_) = program else { return Finding { failure: None, steady: true } };
    let port = probe.http_get.as_ref().map_or(String::new(), |get| get.port.to_string().replace('"', ""));
    let address = format!("{}:{port}", process.pod.status.pod_ip);
    if age < positive(behaviour.ready) {
        let failure = format!("dial tcp {address}: connect: connection refused");
        return Finding { failure: Some(failure), steady: false };
    }
    let Some(get) = &probe.http_get else { return Finding { failure: None, steady: true } };
    let path = if get.path.is_empty() { "/" } else { &get.path };
    let drawn = chance(u64::from(number), &[process.pod.metadata.uid.as_bytes(), path.as_bytes()]);
    let answer = process.answer(&Request { chance: drawn, ..Request::get(path) });
    let limit = Duration::from_secs(probe.timeout_seconds.max(1));
    let failure = if answer.latency > limit {
        Some(format!(
            "Get \"http://{address}{path}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        ))
    } else if (200..400).contains(&answer.status) {
        None
    } else {
        Some(format!("HTTP probe failed with statuscode: {}", answer.status))
    };
    Finding { failure, steady: behaviour.faults.rate <= 0.0 }
}

/// A command in a container that plays a script: it sees the files that the script has made by then.
fn command(
    process: &Process<'_>,
    words: &[String],
    text: &str,
    arguments: Vec<String>,
    began: Timestamp,
    age: Duration,
) -> Finding {
    let paths =
        words.iter().flat_map(|word| word.split_whitespace()).filter(|word| word.starts_with('/') && word.len() > 1);
    let strange = |path: &str| !text.contains(path) && !path.starts_with("/bin/") && !path.starts_with("/usr/");
    if paths.into_iter().any(strange) {
        // It is about something that only the real image has.
        return Finding { failure: None, steady: true };
    }
    let setting = process.setting(began, arguments);
    let limits = Limits { until: age, lines: 1, ..Limits::default() };
    let files = script::run(text, &setting, limits).files;
    let limits = Limits { until: Duration::from_secs(60), lines: 20, steps: 5000, ..Limits::default() };
    let outcome = script::run_words(words, &script::Setting { files, ..setting }, limits);
    let failure = match outcome.end {
        Some((_, 0)) => None,
        Some(_) => Some(outcome.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")),
        None => Some("command timed out".to_owned()),
    };
    Finding { failure, steady: false }
}

impl Track {
    /// How often it was tried.
    pub(super) fn tries(&self) -> u32 {
        self.count
    }
}
