//! A text read into a tree, event by event.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use super::scalar::Context;
use super::tree::{DEEPEST, Kind, Node, NodeId, Tree};
use super::{EditError, Problem};

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Tree<'_>, EditError> {
    let options = granit_parser::options! {
        emit_anchor_events: true,
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut builder = Builder { text, ..Builder::default() };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let place = error.marker();
            EditError::at((place.line(), place.col() + 1), Problem::Yaml(error.info()))
        })?;
        builder.take(event, span);
    }
    Ok(Tree { text, nodes: builder.nodes, documents: builder.documents, comments: builder.comments })
}

/// What has been read so far.
#[derive(Default)]
struct Builder<'a> {
    text: &'a str,
    nodes: Vec<Node<'a>>,
    documents: Vec<NodeId>,
    comments: Vec<Range<usize>>,
    /// The open collections, each with a key that waits for its value.
    open: Vec<(NodeId, Option<NodeId>)>,
    /// How many of them are in brackets or braces.
    flow: usize,
    anchors: HashMap<usize, NodeId>,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, span: Span) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // Nothing at all is told as `~` of no length.
                let nothing = bytes(span).is_empty() && style == ScalarStyle::Plain;
                let text = if nothing { Cow::Borrowed("") } else { text };
                let id = self.add(Kind::Scalar { text, style }, span, tag.as_deref());
                self.name(anchor, id);
                if nothing {
                    self.put_behind_colon(id);
                }
            }
            Event::Alias(target) => {
                let target = self.anchors.get(&target).copied().unwrap_or_default();
                if let Some(node) = self.nodes.get_mut(target) {
                    node.repeated = true;
                }
                self.add(Kind::Alias(target), span, None);
            }
            Event::MappingStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let id = self.add(Kind::Map { entries: Vec::new(), flow }, span, tag.as_deref());
                self.enter(id, flow, anchor);
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let id = self.add(Kind::List { items: Vec::new(), flow }, span, tag.as_deref());
                self.enter(id, flow, anchor);
            }
            Event::MappingEnd | Event::SequenceEnd => self.leave(span),
            Event::Anchor(id, _) => {
                let node = self.anchors.get(&id).and_then(|id| self.nodes.get_mut(*id));
                if let Some(node) = node {
                    node.properties_end = node.properties_end.max(Some(bytes(span).end));
                }
            }
            Event::Comment(..) => self.comments.push(bytes(span)),
            _ => {}
        }
    }

    fn add(&mut self, kind: Kind<'a>, span: Span, tag: Option<&granit_parser::Tag>) -> NodeId {
        let id = self.nodes.len();
        let node = Node {
            kind,
            span: bytes(span),
            properties_end: span.tag_span().map(|tag| bytes(tag).end),
            place: (span.start.line(), span.start.col() + 1),
            context: if self.flow > 0 { Context::Flow } else { Context::Block },
            repeated: false,
            tag: tag.map(|tag| tag.core_suffix().unwrap_or("other").to_owned()),
        };
        self.nodes.push(node);
        let Some((parent, key)) = self.open.last_mut() else {
            self.documents.push(id);
            return id;
        };
        match self.nodes.get_mut(*parent).map(|node| &mut node.kind) {
            Some(Kind::Map { entries, .. }) => match key.take() {
                Some(key) => entries.push((key, id)),
                None => *key = Some(id),
            },
            Some(Kind::List { items, .. }) => items.push(id),
            _ => {}
        }
        id
    }

    /// Nothing at all is told to be where its key ends; what is written instead comes behind the colon.
    fn put_behind_colon(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        let rest = self.text.get(node.span.start..).unwrap_or_default();
        let behind = rest.trim_start_matches([' ', '\t']);
        if behind.starts_with(':') {
            let at = node.span.start + rest.len() - behind.len() + 1;
            node.span = at..at;
        }
    }

    fn name(&mut self, anchor: usize, id: NodeId) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn enter(&mut self, id: NodeId, flow: bool, anchor: usize) {
        self.name(anchor, id);
        self.open.push((id, None));
        self.flow += usize::from(flow);
    }

    fn leave(&mut self, span: Span) {
        let Some((id, _)) = self.open.pop() else { return };
        let Some(node) = self.nodes.get_mut(id) else { return };
        if let Kind::Map { flow: true, .. } | Kind::List { flow: true, .. } = node.kind {
            node.span.end = bytes(span).end;
            self.flow = self.flow.saturating_sub(1);
        }
    }
}

/// The bytes of a span; of texts the parser knows them always.
fn bytes(span: Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}
