//! fluxctl's tables and JSON.

pub mod images;
mod json;
pub mod results;
pub mod rollout;
pub mod workloads;

use jiff::Timestamp;

/// Blanks behind the widest cell of a column.
const PADDING: usize = 2;

/// Aligns text whose cells end with tabs, as Go's `tabwriter` does with a padding of two blanks. What stands behind
/// the last tab of a line is in no column; neighbouring lines with a cell in a column share its width.
pub fn align(text: &str) -> String {
    // A tab at the very end closes nothing.
    let text = text.strip_suffix('\t').unwrap_or(text);
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let cells = |at: usize| lines.get(at).map_or(0, |cells| cells.len().saturating_sub(1));
    let width = |at: usize, column: usize| lines.get(at).and_then(|l| l.get(column)).map_or(0, |c| c.chars().count());
    let mut widths: Vec<Vec<usize>> = (0..lines.len()).map(|at| Vec::with_capacity(cells(at))).collect();
    for column in 0..(0..lines.len()).map(cells).max().unwrap_or(0) {
        let mut from = 0;
        while from < lines.len() {
            let to = (from..lines.len()).find(|at| cells(*at) <= column).unwrap_or(lines.len());
            let widest = (from..to).map(|at| width(at, column)).max().unwrap_or(0) + PADDING;
            for line in widths.get_mut(from..to).into_iter().flatten() {
                line.push(widest);
            }
            from = to + 1;
        }
    }
    let mut out = String::with_capacity(text.len() * 2);
    for (at, (line, widths)) in lines.iter().zip(&widths).enumerate() {
        if at > 0 {
            out.push('\n');
        }
        for (column, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(column) {
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
    }
    out
}

/// `18 Aug 20 12:01 UTC`, by RFC 822.
pub fn rfc822(time: Timestamp) -> String {
    time.strftime("%d %b %y %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_are_aligned_as_in_go() {
        let cases = [
            ("", ""),
            ("a\tb\n", "a  b\n"),
            ("WORKLOAD \tSTATUS \tUPDATES\n", "WORKLOAD   STATUS   UPDATES\n"),
            ("a\tbb\tc\nlong\t\t\n", "a     bb  c\nlong      \n"),
            ("\t\tx\n\t\ty\n", "    x\n    y\n"),
            ("a\tb\nno tabs\nlonger\tc\n", "a  b\nno tabs\nlonger  c\n"),
            ("é\tb\nab\tc", "é   b\nab  c"),
            ("a\tb\tc\naaa\tb\na\tbbb\tc\n", "a    b  c\naaa  b\na    bbb  c\n"),
        ];
        for (text, aligned) in cases {
            assert_eq!(align(text), aligned);
        }
    }

    #[test]
    fn times_are_short() {
        assert_eq!(rfc822("2020-08-18T12:01:59Z".parse().unwrap()), "18 Aug 20 12:01 UTC");
        assert_eq!(rfc822("2024-03-05T09:00:00+02:00".parse().unwrap()), "05 Mar 24 07:00 UTC");
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "[a-c\t\n]{0,60}") {
            let stripped = |text: &str| text.chars().filter(|c| !c.is_whitespace() || *c == '\n').collect::<String>();
            prop_assert_eq!(stripped(&align(&text)), stripped(&text));
        }
    }
}
