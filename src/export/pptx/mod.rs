//! A deck as a PowerPoint file: a picture for each slide, with its title, its text for screen readers, its links and,
//! when asked for, its notes.

mod link;
mod text;

use serde_json::{Value, json};

use crate::diagnostic::{Code, Diagnostic};
use crate::render::{Rendered, RenderedSlide, page, template};
use crate::theme::Size;

use super::Error;
use super::zip::Archive;
use link::{Link, links};

/// EMU, the unit of these files, for a CSS pixel.
const EMU: f64 = 9525.0;
/// PowerPoint knows no slide that is wider or higher: 56 inches.
const LARGEST: f64 = 51_206_400.0;
/// Nor one that is narrower or lower: one inch.
const SMALLEST: f64 = 914_400.0;
/// The longest text that stands for a picture.
const LONGEST_TEXT: usize = 4000;
/// The day all files are from, when nobody says another.
const DATE: &str = "1980-01-01T00:00:00Z";

const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/";

/// What goes into a slide.
pub(super) struct SlidePart<'a> {
    /// The slide.
    pub(super) slide: &'a RenderedSlide,
    /// Its picture, a PNG.
    pub(super) picture: &'a [u8],
    /// What the page told of its links.
    pub(super) links: &'a Value,
    /// The texts that it gave away; null when they are in the picture.
    pub(super) texts: &'a Value,
}

/// A file that is being made, slide by slide.
pub(super) struct Deck<'a> {
    archive: Archive,
    rendered: &'a Rendered,
    name: &'a str,
    with_notes: bool,
    frame: Frame,
    /// The numbers of the slides that have a part with notes.
    notes: Vec<usize>,
    slides: usize,
}

/// The size of slides in the file, and what a CSS pixel is there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Frame {
    width: u64,
    height: u64,
    unit: f64,
}

