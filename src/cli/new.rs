//! `new`: a folder to start a talk in.

use std::path::Path;

use crate::export::write::write;

use super::args::New;
use super::console::{Code, Console, Failure};

/// The files of a new talk.
const FILES: [(&str, &str); 3] = [
    ("decks/talk.md", include_str!("scaffold/talk.md")),
    ("foredeck.toml", include_str!("scaffold/foredeck.toml")),
    (".gitignore", include_str!("scaffold/gitignore")),
];
/// Its empty folders.
const FOLDERS: [&str; 2] = ["images", "themes"];

pub(super) fn run(args: &New, console: Console) -> Result<Code, Failure> {
    let folder = args.folder.as_path();
    if !is_free(folder) {
        let message = format!("`{}` is there already and is not empty", folder.display());
        return Err(Failure::usage(message).hint("name a folder that does not exist yet"));
    }
    make(folder)?;
    console.say(&format!("made `{0}`; present it with `foredeck {0}`", folder.display()));
    Ok(Code::Done)
}

/// Writes the files of a new talk.
pub(super) fn make(folder: &Path) -> Result<(), Failure> {
    for (path, text) in FILES {
        write(&folder.join(path), text.as_bytes())?;
    }
    for name in FOLDERS {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).map_err(|source| crate::export::Error::Write { path, source })?;
    }
    Ok(())
}

fn is_free(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut names) => names.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}
