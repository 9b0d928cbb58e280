//! Results as CI servers read them: JUnit XML.

use std::path::Path;

use crate::cli::console::{self, Code, Console, Failure};
use crate::export::write;

/// One thing that was tried.
#[derive(Debug)]
pub(in crate::cli) struct Case {
    /// What it belongs to, below its suite: `slide-12`, `solution`.
    pub(in crate::cli) group: String,
    pub(in crate::cli) name: String,
    pub(in crate::cli) seconds: f64,
    pub(in crate::cli) result: Outcome,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Outcome {
    /// As it should.
    Passed,
    /// Not as it should: what is wrong, the first line for itself.
    Failed(String),
    /// It was not tried: why.
    Skipped(String),
}

impl Case {
    /// Whether it went wrong.
    pub(in crate::cli) fn failed(&self) -> bool {
        matches!(self.result, Outcome::Failed(_))
    }

    /// What is wrong.
    pub(in crate::cli) fn failure(&self) -> Option<&str> {
        match &self.result {
            Outcome::Failed(why) => Some(why),
            Outcome::Passed | Outcome::Skipped(_) => None,
        }
    }

    /// Says how it went.
    pub(in crate::cli) fn tell(&self, console: Console) {
        let (word, why) = match &self.result {
            Outcome::Passed => ("ok", None),
            Outcome::Failed(why) => ("FAILED", Some(why)),
            Outcome::Skipped(why) => ("left", Some(why)),
        };
        console.say(&format!("{word:6} {:8} {} ({:.1} s)", self.group, self.name, self.seconds));
        if let Some(why) = why {
            console.say(&format!("       {}", why.replace('\n', "\n       ")));
        }
    }
}

/// What was tried together.
#[derive(Debug)]
pub(in crate::cli) struct Suite {
    pub(in crate::cli) name: String,
    pub(in crate::cli) cases: Vec<Case>,
    pub(in crate::cli) seconds: f64,
}

impl Suite {
    /// How many went wrong.
    pub(in crate::cli) fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.failed()).count()
    }

    fn skipped(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.result, Outcome::Skipped(_))).count()
    }
}

/// Writes the results to a file, or to standard output for `-`. Says whether standard output is taken.
pub(in crate::cli) fn save(file: Option<&Path>, suites: &[Suite]) -> Result<bool, Failure> {
    match file {
        None => Ok(false),
        Some(file) if file == Path::new("-") => {
            console::data(&text(suites))?;
            Ok(true)
        }
        Some(file) => {
            write::write(file, text(suites).as_bytes()).map_err(|error| Failure::new(Code::Environment, error))?;
            Ok(false)
        }
    }
}

/// The results as XML.
fn text(suites: &[Suite]) -> String {
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let failures: usize = suites.iter().map(Suite::failures).sum();
    let seconds: f64 = suites.iter().map(|suite| suite.seconds).sum();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites tests=\"{tests}\" failures=\"{failures}\" time=\"{seconds:.3}\">\n"
    );
    for suite in suites {
        write_suite(&mut out, suite);
    }
    out.push_str("</testsuites>\n");
    out
}

fn write_suite(out: &mut String, suite: &Suite) {
    let (name, tests, failures) = (escaped(&suite.name), suite.cases.len(), suite.failures());
    out.push_str(&format!(
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{}\" \
         time=\"{:.3}\">\n",
        suite.skipped(),
        suite.seconds
    ));
    for case in &suite.cases {
        let (group, case_name) = (escaped(&case.group), escaped(&case.name));
        out.push_str(&format!(
            "    <testcase classname=\"{name}.{group}\" name=\"{case_name}\" time=\"{:.3}\"",
            case.seconds
        ));
        match &case.result {
            Outcome::Passed => out.push_str("/>\n"),
            Outcome::Skipped(why) => {
                out.push_str(&format!(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", first_line(why)));
            }
            Outcome::Failed(why) => {
                let (first, text) = (first_line(why), escaped(why));
                out.push_str(&format!(">\n      <failure message=\"{first}\">{text}</failure>\n    </testcase>\n"));
            }
        }
    }
    out.push_str("  </testsuite>\n");
}

fn first_line(text: &str) -> String {
    escaped(text.lines().next().unwrap_or(""))
}

/// Text for XML: what has a meaning there is written otherwise, what may not be there goes.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_says_what_failed_and_stays_xml() {
        let case = |name: &str, result: Outcome| Case {
            group: "solution".to_owned(),
            name: name.to_owned(),
            seconds: 1.5,
            result,
        };
        let cases = vec![
            case("01-a", Outcome::Passed),
            case("02-b", Outcome::Failed("<no> \u{1b}[31mluck\nmore \"words\"".to_owned())),
            case("03-c", Outcome::Skipped("an earlier step failed".to_owned())),
        ];
        assert_eq!(
            text(&[Suite { name: "a&b".to_owned(), cases, seconds: 3.0 }]),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites tests=\"3\" failures=\"1\" time=\"3.000\">\n  \
             <testsuite name=\"a&amp;b\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"3.000\">\n    \
             <testcase classname=\"a&amp;b.solution\" name=\"01-a\" time=\"1.500\"/>\n    \
             <testcase classname=\"a&amp;b.solution\" name=\"02-b\" time=\"1.500\">\n      \
             <failure message=\"&lt;no&gt; [31mluck\">&lt;no&gt; [31mluck\nmore &quot;words&quot;</failure>\n    \
             </testcase>\n    \
             <testcase classname=\"a&amp;b.solution\" name=\"03-c\" time=\"1.500\">\n      \
             <skipped message=\"an earlier step failed\"/>\n    </testcase>\n  </testsuite>\n</testsuites>\n"
        );
    }
}
