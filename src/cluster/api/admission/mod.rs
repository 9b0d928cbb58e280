//! Defaults, validation and what else happens to an object on its way into the store.

pub mod limit_range;
pub mod metadata;
mod names;
pub(super) use names::path_segment;
pub mod path;
pub mod quota;
pub mod rest;
pub mod text;
mod usage;
pub mod workloads;

use serde_json::{Value, json};

use super::crd;
use super::resource::Resource;
use super::status::{FieldError, Refusal};
use super::store::{Store, Stored};
use crate::cluster::object::{GroupKind, Key, at, flag, list, set, text};

const DEFINITION: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");

/// What admission looks up in the cluster for a new object.
#[derive(Debug, Default)]
pub struct Facts {
    /// Five letters for names that the server makes up.
    pub random: String,
    /// The limit ranges of the object's namespace.
    pub limit_ranges: Vec<Value>,
    /// The service account that a pod runs as.
    pub service_account: Option<Value>,
    /// All priority classes.
    pub priority_classes: Vec<Value>,
    /// All storage classes.
    pub storage_classes: Vec<Value>,
    /// All ingress classes.
    pub ingress_classes: Vec<Value>,
}

impl Facts {
    /// Looks up what a new object needs.
    pub fn gather(store: &Store, kind: &GroupKind, object: &Value, random: String) -> Self {
        let all = |resource: &str, namespace: &str| store.list(resource, namespace).map(|one| one.value()).collect();
        let namespace = text(object, &["metadata", "namespace"]);
        let mut facts = Self { random, ..Self::default() };
        match kind.pair() {
            ("", "Pod") => {
                let account = workloads::service_account_name(object);
                facts.service_account =
                    store.get("serviceaccounts", &Key::new(namespace, account)).map(|one| one.value());
                facts.priority_classes = all("priorityclasses.scheduling.k8s.io", "");
                facts.limit_ranges = all("limitranges", namespace);
            }
            ("", "PersistentVolumeClaim") => {
                facts.storage_classes = all("storageclasses.storage.k8s.io", "");
                facts.limit_ranges = all("limitranges", namespace);
            }
            ("networking.k8s.io", "Ingress") => facts.ingress_classes = all("ingressclasses.networking.k8s.io", ""),
            _ => {}
        }
        facts
    }
}

/// Fills in what the writer left out. Doing it again changes nothing.
pub fn defaults(kind: &GroupKind, object: &mut Value) {
    if kind.pair() == DEFINITION {
        crd::defaults(object);
    } else if !workloads::defaults(kind, object) {
        rest::defaults(kind, object);
    }
}

/// What the server adds to a new object.
///
/// # Errors
/// 403 when something that the object needs is not there, or goes beyond a limit.
pub fn before_create(kind: &GroupKind, resource: &Resource, object: &mut Value, facts: &Facts) -> Result<(), Refusal> {
    let refuse = |object: &Value, why: &str| {
        let name = text(object, &["metadata", "name"]);
        Err(Refusal::forbidden(&resource.group, &resource.plural, name, why))
    };
    match kind.pair() {
        DEFINITION => begin_definition(object),
        ("", "PersistentVolumeClaim") => rest::default_storage_class(object, &facts.storage_classes),
        ("networking.k8s.io", "Ingress") => rest::default_ingress_class(object, &facts.ingress_classes),
        ("", "Pod") => limit_range::defaults(object, &facts.limit_ranges),
        _ => {}
    }
    let uid = text(object, &["metadata", "uid"]).to_owned();
    let context = workloads::CreateContext {
        random_suffix: &facts.random,
        service_account: facts.service_account.as_ref(),
        priority_classes: &facts.priority_classes,
        uid: &uid,
    };
    if !workloads::before_create(kind, object, &context)? {
        rest::before_create(kind, object);
    }
    match limit_range::check(kind, object, &facts.limit_ranges) {
        Ok(()) => Ok(()),
        Err(why) => refuse(object, &why),
    }
}

/// A definition begins without names; what it stores is known at once.
fn begin_definition(definition: &mut Value) {
    let storage: Vec<Value> = stored_versions(definition);
    let names = json!({"plural": "", "kind": ""});
    set(definition, &["status"], json!({"conditions": [], "acceptedNames": names, "storedVersions": storage}));
}

