//! Releases as Helm keeps them: a Secret per revision, whose text is JSON, compressed, in base64 twice.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value as Json, json};

use super::{Chart, Rendered};
use crate::cluster::object::{int, text};

/// A release is no larger than this.
const MOST_BYTES: u64 = 32 << 20;

/// A revision of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Record(Json);

impl Record {
    /// A new one.
    pub fn new(chart: &Chart, config: &Map<String, Json>, rendered: &Rendered, about: &About<'_>) -> Self {
        let templates: Vec<Json> =
            chart.templates.iter().map(|(name, text)| json!({"name": name, "data": STANDARD.encode(text)})).collect();
        let files: Vec<Json> =
            chart.files.iter().map(|(name, text)| json!({"name": name, "data": STANDARD.encode(text)})).collect();
        let hooks: Vec<Json> = rendered
            .hooks
            .iter()
            .map(|hook| {
                let object = &hook.made.object;
                json!({"name": text(object, &["metadata", "name"]), "kind": text(object, &["kind"]),
                "path": hook.made.file, "manifest": hook.made.text, "events": hook.events, "weight": hook.weight,
                "last_run": {"started_at": "", "completed_at": "", "phase": ""}})
            })
            .collect();
        Self(json!({
            "name": about.name,
            "namespace": about.namespace,
            "version": about.revision,
            "info": {
                "first_deployed": about.first,
                "last_deployed": about.now,
                "deleted": "",
                "description": about.description,
                "status": about.status,
                "notes": rendered.notes,
            },
            "chart": {
                "metadata": chart.metadata,
                "lock": null,
                "templates": templates,
                "values": chart.values,
                "schema": null,
                "files": files,
            },
            "config": config,
            "manifest": rendered.manifest(),
            "hooks": hooks,
        }))
    }

    /// Reads what a Secret holds.
    pub fn of(secret: &Json) -> Option<Self> {
        let outer = STANDARD.decode(text(secret, &["data", "release"])).ok()?;
        let packed = STANDARD.decode(outer).ok()?;
        let mut plain = Vec::new();
        GzDecoder::new(packed.as_slice()).take(MOST_BYTES).read_to_end(&mut plain).ok()?;
        serde_json::from_slice(&plain).ok().map(Self)
    }

    /// The Secret.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub fn secret(&self) -> std::io::Result<Json> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(self.0.to_string().as_bytes())?;
        let inner = STANDARD.encode(packer.finish()?);
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": format!("sh.helm.release.v1.{}.v{}", self.name(), self.revision()),
                "namespace": self.namespace(),
                "labels": {"owner": "helm", "name": self.name(), "status": self.status(), "version": self.revision().to_string()},
            },
            "type": "helm.sh/release.v1",
            "data": {"release": STANDARD.encode(inner)},
        }))
    }

    /// The release's name.
    pub fn name(&self) -> &str {
        text(&self.0, &["name"])
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        text(&self.0, &["namespace"])
    }

    /// Its number.
    pub fn revision(&self) -> i64 {
        int(&self.0, &["version"]).unwrap_or(0)
    }

    /// Helm's word for how it is.
    pub fn status(&self) -> &str {
        text(&self.0, &["info", "status"])
    }

    /// When it was made.
    pub fn updated(&self) -> &str {
        text(&self.0, &["info", "last_deployed"])
    }

    /// When the release was made first.
    pub fn first(&self) -> &str {
        text(&self.0, &["info", "first_deployed"])
    }

    /// `podinfo`.
    pub fn chart(&self) -> &str {
        text(&self.0, &["chart", "metadata", "name"])
    }

    /// The chart's version.
    pub fn chart_version(&self) -> &str {
        text(&self.0, &["chart", "metadata", "version"])
    }

    /// The values that were given.
    pub fn config(&self) -> Map<String, Json> {
        self.0.get("config").and_then(Json::as_object).cloned().unwrap_or_default()
    }

    /// The chart as it is kept, to compare with another.
    pub fn kept_chart(&self) -> &Json {
        &self.0["chart"]
    }

    /// The objects.
    pub fn manifest(&self) -> &str {
        text(&self.0, &["manifest"])
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: &str, description: &str) -> Self {
        self.0["info"]["status"] = json!(status);
        self.0["info"]["description"] = json!(description);
        self
    }

    /// The same as a new revision.
    #[must_use]
    pub fn again(mut self, revision: i64, now: &str, description: &str) -> Self {
        self.0["version"] = json!(revision);
        self.0["info"]["last_deployed"] = json!(now);
        self.with_status("pending-rollback", description)
    }
}

/// What a new revision is.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The release's name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its number.
    pub revision: i64,
    /// When the first was made.
    pub first: &'a str,
    /// When this one was.
    pub now: &'a str,
    /// `pending-install`.
    pub status: &'a str,
    /// For people.
    pub description: &'a str,
}
