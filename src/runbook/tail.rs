//! The last lines of what a command writes: bounded, and fit to be shown as text. Pure.

/// Bytes that are kept.
const MOST: usize = 16 * 1024;
/// Lines that are shown.
const LINES: usize = 40;
/// Letters of a line that are shown.
const WIDTH: usize = 400;

/// The end of an output.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    bytes: Vec<u8>,
    /// Whether something was left out before it.
    cut: bool,
}

impl Tail {
    /// Adds what was written.
    pub fn push(&mut self, bytes: &[u8]) {
        let surplus = bytes.len().saturating_sub(MOST);
        let bytes = bytes.get(surplus..).unwrap_or_default();
        let surplus = surplus.max((self.bytes.len() + bytes.len()).saturating_sub(MOST));
        self.cut |= surplus > 0;
        self.bytes.drain(..surplus.min(self.bytes.len()));
        self.bytes.extend_from_slice(bytes);
    }

    /// The last lines as text: no colours, nothing that steers a terminal, what a carriage return overwrote gone.
    pub fn text(&self) -> String {
        let plain = plain(&String::from_utf8_lossy(&self.bytes));
        let mut lines: Vec<&str> = plain.lines().collect();
        if self.cut && lines.len() > 1 {
            lines.remove(0);
        }
        let left_out = lines.len().saturating_sub(LINES);
        let mut shown: Vec<String> = Vec::new();
        if self.cut || left_out > 0 {
            shown.push("…".to_owned());
        }
        shown.extend(lines.iter().skip(left_out).map(|line| shortened(line)));
        shown.join("\n").trim_end().to_owned()
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// Text without escape sequences and control characters.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\n' => {
                out.push_str(&line);
                out.push('\n');
                line.clear();
            }
            '\r' if chars.peek().is_some_and(|next| *next != '\n') => line.clear(),
            '\u{8}' => {
                line.pop();
            }
            '\t' => line.push('\t'),
            c if c.is_control() || is_steering(c) => {}
            c => line.push(c),
        }
    }
    out + &line
}

/// Characters that turn the direction of writing around.
fn is_steering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' {
                    return;
                }
                if c == '\u{1b}' {
                    chars.next_if_eq(&'\\');
                    return;
                }
            }
        }
        Some('(' | ')' | '#' | '%') => {
            chars.next();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_left_out() {
        for (written, expected) in [
            ("a\x1b[31mred\x1b[0m b", "ared b"),
            ("\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link", "textlink"),
            ("10%\r50%\r100%\r\ndone", "100%\ndone"),
            ("ab\x08c", "ac"),
            ("nul\0bell\x07", "nulbell"),
            ("evil\u{202e}txt", "eviltxt"),
            ("\x1b", ""),
            ("\x1b[", ""),
            ("\x1b]never ends", ""),
            ("\x1b(Bx", "x"),
        ] {
            assert_eq!(plain(written), expected, "{written:?}");
        }
    }

    #[test]
    fn floods_leave_their_end() {
        let mut tail = Tail::default();
        for number in 0..100_000 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.starts_with("…\nline 99960\n") && text.ends_with("\nline 99999"), "{text}");
        let mut tail = Tail::default();
        tail.push(&vec![b'x'; 1 << 20]);
        assert_eq!(tail.text().chars().count(), WIDTH + 3);
        assert!(tail.bytes.len() <= MOST);
    }

    proptest! {
        #[test]
        fn any_bytes_do(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
            let mut tail = Tail::default();
            parts.iter().for_each(|part| tail.push(part));
            let text = tail.text();
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
