//! The one reader of files; remembers what was read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The largest file that is read, in bytes.
pub const SIZE_LIMIT: u64 = 64 * 1024 * 1024;

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file (also behind a symbolic link).
    File,
    /// A folder (also behind a symbolic link).
    Folder,
    /// A pipe or a device: may be named as a deck, is never followed from one.
    Other,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The folder's path with the name appended.
    pub path: PathBuf,
    /// Whether it is a folder itself; symbolic links to folders count as neither.
    pub folder: bool,
}

/// Where files come from: the disk, or memory in tests.
pub trait Files: Send + Sync + std::fmt::Debug {
    /// All bytes of a file.
    ///
    /// # Errors
    /// When it is not there, may not be read, is a folder, or is larger than [`SIZE_LIMIT`].
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>>;
    /// What is at a path, if anything.
    fn kind(&self, path: &Path) -> Option<Kind>;
    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// When it is not there or may not be read.
    fn list(&self, folder: &Path) -> io::Result<Vec<Name>>;
    /// The path without symbolic links and `..`.
    ///
    /// # Errors
    /// When there is nothing at the path.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        use std::io::Read as _;

        let file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if metadata.len() > SIZE_LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
        // Pipes and growing files have no honest length: the limit holds while reading too.
        file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.into())
    }

    fn kind(&self, path: &Path) -> Option<Kind> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(match metadata.file_type() {
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_file() => Kind::File,
            _ => Kind::Other,
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            names.push(Name { path: entry.path(), folder });
        }
        names.sort();
        Ok(names)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }
}

/// Files that exist only in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<PathBuf, Arc<[u8]>>,
}

impl Memory {
    /// No file at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, bytes: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), bytes.as_ref().into());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let path = lexical(path);
        match self.files.get(&path) {
            Some(bytes) => Ok(bytes.clone()),
            None if self.kind(&path).is_some() => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn kind(&self, path: &Path) -> Option<Kind> {
        let path = lexical(path);
        if self.files.contains_key(&path) {
            return Some(Kind::File);
        }
        self.files.keys().any(|file| file.starts_with(&path)).then_some(Kind::Folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Name>> {
        let folder = lexical(folder);
        let mut names = BTreeSet::new();
        for file in self.files.keys() {
            let Ok(below) = file.strip_prefix(&folder) else { continue };
            let mut parts = below.components();
            if let Some(first) = parts.next() {
                names.insert(Name { path: folder.join(first), folder: parts.next().is_some() });
            }
        }
        if names.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(names.into_iter().collect()) }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let path = lexical(path);
        if self.kind(&path).is_some() { Ok(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

/// The path with `.` and `..` worked out as text.
pub fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match clean.components().next_back() {
                Some(Component::Normal(_)) => {
                    clean.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => clean.push(".."),
            },
            other => clean.push(other),
        }
    }
    clean
}

/// The project's own page template of a name, which wins over the built-in one. Templates are single files of one
/// folder.
pub fn own_template(root: &Path, name: &str) -> Option<String> {
    let plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    plain.then(|| std::fs::read_to_string(root.join("themes/pages").join(name)).ok()).flatten()
}

/// Reads for one compile or export and keeps a list of what was asked for.
#[derive(Debug)]
pub struct Reader<'a> {
    files: &'a dyn Files,
    asked: Mutex<BTreeSet<PathBuf>>,
}

impl<'a> Reader<'a> {
    /// A reader that has read nothing yet.
    pub fn new(files: &'a dyn Files) -> Self {
        Self { files, asked: Mutex::default() }
    }

    /// All bytes of a file; the path is remembered whether or not that works.
    ///
    /// # Errors
    /// As [`Files::read`].
    pub fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        self.remember(path);
        self.files.read(path)
    }

    /// What is at a path; the path is remembered.
    pub fn kind(&self, path: &Path) -> Option<Kind> {
        self.remember(path);
        self.files.kind(path)
    }

    /// The files behind this reader.
    pub fn files(&self) -> &'a dyn Files {
        self.files
    }

    /// Every path that was asked for: when one of them changes, the result may change.
    pub fn into_dependencies(self) -> BTreeSet<PathBuf> {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a path that the result depends on, without reading it.
    pub fn remember(&self, path: &Path) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(lexical(path));
    }
}

/// Why bytes are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A byte that only binary files have.
    #[error("it is a binary file (byte 0 at offset {offset})")]
    Binary {
        /// Offset of the first such byte.
        offset: usize,
    },
    /// Not UTF-8.
    #[error("it is not UTF-8 text: byte 0x{byte:02x} at line {line}, column {column}")]
    Encoding {
        /// The first byte that is wrong.
        byte: u8,
        /// Its line, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
    },
}

/// The text in bytes, if they are one.
///
/// # Errors
/// When a byte is zero or they are not UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, TextError> {
    // UTF-16 and pictures both have zero bytes near their start; a text has none anywhere.
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(TextError::Binary { offset });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or(bytes);
        let line_start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let in_line = good.get(line_start..).and_then(|line| std::str::from_utf8(line).ok()).unwrap_or("");
        TextError::Encoding {
            byte: bytes.get(error.valid_up_to()).copied().unwrap_or(0),
            line: good.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: in_line.chars().count() + 1,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_the_place_of_what_is_no_text() {
        assert_eq!(text("héllo".as_bytes()), Ok("héllo"));
        assert_eq!(text(b"\x89PNG\r\n\x1a\n\0\0"), Err(TextError::Binary { offset: 8 }));
        let latin1 = b"# Titel\n\n\xc3\xbc caf\xe9!\n";
        assert_eq!(text(latin1), Err(TextError::Encoding { byte: 0xe9, line: 3, column: 6 }));
    }

    #[test]
    fn lexical_paths_do_not_climb_over_the_root() {
        let clean = |path: &str| lexical(Path::new(path));
        assert_eq!(clean("a/./b/../c"), Path::new("a/c"));
        assert_eq!(clean("/../etc"), Path::new("/etc"));
        assert_eq!(clean("../../x"), Path::new("../../x"));
    }

    #[test]
    fn memory_answers_like_a_disk() {
        let files = Memory::new().with("/p/decks/a.md", "x").with("/p/themes/t.css", "y");
        assert_eq!(files.kind(Path::new("/p/decks")), Some(Kind::Folder));
        assert_eq!(files.kind(Path::new("/p/decks/a.md")), Some(Kind::File));
        assert_eq!(files.kind(Path::new("/q")), None);
        let names = files.list(Path::new("/p")).unwrap();
        assert_eq!(names.iter().map(|n| n.path.display().to_string()).collect::<Vec<_>>(), ["/p/decks", "/p/themes"]);
        assert_eq!(files.read(Path::new("/p/decks")).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_reader_remembers_what_it_was_asked_for_even_in_vain() {
        let files = Memory::new().with("/p/a.md", "x");
        let reader = Reader::new(&files);
        assert!(reader.read(Path::new("/p/a.md")).is_ok());
        assert!(reader.read(Path::new("/p/x/../gone.png")).is_err());
        let expected: BTreeSet<PathBuf> = ["/p/a.md", "/p/gone.png"].map(PathBuf::from).into();
        assert_eq!(reader.into_dependencies(), expected);
    }
}
