//! Small parts of composing that the integration tests do not reach.

use super::*;

#[test]
fn end_tags_are_made_harmless_and_nothing_else() {
    assert_eq!(without_end_tags("a</style b</STYLE>c</p>".into()), "a<\\/style b<\\/STYLE>c</p>");
    assert_eq!(without_end_tags("é</".into()), "é</");
    assert_eq!(without_end_tags("</styl</style".into()), "</styl<\\/style");
}

#[test]
fn a_long_line_is_cut_between_characters() {
    let css = "é".repeat(200);
    let error = check_syntax(&css).expect_err("no block");
    assert_eq!(
        describe(&error, &css),
        format!(
            "unknown word: a declaration needs a colon, a rule a block (line 1, column 1 of the style): `{}`",
            "é".repeat(80)
        )
    );
}
