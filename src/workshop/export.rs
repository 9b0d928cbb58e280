//! A workshop as one Markdown text, to take home.

use super::{Fold, Part, Step, Workshop};
use crate::deck::step::Role;

/// The whole workshop. Hints and solutions are folded, as in the step files.
pub fn markdown(workshop: &Workshop, solutions: bool) -> String {
    let mut out = format!("# {}\n\n", workshop.name);
    for (number, step) in workshop.steps.iter().enumerate() {
        let minutes = step.duration.as_secs().div_ceil(60);
        out.push_str(&format!("## Step {}: {}\n\n*{minutes} minutes*\n\n", number + 1, step.title));
        parts(step, &step.parts, solutions, &mut out);
        if !step.checks.is_empty() {
            out.push_str("**The step is done when:**\n\n");
            for check in &step.checks {
                let message = check.message.split_whitespace().collect::<Vec<_>>().join(" ");
                let line = if message.is_empty() { check.fact.title() } else { message };
                out.push_str(&format!("- {line}\n"));
            }
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn parts(step: &Step, parts: &[Part], solutions: bool, out: &mut String) {
    for part in parts {
        match part {
            Part::Text(span) => {
                let text = deeper(step.text(*span), &step.title);
                if !text.trim().is_empty() {
                    out.push_str(text.trim());
                    out.push_str("\n\n");
                }
            }
            Part::Action(index) => {
                if let Some(action) = step.actions.get(*index)
                    && matches!(action.spec.role, Role::Run | Role::Solve)
                {
                    out.push_str(&format!("```sh\n{}\n```\n\n", action.spec.script.trim_end()));
                }
            }
            Part::Check(_) => {}
            Part::Fold(Fold { solution: true, .. }) if !solutions => {}
            Part::Fold(fold) => {
                out.push_str(&format!("<details><summary>{}</summary>\n\n", fold.summary));
                self::parts(step, &fold.parts, solutions, out);
                out.push_str("</details>\n\n");
            }
        }
    }
}

/// Headings one level deeper each; the one that repeats the step's title goes.
fn deeper(text: &str, title: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        match line.strip_prefix("# ") {
            Some(heading) if !fenced && heading.trim() == title => continue,
            _ => {}
        }
        if !fenced && line.starts_with('#') {
            out.push('#');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::workshop::assemble;

    #[test]
    fn everything_a_reader_needs_is_there() {
        let text = "---\ntitle: Heal\n---\n# Heal\nDo it.\n\n```sh {run}\nls\n```\n\n```verify Pod/a\nIt is there.\n```\n\n\
            ```verify Pod/b\n```\n\n<details><summary>Solution</summary>\n\n```sh {solve}\ntouch a\n```\n\n</details>\n\n\
            ```sh {reset}\nrm a\n```\n\n## Why\n\n```sh\n# a comment\n```\n";
        let workshop = assemble("demo", vec![SourceFile::new("workshop/01-heal.md", text)]).workshop;
        assert_eq!(
            markdown(&workshop, true),
            "# demo\n\n## Step 1: Heal\n\n*5 minutes*\n\nDo it.\n\n```sh\nls\n```\n\n<details><summary>Solution</summary>\n\n```sh\ntouch a\n```\n\n\
             </details>\n\n### Why\n\n```sh\n# a comment\n```\n\n**The step is done when:**\n\n- It is there.\n- Pod/b is there\n"
        );
        assert!(!markdown(&workshop, false).contains("touch a"));
    }
}
