//! What a panel shows at a moment, and the same as text.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

/// How something fares. It is always said in words or by a sign, too, never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Nothing to say.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// Not as it should be.
    Bad,
    /// Left out, or over.
    Off,
}

impl Mark {
    /// The sign for it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "✓",
            Self::Busy => "…",
            Self::Bad => "✗",
            Self::Off => "–",
        }
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is, the same from state to state: a row whose cells change glows.
    pub key: String,
    /// One text per column.
    pub cells: Vec<String>,
    /// How it fares.
    pub mark: Mark,
    /// The heading it stands under, when rows are grouped.
    pub group: Option<String>,
}

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Table {
    /// Headings.
    pub columns: Vec<String>,
    /// The rows that are shown.
    pub rows: Vec<Row>,
    /// How many more there are.
    pub more: usize,
    /// What is said when there are none.
    pub empty: String,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is, the same from state to state.
    pub key: String,
    /// The text.
    pub text: String,
    /// How it fares.
    pub mark: Mark,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// What it is, the same from state to state.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// What kind of thing: `commit`, `sync`, `drift`, `repair`, `step`.
    pub what: String,
    /// The text.
    pub text: String,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// How it went.
    pub mark: Mark,
}

/// A node of a tree, in the order of the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it is, the same from state to state.
    pub key: String,
    /// For each level above it and its own: whether it is the last one there. Empty for roots.
    pub last: Vec<bool>,
    /// Its name.
    pub name: String,
    /// More about it.
    pub detail: String,
    /// How it fares.
    pub mark: Mark,
}

impl Node {
    /// The branches before its name.
    pub fn branches(&self) -> String {
        let Some((own, above)) = self.last.split_last() else { return String::new() };
        let mut text: String = above.iter().map(|last| if *last { "  " } else { "│ " }).collect();
        text.push_str(if *own { "└─" } else { "├─" });
        text
    }
}

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// `+` wanted but not there, `-` there but not wanted, ` ` the same, `@` a heading.
    pub sign: char,
    /// The text.
    pub text: String,
}

/// A name with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The name.
    pub label: String,
    /// The value.
    pub value: String,
    /// How it fares.
    pub mark: Mark,
}

/// An answer that can be chosen in a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The text.
    pub text: String,
    /// How many chose it; not told while the speaker keeps it back.
    pub votes: Option<u32>,
}

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Seconds since the chart's beginning.
    pub x: f64,
    /// The value.
    pub y: f64,
}

/// A line of a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// `%`, `ms`; what stands behind its numbers.
    pub unit: String,
    /// Its values.
    pub points: Vec<Point>,
}

/// What a panel shows, by shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "shape")]
pub enum Body {
    /// Nothing is known yet: the snapshot stays.
    Waiting,
    /// Rows and columns.
    Table(Table),
    /// Lines of text.
    Lines {
        /// The lines.
        lines: Vec<Line>,
    },
    /// Names with values, and a table below.
    Facts {
        /// The names with values.
        facts: Vec<Fact>,
        /// The table.
        table: Option<Table>,
    },
    /// What happened, the newest last.
    Timeline {
        /// What happened.
        moments: Vec<Moment>,
    },
    /// Owners and what they own.
    Tree {
        /// The nodes in the order of the lines.
        nodes: Vec<Node>,
        /// How many more there are.
        more: usize,
    },
    /// Wanted against there.
    Diff {
        /// The lines.
        lines: Vec<DiffLine>,
        /// What is said when there is no difference.
        empty: String,
    },
    /// Values over time.
    Chart {
        /// Names with values beside the chart.
        facts: Vec<Fact>,
        /// The lines.
        series: Vec<Series>,
    },
    /// A QR code.
    Qr {
        /// What it says.
        text: String,
    },
    /// A question to the audience.
    Poll {
        /// The question.
        question: String,
        /// The answers.
        choices: Vec<Choice>,
        /// How many have answered.
        voted: u32,
    },
}

