//! The files of runs: `.foredeck/runs/`, a bounded number of them.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::Head;
use super::read::{Error as Unreadable, Recording};

/// Runs that are kept unless told otherwise; beyond that the oldest go.
pub const KEPT: usize = 20;
/// A run's file is not larger unless told otherwise.
pub const MOST: usize = 16 * 1024 * 1024;
/// No file is read that is larger.
const LARGEST: u64 = 256 * 1024 * 1024;
const EXTENSION: &str = "run";

/// Why a run cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it cannot be read.
    #[error("cannot show `{}`", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Unreadable,
    },
}

/// The folder of a project's runs.
pub fn folder(generated: &Path) -> PathBuf {
    generated.join("runs")
}

/// Makes the file of a new run, for its owner alone; the oldest runs beyond `kept` go, but never the last passed ones.
///
/// # Errors
/// When it cannot be made.
pub fn create(folder: &Path, head: &Head, kept: usize) -> io::Result<(fs::File, PathBuf)> {
    fs::create_dir_all(folder)?;
    prune(folder, kept.max(1) - 1);
    let at = jiff::Timestamp::from_millisecond(i64::try_from(head.started_ms).unwrap_or(i64::MAX)).unwrap_or_default();
    let deck = head.decks.first().map(String::as_str).unwrap_or_default();
    let deck: String = deck.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let stem = format!("{}-{}-{deck}", at.strftime("%Y%m%dT%H%M%SZ"), head.what.word());
    let stem = stem.trim_end_matches('-');
    for number in 0..100 {
        let more = if number == 0 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{stem}{more}.{EXTENSION}"));
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return Ok((other?, path)),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// The files of a folder's runs, newest first.
pub fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut runs: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION)).collect();
    // Their names begin with their times.
    runs.sort_unstable_by(|a, b| b.file_name().cmp(&a.file_name()));
    runs
}

/// Reads a run.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Recording, Error> {
    let failed = |source| Error::Read { path: path.to_path_buf(), source };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST {
        return Err(failed(io::Error::from(io::ErrorKind::FileTooLarge)));
    }
    let bytes = fs::read(path).map_err(failed)?;
    Recording::open(bytes).map_err(|source| Error::Content { path: path.to_path_buf(), source })
}

/// Takes the oldest runs away. The last passed run of each deck stays: a talk may need it.
fn prune(folder: &Path, kept: usize) {
    let runs = list(folder);
    if runs.len() <= kept {
        return;
    }
    let mut needed: Vec<String> = Vec::new();
    for (number, path) in runs.iter().enumerate() {
        let passed: Vec<String> = match read(path) {
            Ok(run) => run.end.decks.iter().filter(|end| end.passed).map(|end| end.deck.clone()).collect(),
            Err(_) => Vec::new(),
        };
        let last_of = passed.into_iter().filter(|deck| !needed.contains(deck)).collect::<Vec<_>>();
        if number >= kept && last_of.is_empty() {
            let _ = fs::remove_file(path);
        }
        needed.extend(last_of);
    }
}
