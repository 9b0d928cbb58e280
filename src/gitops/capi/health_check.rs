//! A health check of machines: those that stay unhealthy are given back to their owner, who replaces them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::action::{Pass, own, set_label};
use super::condition::{self, Condition};
use super::kind::Kind;
use super::rollout::amount;
use super::words;
use super::world::{Id, annotation, controller, is_going, is_paused, label, name, namespace};
use crate::cluster::object::{at, int, list, map, set, text};
use crate::gitops::canary::go;

/// How long a machine may take to become a node.
const STARTUP: Duration = Duration::from_mins(10);

/// A health check: it counts, and says how many machines may be replaced. The machines look at what it says.
pub(super) fn reconcile<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    if is_going(old) {
        return;
    }
    let mut new = old.clone();
    let Some(cluster) = pass.world.cluster_of(Kind::MachineHealthCheck, old) else {
        let cluster = text(old, &["spec", "clusterName"]);
        pass.problems.push(format!("{id}: failed to get Cluster \"{cluster}\": it does not exist"));
        return;
    };
    set_label(&mut new, words::CLUSTER, name(cluster));
    own(&mut new, cluster, false);
    let paused = is_paused(old, Some(cluster));
    condition::set(&mut new, "Paused", &Condition::either(paused, "Paused", "NotPaused"), pass.now);
    if !paused {
        count(pass, old, &mut new);
    }
    pass.settle(id, old, new);
}

fn count(pass: &mut Pass<'_>, check: &Value, new: &mut Value) {
    let found = Counted::of(pass, check);
    let Counted { total, healthy, ill, .. } = found;
    set(new, &["status", "expectedMachines"], total);
    set(new, &["status", "currentHealthy"], healthy);
    set(new, &["status", "remediationsAllowed"], (found.most - ill).max(0));
    set(new, &["status", "targets"], found.names.clone());
    let allowed = if found.is_allowed() {
        Condition::yes("RemediationAllowed")
    } else {
        let limit = limit(check).map_or_else(|| "100%".to_owned(), shown);
        Condition::no(
            "TooManyUnhealthy",
            format!(
                "Remediation is not allowed, the number of not started or unhealthy machines exceeds maxUnhealthy \
                 (total: {total}, unhealthy: {ill}, maxUnhealthy: {limit})"
            ),
        )
    };
    condition::set(new, "RemediationAllowed", &allowed, pass.now);
}

/// The machines of a health check.
struct Counted {
    names: Vec<Value>,
    total: i64,
    healthy: i64,
    ill: i64,
    /// How many may be ill at once.
    most: i64,
}

impl Counted {
    fn of(pass: &mut Pass<'_>, check: &Value) -> Self {
        let all = pass.world.members(namespace(check), text(check, &["spec", "clusterName"]), Kind::Machine);
        let mut found = Self { names: Vec::new(), total: 0, healthy: 0, ill: 0, most: 0 };
        for (_, machine) in all.into_iter().filter(|(_, machine)| is_meant(check, machine)) {
            found.names.push(name(machine).into());
            found.total += 1;
            match verdict(pass, check, machine) {
                Verdict::Healthy => found.healthy += 1,
                Verdict::Ill(..) => found.ill += 1,
                Verdict::Waiting => {}
            }
        }
        found.most = limit(check).and_then(|limit| amount(limit, found.total, false)).unwrap_or(found.total);
        found
    }

    fn is_allowed(&self) -> bool {
        self.ill <= self.most
    }
}

/// How a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Healthy,
    /// It is to be replaced: the reason, and in words.
    Ill(&'static str, String),
    /// It is not well, but has time left; or nobody looks.
    Waiting,
}

/// What health checks say of a machine, as its conditions: whether it is well, and whether its owner has to act.
pub(super) fn conditions(pass: &mut Pass<'_>, machine: &Value) -> Option<(Condition, Option<Condition>)> {
    let checks: Vec<&Value> = pass
        .world
        .members(namespace(machine), text(machine, &["spec", "clusterName"]), Kind::MachineHealthCheck)
        .into_iter()
        .map(|(_, check)| check)
        .filter(|check| !is_going(check) && is_meant(check, machine))
        .collect();
    if checks.is_empty() || annotation(machine, words::SKIP_REMEDIATION).is_some() {
        return None;
    }
    for check in &checks {
        if let Verdict::Ill(reason, why) = verdict(pass, check, machine) {
            let ill = Condition::no(reason, format!("Health check failed: {why}")).severe("Warning");
            // As it is now: what the check's status says is from before.
            let allowed = Counted::of(pass, check).is_allowed();
            let waits = Condition::no("WaitingForRemediation", "Waiting for remediation").severe("Warning");
            return Some((ill, allowed.then_some(waits)));
        }
    }
    Some((Condition::yes("HealthCheckSucceeded"), None))
}

