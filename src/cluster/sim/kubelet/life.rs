//! A pod's life on its node: its containers, what each is at, and when that changes next.

use core::net::Ipv4Addr;

use jiff::Timestamp;

use crate::cluster::sim::tools::{earlier, later};
use crate::cluster::sim::view::{Container, ContainerStatus, Pod};

use super::probe::Tracking;
use super::timings::Timings;

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs to its end before the next one.
    Init,
    /// Starts before the next one and stays.
    Sidecar,
    /// What the pod is there for.
    Main,
    /// Added to a pod that runs.
    Ephemeral,
}

impl Role {
    /// Whether a container of this role is started anew when it has ended.
    pub(super) fn begins_again(self, policy: &str, code: i32) -> bool {
        match self {
            Self::Sidecar => true,
            Self::Main => policy == "Always" || policy.is_empty() || policy == "OnFailure" && code != 0,
            Self::Init => code != 0 && policy != "Never",
            Self::Ephemeral => false,
        }
    }
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
}

/// What a container is at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// Its turn has not come.
    Waiting,
    /// Its image is on the way.
    Pulling { since: Timestamp, until: Timestamp },
    /// Its image did not come. At `shift` that becomes a back-off, at `retry` it is tried again.
    PullFailed { shift: Option<Timestamp>, retry: Timestamp },
    /// It cannot be made as it is described.
    Refused { reason: &'static str, message: String },
    /// It is made.
    Starting { at: Timestamp },
    /// It runs, and ends by itself if it has an end.
    Running { since: Timestamp, end: Option<Ended> },
    /// It was told to end.
    Stopping { since: Timestamp, end: Ended, restart: bool },
    /// It has ended; at `again` it is looked at whether it is started anew.
    Over { end: Ended, again: Option<Timestamp> },
    /// It is started anew, but not yet.
    BackOff { until: Timestamp },
}

/// What a container looks like from outside while it does not run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Face {
    /// It waits for what it says here.
    Waits { reason: String, message: String },
    /// It has ended.
    Ended,
}

/// A container.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) image: String,
    pub(super) image_id: String,
    pub(super) state: State,
    pub(super) face: Face,
    pub(super) last: Option<Ended>,
    pub(super) restarts: u32,
    /// How often it has ended of late.
    pub(super) crashes: u32,
    /// How often its image has not come.
    pub(super) failed_pulls: u32,
    pub(super) ready: bool,
    pub(super) started: bool,
    pub(super) tracking: Tracking,
}

impl Unit {
    pub(super) fn new(container: &Container, role: Role) -> Self {
        Self {
            name: container.name.clone(),
            role,
            image: container.image.clone(),
            image_id: String::new(),
            state: State::Waiting,
            face: Face::Waits { reason: String::new(), message: String::new() },
            last: None,
            restarts: 0,
            crashes: 0,
            failed_pulls: 0,
            ready: false,
            started: false,
            tracking: Tracking::default(),
        }
    }

    /// A container as its status tells of it, for a kubelet that has forgotten everything.
    fn recalled(
        container: &Container,
        role: Role,
        status: Option<&ContainerStatus>,
        policy: &str,
        timings: &Timings,
    ) -> Self {
        let mut unit = Self::new(container, role);
        let Some(status) = status else { return unit };
        unit.image_id.clone_from(&status.image_id);
        unit.restarts = status.restart_count;
        unit.crashes = status.restart_count;
        unit.ready = status.ready;
        unit.started = status.started;
        unit.last = status.last_state.terminated.as_ref().map(ended);
        if let Some(running) = &status.state.running {
            let since = running.started_at.0.unwrap_or(Timestamp::UNIX_EPOCH);
            unit.state = State::Running { since, end: None };
            unit.tracking.begun = false;
        } else if let Some(terminated) = &status.state.terminated {
            let end = ended(terminated);
            unit.face = Face::Ended;
            let again = role.begins_again(policy, end.code).then(|| later(end.finished, timings.notice));
            unit.state = State::Over { again, end };
        } else if let (Some(waiting), Some(last)) = (&status.state.waiting, &unit.last) {
            let message = String::new();
            unit.face = Face::Waits { reason: waiting.reason.clone(), message };
            let until = later(last.finished, timings.back_off(unit.crashes.saturating_sub(1)));
            unit.crashes = unit.crashes.saturating_add(1);
            unit.state = State::BackOff { until };
        }
        unit
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. } | State::Stopping { .. })
    }

    /// Whether it has ended and stays so.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over { again: None, .. })
    }

    /// Whether it has ended well for good.
    pub(super) fn has_succeeded(&self) -> bool {
        matches!(&self.state, State::Over { again: None, end } if end.code == 0)
    }

    /// Whether it is on its way to run for the first time.
    pub(super) fn is_coming(&self) -> bool {
        matches!(self.state, State::Pulling { .. } | State::Starting { .. }) && self.last.is_none()
    }

    /// When something happens to it by itself.
    fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting | State::Refused { .. } => None,
            State::Pulling { until, .. } | State::BackOff { until } => Some(*until),
            State::PullFailed { shift, retry } => Some(shift.unwrap_or(*retry)),
            State::Starting { at } => Some(*at),
            State::Running { end, .. } => earlier(end.as_ref().map(|end| end.finished), self.tracking.next()),
            State::Stopping { end, .. } => Some(end.finished),
            State::Over { again, .. } => *again,
        }
    }
}

