//! The page that a browser prints and photographs: all slides one below the other, with an address for each file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::diagnostic::{Code, Diagnostic};
use crate::project::files::Reader;
use crate::project::{Compiled, Project, Target};
use crate::render::{Rendered, notes, page};

use super::browser::request::HOST;
use super::browser::tab::{Content, Refused};
use super::html::{asset_text, template};
use super::inline::{Inliner, Scope};
use super::{Error, fonts};

/// The one script that slides need.
const SCALING: &str = "scaling.js";
/// The typeface of handouts.
const HANDOUT_FONT: &str = "'Source Sans 3 Variable'";

/// What is around the slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A sheet for each slide.
    Slides {
        /// Whether what no slide covers is transparent.
        transparent: bool,
    },
    /// Small slides on paper, with room beside them or the notes.
    Handout {
        /// Whether presenter notes stand there.
        with_notes: bool,
    },
}

/// A page, and what was noticed while it was made.
pub(super) struct Sheet {
    pub(super) html: String,
    pub(super) files: Vec<PathBuf>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Makes the page.
pub(super) fn sheet(project: &Project, compiled: &Compiled, name: &str, layout: Layout) -> Result<Sheet, Error> {
    let (rendered, files, diagnostics) = Inliner::new(project, compiled, Scope::Served).served(&compiled.rendered);
    let html = match layout {
        Layout::Slides { transparent } => {
            let mut context = context(&rendered, name, "");
            context["transparent"] = transparent.into();
            template(project, "print.html", &context)?
        }
        Layout::Handout { with_notes } => {
            let mut context = context(&rendered, name, HANDOUT_FONT);
            if with_notes {
                let notes = rendered.slides.iter().map(|slide| notes::html(&slide.notes.join("\n\n")));
                context["notes"] = notes.map(Value::String).collect();
            }
            context["with_notes"] = with_notes.into();
            template(project, "handout.html", &context)?
        }
    };
    Ok(Sheet { html, files, diagnostics })
}

fn context(rendered: &Rendered, name: &str, more_fonts: &str) -> Value {
    let slides: Vec<&str> = rendered.slides.iter().map(|slide| slide.html.as_str()).collect();
    json!({
        "title": page::title(rendered, name),
        "lang": rendered.meta.lang,
        "meta": rendered.meta,
        "css": page::style_text(&rendered.css),
        "fonts": fonts::embedded(&format!("{}{more_fonts}", rendered.css)),
        "slides": slides,
        "size": rendered.size,
        "scaling": if rendered.auto_scaling { asset_text(SCALING) } else { None },
    })
}

/// A file of the deck's folder that the page asks for in a way nobody saw coming: by a script, or from a style sheet.
pub(super) fn own_file(project: &Project, folder: &Path, address: &str) -> Option<PathBuf> {
    let reader = Reader::new(project.files());
    match project.target(&reader, folder, address) {
        Target::File(path) if !project.is_hidden(&path) => {
            crate::project::media::media_type(&path).is_some().then_some(path)
        }
        _ => None,
    }
}

/// The page as the browser gets it.
pub(super) fn content<'a>(sheet: &Sheet, own: &'a (dyn Fn(&str) -> Option<PathBuf> + Sync)) -> Content<'a> {
    Content { html: sheet.html.clone(), files: sheet.files.clone(), own }
}

/// What the page asked for in vain, as findings; `told` are known already.
pub(super) fn refusals(refused: &[Refused], told: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for Refused { address, why } in refused {
        if let Some(why) = why {
            let message = format!("`{address}` is not in the result: {why}");
            found.push(Diagnostic::error(Code("export/unreadable"), message));
        }
    }
    let known = |address: &str| told.iter().any(|diagnostic| diagnostic.message.contains(&format!("`{address}`")));
    let vain: Vec<&str> = refused
        .iter()
        .filter(|refused| refused.why.is_none() && !known(&refused.address))
        .map(|refused| refused.address.as_str())
        .collect();
    if let Some(message) = list(&vain) {
        let remote = vain.iter().any(|address| address.starts_with("http") && !address.starts_with(HOST));
        let hint = if remote {
            "save the files beside the deck, or let it use the network with `--allow-remote`"
        } else {
            "a page gets pictures, fonts, styles and media of its own project"
        };
        let message = format!("the slides asked for {message}, and did not get it");
        found.push(Diagnostic::warning(Code("export/refused"), message).hint(hint));
    }
    found
}

/// The first of some addresses, and how many more there are.
fn list(addresses: &[&str]) -> Option<String> {
    let (first, rest) = addresses.split_first()?;
    Some(match rest.len() {
        0 => format!("`{first}`"),
        1 => format!("`{first}` (and one more)"),
        n => format!("`{first}` (and {n} more)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_addresses_are_told_once() {
        let refused = |address: &str, why: Option<&str>| Refused { address: address.into(), why: why.map(Into::into) };
        let told = [Diagnostic::warning(Code("asset/missing"), "there is no file `gone.png`")];
        let all = [
            refused("gone.png", None),
            refused("https://example.org/a.png", None),
            refused("/x/big.png", Some("too large")),
            refused("b.png", None),
        ];
        let found: Vec<_> =
            refusals(&all, &told).into_iter().map(|found| (found.code.0, found.message, found.hints.len())).collect();
        let expected = [
            ("export/unreadable", "`/x/big.png` is not in the result: too large".to_owned(), 0),
            (
                "export/refused",
                "the slides asked for `https://example.org/a.png` (and one more), and did not get it".to_owned(),
                1,
            ),
        ];
        assert_eq!(found, expected);
        assert_eq!(refusals(&all[..1], &told), []);
    }
}
