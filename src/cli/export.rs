//! `export`: decks → files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::diagnostic::report::{self, Counts};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::export::{self, Format, Job, Template, site, write};
use crate::project::watch::Watcher;
use crate::project::{Compiled, Project, find};
use crate::theme::Container;

use super::args::{ConvertArgs, Export, LaterArgs, TemplateName};
use super::console::{self, Code, Console, Failure};
use super::settings::{self, Asked};
use super::supervise::Supervisor;
use super::{Inputs, import};

impl LaterArgs {
    /// Whether a format is asked for that this version does not make.
    pub(super) fn any(&self) -> bool {
        self.name().is_some()
    }

    fn name(&self) -> Option<&'static str> {
        match self {
            Self { pdf: true, .. } => Some("PDF"),
            Self { pptx: true, .. } => Some("PPTX"),
            Self { image: Some(_), .. } | Self { images: Some(_), .. } => Some("pictures"),
            _ => None,
        }
    }
}

/// What is to be done, without contradictions.
struct Plan {
    job: Job,
    output: Output,
}

/// Where a result goes.
enum Output {
    Standard,
    File(PathBuf),
    /// A file per deck, and an index for pages.
    Folder(PathBuf),
    /// Each beside its deck.
    Beside,
}

/// A result that was written.
struct Written {
    deck: PathBuf,
    output: Option<PathBuf>,
    bytes: usize,
    slides: usize,
    source: SourceFile,
    diagnostics: Vec<Diagnostic>,
    /// Whether something that belongs into the file is not in it.
    incomplete: bool,
}

pub(super) fn run(mut args: Export, console: Console) -> Result<Code, Failure> {
    if let Some(Some(word)) = &args.convert.parallel
        && word.parse::<u32>().is_err()
    {
        // `-P deck.md`: the number may be left out.
        args.inputs.push(word.into());
    }
    args.inputs.extend(args.convert.input_dir.clone());
    let inputs = Inputs::sort(args.inputs.clone()).or_default()?;
    let plan = plan(&args.convert, &inputs)?;
    let container = if plan.job.template == Template::Bare { Container::Bare } else { Container::Marpit };
    let asked = Asked {
        render: args.render.clone(),
        meta: args.convert.meta.clone(),
        no_transitions: args.convert.transition == Some(false),
        input: inputs.first(),
        ..Asked::default()
    };
    let settings = settings::resolve(asked, inputs.themes.clone(), container)?;
    console.configuration(&settings.findings);
    let exporter = Exporter { plan: &plan, console };
    let written = if inputs.decks.len() == 1 && inputs.decks[0] == Path::new("-") {
        let project = Project::around(Path::new("."), settings.project)?;
        let compiled = project.compile_source(import::read(Path::new("-"))?, Path::new("."))?;
        vec![exporter.one(&project, &compiled, "stdin", None)?]
    } else {
        let project = inputs.open(settings.project)?;
        let written = exporter.all(&project)?;
        if args.convert.watch {
            exporter.report(&written)?;
            return again(plan, console, project);
        }
        written
    };
    exporter.report(&written)
}

/// What this version does not make, by the name or extension it would have.
fn later(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "pdf" => "PDF",
        "pptx" => "PPTX",
        "png" | "jpg" | "jpeg" | "webp" => "pictures",
        _ => return None,
    })
}

/// Resolves the flags; contradictions are errors here and nowhere else.
fn plan(args: &ConvertArgs, inputs: &Inputs) -> Result<Plan, Failure> {
    let extension = args.output.as_deref().and_then(|path| path.extension()?.to_str());
    let format = args.to.as_deref().or(extension.filter(|_| !args.notes)).unwrap_or_default();
    if let Some(name) = args.later.name().or_else(|| later(format)) {
        let message = format!("this version of foredeck does not make {name}");
        return Err(Failure::usage(message).hint("export HTML and print it from a browser: every slide is a page"));
    }
    let to = match &args.to {
        Some(name) => Some(Format::of_name(name).ok_or_else(|| {
            Failure::usage(format!("there is no format `{name}`")).hint("formats are html, md and txt")
        })?),
        None => None,
    };
    let standard = args.output.as_deref() == Some(Path::new("-"));
    let by_extension = args.output.as_deref().filter(|_| !standard).and_then(Format::of_path);
    let format = to.or(args.notes.then_some(Format::NotesText)).or(by_extension).unwrap_or_default();
    let template = match args.template {
        Some(TemplateName::Bare) => Template::Bare,
        _ => Template::Player,
    };
    let inline = if args.inline { Some(true) } else { args.no_inline.then_some(false) };
    let job = Job {
        format,
        template,
        with_notes: args.with_notes,
        inline,
        progress: args.progress == Some(true),
        no_controls: args.osc == Some(false),
        name: String::new(),
    };
    Ok(Plan { job, output: output(args, inputs)? })
}

fn output(args: &ConvertArgs, inputs: &Inputs) -> Result<Output, Failure> {
    let from_pipe = inputs.decks.iter().any(|path| path == Path::new("-"));
    if from_pipe && inputs.decks.len() > 1 {
        return Err(Failure::usage("standard input cannot be one of several decks"));
    }
    let many = inputs.decks.len() > 1 || inputs.decks.iter().any(|path| path.is_dir());
    match &args.output {
        Some(path) if path == Path::new("-") && many => {
            Err(Failure::usage("several decks cannot go to standard output").hint("name a folder with `-o`"))
        }
        Some(path) if path == Path::new("-") => Ok(Output::Standard),
        Some(path) if many && (path.is_file() || Format::of_path(path).is_some()) => {
            let message = format!("several decks cannot go into the one file `{}`", path.display());
            Err(Failure::usage(message).hint("name a folder with `-o`"))
        }
        Some(path) if many || path.is_dir() || path.to_string_lossy().ends_with('/') => {
            Ok(Output::Folder(path.clone()))
        }
        Some(path) => Ok(Output::File(path.clone())),
        None if from_pipe => Ok(Output::Standard),
        None if inputs.decks.iter().any(|path| path.is_dir()) => {
            Err(Failure::usage("a folder of decks needs a folder to go to").hint("for example `-o site`"))
        }
        None => Ok(Output::Beside),
    }
}

