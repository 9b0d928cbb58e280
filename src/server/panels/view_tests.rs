//! Tests of what panels look like as HTML.

use jiff::Timestamp;

use super::*;
use crate::panel::state::{Choice, DiffLine, Fact, Moment, Node, Point, Row, Series};

fn html(body: Body) -> String {
    let state = PanelState::good("t", body, Timestamp::UNIX_EPOCH);
    let templates = Templates::new(|_| None);
    frame(&templates, "k", &state).expect("the template is sound").html.expect("something is shown").replace('\n', "")
}

fn row(cells: [&str; 2], mark: Mark, group: Option<&str>) -> Row {
    Row { key: cells[0].to_owned(), cells: cells.map(str::to_owned).to_vec(), mark, group: group.map(str::to_owned) }
}

fn table(rows: Vec<Row>, more: usize) -> Table {
    Table { columns: ["NAME", "STATUS"].map(str::to_owned).to_vec(), rows, more, empty: "No pods.".to_owned() }
}

fn fact() -> Fact {
    Fact { label: "state".to_owned(), value: "in sync".to_owned(), mark: Mark::Good }
}

#[test]
fn tables_have_a_column_of_signs_when_there_are_any() {
    assert_eq!(html(Body::Table(table(Vec::new(), 0))), "<p class=\"fd-empty\">No pods.</p>");
    assert_eq!(
        html(Body::Table(table(vec![row(["a<b", "ok"], Mark::Plain, None)], 0))),
        "<table><thead><tr><th>NAME</th><th>STATUS</th></tr></thead><tbody>\
         <tr data-key=\"a&lt;b\" data-mark=\"plain\"><td class=\"fd-wide fd-clip\">a&lt;b</td><td>ok</td></tr>\
         </tbody></table>"
    );
    let rows = vec![row(["a", "CrashLoop"], Mark::Bad, Some("one")), row(["b", "ok"], Mark::Good, Some("one"))];
    assert_eq!(
        html(Body::Table(table(rows, 3))),
        "<table><thead><tr><th class=\"fd-sign\"></th><th>NAME</th><th>STATUS</th></tr></thead><tbody>\
         <tr class=\"fd-rows\"><th colspan=\"3\">one</th></tr>\
         <tr data-key=\"a\" data-mark=\"bad\"><td class=\"fd-sign\">\
         <span class=\"fd-mark\" data-mark=\"bad\" aria-hidden=\"true\">✗</span></td>\
         <td>a</td><td class=\"fd-wide fd-clip\">CrashLoop</td></tr>\
         <tr data-key=\"b\" data-mark=\"good\"><td class=\"fd-sign\">\
         <span class=\"fd-mark\" data-mark=\"good\" aria-hidden=\"true\">✓</span></td>\
         <td>b</td><td class=\"fd-wide fd-clip\">ok</td></tr>\
         </tbody></table><p class=\"fd-more\">+3 more</p>"
    );
}

#[test]
fn facts_stand_above_their_table() {
    let body = Body::Facts { facts: vec![fact()], table: Some(table(Vec::new(), 0)) };
    assert_eq!(
        html(body),
        "<dl class=\"fd-facts\"><div data-key=\"fact state\" data-mark=\"good\"><dt>state</dt><dd class=\"fd-clip\">\
         <span class=\"fd-mark\" data-mark=\"good\" aria-hidden=\"true\">✓</span>in sync</dd></div>\
         </dl><p class=\"fd-empty\">No pods.</p>"
    );
}

#[test]
fn moments_say_how_long_they_took() {
    let moment = |key: &str, seconds| Moment {
        key: key.to_owned(),
        at: Timestamp::UNIX_EPOCH,
        what: "sync".to_owned(),
        text: key.to_owned(),
        seconds,
        mark: Mark::Plain,
    };
    let drawn =
        html(Body::Timeline { moments: vec![moment("a", None), moment("b", Some(0.04)), moment("c", Some(12.3))] });
    let item = |key: &str, took: &str| {
        format!(
            "<li data-key=\"{key}\" data-mark=\"plain\"><time datetime=\"1970-01-01T00:00:00Z\">00:00:00</time>\
             <span class=\"fd-what\" data-what=\"sync\">sync</span><span class=\"fd-text fd-clip\">{key}</span>{took}</li>"
        )
    };
    let took = |text: &str| format!("<span class=\"fd-seconds\">{text}</span>");
    let items = [item("a", ""), item("b", &took("0.04 s")), item("c", &took("12 s"))].concat();
    assert_eq!(drawn, format!("<ol class=\"fd-moments\">{items}</ol>"));
}

