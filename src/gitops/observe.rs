//! What is there: everything that Git names and everything that a sync made, read from the cluster.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};
use serde_json::Value;

use super::api::{Error, Objects};
use super::kinds::{Kinds, Lookup, Served};
use super::mark::LABEL;
use super::object::{Manifest, ObjectKey};
use super::plan::Live;

/// How many questions are asked at the same time.
const AT_ONCE: usize = 8;
/// When so many objects of a kind are missing, all of the kind are looked through instead of asking for each.
const MANY: usize = 40;

/// What was seen.
#[derive(Debug, Default)]
pub struct Observed {
    /// The objects.
    pub live: Live,
    /// Kinds that may not be looked at, each with the API server's words.
    pub blind: Vec<(String, String)>,
}

/// Looks at the cluster. `namespaces` are the only ones to look into; all when there are none.
///
/// # Errors
/// When the API server does not answer.
pub async fn observe(
    objects: &Objects,
    kinds: &Kinds,
    wanted: &[Arc<Manifest>],
    namespaces: &[String],
) -> Result<Observed, Error> {
    let mut seen = Observed::default();
    let kinds_to_list = kinds_to_list(kinds, wanted);
    let lists: Vec<BoxFuture<'_, _>> =
        kinds_to_list.iter().map(|served| listed(objects, served, namespaces, Some(LABEL)).boxed()).collect();
    let mut lists = stream::iter(lists).buffer_unordered(AT_ONCE);
    while let Some(list) = lists.next().await {
        seen.take(list)?;
    }
    drop(lists);
    let missing: Vec<&Arc<Manifest>> =
        wanted.iter().filter(|manifest| !seen.live.contains_key(&manifest.key)).collect();
    let mut by_kind: BTreeMap<(&str, &str), Vec<&Arc<Manifest>>> = BTreeMap::new();
    for manifest in missing {
        by_kind.entry((&manifest.api_version, &manifest.key.kind.kind)).or_default().push(manifest);
    }
    for ((version, kind), manifests) in by_kind {
        let Lookup::Served(served) = kinds.look_up(version, kind) else { continue };
        if manifests.len() > MANY {
            let keys: HashMap<&ObjectKey, ()> = manifests.iter().map(|manifest| (&manifest.key, ())).collect();
            let (served, list) = listed(objects, served, namespaces, None).await;
            let only_wanted =
                list.map(|list| list.into_iter().filter(|o| keys.contains_key(&ObjectKey::of(o))).collect());
            seen.take((served, only_wanted))?;
            continue;
        }
        let gets: Vec<BoxFuture<'_, _>> = manifests
            .into_iter()
            .map(|manifest| async move { (&manifest.key, objects.get(served, &manifest.key.at).await) }.boxed())
            .collect();
        let mut gets = stream::iter(gets).buffer_unordered(AT_ONCE);
        while let Some((key, answer)) = gets.next().await {
            match answer {
                Ok(Some(object)) => {
                    seen.live.insert(key.clone(), Arc::new(object));
                }
                Ok(None) => {}
                Err(Error::Refused { message, .. }) => seen.blind.push((key.to_string(), message)),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(seen)
}

impl Observed {
    fn take(&mut self, (served, list): (&Served, Result<Vec<Value>, Error>)) -> Result<(), Error> {
        match list {
            Ok(list) => {
                self.live.extend(list.into_iter().map(|object| (ObjectKey::of(&object), Arc::new(object))));
                Ok(())
            }
            // What may not be listed is not ours.
            Err(Error::Refused { code: 403..=405, message, .. }) => {
                self.blind.push((served.group_kind().to_string(), message));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The kinds to look through: those that Git names in the version that it names, all others in the preferred one.
fn kinds_to_list<'a>(kinds: &'a Kinds, wanted: &[Arc<Manifest>]) -> Vec<&'a Served> {
    let mut found: BTreeMap<String, &Served> =
        kinds.owned().map(|served| (served.group_kind().to_string(), served)).collect();
    let mut more = Vec::new();
    let mut named: BTreeMap<(&str, &str), ()> = BTreeMap::new();
    for manifest in wanted {
        if named.insert((&manifest.api_version, &manifest.key.kind.kind), ()).is_some() {
            continue;
        }
        let Lookup::Served(served) = kinds.look_up(&manifest.api_version, &manifest.key.kind.kind) else { continue };
        match found.remove(&served.group_kind().to_string()) {
            Some(_) => more.push(served),
            None if more.iter().any(|other: &&Served| other.group_kind() == served.group_kind()) => more.push(served),
            None => {}
        }
    }
    found.into_values().chain(more).collect()
}

/// The objects of a kind in the namespaces that count.
async fn listed<'a>(
    objects: &Objects,
    served: &'a Served,
    namespaces: &[String],
    labels: Option<&str>,
) -> (&'a Served, Result<Vec<Value>, Error>) {
    if namespaces.is_empty() || !served.namespaced {
        return (served, objects.list(served, None, labels).await);
    }
    let mut all = Vec::new();
    for namespace in namespaces {
        match objects.list(served, Some(namespace), labels).await {
            Ok(list) => all.extend(list),
            Err(error) => return (served, Err(error)),
        }
    }
    (served, Ok(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::kinds::usual;

    #[test]
    fn every_kind_is_looked_through_once() {
        let kinds = usual();
        let names: Vec<String> = kinds_to_list(&kinds, &[]).iter().map(|served| served.kind.clone()).collect();
        assert_eq!(
            names,
            ["ConfigMap", "CustomResourceDefinition", "Deployment", "Namespace", "ReplicaSet", "Secret", "Service"]
        );
    }
}