/// Exports decks by a plan.
struct Exporter<'a> {
    plan: &'a Plan,
    console: Console,
}

impl Exporter<'_> {
    /// Exports every deck of a project.
    fn all(&self, project: &Project) -> Result<Vec<Written>, Failure> {
        let pages = site::pages(project, self.plan.job.format.extension());
        let mut written = Vec::new();
        let mut compiled = Vec::new();
        for page in pages {
            let deck = project.compile(page.entry)?;
            let target = match &self.plan.output {
                Output::Folder(folder) => Some(folder.join(&page.path)),
                Output::File(path) => Some(path.clone()),
                Output::Beside => Some(page.entry.path.with_extension(self.plan.job.format.extension())),
                Output::Standard => None,
            };
            if target.as_deref().is_some_and(|target| same_file(target, &page.entry.path)) {
                let message = format!("the result would replace the deck `{}` itself", page.entry.path.display());
                return Err(Failure::usage(message).hint("name another file with `-o`"));
            }
            written.push(self.one(project, &deck, &page.entry.slug, target.as_deref())?);
            compiled.push((page, deck));
        }
        if let Output::Folder(folder) = &self.plan.output
            && self.plan.job.format == Format::Html
            && compiled.len() > 1
        {
            let decks: Vec<_> = compiled.iter().map(|(page, deck)| (page.clone(), deck)).collect();
            let path = folder.join("index.html");
            write::write(&path, site::index(project, &decks)?.as_bytes())?;
            self.console.say(&format!("index => {}", path.display()));
        }
        Ok(written)
    }

    /// Exports one deck.
    fn one(&self, project: &Project, compiled: &Compiled, name: &str, to: Option<&Path>) -> Result<Written, Failure> {
        let job = Job { name: name.to_owned(), ..self.plan.job.clone() };
        let output = export::export(project, compiled, &job)?;
        match to {
            Some(path) => write::write(path, output.text.as_bytes())?,
            None if self.console.json => {}
            None => console::data(&output.text)?,
        }
        let incomplete = Counts::of(&output.diagnostics).errors > 0;
        let mut diagnostics = compiled.diagnostics.clone();
        for found in output.diagnostics {
            let told = diagnostics.iter().any(|known| known.code == found.code && known.message == found.message);
            if !told {
                diagnostics.push(found);
            }
        }
        Ok(Written {
            deck: compiled.source.path().into(),
            output: to.map(Path::to_path_buf),
            bytes: output.text.len(),
            slides: compiled.rendered.slides.len(),
            source: compiled.source.clone(),
            diagnostics,
            incomplete,
        })
    }

    /// Tells what was written and what was noticed.
    fn report(&self, written: &[Written]) -> Result<Code, Failure> {
        for file in written {
            self.console.first_findings(&file.diagnostics, &file.source);
            if let Some(output) = &file.output {
                self.console.say(&format!("{} => {}", file.deck.display(), output.display()));
            }
        }
        if self.console.json {
            let files = written.iter().map(|file| {
                json!({
                    "deck": file.deck.display().to_string(),
                    "output": file.output.as_ref().map(|path| path.display().to_string()),
                    "bytes": file.bytes,
                    "slides": file.slides,
                    "complete": !file.incomplete,
                })
            });
            let findings = report::json(written.iter().map(|file| (&file.source, file.diagnostics.as_slice())));
            let document = json!({
                "schema": "foredeck.export/1",
                "files": files.collect::<Vec<_>>(),
                "diagnostics": findings["diagnostics"],
            });
            self.console.document(&document)?;
        }
        let incomplete = written.iter().any(|file| file.incomplete);
        Ok(if incomplete { Code::Findings } else { Code::Done })
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => find::parent_of(a) == find::parent_of(b) && a.file_name() == b.file_name(),
    }
}

/// Exports again whenever a deck changes, until stopped.
fn again(plan: Plan, console: Console, project: Project) -> Result<Code, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let project = Arc::new(project);
    let (watcher, decks) = Watcher::new(project.clone())?;
    runtime.block_on(async move {
        let mut supervisor = Supervisor::new()?;
        let stop = supervisor.stop();
        supervisor.spawn("watching files", watcher.run(stop.clone()));
        supervisor.spawn("exporting", async move {
            let mut decks: Vec<_> = decks.into_iter().map(|deck| deck.cell).collect();
            decks.iter_mut().for_each(|cell| cell.mark_unchanged());
            let exporter = Exporter { plan: &plan, console };
            loop {
                let changes = decks.iter_mut().map(|cell| Box::pin(cell.changed()));
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    _ = futures::future::select_all(changes) => {}
                }
                decks.iter_mut().for_each(|cell| cell.mark_unchanged());
                let written = exporter.all(&project).and_then(|written| exporter.report(&written));
                if let Err(failure) = written {
                    console.failure(&failure);
                }
            }
            #[expect(unreachable_code, reason = "names the error type of the task")]
            Ok::<(), std::io::Error>(())
        });
        console.say("exporting again whenever a file changes; Ctrl-C stops");
        supervisor.run().await
    })
}
