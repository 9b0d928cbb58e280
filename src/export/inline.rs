//! Puts the files a page names into the page.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::project::files::Reader;
use crate::project::markup::{self, Address, Attribute, Tag};
use crate::project::media::is_style_sheet;
use crate::project::{Compiled, Project, Target, lint};
use crate::render::{Rendered, template};

use super::browser::request;
use super::data;

/// A picture behind several slides is written once, as a CSS variable, when it is larger than this.
const SHARED_FROM: usize = 8 * 1024;

/// Which files go into the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those of the project and those built in.
    All,
    /// Only those built in: nobody else can serve them.
    BuiltIn,
    /// Those built in; those of the project get an address each, and are given when somebody asks for it.
    Served,
}

/// Puts files into one page.
pub(super) struct Inliner<'a> {
    project: &'a Project,
    reader: Reader<'a>,
    /// Where addresses start: first the deck's folder, for CSS also the folders of themes.
    folders: Vec<PathBuf>,
    scope: Scope,
    known: HashMap<String, Option<Rc<str>>>,
    /// How often an address stands in a `style` attribute.
    uses: HashMap<String, usize>,
    variables: BTreeMap<String, Rc<str>>,
    /// Addresses on other hosts, in the order met.
    remote: Vec<String>,
    /// Files that got an address.
    served: Vec<PathBuf>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Inliner<'a> {
    pub(super) fn new(project: &'a Project, compiled: &Compiled, scope: Scope) -> Self {
        let mut folders = vec![compiled.folder.clone()];
        let sheets = compiled.dependencies.iter().filter(|path| is_style_sheet(path));
        folders.extend(sheets.filter_map(|path| path.parent().map(Path::to_path_buf)));
        folders.dedup();
        Self {
            project,
            reader: Reader::new(project.files()),
            folders,
            scope,
            known: HashMap::new(),
            uses: HashMap::new(),
            variables: BTreeMap::new(),
            remote: Vec::new(),
            served: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// The rendering with all its files in it, and what could not be put in.
    pub(super) fn rendered(mut self, rendered: &Rendered) -> (Rendered, Vec<Diagnostic>) {
        let rendered = self.filled(rendered);
        self.tell_remote();
        (rendered, self.diagnostics)
    }

    /// The rendering with an address for each of its files, those files, and what could not be had.
    pub(super) fn served(mut self, rendered: &Rendered) -> (Rendered, Vec<PathBuf>, Vec<Diagnostic>) {
        let rendered = self.filled(rendered);
        (rendered, self.served, self.diagnostics)
    }

    fn filled(&mut self, rendered: &Rendered) -> Rendered {
        let mut rendered = rendered.clone();
        rendered.css = self.css(&rendered.css);
        if self.scope != Scope::BuiltIn {
            rendered.slides.iter().for_each(|slide| self.count(&slide.html));
            for slide in &mut rendered.slides {
                slide.html = self.html(&slide.html);
            }
            if !self.variables.is_empty() {
                let declarations = self.variables.iter().map(|(name, uri)| format!("{name}:url(\"{uri}\")"));
                let declarations: Vec<String> = declarations.collect();
                rendered.css.push_str(&format!("\n:root{{{}}}", declarations.join(";")));
            }
        }
        rendered
    }

    fn tell_remote(&mut self) {
        if let Some(first) = self.remote.first() {
            let others = match self.remote.len() - 1 {
                0 => String::new(),
                1 => " (and one more)".to_owned(),
                n => format!(" (and {n} more)"),
            };
            let message = format!("the page fetches `{first}`{others} from the network");
            let found = Diagnostic::warning(Code("asset/remote"), message);
            self.diagnostics.push(found.hint("save the files beside the deck to be independent of the network"));
        }
    }

    fn count(&mut self, html: &str) {
        for tag in markup::tags(html) {
            let Some(style) = tag.attribute("style") else { continue };
            for url in markup::css_urls(&markup::unescape(&html[style.value.clone()])) {
                *self.uses.entry(url.url).or_default() += 1;
            }
        }
    }

    fn html(&mut self, html: &str) -> String {
        let mut out = String::with_capacity(html.len());
        let mut done = 0;
        for tag in markup::tags(html) {
            for attribute in &tag.attributes {
                let written = &html[attribute.value.clone()];
                let Some(replacement) = self.attribute(&tag, attribute, written) else { continue };
                out.push_str(&html[done..attribute.range.start]);
                out.push_str(&replacement);
                done = attribute.range.end;
            }
        }
        out.push_str(&html[done..]);
        out
    }

    /// What to write in place of an attribute, when its file goes into the page.
    fn attribute(&mut self, tag: &Tag, attribute: &Attribute, written: &str) -> Option<String> {
        if written.is_empty() {
            return None;
        }
        let value = markup::unescape(written);
        let name = attribute.name.as_str();
        match (tag.name.as_str(), name) {
            (_, "style") => {
                let style = self.style(&value);
                (style != value).then(|| format!("style=\"{}\"", markup::escape(&style)))
            }
            ("img", "src") => {
                let uri = self.uri(&value, 1)?;
                Some(format!("src=\"{uri}\" data-original-src=\"{}\"", markup::escape(&value)))
            }
            ("video" | "audio" | "source" | "track" | "input" | "embed", "src")
            | ("video", "poster")
            | ("object", "data")
            | ("image", "href" | "xlink:href") => Some(format!("{name}=\"{}\"", self.uri(&value, 1)?)),
            ("img" | "source", "srcset") => {
                let candidates: Vec<String> = candidates(&value).map(|candidate| self.candidate(candidate)).collect();
                Some(format!("srcset=\"{}\"", markup::escape(&candidates.join(", "))))
            }
            _ => None,
        }
    }

    /// One `address 2x` of a `srcset`.
    fn candidate(&mut self, candidate: &str) -> String {
        let (url, size) = candidate.split_once(char::is_whitespace).unwrap_or((candidate, ""));
        let uri = self.uri(url, 1).unwrap_or_else(|| url.into());
        format!("{uri} {}", size.trim()).trim_end().to_owned()
    }

    /// A `style` attribute's text; pictures that many slides have become variables.
    fn style(&mut self, style: &str) -> String {
        replace_urls(style, |url| {
            let uri = self.uri(url, 1)?;
            if uri.len() < SHARED_FROM || self.uses.get(url).copied().unwrap_or(0) < 2 {
                return Some(format!("url(\"{uri}\")"));
            }
            let taken = self.variables.iter().find(|(_, known)| **known == uri).map(|(name, _)| name.clone());
            let name = taken.unwrap_or_else(|| format!("--foredeck-file-{}", self.variables.len() + 1));
            self.variables.insert(name.clone(), uri);
            Some(format!("var({name})"))
        })
    }

    fn css(&mut self, css: &str) -> String {
        let folders = self.folders.len();
        if self.scope == Scope::All {
            let imports = markup::css_urls(css).into_iter().filter(|url| url.import);
            self.remote.extend(imports.map(|url| url.url).filter(|url| Address::of(url) == Address::Remote));
        }
        replace_urls(css, |url| self.uri(url, folders).map(|uri| format!("url(\"{uri}\")")))
    }

    /// The `data:` address of a file, looked for in the first `folders` folders.
    fn uri(&mut self, url: &str, folders: usize) -> Option<Rc<str>> {
        if let Some(known) = self.known.get(url) {
            return known.clone();
        }
        let uri = self.read(url, folders).map(Rc::from);
        self.known.insert(url.to_owned(), uri.clone());
        uri
    }

    fn read(&mut self, url: &str, folders: usize) -> Option<String> {
        if let Some(uri) = built_in(url) {
            return Some(uri);
        }
        if self.scope == Scope::BuiltIn {
            return None;
        }
        let folders = self.folders.iter().take(folders);
        let mut targets = folders.map(|folder| self.project.target(&self.reader, folder, url));
        let first = targets.next()?;
        let target = match first {
            Target::File(_) | Target::Remote | Target::Inside | Target::Refused => first,
            Target::Missing(_) | Target::Outside(_) => {
                targets.find(|target| matches!(target, Target::File(_))).unwrap_or(first)
            }
        };
        match target {
            Target::File(path) if self.project.is_hidden(&path) => {
                self.diagnostics.push(lint::hidden(url));
                None
            }
            Target::File(path) if self.scope == Scope::Served => {
                let name = markup::percent_encode(&path.file_name().unwrap_or_default().to_string_lossy());
                self.served.push(path);
                Some(request::file(self.served.len() - 1, &name))
            }
            Target::File(path) => match self.reader.read(&path) {
                Ok(bytes) => Some(data::uri(&path, &bytes)),
                Err(error) => {
                    let message = format!("cannot read `{url}`: {error}");
                    self.diagnostics.push(Diagnostic::error(Code("export/unreadable"), message));
                    None
                }
            },
            Target::Outside(_) => {
                // Left as written, like a file that is missing: the page is whole but for this one.
                let found = lint::outside(url, &self.project.root);
                self.diagnostics.push(Diagnostic { severity: Severity::Warning, ..found });
                None
            }
            Target::Remote => {
                self.remote.push(url.to_owned());
                None
            }
            Target::Missing(_) | Target::Inside | Target::Refused => None,
        }
    }
}

/// The parts of a `srcset`: an address ends at white space, so that it may hold commas; what follows does not.
fn candidates(srcset: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || c == ',';
    let mut rest = srcset.trim_start_matches(between);
    std::iter::from_fn(move || {
        let address = rest.split_whitespace().next()?;
        let end = match address.ends_with(',') {
            true => address.len(),
            false => rest[address.len()..].find(',').map_or(rest.len(), |comma| address.len() + comma),
        };
        let candidate = rest[..end].trim_end_matches(between);
        rest = rest[end..].trim_start_matches(between);
        Some(candidate)
    })
}

/// The file inside the program that the server has below `/assets/`.
fn built_in(url: &str) -> Option<String> {
    let Address::FromRoot(path) = Address::of(url) else { return None };
    let bytes = template::asset(path.strip_prefix("assets/")?)?;
    Some(data::uri(Path::new(&path), &bytes))
}

/// The CSS text with those addresses replaced for which there is a replacement; imports stay.
fn replace_urls(css: &str, mut replacement: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(css.len());
    let mut done = 0;
    for url in markup::css_urls(css) {
        if url.import || url.url.is_empty() {
            continue;
        }
        if let Some(text) = replacement(&url.url) {
            out.push_str(&css[done..url.range.start]);
            out.push_str(&text);
            done = url.range.end;
        }
    }
    out.push_str(&css[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_srcset_may_hold_commas() {
        for (srcset, expected) in [
            ("a.png", vec!["a.png"]),
            ("a.png 1x, b.png 2x", vec!["a.png 1x", "b.png 2x"]),
            ("a.png, b.png 2x,c.png", vec!["a.png", "b.png 2x", "c.png"]),
            ("data:image/png;base64,AA 1x, /a,b.png 2x", vec!["data:image/png;base64,AA 1x", "/a,b.png 2x"]),
            (" , ", vec![]),
        ] {
            assert_eq!(candidates(srcset).collect::<Vec<_>>(), expected, "{srcset}");
        }
    }
}
