//! `@key value` lines in a theme's comments: `@theme`, `@size`, `@auto-scaling`.

use super::stylesheet::{Kind, Stylesheet};

/// What a theme says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Value of the last `@theme`.
    pub(super) theme: Option<String>,
    /// Values of every `@size`, in order.
    pub(super) sizes: Vec<String>,
    /// Value of the last `@auto-scaling`.
    pub(super) auto_scaling: Option<String>,
    /// All others, in order.
    pub(super) others: Vec<(String, String)>,
}

impl Metadata {
    /// Collects the lines from all comments of a sheet.
    pub(super) fn of(sheet: &Stylesheet<'_>) -> Self {
        let mut metadata = Self::default();
        for node in sheet.nodes().iter().filter(|node| node.kind == Kind::Comment) {
            let text = sheet.raw(node);
            let text = text.strip_prefix("/*").and_then(|t| t.strip_suffix("*/")).unwrap_or(text);
            metadata.read_comment(text.strip_prefix('!').unwrap_or(text));
        }
        metadata
    }

    fn read_comment(&mut self, text: &str) {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(entry) = line.trim_start_matches(|c: char| c.is_whitespace() || c == '*').strip_prefix('@') else {
                continue;
            };
            let end = entry.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).unwrap_or(entry.len());
            let (key, rest) = entry.split_at(end);
            if key.is_empty() || !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
                continue;
            }
            let mut value = rest.trim();
            if value.is_empty() {
                // The value may stand on the next line when that is no entry itself.
                let next = lines.peek().map_or("", |line| line.trim());
                if next.is_empty() || next.starts_with(['@', '*']) {
                    continue;
                }
                value = next;
            }
            self.set(key, value);
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            "theme" => self.theme = Some(value.to_owned()),
            "size" => self.sizes.push(value.to_owned()),
            "auto-scaling" => self.auto_scaling = Some(value.to_owned()),
            _ => self.others.push((key.to_owned(), value.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(css: &str) -> Metadata {
        Metadata::of(&Stylesheet::parse(css).expect("the CSS of this test is valid"))
    }

    fn name(css: &str) -> Option<String> {
        metadata(css).theme
    }

    #[test]
    fn a_theme_is_named_in_any_kind_of_comment() {
        for css in [
            "/* @theme k */",
            "/*! @theme k */",
            "/*@theme\tk*/",
            "/**\n * @theme k\n */",
            "a{/* @theme k */}",
            "/* @theme a */ /* @theme k */",
            "/*@theme\nk*/",
        ] {
            assert_eq!(name(css).as_deref(), Some("k"), "{css}");
        }
        assert_eq!(name("/* @theme my  theme */").as_deref(), Some("my  theme"));
    }

    #[test]
    fn no_name_without_a_line_of_its_own_and_white_space() {
        for css in [
            "/* @theme: k */",
            "/* x @theme k */",
            "/* @theme */",
            "/*@ theme k*/",
            "a{b:/* @theme k */c}",
            "@theme k;",
        ] {
            assert_eq!(name(css), None, "{css}");
        }
    }

    #[test]
    fn every_entry_is_kept() {
        assert_eq!(
            metadata(
                "/*\n * @theme k\n\t*   @size a 1px 2px\n @size b 3cm 4in\n**@auto-scaling fittingHeader,code\n@Foo-Bar x y\n@none\n*/"
            ),
            Metadata {
                theme: Some("k".into()),
                sizes: vec!["a 1px 2px".into(), "b 3cm 4in".into()],
                auto_scaling: Some("fittingHeader,code".into()),
                others: vec![("Foo-Bar".into(), "x y".into())],
            }
        );
    }
}
