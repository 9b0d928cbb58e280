//! Images as they are listed, read back.

use serde_json::Value;

use super::{list, text};
use crate::gitops::id::ResourceId;
use crate::gitops::image::pattern::Tag;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::table::images::{ContainerImages, ImageStatus};

/// Reads a list of workloads with the images of their containers.
pub fn images(value: &Value) -> Option<Vec<ImageStatus>> {
    match value {
        Value::Null => Some(Vec::new()),
        value => value.as_array()?.iter().map(workload).collect(),
    }
}

fn workload(value: &Value) -> Option<ImageStatus> {
    let containers = list(value, "Containers").iter().map(container).collect::<Option<Vec<_>>>()?;
    Some(ImageStatus { id: ResourceId::parse(text(value, "ID")).ok()?, containers })
}

fn container(value: &Value) -> Option<ContainerImages> {
    let available = list(value, "Available").iter().map(image).collect::<Option<Vec<_>>>()?;
    let count = |key: &str| value.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let current = value.get("Current").and_then(image);
    let latest = value.get("LatestFiltered").and_then(image).map(|(_, tag)| tag);
    // With nothing known the name matters to nobody.
    let known = current.as_ref().or(available.first()).map(|(image, _)| image.tagged(""));
    let name = text(value, "Name").to_owned();
    Some(ContainerImages {
        image: known.or_else(|| ImageRef::parse("unknown").ok())?,
        current: current.map(|(image, tag)| (image, tag.created)),
        name,
        available: available.into_iter().map(|(_, tag)| tag).collect(),
        latest,
        error: text(value, "AvailableError").to_owned(),
        newer: count("NewAvailableImagesCount"),
        filtered: count("FilteredImagesCount"),
        newer_filtered: count("NewFilteredImagesCount"),
    })
}

fn image(value: &Value) -> Option<(ImageRef, Tag)> {
    let image = ImageRef::parse(text(value, "ID")).ok()?;
    let tag = Tag { tag: image.tag.clone(), created: text(value, "CreatedAt").parse().ok() };
    Some((image, tag))
}
