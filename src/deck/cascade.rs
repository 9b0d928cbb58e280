//! Items → slides with their directives, page numbers, heading ids and fragments.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Block, BlockKind, Inline};
use super::directive::{self, BadValue, Globals, Locals, Paginate, Scope};
use super::markdown::Item;
use super::slug::Slugs;
use super::{Deck, Given, Note, Options, Slide, inline, split};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Puts a deck together. `text` is the whole source, `front` what its front matter gives.
pub(super) fn deck(
    text: &str,
    front: Vec<Given>,
    items: Vec<Item>,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Deck {
    // front matter is a directive comment at the start of slide 1
    let items: Vec<Item> = std::iter::once(Item::Directives(front)).chain(items).collect();
    let mut deck = Deck { globals: globals(&items, diagnostics), ..Deck::default() };
    let divider = deck.globals.heading_divider.as_ref().or(options.heading_divider.as_ref());
    let parts = split::slides(items, divider);
    let ends: Vec<usize> = parts.iter().skip(1).map(|part| part.start).chain([text.len()]).collect();
    let mut slugs = Slugs::new(parts.len());
    let mut current = Locals::default();
    let mut bands = Bands { options, known: HashMap::new() };
    for (part, end) in parts.into_iter().zip(ends) {
        let mut slide = Slide { span: Span::new(part.start, end), ..Slide::default() };
        let given = sort(part.items, &mut slide, &mut deck);
        slide.directives = cascade(&mut current, &given, diagnostics);
        deck.given.extend(given);
        bands.fill(&mut slide);
        name_headings(&mut slide.blocks, &mut slugs);
        number_fragments(&mut slide.blocks, &mut slide.fragments);
        deck.slides.push(slide);
    }
    deck.pages = number_pages(&mut deck.slides);
    deck.raw_title = raw_title(text, &deck.slides);
    deck
}

/// Puts the items of a slide where they belong; what is left are its directives.
fn sort(items: Vec<Item>, slide: &mut Slide, deck: &mut Deck) -> Vec<Given> {
    let mut given = Vec::new();
    for item in items {
        match item {
            Item::Block(block) => slide.blocks.push(block),
            Item::Note(note) => slide.notes.push(note),
            Item::Background(image) => slide.backgrounds.push(image),
            Item::Style { style, scoped: true } => slide.scoped_styles.push(style),
            Item::Style { style, scoped: false } => deck.styles.push(style),
            Item::Directives(directives) => given.extend(directives),
            Item::Ruler(_) => {}
        }
    }
    given
}

fn globals(items: &[Item], diagnostics: &mut Vec<Diagnostic>) -> Globals {
    let mut globals = Globals::default();
    for item in items {
        let Item::Directives(given) = item else { continue };
        for one in given.iter().filter(|one| directive::scope(&one.key) == Some(Scope::Global)) {
            let result = globals.apply(&one.key, &one.value);
            report(result, one, diagnostics);
        }
    }
    globals
}

/// The directives of a slide; `current` is what the slides before it hand on.
fn cascade(current: &mut Locals, given: &[Given], diagnostics: &mut Vec<Diagnostic>) -> Locals {
    for one in given.iter().filter(|one| directive::scope(&one.key) == Some(Scope::Local)) {
        let result = current.apply(&one.key, &one.value);
        report(result, one, diagnostics);
    }
    let mut own = current.clone();
    for one in given.iter().filter(|one| directive::scope(&one.key) == Some(Scope::Spot)) {
        let result = own.apply(one.key.trim_start_matches('_'), &one.value);
        report(result, one, diagnostics);
    }
    own
}

fn report(result: Result<(), BadValue>, given: &Given, diagnostics: &mut Vec<Diagnostic>) {
    let Err(BadValue { expected }) = result else { return };
    let message = format!("`{}` takes {expected}", given.key);
    diagnostics.push(Diagnostic::warning(Code("deck/directive-value"), message).at(given.span));
}

/// Headers and footers, each text parsed once.
struct Bands<'a> {
    options: &'a Options,
    known: HashMap<String, (Arc<[Inline]>, Vec<Note>)>,
}

impl Bands<'_> {
    fn fill(&mut self, slide: &mut Slide) {
        if let Some(text) = slide.directives.header.clone() {
            let (content, notes) = self.parse(&text);
            slide.header = Some(content);
            slide.notes.splice(0..0, notes);
        }
        if let Some(text) = slide.directives.footer.clone() {
            let (content, notes) = self.parse(&text);
            slide.footer = Some(content);
            slide.notes.extend(notes);
        }
    }

    fn parse(&mut self, text: &str) -> (Arc<[Inline]>, Vec<Note>) {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let (content, notes) = inline::parse_line(text, self.options);
        let parsed = (Arc::from(content), notes);
        self.known.insert(text.to_owned(), parsed.clone());
        parsed
    }
}

/// Calls `visit` on every block, outer before inner.
fn walk(blocks: &mut [Block], visit: &mut impl FnMut(&mut BlockKind)) {
    for block in blocks {
        visit(&mut block.kind);
        match &mut block.kind {
            BlockKind::Quote(inner) => walk(inner, visit),
            BlockKind::List { items, .. } => items.iter_mut().for_each(|item| walk(&mut item.blocks, visit)),
            _ => {}
        }
    }
}

/// Turns the texts of headings into ids.
fn name_headings(blocks: &mut [Block], slugs: &mut Slugs) {
    walk(blocks, &mut |kind| {
        if let BlockKind::Heading { id, .. } = kind {
            *id = slugs.next(id);
        }
    });
}

/// Numbers the list items that are revealed on their own, in document order.
fn number_fragments(blocks: &mut [Block], count: &mut u16) {
    for block in blocks {
        match &mut block.kind {
            BlockKind::Quote(inner) => number_fragments(inner, count),
            BlockKind::List { items, .. } => {
                for item in items {
                    if let Some(number) = &mut item.fragment {
                        *count = count.saturating_add(1);
                        *number = *count;
                    }
                    number_fragments(&mut item.blocks, count);
                }
            }
            _ => {}
        }
    }
}

/// Gives slides their page numbers; returns how many slides count.
fn number_pages(slides: &mut [Slide]) -> u32 {
    let mut page = 0;
    for slide in slides {
        let paginate = slide.directives.paginate.unwrap_or(Paginate::False);
        // there is nothing before the first slide to hold
        let counts = match paginate {
            Paginate::True | Paginate::False => true,
            Paginate::Hold => page == 0,
            Paginate::Skip => false,
        };
        page += u32::from(counts);
        if matches!(paginate, Paginate::True | Paginate::Hold) {
            slide.page = Some(page);
        }
    }
    page
}

/// The source of the first heading of the highest rank, as Marp shows it in the title.
fn raw_title(text: &str, slides: &[Slide]) -> Option<String> {
    let mut best: Option<(u8, Span)> = None;
    for block in slides.iter().flat_map(|slide| &slide.blocks) {
        if let BlockKind::Heading { level, .. } = block.kind
            && best.is_none_or(|(known, _)| level < known)
        {
            best = Some((level, block.span));
        }
    }
    let (_, span) = best?;
    let source = text.get(span.start..span.end)?.trim();
    let line = match source.strip_prefix('#') {
        Some(_) => source.trim_start_matches('#').trim().trim_end_matches('#').trim_end(),
        None => source.rsplit_once('\n').map_or(source, |(line, _)| line.trim()),
    };
    Some(line.to_owned())
}
