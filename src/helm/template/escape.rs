//! Quoted text of Go: reading it in templates, writing it as `%q` does.

/// What stands between quotes, without its escapes; none when one is wrong.
pub(super) fn unquoted(text: &str) -> Option<String> {
    let mut out: Vec<u8> = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let push = |c: char, out: &mut Vec<u8>| out.extend(c.encode_utf8(&mut [0; 4]).bytes());
        if c != '\\' {
            push(c, &mut out);
            continue;
        }
        let letter = chars.next()?;
        let (digits, radix) = match letter {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (2, 8),
            _ => (0, 10),
        };
        if digits > 0 {
            let mut number: String = if radix == 8 { letter.to_string() } else { String::new() };
            let wanted = number.len() + digits;
            number.extend(chars.by_ref().take(digits));
            let code = u32::from_str_radix(&number, radix).ok().filter(|_| number.len() == wanted)?;
            match letter {
                'u' | 'U' => push(char::from_u32(code)?, &mut out),
                _ => out.push(u8::try_from(code).ok()?),
            }
            continue;
        }
        push(
            match letter {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'v' => '\u{b}',
                '\\' | '\'' | '"' => letter,
                _ => return None,
            },
            &mut out,
        );
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    written(text, '"', false)
}

/// A text between marks; `ascii` writes other letters as numbers.
pub(super) fn written(text: &str, mark: char, ascii: bool) -> String {
    let mut out = String::from(mark);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == mark => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\v"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_ascii() || (!ascii && is_printed(c)) => out.push(c),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(mark);
    out
}

/// Whether Go takes a letter for one that can be seen.
fn is_printed(c: char) -> bool {
    let invisible = matches!(u32::from(c), 0x80..=0xa0 | 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb);
    !(invisible || c.is_control() || (c.is_whitespace() && c != ' '))
}
