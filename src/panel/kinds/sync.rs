//! `sync`: what is applied, what is not and why.

use jiff::Timestamp;

use super::{age, short};
use crate::gitops::explain::{ObjectState, State};
use crate::gitops::source::Phase;
use crate::gitops::status::{Activity, Status};
use crate::panel::state::{Body, Fact, Mark, Row, Table};

pub(super) fn body(status: &Status, now: Timestamp, most: usize) -> Body {
    let fact = |label: &str, value: String, mark: Mark| Fact { label: label.to_owned(), value, mark };
    let mut facts = Vec::new();
    let counts = status.counts();
    let count = |state: State| counts.get(&state).copied().unwrap_or(0);
    let all: usize = counts.values().sum();
    let (in_sync, ignored) = (count(State::InSync), count(State::Ignored));
    let failed = count(State::Failed);
    let (word, mark) = match status.activity {
        _ if status.source.phase == Phase::Unreachable => ("repository unreachable".to_owned(), Mark::Bad),
        _ if status.paused => ("paused".to_owned(), Mark::Off),
        Activity::Syncing { .. } => ("syncing".to_owned(), Mark::Busy),
        Activity::Repairing => ("repairing".to_owned(), Mark::Busy),
        _ if status.source.phase != Phase::Ready => ("starting".to_owned(), Mark::Busy),
        _ if status.unverified.is_some() => ("stopped before an unsigned commit".to_owned(), Mark::Bad),
        _ if failed > 0 => (format!("{failed} failed"), Mark::Bad),
        _ if count(State::Applying) + count(State::Waiting) + count(State::OutOfSync) > 0 => {
            ("out of sync".to_owned(), Mark::Busy)
        }
        Activity::Idle | Activity::Fetching => ("in sync".to_owned(), Mark::Good),
    };
    facts.push(fact("state", word, mark));
    let revision = match (&status.synced, &status.source.head) {
        (Some(synced), Some(head)) if synced != head => format!("{} → {}", short(synced), short(head)),
        (Some(synced), _) => short(synced).to_owned(),
        (None, Some(head)) => format!("→ {}", short(head)),
        (None, None) => "none yet".to_owned(),
    };
    facts.push(fact("revision", format!("{revision} on {}", status.source.branch), Mark::Plain));
    let left_out = if ignored > 0 { format!(", {ignored} ignored") } else { String::new() };
    facts.push(fact("objects", format!("{in_sync} of {} in sync{left_out}", all - ignored), Mark::Plain));
    if let Some(last) = status.last() {
        let ago = age(now.as_second() - last.started.as_second());
        let took = last.durations.all_ms / 1000.0;
        facts.push(fact("last sync", format!("{ago} ago, took {took:.2} s"), Mark::Plain));
    }
    if let Some(next) = [status.next.sync, status.next.retry, status.next.fetch].into_iter().flatten().min() {
        facts.push(fact("next look", format!("in {}", age(next.as_second() - now.as_second())), Mark::Plain));
    }
    if let Some(error) = &status.source.error {
        facts.push(fact("error", error.clone(), Mark::Bad));
    }
    Body::Facts { facts, table: Some(objects(status, most)) }
}

fn objects(status: &Status, most: usize) -> Table {
    let mut states: Vec<&ObjectState> = status.objects.values().map(|state| &**state).collect();
    states.sort_by_key(|state| order(state.state));
    let more = states.len().saturating_sub(most);
    let rows = states.iter().take(most).map(|state| {
        let (word, mark) = shown(state.state);
        let why = state.reason.clone().unwrap_or_default();
        let place = state.place.as_ref().map(ToString::to_string).unwrap_or_default();
        Row { key: state.id.clone(), cells: vec![short_id(state), word.to_owned(), why, place], mark, group: None }
    });
    let columns = ["OBJECT", "STATE", "WHY", "FILE"].map(str::to_owned).to_vec();
    Table { columns, rows: rows.collect(), more, empty: "Git names no objects yet.".to_owned() }
}

fn short_id(state: &ObjectState) -> String {
    format!("{}/{}", state.kind.to_ascii_lowercase(), state.name)
}

/// What wants attention first.
fn order(state: State) -> u8 {
    match state {
        State::Failed => 0,
        State::OutOfSync => 1,
        State::Applying => 2,
        State::Waiting => 3,
        State::Pruned => 4,
        State::InSync => 5,
        State::Ignored => 6,
    }
}

fn shown(state: State) -> (&'static str, Mark) {
    match state {
        State::InSync => ("in sync", Mark::Good),
        State::Applying => ("applying", Mark::Busy),
        State::OutOfSync => ("out of sync", Mark::Bad),
        State::Ignored => ("ignored", Mark::Off),
        State::Failed => ("failed", Mark::Bad),
        State::Pruned => ("deleted", Mark::Off),
        State::Waiting => ("waiting", Mark::Busy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_known_yet_is_said() {
        let Body::Facts { facts, table } = body(&Status::default(), Timestamp::UNIX_EPOCH, 12) else { panic!() };
        let text: Vec<String> = facts.iter().map(|fact| format!("{}: {}", fact.label, fact.value)).collect();
        assert_eq!(text, ["state: starting", "revision: none yet on ", "objects: 0 of 0 in sync"]);
        assert_eq!(table.map(|table| table.text()).as_deref(), Some("Git names no objects yet.\n"));
    }
}
