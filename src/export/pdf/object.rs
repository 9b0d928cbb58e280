//! Objects of a PDF file: read from its text, written back as they were.

use std::fmt::Write as _;

/// Nothing that a browser prints is nested deeper.
const DEEPEST: usize = 64;

/// A value in a PDF file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    /// A number, a boolean or `null`, as written.
    Plain(String),
    /// A name, without its slash.
    Name(String),
    /// A string with its brackets, as written.
    Text(Vec<u8>),
    /// An array.
    Array(Vec<Object>),
    /// A dictionary, in the order written.
    Dictionary(Dictionary),
    /// Another object, by its number.
    Reference(u32),
}

/// Keys and values.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Dictionary(pub(super) Vec<(String, Object)>);

impl Dictionary {
    pub(super) fn get(&self, key: &str) -> Option<&Object> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    pub(super) fn set(&mut self, key: &str, value: Object) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    pub(super) fn with(mut self, key: &str, value: Object) -> Self {
        self.set(key, value);
        self
    }

    pub(super) fn reference(&self, key: &str) -> Option<u32> {
        match self.get(key)? {
            Object::Reference(number) => Some(*number),
            _ => None,
        }
    }
}

impl Object {
    pub(super) fn name(name: &str) -> Self {
        Self::Name(name.to_owned())
    }

    pub(super) fn integer(number: usize) -> Self {
        Self::Plain(number.to_string())
    }

    pub(super) fn real(number: f64) -> Self {
        let rounded = (number * 100.0).round() / 100.0;
        Self::Plain(if rounded.is_finite() { rounded.to_string() } else { "0".to_owned() })
    }

    pub(super) fn null() -> Self {
        Self::Plain("null".to_owned())
    }

    /// A text for readers: plain when it is ASCII, else UTF-16.
    pub(super) fn words(text: &str) -> Self {
        let mut out = Vec::with_capacity(text.len() + 2);
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            out.push(b'(');
            for byte in text.bytes() {
                if matches!(byte, b'(' | b')' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b')');
        } else {
            let mut hex = String::from("<FEFF");
            for unit in text.encode_utf16() {
                let _ = write!(hex, "{unit:04X}");
            }
            hex.push('>');
            out.extend_from_slice(hex.as_bytes());
        }
        Self::Text(out)
    }

    /// As it stands in a file.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Plain(text) => out.extend_from_slice(text.as_bytes()),
            Self::Name(name) => {
                out.push(b'/');
                out.extend_from_slice(name.as_bytes());
            }
            Self::Text(raw) => out.extend_from_slice(raw),
            Self::Reference(number) => out.extend_from_slice(format!("{number} 0 R").as_bytes()),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b' ');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Dictionary(dictionary) => {
                out.extend_from_slice(b"<<");
                for (index, (key, value)) in dictionary.0.iter().enumerate() {
                    out.extend_from_slice(if index > 0 { b"\n/" } else { b"/" });
                    out.extend_from_slice(key.as_bytes());
                    out.push(b' ');
                    value.write(out);
                }
                out.extend_from_slice(b">>");
            }
        }
    }
}

