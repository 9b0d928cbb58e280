//! Looks at the last rehearsals, and at what they were made with as it is today.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::cli::cluster::Place;
use crate::cli::console::Console;
use crate::cli::runs;
use crate::cluster::api::discovery;
use crate::cluster::folder::Folder;
use crate::cluster::object;
use crate::cluster::provider::{self, Provider};
use crate::cluster::sim::image::Images;
use crate::cluster::sim::image::reference::Reference;
use crate::project::{Project, ProjectOptions};
use crate::recording::facts::Facts;
use crate::recording::read::Recording;
use crate::recording::{self, files};
use crate::server::record;

use super::compare::{Cluster, Deck, Then, Today};
use super::look;

/// How long a cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The live decks of an input, each with its last passed rehearsal, and what these were made with as it is today.
pub(super) async fn look(input: &Path, console: Console) -> Result<(Vec<Deck>, Today), String> {
    let told = |error: anyhow::Error| format!("{error:#}");
    let project = Project::open(input, ProjectOptions::default()).map_err(|error| told(error.into()))?;
    let folder = Folder::of(&project.root);
    let slugs: Vec<&str> = project.decks.iter().map(|deck| deck.slug.as_str()).collect();
    let runs = runs::last_passed(&files::folder(folder.path()), &slugs);
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis());
    let now_ms = now_ms.unwrap_or(u64::MAX);
    let mut decks = Vec::new();
    for entry in &project.decks {
        // One that cannot be read is told as a deck, not as a rehearsal.
        let Ok(compiled) = project.compile(entry) else { continue };
        if compiled.rendered.slides.iter().all(|slide| slide.steps.is_empty()) {
            continue;
        }
        let hash = record::hash_of(compiled.source.text());
        let then = runs.get(&entry.slug).map(|run| then(run, &entry.slug, now_ms));
        decks.push(Deck { path: entry.path.display().to_string(), hash, then });
    }
    let facts: Vec<&Facts> = decks.iter().filter_map(|deck| deck.then.as_ref()?.facts.as_ref()).collect();
    let ports = facts.iter().filter_map(|facts| Some((facts.port?, look::port(facts.port?)?))).collect();
    let mut clusters = BTreeMap::new();
    for facts in &facts {
        if !facts.cluster.is_empty() && !clusters.contains_key(&facts.cluster) {
            clusters.insert(facts.cluster.clone(), cluster(facts, console).await);
        }
    }
    let program = std::env::current_exe().and_then(|path| record::fingerprint(&path)).unwrap_or_default();
    let today = Today {
        foredeck: env!("CARGO_PKG_VERSION").to_owned(),
        program,
        offset_s: record::offset(),
        now_ms,
        free: free(folder.path()),
        ports,
        clusters,
    };
    Ok((decks, today))
}

fn then(run: &Arc<Recording>, deck: &str, now_ms: u64) -> Then {
    let end = run.end.decks.iter().find(|end| end.deck == deck);
    Then {
        when: recording::clock(run.head.started_ms, now_ms),
        started_ms: run.head.started_ms,
        hash: end.map(|end| end.hash.clone()).unwrap_or_default(),
        facts: Facts::of(run),
    }
}

/// What the cluster of a rehearsal says today.
async fn cluster(facts: &Facts, console: Console) -> Result<Cluster, String> {
    let provider: Provider = facts.cluster.parse().map_err(|error: crate::cluster::error::Error| error.to_string())?;
    if provider == Provider::Embedded {
        return Ok(embedded(facts));
    }
    let place = Place::here(console).map_err(|failure| failure.error.to_string())?;
    let asked = async {
        let connected = provider::connect(&provider, &place.around).await.map_err(|error| error.to_string())?;
        let get = async |path: &str| -> Result<Value, String> {
            let request = http::Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
            connected.client.request(request).await.map_err(|error| error.to_string())
        };
        let version = object::text(&get("/version").await?, &["gitVersion"]).to_owned();
        // Whoever may not see nodes does not learn which images they have.
        let nodes = get("/api/v1/nodes").await.unwrap_or_default();
        Ok(Cluster { version, images: on_nodes(facts, &nodes) })
    };
    let asked: Result<Result<Cluster, String>, _> = tokio::time::timeout(PATIENCE, asked).await;
    asked.unwrap_or_else(|_| Err(format!("it does not answer within {} s", PATIENCE.as_secs())))
}

