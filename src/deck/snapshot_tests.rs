//! New snapshots in decks: what changes and what stays.

use proptest::prelude::*;

use super::*;
use crate::deck::{Deck, Options, parse};
use crate::diagnostic::SourceFile;

fn deck(text: &str) -> Deck {
    parse(&SourceFile::new("a.md", text), &Options::default()).value
}

fn replaced(text: &str, body: &str) -> String {
    let deck = deck(text);
    let panels: Vec<(&PanelSpec, &str)> =
        deck.slides.iter().flat_map(|slide| &slide.panels).map(|panel| (panel, body)).collect();
    replace(text, &panels)
}

#[test]
fn only_bodies_change() {
    for (text, body, expected) in [
        ("a\n\n```panel pods\nold\n```\nb", "new\nlines\n", "a\n\n```panel pods\nnew\nlines\n```\nb"),
        ("```panel pods\n```\n", "new", "```panel pods\nnew\n```\n"),
        ("```panel pods\nold\n```\n", "", "```panel pods\n```\n"),
        ("```panel pods\nold\n```\n", "a\n```\nb", "````panel pods\na\n```\nb\n````\n"),
        ("~~~ panel pods  \nold\n~~~~ \n", "```\n~~~", "~~~~ panel pods  \n```\n~~~\n~~~~ \n"),
        ("- x\n\n  ```panel pods\n  old\n  ```\n", "a\n\n b", "- x\n\n  ```panel pods\n  a\n\n   b\n  ```\n"),
        ("- ```panel pods\n  old\n  ```\n", "a", "- ```panel pods\n  a\n  ```\n"),
        ("> ```panel pods\n> old\n> ```\n", "a\n\nb", "> ```panel pods\n> a\n>\n> b\n> ```\n"),
        ("```panel pods\r\nold\r\n```\r\n", "a\nb", "```panel pods\r\na\r\nb\r\n```\r\n"),
        ("```panel pods\nold", "new", "```panel pods\nnew"),
        ("```panel pods", "new", "```panel pods\nnew"),
        ("```panel podz\nold\n```\n", "new", "```panel podz\nold\n```\n"),
        ("![a](b.svg \"panel: pods\")\n", "new", "![a](b.svg \"panel: pods\")\n"),
        ("```panel pods\n```\n\n```panel sync\nx\n```\n", "y", "```panel pods\ny\n```\n\n```panel sync\ny\n```\n"),
    ] {
        assert_eq!(replaced(text, body), expected, "{text:?} {body:?}");
    }
}

#[test]
fn a_place_that_is_no_fence_is_left_alone() {
    let mut panel = deck("```panel pods\nx\n```\n").slides.remove(0).panels.remove(0);
    for span in [Span::new(0, 999), Span::new(3, 4), Span::new(900, 901)] {
        panel.span = span;
        assert_eq!(replace("short ä", &[(&panel, "new")]), "short ä");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// The new text is what is read back, the other parts stay, and a second time changes nothing.
    #[test]
    fn what_is_written_is_read(
        body in "([a `~$>#*<!-]|\n|--){0,30}",
        context in prop::sample::select(vec![("", ""), ("- x\n\n  ", "  "), ("> ", "> "), ("1. > ", "   > ")]),
        marks in prop::sample::select(vec!["```", "````", "~~~"]),
        old in "[a-z]{0,5}",
    ) {
        let (first, rest) = context;
        let text = format!("# T\n\n{first}{marks}panel pods id=p\n{rest}{old}\n{rest}{marks}\n\nend\n");
        let new = replaced(&text, &body);
        let parsed = deck(&new);
        let panels: Vec<&PanelSpec> = parsed.slides.iter().flat_map(|slide| &slide.panels).collect();
        prop_assert_eq!(panels.len(), 1, "{:?}", new);
        let mut expected = lines(&body).join("\n");
        if !expected.is_empty() {
            expected.push('\n');
        }
        prop_assert_eq!(&panels[0].snapshot, &expected, "{:?}", new);
        let (start, end) = (format!("# T\n\n{first}{marks}"), format!("{marks}\n\nend\n"));
        prop_assert!(new.starts_with(&start) && new.ends_with(&end), "{:?}", new);
        prop_assert_eq!(replaced(&new, &body), new);
    }

    #[test]
    fn any_text_is_survived(text in "([a`~ >-]|\n|```panel pods\n|- |~~~panel sync\n){0,20}", body in "\\PC{0,20}") {
        let new = replaced(&text, &body);
        let read: usize = deck(&text).slides.iter().map(|slide| slide.panels.len()).sum();
        prop_assert!(read > 0 || new == text);
    }
}
