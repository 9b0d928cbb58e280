//! `fluxctl list-images`.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{align, json, rfc822};
use crate::gitops::id::ResourceId;
use crate::gitops::image::pattern::{Pattern, Tag};
use crate::gitops::image::reference::ImageRef;
use crate::gitops::image::repository::Repository;

/// What is said of a container of whose image nothing is known.
const NO_DATA: &str = "image data not available";

/// A workload and what its containers could run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageStatus {
    /// The workload.
    pub id: ResourceId,
    /// Its containers.
    pub containers: Vec<ContainerImages>,
}

/// The images of a container, in the order of its filter, whether they fit it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerImages {
    /// The container.
    pub name: String,
    /// The image it runs; none when the registry says nothing about it.
    pub current: Option<(ImageRef, Option<Timestamp>)>,
    /// The name of all its images.
    pub image: ImageRef,
    /// All tags, the best first.
    pub available: Vec<Tag>,
    /// The best that fits.
    pub latest: Option<Tag>,
    /// Why there are none.
    pub error: String,
    /// How many are better than the one that runs.
    pub newer: usize,
    /// How many fit.
    pub filtered: usize,
    /// How many of those are better.
    pub newer_filtered: usize,
}

impl ContainerImages {
    /// Lists what a container could run instead of `running`.
    pub fn new(name: &str, running: &ImageRef, repository: Option<&Repository>, filter: &Pattern) -> Self {
        let nothing = Repository::default();
        let repository = repository.unwrap_or(&nothing);
        let known = |tag: &str| repository.known.iter().find(|known| known.tag == tag);
        let undescribed = repository.listed.iter().filter(|tag| known(tag).is_none());
        let undescribed = undescribed.map(|tag| Tag { tag: tag.clone(), created: None });
        let mut available: Vec<Tag> = repository.known.iter().cloned().chain(undescribed).collect();
        filter.sort(&mut available);
        let current = known(&running.tag).cloned();
        let compared = current.clone().unwrap_or(Tag { tag: String::new(), created: None });
        let better = |tag: &&Tag| filter.compare(tag, &compared) == Ordering::Less;
        let fitting: Vec<&Tag> = available.iter().filter(|tag| filter.accepts(&tag.tag)).collect();
        Self {
            name: name.to_owned(),
            current: current.map(|tag| (running.tagged(&tag.tag), tag.created)),
            image: running.tagged(""),
            latest: fitting.first().map(|tag| (*tag).clone()),
            newer: available.iter().take_while(better).count(),
            filtered: fitting.len(),
            newer_filtered: fitting.iter().copied().take_while(better).count(),
            error: String::new(),
            available,
        }
    }
}

/// Sorts workloads as they are listed.
pub fn listed(mut images: Vec<ImageStatus>) -> Vec<ImageStatus> {
    images.sort_by_cached_key(|status| status.id.to_string());
    images
}

/// The table of images; a limit of zero shows all.
pub fn table(images: &[ImageStatus], limit: usize, headers: bool) -> String {
    let mut text = if headers { "WORKLOAD\tCONTAINER\tIMAGE\tCREATED\n".to_owned() } else { String::new() };
    for status in images {
        if status.containers.is_empty() {
            text.push_str(&format!("{}\t\t\t\n", status.id));
        }
        for (at, container) in status.containers.iter().enumerate() {
            let id = if at == 0 { status.id.to_string() } else { String::new() };
            rows(container, &id, limit, &mut text);
        }
    }
    align(&text)
}

fn rows(container: &ContainerImages, id: &str, limit: usize, text: &mut String) {
    let name = container.current.as_ref().map(|(image, _)| image.name()).unwrap_or_default();
    let running = container.current.as_ref().map_or("", |(image, _)| image.tag.as_str());
    let error = match (container.available.is_empty(), container.error.as_str()) {
        (false, _) => "",
        (true, "") => NO_DATA,
        (true, error) => error,
    };
    text.push_str(&format!("{id}\t{}\t{name}\t{error}\n", container.name));
    let mut found = false;
    for (at, tag) in container.available.iter().enumerate() {
        let is_running = container.current.is_some() && tag.tag == running;
        let mark = match (is_running, found) {
            (true, _) => "'->",
            (false, true) => "   ",
            (false, false) => "|  ",
        };
        found |= is_running;
        let beyond = limit > 0 && at >= limit;
        if beyond && !is_running {
            continue;
        }
        let omitted = at.saturating_sub(limit);
        if beyond && omitted > 0 {
            text.push_str(&format!("\t\t: ({omitted} image(s) omitted)\t\n"));
        }
        text.push_str(&format!("\t\t{mark} {}\t{}\n", tag.tag, tag.created.map(rfc822).unwrap_or_default()));
    }
    if !found {
        let running = if running.is_empty() { "(untagged)" } else { running };
        text.push_str(&format!("\t\t'-> {running}\t?\n"));
    }
}

/// The same as JSON; a limit of zero shows all.
pub fn to_json(images: &[ImageStatus], limit: usize) -> String {
    let all = images.iter().map(|status| {
        let containers: Vec<_> = status.containers.iter().map(|container| one(container, limit)).collect();
        let containers = if containers.is_empty() { Value::Null } else { Value::Array(containers) };
        json!({"ID": status.id.to_string(), "Containers": containers})
    });
    json::line(&all.collect())
}

fn one(container: &ContainerImages, limit: usize) -> Value {
    let limit = if limit == 0 { usize::MAX } else { limit };
    let image = |tag: &Tag| json::image(&container.image.tagged(&tag.tag).to_string(), tag.created);
    let current = container
        .current
        .as_ref()
        .map_or(json::image("", None), |(image, created)| json::image(&image.to_string(), *created));
    json::without_empty(&[
        ("Name", json!(container.name)),
        ("Current", current),
        ("LatestFiltered", container.latest.as_ref().map_or(json::image("", None), image)),
        ("Available", container.available.iter().take(limit).map(image).collect()),
        ("AvailableError", json!(container.error)),
        ("AvailableImagesCount", json!(container.available.len())),
        ("NewAvailableImagesCount", json!(container.newer)),
        ("FilteredImagesCount", json!(container.filtered)),
        ("NewFilteredImagesCount", json!(container.newer_filtered)),
    ])
}

#[cfg(test)]
#[path = "images_tests.rs"]
mod tests;
