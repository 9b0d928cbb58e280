//! `run` and `expose`: a pod by its image, a service for what runs.

use serde_json::{Map, Value, json};

use super::create::{make, metadata};
use super::flags::Arguments;
use super::problem::Problem;
use super::select;
use super::session::Session;
use crate::cluster::object;

/// Runs `run`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let before_dash = arguments.dash.unwrap_or(arguments.words.len());
    let (names, words) = arguments.words.split_at(before_dash);
    let [name] = names else {
        return Err(Problem::said("NAME is required for run\nSee 'kubectl run -h' for help and examples"));
    };
    let Some(image) = arguments.text("image").filter(|image| !image.is_empty()) else {
        return Err(Problem::said("required flag(s) \"image\" not set"));
    };
    let restart = arguments.text("restart").unwrap_or("Always");
    if !matches!(restart, "Always" | "OnFailure" | "Never") {
        return Err(Problem::said(format!("invalid restart policy: {restart}")));
    }
    let mut container = json!({ "image": image, "name": name, "resources": {} });
    if !words.is_empty() {
        let member = if arguments.on("command") { "command" } else { "args" };
        object::set(&mut container, &[member], words.to_vec());
    }
    let env: Vec<Value> = pairs(&arguments.all("env"), "env")?
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    if !env.is_empty() {
        object::set(&mut container, &["env"], env);
    }
    if let Some(port) = arguments.number("port") {
        object::set(&mut container, &["ports"], json!([{ "containerPort": port }]));
    }
    let labels = match arguments.text("labels") {
        Some(labels) => pairs(&labels.split(',').collect::<Vec<_>>(), "label")?,
        None => vec![("run".to_owned(), name.clone())],
    };
    let labels: Map<String, Value> = labels.into_iter().map(|(name, value)| (name, value.into())).collect();
    let mut metadata = metadata(name);
    object::set(&mut metadata, &["labels"], labels);
    let object = json!({
        "metadata": metadata,
        "spec": { "containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart },
        "status": {},
    });
    make(session, arguments, "kubectl-run", "v1", "Pod", object).await
}

/// Pairs of `NAME=VALUE`.
fn pairs(texts: &[&str], what: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = texts.iter().map(|text| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Problem::said(format!("invalid {what}: {text}"))),
    });
    pairs.collect()
}

/// Runs `expose`.
pub(super) async fn expose(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let found = select::targets(session, arguments, &arguments.words, false).await?;
    Problem::gathered(found.problems)?;
    let [target] = found.targets.as_slice() else {
        return Err(Problem::said("expose takes exactly one object, as in `kubectl expose deployment web --port=80`"));
    };
    let workload = select::fetched(session, target).await?;
    let Some(selector) = selector(&workload) else {
        let what = target.resource.qualified_kind();
        return Err(Problem::said(format!("cannot expose a {what}: it selects no pods")));
    };
    let ports = ports(arguments, &workload)?;
    let name = arguments.text("name").unwrap_or(&target.name);
    let mut metadata = metadata(name);
    if let Some(labels) = object::at(&workload, &["metadata", "labels"]) {
        object::set(&mut metadata, &["labels"], labels.clone());
    }
    let mut spec = json!({ "ports": ports, "selector": selector });
    if let Some(kind) = arguments.text("type") {
        object::set(&mut spec, &["type"], kind);
    }
    let object = json!({ "metadata": metadata, "spec": spec, "status": { "loadBalancer": {} } });
    make(session, arguments, "kubectl-expose", "v1", "Service", object).await
}

/// The labels by which a workload's pods are known.
fn selector(workload: &Value) -> Option<Value> {
    let is_pod = object::text(workload, &["kind"]) == "Pod";
    let paths: [&[&str]; 2] = [&["spec", "selector", "matchLabels"], &["spec", "selector"]];
    let found = if is_pod {
        object::at(workload, &["metadata", "labels"])
    } else {
        paths.iter().find_map(|path| object::at(workload, path))
    };
    let labels = found?.as_object()?;
    (!labels.is_empty() && labels.values().all(Value::is_string)).then(|| Value::Object(labels.clone()))
}

/// The ports to serve: those of the command line, else those of the containers.
fn ports(arguments: &Arguments, workload: &Value) -> Result<Vec<Value>, Problem> {
    let protocol = arguments.text("protocol").unwrap_or("TCP");
    let target = |port: i64| match arguments.text("target-port") {
        // A port may have a name.
        Some(text) => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        None => port.into(),
    };
    if let Some(port) = arguments.number("port") {
        return Ok(vec![json!({ "port": port, "protocol": protocol, "targetPort": target(port) })]);
    }
    let paths: [&[&str]; 2] = [&["spec", "template", "spec", "containers"], &["spec", "containers"]];
    let containers = paths.iter().flat_map(|path| object::list(workload, path));
    let numbers: Vec<i64> = containers
        .flat_map(|container| object::list(container, &["ports"]))
        .filter_map(|port| object::int(port, &["containerPort"]))
        .collect();
    let several = numbers.len() > 1;
    let ports = numbers.iter().enumerate().map(|(index, &port)| {
        let mut entry = json!({ "port": port, "protocol": protocol, "targetPort": target(port) });
        if several {
            object::set(&mut entry, &["name"], format!("port-{}", index + 1));
        }
        entry
    });
    let ports: Vec<Value> = ports.collect();
    if ports.is_empty() { Err(Problem::said("couldn't find port via --port flag or introspection")) } else { Ok(ports) }
}
