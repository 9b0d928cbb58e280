//! Decks that are hostile, huge or random.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use foredeck::deck::{self, Compatibility, Deck, Options};
use foredeck::diagnostic::SourceFile;
use foredeck::render::{self, RenderOptions};
use foredeck::theme::ThemeSet;
use proptest::prelude::*;

fn parse(text: &str) -> Deck {
    deck::parse(&SourceFile::new("deck.md", text), &Options::default()).value
}

fn codes(text: &str) -> Vec<&'static str> {
    let parsed = deck::parse(&SourceFile::new("deck.md", text), &Options::default());
    parsed.diagnostics.iter().map(|diagnostic| diagnostic.code.0).collect()
}

fn html(text: &str) -> String {
    let rendered = render::render(&parse(text), &ThemeSet::builtin(), &RenderOptions::default()).value;
    rendered.slides.into_iter().map(|slide| slide.html).collect()
}

/// Renders within a bound that a quadratic step would break by far.
fn renders_in_time(text: &str) -> String {
    let start = Instant::now();
    let html = html(text);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(60), "{} bytes took {took:?}", text.len());
    html
}

#[test]
fn deep_nesting_is_flattened_and_keeps_its_text() {
    for (open, levels) in [("> ", 10_000), ("- ", 2_000), ("* ", 2_000)] {
        let html = renders_in_time(&format!("{}innermost", open.repeat(levels)));
        assert!(html.contains("innermost"), "{open}");
    }
    let html = renders_in_time(&format!("{}innermost{}", "*a ".repeat(5_000), "*".repeat(5_000)));
    assert!(html.contains("innermost"));
    let html = renders_in_time(&format!("{}innermost{}", "<div>\n\n".repeat(5_000), "\n\n</div>".repeat(5_000)));
    assert!(html.contains("innermost"));
    renders_in_time(&"[".repeat(50_000));
    renders_in_time(&"![".repeat(50_000));
    renders_in_time(&"`".repeat(50_000));
    renders_in_time(&"<!-- a -->".repeat(20_000));
    renders_in_time(&"<".repeat(50_000));
    renders_in_time(&"$a$".repeat(50_000));
    renders_in_time(&"$$\n".repeat(20_000));
}

#[test]
fn comments_and_styles_that_never_end_keep_the_text_in_time() {
    for open in ["<style>\n\ntext\n\n", "<!-- a\n\ntext\n\n", "<!-- a\n\n", "<style>\n\n"] {
        let html = renders_in_time(&format!("{}innermost", open.repeat(20_000)));
        assert!(html.contains("innermost"), "{open:?}");
    }
    renders_in_time(&"<style>a{}</style>".repeat(20_000));
}

#[test]
fn hostile_front_matter_ends_in_time() {
    let keys: String = (0..100_000).map(|i| format!("k{i}: v\n")).collect();
    assert_eq!(codes(&format!("---\n{keys}---\nx")), ["deck/front-matter-syntax"]);
    assert!(renders_in_time(&format!("---\n{keys}broken: [\nclass: lead\n---\nx")).contains("class=\"lead\""));
}

#[test]
fn long_lists_of_emphasised_lines_end_in_time() {
    let code = "x\n".repeat(50_000);
    renders_in_time(&format!("```js {{{}}}\n{code}```\n", "1,".repeat(50_000)));
    renders_in_time(&format!("```js {{fold={}2-49999}}\n{code}```\n", "1-2,".repeat(50_000)));
}

#[test]
fn long_international_host_names_end_in_time() {
    let host: String = ('\u{4e00}'..'\u{9e00}').collect();
    renders_in_time(&format!("[a](http://{host}.com/) http://{host}.com/"));
}

