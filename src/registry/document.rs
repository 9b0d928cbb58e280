//! What registries answer with, read: lists of tags, manifests, configurations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::error::Why;
use super::name::is_tag;

/// The types of manifests that are asked for.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
/// The label that says when an image was built, and the one that did before.
const CREATED: [&str; 2] = ["org.opencontainers.image.created", "org.label-schema.build-date"];
/// Labels that are kept begin like this, are not longer than this, and are no more than this.
const LABELS: [&str; 2] = ["org.opencontainers.image.", "org.label-schema."];
const LONGEST_LABEL: usize = 1000;
const MOST_LABELS: usize = 32;

/// What is known of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Digest of what the tag names, an index or a manifest.
    pub digest: String,
    /// Digest of its configuration, which is the image's id.
    pub id: String,
    /// When it was built, if it says so.
    pub created: Option<Timestamp>,
    /// Labels that describe it.
    pub labels: BTreeMap<String, String>,
}

impl Image {
    /// When it was built by its labels.
    pub fn created_by_label(&self) -> Option<Timestamp> {
        CREATED.iter().find_map(|label| self.labels.get(*label)?.parse().ok())
    }
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Manifest {
    /// One image, whose configuration has this digest.
    Image { config: String },
    /// Several; the one for linux/amd64 has this digest.
    Index { ours: Option<String> },
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The tags of a page, and how many more there were that are none.
pub(super) fn tags(body: &[u8]) -> Result<Vec<String>, Why> {
    let value = json(body)?;
    let tags = match value.get("tags") {
        Some(Value::Array(tags)) => tags.as_slice(),
        // An empty repository has `null`.
        Some(Value::Null) => &[],
        _ => return Err(Why::NotRegistry("what came back has no tags in it")),
    };
    Ok(tags.iter().filter_map(Value::as_str).filter(|tag| is_tag(tag)).map(str::to_owned).collect())
}

/// Reads a manifest of any type.
pub(super) fn manifest(body: &[u8]) -> Result<Manifest, Why> {
    let value = json(body)?;
    if let Some(entries) = value.get("manifests").and_then(Value::as_array) {
        let is_ours = |entry: &&Value| {
            let platform = entry.get("platform");
            platform
                .is_some_and(|platform| text(platform, "os") == "linux" && text(platform, "architecture") == "amd64")
        };
        let ours = entries.iter().find(is_ours).map(|entry| text(entry, "digest").to_owned());
        return match ours {
            Some(digest) if !is_digest(&digest) => Err(Why::Wrong(format!("`{}` is no digest", short(&digest)))),
            ours => Ok(Manifest::Index { ours }),
        };
    }
    let config = value.get("config").map(|config| text(config, "digest")).unwrap_or_default();
    if !is_digest(config) {
        return Err(Why::Wrong("the manifest names no configuration".to_owned()));
    }
    Ok(Manifest::Image { config: config.to_owned() })
}

/// Reads a configuration.
pub(super) fn image(digest: String, id: String, config: &[u8]) -> Result<Image, Why> {
    let value = json(config)?;
    let other = |key, ours| !matches!(text(&value, key), found if found.is_empty() || found == ours);
    if other("os", "linux") || other("architecture", "amd64") {
        return Err(Why::NoPlatform);
    }
    let labels = value.get("config").and_then(|config| config.get("Labels")).and_then(Value::as_object);
    let kept = labels.into_iter().flatten().filter_map(|(label, value)| {
        let value = value.as_str().filter(|value| value.len() <= LONGEST_LABEL)?;
        let wanted = label.len() <= LONGEST_LABEL && LABELS.iter().any(|start| label.starts_with(start));
        wanted.then(|| (label.clone(), value.to_owned()))
    });
    let labels = kept.take(MOST_LABELS).collect();
    Ok(Image { digest, id, created: text(&value, "created").parse().ok(), labels })
}

/// Why a registry says that it does not answer.
pub(super) fn refusal(body: &[u8]) -> (String, String) {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let first = value.get("errors").and_then(|errors| errors.get(0)).cloned().unwrap_or_default();
    (short(text(&first, "code")), short(text(&first, "message")))
}

/// The token of an answer, and how many seconds it counts.
pub(super) fn token(body: &[u8]) -> Result<(String, i64), Why> {
    const LEAST: i64 = 60;
    const MOST: i64 = 3600;
    let value = json(body)?;
    let token = [text(&value, "token"), text(&value, "access_token")].into_iter().find(|token| !token.is_empty());
    let token = token.ok_or_else(|| Why::Wrong("there is no token in the answer that should have one".to_owned()))?;
    let seconds = value.get("expires_in").and_then(Value::as_i64).unwrap_or(LEAST);
    Ok((token.to_owned(), seconds.clamp(LEAST, MOST)))
}

fn json(body: &[u8]) -> Result<Value, Why> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<') {
        return Err(Why::NotRegistry("HTML came back"));
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| Why::NotRegistry("what came back is no JSON"))?;
    if value.is_object() { Ok(value) } else { Err(Why::NotRegistry("what came back is no JSON object")) }
}

