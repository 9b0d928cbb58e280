//! A folder of decks → a folder of their files with an index.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::project::{Compiled, DeckEntry, Project, markup};
use crate::render::page;

use super::{Error, html};

/// A deck of the site and where its page is, below the site's folder.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The deck.
    pub entry: &'a DeckEntry,
    /// Its page: the slug with `.html`.
    pub path: PathBuf,
}

/// Where the pages of a project's decks go. A deck called `index` makes way for the index.
pub fn pages<'a>(project: &'a Project, extension: &str) -> Vec<Page<'a>> {
    let mut taken: HashSet<PathBuf> = HashSet::new();
    taken.insert(PathBuf::from(format!("index.{extension}")));
    let mut pages = Vec::new();
    for entry in &project.decks {
        let mut path = PathBuf::from(format!("{}.{extension}", entry.slug));
        let mut number = 2;
        while !taken.insert(path.clone()) {
            path = PathBuf::from(format!("{}-{number}.{extension}", entry.slug));
            number += 1;
        }
        pages.push(Page { entry, path });
    }
    pages
}

/// What the index lists of a deck: its page, else the first of the others that is there.
const LISTED: [(&str, &str); 3] = [("html", "Page"), ("pdf", "PDF"), ("pptx", "PowerPoint")];
/// What tells our index from others.
const MARK: &str = "<meta name=\"generator\" content=\"foredeck\">";

/// Whether a page is such an index, and may be made anew.
pub fn is_index(page: &str) -> bool {
    page.contains(MARK)
}

/// The index of a site's folder: of every deck, all that lies there by now.
///
/// # Errors
/// When the project's own template is wrong.
pub fn index(project: &Project, folder: &Path, decks: &[(Page<'_>, &Compiled)]) -> Result<String, Error> {
    let list = decks.iter().map(|(deck, compiled)| {
        let rendered = &compiled.rendered;
        let there = LISTED.iter().map(|(extension, name)| (deck.path.with_extension(extension), name));
        let mut there = there.filter(|(path, _)| folder.join(path).is_file()).map(|(path, name)| {
            let href: Vec<String> = path.iter().map(|part| markup::percent_encode(&part.to_string_lossy())).collect();
            (href.join("/"), *name)
        });
        let (href, _) = there.next().unwrap_or_default();
        let more: Vec<_> = there.map(|(href, name)| json!({ "href": href, "name": name })).collect();
        json!({
            "slug": deck.entry.slug,
            "title": page::title(rendered, &deck.entry.slug),
            "description": rendered.meta.description,
            "theme": rendered.meta.theme,
            "slides": rendered.slides.len(),
            "duration": page::planned_minutes(rendered),
            "thumbnail_html": "",
            "css_href": format!("{href}?view=next"),
            "href": href,
            "files": more,
        })
    });
    let name = project.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let context = json!({
        "title": name,
        "lang": "en",
        "version": env!("CARGO_PKG_VERSION"),
        "role": "viewer",
        "boot": { "mode": "file", "role": "viewer" },
        "decks": list.collect::<Vec<_>>(),
        "inline": html::player_files(),
    });
    html::template(project, "index.html", &context)
}
