//! What the real Flux 1, fluxctl and Helm operator make of small inputs.

mod cli;
mod edits;
mod helm;
mod images;
mod policies;
mod releases;

use serde_json::Value;

use foredeck::gitops::fluxctl::{self, Invocation, Refusal, Surroundings};

/// What came of a case.
pub(super) enum Verdict {
    /// It agrees.
    Agrees,
    /// It does not.
    Differs(String),
    /// It says nothing that the functions here could be asked.
    NotRun(&'static str),
}

/// Runs all cases of an area and says how many agree.
pub(super) fn run(area: &str, check: impl Fn(&Value, &Value) -> Verdict) {
    let Some(cases) = super::cases("gitops.json") else { return };
    let (mut agree, mut not_run, mut differ) = (0, Vec::new(), Vec::new());
    for case in cases.iter().filter(|case| case["area"] == area) {
        let id = text(&case["id"]);
        match check(&case["input"], &case["expect"]) {
            Verdict::Agrees => agree += 1,
            Verdict::Differs(how) => differ.push(format!("{id}: {how}")),
            Verdict::NotRun(why) => not_run.push(format!("{id}: {why}")),
        }
    }
    eprintln!("gitops vectors, {area}: {agree} agree, {} differ, {} not run", differ.len(), not_run.len());
    not_run.iter().for_each(|why| eprintln!("  not run: {why}"));
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(agree > 0, "no case of {area} was run");
}

/// Several things to agree on; the first that does not tells.
#[derive(Default)]
pub(super) struct Compared {
    any: bool,
    differs: Option<String>,
}

impl Compared {
    pub(super) fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: &T, wanted: &T) {
        self.that(what, found == wanted, || format!("{found:?} is not {wanted:?}"));
    }

    pub(super) fn contains(&mut self, what: &str, found: &str, wanted: &Value) {
        self.that(what, found.contains(text(wanted)), || format!("{found:?} does not contain {wanted}"));
    }

    pub(super) fn that(&mut self, what: &str, holds: bool, why: impl FnOnce() -> String) {
        self.any = true;
        if !holds && self.differs.is_none() {
            self.differs = Some(format!("{what}: {}", why()));
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        match self.differs {
            Some(how) => Verdict::Differs(how),
            None if self.any => Verdict::Agrees,
            None => Verdict::NotRun("it expects nothing that can be looked at"),
        }
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| self::text(text).to_owned()).collect()
}

/// A YAML text as values.
pub(super) fn yaml(text: &str) -> Vec<Value> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    serde_saphyr::from_multiple_with_options(text, options).unwrap_or_default()
}

/// The words of a command line, without their quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, c) if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Reads a command line as fluxctl would in an environment.
pub(super) fn fluxctl(line: &str, env: &Value) -> Result<Invocation, Refusal> {
    let mut words = words(line);
    if words.first().is_none_or(|word| word != "fluxctl") {
        words.insert(0, "fluxctl".to_owned());
    }
    let env = |name: &str| env[name].as_str().map(str::to_owned);
    fluxctl::parse(&words, &Surroundings { env: &env, namespace: &|_| None, author: "" })
}
