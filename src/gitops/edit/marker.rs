//! Flux 2's markers: a comment behind a value says which image policy sets it.

use std::collections::{BTreeMap, HashMap};

use super::tree::{Kind, NodeId, Tree};
use super::{EditError, write};
use crate::gitops::image::reference::ImageRef;

const KEY: &str = "$imagepolicy";

/// Which part of an image a marker asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setter {
    /// The whole reference.
    Image,
    /// The tag alone.
    Tag,
    /// All but the tag.
    Name,
}

/// A marker that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The policy, as `namespace:name`.
    pub policy: String,
    /// The part of the image.
    pub setter: Setter,
    /// The line, from 1.
    pub line: usize,
    /// What stood there.
    pub old: String,
    /// What stands there now; none when the policy has chosen nothing.
    pub new: Option<String>,
}

/// Writes the images that policies chose to where markers such as `# {"$imagepolicy": "flux-system:web:tag"}` ask
/// for them. Says what it found, in the order of the text.
///
/// # Errors
/// When the file is no YAML, or a marked value stands where a change would change other things too.
pub fn set_marked(text: &str, policies: &BTreeMap<String, ImageRef>) -> Result<(String, Vec<Marked>), EditError> {
    let tree = Tree::parse(text)?;
    let mut found = Vec::new();
    let mut changes = Vec::new();
    for (id, policy, setter) in markers(&tree) {
        let node = tree.node(id);
        let new = policies.get(&policy).map(|image| setter.part(image));
        if let Some(new) = &new {
            changes.push((id, new.clone()));
        }
        let old = tree.scalar(id).unwrap_or_default().to_owned();
        found.push(Marked { policy, setter, line: node.place.0, old, new });
    }
    Ok((write::replace_all(&tree, &changes)?, found))
}

impl Setter {
    fn part(self, image: &ImageRef) -> String {
        match self {
            Self::Image => image.to_string(),
            Self::Tag => image.tag.clone(),
            Self::Name => image.name(),
        }
    }
}

/// The scalars with a marker right behind them, before the line ends.
fn markers(tree: &Tree<'_>) -> Vec<(NodeId, String, Setter)> {
    let mut scalars: HashMap<usize, NodeId> = HashMap::new();
    for (id, node) in tree.nodes() {
        if matches!(node.kind, Kind::Scalar { .. } | Kind::Alias(_)) {
            scalars.insert(node.span.end, id);
        }
    }
    let marked = tree.comments.iter().filter_map(|comment| {
        let (policy, setter) = marker(tree.text.get(comment.clone())?)?;
        let before = tree.text.get(..comment.start)?.trim_end_matches([' ', '\t', ',']);
        Some((*scalars.get(&before.len())?, policy, setter))
    });
    marked.collect()
}

/// Reads `# {"$imagepolicy": "namespace:name:tag"}`.
fn marker(comment: &str) -> Option<(String, Setter)> {
    let json: serde_json::Value = serde_json::from_str(comment.strip_prefix('#')?.trim()).ok()?;
    let mut parts = json.get(KEY)?.as_str()?.split(':');
    let (namespace, name) = (parts.next()?, parts.next()?);
    let setter = match (parts.next(), parts.next()) {
        (None, _) => Setter::Image,
        (Some("tag"), None) => Setter::Tag,
        (Some("name"), None) => Setter::Name,
        _ => return None,
    };
    Some((format!("{namespace}:{name}"), setter))
}

#[cfg(test)]
#[path = "marker_tests.rs"]
mod tests;
