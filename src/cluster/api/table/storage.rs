//! Rows of volumes, claims, storage classes and drivers, and of devices.

use serde_json::Value;

use super::{Cell, created, created_at, deleting, name, text_or};
use crate::cluster::object::{at, flag, list, text};

pub(super) fn cells(kind: &str, object: &Value) -> Option<Vec<Cell>> {
    let spec = |member| text(object, &["spec", member]);
    Some(match kind {
        "PersistentVolumeClaim" => claim(object),
        "PersistentVolume" => volume(object),
        "StorageClass" => vec![
            named_default(object, &["storageclass.kubernetes.io/", "storageclass.beta.kubernetes.io/"]),
            text(object, &["provisioner"]).into(),
            text_or(text(object, &["reclaimPolicy"]), "Delete").into(),
            text_or(text(object, &["volumeBindingMode"]), "Immediate").into(),
            flag(object, &["allowVolumeExpansion"]).into(),
            created(object),
        ],
        "VolumeAttributesClass" => vec![
            named_default(object, &["volumeattributesclass.alpha.kubernetes.io/"]),
            text(object, &["driverName"]).into(),
            created(object),
        ],
        "VolumeAttachment" => vec![
            name(object),
            spec("attacher").into(),
            text(object, &["spec", "source", "persistentVolumeName"]).into(),
            spec("nodeName").into(),
            flag(object, &["status", "attached"]).into(),
            created(object),
        ],
        "CSIDriver" => csi_driver(object),
        "CSINode" => {
            let drivers = i64::try_from(list(object, &["spec", "drivers"]).len()).unwrap_or(i64::MAX);
            vec![name(object), drivers.into(), created(object)]
        }
        "CSIStorageCapacity" => vec![name(object), created_at(object)],
        "ResourceClaim" => vec![name(object), claim_state(object).into(), created(object)],
        "ResourceSlice" => vec![
            name(object),
            spec("nodeName").into(),
            spec("driver").into(),
            text(object, &["spec", "pool", "name"]).into(),
            created(object),
        ],
        _ => return None,
    })
}

/// The name, with a mark on the class that is taken when none is asked for.
fn named_default(class: &Value, prefixes: &[&str]) -> Cell {
    let annotation = |prefix| text(class, &["metadata", "annotations", &format!("{prefix}is-default-class")]);
    let is_default = prefixes.iter().any(|prefix| annotation(*prefix) == "true");
    let mark = if is_default { " (default)" } else { "" };
    format!("{}{mark}", text(class, &["metadata", "name"])).into()
}

/// `RWO,ROX` for the modes of a path, in Kubernetes' order.
fn access_modes(object: &Value, path: &[&str]) -> String {
    let modes = list(object, path);
    let short =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let has = |mode: &str| modes.iter().any(|one| one.as_str() == Some(mode));
    let modes: Vec<_> = short.into_iter().filter(|(mode, _)| has(mode)).map(|(_, short)| short).collect();
    modes.join(",")
}

/// A text that may be absent, which is not the same as empty.
fn or_unset<'a>(object: &'a Value, member: &str) -> &'a str {
    at(object, &["spec", member]).and_then(Value::as_str).unwrap_or("<unset>")
}

fn storage_class(object: &Value) -> &str {
    let annotation = text(object, &["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]);
    text_or(annotation, text(object, &["spec", "storageClassName"]))
}

fn phase(object: &Value) -> &str {
    if deleting(object) { "Terminating" } else { text(object, &["status", "phase"]) }
}

fn claim(object: &Value) -> Vec<Cell> {
    let volume = text(object, &["spec", "volumeName"]);
    let (capacity, modes) = match volume {
        "" => ("", String::new()),
        _ => (
            text_or(text(object, &["status", "capacity", "storage"]), "0"),
            access_modes(object, &["status", "accessModes"]),
        ),
    };
    vec![
        name(object),
        phase(object).into(),
        volume.into(),
        capacity.into(),
        modes.into(),
        storage_class(object).into(),
        or_unset(object, "volumeAttributesClassName").into(),
        created(object),
        or_unset(object, "volumeMode").into(),
    ]
}

fn volume(object: &Value) -> Vec<Cell> {
    let claim = at(object, &["spec", "claimRef"]).filter(|claim| !claim.is_null());
    let claim = claim.map(|claim| format!("{}/{}", text(claim, &["namespace"]), text(claim, &["name"])));
    vec![
        name(object),
        text_or(text(object, &["spec", "capacity", "storage"]), "0").into(),
        access_modes(object, &["spec", "accessModes"]).into(),
        text(object, &["spec", "persistentVolumeReclaimPolicy"]).into(),
        phase(object).into(),
        claim.unwrap_or_default().into(),
        storage_class(object).into(),
        or_unset(object, "volumeAttributesClassName").into(),
        text(object, &["status", "reason"]).into(),
        created(object),
        or_unset(object, "volumeMode").into(),
    ]
}

fn csi_driver(object: &Value) -> Vec<Cell> {
    let requests = at(object, &["spec", "tokenRequests"]).and_then(Value::as_array).map(|requests| {
        let audiences: Vec<_> = requests.iter().map(|request| text(request, &["audience"])).collect();
        audiences.join(",")
    });
    let modes: Vec<_> = list(object, &["spec", "volumeLifecycleModes"]).iter().filter_map(Value::as_str).collect();
    let attach = at(object, &["spec", "attachRequired"]).and_then(Value::as_bool).unwrap_or(true);
    vec![
        name(object),
        attach.into(),
        flag(object, &["spec", "podInfoOnMount"]).into(),
        flag(object, &["spec", "storageCapacity"]).into(),
        requests.unwrap_or_else(|| "<unset>".to_owned()).into(),
        flag(object, &["spec", "requiresRepublish"]).into(),
        text_or(&modes.join(","), "<none>").into(),
        created(object),
    ]
}

fn claim_state(claim: &Value) -> &'static str {
    let allocated = at(claim, &["status", "allocation"]).is_some_and(|allocation| !allocation.is_null());
    let reserved = !list(claim, &["status", "reservedFor"]).is_empty();
    match (deleting(claim), allocated, reserved) {
        (true, false, _) => "deleted",
        (false, false, _) => "pending",
        (true, true, false) => "deleted,allocated",
        (true, true, true) => "deleted,allocated,reserved",
        (false, true, false) => "allocated",
        (false, true, true) => "allocated,reserved",
    }
}