#[test]
fn trees_and_comparisons_keep_their_signs() {
    let node = Node {
        key: "a".to_owned(),
        last: vec![true],
        name: "pod".to_owned(),
        detail: "Running".to_owned(),
        mark: Mark::Plain,
    };
    assert_eq!(
        html(Body::Tree { nodes: vec![node], more: 1 }),
        "<ul class=\"fd-tree\"><li data-key=\"a\" data-mark=\"plain\"><span class=\"fd-branches\" aria-hidden=\"true\">\
         └─</span><span class=\"fd-name\">pod</span><span class=\"fd-detail fd-clip\">Running</span></li>\
         </ul><p class=\"fd-more\">+1 more</p>"
    );
    let line = |sign, text: &str| DiffLine { sign, text: text.to_owned() };
    assert_eq!(
        html(Body::Diff {
            lines: vec![line('@', "h"), line('+', "a"), line('-', "b"), line(' ', "c")],
            empty: String::new()
        }),
        "<ol class=\"fd-diff\"><li data-sign=\"@\"><span>@</span><span class=\"fd-clip\">h</span></li>\
         <li data-sign=\"+\"><span>+</span><ins class=\"fd-clip\">a</ins></li>\
         <li data-sign=\"-\"><span>-</span><del class=\"fd-clip\">b</del></li>\
         <li data-sign=\" \"><span> </span><span class=\"fd-clip\">c</span></li></ol>"
    );
}

#[test]
fn pictures_are_said_in_words_too() {
    let series = Series {
        name: "weight".to_owned(),
        unit: "%".to_owned(),
        points: vec![Point { x: 0.0, y: 0.0 }, Point { x: 1.0, y: 50.0 }],
    };
    let chart = html(Body::Chart { facts: vec![fact()], series: vec![series] });
    assert!(chart.contains("role=\"img\" aria-label=\"weight: 50%\""), "{chart}");
    assert!(chart.contains("<path class=\"fd-line\" data-line=\"0\" d=\"M"), "{chart}");
    let code = html(Body::Qr { text: "https://a.example/?a&b".to_owned() });
    assert!(
        code.contains("<div class=\"fd-qr\"><svg") && code.contains("?a&amp;b</p>") && !code.contains("<?xml"),
        "{code}"
    );
    assert!(
        html(Body::Qr { text: "x".repeat(5000) }).starts_with("<p class=\"fd-qr-text\">xxx"),
        "too long for a code"
    );
}

#[test]
fn polls_are_buttons_with_their_votes() {
    let choice = |text: &str, votes| Choice { text: text.to_owned(), votes };
    let poll = |question: &str| {
        let choices = vec![choice("push", Some(0)), choice("pull", Some(2))];
        html(Body::Poll { question: question.to_owned(), choices, voted: 2 })
    };
    let button = |index: usize, text: &str, votes: u32| {
        format!(
            "<li><button type=\"button\" data-choice=\"{index}\"><span class=\"fd-text\">{text}</span>\
             <span class=\"fd-votes\">{votes}</span><progress max=\"2\" value=\"{votes}\" aria-hidden=\"true\">\
             </progress></button></li>"
        )
    };
    let choices = format!("<ol class=\"fd-choices\">{}{}</ol>", button(0, "push", 0), button(1, "pull", 2));
    assert_eq!(poll("Which?"), format!("<p class=\"fd-question\">Which?</p>{choices}"));
    assert_eq!(poll("t"), choices, "the title bar asks already");
    let hidden = html(Body::Poll { question: "t".to_owned(), choices: vec![choice("push", None)], voted: 1 });
    assert_eq!(
        hidden,
        "<ol class=\"fd-choices\"><li><button type=\"button\" data-choice=\"0\"><span class=\"fd-text\">push</span>\
         </button></li></ol><p class=\"fd-more\">1 vote so far</p>"
    );
}

#[test]
fn nothing_to_show_is_said() {
    for body in [
        Body::Lines { lines: Vec::new() },
        Body::Timeline { moments: Vec::new() },
        Body::Tree { nodes: Vec::new(), more: 0 },
        Body::Chart { facts: Vec::new(), series: Vec::new() },
    ] {
        assert_eq!(html(body), "<p class=\"fd-empty\">Nothing yet.</p>");
    }
}

#[test]
fn a_panel_without_news_has_no_html() {
    let templates = Templates::new(|_| None);
    let state = PanelState::waiting("t").failing("why");
    let frame = frame(&templates, "k", &state).expect("nothing to draw");
    assert_eq!(serde_json::to_value(&frame).expect("JSON"), json!({ "key": "k", "html": null, "stale": true }));
    let told = serde_json::to_value(frame.for_speaker(&state)).expect("JSON");
    assert_eq!(told, json!({ "key": "k", "html": null, "stale": true, "problem": "why" }));
}
