//! The cluster's workloads, and the images they run with what opens their registries.

use serde_json::Value;

use super::keys::Secrets;
use crate::gitops::api::{Error, Objects};
use crate::gitops::containers::containers;
use crate::gitops::kinds::{Kinds, Lookup};
use crate::gitops::release::Workload;
use crate::registry::credentials::Keyring;
use crate::registry::name::Name;
use crate::registry::scan::scanner::Wanted;

/// The kinds of workloads.
const KINDS: [(&str, &str); 5] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("helm.fluxcd.io/v1", "HelmRelease"),
];

/// All workloads of a cluster, in one namespace or in all.
///
/// # Errors
/// When the API server does not tell.
pub(in crate::sandbox) async fn workloads(
    objects: &Objects,
    namespace: Option<&str>,
) -> Result<(Vec<Value>, Kinds), Error> {
    let kinds = objects.kinds().await?;
    let mut found = Vec::new();
    for (version, kind) in KINDS {
        let (Lookup::Served(served) | Lookup::OtherVersion(served)) = kinds.look_up(version, kind) else { continue };
        match objects.list(served, namespace, None).await {
            Ok(list) => found.extend(list),
            // What may not be seen is not there.
            Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((found, kinds))
}

/// The images to look for: those that run, and those that the files name already.
///
/// # Errors
/// When the API server does not tell.
pub(super) async fn wanted(
    running: &[Value],
    joined: &[Workload],
    objects: &Objects,
    kinds: &Kinds,
    docker: &Keyring,
) -> Result<Wanted, Error> {
    let mut wanted = Wanted::new();
    let mut secrets = Secrets::default();
    for workload in running {
        let keyring = secrets.of(workload, objects, kinds).await?.and(docker.clone());
        for container in containers(workload).unwrap_or_default() {
            if let Some(name) = Name::parse(&container.image.canonical_name()) {
                let known = wanted.remove(&name).unwrap_or_default();
                let both = if known == keyring { known } else { known.and(keyring.clone()) };
                wanted.insert(name, both);
            }
        }
    }
    for container in joined.iter().filter_map(|workload| workload.git.as_ref()).flat_map(|git| &git.containers) {
        if let Some(name) = Name::parse(&container.image.canonical_name()) {
            wanted.entry(name).or_insert_with(|| docker.clone());
        }
    }
    Ok(wanted)
}
