//! `import killercoda`: a scenario of Killercoda becomes a folder of steps.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::ImportWorkshop;
use crate::cli::console::{Code, Console, Failure};
use crate::diagnostic::report::{self, Counts};
use crate::diagnostic::{Severity, SourceFile};
use crate::export::write::write;
use crate::workshop::killercoda::{self, INDEX};

/// No file of a scenario is larger.
const LARGEST: u64 = 1 << 20;
/// Where the steps go unless it is said otherwise.
const FOLDER: &str = "workshop";

/// What is imported, and where to.
pub(in crate::cli) struct Wanted<'a> {
    pub(in crate::cli) input: &'a Path,
    pub(in crate::cli) output: Option<&'a Path>,
    pub(in crate::cli) force: bool,
}

pub(super) fn run(args: &ImportWorkshop, console: Console) -> Result<Code, Failure> {
    let wanted = Wanted { input: &args.input, output: args.output.as_deref(), force: args.force };
    killercoda(&wanted, console)
}

/// Imports a scenario: a folder, or its `index.json`.
pub(in crate::cli) fn killercoda(wanted: &Wanted<'_>, console: Console) -> Result<Code, Failure> {
    let file = if wanted.input.is_dir() { wanted.input.join(INDEX) } else { wanted.input.to_path_buf() };
    let folder = file.parent().unwrap_or(Path::new(""));
    let text = read(&file).map_err(|why| {
        let failure = Failure::input(format!("cannot read `{}`: {why}", file.display()));
        failure.hint("name the folder of the scenario: the one with its `index.json`")
    })?;
    let imported = killercoda::import(SourceFile::new(&file, text), &|path| read(&folder.join(path)));
    let to = wanted.output.unwrap_or(Path::new(FOLDER));
    let counts = Counts::of(imported.findings.iter().map(|(_, found)| found));
    if !console.json {
        for (source, found) in &imported.findings {
            console.findings(std::slice::from_ref(found), source, Severity::Note);
        }
    }
    if imported.files.is_empty() {
        return Err(Failure::input(format!("there is nothing to import in `{}`", file.display())));
    }
    let files: Vec<(PathBuf, &str)> =
        imported.files.iter().map(|(name, text)| (to.join(name), text.as_str())).collect();
    if let Some((there, _)) = files.iter().find(|(path, _)| path.exists()).filter(|_| !wanted.force) {
        let failure = Failure::usage(format!("`{}` is there already", there.display()));
        return Err(failure.hint("write elsewhere with `-o DIR`, or over it with `--force`"));
    }
    for (path, text) in &files {
        write(path, text.as_bytes())?;
    }
    if console.json {
        let findings = imported.findings.iter().map(|(source, found)| (&**source, std::slice::from_ref(found)));
        console.document(&json!({
            "schema": "foredeck.workshop.import/1",
            "files": files.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>(),
            "findings": report::json(findings).get("diagnostics").cloned().unwrap_or_default(),
        }))?;
    }
    console.say(&format!("{} => {} steps in {}", file.display(), files.len(), to.display()));
    if counts.findings() > 0 {
        console.counts(counts);
    }
    Ok(Code::Done)
}

fn read(path: &Path) -> Result<String, String> {
    use std::io::Read as _;

    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err("it is too large".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}
