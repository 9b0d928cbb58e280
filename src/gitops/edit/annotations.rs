//! Policies as annotations: set, changed and taken away, one line each.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entries::{self, MapChange, NewValue};
use super::find::{self, Object};
use super::tree::{Kind, NodeId, Tree};
use super::{EditError, Problem, Splice, Target, scalar, splice, write};
use crate::cluster::object;
use crate::gitops::containers;
use crate::gitops::policy::{self, InvalidPolicy, PREFIX, PolicyChange};

const ANNOTATIONS: &str = "annotations";

/// What happened to an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationChange {
    /// The annotation's key.
    pub key: String,
    /// What it was; none when it is new.
    pub old: Option<String>,
    /// What it is now; none when it is gone.
    pub new: Option<String>,
}

/// Changes the policies of a workload. Annotations that are there keep their spelling, new ones are spelt
/// `fluxcd.io/…`. Says what changed, which may be nothing.
///
/// # Errors
/// When the workload is not there, a filter is broken, or the annotations are written where a change would change
/// other things too.
pub fn set_policies<'a>(
    text: &str,
    target: impl Into<Target<'a>>,
    change: &PolicyChange,
) -> Result<(String, Vec<AnnotationChange>), EditError> {
    let target = target.into();
    let tree = Tree::parse(text)?;
    let found = find::object(&tree, target)?;
    if containers::Kind::of(&target.id.kind).is_none() {
        return Err(Problem::Policy(InvalidPolicy::NoWorkload(target.id.to_string())).into());
    }
    let names = containers::names(&tree.value(found.node)?);
    let wanted = change.resolve(&names).map_err(|error| Problem::Policy(error.into()))?;
    let metadata = find::walk(&tree, found.node, &["metadata"])?;
    let metadata = metadata.ok_or_else(|| Problem::Missing("metadata".to_owned()))?;
    let annotations = tree.own_value(metadata, ANNOTATIONS)?;
    let changes = compare(&tree, annotations, &wanted)?;
    if changes.is_empty() {
        return Ok((text.to_owned(), changes));
    }
    let edited = splice(text, splices(&tree, found, metadata, annotations, &changes)?);
    check(&tree, target, annotations, &changes, &edited)?;
    Ok((edited, changes))
}

/// What has to change for the policies to be as wanted.
fn compare(
    tree: &Tree<'_>,
    annotations: Option<NodeId>,
    wanted: &BTreeMap<String, Option<String>>,
) -> Result<Vec<AnnotationChange>, EditError> {
    let mut changes = Vec::new();
    for (policy, new) in wanted {
        let mut found = false;
        for (key, value) in annotations.iter().flat_map(|id| tree.entries(*id)) {
            let Some(name) = tree.scalar(*key).filter(|key| policy::policy_of(key).is_some_and(|(_, p)| p == *policy))
            else {
                continue;
            };
            found = true;
            tree.check_own(*value)?;
            let old = tree.scalar(*value).unwrap_or_default();
            // A value that is read as no text is no policy yet.
            if new.as_deref() != Some(old) || !tree.is_text(*value) {
                let (key, old) = (name.to_owned(), Some(old.to_owned()));
                changes.push(AnnotationChange { key, old, new: new.clone() });
            }
        }
        match (found, new) {
            (false, Some(new)) => {
                let key = format!("{PREFIX}{policy}");
                changes.push(AnnotationChange { key, old: None, new: Some(new.clone()) });
            }
            (false, None) => {
                for key in policy::spellings(policy) {
                    annotations.map_or(Ok(None), |id| tree.own_value(id, &key))?;
                }
            }
            _ => {}
        }
    }
    Ok(changes)
}

