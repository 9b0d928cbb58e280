//! What needs to see a whole group: fractions written with `\over`, line breaks outside of tables.

use super::token::Token;

/// How deep groups may nest.
pub(super) const MAX_NESTING: usize = 100;

/// Rewrites the groups of a formula.
pub(super) fn shape(tokens: &[Token]) -> Result<Vec<Token>, String> {
    let (mut out, taken) = group(tokens, 0)?;
    // A brace too many closes nothing; the parser says so.
    out.extend_from_slice(&tokens[taken..]);
    Ok(without_breaks(out))
}

/// One group up to its closing brace: what it became, and how many tokens it had.
fn group(tokens: &[Token], depth: usize) -> Result<(Vec<Token>, usize), String> {
    if depth > MAX_NESTING {
        return Err("the formula is nested too deeply".to_owned());
    }
    let mut out = Vec::with_capacity(tokens.len());
    let mut split: Option<(&'static str, &'static str, usize)> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Close if depth > 0 => break,
            Token::Open => {
                let (inner, taken) = group(&tokens[at + 1..], depth + 1)?;
                out.push(Token::Open);
                out.extend(inner);
                at += 1 + taken;
                out.extend(tokens.get(at).cloned());
            }
            Token::Command(name) if split.is_none() && infix(name).is_some() => {
                split = infix(name).map(|(before, between)| (before, between, out.len()));
            }
            token => out.push(token.clone()),
        }
        at += 1;
    }
    if let Some((before, between, middle)) = split {
        out = fraction(before, between, &out[..middle], &out[middle..]);
    }
    Ok((out, at.min(tokens.len())))
}

/// Whether one of the next `arguments` arguments is a command without braces around it.
pub(super) fn has_bare_command(tokens: &[Token], arguments: usize) -> bool {
    let mut at = 0;
    if tokens.first() == Some(&Token::Char('[')) {
        at = tokens.iter().position(|token| *token == Token::Char(']')).map_or(0, |close| close + 1);
    }
    for _ in 0..arguments {
        while tokens.get(at) == Some(&Token::Space) {
            at += 1;
        }
        match tokens.get(at) {
            Some(Token::Open) => {
                let mut depth = 0_usize;
                for token in &tokens[at..] {
                    match token {
                        Token::Open => depth += 1,
                        Token::Close => depth -= 1,
                        _ => {}
                    }
                    at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            Some(Token::Command(_)) => return true,
            _ => at += 1,
        }
    }
    false
}

/// How a command between two halves of a group is written around them.
fn infix(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "over" => ("frac", ""),
        "choose" => ("binom", ""),
        "atop" => ("", "."),
        "brace" => ("", "{"),
        "brack" => ("", "["),
        _ => return None,
    })
}

fn fraction(command: &str, bracket: &str, above: &[Token], below: &[Token]) -> Vec<Token> {
    if command.is_empty() {
        let close = match bracket {
            "{" => r"\}",
            "[" => "]",
            _ => ".",
        };
        let open = if bracket == "{" { r"\{" } else { bracket };
        let mut out = super::token::tokens(&format!(r"\left{open}\begin{{matrix}}"));
        out.extend_from_slice(above);
        out.push(Token::Command("\\".to_owned()));
        out.extend_from_slice(below);
        out.extend(super::token::tokens(&format!(r"\end{{matrix}}\right{close}")));
        return out;
    }
    let mut out = vec![Token::Command(command.to_owned())];
    for half in [above, below] {
        out.push(Token::Open);
        out.extend_from_slice(half);
        out.push(Token::Close);
    }
    out
}

/// Leaves out line breaks outside of environments, which MathJax does not show either, and the ones that end one.
fn without_breaks(tokens: Vec<Token>) -> Vec<Token> {
    let mut depth = 0_usize;
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        if token.is("begin") {
            depth += 1;
        } else if token.is("end") {
            depth = depth.saturating_sub(1);
        }
        let line_end = ["\\", "newline", "cr"].iter().any(|name| token.is(name));
        out.push(match (line_end, depth) {
            (true, 0) => Token::Space,
            (true, _) => Token::Command("\\".to_owned()),
            (false, _) => token,
        });
    }
    out
}
