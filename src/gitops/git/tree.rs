//! What is in a revision: its files, and their content.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::Error;
use super::mirror::Mirror;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link; its content is where it points.
    Link,
    /// Another repository.
    Submodule,
}

/// One file of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path from the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Whether it is a program.
    pub executable: bool,
    /// What identifies its content.
    pub blob: String,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// All of it.
    Bytes(Arc<[u8]>),
    /// It is larger than is read.
    TooLarge(u64),
}

/// More files than this are not looked at.
pub const MOST_FILES: usize = 200_000;
/// Larger files are not read.
pub const LARGEST_FILE: u64 = 8 << 20;
/// More altogether is not read at once.
const MOST_CONTENT: u64 = 512 << 20;

impl Mirror {
    /// All files of a revision, in git's order (by bytes of the path).
    ///
    /// # Errors
    /// When there is no such revision, or it has too many files.
    pub async fn list(&self, revision: &str) -> Result<Vec<Entry>, Error> {
        let run = self.run("ls-tree").args(["-r", "-z", "--full-tree", "--end-of-options", revision]);
        listing(&run.out().await?)
    }

    /// The content of blobs.
    ///
    /// # Errors
    /// When one is not there, or they are too much altogether.
    pub async fn read(&self, blobs: &[String]) -> Result<HashMap<String, Blob>, Error> {
        let mut found = HashMap::new();
        if blobs.is_empty() {
            return Ok(found);
        }
        let ask = |names: &[&str]| names.iter().flat_map(|name| [name, "\n"]).collect::<String>().into_bytes();
        let names: Vec<&str> = blobs.iter().map(String::as_str).collect();
        let sizes =
            self.run("cat-file").arg("--batch-check=%(objectname) %(objectsize)").input(&ask(&names)).out().await?;
        let mut wanted = Vec::new();
        let mut all = 0;
        for line in String::from_utf8_lossy(&sizes).lines() {
            let size = line.split_once(' ').and_then(|(id, size)| Some((id.to_owned(), size.parse::<u64>().ok()?)));
            let (id, size) = size.ok_or_else(|| answer(line))?;
            if size > LARGEST_FILE {
                found.insert(id, Blob::TooLarge(size));
            } else {
                all += size;
                wanted.push(id);
            }
        }
        if all > MOST_CONTENT {
            return Err(Error::TooMuch { command: "cat-file".to_owned(), limit: MOST_CONTENT });
        }
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let most = all + 128 * (wanted.len() as u64 + 1);
        let out = self.run("cat-file").arg("--batch").input(&ask(&names)).most(most).out().await?;
        for (id, bytes) in contents(&out)? {
            found.insert(id, Blob::Bytes(bytes.into()));
        }
        Ok(found)
    }
}

fn answer(text: &str) -> Error {
    Error::Answer { command: "cat-file".to_owned(), answer: text.chars().take(200).collect() }
}

/// Reads the output of `ls-tree -r -z`.
///
/// # Errors
/// When it is something else, or too many files.
pub fn listing(out: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for record in out.split(|b| *b == 0).filter(|record| !record.is_empty()) {
        let record = String::from_utf8_lossy(record);
        let parts = record.split_once('\t').and_then(|(head, path)| {
            let mut words = head.split(' ');
            Some((words.next()?, words.next()?, words.next()?, path))
        });
        let (mode, kind, blob, path) = parts.ok_or_else(|| Error::Answer {
            command: "ls-tree".to_owned(),
            answer: record.chars().take(200).collect(),
        })?;
        let kind = match (kind, mode) {
            ("commit", _) => EntryKind::Submodule,
            (_, "120000") => EntryKind::Link,
            _ => EntryKind::File,
        };
        if entries.len() == MOST_FILES {
            return Err(Error::TooMuch { command: "ls-tree".to_owned(), limit: MOST_FILES as u64 });
        }
        let executable = mode == "100755";
        entries.push(Entry { path: path.to_owned(), kind, executable, blob: blob.to_owned() });
    }
    Ok(entries)
}

/// Reads the output of `cat-file --batch`: `ID TYPE SIZE`, a line end, the bytes, a line end.
fn contents(mut out: &[u8]) -> Result<Vec<(String, &[u8])>, Error> {
    let mut found = Vec::new();
    while let Some(end) = out.iter().position(|b| *b == b'\n') {
        let (head, rest) = out.split_at(end);
        let head = String::from_utf8_lossy(head);
        let mut words = head.split(' ');
        let size = words.nth(2).and_then(|size| size.parse::<usize>().ok());
        let bytes = size.and_then(|size| Some((rest.get(1..=size)?, rest.get(size + 2..)?)));
        let ((bytes, rest), Some(id)) = (bytes.ok_or_else(|| answer(&head))?, head.split(' ').next()) else {
            return Err(answer(&head));
        };
        found.push((id.to_owned(), bytes));
        out = rest;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let out = b"100644 blob aa\ta b.yaml\x00120000 blob bb\tlink\x00160000 commit cc\tsub\x00";
        let entry = |path: &str, kind, blob: &str| Entry {
            path: path.to_owned(),
            kind,
            executable: false,
            blob: blob.to_owned(),
        };
        assert_eq!(
            listing(out).unwrap(),
            [
                entry("a b.yaml", EntryKind::File, "aa"),
                entry("link", EntryKind::Link, "bb"),
                entry("sub", EntryKind::Submodule, "cc"),
            ]
        );
        assert!(listing(b"nonsense\x00").is_err());
        let out = b"aa blob 3\nx\ny\nbb blob 0\n\n";
        assert_eq!(contents(out).unwrap(), [("aa".to_owned(), &b"x\ny"[..]), ("bb".to_owned(), &b""[..])]);
        for wrong in [&b"aa missing\n"[..], b"aa blob 9\nx\n", b"aa blob x\n"] {
            assert!(contents(wrong).is_err());
        }
    }
}
