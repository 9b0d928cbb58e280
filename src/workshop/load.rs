//! Step files from a folder, or the built-in workshop.

use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::{Loaded, assemble};
use crate::diagnostic::SourceFile;

/// No step file is larger.
const LARGEST: u64 = 1 << 20;
/// No workshop has more.
const MOST: usize = 500;

#[derive(RustEmbed)]
#[folder = "workshop/"]
#[include = "[0-9]*.md"]
struct Builtin;

/// The name of the built-in workshop.
pub const BUILTIN: &str = "gitops";

/// Why there is no workshop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A folder has no steps.
    #[error("there are no steps in `{}`: no `NN-slug.md`", .0.display())]
    Empty(PathBuf),
    /// A file is too large, or there are too many.
    #[error("`{}` is too much for a workshop", .0.display())]
    TooMuch(PathBuf),
}

/// The workshop of a project: its own `workshop/`, else the built-in one.
///
/// # Errors
/// When its own one cannot be read.
pub fn project(root: &Path) -> Result<Loaded, Error> {
    let folder = root.join("workshop");
    match steps_in(&folder) {
        Ok(files) if !files.is_empty() => read(&name_of(root), files),
        _ => Ok(builtin()),
    }
}

/// The workshop in a folder.
///
/// # Errors
/// When it cannot be read or has no steps.
pub fn folder(folder: &Path) -> Result<Loaded, Error> {
    let files = steps_in(folder)?;
    if files.is_empty() {
        return Err(Error::Empty(folder.to_path_buf()));
    }
    read(&name_of(folder), files)
}

/// Whether a folder has steps of a workshop, and not decks: one of them checks, solves or needs something.
pub fn is_workshop(folder: &Path) -> bool {
    let files = steps_in(folder).unwrap_or_default();
    let mut texts = files.iter().filter_map(|file| {
        use std::io::Read as _;
        let mut text = Vec::new();
        std::fs::File::open(file).ok()?.take(LARGEST).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    });
    texts.any(|text| {
        let mut lines = text.lines();
        lines.next() == Some("---")
            && lines.any(|line| line.starts_with("needs:") || line.starts_with("```verify") || line.contains("{solve"))
    })
}

/// The built-in workshop.
pub fn builtin() -> Loaded {
    let mut sources: Vec<SourceFile> = Builtin::iter()
        .filter_map(|path| {
            let file = Builtin::get(&path)?;
            let text = String::from_utf8_lossy(&file.data).into_owned();
            Some(SourceFile::new(Path::new("workshop").join(&*path), text))
        })
        .collect();
    sources.sort_by(|a, b| a.path().cmp(b.path()));
    assemble(BUILTIN, sources)
}

fn name_of(folder: &Path) -> String {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name = real.file_name().map_or_else(|| "workshop".to_owned(), |name| name.to_string_lossy().into_owned());
    if name == "workshop" {
        return real.parent().and_then(Path::file_name).map_or(name, |parent| parent.to_string_lossy().into_owned());
    }
    name
}

/// Files that begin with a digit and end in `.md`, sorted. Notes for the trainer may lie beside them.
fn steps_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: folder.to_path_buf(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".md") && path.is_file() {
            files.push(path);
        }
        if files.len() > MOST {
            return Err(Error::TooMuch(folder.to_path_buf()));
        }
    }
    files.sort();
    Ok(files)
}

fn read(name: &str, files: Vec<PathBuf>) -> Result<Loaded, Error> {
    let mut sources = Vec::new();
    for path in files {
        let failed = |source| Error::Read { path: path.clone(), source };
        if std::fs::metadata(&path).map_err(failed)?.len() > LARGEST {
            return Err(Error::TooMuch(path));
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        sources.push(SourceFile::new(&path, String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(assemble(name, sources))
}
