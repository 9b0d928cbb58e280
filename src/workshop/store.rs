//! A participant's progress in a file that survives being killed.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::progress::{Progress, VERSION};

/// More than this is no file of ours.
const LARGEST: u64 = 4 << 20;

/// What was found at the place of a progress file.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// Nothing: a new participant.
    Nothing,
    /// How far they are.
    Progress(Box<Progress>),
    /// Something that cannot be used; it was put aside.
    Unusable {
        /// Why.
        why: String,
        /// Where it is now, when it could be put aside.
        aside: Option<PathBuf>,
    },
}

/// Reads a progress file. What cannot be used is kept beside it under another name, so that nothing is lost.
pub fn read(file: &Path) -> Found {
    let text = match std::fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Unusable { why: error.to_string(), aside: None },
        Ok(metadata) if metadata.len() > LARGEST => return unusable(file, "it is too large".to_owned()),
        Ok(_) => std::fs::read(file),
    };
    let bytes = match text {
        Ok(bytes) => bytes,
        Err(error) => return Found::Unusable { why: error.to_string(), aside: None },
    };
    let progress = match serde_json::from_slice::<Progress>(&bytes) {
        Ok(progress) => progress,
        Err(error) => return unusable(file, format!("it is broken: {error}")),
    };
    match progress.version {
        VERSION => Found::Progress(Box::new(progress)),
        0 => unusable(file, "it does not say its version".to_owned()),
        version if version > VERSION => {
            unusable(file, format!("it is of version {version}, which a newer foredeck wrote"))
        }
        version => unusable(file, format!("it is of version {version}, which is not read any more")),
    }
}

fn unusable(file: &Path, why: String) -> Found {
    let aside = (1..100).map(|number| file.with_extension(format!("json.{number}"))).find(|path| !path.exists());
    let aside = aside.filter(|aside| std::fs::rename(file, aside).is_ok());
    Found::Unusable { why, aside }
}

/// Writes a progress file: whole or not at all.
///
/// # Errors
/// When it cannot be written; the earlier one is still there.
pub fn write(file: &Path, progress: &Progress) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    replace(file, progress)
}

/// Writes a file of JSON in the place of an earlier one: whole or not at all, on the disk, for its owner alone.
///
/// # Errors
/// When it cannot be written; the earlier one is still there.
pub fn replace(file: &Path, value: &impl serde::Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other)? + "\n";
    let beside = file.with_extension("json.new");
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(&beside)?;
        out.write_all(text.as_bytes())?;
        out.sync_data()?;
        std::fs::rename(&beside, file)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::judge::Baseline;
    use crate::workshop::progress::Event;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/you.json");
        assert_eq!(read(&file), Found::Nothing);
        let mut progress = Progress::new("w");
        progress.take("01-a", Event::Start(Baseline::default()), 5);
        write(&file, &progress).unwrap();
        // A write that was broken off does no harm.
        std::fs::write(file.with_extension("json.new"), "{\"ver").unwrap();
        assert_eq!(read(&file), Found::Progress(Box::new(progress)));
    }

    #[test]
    fn what_cannot_be_used_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("you.json");
        for (number, (text, why)) in [
            ("", "it is broken"),
            ("{\"version\":1,\"steps\":[]", "it is broken"),
            ("{\"version\":99}", "it is of version 99, which a newer foredeck wrote"),
            ("{}", "it does not say its version"),
            ("7", "it is broken"),
        ]
        .into_iter()
        .enumerate()
        {
            std::fs::write(&file, text).unwrap();
            let Found::Unusable { why: found, aside: Some(aside) } = read(&file) else { panic!("{text}") };
            assert!(found.starts_with(why), "{found}");
            assert_eq!(aside, folder.path().join(format!("you.json.{}", number + 1)));
            assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
            assert_eq!(read(&file), Found::Nothing);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_and_keeps_the_earlier_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("you.json");
        write(&file, &Progress::new("w")).unwrap();
        std::fs::create_dir(file.with_extension("json.new")).unwrap();
        assert!(write(&file, &Progress::new("other")).is_err());
        assert_eq!(read(&file), Found::Progress(Box::new(Progress::new("w"))));
    }
}
