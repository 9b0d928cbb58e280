//! `theme`: list, write out and check themes.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::diagnostic::report::{self, Counts};
use crate::diagnostic::{Severity, SourceFile, closest};
use crate::export::write::write;
use crate::project::files::{Disk, Reader};
use crate::project::themes::Themes;
use crate::project::{Project, ProjectOptions};
use crate::theme::{Container, ThemeSet};

use super::args::{RenderArgs, ThemeCommand};
use super::console::{self, Code, Console, Failure};
use super::settings::{self, Asked};

pub(super) fn run(command: ThemeCommand, console: Console) -> Result<Code, Failure> {
    match command {
        ThemeCommand::List { input, render, .. } => list(input.as_deref(), render, console),
        ThemeCommand::Eject { name, output, .. } => eject(&name, output, console),
        ThemeCommand::Check { files, .. } => check(files, console),
    }
}

fn list(input: Option<&Path>, render: RenderArgs, console: Console) -> Result<Code, Failure> {
    let settings = settings::resolve(Asked { render, input, ..Asked::default() }, Vec::new(), Container::Marpit)?;
    let project = match input {
        Some(input) => Project::open(input, settings.project)?,
        None => Project::around(Path::new("."), settings.project)?,
    };
    let themes = project.themes(&Reader::new(project.files()));
    let built_in = ThemeSet::builtin();
    let none = SourceFile::new("", "");
    console.findings(&themes.diagnostics, &none, Severity::Warning);
    let origin = |name: &str| if built_in.contains(name) { "built in" } else { "project" };
    if console.json {
        let list = themes.set.names().into_iter().map(|name| {
            let size = themes.set.size(name, None);
            json!({
                "name": name,
                "origin": origin(name),
                "width": size.width,
                "height": size.height,
                "sizes": themes.set.presets(name),
            })
        });
        console.document(&json!({ "schema": "foredeck.themes/1", "themes": list.collect::<Vec<_>>() }))?;
    } else {
        let lines = themes.set.names().into_iter().map(|name| {
            let sizes = themes.set.presets(name).join(", ");
            format!("{name:<16} {:<10} {sizes}", origin(name)).trim_end().to_owned() + "\n"
        });
        console::data(&lines.collect::<String>())?;
    }
    Ok(Code::Done)
}

fn eject(name: &str, output: Option<PathBuf>, console: Console) -> Result<Code, Failure> {
    let built_in = ThemeSet::builtin();
    let Some(css) = built_in.source(name) else {
        let failure = Failure::input(format!("there is no built-in theme `{name}`"));
        return Err(match closest(name, built_in.names()) {
            Some(like) => failure.hint(format!("did you mean `{like}`?")),
            None => failure.hint(format!("built-in themes are {}", built_in.names().join(", "))),
        });
    };
    let path = output.unwrap_or_else(|| Path::new("themes").join(format!("{name}.css")));
    if path == Path::new("-") {
        console::data(css)?;
        return Ok(Code::Done);
    }
    if path.exists() {
        let message = format!("`{}` is there already", path.display());
        return Err(Failure::usage(message).hint("name another file with `-o`"));
    }
    write(&path, css.as_bytes())?;
    console.say(&format!("wrote `{}`; decks below the same folder now use it", path.display()));
    Ok(Code::Done)
}

fn check(files: Vec<PathBuf>, console: Console) -> Result<Code, Failure> {
    let options = ProjectOptions { theme_set: files, ..ProjectOptions::default() };
    // No project folder: only the files that were named.
    let themes = Themes::load(&Reader::new(&Disk), Path::new("/nonexistent"), &options, None);
    let none = SourceFile::new("", "");
    if console.json {
        console.document(&report::json([(&none, themes.diagnostics.as_slice())]))?;
    } else {
        console.findings(&themes.diagnostics, &none, Severity::Note);
        console.counts(Counts::of(&themes.diagnostics));
    }
    let findings = Counts::of(&themes.diagnostics).findings();
    Ok(if findings > 0 { Code::Findings } else { Code::Done })
}
