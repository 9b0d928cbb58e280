//! What a registry tells of an image: OCI manifests and configurations whose digests are true.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Repository, Tag};
use crate::cluster::sim::tools::stamp;

/// A manifest and what it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Digest of `body`.
    pub digest: String,
    /// The manifest as it is served, an OCI image manifest.
    pub body: String,
    /// Digest of `config`.
    pub config_digest: String,
    /// The image's configuration as it is served.
    pub config: String,
    /// The layers; nothing is in them.
    pub layers: Vec<Layer>,
    /// When it was built.
    pub created: Timestamp,
    /// Always `amd64`.
    pub architecture: &'static str,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its digest, of its name only.
    pub digest: String,
    /// The bytes that it claims to have.
    pub size: u64,
}

/// Media type of [`Manifest::body`].
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of [`Manifest::config`].
pub const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of layers.
pub const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// How an image's bytes are shared out among its layers, in hundredths.
const SHARES: [u64; 3] = [70, 25, 5];

impl Manifest {
    /// The manifest of a tag.
    pub(super) fn of(repository: &Repository, tag: &Tag) -> Self {
        let layers: Vec<_> = SHARES
            .iter()
            .enumerate()
            .map(|(number, share)| Layer {
                // The base is the same in all tags, as in real repositories.
                digest: match number {
                    0 => digest(repository.name.as_bytes()),
                    _ => digest(format!("{}:{}@{}#{number}", repository.name, tag.name, tag.created).as_bytes()),
                },
                size: tag.size / 100 * share,
            })
            .collect();
        let created = stamp(tag.created);
        let config = json!({
            "created": created,
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "Labels": {
                    "org.opencontainers.image.created": created,
                    "org.opencontainers.image.version": tag.name,
                    "org.opencontainers.image.title": repository.name,
                },
            },
            "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|layer| &layer.digest).collect::<Vec<_>>()},
            "history": layers.iter().map(|_| json!({"created": created, "created_by": "build"})).collect::<Vec<_>>(),
        })
        .to_string();
        let config_digest = digest(config.as_bytes());
        let body = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": config_digest, "size": config.len()},
            "layers": layers
                .iter()
                .map(|layer| json!({"mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.size}))
                .collect::<Vec<_>>(),
        })
        .to_string();
        Self {
            digest: digest(body.as_bytes()),
            body,
            config_digest,
            config,
            layers,
            created: tag.created,
            architecture: "amd64",
        }
    }
}

/// The digest of some bytes, as `sha256:…`.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// The SHA-256 of some bytes in 64 hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
