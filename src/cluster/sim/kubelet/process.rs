//! What a container runs: its environment, its files, its program.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::api::store::{Store, Stored};
use crate::cluster::object::{Key, map};
use crate::cluster::sim::bootstrap::API_ADDRESS;
use crate::cluster::sim::image::behaviour::{Behaviour, positive};
use crate::cluster::sim::image::log::{self, Facts};
use crate::cluster::sim::image::reference::Reference;
use crate::cluster::sim::image::{Images, http};
use crate::cluster::sim::script::{self, Limits, Outcome, Setting};
use crate::cluster::sim::view::{Container, EnvSource, KeyPath, KeyRef, Pod};

/// What containers are seen in.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The images.
    pub images: &'a Images,
    /// The objects, for what containers have from config maps and secrets; without them they have nothing of those.
    pub store: Option<&'a Store>,
    /// What time it is.
    pub now: Timestamp,
}

/// Commands that are played though they are no script. All others go on for ever and print nothing.
const PLAYED: [&str; 16] = [
    "echo", "sleep", "true", "false", "date", "env", "printenv", "hostname", "printf", "whoami", "id", "uname", "seq",
    "expr", "ls", "test",
];

/// What a container does.
pub(super) enum Program<'a> {
    /// Plays a script with arguments.
    Script { text: String, arguments: Vec<String> },
    /// Plays a command.
    Words(Vec<String>),
    /// What its image does.
    Own(&'a Behaviour),
    /// Nothing, for ever.
    Idle,
}

/// How a program ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exit {
    pub(super) after: Duration,
    pub(super) code: i32,
    /// By the code when empty.
    pub(super) reason: String,
    /// What it left to be read.
    pub(super) message: String,
}

/// A container of a pod, ready to run.
pub(super) struct Process<'a> {
    pub(super) pod: &'a Pod,
    pub(super) container: &'a Container,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) around: Surroundings<'a>,
}

/// Images whose own command is a shell.
const SHELLS: [&str; 7] = ["alpine", "bash", "busybox", "centos", "debian", "fedora", "ubuntu"];

/// Whether a command is a shell without a script.
pub fn is_shell(command: &[String]) -> bool {
    let mut words = command.iter().map(String::as_str);
    let name = words.next().and_then(|word| word.rsplit('/').next());
    matches!(name, Some("sh" | "bash" | "ash")) && words.all(|word| word.starts_with('-') && word != "-c")
}

impl<'a> Process<'a> {
    /// The process of a container; the error says what it lacks.
    pub(super) fn new(pod: &'a Pod, container: &'a Container, around: Surroundings<'a>) -> Result<Self, String> {
        Ok(Self { pod, container, variables: environment(pod, container, around.store)?, around })
    }

    /// The same if what it lacks does not matter.
    pub(super) fn lenient(pod: &'a Pod, container: &'a Container, around: Surroundings<'a>) -> Self {
        let variables = environment(pod, container, around.store).unwrap_or_default();
        Self { pod, container, variables, around }
    }

