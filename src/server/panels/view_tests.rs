//! Tests of what panels look like as HTML.

use jiff::Timestamp;

use super::*;
use crate::panel::state::{Choice, DiffLine, Fact, Line, Moment, Node, Point, Row, Series};

fn html(body: Body) -> String {
    let state = PanelState::good("t", body, Timestamp::UNIX_EPOCH);
    let templates = Templates::new(|_| None);
    frame(&templates, "k", &state).expect("the template is sound").html.expect("something is shown")
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
        "<table><thead><tr><th>NAME</th><th>STATUS</th></tr></thead><tbody>\n\
         <tr data-key=\"a&lt;b\" data-mark=\"plain\"><td class=\"fd-wide fd-clip\">a&lt;b</td><td>ok</td></tr>\n\
         </tbody></table>"
    );
    let rows = vec![row(["a", "CrashLoop"], Mark::Bad, Some("one")), row(["b", "ok"], Mark::Good, Some("one"))];
    assert_eq!(
        html(Body::Table(table(rows, 3))),
        "<table><thead><tr><th class=\"fd-sign\"></th><th>NAME</th><th>STATUS</th></tr></thead><tbody>\
         <tr class=\"fd-rows\"><th colspan=\"3\">one</th></tr>\n\
         <tr data-key=\"a\" data-mark=\"bad\"><td class=\"fd-sign\">\
         <span class=\"fd-mark\" data-mark=\"bad\" aria-hidden=\"true\">✗</span></td>\
         <td>a</td><td class=\"fd-wide fd-clip\">CrashLoop</td></tr>\n\
         <tr data-key=\"b\" data-mark=\"good\"><td class=\"fd-sign\">\
         <span class=\"fd-mark\" data-mark=\"good\" aria-hidden=\"true\">✓</span></td>\
         <td>b</td><td class=\"fd-wide fd-clip\">ok</td></tr>\n\
         </tbody></table><p class=\"fd-more\">+3 more</p>"
    );
}