#[test]
fn ten_thousand_slides_are_parsed() {
    let mut text = String::from("---\npaginate: true\n---\n");
    for i in 0..10_000 {
        let _ = write!(text, "# Slide {i}\n\n- a\n- b\n\n<!-- note {i} -->\n\n---\n\n");
    }
    let deck = parse(&text);
    assert_eq!(deck.slides.len(), 10_001);
    assert_eq!(deck.slides[9_999].page, Some(10_000));
    assert_eq!(deck.slides[9_999].notes[0].text, "note 9999");
}

#[test]
fn ten_megabytes_are_rendered() {
    let paragraph = "Some *text* with `code`, a [link](https://example.com) and $x$.\n\n";
    let html = renders_in_time(&paragraph.repeat(10_000_000 / paragraph.len()));
    assert!(html.len() > 10_000_000);
}

#[test]
fn text_that_marp_loses_is_kept_and_said() {
    for (text, kept, code) in [
        ("<!-- _class: lead --> # Title", "Title</h1>", "deck/text-after-comment"),
        ("---\n\n# a\n\n---\n\n# b", "a</h1>", "deck/leading-ruler"),
        ("---\ntheme: default\n# Hello", "Hello</h1>", "deck/unclosed-front-matter"),
        ("---\nheader: **Team**\npaginate: true\n---\nx", "<strong>Team</strong>", "deck/front-matter-syntax"),
        ("a\n\n<!-- start\n\n---\n\nc", "<p>c</p>", "deck/unclosed-comment"),
        ("<style>p { color: red }</style> tail", "<p>tail</p>", "deck/text-after-comment"),
    ] {
        assert!(html(text).contains(kept), "{text:?}: {}", html(text));
        assert!(codes(text).contains(&code), "{text:?}: {:?}", codes(text));
        let strict = Options { compatibility: Compatibility::Strict, ..Options::default() };
        let marp = deck::parse(&SourceFile::new("deck.md", text), &strict).value;
        let marp = render::render(&marp, &ThemeSet::builtin(), &RenderOptions::default()).value;
        assert!(!marp.slides.iter().any(|slide| slide.html.contains(kept)), "{text:?} is kept by Marp too");
    }
}

#[test]
fn wrong_values_are_named_with_their_place() {
    let source = SourceFile::new("deck.md", "---\nclass: x\npaginate: yes\nurl: nowhere\nheadingDivider: 9\n---\n");
    let parsed = deck::parse(&source, &Options::default());
    let found: Vec<(usize, &str)> = parsed
        .diagnostics
        .iter()
        .map(|d| (d.span.map_or(0, |span| source.line_column(span.start).line), d.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (4, "`url` takes an absolute URL"),
            (5, "`headingDivider` takes a level from 1 to 6, a list of levels, or false"),
            (3, "`paginate` takes true, false, hold or skip"),
        ]
    );
}

