//! Who takes part, in a file that survives being killed; and how far they are, read without touching it.

use std::io;
use std::path::{Path, PathBuf};

use super::place::Note;
use crate::server::role::Token;
use crate::workshop::progress::{self, Progress};
use crate::workshop::room::roster::{Roster, VERSION};

/// More than this is no file of ours.
const LARGEST: u64 = 4 << 20;

/// The file in the room's folder.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("room.json")
}

/// Everybody who took part when the room was last open, and what the trainer has to be told about the file.
///
/// # Errors
/// When there are no random numbers.
pub(super) fn read(file: &Path, workshop: &str) -> Result<(Roster, Option<String>), getrandom::Error> {
    let why = match std::fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((fresh(workshop)?, None)),
        Err(error) => error.to_string(),
        Ok(metadata) if metadata.len() > LARGEST => "it is too large".to_owned(),
        Ok(_) => match std::fs::read(file).map(|bytes| serde_json::from_slice::<Roster>(&bytes)) {
            Err(error) => error.to_string(),
            Ok(Err(error)) => format!("it is broken: {error}"),
            Ok(Ok(known)) if known.version != VERSION => format!("it is of version {}", known.version),
            Ok(Ok(known)) if known.workshop != workshop => format!("it is of another workshop, `{}`", known.workshop),
            Ok(Ok(known)) => return Ok((known, None)),
        },
    };
    let aside = (1..100).map(|number| file.with_extension(format!("json.{number}"))).find(|path| !path.exists());
    let kept = aside.filter(|aside| std::fs::rename(file, aside).is_ok());
    let kept = kept.map(|path| format!("; it is kept as {}", path.display())).unwrap_or_default();
    let note = format!("the list of learners cannot be used: {why}{kept}; everybody has to join again");
    Ok((fresh(workshop)?, Some(note)))
}

fn fresh(workshop: &str) -> Result<Roster, getrandom::Error> {
    let code = Token::random()?.reveal().chars().filter(char::is_ascii_alphanumeric).take(10).collect();
    Ok(Roster {
        version: VERSION,
        workshop: workshop.to_owned(),
        code,
        trainer: Token::random()?.reveal().to_owned(),
        learners: Vec::new(),
    })
}

/// How far somebody is whose sandbox is put away. A file that cannot be used is left to their session, which tells them.
pub(super) fn peek(file: &Path, workshop: &str) -> Progress {
    let small = std::fs::metadata(file).is_ok_and(|metadata| metadata.len() <= LARGEST);
    let bytes = if small { std::fs::read(file).unwrap_or_default() } else { Vec::new() };
    let known = serde_json::from_slice::<Progress>(&bytes).ok();
    let known = known.filter(|known| known.version == progress::VERSION && known.workshop == workshop);
    known.unwrap_or_else(|| Progress::new(workshop))
}

/// The file of what the trainer said to a learner.
pub(super) fn notes_file(folder: &Path) -> PathBuf {
    folder.join("notes.json")
}

/// What the trainer said to a learner before; nothing when that is not known any more.
pub(super) fn notes(folder: &Path) -> Vec<Note> {
    let file = notes_file(folder);
    let small = std::fs::metadata(&file).is_ok_and(|metadata| metadata.len() <= LARGEST);
    let bytes = if small { std::fs::read(&file).unwrap_or_default() } else { Vec::new() };
    serde_json::from_slice(&bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::store::replace;

    #[test]
    fn who_takes_part_is_read_again_and_what_is_broken_is_put_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(folder.path());
        let (mut roster, note) = read(&file, "w").expect("random numbers");
        assert_eq!(note, None);
        roster.join("Ada", 0, "t".repeat(24), 5, 1).expect("room");
        replace(&file, &roster).expect("written");
        // A write that was broken off does no harm.
        std::fs::write(file.with_extension("json.new"), "{\"ver").expect("written");
        assert_eq!(read(&file, "w").expect("random numbers"), (roster.clone(), None));
        for (number, (text, why)) in [
            ("{\"version\":1", "it is broken"),
            (&serde_json::to_string(&Roster { version: 9, ..roster.clone() }).expect("JSON"), "it is of version 9"),
            (&serde_json::to_string(&Roster { workshop: "o".into(), ..roster }).expect("JSON"), "another workshop"),
        ]
        .into_iter()
        .enumerate()
        {
            std::fs::write(&file, text).expect("written");
            let (anew, note) = read(&file, "w").expect("random numbers");
            assert!(anew.learners.is_empty() && note.expect("a note").contains(why), "{text}");
            let aside = folder.path().join(format!("room.json.{}", number + 1));
            assert_eq!(std::fs::read_to_string(aside).expect("kept"), text);
        }
    }

    #[test]
    fn a_disk_that_takes_nothing_leaves_the_earlier_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(folder.path());
        let (mut roster, _) = read(&file, "w").expect("random numbers");
        replace(&file, &roster).expect("written");
        let before = roster.clone();
        roster.join("Ada", 0, "t".repeat(24), 5, 1).expect("room");
        std::fs::create_dir(file.with_extension("json.new")).expect("in the way");
        assert!(replace(&file, &roster).is_err());
        assert_eq!(read(&file, "w").expect("random numbers"), (before, None));
    }
}
