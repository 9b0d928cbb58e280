//! A YAML file as a tree whose nodes know their bytes.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::ScalarStyle;
use serde_json::Value;

use super::scalar::{self, Context};
use super::{EditError, Problem, read};

/// More levels than any manifest has.
pub(super) const DEEPEST: usize = 120;
/// More values than aliases in a manifest may make.
const MOST_VALUES: usize = 100_000;

/// Which node of a tree.
pub(super) type NodeId = usize;

/// A scalar, a collection, or a reference to one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<'a> {
    /// What it is.
    pub(super) kind: Kind<'a>,
    /// Its bytes, without anchor and tag. Of a block collection only the start is meant.
    pub(super) span: Range<usize>,
    /// Where anchor and tag end; the start of the span when there are none.
    pub(super) properties_end: Option<usize>,
    /// Line and column of the span, from 1.
    pub(super) place: (usize, usize),
    /// Whether it stands between brackets or braces.
    pub(super) context: Context,
    /// Whether an alias repeats it elsewhere.
    pub(super) repeated: bool,
    /// The tag's last part: `str` of `!!str`.
    pub(super) tag: Option<String>,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    /// A scalar; nothing at all is an empty plain one.
    Scalar {
        /// Its text after escapes.
        text: Cow<'a, str>,
        /// How it is written.
        style: ScalarStyle,
    },
    /// A mapping of keys to values.
    Map {
        /// Key and value.
        entries: Vec<(NodeId, NodeId)>,
        /// Whether it is written in braces.
        flow: bool,
    },
    /// A sequence.
    List {
        /// Its items.
        items: Vec<NodeId>,
        /// Whether it is written in brackets.
        flow: bool,
    },
    /// A repetition of another node.
    Alias(NodeId),
}

/// A file of documents.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// Every node, in the order of the text.
    pub(super) nodes: Vec<Node<'a>>,
    /// The root of each document.
    pub(super) documents: Vec<NodeId>,
    /// The bytes of each comment, with its `#`.
    pub(super) comments: Vec<Range<usize>>,
}

impl<'a> Tree<'a> {
    /// Reads a file.
    pub(super) fn parse(text: &'a str) -> Result<Self, EditError> {
        read::read(text)
    }