fn stored_versions(definition: &Value) -> Vec<Value> {
    let storage = list(definition, &["spec", "versions"]).iter().filter(|version| flag(version, &["storage"]));
    storage.map(|version| version["name"].clone()).collect()
}

/// What the server keeps of the version before.
pub fn before_update(kind: &GroupKind, object: &mut Value, old: &Value) {
    if kind.pair() == DEFINITION {
        let mut stored = list(object, &["status", "storedVersions"]).to_vec();
        for version in stored_versions(object) {
            if !stored.contains(&version) {
                stored.push(version);
            }
        }
        set(object, &["status", "storedVersions"], stored);
    } else if !workloads::before_update(kind, object, old) {
        rest::before_update(kind, object, old);
    }
}

/// Finds what is wrong with an object of a built-in kind, or with changing `old` to it.
pub fn validate(kind: &GroupKind, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    if kind.pair() == DEFINITION {
        errors.extend(crd::validate(object, old));
    } else if !workloads::validate(kind, object, old, errors) && !rest::validate(kind, object, old, errors) {
        let namespaced = !text(object, &["metadata", "namespace"]).is_empty();
        validate_metadata(object, old, namespaced, errors);
    }
}

/// Finds what is wrong with the metadata of an object whose kind has no rules of its own.
pub fn validate_metadata(object: &Value, old: Option<&Value>, namespaced: bool, errors: &mut Vec<FieldError>) {
    metadata::validate_any_metadata(object, namespaced, text::NameRule::Subdomain, errors);
    if let Some(old) = old {
        metadata::validate_any_metadata_update(object, old, false, errors);
    }
}

/// Warnings about an object that is fine otherwise.
pub fn warnings(kind: &GroupKind, object: &Value, old: Option<&Value>) -> Vec<String> {
    let mut warnings = workloads::warnings(kind, object, old);
    warnings.extend(rest::warnings(kind, object, old));
    warnings
}

/// Whether objects of a built-in kind have a `metadata.generation`.
pub fn has_generation(kind: &GroupKind) -> bool {
    match kind.pair() {
        ("apps", "ControllerRevision") | ("", "PodTemplate") => false,
        ("apps" | "batch", _) | ("", "Pod" | "ReplicationController") | DEFINITION => true,
        _ => rest::has_generation(kind),
    }
}

/// Whether a change makes a new generation.
pub fn generation_changes(kind: &GroupKind, new: &Value, old: &Value) -> bool {
    if kind.pair() == DEFINITION {
        return at(new, &["spec"]) != at(old, &["spec"]);
    }
    workloads::generation_changes(kind, new, old).or_else(|| rest::generation_changes(kind, new, old)).unwrap_or(false)
}

/// Counts an object against the quotas of its namespace; gives the quotas that then have another usage.
///
/// # Errors
/// 403 when a quota has no room.
pub fn quota_allows(
    store: &Store,
    resource: &Resource,
    object: &Value,
    old: Option<&Value>,
) -> Result<Vec<Value>, Refusal> {
    let namespace = text(object, &["metadata", "namespace"]);
    if !resource.namespaced || store.count("resourcequotas") == 0 {
        return Ok(Vec::new());
    }
    let quotas: Vec<Value> = store.list("resourcequotas", namespace).map(|quota| quota.value()).collect();
    quota::check(&resource.kind, &resource.plural, object, old, &quotas)
        .map_err(|why| Refusal::forbidden(&resource.group, &resource.plural, text(object, &["metadata", "name"]), &why))
}

/// Gives a service its addresses and ports.
///
/// # Errors
/// When one that is asked for is taken or cannot be.
pub fn allocate_service(
    store: &Store,
    service: &mut Value,
    old: Option<&Value>,
    random: u64,
) -> Result<(), Vec<FieldError>> {
    let services: Vec<Value> =
        store.list("services", "").map(|service: &std::sync::Arc<Stored>| service.value()).collect();
    let taken_ip = |address: &str| {
        services.iter().any(|service| list(service, &["spec", "clusterIPs"]).iter().any(|taken| taken == address))
    };
    let taken_port = |port: i64| {
        let mut ports = services.iter().flat_map(|service| list(service, &["spec", "ports"]));
        ports.any(|taken| taken.get("nodePort").and_then(Value::as_i64) == Some(port))
    };
    rest::allocate(service, old, &taken_ip, &taken_port, random)
}