impl Frame {
    fn of(size: Size) -> Self {
        let longest = size.width.max(size.height).max(1.0);
        let unit = if longest * EMU > LARGEST { LARGEST / longest } else { EMU };
        let length = |pixels: f64| whole((pixels * unit).max(SMALLEST));
        Self { width: length(size.width), height: length(size.height), unit }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` keeps within the type's bounds")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// A relationship of a part to another, or to an address.
fn relationship(id: usize, kind: &str, target: &str, external: bool) -> Value {
    let base = if kind == "core-properties" { PACKAGE } else { RELATIONSHIPS };
    json!({ "id": format!("rId{id}"), "type": format!("{base}{kind}"), "target": target, "external": external })
}

/// The part of a slide that a link covers.
fn area(frame: Frame, link: &Link, relationship: &str) -> Value {
    let length = |pixels: f64| whole(pixels.max(0.0) * frame.unit);
    json!({
        "relationship": relationship,
        "inside": matches!(link.target, link::Target::Slide(_)),
        "x": length(link.x), "y": length(link.y),
        "width": length(link.width), "height": length(link.height),
    })
}

impl<'a> Deck<'a> {
    pub(super) fn new(rendered: &'a Rendered, name: &'a str, with_notes: bool) -> Self {
        let frame = Frame::of(rendered.size);
        Self { archive: Archive::default(), rendered, name, with_notes, frame, notes: Vec::new(), slides: 0 }
    }

    /// Adds the next slide.
    pub(super) fn slide(&mut self, part: SlidePart<'_>) -> Result<(), Error> {
        self.slides += 1;
        let number = self.slides;
        self.archive.stored(&format!("ppt/media/slide{number}.png"), part.picture)?;
        let note = part.slide.notes.join("\n\n");
        let has_note = self.with_notes && !note.is_empty();
        let mut relationships = vec![
            relationship(1, "slideLayout", "../slideLayouts/slideLayout1.xml", false),
            relationship(2, "image", &format!("../media/slide{number}.png"), false),
        ];
        if has_note {
            let target = format!("../notesSlides/notesSlide{number}.xml");
            relationships.push(relationship(3, "notesSlide", &target, false));
        }
        let slides = self.rendered.slides.len();
        let mut link = |target: link::Target| {
            let id = relationships.len() + 1;
            match link::kept(target, slides) {
                Some(link::Target::Slide(number)) => {
                    relationships.push(relationship(id, "slide", &format!("slide{number}.xml"), false));
                }
                Some(link::Target::Address(address)) => {
                    relationships.push(relationship(id, "hyperlink", &address, true));
                }
                None => return String::new(),
            }
            format!("rId{id}")
        };
        let texts = text::shapes(&text::texts(part.texts), self.frame, &mut link);
        let areas: Vec<Value> = links(part.links, slides)
            .into_iter()
            .map(|found| area(self.frame, &found, &link(found.target.clone())))
            .collect();
        let titled = texts.iter().any(|text| text["title"].as_bool() == Some(true));
        let title = part.slide.title.clone().filter(|title| !title.is_empty());
        let title = title.unwrap_or_else(|| format!("Slide {number}"));
        let context = json!({
            "number": number,
            "title": clean(&title),
            "description": description(part.slide),
            "width": self.frame.width,
            "height": self.frame.height,
            "links": areas,
            "texts": texts,
            "titled": titled,
        });
        self.xml(&format!("ppt/slides/slide{number}.xml"), "slide.xml", &context)?;
        self.relationships(&format!("ppt/slides/_rels/slide{number}.xml.rels"), relationships)?;
        if has_note {
            self.note(number, &note)?;
        }
        Ok(())
    }

    fn note(&mut self, number: usize, note: &str) -> Result<(), Error> {
        self.notes.push(number);
        let paragraphs: Vec<String> = note.lines().map(clean).collect();
        let context = json!({ "paragraphs": paragraphs, "number": number });
        self.xml(&format!("ppt/notesSlides/notesSlide{number}.xml"), "notes.xml", &context)?;
        let relationships = vec![
            relationship(1, "notesMaster", "../notesMasters/notesMaster1.xml", false),
            relationship(2, "slide", &format!("../slides/slide{number}.xml"), false),
        ];
        self.relationships(&format!("ppt/notesSlides/_rels/notesSlide{number}.xml.rels"), relationships)
    }

    /// The finished file.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Error> {
        let meta = &self.rendered.meta;
        let facts = json!({
            "title": clean(page::title(self.rendered, self.name)),
            "author": clean(meta.author.as_deref().unwrap_or_default()),
            "description": clean(meta.description.as_deref().unwrap_or_default()),
            "keywords": clean(&meta.keywords.join(", ")),
            "language": clean(meta.lang.as_deref().unwrap_or("en")),
            "date": DATE,
            "slides": self.slides,
            "notes": self.notes,
            "width": self.frame.width,
            "height": self.frame.height,
            "version": env!("CARGO_PKG_VERSION"),
        });
        for (path, name) in [
            ("[Content_Types].xml", "content-types.xml"),
            ("docProps/core.xml", "core.xml"),
            ("docProps/app.xml", "app.xml"),
            ("ppt/presentation.xml", "presentation.xml"),
            ("ppt/slideMasters/slideMaster1.xml", "master.xml"),
            ("ppt/slideLayouts/slideLayout1.xml", "layout.xml"),
            ("ppt/theme/theme1.xml", "theme.xml"),
        ] {
            self.xml(path, name, &facts)?;
        }
        self.relationships(
            "_rels/.rels",
            vec![
                relationship(1, "officeDocument", "ppt/presentation.xml", false),
                relationship(2, "core-properties", "docProps/core.xml", false),
                relationship(3, "extended-properties", "docProps/app.xml", false),
            ],
        )?;
        self.relationships(
            "ppt/slideMasters/_rels/slideMaster1.xml.rels",
            vec![
                relationship(1, "slideLayout", "../slideLayouts/slideLayout1.xml", false),
                relationship(2, "theme", "../theme/theme1.xml", false),
            ],
        )?;
        self.relationships(
            "ppt/slideLayouts/_rels/slideLayout1.xml.rels",
            vec![relationship(1, "slideMaster", "../slideMasters/slideMaster1.xml", false)],
        )?;
        let mut parts = vec![
            relationship(1, "slideMaster", "slideMasters/slideMaster1.xml", false),
            relationship(2, "theme", "theme/theme1.xml", false),
        ];
        if !self.notes.is_empty() {
            parts.push(relationship(3, "notesMaster", "notesMasters/notesMaster1.xml", false));
            self.xml("ppt/notesMasters/notesMaster1.xml", "notes-master.xml", &facts)?;
            self.xml("ppt/theme/theme2.xml", "theme.xml", &facts)?;
            let theme = vec![relationship(1, "theme", "../theme/theme2.xml", false)];
            self.relationships("ppt/notesMasters/_rels/notesMaster1.xml.rels", theme)?;
        }
        // The numbers of slides start where the template's do.
        let slides = (1..=self.slides)
            .map(|number| relationship(number + 3, "slide", &format!("slides/slide{number}.xml"), false));
        parts.extend(slides);
        self.relationships("ppt/_rels/presentation.xml.rels", parts)?;
        Ok(self.archive.finish()?)
    }

    fn xml(&mut self, path: &str, name: &str, context: &Value) -> Result<(), Error> {
        let text = template::office(name, context)?;
        Ok(self.archive.deflated(path, text.as_bytes())?)
    }

    fn relationships(&mut self, path: &str, list: Vec<Value>) -> Result<(), Error> {
        self.xml(path, "relationships.xml", &json!({ "relationships": list }))
    }
}

/// What a screen reader reads in place of the picture.
fn description(slide: &RenderedSlide) -> String {
    let text = clean(&slide.text.split_whitespace().collect::<Vec<_>>().join(" "));
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Without the characters that XML has no way to write.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\t' | '\n' | '\r') || (*c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')))
        .collect()
}

/// Says that notes are not in the file.
pub(super) fn notes_left_out() -> Diagnostic {
    let message = "the deck's presenter notes are not in the file: whoever gets it could read them";
    Diagnostic::warning(Code("export/notes-left-out"), message).hint("`--with-notes` puts them in")
}

#[cfg(test)]
mod tests;
