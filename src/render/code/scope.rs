//! The wide set of languages: syntect's grammars, their scopes mapped to classes.

use super::lexer::{Class, Run};
use std::sync::OnceLock;
use syntect::parsing::{ParseState, Scope, ScopeStack, ScopeStackOp, SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

/// Which scope gives which class, in all languages or in one; the innermost scope with a row decides, its longest row
/// first, and a language's own rows before the others.
const ROWS: &[(&str, &str, Class)] = &[
    ("C#", "entity.name", "title"),
    ("C#", "meta.annotation", ""),
    ("C#", "storage.type", "built_in"),
    ("C#", "variable.language", "keyword"),
    ("Elixir", "constant.other.keywords", "symbol"),
    ("Elixir", "constant.other.symbol", "symbol"),
    ("Elixir", "entity.name.function", "title"),
    ("Elixir", "keyword.operator.definition.constant", "variable"),
    ("Elixir", "variable.language", ""),
    ("Elixir", "variable.other.module", "variable"),
    ("Nix", "entity.other.attribute-name", "attr"),
    ("Nix", "keyword.operator", "operator"),
    ("Nix", "markup.italic", "subst"),
    ("Nix", "variable.parameter", ""),
    ("PHP Source", "constant.other", "variable constant_"),
    ("PHP Source", "punctuation.definition.variable", "variable"),
    ("PHP Source", "support.function", ""),
    ("PHP Source", "variable.language", "variable"),
    ("PHP Source", "variable.other", "variable"),
    ("PHP Source", "variable.parameter", "variable"),
    ("Perl", "variable", "variable"),
    ("R", "entity.name.function", ""),
    ("R", "keyword.operator", "operator"),
    ("R", "support.function", ""),
    ("R", "variable.parameter", ""),
    ("Ruby", "punctuation.definition.variable", "variable"),
    ("Ruby", "variable.other.readwrite", "variable"),
    ("Scala", "entity.name.function", "title function_"),
    ("Scala", "support.constant", ""),
    ("", "constant.language", "literal"),
    ("", "constant.numeric", "number"),
    ("", "constant.other.symbol", "symbol"),
    ("", "entity.name.class", "title class_"),
    ("", "entity.name.enum", "title class_"),
    ("", "entity.name.function", "title function_"),
    ("", "entity.name.interface", "title class_"),
    ("", "entity.name.module", "title class_"),
    ("", "entity.name.namespace", "title class_"),
    ("", "entity.name.section", "section"),
    ("", "entity.name.struct", "title class_"),
    ("", "entity.name.tag", "name"),
    ("", "entity.name.trait", "title class_"),
    ("", "entity.name.type", "title class_"),
    ("", "entity.other.attribute-name", "attr"),
    ("", "entity.other.inherited-class", "title class_ inherited__"),
    ("", "invalid", ""),
    ("", "keyword", "keyword"),
    ("", "keyword.operator", ""),
    ("", "keyword.operator.word", "keyword"),
    ("", "markup.bold", "strong"),
    ("", "markup.deleted", "deletion"),
    ("", "markup.heading", "section"),
    ("", "markup.inserted", "addition"),
    ("", "markup.italic", "emphasis"),
    ("", "markup.quote", "quote"),
    ("", "markup.raw", "code"),
    ("", "markup.underline.link", "link"),
    ("", "meta.annotation", "meta"),
    ("", "meta.interpolation", "subst"),
    ("", "meta.preprocessor", "meta"),
    ("", "meta.property-name", "attribute"),
    ("", "punctuation.definition.string", "string"),
    ("", "storage", "keyword"),
    ("", "storage.type.primitive", "type"),
    ("", "storage.type.numeric", "number"),
    ("", "string", "string"),
    ("", "string.regexp", "regexp"),
    ("", "support.constant", "literal"),
    ("", "support.function", "built_in"),
    ("", "support.type", "type"),
    ("", "support.type.property-name", "attr"),
    ("", "support.module", "title class_"),
    ("", "support.class", "title class_"),
    ("", "variable.language", "variable language_"),
    ("", "variable.parameter", "params"),
    ("", "variable.other.constant", "title class_"),
];

/// The rows as scopes, and the grammars.
struct Grammars {
    set: SyntaxSet,
    rows: Vec<Row>,
    comment: Option<Scope>,
}

/// A row: language, scope, class.
type Row = (&'static str, Scope, Class);

fn grammars() -> &'static Grammars {
    static GRAMMARS: OnceLock<Grammars> = OnceLock::new();
    GRAMMARS.get_or_init(|| {
        let scope =
            |(language, scope, class): &(&'static str, &str, Class)| Some((*language, Scope::new(scope).ok()?, *class));
        let mut rows: Vec<Row> = ROWS.iter().filter_map(scope).collect();
        rows.sort_by_key(|(language, scope, _)| (language.is_empty(), std::cmp::Reverse(scope.len())));
        Grammars { set: two_face::syntax::extra_newlines(), rows, comment: Scope::new("comment").ok() }
    })
}

/// Classifies code in the language that syntect calls `name`; nothing when it has none, or gives up.
pub(super) fn runs(name: &str, code: &str) -> Option<Vec<Run>> {
    let grammars = grammars();
    let syntax = grammars.set.find_syntax_by_name(name)?;
    // A grammar that trips over its own rules must not take the deck with it.
    std::panic::catch_unwind(|| parse(grammars, syntax, code)).ok()?
}

fn parse(grammars: &Grammars, syntax: &SyntaxReference, code: &str) -> Option<Vec<Run>> {
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut start = 0;
    for line in LinesWithEndings::from(code) {
        let mut class = class_of(grammars, &syntax.name, stack.as_slice());
        for (at, op) in state.parse_line(line, &grammars.set).ok()? {
            push(&mut runs, start + at, class);
            stack.apply(&op).ok()?;
            if !matches!(op, ScopeStackOp::Noop) {
                class = class_of(grammars, &syntax.name, stack.as_slice());
            }
        }
        start += line.len();
        push(&mut runs, start, class);
    }
    Some(runs)
}

fn push(runs: &mut Vec<Run>, end: usize, class: Class) {
    match runs.last_mut() {
        Some(last) if end <= last.end => {}
        Some(last) if last.class == class => last.end = end,
        None if end == 0 => {}
        _ => runs.push(Run { end, class }),
    }
}

/// The class of the innermost scope that has one; all of a comment is comment.
fn class_of(grammars: &Grammars, language: &str, stack: &[Scope]) -> Class {
    if grammars.comment.is_some_and(|comment| stack.iter().any(|scope| comment.is_prefix_of(*scope))) {
        return "comment";
    }
    let applies = |row: &&Row, scope: Scope| (row.0.is_empty() || row.0 == language) && row.1.is_prefix_of(scope);
    let class = |scope: &Scope| grammars.rows.iter().find(|row| applies(row, *scope));
    stack.iter().rev().find_map(class).map_or("", |(_, _, class)| class)
}
