//! Watches exactly the files decks were made from; every change is compiled and put into the deck's cell.
//!
//! Guarantees: a deck's cell always holds its newest rendering that is not broken; a change is compiled once
//! its files have been quiet for `QUIET`, at the latest `PATIENCE` after its first sign; nothing polls while
//! nothing changes; the watcher's thread ends with [`Watcher::run`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{EventKind, RecursiveMode};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{Compiled, DeckEntry, Error, Project, find, media};
use crate::render::change;

/// How long files must be quiet before they are read: a save is several events.
const QUIET: Duration = Duration::from_millis(3);
/// How long a stream of events may put a compile off.
const PATIENCE: Duration = Duration::from_millis(15);
/// How often files are looked at where the system cannot tell of changes.
const POLL: Duration = Duration::from_millis(500);
/// More changed paths than this at once count as a change of everything.
const MANY: usize = 4_096;

/// A deck that is kept up to date.
#[derive(Debug, Clone)]
pub struct LiveDeck {
    /// Which one.
    pub entry: DeckEntry,
    /// Its newest rendering; `None` while there is none yet.
    pub cell: Cell,
}

/// The newest rendering of a deck, to be read at any time.
pub type Cell = watch::Receiver<Option<Arc<Compiled>>>;

/// Keeps decks up to date.
#[derive(Debug)]
pub struct Watcher {
    project: Arc<Project>,
    decks: Vec<(DeckEntry, watch::Sender<Option<Arc<Compiled>>>)>,
}

/// Files cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch files for changes")]
pub struct WatchError(#[from] notify::Error);

/// What changed since it was last asked.
#[derive(Debug, Default)]
struct Changes {
    paths: Mutex<Changed>,
    woken: Notify,
}

#[derive(Debug, Default)]
struct Changed {
    paths: BTreeSet<PathBuf>,
    everything: bool,
}

impl Changes {
    fn add(&self, event: notify::Result<notify::Event>) {
        let mut changed = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(event) if matches!(event.kind, EventKind::Access(access) if !is_end_of_writing(access)) => return,
            Ok(event) if event.need_rescan() => changed.everything = true,
            Ok(event) => changed.paths.extend(event.paths),
            Err(_) => changed.everything = true,
        }
        if changed.paths.len() > MANY {
            changed.paths.clear();
            changed.everything = true;
        }
        drop(changed);
        self.woken.notify_one();
    }

    fn take(&self) -> Changed {
        std::mem::take(&mut self.paths.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_end_of_writing(access: notify::event::AccessKind) -> bool {
    use notify::event::{AccessKind, AccessMode};
    matches!(access, AccessKind::Close(AccessMode::Write))
}

impl Changed {
    /// Whether a file, or the folder it is in, changed.
    fn touches(&self, dependencies: &BTreeSet<PathBuf>, folders: &BTreeSet<PathBuf>) -> bool {
        self.everything
            || self.paths.iter().any(|path| {
                dependencies.contains(path)
                    || dependencies.range(path.clone()..).next().is_some_and(|dependency| dependency.starts_with(path))
                    || path.parent().is_some_and(|parent| folders.contains(parent) && media::is_style_sheet(path))
            })
    }

    /// Whether a file changed that is shown but whose content is not in the rendering.
    fn picture(&self, entry: &DeckEntry, dependencies: &BTreeSet<PathBuf>) -> bool {
        let deck = |path: &PathBuf| path.file_name() == entry.path.file_name();
        let shown = |path: &&PathBuf| dependencies.contains(*path) && !deck(path) && !media::is_style_sheet(path);
        self.paths.iter().find(shown).is_some_and(|path| path.is_file())
    }
}

impl Watcher {
    /// Makes the cells. The only deck of a project is compiled at once, several when the watcher runs.
    ///
    /// # Errors
    /// When the only deck cannot be read at all; one of several is shown as what is wrong with it.
    pub fn new(project: Arc<Project>) -> Result<(Self, Vec<LiveDeck>), Error> {
        let mut decks = Vec::new();
        let mut live = Vec::new();
        for entry in &project.decks {
            let alone = project.decks.len() == 1;
            let first = if alone { Some(Arc::new(project.compile(entry)?)) } else { None };
            let (sender, cell) = watch::channel(first);
            decks.push((entry.clone(), sender));
            live.push(LiveDeck { entry: entry.clone(), cell });
        }
        Ok((Self { project, decks }, live))
    }

    /// Compiles every deck that has no rendering yet.
    pub async fn compile_all(&self, stop: &CancellationToken) {
        for (entry, cell) in &self.decks {
            if stop.is_cancelled() {
                return;
            }
            if cell.borrow().is_some() {
                continue;
            }
            let (project, task_entry) = (self.project.clone(), entry.clone());
            let compile = move || match project.compile(&task_entry) {
                Ok(compiled) => compiled,
                Err(error) => project.placeholder(&task_entry, &error),
            };
            Self::publish(entry, cell, tokio::task::spawn_blocking(compile).await, |_| true);
        }
    }

    /// Compiles what changes until told to stop.
    ///
    /// # Errors
    /// When neither the system nor polling can tell of changes.
    pub async fn run(self, stop: CancellationToken) -> Result<(), WatchError> {
        self.compile_all(&stop).await;
        let changes = Arc::new(Changes::default());
        let mut watched = Watched::start(&changes)?;
        watched.follow(&self.folders());
        // An edit made between the first compile and the start of watching must not be missed.
        changes.add(Err(notify::Error::generic("started")));
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = changes.woken.notified() => {}
            }
            let patience = tokio::time::sleep(PATIENCE);
            tokio::pin!(patience);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = &mut patience => break,
                    () = tokio::time::sleep(QUIET) => break,
                    () = changes.woken.notified() => {}
                }
            }
            self.compile(&changes.take()).await;
            watched.follow(&self.folders());
        }
    }

    /// Compiles the decks a change touches and puts them into their cells when they became different.
    async fn compile(&self, changed: &Changed) {
        for (entry, cell) in &self.decks {
            let Some(last) = cell.borrow().clone() else { continue };
            if !changed.touches(&last.dependencies, &theme_folders(&last.dependencies)) {
                continue;
            }
            let (project, task_entry, task_last) = (self.project.clone(), entry.clone(), last.clone());
            let compile = tokio::task::spawn_blocking(move || project.recompile(&task_entry, &task_last));
            let picture = changed.picture(entry, &last.dependencies);
            Self::publish(entry, cell, compile.await, |compiled| picture || !same(compiled, &last));
        }
    }

    /// Puts a rendering into its cell; wakes those who look at it when `differs` says so.
    fn publish(
        entry: &DeckEntry,
        cell: &watch::Sender<Option<Arc<Compiled>>>,
        compiled: Result<Compiled, tokio::task::JoinError>,
        differs: impl FnOnce(&Compiled) -> bool,
    ) {
        match compiled {
            Ok(compiled) => {
                let differs = differs(&compiled);
                cell.send_if_modified(|current| {
                    *current = Some(Arc::new(compiled));
                    differs
                });
            }
            Err(error) => tracing::error!(deck.path = %entry.path.display(), %error, "a compile failed"),
        }
    }

    /// The folders all dependencies are in.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        for (_, cell) in &self.decks {
            if let Some(compiled) = cell.borrow().as_ref() {
                folders.extend(compiled.dependencies.iter().map(|dependency| nearest_folder(dependency)));
            }
        }
        folders
    }
}

