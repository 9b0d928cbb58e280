//! A check and what was seen → a verdict that a learner understands.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::{Check, CommitFact, Compare, CountFact, Fact, FileFact, HttpFact, ObjectFact, PolicyFact, Wants};
use crate::cluster::object::{int, list, text};

/// What was found out for a check.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// The object, when it is there.
    Object(Option<Value>),
    /// The objects.
    Objects(Vec<Value>),
    /// The commits that fit, newest first, as `abc1234 subject (author)`.
    Commits(Vec<String>),
    /// The file's text, when it is there.
    File(Option<String>),
    /// The policies of a workload, when it is in Git.
    Policies(Option<BTreeMap<String, String>>),
    /// An answer.
    Http {
        /// Its status.
        status: u16,
        /// The start of its body.
        body: String,
    },
    /// A script that ended.
    Script {
        /// Its exit code; nothing when it was ended by a signal.
        code: Option<i32>,
        /// Its first line of output.
        line: String,
    },
    /// Nothing is looked up for this.
    None,
    /// It could not be looked at, and why.
    Blind(String),
}

/// What else is known when a check is judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// How things were when the step began; nothing for a step that did not.
    pub baseline: Option<Baseline>,
    /// How the reconciler is doing.
    pub sync: Sync,
    /// Commits of the copy to work in that are not pushed.
    pub unpushed: u32,
    /// Files of the copy to work in that are not committed.
    pub uncommitted: u32,
}

/// How things were when a step began.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Baseline {
    /// The newest commit.
    pub head: Option<String>,
    /// The objects that the step's checks look at: their uids and generations.
    pub objects: BTreeMap<String, (String, i64)>,
}

/// How the reconciler is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sync {
    /// The newest commit.
    pub head: Option<String>,
    /// The commit that is applied.
    pub synced: Option<String>,
    /// Why it does nothing, when it does nothing.
    pub stopped: Option<String>,
    /// It is at work right now.
    pub busy: bool,
    /// Seconds until it looks again by itself.
    pub next_seconds: Option<i64>,
    /// What is wrong in the repository: file, line, message.
    pub problems: Vec<String>,
    /// Objects that the cluster refused, by their ids.
    pub refused: BTreeMap<String, String>,
}

/// How a check stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// It holds.
    Pass {
        /// What was seen.
        why: String,
    },
    /// It does not hold yet.
    NotYet {
        /// What was seen.
        why: String,
        /// What is awaited, or what to do; may be empty.
        next: String,
    },
    /// It is wrong, and waiting does not help.
    Fail {
        /// What was seen instead.
        why: String,
    },
}

impl Verdict {
    /// Whether it holds.
    pub fn passed(&self) -> bool {
        matches!(self, Self::Pass { .. })
    }

    /// What was seen.
    pub fn why(&self) -> &str {
        match self {
            Self::Pass { why } | Self::NotYet { why, .. } | Self::Fail { why } => why,
        }
    }
}

/// Longer values are cut when they are shown.
const LONGEST: usize = 200;

/// The name of an object in a [`Baseline`].
pub fn object_name(fact: &ObjectFact) -> String {
    format!("{}/{}/{}", fact.kind.kind.to_lowercase(), fact.namespace.as_deref().unwrap_or(""), fact.name)
}

/// Uid and generation of an object.
pub fn object_mark(object: &Value) -> (String, i64) {
    (text(object, &["metadata", "uid"]).to_owned(), int(object, &["metadata", "generation"]).unwrap_or(0))
}

/// Whether a check that does not hold is about something that is on its way by itself: pods that start.
pub fn is_moving(check: &Check, seen: &Observation) -> bool {
    match (&check.fact, seen) {
        (Fact::Object(fact), Observation::Object(Some(_))) => matches!(fact.wants, Wants::Condition { .. }),
        (Fact::Count(fact), Observation::Objects(objects)) => fact.condition.is_some() && !objects.is_empty(),
        (Fact::Http(_), Observation::Http { .. }) => true,
        _ => false,
    }
}

