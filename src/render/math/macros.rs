//! Macros and their expansion: those that a deck defines, and the rewrites.

use super::rewrite::{REWRITES, environment};
use super::token::{Token, text, tokens};
use std::collections::HashMap;

/// A colour that stands for what takes its place and is not seen.
pub(super) const HIDDEN: &str = "#fedcba";

/// How many macros a formula may expand.
const MAX_EXPANSIONS: usize = 2000;
/// How many tokens a formula may grow to.
const MAX_TOKENS: usize = 50_000;

/// Macros that a deck has defined so far; they live through one rendering, across slides.
#[derive(Debug, Clone, Default)]
pub(in crate::render) struct Macros {
    defined: HashMap<String, Macro>,
}

/// A macro.
#[derive(Debug, Clone)]
struct Macro {
    arguments: u8,
    /// What the first argument is when it is not given in brackets.
    default: Option<Vec<Token>>,
    body: Vec<Token>,
}

/// Expands a formula: definitions are taken into `macros`, the rest comes back without them.
pub(super) fn expand(tex: &str, macros: &mut Macros) -> Result<Vec<Token>, String> {
    let mut input = tokens(tex);
    input.reverse();
    let mut expansion = Expansion { input, out: Vec::new(), macros, left: MAX_EXPANSIONS };
    expansion.run()?;
    Ok(expansion.out)
}

/// The letters of an operator's name, which the parser takes as they are.
fn letters(tokens: &[Token]) -> String {
    let chars = tokens.iter().filter_map(|token| match token {
        Token::Char(c) => Some(*c),
        Token::Command(name) if name.starts_with([',', ' ', ';', ':']) => Some(' '),
        Token::Space => Some(' '),
        _ => None,
    });
    chars.collect()
}

/// A formula on its way.
struct Expansion<'m> {
    /// What is still to come, the next token last.
    input: Vec<Token>,
    out: Vec<Token>,
    macros: &'m mut Macros,
    left: usize,
}

