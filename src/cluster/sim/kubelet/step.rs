//! What happens to a pod's containers, one thing after the other, up to now.

use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::object::Key;
use crate::cluster::sim::image::Pull;
use crate::cluster::sim::image::behaviour::positive;
use crate::cluster::sim::image::pull_time;
use crate::cluster::sim::image::reference::Reference;
use crate::cluster::sim::tools::{later, since};
use crate::cluster::sim::view::{Container, Pod};
use crate::cluster::sim::{Action, Event};

use super::life::{self, Doom, Ended, Face, Life, Role, State, Unit, containers};
use super::probe::{self, Kind};
use super::process::{Process, Program, Surroundings, pre_stop};
use super::timings::Timings;
use super::{Memory, SOURCE};

/// How many things are done at once before there is another look; a clock may have jumped by years.
const STEPS: usize = 2000;

/// What there is to know while a pod's life goes on.
pub(super) struct Step<'a> {
    pub(super) pod: &'a Pod,
    pub(super) key: &'a Key,
    /// What events are about.
    pub(super) about: serde_json::Value,
    pub(super) around: Surroundings<'a>,
    pub(super) timings: &'a Timings,
    pub(super) memory: &'a mut Memory,
    pub(super) actions: Vec<Action>,
    /// Whether the pod is at its end, so that nothing is started any more.
    pub(super) doomed: bool,
}

impl<'a> Step<'a> {
    /// Lets everything happen that is due.
    pub(super) fn play(&mut self, life: &mut Life) {
        self.doomed = life.doom.is_some();
        self.follow_spec(life);
        for _ in 0..STEPS {
            let Some((time, index)) = life.due().filter(|(time, _)| *time <= self.around.now) else { break };
            life.clock = life.clock.max(time);
            self.one(life, index, time);
            self.end_sidecars(life, time);
        }
    }