/// Judges a check.
pub fn judge(check: &Check, seen: &Observation, context: &Context) -> Verdict {
    let judge = Judge { context };
    match (&check.fact, seen) {
        (_, Observation::Blind(why)) => not_yet(why.clone(), "it is looked at again"),
        (Fact::Object(fact), Observation::Object(object)) => judge.object(fact, object.as_ref()),
        (Fact::Count(fact), Observation::Objects(objects)) => judge.count(fact, objects),
        (Fact::Commit(fact), Observation::Commits(commits)) => judge.commit(fact, commits),
        (Fact::File(fact), Observation::File(text)) => judge.file(fact, text.as_deref()),
        (Fact::Policy(fact), Observation::Policies(policies)) => judge.policy(fact, policies.as_ref()),
        (Fact::Http(fact), Observation::Http { status, body }) => judge.http(fact, *status, body),
        (Fact::Applied, _) => judge.applied(),
        (Fact::Script { .. }, Observation::Script { code, line }) => judge.script(*code, line),
        _ => not_yet("it was not looked at".to_owned(), "it is looked at again"),
    }
}

fn pass(why: impl Into<String>) -> Verdict {
    Verdict::Pass { why: why.into() }
}

fn not_yet(why: impl Into<String>, next: impl Into<String>) -> Verdict {
    Verdict::NotYet { why: why.into(), next: next.into() }
}

fn fail(why: impl Into<String>) -> Verdict {
    Verdict::Fail { why: why.into() }
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// A value as text: text as it stands, all else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, &["status", "conditions"]).iter().find(|found| text(found, &["type"]).eq_ignore_ascii_case(kind))
}

struct Judge<'a> {
    context: &'a Context,
}

