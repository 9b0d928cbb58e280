//! What a step wants to be true: the checks of `verify` fences.

use std::time::Duration;

use regex::Regex;

use crate::cluster::api::jsonpath::JsonPath;
use crate::diagnostic::Span;

/// How long is waited for a check unless it says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a script may take unless it says otherwise.
pub const SCRIPT_TIMEOUT: Duration = Duration::from_secs(30);

/// One thing that has to be true.
#[derive(Debug, Clone)]
pub struct Check {
    /// What is looked at.
    pub fact: Fact,
    /// What the learner reads on top of what was seen; empty when the author wrote nothing.
    pub message: String,
    /// How long is waited for it.
    pub timeout: Duration,
    /// The whole fence.
    pub span: Span,
}

/// What is looked at, and what it should be.
#[derive(Debug, Clone)]
pub enum Fact {
    /// An object of the cluster.
    Object(ObjectFact),
    /// How many objects there are.
    Count(CountFact),
    /// A commit in the repository.
    Commit(CommitFact),
    /// A file in the repository's newest commit.
    File(FileFact),
    /// The newest commit is applied.
    Applied,
    /// What annotations in Git say of a workload.
    Policy(PolicyFact),
    /// The answer of an HTTP address.
    Http(HttpFact),
    /// A script: it passes when it ends with 0; its first line of output is the reason.
    Script {
        /// The shell's text.
        script: String,
    },
}

/// Which kind of object: `Deployment`, `deployments.apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindName {
    /// The kind as written.
    pub kind: String,
    /// Its group, when it is named.
    pub group: Option<String>,
}

impl std::fmt::Display for KindName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.kind)
    }
}

/// An object and what it should be.
#[derive(Debug, Clone)]
pub struct ObjectFact {
    /// Its kind.
    pub kind: KindName,
    /// Its name.
    pub name: String,
    /// Its namespace; the default one when not given.
    pub namespace: Option<String>,
    /// What holds of it.
    pub wants: Wants,
    /// `since=step`: it is not the one that was there when the step began.
    pub new: bool,
}

/// What should hold of an object.
#[derive(Debug, Clone)]
pub enum Wants {
    /// It is there.
    There,
    /// It is not there.
    Absent,
    /// A condition has a status: `condition=Available`, `condition=Ready=False`.
    Condition {
        /// Its type.
        kind: String,
        /// Its status.
        status: String,
    },
    /// A field compares.
    Field {
        /// The path as written.
        text: String,
        /// The path.
        path: JsonPath,
        /// What it should be.
        compare: Compare,
    },
}

/// What a value should be.
#[derive(Debug, Clone)]
pub enum Compare {
    /// Anything.
    Present,
    /// This text.
    Equals(String),
    /// Not this text.
    Differs(String),
    /// At least this number.
    AtLeast(f64),
    /// At most this number.
    AtMost(f64),
    /// Has this text in it.
    Contains(String),
    /// Matches this.
    Matches(Regex),
}

impl Compare {
    /// Whether a text is as it should be.
    pub fn holds(&self, text: &str) -> bool {
        let number = || text.trim().parse::<f64>().ok();
        match self {
            Self::Present => !text.is_empty(),
            Self::Equals(wanted) => text == wanted,
            Self::Differs(other) => text != other,
            Self::AtLeast(least) => number().is_some_and(|number| number >= *least),
            Self::AtMost(most) => number().is_some_and(|number| number <= *most),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Matches(pattern) => pattern.is_match(text),
        }
    }

    /// What is wanted, after `should`.
    pub fn wish(&self) -> String {
        match self {
            Self::Present => "be there".to_owned(),
            Self::Equals(wanted) => format!("be {wanted}"),
            Self::Differs(other) => format!("not be {other}"),
            Self::AtLeast(least) => format!("be at least {least}"),
            Self::AtMost(most) => format!("be at most {most}"),
            Self::Contains(part) => format!("contain `{part}`"),
            Self::Matches(pattern) => format!("match `{pattern}`"),
        }
    }
}

/// How many objects there should be.
#[derive(Debug, Clone)]
pub struct CountFact {
    /// Their kind.
    pub kind: KindName,
    /// Their namespace; all when not given.
    pub namespace: Option<String>,
    /// A label selector.
    pub selector: Option<String>,
    /// Only those with this condition: its type and status.
    pub condition: Option<(String, String)>,
    /// How many.
    pub compare: Compare,
}

