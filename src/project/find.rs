//! Which decks an input means, and which folder is the project's root.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::files::{Files, Kind, lexical};
use super::{DeckEntry, Error};

/// Most decks in one project.
const DECK_LIMIT: usize = 10_000;
/// Deepest folder below the decks folder.
const DEPTH_LIMIT: usize = 16;
/// What deck files are called.
const EXTENSIONS: [&str; 4] = ["md", "mdown", "markdown", "markdn"];

/// What an input means.
#[derive(Debug)]
pub(super) struct Found {
    /// The folder that nothing may leave.
    pub(super) root: PathBuf,
    /// The decks, in no order, slugs not yet unique.
    pub(super) decks: Vec<DeckEntry>,
}

/// Finds the decks of an input: a file of any extension, or a folder.
pub(super) fn input(files: &dyn Files, input: &Path) -> Result<Found, Error> {
    match files.kind(input) {
        Some(Kind::Folder) => folder(files, input),
        Some(Kind::File | Kind::Other) => {
            let parent = parent_of(input);
            let deck = DeckEntry { slug: slug(Path::new(input.file_name().unwrap_or_default())), path: input.into() };
            Ok(Found { root: root_of(files, &parent), decks: vec![deck] })
        }
        None => {
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file or folder");
            Err(Error::Read { path: input.into(), source })
        }
    }
}

fn folder(files: &dyn Files, input: &Path) -> Result<Found, Error> {
    let inner = input.join("decks");
    let (root, folder) = match files.kind(&inner) {
        Some(Kind::Folder) => (input.to_path_buf(), inner),
        _ => (root_of(files, input), input.to_path_buf()),
    };
    let mut walk = Walk { files, decks: Vec::new(), readmes: Vec::new() };
    walk.folder(&folder, 0)?;
    let paths = if walk.decks.is_empty() { walk.readmes } else { walk.decks };
    if paths.is_empty() {
        return Err(Error::NoDecks { folder });
    }
    let decks = paths
        .into_iter()
        .map(|path| DeckEntry { slug: slug(path.strip_prefix(&folder).unwrap_or(&path)), path })
        .collect();
    Ok(Found { root, decks })
}

/// Collects deck files below a folder.
struct Walk<'a> {
    files: &'a dyn Files,
    decks: Vec<PathBuf>,
    /// Kept apart: a README is a deck only when there is no other.
    readmes: Vec<PathBuf>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Error> {
        let names = self.files.list(folder).map_err(|source| Error::Read { path: folder.into(), source })?;
        for entry in names {
            let name = entry.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "node_modules" {
                continue;
            }
            if entry.folder {
                if depth < DEPTH_LIMIT {
                    // A folder that may not be read does not hide the decks beside it.
                    self.folder(&entry.path, depth + 1).or_else(|error| match error {
                        Error::Read { .. } => Ok(()),
                        other => Err(other),
                    })?;
                }
            } else if is_deck(&entry.path) && self.files.kind(&entry.path) == Some(Kind::File) {
                let readme = name.to_ascii_lowercase().starts_with("readme");
                if readme {
                    self.readmes.push(entry.path);
                } else {
                    self.decks.push(entry.path);
                }
                if self.decks.len() + self.readmes.len() > DECK_LIMIT {
                    return Err(Error::TooManyDecks { folder: folder.into(), limit: DECK_LIMIT });
                }
            }
        }
        Ok(())
    }
}

