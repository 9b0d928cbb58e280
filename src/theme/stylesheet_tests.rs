//! What is read, what is refused, and that nothing is lost.

use proptest::prelude::*;

use super::*;

/// Puts a sheet together again from its nodes and what stands between them.
fn printed(sheet: &Stylesheet<'_>) -> String {
    let mut out = String::new();
    let mut at = 0;
    print_nodes(sheet, &mut sheet.top(), &mut at, &mut out);
    gap(sheet, &mut at, sheet.text().len(), &mut out);
    out
}

fn print_nodes(sheet: &Stylesheet<'_>, nodes: &mut dyn Iterator<Item = &Node>, at: &mut usize, out: &mut String) {
    for node in nodes {
        gap(sheet, at, node.start as usize, out);
        match node.kind {
            Kind::Rule | Kind::Block(_) => {
                out.push_str(sheet.slice(node.start, node.head));
                out.push('{');
                *at = node.head as usize + 1;
                print_nodes(sheet, &mut sheet.children(node), at, out);
                gap(sheet, at, node.end as usize - 1, out);
                out.push('}');
            }
            _ => out.push_str(sheet.raw(node)),
        }
        *at = node.end as usize;
    }
}

/// Between nodes there is only white space, semicolons and a byte order mark.
fn gap(sheet: &Stylesheet<'_>, at: &mut usize, end: usize, out: &mut String) {
    let text = &sheet.text()[*at..end];
    assert!(text.chars().all(|c| c.is_ascii_whitespace() || matches!(c, ';' | '\u{feff}')), "lost: {text:?}");
    out.push_str(text);
    *at = end;
}

fn verdict(css: &str) -> &'static str {
    match check_syntax(css) {
        Ok(()) => "ok",
        Err(error) => [
            "unclosed block",
            "unexpected `}`",
            "unclosed comment",
            "unclosed string",
            "unclosed bracket",
            "unknown word",
            "a semicolon",
            "at-rule without",
        ]
        .into_iter()
        .find(|start| error.message.starts_with(start))
        .unwrap_or("?"),
    }
}

#[track_caller]
fn judges(expected: &str, sources: &[&str]) {
    for css in sources {
        assert_eq!(verdict(css), expected, "{css}");
        if expected == "ok" {
            assert_eq!(printed(&Stylesheet::parse(*css).expect("judged readable")), *css);
        }
    }
}

#[test]
fn text_that_postcss_reads_is_read() {
    judges(
        "ok",
        &[
            "",
            "a{b:c}",
            "a{b:;c:d}",
            "a{b:c\u{2004}}",
            "a{:b}",
            "a{--b:}",
            "a{*b:c}",
            "a{b!c:d}",
            "a{1:b}",
            "a{(b):c}",
            "a{b : c ! important}",
            "a{b:c;;}",
            ";a{b:c};",
            "a:b;",
            "$x: 1; a{b:$x}",
            "// c\na{b:c}",
            "{a:b}",
            "a,,b{c:d}",
            "a){b:c}",
            "a{b:c)}",
            "a{b:{c:d}}",
            "a{b:c{d:e}}",
            "a{--b:{c:d;e}}",
            "a{--b:c:d:e}",
            "a{b:(c:d)}",
            "a{b:(c;d)}",
            "a{b:(c}d)}",
            "a{b:url(a;b{c}'d)}",
            "a{b:URL(x:y)}",
            "a{b:url( 'a;' )}",
            "a{b:'c\nd'}",
            "a{b:'\\''}",
            "a{b:c\\:d}",
            "a:not([b='}']){c:d}",
            "a{/*}*/b:c}",
            "a/*x*/b{c:/*:*/d}",
            "a{filter:progid:X(a='b')}",
            "\\61{b:c}",
            "@import",
            "@media print;",
            "@media print{a{b:c}}",
            "@x (a}b);",
            "@x [a;b]{c:d}",
            "a{@x b}",
            "a{b:c @d:e}",
            "a{@x b;c:d}",
            "a{@x{}b:c}",
            "a{&:hover{b:c}}",
            "a{::b}",
            "\u{feff}a{b:c}",
            "a{b:c\u{0}d}",
            "[a;b]{c:d}",
        ],
    );
}

#[test]
fn text_that_postcss_refuses_is_refused() {
    judges("unclosed block", &["a{b:c", "a{", "@media print{a{b:c}", "a{b:c}b{"]);
    judges("unexpected `}`", &["}", "a{b:c}}", "@x a}b;"]);
    judges("unclosed comment", &["/* x", "a{b:c}/* x", "a{/*"]);
    judges("unclosed string", &["a{b:'c}", "a{b:'\\'}", "a{b:url('c)}"]);
    judges(
        "unclosed bracket",
        &["a{b:(c}", "a{b:[c}", "a(b{c:d}", "a{b:url(c}", "(a;b{c:d}", "a{--b:{c:d", "a{b:(c;d}e:f}"],
    );
    judges(
        "unknown word",
        &[
            "a",
            "a b c;",
            "a{b}",
            "a{b c}",
            "a{b;c:d}",
            "a{b:c;d}",
            "a{.b;}",
            "a{b\\:c}",
            "a{--b}",
            "<p>",
            "a{b:c}<p>",
            "!",
            "a{// c\n}",
        ],
    );
    judges(
        "a semicolon",
        &["a{b:c:d}", "a{b::c}", "a{color:red\nfont:x}", "a{b:http://x}", "a{b:(c):d;e:f}", "a{b:[c:d]}", "a{b:'c':d}"],
    );
    judges("at-rule without", &["@{a:b}", "@ a;", "a{@"]);
}

#[test]
fn places_count_lines_and_characters() {
    let error = check_syntax("a{b:c}\n/* é */ é\n").expect_err("no block");
    assert_eq!((error.offset, error.line, error.column), (16, 2, 9));
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| "a{".repeat(depth) + &"}".repeat(depth);
    assert!(check_syntax(&nested(100)).is_ok());
    assert!(check_syntax(&nested(1_000_000)).is_err());
}

#[test]
fn nodes_tell_their_parts() {
    let sheet = Stylesheet::parse("@media  print {a , b{ --c : {d:e} ; /*f*/ g:h!important}}i{}").expect("readable");
    let tops: Vec<&Node> = sheet.top().collect();
    assert_eq!((sheet.name(tops[0]), sheet.prelude(tops[0]), tops.len()), ("media", "print", 2));
    let rule = sheet.children(tops[0]).next().expect("a rule");
    assert_eq!(sheet.head(rule), "a , b");
    let inside: Vec<(&str, &str)> = sheet.children(rule).map(|node| (sheet.head(node), sheet.value(node))).collect();
    assert_eq!(inside, [("--c", "{d:e}"), ("/*f*/", ""), ("g", "h!important")]);
    assert_eq!(sheet.children(tops[1]).count(), 0);
}

proptest! {
    #[test]
    fn what_is_read_prints_as_it_was(css in "(a|b|&|:|;|\\{|\\}|\\(|\\)|'|/\\*|\\*/|@x |--y|é| |\n|\\\\){0,40}") {
        if let Ok(sheet) = Stylesheet::parse(css.as_str()) {
            prop_assert_eq!(printed(&sheet), css);
        }
    }

    #[test]
    fn any_text_is_survived(css in any::<String>()) {
        if let Ok(sheet) = Stylesheet::parse(css.as_str()) {
            prop_assert_eq!(printed(&sheet), css);
        }
    }
}
