//! Label and field selectors.

use serde_json::Value;

use super::admission::text::{label_key, label_value};
use super::status::Refusal;
use crate::cluster::object::{list, map, text};

/// What a label has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

/// A label selector: every requirement has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<(String, Requirement)>,
}

impl LabelSelector {
    /// Reads `a=b,c in (d,e),!f`.
    ///
    /// # Errors
    /// 400 with Go's words.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut reader = Reader { tokens: tokens(text), at: 0 };
        reader.requirements().map(|requirements| Self { requirements }).map_err(Refusal::bad_request)
    }

    /// Whether everything matches.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels, looked up by name, are selected.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|(name, requirement)| {
            let value = label(name);
            match requirement {
                Requirement::Exists => value.is_some(),
                Requirement::Absent => value.is_none(),
                Requirement::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
                Requirement::NotIn(values) => value.is_none_or(|value| values.iter().all(|other| other != value)),
                Requirement::Greater(than) => number(value).is_some_and(|value| value > *than),
                Requirement::Less(than) => number(value).is_some_and(|value| value < *than),
            }
        })
    }
}

fn number(value: Option<&str>) -> Option<i64> {
    value?.parse().ok()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Mark(&'static str),
}

impl Token {
    fn shown(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Mark(mark) => mark,
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    const MARKS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            tokens.push(Token::Mark(mark));
            rest = &rest[mark.len()..];
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || "=!(),><".contains(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    tokens
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, mark: &str) -> bool {
        let there = self.peek().is_some_and(|token| matches!(token, Token::Mark(found) if *found == mark));
        self.at += usize::from(there);
        there
    }

    fn requirements(&mut self) -> Result<Vec<(String, Requirement)>, String> {
        let mut found = Vec::new();
        while let Some(first) = self.peek() {
            if !matches!(first, Token::Word(_) | Token::Mark("!")) {
                return Err(format!("found '{}', expected: !, identifier, or 'end of string'", first.shown()));
            }
            found.push(self.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?);
            match self.next() {
                None => break,
                Some(Token::Mark(",")) => match self.peek() {
                    Some(Token::Word(_) | Token::Mark("!")) => {}
                    other => {
                        let shown = other.map_or("", Token::shown);
                        return Err(format!("found '{shown}', expected: identifier after ','"));
                    }
                },
                Some(other) => return Err(format!("found '{}', expected: ',' or 'end of string'", other.shown())),
            }
        }
        Ok(found)
    }

    fn requirement(&mut self) -> Result<(String, Requirement), String> {
        let absent = self.take("!");
        let name = match self.next() {
            Some(Token::Word(word)) => word,
            other => {
                let shown = other.as_ref().map_or("", Token::shown);
                return Err(format!("found '{shown}', expected: identifier"));
            }
        };
        check_name(&name)?;
        if absent {
            return Ok((name, Requirement::Absent));
        }
        let requirement = match self.peek().cloned() {
            None | Some(Token::Mark(",")) => Requirement::Exists,
            Some(Token::Mark("=" | "==")) => Requirement::In(vec![self.exact(&name)?]),
            Some(Token::Mark("!=")) => Requirement::NotIn(vec![self.exact(&name)?]),
            Some(Token::Mark(mark @ (">" | "<"))) => {
                let text = self.exact(&name)?;
                let number = text.parse().map_err(|_| {
                    format!("values[0][{name}]: Invalid value: \"{text}\": for 'Gt', 'Lt' operators, the value must be an integer")
                })?;
                if mark == ">" { Requirement::Greater(number) } else { Requirement::Less(number) }
            }
            Some(Token::Word(word)) if word == "in" || word == "notin" => {
                self.at += 1;
                let values = self.values(&name)?;
                if word == "in" { Requirement::In(values) } else { Requirement::NotIn(values) }
            }
            Some(other) => {
                let shown = other.shown();
                return Err(format!("found '{shown}', expected: in, notin, =, ==, !=, gt, lt"));
            }
        };
        Ok((name, requirement))
    }

    /// The value after an operator; none is the empty value.
    fn exact(&mut self, name: &str) -> Result<String, String> {
        self.at += 1;
        let value = match self.peek() {
            None | Some(Token::Mark(",")) => String::new(),
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                word
            }
            Some(Token::Mark(mark)) => return Err(format!("found '{mark}', expected: identifier")),
        };
        check_value(name, &value)?;
        Ok(value)
    }

    fn values(&mut self, name: &str) -> Result<Vec<String>, String> {
        if !self.take("(") {
            let shown = self.peek().map_or("", Token::shown);
            return Err(format!("found '{shown}' expected: '('"));
        }
        let mut values = Vec::new();
        let mut pending = true;
        loop {
            match self.next() {
                Some(Token::Word(word)) if pending => {
                    check_value(name, &word)?;
                    values.push(word);
                    pending = false;
                }
                Some(Token::Mark(",")) => {
                    if pending {
                        values.push(String::new());
                    }
                    pending = true;
                }
                Some(Token::Mark(")")) => {
                    if pending {
                        values.push(String::new());
                    }
                    return Ok(values);
                }
                other => {
                    let shown = other.as_ref().map_or("", Token::shown);
                    return Err(format!("found '{shown}', expected: ',' or ')'"));
                }
            }
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    match label_key(name).as_slice() {
        [] => Ok(()),
        faults => Err(format!("key: Invalid value: {name:?}: {}", faults.join("; "))),
    }
}

fn check_value(name: &str, value: &str) -> Result<(), String> {
    match label_value(value).as_slice() {
        [] => Ok(()),
        faults => Err(format!("values[0][{name}]: Invalid value: {value:?}: {}", faults.join("; "))),
    }
}

/// Whether a `LabelSelector` object selects labels; nothing is selected by `null`, everything by `{}`.
pub fn matches_selector<'a>(selector: &Value, label: impl Fn(&str) -> Option<&'a str>) -> bool {
    if !selector.is_object() {
        return false;
    }
    let labels = map(selector, &["matchLabels"]).into_iter().flatten();
    let mut equal = labels.map(|(name, value)| label(name) == Some(value.as_str().unwrap_or_default()));
    equal.all(|equal| equal)
        && list(selector, &["matchExpressions"]).iter().all(|expression| {
            let value = label(text(expression, &["key"]));
            let listed = |value: &str| list(expression, &["values"]).iter().any(|wanted| wanted == value);
            match text(expression, &["operator"]) {
                "In" => value.is_some_and(listed),
                "NotIn" => !value.is_some_and(listed),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

/// A field selector: `name=value` and `name!=value`, all of which have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    /// Field, value, and whether it has to be equal.
    pub terms: Vec<(String, String, bool)>,
}

impl FieldSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// 400 when a term has no operator.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut terms = Vec::new();
        for term in split_terms(text) {
            let Some((name, value, equal)) = term_of(term) else {
                let why = format!("invalid selector: '{text}'; can't understand '{term}'");
                return Err(Refusal::bad_request(why));
            };
            terms.push((name.to_owned(), unescaped(value), equal));
        }
        Ok(Self { terms })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The value that a field has to be equal to, if one is asked for.
    pub fn equal(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|(name, _, equal)| *equal && name == field).map(|(_, value, _)| value.as_str())
    }
}

/// Terms between commas that no backslash takes away.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms.retain(|term| !term.is_empty());
    terms
}

fn term_of(term: &str) -> Option<(&str, &str, bool)> {
    let at = term.find(['!', '='])?;
    let (name, rest) = term.split_at(at);
    ["==", "!=", "="].into_iter().find_map(|mark| Some((name, rest.strip_prefix(mark)?, mark != "!=")))
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let selector = LabelSelector::parse(selector).unwrap();
        selector.matches(|name| labels.iter().find(|(label, _)| *label == name).map(|(_, value)| *value))
    }

    #[test]
    fn labels_are_selected() {
        let labels = [("app", "web"), ("tier", "front"), ("n", "5")];
        for yes in [
            "",
            "app=web",
            "app==web",
            "app in (web, api)",
            "x notin (y)",
            "x!=y",
            "app,!gone",
            "n>4,n<6",
            "app in (web),tier",
        ] {
            assert!(selects(yes, &labels), "{yes}");
        }
        for no in ["app=api", "!app", "x", "app notin (web)", "app!=web", "n>5", "app=web,tier=back"] {
            assert!(!selects(no, &labels), "{no}");
        }
    }

    #[test]
    fn broken_selectors_say_where() {
        let why = |text: &str| LabelSelector::parse(text).map_err(|refusal| refusal.message).err();
        assert_eq!(why("a in (b"), Some("unable to parse requirement: found '', expected: ',' or ')'".to_owned()));
        assert_eq!(
            why("a b"),
            Some("unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt".to_owned())
        );
    }

    #[test]
    fn field_terms() {
        let selector = FieldSelector::parse("metadata.name=a,spec.x!=b\\,c").unwrap();
        assert_eq!(selector.equal("metadata.name"), Some("a"));
        assert_eq!(selector.terms[1], ("spec.x".to_owned(), "b,c".to_owned(), false));
        assert!(FieldSelector::parse("nonsense").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,60}") {
            let _ = LabelSelector::parse(&text);
            let _ = FieldSelector::parse(&text);
        }
    }
}
