//! `export`: decks → files.

pub mod args;
pub mod defaults;
mod film;
mod plan;
mod press;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::diagnostic::report::{self, Counts};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::export::{self, Format, Job, Template, site, write};
use crate::project::watch::Watcher;
use crate::project::{Compiled, Project, find};
use crate::theme::Container;

use super::args::Export;
use super::console::{self, Code, Console, Failure};
use super::settings::{self, Asked};
use super::supervise::Supervisor;
use super::{Inputs, import};
use plan::{Output, Plan};

/// A result that was written.
struct Written {
    deck: PathBuf,
    /// The files; none when it went to standard output.
    outputs: Vec<PathBuf>,
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
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let asked = Asked {
        render: args.render.clone(),
        meta: args.convert.meta.clone(),
        input: inputs.first(),
        ..Asked::default()
    };
    let mut settings = settings::resolve(asked, inputs.themes.clone(), Container::Marpit)?;
    console.configuration(&settings.findings);
    settings.export.complete(&mut args.convert);
    let plan = plan::plan(&args.convert, &inputs, cores)?;
    plan.remarks.iter().for_each(|remark| console.say(remark));
    if plan.job.template == Template::Bare || plan.job.format.needs_browser() {
        settings.project.render.container = Container::Bare;
    }
    settings.project.render.no_transitions = args.convert.transition == Some(false);
    let exporter = Exporter { plan: &plan, console };
    let written = if inputs.decks.len() == 1 && inputs.decks[0] == Path::new("-") {
        let project = Project::around(Path::new("."), settings.project)?;
        let task = exporter.piped(&project)?;
        exporter.make(&project, std::slice::from_ref(&task))?
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

/// A deck and where its result goes; to standard output when nowhere.
struct Task {
    deck: Compiled,
    name: String,
    target: Option<PathBuf>,
}

/// Exports decks by a plan.
struct Exporter<'a> {
    plan: &'a Plan,
    console: Console,
}

impl Exporter<'_> {
    /// Exports every deck of a project.
    fn all(&self, project: &Project) -> Result<Vec<Written>, Failure> {
        let (pages, tasks): (Vec<_>, Vec<_>) = self.tasks(project)?.into_iter().unzip();
        let written = self.make(project, &tasks)?;
        self.index(project, &pages, &tasks)?;
        Ok(written)
    }

    /// What there is to do for a project.
    fn tasks<'p>(&self, project: &'p Project) -> Result<Vec<(site::Page<'p>, Task)>, Failure> {
        let extension = self.plan.job.format.extension();
        let mut tasks = Vec::new();
        for page in site::pages(project, extension) {
            let deck = project.compile(page.entry)?;
            let target = match &self.plan.output {
                Output::Folder(folder) => Some(folder.join(&page.path)),
                Output::File(path) => Some(path.clone()),
                Output::Beside => Some(page.entry.path.with_extension(extension)),
                Output::Standard => None,
            };
            if target.as_deref().is_some_and(|target| same_file(target, &page.entry.path)) {
                let message = format!("the result would replace the deck `{}` itself", page.entry.path.display());
                return Err(Failure::usage(message).hint("name another file with `-o`"));
            }
            let name = page.entry.slug.clone();
            tasks.push((page, Task { deck, name, target }));
        }
        Ok(tasks)
    }

    /// What there is to do for a deck that comes through a pipe.
    fn piped(&self, project: &Project) -> Result<Task, Failure> {
        let deck = project.compile_source(import::read(Path::new("-"))?, Path::new("."))?;
        let target = match &self.plan.output {
            Output::File(path) => Some(path.clone()),
            Output::Folder(folder) => Some(folder.join(format!("stdin.{}", self.plan.job.format.extension()))),
            Output::Standard | Output::Beside => None,
        };
        Ok(Task { deck, name: "stdin".to_owned(), target })
    }

    /// Makes the files of some decks.
    fn make(&self, project: &Project, tasks: &[Task]) -> Result<Vec<Written>, Failure> {
        if self.plan.job.format.needs_browser() {
            return press::all(self, project, tasks);
        }
        tasks.iter().map(|task| self.text(project, task)).collect()
    }

    /// Writes the page that leads to those of the decks.
    fn index(&self, project: &Project, pages: &[site::Page<'_>], tasks: &[Task]) -> Result<(), Failure> {
        let Output::Folder(folder) = &self.plan.output else { return Ok(()) };
        let listed = matches!(self.plan.job.format, Format::Html | Format::Pdf | Format::Pptx);
        if !listed || pages.len() < 2 {
            return Ok(());
        }
        let decks: Vec<_> = pages.iter().cloned().zip(tasks.iter().map(|task| &task.deck)).collect();
        let path = folder.join("index.html");
        let theirs = std::fs::read_to_string(&path).is_ok_and(|page| !site::is_index(&page));
        if theirs && self.plan.job.format != Format::Html {
            return Ok(());
        }
        write::write(&path, site::index(project, folder, &decks)?.as_bytes())?;
        self.console.say(&format!("index => {}", path.display()));
        Ok(())
    }

    /// The job, for one deck.
    fn job(&self, task: &Task) -> Job {
        Job { name: task.name.clone(), ..self.plan.job.clone() }
    }

    /// Makes a file that is a text.
    fn text(&self, project: &Project, task: &Task) -> Result<Written, Failure> {
        let mut job = self.job(task);
        if job.format == Format::Html && job.template == Template::Player {
            job.film = film::film(project, &task.deck, &task.name, self.plan.run.as_deref(), self.console)?;
        }
        let output = export::export(project, &task.deck, &job)?;
        match &task.target {
            Some(path) => write::write(path, output.text.as_bytes())?,
            None if self.console.json => {}
            None => console::data(&output.text)?,
        }
        Ok(written(task, task.target.clone().into_iter().collect(), output.text.len(), output.diagnostics))
    }

    /// Tells what was written and what was noticed.
    fn report(&self, written: &[Written]) -> Result<Code, Failure> {
        for file in written {
            self.console.first_findings(&file.diagnostics, &file.source);
            match file.outputs.as_slice() {
                [] => {}
                [output] => self.console.say(&format!("{} => {}", file.deck.display(), output.display())),
                [first, .., last] => {
                    let (deck, first, last) = (file.deck.display(), first.display(), last.display());
                    self.console.say(&format!("{deck} => {first} … {last}"));
                }
            }
        }
        if self.console.json {
            let files = written.iter().map(|file| {
                let outputs: Vec<String> = file.outputs.iter().map(|path| path.display().to_string()).collect();
                json!({
                    "deck": file.deck.display().to_string(),
                    "output": outputs.first(),
                    "outputs": outputs,
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

/// A result of a deck, with what was noticed while it was compiled and while it was exported.
fn written(task: &Task, outputs: Vec<PathBuf>, bytes: usize, noticed: Vec<Diagnostic>) -> Written {
    let compiled = &task.deck;
    let incomplete = Counts::of(&noticed).errors > 0;
    let mut diagnostics = compiled.diagnostics.clone();
    for found in noticed {
        let told = diagnostics.iter().any(|known| known.code == found.code && known.message == found.message);
        if !told {
            diagnostics.push(found);
        }
    }
    Written {
        deck: compiled.source.path().into(),
        outputs,
        bytes,
        slides: compiled.rendered.slides.len(),
        source: compiled.source.clone(),
        diagnostics,
        incomplete,
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
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
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
                // A browser may be at work for a while; Ctrl-C ends it all the same.
                let written = tokio::task::block_in_place(|| exporter.all(&project))
                    .and_then(|written| exporter.report(&written));
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
