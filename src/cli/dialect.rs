//! Settings of Marp's engine that have a meaning here: how Markdown is read, which raw HTML passes.

use serde_json::Value;

use crate::deck;
use crate::deck::HeadingDivider;

/// How Markdown is read: the engine options of Marp's configuration that have a meaning here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialect {
    math: Option<bool>,
    shortcodes: Option<bool>,
    breaks: Option<bool>,
    typographer: Option<bool>,
    loose_yaml: Option<bool>,
    heading_divider: Option<HeadingDivider>,
}

impl Dialect {
    /// As the parser takes it.
    pub fn options(self) -> deck::Options {
        let plain = deck::Options::default();
        deck::Options {
            compatibility: plain.compatibility,
            math: self.math.unwrap_or(plain.math),
            shortcodes: self.shortcodes.unwrap_or(plain.shortcodes),
            breaks: self.breaks.unwrap_or(plain.breaks),
            typographer: self.typographer.unwrap_or(plain.typographer),
            loose_yaml: self.loose_yaml.unwrap_or(plain.loose_yaml),
            heading_divider: self.heading_divider.or(plain.heading_divider),
        }
    }

    /// From Marp's `options`.
    pub(super) fn of_marp(options: &Value) -> Self {
        let switch = |value: &Value| value.as_bool();
        let shortcodes = match &options["emoji"]["shortcode"] {
            Value::String(_) => Some(true),
            value => switch(value),
        };
        Self {
            // `math` may also name the engine or hold its settings: then it is on.
            math: match &options["math"] {
                Value::Null => None,
                value => Some(*value != Value::Bool(false)),
            },
            shortcodes,
            breaks: switch(&options["markdown"]["breaks"]),
            typographer: switch(&options["markdown"]["typographer"]),
            loose_yaml: switch(&options["looseYAML"]),
            heading_divider: heading_divider(&options["headingDivider"]),
        }
    }

    /// This one, completed by a weaker one.
    #[must_use]
    pub(super) fn over(self, weaker: Self) -> Self {
        Self {
            math: self.math.or(weaker.math),
            shortcodes: self.shortcodes.or(weaker.shortcodes),
            breaks: self.breaks.or(weaker.breaks),
            typographer: self.typographer.or(weaker.typographer),
            loose_yaml: self.loose_yaml.or(weaker.loose_yaml),
            heading_divider: self.heading_divider.or(weaker.heading_divider),
        }
    }
}

fn heading_divider(value: &Value) -> Option<HeadingDivider> {
    let level =
        |value: &Value| value.as_u64().and_then(|level| u8::try_from(level).ok()).filter(|l| (1..=6).contains(l));
    match value {
        Value::Array(levels) => Some(HeadingDivider::Exactly(levels.iter().filter_map(level).collect())),
        value => level(value).map(HeadingDivider::UpTo),
    }
}

/// Marp's map of tags: a list of attributes, or a map of attributes to whether they pass.
pub(super) fn html_tags(value: &Value) -> Option<Vec<(String, Vec<String>)>> {
    let tags = value.as_object()?.iter().map(|(tag, attributes)| {
        let names = match attributes {
            Value::Array(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            Value::Object(names) => {
                names.iter().filter(|(_, pass)| **pass != Value::Bool(false)).map(|(name, _)| name.clone()).collect()
            }
            _ => Vec::new(),
        };
        (tag.to_ascii_lowercase(), names)
    });
    Some(tags.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marps_options_are_understood() {
        let options = serde_json::json!({
            "math": "katex", "looseYAML": false, "emoji": { "shortcode": "twemoji" },
            "markdown": { "breaks": false }, "headingDivider": [1, 3],
        });
        let read = Dialect::of_marp(&options).options();
        let expected = deck::Options {
            math: true,
            shortcodes: true,
            breaks: false,
            loose_yaml: false,
            heading_divider: Some(HeadingDivider::Exactly(vec![1, 3])),
            ..deck::Options::default()
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_map_of_tags_names_the_attributes_that_pass() {
        let tags = serde_json::json!({ "Header": ["class"], "svg": { "width": true, "onload": false }, "x": [] });
        let mut expected = vec![("header".to_owned(), vec!["class".to_owned()])];
        expected.push(("svg".to_owned(), vec!["width".to_owned()]));
        expected.push(("x".to_owned(), Vec::new()));
        assert_eq!(html_tags(&tags), Some(expected));
        assert_eq!(html_tags(&serde_json::json!(true)), None);
    }
}
