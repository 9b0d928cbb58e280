//! How many machines there are, and how many are how; what they amount to.

use serde_json::Value;

use super::condition::{self, Condition};
use super::world::Id;
use crate::cluster::object::{int, set};

/// Counted machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// All.
    pub(super) replicas: i64,
    /// Those that are ready.
    pub(super) ready: i64,
    /// Those that are available.
    pub(super) available: i64,
    /// Those that are as their owner wants them now.
    pub(super) up_to_date: i64,
}

impl Tally {
    /// Counts machines.
    pub(super) fn of(machines: &[(&Id, &Value)]) -> Self {
        let count = |kind: &str| {
            let some = machines.iter().filter(|(_, machine)| condition::is_true(machine, kind)).count();
            i64::try_from(some).unwrap_or(i64::MAX)
        };
        Self {
            replicas: i64::try_from(machines.len()).unwrap_or(i64::MAX),
            ready: count("Ready"),
            available: count("Available"),
            up_to_date: count("UpToDate"),
        }
    }

    /// What an object's status says.
    pub(super) fn read(object: &Value) -> Self {
        let number = |name: &str| int(object, &["status", name]).unwrap_or(0);
        Self {
            replicas: number("replicas"),
            ready: number("readyReplicas"),
            available: number("availableReplicas"),
            up_to_date: number("upToDateReplicas"),
        }
    }

    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            replicas: self.replicas + other.replicas,
            ready: self.ready + other.ready,
            available: self.available + other.available,
            up_to_date: self.up_to_date + other.up_to_date,
        }
    }

    /// Writes the counters of all versions.
    pub(super) fn write(self, object: &mut Value) {
        for (name, number) in [
            ("replicas", self.replicas),
            ("readyReplicas", self.ready),
            ("availableReplicas", self.available),
            ("upToDateReplicas", self.up_to_date),
            ("updatedReplicas", self.up_to_date),
            ("unavailableReplicas", self.replicas - self.available),
        ] {
            set(object, &["status", name], number);
        }
    }
}

/// What the machines' conditions of a type amount to.
pub(super) fn machines_condition(machines: &[(&Id, &Value)], kind: &str) -> Condition {
    let lines = |status: &[&str]| {
        let chosen = machines.iter().filter_map(|(id, machine)| {
            let found = condition::read(machine, kind)?;
            let inner = if found.message.is_empty() { found.reason.clone() } else { found.message.clone() };
            status.contains(&found.status).then(|| (id.name.to_string(), inner))
        });
        chosen.collect::<Vec<_>>()
    };
    let (bad, unknown) = (lines(&["False"]), lines(&["Unknown"]));
    let told = |machines: &[(String, String)]| {
        // machines with the same words share a line
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, message) in machines {
            match groups.iter_mut().find(|(known, _)| known == message) {
                Some((_, names)) => names.push(name),
                None => groups.push((message, vec![name])),
            }
        }
        groups.iter().map(|(message, names)| line(names, message)).collect::<Vec<_>>().join("\n")
    };
    match (bad.is_empty(), unknown.is_empty()) {
        (true, true) if machines.is_empty() => Condition::yes("NoReplicas"),
        (true, true) => Condition::yes(kind),
        (false, _) => Condition::no(format!("Not{kind}"), told(&[bad, unknown].concat())),
        (true, false) => Condition::unknown(format!("{kind}Unknown"), told(&unknown)),
    }
}

fn line(names: &[&str], message: &str) -> String {
    let shown = match names {
        [one] => format!("Machine {one}"),
        [one, two] => format!("Machines {one}, {two}"),
        [one, two, three] => format!("Machines {one}, {two}, {three}"),
        [one, two, three, rest @ ..] => format!("Machines {one}, {two}, {three}, ... ({} more)", rest.len()),
        [] => String::new(),
    };
    if message.starts_with("* ") {
        format!("* {shown}:\n  {}", message.replace('\n', "\n  "))
    } else {
        format!("* {shown}: {}", message.replace('\n', "\n  "))
    }
}
