//! Puts values in the place of variables, calculations and the output of scripts.

use super::run::{DEPTH, Machine, TEXT};
use super::syntax::{Change, Part, Word};

/// How many words a range as `{1..9}` may become.
const RANGE: i64 = 10_000;
/// How much of a pattern counts.
const PATTERN: usize = 200;
/// How many places are tried where a text might be cut.
const CUTS: usize = 400;

impl Machine<'_> {
    /// A word as one text.
    pub(super) fn one(&mut self, word: &Word) -> String {
        let mut text = String::new();
        for part in &word.0 {
            text.push_str(&self.part(part));
        }
        self.cut(text)
    }

    /// A word as the texts that it is split into.
    pub(super) fn fields(&mut self, word: &Word) -> Vec<String> {
        if let Some(range) = word.literal().as_deref().and_then(range) {
            return range;
        }
        let mut fields: Vec<String> = Vec::new();
        let mut open = false;
        let mut join = |text: &str, open: &mut bool| {
            if !*open {
                fields.push(String::new());
                *open = true;
            }
            if let Some(last) = fields.last_mut()
                && last.len() < TEXT
            {
                last.push_str(text);
            }
        };
        for part in &word.0 {
            if let Part::Variable { name, change: None, quoted: true } = part
                && name == "@"
            {
                let arguments: Vec<_> = self.arguments.iter().skip(1).cloned().collect();
                for (number, argument) in arguments.iter().enumerate() {
                    open &= number == 0;
                    join(argument, &mut open);
                }
                continue;
            }
            let text = self.part(part);
            let whole = match part {
                Part::Text { .. } => true,
                Part::Variable { quoted, .. } | Part::Output { quoted, .. } => *quoted,
                Part::Number(_) => true,
            };
            if whole {
                join(&text, &mut open);
                continue;
            }
            open &= !text.starts_with(char::is_whitespace);
            for (number, piece) in text.split_whitespace().enumerate() {
                open &= number == 0;
                join(piece, &mut open);
            }
            open &= !text.ends_with(char::is_whitespace);
        }
        self.spend(fields.iter().map(String::len).sum());
        fields
    }

    fn cut(&mut self, mut text: String) -> String {
        self.spend(text.len());
        if text.len() > TEXT {
            let end = (0..=TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
            text.truncate(end);
        }
        text
    }

    fn part(&mut self, part: &Part) -> String {
        match part {
            Part::Text { text, .. } => text.clone(),
            Part::Variable { name, change: None, .. } => self.variable(name).unwrap_or_default(),
            Part::Variable { name, change: Some(change), .. } => self.changed(name, change),
            Part::Output { script, .. } => {
                let text = self.output_of(script);
                self.cut(text)
            }
            Part::Number(text) => {
                self.depth += 1;
                let value = if self.depth > DEPTH {
                    0
                } else {
                    let text = self.number_text(text);
                    self.calculate(&text)
                };
                self.depth -= 1;
                value.to_string()
            }
        }
    }

    /// The value of a variable or special parameter.
    pub(super) fn variable(&mut self, name: &str) -> Option<String> {
        let rest = self.arguments.get(1..).unwrap_or(&[]);
        match name {
            "?" => Some(self.status.to_string()),
            "#" => Some(rest.len().to_string()),
            "@" | "*" => Some(rest.join(" ")),
            "$" => Some("1".to_owned()),
            "!" => Some("7".to_owned()),
            "-" => Some(String::new()),
            "0" => Some(self.arguments.first().cloned().unwrap_or_else(|| self.name.to_owned())),
            "RANDOM" => {
                self.random = self.random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                Some((self.random >> 16 & 0x7fff).to_string())
            }
            "SECONDS" => {
                self.volatile += 1;
                Some(self.clock.as_secs().to_string())
            }
            "PWD" => Some(self.folder.clone()),
            _ => match name.parse::<usize>() {
                Ok(number) => self.arguments.get(number).cloned(),
                Err(_) => self.variables.get(name).cloned(),
            },
        }
    }

    fn changed(&mut self, name: &str, change: &Change) -> String {
        let value = self.variable(name);
        let set = value.as_ref().is_some_and(|value| !(change.strong && value.is_empty()));
        let word = |machine: &mut Self| machine.one(&change.word);
        match change.kind {
            'L' => value.unwrap_or_default().chars().count().to_string(),
            '-' | '?' if set => value.unwrap_or_default(),
            '-' | '?' => word(self),
            '=' if set => value.unwrap_or_default(),
            '=' => {
                let word = word(self);
                self.variables.insert(name.to_owned(), word.clone());
                word
            }
            '+' if set => word(self),
            '+' => String::new(),
            kind => {
                let pattern = word(self);
                let length = value.as_ref().map_or(0, String::len).min(CUTS);
                self.spend(length * length * pattern.len().min(PATTERN));
                without(&value.unwrap_or_default(), &pattern, kind == '#', change.strong)
            }
        }
    }

    /// The text of a calculation with `$NAME` replaced.
    fn number_text(&mut self, text: &str) -> String {
        match super::word::document(text, 0) {
            Ok(word) => self.one(&word),
            Err(_) => text.to_owned(),
        }
    }

    /// The value of `$((text))`; what cannot be calculated is 0.
    pub(super) fn calculate(&mut self, text: &str) -> i64 {
        let mut sum = Sum { text, machine: self, depth: 0 };
        sum.binary(0)
    }
}