impl Judge<'_> {
    /// Whether the repository has a commit that is not applied.
    fn is_behind(&self) -> bool {
        self.context.sync.head.is_some() && self.context.sync.head != self.context.sync.synced
    }

    /// What is awaited in the cluster.
    fn awaited(&self) -> String {
        let sync = &self.context.sync;
        if let Some(why) = &sync.stopped {
            return format!("nothing is applied: {why}");
        }
        if sync.busy {
            return "Flux is at work right now".to_owned();
        }
        if self.is_behind() {
            let head = sync.head.as_deref().map(short).unwrap_or_default();
            return match sync.next_seconds {
                Some(seconds) => format!("commit {head} is not applied yet; Flux looks again in {seconds} s"),
                None => format!("commit {head} is not applied yet"),
            };
        }
        self.to_push()
    }

    /// What the learner has not pushed.
    fn to_push(&self) -> String {
        match (self.context.unpushed, self.context.uncommitted) {
            (0, 0) => String::new(),
            (0, 1) => "a file is changed but not committed: `git add`, `git commit`".to_owned(),
            (0, files) => format!("{files} files are changed but not committed: `git add`, `git commit`"),
            (1, _) => "a commit is not pushed yet: `git push`".to_owned(),
            (commits, _) => format!("{commits} commits are not pushed yet: `git push`"),
        }
    }

    /// Something is wrong in the repository that explains why nothing comes.
    fn problem(&self) -> Option<String> {
        self.context.sync.problems.first().cloned()
    }

    /// The commits moved since the step began.
    fn committed(&self) -> bool {
        self.context.baseline.as_ref().is_some_and(|then| then.head != self.context.sync.head)
    }

    /// The object moved since the step began, or Git did, and nothing more is to come.
    fn moved(&self, fact: &ObjectFact, object: &Value) -> bool {
        let Some(then) = &self.context.baseline else { return false };
        if self.is_behind() || self.context.sync.busy {
            return false;
        }
        let (uid, generation) = object_mark(object);
        // Kinds without a generation are what they were as long as they are there.
        let same = then.objects.get(&object_name(fact)).is_some_and(|(u, g)| *u == uid && *g == generation);
        !same || self.committed()
    }

    fn object(&self, fact: &ObjectFact, object: Option<&Value>) -> Verdict {
        let place = fact.namespace.as_ref().map(|name| format!(" in the namespace {name}")).unwrap_or_default();
        let name = format!("{}/{}", fact.kind, fact.name);
        let Some(object) = object else {
            if matches!(fact.wants, Wants::Absent) {
                return pass(format!("{name} is gone"));
            }
            return self.problem().map_or_else(
                || match self.refused(fact) {
                    Some(why) => fail(format!("the cluster refuses {name}: {why}")),
                    None => not_yet(format!("there is no {name}{place}"), self.awaited()),
                },
                fail,
            );
        };
        if fact.new
            && let Some(then) = &self.context.baseline
            && then.objects.get(&object_name(fact)).is_some_and(|(uid, _)| *uid == object_mark(object).0)
        {
            return not_yet(format!("{name} is still the one from before this step"), "");
        }
        match &fact.wants {
            Wants::There => pass(format!("{name} is there")),
            Wants::Absent => not_yet(format!("{name} is still there{place}"), self.awaited()),
            Wants::Condition { kind, status } => self.condition(&name, object, kind, status),
            Wants::Field { text: path_text, path, compare } => {
                let found: Vec<String> = path
                    .find(object)
                    .unwrap_or_default()
                    .into_iter()
                    .map(shown)
                    .filter(|text| !text.is_empty())
                    .collect();
                let found = found.join(" ");
                if compare.holds(&found) {
                    return pass(match compare {
                        Compare::Present => format!("{path_text} of {name} is set"),
                        _ => format!("{path_text} of {name} is {}", cut(&found)),
                    });
                }
                let is = if found.is_empty() { "not set".to_owned() } else { cut(&found) };
                let why = format!("{path_text} of {name} is {is}, it should {}", compare.wish());
                match self.problem() {
                    Some(problem) => fail(problem),
                    None if self.moved(fact, object) && self.context.unpushed == 0 && self.context.uncommitted == 0 => {
                        fail(why)
                    }
                    None => not_yet(why, self.awaited()),
                }
            }
        }
    }

    fn refused(&self, fact: &ObjectFact) -> Option<&String> {
        let id = format!("{}:{}/{}", fact.namespace.as_deref().unwrap_or("<cluster>"), fact.kind, fact.name);
        let refused = &self.context.sync.refused;
        refused.iter().find(|(known, _)| known.eq_ignore_ascii_case(&id)).map(|(_, why)| why)
    }

    fn condition(&self, name: &str, object: &Value, kind: &str, status: &str) -> Verdict {
        let found = condition(object, kind);
        let is = found.map_or("", |found| text(found, &["status"]));
        if is.eq_ignore_ascii_case(status) {
            return pass(if status == "True" {
                format!("{name} is {kind}")
            } else {
                format!("{name} has {kind}={is}")
            });
        }
        let message = found.map(|found| text(found, &["message"])).filter(|message| !message.is_empty());
        let amount = amount(object);
        let why = match (message, amount) {
            (_, Some(amount)) => format!("{name} is not {kind} yet: {amount}"),
            (Some(message), None) => format!("{name} is not {kind} yet: {}", cut(message)),
            (None, None) => format!("{name} is not {kind} yet"),
        };
        let stuck = super::judge::condition(object, "Progressing").filter(|found| text(found, &["status"]) == "False");
        match stuck {
            Some(stuck) => fail(format!("{name} does not get on: {}", cut(text(stuck, &["message"])))),
            None => not_yet(why, "its pods are starting"),
        }
    }

    fn count(&self, fact: &CountFact, objects: &[Value]) -> Verdict {
        let fits = |object: &&Value| {
            fact.condition.as_ref().is_none_or(|(kind, status)| {
                condition(object, kind).is_some_and(|found| text(found, &["status"]) == status)
            })
        };
        let leaving = |object: &&Value| text(object, &["metadata", "deletionTimestamp"]).is_empty();
        let number = objects.iter().filter(leaving).filter(fits).count();
        let what = match &fact.condition {
            Some((kind, status)) if status == "True" => {
                format!("{} {} that are {kind}", number, plural(&fact.kind.kind))
            }
            Some((kind, status)) => format!("{} {} with {kind}={status}", number, plural(&fact.kind.kind)),
            None => format!("{} {}", number, plural(&fact.kind.kind)),
        };
        if fact.compare.holds(&number.to_string()) {
            return pass(format!("there are {what}"));
        }
        match self.problem() {
            Some(problem) => fail(problem),
            None => not_yet(format!("there are {what}, it should {}", fact.compare.wish()), self.awaited()),
        }
    }

    fn commit(&self, fact: &CommitFact, commits: &[String]) -> Verdict {
        if let Some(newest) = commits.first() {
            return pass(format!("commit {newest}"));
        }
        let mut why = "no commit".to_owned();
        if let Some(path) = &fact.path {
            why.push_str(&format!(" that touches {path}"));
        }
        if let Some(by) = &fact.by {
            why.push_str(&format!(" by {by}"));
        }
        if let Some(subject) = &fact.subject {
            why.push_str(&format!(" about `{subject}`"));
        }
        if fact.since_step {
            why.push_str(" since this step began");
        }
        not_yet(why, self.to_push())
    }

    fn file(&self, fact: &FileFact, text: Option<&str>) -> Verdict {
        let path = &fact.path;
        match (&fact.compare, text) {
            (None, None) => pass(format!("{path} is not in the repository")),
            (None, Some(_)) => fail(format!("{path} is in the repository, and should not be")),
            (Some(_), None) => not_yet(format!("{path} is not in the repository"), self.to_push()),
            (Some(compare), Some(text)) if compare.holds(text) => pass(match compare {
                Compare::Present => format!("{path} is in the repository"),
                _ => format!("{path} is as it should be"),
            }),
            (Some(compare), Some(_)) => {
                let why = format!("{path} in the repository does not {}", compare.wish().replacen("be ", "have ", 1));
                let help = self.to_push();
                if help.is_empty() && self.committed() { fail(why) } else { not_yet(why, help) }
            }
        }
    }

    fn policy(&self, fact: &PolicyFact, policies: Option<&BTreeMap<String, String>>) -> Verdict {
        let id = fact.id();
        let Some(policies) = policies else {
            return not_yet(format!("{id} is not in the repository"), self.to_push());
        };
        let value = policies.get(&fact.policy);
        let holds = match (&fact.compare, value) {
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
            (Some(compare), Some(value)) => compare.holds(value),
        };
        if holds {
            return pass(match value {
                Some(value) if value != "true" => format!("{} of {id} is {value}", fact.policy),
                Some(_) => format!("{id} is {}", fact.policy),
                None => format!("{id} is not {}", fact.policy),
            });
        }
        match (value, &fact.compare) {
            (Some(value), Some(compare)) => {
                fail(format!("{} of {id} is {}, it should {}", fact.policy, cut(value), compare.wish()))
            }
            (Some(_), None) => not_yet(format!("{id} is still {}", fact.policy), self.to_push()),
            (None, _) => not_yet(format!("Git says nothing of {} for {id}", fact.policy), self.to_push()),
        }
    }

    fn http(&self, fact: &HttpFact, status: u16, body: &str) -> Verdict {
        if status != fact.status {
            return not_yet(format!("{} answers with {status}, it should be {}", fact.target, fact.status), "");
        }
        match &fact.body {
            Some(compare) if !compare.holds(body) => {
                let start = cut(body.lines().next().unwrap_or(""));
                not_yet(format!("{} answers `{start}`, it should {}", fact.target, compare.wish()), self.awaited())
            }
            _ => pass(format!("{} answers with {status}", fact.target)),
        }
    }

    fn applied(&self) -> Verdict {
        let sync = &self.context.sync;
        if let Some(why) = &sync.stopped {
            return not_yet("the newest commit is not applied", format!("nothing is applied: {why}"));
        }
        let Some(head) = &sync.head else {
            return not_yet("there is no commit yet", self.to_push());
        };
        if self.is_behind() {
            let why = format!("commit {} is not applied", short(head));
            return match sync.problems.first() {
                Some(problem) if !sync.busy => fail(format!("{why}: {problem}")),
                _ => not_yet(why, self.awaited()),
            };
        }
        match (sync.refused.iter().next(), sync.problems.first()) {
            (Some((id, why)), _) => fail(format!("{id} is refused: {why}")),
            (None, Some(problem)) => fail(format!("commit {} is applied in part: {problem}", short(head))),
            (None, None) => pass(format!("commit {} is applied", short(head))),
        }
    }

    fn script(&self, code: Option<i32>, line: &str) -> Verdict {
        /// What scripts end with to say that waiting helps: `EX_TEMPFAIL`.
        const WAIT: i32 = 75;
        let line = cut(line.trim());
        let said = match (line.is_empty(), code) {
            (false, _) => line,
            (true, Some(0)) => "the check passes".to_owned(),
            (true, Some(code)) => format!("the check ended with {code} and said nothing"),
            (true, None) => "the check was ended and said nothing".to_owned(),
        };
        match code {
            Some(0) => pass(said),
            Some(WAIT) => not_yet(said, self.awaited()),
            _ if self.committed() && !self.is_behind() && self.to_push().is_empty() => fail(said),
            _ => not_yet(said, self.awaited()),
        }
    }
}

fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    if lower.ends_with('s') { lower } else { format!("{lower}s") }
}

/// How many pods of a workload are available.
fn amount(object: &Value) -> Option<String> {
    let wanted = int(object, &["spec", "replicas"])?;
    let there = int(object, &["status", "availableReplicas"]).unwrap_or(0);
    Some(format!("{there} of {wanted} pods are available"))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
