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
    /// The layers.
    pub layers: Vec<Layer>,
    /// When it was built.
    pub created: Timestamp,
    /// Always `amd64`.
    pub architecture: &'static str,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Digest of [`layer`]'s bytes.
    pub digest: String,
    /// How many bytes those are; what the image is said to have is its tag's business.
    pub size: usize,
}

/// Media type of [`Manifest::body`].
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of [`Manifest::config`].
pub const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of layers.
pub const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// How many layers an image has.
const LAYERS: usize = 3;

impl Manifest {
    /// The manifest of a tag.
    pub fn of(repository: &Repository, tag: &Tag) -> Self {
        let layers: Vec<_> = (0..LAYERS)
            .map(|number| {
                let bytes = layer(repository, tag, number);
                Layer { digest: digest(&bytes), size: bytes.len() }
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

/// The bytes of an image's layer: an archive of one small file. The base, layer 0, is the same in all tags of a
/// repository, as in real ones.
pub fn layer(repository: &Repository, tag: &Tag, number: usize) -> Vec<u8> {
    let what = match number {
        0 => format!("the base of {}\n", repository.name),
        _ => format!("layer {number} of {}:{}, built {}\n", repository.name, tag.name, tag.created),
    };
    archive(&format!("usr/share/image/layer-{number}"), what.as_bytes())
}

/// A tar archive of one file.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 512;
    let mut bytes = Vec::with_capacity(4 * BLOCK);
    let size = format!("{:011o}\0", content.len());
    // Name, mode, owner, group, size, time, room for the checksum, an ordinary file.
    let fields: [(&[u8], usize); 8] = [
        (name.as_bytes(), 100),
        (b"0000644\0", 8),
        (b"0000000\0", 8),
        (b"0000000\0", 8),
        (size.as_bytes(), 12),
        (b"00000000000\0", 12),
        (b"        ", 8),
        (b"0", 101),
    ];
    for (field, width) in fields {
        let end = bytes.len() + width;
        bytes.extend(field.iter().take(width));
        bytes.resize(end, 0);
    }
    bytes.extend(b"ustar\x0000");
    bytes.resize(BLOCK, 0);
    let sum: u32 = bytes.iter().map(|&byte| u32::from(byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    bytes.splice(148..156, sum.bytes());
    bytes.extend(content);
    // The file's block is filled up, and two empty blocks end the archive.
    bytes.resize(bytes.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    bytes
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
