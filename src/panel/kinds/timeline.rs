//! `timeline`: commits, syncs, drift and repairs with measured seconds.

use jiff::Timestamp;

use super::short;
use crate::gitops::record::{Changed, Ending, SyncRecord, Verb};
use crate::gitops::schedule::Trigger;
use crate::gitops::status::Status;
use crate::panel::state::{Body, Mark, Moment};

pub(super) fn body(status: &Status, most: usize) -> Body {
    let mut moments: Vec<Moment> = status.history.iter().flat_map(|record| of(record)).collect();
    moments.drain(..moments.len().saturating_sub(most));
    Body::Timeline { moments }
}

/// What a sync has to tell; one that changed nothing tells nothing.
fn of(record: &SyncRecord) -> Vec<Moment> {
    let mut moments = Vec::new();
    for commit in record.commits.iter().rev() {
        let at = Timestamp::from_second(commit.time).unwrap_or(record.started);
        let text = format!("{} {} ({})", short(&commit.id), commit.subject, commit.author.name);
        let key = format!("commit {}", commit.id);
        moments.push(Moment { key, at, what: "commit".to_owned(), text, seconds: None, mark: Mark::Plain });
    }
    let drift = record.trigger == Trigger::Drift;
    if record.changed.is_empty() && record.ending == Ending::Good && record.commits.is_empty() {
        return moments;
    }
    if drift && !record.changed.is_empty() {
        let text = changes(&record.changed, |change| match change.verb {
            Verb::Created => "is gone".to_owned(),
            Verb::Configured => format!("was changed{}", fields(change)),
            Verb::Pruned => "should not be there".to_owned(),
        });
        let (key, at) = (format!("drift {}", record.number), record.started);
        moments.push(Moment { key, at, what: "drift".to_owned(), text, seconds: None, mark: Mark::Bad });
    }
    let mark = match record.ending {
        Ending::Running => Mark::Busy,
        Ending::Good => Mark::Good,
        Ending::Partly | Ending::Failed | Ending::Interrupted => Mark::Bad,
    };
    let text = match &record.error {
        Some(error) => error.clone(),
        None if record.changed.is_empty() => "nothing to change".to_owned(),
        None => changes(&record.changed, |change| {
            let done = match change.verb {
                Verb::Created => "created",
                Verb::Configured => "configured",
                Verb::Pruned => "deleted",
            };
            done.to_owned()
        }),
    };
    moments.push(Moment {
        key: format!("sync {}", record.number),
        at: record.ended.unwrap_or(record.started),
        what: if drift { "repair" } else { "sync" }.to_owned(),
        text,
        seconds: record.ended.map(|_| record.durations.all_ms / 1000.0),
        mark,
    });
    moments
}

/// The first changes, and how many more there are.
fn changes(changed: &[Changed], word: impl Fn(&Changed) -> String) -> String {
    const NAMED: usize = 2;
    let one = |change: &Changed| {
        let name = change.id.split_once(':').map_or(change.id.as_str(), |(_, name)| name);
        format!("{name} {}", word(change))
    };
    let mut text = changed.iter().take(NAMED).map(one).collect::<Vec<_>>().join(", ");
    if changed.len() > NAMED {
        text.push_str(&format!(", +{} more", changed.len() - NAMED));
    }
    text
}

/// The fields of an object that were changed: `: metadata.labels.team, spec.replicas`.
fn fields(change: &Changed) -> String {
    const NAMED: usize = 2;
    let mut text = String::new();
    for (number, field) in change.fields.iter().take(NAMED).enumerate() {
        text.push_str(if number == 0 { ": " } else { ", " });
        text.push_str(&field.path);
    }
    if change.fields.len() > NAMED {
        text.push_str(&format!(", +{} more", change.fields.len() - NAMED));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::diff::Difference;
    use crate::gitops::git::Person;
    use crate::gitops::git::history::Commit;

    fn record(number: u64, trigger: Trigger, changed: &[(&str, Verb)]) -> SyncRecord {
        let mut record = SyncRecord::begin(number, trigger, Timestamp::UNIX_EPOCH);
        let one = |(id, verb): &(&str, Verb)| Changed { id: (*id).to_owned(), verb: *verb, fields: Vec::new() };
        record.changed = changed.iter().map(one).collect();
        record.ending = Ending::Good;
        record.ended = Some(Timestamp::UNIX_EPOCH);
        record.durations.all_ms = 41.0;
        record
    }

    #[test]
    fn a_push_and_a_repair_are_told_with_their_seconds() {
        let id = "demo:deployment/podinfo";
        let mut push = record(1, Trigger::Push, &[(id, Verb::Created)]);
        push.commits.push(Commit {
            id: "0123456789".to_owned(),
            parents: Vec::new(),
            author: Person::parse("Ann <ann@example.com>"),
            time: 0,
            subject: "Add podinfo".to_owned(),
            signature: None,
        });
        let told = |record: &SyncRecord| -> Vec<String> {
            of(record).iter().map(|moment| format!("{}: {} {:?}", moment.what, moment.text, moment.seconds)).collect()
        };
        assert_eq!(
            told(&push),
            ["commit: 0123456 Add podinfo (Ann) None", "sync: deployment/podinfo created Some(0.041)"]
        );
        assert_eq!(
            told(&record(2, Trigger::Drift, &[(id, Verb::Created)])),
            ["drift: deployment/podinfo is gone None", "repair: deployment/podinfo created Some(0.041)"]
        );
        let mut changed = record(2, Trigger::Drift, &[(id, Verb::Configured)]);
        let field = |path: &str| Difference { path: path.to_owned(), wanted: None, found: None };
        let paths = ["metadata.labels.team", "metadata.annotations.'fluxcd.io/x'", "spec.replicas"];
        changed.changed[0].fields = paths.map(field).to_vec();
        assert_eq!(
            told(&changed)[0],
            "drift: deployment/podinfo was changed: metadata.labels.team, metadata.annotations.'fluxcd.io/x', +1 more None"
        );
        assert_eq!(told(&record(3, Trigger::Interval, &[])), [""; 0]);
    }
}