    fn behaviour(&self) -> &'a Behaviour {
        self.around.images.behaviour(&self.container.image)
    }

    /// Command and arguments, expanded.
    fn words(&self) -> Vec<String> {
        let words = self.container.command.iter().chain(&self.container.args);
        words.map(|word| expanded(word, &self.variables)).collect()
    }

    /// Whether it is a shell that does what comes in.
    pub(super) fn is_shell(&self) -> bool {
        let words = self.words();
        let name = self.container.image.rsplit('/').next().unwrap_or_default();
        let name = name.split([':', '@']).next().unwrap_or_default();
        self.container.stdin && (is_shell(&words) || words.is_empty() && SHELLS.contains(&name))
    }

    pub(super) fn program(&self) -> Program<'a> {
        let words = self.words();
        if let Some((text, arguments)) = script::script_of(&words) {
            return Program::Script { text: text.to_owned(), arguments: arguments.to_vec() };
        }
        let behaviour = self.behaviour();
        let first = words.first().map_or("", String::as_str);
        let flags = self.container.command.is_empty() && first.starts_with('-');
        if words.is_empty() || flags || behaviour.is_own(&words[..1]) {
            return Program::Own(behaviour);
        }
        let name = first.rsplit('/').next().unwrap_or(first);
        if PLAYED.contains(&name) { Program::Words(words) } else { Program::Idle }
    }

    /// What scripts find.
    pub(super) fn setting(&self, began: Timestamp, arguments: Vec<String>) -> Setting<'static> {
        let files = self.around.store.map(|store| mounted(store, self.pod, self.container)).unwrap_or_default();
        Setting {
            variables: self.variables.clone(),
            files,
            hostname: hostname(self.pod),
            began,
            arguments,
            ..Setting::default()
        }
    }

    /// What it has done until some time after its start.
    pub(super) fn outcome(&self, began: Timestamp, limits: Limits) -> Outcome {
        match self.program() {
            Program::Script { text, arguments } => script::run(&text, &self.setting(began, arguments), limits),
            Program::Words(words) => script::run_words(&words, &self.setting(began, Vec::new()), limits),
            Program::Own(behaviour) => {
                let until = behaviour.exit.as_ref().map_or(limits.until, |exit| limits.until.min(positive(exit.after)));
                log::lines(&behaviour.logs, &self.facts(began), until, limits.lines)
            }
            Program::Idle => Outcome::default(),
        }
    }

    /// How it will end, if it does by itself.
    pub(super) fn exit(&self, began: Timestamp) -> Option<Exit> {
        let limits = Limits { lines: 80, end_only: true, ..Limits::default() };
        match self.program() {
            Program::Idle => None,
            Program::Own(behaviour) => behaviour.exit.as_ref().map(|exit| Exit {
                after: positive(exit.after),
                code: exit.code,
                reason: exit.reason.clone(),
                message: String::new(),
            }),
            Program::Script { .. } | Program::Words(_) => {
                let outcome = self.outcome(began, limits);
                let (after, code) = outcome.end?;
                Some(Exit { after, code, reason: String::new(), message: self.last_words(&outcome, code) })
            }
        }
    }

    /// What a container leaves as its termination message.
    fn last_words(&self, outcome: &Outcome, code: i32) -> String {
        let path = match self.container.termination_message_path.as_str() {
            "" => "/dev/termination-log",
            path => path,
        };
        let file = outcome.files.get(path).map_or("", String::as_str);
        if !file.is_empty() || code == 0 || self.container.termination_message_policy != "FallbackToLogsOnError" {
            return tail(file, 4096).to_owned();
        }
        let lines: Vec<_> = outcome.lines.iter().map(|line| format!("{}\n", line.text)).collect();
        tail(&lines.concat(), 2048).to_owned()
    }

    fn facts(&self, began: Timestamp) -> Facts {
        let image = &self.container.image;
        Facts {
            pod: self.pod.metadata.name.clone(),
            namespace: self.pod.metadata.namespace.clone(),
            ip: self.pod.status.pod_ip.clone(),
            version: Reference::parse(image).map(|reference| reference.tag).unwrap_or_default(),
            image: image.clone(),
            began,
        }
    }

    /// What it answers to an HTTP request.
    pub(super) fn answer(&self, request: &http::Request<'_>) -> http::HttpAnswer {
        let host = http::Host {
            pod: self.pod.metadata.name.clone(),
            version: self.facts(Timestamp::UNIX_EPOCH).version,
            arguments: self.words(),
            variables: self.variables.clone(),
        };
        http::answer(self.behaviour(), &host, request)
    }
}

fn tail(text: &str, most: usize) -> &str {
    let start = (text.len().saturating_sub(most)..=text.len()).find(|&start| text.is_char_boundary(start));
    &text[start.unwrap_or(0)..]
}

/// The host name inside of a pod.
pub(super) fn hostname(pod: &Pod) -> String {
    if pod.spec.hostname.is_empty() { pod.metadata.name.chars().take(63).collect() } else { pod.spec.hostname.clone() }
}

/// A text with `$(NAME)` replaced by what is known; `$$` stands for a dollar sign.
fn expanded(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest.strip_prefix("$(").and_then(|inside| inside.split_once(')'));
        match name.and_then(|(name, after)| Some((variables.get(name)?, after))) {
            Some((value, after)) => {
                result.push_str(value);
                rest = after;
            }
            None => {
                result.push('$');
                rest = &rest[if rest.starts_with("$$(") { 2 } else { 1 }..];
            }
        }
    }
    result.push_str(rest);
    result
}

