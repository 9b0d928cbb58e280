//! Tests of runs for pages that stand alone.

use std::io::Read as _;

use flate2::read::DeflateDecoder;
use jiff::Timestamp;

use super::*;
use crate::deck::{Options, parse};
use crate::diagnostic::SourceFile;
use crate::panel::state::{Mark, Row, Table};
use crate::recording::write::Writer;
use crate::recording::{Head, What};
use crate::render::{RenderOptions, render};
use crate::theme::ThemeSet;

const DECK: &str =
    "# A\n\n```sh {run name=add}\ntrue\n```\n\n```panel pods\nx\n```\n\n---\n\n```panel terminal name=main\nx\n```\n";

fn slides() -> Vec<RenderedSlide> {
    let deck = parse(&SourceFile::new("d.md", DECK), &Options::default()).value;
    render(&deck, &ThemeSet::builtin(), &RenderOptions::default()).value.slides
}

fn pods(age: u32) -> Value {
    let cells = vec!["podinfo😀".to_owned(), format!("{age}s")];
    let row = Row { key: "podinfo".into(), cells, mark: Mark::Good, group: None };
    let table = Table { columns: vec!["NAME".into(), "AGE".into()], rows: vec![row], more: 0, empty: String::new() };
    json!(PanelState::good("pods", Body::Table(table), Timestamp::UNIX_EPOCH))
}

fn run() -> Arc<Recording> {
    let head = Head { foredeck: String::new(), what: What::Rehearsal, started_ms: 0, decks: vec!["d".into()] };
    let mut writer = Writer::new(&head, Default::default(), 1 << 20);
    let step = |state: &str| json!({ "deck": "d", "name": "add", "slide": 0, "state": state, "took_ms": null });
    writer.set(0, "position", json!({ "deck": "d", "slide": 0 }));
    writer.set(5, &panel_cell("pods"), json!(PanelState::waiting("pods")));
    writer.set(100, &step_cell("d", "add"), step("running"));
    for age in 0..40 {
        writer.set(200 + age * 100, &panel_cell("pods"), pods(age));
    }
    writer.set(4300, &step_cell("d", "add"), step("passed"));
    writer.set(5000, "position", json!({ "deck": "d", "slide": 1 }));
    writer.set(5000, &terminal_cell("main"), json!({ "columns": 80, "rows": 24 }));
    writer.anew(5000, "main");
    writer.text(5001, "main", "$ ls\r\n");
    writer.text(5002, "other", "not on any slide");
    let mut bytes = writer.take();
    bytes.extend(writer.finish(6000, Vec::new(), 0));
    Arc::new(Recording::open(bytes).expect("a run"))
}

fn made(budget: usize) -> (Film, Value) {
    let film = film(&run(), "d", &slides(), &Templates::new(|_| None), "rehearsal 14:02", budget);
    let film = film.expect("the template is sound").expect("something is shown");
    let mut text = String::new();
    DeflateDecoder::new(&film.packed[..]).read_to_string(&mut text).expect("deflated");
    (film, serde_json::from_str(&text).expect("JSON"))
}

/// As the page puts pictures together.
fn pictures(document: &Value) -> Vec<(u64, String)> {
    let mut html: Vec<u16> = Vec::new();
    let list = document["panels"]["pods"].as_array().expect("pictures").iter().map(|picture| {
        html = match &picture[1] {
            Value::String(whole) => whole.encode_utf16().collect(),
            change => {
                let number = |index: usize| usize::try_from(change[index].as_u64().expect("a number")).expect("small");
                let middle = change[2].as_str().expect("a text").encode_utf16();
                html[..number(0)].iter().copied().chain(middle).chain(html[html.len() - number(1)..].to_vec()).collect()
            }
        };
        (picture[0].as_u64().expect("a time"), String::from_utf16(&html).expect("a text"))
    });
    list.collect()
}

#[test]
fn a_page_gets_what_its_panels_showed() {
    let (film, document) = made(1 << 20);
    assert_eq!((film.pictures, film.left_out, film.terminals), (40, 0, true));
    let pictures = pictures(&document);
    assert_eq!(pictures.len(), 40);
    for (age, (at, html)) in (0..40).zip(&pictures) {
        assert_eq!(*at, 200 + age * 100);
        assert!(html.contains("podinfo😀") && html.contains(&format!("<td>{age}s</td>")), "{html}");
    }
    assert_eq!(document["terminals"], json!({ "main": [[5000, [80, 24]], [5000, null], [5001, "$ ls\r\n"]] }));
    assert_eq!(document["steps"], json!({ "add": [[100, "running", null], [4300, "passed", null]] }));
    assert_eq!(document["marks"], json!({ "add": { "from": 100, "to": 4300, "passed": true } }));
    assert_eq!(document["slides"], json!([[100, 6000], [5000, 6000]]));
}

#[test]
fn a_film_that_is_too_large_is_thinned_out_and_ends_alike() {
    let (film, document) = made(10);
    let pictures = pictures(&document);
    assert!(film.pictures < 5 && film.left_out > 30, "{film:?}");
    assert!(pictures.last().expect("one").1.contains("<td>39s</td>"), "the last picture is always there");
    assert!(pictures[0].1.contains("<td>0s</td>"));
}

#[test]
fn nothing_of_another_deck_is_shown() {
    let film = film(&run(), "d", &[], &Templates::new(|_| None), "x", 1 << 20);
    assert_eq!(film.expect("no template is needed"), None);
}
