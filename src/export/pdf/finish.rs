//! What a browser's PDF lacks: facts about the document, an outline, notes, and links that stay relative.

use super::file::File;
use super::object::{Dictionary, Object};
use super::outline::Entry;
use crate::export::browser::request;

/// Points for a CSS pixel.
const POINTS: f64 = 0.75;
/// The side of a note's icon, in points.
const ICON: usize = 20;

/// What is put into a printed file.
#[derive(Debug, Clone, Default)]
pub(super) struct Extras {
    pub(super) title: String,
    pub(super) author: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) keywords: Vec<String>,
    pub(super) outline: Vec<Entry>,
    /// The notes of each page, for those that get an annotation.
    pub(super) notes: Vec<String>,
    /// The height of a page in CSS pixels.
    pub(super) height: f64,
}

/// A printed file, finished.
pub(super) struct Finished {
    pub(super) bytes: Vec<u8>,
    pub(super) pages: usize,
}

/// Finishes a printed file; `None` when it is not written as Chromium writes files.
pub(super) fn finish(printed: Vec<u8>, extras: &Extras) -> Option<Finished> {
    let mut file = File::read(printed)?;
    let pages = file.pages()?;
    facts(&mut file, extras)?;
    links(&mut file);
    for (page, note) in pages.iter().zip(&extras.notes).filter(|(_, note)| !note.is_empty()) {
        annotate(&mut file, *page, note, extras.author.as_deref())?;
    }
    catalogue(&mut file, &pages, extras)?;
    Some(Finished { pages: pages.len(), bytes: file.written() })
}

fn facts(file: &mut File, extras: &Extras) -> Option<()> {
    let number = file.info()?;
    let mut info = file.dictionary(number)?;
    info.set("Title", Object::words(&extras.title));
    info.set("Creator", Object::words(concat!("foredeck ", env!("CARGO_PKG_VERSION"))));
    let keywords = (!extras.keywords.is_empty()).then(|| extras.keywords.join("; "));
    for (key, value) in [("Author", &extras.author), ("Subject", &extras.subject), ("Keywords", &keywords)] {
        if let Some(value) = value {
            info.set(key, Object::words(value));
        }
    }
    file.replace(number, info);
    Some(())
}

/// A reader opens a relative link beside the file it reads.
fn links(file: &mut File) {
    let host = format!("({}", request::HOST);
    for number in file.holding(host.as_bytes()) {
        let Some(mut annotation) = file.dictionary(number) else { continue };
        let Some(Object::Dictionary(mut action)) = annotation.get("A").cloned() else { continue };
        let Some(Object::Text(raw)) = action.get("URI") else { continue };
        // As written: what is escaped in it stays so.
        let Some(url) = std::str::from_utf8(raw).ok().and_then(|raw| raw.strip_prefix('(')) else { continue };
        let Some(relative) = request::relative(url) else { continue };
        action.set("URI", Object::Text(format!("({relative}").into_bytes()));
        annotation.set("A", Object::Dictionary(action));
        file.replace(number, annotation);
    }
}

fn annotate(file: &mut File, page: u32, note: &str, author: Option<&str>) -> Option<()> {
    let rectangle = [0, 0, ICON, ICON].map(Object::integer).to_vec();
    let yellow = [1.0, 0.92, 0.42].map(Object::real).to_vec();
    let mut annotation = Dictionary::default()
        .with("Type", Object::name("Annot"))
        .with("Subtype", Object::name("Text"))
        .with("Name", Object::name("Note"))
        .with("Rect", Object::Array(rectangle))
        .with("C", Object::Array(yellow))
        .with("CA", Object::real(0.25))
        // Neither zoomed nor turned with the page, and not on paper.
        .with("F", Object::integer(24))
        .with("P", Object::Reference(page))
        .with("Contents", Object::words(note));
    if let Some(author) = author {
        annotation.set("T", Object::words(author));
    }
    let number = file.add(annotation);
    let mut dictionary = file.dictionary(page)?;
    let mut annotations = match dictionary.get("Annots") {
        Some(Object::Array(annotations)) => annotations.clone(),
        Some(Object::Reference(number)) => match file.object(*number)? {
            Object::Array(annotations) => annotations,
            _ => return None,
        },
        _ => Vec::new(),
    };
    annotations.push(Object::Reference(number));
    dictionary.set("Annots", Object::Array(annotations));
    file.replace(page, dictionary);
    Some(())
}

/// The outline, and what a reader shows at first.
fn catalogue(file: &mut File, pages: &[u32], extras: &Extras) -> Option<()> {
    let root = file.root()?;
    let mut catalogue = file.dictionary(root)?;
    let shown = Dictionary::default().with("DisplayDocTitle", Object::Plain("true".to_owned()));
    catalogue.set("ViewerPreferences", Object::Dictionary(shown));
    if !extras.outline.is_empty() {
        let outline = file.reserve();
        let mut dictionary = Dictionary::default().with("Type", Object::name("Outlines"));
        let count = branch(file, &mut dictionary, outline, &extras.outline, pages, extras.height);
        dictionary.set("Count", Object::integer(count));
        file.replace(outline, dictionary);
        catalogue.set("Outlines", Object::Reference(outline));
        catalogue.set("PageMode", Object::name("UseOutlines"));
    }
    file.replace(root, catalogue);
    Some(())
}

