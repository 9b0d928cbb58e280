//! Every row of the selector table, as Marp converts it.

use super::*;

fn scoped(origin: Origin<'_>, list: &str) -> String {
    let mut out = String::new();
    Scope { origin, container: Container::Marpit }.write(list, &mut out);
    out.replace("div.marpit > svg > foreignObject > :where(section):not([\\20 root])", "§R")
        .replace("div.marpit > svg > foreignObject > section", "§")
        .replace(":where(section):not([\\20 root])", "{root}")
}

#[track_caller]
fn converts(rows: &[(&str, &str)]) {
    for (source, expected) in rows {
        assert_eq!(scoped(Origin::Deck, source), *expected, "{source}");
    }
}

#[test]
fn a_leading_section_is_the_slide() {
    converts(&[
        ("section", "§"),
        ("section.a", "§.a"),
        ("section#x > p", "§#x > p"),
        ("section:hover h1", "§:hover :is(h1, marp-h1)"),
        ("section::before", "§::before"),
        ("section[data-class], section:nth-of-type(2)", "§[data-class],§:nth-of-type(2)"),
        ("section section", "§ section"),
        ("section>p", "§>p"),
        ("a, section b", "§ a,§ b"),
        ("section-x", "§ section-x"),
        ("SECTION", "§ SECTION"),
    ]);
}

#[test]
fn anything_else_is_inside_a_slide() {
    converts(&[
        ("p", "§ p"),
        (".box", "§ .box"),
        ("*", "§ *"),
        ("html p", "§ html p"),
        ("body h2", "§ body :is(h2, marp-h2)"),
        (":is(h3, section.b) p", "§ :is(:is(h3, marp-h3), section.b) p"),
        ("::backdrop", "§ ::backdrop"),
        ("", "§"),
        ("a,", "§ a,§"),
    ]);
}

#[test]
fn root_is_the_slide_with_more_weight() {
    converts(&[
        (":root", "§R"),
        ("section:root", "§R"),
        (":root h2", "§R :is(h2, marp-h2)"),
        (":root.foo > p", "§R.foo > p"),
        (".a :root", "§ .a {root}"),
        (":where(:root)", "§ :where({root})"),
        ("section:not(:root)", "§:not({root})"),
        ("p:root", "§ p:root"),
        ("section.a:root", "§.a:root"),
    ]);
}

#[test]
fn replaced_elements_match_their_stand_ins() {
    converts(&[
        ("h1.a:hover>span+pre", "§ :is(h1, marp-h1).a:hover>:is(span, marp-span)+:is(pre, marp-pre)"),
        ("H1", "§ :is(h1, marp-h1)"),
        (":not(h1, :is(pre))", "§ :not(:is(h1, marp-h1), :is(:is(pre, marp-pre)))"),
        ("h1::part(auto-scaling)", "§ :is(h1, marp-h1)::part(auto-scaling)"),
        (":nth-child(2n + 1 of h1)", "§ :nth-child(2n + 1 of :is(h1, marp-h1))"),
        (".h1, #h1, [h1], [a=h1], h7, marp-h1", "§ .h1,§ #h1,§ [h1],§ [a=h1],§ h7,§ marp-h1"),
        ("svg|h1", "§ svg|h1"),
        ("::part(span)", "§ ::part(span)"),
    ]);
}

#[test]
fn scoped_styles_know_one_slide() {
    let rows = [
        ("section", "§[data-marpit-scope-K]"),
        ("section h1", "§[data-marpit-scope-K] :is(h1, marp-h1)"),
        (".a", "§[data-marpit-scope-K] .a"),
        (":root", "§[data-marpit-scope-K] {root}"),
        (":root p", "§[data-marpit-scope-K] {root} p"),
        ("section:root", "§[data-marpit-scope-K]:root"),
    ];
    for (source, expected) in rows {
        assert_eq!(scoped(Origin::Scoped("K"), &Scope::confine(source, "K")), expected, "{source}");
    }
}

#[test]
fn bare_slides_have_no_wrapper() {
    let mut out = String::new();
    Scope { origin: Origin::Theme, container: Container::Bare }.write("section p, :root", &mut out);
    assert_eq!(out, "svg > foreignObject > section p,svg > foreignObject > :where(section):not([\\20 root])");
}

#[test]
fn page_numbers_are_known_by_their_selector() {
    let theme = Scope { origin: Origin::Theme, container: Container::Marpit };
    let deck = Scope { origin: Origin::Deck, container: Container::Marpit };
    for list in
        ["section::after", "section:after", "section.a:not(.b)::after", "p, section::after", "section:root::after"]
    {
        assert!(theme.is_page_number(list) && deck.is_page_number(list), "{list}");
    }
    for list in [
        "section p::after",
        "::after",
        "*::after",
        "section > p::after",
        "section::before",
        "section::after:hover",
        ".x :root::after",
    ] {
        assert!(!theme.is_page_number(list), "{list}");
    }
    assert!(theme.is_page_number(":root::after") && theme.is_page_number(":root.a:after"));
    assert!(!deck.is_page_number(":root::after"));
}

#[test]
fn font_sizes_of_slides_are_what_rem_counts_from() {
    for (list, expected) in [
        ("section", Some("section")),
        ("section, p", Some("section")),
        (":root, section.a", Some(":root,section.a")),
        (".a section.b", Some(".a section.b")),
        ("*", Some("section section")),
        (".lead", Some("section section.lead")),
        ("p", None),
        ("section p", None),
        (":root p", None),
        ("section .a", None),
    ] {
        assert_eq!(Scope::root_font_size(list).as_deref(), expected, "{list}");
    }
}

#[test]
fn backdrops_colour_the_frame() {
    let scope = Scope { origin: Origin::Deck, container: Container::Marpit };
    for (list, expected) in [
        ("::backdrop", "div.marpit > svg[data-marpit-svg]"),
        ("section::backdrop, ::backdrop, p", "div.marpit > svg[data-marpit-svg]"),
        ("section.x::backdrop", "div.marpit > svg[data-marpit-svg].x"),
        ("p::backdrop", ""),
        ("section ::backdrop", ""),
        ("*::backdrop", ""),
    ] {
        let mut out = String::new();
        assert_eq!(scope.write_backdrops(list, &mut out), !expected.is_empty());
        assert_eq!(out, expected, "{list}");
    }
}
