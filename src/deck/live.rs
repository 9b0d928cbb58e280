//! The panels and runnable fences among a slide's blocks.

use std::collections::HashSet;

use super::ast::{Block, BlockKind, Image, Inline};
use super::fence::Fence;
use super::panel::{PanelSpec, PanelText};
use super::step::{StepSpec, StepText};
use super::{Deck, Slide};
use crate::diagnostic::Span;

/// Something live as it was written, mistakes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is.
    pub what: What,
    /// The whole block or image.
    pub span: Span,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A panel.
    Panel {
        /// Its words.
        text: PanelText,
        /// The fence's body, or the picture's alternative text.
        snapshot: String,
        /// The picture's address.
        picture: Option<String>,
        /// Whether it can be a panel: a picture cannot when other things stand in its paragraph.
        alone: bool,
    },
    /// A runnable fence.
    Step {
        /// Its words.
        text: StepText,
        /// Its body.
        code: String,
    },
}

/// What a picture's title starts with when the picture is a panel.
const MARK: &str = "panel:";

/// Whether a picture is meant as a panel.
pub fn is_panel_picture(image: &Image) -> bool {
    image.title.trim_start().starts_with(MARK)
}

/// Everything live on a slide, in the order of the source.
pub fn written(source: &str, slide: &Slide) -> Vec<Written> {
    let mut found = Vec::new();
    let mut blocks: Vec<&Block> = slide.blocks.iter().collect();
    while let Some(block) = blocks.pop() {
        match &block.kind {
            BlockKind::Quote(inner) => blocks.extend(inner),
            BlockKind::List { items, .. } => blocks.extend(items.iter().flat_map(|item| &item.blocks)),
            BlockKind::Code { info, text } if !info.is_empty() => found.extend(fence(source, text, block.span)),
            BlockKind::Paragraph(content) | BlockKind::Plain(content) => pictures(source, content, true, &mut found),
            BlockKind::Heading { content, .. } => pictures(source, content, false, &mut found),
            BlockKind::Table { head, rows, .. } => {
                for cell in head.iter().chain(rows.iter().flatten()) {
                    pictures(source, cell, false, &mut found);
                }
            }
            BlockKind::Code { .. } | BlockKind::Html(_) | BlockKind::Math(_) | BlockKind::Rule => {}
        }
    }
    found.sort_by_key(|one| one.span);
    found
}

/// A fence that is a panel or can be run. Its words are read as written: Markdown would take out backslashes.
pub(super) fn fence(source: &str, code: &str, span: Span) -> Option<Written> {
    let info = Fence::of(source, span)?.info;
    let (words, at) = (source.get(info.clone())?, info.start);
    let what = match words.strip_prefix("panel") {
        Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => What::Panel {
            text: PanelText::read(rest, at + MARK.len() - 1),
            snapshot: code.to_owned(),
            picture: None,
            alone: true,
        },
        _ => What::Step { text: StepText::read(words, at)?, code: code.to_owned() },
    };
    Some(Written { what, span })
}

fn pictures(source: &str, content: &[Inline], paragraph: bool, found: &mut Vec<Written>) {
    let alone = paragraph && images_alone(content);
    let mut lines = vec![content];
    while let Some(line) = lines.pop() {
        for inline in line {
            match inline {
                Inline::Image(image) => found.extend(picture(source, image, alone)),
                Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => lines.push(inner),
                Inline::Link { content, .. } => lines.push(content),
                _ => {}
            }
        }
    }
}

/// Whether a line holds nothing but pictures that are meant as panels.
fn images_alone(content: &[Inline]) -> bool {
    content.iter().all(|inline| match inline {
        Inline::Image(image) => is_panel_picture(image),
        Inline::Text(text) => text.trim().is_empty(),
        Inline::Break => true,
        _ => false,
    })
}

fn picture(source: &str, image: &Image, alone: bool) -> Option<Written> {
    let title = image.title.trim_start();
    let words = title.strip_prefix(MARK)?;
    let written = source.get(image.span.start..image.span.end).unwrap_or("");
    // places are known when the title stands there as it is, without backslashes and entities
    let place = written.rfind(title).map(|at| image.span.start + at + MARK.len());
    let mut text = PanelText::read(words, place.unwrap_or(0));
    if place.is_none() {
        text.place_all(image.span);
    }
    let (snapshot, picture) = (image.alt.clone(), Some(image.src.clone()));
    Some(Written { what: What::Panel { text, snapshot, picture, alone }, span: image.span })
}

/// Gives the slides of a deck their panels and steps.
pub(super) fn fill(source: &str, deck: &mut Deck) {
    let mut number = 0;
    let mut names = HashSet::new();
    for slide in &mut deck.slides {
        for Written { what, span } in written(source, slide) {
            match what {
                What::Panel { text, snapshot, picture, alone: true } => {
                    slide.panels.extend(text.spec(snapshot, picture, span));
                }
                What::Step { text, code } if text.can_run() => {
                    let mut step = text.spec(&code, span);
                    // a name given twice belongs to the first
                    if !step.name.is_empty() && !names.insert(step.name.clone()) {
                        step.name.clear();
                    }
                    slide.steps.push(step);
                }
                _ => {}
            }
        }
    }
    for step in deck.slides.iter_mut().flat_map(|slide| &mut slide.steps) {
        number += 1;
        if step.name.is_empty() {
            step.name = free_name("step", number, &mut names);
        }
    }
}

/// `step-3`, or with more numbers behind it when that is taken.
fn free_name(word: &str, number: usize, names: &mut HashSet<String>) -> String {
    let mut name = format!("{word}-{number}");
    while !names.insert(name.clone()) {
        name.push_str("-x");
    }
    name
}

impl Deck {
    /// The panels of each slide, in document order, with their ids: the author's where one is given for the first
    /// time, else `panel-N` for the N-th panel of the deck.
    pub fn panels(&self) -> Vec<Vec<(String, &PanelSpec)>> {
        let mut names = HashSet::new();
        let mut written: Vec<Option<String>> = Vec::new();
        for panel in self.slides.iter().flat_map(|slide| &slide.panels) {
            let id = panel.written_id().map(str::to_owned).filter(|id| names.insert(id.clone()));
            written.push(id);
        }
        let mut number = 0;
        let mut ids = written.into_iter();
        let mut id = || {
            number += 1;
            ids.next().flatten().unwrap_or_else(|| free_name("panel", number, &mut names))
        };
        self.slides.iter().map(|slide| slide.panels.iter().map(|panel| (id(), panel)).collect()).collect()
    }
}

impl Slide {
    /// The panel that a block or an image is.
    pub fn panel_at(&self, span: Span) -> Option<(usize, &PanelSpec)> {
        let at = self.panels.binary_search_by_key(&span, |panel| panel.span).ok()?;
        Some((at, self.panels.get(at)?))
    }

    /// The step that a block is.
    pub fn step_at(&self, span: Span) -> Option<&StepSpec> {
        let at = self.steps.binary_search_by_key(&span, |step| step.span).ok()?;
        self.steps.get(at)
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