/// Writes entries below a parent, and says how many there are with all that is below them.
fn branch(
    file: &mut File,
    parent: &mut Dictionary,
    parent_number: u32,
    entries: &[Entry],
    pages: &[u32],
    height: f64,
) -> usize {
    let numbers: Vec<u32> = entries.iter().map(|_| file.reserve()).collect();
    let mut count = entries.len();
    for (index, entry) in entries.iter().enumerate() {
        let Some(&number) = numbers.get(index) else { continue };
        let mut item = Dictionary::default()
            .with("Title", Object::words(&entry.title))
            .with("Parent", Object::Reference(parent_number));
        if let Some(&page) = pages.get(entry.page) {
            let top = Object::real((height - entry.top.unwrap_or(0.0)) * POINTS);
            let place = vec![Object::Reference(page), Object::name("XYZ"), Object::null(), top, Object::null()];
            item.set("Dest", Object::Array(place));
        }
        let before = index.checked_sub(1).and_then(|before| numbers.get(before));
        for (key, neighbour) in [("Prev", before), ("Next", numbers.get(index + 1))] {
            if let Some(&neighbour) = neighbour {
                item.set(key, Object::Reference(neighbour));
            }
        }
        if entry.bold {
            item.set("F", Object::integer(2));
        }
        if !entry.below.is_empty() {
            let below = branch(file, &mut item, number, &entry.below, pages, height);
            item.set("Count", Object::integer(below));
            count += below;
        }
        file.replace(number, item);
    }
    if let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) {
        parent.set("First", Object::Reference(first));
        parent.set("Last", Object::Reference(last));
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::made_of;
    use super::*;

    fn printed() -> Vec<u8> {
        made_of(&[
            "<</Type /Catalog\n/Pages 3 0 R\n/Lang (en)>>",
            "<</Producer (Skia/PDF m156)\n/Title (x)>>",
            "<</Kids [4 0 R 5 0 R]>>",
            "<</Type /Page\n/Annots [6 0 R]>>",
            "<</Type /Page>>",
            "<</A <</S /URI\n/URI (https://foredeck.invalid/d/d/d/d/d/d/d/d/other.html)>>>>",
        ])
    }

    #[test]
    fn facts_links_notes_and_outline_go_in() {
        let entry = |title: &str, page, below| Entry { title: title.into(), page, top: Some(20.0), bold: true, below };
        let extras = Extras {
            title: "Größe".into(),
            author: Some("A".into()),
            keywords: vec!["a".into(), "b".into()],
            outline: vec![entry("One", 0, vec![entry("Two", 1, vec![])]), entry("Three", 9, vec![])],
            notes: vec!["say (this)".into(), String::new()],
            height: 720.0,
            ..Extras::default()
        };
        let finished = finish(printed(), &extras).unwrap();
        assert_eq!(finished.pages, 2);
        let file = File::read(finished.bytes).unwrap();
        let text = |number| {
            let mut out = Vec::new();
            file.object(number).unwrap().write(&mut out);
            String::from_utf8(out).unwrap().replace('\n', " ")
        };
        assert_eq!(
            [1, 2, 4, 6].map(text),
            [
                "<</Type /Catalog /Pages 3 0 R /Lang (en) /ViewerPreferences <</DisplayDocTitle true>> /Outlines 8 0 R /PageMode /UseOutlines>>",
                "<</Producer (Skia/PDF m156) /Title <FEFF0047007200F600DF0065> /Creator (foredeck 0.1.0) /Author (A) /Keywords (a; b)>>",
                "<</Type /Page /Annots [6 0 R 7 0 R]>>",
                "<</A <</S /URI /URI (other.html)>>>>",
            ]
        );
        assert_eq!(
            [7, 8, 9, 10, 11].map(text),
            [
                "<</Type /Annot /Subtype /Text /Name /Note /Rect [0 0 20 20] /C [1 0.92 0.42] /CA 0.25 /F 24 /P 4 0 R /Contents (say \\(this\\)) /T (A)>>",
                "<</Type /Outlines /First 9 0 R /Last 10 0 R /Count 3>>",
                "<</Title (One) /Parent 8 0 R /Dest [4 0 R /XYZ null 525 null] /Next 10 0 R /F 2 /First 11 0 R /Last 11 0 R /Count 1>>",
                "<</Title (Three) /Parent 8 0 R /Prev 9 0 R /F 2>>",
                "<</Title (Two) /Parent 9 0 R /Dest [5 0 R /XYZ null 525 null] /F 2>>",
            ]
        );
    }

    #[test]
    fn a_file_of_another_kind_is_left_alone() {
        assert!(finish(b"%PDF-1.7 with an xref stream".to_vec(), &Extras::default()).is_none());
    }
}
