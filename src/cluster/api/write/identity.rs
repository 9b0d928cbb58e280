//! Names, namespaces and uids of what is written.

use serde_json::Value;

use crate::cluster::api::Api;
use crate::cluster::api::resource::Resource;
use crate::cluster::api::status::Refusal;
use crate::cluster::object::{Key, METADATA, remove, set, text};

const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Api {
    pub(super) fn check_namespace(&self, resource: &Resource, object: &Value) -> Result<(), Refusal> {
        let namespace = text(object, &["metadata", "namespace"]);
        if !resource.namespaced {
            return Ok(());
        }
        let there = self.look(|store| store.get("namespaces", &Key::new("", namespace)).map(|found| found.deleting));
        match there {
            None => Err(Refusal::not_found("", "namespaces", namespace)),
            Some(true) => {
                let name = text(object, &["metadata", "name"]);
                let why =
                    format!("unable to create new content in namespace {namespace} because it is being terminated");
                let mut refusal = Refusal::forbidden(&resource.group, &resource.plural, name, &why);
                if let Some(details) = &mut refusal.details {
                    details.causes.push(crate::cluster::api::status::Cause {
                        reason: "NamespaceTerminating",
                        message: format!("namespace {namespace} is being terminated"),
                        field: "metadata.namespace".to_owned(),
                    });
                }
                Err(refusal)
            }
            Some(false) => Ok(()),
        }
    }
}

/// Puts an object where the path says, or refuses when it says otherwise itself.
pub(super) fn place(resource: &Resource, namespace: &str, object: &mut Value) -> Result<(), Refusal> {
    if !resource.namespaced {
        remove(object, &["metadata", "namespace"]);
        return Ok(());
    }
    let sent = text(object, &["metadata", "namespace"]);
    if !sent.is_empty() && sent != namespace {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(why));
    }
    set(object, &["metadata", "namespace"], namespace);
    Ok(())
}

pub(super) fn check_name(object: &Value, key: &Key) -> Result<(), Refusal> {
    let sent = text(object, &["metadata", "name"]);
    if sent == &*key.name {
        return Ok(());
    }
    if sent.is_empty() {
        let why =
            format!("the name of the object ({} based on URL) was undeterminable: name must be provided", key.name);
        return Err(Refusal::bad_request(why));
    }
    let why = format!("the name of the object ({sent}) does not match the name on the URL ({})", key.name);
    Err(Refusal::bad_request(why))
}

pub(super) fn other_uid(resource: &Resource, key: &Key, sent: &str, there: &str) -> Refusal {
    let path = if resource.group.is_empty() { resource.plural.clone() } else { resource.qualified() };
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{path}/{key}, ResourceVersion: 0, AdditionalErrorMsg: \
         Precondition failed: UID in precondition: {sent}, UID in object meta: {there}"
    );
    Refusal::conflict(&resource.group, &resource.plural, &key.name, &why)
}

/// Metadata in the order that people are used to: names first, bookkeeping last.
pub(super) fn order_metadata(object: &mut Value) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
    let mut old = std::mem::take(metadata);
    for field in METADATA {
        if let Some(value) = old.shift_remove(field) {
            metadata.insert(field.to_owned(), value);
        }
    }
    metadata.extend(old);
}

/// Five letters that make no words.
pub(super) fn random_suffix() -> Result<String, Refusal> {
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(bytes.iter().map(|byte| char::from(SAFE[usize::from(*byte) % SAFE.len()])).collect())
}

pub(super) fn random_number() -> Result<u64, Refusal> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(u64::from_le_bytes(bytes))
}

/// A random uid (RFC 9562, version 4).
pub(in crate::cluster::api) fn random_uid() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