pub(super) fn ended(status: &crate::cluster::sim::view::Terminated) -> Ended {
    Ended {
        code: status.exit_code,
        reason: status.reason.clone(),
        message: status.message.clone(),
        started: status.started_at.0.unwrap_or(Timestamp::UNIX_EPOCH),
        finished: status.finished_at.0.unwrap_or(Timestamp::UNIX_EPOCH),
    }
}

/// Why a pod ends before its containers do by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doom {
    /// It is deleted.
    Deleted,
    /// It was active for too long.
    TooLong,
}

/// A pod on its node.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) uid: String,
    pub(super) address: Option<Ipv4Addr>,
    /// When it came to the node.
    pub(super) born: Timestamp,
    /// When it has its network.
    pub(super) sandbox: Timestamp,
    /// Since when something is missing that its volumes need.
    pub(super) blocked: Option<Timestamp>,
    /// Whether that was told.
    pub(super) blocked_told: bool,
    pub(super) units: Vec<Unit>,
    pub(super) doom: Option<Doom>,
    /// The time of what happened last.
    pub(super) clock: Timestamp,
}

/// The containers of a pod with their roles, in the order in which they start.
pub(super) fn containers(pod: &Pod) -> impl Iterator<Item = (&Container, Role)> {
    let spec = &pod.spec;
    let init = spec
        .init_containers
        .iter()
        .map(|container| (container, if container.restart_policy == "Always" { Role::Sidecar } else { Role::Init }));
    let main = spec.containers.iter().map(|container| (container, Role::Main));
    init.chain(main).chain(spec.ephemeral_containers.iter().map(|container| (container, Role::Ephemeral)))
}

impl Life {
    /// A pod that has just come.
    pub(super) fn new(pod: &Pod, now: Timestamp, timings: &Timings) -> Self {
        let sandbox = later(now, timings.vary(timings.sandbox, &[pod.metadata.uid.as_bytes(), b"sandbox"]));
        Self {
            uid: pod.metadata.uid.clone(),
            address: None,
            born: now,
            sandbox,
            blocked: None,
            blocked_told: false,
            units: containers(pod).map(|(container, role)| Unit::new(container, role)).collect(),
            doom: None,
            clock: now,
        }
    }

    /// A pod that was there already, as its status tells.
    pub(super) fn recalled(pod: &Pod, now: Timestamp, timings: &Timings) -> Self {
        let mut life = Self::new(pod, now, timings);
        let status = &pod.status;
        life.address = status.pod_ip.parse().ok();
        life.born = status.start_time.0.unwrap_or(now);
        if life.address.is_some() {
            life.sandbox = now;
        }
        life.units = containers(pod)
            .map(|(container, role)| {
                let list = match role {
                    Role::Init | Role::Sidecar => &status.init_container_statuses,
                    Role::Main => &status.container_statuses,
                    Role::Ephemeral => &status.ephemeral_container_statuses,
                };
                Unit::recalled(
                    container,
                    role,
                    list.iter().find(|status| status.name == container.name),
                    &pod.spec.restart_policy,
                    timings,
                )
            })
            .collect();
        life
    }

    /// Whether a container's turn has come.
    pub(super) fn may_start(&self, index: usize) -> bool {
        let Some(unit) = self.units.get(index) else { return false };
        if unit.state != State::Waiting || self.doom.is_some() || self.blocked.is_some() {
            return false;
        }
        let done = |before: &Unit| match before.role {
            Role::Init => before.has_succeeded(),
            Role::Sidecar => before.is_running() && before.started,
            // One after the other, but none waits for another one to succeed.
            Role::Main => !before.is_coming() && before.state != State::Waiting,
            Role::Ephemeral => true,
        };
        match unit.role {
            Role::Ephemeral => self.units.iter().any(|unit| unit.role == Role::Main && unit.is_running()),
            _ => self.units[..index].iter().all(done),
        }
    }

    /// What happens next, and to which container.
    pub(super) fn due(&self) -> Option<(Timestamp, usize)> {
        let times = self.units.iter().enumerate().filter_map(|(index, unit)| {
            let time = if self.may_start(index) { Some(self.clock.max(self.sandbox)) } else { unit.due() };
            Some((time?, index))
        });
        times.min()
    }

    /// Whether any container still runs.
    pub(super) fn anything_runs(&self) -> bool {
        self.units.iter().any(Unit::is_running)
    }

    /// Whether the init containers are all done, as far as they end.
    pub(super) fn is_initialised(&self) -> bool {
        self.units.iter().all(|unit| match unit.role {
            Role::Init => unit.has_succeeded(),
            Role::Sidecar => unit.started,
            _ => true,
        })
    }

    /// Whether the pod has its network, as far as can be seen from outside.
    pub(super) fn is_networked(&self) -> bool {
        self.units
            .iter()
            .any(|unit| !matches!(unit.state, State::Waiting | State::Pulling { .. } | State::Starting { .. }))
            || self.units.iter().any(|unit| unit.last.is_some())
    }
}