    /// A node. Ids come from the same tree, so there always is one.
    pub(super) fn node(&self, id: NodeId) -> &Node<'a> {
        const NOTHING: &Node<'static> = &Node {
            kind: Kind::List { items: Vec::new(), flow: false },
            span: 0..0,
            properties_end: None,
            place: (1, 1),
            context: Context::Block,
            repeated: false,
            tag: None,
        };
        self.nodes.get(id).unwrap_or(NOTHING)
    }

    /// Every node with its id.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node<'a>)> {
        self.nodes.iter().enumerate()
    }

    /// The node that an alias repeats, or the node itself.
    pub(super) fn resolve(&self, id: NodeId) -> NodeId {
        match self.node(id).kind {
            Kind::Alias(target) => target,
            _ => id,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match &self.node(id).kind {
            Kind::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none of anything else.
    pub(super) fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.node(id).kind {
            Kind::List { items, .. } => items,
            _ => &[],
        }
    }

    /// The text of a scalar, or of the one that an alias repeats.
    pub(super) fn scalar(&self, id: NodeId) -> Option<&str> {
        match &self.node(self.resolve(id)).kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Reads the scalar at a path of keys, through aliases.
    pub(super) fn text_at(&self, id: NodeId, path: &[&str]) -> Option<&str> {
        let found = path.iter().try_fold(id, |id, key| Some(self.entry(self.resolve(id), key)?.1))?;
        self.scalar(found)
    }

    /// The first entry of a mapping with a key.
    pub(super) fn entry(&self, id: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        self.entries(id).iter().copied().find(|(name, _)| self.scalar(*name) == Some(key))
    }

    /// The one value of a key that can be edited where it stands; `None` when there is none.
    pub(super) fn own_value(&self, map: NodeId, key: &str) -> Result<Option<NodeId>, EditError> {
        let mut found = self.entries(map).iter().filter(|(name, _)| self.scalar(*name) == Some(key));
        let Some(&(_, value)) = found.next() else {
            return self.inherited(map, key).map_or(Ok(None), |id| {
                Err(EditError::at(self.node(id).place, Problem::Inherited { key: key.to_owned() }))
            });
        };
        if let Some((again, _)) = found.next() {
            return Err(EditError::at(self.node(*again).place, Problem::DuplicateKey { key: key.to_owned() }));
        }
        self.check_own(value)?;
        Ok(Some(value))
    }

    /// Refuses a node that stands elsewhere, or elsewhere as well.
    pub(super) fn check_own(&self, id: NodeId) -> Result<(), EditError> {
        let node = self.node(id);
        let problem = match node.kind {
            Kind::Alias(_) => Problem::Alias,
            _ if node.repeated => Problem::Repeated,
            _ => return Ok(()),
        };
        Err(EditError::at(node.place, problem))
    }

    /// The `<<` through which a mapping has a key.
    fn inherited(&self, map: NodeId, key: &str) -> Option<NodeId> {
        let (_, merged) = self.entry(map, "<<")?;
        let target = self.resolve(merged);
        let sources = if self.items(target).is_empty() { vec![target] } else { self.items(target).to_vec() };
        sources.into_iter().any(|source| self.entry(self.resolve(source), key).is_some()).then_some(merged)
    }

    /// Whether a scalar is read as text, not as a number or the like.
    pub(super) fn is_text(&self, id: NodeId) -> bool {
        let node = self.node(id);
        match (&node.kind, node.tag.as_deref()) {
            (Kind::Scalar { .. }, Some(tag)) => tag == "str",
            (Kind::Scalar { text, style: ScalarStyle::Plain }, None) => scalar::plain_value(text).is_string(),
            (Kind::Scalar { .. }, None) => true,
            _ => false,
        }
    }

    /// The value of a node as a reader of the file sees it.
    pub(super) fn value(&self, id: NodeId) -> Result<Value, EditError> {
        let mut left = MOST_VALUES;
        self.build(id, 0, &mut left)
    }

    fn build(&self, id: NodeId, depth: usize, left: &mut usize) -> Result<Value, EditError> {
        let node = self.node(id);
        if depth > 2 * DEEPEST || *left == 0 {
            return Err(EditError::at(node.place, Problem::TooMuch));
        }
        *left -= 1;
        Ok(match &node.kind {
            Kind::Scalar { text, .. } if self.is_text(id) => Value::String(text.to_string()),
            Kind::Scalar { text, .. } => scalar::plain_value(text),
            Kind::Alias(target) => self.build(*target, depth + 1, left)?,
            Kind::List { items, .. } => {
                let items = items.iter().map(|item| self.build(*item, depth + 1, left));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Kind::Map { entries, .. } => {
                let mut members = serde_json::Map::new();
                for (name, value) in entries {
                    let key = self.scalar(*name).unwrap_or_default().to_owned();
                    members.insert(key, self.build(*value, depth + 1, left)?);
                }
                for merged in members.shift_remove("<<").into_iter().flat_map(one_or_many) {
                    for (key, value) in merged.as_object().cloned().unwrap_or_default() {
                        members.entry(key).or_insert(value);
                    }
                }
                Value::Object(members)
            }
        })
    }

    /// What the file holds beside a node and all below it: kinds, sizes and texts in their order.
    pub(super) fn shape_without(&self, id: NodeId) -> Vec<(&'static str, usize, &str)> {
        let mut last = id;
        loop {
            let next = match &self.node(last).kind {
                Kind::Map { entries, .. } => entries.last().map(|(_, value)| *value),
                Kind::List { items, .. } => items.last().copied(),
                _ => None,
            };
            match next {
                Some(next) => last = next,
                None => break,
            }
        }
        let others = self.nodes.iter().enumerate().filter(|(at, _)| *at < id || *at > last);
        let shapes = others.map(|(_, node)| match &node.kind {
            Kind::Scalar { text, .. } => ("scalar", 0, text.as_ref()),
            Kind::Map { entries, .. } => ("map", entries.len(), ""),
            Kind::List { items, .. } => ("list", items.len(), ""),
            Kind::Alias(_) => ("alias", 0, ""),
        });
        shapes.collect()
    }

    /// Where the text of a node ends: behind its last scalar or bracket.
    pub(super) fn end(&self, mut id: NodeId) -> usize {
        loop {
            let node = self.node(id);
            match &node.kind {
                Kind::Map { entries, flow: false } if !entries.is_empty() => {
                    id = entries.last().map_or(id, |(_, value)| *value);
                }
                Kind::List { items, flow: false } if !items.is_empty() => id = items.last().copied().unwrap_or(id),
                Kind::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, text } => {
                    return self.block_scalar_end(node, text);
                }
                _ => return node.span.end.max(node.properties_end.unwrap_or(0)),
            }
        }
    }

    /// The lines that follow a block scalar belong to it only where it keeps them.
    fn block_scalar_end(&self, node: &Node<'_>, value: &str) -> usize {
        let raw = self.text.get(node.span.clone()).unwrap_or_default();
        let content = raw.trim_end();
        let breaks = |text: &str| text.replace("\r\n", "\n").matches(['\n', '\r']).count();
        let blank = breaks(raw.get(content.len()..).unwrap_or_default());
        let kept = value.len() - value.trim_end_matches('\n').len();
        if blank > 1 && kept == blank { node.span.end } else { node.span.start + content.len() }
    }
}

fn one_or_many(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        one => vec![one],
    }
}
