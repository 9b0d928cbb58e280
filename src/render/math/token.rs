//! TeX cut into tokens, and put together again.

/// A piece of TeX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// `\name` or `\,`, without the backslash.
    Command(String),
    /// `{`
    Open,
    /// `}`
    Close,
    /// Blanks.
    Space,
    /// `#1` in the body of a macro.
    Argument(u8),
    /// Anything else.
    Char(char),
}

impl Token {
    /// Whether this is the command of that name.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Command(command) if command == name)
    }
}

/// Cuts TeX into tokens; comments are left out.
pub(super) fn tokens(tex: &str) -> Vec<Token> {
    let mut out = Vec::with_capacity(tex.len());
    let mut chars = tex.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            '\\' => command(&mut chars),
            '{' => Token::Open,
            '}' => Token::Close,
            '%' => {
                while chars.next().is_some_and(|c| c != '\n') {}
                Token::Space
            }
            '#' => match chars.peek().and_then(|c| c.to_digit(10)) {
                Some(digit) => {
                    chars.next();
                    Token::Argument(digit as u8)
                }
                None => Token::Char('#'),
            },
            c if c.is_whitespace() => Token::Space,
            c => Token::Char(c),
        };
        if token != Token::Space || out.last() != Some(&Token::Space) {
            out.push(token);
        }
    }
    out
}

/// The name after a backslash: letters, perhaps with a star, or one other character.
fn command(chars: &mut std::iter::Peekable<std::str::Chars>) -> Token {
    let mut name = String::new();
    while let Some(c) = chars.peek().copied().filter(char::is_ascii_alphabetic) {
        name.push(c);
        chars.next();
    }
    if name.is_empty() {
        name.extend(chars.next().map(|c| if c.is_whitespace() { ' ' } else { c }));
    } else {
        while chars.next_if(|c| c.is_whitespace() && *c != '\n').is_some() {}
    }
    Token::Command(name)
}

/// Puts tokens together as TeX.
pub(super) fn write(out: &mut String, tokens: &[Token]) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Command(name) => {
                out.push('\\');
                out.push_str(name);
                // The parser wants `\end{…}` and `\left(` without a blank.
                let letter_follows = matches!(tokens.get(at + 1), Some(Token::Char(c)) if c.is_ascii_alphabetic());
                if letter_follows && name.ends_with(|c: char| c.is_ascii_alphabetic()) {
                    out.push(' ');
                }
            }
            Token::Open => out.push('{'),
            Token::Close => out.push('}'),
            Token::Space => out.push(' '),
            Token::Argument(digit) => {
                out.push('#');
                out.push(char::from(b'0' + digit));
            }
            Token::Char(c) => out.push(*c),
        }
    }
}

/// The same as a string.
pub(super) fn text(tokens: &[Token]) -> String {
    let mut out = String::new();
    write(&mut out, tokens);
    out
}
