//! The table as text, like clusterctl's: left aligned, two spaces between columns.

use jiff::Timestamp;

use super::Row;
use crate::cluster::api::table::age;

const HEAD: [&str; 9] =
    ["NAME", "REPLICAS", "AVAILABLE", "READY", "UP TO DATE", "STATUS", "REASON", "SINCE", "MESSAGE"];
/// How wide messages get, in bytes, as the real one counts.
const WIDTH: usize = 100;

/// The table of some rows at a time.
pub fn text(rows: &[Row], now: Timestamp) -> String {
    let mut lines: Vec<[String; 9]> = vec![HEAD.map(str::to_owned)];
    for row in rows {
        let wrapped = wrapped(&row.message);
        let mut message = wrapped.into_iter();
        lines.push([
            format!("{}{}", row.prefix, row.name),
            row.replicas.clone(),
            row.available.clone(),
            row.ready.clone(),
            row.up_to_date.clone(),
            row.status.clone(),
            row.reason.clone(),
            row.since.map(|since| age(since, now)).unwrap_or_default(),
            message.next().unwrap_or_default(),
        ]);
        for more in message {
            let mut line: [String; 9] = Default::default();
            line[0].clone_from(&row.continuation);
            line[8] = more;
            lines.push(line);
        }
    }
    let mut widths = [0; 9];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    lines.iter().map(|line| drawn(line, &widths)).collect()
}

fn drawn(line: &[String; 9], widths: &[usize; 9]) -> String {
    let mut text = String::new();
    for (cell, width) in line.iter().zip(widths) {
        let gap = width.saturating_sub(cell.chars().count()) + 2;
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', gap));
    }
    text.push('\n');
    text
}

/// The lines of a message; a bullet's further lines are indented.
fn wrapped(message: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in message.split('\n') {
        let margin = " ".repeat(paragraph.len() - paragraph.trim_start_matches(' ').len());
        let hanging = if paragraph.trim().starts_with("* ") { format!("{margin}  ") } else { margin.clone() };
        let mut line = margin;
        for word in paragraph.split_whitespace() {
            if line.len() + word.len() < WIDTH {
                if !line.trim().is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            } else {
                lines.push(std::mem::replace(&mut line, format!("{hanging}{word}")));
            }
        }
        lines.push(line);
    }
    lines
}
