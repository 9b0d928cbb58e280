//! What machines are started with: kubeadm's configuration as cloud-init, in a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::action::{Action, Pass, id_of, owner_reference};
use super::condition::{self, Condition};
use super::kind::Kind;
use super::name::{hash, letters};
use super::reference;
use super::words;
use super::workload;
use super::world::{Id, controller, is_control_plane, is_going, is_paused, name, namespace};
use crate::cluster::object::{at, flag, list, set, set_default, text};
use crate::cluster::yaml;

/// The secrets that a control plane needs.
const CERTIFICATES: [&str; 4] = ["ca", "etcd", "proxy", "sa"];

/// A machine's bootstrap data.
pub(super) fn config<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let owner = controller(old).filter(|owner| text(owner, &["kind"]) == "Machine");
    let owner = owner.and_then(|owner| pass.world.get(Kind::Machine, namespace(old), text(owner, &["name"])));
    let (Some(machine), Some(cluster)) = (owner, pass.world.cluster_of(Kind::KubeadmConfig, old)) else { return };
    if is_going(old) || is_paused(old, Some(cluster)) {
        return;
    }
    let mut new = old.clone();
    let made = !text(old, &["status", "dataSecretName"]).is_empty();
    let waits = if made { None } else { waits_for(pass, machine, cluster) };
    let data = match &waits {
        None => Condition::yes("Available"),
        Some((reason, message)) => Condition::no(*reason, *message),
    };
    if waits.is_none() && !made {
        let first = is_control_plane(machine) && !workload::is_initialized(cluster);
        if first {
            certificates(pass, cluster, old);
        }
        let secret = data_secret(pass.options.seed, old, machine, cluster, first);
        pass.actions.push(Action::Create { id: id_of(Kind::Secret, &secret), object: secret });
        set(&mut new, &["status", "dataSecretName"], name(old));
    }
    if waits.is_none() {
        set(&mut new, &["status", "ready"], true);
        set(&mut new, &["status", "initialization", "dataSecretCreated"], true);
    }
    condition::set(&mut new, "DataSecretAvailable", &data, pass.now);
    if is_control_plane(machine) {
        let there = data.holds() || workload::is_initialized(cluster);
        let certificates = Condition::either(there, "Available", "WaitingForClusterInfrastructure");
        condition::set(&mut new, "CertificatesAvailable", &certificates, pass.now);
    }
    let ready = if data.holds() {
        Condition::yes("Ready")
    } else {
        Condition::no("NotReady", format!("* DataSecretAvailable: {}", data.message))
    };
    condition::set(&mut new, "Ready", &ready, pass.now);
    pass.settle(id, old, new);
}

/// The first machine of a control plane starts it, all others join what answers.
fn waits_for(pass: &Pass<'_>, machine: &Value, cluster: &Value) -> Option<(&'static str, &'static str)> {
    if !flag(cluster, &["status", "initialization", "infrastructureProvisioned"]) {
        let message = "Waiting for Cluster status.initialization.infrastructureProvisioned to be true";
        return Some(("WaitingForClusterInfrastructure", message));
    }
    if workload::is_initialized(cluster) || (is_control_plane(machine) && starts(pass, machine, cluster)) {
        return None;
    }
    let message = "Waiting for Cluster control plane to be initialized";
    Some(("WaitingForControlPlaneAvailable", message))
}

/// Whether a machine is the one that starts the control plane: the one that has its data, else the oldest.
fn starts(pass: &Pass<'_>, machine: &Value, cluster: &Value) -> bool {
    let members = pass.world.members(namespace(cluster), name(cluster), Kind::Machine);
    let rank = |machine: &Value| {
        let begun = text(machine, &["spec", "bootstrap", "dataSecretName"]).is_empty();
        (begun, text(machine, &["metadata", "creationTimestamp"]).to_owned(), name(machine).to_owned())
    };
    let rivals = members.iter().filter(|(_, other)| is_control_plane(other) && !is_going(other));
    rivals.map(|(_, other)| rank(other)).min().is_none_or(|first| first.2 == name(machine))
}

/// The secrets of a control plane that are not there yet.
pub(super) fn certificates(pass: &mut Pass<'_>, cluster: &Value, owner: &Value) {
    for part in CERTIFICATES {
        let name = format!("{}-{part}", name(cluster));
        let planned = Id::new(Kind::Secret, namespace(cluster), &name);
        let is_planned =
            pass.actions.iter().any(|action| matches!(action, Action::Create { id, .. } if *id == planned));
        if pass.world.get(Kind::Secret, namespace(cluster), &name).is_some() || is_planned {
            continue;
        }
        let (certificate, key) = certificate(pass.options.seed, cluster, part);
        let data = json!({"tls.crt": STANDARD.encode(certificate), "tls.key": STANDARD.encode(key)});
        let secret = secret(cluster, &name, owner, data);
        pass.actions.push(Action::Create { id: planned, object: secret });
    }
}

