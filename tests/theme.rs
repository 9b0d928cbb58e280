//! Themes and deck styles → the CSS of a deck.

use foredeck::diagnostic::Warned;
use foredeck::theme::{AutoScaling, Container, Size, StyleRequest, ThemeError, ThemeSet, check_syntax};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::vectors::css::{agrees, normalise};

fn themes(css: &[&str]) -> ThemeSet {
    let mut set = ThemeSet::builtin();
    for css in css {
        set.add(css).unwrap_or_else(|error| panic!("{css}: {error}"));
    }
    set
}

fn style(theme: &str, deck: &[&str], scoped: &[(&str, &str)]) -> Warned<String> {
    themes(&[theme]).stylesheet(&StyleRequest { theme: "t", deck, scoped, ..StyleRequest::default() })
}

fn codes(warned: &Warned<String>) -> Vec<&'static str> {
    warned.diagnostics.iter().map(|diagnostic| diagnostic.code.0).collect()
}

fn rule(selectors: &[&str], declarations: &[(&str, &str)]) -> Value {
    let declarations: Vec<_> = declarations.iter().map(|(name, value)| json!([name, value])).collect();
    json!({"at": [], "selectors": selectors, "decls": declarations})
}

#[track_caller]
fn adds(warned: &Warned<String>, expected: Value) {
    agrees(&expected, &warned.value).unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn a_deck_can_style_its_slides() {
    let styled = style("/* @theme t */", &["h1 { color: red }", "section.lead { color: blue }"], &[]);
    adds(&styled, json!([rule(&["{slide} h1"], &[("color", "red")]), rule(&["{slide}.lead"], &[("color", "blue")])]));
    assert_eq!(codes(&styled), [""; 0]);
}

#[test]
fn the_page_number_keeps_its_text() {
    adds(
        &style("/* @theme t */ section::after{content:'x';color:red}", &[], &[]),
        json!([rule(&["{slide}::after"], &[("color", "red")])]),
    );
    let total = "'Page ' attr(data-marpit-pagination) ' / ' attr(data-marpit-pagination-total)";
    let css = format!("/* @theme t */ section::after{{content:{total}}}");
    adds(&style(&css, &[], &[]), json!([rule(&["{slide}::after"], &[("content", total)])]));
    adds(&style("/* @theme t */ :root::after{content:'x'}", &[], &[]), json!([]));
    adds(
        &style("/* @theme t */", &[":root::after{content:'x'}"], &[]),
        json!([rule(&["{slide:root}::after"], &[("content", "'x'")])]),
    );
}

#[test]
fn rem_counts_from_the_slides_font_size() {
    let styled = style(
        "/* @theme t */ :root{font-size:30px;font-size:2rem!important} h1, section{font-size:1rem;margin:-.5rem}",
        &[],
        &[],
    );
    adds(
        &styled,
        json!([
            rule(&["{slide:root}"], &[("font-size", "30px"), ("font-size", "rem(2)!important")]),
            rule(
                &["{slide:root}"],
                &[("--marpit-root-font-size", "30px"), ("--marpit-root-font-size", "rem(2)!important")]
            ),
            rule(&["{slide} h1", "{slide}"], &[("font-size", "rem(1)"), ("margin", "rem(-.5)")]),
            rule(&["{slide}"], &[("--marpit-root-font-size", "rem(1)")]),
        ]),
    );
}

#[test]
fn nested_rules_are_flat_and_in_order() {
    let styled = style(
        "/* @theme t */",
        &["section{color:red; h1{a:b} margin:0; @media print{c:d; &.k{e:f}} @font-face{font-family:x}}"],
        &[],
    );
    adds(
        &styled,
        json!([
            rule(&["{slide}"], &[("color", "red")]),
            rule(&["{slide} h1"], &[("a", "b")]),
            rule(&["{slide}"], &[("margin", "0")]),
            {"at": ["@media print"], "selectors": ["{slide}"], "decls": [["c", "d"]]},
            {"at": ["@media print"], "selectors": ["{slide}.k"], "decls": [["e", "f"]]},
        ]),
    );
    assert!(styled.value.contains("@font-face{font-family:x;}"));
}

#[test]
fn at_rules_are_descended_or_left_alone() {
    let css = "@supports (a:b){@layer l{p{a:b}}} @keyframes k{from,50%{a:1rem}} @-webkit-keyframes w{to{a:b}} @layer x,y;@page :first{margin:0} @media print{section::after{content:'x'}}";
    adds(
        &style("/* @theme t */", &[css], &[]),
        json!([
            {"at": ["@supports (a:b)", "@layer l"], "selectors": ["{slide} p"], "decls": [["a", "b"]]},
            {"at": ["@keyframes k"], "selectors": ["from", "50%"], "decls": [["a", "rem(1)"]]},
            {"at": ["@-webkit-keyframes w"], "selectors": ["to"], "decls": [["a", "b"]]},
            {"at": [], "rule": "@layer x,y"},
            {"at": ["@page :first"], "decls": [["margin", "0"]]},
        ]),
    );
}

#[test]
fn backdrops_colour_the_letterbox() {
    adds(
        &style("/* @theme t */ ::backdrop, p{color:red}", &[], &[]),
        json!([
            rule(&["{slide} ::backdrop", "{slide} p"], &[("color", "red")]),
            {"at": ["@media screen"], "selectors": ["{frame}"], "decls": [["color", "red"]]},
        ]),
    );
}

#[test]
fn scoped_styles_are_for_one_slide() {
    let css =
        "section{a:b} @media x{p{c:d}} @container y{p{e:f}} @keyframes k{to{g:h}} q{animation:k 1s, j 2s} :root{i:j}";
    let styled = style("/* @theme t */", &["p{z:z}"], &[("AbCd1234", css)]);
    adds(
        &styled,
        json!([
            rule(&["{slide} p"], &[("z", "z")]),
            rule(&["{slide}[data-marpit-scope-{key}]"], &[("a", "b")]),
            {"at": ["@media x"], "selectors": ["{slide}[data-marpit-scope-{key}] p"], "decls": [["c", "d"]]},
            {"at": ["@container y"], "selectors": ["{slide} p"], "decls": [["e", "f"]]},
            {"at": ["@keyframes k-{key}"], "selectors": ["to"], "decls": [["g", "h"]]},
            rule(&["{slide}[data-marpit-scope-{key}] q"], &[("animation", "k-{key} 1s, j 2s")]),
            rule(&["{slide}[data-marpit-scope-{key}] {root}"], &[("i", "j")]),
        ]),
    );
}

#[test]
fn one_mistake_discards_all_unscoped_styles_of_a_deck() {
    let styled = style("/* @theme t */", &["h2{color:blue}", "h1 { color: red } }"], &[("AbCd1234", "p{a:b}")]);
    adds(&styled, json!([rule(&["{slide}[data-marpit-scope-{key}] p"], &[("a", "b")])]));
    assert_eq!(codes(&styled), ["deck/style-syntax"]);
    assert_eq!(
        styled.diagnostics[0].message,
        "the deck's CSS is not used: unexpected `}`: no block is open (line 1, column 19 of the style): `h1 { color: red } }`"
    );
}

#[test]
fn a_mistake_in_a_scoped_style_discards_only_that_one() {
    let styled = style("/* @theme t */", &["b{c:d}"], &[("AbCd1234", "p{a b}"), ("AbCd1234", "q{a:b}")]);
    adds(
        &styled,
        json!([rule(&["{slide} b"], &[("c", "d")]), rule(&["{slide}[data-marpit-scope-{key}] q"], &[("a", "b")])]),
    );
    assert_eq!(codes(&styled), ["deck/scoped-style-syntax"]);
}

#[test]
fn themes_build_on_themes() {
    let set = themes(&[
        "/* @theme c */ @import url(c.css);c{a:b}",
        "/* @theme b\n@size x 1px 2px\n@size y 3px 4px\n@auto-scaling code */ @charset 'b';@import 'c';b{a:b} section{width:40px;height:30px}",
        "/* @theme t\n@size y false\n@size z 5cm 6in */ @charset 't';@import url(t.css);section{height:33px} @import-theme \"b\";",
    ]);
    let styled = set.stylesheet(&StyleRequest {
        theme: "t",
        deck: &["@import url(d.css);@charset 'd';d{a:b}"],
        ..StyleRequest::default()
    });
    assert!(styled.value.starts_with("@charset 't';\n@import url(t.css);\n@import url(c.css);\n@import url(d.css);\n"));
    adds(
        &styled,
        json!([
            {"at": [], "rule": "@charset 't'"},
            {"at": [], "rule": "@import url(t.css)"},
            {"at": [], "rule": "@import url(c.css)"},
            {"at": [], "rule": "@import url(d.css)"},
            {"at": ["@page"], "selectors": [], "decls": [["size", "40px 33px"], ["margin", "0"]]},
            rule(&["{slide} c"], &[("a", "b")]),
            rule(&["{slide} b"], &[("a", "b")]),
            rule(&["{slide}"], &[("width", "40px"), ("height", "30px")]),
            rule(&["{slide}"], &[("height", "33px")]),
            rule(&["{slide} d"], &[("a", "b")]),
        ]),
    );
    assert_eq!(set.size("t", None), Size { width: 40.0, height: 33.0 });
    assert_eq!(set.size("t", Some("x")), Size { width: 1.0, height: 2.0 });
    assert_eq!(set.size("t", Some("y")), Size { width: 40.0, height: 33.0 });
    assert_eq!(set.presets("t"), ["z", "x"]);
    assert_eq!(set.auto_scaling("t"), AutoScaling { fitting_header: false, code: true, math: false });
}

#[test]
fn imports_in_a_deck_choose_no_theme() {
    let styled = themes(&["/* @theme b */ b{a:b}", "/* @theme t */"]).stylesheet(&StyleRequest {
        theme: "t",
        deck: &["@import 'b'; @import-theme 'b'; @import 'missing';"],
        ..StyleRequest::default()
    });
    adds(&styled, json!([{"at": [], "rule": "@import 'missing'"}]));
    assert_eq!(codes(&styled), ["deck/style-import", "deck/style-import"]);
}

#[test]
fn a_preset_outweighs_the_theme_and_not_the_deck() {
    let set = themes(&["/* @theme t\n@size 4:3 960px 720px */ section{width:800px}"]);
    let styled =
        set.stylesheet(&StyleRequest { theme: "t", size: Some("4:3"), deck: &["p{a:b}"], ..StyleRequest::default() });
    adds(
        &styled,
        json!([
            {"at": ["@page"], "selectors": [], "decls": [["size", "960px 720px"], ["margin", "0"]]},
            rule(&["{slide}"], &[("width", "800px")]),
            rule(&["{slide}"], &[("width", "960px"), ("height", "720px")]),
            rule(&["{slide} p"], &[("a", "b")]),
        ]),
    );
}

#[test]
fn sizes_that_cannot_be_measured_are_the_default() {
    let set = themes(&["/* @theme t\n@size a 10em 10px */ section{width:100vw;height:5in}"]);
    assert_eq!(set.size("t", None), Size { width: 1280.0, height: 480.0 });
    assert_eq!(set.size("t", Some("a")), Size { width: 1280.0, height: 10.0 });
    assert_eq!(set.size("unknown", None), Size { width: 1280.0, height: 720.0 });
}

#[test]
fn built_in_themes_have_their_names_and_sizes() {
    let set = ThemeSet::builtin();
    assert_eq!(set.names(), ["default", "gaia", "gitops", "uncover"]);
    for name in set.names() {
        let mut copy = ThemeSet::builtin();
        assert_eq!(copy.add(set.source(name).unwrap_or_default()).ok().as_deref(), Some(name));
        let presets = set.presets(name);
        match name {
            "gitops" => assert_eq!(presets, ["16:9", "4:3", "4:3-large", "16:10"]),
            _ => assert_eq!(presets, ["16:9", "4:3"]),
        }
        assert_eq!(set.size(name, Some("4:3")), Size { width: 960.0, height: 720.0 });
        assert_eq!(set.auto_scaling(name), AutoScaling { fitting_header: true, code: true, math: true });
    }
}

#[test]
fn themes_that_cannot_be_used_are_refused_with_a_reason() {
    let refused = |css: &str| ThemeSet::builtin().add(css).map_err(|error| error.to_string());
    assert_eq!(refused("p{a:b}"), Err("the CSS has no `@theme NAME` comment".into()));
    assert_eq!(refused("/* @theme: t */"), Err("the CSS has no `@theme NAME` comment".into()));
    assert_eq!(
        refused("/* @theme t */\nü } p{a:b}"),
        Err("unknown word: a declaration needs a colon, a rule a block (line 2, column 1)".into())
    );
    assert_eq!(
        refused("/* @theme t */\n  p {\n  a: b"),
        Err("unclosed block: `}` is missing (line 2, column 3)".into())
    );
}

#[test]
fn circles_of_imports_are_refused_and_change_nothing() {
    let mut set = themes(&["/* @theme a */ @import 'b'; a{x:y}", "/* @theme b */ b{x:y}"]);
    assert!(matches!(set.add("/* @theme s */ @import 's';"), Err(ThemeError::Circular(name)) if name == "s"));
    assert!(matches!(set.add("/* @theme b */ @import-theme 'a';"), Err(ThemeError::Circular(name)) if name == "b"));
    assert!(!set.contains("s"));
    assert_eq!(set.source("b"), Some("/* @theme b */ b{x:y}"));
}

#[test]
fn many_imports_of_imports_stay_bounded() {
    let mut set = themes(&["/* @theme t0 */ p{a:b}"]);
    for n in 1..40 {
        set.add(&format!("/* @theme t{n} */ @import 't{}'; @import 't{}';", n - 1, n - 1)).expect("no circle");
    }
    let styled = set.stylesheet(&StyleRequest { theme: "t39", ..StyleRequest::default() });
    assert!(styled.value.len() < 100_000);
}

#[test]
fn bare_slides_need_no_wrapper() {
    let set = themes(&["/* @theme t */ h1{a:b}"]);
    let styled = set.stylesheet(&StyleRequest {
        theme: "t",
        container: Container::Bare,
        advanced_background: true,
        ..StyleRequest::default()
    });
    adds(&styled, json!([rule(&["{slide} h1"], &[("a", "b")])]));
    assert!(!styled.value.contains("div.marpit"));
}

#[test]
fn the_order_is_marps() {
    let set = themes(&["/* @theme b */ p{order:2}", "/* @theme t */ @import 'b'; p{order:4}"]);
    let styled = set.stylesheet(&StyleRequest {
        theme: "t",
        prelude: &["p{order:3}"],
        deck: &["p{order:5}"],
        scoped: &[("AbCd1234", "p{order:6}")],
        advanced_background: true,
        ..StyleRequest::default()
    });
    let at = |text: &str| styled.value.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    let order = [
        at("box-sizing:border-box"),
        at("@page{size:1280px 720px;margin:0;}"),
        at("print-color-adjust"),
        at("order:2"),
        at("container-type:size"),
        at("order:3"),
        at("order:4"),
        at("order:5"),
        at("order:6"),
        at("advanced-background-container"),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn css_cannot_leave_its_style_element() {
    let styled = style("/* @theme t */", &["p{content:'</StyLe><script>'}"], &[]);
    assert!(styled.value.contains("'<\\/StyLe><script>'"));
    assert!(!styled.value.to_lowercase().contains("</style"));
}

#[test]
fn hostile_nesting_ends_with_a_message() {
    let deep = "a,b{".repeat(60) + "x:y" + &"}".repeat(60);
    assert_eq!(codes(&style("/* @theme t */", &[&deep], &[])), ["deck/style-syntax"]);
    let deeper = "a{".repeat(200_000) + &"}".repeat(200_000);
    assert_eq!(codes(&style("/* @theme t */", &[&deeper], &[])), ["deck/style-syntax"]);
    let brackets = format!("a{}{{x:y}}", ":is(".repeat(100_000) + &")".repeat(100_000));
    assert_eq!(codes(&style("/* @theme t */", &[&brackets], &[])), ["deck/style-syntax"]);
    let some_brackets = format!("a{}{{x:y}}", ":is(".repeat(10_000) + &")".repeat(10_000));
    assert_eq!(codes(&style("/* @theme t */", &[&some_brackets], &[])), [""; 0]);
    let wide = format!("{}{{{}}}", vec!["section"; 2_000].join(","), "p{} &,&,&,&{x:y}".repeat(20_000));
    assert_eq!(codes(&style("/* @theme t */", &[&wide], &[])), ["deck/style-syntax"]);
}

/// Text that looks like CSS more often than chance would have it.
fn css_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "section",
        "h1",
        ":root",
        "::after",
        "::backdrop",
        "&",
        ".a",
        "#b",
        "[c='d']",
        ":is(",
        ":not(",
        ")",
        "{",
        "}",
        ";",
        ":",
        ",",
        " ",
        "\n",
        ">",
        "+",
        "*",
        "|",
        "\\",
        "\"",
        "'",
        "/*",
        "*/",
        "@media x",
        "@import 'gaia'",
        "@keyframes k",
        "@layer",
        "@",
        "color: red",
        "font-size:2rem",
        "content:'x'",
        "animation: k",
        "url(",
        "1rem",
        "--x:",
        "é",
        "</style>",
        "!important",
        "@theme t",
        "width:10px",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(css in any::<String>(), like in css_like()) {
        for css in [css, like] {
            let _ = check_syntax(&css);
            let mut set = ThemeSet::builtin();
            let theme = set.add(&format!("/* @theme t */{css}")).map_or("default", |_| "t");
            let request = StyleRequest { theme, deck: &[&css], scoped: &[("AbCd1234", &css)], ..StyleRequest::default() };
            let styled = set.stylesheet(&request);
            prop_assert!(!styled.value.to_lowercase().contains("</style"));
        }
    }

    /// A deck style that cannot be read leaves the rest as if it were not there.
    #[test]
    fn broken_styles_leave_nothing_behind(css in css_like()) {
        prop_assume!(check_syntax(&css).is_err());
        let styled = style("/* @theme t */", &[&css], &[]);
        prop_assert_eq!(normalise(&styled.value, Container::Marpit), normalise(&style("/* @theme t */", &[], &[]).value, Container::Marpit));
        prop_assert_eq!(codes(&styled), ["deck/style-syntax"]);
    }
}
