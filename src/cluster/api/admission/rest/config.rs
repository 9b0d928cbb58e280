//! Namespace, ConfigMap, Secret, ServiceAccount.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::check::{Check, IMMUTABLE, entries, same, texts};
use super::kind::{Blank, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{self, at, entry, flag, map, set, set_default, text};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        kind: "Namespace",
        names: names::label_names,
        status: Status::Separate,
        always: &[(&["spec"], Blank::Object), (&["status"], Blank::Object)],
        defaults: label_namespace,
        create: begin_namespace,
        update: |new, old| {
            if let Some(finalizers) = at(old, &["spec", "finalizers"]) {
                set(new, &["spec", "finalizers"], finalizers.clone());
            }
        },
        validate: namespace,
        ..Kind::CLUSTER
    },
    Kind { kind: "ConfigMap", validate: config_map, ..Kind::NAMESPACED },
    Kind {
        kind: "Secret",
        defaults: |secret| {
            fold_texts(secret);
            set_default(secret, &["type"], "Opaque");
        },
        create: fold_texts,
        update: |secret, _| fold_texts(secret),
        validate: secret,
        warnings: |secret, _, warnings| warnings.extend(pair_warning(secret).map(str::to_owned)),
        ..Kind::NAMESPACED
    },
    Kind {
        kind: "ServiceAccount",
        validate: |check, new, old| {
            check.metadata(new, old);
            if old.is_some() {
                check.new_metadata(new);
            }
        },
        warnings: |account, _, warnings| {
            const SECRETS: &str = "kubernetes.io/enforce-mountable-secrets";
            if at(account, &["metadata", "annotations", SECRETS]).is_some() {
                warnings.push(format!(
                    "metadata.annotations[{SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access \
                     to mounted secrets"
                ));
            }
        },
        ..Kind::NAMESPACED
    },
];

/// Bytes of data that a ConfigMap or Secret may have.
const DATA_BYTES: usize = 1 << 20;
const FROZEN: &str = "field is immutable when `immutable` is set";
/// The label that a namespace has of its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

fn label_namespace(namespace: &mut Value) {
    let name = text(namespace, &["metadata", "name"]).to_owned();
    if !name.is_empty() && text(namespace, &["metadata", "labels", NAME_LABEL]) != name {
        set(namespace, &["metadata", "labels", NAME_LABEL], name);
    }
}

fn begin_namespace(namespace: &mut Value) {
    label_namespace(namespace);
    set(namespace, &["status", "phase"], "Active");
    let finalizers = entry(namespace, &["spec", "finalizers"]);
    if !finalizers.is_array() {
        *finalizers = json!([]);
    }
    if let Some(finalizers) = finalizers.as_array_mut().filter(|list| !list.iter().any(|name| name == "kubernetes")) {
        finalizers.push("kubernetes".into());
    }
}

fn namespace(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    if old.is_none() {
        for finalizer in texts(new, &["spec", "finalizers"]) {
            check.sentences("spec.finalizers", finalizer, names::qualified_name(finalizer));
            check.plain_finalizer("spec.finalizers", finalizer);
        }
    }
}

/// Puts the texts of `stringData` into `data`, as base64.
fn fold_texts(secret: &mut Value) {
    let Some(texts) = object::remove(secret, &["stringData"]) else { return };
    for (key, value) in entries(texts.as_object()) {
        set(secret, &["data", key], STANDARD.encode(value));
    }
}

/// How many bytes base64 stands for.
fn decoded_bytes(value: &str) -> usize {
    let padding = value.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
    (value.len() / 4 * 3).saturating_sub(padding)
}

fn config_map(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.changed_metadata(new, old);
        check.frozen(new, old, &["data", "binaryData"]);
    }
    check.new_metadata(new);
    let mut bytes = 0;
    let binary = map(new, &["binaryData"]);
    for (key, value) in entries(map(new, &["data"])) {
        let mut sentences = names::config_key(key);
        if binary.is_some_and(|binary| binary.contains_key(key)) {
            sentences.push("duplicate of key present in binaryData".to_owned());
        }
        check.key(&["data"], key, sentences);
        bytes += value.len();
    }
    for (key, value) in entries(binary) {
        check.key(&["binaryData"], key, names::config_key(key));
        bytes += decoded_bytes(value);
    }
    if bytes > DATA_BYTES {
        check.too_long("", DATA_BYTES);
    }
}