/// Whether a machine's owner is to replace it.
pub(super) fn is_given_up(machine: &Value) -> bool {
    let says = |kind: &str| condition::read(machine, kind).is_some_and(|found| found.status == "False");
    says("HealthCheckSucceeded") && says("OwnerRemediated")
}

fn is_meant(check: &Value, machine: &Value) -> bool {
    let labels = map(check, &["spec", "selector", "matchLabels"]);
    labels.into_iter().flatten().all(|(name, value)| label(machine, name) == value.as_str())
}

fn verdict(pass: &mut Pass<'_>, check: &Value, machine: &Value) -> Verdict {
    if is_going(machine) || annotation(machine, words::PAUSED).is_some() {
        return Verdict::Waiting;
    }
    if annotation(machine, words::REMEDIATE).is_some() {
        let why = format!("marked for remediation via {} annotation", words::REMEDIATE);
        return Verdict::Ill("HasRemediateAnnotation", why);
    }
    if text(machine, &["status", "nodeRef", "name"]).is_empty() {
        let takes = startup(check);
        let Some(began) = started(pass, machine) else { return Verdict::Waiting };
        if takes.is_zero() || !pass.is_over(began, takes) {
            return Verdict::Waiting;
        }
        let millis = i64::try_from(takes.as_millis()).unwrap_or(i64::MAX);
        return Verdict::Ill(
            "NodeStartupTimeout",
            format!("Node failed to report startup in {}", go::milliseconds(millis)),
        );
    }
    let Some(node) = condition::read(machine, "NodeReady") else { return Verdict::Healthy };
    let since = condition::since(machine, "NodeReady").unwrap_or(pass.now);
    let wanted = list(check, &["spec", "checks", "unhealthyNodeConditions"]).iter();
    let mut well = true;
    for rule in wanted.chain(list(check, &["spec", "unhealthyConditions"])) {
        if text(rule, &["type"]) != "Ready" || text(rule, &["status"]) != node.status {
            continue;
        }
        let takes = duration(rule, "timeoutSeconds", "timeout").unwrap_or_default();
        if pass.is_over(since, takes) {
            let millis = i64::try_from(takes.as_millis()).unwrap_or(i64::MAX);
            let time = go::milliseconds(millis);
            let why = format!("Condition Ready on Node is reporting status {} for more than {time}", node.status);
            return Verdict::Ill("UnhealthyNode", why);
        }
        well = false;
    }
    if well { Verdict::Healthy } else { Verdict::Waiting }
}

/// From when on a machine should have become a node: since it could.
fn started(pass: &Pass<'_>, machine: &Value) -> Option<Timestamp> {
    let cluster = pass.world.cluster_of(Kind::Machine, machine)?;
    let made: Timestamp = text(machine, &["metadata", "creationTimestamp"]).parse().ok()?;
    if !super::workload::is_initialized(cluster) {
        return None;
    }
    Some(condition::since(cluster, "ControlPlaneInitialized").map_or(made, |since| since.max(made)))
}

fn startup(check: &Value) -> Duration {
    let spec = at(check, &["spec", "checks"]).unwrap_or(&Value::Null);
    let newer = duration(spec, "nodeStartupTimeoutSeconds", "nodeStartupTimeout");
    newer
        .or_else(|| duration(at(check, &["spec"])?, "nodeStartupTimeoutSeconds", "nodeStartupTimeout"))
        .unwrap_or(STARTUP)
}

/// Seconds in the new versions, text in the old ones.
fn duration(object: &Value, seconds: &str, words: &str) -> Option<Duration> {
    if let Some(seconds) = int(object, &[seconds]) {
        return Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    }
    go::seconds(text(object, &[words])).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn limit(check: &Value) -> Option<&Value> {
    at(check, &["spec", "remediation", "triggerIf", "unhealthyLessThanOrEqualTo"])
        .or_else(|| at(check, &["spec", "maxUnhealthy"]))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Replaces the machines of a set that health checks gave up.
pub(super) fn replace(pass: &mut Pass<'_>, set: &Value, machines: &[(&Id, &Value)]) -> bool {
    let given_up: Vec<_> = machines.iter().filter(|(_, machine)| !is_going(machine) && is_given_up(machine)).collect();
    for (id, machine) in &given_up {
        debug_assert!(controller(machine).is_some(), "the set controls it");
        pass.delete(id, machine);
        pass.event(set, "SuccessfulDelete", format!("Deleted Machine \"{}\"", id.name));
    }
    !given_up.is_empty()
}
