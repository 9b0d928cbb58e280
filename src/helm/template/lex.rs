//! Templates as tokens: text around actions, words in them.

use super::tree::At;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Text(String),
    Open,
    Close,
    /// `.name`; glued when nothing stands between it and what is before.
    Field(String, bool),
    Dot,
    Variable(String),
    Name(String),
    Int(i64),
    Float(f64),
    String(String),
    Pipe,
    Declare,
    Assign,
    Comma,
    Left,
    Right,
}

pub(super) type Wrong = (At, String);

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<(At, Token)>,
}

/// Cuts a template into tokens.
pub(super) fn lex(text: &str) -> Result<Vec<(At, Token)>, Wrong> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    let mut trim = false;
    loop {
        let rest = lexer.rest();
        let open = rest.find("{{");
        let mut piece = open.map_or(rest, |open| &rest[..open]);
        let start = lexer.at;
        if trim {
            piece = piece.trim_start_matches(BLANKS);
        }
        let Some(open) = open else {
            lexer.push_text(start, piece);
            return Ok(lexer.tokens);
        };
        let inside = &rest[open + 2..];
        let trims = inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(BLANKS));
        if trims {
            piece = piece.trim_end_matches(BLANKS);
        }
        lexer.push_text(start, piece);
        lexer.at = start + open + 2 + usize::from(trims);
        trim = lexer.action(start + open)?;
    }
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push_text(&mut self, at: usize, text: &str) {
        if !text.is_empty() {
            self.tokens.push((At(at), Token::Text(text.to_owned())));
        }
    }

    fn push(&mut self, token: Token, length: usize) {
        self.tokens.push((At(self.at), token));
        self.at += length;
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(BLANKS).len();
    }

    /// The end of an action, if it is here: whether it trims, and its length.
    fn end(&self) -> Option<(bool, usize)> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return Some((false, 2));
        }
        let before = self.text[..self.at].chars().next_back();
        (rest.starts_with("-}}") && before.is_some_and(|c| BLANKS.contains(&c))).then_some((true, 3))
    }

    /// The words up to the end of an action; true when it trims what follows.
    fn action(&mut self, opened: usize) -> Result<bool, Wrong> {
        let unclosed = || (At(opened), "unclosed action".to_owned());
        self.skip_blanks();
        if self.rest().starts_with("/*") {
            let end = self.rest().find("*/").ok_or_else(|| (At(opened), "unclosed comment".to_owned()))?;
            self.at += end + 2;
            self.skip_blanks();
            let (trims, length) =
                self.end().ok_or_else(|| (At(opened), "comment ends before closing delimiter".to_owned()))?;
            self.at += length;
            return Ok(trims);
        }
        self.tokens.push((At(opened), Token::Open));
        loop {
            let before = self.at;
            self.skip_blanks();
            if let Some((trims, length)) = self.end() {
                self.push(Token::Close, length);
                return Ok(trims);
            }
            let glued = before == self.at;
            let first = self.rest().chars().next().ok_or_else(unclosed)?;
            self.word(first, glued)?;
        }
    }

    fn word(&mut self, first: char, glued: bool) -> Result<(), Wrong> {
        let rest = self.rest();
        let at = self.at;
        let name = |text: &str| text.len() - text.trim_start_matches(|c: char| c == '_' || c.is_alphanumeric()).len();
        match first {
            '(' => self.push(Token::Left, 1),
            ')' => self.push(Token::Right, 1),
            '|' => self.push(Token::Pipe, 1),
            ',' => self.push(Token::Comma, 1),
            '=' => self.push(Token::Assign, 1),
            ':' if rest.starts_with(":=") => self.push(Token::Declare, 2),
            '"' | '`' | '\'' => return self.quoted(first),
            '$' => {
                let length = 1 + name(&rest[1..]);
                self.push(Token::Variable(rest[..length].to_owned()), length);
            }
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => return self.number(),
            '.' => {
                let length = name(&rest[1..]);
                if length == 0 {
                    self.push(Token::Dot, 1);
                } else {
                    self.push(Token::Field(rest[1..=length].to_owned(), glued), 1 + length);
                }
            }
            '+' | '-' | '0'..='9' => return self.number(),
            c if c == '_' || c.is_alphabetic() => {
                let length = name(rest);
                self.push(Token::Name(rest[..length].to_owned()), length);
            }
            other => return Err((At(at), format!("unexpected {other:?} in action"))),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Wrong> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['+', '-']));
        let mut length = sign;
        let mut before = ' ';
        for c in rest[sign..].chars() {
            let hex = rest[sign..].starts_with("0x") || rest[sign..].starts_with("0X");
            let exponent = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !hex;
            if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || exponent) {
                break;
            }
            before = c;
            length += 1;
        }
        let written = &rest[..length];
        let token = number(written).ok_or_else(|| (At(self.at), format!("bad number syntax: {written:?}")))?;
        self.push(token, length);
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<(), Wrong> {
        let wrong = |at: usize, text: &str| Err((At(at), text.to_owned()));
        let (start, mut out) = (self.at, String::new());
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    let token = match (quote, out.chars().next()) {
                        ('\'', Some(c)) if out.chars().nth(1).is_none() => Token::Int(i64::from(u32::from(c))),
                        ('\'', _) => return wrong(start, "malformed character constant"),
                        _ => Token::String(out),
                    };
                    self.push(token, at + 1);
                    return Ok(());
                }
                '\n' if quote != '`' => return wrong(start, "unterminated quoted string"),
                '\\' if quote != '`' => {
                    let Some((_, letter)) = chars.next() else { break };
                    let digits = match letter {
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    if digits > 0 {
                        let hex: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
                        match u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32) {
                            Some(c) if hex.len() == digits => out.push(c),
                            _ => return wrong(start + at, "bad escape in string"),
                        }
                        continue;
                    }
                    out.push(match letter {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'a' => '\u{7}',
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'v' => '\u{b}',
                        '\\' | '\'' | '"' => letter,
                        _ => return wrong(start + at, "bad escape in string"),
                    });
                }
                c => out.push(c),
            }
        }
        wrong(start, if quote == '`' { "unterminated raw quoted string" } else { "unterminated quoted string" })
    }
}

fn number(written: &str) -> Option<Token> {
    let plain = written.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(mark, radix)| Some((lower.strip_prefix(mark)?, radix)));
    let octal = || lower.strip_prefix('0').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    let whole = match radix.or_else(|| octal().map(|rest| (rest, 8))) {
        Some((rest, radix)) => return i64::from_str_radix(rest, radix).ok().map(|n| Token::Int(sign * n)),
        None => plain.parse::<i64>(),
    };
    match whole {
        Ok(number) => Some(Token::Int(number)),
        Err(_) if lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            plain.parse::<f64>().ok().map(Token::Float)
        }
        Err(_) => None,
    }
}
