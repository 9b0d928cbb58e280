//! Checkpoints in files, so that they outlive a sandbox that is put away.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checkpoint::Kept;
use crate::cluster::api::checkpoint::Checkpoint;

const VERSION: u32 = 1;
/// A file that is larger was not written by us.
const LARGEST: u64 = 256 << 20;
/// No head is longer.
const LONGEST_HEAD: u64 = 1 << 20;

/// The first line of a file; the cluster's objects are behind it.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    checkpoint: u32,
    name: String,
    number: u64,
    refs: Vec<(String, String)>,
    cluster: bool,
}

/// The file of a name, whatever letters that has.
fn file(folder: &Path, name: &str) -> PathBuf {
    let plain: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        })
        .collect();
    folder.join(format!("{plain}.jsonl"))
}

/// Writes one: whole or not at all.
pub(super) fn write(folder: &Path, name: &str, kept: &Kept) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let head = Head {
        checkpoint: VERSION,
        name: name.to_owned(),
        number: kept.number,
        refs: kept.refs.clone(),
        cluster: kept.cluster.is_some(),
    };
    let text =
        serde_json::to_string(&head)? + "\n" + &kept.cluster.as_ref().map(Checkpoint::to_text).unwrap_or_default();
    let file = file(folder, name);
    let beside = file.with_extension("new");
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&beside)?.write_all(text.as_bytes())?;
        std::fs::rename(&beside, &file)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Takes one away; one that is not there is as good.
pub(super) fn remove(folder: &Path, name: &str) {
    let _ = std::fs::remove_file(file(folder, name));
}

/// The names and numbers of those in a folder; what is none of ours is left alone.
pub(super) fn list(folder: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            use std::io::{BufRead as _, Read as _};

            let path = entry.path();
            let mut line = String::new();
            let mut reader = io::BufReader::new(std::fs::File::open(&path).ok()?.take(LONGEST_HEAD));
            reader.read_line(&mut line).ok()?;
            let head: Head = serde_json::from_str(&line).ok()?;
            (head.checkpoint == VERSION && file(folder, &head.name) == path).then_some((head.name, head.number))
        })
        .collect()
}

/// Reads one; `None` when it is not whole.
pub(super) fn read(folder: &Path, name: &str) -> Option<Kept> {
    let file = file(folder, name);
    if std::fs::metadata(&file).ok()?.len() > LARGEST {
        return None;
    }
    let text = std::fs::read_to_string(&file).ok()?;
    let (head, rest) = text.split_once('\n')?;
    let head: Head = serde_json::from_str(head).ok().filter(|head: &Head| head.checkpoint == VERSION)?;
    let cluster = if head.cluster { Some(Checkpoint::from_text(rest)?) } else { None };
    Some(Kept { number: head.number, cluster, refs: head.refs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_listed_and_read_and_what_is_broken_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let refs = vec![("refs/heads/main".to_owned(), "0123".to_owned())];
        let kept = Kept { number: 7, cluster: None, refs };
        write(folder.path(), "workshop/01-Ä", &kept).expect("written");
        std::fs::write(folder.path().join("other.jsonl"), "{}\n").expect("written");
        assert_eq!(list(folder.path()), [("workshop/01-Ä".to_owned(), 7)]);
        let back = read(folder.path(), "workshop/01-Ä").expect("read");
        assert_eq!((back.number, back.refs, back.cluster.is_none()), (7, kept.refs.clone(), true));
        assert!(read(folder.path(), "other").is_none());
        remove(folder.path(), "workshop/01-Ä");
        assert_eq!(list(folder.path()), []);
        assert_eq!(list(Path::new("/nonexistent")), []);
    }
}
