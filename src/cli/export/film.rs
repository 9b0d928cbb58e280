//! The recorded run in an exported page: which one, and how much it adds.

use std::path::Path;

use crate::cli::console::{Code, Console, Failure};
use crate::cli::runs;
use crate::cluster::folder::Folder;
use crate::export::Film;
use crate::project::{Compiled, Project, files as texts};
use crate::recording::{self, files};
use crate::render::template::Templates;
use crate::server::{record, replay};

/// A run adds no more to a page if it can be helped.
const BUDGET: usize = 3 * 1024 * 1024;

/// The run of a deck for its page; none when there is none, or none is wanted.
///
/// # Errors
/// When a run that was asked for cannot be had.
pub(super) fn film(
    project: &Project,
    compiled: &Compiled,
    deck: &str,
    asked: Option<&Path>,
    console: Console,
) -> Result<Option<Film>, Failure> {
    let run = match asked {
        Some(path) if path == Path::new("none") => return Ok(None),
        Some(path) => Some(std::sync::Arc::new(runs::read(path, &[deck])?)),
        None => runs::last_passed(&files::folder(Folder::of(&project.root).path()), &[deck]).remove(deck),
    };
    let Some(run) = run else { return Ok(None) };
    let root = project.root.clone();
    let templates = Templates::new(move |name| texts::own_template(&root, name));
    // A page is read on other days than it was made on: the day is always said.
    let label = format!("{} {}", run.head.what.word(), recording::clock(run.head.started_ms, 0));
    let slides = &compiled.rendered.slides;
    let film = replay::film::film(&run, deck, slides, &templates, &label, BUDGET)
        .map_err(|error| Failure::new(Code::Environment, error))?;
    let Some(film) = film else { return Ok(None) };
    let kilobytes = (film.packed.len() * 4 / 3).div_ceil(1000);
    let thinned = match film.left_out {
        0 => String::new(),
        some => format!(", {some} left out to keep it small"),
    };
    console.say(&format!("  with the {label}: {} pictures of panels{thinned}, {kilobytes} kB", film.pictures));
    if film.packed.len() > BUDGET {
        console.say("  that is a lot; `--run none` leaves it out");
    }
    let hash = record::hash_of(compiled.source.text());
    if !run.end.decks.iter().any(|end| end.deck == deck && end.hash == hash) {
        console.say("  the deck has changed since; `foredeck rehearse` records it anew");
    }
    Ok(Some(Film { packed: film.packed, terminals: film.terminals }))
}
