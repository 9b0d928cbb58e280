//! What a registry tells of the images of one repository: manifests of every type, found by tag or digest.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::sim::image::manifest::{self, CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, Manifest, digest};
use crate::cluster::sim::image::{Repository, Tag};

/// Media type of an OCI index.
pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of Docker's manifest.
pub(super) const DOCKER_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Media type of Docker's index.
pub(super) const LIST_TYPE: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// A manifest as it is served.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub(super) media: &'static str,
    pub(super) digest: String,
    pub(super) body: Bytes,
}

impl Document {
    pub(super) fn new(media: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { media, digest: digest(&body), body }
    }

    fn json(media: &'static str, value: &Value) -> Self {
        Self::new(media, value.to_string())
    }

    /// How an index names it.
    fn entry(&self) -> Value {
        json!({
            "mediaType": self.media,
            "digest": self.digest,
            "size": self.body.len(),
            "platform": {"architecture": "amd64", "os": "linux"},
        })
    }
}

/// All that belongs to one tag.
#[derive(Debug)]
struct Built {
    created: Timestamp,
    /// The manifest comes first: it is what the tag stands for unless something else is asked for.
    documents: [Document; 4],
    config_digest: String,
    config: Bytes,
    layers: Vec<String>,
}

impl Built {
    fn of(repository: &Repository, tag: &Tag) -> Self {
        let Manifest { digest, body, config_digest, config, layers, created, .. } = Manifest::of(repository, tag);
        let oci = Document { media: MANIFEST_TYPE, digest, body: body.into() };
        let docker = Document::json(
            DOCKER_TYPE,
            &json!({
                "schemaVersion": 2,
                "mediaType": DOCKER_TYPE,
                "config": {"mediaType": DOCKER_CONFIG_TYPE, "digest": config_digest, "size": config.len()},
                "layers": layers
                    .iter()
                    .map(|layer| json!({"mediaType": DOCKER_LAYER_TYPE, "digest": layer.digest, "size": layer.size}))
                    .collect::<Vec<_>>(),
            }),
        );
        let index = |media: &'static str, of: &Document| {
            Document::json(media, &json!({"schemaVersion": 2, "mediaType": media, "manifests": [of.entry()]}))
        };
        let (oci_index, docker_list) = (index(INDEX_TYPE, &oci), index(LIST_TYPE, &docker));
        Self {
            created,
            documents: [oci, docker, oci_index, docker_list],
            config_digest,
            config: config.into(),
            layers: layers.into_iter().map(|layer| layer.digest).collect(),
        }
    }
}

/// Where something with a digest is.
#[derive(Debug, Clone, Copy)]
enum Part {
    Document(usize),
    Config,
    Layer(usize),
}

/// A repository's images at one moment; pushed ones are elsewhere.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// The revision of the images that it shows.
    pub(super) revision: u64,
    tags: HashMap<String, Arc<Built>>,
    parts: HashMap<String, (String, Part)>,
}

impl Shelf {
    /// What is on it now, given what was on it before.
    pub(super) fn of(repository: &Repository, revision: u64, before: &Self) -> Self {
        let mut shelf = Self { revision, ..Self::default() };
        for tag in repository.tags.iter().filter(|tag| tag.pushed.is_none()) {
            let same = before.tags.get(&tag.name).filter(|built| built.created == tag.created);
            let built = same.cloned().unwrap_or_else(|| Arc::new(Built::of(repository, tag)));
            let documents = built.documents.iter().enumerate().map(|(at, one)| (&one.digest, Part::Document(at)));
            let layers = built.layers.iter().enumerate().map(|(at, digest)| (digest, Part::Layer(at)));
            let config = std::iter::once((&built.config_digest, Part::Config));
            for (digest, part) in documents.chain(layers).chain(config) {
                shelf.parts.insert(digest.clone(), (tag.name.clone(), part));
            }
            shelf.tags.insert(tag.name.clone(), built);
        }
        shelf
    }

    /// The manifest of a tag, of a type that is taken.
    pub(super) fn by_tag(&self, tag: &str, taken: impl Fn(&str) -> bool) -> Option<Document> {
        let documents = &self.tags.get(tag)?.documents;
        documents.iter().find(|document| taken(document.media)).cloned()
    }

    /// Whether nothing is on it.
    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// A manifest by its digest.
    pub(super) fn by_digest(&self, digest: &str) -> Option<Document> {
        let (tag, Part::Document(at)) = self.parts.get(digest)? else { return None };
        self.tags.get(tag)?.documents.get(*at).cloned()
    }

    /// A blob by its digest, and its media type.
    pub(super) fn blob(&self, repository: &Repository, digest: &str) -> Option<(Bytes, &'static str)> {
        let (name, part) = self.parts.get(digest)?;
        match part {
            Part::Document(_) => None,
            Part::Config => Some((self.tags.get(name)?.config.clone(), CONFIG_TYPE)),
            Part::Layer(number) => {
                let tag = repository.tags.iter().find(|tag| tag.name == *name)?;
                Some((manifest::layer(repository, tag, *number).into(), LAYER_TYPE))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::image::Images;

    #[test]
    fn everything_is_what_its_digest_says() {
        let images = Images::builtin();
        let repository = images.repository("quay.io/weaveworks/flux").unwrap();
        let shelf = Shelf::of(repository, 1, &Shelf::default());
        for tag in &repository.tags {
            for media in [MANIFEST_TYPE, DOCKER_TYPE, INDEX_TYPE, LIST_TYPE] {
                let document = shelf.by_tag(&tag.name, |wanted| wanted == media).unwrap();
                assert_eq!((document.media, &document.digest), (media, &digest(&document.body)));
                assert_eq!(shelf.by_digest(&document.digest).as_ref(), Some(&document));
                let value: Value = serde_json::from_slice(&document.body).unwrap();
                let named = value["layers"].as_array().into_iter().flatten().chain(value.get("config"));
                for part in named {
                    let (bytes, _) = shelf.blob(repository, part["digest"].as_str().unwrap()).unwrap();
                    assert_eq!(part["digest"], digest(&bytes));
                    assert_eq!(part["size"], bytes.len());
                }
                for part in value["manifests"].as_array().into_iter().flatten() {
                    let child = shelf.by_digest(part["digest"].as_str().unwrap()).unwrap();
                    assert_eq!((&part["size"], &part["mediaType"]), (&child.body.len().into(), &child.media.into()));
                }
            }
        }
        assert!(shelf.by_tag("none", |_| true).is_none() && shelf.by_digest("sha256:0").is_none());
    }

    #[test]
    fn what_did_not_change_is_not_made_again() {
        let mut images = Images::builtin();
        let before = Shelf::of(images.repository("nginx").unwrap(), 0, &Shelf::default());
        images.publish("nginx", "new", Timestamp::UNIX_EPOCH);
        let after = Shelf::of(images.repository("nginx").unwrap(), 1, &before);
        assert!(before.tags.iter().all(|(tag, built)| Arc::ptr_eq(built, &after.tags[tag])));
        assert!(after.tags.contains_key("new") && !before.tags.contains_key("new"));
    }
}
