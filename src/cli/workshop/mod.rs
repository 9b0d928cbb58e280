//! `workshop`: exercises in the terminal.

pub mod args;
mod list;

use std::path::Path;

use args::{WhichWorkshop, WorkshopCommand};

use crate::diagnostic::Severity;
use crate::workshop::{Loaded, load};

use super::console::{Code, Console, Failure};

pub(super) fn run(command: WorkshopCommand, console: Console) -> Result<Code, Failure> {
    match command {
        WorkshopCommand::List(args) => list::run(&args, console),
    }
}

/// The workshop that is meant.
fn open(which: &WhichWorkshop) -> Result<Loaded, Failure> {
    let loaded = match &which.workshop {
        Some(folder) => load::folder(folder),
        None => load::project(Path::new(".")),
    };
    loaded.map_err(|error| {
        Failure::new(Code::Input, error)
            .hint("without `--workshop` the built-in workshop is used where there is no own one")
    })
}

/// Shows what is wrong with the files.
fn tell(loaded: &Loaded, console: Console, least: Severity) {
    for (source, found) in &loaded.findings {
        console.findings(std::slice::from_ref(found), source, least);
    }
}
