//! A revision's files in a folder, for programs that read files.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::error::Error;
use super::mirror::Mirror;
use super::tree::{Blob, Entry, EntryKind};
use crate::gitops::files::links;

impl Mirror {
    /// Writes the files of a listing below a folder. Links within the tree become copies of what they point at; links
    /// that leave it, other repositories and files that are too large are left out.
    ///
    /// # Errors
    /// When content cannot be read or the folder not be written.
    pub async fn export(&self, entries: &[Entry], into: &Path) -> Result<(), Error> {
        let blobs: Vec<String> =
            entries.iter().filter(|e| e.kind != EntryKind::Submodule).map(|e| e.blob.clone()).collect();
        let contents = self.read(&blobs).await?;
        let targets = links::resolve(entries, &contents);
        write(entries, &contents, &targets, into).map_err(|source| Error::Io { command: "export".to_owned(), source })
    }
}

fn write(
    entries: &[Entry],
    contents: &HashMap<String, Blob>,
    targets: &HashMap<String, links::Target>,
    into: &Path,
) -> io::Result<()> {
    for entry in entries {
        let blob = match entry.kind {
            EntryKind::Submodule => continue,
            EntryKind::File => &entry.blob,
            EntryKind::Link => match targets.get(&entry.path) {
                Some(links::Target::File(blob)) => blob,
                _ => continue,
            },
        };
        let Some(Blob::Bytes(bytes)) = contents.get(blob) else { continue };
        // Git itself refuses such paths; a tree made by hand may have them.
        if entry.path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            continue;
        }
        let path = into.join(&entry.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, bytes)?;
        #[cfg(unix)]
        if entry.executable {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}
