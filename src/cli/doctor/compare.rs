//! A rehearsal and today → what is different. Pure.

use std::collections::BTreeMap;

use crate::recording::facts::Facts;

use super::args::Area;
use super::finding::{Finding, Level, finding};

/// The last rehearsal of a deck that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Then {
    /// When it began: `14:02`.
    pub(super) when: String,
    pub(super) started_ms: u64,
    /// The hash of the deck's text.
    pub(super) hash: String,
    /// None for runs that do not say what they were made with.
    pub(super) facts: Option<Facts>,
}

/// A deck as it is today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deck {
    pub(super) path: String,
    pub(super) hash: String,
    pub(super) then: Option<Then>,
}

/// What a cluster says today.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cluster {
    pub(super) version: String,
    /// The digests that the cluster has of images, by the images' names; none of an image that it would have to pull.
    /// Nothing when nobody can say.
    pub(super) images: BTreeMap<String, Option<String>>,
}

/// This machine, today.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Today {
    pub(super) foredeck: String,
    pub(super) program: String,
    pub(super) offset_s: i32,
    pub(super) now_ms: u64,
    /// Bytes that are free where runs are recorded.
    pub(super) free: Option<u64>,
    /// Why the ports of rehearsals cannot be had; those that can are not in it.
    pub(super) ports: BTreeMap<u16, String>,
    /// What the clusters of rehearsals say, or why they do not.
    pub(super) clusters: BTreeMap<String, Result<Cluster, String>>,
}

/// With less than this no talk is recorded to its end.
const ROOM: u64 = 64 * 1024 * 1024;
/// Clocks are set now and then.
const SLACK_MS: u64 = 60_000;

/// What is different from the rehearsals; each thing once. Decks without anything live are not in `decks`.
pub(super) fn compared(decks: &[Deck], today: &Today) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    for deck in decks {
        for found in differences(deck, today) {
            if !out.contains(&found) {
                out.push(found);
            }
        }
    }
    if let Some(free) = today.free.filter(|free| *free < ROOM && !decks.is_empty()) {
        let text = format!("only {} MB are free where runs are recorded", free / 1024 / 1024);
        out.push(problem(Level::Problem, text).fix("make room, or record nothing with `--no-record`"));
    }
    if out.is_empty() {
        let text = match decks {
            [] => "nothing in these decks is live, so there is nothing to rehearse".to_owned(),
            [deck] => {
                let when = deck.then.as_ref().map_or("", |then| then.when.as_str());
                format!("all is as in the rehearsal of {when}")
            }
            decks => format!("all is as in the rehearsals of {} decks", decks.len()),
        };
        out.push(problem(Level::Ok, text));
    }
    out
}

/// There are no decks to compare.
pub(super) fn no_decks(why: &str) -> Vec<Finding> {
    vec![problem(Level::Warning, why).fix("name them: `foredeck doctor rehearsal --decks DIR`")]
}

fn problem(level: Level, text: impl Into<String>) -> Finding {
    finding(Area::Rehearsal, level, text)
}

fn differences(deck: &Deck, today: &Today) -> Vec<Finding> {
    let again = format!("`foredeck rehearse {}` goes through it once more", deck.path);
    let Some(then) = &deck.then else {
        let text = format!("there is no rehearsal of `{}` in which every step passed", deck.path);
        return vec![problem(Level::Warning, text).fix(again)];
    };
    let mut out = Vec::new();
    if then.hash != deck.hash {
        let text = format!("`{}` has changed since the rehearsal of {}", deck.path, then.when);
        out.push(problem(Level::Warning, text).fix(again.clone()));
    }
    if today.now_ms + SLACK_MS < then.started_ms {
        let text = format!("this machine's clock is before the rehearsal of {}", then.when);
        out.push(problem(Level::Problem, text).fix("set the clock: certificates and commits depend on it"));
    }
    let Some(facts) = &then.facts else {
        let text = format!("the rehearsal of {} does not say what it was made with", then.when);
        out.push(problem(Level::Warning, text).fix(again));
        return out;
    };
    out.extend(machine(facts, today, &again));
    out.extend(cluster(facts, today, &again));
    out
}

fn machine(facts: &Facts, today: &Today, again: &str) -> Vec<Finding> {
    let mut out = Vec::new();
    if facts.foredeck != today.foredeck {
        let text = format!("foredeck is {}, and was {}", today.foredeck, facts.foredeck);
        out.push(problem(Level::Warning, text).fix(again));
    } else if facts.program != today.program && !facts.program.is_empty() && !today.program.is_empty() {
        let text = format!("this is another build of foredeck {}", today.foredeck);
        out.push(problem(Level::Warning, text).fix(again));
    }
    if facts.offset_s != today.offset_s {
        let text = format!("the clock is at UTC{}, and was at UTC{}", zone(today.offset_s), zone(facts.offset_s));
        out.push(problem(Level::Warning, text).fix("set the time zone, when the talk shows times of day"));
    }
    if let Some((port, why)) = facts.port.and_then(|port| Some((port, today.ports.get(&port)?))) {
        let text = format!("the port {port} of the rehearsal cannot be had: {why}");
        out.push(problem(Level::Problem, text).fix("end what uses it, or choose another with `--port`"));
    }
    out
}

fn cluster(facts: &Facts, today: &Today, again: &str) -> Vec<Finding> {
    let name = &facts.cluster;
    let cluster = match today.clusters.get(name) {
        None => return Vec::new(),
        Some(Err(why)) => {
            let text = format!("the cluster `{name}` of the rehearsal is not there: {why}");
            let fix = format!("`foredeck cluster up --cluster {name}`");
            return vec![problem(Level::Problem, text).fix(fix)];
        }
        Some(Ok(cluster)) => cluster,
    };
    let mut out = Vec::new();
    if cluster.version != facts.version && !facts.version.is_empty() {
        let text = format!("the cluster `{name}` is {}, and was {}", cluster.version, facts.version);
        out.push(problem(Level::Warning, text).fix(again));
    }
    for (image, was) in &facts.images {
        match cluster.images.get(image) {
            Some(Some(is)) if digest(is) != digest(was) => {
                let text = format!("`{image}` is {}, and was {}", short(is), short(was));
                out.push(problem(Level::Warning, text).fix(again));
            }
            Some(None) => {
                let text = format!("`{image}` is not on the nodes of `{name}`: it is pulled during the talk");
                let fix = "go through the talk once on this cluster, so that its nodes have it";
                out.push(problem(Level::Warning, text).fix(fix));
            }
            _ => {}
        }
    }
    out
}

/// `sha256:…` of `repository@sha256:…`.
fn digest(id: &str) -> &str {
    id.rsplit_once('@').map_or(id, |(_, digest)| digest)
}

/// As much of a digest as people compare.
fn short(id: &str) -> String {
    digest(id).chars().take("sha256:".len() + 12).collect()
}

/// `+02:00`
fn zone(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
