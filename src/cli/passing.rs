//! A folder that goes away with its owner.

use std::path::{Path, PathBuf};

use super::console::{Code, Failure};

/// A new folder below the system's folder for such things, for its owner alone; gone when dropped.
#[derive(Debug)]
pub(super) struct Passing(PathBuf);

impl Passing {
    /// Makes a folder whose name begins so.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn new(name: &str) -> Result<Self, Failure> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| Failure::new(Code::Environment, error))?;
        let folder = std::env::temp_dir().join(format!("{name}-{:016x}", u64::from_le_bytes(random)));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(|error| {
            let context = format!("cannot make `{}`", folder.display());
            Failure::new(Code::Environment, anyhow::Error::new(error).context(context))
        })?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // What stays behind is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
