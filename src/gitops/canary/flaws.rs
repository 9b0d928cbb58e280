//! How well a version does by what it is: its image, and how its program is called.

use serde_json::Value;

use super::followers::Faults;
use crate::cluster::object::{list, text};
use crate::cluster::sim::image::Images;
use crate::cluster::sim::image::behaviour::positive;
use crate::cluster::sim::image::http::{self, Host};

/// How well the pods of a workload do, as far as the catalogue of images knows.
pub fn of(workload: &Value, images: &Images) -> Faults {
    let containers = list(workload, &["spec", "template", "spec", "containers"]);
    containers.iter().map(|container| container_faults(container, images)).fold(Faults::default(), Faults::with)
}

fn container_faults(container: &Value, images: &Images) -> Faults {
    let behaviour = images.behaviour(text(container, &["image"]));
    let command = words(container, "command");
    if !behaviour.is_own(&command) {
        return Faults::default();
    }
    let variables = list(container, &["env"]).iter();
    let host = Host {
        arguments: command.into_iter().chain(words(container, "args")).collect(),
        variables: variables.map(|it| (text(it, &["name"]).to_owned(), text(it, &["value"]).to_owned())).collect(),
        ..Host::default()
    };
    let usual = Faults::default();
    Faults {
        success: (1.0 - http::failing(behaviour, &host)) * 100.0,
        latency: usual.latency + positive(behaviour.faults.latency),
    }
}

fn words(container: &Value, member: &str) -> Vec<String> {
    list(container, &[member]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const IMAGES: &str = "
repositories:
- {name: docker.io/shop/web, behaviour: {programs: [web]}, tags: {'1': 2024-01-01, '2': 2024-02-01},
   special: {'2': {programs: [web], faults: {rate: 0.2, latency: 400ms}}}}
";

    fn found(container: Value) -> (f64, u128) {
        let images = Images::from_yaml(IMAGES).unwrap();
        let workload = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        let faults = of(&workload, &images);
        (faults.success.round(), faults.latency.as_millis())
    }

    #[test]
    fn image_and_arguments_decide() {
        for (container, expected) in [
            (json!({"image": "shop/web:1"}), (100.0, 20)),
            (json!({"image": "shop/web:2"}), (80.0, 420)),
            (json!({"image": "shop/web:1", "command": ["./web", "--random-error"]}), (67.0, 20)),
            (json!({"image": "shop/web:1", "args": ["--random-error=false"]}), (100.0, 20)),
            (json!({"image": "shop/web:1", "env": [{"name": "PODINFO_RANDOM_ERROR", "value": "true"}]}), (67.0, 20)),
            (json!({"image": "shop/web:2", "command": ["sleep"]}), (100.0, 20)),
            (json!({}), (100.0, 20)),
        ] {
            assert_eq!(found(container.clone()), expected, "{container}");
        }
        assert_eq!(of(&Value::Null, &Images::builtin()).latency, Duration::from_millis(20));
    }
}
