//! Which commands somebody has agreed to: a file in the user's own state folder, never in a project.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Its name in the state folder.
pub const FILE: &str = "trust.json";
const SCHEMA: &str = "foredeck.trust/1";
/// A file that is larger was not written by us.
const MOST: u64 = 4 << 20;

/// Something that was agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The hash of the commands.
    pub hash: String,
    /// The deck's path at that time, for people.
    pub deck: String,
    /// How many commands.
    pub commands: usize,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Document {
    schema: String,
    trusted: Vec<Agreed>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no state folder.
    #[error("this user has no folder for state; set XDG_STATE_HOME")]
    NoFolder,
    /// It cannot be read or written.
    #[error("cannot keep what is trusted in `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no list of trusted decks; take it away, then trust your decks again", path.display())]
    Nonsense {
        /// The file.
        path: PathBuf,
    },
}

/// The list of what was agreed to.
#[derive(Debug, Clone, Default)]
pub struct Trusted {
    file: Option<PathBuf>,
}

impl Trusted {
    /// The list in a state folder; without one nothing is trusted.
    pub fn new(folder: Option<&Path>) -> Self {
        Self { file: folder.map(|folder| folder.join(FILE)) }
    }

    /// Whether this was agreed to. A list that cannot be read trusts nothing.
    pub fn has(&self, hash: &str) -> bool {
        self.list().is_ok_and(|list| list.iter().any(|agreed| agreed.hash == hash))
    }

    /// All that was agreed to, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self) -> Result<Vec<Agreed>, Error> {
        let Some(path) = &self.file else { return Ok(Vec::new()) };
        let failed = |source| Error::File { path: path.clone(), source };
        let text = match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
            Ok(found) if found.len() > MOST => return Err(Error::Nonsense { path: path.clone() }),
            Ok(_) => std::fs::read_to_string(path).map_err(failed)?,
        };
        let document = serde_json::from_str::<Document>(&text).ok().filter(|document| document.schema == SCHEMA);
        document.map(|document| document.trusted).ok_or_else(|| Error::Nonsense { path: path.clone() })
    }

    /// Notes that somebody agreed.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn add(&self, agreed: Agreed) -> Result<(), Error> {
        let mut list = self.list()?;
        list.retain(|known| known.hash != agreed.hash);
        list.push(agreed);
        self.write(list)
    }

    /// Takes back what was agreed to for a deck's path or a hash; says how much that was.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn revoke(&self, deck_or_hash: &str) -> Result<usize, Error> {
        let mut list = self.list()?;
        let before = list.len();
        let short = deck_or_hash.len() >= 8 && deck_or_hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        list.retain(|known| known.deck != deck_or_hash && !(short && known.hash.starts_with(deck_or_hash)));
        let gone = before - list.len();
        if gone > 0 {
            self.write(list)?;
        }
        Ok(gone)
    }

    fn write(&self, trusted: Vec<Agreed>) -> Result<(), Error> {
        let path = self.file.as_ref().ok_or(Error::NoFolder)?;
        let failed = |source| Error::File { path: path.clone(), source };
        let folder = path.parent().ok_or(Error::NoFolder)?;
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(failed)?;
        let document = Document { schema: SCHEMA.to_owned(), trusted };
        let text = serde_json::to_string_pretty(&document).map_err(io::Error::other).map_err(failed)?;
        // Written beside and renamed: a reader sees the old list or the new one.
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let written = write_private(&beside, &text).and_then(|()| std::fs::rename(&beside, path));
        written.map_err(failed)
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(hash: &str, deck: &str) -> Agreed {
        Agreed { hash: hash.to_owned(), deck: deck.to_owned(), commands: 2, at_ms: 7 }
    }

    #[test]
    fn what_was_agreed_to_is_kept_and_can_be_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let trusted = Trusted::new(Some(&folder.path().join("state")));
        assert!(!trusted.has("aaaaaaaa11"));
        trusted.add(agreed("aaaaaaaa11", "/decks/a.md")).expect("written");
        trusted.add(agreed("bbbbbbbb22", "/decks/b.md")).expect("written");
        trusted.add(agreed("aaaaaaaa11", "/decks/moved.md")).expect("written");
        assert!(trusted.has("aaaaaaaa11") && trusted.has("bbbbbbbb22") && !trusted.has("aaaaaaaa"));
        let decks: Vec<String> = trusted.list().expect("read").into_iter().map(|agreed| agreed.deck).collect();
        assert_eq!(decks, ["/decks/b.md", "/decks/moved.md"]);
        assert_eq!(trusted.revoke("/decks/none.md").expect("read"), 0);
        assert_eq!(trusted.revoke("bbbbbbbb").expect("written"), 1);
        assert_eq!(trusted.revoke("/decks/moved.md").expect("written"), 1);
        assert_eq!(trusted.list().expect("read"), []);
    }

    #[test]
    fn nonsense_trusts_nothing_and_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        for text in ["", "[]", "{\"schema\":\"other/1\",\"trusted\":[]}", "\u{0}"] {
            std::fs::write(&file, text).expect("written");
            let trusted = Trusted::new(Some(folder.path()));
            assert!(!trusted.has("aaaaaaaa11"));
            assert!(matches!(trusted.add(agreed("aaaaaaaa11", "a")), Err(Error::Nonsense { .. })), "{text}");
            assert_eq!(std::fs::read_to_string(&file).expect("read"), text);
        }
        let nowhere = Trusted::new(None);
        assert!(!nowhere.has("aaaaaaaa11"));
        assert!(matches!(nowhere.add(agreed("aaaaaaaa11", "a")), Err(Error::NoFolder)));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("a folder");
        let trusted = Trusted::new(Some(folder.path()));
        trusted.add(agreed("aaaaaaaa11", "a")).expect("written");
        let mode = std::fs::metadata(folder.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