fn secret(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.changed_metadata(new, old);
        if at(new, &["type"]) != at(old, &["type"]) {
            check.invalid("type", text(new, &["type"]), IMMUTABLE);
        }
        check.frozen(new, old, &["data"]);
    }
    check.new_metadata(new);
    let data = map(new, &["data"]);
    let mut bytes = 0;
    for (key, value) in entries(data) {
        check.key(&["data"], key, names::config_key(key));
        bytes += decoded_bytes(value);
    }
    if bytes > DATA_BYTES {
        check.too_long("data", DATA_BYTES);
    }
    let has = |key| data.is_some_and(|data| data.contains_key(key));
    let mut need = |key: &str| check.required(format!("data[{key}]"), "");
    match text(new, &["type"]) {
        "kubernetes.io/service-account-token" => {
            const ACCOUNT: &str = "kubernetes.io/service-account.name";
            if text(new, &["metadata", "annotations", ACCOUNT]).is_empty() {
                check.required(format!("metadata.annotations[{ACCOUNT}]"), "");
            }
        }
        "kubernetes.io/dockercfg" => check.json_key(new, ".dockercfg"),
        "kubernetes.io/dockerconfigjson" => check.json_key(new, ".dockerconfigjson"),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            need("username");
            need("password");
        }
        "kubernetes.io/ssh-auth" if text(new, &["data", "ssh-privatekey"]).is_empty() => need("ssh-privatekey"),
        "kubernetes.io/tls" => ["tls.crt", "tls.key"].into_iter().filter(|key| !has(key)).for_each(need),
        _ => {}
    }
}

impl Check<'_> {
    fn key(&mut self, path: &[&str], key: &str, sentences: Vec<String>) {
        if !sentences.is_empty() {
            self.sentences(&format!("{}[{key}]", path.join(".")), key, sentences);
        }
    }

    /// Nothing of an immutable object may change.
    fn frozen(&mut self, new: &Value, old: &Value, members: &[&str]) {
        if !flag(old, &["immutable"]) {
            return;
        }
        if !flag(new, &["immutable"]) {
            self.forbidden("immutable", FROZEN);
        }
        for member in members {
            if !same(new.get(*member), old.get(*member)) {
                self.forbidden(*member, FROZEN);
            }
        }
    }

    /// A key of a secret that has to be there and hold a JSON object.
    fn json_key(&mut self, secret: &Value, key: &str) {
        let field = format!("data[{key}]");
        let Some(value) = at(secret, &["data", key]).and_then(Value::as_str) else {
            self.required(field, "");
            return;
        };
        let bytes = STANDARD.decode(value).unwrap_or_default();
        let hint = match serde_json::from_slice::<Value>(&bytes) {
            Ok(Value::Object(_) | Value::Null) => return,
            Ok(other) => {
                format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", go(&other))
            }
            Err(_) => complaint(&bytes),
        };
        self.invalid(field, "<secret contents redacted>", hint);
    }
}

/// What is said of a certificate and key that no server could use.
fn pair_warning(secret: &Value) -> Option<&'static str> {
    let lacks = |key| {
        let bytes = STANDARD.decode(text(secret, &["data", key])).unwrap_or_default();
        !String::from_utf8_lossy(&bytes).contains("-----BEGIN ")
    };
    if text(secret, &["type"]) != "kubernetes.io/tls" {
        None
    } else if lacks("tls.crt") {
        Some("tls: failed to find any PEM data in certificate input")
    } else {
        lacks("tls.key").then_some("tls: failed to find any PEM data in key input")
    }
}

/// What Go's JSON reader calls a value.
fn go(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null | Value::Object(_) => "object",
    }
}

/// What Go's JSON reader says of a text that does not begin as JSON.
fn complaint(bytes: &[u8]) -> String {
    let first = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(byte) if !b"{[\"-0123456789tfn".contains(&byte) => {
            format!("invalid character '{}' looking for beginning of value", char::from(byte))
        }
        _ => "unexpected end of JSON input".to_owned(),
    }
}
