//! Templates as tokens: text around actions, words in them.

use super::escape::unquoted;
use super::tree::At;

#[derive(Debug, Clone, PartialEq)]
pub(in crate::helm) enum Token {
    Text(String),
    Open,
    Close,
    Space,
    /// `.name`.
    Field(String),
    Dot,
    Variable(String),
    Name(String),
    Int(i64),
    Float(f64),
    String(String),
    Pipe,
    Declare,
    Assign,
    Left,
    Right,
    /// Any other letter.
    Other(char),
}

/// A token from one byte to another.
#[derive(Debug, Clone)]
pub(super) struct Lexed {
    pub(super) at: At,
    pub(super) end: usize,
    pub(super) token: Token,
}

pub(super) type Wrong = (At, String);

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    parens: usize,
    tokens: Vec<Lexed>,
}

/// Cuts a template into tokens; what is wrong comes behind those in front of it.
pub(super) fn lex(text: &str) -> (Vec<Lexed>, Option<Wrong>) {
    let mut lexer = Lexer { text, at: 0, parens: 0, tokens: Vec::new() };
    let wrong = lexer.all().err();
    (lexer.tokens, wrong)
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'a> Lexer<'a> {
    fn all(&mut self) -> Result<(), Wrong> {
        let mut trim = false;
        loop {
            let rest = self.rest();
            let open = rest.find("{{");
            let mut piece = open.map_or(rest, |open| &rest[..open]);
            let start = self.at;
            if trim {
                piece = piece.trim_start_matches(BLANKS);
            }
            let Some(open) = open else {
                self.push_text(start, piece);
                return Ok(());
            };
            let inside = &rest[open + 2..];
            let trims = inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(BLANKS));
            if trims {
                piece = piece.trim_end_matches(BLANKS);
            }
            self.push_text(start, piece);
            self.at = start + open + 2 + usize::from(trims) * 2;
            trim = self.action(start + open)?;
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push_text(&mut self, at: usize, text: &str) {
        if !text.is_empty() {
            self.tokens.push(Lexed { at: At(at), end: at, token: Token::Text(text.to_owned()) });
        }
    }

    fn push(&mut self, token: Token, length: usize) {
        self.tokens.push(Lexed { at: At(self.at), end: self.at + length, token });
        self.at += length;
    }

    fn blanks(&self) -> usize {
        self.rest().len() - self.rest().trim_start_matches(BLANKS).len()
    }

    /// The end of an action, if it is here: whether it trims, and its length.
    fn end(&self) -> Option<(bool, usize)> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return Some((false, 2));
        }
        let blanks = self.blanks();
        (blanks > 0 && rest[blanks..].starts_with("-}}")).then_some((true, blanks + 3))
    }

    /// The words up to the end of an action; true when it trims what follows.
    fn action(&mut self, opened: usize) -> Result<bool, Wrong> {
        if self.rest().starts_with("/*") {
            let end = self.rest().find("*/").ok_or_else(|| (At(opened), "unclosed comment".to_owned()))?;
            self.at += end + 2;
            let (trims, length) =
                self.end().ok_or_else(|| (At(opened), "comment ends before closing delimiter".to_owned()))?;
            self.at += length;
            return Ok(trims);
        }
        self.tokens.push(Lexed { at: At(opened), end: self.at, token: Token::Open });
        self.parens = 0;
        loop {
            if let Some((trims, length)) = self.end() {
                if self.parens > 0 {
                    return Err((At(self.at), "unclosed left paren".to_owned()));
                }
                self.push(Token::Close, length);
                return Ok(trims);
            }
            let blanks = self.blanks();
            if blanks > 0 {
                self.push(Token::Space, blanks);
                continue;
            }
            let unclosed = || (At(opened), "unclosed action".to_owned());
            let first = self.rest().chars().next().ok_or_else(unclosed)?;
            self.word(first)?;
        }
    }

    fn word(&mut self, first: char) -> Result<(), Wrong> {
        let rest = self.rest();
        let name = |text: &str| text.len() - text.trim_start_matches(|c: char| c == '_' || c.is_alphanumeric()).len();
        match first {
            '(' => {
                self.parens += 1;
                self.push(Token::Left, 1);
            }
            ')' => {
                let left = self.parens.checked_sub(1);
                self.parens = left.ok_or_else(|| (At(self.at), "unexpected right paren".to_owned()))?;
                self.push(Token::Right, 1);
            }
            '|' => self.push(Token::Pipe, 1),
            '=' => self.push(Token::Assign, 1),
            ':' if rest.starts_with(":=") => self.push(Token::Declare, 2),
            ':' => return Err((At(self.at), "expected :=".to_owned())),
            '"' | '`' | '\'' => return self.quoted(first),
            '$' => {
                let length = 1 + name(&rest[1..]);
                self.ends_at(length)?;
                self.push(Token::Variable(rest[..length].to_owned()), length);
            }
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => return self.number(),
            '.' => {
                let length = name(&rest[1..]);
                if length == 0 {
                    self.ends_at(1)?;
                    self.push(Token::Dot, 1);
                } else {
                    self.ends_at(1 + length)?;
                    self.push(Token::Field(rest[1..=length].to_owned()), 1 + length);
                }
            }
            '+' | '-' | '0'..='9' => return self.number(),
            c if c == '_' || c.is_alphabetic() => {
                let length = name(rest);
                self.ends_at(length)?;
                self.push(Token::Name(rest[..length].to_owned()), length);
            }
            c if c.is_ascii_graphic() => self.push(Token::Other(c), 1),
            c => {
                return Err((At(self.at), format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c))));
            }
        }
        Ok(())
    }

    /// A name ends where something else may begin.
    fn ends_at(&self, length: usize) -> Result<(), Wrong> {
        let rest = &self.rest()[length..];
        match rest.chars().next() {
            Some(c) if !BLANKS.contains(&c) && !".,|:()=".contains(c) && !rest.starts_with("}}") => {
                Err((At(self.at), format!("bad character U+{:04X} '{c}'", u32::from(c))))
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> Result<(), Wrong> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['+', '-']));
        let mut length = sign;
        let mut before = ' ';
        let hex = rest[sign..].starts_with("0x") || rest[sign..].starts_with("0X");
        for c in rest[sign..].chars() {
            let exponent =
                matches!(c, '+' | '-') && (matches!(before, 'p' | 'P') || (matches!(before, 'e' | 'E') && !hex));
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
        let wrong = |text: String| Err((At(self.at), text));
        let rest = &self.rest()[1..];
        let mut escaped = false;
        for (at, c) in rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quote != '`' => escaped = true,
                '\n' if quote != '`' => break,
                c if c == quote => {
                    let within = &rest[..at];
                    let text = if quote == '`' { Some(within.to_owned()) } else { unquoted(within) };
                    let token = match (quote, text) {
                        ('\'', Some(text)) => match (text.chars().next(), text.chars().nth(1)) {
                            (Some(c), None) => Token::Int(i64::from(u32::from(c))),
                            _ => return wrong(format!("malformed character constant: '{within}'")),
                        },
                        (_, Some(text)) => Token::String(text),
                        (_, None) => return wrong("invalid syntax".to_owned()),
                    };
                    self.push(token, at + 2);
                    return Ok(());
                }
                _ => {}
            }
        }
        let what = match quote {
            '`' => "raw quoted string",
            '\'' => "character constant",
            _ => "quoted string",
        };
        wrong(format!("unterminated {what}"))
    }
}

/// A number as Go writes them.
pub(in crate::helm) fn number(written: &str) -> Option<Token> {
    let plain = written.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x").filter(|hex| hex.contains('p')) {
        return hex_float(hex).map(|number| Token::Float(if sign < 0 { -number } else { number }));
    }
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
        // Too large for a whole number.
        Err(_) if lower.bytes().all(|byte| byte.is_ascii_digit()) => None,
        Err(_) if lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            plain.parse::<f64>().ok().map(Token::Float)
        }
        Err(_) => None,
    }
}

/// `1.8p4`: digits in sixteens, an exponent of two.
fn hex_float(text: &str) -> Option<f64> {
    let (digits, power) = text.split_once('p')?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut number = 0.0;
    for digit in whole.chars().chain(part.chars()) {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(part.len()).ok()?.checked_mul(4)?;
    Some(number * 2.0_f64.powi(power.parse::<i32>().ok()?.checked_sub(shift)?))
}