/// The words of a range as `{1..9}`.
fn range(text: &str) -> Option<Vec<String>> {
    let (first, last) = text.strip_prefix('{')?.strip_suffix('}')?.split_once("..")?;
    let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
    if first.abs_diff(last) > RANGE.unsigned_abs() {
        return None;
    }
    let up = (first.min(last)..=first.max(last)).map(|number| number.to_string());
    Some(if first <= last { up.collect() } else { up.rev().collect() })
}

/// Whether a text fits a pattern with `*` and `?`; only so much of both is looked at.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().take(PATTERN).collect();
    let text: Vec<char> = text.chars().take(TEXT).collect();
    let (mut p, mut t) = (0, 0);
    // Where the last star was, and what it has eaten so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, eaten)) => {
                    star = Some((at, eaten + 1));
                    (p, t) = (at + 1, eaten + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// A text without the part at its start or end that fits a pattern.
fn without(text: &str, pattern: &str, start: bool, longest: bool) -> String {
    let mut cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).take(CUTS).collect();
    if start == longest {
        cuts.reverse();
    }
    let found = cuts.into_iter().find(|&cut| {
        let (before, after) = text.split_at(cut);
        fits(pattern, if start { before } else { after })
    });
    match found {
        Some(cut) if start => text[cut..].to_owned(),
        Some(cut) => text[..cut].to_owned(),
        None => text.to_owned(),
    }
}

/// Operators by how strongly they bind.
const OPERATORS: [&[&str]; 7] =
    [&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["<<", ">>"], &["+", "-"], &["*", "/", "%"]];

/// A calculation that is being read.
struct Sum<'t, 'm, 'a> {
    text: &'t str,
    machine: &'m mut Machine<'a>,
    depth: u32,
}

impl Sum<'_, '_, '_> {
    fn take(&mut self, text: &str) -> bool {
        self.text = self.text.trim_start();
        match self.text.strip_prefix(text) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn binary(&mut self, level: usize) -> i64 {
        let Some(operators) = OPERATORS.get(level) else { return self.unary() };
        let mut value = self.binary(level + 1);
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            let other = self.binary(level + 1);
            value = match *operator {
                "||" => i64::from(value != 0 || other != 0),
                "&&" => i64::from(value != 0 && other != 0),
                "==" => i64::from(value == other),
                "!=" => i64::from(value != other),
                "<=" => i64::from(value <= other),
                ">=" => i64::from(value >= other),
                "<" => i64::from(value < other),
                ">" => i64::from(value > other),
                "<<" => value.wrapping_shl(u32::try_from(other).unwrap_or(0)),
                ">>" => value.wrapping_shr(u32::try_from(other).unwrap_or(0)),
                "+" => value.wrapping_add(other),
                "-" => value.wrapping_sub(other),
                "*" => value.wrapping_mul(other),
                "/" => value.checked_div(other).unwrap_or(0),
                _ => value.checked_rem(other).unwrap_or(0),
            };
        }
        value
    }

    fn unary(&mut self) -> i64 {
        self.depth += 1;
        if self.depth > 200 {
            self.text = "";
            return 0;
        }
        if self.take("-") {
            return self.unary().wrapping_neg();
        }
        if self.take("+") {
            return self.unary();
        }
        if self.take("!") {
            return i64::from(self.unary() == 0);
        }
        if self.take("(") {
            let value = self.binary(0);
            self.take(")");
            return value;
        }
        self.text = self.text.trim_start();
        let end = self.text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        match word.parse() {
            Ok(number) => number,
            Err(_) => self.variable(word),
        }
    }

    /// A variable's number; `name=…`, `name++` and `name+=…` change it.
    fn variable(&mut self, name: &str) -> i64 {
        if !super::word::is_name(name) {
            return 0;
        }
        let value = self.machine.variables.get(name).and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(0);
        let changed = if self.take("++") {
            Some((value.wrapping_add(1), value))
        } else if self.take("--") {
            Some((value.wrapping_sub(1), value))
        } else if self.take("+=") {
            let sum = value.wrapping_add(self.binary(0));
            Some((sum, sum))
        } else if self.take("-=") {
            let difference = value.wrapping_sub(self.binary(0));
            Some((difference, difference))
        } else if self.text.trim_start().starts_with('=') && !self.text.trim_start().starts_with("==") {
            self.take("=");
            let new = self.binary(0);
            Some((new, new))
        } else {
            None
        };
        match changed {
            Some((new, result)) => {
                self.machine.variables.insert(name.to_owned(), new.to_string());
                result
            }
            None => value,
        }
    }
}
