//! Formulas, macros and what goes wrong.

use super::*;
use proptest::prelude::*;

/// The MathML of one formula.
fn inline(tex: &str) -> String {
    let mut out = String::new();
    formula(&mut out, tex, Display::Inline, &mut Macros::default()).unwrap_or_else(|reason| panic!("{tex}: {reason}"));
    out
}

#[test]
fn writes_mathml() {
    assert_eq!(inline("x"), r#"<math data-tex="x" class="math" display="inline"><mi>x</mi></math>"#);
    let mut out = "before ".to_owned();
    assert_eq!(formula(&mut out, "a_1", Display::Block, &mut Macros::default()), Ok(()));
    assert_eq!(
        out,
        r#"before <math data-tex="a_1" class="math" display="block"><msub><mi>a</mi><mn>1</mn></msub></math>"#
    );
}

#[test]
fn macros_live_from_formula_to_formula() {
    let mut macros = Macros::default();
    let mut out = String::new();
    for tex in
        [r"\newcommand{\half}[2][1]{\frac{#1}{#2}}", r"\def\x#1{#1}", r"\DeclareMathOperator{\foo}{foo}", r"\let\y=\x"]
    {
        assert_eq!(formula(&mut out, tex, Display::Inline, &mut macros), Ok(()));
    }
    out.clear();
    assert_eq!(formula(&mut out, r"\half2 \half[3]4 \y{z}", Display::Inline, &mut macros), Ok(()));
    assert_eq!(
        out,
        "<math data-tex=\"\\half2 \\half[3]4 \\y{z}\" class=\"math\" display=\"inline\"><mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>\
         <mfrac><mrow><mn>3</mn></mrow><mrow><mn>4</mn></mrow></mfrac><mi>z</mi></math>"
    );
    assert_eq!(
        formula(&mut String::new(), r"\half2", Display::Inline, &mut Macros::default()),
        Err(r"unknown command `\half`".to_owned())
    );
}

#[test]
fn an_unknown_command_is_shown_among_the_rest() {
    let mut out = String::new();
    assert_eq!(
        formula(&mut out, r"a + \nope", Display::Inline, &mut Macros::default()),
        Err(r"unknown command `\nope`".to_owned())
    );
    assert!(out.contains("<mi>a</mi>") && out.contains("nope"), "{out}");
}

#[test]
fn what_cannot_be_read_is_shown_as_text() {
    let mut out = String::new();
    assert!(formula(&mut out, "a & <b>", Display::Inline, &mut Macros::default()).is_err());
    assert_eq!(
        out,
        "<span class=\"math-error\" data-math=\"inline\" data-tex=\"a &amp; &lt;b&gt;\" title=\"alignment not allowed in current environment\">a &amp; &lt;b&gt;</span>"
    );
}

#[test]
fn a_macro_that_calls_itself_ends() {
    let mut out = String::new();
    assert!(formula(&mut out, r"\def\x{\x\x}\x", Display::Inline, &mut Macros::default()).is_err());
    assert!(
        formula(&mut out, r"\newcommand{\a}{\b}\newcommand{\b}{\a}\a", Display::Inline, &mut Macros::default())
            .is_err()
    );
    let doubling = (b'a'..=b'z').map(|c| char::from(c).to_string()).collect::<Vec<_>>();
    let tex: String = doubling.windows(2).map(|pair| format!(r"\def\{}{{\{1}\{1}}}", pair[0], pair[1])).collect();
    assert!(formula(&mut out, &format!(r"{tex}\def\z{{x}}\a"), Display::Inline, &mut Macros::default()).is_err());
}

#[test]
fn size_and_nesting_are_bounded() {
    let mut out = String::new();
    assert!(formula(&mut out, &"x".repeat(30_000), Display::Inline, &mut Macros::default()).is_err());
    assert!(
        formula(
            &mut out,
            &format!("{}x{}", "{".repeat(5000), "}".repeat(5000)),
            Display::Inline,
            &mut Macros::default()
        )
        .is_err()
    );
    for chain in
        [r"\sqrt", r"\sqrt[2]", r"\frac1", "x^", r"\hat", r"\left(", r"\begin{matrix}", r"\boldsymbol", r"\text", "'"]
    {
        let _ = formula(&mut out, &chain.repeat(19_000 / chain.len()), Display::Block, &mut Macros::default());
    }
}

#[test]
fn the_words_of_mathjax_are_understood() {
    for tex in [
        r"\bm a",
        r"{a \over b}",
        r"{n \choose k}",
        r"{a \brace b}",
        r"\begin{align}a&=b\tag{1}\\c&=d\notag\end{align}",
        r"\begin{eqnarray}a&=&b\\c&=&d\end{eqnarray}",
        r"a \\ b",
        r"\boxed{x}",
        r"\phantom{x}",
        r"\operatorname*{arg\,max}_x",
        r"\ce{2H2 + O2 -> 2H2O}",
        r"\ce{SO4^2-}",
        r"\text{where $x$ is}",
        r"\genfrac{(}{)}{0pt}{}{a}{b}",
        r"\unicode{x263a}",
        r"\left. \frac{a}{b} \right|_0",
        r"\verb|x|",
        r"\substack{a\\b}",
        r"\xmapsto{f}",
    ] {
        inline(tex);
    }
    assert_eq!(
        inline(r"a~b"),
        "<math data-tex=\"a~b\" class=\"math\" display=\"inline\"><mi>a</mi><mtext>\u{A0}</mtext><mi>b</mi></math>"
    );
}

proptest! {
    #[test]
    fn nothing_panics(tex in r"(\\[a-zA-Z]{1,8}|[\\{}$&#%^_~ \[\]*'|<]|\\(begin|end)\{(matrix|array|align)\}|\\(left|right|over|def|newcommand|text)|[a-z0-9é≤]){0,40}") {
        let mut out = String::new();
        let _ = formula(&mut out, &tex, Display::Inline, &mut Macros::default());
        prop_assert!(out.starts_with('<') && out.ends_with('>'));
    }
}
