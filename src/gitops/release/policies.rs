//! `fluxctl policy`, `automate`, `lock` and the like: what becomes of workloads, and what the commit says.

use std::collections::BTreeMap;

use super::{Cause, Outcome, Results, Status};
use crate::gitops::id::ResourceId;
use crate::gitops::policy::{AUTOMATED, LOCKED, PolicyChange};

/// Changes of policies, by workload.
pub type PolicyChanges = BTreeMap<ResourceId, PolicyChange>;

/// What became of an attempt to change a workload's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The file changed.
    Changed,
    /// It says so already.
    Unchanged,
    /// There is no such workload in Git.
    NotFound,
    /// The change cannot be made.
    Refused(String),
}

/// What changes of policies come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPlan {
    /// What became of every workload.
    pub results: Results,
    /// What the commit says; none when nothing changed.
    pub message: Option<String>,
    /// Something may have been automated, so that newer images should be looked for at once.
    pub automated: bool,
    /// What fluxctl's table has no room for.
    pub notes: Vec<String>,
}

/// Makes the changes, one workload after another.
///
/// # Errors
/// When one cannot be made; then none is to be kept.
pub fn plan(
    changes: &PolicyChanges,
    cause: &Cause,
    mut attempt: impl FnMut(&ResourceId, &PolicyChange) -> Attempt,
) -> Result<PolicyPlan, String> {
    let (mut results, mut notes) = (Results::default(), Vec::new());
    for (id, change) in changes {
        let status = match attempt(id, change) {
            Attempt::Changed => Status::Success,
            Attempt::Unchanged => Status::Skipped,
            Attempt::NotFound => {
                notes.push(format!("resource {id} not found"));
                Status::Skipped
            }
            Attempt::Refused(why) => return Err(why),
        };
        results.0.insert(id.clone(), Outcome::without(status, ""));
    }
    let changed = !results.affected().is_empty();
    let automated = changed && changes.values().any(|change| change.add.get(AUTOMATED).is_some_and(|on| on == "true"));
    Ok(PolicyPlan { results, message: changed.then(|| message(changes, cause)), automated, notes })
}

/// What the commit says: what happened to which workloads.
pub fn message(changes: &PolicyChanges, cause: &Cause) -> String {
    let mut events: BTreeMap<Event, Vec<String>> = BTreeMap::new();
    for (id, change) in changes {
        let added = change.add.keys().map(|policy| Event::of(policy, true));
        let removed = change.remove.iter().map(|policy| Event::of(policy, false));
        for event in added.chain(removed) {
            let ids = events.entry(event).or_default();
            let id = id.to_string();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    let (head, bullet) = match (cause.message.as_str(), events.len()) {
        ("", 0 | 1) => (String::new(), ""),
        ("", _) => ("Updated workload policies\n\n".to_owned(), "- "),
        (message, _) => (format!("{message}\n\n"), "- "),
    };
    let lines = events.iter().map(|(event, ids)| format!("{bullet}{}: {}\n", event.words(), ids.join(", ")));
    lines.fold(head, |message, line| message + &line)
}

/// What happens to workloads, as commits tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Automate,
    Deautomate,
    Lock,
    Unlock,
    UpdatePolicy,
}

impl Event {
    fn of(policy: &str, added: bool) -> Self {
        match (policy, added) {
            (AUTOMATED, true) => Self::Automate,
            (AUTOMATED, false) => Self::Deautomate,
            (LOCKED, true) => Self::Lock,
            (LOCKED, false) => Self::Unlock,
            _ => Self::UpdatePolicy,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Automate => "Automated",
            Self::Deautomate => "Deautomated",
            Self::Lock => "Locked",
            Self::Unlock => "Unlocked",
            Self::UpdatePolicy => "Updated policies",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::policy::{LOCKED_MESSAGE, LOCKED_USER};

    fn changes(entries: &[(&str, PolicyChange)]) -> PolicyChanges {
        entries.iter().map(|(name, change)| (ResourceId::new("demo", "deployment", name), change.clone())).collect()
    }

    #[test]
    fn commits_tell_what_happened() {
        let automate = || PolicyChange::default().with(AUTOMATED, "true");
        let lock = PolicyChange::default().with(LOCKED, "true").with(LOCKED_USER, "Ann").with(LOCKED_MESSAGE, "");
        let unlock = PolicyChange::default().without(LOCKED).without(LOCKED_USER);
        let filter = PolicyChange::default().with("tag.a", "semver:1");
        let because = Cause { message: "freeze".to_owned(), ..Cause::default() };
        let cases = [
            (changes(&[("web", automate())]), Cause::default(), "Automated: demo:deployment/web\n"),
            (
                changes(&[("b", automate()), ("a", automate())]),
                Cause::default(),
                "Automated: demo:deployment/a, demo:deployment/b\n",
            ),
            (changes(&[("web", filter)]), Cause::default(), "Updated policies: demo:deployment/web\n"),
            (
                changes(&[("web", lock.clone())]),
                because,
                "freeze\n\n- Locked: demo:deployment/web\n- Updated policies: demo:deployment/web\n",
            ),
            (
                changes(&[("web", unlock)]),
                Cause::default(),
                "Updated workload policies\n\n- Unlocked: demo:deployment/web\n- Updated policies: demo:deployment/web\n",
            ),
        ];
        for (changes, cause, wanted) in cases {
            assert_eq!(message(&changes, &cause), wanted);
        }
    }

    #[test]
    fn results_follow_the_attempts() {
        let automate = PolicyChange::default().with(AUTOMATED, "true");
        let all = changes(&[("same", automate.clone()), ("lost", automate.clone()), ("web", automate)]);
        let attempt = |id: &ResourceId, _: &PolicyChange| match id.name.as_str() {
            "web" => Attempt::Changed,
            "lost" => Attempt::NotFound,
            _ => Attempt::Unchanged,
        };
        let plan = super::plan(&all, &Cause::default(), attempt).unwrap();
        let shown: Vec<_> =
            plan.results.sorted().into_iter().map(|(id, outcome)| (id, outcome.status.as_str())).collect();
        let row = |id: &str, status| (id.to_owned(), status);
        assert_eq!(
            shown,
            [
                row("demo:deployment/lost", "skipped"),
                row("demo:deployment/same", "skipped"),
                row("demo:deployment/web", "success")
            ]
        );
        assert_eq!(plan.notes, ["resource demo:deployment/lost not found"]);
        assert!(plan.automated && plan.message.is_some());
        let nothing = super::plan(&all, &Cause::default(), |_, _| Attempt::Unchanged).unwrap();
        assert_eq!((nothing.message, nothing.automated), (None, false));
        let refused = super::plan(&all, &Cause::default(), |_, _| Attempt::Refused("no".to_owned()));
        assert_eq!(refused, Err("no".to_owned()));
    }
}
