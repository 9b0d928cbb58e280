//! Emoji: the shortcodes of GitHub that Marp knows.

use std::borrow::Cow;

/// Replaces `:smile:` and its like with the characters they stand for; others stay as they are.
///
/// The caller keeps code, links that were written as addresses, and alternative texts away from it.
#[must_use]
pub(super) fn replace_shortcodes(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut open = None;
    for (at, _) in text.match_indices(':') {
        let emoji = open.and_then(|open: usize| shortcode(&text[open + 1..at]).map(|emoji| (open, emoji)));
        if let Some((start, emoji)) = emoji {
            out.push_str(&text[done..start]);
            out.push_str(emoji);
            done = at + 1;
            open = None;
        } else {
            open = Some(at);
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The emoji of a shortcode that Marp knows.
fn shortcode(name: &str) -> Option<&'static str> {
    let valid =
        !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b));
    // The ideographs by number (`:u6708:`) are GitHub's, not Marp's.
    let by_number = name.len() == 5 && name.starts_with('u') && name[1..].bytes().all(|b| b.is_ascii_hexdigit());
    if !valid || by_number {
        return None;
    }
    emojis::get_by_shortcode(name).map(emojis::Emoji::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn replaces_known_shortcodes() {
        for (text, expected) in [
            (":smile: :+1: :heart:", "😄 👍 ❤️"),
            ("a:tada:b:tada:", "a🎉b🎉"),
            (":nope: :smile", ":nope: :smile"),
            (":nope:smile:", ":nope😄"),
            ("::tada::", ":🎉:"),
            (":u6708: 10:30:00", ":u6708: 10:30:00"),
            ("", ""),
        ] {
            assert_eq!(replace_shortcodes(text), expected, "{text}");
        }
        assert!(matches!(replace_shortcodes("no code: none"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([a-z0-9: ]|👍|\\PC){0,30}") {
            let _ = replace_shortcodes(&text);
        }
    }
}