/// A commit that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFact {
    /// It touches this path.
    pub path: Option<String>,
    /// Its author's name or address has this in it.
    pub by: Option<String>,
    /// Its subject has this in it.
    pub subject: Option<String>,
    /// It came after the step began.
    pub since_step: bool,
}

/// A file that should be there.
#[derive(Debug, Clone)]
pub struct FileFact {
    /// Its path in the repository.
    pub path: String,
    /// What should be in it; nothing when it should not be there.
    pub compare: Option<Compare>,
}

/// What annotations should say.
#[derive(Debug, Clone)]
pub struct PolicyFact {
    /// `automated`, `locked`, `ignore`, `tag.CONTAINER`.
    pub policy: String,
    /// The workload's namespace, kind and name.
    pub workload: (String, String, String),
    /// What its value should be; nothing when it should not be there.
    pub compare: Option<Compare>,
}

impl PolicyFact {
    /// The workload as Flux writes it.
    pub fn id(&self) -> String {
        let (namespace, kind, name) = &self.workload;
        format!("{namespace}:{kind}/{name}")
    }
}

/// What should come from an address.
#[derive(Debug, Clone)]
pub struct HttpFact {
    /// Where.
    pub target: HttpTarget,
    /// The status.
    pub status: u16,
    /// What should be in the body.
    pub body: Option<Compare>,
}

/// Where an answer should come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpTarget {
    /// `url=http://…`
    Url(String),
    /// A service of the cluster, through its API server.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The port, by number or name.
        port: String,
        /// The path, with its leading slash.
        path: String,
    },
}

impl std::fmt::Display for HttpTarget {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(url) => out.write_str(url),
            Self::Service { namespace, name, port, path } => {
                write!(out, "service {name} in {namespace}, port {port}, {path}")
            }
        }
    }
}

impl Fact {
    /// Whether it compares with how things were when the step began.
    pub fn looks_back(&self) -> bool {
        match self {
            Self::Object(fact) => fact.new,
            Self::Commit(fact) => fact.since_step,
            _ => false,
        }
    }

    /// Whether it looks at something that somebody left in Git: the cluster follows that, sooner or later.
    pub fn is_in_git(&self) -> bool {
        match self {
            Self::Commit(_) => true,
            Self::File(fact) => fact.compare.is_some(),
            Self::Policy(fact) => fact.compare.is_some(),
            _ => false,
        }
    }

    /// What is looked at, in a few words.
    pub fn title(&self) -> String {
        match self {
            Self::Object(fact) => {
                let name = format!("{}/{}", fact.kind, fact.name);
                match &fact.wants {
                    Wants::There => format!("{name} is there"),
                    Wants::Absent => format!("{name} is gone"),
                    Wants::Condition { kind, status } if status == "True" => format!("{name} is {kind}"),
                    Wants::Condition { kind, status } => format!("{name} has {kind}={status}"),
                    Wants::Field { text, compare, .. } => format!("{text} of {name} should {}", compare.wish()),
                }
            }
            Self::Count(fact) => format!("the number of {} objects should {}", fact.kind, fact.compare.wish()),
            Self::Commit(fact) => match &fact.path {
                Some(path) => format!("a commit touches {path}"),
                None => "there is a commit".to_owned(),
            },
            Self::File(fact) => match &fact.compare {
                None => format!("{} is not in the repository", fact.path),
                Some(Compare::Present) => format!("{} is in the repository", fact.path),
                Some(compare) => format!("{} should {}", fact.path, compare.wish()),
            },
            Self::Applied => "the newest commit is applied".to_owned(),
            Self::Policy(fact) => match &fact.compare {
                None => format!("{} is not {}", fact.id(), fact.policy),
                Some(Compare::Equals(value)) if value == "true" => format!("{} is {}", fact.id(), fact.policy),
                Some(compare) => format!("{} of {} should {}", fact.policy, fact.id(), compare.wish()),
            },
            Self::Http(fact) => format!("{} answers with {}", fact.target, fact.status),
            Self::Script { .. } => "the step's own check".to_owned(),
        }
    }
}
