//! The object that is meant, among the documents of a file and the items of its lists.

use super::tree::{NodeId, Tree};
use super::{EditError, Problem, Target};

/// An object of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object {
    /// Its mapping.
    pub(super) node: NodeId,
}

/// Finds the object, in the file once.
pub(super) fn object(tree: &Tree<'_>, target: Target<'_>) -> Result<Object, EditError> {
    let mut found = objects(tree).filter(|node| is_target(tree, *node, target));
    let id = || target.id.to_string();
    let Some(node) = found.next() else { return Err(Problem::NoObject(id()).into()) };
    if let Some(second) = found.next() {
        let first = tree.node(node).place.0;
        return Err(EditError::at(tree.node(second).place, Problem::DuplicateObject { id: id(), first }));
    }
    tree.check_own(node)?;
    Ok(Object { node })
}

/// The documents; of those that are lists the items.
fn objects<'t>(tree: &'t Tree<'_>) -> impl Iterator<Item = NodeId> + 't {
    tree.documents.iter().flat_map(|document| {
        let kind = tree.text_at(*document, &["kind"]).unwrap_or_default();
        match tree.entry(*document, "items") {
            Some((_, items)) if kind.ends_with("List") => tree.items(tree.resolve(items)).to_vec(),
            _ => vec![*document],
        }
    })
}

fn is_target(tree: &Tree<'_>, node: NodeId, target: Target<'_>) -> bool {
    let object = tree.resolve(node);
    let text = |path: &[&str]| tree.text_at(object, path).unwrap_or_default();
    let namespace = Some(text(&["metadata", "namespace"])).filter(|namespace| !namespace.is_empty());
    text(&["kind"]).eq_ignore_ascii_case(&target.id.kind)
        && text(&["metadata", "name"]) == target.id.name
        && namespace.unwrap_or(target.default_namespace) == target.id.namespace
}

/// Goes down a path of keys to a mapping or list that can be edited where it stands; `None` when it ends early.
pub(super) fn walk(tree: &Tree<'_>, from: NodeId, path: &[&str]) -> Result<Option<NodeId>, EditError> {
    let mut here = from;
    for key in path {
        match tree.own_value(here, key)? {
            Some(next) => here = next,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}
