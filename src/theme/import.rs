//! `@import` and `@import-theme`: which themes come first, and what is hoisted.

use super::stylesheet::{Kind, Node, Stylesheet};

/// A sheet's statements that must stand before all rules, or be replaced by a theme's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Imports {
    /// What they name, in order.
    pub(super) imports: Vec<Import>,
    /// The first `@charset` as written.
    pub(super) charset: Option<String>,
}

/// One `@import` or `@import-theme`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The name in quotes; `None` for `url(…)` and the like.
    pub(super) name: Option<String>,
    /// The statement as written, without the semicolon.
    pub(super) text: String,
    /// Whether it is `@import-theme`, which means themes only.
    pub(super) theme_only: bool,
    /// Whether other rules stand before it.
    pub(super) late: bool,
}

impl Imports {
    /// Collects the statements at the top level of a sheet.
    pub(super) fn of(sheet: &Stylesheet<'_>) -> Self {
        let mut found = Self::default();
        let mut late = false;
        for node in sheet.top() {
            match (node.kind, sheet.name(node)) {
                (Kind::Statement(_), name @ ("import" | "import-theme")) => found.imports.push(Import {
                    name: quoted(sheet.prelude(node)),
                    text: sheet.raw(node).to_owned(),
                    theme_only: name == "import-theme",
                    late,
                }),
                (Kind::Statement(_), "charset") => found.set_charset(sheet, node),
                (Kind::Comment, _) => {}
                _ => late = true,
            }
        }
        found
    }

    fn set_charset(&mut self, sheet: &Stylesheet<'_>, node: &Node) {
        self.charset.get_or_insert_with(|| sheet.raw(node).to_owned());
    }
}

/// The text of the string that a prelude begins with.
fn quoted(prelude: &str) -> Option<String> {
    let quote = prelude.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = prelude.get(1..)?.split_once(quote)?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quoted_names_can_be_themes() {
        let css = "@charset 'a';@import 'b' print;@import url(c);k{}@import d;@import-theme \"e\";@charset 'f';@media x{@import 'g'}";
        let sheet = Stylesheet::parse(css).expect("the CSS of this test is valid");
        let import = |name: Option<&str>, text: &str, theme_only, late| Import {
            name: name.map(str::to_owned),
            text: text.into(),
            theme_only,
            late,
        };
        assert_eq!(
            Imports::of(&sheet),
            Imports {
                charset: Some("@charset 'a'".into()),
                imports: vec![
                    import(Some("b"), "@import 'b' print", false, false),
                    import(None, "@import url(c)", false, false),
                    import(None, "@import d", false, true),
                    import(Some("e"), "@import-theme \"e\"", true, true),
                ],
            }
        );
    }
}
