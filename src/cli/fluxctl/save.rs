//! `save`: what runs in the cluster, as files.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::client::Client;
use super::{Report, Stop, said};
use crate::cluster::{object, yaml};

pub(super) async fn save(client: &Client, out: &str) -> Result<Report, Stop> {
    let answer = client.get("v6/export", &[]).await?;
    let bytes = answer.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| Stop::failed("the daemon's answer is no export"))?;
    if out == "-" {
        return Ok(said(text));
    }
    let mut told = String::new();
    for document in yaml::documents(&text) {
        let value = document.map_err(|error| Stop::failed(format!("the export cannot be read: {}", error.message)))?;
        let Some(path) = place(&value) else { continue };
        let path = Path::new(out).join(path);
        let folder = path.parent().unwrap_or(Path::new(out));
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, format!("---\n{}", yaml::text(&value))));
        written.map_err(|error| Stop::failed(format!("cannot write {}: {error}", path.display())))?;
        let (kind, name) = (object::text(&value, &["kind"]), object::text(&value, &["metadata", "name"]));
        told.push_str(&format!("Saving {kind} '{name}' to {}\n", path.display()));
    }
    Ok(said(told))
}

/// Where an object is kept; nowhere when its name could lead out of the folder.
fn place(value: &Value) -> Option<PathBuf> {
    const SHORT: [(&str, &str); 5] = [
        ("Namespace", "ns"),
        ("Deployment", "dep"),
        ("DaemonSet", "ds"),
        ("StatefulSet", "ss"),
        ("CronJob", "cronjob"),
    ];
    let (kind, name) = (object::text(value, &["kind"]), object::text(value, &["metadata", "name"]));
    let namespace = object::text(value, &["metadata", "namespace"]);
    let plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_'))
            && !text.starts_with('.')
    };
    if name.is_empty() || ![name, namespace, kind].into_iter().all(plain) {
        return None;
    }
    let lower = kind.to_lowercase();
    let short = SHORT.iter().find(|(known, _)| *known == kind).map_or(lower.as_str(), |(_, short)| *short);
    let file = format!("{name}-{short}.yaml");
    Some(if namespace.is_empty() { PathBuf::from(file) } else { Path::new(namespace).join(file) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_have_their_places() {
        let of = |kind: &str, namespace: &str, name: &str| {
            place(&json!({"kind": kind, "metadata": {"namespace": namespace, "name": name}}))
        };
        assert_eq!(of("Namespace", "", "demo"), Some("demo-ns.yaml".into()));
        assert_eq!(of("Deployment", "demo", "web"), Some("demo/web-dep.yaml".into()));
        assert_eq!(of("HelmRelease", "demo", "web"), Some("demo/web-helmrelease.yaml".into()));
        for (namespace, name) in [("..", "x"), ("a", "../../x"), ("a", ""), ("a/b", "x")] {
            assert_eq!(of("Deployment", namespace, name), None, "{namespace} {name}");
        }
    }
}
