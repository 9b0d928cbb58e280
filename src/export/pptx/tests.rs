//! The parts of a PowerPoint file, read back.

use super::*;
use crate::diagnostic::Span;
use crate::export::zip::tests::parts;
use crate::render::Meta;

fn slide(title: Option<&str>, text: &str, notes: &[&str]) -> RenderedSlide {
    RenderedSlide {
        html: String::new(),
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        fragments: 0,
        title: title.map(str::to_owned),
        class: None,
        text: text.to_owned(),
        span: Span::default(),
        panels: Vec::new(),
        steps: Vec::new(),
    }
}

pub(super) fn rendered() -> Rendered {
    Rendered {
        slides: vec![
            slide(Some("A < B & \"C\""), "A < B\u{1} & C\nmore", &["say\u{b} <this>", "and\nthat"]),
            slide(None, "", &[]),
        ],
        css: String::new(),
        size: Size { width: 1280.0, height: 720.0 },
        meta: Meta { author: Some("Ä & B".into()), keywords: vec!["x".into(), "y".into()], ..Meta::default() },
        auto_scaling: false,
    }
}

fn made(with_notes: bool) -> Vec<u8> {
    let rendered = rendered();
    let mut deck = Deck::new(&rendered, "talk", with_notes);
    let links = json!([{ "x": 10, "y": 20, "width": 30, "height": 40, "slide": 2 },
                       { "x": 1, "y": 2, "width": 3, "height": 4, "href": "https://example.org/?a&b" }]);
    for slide in &rendered.slides {
        deck.slide(SlidePart { slide, picture: b"\x89PNG", links: &links, texts: &Value::Null }).unwrap();
    }
    deck.finish().unwrap()
}

/// Every element is closed in its order, and no text holds what must be written otherwise.
fn assert_well_formed(name: &str, text: &str) {
    let mut open = Vec::new();
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>").expect(name);
    while let Some((before, after)) = rest.split_once('<') {
        for entity in before.split('&').skip(1) {
            assert!(entity.split_once(';').is_some_and(|(word, _)| word.len() < 7), "{name}: {before}");
        }
        let (tag, next) = after.split_once('>').expect(name);
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split_whitespace().next().expect(name)),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: {tag}");
        rest = next;
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{name}: {open:?}");
}

/// The parts of a file, as texts: each well-formed and with a type, each relationship leading somewhere.
pub(super) fn checked(file: &[u8]) -> Vec<(String, String)> {
    let parts = parts(file);
    let texts: Vec<(String, String)> = parts
        .iter()
        .filter(|(name, _)| !name.ends_with(".png"))
        .map(|(name, content)| (name.clone(), String::from_utf8(content.clone()).unwrap().replace("&#x2f;", "/")))
        .collect();
    let types = &texts.iter().find(|(name, _)| name == "[Content_Types].xml").expect("content types").1;
    for (name, text) in &texts {
        assert_well_formed(name, text);
        let Some((folder, _)) = name.split_once("_rels/") else {
            let listed = types.contains(&format!("PartName=\"/{name}\"")) || name == "[Content_Types].xml";
            assert!(listed, "{name} has no type");
            continue;
        };
        for relationship in text.split("<Relationship ").skip(1).filter(|part| !part.contains("TargetMode")) {
            let target = relationship.split("Target=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for step in target.split('/') {
                match step {
                    ".." => path.truncate(path.len() - 1),
                    _ => path.push(step),
                }
            }
            let path = path.join("/");
            assert!(parts.iter().any(|(name, _)| *name == path), "{name}: {path}");
        }
    }
    texts
}

#[test]
fn every_part_is_well_formed_and_every_relationship_leads_somewhere() {
    for with_notes in [true, false] {
        let parts = checked(&made(with_notes));
        let noted = parts.iter().filter(|(name, _)| name.contains("notes")).count();
        assert_eq!(noted, if with_notes { 4 } else { 0 });
    }
}

#[test]
fn texts_are_where_readers_look_for_them() {
    let parts = checked(&made(true));
    let text = |name: &str| parts.iter().find(|(known, _)| known == name).expect(name).1.clone();
    let first = text("ppt/slides/slide1.xml");
    assert!(first.contains("descr=\"A &lt; B &amp; C more\""), "{first}");
    assert!(first.contains("<a:t>A &lt; B &amp; &quot;C&quot;</a:t>"), "{first}");
    assert!(first.contains("<a:off x=\"95250\" y=\"190500\"/><a:ext cx=\"285750\" cy=\"381000\"/>"), "{first}");
    assert!(text("ppt/slides/slide2.xml").contains("<a:t>Slide 2</a:t>"));
    let notes = text("ppt/notesSlides/notesSlide1.xml");
    for paragraph in ["say &lt;this&gt;", "and", "that"] {
        assert!(notes.contains(&format!("<a:t>{paragraph}</a:t>")), "{notes}");
    }
    assert!(text("docProps/core.xml").contains("<dc:creator>Ä &amp; B</dc:creator>"));
    assert!(text("ppt/presentation.xml").contains("<p:sldSz cx=\"12192000\" cy=\"6858000\"/>"));
}

#[test]
fn slides_have_a_size_that_powerpoint_knows() {
    for (width, height, expected) in [
        (1280.0, 720.0, (12_192_000, 6_858_000)),
        (10_000.0, 5000.0, (51_206_400, 25_603_200)),
        (10.0, 720.0, (914_400, 6_858_000)),
    ] {
        let frame = Frame::of(Size { width, height });
        assert_eq!((frame.width, frame.height), expected);
    }
}