/// Reads objects out of a file's bytes.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at.checked_add(ahead)?).copied()
    }

    fn blanks(&mut self) {
        while let Some(byte) = self.peek(0) {
            if byte == b'%' {
                while self.peek(0).is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    self.at += 1;
                }
            } else if is_blank(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// Takes a word when it is the next.
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        self.blanks();
        let found = self.bytes.get(self.at..)?.starts_with(word.as_bytes());
        found.then(|| self.at += word.len())
    }

    /// A whole number.
    pub(super) fn number(&mut self) -> Option<u64> {
        self.blanks();
        let text = self.regular();
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// Bytes that are neither blank nor brackets.
    fn regular(&mut self) -> &'a [u8] {
        let start = self.at;
        while self.peek(0).is_some_and(|byte| !is_blank(byte) && !b"()<>[]{}/%".contains(&byte)) {
            self.at += 1;
        }
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// The next object.
    pub(super) fn object(&mut self) -> Option<Object> {
        self.nested(DEEPEST)
    }

    fn nested(&mut self, room: usize) -> Option<Object> {
        let room = room.checked_sub(1)?;
        self.blanks();
        match (self.peek(0)?, self.peek(1)) {
            (b'<', Some(b'<')) => self.dictionary(room),
            (b'<', _) => {
                let start = self.at;
                let length = self.bytes.get(start..)?.iter().position(|byte| *byte == b'>')?;
                self.at += length + 1;
                Some(Object::Text(self.bytes.get(start..self.at)?.to_vec()))
            }
            (b'(', _) => self.literal(),
            (b'[', _) => {
                self.at += 1;
                let mut items = Vec::new();
                while self.word("]").is_none() {
                    items.push(self.nested(room)?);
                }
                Some(Object::Array(items))
            }
            (b'/', _) => {
                self.at += 1;
                Some(Object::Name(String::from_utf8(self.regular().to_vec()).ok()?))
            }
            _ => self.plain(),
        }
    }

    fn dictionary(&mut self, room: usize) -> Option<Object> {
        self.at += 2;
        let mut entries = Vec::new();
        while self.word(">>").is_none() {
            self.word("/")?;
            let key = String::from_utf8(self.regular().to_vec()).ok()?;
            entries.push((key, self.nested(room)?));
        }
        Some(Object::Dictionary(Dictionary(entries)))
    }

    /// A string in round brackets, which may hold such brackets.
    fn literal(&mut self) -> Option<Object> {
        let start = self.at;
        let mut open = 0usize;
        loop {
            match self.peek(0)? {
                b'\\' => self.at += 1,
                b'(' => open += 1,
                b')' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(Object::Text(self.bytes.get(start..self.at)?.to_vec()));
            }
        }
    }

    /// `12 0 R`, or a word.
    fn plain(&mut self) -> Option<Object> {
        let word = self.regular();
        if word.is_empty() {
            return None;
        }
        let after = self.at;
        if let Some(number) = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok()) {
            if self.number().is_some() && self.word("R").is_some() {
                return Some(Object::Reference(number));
            }
            self.at = after;
        }
        Some(Object::Plain(String::from_utf8(word.to_vec()).ok()?))
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0 | 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Object> {
        Reader::new(text.as_bytes(), 0).object()
    }

    #[test]
    fn objects_are_written_as_they_were_read() {
        for text in [
            "<</Type /Page\n/Kids [12 0 R 3 -1.5 true null]\n/T (a \\) (b) \\\\)\n/H <FEFF00E9>\n/D <<>>\n/E []>>",
            "[/XYZ 0 524.25 0]",
            "(\\()",
        ] {
            let mut out = Vec::new();
            read(text).unwrap().write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        let object = read("% a remark\n<< /A 1 0 R/B[1 0 0]>>").unwrap();
        let expected = Dictionary::default()
            .with("A", Object::Reference(1))
            .with("B", Object::Array(vec![Object::integer(1), Object::integer(0), Object::integer(0)]));
        assert_eq!(object, Object::Dictionary(expected));
    }

    #[test]
    fn broken_objects_are_refused() {
        for text in ["", "<</A", "(a", "<41", "[1 2", "<</A 1 /B>>", ">>", "]", &"[".repeat(100_000)] {
            assert_eq!(read(text), None, "{}", text.get(..20).unwrap_or(text));
        }
    }

    #[test]
    fn words_are_plain_or_utf_16() {
        for (text, expected) in [
            ("a (b) \\", "(a \\(b\\) \\\\)"),
            ("é😀", "<FEFF00E9D83DDE00>"),
            ("a\nb", "<FEFF0061000A0062>"),
            ("", "()"),
        ] {
            assert_eq!(Object::words(text), Object::Text(expected.as_bytes().to_vec()));
        }
    }
}
