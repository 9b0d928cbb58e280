//! The outline of a PDF: pages, headings, or both, as a tree.

/// A heading on a slide.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// The slide, from 0.
    pub slide: usize,
    /// 1 to 6.
    pub level: u8,
    /// Its text.
    pub text: String,
    /// Its distance from the top of the slide, in CSS pixels.
    pub top: f64,
}

/// What goes into an outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlines {
    /// An entry for each page.
    pub pages: bool,
    /// An entry for each heading.
    pub headings: bool,
}

/// An entry, and those below it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Entry {
    pub(super) title: String,
    /// The page, from 0.
    pub(super) page: usize,
    /// Where on it, in CSS pixels; the top when not given.
    pub(super) top: Option<f64>,
    pub(super) bold: bool,
    pub(super) below: Vec<Entry>,
}

/// The entries of a document; `titles` has one item for each slide.
pub(super) fn entries(what: Outlines, titles: &[Option<String>], headings: &[Heading]) -> Vec<Entry> {
    if !what.pages {
        return if what.headings { nested(headings) } else { Vec::new() };
    }
    let pages = titles.iter().enumerate().map(|(page, title)| {
        let of_page: Vec<Heading> = headings.iter().filter(|heading| heading.slide == page).cloned().collect();
        let number = page + 1;
        // The headings below say the same; where there are none the number alone would say little.
        let title = match title.as_deref().filter(|title| !title.is_empty() && !what.headings) {
            Some(title) => format!("Page {number}: {title}"),
            None => format!("Page {number}"),
        };
        let below = if what.headings { nested(&of_page) } else { Vec::new() };
        Entry { title, page, top: None, bold: true, below }
    });
    pages.collect()
}

/// Headings below those of a higher level.
fn nested(headings: &[Heading]) -> Vec<Entry> {
    let mut out = Vec::new();
    let mut rest = headings;
    while let Some((heading, after)) = rest.split_first() {
        let inside = after.iter().take_while(|next| next.level > heading.level).count();
        let (below, next) = after.split_at(inside);
        out.push(Entry {
            title: heading.text.clone(),
            page: heading.slide,
            top: Some(heading.top),
            bold: false,
            // Levels are 1 to 6, so this goes six deep at most.
            below: nested(below),
        });
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Titles, indented by depth.
    fn drawn(entries: &[Entry], depth: usize, out: &mut Vec<String>) {
        for entry in entries {
            out.push(format!("{}{} @{}", "  ".repeat(depth), entry.title, entry.page));
            drawn(&entry.below, depth + 1, out);
        }
    }

    #[test]
    fn pages_and_headings_make_a_tree() {
        let heading = |slide, level, text: &str| Heading { slide, level, text: text.into(), top: 40.0 };
        let headings = [heading(0, 1, "A"), heading(0, 3, "a"), heading(1, 2, "B"), heading(2, 1, "C")];
        let titles = [Some("A".to_owned()), Some("B".to_owned()), None];
        for (pages, with_headings, expected) in [
            (true, true, vec!["Page 1 @0", "  A @0", "    a @0", "Page 2 @1", "  B @1", "Page 3 @2", "  C @2"]),
            (true, false, vec!["Page 1: A @0", "Page 2: B @1", "Page 3 @2"]),
            (false, true, vec!["A @0", "  a @0", "  B @1", "C @2"]),
            (false, false, vec![]),
        ] {
            let mut out = Vec::new();
            drawn(&entries(Outlines { pages, headings: with_headings }, &titles, &headings), 0, &mut out);
            assert_eq!(out, expected);
        }
    }
}