/// What the speaker can do with what a panel shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "of")]
pub enum Controls {
    /// A release goes on, waits or is taken back.
    Canary {
        /// The canary's namespace.
        namespace: String,
        /// The canary's name.
        name: String,
        /// Whether something is being released.
        releasing: bool,
        /// Whether it is held.
        held: bool,
        /// Gates, and whether the speaker has opened each.
        gates: Vec<(String, bool)>,
        /// Percent of requests to the new version that succeed.
        success: f64,
        /// How long 99 of 100 of them take at most, in milliseconds.
        latency_ms: u64,
    },
    /// Results of a poll are shown or kept back.
    Poll {
        /// Whether they are kept back.
        hidden: bool,
    },
}

/// What a panel shows at a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PanelState {
    /// What is shown: `pods · demo`.
    pub title: String,
    /// What is shown of it.
    pub body: Body,
    /// When its source was last heard of, in real time.
    pub at: Option<Timestamp>,
    /// Why its source is silent, for the presenter alone.
    pub problem: Option<String>,
    /// `virtual time ×60`, when the cluster's time is not real.
    pub time: Option<String>,
    /// What the speaker can do.
    pub controls: Option<Controls>,
}

impl PanelState {
    /// A panel whose source has said nothing yet.
    pub fn waiting(title: impl Into<String>) -> Self {
        Self { title: title.into(), body: Body::Waiting, at: None, problem: None, time: None, controls: None }
    }

    /// A panel that shows something good.
    pub fn good(title: impl Into<String>, body: Body, at: Timestamp) -> Self {
        Self { title: title.into(), body, at: Some(at), problem: None, time: None, controls: None }
    }

    /// The same frame, whose source does not answer any more.
    #[must_use]
    pub fn failing(&self, problem: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), ..self.clone() }
    }

    /// What it shows as text: for snapshots, exports and screen readers. Empty when nothing is known.
    pub fn text(&self) -> String {
        match &self.body {
            Body::Waiting => String::new(),
            Body::Table(table) => table.text(),
            Body::Lines { lines } => lines.iter().map(|line| format!("{}\n", line.text)).collect(),
            Body::Facts { facts, table } => {
                let mut text = facts_text(facts);
                if let Some(table) = table {
                    text.push('\n');
                    text.push_str(&table.text());
                }
                text
            }
            Body::Timeline { moments } => moments.iter().map(moment_text).collect(),
            Body::Tree { nodes, more } => {
                let width = nodes.iter().map(|node| width(&node.branches()) + width(&node.name)).max().unwrap_or(0);
                let line = |node: &Node| {
                    let name = format!("{}{}", node.branches(), node.name);
                    let gap = " ".repeat(width.saturating_sub(self::width(&name)) + 3);
                    format!("{}\n", format!("{name}{gap}{}", node.detail).trim_end())
                };
                nodes.iter().map(line).chain(more_text(*more)).collect()
            }
            Body::Diff { lines, empty } if lines.is_empty() => format!("{empty}\n"),
            Body::Diff { lines, .. } => lines.iter().map(|line| format!("{} {}\n", line.sign, line.text)).collect(),
            Body::Chart { facts, series } => {
                let last = series.iter().filter_map(|series| {
                    let point = series.points.last()?;
                    Some(format!("{}: {}{}\n", series.name, point.y, series.unit))
                });
                facts_text(facts) + &last.collect::<String>()
            }
            Body::Qr { text } => format!("{text}\n"),
            Body::Poll { question, choices, voted } => {
                let votes = |choice: &Choice| choice.votes.map_or_else(|| "?".to_owned(), |votes| votes.to_string());
                let lines = choices.iter().map(|choice| format!("{:>4}  {}\n", votes(choice), choice.text));
                let hidden = choices.iter().any(|choice| choice.votes.is_none());
                let voted = if hidden { format!("{voted:>4}  votes\n") } else { String::new() };
                format!("{question}\n") + &lines.collect::<String>() + &voted
            }
        }
    }
}

impl Table {
    /// A table of at most so many rows: those around the one that counts, which stands in the upper third.
    pub fn around(columns: &[&str], rows: Vec<Row>, at: usize, most: usize, empty: &str) -> Self {
        let shown = most.min(rows.len());
        let first = at.saturating_sub(most / 3).min(rows.len() - shown);
        let more = rows.len() - shown;
        Self {
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: rows.into_iter().skip(first).take(shown).collect(),
            more,
            empty: empty.to_owned(),
        }
    }

