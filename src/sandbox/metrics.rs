//! The reconciler and the scanner of images in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::automation::View;
use crate::gitops::explain::State;
use crate::gitops::record::{Ending, SyncRecord};
use crate::gitops::schedule::Trigger;
use crate::gitops::status::Status;
use crate::registry::scan::State as Scan;

/// A family of samples: labels and values.
fn family(out: &mut String, name: &str, help: &str, samples: impl IntoIterator<Item = (String, f64)>) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}

fn label(name: &str, value: impl Display) -> String {
    format!("{name}=\"{value}\"")
}

fn count(number: usize) -> f64 {
    number as f64
}

fn one(value: f64) -> [(String, f64); 1] {
    [(String::new(), value)]
}

/// What there is to measure.
pub fn text(status: &Status, images: &View) -> String {
    let mut out = String::new();
    let ready = f64::from(u8::from(status.source.is_ready()));
    family(&mut out, "flux_git_ready", "Whether the repository can be used.", one(ready));
    let ended = || status.history.iter().filter(|record| record.ended.is_some());
    let last: [Option<&SyncRecord>; 2] = [true, false]
        .map(|good| ended().rev().find(|record| (record.ending == Ending::Good) == good).map(|record| &**record));
    let by_success = |value: fn(&SyncRecord) -> f64| {
        let both = [("true", last[0]), ("false", last[1])];
        let found = both.into_iter().filter_map(move |(good, record)| Some((label("success", good), value(record?))));
        found.collect::<Vec<_>>()
    };
    let durations = by_success(|record| record.durations.all_ms / 1000.0);
    family(&mut out, "flux_daemon_sync_duration_seconds", "How long the last sync of each kind took.", durations);
    let manifests = by_success(|record| count(record.counts.objects));
    family(&mut out, "flux_daemon_sync_manifests", "Objects in git at the last sync of each kind.", manifests);
    let number = status.last().map_or(0, |record| record.number);
    let number = count(usize::try_from(number).unwrap_or(usize::MAX));
    family(&mut out, "foredeck_reconciler_syncs", "Syncs so far, earlier runs included.", one(number));
    let of = |wanted: &dyn Fn(&SyncRecord) -> bool| count(ended().filter(|record| wanted(record)).count());
    let failures = of(&|record| matches!(record.ending, Ending::Failed | Ending::Partly));
    family(
        &mut out,
        "foredeck_reconciler_recent_failures",
        "Of the last 100 syncs, those that went wrong.",
        one(failures),
    );
    let repairs = of(&|record| record.trigger == Trigger::Drift);
    family(
        &mut out,
        "foredeck_reconciler_recent_drift_repairs",
        "Of the last 100 syncs, repairs of drift.",
        one(repairs),
    );
    family(&mut out, "foredeck_reconciler_objects", "Objects by state.", objects(status));
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for scan in images.scans.values() {
        *states.entry(word(&scan.state)).or_default() += 1;
    }
    let states = states.into_iter().map(|(state, number)| (label("state", state), count(number)));
    family(&mut out, "foredeck_images", "Images that are looked for in registries, by state.", states);
    let tags = images.scans.values().map(|scan| scan.knowledge.tags.len()).sum();
    family(&mut out, "foredeck_image_tags", "Tags that are known.", one(count(tags)));
    let commits = count(images.commits.len());
    family(&mut out, "foredeck_recent_image_commits", "Commits of new images, the last 50 at most.", one(commits));
    out
}

fn objects(status: &Status) -> Vec<(String, f64)> {
    const STATES: [(State, &str); 7] = [
        (State::InSync, "in-sync"),
        (State::Applying, "applying"),
        (State::OutOfSync, "out-of-sync"),
        (State::Ignored, "ignored"),
        (State::Failed, "failed"),
        (State::Pruned, "pruned"),
        (State::Waiting, "waiting"),
    ];
    let counts = status.counts();
    STATES.map(|(state, word)| (label("state", word), count(counts.get(&state).copied().unwrap_or(0)))).to_vec()
}

fn word(state: &Scan) -> &'static str {
    match state {
        Scan::NotScanned => "not-scanned",
        Scan::Excluded => "excluded",
        Scan::NoCredentials => "no-credentials",
        Scan::RateLimited { .. } => "rate-limited",
        Scan::Failed { .. } => "failed",
        Scan::Scanned { .. } => "scanned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_there_before_anything_happened() {
        let text = text(&Status::default(), &View::default());
        for wanted in [
            "flux_git_ready 0\n",
            "foredeck_reconciler_objects{state=\"failed\"} 0\n",
            "# TYPE flux_daemon_sync_duration_seconds gauge\n",
            "foredeck_image_tags 0\n",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }
}
