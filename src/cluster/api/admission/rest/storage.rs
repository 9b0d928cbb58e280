//! The kinds of storage.k8s.io.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::{Check, IMMUTABLE, NOT_NEGATIVE, entries, same, texts};
use super::kind::{Blank, Generation, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, int, list, map, set_default, text};
use crate::cluster::quantity::Quantity;

const GROUP: &str = "storage.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: GROUP,
        kind: "StorageClass",
        always: &[(&["provisioner"], Blank::Text)],
        defaults: |class| {
            set_default(class, &["reclaimPolicy"], "Delete");
            set_default(class, &["volumeBindingMode"], "Immediate");
        },
        validate: storage_class,
        ..Kind::CLUSTER
    },
    Kind { group: GROUP, kind: "VolumeAttributesClass", versioned: true, validate: attributes_class, ..Kind::CLUSTER },
    Kind {
        group: GROUP,
        kind: "CSIDriver",
        versioned: true,
        generation: Generation::Member("spec"),
        defaults: |driver| {
            set_default(driver, &["spec", "attachRequired"], true);
            set_default(driver, &["spec", "podInfoOnMount"], false);
            set_default(driver, &["spec", "volumeLifecycleModes"], vec![Value::from("Persistent")]);
            set_default(driver, &["spec", "storageCapacity"], false);
            set_default(driver, &["spec", "fsGroupPolicy"], "ReadWriteOnceWithFSType");
            set_default(driver, &["spec", "requiresRepublish"], false);
            set_default(driver, &["spec", "seLinuxMount"], false);
        },
        validate: driver,
        ..Kind::CLUSTER
    },
    Kind {
        group: GROUP,
        kind: "CSINode",
        versioned: true,
        always: &[(&["spec", "drivers"], Blank::Null)],
        validate: csi_node,
        ..Kind::CLUSTER
    },
    Kind { group: GROUP, kind: "CSIStorageCapacity", versioned: true, validate: capacity, ..Kind::NAMESPACED },
    Kind {
        group: GROUP,
        kind: "VolumeAttachment",
        versioned: true,
        status: Status::Separate,
        always: &[(&["spec", "source"], Blank::Object), (&["status", "attached"], Blank::False)],
        validate: attachment,
        ..Kind::CLUSTER
    },
];

/// The class that is annotated as the default one; of several, the newest.
pub(super) fn default_of(classes: &[Value], annotation: &str) -> Option<String> {
    let defaults = classes.iter().filter(|class| text(class, &["metadata", "annotations", annotation]) == "true");
    // of the same age, the first by name
    let newest = defaults.max_by_key(|class| {
        (text(class, &["metadata", "creationTimestamp"]), std::cmp::Reverse(text(class, &["metadata", "name"])))
    });
    newest.map(|class| text(class, &["metadata", "name"]).to_owned())
}

/// The most parameters, and bytes of them.
const MOST_PARAMETERS: usize = 512;
const PARAMETER_BYTES: usize = 256 << 10;

fn storage_class(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    if let Some(old) = old {
        for member in ["parameters", "provisioner", "reclaimPolicy"] {
            if !same(new.get(member), old.get(member)) {
                check.forbidden(member, format!("updates to {member} are forbidden."));
            }
        }
        check.immutable("volumeBindingMode", new, old, &["volumeBindingMode"]);
        return;
    }
    check.provisioner("provisioner", text(new, &["provisioner"]));
    check.parameters(new);
    let policy = text(new, &["reclaimPolicy"]);
    if !policy.is_empty() {
        check.one_of("reclaimPolicy", policy, &["Delete", "Retain"]);
    }
    match text(new, &["volumeBindingMode"]) {
        "" => check.required("volumeBindingMode", ""),
        mode => check.one_of("volumeBindingMode", mode, &["Immediate", "WaitForFirstConsumer"]),
    }
    check.topologies(new);
}

fn attributes_class(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    match old {
        None => {
            check.provisioner("driverName", text(new, &["driverName"]));
            if map(new, &["parameters"]).is_none_or(serde_json::Map::is_empty) {
                check.required("parameters", "must contain at least one key/value pair");
            }
            check.parameters(new);
        }
        Some(old) => {
            for member in ["driverName", "parameters"] {
                if !same(new.get(member), old.get(member)) {
                    check.forbidden(member, format!("updates to {member} are forbidden."));
                }
            }
        }
    }
}

