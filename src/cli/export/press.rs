//! Decks through one browser, several at once, with a bar on a terminal.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::cli::console::{self, Code, Console, Failure};
use crate::cli::supervise;
use crate::export::browser::{Browser, Handle};
use crate::export::press::{Out, press};
use crate::export::{self, write};
use crate::project::Project;

use super::{Exporter, Task, Written, written};

/// How wide the bar is.
const WIDTH: usize = 24;

/// Makes the files of decks; one that cannot be made does not keep the others from it.
pub(super) fn all(exporter: &Exporter<'_>, project: &Project, tasks: &[Task]) -> Result<Vec<Written>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    // A runtime of its own on a thread of its own: when decks are watched there is one around this already.
    std::thread::scope(|scope| {
        let working = scope.spawn(|| runtime.block_on(browse(exporter, project, tasks)));
        working.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

async fn browse(exporter: &Exporter<'_>, project: &Project, tasks: &[Task]) -> Result<Vec<Written>, Failure> {
    let stop = CancellationToken::new();
    let work = async {
        let stopped = || Failure::new(Code::Interrupted, anyhow::Error::msg("stopped"));
        let mut browser = tokio::select! {
            browser = Browser::start(&exporter.plan.browser) => browser?,
            () = stop.cancelled() => return Err(stopped()),
        };
        let handle = browser.handle();
        let done = browser.beside(async {
            tokio::select! {
                done = each(exporter, &handle, project, tasks) => Ok(done),
                () = stop.cancelled() => Err(stopped()),
            }
        });
        let done: Result<Vec<Result<Written, Failure>>, Failure> = done.await;
        browser.end().await;
        done
    };
    let done = supervise::work(&stop, work).await?;
    let mut results = Vec::new();
    let mut failures = Vec::new();
    for (task, done) in tasks.iter().zip(done) {
        match done {
            Ok(written) => results.push(written),
            Err(failure) => failures.push((task, failure)),
        }
    }
    let Some((task, last)) = failures.pop() else { return Ok(results) };
    failures.into_iter().for_each(|(task, failure)| exporter.console.failure(&about(task, failure)));
    if !results.is_empty() {
        exporter.report(&results)?;
    }
    Err(if tasks.len() > 1 { about(task, last) } else { last })
}

/// A failure with the deck that it is about.
fn about(task: &Task, failure: Failure) -> Failure {
    let deck = task.deck.source.path().display().to_string();
    Failure { error: failure.error.context(format!("cannot export `{deck}`")), ..failure }
}

async fn each(
    exporter: &Exporter<'_>,
    browser: &Handle,
    project: &Project,
    tasks: &[Task],
) -> Vec<Result<Written, Failure>> {
    let bar = Bar::new(exporter.console, tasks);
    let work = tasks.iter().enumerate().map(|(number, task)| one(exporter, browser, project, task, &bar, number));
    let done = futures::stream::iter(work).buffered(exporter.plan.at_once).collect().await;
    bar.clear();
    done
}

async fn one(
    exporter: &Exporter<'_>,
    browser: &Handle,
    project: &Project,
    task: &Task,
    bar: &Bar,
    number: usize,
) -> Result<Written, Failure> {
    let slides = task.deck.rendered.slides.len();
    let target = task.target.as_deref();
    let mut saver = Saver { console: exporter.console, target, slides, files: Vec::new(), bytes: 0, bar, number };
    let noticed = press(browser, project, &task.deck, &exporter.job(task), &mut saver).await?;
    bar.set(number, slides);
    Ok(written(task, saver.files, saver.bytes, noticed))
}

/// Writes what comes.
struct Saver<'a> {
    console: Console,
    target: Option<&'a Path>,
    slides: usize,
    files: Vec<PathBuf>,
    bytes: usize,
    bar: &'a Bar,
    number: usize,
}

impl Out for Saver<'_> {
    fn file(&mut self, slide: Option<usize>, bytes: &[u8]) -> Result<(), export::Error> {
        self.bytes += bytes.len();
        match self.target {
            Some(target) => {
                let path = slide.map_or_else(|| target.to_path_buf(), |slide| numbered(target, slide, self.slides));
                write::write(&path, bytes)?;
                self.files.push(path);
            }
            None if self.console.json => {}
            None => console::bytes(bytes).map_err(|failure| {
                let source = std::io::Error::other(failure.error.to_string());
                export::Error::Write { path: "-".into(), source }
            })?,
        }
        Ok(())
    }

    fn progress(&mut self, done: usize, _of: usize) {
        self.bar.set(self.number, done);
    }
}

/// The file of a slide: `talk.png` → `talk.003.png`.
fn numbered(target: &Path, slide: usize, slides: usize) -> PathBuf {
    let digits = slides.to_string().len().max(3);
    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
    let extension = target.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    target.with_file_name(format!("{stem}.{slide:0digits$}{extension}"))
}

/// How far all decks together are.
struct Bar {
    console: Console,
    done: Mutex<Vec<usize>>,
    of: usize,
}

impl Bar {
    fn new(console: Console, tasks: &[Task]) -> Self {
        let of = tasks.iter().map(|task| task.deck.rendered.slides.len()).sum();
        let bar = Self { console, done: Mutex::new(vec![0; tasks.len()]), of };
        bar.draw(0);
        bar
    }

    fn set(&self, number: usize, done: usize) {
        let mut all = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(number) {
            *own = done;
        }
        self.draw(all.iter().sum());
    }

    fn draw(&self, done: usize) {
        if self.console.is_terminal() {
            self.console.over(&drawn(done, self.of));
        }
    }

    fn clear(&self) {
        if self.console.is_terminal() {
            self.console.over("");
        }
    }
}

fn drawn(done: usize, of: usize) -> String {
    let full = (done * WIDTH).checked_div(of).unwrap_or(WIDTH).min(WIDTH);
    format!("  {}{} {done} of {of} slides", "█".repeat(full), "░".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_numbered_so_that_they_sort() {
        for (target, slide, slides, expected) in [
            ("out/talk.png", 3, 62, "out/talk.003.png"),
            ("talk", 12, 62, "talk.012"),
            ("a.b.jpg", 7, 1000, "a.b.0007.jpg"),
        ] {
            assert_eq!(numbered(Path::new(target), slide, slides), Path::new(expected));
        }
    }

    #[test]
    fn the_bar_fills_up() {
        assert_eq!(drawn(0, 62), format!("  {} 0 of 62 slides", "░".repeat(24)));
        assert_eq!(drawn(31, 62), format!("  {}{} 31 of 62 slides", "█".repeat(12), "░".repeat(12)));
        assert_eq!(drawn(0, 0), format!("  {} 0 of 0 slides", "█".repeat(24)));
    }
}