fn splices(
    tree: &Tree<'_>,
    object: Object,
    metadata: NodeId,
    annotations: Option<NodeId>,
    changes: &[AnnotationChange],
) -> Result<Vec<Splice>, EditError> {
    let added: Vec<_> = changes
        .iter()
        .filter(|change| change.old.is_none())
        .filter_map(|change| Some((change.key.clone(), change.new.clone()?)))
        .collect();
    let texts = || added.iter().map(|(key, text)| (key.clone(), NewValue::Text(text.clone()))).collect();
    let indent = indent(tree, object, metadata);
    let Some(annotations) = annotations else {
        let add = vec![(ANNOTATIONS.to_owned(), NewValue::Map(added))];
        return entries::change(tree, metadata, &MapChange { remove: Vec::new(), add }, indent);
    };
    if let Kind::Scalar { text, .. } = &tree.node(annotations).kind
        && (text.is_empty() || scalar::plain_value(text).is_null())
    {
        return instead_of_nothing(tree, metadata, annotations, indent, texts());
    }
    let mut splices = Vec::new();
    let mut remove = Vec::new();
    for (at, (key, value)) in tree.entries(annotations).iter().enumerate() {
        let key = tree.scalar(*key).unwrap_or_default();
        match changes.iter().find(|change| change.key == key).map(|change| &change.new) {
            Some(Some(new)) => splices.extend(write::replace(tree, *value, new)?),
            Some(None) => remove.push(at),
            None => {}
        }
    }
    if added.is_empty() && !remove.is_empty() && remove.len() == tree.entries(annotations).len() {
        // Without annotations there is no need for the word either.
        let at = tree.entries(metadata).iter().position(|(_, value)| *value == annotations);
        let remove = at.into_iter().collect();
        return entries::change(tree, metadata, &MapChange { remove, add: Vec::new() }, indent);
    }
    splices.extend(entries::change(tree, annotations, &MapChange { remove, add: texts() }, indent)?);
    Ok(splices)
}

/// `annotations:` with nothing behind it, or `null`.
fn instead_of_nothing(
    tree: &Tree<'_>,
    metadata: NodeId,
    annotations: NodeId,
    indent: usize,
    add: Vec<(String, NewValue)>,
) -> Result<Vec<Splice>, EditError> {
    let node = tree.node(annotations);
    let key = tree.entry(metadata, ANNOTATIONS).map(|(key, _)| tree.node(key));
    let (Some(key), scalar::Context::Block, None) = (key, node.context, node.properties_end) else {
        return Err(EditError::at(node.place, Problem::Unsafe));
    };
    let column = key.place.1.saturating_sub(1) + indent;
    let before = tree.text.get(..node.span.start).unwrap_or_default().trim_end_matches([' ', '\t']);
    let start = if node.span.is_empty() { node.span.start } else { before.len() };
    Ok(vec![(start..node.span.end, String::new()), entries::new_lines(tree, node.span.end, column, indent, &add)])
}

/// How far a mapping's keys stand to the right of the key before it.
fn indent(tree: &Tree<'_>, object: Object, metadata: NodeId) -> usize {
    let column = |node: NodeId| tree.node(node).place.1;
    let key = tree.entry(object.node, "metadata").map(|(key, _)| column(key));
    let first = tree.entries(metadata).first().map(|(key, _)| column(*key));
    let step = key.zip(first).map_or(2, |(key, first)| first.saturating_sub(key));
    if (1..=8).contains(&step) { step } else { 2 }
}

/// Reads the edited text: its annotations have to be the wanted ones and everything else as it was.
fn check(
    tree: &Tree<'_>,
    target: Target<'_>,
    annotations: Option<NodeId>,
    changes: &[AnnotationChange],
    edited: &str,
) -> Result<(), EditError> {
    let fail = || EditError { place: annotations.map(|id| tree.node(id).place), problem: Problem::Unsafe };
    let after = Tree::parse(edited).map_err(|_| fail())?;
    if after.documents.len() != tree.documents.len() {
        return Err(fail());
    }
    let changed = find::object(tree, target)?.node;
    let new = find::object(&after, target).map_err(|_| fail())?.node;
    let wanted = with_changes(tree.value(changed)?, changes);
    let same_object = after.value(new)? == wanted;
    if same_object && tree.shape_without(changed) == after.shape_without(new) { Ok(()) } else { Err(fail()) }
}

/// The object as it should be.
fn with_changes(mut wanted: Value, changes: &[AnnotationChange]) -> Value {
    let mut members = object::map(&wanted, &["metadata", ANNOTATIONS]).cloned().unwrap_or_default();
    for change in changes {
        match &change.new {
            Some(new) => members.insert(change.key.clone(), Value::String(new.clone())),
            None => members.shift_remove(&change.key),
        };
    }
    if members.is_empty() {
        object::remove(&mut wanted, &["metadata", ANNOTATIONS]);
    } else {
        object::set(&mut wanted, &["metadata", ANNOTATIONS], members);
    }
    wanted
}

#[cfg(test)]
#[path = "annotation_tests.rs"]
mod tests;
