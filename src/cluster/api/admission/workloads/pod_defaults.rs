//! What the server fills into pods and pod templates.

use serde_json::Value;

use super::fill::{self, absent, child, each, empty, number, text, there};
use super::image::image_pull_policy;
use crate::cluster::object::Map;

/// Fills a pod template in.
pub(super) fn template(template: &mut Map) {
    empty(template, "metadata");
    pod_spec(child(template, "spec"));
}

/// Fills a pod in: what templates get, and a little more.
pub(super) fn pod(pod: &mut Map) {
    let spec = child(pod, "spec");
    pod_spec(spec);
    for list in ["containers", "initContainers"] {
        each(spec, list).for_each(requests_from_limits);
    }
    pod_requests(spec);
    absent(spec, "enableServiceLinks", true);
    if spec.get("hostNetwork") == Some(&Value::Bool(true)) {
        for list in ["containers", "initContainers"] {
            each(spec, list).for_each(host_ports);
        }
    }
}

/// Fills in what pods and templates have alike.
fn pod_spec(spec: &mut Map) {
    each(spec, "volumes").for_each(volume);
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, list).for_each(container);
    }
    text(spec, "dnsPolicy", "ClusterFirst");
    text(spec, "restartPolicy", "Always");
    text(spec, "schedulerName", "default-scheduler");
    empty(spec, "securityContext");
    absent(spec, "terminationGracePeriodSeconds", 30);
    service_account(spec);
}

/// The old field `serviceAccount` always shows what `serviceAccountName` says.
pub(super) fn service_account(spec: &mut Map) {
    let named = |name: &str| spec.get(name).filter(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    match named("serviceAccountName").or_else(|| named("serviceAccount")).cloned() {
        Some(name) => {
            if spec.get("serviceAccount") != Some(&name) {
                spec.insert("serviceAccount".to_owned(), name.clone());
            }
            if spec.get("serviceAccountName") != Some(&name) {
                spec.insert("serviceAccountName".to_owned(), name);
            }
        }
        None => {
            spec.shift_remove("serviceAccount");
            spec.shift_remove("serviceAccountName");
        }
    }
}

fn container(container: &mut Map) {
    if container.get("imagePullPolicy").is_none_or(|policy| policy.is_null() || policy == "") {
        let image = container.get("image").and_then(Value::as_str).unwrap_or("");
        let policy = image_pull_policy(image);
        container.insert("imagePullPolicy".to_owned(), policy.into());
    }
    text(container, "terminationMessagePath", "/dev/termination-log");
    text(container, "terminationMessagePolicy", "File");
    empty(container, "resources");
    each(container, "ports").for_each(|port| text(port, "protocol", "TCP"));
    each(container, "env").filter_map(|variable| there(variable, "valueFrom")).for_each(downward);
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(found) = there(container, name) {
            probe(found);
        }
    }
    if let Some(lifecycle) = there(container, "lifecycle") {
        for name in ["postStart", "preStop"] {
            if let Some(handler) = there(lifecycle, name) {
                http_get(handler);
            }
        }
    }
}

fn probe(probe: &mut Map) {
    http_get(probe);
    if let Some(grpc) = there(probe, "grpc") {
        absent(grpc, "service", "");
    }
    let zeros = [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)];
    for (name, value) in zeros {
        number(probe, name, value);
    }
}

fn http_get(handler: &mut Map) {
    if let Some(get) = there(handler, "httpGet") {
        text(get, "path", "/");
        text(get, "scheme", "HTTP");
    }
}

/// A field of the pod or a resource of a container that a variable or a file shows.
fn downward(source: &mut Map) {
    if let Some(field) = there(source, "fieldRef") {
        text(field, "apiVersion", "v1");
    }
    if let Some(resource) = there(source, "resourceFieldRef") {
        absent(resource, "divisor", "0");
    }
}

