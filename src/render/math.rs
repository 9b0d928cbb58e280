//! TeX → MathML.
//!
//! `pulldown-latex` does the work; before it, macros are expanded (a deck's own ones, which it keeps from
//! formula to formula, and rewrites of what the parser lacks but MathJax has). A command that nobody knows is
//! shown in red in its formula, as MathJax does, and reported.

mod chemistry;
mod macros;
mod rewrite;
mod shape;
mod token;

pub(super) use macros::Macros;

use std::collections::HashMap;

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, ParserError, Storage};
use token::Token;

/// Inline or on its own line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Display {
    /// In a line of text.
    Inline,
    /// A block.
    Block,
}

/// Formulas above this size, in bytes, are shown as text.
const MAX_TEX: usize = 20_000;

/// Appends a formula as MathML with its TeX in `data-tex`; `macros` are those that earlier formulas of the deck
/// defined, and those that this one defines are added.
///
/// # Errors
/// TeX that cannot be read is shown as text, and the reason returned.
pub(super) fn formula(out: &mut String, tex: &str, display: Display, macros: &mut Macros) -> Result<(), String> {
    match mathml(tex, display, macros) {
        Ok((mathml, unknown)) => {
            out.push_str("<math");
            super::html::attribute(out, "data-tex", tex);
            out.push_str(mathml.strip_prefix("<math").unwrap_or(&mathml));
            unknown.map_or(Ok(()), |name| Err(format!("unknown command `\\{name}`")))
        }
        Err(reason) => {
            out.push_str("<span class=\"math-error\"");
            super::html::attribute(out, "data-math", if display == Display::Block { "block" } else { "inline" });
            super::html::attribute(out, "data-tex", tex);
            super::html::attribute(out, "title", &reason);
            out.push('>');
            super::html::text(out, tex.trim());
            out.push_str("</span>");
            Err(reason)
        }
    }
}

/// The MathML of a formula, and the first command in it that is not known.
fn mathml(tex: &str, display: Display, macros: &mut Macros) -> Result<(String, Option<String>), String> {
    if tex.len() > MAX_TEX {
        return Err(format!("the formula has more than {MAX_TEX} bytes"));
    }
    let mut tokens = shape::shape(&macros::expand(tex, macros)?)?;
    chain(&tokens)?;
    let parsed = parse(&token::text(&tokens), display);
    let Err(reason) = parsed else { return parsed.map(|mathml| (mathml, None)) };
    let unknown = mark_unknown(&mut tokens);
    if unknown.is_none() {
        return Err(reason);
    }
    parse(&token::text(&tokens), display).map(|mathml| (mathml, unknown))
}

/// How many commands may each be the argument of the one before, without braces.
const MAX_CHAIN: usize = 90;

/// Refuses `\sqrt\sqrt\sqrt…`: the parser calls itself for every command that is an argument, and braces, which
/// are counted elsewhere, do not bound that. Chains are counted per cell, from above: only the number of commands
/// that take arguments and have a command among them matters.
fn chain(tokens: &[Token]) -> Result<(), String> {
    let is_word =
        |token: &Token| matches!(token, Token::Command(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()));
    if tokens.iter().filter(|token| is_word(token)).count() <= MAX_CHAIN {
        return Ok(());
    }
    let mut arities = HashMap::new();
    let mut links = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Command(name) if name == "\\" => links = 0,
            Token::Char('&') => links = 0,
            Token::Command(name) if is_word(token) => {
                let arity = *arities.entry(name.as_str()).or_insert_with(|| arity(name));
                links += usize::from(shape::has_bare_command(&tokens[at + 1..], arity));
            }
            _ => {}
        }
        if links > MAX_CHAIN {
            return Err("the formula is nested too deeply".to_owned());
        }
    }
    Ok(())
}

/// How many arguments a command takes, as the parser sees it.
fn arity(name: &str) -> usize {
    let takes = |arguments: &str| read(&format!("\\{name} {arguments}")).is_ok();
    if takes("") {
        0
    } else if takes("{x}") {
        1
    } else {
        2
    }
}

/// Replaces the commands that the parser does not know by their names in red; returns the first.
fn mark_unknown(tokens: &mut Vec<Token>) -> Option<String> {
    let mut first = None;
    let old = std::mem::take(tokens);
    for token in old {
        match token {
            Token::Command(name) if is_unknown(&name) => {
                tokens.extend(token::tokens(&format!(r"\textcolor{{red}}{{\text{{\textbackslash {name}}}}}")));
                first.get_or_insert(name);
            }
            token => tokens.push(token),
        }
    }
    first
}

fn is_unknown(name: &str) -> bool {
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphabetic());
    // Names that only mean something together with others.
    let paired = matches!(
        name,
        "begin" | "end" | "left" | "right" | "middle" | "limits" | "nolimits" | "hline" | "textbackslash"
    );
    is_word
        && !paired
        && read(&format!("\\{name} {{x}}{{x}}")).is_err_and(|reason| reason.contains("unknown primitive"))
}

/// Parses TeX to the end.
fn read(tex: &str) -> Result<(), String> {
    let storage = Storage::new();
    Parser::new(tex, &storage).try_for_each(|event| event.map(drop)).map_err(|error| reason(&error))
}

/// Parses TeX and writes it as MathML.
fn parse(tex: &str, display: Display) -> Result<String, String> {
    read(tex)?;
    let storage = Storage::new();
    let display_mode = match display {
        Display::Inline => DisplayMode::Inline,
        Display::Block => DisplayMode::Block,
    };
    let mut out = Vec::with_capacity(tex.len() * 8);
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    pulldown_latex::write_mathml(&mut out, Parser::new(tex, &storage), config).map_err(|error| error.to_string())?;
    let mathml = String::from_utf8(out).map_err(|error| error.to_string())?;
    let mathml = mathml.replacen("<math ", "<math class=\"math\" ", 1);
    // `~` comes out as the name of an entity.
    Ok(mathml.replace("color: rgb(254 220 186)", "visibility: hidden").replace("&amp;nbsp;", "\u{A0}"))
}

/// The first line of what the parser says, without what it calls itself.
fn reason(error: &ParserError) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("parsing error:").trim().to_owned()
}

#[cfg(test)]
mod tests;
