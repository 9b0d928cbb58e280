//! What of a program's output reaches the screens, and the marks that the shell's prompt leaves in it. Pure.
//!
//! Screens answer nothing on behalf of a program and do nothing but draw: titles, clipboards, links, queries and device
//! strings are left out. Among those is our own mark, which says that a prompt is shown and how the command before ended.

/// The number of our own control string. A token that only the terminal's shell knows follows it.
pub const MARK: &str = "7337";
/// A longer sequence is no drawing.
const LONGEST: usize = 64;
/// What a terminal of our kind says when it is asked what it is.
const IDENTITY: &[u8] = b"\x1b[?62;22c";

/// A mark of the shell's prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The shell is ready; the last command ended with this code.
    Prompt(i32),
    /// The shell wants the rest of a command.
    More,
}

/// What became of a piece of output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filtered {
    /// What is drawn.
    pub bytes: Vec<u8>,
    /// Marks in it.
    pub marks: Vec<Mark>,
    /// What the program is answered.
    pub reply: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    /// The first byte of a letter that may be an eight-bit control.
    Wide,
    Escape,
    /// `ESC (` and the like: one byte follows.
    Charset,
    Csi,
    /// A control string; whether it is one of ours can be told only when it is an OSC.
    Text(bool),
    TextEscape(bool),
}

/// Filters a stream of output.
#[derive(Debug, Clone)]
pub struct Filter {
    token: String,
    state: State,
    kept: Vec<u8>,
}

impl Filter {
    /// A filter whose marks carry this token.
    pub fn new(token: &str) -> Self {
        Self { token: token.to_owned(), state: State::Ground, kept: Vec::new() }
    }

    /// Takes in output.
    pub fn push(&mut self, bytes: &[u8]) -> Filtered {
        let mut out = Filtered { bytes: Vec::with_capacity(bytes.len()), ..Filtered::default() };
        for &byte in bytes {
            self.state = self.step(byte, &mut out);
        }
        out
    }

    fn step(&mut self, byte: u8, out: &mut Filtered) -> State {
        match (self.state, byte) {
            (State::Ground | State::Escape | State::Charset | State::Csi, 0x1b) => {
                self.kept.clear();
                State::Escape
            }
            (State::Ground, 0xc2) => State::Wide,
            (State::Ground, _) => {
                out.bytes.push(byte);
                State::Ground
            }
            (State::Wide, 0x80..=0x9f) => State::Ground,
            (State::Wide, _) => {
                out.bytes.push(0xc2);
                self.state = State::Ground;
                self.step(byte, out)
            }
            (State::Escape, b'[') => State::Csi,
            (State::Escape, b']') => State::Text(true),
            (State::Escape, b'P' | b'X' | b'^' | b'_') => State::Text(false),
            (State::Escape, b'(' | b')' | b'*' | b'+' | b'#' | b'%' | b' ') => {
                out.bytes.extend([0x1b, byte]);
                State::Charset
            }
            (State::Escape, 0x20..=0x7e) => {
                out.bytes.extend([0x1b, byte]);
                State::Ground
            }
            (State::Escape, _) => State::Ground,
            (State::Charset, _) => {
                out.bytes.push(byte);
                State::Ground
            }
            (State::Csi, 0x40..=0x7e) => {
                self.control(byte, out);
                State::Ground
            }
            (State::Csi, 0x20..=0x3f) => {
                self.keep(byte);
                State::Csi
            }
            // A control character in the middle is carried out by itself.
            (State::Csi, 0x00..=0x1f) => {
                out.bytes.push(byte);
                State::Csi
            }
            (State::Csi, _) => State::Ground,
            (State::Text(ours), 0x07) => self.string(ours, out),
            (State::Text(ours), 0x1b) => State::TextEscape(ours),
            (State::TextEscape(ours), b'\\') => self.string(ours, out),
            (State::TextEscape(_), _) => {
                self.kept.clear();
                self.state = State::Escape;
                self.step(byte, out)
            }
            (State::Text(ours), _) => {
                self.keep(byte);
                State::Text(ours)
            }
        }
    }

    fn keep(&mut self, byte: u8) {
        // One more than is ever used, so that what is too long can be told.
        if self.kept.len() <= LONGEST {
            self.kept.push(byte);
        }
    }

    /// A control sequence is drawn unless it asks something.
    fn control(&mut self, end: u8, out: &mut Filtered) {
        let kept = std::mem::take(&mut self.kept);
        let query = match end {
            b'c' | b'n' | b't' | b'x' => true,
            b'q' => kept.first() == Some(&b'>'),
            b'u' => kept.first() == Some(&b'?'),
            b'p' => kept.contains(&b'$'),
            _ => false,
        };
        if end == b'c' && (kept.is_empty() || kept == b"0") {
            out.reply.extend_from_slice(IDENTITY);
        }
        if !query && kept.len() <= LONGEST {
            out.bytes.extend_from_slice(b"\x1b[");
            out.bytes.extend(kept);
            out.bytes.push(end);
        }
    }

