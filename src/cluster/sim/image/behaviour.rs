//! What the containers of an image do.

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

/// What a container does when it is not told a command of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Behaviour {
    /// The programs that are its own, so that `command: [./podinfo, --level=debug]` is still it.
    pub programs: Vec<String>,
    /// How much longer than others it takes to start.
    pub start: SignedDuration,
    /// How long after its start it answers readiness probes.
    pub ready: SignedDuration,
    /// How it ends, if it does.
    pub exit: Option<Exit>,
    /// Who answers HTTP requests.
    pub server: Server,
    /// What goes wrong with requests.
    pub faults: Faults,
    /// What it prints.
    pub logs: Logs,
    /// The colour that it shows, if it shows one.
    pub colour: String,
    /// Thousandths of a core that it uses.
    pub cpu: u32,
    /// Bytes of memory that it uses.
    pub memory: u64,
}

/// How a container ends.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Exit {
    /// How long after its start.
    pub after: SignedDuration,
    /// With what code.
    pub code: i32,
    /// Why, as `OOMKilled`; by the code when empty.
    pub reason: String,
}

/// Who answers HTTP requests.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Server {
    /// Everything is answered with 200 and a line of text.
    #[default]
    Any,
    /// What podinfo answers.
    Podinfo,
    /// Everything is answered with this page.
    Page(String),
}

/// What goes wrong with requests.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// How many requests of all fail with a 500, from 0 to 1.
    pub rate: f64,
    /// How long an answer takes.
    pub latency: SignedDuration,
    /// Liveness probes fail.
    pub unhealthy: bool,
    /// Readiness probes fail.
    pub unready: bool,
}

/// What a container prints.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Logs {
    /// Lines at its start.
    pub start: Vec<String>,
    /// Lines again and again.
    pub again: Vec<String>,
    /// How much time is between those.
    pub every: SignedDuration,
}

/// A duration that is not negative.
pub(crate) fn positive(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}

impl Behaviour {
    /// Whether a container with this command is the image's own program.
    pub fn is_own(&self, command: &[String]) -> bool {
        match command.first() {
            None => true,
            Some(program) => {
                let program = program.rsplit('/').next().unwrap_or(program);
                self.programs.iter().any(|own| own == program)
            }
        }
    }
}
