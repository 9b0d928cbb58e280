//! A cluster's folder: a log that every change is in before it is acknowledged, written anew when it grows long.
//!
//! The log is JSON lines: a head, then one line for each object written or deleted. A killed process leaves at most a
//! torn last line, whose change nobody was told of.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cluster::api::store::{Change, ChangeKind, Journaling, Store, Stored};
use crate::cluster::object::Key;

const FILE: &str = "cluster.jsonl";
const NEW_FILE: &str = "cluster.jsonl.new";
/// The first line.
const HEAD: &str = r#"{"foredeck":"cluster","version":1}"#;
/// Bytes after which the log is written anew, if that makes it much shorter.
const LONG: u64 = 16 << 20;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process uses it.
    #[error("`{}` is used by another cluster that is running", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is none of ours, or of a newer version.
    #[error("`{}` is no cluster of this version: its first line is `{found}`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its first line.
        found: String,
    },
    /// A line in the middle cannot be read.
    #[error("`{}`, line {line}: {why}; everything before it is whole, so cutting the file there restores that", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    resource: &'a str,
    revision: u64,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    object: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<(String, String)>,
}

/// The open log of a cluster.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    /// Length after the last writing anew.
    compact: u64,
}

impl Log {
    /// Opens a folder and gives the objects that are in it.
    ///
    /// # Errors
    /// When it cannot be read, is used by somebody else, or holds something else.
    pub fn open(folder: &Path) -> Result<(Self, Store), Error> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        std::fs::create_dir_all(folder).map_err(fail(folder))?;
        let path = folder.join(FILE);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(fail(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::InUse { path }),
            Err(std::fs::TryLockError::Error(source)) => return Err(Error::Io { path, source }),
        }
        let (store, length) = read(&file, &path)?;
        // A torn last line goes, so that the next one starts afresh.
        file.set_len(length).map_err(fail(&path))?;
        let mut log =
            Self { folder: folder.to_owned(), length, compact: length, file: file.try_clone().map_err(fail(&path))? };
        if length == 0 {
            file.write_all(format!("{HEAD}\n").as_bytes()).map_err(fail(&path))?;
            log.length = HEAD.len() as u64 + 1;
        }
        Ok((log, store))
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Writes the log anew from what there is, beside the old one, and puts it in its place.
    fn compact(&mut self, store: &Store) -> io::Result<()> {
        let path = self.folder.join(NEW_FILE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        file.try_lock().map_err(|error| io::Error::other(error.to_string()))?;
        let mut out = io::BufWriter::new(&mut file);
        writeln!(out, "{HEAD}")?;
        let resources: Vec<_> = store.resources().cloned().collect();
        for object in resources.iter().flat_map(|resource| store.list(resource, "")) {
            out.write_all(&written(object)?)?;
        }
        // The newest revision may be a deletion's, which no object carries.
        writeln!(
            out,
            "{}",
            serde_json::to_string(&Line { resource: "", revision: store.revision(), object: None, gone: None })?
        )?;
        out.flush()?;
        drop(out);
        file.sync_all()?;
        std::fs::rename(&path, self.path())?;
        self.length = file.metadata()?.len();
        self.compact = self.length;
        // The lock moves along with the file that was renamed.
        self.file = file;
        Ok(())
    }
}

impl Journaling for Log {
    fn write(&mut self, store: &Store, changes: &[std::sync::Arc<Change>]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for change in changes {
            match change.kind {
                ChangeKind::Deleted => {
                    let key = &change.object.key;
                    let gone = Some((key.namespace.to_string(), key.name.to_string()));
                    let line = Line {
                        resource: &change.object.resource,
                        revision: change.object.revision,
                        object: None,
                        gone,
                    };
                    serde_json::to_writer(&mut bytes, &line)?;
                    bytes.push(b'\n');
                }
                ChangeKind::Added | ChangeKind::Modified => bytes.extend(written(&change.object)?),
            }
        }
        if let Err(error) = self.file.write_all(&bytes) {
            // Half a line must not stay in front of the next one.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        if self.length > LONG && self.length > self.compact * 2 {
            // The old log goes on being whole if this fails.
            if let Err(error) = self.compact(store) {
                tracing::warn!(%error, "cannot shorten the cluster's log");
                self.compact = self.length;
            }
        }
        Ok(())
    }
}

fn written(object: &Stored) -> io::Result<Vec<u8>> {
    let text = std::str::from_utf8(&object.json).map_err(io::Error::other)?;
    let raw: &RawValue = serde_json::from_str(text)?;
    let line = Line { resource: &object.resource, revision: object.revision, object: Some(raw), gone: None };
    let mut bytes = serde_json::to_vec(&line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The objects of a log and the length of its whole lines.
fn read(file: &File, path: &Path) -> Result<(Store, u64), Error> {
    let fail = |source| Error::Io { path: path.to_owned(), source };
    let mut reader = BufReader::new(file);
    let mut store = Store::starting_at(crate::cluster::api::FIRST_REVISION);
    let (mut text, mut length, mut number) = (Vec::new(), 0, 0);
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text).map_err(fail)?;
        if text.pop() != Some(b'\n') {
            return Ok((store, length));
        }
        number += 1;
        if number == 1 {
            if text != HEAD.as_bytes() {
                let found = String::from_utf8_lossy(text.get(..text.len().min(80)).unwrap_or_default()).into_owned();
                return Err(Error::Foreign { path: path.to_owned(), found });
            }
        } else {
            let broken = |why: String| Error::Broken { path: path.to_owned(), line: number, why };
            let line: Line<'_> = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
            replay(&mut store, &line).map_err(|error| broken(error.to_string()))?;
        }
        length += read as u64;
    }
}

fn replay(store: &mut Store, line: &Line<'_>) -> serde_json::Result<()> {
    store.reach(line.revision);
    if let Some(object) = line.object {
        let object = serde_json::from_str(object.get())?;
        store.insert(std::sync::Arc::new(Stored::new(line.resource.into(), object, line.revision)));
    }
    if let Some((namespace, name)) = &line.gone {
        store.forget(line.resource, &Key::new(namespace, name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::api::store::ResourceName;
    use serde_json::json;

    fn object(name: &str, value: i64) -> serde_json::Value {
        json!({"kind": "X", "apiVersion": "v1", "metadata": {"name": name, "uid": name}, "value": value})
    }

    fn commit(log: &mut Log, store: &mut Store, write: impl FnOnce(&mut Store)) -> io::Result<()> {
        let before = store.revision();
        write(store);
        let changes: Vec<_> = store.since(before).unwrap().cloned().collect();
        log.write(store, &changes)
    }

    fn names(store: &Store) -> Vec<(String, u64)> {
        store.list("xs", "").map(|object| (object.key.name.to_string(), object.revision)).collect()
    }

    #[test]
    fn what_was_written_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, mut store) = Log::open(folder.path()).unwrap();
        let xs: ResourceName = "xs".into();
        commit(&mut log, &mut store, |store| _ = store.put(&xs, object("a", 1))).unwrap();
        commit(&mut log, &mut store, |store| _ = store.put(&xs, object("b", 1))).unwrap();
        commit(&mut log, &mut store, |store| _ = store.put(&xs, object("a", 2))).unwrap();
        commit(&mut log, &mut store, |store| _ = store.delete("xs", &Key::new("", "b"))).unwrap();
        let (there, revision) = (names(&store), store.revision());
        drop(log);
        // A process that was killed in the middle of a line.
        let mut file = OpenOptions::new().append(true).open(folder.path().join(FILE)).unwrap();
        file.write_all(b"{\"resource\":\"xs\",\"rev").unwrap();
        drop(file);
        let (mut log, mut store) = Log::open(folder.path()).unwrap();
        assert_eq!((names(&store), store.revision()), (there.clone(), revision));
        log.compact(&store).unwrap();
        assert!(matches!(Log::open(folder.path()), Err(Error::InUse { .. })), "the new file is locked as well");
        commit(&mut log, &mut store, |store| _ = store.put(&xs, object("c", 1))).unwrap();
        let there = names(&store);
        drop(log);
        assert_eq!(names(&Log::open(folder.path()).unwrap().1), there);
    }

    #[test]
    fn foreign_and_broken_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, "something else\n").unwrap();
        assert!(matches!(Log::open(folder.path()), Err(Error::Foreign { .. })));
        std::fs::write(&path, format!("{HEAD}\n{{]\n{{}}\n")).unwrap();
        let told = Log::open(folder.path()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("line 2"), "{told}");
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("{}\n"), "nothing is cut off by itself");
    }

    #[test]
    fn one_folder_one_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let _log = Log::open(folder.path()).unwrap();
        assert!(matches!(Log::open(folder.path()), Err(Error::InUse { .. })));
    }
}
