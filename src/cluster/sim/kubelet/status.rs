//! What a pod's life looks like in its status.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::object::{Map, list, set, text};
use crate::cluster::sim::condition::{self, New};
use crate::cluster::sim::image::manifest::hex;
use crate::cluster::sim::tools::stamp;
use crate::cluster::sim::view::Pod;

use super::life::{Doom, Ended, Face, Life, Role, State, Unit};

/// The status of a pod.
pub(super) struct Status<'a> {
    pub(super) pod: &'a Pod,
    pub(super) life: &'a Life,
    pub(super) host: &'a str,
    pub(super) now: Timestamp,
}

/// The conditions that the kubelet writes, in their order.
const OWN: [&str; 4] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"];

impl Status<'_> {
    /// The status that the pod should have, made of the one that it has.
    pub(super) fn value(&self, before: &Value) -> Value {
        let phase = self.phase();
        let mut status = before.clone();
        set(&mut status, &["conditions"], self.conditions(list(before, &["conditions"]), phase));
        for (member, roles) in [
            ("initContainerStatuses", &[Role::Init, Role::Sidecar][..]),
            ("containerStatuses", &[Role::Main][..]),
            ("ephemeralContainerStatuses", &[Role::Ephemeral][..]),
        ] {
            let statuses = self.containers(roles);
            if !statuses.is_empty() {
                set(&mut status, &[member], statuses);
            }
        }
        set(&mut status, &["hostIP"], self.host);
        set(&mut status, &["hostIPs"], json!([{"ip": self.host}]));
        if self.pod.metadata.generation > 0 {
            set(&mut status, &["observedGeneration"], self.pod.metadata.generation);
        }
        set(&mut status, &["phase"], phase);
        let address = match self.life.address {
            _ if self.pod.spec.host_network => Some(self.host.to_owned()),
            Some(address) if self.is_networked() => Some(address.to_string()),
            _ => None,
        };
        if let Some(address) = address {
            set(&mut status, &["podIPs"], json!([{"ip": address}]));
            set(&mut status, &["podIP"], address);
        }
        if text(&status, &["startTime"]).is_empty() {
            set(&mut status, &["startTime"], stamp(self.life.born));
        }
        if self.life.doom == Some(Doom::TooLong) {
            set(&mut status, &["reason"], "DeadlineExceeded");
            set(&mut status, &["message"], "Pod was active on the node longer than the specified deadline");
        }
        status
    }

    /// The pod's phase.
    pub(super) fn phase(&self) -> &'static str {
        let units = &self.life.units;
        let of = |roles: &'static [Role]| units.iter().filter(move |unit| roles.contains(&unit.role));
        let mains = || of(&[Role::Main]);
        let idle = !self.life.anything_runs();
        if let Some(doom) = self.life.doom
            && idle
        {
            let failed = doom == Doom::TooLong || mains().any(|unit| !unit.has_succeeded());
            return if failed { "Failed" } else { "Succeeded" };
        }
        if of(&[Role::Init]).any(|unit| unit.is_over() && !unit.has_succeeded()) {
            return if idle { "Failed" } else { "Pending" };
        }
        if !self.life.is_initialised() && mains().all(|unit| unit.state == State::Waiting) {
            return "Pending";
        }
        if mains().all(Unit::is_over) && mains().next().is_some() {
            if of(&[Role::Sidecar]).any(Unit::is_running) {
                return "Running";
            }
            return if mains().all(Unit::has_succeeded) { "Succeeded" } else { "Failed" };
        }
        let begun = |unit: &Unit| unit.last.is_some() || unit.is_running() || matches!(unit.state, State::Over { .. });
        // Containers that have never run keep the whole pod pending.
        if self.holds_back() || !mains().all(begun) { "Pending" } else { "Running" }
    }

    /// Whether the first round of starts is still under way: until then nothing of it is shown.
    fn holds_back(&self) -> bool {
        let mains = || self.life.units.iter().filter(|unit| unit.role == Role::Main);
        let first = |unit: &Unit| unit.last.is_none() && unit.failed_pulls == 0;
        self.life.is_initialised()
            && mains().all(first)
            && mains().any(|unit| unit.is_coming() || unit.state == State::Waiting)
            && self.life.doom.is_none()
    }

    /// Whether the pod has its network, as far as is shown.
    fn is_networked(&self) -> bool {
        let initialises = self.life.units.iter().any(|unit| matches!(unit.role, Role::Init | Role::Sidecar));
        self.life.is_networked() && (initialises || !self.holds_back())
    }

    fn containers(&self, roles: &[Role]) -> Vec<Value> {
        let mut units: Vec<&Unit> = self.life.units.iter().filter(|unit| roles.contains(&unit.role)).collect();
        if roles.contains(&Role::Main) {
            units.sort_by(|one, other| one.name.cmp(&other.name));
        }
        units.into_iter().map(|unit| self.container(unit)).collect()
    }

    /// Why a container waits that nothing has happened to yet.
    fn first_wait(&self) -> &'static str {
        let initialises = self.life.units.iter().any(|unit| matches!(unit.role, Role::Init | Role::Sidecar));
        if initialises { "PodInitializing" } else { "ContainerCreating" }
    }

    fn container(&self, unit: &Unit) -> Value {
        let hidden = unit.role == Role::Main && self.holds_back();
        let face = || match &unit.face {
            Face::Ended => None,
            Face::Waits { reason, message } if !reason.is_empty() => Some(waiting(reason, message)),
            Face::Waits { .. } => Some(waiting(self.first_wait(), "")),
        };
        let mut last = unit.last.as_ref();
        let mut runs = false;
        let state = match &unit.state {
            _ if hidden => face(),
            State::Running { since, .. } | State::Stopping { since, .. } => {
                runs = true;
                Some(json!({"running": {"startedAt": stamp(*since)}}))
            }
            State::Over { end, .. } => Some(self.terminated(unit, end, unit.restarts)),
            _ => face(),
        };
        let state = match (state, last) {
            (Some(state), _) => state,
            // On its way to run again it still looks as it ended.
            (None, Some(end)) => {
                last = None;
                self.terminated(unit, end, unit.restarts)
            }
            (None, None) => waiting(self.first_wait(), ""),
        };
        let created = runs || matches!(unit.state, State::Over { .. }) && !hidden || unit.last.is_some();
        let mut status = Map::new();
        let mut put = |name: &str, value: Value| status.insert(name.to_owned(), value);
        if created {
            put("containerID", container_id(&self.life.uid, &unit.name, unit.restarts).into());
        }
        put("image", unit.image.as_str().into());
        put("imageID", if created { unit.image_id.as_str().into() } else { "".into() });
        let before = unit.restarts.saturating_sub(u32::from(runs || matches!(unit.state, State::Over { .. })));
        put("lastState", last.map_or_else(|| json!({}), |end| self.terminated(unit, end, before)));
        put("name", unit.name.as_str().into());
        put("ready", (unit.ready && !hidden).into());
        put("restartCount", unit.restarts.into());
        put("started", (unit.started && runs).into());
        put("state", state);
        Value::Object(status)
    }

    fn terminated(&self, unit: &Unit, end: &Ended, number: u32) -> Value {
        let mut terminated = json!({
            "containerID": container_id(&self.life.uid, &unit.name, number),
            "exitCode": end.code,
            "finishedAt": stamp(end.finished),
            "reason": end.reason,
            "startedAt": stamp(end.started),
        });
        if !end.message.is_empty() {
            set(&mut terminated, &["message"], end.message.as_str());
        }
        json!({ "terminated": terminated })
    }

    fn conditions(&self, before: &[Value], phase: &str) -> Vec<Value> {
        let over = match phase {
            "Succeeded" => "PodCompleted",
            "Failed" => "PodFailed",
            _ => "",
        };
        let names = |roles: &[Role], bad: &dyn Fn(&Unit) -> bool| -> String {
            let named = self.life.units.iter().filter(|unit| roles.contains(&unit.role) && bad(unit));
            named.map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        let hidden = self.holds_back();
        let unready = names(&[Role::Main, Role::Sidecar], &|unit| !unit.ready || hidden && unit.role == Role::Main);
        let incomplete = names(&[Role::Init, Role::Sidecar], &|unit| match unit.role {
            Role::Init => !unit.has_succeeded(),
            _ => !unit.started,
        });
        let unready_text = format!("containers with unready status: [{unready}]");
        let incomplete_text = format!("containers with incomplete status: [{incomplete}]");
        let ready = over.is_empty() && unready.is_empty();
        let gate = self.missing_gate(before);
        let networked = over.is_empty() && self.is_networked();
        let initialised = self.life.is_initialised() || phase == "Succeeded";
        let ready_why = match () {
            () if !over.is_empty() => (over, ""),
            () if !ready => ("ContainersNotReady", &*unready_text),
            () => ("", ""),
        };
        let found = [
            (networked, ("", "")),
            (
                initialised,
                match () {
                    () if initialised && phase == "Succeeded" => ("PodCompleted", ""),
                    () if initialised => ("", ""),
                    () => ("ContainersNotInitialized", &*incomplete_text),
                },
            ),
            (
                ready && gate.is_none(),
                match &gate {
                    Some(gate) if ready => ("ReadinessGatesNotReady", gate.as_str()),
                    _ => ready_why,
                },
            ),
            (ready, ready_why),
        ];
        let generation = (self.pod.metadata.generation > 0).then_some(self.pod.metadata.generation);
        let own = OWN.iter().zip(found).map(|(kind, (holds, (reason, message)))| {
            let new = New { kind, holds, reason, message, generation, probed: true, wordy: false };
            new.value(condition::find(before, kind), self.now)
        });
        let others = before.iter().filter(|condition| !OWN.contains(&text(condition, &["type"])));
        let (scheduled, others): (Vec<_>, Vec<_>) =
            others.cloned().partition(|condition| text(condition, &["type"]) == "PodScheduled");
        let scheduled = match scheduled.into_iter().next() {
            Some(scheduled) => scheduled,
            None => {
                let new = New { kind: "PodScheduled", holds: true, probed: true, generation, ..New::default() };
                new.value(None, self.now)
            }
        };
        own.chain([scheduled]).chain(others).collect()
    }

    /// The readiness gate that is not met.
    fn missing_gate(&self, conditions: &[Value]) -> Option<String> {
        self.pod.spec.readiness_gates.iter().find_map(|gate| {
            let kind = &gate.condition_type;
            match condition::find(conditions, kind) {
                None => Some(format!("corresponding condition of pod readiness gate \"{kind}\" does not exist.")),
                Some(condition) if text(condition, &["status"]) != "True" => Some(format!(
                    "the status of pod readiness gate \"{kind}\" is not \"True\", but {}",
                    text(condition, &["status"])
                )),
                Some(_) => None,
            }
        })
    }
}

fn waiting(reason: &str, message: &str) -> Value {
    if message.is_empty() {
        json!({"waiting": {"reason": reason}})
    } else {
        json!({"waiting": {"message": message, "reason": reason}})
    }
}

/// The id of a container: always the same for the same start of it.
pub(super) fn container_id(uid: &str, name: &str, restarts: u32) -> String {
    format!("containerd://{}", hex(format!("{uid}/{name}/{restarts}").as_bytes()))
}
