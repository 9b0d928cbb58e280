//! The table of directives: name, scope, value.

use super::url;
use super::yaml::Value;

/// Where a directive reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole deck; the last occurrence wins.
    Global,
    /// The slide it stands on and those after it.
    Local,
    /// The one slide it stands on: a local name after `_`.
    Spot,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: &'static str,
    local: bool,
    loose: Loose,
}

/// Where the value may stand unquoted although YAML would refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loose {
    Anywhere,
    FrontMatter,
    Nowhere,
}

const fn row(name: &'static str, local: bool, loose: Loose) -> Row {
    Row { name, local, loose }
}

static TABLE: [Row; 23] = [
    row("theme", false, Loose::Anywhere),
    row("style", false, Loose::Anywhere),
    row("headingDivider", false, Loose::Anywhere),
    row("lang", false, Loose::Anywhere),
    row("size", false, Loose::Nowhere),
    row("math", false, Loose::Nowhere),
    row("title", false, Loose::FrontMatter),
    row("description", false, Loose::FrontMatter),
    row("author", false, Loose::FrontMatter),
    row("url", false, Loose::FrontMatter),
    row("image", false, Loose::FrontMatter),
    row("keywords", false, Loose::FrontMatter),
    row("class", true, Loose::Anywhere),
    row("paginate", true, Loose::Anywhere),
    row("header", true, Loose::Anywhere),
    row("footer", true, Loose::Anywhere),
    row("backgroundColor", true, Loose::Anywhere),
    row("backgroundImage", true, Loose::Anywhere),
    row("backgroundPosition", true, Loose::Anywhere),
    row("backgroundRepeat", true, Loose::Anywhere),
    row("backgroundSize", true, Loose::Anywhere),
    row("color", true, Loose::Anywhere),
    row("transition", true, Loose::FrontMatter),
];

/// The names of all directives, without `_`.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

/// The scope of a key as written in a deck; `None` when it is no directive.
pub fn scope(key: &str) -> Option<Scope> {
    let find = |name: &str| TABLE.iter().find(|row| row.name == name);
    match key.strip_prefix('_') {
        Some(name) => find(name).filter(|row| row.local).map(|_| Scope::Spot),
        None => find(key).map(|row| if row.local { Scope::Local } else { Scope::Global }),
    }
}

/// Whether the value of `name` (without `_`) may stand unquoted.
pub fn is_loose(name: &str, front_matter: bool) -> bool {
    TABLE.iter().find(|row| row.name == name).is_some_and(|row| match row.loose {
        Loose::Anywhere => true,
        Loose::FrontMatter => front_matter,
        Loose::Nowhere => false,
    })
}

/// Deck-wide directives; `None` or empty when not given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Globals {
    /// `theme`: every value given, in order. The last one that names a known theme counts.
    pub themes: Vec<String>,
    /// `style`: CSS for the deck.
    pub style: Option<String>,
    /// `headingDivider`: which headings start a slide.
    pub heading_divider: Option<HeadingDivider>,
    /// `lang`: a BCP 47 tag.
    pub lang: Option<String>,
    /// `size`: the name of a size preset of the theme.
    pub size: Option<String>,
    /// `math`: `mathjax` or `katex`.
    pub math: Option<String>,
    /// `title` of the document; `Some("")` turns detection off.
    pub title: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `author`
    pub author: Option<String>,
    /// `url`: canonical address.
    pub url: Option<String>,
    /// `image`: picture for social cards.
    pub image: Option<String>,
    /// `keywords`
    pub keywords: Vec<String>,
}

/// Which heading levels start a slide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadingDivider {
    /// This level and those above it.
    UpTo(u8),
    /// Exactly these levels.
    Exactly(Vec<u8>),
    /// None.
    Off,
}

impl HeadingDivider {
    /// Whether a heading of `level` starts a slide.
    pub fn divides(&self, level: u8) -> bool {
        match self {
            Self::UpTo(limit) => level <= *limit,
            Self::Exactly(levels) => levels.contains(&level),
            Self::Off => false,
        }
    }

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) if text == "false" => Some(Self::Off),
            Value::Text(text) => level(text).map(Self::UpTo),
            Value::List(items) => {
                let levels: Vec<u8> = items.iter().filter_map(|item| level(item.text()?)).collect();
                (levels.len() == items.len()).then_some(Self::Exactly(levels))
            }
            Value::Map(_) => None,
        }
    }
}