impl Expansion<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(token) = self.input.pop() {
            if self.out.len() > MAX_TOKENS || self.input.len() > MAX_TOKENS {
                return Err("the formula grows too large".to_owned());
            }
            match token {
                Token::Command(name) => self.command(name)?,
                token => self.out.push(token),
            }
        }
        Ok(())
    }

    fn command(&mut self, name: String) -> Result<(), String> {
        if let Some(known) = self.macros.defined.get(&name).cloned() {
            return self.apply(&known);
        }
        match name.as_str() {
            "newcommand" | "renewcommand" | "providecommand" => self.new_command(),
            "DeclareMathOperator" => self.new_operator(),
            "def" | "gdef" | "edef" => self.def(),
            "let" => self.alias(),
            "operatorname" if self.star() => {
                let name = letters(&self.argument());
                self.push(&format!(r"\mathop{{{name}}}\limits"), &[]);
            }
            "hspace" if self.star() => self.out.push(Token::Command(name)),
            "tag" => {
                let bare = self.star();
                let tag = self.argument();
                self.push(if bare { r"\qquad\text{#1}" } else { r"\qquad\text{(#1)}" }, &[tag]);
            }
            "text" | "textrm" | "textbf" | "textit" | "texttt" | "textsf" => self.words(name),
            "begin" | "end" => self.environment(name),
            "unicode" => self.unicode(),
            "ce" => {
                let formula = text(&self.argument());
                self.push(&super::chemistry::tex(&formula), &[]);
            }
            "bbox" => {
                self.option();
            }
            "root" => self.root(),
            "phantom" | "hphantom" => {
                let inner = self.argument();
                self.push(&format!(r"\textcolor{{{HIDDEN}}}{{#1}}"), &[inner]);
            }
            "raise" | "lower" => while self.input.pop_if(|token| *token != Token::Open).is_some() {},
            "verb" => self.verbatim(),
            "genfrac" => self.general_fraction(),
            "rule" => {
                self.option();
                let width = self.argument();
                self.argument();
                self.push(r"\hspace{#1}", &[width]);
            }
            _ => match REWRITES.iter().find(|(rewritten, ..)| *rewritten == name) {
                Some((_, arguments, body)) => {
                    self.apply(&Macro { arguments: *arguments, default: None, body: tokens(body) })?;
                }
                None => self.out.push(Token::Command(name)),
            },
        }
        Ok(())
    }

    /// Puts the body of a macro, with its arguments, before what is to come.
    fn apply(&mut self, known: &Macro) -> Result<(), String> {
        self.left = self.left.checked_sub(1).ok_or("too many macros, or one that calls itself")?;
        let mut arguments = Vec::new();
        if let Some(default) = &known.default {
            arguments.push(self.option().unwrap_or_else(|| default.clone()));
        }
        while arguments.len() < usize::from(known.arguments) {
            arguments.push(self.argument());
        }
        self.push_tokens(&known.body, &arguments);
        Ok(())
    }

    fn push(&mut self, body: &str, arguments: &[Vec<Token>]) {
        self.push_tokens(&tokens(body), arguments);
    }

    fn push_tokens(&mut self, body: &[Token], arguments: &[Vec<Token>]) {
        for token in body.iter().rev() {
            match token {
                Token::Argument(digit) => {
                    let argument = usize::from(*digit).checked_sub(1).and_then(|at| arguments.get(at));
                    self.input.extend(argument.into_iter().flatten().rev().cloned());
                }
                token => self.input.push(token.clone()),
            }
        }
    }

    fn blanks(&mut self) {
        while self.input.last() == Some(&Token::Space) {
            self.input.pop();
        }
    }

    /// Takes a star.
    fn star(&mut self) -> bool {
        let star = self.input.last() == Some(&Token::Char('*'));
        if star {
            self.input.pop();
        }
        star
    }

    /// Takes an argument: a group without its braces, or one token.
    fn argument(&mut self) -> Vec<Token> {
        self.blanks();
        match self.input.pop() {
            Some(Token::Open) => {}
            Some(token) => return vec![token],
            None => return Vec::new(),
        }
        let mut depth = 1_usize;
        let mut out = Vec::new();
        while let Some(token) = self.input.pop() {
            match token {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            out.push(token);
        }
        out
    }

    /// Takes an argument in brackets.
    fn option(&mut self) -> Option<Vec<Token>> {
        self.blanks();
        if self.input.last() != Some(&Token::Char('[')) {
            return None;
        }
        self.input.pop();
        let mut out = Vec::new();
        let mut depth = 0_usize;
        while let Some(token) = self.input.pop() {
            match token {
                Token::Open => depth += 1,
                Token::Close => depth = depth.saturating_sub(1),
                Token::Char(']') if depth == 0 => break,
                _ => {}
            }
            out.push(token);
        }
        Some(out)
    }

    /// The name that a definition gives.
    fn name(&mut self) -> Option<String> {
        let argument = self.argument();
        argument.into_iter().find_map(|token| match token {
            Token::Command(name) => Some(name),
            _ => None,
        })
    }

    fn define(&mut self, name: Option<String>, arguments: u8, default: Option<Vec<Token>>, body: Vec<Token>) {
        // A definition in itself is what TeX's primitive means here: the old one.
        let Some(name) = name.filter(|name| !name.is_empty()) else { return };
        self.macros.defined.insert(name, Macro { arguments, default, body });
    }

    /// `\newcommand{\name}[2][default]{body}`
    fn new_command(&mut self) {
        self.star();
        let name = self.name();
        let arguments = self.option().and_then(|count| text(&count).trim().parse().ok()).unwrap_or(0);
        let default = if arguments > 0 { self.option() } else { None };
        let body = self.argument();
        self.define(name, arguments, default, body);
    }

    /// `\DeclareMathOperator*{\name}{text}`
    fn new_operator(&mut self) {
        let limits = self.star();
        let name = self.name();
        let body = letters(&self.argument());
        let tex = if limits { format!(r"\mathop{{{body}}}\limits") } else { format!(r"\operatorname{{{body}}}") };
        self.define(name, 0, None, tokens(&tex));
    }

    /// `\def\name#1#2{body}`
    fn def(&mut self) {
        let name = self.name();
        let mut arguments = 0;
        while !matches!(self.input.last(), None | Some(Token::Open)) {
            if let Some(Token::Argument(digit)) = self.input.pop() {
                arguments = digit;
            }
        }
        let body = self.argument();
        self.define(name, arguments, None, body);
    }

    /// `\let\name=\other`
    fn alias(&mut self) {
        let name = self.name();
        self.blanks();
        if self.input.last() == Some(&Token::Char('=')) {
            self.input.pop();
        }
        let other = self.argument();
        let known = match other.first() {
            Some(Token::Command(other)) => self.macros.defined.get(other).cloned(),
            _ => None,
        };
        match (known, name) {
            (Some(known), Some(name)) => {
                self.macros.defined.insert(name, known);
            }
            (None, name) => self.define(name, 0, None, other),
            (Some(_), None) => {}
        }
    }

    fn environment(&mut self, command: String) {
        let name = text(&self.argument());
        let name = name.trim();
        let known = environment(name).unwrap_or(name);
        self.out.push(Token::Command(command.clone()));
        let tex = match (known, command.as_str()) {
            ("eqnarray", "begin") => "{array}{rcl}".to_owned(),
            ("eqnarray", _) => "{array}".to_owned(),
            (known, _) => format!("{{{known}}}"),
        };
        self.out.extend(tokens(&tex));
    }

    /// `\unicode{x263a}`
    fn unicode(&mut self) {
        self.option();
        let code = text(&self.argument());
        let code = code.trim();
        let number = match code.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex.trim(), 16).ok(),
            None => code.parse().ok(),
        };
        self.out.extend(number.and_then(char::from_u32).map(Token::Char));
    }

    /// `\text{words $formula$ words}`: the formula comes out of the words.
    fn words(&mut self, command: String) {
        let inner = self.argument();
        for (at, part) in inner.split(|token| *token == Token::Char('$')).enumerate() {
            if at % 2 == 1 {
                self.out.extend_from_slice(part);
            } else if !part.is_empty() || inner.is_empty() {
                self.out.extend([Token::Command(command.clone()), Token::Open]);
                self.out.extend_from_slice(part);
                self.out.push(Token::Close);
            }
        }
    }

    /// `\verb|text|`
    fn verbatim(&mut self) {
        let Some(mark) = self.input.pop() else { return };
        let mut inner = Vec::new();
        while let Some(token) = self.input.pop_if(|token| *token != mark) {
            inner.push(token);
        }
        self.input.pop();
        self.push(r"\texttt{#1}", &[inner]);
    }

    /// `\root 3 \of x`
    fn root(&mut self) {
        let mut degree = Vec::new();
        while let Some(token) = self.input.pop() {
            if token.is("of") {
                break;
            }
            degree.push(token);
        }
        let inner = self.argument();
        self.push(r"\sqrt[#1]{#2}", &[degree, inner]);
    }

    /// `\genfrac{left}{right}{thickness}{style}{above}{below}`
    fn general_fraction(&mut self) {
        let mut arguments: Vec<_> = (0..6).map(|_| self.argument()).collect();
        for side in &mut arguments[..2] {
            if side.is_empty() {
                side.push(Token::Char('.'));
            }
        }
        let line = !text(&arguments[2]).trim().starts_with('0');
        let middle = if line { r"\frac{#5}{#6}" } else { r"\begin{matrix}#5\\#6\end{matrix}" };
        self.push(&format!(r"\left#1{middle}\right#2"), &arguments);
    }
}