    /// The table as `kubectl` prints one: columns three blanks apart.
    pub fn text(&self) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.empty);
        }
        let lines: Vec<&Vec<String>> =
            std::iter::once(&self.columns).chain(self.rows.iter().map(|row| &row.cells)).collect();
        let columns = lines.iter().map(|cells| cells.len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| lines.iter().filter_map(|cells| cells.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for cells in lines {
            let mut line = String::new();
            for (cell, widest) in cells.iter().zip(&widths) {
                let _ = write!(line, "{cell}{}", " ".repeat(widest.saturating_sub(width(cell)) + 3));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.extend(more_text(self.more));
        text
    }
}

fn facts_text(facts: &[Fact]) -> String {
    let widest = facts.iter().map(|fact| width(&fact.label)).max().unwrap_or(0);
    let line = |fact: &Fact| {
        let gap = " ".repeat(widest.saturating_sub(width(&fact.label)) + 3);
        format!("{}{gap}{}\n", fact.label, fact.value)
    };
    facts.iter().map(line).collect()
}

fn moment_text(moment: &Moment) -> String {
    let took = moment.seconds.map(|seconds| format!("  {seconds:.1} s")).unwrap_or_default();
    format!("{}  {:<8}{}{took}\n", moment.at.strftime("%H:%M:%S"), moment.what, moment.text)
}

fn more_text(more: usize) -> Option<String> {
    (more > 0).then(|| format!("+{more} more\n"))
}

/// How many characters wide, near enough for aligning.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Row {
        let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        Row { key: cells[0].clone(), cells, mark: Mark::Plain, group: None }
    }

    #[test]
    fn a_table_is_aligned_like_kubectl_does() {
        let columns = ["NAME", "READY", "STATUS"].map(str::to_owned).to_vec();
        let rows = vec![row(&["podinfo-1", "1/1", "Running"]), row(&["db", "0/1", ""])];
        let table = Table { columns, rows, more: 2, empty: "No pods.".to_owned() };
        let text = "NAME        READY   STATUS\npodinfo-1   1/1     Running\ndb          0/1\n+2 more\n";
        assert_eq!(table.text(), text);
        assert_eq!(Table { rows: Vec::new(), ..table }.text(), "No pods.\n");
    }

    #[test]
    fn a_table_around_a_row_shows_it() {
        for (at, most, first, more) in
            [(0, 4, 0, 6), (5, 4, 4, 6), (9, 4, 6, 6), (3, 20, 0, 0), (50, 4, 6, 6), (3, 0, 3, 10)]
        {
            let rows: Vec<Row> = (0..10).map(|number| row(&[&number.to_string()])).collect();
            let table = Table::around(&["N"], rows, at, most, "");
            assert_eq!(table.more, more, "{at} of {most}");
            assert_eq!(table.rows.len(), 10 - more);
            if let Some(row) = table.rows.first() {
                assert_eq!(row.cells, [first.to_string()], "{at} of {most}");
            }
        }
    }

    #[test]
    fn a_tree_is_drawn_with_branches() {
        let node = |name: &str, last: &[bool]| Node {
            key: name.to_owned(),
            last: last.to_vec(),
            name: name.to_owned(),
            detail: "ok".to_owned(),
            mark: Mark::Good,
        };
        let nodes = vec![node("a", &[]), node("b", &[false]), node("c", &[false, true]), node("d", &[true])];
        let state = PanelState::good("tree", Body::Tree { nodes, more: 0 }, Timestamp::UNIX_EPOCH);
        assert_eq!(state.text(), "a       ok\n├─b     ok\n│ └─c   ok\n└─d     ok\n");
    }

    #[test]
    fn a_failing_panel_keeps_its_frame() {
        let body = Body::Qr { text: "x".to_owned() };
        let state = PanelState::good("qr", body.clone(), Timestamp::UNIX_EPOCH).failing("gone");
        assert_eq!((state.body, state.problem.as_deref()), (body, Some("gone")));
    }
}