    fn container(&self, unit: &Unit) -> Option<&'a Container> {
        let mut all = containers(self.pod);
        all.find(|(container, role)| container.name == unit.name && *role == unit.role).map(|(container, _)| container)
    }

    /// Something tells about a container.
    fn tell(&mut self, unit: &Unit, kind: &'static str, reason: &'static str, message: String) {
        let list = match unit.role {
            Role::Init | Role::Sidecar => "initContainers",
            Role::Main => "containers",
            Role::Ephemeral => "ephemeralContainers",
        };
        let field_path = format!("spec.{list}{{{}}}", unit.name);
        let event = Event { about: self.about.clone(), field_path, kind, reason, message, source: SOURCE };
        self.actions.push(Action::Event(event));
    }

    fn vary(&self, time: Duration, what: &str, unit: &Unit) -> Duration {
        let parts =
            [self.pod.metadata.uid.as_bytes(), what.as_bytes(), unit.name.as_bytes(), &unit.restarts.to_le_bytes()];
        self.timings.vary(time, &parts)
    }

    /// Takes in what has changed in the pod: new containers, other images, things that were missing.
    fn follow_spec(&mut self, life: &mut Life) {
        for (container, role) in containers(self.pod) {
            if !life.units.iter().any(|unit| unit.name == container.name && unit.role == role) {
                life.units.push(Unit::new(container, role));
            }
        }
        for unit in &mut life.units {
            if let Some(container) = self.container(unit) {
                self.follow_container(unit, container);
            }
        }
    }

    fn follow_container(&mut self, unit: &mut Unit, container: &'a Container) {
        let now = self.around.now;
        if let State::Running { since, end } = &mut unit.state {
            let since = *since;
            if !unit.tracking.begun {
                // A kubelet that has forgotten everything finds out again how it ends.
                *end = ended_by_itself(&Process::lenient(self.pod, container, self.around), since);
                unit.tracking.begin(container, since, now, unit.started, self.timings);
            }
            unit.tracking.refresh(container, self.around.images.revision(), since, now);
            // What is typed into a shell may end it: that is told in the status.
            let told = self.pod.status.container_statuses.iter().find(|status| status.name == unit.name);
            let told = told.and_then(|status| status.state.terminated.as_ref()).map(life::ended);
            if let Some(told) = told.filter(|told| told.started.as_second() == since.as_second()) {
                *end = Some(Ended { started: since, ..told });
            }
        }
        if let State::Refused { reason: "CreateContainerConfigError", .. } = unit.state
            && Process::new(self.pod, container, self.around).is_ok()
        {
            unit.state = State::Waiting;
        }
        if unit.image == container.image || self.doomed {
            return;
        }
        unit.image.clone_from(&container.image);
        match &unit.state {
            State::Running { .. } => {
                let message = format!("Container {} definition changed, will be restarted", unit.name);
                self.tell(unit, "Normal", "Killing", message);
                self.stop(unit, Some(container), now, true, None);
            }
            State::PullFailed { .. } | State::Refused { .. } | State::BackOff { .. } | State::Pulling { .. } => {
                unit.failed_pulls = 0;
                unit.crashes = 0;
                unit.state = State::Waiting;
            }
            _ => {}
        }
    }

    fn one(&mut self, life: &mut Life, index: usize, time: Timestamp) {
        if life.address.is_none() && !self.pod.spec.host_network {
            life.address = self.memory.address(self.around.store, self.pod, self.key);
        }
        let Some(unit) = life.units.get_mut(index) else { return };
        match self.container(unit) {
            Some(container) => self.unit(unit, container, time),
            // A container that is in no spec any more: nothing can come of it.
            None => unit.state = State::Refused { reason: "ContainerGone", message: String::new() },
        }
    }

    fn unit(&mut self, unit: &mut Unit, container: &'a Container, time: Timestamp) {
        match std::mem::replace(&mut unit.state, State::Waiting) {
            State::Waiting | State::BackOff { .. } => self.begin(unit, container, time),
            State::Pulling { since, .. } => self.pulled(unit, container, since, time),
            State::PullFailed { shift: Some(_), retry } => {
                unit.state = State::PullFailed { shift: None, retry };
                let image = container.image.clone();
                self.tell(unit, "Normal", "BackOff", format!("Back-off pulling image \"{image}\""));
                self.tell(unit, "Warning", "Failed", "Error: ImagePullBackOff".to_owned());
                if let Face::Waits { reason, message } = &mut unit.face {
                    "ImagePullBackOff".clone_into(reason);
                    *message = format!("Back-off pulling image \"{image}\": ErrImagePull: {message}");
                }
            }
            State::PullFailed { shift: None, .. } => self.begin(unit, container, time),
            State::Starting { .. } => self.start(unit, container, time),
            State::Running { since, end } => {
                if let Some(end) = end.clone().filter(|end| end.finished <= time) {
                    self.over(unit, end, time, false);
                } else {
                    unit.state = State::Running { since, end };
                    self.probe(unit, container, since, time);
                }
            }
            State::Stopping { end, restart, .. } => self.over(unit, end, time, restart),
            State::Over { end, .. } => self.after(unit, container, end, time),
            refused @ State::Refused { .. } => unit.state = refused,
        }
    }

    /// The first step towards running: the image.
    fn begin(&mut self, unit: &mut Unit, container: &'a Container, time: Timestamp) {
        let image = &container.image;
        let Some(reference) = Reference::parse(image) else {
            let message = format!(
                "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference format"
            );
            self.tell(unit, "Warning", "InspectFailed", message.clone());
            self.tell(unit, "Warning", "Failed", "Error: InvalidImageName".to_owned());
            self.refuse(unit, "InvalidImageName", message);
            return;
        };
        let present = self.memory.has_image(&self.pod.spec.node_name, &reference.full())
            || self.around.images.is_present(&reference);
        match container.image_pull_policy.as_str() {
            "Never" if !present => {
                let message = format!("Container image \"{image}\" is not present with pull policy of Never");
                self.tell(unit, "Warning", "ErrImageNeverPull", message.clone());
                self.tell(unit, "Warning", "Failed", "Error: ErrImageNeverPull".to_owned());
                self.refuse(unit, "ErrImageNeverPull", message);
            }
            "Always" => self.pull(unit, &reference, image, time),
            _ if present => {
                let message =
                    format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
                self.tell(unit, "Normal", "Pulled", message);
                self.create(unit, container, time);
            }
            _ => self.pull(unit, &reference, image, time),
        }
    }

    fn refuse(&mut self, unit: &mut Unit, reason: &'static str, message: String) {
        unit.face = Face::Waits { reason: reason.to_owned(), message: message.clone() };
        unit.state = State::Refused { reason, message };
    }

    fn pull(&mut self, unit: &mut Unit, reference: &Reference, image: &str, time: Timestamp) {
        self.tell(unit, "Normal", "Pulling", format!("Pulling image \"{image}\""));
        let takes = match self.around.images.pull(reference) {
            Pull::Comes(size) if !self.memory.has_image(&self.pod.spec.node_name, &reference.full()) => {
                pull_time(size, self.timings.pull)
            }
            // Only the manifest is asked for again.
            Pull::Comes(_) => self.timings.pull / 2,
            Pull::Fails(_) => self.timings.pull,
        };
        unit.state = State::Pulling { since: time, until: later(time, self.vary(takes, "pull", unit)) };
    }

    fn pulled(&mut self, unit: &mut Unit, container: &'a Container, began: Timestamp, time: Timestamp) {
        let image = &container.image;
        let Some(reference) = Reference::parse(image) else { return };
        match self.around.images.pull(&reference) {
            Pull::Comes(size) => {
                self.memory.keep_image(&self.pod.spec.node_name, &reference.full());
                let took = shown(since(time, began));
                let message = format!(
                    "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {size} bytes."
                );
                self.tell(unit, "Normal", "Pulled", message);
                unit.failed_pulls = 0;
                self.create(unit, container, time);
            }
            Pull::Fails(why) => {
                self.tell(unit, "Warning", "Failed", format!("Failed to pull image \"{image}\": {why}"));
                self.tell(unit, "Warning", "Failed", "Error: ErrImagePull".to_owned());
                let wait = self.timings.back_off(unit.failed_pulls);
                unit.failed_pulls = unit.failed_pulls.saturating_add(1);
                unit.face = Face::Waits { reason: "ErrImagePull".to_owned(), message: why };
                let shift = Some(later(time, self.timings.pull_error));
                unit.state = State::PullFailed { shift, retry: later(time, wait.max(self.timings.pull_error)) };
            }
        }
    }

    fn create(&mut self, unit: &mut Unit, container: &'a Container, time: Timestamp) {
        if let Some(reference) = Reference::parse(&container.image) {
            unit.image_id = self.around.images.image_id(&reference);
        }
        let behaviour = self.around.images.behaviour(&container.image);
        let takes = self.vary(self.timings.create, "create", unit) + positive(behaviour.start);
        unit.state = State::Starting { at: later(time, takes) };
    }

    fn start(&mut self, unit: &mut Unit, container: &'a Container, time: Timestamp) {
        let process = match Process::new(self.pod, container, self.around) {
            Ok(process) => process,
            Err(why) => {
                self.tell(unit, "Warning", "Failed", format!("Error: {why}"));
                self.refuse(unit, "CreateContainerConfigError", why);
                return;
            }
        };
        let end = ended_by_itself(&process, time);
        self.tell(unit, "Normal", "Created", "Container created".to_owned());
        self.tell(unit, "Normal", "Started", "Container started".to_owned());
        if unit.last.is_some() {
            unit.restarts = unit.restarts.saturating_add(1);
        }
        unit.started = container.startup_probe.is_none();
        unit.ready = unit.started && container.readiness_probe.is_none();
        unit.state = State::Running { since: time, end };
        unit.tracking.begin(container, time, time, unit.started, self.timings);
        unit.tracking.refresh(container, self.around.images.revision(), time, time);
    }

    fn probe(&mut self, unit: &mut Unit, container: &'a Container, began: Timestamp, time: Timestamp) {
        let Some(kind) = unit.tracking.due(time) else { return };
        let Some(probe) = kind.of(container) else {
            unit.tracking.track(kind).next = None;
            return;
        };
        let process = Process::lenient(self.pod, container, self.around);
        let track = unit.tracking.track(kind);
        let finding = probe::attempt(&process, probe, track.tries(), began, time);
        let reached = track.count(probe, &finding, time);
        if let Some(failure) = &finding.failure {
            self.tell(unit, "Warning", "Unhealthy", format!("{} probe failed: {failure}", kind.word()));
        }
        match (kind, reached) {
            (Kind::Startup, Some(true)) => {
                unit.started = true;
                unit.ready = container.readiness_probe.is_none();
                unit.tracking.begin(container, began, time, true, self.timings);
            }
            (Kind::Readiness, Some(ready)) => unit.ready = ready,
            (Kind::Liveness | Kind::Startup, Some(false)) => {
                let word = kind.word().to_lowercase();
                let message = format!("Container {} failed {word} probe, will be restarted", unit.name);
                self.tell(unit, "Normal", "Killing", message);
                // A shell does not listen to the request to end; a server does.
                let killed = matches!(process.program(), Program::Script { .. });
                self.stop(unit, Some(container), time, false, killed.then_some(137));
            }
            _ => {}
        }
    }

    /// Tells a container to end.
    fn stop(&self, unit: &mut Unit, container: Option<&Container>, time: Timestamp, restart: bool, code: Option<i32>) {
        let State::Running { since, .. } = unit.state else { return };
        let grace =
            self.pod.spec.termination_grace_period_seconds.and_then(|grace| u64::try_from(grace).ok()).unwrap_or(30);
        let takes = (self.vary(self.timings.stop, "stop", unit) + container.map(pre_stop).unwrap_or_default())
            .min(Duration::from_secs(grace.max(1)));
        let code = code.unwrap_or(0);
        let end = ended(code, String::new(), since, later(time, takes));
        unit.state = State::Stopping { since, end, restart };
    }

    /// A container has ended.
    fn over(&mut self, unit: &mut Unit, end: Ended, time: Timestamp, restart: bool) {
        let again = !self.doomed && (restart || unit.role.begins_again(&self.pod.spec.restart_policy, end.code));
        if since(end.finished, end.started) >= self.timings.forgiven || restart {
            unit.crashes = 0;
        }
        unit.ready = unit.role == Role::Init && end.code == 0;
        unit.started = false;
        unit.face = Face::Ended;
        let wait = self.vary(self.timings.notice, "notice", unit);
        unit.state = State::Over { again: again.then(|| later(time, wait)), end };
    }

    /// A container that has ended is started anew, at once the first time.
    fn after(&mut self, unit: &mut Unit, container: &'a Container, end: Ended, time: Timestamp) {
        let finished = end.finished;
        unit.last = Some(end);
        let crashes = unit.crashes;
        unit.crashes = crashes.saturating_add(1);
        if crashes == 0 {
            self.begin(unit, container, time);
            return;
        }
        let wait = self.timings.back_off(crashes - 1);
        let (name, pod) = (&unit.name, &self.pod.metadata);
        let place = format!("{}_{}({})", pod.name, pod.namespace, pod.uid);
        let message = format!("back-off {} restarting failed container={name} pod={place}", whole(wait));
        let told = format!("Back-off restarting failed container {name} in pod {place}");
        self.tell(unit, "Warning", "BackOff", told);
        unit.face = Face::Waits { reason: "CrashLoopBackOff".to_owned(), message };
        unit.state = State::BackOff { until: later(finished, wait).max(time) };
    }

    /// Ends the pod: every container that runs is told to, and no other one starts.
    pub(super) fn doom(&mut self, life: &mut Life, doom: Doom) {
        life.doom = Some(doom);
        self.doomed = true;
        let now = self.around.now;
        let grace = self.pod.metadata.deletion_grace_period_seconds.and_then(|grace| u64::try_from(grace).ok());
        for unit in &mut life.units {
            match unit.state.clone() {
                State::Running { .. } => {
                    self.tell(unit, "Normal", "Killing", format!("Stopping container {}", unit.name));
                    self.stop(unit, self.container(unit), now, false, (doom == Doom::TooLong).then_some(137));
                }
                State::Stopping { since, end, .. } => unit.state = State::Stopping { since, end, restart: false },
                State::Over { end, .. } => unit.state = State::Over { end, again: None },
                _ => unit.state = State::Waiting,
            }
            if let (State::Stopping { end, .. }, Some(grace)) = (&mut unit.state, grace) {
                end.finished = end.finished.min(later(now, Duration::from_secs(grace)));
            }
        }
    }

    /// Sidecars end when nothing is left for them to do.
    fn end_sidecars(&mut self, life: &mut Life, time: Timestamp) {
        let mut main = life.units.iter().filter(|unit| unit.role == Role::Main);
        let failed = life.units.iter().any(|unit| unit.role == Role::Init && unit.is_over() && !unit.has_succeeded());
        if !failed && !main.all(Unit::is_over) || life.doom.is_some() {
            return;
        }
        for unit in life.units.iter_mut().filter(|unit| unit.role == Role::Sidecar) {
            match unit.state.clone() {
                State::Running { .. } => {
                    self.tell(unit, "Normal", "Killing", format!("Stopping container {}", unit.name));
                    self.stop(unit, self.container(unit), time, false, None);
                }
                State::Over { end, again: Some(_) } => unit.state = State::Over { end, again: None },
                _ => {}
            }
        }
    }
}

fn ended(code: i32, reason: String, started: Timestamp, finished: Timestamp) -> Ended {
    let reason = match (reason.is_empty(), code) {
        (false, _) => reason,
        (true, 0) => "Completed".to_owned(),
        (true, _) => "Error".to_owned(),
    };
    Ended { code, reason, message: String::new(), started, finished }
}

fn ended_by_itself(process: &Process<'_>, began: Timestamp) -> Option<Ended> {
    let exit = process.exit(began)?;
    Some(Ended { message: exit.message, ..ended(exit.code, exit.reason, began, later(began, exit.after)) })
}

/// A time as Go prints it, rounded to milliseconds: `450ms`, `1.234s`.
fn shown(time: Duration) -> String {
    let millis = time.as_millis();
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A wait of whole seconds as Go prints it: `10s`, `2m40s`, `5m0s`.
fn whole(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}
