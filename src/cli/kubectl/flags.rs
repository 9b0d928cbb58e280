//! Arguments as kubectl takes them: flags anywhere, `-n demo`, `-ndemo`, `--tail=5`, `--` before what is no flag.

use crate::diagnostic::closest;

use super::problem::Problem;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, or `=true` and `=false`.
    Switch,
    /// A text, which has to be there.
    Text,
    /// A text behind `=`, else this one.
    Optional(&'static str),
    /// A whole number.
    Number,
}

/// A flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag {
    /// The name behind `--`.
    pub(super) long: &'static str,
    /// The letter behind `-`.
    pub(super) short: Option<char>,
    /// What it takes.
    pub(super) takes: Takes,
    /// What it is for, in a few words.
    pub(super) help: &'static str,
}

impl Flag {
    /// A flag without a letter.
    pub(super) const fn new(long: &'static str, takes: Takes, help: &'static str) -> Self {
        Self { long, short: None, takes, help }
    }

    /// The same with a letter.
    pub(super) const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }
}

/// Arguments that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    values: Vec<(&'static str, String)>,
    /// What is no flag.
    pub(super) words: Vec<String>,
    /// How many words stand before `--`.
    pub(super) dash: Option<usize>,
}

impl Arguments {
    /// Reads arguments; `command` is the command's name for messages.
    pub(super) fn parse(arguments: &[String], flags: &[&[Flag]], command: &str) -> Result<Self, Problem> {
        let mut read = Self::default();
        let all: Vec<&Flag> = flags.iter().flat_map(|flags| flags.iter()).collect();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                read.dash = Some(read.words.len());
                read.words.extend(rest.by_ref().cloned());
            } else if let Some(long) = argument.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                let Some(flag) = all.iter().find(|flag| flag.long == name) else {
                    let like = closest(name, all.iter().map(|flag| flag.long));
                    let like = like.map_or(String::new(), |like| format!("\n\nDid you mean this?\n\t--{like}\n"));
                    return Err(Problem::usage(format!("unknown flag: --{name}{like}"), command));
                };
                read.take(flag, value, &mut rest, &format!("--{name}"), command)?;
            } else if let Some(letters) = argument.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                read.letters(letters, &mut rest, &all, command)?;
            } else {
                read.words.push(argument.clone());
            }
        }
        Ok(read)
    }

    /// `-w`, `-Aw`, `-ndemo`, `-n=demo`, `-n demo`.
    fn letters<'a>(
        &mut self,
        letters: &str,
        rest: &mut impl Iterator<Item = &'a String>,
        all: &[&Flag],
        command: &str,
    ) -> Result<(), Problem> {
        for (position, letter) in letters.char_indices() {
            let Some(flag) = all.iter().find(|flag| flag.short == Some(letter)) else {
                return Err(Problem::usage(format!("unknown shorthand flag: '{letter}' in -{letters}"), command));
            };
            let after = letters.get(position + letter.len_utf8()..).unwrap_or("");
            let joined = match (after.strip_prefix('='), flag.takes) {
                (Some(value), _) => Some(value.to_owned()),
                (None, Takes::Text | Takes::Number) if !after.is_empty() => Some(after.to_owned()),
                _ => None,
            };
            let ended = joined.is_some();
            let shown = format!("'{letter}' in -{letters}");
            self.take(flag, joined, rest, &shown, command)?;
            if ended {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take<'a>(
        &mut self,
        flag: &Flag,
        value: Option<String>,
        rest: &mut impl Iterator<Item = &'a String>,
        shown: &str,
        command: &str,
    ) -> Result<(), Problem> {
        let value = match (flag.takes, value) {
            (Takes::Switch, None) => "true".to_owned(),
            (Takes::Optional(default), None) => default.to_owned(),
            (_, Some(value)) => value,
            (Takes::Text | Takes::Number, None) => rest
                .next()
                .cloned()
                .ok_or_else(|| Problem::usage(format!("flag needs an argument: {shown}"), command))?,
        };
        let names = match flag.short {
            Some(letter) => format!("-{letter}, --{}", flag.long),
            None => format!("--{}", flag.long),
        };
        let invalid = |parser: &str| {
            let why = format!(
                "invalid argument {value:?} for \"{names}\" flag: strconv.{parser}: parsing {value:?}: invalid syntax"
            );
            Err(Problem::usage(why, command))
        };
        match flag.takes {
            Takes::Switch if truth(&value).is_none() => return invalid("ParseBool"),
            Takes::Number if value.parse::<i64>().is_err() => return invalid("ParseInt"),
            _ => {}
        }
        self.values.push((flag.long, value));
        Ok(())
    }

    /// The last value of a flag.
    pub(super) fn text(&self, long: &str) -> Option<&str> {
        self.values.iter().rev().find(|(name, _)| *name == long).map(|(_, value)| value.as_str())
    }

    /// All values of a flag, in order.
    pub(super) fn all(&self, long: &str) -> Vec<&str> {
        self.values.iter().filter(|(name, _)| *name == long).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a switch is on.
    pub(super) fn on(&self, long: &str) -> bool {
        self.text(long).and_then(truth).unwrap_or(false)
    }

    /// Whether a switch is on that is on by itself.
    pub(super) fn not_off(&self, long: &str) -> bool {
        self.text(long).and_then(truth).unwrap_or(true)
    }

    /// The number of a flag.
    pub(super) fn number(&self, long: &str) -> Option<i64> {
        self.text(long).and_then(|text| text.parse().ok())
    }
}

/// What Go takes for true and false.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [Flag; 5] = [
        Flag::new("namespace", Takes::Text, "").short('n'),
        Flag::new("watch", Takes::Switch, "").short('w'),
        Flag::new("all-namespaces", Takes::Switch, "").short('A'),
        Flag::new("tail", Takes::Number, ""),
        Flag::new("dry-run", Takes::Optional("unchanged"), ""),
    ];

    fn parse(line: &[&str]) -> Result<Arguments, String> {
        let line: Vec<String> = line.iter().map(|&word| word.to_owned()).collect();
        Arguments::parse(&line, &[&FLAGS], "get").map_err(|problem| problem.to_string())
    }

    #[test]
    fn flags_stand_anywhere_in_any_form() {
        for line in [
            ["-n", "demo", "pods", "-w"].as_slice(),
            &["pods", "-ndemo", "--watch"],
            &["-n=demo", "pods", "-w=true"],
            &["-wndemo", "pods"],
            &["-wn", "demo", "pods"],
            &["--namespace", "demo", "--watch=1", "pods"],
            &["--namespace=other", "--namespace=demo", "pods", "-w"],
        ] {
            let read = parse(line).unwrap();
            assert_eq!((read.words.as_slice(), read.text("namespace")), (["pods".to_owned()].as_slice(), Some("demo")));
            assert!(read.on("watch") && !read.on("all-namespaces"), "{line:?}");
        }
        let read = parse(&["exec", "-w", "--", "-n", "--x"]).unwrap();
        assert_eq!((read.words.len(), read.dash), (3, Some(1)));
        let read = parse(&["--dry-run", "x", "--tail", "-1", "-", "--watch=false"]).unwrap();
        assert_eq!((read.text("dry-run"), read.number("tail")), (Some("unchanged"), Some(-1)));
        assert_eq!(read.words, ["x", "-"]);
        assert!(!read.not_off("watch") && read.not_off("all-namespaces"));
    }

    #[test]
    fn what_is_wrong_is_said_as_kubectl_says_it() {
        let see = "\nSee 'kubectl get --help' for usage.";
        for (line, expected) in [
            (["--nope"].as_slice(), "error: unknown flag: --nope"),
            (&["--namspace", "x"], "error: unknown flag: --namspace\n\nDid you mean this?\n\t--namespace\n"),
            (&["-wZ"], "error: unknown shorthand flag: 'Z' in -wZ"),
            (&["pods", "-n"], "error: flag needs an argument: 'n' in -n"),
            (&["--tail"], "error: flag needs an argument: --tail"),
            (
                &["--tail=x"],
                "error: invalid argument \"x\" for \"--tail\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
            ),
            (
                &["-w=maybe"],
                "error: invalid argument \"maybe\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \"maybe\": \
                 invalid syntax",
            ),
        ] {
            assert_eq!(parse(line), Err(format!("{expected}{see}")), "{line:?}");
        }
    }
}