/// The embedded cluster comes with the program, images and all.
fn embedded(facts: &Facts) -> Cluster {
    let known = Images::builtin();
    let images = facts
        .images
        .keys()
        .map(|name| (name.clone(), Reference::parse(name).map(|reference| known.image_id(&reference))));
    let version = object::text(&discovery::version(), &["gitVersion"]).to_owned();
    Cluster { version, images: images.filter(|(_, id)| id.is_some()).collect() }
}

/// The digests that nodes have of the images of a rehearsal; nothing when nodes do not say what they have.
fn on_nodes(facts: &Facts, nodes: &Value) -> BTreeMap<String, Option<String>> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let had: Vec<Vec<String>> = list(nodes, "items")
        .iter()
        .flat_map(|node| list(&node["status"], "images"))
        .map(|image| list(&image, "names").iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .collect();
    if had.is_empty() {
        return BTreeMap::new();
    }
    let full = |name: &str| Reference::parse(name).map_or_else(|| name.to_owned(), |reference| reference.full());
    let images = facts.images.keys().map(|image| {
        let wanted = full(image);
        let names = had.iter().find(|names| names.iter().any(|name| full(name) == wanted));
        let digest = names.map(|names| names.iter().find(|name| name.contains('@')).unwrap_or(&wanted).clone());
        (image.clone(), digest)
    });
    // An image that has a name and no digest was loaded by hand; what it is made of nobody can say.
    images.filter(|(_, digest)| digest.as_ref().is_none_or(|digest| digest.contains('@'))).collect()
}

/// Bytes that are free at a path, or at the nearest folder above it.
#[cfg(unix)]
fn free(path: &Path) -> Option<u64> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|folder| folder.exists())?;
    let room = rustix::fs::statvfs(there).ok()?;
    Some(room.f_bavail.saturating_mul(room.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_say_which_images_they_have() {
        let images =
            ["podinfo:1", "docker.io/library/nginx:2", "loaded:3"].map(|name| (name.to_owned(), "x".to_owned()));
        let facts = Facts { images: images.into(), ..Facts::default() };
        let nodes = json!({ "items": [{ "status": { "images": [
            { "names": ["docker.io/library/nginx@sha256:aa", "docker.io/library/nginx:2"] },
            { "names": ["docker.io/library/loaded:3"] },
        ] } }] });
        let expected = [
            ("docker.io/library/nginx:2".to_owned(), Some("docker.io/library/nginx@sha256:aa".to_owned())),
            ("podinfo:1".to_owned(), None),
        ];
        assert_eq!(on_nodes(&facts, &nodes), BTreeMap::from(expected));
        assert_eq!(on_nodes(&facts, &Value::Null), BTreeMap::new());
    }

    #[test]
    fn the_embedded_cluster_has_its_images_in_the_program() {
        let images = BTreeMap::from([("stefanprodan/podinfo:6.5.0".to_owned(), "x".to_owned())]);
        let here = embedded(&Facts { images, ..Facts::default() });
        assert!(here.version.starts_with("v1."), "{}", here.version);
        assert!(here.images.values().all(|id| id.as_ref().is_some_and(|id| id.contains("@sha256:"))));
        assert_eq!(here.images.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn there_is_room_above_a_folder_that_is_not_made_yet() {
        assert!(free(Path::new("not/made/yet")).is_some_and(|bytes| bytes > 0));
    }
}