/// The environment of a container; the error says what cannot be found.
pub(super) fn environment(
    pod: &Pod,
    container: &Container,
    store: Option<&Store>,
) -> Result<BTreeMap<String, String>, String> {
    let mut variables: BTreeMap<String, String> = [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ("HOSTNAME", hostname(pod)),
        ("HOME", "/root".to_owned()),
        ("KUBERNETES_SERVICE_HOST", API_ADDRESS.to_owned()),
        ("KUBERNETES_SERVICE_PORT", "443".to_owned()),
        ("KUBERNETES_SERVICE_PORT_HTTPS", "443".to_owned()),
        ("KUBERNETES_PORT", format!("tcp://{API_ADDRESS}:443")),
        ("KUBERNETES_PORT_443_TCP", format!("tcp://{API_ADDRESS}:443")),
        ("KUBERNETES_PORT_443_TCP_ADDR", API_ADDRESS.to_owned()),
        ("KUBERNETES_PORT_443_TCP_PORT", "443".to_owned()),
        ("KUBERNETES_PORT_443_TCP_PROTO", "tcp".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let namespace = &pod.metadata.namespace;
    for source in container.env_from.iter().filter(|_| store.is_some()) {
        for (resource, reference) in [("configmaps", &source.config_map_ref), ("secrets", &source.secret_ref)] {
            let Some(reference) = reference else { continue };
            match data(store, resource, namespace, &reference.name) {
                Some(data) => variables.extend(data),
                None if reference.optional => {}
                None => return Err(not_found(resource, &reference.name)),
            }
        }
    }
    for variable in &container.env {
        let value = match &variable.value_from {
            None => Some(expanded(&variable.value, &variables)),
            Some(source) => from_source(pod, source, store)?,
        };
        if let Some(value) = value {
            variables.insert(variable.name.clone(), value);
        }
    }
    Ok(variables)
}

fn from_source(pod: &Pod, source: &EnvSource, store: Option<&Store>) -> Result<Option<String>, String> {
    if let Some(field) = &source.field_ref {
        return Ok(Some(field_of(pod, &field.field_path)));
    }
    let references = [("configmaps", &source.config_map_key_ref), ("secrets", &source.secret_key_ref)];
    for (resource, reference) in references {
        if let (Some(reference), Some(_)) = (reference, store) {
            return key_of(store, resource, &pod.metadata.namespace, reference);
        }
    }
    Ok(None)
}

fn key_of(store: Option<&Store>, resource: &str, namespace: &str, wanted: &KeyRef) -> Result<Option<String>, String> {
    let kind = if resource == "secrets" { "Secret" } else { "ConfigMap" };
    match data(store, resource, namespace, &wanted.name) {
        Some(mut data) => match data.remove(&wanted.key) {
            Some(value) => Ok(Some(value)),
            None if wanted.optional => Ok(None),
            None => Err(format!("couldn't find key {} in {kind} {namespace}/{}", wanted.key, wanted.name)),
        },
        None if wanted.optional => Ok(None),
        None => Err(not_found(resource, &wanted.name)),
    }
}

fn not_found(resource: &str, name: &str) -> String {
    format!("{} \"{name}\" not found", resource.trim_end_matches('s'))
}

fn field_of(pod: &Pod, path: &str) -> String {
    let quoted = |name: &str| {
        let inside = path.strip_prefix(name)?.strip_prefix("['")?.strip_suffix("']")?;
        Some(inside.to_owned())
    };
    match path {
        "metadata.name" => pod.metadata.name.clone(),
        "metadata.namespace" => pod.metadata.namespace.clone(),
        "metadata.uid" => pod.metadata.uid.clone(),
        "spec.nodeName" => pod.spec.node_name.clone(),
        "spec.serviceAccountName" => pod.spec.service_account_name.clone(),
        "status.podIP" | "status.podIPs" => pod.status.pod_ip.clone(),
        "status.hostIP" | "status.hostIPs" => pod.status.host_ip.clone(),
        _ => {
            let label = quoted("metadata.labels").and_then(|name| pod.metadata.labels.get(&name));
            let annotation = quoted("metadata.annotations").and_then(|name| pod.metadata.annotations.get(&name));
            label.or(annotation).cloned().unwrap_or_default()
        }
    }
}

/// The texts in a config map or secret.
fn data(store: Option<&Store>, resource: &str, namespace: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let object = store?.get(resource, &Key::new(namespace, name))?.value();
    let decode = |value: &Value| {
        let text = value.as_str().unwrap_or("");
        match resource {
            "secrets" => {
                STANDARD.decode(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
            }
            _ => text.to_owned(),
        }
    };
    let members = map(&object, &["data"]).into_iter().flatten();
    Some(members.map(|(name, value)| (name.clone(), decode(value))).collect())
}

/// The files that a container has from config maps and secrets.
pub(super) fn mounted(store: &Store, pod: &Pod, container: &Container) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for mount in &container.volume_mounts {
        let Some(volume) = pod.spec.volumes.iter().find(|volume| volume.name == mount.name) else { continue };
        let namespace = &pod.metadata.namespace;
        let mut add = |resource: &str, name: &str, items: &[KeyPath]| {
            for (key, text) in data(Some(store), resource, namespace, name).into_iter().flatten() {
                let item = items.iter().find(|item| item.key == key);
                if items.is_empty() || item.is_some() {
                    let file = item.map_or(key.as_str(), |item| item.path.as_str());
                    let path = match mount.sub_path.as_str() {
                        "" => format!("{}/{file}", mount.mount_path.trim_end_matches('/')),
                        sub if sub == file => mount.mount_path.clone(),
                        _ => continue,
                    };
                    files.insert(path, text);
                }
            }
        };
        if let Some(source) = &volume.config_map {
            add("configmaps", &source.name, &source.items);
        }
        if let Some(source) = &volume.secret {
            add("secrets", &source.secret_name, &source.items);
        }
        for source in volume.projected.iter().flat_map(|projected| &projected.sources) {
            source.config_map.iter().for_each(|source| add("configmaps", &source.name, &source.items));
            source.secret.iter().for_each(|source| add("secrets", &source.name, &source.items));
        }
    }
    files
}

/// What keeps a pod's volumes from being mounted: the volume's name, and what is missing.
pub(super) fn missing_volume(store: &Store, pod: &Pod) -> Option<(String, String)> {
    let namespace = &pod.metadata.namespace;
    let lacks = |resource: &str, name: &str, optional: bool| {
        let there = optional || store.get(resource, &Key::new(namespace, name)).is_some();
        (!there).then(|| not_found(resource, name))
    };
    pod.spec.volumes.iter().find_map(|volume| {
        let config = volume.config_map.as_ref().and_then(|source| lacks("configmaps", &source.name, source.optional));
        let secret = volume.secret.as_ref().and_then(|source| lacks("secrets", &source.secret_name, source.optional));
        let projected = volume.projected.iter().flat_map(|projected| &projected.sources).find_map(|source| {
            let config =
                source.config_map.as_ref().and_then(|source| lacks("configmaps", &source.name, source.optional));
            config.or_else(|| source.secret.as_ref().and_then(|source| lacks("secrets", &source.name, source.optional)))
        });
        config.or(secret).or(projected).map(|why| (volume.name.clone(), why))
    })
}

/// The pod of a value that clients sent or the store has.
pub(super) fn pod_of(value: &Value) -> Pod {
    serde::Deserialize::deserialize(value).unwrap_or_default()
}

/// Whether an object is asked for by name somewhere in a pod that waits for something.
pub(super) fn may_wait_for(pod: &Stored, name: &str) -> bool {
    let text = std::str::from_utf8(&pod.json).unwrap_or("");
    text.contains("\"waiting\"") && text.contains(name)
}

/// How a container of a pod was told to stop: how long its `preStop` takes.
pub(super) fn pre_stop(container: &Container) -> Duration {
    let Some(hook) = &container.lifecycle.pre_stop else { return Duration::ZERO };
    if let Some(sleep) = &hook.sleep {
        return Duration::from_secs(sleep.seconds.min(3600));
    }
    let Some(exec) = &hook.exec else { return Duration::ZERO };
    let limits = Limits { lines: 1, steps: 2000, until: Duration::from_secs(3600), ..Limits::default() };
    let outcome = script::run_words(&exec.command, &Setting::default(), limits);
    outcome.end.map_or(limits.until, |(after, _)| after)
}
