//! A folder of decks → a folder of pages with an index.

use std::collections::HashSet;
use std::path::PathBuf;

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

/// The index of a site.
///
/// # Errors
/// When the project's own template is wrong.
pub fn index(project: &Project, decks: &[(Page<'_>, &Compiled)]) -> Result<String, Error> {
    let list = decks.iter().map(|(deck, compiled)| {
        let rendered = &compiled.rendered;
        let href: Vec<String> = deck.path.iter().map(|part| markup::percent_encode(&part.to_string_lossy())).collect();
        let href = href.join("/");
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
