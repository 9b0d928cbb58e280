//! Tables as kubectl lays them out: columns as wide as their widest cell and three spaces more.

use serde_json::Value;

use super::resources::Resource;
use crate::cluster::{gojson, object};

/// Lays out rows; remembers how wide columns were, for rows that come later.
#[derive(Debug, Clone)]
pub(super) struct Tabs {
    widths: Vec<usize>,
    /// No column is narrower.
    narrowest: usize,
    /// Spaces behind the widest cell.
    gap: usize,
}

impl Default for Tabs {
    fn default() -> Self {
        Self { widths: Vec::new(), narrowest: 6, gap: 3 }
    }
}

impl Tabs {
    /// With less space between the columns.
    pub(super) fn narrow() -> Self {
        Self { narrowest: 0, gap: 2, ..Self::default() }
    }

    /// The lines of some rows.
    pub(super) fn lay(&mut self, rows: &[Vec<String>]) -> String {
        for row in rows {
            for (column, cell) in row.iter().enumerate() {
                let width = (cell.chars().count() + self.gap).max(self.narrowest);
                match self.widths.get_mut(column) {
                    Some(known) => *known = width.max(*known),
                    None => self.widths.push(width),
                }
            }
        }
        let mut out = String::new();
        for row in rows {
            for (column, cell) in row.iter().enumerate() {
                out.push_str(cell);
                if column + 1 < row.len() {
                    let width = self.widths.get(column).copied().unwrap_or(0);
                    let spaces = width.saturating_sub(cell.chars().count());
                    out.extend(std::iter::repeat_n(' ', spaces));
                }
            }
            out.push('\n');
        }
        out
    }
}

/// Aligns cells that tabs end, as in the output of `describe`: a column goes on as long as consecutive lines have it.
pub(super) fn elastic(text: &str) -> String {
    const SPACES: usize = 2;
    let mut lines: Vec<Vec<String>> = text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let mut start = 0;
        while start < lines.len() {
            let has = |line: &Vec<String>| line.len() > column + 1;
            let end = start + lines.iter().skip(start).take_while(|line| has(line)).count();
            let block = lines.get_mut(start..end).unwrap_or_default();
            let width = |line: &Vec<String>| line.get(column).map_or(0, |cell| cell.chars().count());
            let widest = block.iter().map(width).max().unwrap_or(0) + SPACES;
            for cell in block.iter_mut().filter_map(|line| line.get_mut(column)) {
                let missing = widest - cell.chars().count();
                cell.extend(std::iter::repeat_n(' ', missing));
            }
            start = end.max(start + 1);
        }
    }
    let mut out = String::new();
    for line in lines {
        out.extend(line);
        out.push('\n');
    }
    out
}

/// What a table shows besides what the server prints.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// Also the columns that the server marks as less important.
    pub(super) wide: bool,
    pub(super) headers: bool,
    /// A first column with namespaces.
    pub(super) namespaces: bool,
    /// `pod/web` instead of `web`.
    pub(super) kinds: bool,
    /// A last column with all labels.
    pub(super) labels: bool,
    /// Columns with single labels.
    pub(super) label_columns: Vec<String>,
    /// A first column with what a watch tells.
    pub(super) events: bool,
}

/// Prints tables that the server sends.
#[derive(Debug, Clone, Default)]
pub(super) struct Printer {
    tabs: Tabs,
    look: Look,
    /// The columns: later tables of a watch come without.
    columns: Vec<(String, bool)>,
    headed: bool,
}

impl Printer {
    pub(super) fn new(look: Look) -> Self {
        Self { look, ..Self::default() }
    }

    /// The lines of a table; the first one brings the header.
    pub(super) fn lines(&mut self, table: &Value, resource: &Resource, event: &str) -> String {
        let columns = object::list(table, &["columnDefinitions"]);
        if !columns.is_empty() {
            let column = |column: &Value| {
                let important = object::int(column, &["priority"]).unwrap_or(0) == 0;
                (object::text(column, &["name"]).to_uppercase(), important)
            };
            self.columns = columns.iter().map(column).collect();
        }
        let rows = object::list(table, &["rows"]);
        let mut lines = Vec::new();
        if !rows.is_empty() && self.look.headers && !self.headed {
            lines.push(self.header());
            self.headed = true;
        }
        lines.extend(rows.iter().map(|row| self.row(row, resource, event)));
        self.tabs.lay(&lines)
    }

    fn header(&self) -> Vec<String> {
        let mut cells = Vec::new();
        if self.look.events {
            cells.push("EVENT   ".to_owned());
        }
        if self.look.namespaces {
            cells.push("NAMESPACE".to_owned());
        }
        let shown = self.columns.iter().filter(|(_, important)| *important || self.look.wide);
        cells.extend(shown.map(|(name, _)| printable(name)));
        let last = |label: &String| label.rsplit('/').next().unwrap_or(label).to_uppercase();
        cells.extend(self.look.label_columns.iter().map(last));
        if self.look.labels {
            cells.push("LABELS".to_owned());
        }
        cells
    }