impl std::fmt::Display for HeadingDivider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UpTo(level) => write!(f, "{level}"),
            Self::Exactly(levels) => {
                let words: Vec<String> = levels.iter().map(u8::to_string).collect();
                f.write_str(&words.join(","))
            }
            Self::Off => Ok(()),
        }
    }
}

/// A heading level read as Marp does: the integer at the start of the text.
fn level(text: &str) -> Option<u8> {
    let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|n| (1..=6).contains(n))
}

/// Directives in effect on one slide.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Locals {
    /// `class`: classes separated by one space.
    pub class: Option<String>,
    /// `paginate`
    pub paginate: Option<Paginate>,
    /// `header`: inline Markdown.
    pub header: Option<String>,
    /// `footer`: inline Markdown.
    pub footer: Option<String>,
    /// `backgroundColor`
    pub background_color: Option<String>,
    /// `backgroundImage`
    pub background_image: Option<String>,
    /// `backgroundPosition`
    pub background_position: Option<String>,
    /// `backgroundRepeat`
    pub background_repeat: Option<String>,
    /// `backgroundSize`
    pub background_size: Option<String>,
    /// `color`
    pub color: Option<String>,
    /// `transition`: name and optional duration.
    pub transition: Option<String>,
}

/// Whether a slide counts and shows its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paginate {
    /// Counts, shows the number.
    True,
    /// Counts, shows none.
    False,
    /// Does not count, shows the number before.
    Hold,
    /// Does not count, shows none.
    Skip,
}

impl Paginate {
    fn read(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "true" => Self::True,
            "hold" => Self::Hold,
            "skip" => Self::Skip,
            _ => Self::False,
        }
    }

    /// The attribute value; `None` when the directive is off.
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::True => Some("true"),
            Self::Hold => Some("hold"),
            Self::Skip => Some("skip"),
            Self::False => None,
        }
    }
}

/// Why a value was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue {
    /// What the directive takes.
    pub expected: &'static str,
}

impl Globals {
    /// Takes over a global directive.
    ///
    /// # Errors
    /// When the value is of no use; the earlier one stays.
    pub fn apply(&mut self, name: &str, value: &Value) -> Result<(), BadValue> {
        let text = value.text();
        match name {
            "headingDivider" => {
                let divider = HeadingDivider::read(value);
                self.heading_divider =
                    Some(divider.ok_or(BadValue { expected: "a level from 1 to 6, a list of levels, or false" })?);
            }
            "keywords" => self.keywords = keywords(value)?,
            "math" => match text {
                Some("mathjax" | "katex") => self.math = text.map(str::to_owned),
                _ => return Err(BadValue { expected: "mathjax or katex" }),
            },
            "url" => match text {
                Some("") => self.url = None,
                Some(url) if is_absolute_url(url) => self.url = Some(url.to_owned()),
                _ => return Err(BadValue { expected: "an absolute URL" }),
            },
            _ => self.apply_text(name, text.ok_or(BadValue { expected: "text" })?),
        }
        Ok(())
    }

    fn apply_text(&mut self, name: &str, text: &str) {
        let filled = Some(text.to_owned()).filter(|text| !text.is_empty());
        match name {
            "theme" => self.themes.push(text.to_owned()),
            "style" => self.style = filled,
            "lang" => self.lang = filled,
            "size" => self.size = filled,
            "title" => self.title = Some(text.to_owned()),
            "description" => self.description = filled,
            "author" => self.author = filled,
            "image" => self.image = filled,
            _ => {}
        }
    }
}

fn keywords(value: &Value) -> Result<Vec<String>, BadValue> {
    let words: Vec<&str> = match value {
        Value::Text(text) => text.split(',').collect(),
        Value::List(items) => items.iter().filter_map(Value::text).collect(),
        Value::Map(_) => return Err(BadValue { expected: "words separated by commas, or a list" }),
    };
    let mut unique: Vec<String> = Vec::new();
    for word in words.into_iter().map(str::trim).filter(|word| !word.is_empty()) {
        if !unique.iter().any(|known| known == word) {
            unique.push(word.to_owned());
        }
    }
    Ok(unique)
}

