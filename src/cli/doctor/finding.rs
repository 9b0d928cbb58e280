//! What was found on a machine → what it means. Pure.

use crate::diagnostic::report::Counts;
use crate::export::browser::find::{Search, System, how_to_install};
use crate::export::browser::sandbox::Sandbox;

use super::args::Area;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ok,
    Warning,
    Problem,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) area: Area,
    pub(super) level: Level,
    pub(super) text: String,
    pub(super) fix: Option<String>,
}

pub(super) fn finding(area: Area, level: Level, text: impl Into<String>) -> Finding {
    Finding { area, level, text: text.into(), fix: None }
}

impl Finding {
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// What a browser did when it was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trial {
    /// Its name and version.
    pub(super) product: String,
    /// How long it took to print an empty page, from its start.
    pub(super) milliseconds: u128,
    /// Whether emoji have colours.
    pub(super) emoji: bool,
}

/// A browser: whether one is there, starts and prints. `trial` is none when there was nothing to try; an error has
/// what it said, and what helps.
pub(super) fn browser(
    search: &Search,
    trial: Option<&Result<Trial, (String, String)>>,
    sandbox: Sandbox,
    system: System,
) -> Vec<Finding> {
    let area = Area::Browser;
    let mut out = Vec::new();
    for dead in &search.dead {
        out.push(finding(area, Level::Warning, dead).fix("name a program, or unset the variable"));
    }
    let Some(found) = &search.found else {
        let text = format!("there is no browser to print with; looked for: {}", search.looked.join("; "));
        out.push(finding(area, Level::Problem, text).fix(how_to_install(system)));
        return out;
    };
    out.push(finding(area, Level::Ok, format!("`{}`, by {}", found.path.display(), found.by)));
    if let Sandbox::Off(why) = sandbox {
        out.push(finding(area, Level::Ok, format!("its sandbox is off: {why}")));
    }
    match trial {
        None => {}
        Some(Err((error, hint))) => out.push(finding(area, Level::Problem, error).fix(hint)),
        Some(Ok(trial)) => {
            let text = format!("{} starts and prints, in {} ms", trial.product, trial.milliseconds);
            out.push(finding(area, Level::Ok, text));
            if !trial.emoji {
                let text = "it has no font with coloured emoji: they will be outlines, or boxes";
                let fix = "install one, for example `apt install fonts-noto-color-emoji`";
                out.push(finding(area, Level::Warning, text).fix(fix));
            }
        }
    }
    out
}

/// What git tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Git {
    /// `git version 2.39.5`
    pub(super) version: String,
    /// Whether it knows the user's name and address.
    pub(super) identity: bool,
}

/// The oldest Git that the reconciler is tested with.
const OLDEST_GIT: (u32, u32) = (2, 30);

/// Git, which live demos need.
pub(super) fn git(git: Option<&Git>) -> Vec<Finding> {
    let area = Area::Git;
    let Some(git) = git else {
        let text = "there is no git on the PATH: slides work, live demos do not";
        return vec![finding(area, Level::Problem, text).fix("install git")];
    };
    let version = git.version.trim();
    let mut out = vec![match numbers(version) {
        Some(known) if known < OLDEST_GIT => {
            let text = format!("{version} is old");
            finding(area, Level::Warning, text).fix(format!("install git {}.{} or newer", OLDEST_GIT.0, OLDEST_GIT.1))
        }
        Some(_) => finding(area, Level::Ok, version),
        None => {
            let text = format!("git does not say its version but `{version}`");
            finding(area, Level::Warning, text).fix("run `git --version` to see what is wrong")
        }
    }];
    if !git.identity {
        let text = "git does not know who you are: commits that you make in a demo will fail";
        let fix = "git config --global user.name NAME; git config --global user.email ADDRESS";
        out.push(finding(area, Level::Warning, text).fix(fix));
    }
    out
}

/// The first two numbers of a version in a text.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// kubectl: the path of the one on the PATH, and what it says of its version.
pub(super) fn kubectl(found: Option<(&str, Option<&str>)>) -> Vec<Finding> {
    let area = Area::Kubectl;
    vec![match found {
        None => finding(area, Level::Ok, "none on the PATH; `foredeck kubectl` is a small one that is built in"),
        Some((path, Some(version))) => finding(area, Level::Ok, format!("`{path}`, {}", version.trim())),
        Some((path, None)) => finding(area, Level::Problem, format!("`{path}` does not run"))
            .fix("mend it, or set FOREDECK_KUBECTL=builtin to use the small one that is built in"),
    }]
}

/// The port that slides are served on, and why it cannot be had.
pub(super) fn port(port: u16, trouble: Option<&str>) -> Vec<Finding> {
    let area = Area::Port;
    vec![match trouble {
        None => finding(area, Level::Ok, format!("{port} is free")),
        Some(why) => finding(area, Level::Problem, format!("cannot listen on port {port}: {why}"))
            .fix("end what uses it, or choose another: `foredeck present --port 0` takes a free one"),
    }]
}

/// A deck: its path, and its findings or why it cannot be read.
pub(super) type Looked = (String, Result<Counts, String>);

/// The decks; an error when there are none to look at.
pub(super) fn decks(decks: &Result<Vec<Looked>, String>) -> Vec<Finding> {
    let area = Area::Decks;
    let decks = match decks {
        Ok(decks) => decks,
        Err(why) => return vec![finding(area, Level::Warning, why).fix("name them: `foredeck doctor --decks DIR`")],
    };
    let mut out = Vec::new();
    let mut fine = 0;
    for (path, looked) in decks {
        match looked {
            Err(why) => out.push(finding(area, Level::Problem, format!("`{path}`: {why}")).fix("mend the file")),
            Ok(counts) if counts.findings() == 0 => fine += 1,
            Ok(counts) => {
                let level = if counts.errors > 0 { Level::Problem } else { Level::Warning };
                let fix = format!("`foredeck check {path}` shows them");
                out.push(finding(area, level, format!("`{path}`: {counts}")).fix(fix));
            }
        }
    }
    if fine > 0 {
        let text = format!("{fine} deck{} without findings", if fine == 1 { "" } else { "s" });
        out.insert(0, finding(area, Level::Ok, text));
    }
    out
}

/// The verdict in one line, and whether it is a go.
pub(super) fn verdict(findings: &[Finding]) -> (bool, String) {
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (count(Level::Problem), count(Level::Warning)) {
        (0, 0) => (true, "go".to_owned()),
        (0, warnings) => (true, format!("go, with {}", plural(warnings, "warning"))),
        (problems, 0) => (false, format!("no go: {}", plural(problems, "problem"))),
        (problems, warnings) => {
            (false, format!("no go: {}, {}", plural(problems, "problem"), plural(warnings, "warning")))
        }
    }
}

#[cfg(test)]
#[path = "finding_tests.rs"]
mod tests;
