//! Where slides start: at rulers, and at headings when `headingDivider` says so.

use super::ast::BlockKind;
use super::directive::HeadingDivider;
use super::markdown::Item;

/// What stands on one slide, rulers gone.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Where the slide starts in the source.
    pub(super) start: usize,
    pub(super) items: Vec<Item>,
}

/// Cuts the items of a deck into slides, at least one.
pub(super) fn slides(items: Vec<Item>, divider: Option<&HeadingDivider>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Part::default();
    // Marp asks whether anything visible stands before, in the whole deck: rulers count, comments do not
    let mut visible = false;
    for item in items {
        match &item {
            Item::Ruler(span) => {
                parts.push(std::mem::replace(&mut part, Part { start: span.end, items: Vec::new() }));
                visible = true;
                continue;
            }
            Item::Block(block) => {
                if let (BlockKind::Heading { level, .. }, Some(divider)) = (&block.kind, divider)
                    && visible
                    && divider.divides(*level)
                {
                    let next = Part { start: block.span.start, items: Vec::new() };
                    parts.push(std::mem::replace(&mut part, next));
                }
                visible = true;
            }
            Item::Background(_) => visible = true,
            _ => {}
        }
        part.items.push(item);
    }
    parts.push(part);
    parts
}
