//! The demo repository's first files, inside this program, for projects that have none of their own.

use std::io;
use std::path::Path;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "workshop/repo/"]
struct Seed;

/// Writes the files below a folder; what an earlier version left there goes.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for path in Seed::iter() {
        let Some(file) = Seed::get(&path) else { continue };
        let target = folder.join(&*path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(target, file.data)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_written_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let seed = folder.path().join("seed");
        std::fs::create_dir(&seed).unwrap();
        std::fs::write(seed.join("old"), "").unwrap();
        write(&seed).unwrap();
        assert!(seed.join("deploy/namespace.yaml").is_file());
        assert!(!seed.join("old").exists());
    }
}
