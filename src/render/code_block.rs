//! A fenced code block: its language, emphasised lines and folds, and its HTML.

use super::{code, html};

/// A code block as its info string describes it.
///
/// After the language, in any order: `{1,3-4|7}` emphasises lines, with `|` step by step;
/// `{fold=12-40}` replaces lines by a note of their number; other `{key=value}` are for live decks.
pub(super) struct CodeBlock<'a> {
    language: &'a str,
    text: &'a str,
    /// Emphasised line numbers, from 1, one list per step.
    steps: Vec<Vec<(usize, usize)>>,
    folds: Vec<(usize, usize)>,
    /// What is wrong with the info string.
    pub(super) problems: Vec<String>,
}

impl<'a> CodeBlock<'a> {
    pub(super) fn new(info: &'a str, text: &'a str) -> Self {
        let info = info.trim();
        let (language, rest) = info.split_once(char::is_whitespace).unwrap_or((info, ""));
        let mut block = Self { language, text, steps: Vec::new(), folds: Vec::new(), problems: Vec::new() };
        let lines = text.lines().count();
        for group in rest.split('{').skip(1) {
            let Some((inside, _)) = group.split_once('}') else { continue };
            if inside.starts_with(|c: char| c.is_ascii_digit()) {
                block.emphasise(inside, lines);
            }
            for word in inside.split_whitespace() {
                if let Some(ranges) = word.strip_prefix("fold=") {
                    block.fold(ranges, lines);
                }
            }
        }
        block
    }

    fn emphasise(&mut self, inside: &str, lines: usize) {
        for step in inside.split_whitespace().next().unwrap_or("").split('|') {
            let ranges = self.ranges(step, lines);
            self.steps.push(ranges);
        }
    }

    fn fold(&mut self, ranges: &str, lines: usize) {
        let ranges = self.ranges(ranges, lines);
        self.folds.extend(ranges);
    }

    /// `1,3-4` → line ranges; what is no range or beyond the code is a problem.
    fn ranges(&mut self, text: &str, lines: usize) -> Vec<(usize, usize)> {
        let mut ranges = Vec::new();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            match (first.parse::<usize>(), last.parse::<usize>()) {
                (Ok(first), Ok(last)) if first >= 1 && first <= last => {
                    if last > lines {
                        self.problems
                            .push(format!("line {last} is beyond the end of this code, which has {lines} lines"));
                    }
                    ranges.push((first, last));
                }
                _ => self.problems.push(format!("`{word}` is no line number or range such as 3-5")),
            }
        }
        ranges
    }

    /// Appends the inside of `<pre`: its last attributes, `>`, and the code.
    pub(super) fn write(&self, out: &mut String) {
        if self.steps.len() > 1 {
            let steps: Vec<String> = self.steps.iter().map(|step| format_ranges(step)).collect();
            html::attribute(out, "data-foredeck-steps", &steps.join("|"));
        }
        out.push_str("><code");
        if !self.language.is_empty() {
            html::attribute(out, "class", &format!("language-{}", self.language));
        }
        out.push('>');
        if self.steps.is_empty() && self.folds.is_empty() {
            self.write_plain(out);
        } else {
            self.write_lines(out);
        }
        out.push_str("</code>");
    }

    fn write_plain(&self, out: &mut String) {
        code::highlight(out, self.language, self.text);
    }

    fn write_lines(&self, out: &mut String) {
        let lines = code::highlight_lines(self.language, self.text).unwrap_or_else(|| {
            let escaped = |line| {
                let mut text = String::new();
                html::text(&mut text, line);
                text
            };
            self.text.lines().map(escaped).collect()
        });
        let emphasised = self.steps.first().map(|step| covered(step, lines.len()));
        let folded = covered(&self.folds, lines.len());
        for (i, line) in lines.iter().enumerate() {
            let number = i + 1;
            if let Some((first, last)) = folded[i] {
                if number == first {
                    let hidden = last.min(lines.len()) - first + 1;
                    out.push_str(&format!("<span class=\"line folded\">⋯ {hidden} lines</span>\n"));
                }
                continue;
            }
            out.push_str("<span class=\"line");
            if let Some(step) = &emphasised {
                out.push_str(if step[i].is_some() { " highlighted" } else { " dimmed" });
            }
            out.push_str("\">");
            out.push_str(line);
            out.push_str("</span>\n");
        }
    }
}

/// For each line, the first range that holds it. A line that is taken is not visited again.
fn covered(ranges: &[(usize, usize)], lines: usize) -> Vec<Option<(usize, usize)>> {
    let mut covered = vec![None; lines];
    // From each line, a line at or after it that may still be free.
    let mut free: Vec<usize> = (0..=lines).collect();
    for range in ranges {
        let mut line = next_free(&mut free, range.0.saturating_sub(1).min(lines));
        while line < lines.min(range.1) {
            covered[line] = Some(*range);
            free[line] = line + 1;
            line = next_free(&mut free, line + 1);
        }
    }
    covered
}

/// Follows the pointers to a free line, and shortens the way for the next time.
fn next_free(free: &mut [usize], from: usize) -> usize {
    let mut line = from;
    while free[line] != line {
        free[line] = free[free[line]];
        line = free[line];
    }
    line
}

fn format_ranges(ranges: &[(usize, usize)]) -> String {
    let words: Vec<String> = ranges
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    words.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(info: &str, text: &str) -> String {
        let mut out = String::from("<pre");
        CodeBlock::new(info, text).write(&mut out);
        out
    }

    #[test]
    fn the_first_word_is_the_language() {
        assert_eq!(written("zz,foo bar", "a < b\n"), "<pre><code class=\"language-zz,foo\">a &lt; b\n</code>");
        assert_eq!(written("", "x\n"), "<pre><code>x\n</code>");
    }

    #[test]
    fn lines_are_emphasised_and_folded() {
        assert_eq!(
            written("zz {1|2} {fold=3-4}", "a\nb\nc\nd\n"),
            "<pre data-foredeck-steps=\"1|2\"><code class=\"language-zz\">\
             <span class=\"line highlighted\">a</span>\n<span class=\"line dimmed\">b</span>\n\
             <span class=\"line folded\">⋯ 2 lines</span>\n</code>"
        );
    }

    #[test]
    fn bad_ranges_are_named() {
        let block = CodeBlock::new("yaml {2-1,9}", "a\n");
        assert_eq!(
            block.problems,
            [
                "`2-1` is no line number or range such as 3-5",
                "line 9 is beyond the end of this code, which has 1 lines"
            ]
        );
    }
}
