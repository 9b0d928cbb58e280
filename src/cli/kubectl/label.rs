//! `label` and `annotate`: `name=value` sets, `name-` takes away.

use serde_json::{Map, Value, json};

use super::flags::Arguments;
use super::problem::Problem;
use super::select::{self, Target};
use super::session::{MERGE, Session};
use super::table::printable;
use super::write::{DryRun, Writing};
use crate::cluster::object;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Labels,
    Annotations,
}

impl What {
    fn member(self) -> &'static str {
        if self == Self::Labels { "labels" } else { "annotations" }
    }

    fn singular(self) -> &'static str {
        if self == Self::Labels { "label" } else { "annotation" }
    }
}

/// What is set and what is taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Changes {
    set: Vec<(String, String)>,
    remove: Vec<String>,
}

/// Splits words into resources and changes; from the first change on all words are changes.
fn split(words: &[String], what: What) -> Result<(Vec<String>, Changes), Problem> {
    let is_change =
        |word: &String| word.contains('=') && !word.starts_with('=') || word.ends_with('-') && word.len() > 1;
    let first = words.iter().position(is_change).unwrap_or(words.len());
    let (resources, rest) = words.split_at(first);
    let mut changes = Changes::default();
    for word in rest {
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                if what == What::Labels && !is_label_value(value) {
                    return Err(Problem::said(format!(
                        "invalid label value: {word:?}: a valid label must be an empty string or consist of alphanumeric \
                         characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
                         'MyValue',  or 'my_value',  or '12345', regex used for validation is \
                         '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                    )));
                }
                changes.set.push((name.to_owned(), value.to_owned()));
            }
            None if word.ends_with('-') && word.len() > 1 => {
                changes.remove.push(word.trim_end_matches('-').to_owned());
            }
            _ => return Err(Problem::said(format!("unknown {} spec: {word}", what.singular()))),
        }
    }
    let both: Vec<_> = changes.set.iter().filter(|(name, _)| changes.remove.contains(name)).collect();
    if let Some((name, _)) = both.first() {
        return Err(Problem::said(format!(
            "can not both modify and remove the following {}(s) in the same command: {name}",
            what.singular()
        )));
    }
    Ok((resources.to_vec(), changes))
}

fn is_label_value(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= 63 && value.chars().all(inner) && edge(value.chars().next()) && edge(value.chars().next_back())
}

/// Runs `label` or `annotate`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments, what: What) -> Result<(), Problem> {
    let (resources, changes) = split(&arguments.words, what)?;
    let listing = arguments.on("list");
    if resources.is_empty() && arguments.text("filename").is_none() {
        return Err(Problem::said("one or more resources must be specified as <resource> <name> or <resource>/<name>"));
    }
    if changes == Changes::default() && !listing {
        return Err(Problem::said(format!("at least one {} update is required", what.singular())));
    }
    let manager = if what == What::Labels { "kubectl-label" } else { "kubectl-annotate" };
    let writing = Writing::of(arguments, manager)?;
    let found = select::targets(session, arguments, &resources, false).await?;
    let mut problems = found.problems;
    for target in found.targets {
        let done = if listing {
            list(session, &target, what).await
        } else {
            change(session, arguments, &writing, &target, &changes, what).await
        };
        match done {
            Ok(()) => {}
            Err(Problem::Closed) => return Err(Problem::Closed),
            Err(problem) => problems.push(problem),
        }
    }
    Problem::gathered(problems)
}

async fn list(session: &mut Session<'_>, target: &Target, what: What) -> Result<(), Problem> {
    let object = select::fetched(session, target).await?;
    let pairs = object::map(&object, &["metadata", what.member()]).into_iter().flatten();
    let mut lines: Vec<_> =
        pairs.map(|(name, value)| printable(&format!("{name}={}", value.as_str().unwrap_or("")))).collect();
    lines.sort();
    for line in lines {
        session.line(&line)?;
    }
    Ok(())
}

async fn change(
    session: &mut Session<'_>,
    arguments: &Arguments,
    writing: &Writing,
    target: &Target,
    changes: &Changes,
    what: What,
) -> Result<(), Problem> {
    let object = select::fetched(session, target).await?;
    let present = |name: &str| object::at(&object, &["metadata", what.member(), name]).and_then(Value::as_str);
    if !arguments.on("overwrite") {
        let taken = changes.set.iter().find(|(name, value)| present(name).is_some_and(|there| there != value));
        if let Some((name, _)) = taken {
            let there = present(name).unwrap_or("");
            return Err(Problem::said(match what {
                What::Labels => format!("'{name}' already has a value ({there}), and --overwrite is false"),
                What::Annotations => {
                    format!(
                        "--overwrite is false but found the following declared annotation(s): '{name}' already has a value ({there})"
                    )
                }
            }));
        }
    }
    let mut patch = Map::new();
    let mut removed = 0;
    for (name, value) in changes.set.iter().filter(|(name, value)| present(name) != Some(value)) {
        patch.insert(name.clone(), value.as_str().into());
    }
    for name in &changes.remove {
        if present(name).is_some() {
            removed += 1;
            patch.insert(name.clone(), Value::Null);
        } else if what == What::Labels {
            session.line(&format!("label {name:?} not found."))?;
        }
    }
    let done = match (what, patch.len()) {
        (What::Annotations, _) => "annotated",
        (What::Labels, 0) => "not labeled",
        (What::Labels, all) if all == removed => "unlabeled",
        (What::Labels, _) => "labeled",
    };
    let mut after = object.clone();
    if !patch.is_empty() && writing.dry_run != DryRun::Client {
        let path = target.resource.path(&target.namespace, &target.name);
        let body = json!({ "metadata": { what.member(): patch } });
        after = session.patch(&writing.address(&path, &[]), MERGE, &body).await?.1;
    }
    writing.done(session, &target.resource, &target.name, &after, done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_line(line: &str) -> Result<(Vec<String>, Changes), String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        split(&words, What::Labels).map_err(|problem| problem.to_string())
    }

    #[test]
    fn words_are_resources_first_and_then_changes() {
        let (resources, changes) = split_line("pods web-1 web-2 a=1 b= c-").unwrap();
        assert_eq!(resources, ["pods", "web-1", "web-2"]);
        assert_eq!(changes.set, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
        assert_eq!(changes.remove, ["c"]);
        assert_eq!(split_line("pods x").unwrap().1, Changes::default());
        for (line, expected) in [
            ("cm a a=1 a-", "error: can not both modify and remove the following label(s) in the same command: a"),
            ("cm a a=1 b", "error: unknown label spec: b"),
        ] {
            assert_eq!(split_line(line).unwrap_err(), expected);
        }
        assert!(
            split_line("cm a k=bad!").unwrap_err().starts_with("error: invalid label value: \"k=bad!\": a valid label")
        );
        let note = ["cm".to_owned(), "a".to_owned(), "note=hello world!".to_owned()];
        assert!(split(&note, What::Annotations).is_ok());
    }
}