/// Texts in the place of a certificate and its key: nothing is behind them, and nothing accepts them.
fn certificate(seed: u64, cluster: &Value, part: &str) -> (String, String) {
    let text = |what: &str, label: &str| {
        let number = hash(seed, &[namespace(cluster), name(cluster), part, what]);
        let body = STANDARD.encode(format!("in-memory {part} of {} {}", name(cluster), letters(number, 12)));
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    (text("certificate", "CERTIFICATE"), text("key", "RSA PRIVATE KEY"))
}

/// The kubeconfig of a cluster that has an endpoint.
pub(super) fn kubeconfig(pass: &mut Pass<'_>, cluster: &Value, owner: &Value) {
    let own = format!("{}-kubeconfig", name(cluster));
    let (host, port) = (text(cluster, &["spec", "controlPlaneEndpoint", "host"]), endpoint_port(cluster));
    if host.is_empty() || pass.world.get(Kind::Secret, namespace(cluster), &own).is_some() {
        return;
    }
    let (authority, _) = certificate(pass.options.seed, cluster, "ca");
    let (client, key) = certificate(pass.options.seed, cluster, "admin");
    let (context, user) = (format!("{0}-admin@{0}", name(cluster)), format!("{}-admin", name(cluster)));
    let text = yaml::text(&json!({
        "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": context,
        "clusters": [{"name": name(cluster), "cluster": {
            "certificate-authority-data": STANDARD.encode(authority), "server": format!("https://{host}:{port}")}}],
        "contexts": [{"name": context, "context": {"cluster": name(cluster), "user": user}}],
        "users": [{"name": user, "user": {
            "client-certificate-data": STANDARD.encode(client), "client-key-data": STANDARD.encode(key)}}],
    }));
    let secret = secret(cluster, &own, owner, json!({"value": STANDARD.encode(text)}));
    pass.actions.push(Action::Create { id: id_of(Kind::Secret, &secret), object: secret });
}

fn endpoint_port(cluster: &Value) -> i64 {
    crate::cluster::object::int(cluster, &["spec", "controlPlaneEndpoint", "port"]).unwrap_or(6443)
}

fn secret(cluster: &Value, own: &str, owner: &Value, data: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": own, "namespace": namespace(cluster), "labels": {words::CLUSTER: name(cluster)},
            "ownerReferences": [owner_reference(owner, true)],
        },
        "type": words::SECRET, "data": data,
    })
}

fn data_secret(seed: u64, config: &Value, machine: &Value, cluster: &Value, first: bool) -> Value {
    let spec = config.get("spec").cloned().unwrap_or_default();
    let text = cloud_init(seed, &spec, machine, cluster, first);
    let format = Some(text_of(&spec, "format")).filter(|format| !format.is_empty()).unwrap_or("cloud-config");
    let data = json!({"value": STANDARD.encode(text), "format": STANDARD.encode(format)});
    secret(cluster, name(config), config, data)
}

fn text_of<'a>(value: &'a Value, member: &str) -> &'a str {
    text(value, &[member])
}

/// What the machine's first start reads.
fn cloud_init(seed: u64, spec: &Value, machine: &Value, cluster: &Value, first: bool) -> String {
    let file = |path: &str, content: String| json!({"path": path, "owner": "root:root", "permissions": "0640", "content": content});
    let mut files = list(spec, &["files"]).to_vec();
    let (path, verb) =
        if first { ("/run/kubeadm/kubeadm.yaml", "init") } else { ("/run/kubeadm/kubeadm-join-config.yaml", "join") };
    let content = if first { init(spec, machine, cluster) } else { join(seed, spec, machine, cluster) };
    files.push(file(path, content));
    files.push(file("/run/cluster-api/placeholder", "This placeholder file is used to create the /run/cluster-api sub directory in a way that is compatible with both Linux and Windows (mkdir -p /run/cluster-api does not work with Windows)".to_owned()));
    let before = list(spec, &["preKubeadmCommands"]).to_vec();
    let after = list(spec, &["postKubeadmCommands"]).to_vec();
    let main = format!("kubeadm {verb} --config {path} && echo success > /run/cluster-api/bootstrap-success.complete");
    let commands = [before, vec![json!(main)], after].concat();
    let mut document = json!({"write_files": files, "runcmd": commands});
    for (member, written) in [("users", "users"), ("ntp", "ntp"), ("mounts", "mounts"), ("diskSetup", "disk_setup")] {
        if let Some(value) = at(spec, &[member]) {
            document[written] = value.clone();
        }
    }
    format!("## template: jinja\n#cloud-config\n\n{}", yaml::text(&document))
}