fn is_absolute_url(text: &str) -> bool {
    url::scheme(text).is_some_and(|scheme| !text[scheme.len() + 1..].trim_start_matches('/').is_empty())
}

impl Locals {
    /// Takes over a local directive; `name` is without `_`.
    ///
    /// # Errors
    /// When the value is of no use; the earlier one stays.
    pub fn apply(&mut self, name: &str, value: &Value) -> Result<(), BadValue> {
        if name == "class" {
            self.class = class(value)?;
            return Ok(());
        }
        if name == "paginate" {
            let paginate = value.text().map_or(Paginate::False, Paginate::read);
            self.paginate = Some(paginate);
            let known = value.text().is_some_and(|t| {
                t.is_empty() || ["true", "false", "hold", "skip"].contains(&t.to_ascii_lowercase().as_str())
            });
            return if known { Ok(()) } else { Err(BadValue { expected: "true, false, hold or skip" }) };
        }
        let text = value.text().ok_or(BadValue { expected: "text" })?;
        let filled = Some(text.to_owned()).filter(|text| !text.is_empty());
        let slot = match name {
            "header" => &mut self.header,
            "footer" => &mut self.footer,
            "backgroundColor" => &mut self.background_color,
            "backgroundImage" => &mut self.background_image,
            "backgroundPosition" => &mut self.background_position,
            "backgroundRepeat" => &mut self.background_repeat,
            "backgroundSize" => &mut self.background_size,
            "color" => &mut self.color,
            "transition" => &mut self.transition,
            _ => return Ok(()),
        };
        *slot = filled;
        Ok(())
    }
}

fn class(value: &Value) -> Result<Option<String>, BadValue> {
    let words: Vec<&str> = match value {
        Value::Text(text) => text.split_whitespace().collect(),
        Value::List(items) => items.iter().filter_map(Value::text).flat_map(str::split_whitespace).collect(),
        Value::Map(_) => return Err(BadValue { expected: "class names as text or a list" }),
    };
    Ok(Some(words.join(" ")).filter(|joined| !joined.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    #[test]
    fn scopes() {
        assert_eq!(scope("theme"), Some(Scope::Global));
        assert_eq!(scope("class"), Some(Scope::Local));
        assert_eq!(scope("_class"), Some(Scope::Spot));
        assert_eq!(scope("_theme"), None);
        assert_eq!(scope("$theme"), None);
        assert_eq!(scope("marp"), None);
    }

    #[test]
    fn heading_divider_takes_the_leading_integer_or_a_list() {
        let read = |value| HeadingDivider::read(&value);
        assert_eq!(read(text("2 # x")), Some(HeadingDivider::UpTo(2)));
        assert_eq!(read(text("1.9")), Some(HeadingDivider::UpTo(1)));
        assert_eq!(read(text("7")), None);
        assert_eq!(read(text("false")), Some(HeadingDivider::Off));
        assert_eq!(read(Value::List(vec![text("1"), text("3")])), Some(HeadingDivider::Exactly(vec![1, 3])));
    }

    #[test]
    fn paginate_ignores_case_and_takes_the_rest_as_off() {
        let mut locals = Locals::default();
        assert_eq!(locals.apply("paginate", &text("Hold")), Ok(()));
        assert_eq!(locals.paginate, Some(Paginate::Hold));
        assert!(locals.apply("paginate", &text("yes")).is_err());
        assert_eq!(locals.paginate, Some(Paginate::False));
        assert!(locals.apply("paginate", &Value::List(vec![text("true")])).is_err());
        assert_eq!(locals.paginate, Some(Paginate::False));
    }

    #[test]
    fn keywords_are_trimmed_and_unique() {
        let mut globals = Globals::default();
        globals.apply("keywords", &text("a, b,a ,")).expect("text is fine");
        assert_eq!(globals.keywords, ["a", "b"]);
    }
}
