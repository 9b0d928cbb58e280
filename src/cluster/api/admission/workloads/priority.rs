//! The priority of a pod, from its class.

use serde_json::Value;

use super::read::Read;
use crate::cluster::object::{set, text};

/// Classes that every cluster has.
const SYSTEM: [(&str, i64); 2] = [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// Gives a pod the priority of its class, or tells why it cannot have it.
pub(super) fn admit(pod: &mut Value, classes: &[Value]) -> Result<(), String> {
    let name = text(pod, &["spec", "priorityClassName"]).to_owned();
    let named = |class: &&Value| class.part("metadata").text("name") == name;
    let class = if name.is_empty() {
        // Of several defaults the least counts.
        let defaults = classes.iter().filter(|class| class.is_on("globalDefault"));
        defaults.min_by_key(|class| class.int("value").unwrap_or(0))
    } else {
        classes.iter().find(named)
    };
    let priority = match (class, SYSTEM.iter().find(|(system, _)| *system == name)) {
        (Some(class), _) => class.int("value").unwrap_or(0),
        (None, Some((_, value))) => *value,
        (None, None) if name.is_empty() => 0,
        (None, None) => return Err(format!("no PriorityClass with name {name} was found")),
    };
    let policy = Some(class.text("preemptionPolicy")).filter(|policy| !policy.is_empty());
    let policy = policy.unwrap_or("PreemptLowerPriority");
    let spec = pod.part("spec");
    if let Some(given) = spec.int("priority").filter(|&given| given != priority) {
        return Err(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
             computed {priority} from the given PriorityClass name"
        ));
    }
    let given = spec.text("preemptionPolicy");
    if !given.is_empty() && given != policy {
        return Err(format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        ));
    }
    if let Some(class) = class.filter(|_| name.is_empty()) {
        set(pod, &["spec", "priorityClassName"], class.part("metadata").text("name"));
    }
    set(pod, &["spec", "priority"], priority);
    set(pod, &["spec", "preemptionPolicy"], policy);
    Ok(())
}
