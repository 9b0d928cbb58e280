//! What a command prints, as a panel shows it: a table where it looks like one, else lines. Pure.

use super::state::{Body, Line, Mark, Row, Table};

/// Letters of a cell or line that are shown.
const WIDTH: usize = 200;

/// The body for a text without control characters but line ends and tabs.
pub fn body(text: &str, most: usize) -> Body {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    match lines.split_first().and_then(|(head, rows)| Some((columns(head)?, rows))) {
        Some((columns, rows)) => Body::Table(table(&columns, rows, most)),
        None => Body::Lines { lines: lines.iter().take(most).enumerate().map(line).collect() },
    }
}

fn line((index, text): (usize, &&str)) -> Line {
    Line { key: index.to_string(), text: cut(&text.replace('\t', "    ")), mark: Mark::Plain }
}

/// A column: its heading, and the letter at which it begins.
struct Column<'a> {
    name: &'a str,
    at: usize,
}

/// The columns of a heading: capitals, at least two of them, blanks or tabs in between.
fn columns(head: &str) -> Option<Vec<Column<'_>>> {
    let capitals = head.chars().any(char::is_alphabetic) && !head.chars().any(char::is_lowercase);
    let mut columns = Vec::new();
    let mut at = 0;
    for (name, gap) in words(head) {
        if !name.is_empty() {
            columns.push(Column { name, at });
        }
        at += name.chars().count() + gap.chars().count();
    }
    (capitals && columns.len() > 1).then_some(columns)
}

/// The texts of a line, each with the gap behind it: two blanks or more, or tabs.
fn words(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let ends = rest.find("  ").into_iter().chain(rest.find('\t')).min().unwrap_or(rest.len());
        let (word, behind) = rest.split_at(ends);
        let next = behind.find(|c: char| c != ' ' && c != '\t').unwrap_or(behind.len());
        let (gap, tail) = behind.split_at(next);
        rest = tail;
        Some((word, gap))
    })
}

fn table(columns: &[Column<'_>], rows: &[&str], most: usize) -> Table {
    let rows: Vec<Row> = rows.iter().enumerate().map(|(index, line)| row(columns, line, index)).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    Table::around(&names, rows, 0, most, "Nothing.")
}

/// Cells stand below their headings; where a long one pushes the next aside, gaps part them.
fn row(columns: &[Column<'_>], line: &str, index: usize) -> Row {
    let letters: Vec<char> = line.chars().collect();
    let begins = |at: usize| at == 0 || letters.get(at - 1).is_none_or(|before| before.is_whitespace());
    let cells: Vec<String> = if !line.contains('\t') && columns.iter().all(|column| begins(column.at)) {
        let ends = columns.iter().skip(1).map(|column| column.at).chain([letters.len()]);
        let cell = |(column, end): (&Column<'_>, usize)| letters.iter().take(end).skip(column.at).collect::<String>();
        columns.iter().zip(ends).map(cell).collect()
    } else {
        let mut found = words(line).map(|(word, _)| word.to_owned());
        columns.iter().map(|_| found.next().unwrap_or_default()).collect()
    };
    let cells: Vec<String> = cells.iter().map(|cell| cut(cell.trim())).collect();
    let name = cells.first().filter(|name| !name.is_empty());
    Row { key: name.cloned().unwrap_or_else(|| index.to_string()), cells, mark: Mark::Plain, group: None }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        let Body::Table(table) = body(text, 12) else { panic!("no table: {text}") };
        std::iter::once(table.columns).chain(table.rows.into_iter().map(|row| row.cells)).collect()
    }

    #[test]
    fn what_looks_like_a_table_is_one() {
        for (text, expected) in [
            (
                "NAME   READY   AGE\na      1/1     5s\nb              3m\n",
                vec![vec!["NAME", "READY", "AGE"], vec!["a", "1/1", "5s"], vec!["b", "", "3m"]],
            ),
            ("ID  LAST SEEN\n1   2m ago\n", vec![vec!["ID", "LAST SEEN"], vec!["1", "2m ago"]]),
            ("A  B\na-long-name  x\n", vec![vec!["A", "B"], vec!["a-long-name", "x"]]),
            ("A\tB\nx y\tz\n", vec![vec!["A", "B"], vec!["x y", "z"]]),
            ("ÄÖ  Ü\nä   ü\n", vec![vec!["ÄÖ", "Ü"], vec!["ä", "ü"]]),
            ("A  B\n", vec![vec!["A", "B"]]),
        ] {
            assert_eq!(cells(text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_lines() {
        for text in ["up 3 days", "Name  Value\na  b", "ONE TWO\nx", "---  ---", "", "{\n  \"A\": 1\n}"] {
            let Body::Lines { lines } = body(text, 2) else { panic!("a table: {text}") };
            assert_eq!(lines.len(), text.lines().count().min(2));
        }
        let long = "x".repeat(1000);
        let Body::Lines { lines } = body(&long, 2) else { panic!("a table") };
        assert_eq!(lines[0].text.chars().count(), WIDTH + 1);
    }

    #[test]
    fn only_so_many_rows_are_shown() {
        let text = format!("A  B\n{}", "a  b\n".repeat(30));
        let Body::Table(table) = body(&text, 12) else { panic!("a table") };
        assert_eq!((table.rows.len(), table.more), (12, 18));
    }
}
