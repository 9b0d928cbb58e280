//! The file that tells other commands of a running foredeck: `.foredeck/server.json`, for its owner alone.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cluster::folder::{Folder, NAME};
use crate::cluster::kubeconfig::own;

const FILE: &str = "server.json";
/// The file is never longer.
const MOST: u64 = 64 * 1024;

/// A foredeck that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its address: `http://127.0.0.1:3939`.
    pub url: String,
    /// What opens its API.
    pub token: String,
    /// Its process.
    pub pid: u32,
}

/// The file, gone again when this is dropped.
#[derive(Debug)]
pub struct Written {
    path: PathBuf,
    pid: u32,
}

impl Drop for Written {
    fn drop(&mut self) {
        // Another one may run here meanwhile.
        if load(&self.path).is_some_and(|running| running.pid == self.pid) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes the file.
///
/// # Errors
/// When it cannot be written, or the folder is somebody else's.
pub fn write(folder: &Folder, running: &Running) -> io::Result<Written> {
    folder.make().map_err(io::Error::other)?;
    let path = folder.path().join(FILE);
    let text = serde_json::to_string(running).map_err(io::Error::other)?;
    own::put(&path, &text).map_err(io::Error::other)?;
    Ok(Written { path, pid: running.pid })
}

/// Looks for the file from a folder upwards.
pub fn find(start: &Path) -> Option<Running> {
    start.ancestors().find_map(|folder| {
        // In `/` or `/tmp` it may be somebody else's, with an address that collects tokens.
        let inside = [folder.join(NAME), folder.to_path_buf()];
        inside.iter().filter(|folder| folder.file_name().is_some_and(|name| name == NAME)).find_map(|folder| {
            let metadata = folder.symlink_metadata().ok()?;
            (metadata.is_dir() && own::is_mine(&metadata)).then(|| load(&folder.join(FILE))).flatten()
        })
    })
}

fn load(path: &Path) -> Option<Running> {
    let metadata = path.symlink_metadata().ok()?;
    let fine = metadata.is_file() && own::is_mine(&metadata) && metadata.len() <= MOST;
    serde_json::from_slice(&fine.then(|| std::fs::read(path).ok()).flatten()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_from_below_and_goes() {
        let project = tempfile::tempdir().unwrap();
        let below = project.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let running = Running { url: "http://127.0.0.1:1".to_owned(), token: "t".to_owned(), pid: 7 };
        let folder = Folder::of(project.path());
        let written = write(&folder, &running).unwrap();
        assert_eq!(find(&below), Some(running.clone()));
        assert_eq!(find(folder.path()), Some(running.clone()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let other = Running { pid: 8, ..running };
        let second = write(&folder, &other).unwrap();
        drop(written);
        assert_eq!(find(&below), Some(other));
        drop(second);
        assert_eq!(find(&below), None);
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(find(&below), None);
    }
}
