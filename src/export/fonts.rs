//! The fonts that a page needs, inside the page.

use std::path::Path;

use super::data;
use crate::render::template;

/// Where the built-in fonts are declared.
const FONTS: &str = "fonts.css";

/// The `@font-face` rules of the built-in fonts whose families `css` names, with the files in them.
pub(super) fn embedded(css: &str) -> String {
    let Some(text) = template::asset(FONTS).and_then(|bytes| String::from_utf8(bytes.into_owned()).ok()) else {
        return String::new();
    };
    let mut out = String::new();
    for rule in text.split("@font-face").skip(1) {
        let Some(end) = rule.find('}') else { continue };
        let rule = &rule[..=end];
        if family(rule).is_some_and(|family| css.contains(family)) {
            out.push_str("@font-face");
            out.push_str(&with_files(rule));
            out.push('\n');
        }
    }
    out
}

fn family(rule: &str) -> Option<&str> {
    let (_, value) = rule.split_once("font-family:")?;
    Some(value.split(';').next()?.trim().trim_matches(['"', '\'']))
}

/// The rule with `url("fonts/…")` replaced by the file.
fn with_files(rule: &str) -> String {
    let Some((before, rest)) = rule.split_once("url(\"") else { return rule.to_owned() };
    let Some((path, after)) = rest.split_once("\")") else { return rule.to_owned() };
    match template::asset(path) {
        Some(bytes) => format!("{before}url(\"{}\"){after}", data::uri(Path::new(path), &bytes)),
        None => rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_families_that_are_named_are_embedded() {
        assert_eq!(embedded("section { font-family: serif }"), "");
        let fonts = embedded("section { font-family: 'JetBrains Mono Variable', monospace }");
        assert_eq!(
            fonts.matches("@font-face").count(),
            fonts.matches("font-family: \"JetBrains Mono Variable\"").count()
        );
        assert!(fonts.contains("url(\"data:font/woff2;base64,"), "{}", &fonts[..200.min(fonts.len())]);
        assert!(!fonts.contains("Lato"));
    }
}