fn volume(volume: &mut Map) {
    if volume.iter().all(|(name, value)| name == "name" || value.is_null()) {
        empty(volume, "emptyDir");
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = there(volume, name) {
            absent(source, "defaultMode", 420);
        }
    }
    if let Some(source) = there(volume, "downwardAPI") {
        each(source, "items").for_each(downward);
    }
    if let Some(source) = there(volume, "projected") {
        each(source, "sources").for_each(projection);
    }
    if let Some(source) = there(volume, "hostPath") {
        absent(source, "type", "");
    }
    if let Some(source) = there(volume, "ephemeral").and_then(|source| there(source, "volumeClaimTemplate")) {
        empty(source, "metadata");
        claim_spec(child(source, "spec"));
    }
    if let Some(source) = there(volume, "image") {
        let reference = source.get("reference").and_then(Value::as_str).unwrap_or("");
        let policy = image_pull_policy(reference);
        text(source, "pullPolicy", policy);
    }
    rare_volume(volume);
}

/// Kinds of volumes that come with drivers of their own.
fn rare_volume(volume: &mut Map) {
    const TEXTS: [(&str, &str, &str); 9] = [
        ("iscsi", "iscsiInterface", "default"),
        ("rbd", "pool", "rbd"),
        ("rbd", "user", "admin"),
        ("rbd", "keyring", "/etc/ceph/keyring"),
        ("azureDisk", "cachingMode", "ReadWrite"),
        ("azureDisk", "fsType", "ext4"),
        ("azureDisk", "kind", "Shared"),
        ("scaleIO", "storageMode", "ThinProvisioned"),
        ("scaleIO", "fsType", "xfs"),
    ];
    if volume.contains_key("emptyDir") {
        return;
    }
    for (source, name, value) in TEXTS {
        if let Some(source) = there(volume, source) {
            text(source, name, value);
        }
    }
    if let Some(source) = there(volume, "azureDisk") {
        absent(source, "readOnly", false);
    }
}

fn projection(projection: &mut Map) {
    if let Some(token) = there(projection, "serviceAccountToken") {
        absent(token, "expirationSeconds", 3600);
    }
    if let Some(source) = there(projection, "downwardAPI") {
        each(source, "items").for_each(downward);
    }
}

/// Fills in what a claim asks for.
pub(super) fn claim_spec(spec: &mut Map) {
    empty(spec, "resources");
    absent(spec, "volumeMode", "Filesystem");
}

/// Limits that no request goes with are requested too.
fn requests_from_limits(container: &mut Map) {
    if let Some(resources) = there(container, "resources") {
        copy_missing(resources, |_| true);
    }
}

/// The same for the pod as a whole, for what no container asks for.
fn pod_requests(spec: &mut Map) {
    let Some(limits) = spec.get("resources").and_then(|resources| resources.get("limits")) else { return };
    if limits.as_object().is_none_or(Map::is_empty) {
        return;
    }
    let mut asked = Vec::new();
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            let requests = there(container, "resources").and_then(|resources| there(resources, "requests"));
            asked.extend(requests.into_iter().flat_map(|requests| requests.keys().cloned()));
        }
    }
    let resources = fill::child(spec, "resources");
    let known = |name: &str| matches!(name, "cpu" | "memory") || name.starts_with("hugepages-");
    copy_missing(resources, |name| known(name) && !asked.iter().any(|asked| asked == name));
}

fn copy_missing(resources: &mut Map, wanted: impl Fn(&str) -> bool) {
    let Some(Value::Object(limits)) = resources.get("limits") else { return };
    let requests = resources.get("requests").and_then(Value::as_object);
    let missing = |name: &str| requests.is_none_or(|requests| !requests.contains_key(name));
    let new: Vec<_> = limits.iter().filter(|(name, _)| wanted(name) && missing(name)).collect();
    if new.is_empty() {
        return;
    }
    let new: Vec<_> = new.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    child(resources, "requests").extend(new);
}

/// In the network of the node a port of the container is one of the node.
fn host_ports(container: &mut Map) {
    for port in each(container, "ports") {
        if let Some(number) = port.get("containerPort").and_then(Value::as_i64) {
            fill::number(port, "hostPort", number);
        }
    }
}
