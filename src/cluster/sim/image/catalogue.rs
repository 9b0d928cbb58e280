//! The file of images.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::behaviour::Behaviour;
use super::{Repository, Tag, UNKNOWN_SIZE, full_name};
use crate::cluster::sim::tools::chance;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Catalogue {
    #[serde(default)]
    pub(super) stored_as: String,
    /// What images do that are not listed.
    #[serde(default)]
    pub(super) ordinary: Behaviour,
    #[serde(default)]
    pub(super) repositories: Vec<RepositoryText>,
}

/// A repository in the file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RepositoryText {
    pub(super) name: String,
    /// Other names of it.
    #[serde(default)]
    pub(super) also: Vec<String>,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    behaviour: Behaviour,
    /// Tags and when they were built.
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// What containers of some tags do.
    #[serde(default)]
    special: BTreeMap<String, Behaviour>,
    /// Tags that no node has yet.
    #[serde(default)]
    absent: Vec<String>,
}

impl RepositoryText {
    pub(super) fn read(mut self) -> Result<Repository, String> {
        let name = full_name(&self.name);
        let size = self.size.unwrap_or(UNKNOWN_SIZE);
        let mut tags = Vec::new();
        for (tag, date) in &self.tags {
            let created = created(&name, tag, date)
                .ok_or_else(|| format!("`{date}` of {name}:{tag} is no date, as 2026-01-31"))?;
            let behaviour = self.special.remove(tag);
            let present = !self.absent.contains(tag);
            let size = varied(size, &name, tag);
            tags.push(Tag {
                name: tag.clone(),
                created,
                size,
                behaviour,
                present,
                pushed: None,
                digest: OnceLock::new(),
            });
        }
        if let Some(tag) = self.special.keys().next() {
            return Err(format!("{name} has no tag `{tag}`"));
        }
        tags.sort_by_key(|tag| tag.created);
        Ok(Repository { name, closed: self.closed, size, behaviour: self.behaviour, tags })
    }
}

/// The time of a date; a date alone gets some time of that day.
fn created(name: &str, tag: &str, date: &str) -> Option<Timestamp> {
    if let Ok(time) = date.parse() {
        return Some(time);
    }
    let day: Timestamp = format!("{date}T08:00:00Z").parse().ok()?;
    let seconds = (chance(0, &[name.as_bytes(), tag.as_bytes()]) * 36_000.0) as i64;
    day.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// No two images have the very same size.
fn varied(size: u64, name: &str, tag: &str) -> u64 {
    let share = chance(1, &[name.as_bytes(), tag.as_bytes()]);
    size + (size as f64 * 0.05 * share) as u64
}
