//! The quality of service that a pod gets for what it asks.

use serde_json::Value;

use super::read::Read;
use crate::cluster::quantity::Quantity;

const COUNTED: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub fn qos_class(pod: &Value) -> &'static str {
    let spec = pod.part("spec");
    let own = spec.part("resources");
    let of_pod = ["limits", "requests"].iter().any(|list| own.members(list).is_some_and(|list| !list.is_empty()));
    let containers = || spec.items("containers").iter().chain(spec.items("initContainers"));
    let all: Vec<_> =
        if of_pod { vec![own] } else { containers().map(|container| container.part("resources")).collect() };
    let sum = |list: &str, name: &str| {
        all.iter().filter_map(|resources| amount(resources.part(list).part(name))).sum::<Quantity>()
    };
    let asks = |list: &str| COUNTED.iter().any(|name| sum(list, name).sign().is_gt());
    if !asks("limits") && !asks("requests") {
        return "BestEffort";
    }
    let is_bound =
        |resources: &Option<&Value>| COUNTED.iter().all(|name| amount(resources.part("limits").part(name)).is_some());
    if all.iter().all(is_bound) && COUNTED.iter().all(|name| sum("limits", name) == sum("requests", name)) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// What is more than nothing.
fn amount(quantity: Option<&Value>) -> Option<Quantity> {
    quantity.and_then(Quantity::read).filter(|amount| amount.sign().is_gt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_class_follows_from_cpu_and_memory() {
        let whole = json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1Gi"}});
        let cases = [
            (json!([{}]), "BestEffort"),
            (json!([{"resources": {"requests": {"cpu": "0"}}}]), "BestEffort"),
            (json!([{"resources": {"requests": {"ephemeral-storage": "1Gi"}}}]), "BestEffort"),
            (json!([{"resources": {"requests": {"cpu": "1m"}}}]), "Burstable"),
            (json!([{"resources": whole}]), "Guaranteed"),
            (json!([{"resources": whole}, {}]), "Burstable"),
            (
                json!([{"resources": {"limits": {"cpu": 1, "memory": "1"}, "requests": {"cpu": 1, "memory": "1"}}}]),
                "Guaranteed",
            ),
            (
                json!([{"resources": {"limits": {"cpu": "2", "memory": "1"}, "requests": {"cpu": "1", "memory": "1"}}}]),
                "Burstable",
            ),
        ];
        for (containers, expected) in cases {
            assert_eq!(qos_class(&json!({"spec": {"containers": containers}})), expected, "{containers}");
        }
        let of_pod = json!({"spec": {"containers": [{}], "resources": whole}});
        assert_eq!(qos_class(&of_pod), "Guaranteed");
        assert_eq!(qos_class(&json!(null)), "BestEffort");
    }
}
