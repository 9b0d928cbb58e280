//! Writes a file so that there is never half of one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Error;
use crate::project::find::parent_of;

/// Writes beside the target first, then puts the file in its place. Missing folders are made.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.into(), source };
    let metadata = std::fs::metadata(path).ok();
    if metadata.as_ref().is_some_and(|metadata| metadata.is_dir()) {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    if metadata.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        // A pipe or a device has no place beside it.
        return std::fs::write(path, content).map_err(failed);
    }
    // Behind a symbolic link it is the file itself that is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = parent_of(&target);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let temporary = temporary(&target);
    let written = filled(&temporary, content).and_then(|()| {
        if let Some(metadata) = &metadata {
            std::fs::set_permissions(&temporary, metadata.permissions())?;
        }
        std::fs::rename(&temporary, &target)
    });
    written.map_err(|source| {
        let _ = std::fs::remove_file(&temporary);
        failed(source)
    })
}

/// A new file with a content that is on the disk when this returns.
fn filled(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn temporary(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
