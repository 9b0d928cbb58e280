//! A deck as a PDF: printed by the browser, then given what browsers leave out.

mod file;
mod finish;
mod object;
pub mod outline;

use std::time::Duration;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic};
use crate::render::{Rendered, page};

use super::browser::Error;
use super::browser::tab::Tab;
use finish::{Extras, finish};
use outline::{Heading, Outlines};

/// What a PDF gets beside the slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PdfOptions {
    /// The outline.
    pub outlines: Option<Outlines>,
    /// Whether presenter notes become annotations.
    pub notes: bool,
}

/// A finished file and what was noticed.
pub(super) struct Printed {
    pub(super) bytes: Vec<u8>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Prints a page that is loaded.
pub(super) async fn print(
    tab: &Tab,
    rendered: &Rendered,
    name: &str,
    options: PdfOptions,
    limit: Option<Duration>,
) -> Result<Printed, Error> {
    let wants_headings = options.outlines.is_some_and(|outlines| outlines.headings);
    let headings = if wants_headings {
        headings(&tab.evaluate("looking for headings", "foredeck.headings()").await?)
    } else {
        Vec::new()
    };
    let printed = tab.print(limit).await?;
    let extras = extras(rendered, name, options, &headings);
    Ok(match finish(printed.clone(), &extras) {
        Some(finished) => {
            Printed { diagnostics: miscounted(finished.pages, rendered.slides.len()), bytes: finished.bytes }
        }
        None => {
            let message = "this browser writes PDF files in a form of its own: outline, notes and title are missing";
            let found = Diagnostic::error(Code("export/unfinished-pdf"), message)
                .hint("another version of Chromium, Chrome or Edge may do; `--browser-path` names one");
            Printed { bytes: printed, diagnostics: vec![found] }
        }
    })
}

/// Prints a handout.
pub(super) async fn handout(
    tab: &Tab,
    rendered: &Rendered,
    name: &str,
    limit: Option<Duration>,
) -> Result<Vec<u8>, Error> {
    let printed = tab.print(limit).await?;
    let extras = extras(rendered, name, PdfOptions::default(), &[]);
    Ok(finish(printed.clone(), &extras).map_or(printed, |finished| finished.bytes))
}

fn miscounted(pages: usize, slides: usize) -> Vec<Diagnostic> {
    if pages == slides {
        return Vec::new();
    }
    let message = format!("the browser made {pages} pages of {slides} slides");
    let found = Diagnostic::error(Code("export/page-count"), message);
    vec![found.hint("a style of the deck or its theme changes the size of slides when they are printed")]
}

fn extras(rendered: &Rendered, name: &str, options: PdfOptions, headings: &[Heading]) -> Extras {
    let meta = &rendered.meta;
    let titles: Vec<Option<String>> = rendered.slides.iter().map(|slide| slide.title.clone()).collect();
    let notes = rendered.slides.iter().map(|slide| slide.notes.join("\n\n"));
    Extras {
        title: page::title(rendered, name).to_owned(),
        author: meta.author.clone(),
        subject: meta.description.clone(),
        keywords: meta.keywords.clone(),
        outline: options.outlines.map(|what| outline::entries(what, &titles, headings)).unwrap_or_default(),
        notes: if options.notes { notes.collect() } else { Vec::new() },
        height: rendered.size.height,
    }
}

/// What the page told of its headings.
fn headings(value: &Value) -> Vec<Heading> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let heading = |value: &Value| {
        Some(Heading {
            slide: usize::try_from(value["slide"].as_u64()?).ok()?,
            level: u8::try_from(value["level"].as_u64()?).ok().filter(|level| (1..=6).contains(level))?,
            text: value["text"].as_str()?.to_owned(),
            top: value["top"].as_f64()?,
        })
    };
    list.iter().filter_map(heading).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headings_are_taken_as_far_as_they_make_sense() {
        let told = json!([
            { "slide": 2, "level": 1, "text": "A", "top": 12.5 },
            { "slide": -1, "level": 1, "text": "B", "top": 0 },
            { "slide": 2, "level": 7, "text": "C", "top": 0 },
            "nothing",
        ]);
        assert_eq!(headings(&told), [Heading { slide: 2, level: 1, text: "A".into(), top: 12.5 }]);
        assert_eq!(headings(&Value::Null), []);
    }

    #[test]
    fn a_wrong_number_of_pages_is_told() {
        assert_eq!(miscounted(3, 3), []);
        assert_eq!(miscounted(4, 3)[0].message, "the browser made 4 pages of 3 slides");
    }
}
