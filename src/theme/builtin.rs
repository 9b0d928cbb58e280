//! The themes inside the binary, and the rules that every deck has.

use std::sync::LazyLock;

use super::stylesheet::Stylesheet;

/// Names and texts of the built-in themes.
pub(super) const THEMES: [(&str, &str); 4] = [
    ("default", include_str!("../../themes/default.css")),
    ("gaia", include_str!("../../themes/gaia.css")),
    ("gitops", include_str!("../../themes/gitops.css")),
    ("uncover", include_str!("../../themes/uncover.css")),
];

/// Every slide's box and page number.
pub(super) static SCAFFOLD: LazyLock<Stylesheet<'static>> =
    LazyLock::new(|| engine(include_str!("../../themes/engine/scaffold.css")));
/// Paper.
pub(super) static PRINT: LazyLock<Stylesheet<'static>> =
    LazyLock::new(|| engine(include_str!("../../themes/engine/print.css")));
/// Container queries measure the slide.
pub(super) static CONTAINER: LazyLock<Stylesheet<'static>> =
    LazyLock::new(|| engine(include_str!("../../themes/engine/container.css")));
/// Layers of slides with background images.
pub(super) static BACKGROUND: LazyLock<Stylesheet<'static>> =
    LazyLock::new(|| engine(include_str!("../../themes/engine/background.css")));

fn engine(css: &'static str) -> Stylesheet<'static> {
    // A test makes sure that these texts can be read.
    Stylesheet::parse(css).unwrap_or_else(|_| Stylesheet::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::stylesheet::Stylesheet;

    #[test]
    fn built_in_css_can_be_read() {
        for sheet in [&SCAFFOLD, &PRINT, &CONTAINER, &BACKGROUND] {
            assert!(sheet.nodes().len() > 1);
        }
        for (name, css) in THEMES {
            Stylesheet::parse(css).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
    }
}
