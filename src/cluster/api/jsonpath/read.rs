//! Reading a path.

use super::{End, JsonPath, Step, Test};

/// Filters inside filters; nobody writes more.
const MAX_DEPTH: usize = 8;

pub(super) fn path(text: &str, depth: usize) -> Result<JsonPath, String> {
    if depth > MAX_DEPTH {
        return Err("nested too deeply".to_owned());
    }
    let mut reader = Reader { rest: text, depth, steps: Vec::new() };
    while !reader.rest.is_empty() {
        reader.step()?;
    }
    Ok(JsonPath { steps: reader.steps.into() })
}

/// What is left to read, and what was read.
struct Reader<'t> {
    rest: &'t str,
    depth: usize,
    steps: Vec<Step>,
}

impl<'t> Reader<'t> {
    fn step(&mut self) -> Result<(), String> {
        if let Some(rest) = self.rest.strip_prefix("[?(") {
            return self.filter(rest);
        }
        if let Some(rest) = self.rest.strip_prefix("..") {
            if self.steps.last() == Some(&Step::Recursive) {
                return Err("invalid multiple recursive descent".to_owned());
            }
            self.steps.push(Step::Recursive);
            self.rest = rest;
            if rest.starts_with(|first: char| first.is_alphanumeric() || first == '_') {
                self.field(rest);
            }
            return Ok(());
        }
        let mut chars = self.rest.chars();
        let Some(first) = chars.next() else { return Ok(()) };
        let rest = chars.as_str();
        match first {
            ' ' | '@' | '$' => self.rest = rest,
            '.' => self.field(rest),
            '[' => self.brackets(rest)?,
            '"' | '\'' => self.quoted(rest, first)?,
            '+' | '-' | '0'..='9' => self.number()?,
            _ if first.is_alphanumeric() || first == '_' => self.word()?,
            '\r' | '\n' => return Err("unclosed action".to_owned()),
            _ => return Err(format!("unrecognized character in action: {first:?}")),
        }
        Ok(())
    }

    fn field(&mut self, text: &'t str) {
        let end = word_end(text);
        let (name, rest) = text.split_at(end);
        self.steps.push(match name {
            "*" => Step::Every,
            _ => Step::Field(name.replace('\\', "").into()),
        });
        self.rest = rest;
    }

    fn word(&mut self) -> Result<(), String> {
        let (word, rest) = self.rest.split_at(word_end(self.rest));
        self.rest = rest;
        match word.parse::<bool>() {
            Ok(value) => self.steps.push(Step::Literal(value.into())),
            Err(_) => return Err(format!("unrecognized identifier {word}")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        let signed = usize::from(self.rest.starts_with(['+', '-']));
        let digits = |text: &str| text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
        let end = signed + self.rest.get(signed..).map_or(0, digits);
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let value = match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => whole.into(),
            (_, Ok(number)) => number.into(),
            _ => return Err(format!("cannot parse number {text}")),
        };
        self.steps.push(Step::Literal(value));
        Ok(())
    }

    fn quoted(&mut self, text: &'t str, quote: char) -> Result<(), String> {
        let mut value = String::new();
        let mut chars = text.chars();
        while let Some(next) = chars.next() {
            match next {
                _ if next == quote => {
                    self.rest = chars.as_str();
                    self.steps.push(Step::Literal(value.into()));
                    return Ok(());
                }
                '\\' => value.extend(chars.next()),
                '\n' => break,
                _ => value.push(next),
            }
        }
        Err("unterminated quoted string".to_owned())
    }

    fn brackets(&mut self, text: &'t str) -> Result<(), String> {
        let end = text.find(']').ok_or("unterminated array")?;
        let (inside, rest) = text.split_at(end);
        self.rest = rest.get(1..).unwrap_or("");
        if inside.contains(',') {
            let paths = inside.split(',').map(|one| parse_one(one.trim_matches(' '), self.depth + 1));
            self.steps.push(Step::Union(paths.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let one = parse_one(inside, self.depth)?;
        self.steps.extend(one.steps);
        Ok(())
    }

    fn filter(&mut self, text: &'t str) -> Result<(), String> {
        let end = filter_end(text).ok_or("unterminated filter")?;
        let (inside, rest) = text.split_at(end);
        self.rest = rest.strip_prefix(")]").ok_or("unclosed array expect ]")?;
        let is_sign = |c: char| matches!(c, '=' | '!' | '<' | '>');
        let parse = |text: &str| path(text, self.depth + 1);
        let start = inside.find(is_sign).filter(|&start| start > 0);
        let parts = start.map(|start| {
            let (left, behind) = inside.split_at(start);
            let (sign, right) = behind.split_at(behind.find(|c| !is_sign(c)).unwrap_or(behind.len()));
            (left, sign, right)
        });
        self.steps.push(match parts {
            Some((left, sign, right)) if !right.is_empty() => {
                Step::Filter { left: parse(left)?, test: Some((test_of(sign)?, parse(right)?)) }
            }
            _ => Step::Filter { left: parse(inside)?, test: None },
        });
        Ok(())
    }
}

fn test_of(sign: &str) -> Result<Test, String> {
    Ok(match sign {
        "==" => Test::Equal,
        "!=" => Test::NotEqual,
        "<" => Test::Less,
        "<=" => Test::LessOrEqual,
        ">" => Test::Greater,
        ">=" => Test::GreaterOrEqual,
        _ => return Err(format!("unrecognized filter operator {sign}")),
    })
}

/// Where a filter's closing parenthesis is, quoted ones not counted.
fn filter_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open && !escaped => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ')' => return Some(at),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Where a field's name ends; a backslash takes the next character in.
fn word_end(text: &str) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' => return at,
            _ => {}
        }
    }
    text.len()
}

/// `1`, `-1`, `1:3`, `:`, `::2`.
fn slice_of(text: &str) -> Option<Step> {
    let mut parts = text.split(':').map(|part| if part.is_empty() { Some(None) } else { part.parse().ok().map(Some) });
    let from = parts.next()??;
    let to = match parts.next() {
        None => {
            // `[]` is `[0]` to Kubernetes
            return Some(Step::Slice { from, to: End::Next, step: None });
        }
        Some(to) => to?.map_or(End::Open, End::At),
    };
    let step = parts.next().unwrap_or(Some(None))?;
    parts.next().is_none().then_some(Step::Slice { from, to, step })
}

/// What stands in brackets, between commas: a key, an index, a slice.
fn parse_one(text: &str, depth: usize) -> Result<JsonPath, String> {
    let key = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).filter(|key| !key.contains('\''));
    if let Some(key) = key {
        return path(&format!(".{key}"), depth + 1);
    }
    let step = if text == "*" {
        Step::Slice { from: None, to: End::Open, step: None }
    } else {
        slice_of(text).ok_or_else(|| format!("invalid array index {text}"))?
    };
    Ok(JsonPath { steps: Box::new([step]) })
}
