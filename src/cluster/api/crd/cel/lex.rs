//! The words of an expression.

use super::ast::Literal;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Literal(Literal),
    /// A whole number too big for an `int` unless it is negated.
    TooBig(u64),
    Name(Box<str>),
    /// A name in backticks.
    Quoted(Box<str>),
    Sign(&'static str),
    End,
}

/// What is wrong, and where: characters before it.
pub(super) type Fault = (usize, String);

/// Longest first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "+", "-", "*", "/", "%", "<",
    ">", "!",
];

/// All words with their places; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars: &chars, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let token = lexer.token().map_err(|why| (at, why))?;
        let end = token == Token::End;
        tokens.push((at, token));
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    chars: &'t [char],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn text(&self, from: usize) -> String {
        self.chars.get(from..self.at).unwrap_or_default().iter().collect()
    }

    fn skip_while(&mut self, fits: impl Fn(char) -> bool) {
        while self.at < self.chars.len() && fits(self.peek(0)) {
            self.at += 1;
        }
    }

    fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == c)
    }

    fn skip_space(&mut self) {
        loop {
            self.skip_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.starts("//") {
                return;
            }
            self.skip_while(|c| c != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, String> {
        if self.at >= self.chars.len() {
            return Ok(Token::End);
        }
        let first = self.peek(0);
        if first.is_ascii_digit() || first == '.' && self.peek(1).is_ascii_digit() {
            return self.number();
        }
        if let Some(token) = self.string()? {
            return Ok(token);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let start = self.at;
            self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
            return Ok(match self.text(start).as_str() {
                "true" => Token::Literal(Literal::Bool(true)),
                "false" => Token::Literal(Literal::Bool(false)),
                "null" => Token::Literal(Literal::Null),
                "in" => Token::Sign("in"),
                name => Token::Name(name.into()),
            });
        }
        if first == '`' {
            let start = self.at + 1;
            self.at = start;
            self.skip_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ' '));
            let name = self.text(start);
            if self.peek(0) != '`' || name.is_empty() {
                return Err("Syntax error: token recognition error at: '`'".to_owned());
            }
            self.at += 1;
            return Ok(Token::Quoted(name.into()));
        }
        let sign = SIGNS.into_iter().find(|sign| self.starts(sign));
        let sign = sign.ok_or_else(|| format!("Syntax error: token recognition error at: '{first}'"))?;
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }

    fn number(&mut self) -> Result<Token, String> {
        let start = self.at;
        let hex = self.peek(0) == '0' && matches!(self.peek(1), 'x' | 'X');
        if hex {
            self.at += 2;
            self.skip_while(|c| c.is_ascii_hexdigit());
        } else {
            self.skip_while(|c| c.is_ascii_digit());
        }
        let mut fraction = false;
        if !hex && self.peek(0) == '.' && self.peek(1).is_ascii_digit() {
            fraction = true;
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit());
        }
        if !hex && matches!(self.peek(0), 'e' | 'E') {
            let signed = usize::from(matches!(self.peek(1), '+' | '-'));
            if self.peek(1 + signed).is_ascii_digit() {
                fraction = true;
                self.at += 1 + signed;
                self.skip_while(|c| c.is_ascii_digit());
            }
        }
        let text = self.text(start);
        if fraction {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            return number
                .map(|number| Token::Literal(Literal::Double(number)))
                .ok_or("invalid double literal".to_owned());
        }
        let whole = if hex { u64::from_str_radix(text.get(2..).unwrap_or(""), 16) } else { text.parse() };
        if matches!(self.peek(0), 'u' | 'U') {
            self.at += 1;
            return whole
                .map(|number| Token::Literal(Literal::Uint(number)))
                .map_err(|_| "invalid uint literal".to_owned());
        }
        let whole = whole.map_err(|_| "invalid int literal".to_owned())?;
        Ok(i64::try_from(whole).map_or(Token::TooBig(whole), |number| Token::Literal(Literal::Int(number))))
    }

    /// Text or bytes: a quote, perhaps with `r` or `b` before it.
    fn string(&mut self) -> Result<Option<Token>, String> {
        let mut ahead = 0;
        let (mut raw, mut bytes) = (false, false);
        while ahead < 2 {
            match self.peek(ahead) {
                'r' | 'R' if !raw => raw = true,
                'b' | 'B' if !bytes => bytes = true,
                _ => break,
            }
            ahead += 1;
        }
        let quote = self.peek(ahead);
        if !matches!(quote, '"' | '\'') {
            return Ok(None);
        }
        let start = self.at;
        self.at += ahead;
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        let width = if triple { 3 } else { 1 };
        self.at += width;
        let mut out = Out { text: String::new(), bytes: Vec::new(), as_bytes: bytes };
        loop {
            let closed = (0..width).all(|ahead| self.peek(ahead) == quote) && self.at < self.chars.len();
            if closed {
                self.at += width;
                break;
            }
            let c = self.peek(0);
            if self.at >= self.chars.len() || !triple && matches!(c, '\n' | '\r') {
                return Err(format!("Syntax error: token recognition error at: '{}'", self.text(start)));
            }
            self.at += 1;
            if c == '\\' && !raw { self.escape(&mut out)? } else { out.push(c) }
        }
        Ok(Some(Token::Literal(if bytes { Literal::Bytes(out.bytes.into()) } else { Literal::Text(out.text.into()) })))
    }

    fn escape(&mut self, out: &mut Out) -> Result<(), String> {
        let c = self.peek(0);
        self.at += 1;
        let plain = match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '\'' | '"' | '`' | '?' => c,
            'x' | 'X' => return self.coded(16, 2, out),
            'u' => return self.coded(16, 4, out),
            'U' => return self.coded(16, 8, out),
            '0'..='3' => {
                self.at -= 1;
                return self.coded(8, 3, out);
            }
            _ => return Err("Syntax error: unable to unescape string".to_owned()),
        };
        out.push(plain);
        Ok(())
    }

    /// A character by its number.
    fn coded(&mut self, radix: u32, width: usize, out: &mut Out) -> Result<(), String> {
        let start = self.at;
        self.at = (self.at + width).min(self.chars.len());
        let code = u32::from_str_radix(&self.text(start), radix).ok().filter(|_| self.at == start + width);
        let byte = width < 4;
        match code {
            Some(code) if out.as_bytes && byte => out.bytes.push(u8::try_from(code).unwrap_or(u8::MAX)),
            Some(code) if !out.as_bytes || byte => {
                out.push(char::from_u32(code).ok_or("Syntax error: invalid unicode code point")?);
            }
            _ => return Err("Syntax error: unable to unescape string".to_owned()),
        }
        Ok(())
    }
}

struct Out {
    text: String,
    bytes: Vec<u8>,
    as_bytes: bool,
}

impl Out {
    fn push(&mut self, c: char) {
        if self.as_bytes {
            self.bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
        } else {
            self.text.push(c);
        }
    }
}