/// Pieces that hostile decks are made of.
const PIECES: [&str; 48] = [
    "---\n",
    "theme: gaia\n",
    "paginate: true\n",
    "header: **x\n",
    "# T",
    "\n",
    "\n\n",
    "<!-- ",
    " -->",
    "_class: a",
    "$",
    "$$",
    "$$\n",
    "`",
    "```",
    "```yaml {1,3-4|7}\n",
    "~~",
    "~",
    "![bg left:30%](a.png)",
    "![w:20](",
    ")",
    "[",
    "](",
    "<style>",
    "</style>",
    "<style scoped>",
    "h1 { color: red }",
    "<div>",
    "</div>",
    "<a href=",
    "\"",
    "> ",
    "- ",
    "* ",
    "1) ",
    "    ",
    "\t",
    "| a | b |\n",
    "|---|---|\n",
    "\\",
    "&amp;",
    "😀",
    ":tada:",
    "https://a.b/c",
    "a@b.co",
    "\u{0}",
    "\r\n",
    "{fold=1-2}",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        1 => ".{0,6}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

#[test]
fn places_stay_inside_the_text() {
    let source = SourceFile::new("deck.md", "---\n---\n- \r\n    <style>");
    let spans: Vec<_> = deck::parse(&source, &Options::default()).diagnostics.iter().map(|d| d.span).collect();
    assert_eq!(spans, [Some(foredeck::diagnostic::Span::new(18, 23))]);
}

/// HTML of those who mean no good.
fn markup() -> impl Strategy<Value = String> {
    const PIECES: [&str; 40] = [
        "<",
        ">",
        "/",
        "=",
        "\"",
        "'",
        " ",
        "\n",
        "\n\n",
        "\t",
        "`",
        "\\",
        "&",
        "#58",
        "&#58",
        "&#x3a;",
        "&colon;",
        "&#115",
        ";",
        "a",
        "href",
        "src",
        "img",
        "script",
        "onerror",
        "onload=x",
        "javascript:x",
        "java\nscript:x",
        "JavaScript",
        ":alert(1)",
        "<a href=",
        "<img src=",
        "<script>",
        "</script>",
        "<svg><a xlink:href=",
        "<!--",
        "-->",
        "](",
        "![x](",
        "<iframe srcdoc=",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_deck(text in hostile()) {
        for compatibility in [Compatibility::KeepText, Compatibility::Strict] {
            let source = SourceFile::new("deck.md", text.as_str());
            let options = Options { compatibility, ..Options::default() };
            let parsed = deck::parse(&source, &options);
            prop_assert!(!parsed.value.slides.is_empty());
            let length = source.text().len();
            for diagnostic in &parsed.diagnostics {
                if let Some(span) = diagnostic.span {
                    prop_assert!(span.start <= span.end && span.end <= length, "{:?}", diagnostic);
                }
            }
            for slide in &parsed.value.slides {
                prop_assert!(slide.span.end <= length);
            }
            let rendered = render::render(&parsed.value, &ThemeSet::builtin(), &RenderOptions::default()).value;
            prop_assert_eq!(rendered.slides.len(), parsed.value.slides.len());
        }
    }

    #[test]
    fn any_html_stays_harmless(raw in markup()) {
        let html = html(&raw);
        let page = scraper::Html::parse_document(&html);
        for element in page.tree.nodes().filter_map(|node| node.value().as_element()) {
            prop_assert!(!["script", "iframe", "object", "embed", "form", "base", "meta"].contains(&element.name()) , "{} in {:?}", element.name(), html);
            for (name, value) in element.attrs() {
                prop_assert!(!name.starts_with("on"), "{} in {:?}", name, html);
                let address: String = value.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
                let runs = matches!(name, "href" | "src" | "xlink:href") && address.to_ascii_lowercase().starts_with("javascript:");
                prop_assert!(!runs, "{} in {:?}", value, html);
            }
        }
    }

    #[test]
    fn any_text_is_imported_from_reveal(text in hostile()) {
        let source = SourceFile::new("deck.md", text.as_str());
        let converted = deck::reveal::to_marp(&source);
        for offset in 0..=converted.value.text.len() {
            let span = converted.value.original(foredeck::diagnostic::Span::new(offset, offset));
            prop_assert!(span.start <= span.end && span.end <= source.text().len());
        }
        prop_assert!(!parse(&converted.value.text).slides.is_empty());
    }

    #[test]
    fn words_are_never_lost(words in proptest::collection::vec("[a-z]{3,8}", 1..12), marks in proptest::collection::vec(0usize..7, 1..12)) {
        let mut text = String::new();
        for (word, mark) in words.iter().zip(&marks) {
            let _ = match mark {
                0 => write!(text, "# {word}\n\n"),
                1 => writeln!(text, "- {word}"),
                2 => write!(text, "\n---\n\n{word}\n\n"),
                3 => write!(text, "> {word}\n\n"),
                4 => write!(text, "<!-- note --> {word}\n\n"),
                5 => write!(text, "**{word}** "),
                _ => write!(text, "```\n{word}\n```\n\n"),
            };
        }
        let html = html(&text);
        for (word, _) in words.iter().zip(&marks) {
            prop_assert!(html.contains(word.as_str()), "{} is lost from {:?}", word, text);
        }
    }
}