    fn string(&mut self, ours: bool, out: &mut Filtered) -> State {
        let kept = std::mem::take(&mut self.kept);
        if ours && let Some(mark) = self.mark(&kept) {
            out.marks.push(mark);
        }
        State::Ground
    }

    fn mark(&self, kept: &[u8]) -> Option<Mark> {
        let text = std::str::from_utf8(kept).ok()?;
        let said = text.strip_prefix(MARK)?.strip_prefix(';')?.strip_prefix(&self.token)?.strip_prefix(';')?;
        match said.split_once(';') {
            Some(("p", code)) => Some(Mark::Prompt(code.parse().ok()?)),
            None if said == "m" => Some(Mark::More),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filtered(text: &[u8]) -> Filtered {
        Filter::new("tok").push(text)
    }

    #[test]
    fn drawing_passes_and_the_rest_does_not() {
        for (written, expected) in [
            (
                &b"plain \x1b[1;32mgreen\x1b[0m\r\n\x1b[2J\x1b[?1049h"[..],
                &b"plain \x1b[1;32mgreen\x1b[0m\r\n\x1b[2J\x1b[?1049h"[..],
            ),
            (b"a\x1b]0;title\x07b", b"ab"),
            (b"a\x1b]52;c;c2VjcmV0\x1b\\b", b"ab"),
            (b"a\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07", b"alink"),
            (b"a\x1bPq#0;2;0\x1b\\b", b"ab"),
            (b"a\x1b_hidden\x1b\\b", b"ab"),
            (b"a\x1b[6nb\x1b[21tc\x1b[>qd\x1b[?ue\x1b[?2026$p", b"abcde"),
            (b"a\xc2\x9d0;title", b"a0;title"),
            ("größe é €".as_bytes(), "größe é €".as_bytes()),
            (b"\x1b(B\x1b7\x1b8\x1bM", b"\x1b(B\x1b7\x1b8\x1bM"),
            (b"\x1b[1\x1b[31mx", b"\x1b[31mx"),
            (b"\x1b]0;open\x1b[31mx", b"\x1b[31mx"),
            (b"\xff\xfe\x00x", b"\xff\xfe\x00x"),
        ] {
            assert_eq!(filtered(written).bytes, expected, "{}", String::from_utf8_lossy(written));
        }
        let long = [&b"\x1b["[..], &[b'1'; 5000], b"mx"].concat();
        assert_eq!(filtered(&long).bytes, b"x");
    }

    #[test]
    fn programs_learn_what_they_talk_to() {
        assert_eq!(filtered(b"\x1b[c").reply, IDENTITY);
        assert_eq!(filtered(b"\x1b[0c").reply, IDENTITY);
        assert_eq!(filtered(b"\x1b[>c").reply, b"");
    }

    #[test]
    fn only_the_right_token_marks_a_prompt() {
        for (written, expected) in [
            ("\x1b]7337;tok;p;0\x07$ ", vec![Mark::Prompt(0)]),
            ("x\x1b]7337;tok;p;127\x1b\\$ \x1b]7337;tok;m\x07> ", vec![Mark::Prompt(127), Mark::More]),
            ("\x1b]7337;other;p;0\x07", vec![]),
            ("\x1b]7337;tok;p;\x07", vec![]),
            ("\x1b]7337;tok;x\x07", vec![]),
            ("\x1bP7337;tok;p;0\x1b\\", vec![]),
            ("\x1b]7337;tok\x07", vec![]),
        ] {
            assert_eq!(filtered(written.as_bytes()).marks, expected, "{written:?}");
        }
    }

    proptest! {
        #[test]
        fn chunks_change_nothing(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b']'), Just(7), Just(b'm')], 0..200), cut in 0..200_usize) {
            let whole = filtered(&bytes);
            let mut filter = Filter::new("tok");
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let mut parts = filter.push(first);
            let rest = filter.push(second);
            parts.bytes.extend(rest.bytes);
            parts.marks.extend(rest.marks);
            parts.reply.extend(rest.reply);
            prop_assert_eq!(parts, whole);
        }

        #[test]
        fn nothing_that_asks_or_hides_gets_through(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b']'), Just(b'P')], 0..200)) {
            let out = filtered(&bytes).bytes;
            prop_assert!(!out.windows(2).any(|pair| pair == b"\x1b]" || pair == b"\x1bP" || pair == b"\x1b_"));
        }
    }
}
