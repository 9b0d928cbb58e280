//! `demo`: a new talk with its live system, in a folder that goes afterwards.

use std::path::PathBuf;

use super::args::{Demo, Present};
use super::console::{Code, Console, Failure};
use super::{new, present};

/// A folder that goes with it.
struct Fleeting(PathBuf);

impl Drop for Fleeting {
    fn drop(&mut self) {
        // What stays behind is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(args: Demo, console: Console) -> Result<Code, Failure> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| Failure::new(Code::Environment, error))?;
    let folder = std::env::temp_dir().join(format!("foredeck-demo-{:016x}", u64::from_le_bytes(random)));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|error| {
        let context = format!("cannot make `{}`", folder.display());
        Failure::new(Code::Environment, anyhow::Error::new(error).context(context))
    })?;
    let fleeting = Fleeting(folder);
    new::make(&fleeting.0)?;
    console.say("  A talk to try things with; it goes when foredeck ends. `foredeck new DIR` makes one that stays.");
    let Demo { serve, render, demo, console: console_args } = args;
    let inputs = vec![fleeting.0.clone()];
    present::run(Present { inputs, serve, render, meta: Default::default(), demo, console: console_args }, console)
}
