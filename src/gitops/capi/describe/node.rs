//! The tree's nodes, and its rows with the lines before them.

use jiff::Timestamp;

use super::Row;

/// What a condition says, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// `True`, `False`, `Unknown`.
    pub status: String,
    /// How bad it is, where that is said.
    pub severity: String,
    /// One word.
    pub reason: String,
    /// Words.
    pub message: String,
    /// When it took its status.
    pub since: Option<Timestamp>,
}

/// How many there are, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replicas {
    /// Wanted.
    pub desired: Option<i64>,
    /// There.
    pub current: Option<i64>,
    /// Available.
    pub available: Option<i64>,
    /// Ready.
    pub ready: Option<i64>,
    /// As they should be now.
    pub up_to_date: Option<i64>,
}

/// An object, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
    /// The object that it belongs to; may be empty.
    pub owner: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Its conditions by type.
    pub conditions: Vec<(String, Said)>,
    /// How many it stands for.
    pub replicas: Replicas,
}

impl Item {
    /// The condition of a type.
    pub fn said(&self, kind: &str) -> Option<&Said> {
        self.conditions.iter().find(|(found, _)| found == kind).map(|(_, said)| said)
    }

    /// Whether a condition is true.
    pub fn is(&self, kind: &str) -> bool {
        self.said(kind).is_some_and(|said| said.status == "True")
    }

    /// The row's name.
    pub(super) fn row_name(&self, namespace: &str) -> String {
        let going = if self.deleting { "!! DELETED !! " } else { "" };
        let version = if self.version.is_empty() { String::new() } else { format!(", {}", self.version) };
        format!("{going}{} {namespace}/{}{version}", self.kind, self.name)
    }
}

/// A node: what its row shows, and its children.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// The row, but for its place in the tree.
    pub(super) row: Row,
    /// Rows of conditions below it.
    pub(super) conditions: Vec<Row>,
    /// Those with a higher one come first.
    pub(super) order: u8,
    /// Its children.
    pub(super) children: Vec<Self>,
}

impl Node {
    /// A row of nothing but a name.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self { row: Row { name: name.into(), ..Row::default() }, ..Self::default() }
    }

    fn sort(&mut self) {
        self.children.sort_by(|left, right| right.order.cmp(&left.order).then(left.row.name.cmp(&right.row.name)));
        self.children.iter_mut().for_each(Self::sort);
    }
}

const FIRST: &str = "├─";
const LAST: &str = "└─";
const PIPE: &str = "│ ";
const BLANK: &str = "  ";
/// How much further in conditions are.
const FILLER: &str = "          ";

/// All rows of a tree. It is as deep as Cluster API's objects are, so a walk by calls is fine.
pub(super) fn rows(root: &Node) -> Vec<Row> {
    let mut root = root.clone();
    root.sort();
    let mut rows = Vec::new();
    walk(&root, "", "", 0, &mut rows);
    // nothing comes below the last object: its message needs no lines
    if let Some(last) = rows.iter_mut().rev().find(|row| !row.prefix.starts_with('?')) {
        last.continuation.clear();
    }
    for row in &mut rows {
        row.prefix = row.prefix.trim_start_matches('?').to_owned();
    }
    rows
}

/// `before` is what precedes the row, `below` what precedes everything under it.
fn walk(node: &Node, before: &str, below: &str, depth: usize, rows: &mut Vec<Row>) {
    let pipe = if node.children.is_empty() { "" } else { PIPE };
    rows.push(Row { prefix: before.to_owned(), depth, continuation: format!("{below}{pipe}"), ..node.row.clone() });
    let pipe = if node.children.is_empty() { BLANK } else { PIPE };
    for (index, condition) in node.conditions.iter().enumerate() {
        let last = index + 1 == node.conditions.len();
        let filled = format!("{below}{pipe}{FILLER}");
        rows.push(Row {
            // marked, so that it is not taken for an object
            prefix: format!("?{filled}{}", if last { LAST } else { FIRST }),
            depth: depth + 1,
            continuation: if last { filled } else { format!("{filled}{PIPE}") },
            ..condition.clone()
        });
    }
    for (index, child) in node.children.iter().enumerate() {
        let last = index + 1 == node.children.len();
        let (own, inner) = if last { (LAST, BLANK) } else { (FIRST, PIPE) };
        walk(child, &format!("{below}{own}"), &format!("{below}{inner}"), depth + 1, rows);
    }
}
