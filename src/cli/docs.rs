//! `docs`: every code and topic explained, without a network.

use crate::diagnostic::closest;

use super::args::Docs;
use super::console::{self, Code, Console, Failure};

/// One section per code: `## code`.
const CODES: &str = include_str!("docs/codes.md");
/// One section per topic: `## topic`.
const TOPICS: &str = include_str!("docs/topics.md");

pub(super) fn run(args: &Docs, console: Console) -> Result<Code, Failure> {
    let Some(subject) = &args.subject else {
        let names = |text| sections(text).map(|(name, body)| format!("  {name:<32} {}\n", first_sentence(body)));
        let topics: String = names(TOPICS).collect();
        let codes: String = names(CODES).collect();
        console::data(&format!("Topics\n{topics}\nCodes of findings\n{codes}"))?;
        return Ok(Code::Done);
    };
    let Some((name, body)) = explain(subject) else {
        let names = sections(CODES).chain(sections(TOPICS)).map(|(name, _)| name);
        let failure = Failure::input(format!("there is nothing about `{subject}`"));
        return Err(match closest(subject, names) {
            Some(like) => failure.hint(format!("did you mean `{like}`?")),
            None => failure.hint("`foredeck docs` lists all codes and topics"),
        });
    };
    console::data(&format!("{}\n\n{body}\n", console.strong(name)))?;
    Ok(Code::Done)
}

/// The explanation of a code or topic.
pub fn explain(subject: &str) -> Option<(&'static str, &'static str)> {
    sections(CODES).chain(sections(TOPICS)).find(|(name, _)| name.eq_ignore_ascii_case(subject))
}

/// The sections of a text: their names and bodies.
fn sections(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.split("\n## ").skip(1).map(|section| {
        let (name, body) = section.split_once('\n').unwrap_or((section, ""));
        (name.trim(), body.trim())
    })
}

fn first_sentence(body: &str) -> &str {
    let line = body.lines().next().unwrap_or("");
    line.split_inclusive(". ").next().unwrap_or(line).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_by_name_in_any_case() {
        let (name, body) = explain("Theme/Unknown").unwrap();
        assert_eq!(name, "theme/unknown");
        assert!(body.starts_with("The deck names a theme"), "{body}");
        assert_eq!(explain("no/such"), None);
    }
}
