//! How fast decks become HTML, beside a bare Markdown parser with syntect on the same text.
//!
//! `cargo bench --bench render`

use std::fmt::Write as _;

use divan::{Bencher, black_box};
use foredeck::deck::{self, Options};
use foredeck::diagnostic::SourceFile;
use foredeck::render::{self, RenderOptions};
use foredeck::theme::ThemeSet;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};
use syntect::parsing::{ParseState, ScopeStack, SyntaxSet};

fn main() {
    divan::main();
}

/// A deck with the usual mixture of slides; the same text for the same number.
fn mixed_deck(slides: usize) -> String {
    let words = "cluster deploy slide table pipeline review branch release network policy secret node pod service";
    let words: Vec<&str> = words.split(' ').collect();
    let mut seed = 12_345_usize;
    let mut pick = |n: usize| {
        let mut out = String::new();
        for i in 0..n {
            seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
            let space = if i == 0 { "" } else { " " };
            let _ = write!(out, "{space}{}", words[seed % words.len()]);
        }
        out
    };
    let mut text = String::from("---\nmarp: true\npaginate: true\nfooter: a deck\n---\n\n");
    for i in 0..slides {
        if i > 0 {
            text.push_str("\n\n---\n\n");
        }
        let _ = match i % 6 {
            0 => write!(text, "# Section {i}\n\n<!-- _class: lead -->\n\n**{}** and *{}*", pick(4), pick(3)),
            1 => write!(
                text,
                "## Bullets\n\n- {}\n  - {}\n- {}\n\n<!-- note: {} -->",
                pick(6),
                pick(4),
                pick(6),
                pick(12)
            ),
            2 => {
                let language = ["js", "python", "yaml", "go", "bash"][(i / 6) % 5];
                let _ = writeln!(text, "## Code\n\n```{language}");
                for k in 0..8 {
                    let _ = writeln!(text, "{}_{k} = \"{}\"", pick(1), pick(3));
                }
                write!(text, "```")
            }
            3 => write!(text, "## Table\n\n| {} | {} |\n|---|:-:|\n| {} | {} |", pick(1), pick(1), pick(2), pick(1)),
            4 => write!(text, "## Image\n\n![bg right:40%](image-{i}.png)\n\n{}\n\n> {}", pick(20), pick(10)),
            _ => write!(
                text,
                "## Text :tada:\n\n{}\n\n* {} `{}`\n* [{}](https://example.com)",
                pick(30),
                pick(5),
                pick(1),
                pick(2)
            ),
        };
    }
    text
}

#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn foredeck(bencher: Bencher<'_, '_>, slides: usize) {
    let source = SourceFile::new("deck.md", mixed_deck(slides));
    let themes = ThemeSet::builtin();
    bencher.bench_local(|| {
        let deck = deck::parse(black_box(&source), &Options::default()).value;
        render::render(&deck, &themes, &RenderOptions::default()).value
    });
}

/// Markdown to HTML with pulldown-cmark's own writer, code parsed by syntect: no slides, no themes.
#[divan::bench(args = [10, 100, 1_000])]
fn pulldown_and_syntect(bencher: Bencher<'_, '_>, slides: usize) {
    let text = mixed_deck(slides);
    let syntaxes = two_face::syntax::extra_newlines();
    bencher.bench_local(|| bare(black_box(&text), &syntaxes));
}

/// The Markdown parser alone.
#[divan::bench(args = [10, 100, 1_000])]
fn pulldown(bencher: Bencher<'_, '_>, slides: usize) {
    let text = mixed_deck(slides);
    bencher.bench_local(|| {
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, Parser::new_ext(black_box(&text), pulldown_cmark::Options::all()));
        html
    });
}

fn bare(text: &str, syntaxes: &SyntaxSet) -> (String, usize) {
    let mut html = String::new();
    let mut scopes = 0;
    let mut language = None;
    let events = Parser::new_ext(text, pulldown_cmark::Options::all()).inspect(|event| match event {
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => language = syntaxes.find_syntax_by_token(info),
        Event::Text(code) => {
            if let Some(syntax) = language.take() {
                let mut state = ParseState::new(syntax);
                let mut stack = ScopeStack::new();
                for line in code.split_inclusive('\n') {
                    for (_, change) in state.parse_line(line, syntaxes).unwrap_or_default() {
                        let _ = stack.apply(&change);
                        scopes += 1;
                    }
                }
            }
        }
        _ => {}
    });
    pulldown_cmark::html::push_html(&mut html, events);
    (html, scopes)
}

/// The CSS of a deck.
#[divan::bench(args = ["default", "gaia", "uncover", "gitops"])]
fn stylesheet(bencher: Bencher<'_, '_>, theme: &str) {
    let themes = ThemeSet::builtin();
    let request = foredeck::theme::StyleRequest { theme, ..Default::default() };
    bencher.bench_local(|| themes.stylesheet(black_box(&request)).value);
}
