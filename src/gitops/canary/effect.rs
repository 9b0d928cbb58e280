//! What a tick asks and what it does, as values.

use super::alert::Severity;
use super::checks::Kind;
use super::status::{Phase, Status};

/// Where requests go: shares in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Routes {
    /// To the primary.
    pub primary: i64,
    /// To the canary.
    pub canary: i64,
    /// Copies go to the canary too.
    pub mirror: bool,
}

impl Routes {
    /// All to the primary.
    pub const PRIMARY: Self = Self { primary: 100, canary: 0, mirror: false };
    /// All to the canary.
    pub const CANARY: Self = Self { primary: 0, canary: 100, mirror: false };
}

/// Something that the tick has to know to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether those who measure are there.
    Providers,
    /// What a webhook says, by its place in the list, and the phase that it is told.
    Hook(usize, Phase),
    /// What a metric is, by its place in the list.
    Metric(usize, Kind),
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As things go.
    Normal,
    /// Something is wrong or waits.
    Warning,
}

impl Tone {
    /// As events write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// Something to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell.
    Event(Tone, String),
    /// Tell those who want to hear.
    Alert(Severity, String),
    /// See that the services of primary and canary are right.
    Services,
    /// Make the primary workload, of so many pods.
    Primary(i64),
    /// See that the primary's autoscaler is right; `true` only makes a missing one.
    Scaler(bool),
    /// See that the service that clients use leads to the primary.
    Apex,
    /// See that there is a route.
    Route,
    /// Send requests there.
    SetRoutes(Routes),
    /// Give the target so many pods.
    Scale(i64),
    /// Make the primary what the target is.
    Promote,
    /// Keep this.
    Status(Box<Status>),
}

/// What came of a tick.
#[derive(Debug, Clone, PartialEq)]
pub enum Tick {
    /// It has to know something; the effects so far are final, and more come once it knows.
    Ask(Question, Vec<Effect>),
    /// It is over.
    Done(Report),
}

/// A tick that is over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// What is to be done.
    pub effects: Vec<Effect>,
    /// The gates that were asked and are closed.
    pub waiting: Vec<String>,
    /// Whether it waits for pods.
    pub unready: bool,
}