    fn row(&self, row: &Value, resource: &Resource, event: &str) -> Vec<String> {
        let mut cells = Vec::new();
        if self.look.events {
            cells.push(format!("{event:<8}"));
        }
        let metadata = object::at(row, &["object", "metadata"]).unwrap_or(&Value::Null);
        if self.look.namespaces {
            cells.push(printable(object::text(metadata, &["namespace"])));
        }
        let values = object::list(row, &["cells"]).iter().enumerate();
        for (column, value) in values {
            let important = self.columns.get(column).is_none_or(|(_, important)| *important);
            if important || self.look.wide {
                let mut text = cell(value);
                if column == 0 && self.look.kinds {
                    text = format!("{}/{text}", resource.qualified_kind());
                }
                cells.push(text);
            }
        }
        let label = |name: &String| object::text(metadata, &["labels", name]).to_owned();
        cells.extend(self.look.label_columns.iter().map(label).map(|text| printable(&text)));
        if self.look.labels {
            cells.push(labels(metadata));
        }
        cells
    }
}

/// All labels of an object in one cell.
fn labels(metadata: &Value) -> String {
    let mut pairs: Vec<_> = object::map(metadata, &["labels"])
        .into_iter()
        .flatten()
        .map(|(name, value)| printable(&format!("{name}={}", value.as_str().unwrap_or(""))))
        .collect();
    pairs.sort();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A cell in one line.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => gojson::compact(other),
    };
    match text.find(['\n', '\r', '\u{c}']) {
        Some(end) => printable(text.get(..end).unwrap_or("")) + "...",
        None => printable(&text),
    }
}

/// Text that cannot steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{1b}' => out.push_str("^["),
            '\r' => out.push_str("\\r"),
            '\t' => out.push(' '),
            c if c.is_control() && c != '\n' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pods() -> Resource {
        Resource {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "pods".to_owned(),
            singular: "pod".to_owned(),
            kind: "Pod".to_owned(),
            namespaced: true,
            verbs: Vec::new(),
            short_names: Vec::new(),
            categories: Vec::new(),
            subresources: Vec::new(),
        }
    }

    fn table() -> Value {
        json!({
            "columnDefinitions": [
                { "name": "Name", "priority": 0 }, { "name": "Ready", "priority": 0 }, { "name": "IP", "priority": 1 },
            ],
            "rows": [
                {
                    "cells": ["web-1", 1, "10.0.0.1"],
                    "object": { "metadata": { "namespace": "demo", "labels": { "b": "2", "a": "1", "x.io/tier": "t" } } },
                },
                { "cells": ["x\u{1b}[31m\ny", null, "-"], "object": { "metadata": { "namespace": "other" } } },
            ],
        })
    }

    fn printed(look: Look) -> String {
        Printer::new(look).lines(&table(), &pods(), "ADDED")
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let look = Look { headers: true, ..Look::default() };
        assert_eq!(printed(look.clone()), "NAME         READY\nweb-1        1\nx^[[31m...   \n");
        assert_eq!(
            printed(Look { wide: true, namespaces: true, kinds: true, ..look.clone() }),
            "NAMESPACE   NAME             READY   IP\ndemo        pod/web-1        1       10.0.0.1\n\
             other       pod/x^[[31m...           -\n"
        );
        assert_eq!(
            printed(Look { labels: true, label_columns: vec!["x.io/tier".to_owned()], ..look.clone() }),
            "NAME         READY   TIER   LABELS\nweb-1        1       t      a=1,b=2,x.io/tier=t\n\
             x^[[31m...                  <none>\n"
        );
        assert_eq!(printed(Look { headers: false, ..look }), "web-1        1\nx^[[31m...   \n");
    }

    #[test]
    fn columns_end_where_a_line_has_none() {
        assert_eq!(
            elastic("Name:\ta\nLong name:\tb\n\tc\nSpec:\n  B:\ttrue\n  T\tX\tlast"),
            "Name:       a\nLong name:  b\n            c\nSpec:\n  B:  true\n  T   X  last\n"
        );
        assert_eq!(elastic(""), "");
    }

    #[test]
    fn rows_that_come_later_keep_the_widths() {
        let mut printer = Printer::new(Look { headers: true, events: true, ..Look::default() });
        let row = |name: &str| json!({ "columnDefinitions": null, "rows": [{ "cells": [name, "1/1"] }] });
        let mut first = row("a-long-name");
        first["columnDefinitions"] = json!([{ "name": "Name" }, { "name": "Ready" }]);
        assert_eq!(
            printer.lines(&first, &pods(), "ADDED"),
            "EVENT      NAME          READY\nADDED      a-long-name   1/1\n"
        );
        assert_eq!(printer.lines(&row("b"), &pods(), "MODIFIED"), "MODIFIED   b             1/1\n");
        assert_eq!(Printer::new(Look::default()).lines(&json!({}), &pods(), ""), "");
    }
}