/// Whether a file is called like a deck.
pub fn is_deck(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The root for decks in `folder`: its parent when that is laid out as a project, else itself.
pub fn root_of(files: &dyn Files, folder: &Path) -> PathBuf {
    let real = files.resolve(folder).unwrap_or_else(|_| lexical(folder));
    let Some(parent) = real.parent().filter(|parent| parent.parent().is_some()) else {
        // The whole file system is never a project.
        return real;
    };
    let laid_out = || {
        files.kind(&parent.join("foredeck.toml")) == Some(Kind::File)
            || ["themes", "images"].iter().any(|name| files.kind(&parent.join(name)) == Some(Kind::Folder))
    };
    if real.file_name().is_some_and(|name| name == "decks") || laid_out() { parent.to_path_buf() } else { real }
}

/// The folder a path is in; never empty.
pub fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// A path below the decks folder as a slug: `/` between folders, no extension.
fn slug(below: &Path) -> String {
    let parts: Vec<_> = below.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.join("/")
}

/// Sorts decks and makes slugs unique: a second one keeps its extension, then gets a number.
pub(super) fn settle(decks: &mut Vec<DeckEntry>) {
    decks.sort_by(|a, b| (&a.slug, &a.path).cmp(&(&b.slug, &b.path)));
    decks.dedup_by(|a, b| a.path == b.path);
    let mut taken: HashSet<String> = HashSet::new();
    for deck in decks.iter_mut() {
        if !taken.insert(deck.slug.clone()) {
            let extension = deck.path.extension().unwrap_or_default().to_string_lossy().into_owned();
            let base = format!("{}.{extension}", deck.slug);
            let numbered = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
            deck.slug = numbered.into_iter().find(|slug| !taken.contains(slug)).unwrap_or(base);
            taken.insert(deck.slug.clone());
        }
    }
    decks.sort_by(|a, b| a.slug.cmp(&b.slug));
}

#[cfg(test)]
mod tests {
    use super::super::files::Memory;
    use super::*;

    fn find(files: &Memory, path: &str) -> (String, Vec<(String, String)>) {
        let mut found = input(files, Path::new(path)).unwrap();
        settle(&mut found.decks);
        let decks = found.decks.into_iter().map(|deck| (deck.slug, deck.path.display().to_string())).collect();
        (found.root.display().to_string(), decks)
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(slug, path)| ((*slug).to_owned(), (*path).to_owned())).collect()
    }

    #[test]
    fn a_folder_gives_its_decks_and_no_foreign_files() {
        let files = Memory::new()
            .with("/p/decks/b.md", "")
            .with("/p/decks/a.markdown", "")
            .with("/p/decks/a.md", "")
            .with("/p/decks/day-1/intro.MD", "")
            .with("/p/decks/README.md", "")
            .with("/p/decks/.hidden.md", "")
            .with("/p/decks/node_modules/x/y.md", "")
            .with("/p/decks/notes.txt", "")
            .with("/p/images/a.png", "");
        let expected = pairs(&[
            ("a", "/p/decks/a.markdown"),
            ("a.md", "/p/decks/a.md"),
            ("b", "/p/decks/b.md"),
            ("day-1/intro", "/p/decks/day-1/intro.MD"),
        ]);
        assert_eq!(find(&files, "/p/decks"), ("/p".to_owned(), expected.clone()));
        assert_eq!(find(&files, "/p"), ("/p".to_owned(), expected));
    }

    #[test]
    fn a_readme_is_a_deck_when_there_is_no_other() {
        let files = Memory::new().with("/p/talk/README.md", "");
        assert_eq!(find(&files, "/p/talk"), ("/p/talk".to_owned(), pairs(&[("README", "/p/talk/README.md")])));
    }

    #[test]
    fn the_root_is_the_parent_only_when_that_is_a_project() {
        let files = Memory::new()
            .with("/a/decks/x.md", "")
            .with("/b/talk/x.txt", "")
            .with("/b/foredeck.toml", "")
            .with("/c/talk/x.md", "")
            .with("/talk/x.md", "")
            .with("/images/y.png", "");
        assert_eq!(find(&files, "/a/decks/x.md").0, "/a");
        assert_eq!(find(&files, "/b/talk/x.txt").0, "/b");
        assert_eq!(find(&files, "/c/talk/x.md").0, "/c/talk");
        assert_eq!(find(&files, "/talk/x.md").0, "/talk");
    }

    #[test]
    fn nothing_there_is_an_error_that_names_it() {
        let files = Memory::new().with("/p/a.txt", "");
        assert_eq!(input(&files, Path::new("/p/b.md")).unwrap_err().to_string(), "cannot read `/p/b.md`");
        assert_eq!(input(&files, Path::new("/p")).unwrap_err().to_string(), "there is no deck in `/p`");
    }
}