fn driver(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    if old.is_none() {
        check.driver_name("metadata.name", text(new, &["metadata", "name"]));
    }
    for member in ["attachRequired", "podInfoOnMount", "storageCapacity"] {
        if at(new, &["spec", member]).is_none_or(Value::is_null) {
            check.required(format!("spec.{member}"), "");
        }
    }
    if let Some(policy) = at(new, &["spec", "fsGroupPolicy"]).and_then(Value::as_str) {
        check.one_of("spec.fsGroupPolicy", policy, &["ReadWriteOnceWithFSType", "File", "None"]);
    }
    let mut audiences = BTreeSet::new();
    check.items(new, &["spec", "tokenRequests"], |check, field, request| {
        let audience = text(request, &["audience"]);
        if !audiences.insert(audience) {
            check.duplicate(format!("{field}.audience"), audience);
        }
        if let Some(seconds) = int(request, &["expirationSeconds"]).filter(|seconds| *seconds < 600) {
            let hint = "may not specify a duration less than 10 minutes";
            check.invalid(format!("{field}.expirationSeconds"), seconds, hint);
        }
    });
    for mode in texts(new, &["spec", "volumeLifecycleModes"]) {
        check.one_of("spec.volumeLifecycleModes", mode, &["Ephemeral", "Persistent"]);
    }
    if let Some(old) = old {
        for member in ["attachRequired", "volumeLifecycleModes"] {
            check.immutable(&format!("spec.{member}"), new, old, &["spec", member]);
        }
    }
}

fn csi_node(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    let mut names_seen = BTreeSet::new();
    check.items(new, &["spec", "drivers"], |check, field, driver| {
        let name = text(driver, &["name"]);
        check.driver_name(&format!("{field}.name"), name);
        if !names_seen.insert(name) {
            check.duplicate(format!("{field}.name"), name);
        }
        let id = text(driver, &["nodeID"]);
        if id.is_empty() {
            check.required(format!("{field}.nodeID"), id);
        }
        check.not_negative(&format!("{field}.allocatable.count"), int(driver, &["allocatable", "count"]));
        let mut keys = BTreeSet::new();
        for key in texts(driver, &["topologyKeys"]) {
            if !keys.insert(key) {
                check.duplicate(format!("{field}.topologyKeys"), key);
            }
            check.sentences(&format!("{field}.topologyKeys"), key, names::qualified_name(key));
        }
    });
}

fn capacity(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    check.selector("nodeTopology", at(new, &["nodeTopology"]));
    let class = text(new, &["storageClassName"]);
    check.sentences("storageClassName", class, names::dns_subdomain(class));
    for member in ["capacity", "maximumVolumeSize"] {
        if let Some(amount) = at(new, &[member]).and_then(Quantity::read).filter(|amount| amount.sign().is_lt()) {
            check.invalid(member, amount, NOT_NEGATIVE);
        }
    }
    if let Some(old) = old {
        for member in ["nodeTopology", "storageClassName"] {
            check.immutable(member, new, old, &[member]);
        }
    }
}

fn attachment(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    check.driver_name("spec.attacher", text(new, &["spec", "attacher"]));
    const ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (at(new, &["spec", "source", "persistentVolumeName"]), at(new, &["spec", "source", "inlineVolumeSpec"])) {
        (None, None) => check.required("spec.source", ONE),
        (Some(_), Some(_)) => check.forbidden("spec.source", ONE),
        (Some(name), None) if name.as_str().unwrap_or("").is_empty() => {
            check.required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName");
        }
        _ => {}
    }
    let node = text(new, &["spec", "nodeName"]);
    if old.is_none() || !node.is_empty() {
        check.sentences("spec.nodeName", node, names::dns_subdomain(node));
    }
    if let Some(old) = old
        && !same(new.get("spec"), old.get("spec"))
    {
        check.invalid("spec", new.get("spec").cloned().unwrap_or_default(), IMMUTABLE);
    }
}

impl Check<'_> {
    fn provisioner(&mut self, field: &str, name: &str) {
        if name.is_empty() {
            self.required(field, name);
        } else {
            self.sentences(field, name, names::qualified_name(&name.to_lowercase()));
        }
    }

    fn driver_name(&mut self, field: &str, name: &str) {
        if name.is_empty() {
            self.required(field, "");
        }
        if name.len() > 63 {
            self.too_long(field, 63);
        }
        self.sentences(field, name, names::dns_subdomain(&name.to_lowercase()));
    }

    fn parameters(&mut self, class: &Value) {
        let parameters = map(class, &["parameters"]);
        if parameters.is_some_and(|parameters| parameters.len() > MOST_PARAMETERS) {
            let all = at(class, &["parameters"]).cloned().unwrap_or_default();
            self.invalid("parameters", all, "must have at most 512 items");
            return;
        }
        let mut bytes = 0;
        for (key, value) in entries(parameters) {
            if key.is_empty() {
                self.invalid("parameters", key, "field can not be empty.");
            }
            bytes += key.len() + value.len();
        }
        if bytes > PARAMETER_BYTES {
            self.too_long("parameters", PARAMETER_BYTES);
        }
    }

    fn topologies(&mut self, class: &Value) {
        let mut seen: Vec<&Value> = Vec::new();
        self.items(class, &["allowedTopologies"], |check, field, term| {
            for (index, requirement) in list(term, &["matchLabelExpressions"]).iter().enumerate() {
                let field = format!("{field}.matchLabelExpressions[{index}]");
                let key = text(requirement, &["key"]);
                if list(requirement, &["values"]).is_empty() {
                    check.required(format!("{field}.values"), "");
                }
                check.sentences(&format!("{field}.key"), key, names::qualified_name(key));
            }
            if seen.contains(&term) {
                check.duplicate(format!("{field}.matchLabelExpressions"), "");
            }
            seen.push(term);
        });
    }
}
