//! What the containers of an image print when they are not told a script.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::behaviour::{Logs, positive};
use super::manifest;
use crate::cluster::sim::script::{Line, Outcome, Stream};
use crate::cluster::sim::tools::later;

/// What can stand in a line's template.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// `{pod}`.
    pub pod: String,
    /// `{namespace}`.
    pub namespace: String,
    /// `{ip}`.
    pub ip: String,
    /// `{version}`: the image's tag.
    pub version: String,
    /// `{image}`.
    pub image: String,
    /// When the container started.
    pub began: Timestamp,
}

/// The lines of the first `until`, at most the last `most` of them.
pub fn lines(logs: &Logs, facts: &Facts, until: Duration, most: usize) -> Outcome {
    let mut lines = VecDeque::new();
    // Start-up lines are some milliseconds apart, so that time stamps do not look made up.
    for (number, text) in (0u32..).zip(&logs.start) {
        let at = Duration::from_millis(u64::from(number) * 7 % 900);
        if at <= until {
            lines.push_back(line(text, facts, at, number));
        }
    }
    let every = positive(logs.every);
    let mut next = None;
    if !logs.again.is_empty() && !every.is_zero() {
        let rounds = u64::try_from(until.as_nanos() / every.as_nanos()).unwrap_or(u64::MAX);
        let kept = u64::try_from(most.div_ceil(logs.again.len())).unwrap_or(u64::MAX);
        for round in rounds.saturating_sub(kept)..rounds {
            let at = times(every, round.saturating_add(1));
            let number = u32::try_from(round % 1_000_000_000).unwrap_or(0);
            lines.extend(logs.again.iter().map(|text| line(text, facts, at, number)));
        }
        next = Some(times(every, rounds.saturating_add(1)));
    }
    while lines.len() > most {
        lines.pop_front();
    }
    Outcome { lines, next, ..Outcome::default() }
}

fn times(duration: Duration, count: u64) -> Duration {
    let nanos = duration.as_nanos().saturating_mul(u128::from(count));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn line(template: &str, facts: &Facts, at: Duration, number: u32) -> Line {
    Line { at, stream: Stream::Out, text: filled(template, facts, at, number), ended: true }
}

fn filled(template: &str, facts: &Facts, at: Duration, number: u32) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let value = rest.find('}').and_then(|end| Some((value(&rest[1..end], facts, at, number)?, end)));
        match value {
            Some((value, end)) => {
                text.push_str(&value);
                rest = &rest[end + 1..];
            }
            None => {
                text.push('{');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

fn value(name: &str, facts: &Facts, at: Duration, number: u32) -> Option<String> {
    let time = later(facts.began, at);
    Some(match name {
        "pod" => facts.pod.clone(),
        "namespace" => facts.namespace.clone(),
        "ip" => facts.ip.clone(),
        "version" => facts.version.clone(),
        "image" => facts.image.clone(),
        "n" => number.to_string(),
        "time" => time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "unix" => time.as_second().to_string(),
        "key" => public_key(&format!("{}/{}", facts.namespace, facts.image)),
        _ => return None,
    })
}

/// Something that looks like an RSA key and is none.
fn public_key(seed: &str) -> String {
    let bytes: Vec<u8> =
        (0..8u8).flat_map(|part| manifest::hex(format!("{seed}{part}").as_bytes()).into_bytes()).collect();
    let body: String = STANDARD.encode(bytes).chars().filter(char::is_ascii_alphanumeric).take(338).collect();
    format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC{body}")
}
