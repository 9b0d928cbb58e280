//! PersistentVolume.

use serde_json::Value;

use super::check::{Check, IMMUTABLE, NOT_NEGATIVE, POSITIVE, same};
use super::claim::{ACCESS_MODES, VOLUME_MODES, add_finalizer};
use super::kind::{Blank, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, list, map, set_default, text};
use crate::cluster::quantity::Quantity;

pub(super) const KINDS: &[Kind] = &[Kind {
    kind: "PersistentVolume",
    status: Status::Separate,
    always: &[(&["spec"], Blank::Object), (&["status"], Blank::Object)],
    defaults,
    create: |volume| {
        set_default(volume, &["status", "phase"], "Pending");
        add_finalizer(volume, "kubernetes.io/pv-protection");
    },
    validate: volume,
    warnings,
    ..Kind::CLUSTER
}];

/// The sources that a volume can have, each with what it has to say.
const SOURCES: [(&str, &[&str]); 22] = [
    ("hostPath", &["path"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("glusterfs", &["endpoints", "path"]),
    ("flocker", &[]),
    ("nfs", &["server", "path"]),
    ("rbd", &["image"]),
    ("quobyte", &["registry", "volume"]),
    ("cephfs", &[]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("cinder", &["volumeID"]),
    ("fc", &[]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("scaleIO", &["gateway", "system", "secretRef.name"]),
    ("local", &["path"]),
    ("storageos", &[]),
    ("csi", &["driver", "volumeHandle"]),
];

fn defaults(volume: &mut Value) {
    set_default(volume, &["status", "phase"], "Pending");
    set_default(volume, &["spec", "persistentVolumeReclaimPolicy"], "Retain");
    set_default(volume, &["spec", "volumeMode"], "Filesystem");
    let fill: [(&str, &[(&str, Value)]); 5] = [
        ("hostPath", &[("type", "".into())]),
        ("iscsi", &[("iscsiInterface", "default".into())]),
        ("rbd", &[("pool", "rbd".into()), ("user", "admin".into()), ("keyring", "/etc/ceph/keyring".into())]),
        (
            "azureDisk",
            &[
                ("cachingMode", "ReadWrite".into()),
                ("kind", "Shared".into()),
                ("fsType", "ext4".into()),
                ("readOnly", false.into()),
            ],
        ),
        ("scaleIO", &[("storageMode", "ThinProvisioned".into()), ("fsType", "xfs".into())]),
    ];
    for (source, members) in fill {
        if at(volume, &["spec", source]).is_some_and(Value::is_object) {
            for (member, value) in members {
                set_default(volume, &["spec", source, member], value.clone());
            }
        }
    }
}

fn volume(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.new_metadata(new);
    check.modes(new, "");
    check.capacity(new);
    let policy = text(new, &["spec", "persistentVolumeReclaimPolicy"]);
    if !policy.is_empty() {
        check.one_of("spec.persistentVolumeReclaimPolicy", policy, &["Delete", "Recycle", "Retain"]);
    }
    check.node_affinity(new);
    check.sources(new);
    if text(new, &["spec", "hostPath", "path"]).trim_end_matches('/').is_empty()
        && at(new, &["spec", "hostPath", "path"]).is_some()
        && policy == "Recycle"
    {
        let hint = "may not be 'recycle' for a hostPath mount of '/'";
        check.forbidden("spec.persistentVolumeReclaimPolicy", hint);
    }
    let class = text(new, &["spec", "storageClassName"]);
    if !class.is_empty() {
        check.sentences("spec.storageClassName", class, names::dns_subdomain(class));
    }
    if let Some(mode) = at(new, &["spec", "volumeMode"]).and_then(Value::as_str) {
        check.one_of("spec.volumeMode", mode, &VOLUME_MODES);
    }
    if let Some(class) = at(new, &["spec", "volumeAttributesClassName"]).and_then(Value::as_str) {
        if class.is_empty() {
            check.required("spec.volumeAttributesClassName", "an empty string is disallowed");
        } else {
            check.sentences("spec.volumeAttributesClassName", class, names::dns_subdomain(class));
        }
        if at(new, &["spec", "csi"]).is_none() {
            check.required("spec.csi", "has to be specified when using volumeAttributesClassName");
        }
    }
    if let Some(old) = old {
        check.kept_volume(new, old);
        check.changed_metadata(new, old);
    }
}

impl Check<'_> {
    /// The access modes of a volume or claim.
    pub(super) fn modes(&mut self, object: &Value, hint: &str) {
        let modes = list(object, &["spec", "accessModes"]);
        if modes.is_empty() {
            self.required("spec.accessModes", hint);
        }
        let (mut alone, mut others) = (false, false);
        for mode in modes.iter().filter_map(Value::as_str) {
            self.one_of("spec.accessModes", mode, &ACCESS_MODES);
            if mode == "ReadWriteOncePod" {
                alone = true;
            } else {
                others |= ACCESS_MODES.contains(&mode);
            }
        }
        if alone && others {
            self.forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes");
        }
    }

    fn capacity(&mut self, volume: &Value) {
        let capacity = map(volume, &["spec", "capacity"]);
        if capacity.is_none_or(serde_json::Map::is_empty) {
            self.required("spec.capacity", "");
        }
        if !capacity.is_some_and(|capacity| capacity.len() == 1 && capacity.contains_key("storage")) {
            let all = at(volume, &["spec", "capacity"]).cloned().unwrap_or_default();
            self.unsupported("spec.capacity", all, &["storage"]);
        }
        for (name, value) in capacity.into_iter().flatten() {
            let field = format!("spec.capacity[{name}]");
            if let Some(amount) = Quantity::read(value).filter(|amount| !amount.sign().is_gt()) {
                if amount.sign().is_lt() {
                    self.invalid(field.as_str(), amount.value(), "must be a valid resource quantity");
                }
                self.invalid(field, amount, POSITIVE);
            }
        }
    }

    fn node_affinity(&mut self, volume: &Value) {
        let Some(affinity) = at(volume, &["spec", "nodeAffinity"]).filter(|affinity| !affinity.is_null()) else {
            return;
        };
        if at(affinity, &["required"]).is_none() {
            self.required("spec.nodeAffinity.required", "must specify required node constraints");
        } else if list(affinity, &["required", "nodeSelectorTerms"]).is_empty() {
            let hint = "must have at least one node selector term";
            self.required("spec.nodeAffinity.required.nodeSelectorTerms", hint);
        }
    }

    fn sources(&mut self, volume: &Value) {
        let mut found = false;
        for (source, needed) in SOURCES {
            let Some(content) = at(volume, &["spec", source]).filter(|content| !content.is_null()) else { continue };
            if found {
                self.forbidden(format!("spec.{source}"), "may not specify more than 1 volume type");
                continue;
            }
            found = true;
            for member in needed {
                if text(content, &member.split('.').collect::<Vec<_>>()).is_empty() {
                    self.required(format!("spec.{source}.{member}"), "");
                }
            }
            if ["hostPath", "local"].contains(&source) && text(content, &["path"]).split('/').any(|part| part == "..") {
                self.invalid(format!("spec.{source}.path"), text(content, &["path"]), "must not contain '..'");
            }
            if source == "nfs" && !text(content, &["path"]).starts_with('/') && !text(content, &["path"]).is_empty() {
                self.invalid("spec.nfs.path", text(content, &["path"]), "must be an absolute path");
            }
            if source == "local" && at(volume, &["spec", "nodeAffinity", "required"]).is_none() {
                self.required("spec.nodeAffinity", "Local volume requires node affinity");
            }
            if let Some(partition) = content.get("partition").and_then(Value::as_i64).filter(|number| *number < 0) {
                self.invalid(format!("spec.{source}.partition"), partition, NOT_NEGATIVE);
            }
        }
        if !found {
            self.required("spec", "must specify a volume type");
        }
    }

    fn kept_volume(&mut self, new: &Value, old: &Value) {
        let changed = |path: &[&str]| !same(at(new, path), at(old, path));
        if SOURCES.iter().any(|(source, _)| changed(&["spec", source])) {
            let hint = "spec.persistentvolumesource is immutable after creation";
            self.forbidden("spec.persistentvolumesource", hint);
        }
        self.immutable("volumeMode", new, old, &["spec", "volumeMode"]);
        if at(old, &["spec", "nodeAffinity"]).is_some() && changed(&["spec", "nodeAffinity"]) {
            let affinity = at(new, &["spec", "nodeAffinity"]).cloned().unwrap_or_default();
            self.invalid("nodeAffinity", affinity, format!("{IMMUTABLE}, except for updating from beta label to GA"));
        }
        self.kept_attributes_class(new, old);
    }

    /// A class of volume attributes may be changed, but not taken away.
    pub(super) fn kept_attributes_class(&mut self, new: &Value, old: &Value) {
        let class = |object| at(object, &["spec", "volumeAttributesClassName"]).and_then(Value::as_str);
        if class(old).is_some() && class(new).is_none() {
            self.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden");
        }
    }
}

fn warnings(volume: &Value, _: Option<&Value>, warnings: &mut Vec<String>) {
    let annotated = |name| at(volume, &["metadata", "annotations", name]).is_some();
    const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    const OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";
    if annotated(CLASS) {
        warnings.push(format!(
            "metadata.annotations[{CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    if annotated(OPTIONS) {
        warnings.push(format!(
            "metadata.annotations[{OPTIONS}]: deprecated since v1.31; use \"mountOptions\" attribute instead"
        ));
    }
    if text(volume, &["spec", "persistentVolumeReclaimPolicy"]) == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended \
             approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
}