fn init(spec: &Value, machine: &Value, cluster: &Value) -> String {
    let mut configuration = at(spec, &["clusterConfiguration"]).cloned().unwrap_or(json!({}));
    let kubeadm = |value: &mut Value, kind: &str| {
        set(value, &["apiVersion"], "kubeadm.k8s.io/v1beta3");
        set(value, &["kind"], kind);
    };
    kubeadm(&mut configuration, "ClusterConfiguration");
    set_default(&mut configuration, &["clusterName"], name(cluster));
    let host = text(cluster, &["spec", "controlPlaneEndpoint", "host"]);
    if !host.is_empty() {
        set_default(&mut configuration, &["controlPlaneEndpoint"], format!("{host}:{}", endpoint_port(cluster)));
    }
    let version = reference::version(text(machine, &["spec", "version"]));
    if !version.is_empty() {
        set_default(&mut configuration, &["kubernetesVersion"], version);
    }
    let network = |what: &str| list(cluster, &["spec", "clusterNetwork", what, "cidrBlocks"]);
    for (what, member) in [("pods", "podSubnet"), ("services", "serviceSubnet")] {
        let blocks: Vec<&str> = network(what).iter().filter_map(Value::as_str).collect();
        if !blocks.is_empty() {
            set_default(&mut configuration, &["networking", member], blocks.join(","));
        }
    }
    let mut own = at(spec, &["initConfiguration"]).cloned().unwrap_or(json!({}));
    kubeadm(&mut own, "InitConfiguration");
    format!("---\n{}---\n{}", yaml::text(&configuration), yaml::text(&own))
}

fn join(seed: u64, spec: &Value, machine: &Value, cluster: &Value) -> String {
    let mut own = at(spec, &["joinConfiguration"]).cloned().unwrap_or(json!({}));
    set(&mut own, &["apiVersion"], "kubeadm.k8s.io/v1beta3");
    set(&mut own, &["kind"], "JoinConfiguration");
    if is_control_plane(machine) {
        set_default(&mut own, &["controlPlane"], json!({"localAPIEndpoint": {}}));
    }
    let number = hash(seed, &[namespace(machine), name(machine), "token"]);
    let token = format!("{}.{}", letters(number, 6), letters(number.rotate_left(23), 16));
    let host = text(cluster, &["spec", "controlPlaneEndpoint", "host"]);
    let discovery = json!({
        "token": token, "apiServerEndpoint": format!("{host}:{}", endpoint_port(cluster)),
        "unsafeSkipCAVerification": true,
    });
    set_default(&mut own, &["discovery", "bootstrapToken"], discovery);
    format!("---\n{}", yaml::text(&own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_machine_is_started_and_others_join() {
        let cluster = json!({
            "metadata": {"name": "demo", "namespace": "default"},
            "spec": {"clusterNetwork": {"pods": {"cidrBlocks": ["192.168.0.0/16"]}},
                "controlPlaneEndpoint": {"host": "demo.invalid", "port": 6443}},
        });
        let machine = json!({"metadata": {"name": "m", "namespace": "default"}, "spec": {"version": "1.33.1"}});
        let spec = json!({
            "initConfiguration": {"nodeRegistration": {"name": "{{ ds.meta_data[\"local_hostname\"] }}"}},
            "files": [{"path": "/etc/kubernetes/azure.json", "content": "{}\n"}],
        });
        let text = cloud_init(0, &spec, &machine, &cluster, true);
        assert!(text.starts_with("## template: jinja\n#cloud-config\n\n"), "{text}");
        let document = yaml::value(text.trim_start_matches("## template: jinja\n")).unwrap();
        assert_eq!(document["write_files"][0]["path"], "/etc/kubernetes/azure.json");
        let inner = yaml::documents(document["write_files"][1]["content"].as_str().unwrap());
        let [Ok(configuration), Ok(init)] = inner.as_slice() else { panic!("{inner:?}") };
        assert_eq!(configuration["kubernetesVersion"], "v1.33.1");
        assert_eq!(configuration["networking"]["podSubnet"], "192.168.0.0/16");
        assert_eq!(configuration["controlPlaneEndpoint"], "demo.invalid:6443");
        assert_eq!(init["nodeRegistration"]["name"], "{{ ds.meta_data[\"local_hostname\"] }}");
        let text = cloud_init(0, &json!({}), &machine, &cluster, false);
        let document = yaml::value(text.trim_start_matches("## template: jinja\n")).unwrap();
        let inner = yaml::documents(document["write_files"][0]["content"].as_str().unwrap());
        let [Ok(join)] = inner.as_slice() else { panic!("{inner:?}") };
        assert_eq!(join["discovery"]["bootstrapToken"]["apiServerEndpoint"], "demo.invalid:6443");
    }
}
