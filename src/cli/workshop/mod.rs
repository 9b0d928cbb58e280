//! `workshop`: exercises in the terminal; `test workshop`: all of them, for CI.

pub mod args;
mod client;
mod export;
mod host;
pub(super) mod import;
pub(super) mod lint;
mod list;
mod serve;
mod start;
mod step;
mod test;

use std::path::{Path, PathBuf};

use args::{TestWorkshop, WhichWorkshop, WorkshopCommand};

use crate::diagnostic::Severity;
use crate::workshop::{Loaded, load};

use super::console::{Code, Console, Failure};

pub(super) fn run(command: WorkshopCommand, console: Console) -> Result<Code, Failure> {
    match command {
        WorkshopCommand::List(args) => list::run(&args, console),
        WorkshopCommand::Start(args) => start::run(&args, console),
        WorkshopCommand::Serve(args) => serve::run(&args, console),
        WorkshopCommand::Run(args) => step::run(&args, console),
        WorkshopCommand::Check(args) => step::check(&args, console),
        WorkshopCommand::Hint(args) => step::hint(&args, console),
        WorkshopCommand::Solve(args) => step::solve(&args, console),
        WorkshopCommand::Reset(args) => step::reset(&args, console),
        WorkshopCommand::Status(args) => step::status(&args, console),
        WorkshopCommand::Export(args) => export::run(&args, console),
        WorkshopCommand::Import(args) => import::run(&args, console),
    }
}

pub(super) fn test(args: &TestWorkshop, console: Console) -> Result<Code, Failure> {
    test::run(args, console)
}

/// The folder of steps that is meant; nothing for the built-in workshop.
fn folder(which: &WhichWorkshop) -> Option<PathBuf> {
    let named = named(which);
    let own = named.clone().unwrap_or_else(|| PathBuf::from("workshop"));
    (named.is_some() || own.is_dir()).then_some(own)
}

/// The folder that was named: by the option, or by the environment of a learner's terminal.
fn named(which: &WhichWorkshop) -> Option<PathBuf> {
    let around = || std::env::var_os("FOREDECK_WORKSHOP").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    which.workshop.clone().or_else(around)
}

/// The workshop that is meant.
fn open(which: &WhichWorkshop) -> Result<Loaded, Failure> {
    let loaded = match named(which) {
        Some(folder) => load::folder(&folder),
        None => load::project(Path::new(".")),
    };
    loaded.map_err(|error| {
        Failure::new(Code::Input, error)
            .hint("without `--workshop` the built-in workshop is used where there is no own one")
    })
}

/// The workshop, unless something is wrong with it that keeps it from being run.
fn sound(which: &WhichWorkshop, console: Console) -> Result<Loaded, Failure> {
    let loaded = open(which)?;
    if loaded.is_broken() || loaded.workshop.steps.is_empty() {
        tell(&loaded, console, Severity::Error);
        let failure = Failure::input("the workshop cannot be run as it is written");
        return Err(failure.hint("`foredeck workshop list` shows everything that is wrong"));
    }
    Ok(loaded)
}

/// Shows what is wrong with the files.
fn tell(loaded: &Loaded, console: Console, least: Severity) {
    for (source, found) in &loaded.findings {
        console.findings(std::slice::from_ref(found), source, least);
    }
}
