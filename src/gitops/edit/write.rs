//! Scalars replaced by others, in the style they had, and the proof that nothing else changed.

use std::collections::HashMap;

use granit_parser::ScalarStyle;

use super::scalar::{self, Context};
use super::tree::{Kind, NodeId, Tree};
use super::{EditError, Problem, Splice, splice};

/// Replaces the texts of scalars.
pub(super) fn replace_all(tree: &Tree<'_>, changes: &[(NodeId, String)]) -> Result<String, EditError> {
    let mut splices = Vec::new();
    for (id, new) in changes {
        splices.extend(replace(tree, *id, new)?);
    }
    if splices.is_empty() {
        return Ok(tree.text.to_owned());
    }
    let edited = splice(tree.text, splices);
    check(tree, changes, &edited)?;
    Ok(edited)
}

/// Reads the edited text: it has to be the same but for the wanted changes.
fn check(tree: &Tree<'_>, changes: &[(NodeId, String)], edited: &str) -> Result<(), EditError> {
    let place = changes.first().map(|(id, _)| tree.node(*id).place);
    let fail = EditError { place, problem: Problem::Unsafe };
    let after = Tree::parse(edited).map_err(|_| fail.clone())?;
    let new_texts: HashMap<NodeId, &str> = changes.iter().map(|(id, new)| (*id, new.as_str())).collect();
    let as_wanted = tree.nodes().zip(after.nodes()).all(|((id, old), (_, new))| match new_texts.get(&id).copied() {
        Some(text) => after.scalar(id) == Some(text) && after.is_text(id),
        None => old.kind == new.kind,
    });
    let same_nodes = tree.nodes().count() == after.nodes().count() && tree.documents == after.documents;
    if as_wanted && same_nodes { Ok(()) } else { Err(fail) }
}

/// Replaces a scalar's text; `None` when it has that text already.
pub(super) fn replace(tree: &Tree<'_>, id: NodeId, new: &str) -> Result<Option<Splice>, EditError> {
    let node = tree.node(id);
    tree.check_own(id)?;
    let fail = |problem| Err(EditError::at(node.place, problem));
    let Kind::Scalar { text, style } = &node.kind else {
        return fail(Problem::Shape { name: "the value".to_owned(), wanted: "a text" });
    };
    if text == new && tree.is_text(id) {
        return Ok(None);
    }
    match style {
        ScalarStyle::Literal | ScalarStyle::Folded => block_scalar(tree, id, new).map(Some),
        _ if node.span.is_empty() => {
            if node.properties_end.is_some() {
                return fail(Problem::Unsafe);
            }
            let blank = if tree.text.get(..node.span.start).is_some_and(|text| text.ends_with(':')) { " " } else { "" };
            Ok(Some((node.span.clone(), format!("{blank}{}", scalar::write(new, *style, node.context)))))
        }
        _ => Ok(Some((node.span.clone(), scalar::write(new, *style, node.context)))),
    }
}

/// A scalar behind `|` or `>` stays one where that can hold the new text, else it becomes one of a line.
fn block_scalar(tree: &Tree<'_>, id: NodeId, new: &str) -> Result<Splice, EditError> {
    let node = tree.node(id);
    let fail = || EditError::at(node.place, Problem::Unsafe);
    let Kind::Scalar { text: old, .. } = &node.kind else { return Err(fail()) };
    let end = tree.end(id);
    // A line break at the end would become part of the new text.
    let one_line = !new.is_empty() && !new.starts_with(' ') && !new.chars().any(char::is_control);
    if one_line && !old.is_empty() && !old.ends_with('\n') {
        return Ok((node.span.start..end.max(node.span.start), new.to_owned()));
    }
    let header = header(tree.text.get(..node.span.start).unwrap_or_default()).ok_or_else(fail)?;
    Ok((header..end.max(header), scalar::write(new, ScalarStyle::Plain, Context::Block)))
}

/// Where the `|` or `>` stands whose text begins behind `before`.
fn header(before: &str) -> Option<usize> {
    let start = before.trim_end().rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let line = before.get(start..)?.lines().next()?;
    let found = line.match_indices(['|', '>']).find(|(at, _)| {
        let (head, tail) = line.split_at(*at);
        let rest =
            tail.get(1..).unwrap_or_default().trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
        head.ends_with([' ', '\t'])
            && (rest.trim().is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'))
    });
    found.map(|(at, _)| start + at)
}