/// Whether a text is a digest that can be checked.
pub(super) fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

/// The digest of some bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// A part of what others say, as one line.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash(c: char) -> String {
        format!("sha256:{}", c.to_string().repeat(64))
    }

    #[test]
    fn lists_of_tags() {
        for (body, expected) in [
            (r#"{"name":"x","tags":["a","b"]}"#, Ok(vec!["a", "b"])),
            (r#"{"name":"x","tags":null}"#, Ok(vec![])),
            (r#"{"tags":["a",7,"b/c","../x"]}"#, Ok(vec!["a"])),
            (r#"{"name":"x"}"#, Err(Why::NotRegistry("what came back has no tags in it"))),
            (r#"["a"]"#, Err(Why::NotRegistry("what came back is no JSON object"))),
            (" <!doctype html>", Err(Why::NotRegistry("HTML came back"))),
            ("hello", Err(Why::NotRegistry("what came back is no JSON"))),
        ] {
            let expected = expected.map(|tags| tags.into_iter().map(str::to_owned).collect());
            assert_eq!(tags(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn manifests_of_all_types() {
        let entry = |os: &str, architecture: &str, digest: String| json!({"digest": digest, "platform": {"os": os, "architecture": architecture}});
        let entries = [entry("linux", "arm64", hash('a')), entry("linux", "amd64", hash('b'))];
        for (value, expected) in [
            (json!({"config": {"digest": hash('c')}}), Ok(Manifest::Image { config: hash('c') })),
            (json!({"manifests": entries}), Ok(Manifest::Index { ours: Some(hash('b')) })),
            (json!({"manifests": [entries[0].clone()]}), Ok(Manifest::Index { ours: None })),
            (json!({"manifests": [{"digest": hash('d')}]}), Ok(Manifest::Index { ours: None })),
            (
                json!({"manifests": [entry("linux", "amd64", "../../x".into())]}),
                Err(Why::Wrong("`../../x` is no digest".into())),
            ),
            (json!({}), Err(Why::Wrong("the manifest names no configuration".into()))),
            (json!({"config": {"digest": "md5:0"}}), Err(Why::Wrong("the manifest names no configuration".into()))),
        ] {
            assert_eq!(manifest(value.to_string().as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn configurations() {
        let read = |value: Value| image("d".into(), "i".into(), value.to_string().as_bytes());
        let time: Timestamp = "2020-01-02T03:04:05Z".parse().unwrap();
        let labels = json!({"org.label-schema.build-date": "2020-01-02T03:04:05Z", "other": "x", CREATED[0]: "soon"});
        let found = read(json!({"created": "2021-01-02T03:04:05.678Z", "os": "linux", "config": {"Labels": labels}}));
        let found = found.unwrap();
        assert_eq!(found.created.map(Timestamp::as_second), Some(1_609_556_645));
        assert_eq!(found.created_by_label(), Some(time));
        assert_eq!(found.labels.len(), 2);
        assert_eq!(read(json!({"os": "windows"})), Err(Why::NoPlatform));
        assert_eq!(read(json!({"architecture": "arm64"})), Err(Why::NoPlatform));
        assert_eq!(read(json!({"created": "never"})).unwrap().created, None);
    }

    #[test]
    fn tokens() {
        assert_eq!(token(br#"{"token":"a","expires_in":300}"#), Ok(("a".to_owned(), 300)));
        assert_eq!(token(br#"{"access_token":"b","expires_in":-1}"#), Ok(("b".to_owned(), 60)));
        assert!(token(b"{}").is_err());
        assert_eq!(
            refusal(br#"{"errors":[{"code":"DENIED","message":"no\nway"}]}"#),
            ("DENIED".into(), "noway".into())
        );
    }
}