/// The dependencies that are folders of themes: files may be added to them.
fn theme_folders(dependencies: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    dependencies.iter().filter(|path| path.extension().is_none()).cloned().collect()
}

/// The folder to watch for a path: the path itself when it is one, else the nearest that exists above it.
/// (The folder and not the file, because editors put a new file in the place of the old one.)
fn nearest_folder(path: &Path) -> PathBuf {
    let mut folder = if path.is_dir() { path.to_path_buf() } else { find::parent_of(path) };
    while !folder.is_dir() && folder.pop() {}
    folder
}

/// Whether two renderings look and read the same.
fn same(a: &Compiled, b: &Compiled) -> bool {
    a.diagnostics == b.diagnostics && a.source == b.source && change::unchanged(&a.rendered, &b.rendered)
}

/// The folders that are being watched.
struct Watched {
    watcher: Box<dyn notify::Watcher + Send>,
    folders: BTreeMap<PathBuf, bool>,
}

impl Watched {
    fn start(changes: &Arc<Changes>) -> Result<Self, notify::Error> {
        let sink = changes.clone();
        let watcher = notify::recommended_watcher(move |event| sink.add(event));
        let watcher: Box<dyn notify::Watcher + Send> = match watcher {
            Ok(watcher) => Box::new(watcher),
            Err(error) => {
                tracing::warn!(%error, "the system cannot tell of changed files; looking for them instead");
                let sink = changes.clone();
                let config = notify::Config::default().with_poll_interval(POLL);
                Box::new(notify::PollWatcher::new(move |event| sink.add(event), config)?)
            }
        };
        Ok(Self { watcher, folders: BTreeMap::new() })
    }

    /// Watches these folders and no others.
    fn follow(&mut self, wanted: &BTreeSet<PathBuf>) {
        let gone: Vec<PathBuf> = self.folders.keys().filter(|folder| !wanted.contains(*folder)).cloned().collect();
        for folder in gone {
            self.folders.remove(&folder);
            // A folder that was deleted is not watched any more, which is no error here.
            let _ = self.watcher.unwatch(&folder);
        }
        for folder in wanted {
            if self.folders.get(folder) == Some(&true) {
                continue;
            }
            let watching = self.watcher.watch(folder, RecursiveMode::NonRecursive);
            if let (Err(error), None) = (&watching, self.folders.get(folder)) {
                tracing::warn!(folder = %folder.display(), %error, "cannot watch a folder");
            }
            self.folders.insert(folder.clone(), watching.is_ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> BTreeSet<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn only_changes_of_dependencies_touch_a_deck() {
        let dependencies = paths(&["/p/decks/a.md", "/p/images/x/y.png", "/p/themes"]);
        let folders = theme_folders(&dependencies);
        let touches =
            |path: &str| Changed { paths: paths(&[path]), everything: false }.touches(&dependencies, &folders);
        for (path, expected) in [
            ("/p/decks/a.md", true),
            ("/p/decks/b.md", false),
            ("/p/decks/.a.md.swp", false),
            ("/p/images/x", true),
            ("/p/images/xy", false),
            ("/p/themes/new.css", true),
            ("/p/themes/new.css~", false),
        ] {
            assert_eq!(touches(path), expected, "{path}");
        }
        assert!(Changed { everything: true, ..Changed::default() }.touches(&dependencies, &folders));
    }
}
