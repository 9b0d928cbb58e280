//! `--projector`: slides measured in a browser, or reckoned when there is none.

use tokio_util::sync::CancellationToken;

use super::estimate;
use super::fit::{self, Projector};
use super::look::Checked;
use crate::cli::console::{Code, Console, Failure};
use crate::cli::supervise;
use crate::diagnostic::Diagnostic;
use crate::export::browser::{self, Browser, Error, Handle, Options};
use crate::export::measure;

/// Adds what is found at a projector's size, and says how it was found.
///
/// # Errors
/// When there is a browser that fails.
pub(super) fn measure(checked: &mut [Checked], projector: Projector, console: Console) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let stop = CancellationToken::new();
    let work = browse(checked, projector, &stop);
    match runtime.block_on(async { supervise::work(&stop, work).await })? {
        Some((name, found)) => {
            let slides: usize =
                checked.iter().filter_map(|deck| Some(deck.deck.as_ref()?.1.rendered.slides.len())).sum();
            add(checked, found);
            let plural = if slides == 1 { "" } else { "s" };
            console.say(&format!("{slides} slide{plural} measured by {name} for a projector of {projector}"));
        }
        None => {
            let found = checked.iter().map(|deck| reckoned(deck, projector)).collect();
            add(checked, found);
            console.say(&format!(
                "There is no browser: sizes for a projector of {projector} are estimated. `foredeck doctor browser` helps."
            ));
        }
    }
    Ok(())
}

fn add(checked: &mut [Checked], found: Vec<Vec<Diagnostic>>) {
    for (deck, found) in checked.iter_mut().zip(found) {
        deck.diagnostics.extend(found);
        deck.sort();
    }
}

/// The browser's name and what was found of each deck; nothing when there is no browser.
async fn browse(
    checked: &[Checked],
    projector: Projector,
    stop: &CancellationToken,
) -> Result<Option<(String, Vec<Vec<Diagnostic>>)>, Failure> {
    let stopped = || Failure::new(Code::Interrupted, anyhow::Error::msg("stopped"));
    let options = Options { limit: Some(browser::LIMIT), ..Options::default() };
    let started = tokio::select! {
        started = Browser::start(&options) => started,
        () = stop.cancelled() => return Err(stopped()),
    };
    let mut browser = match started {
        Ok(browser) => browser,
        Err(Error::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let handle = browser.handle();
    let done = browser.beside(async {
        tokio::select! {
            done = each(&handle, checked, projector) => done,
            () = stop.cancelled() => Err(stopped()),
        }
    });
    let done = done.await;
    browser.end().await;
    done.map(Some)
}

async fn each(
    browser: &Handle,
    checked: &[Checked],
    projector: Projector,
) -> Result<(String, Vec<Vec<Diagnostic>>), Failure> {
    let name = browser.version().await?.replace('/', " ");
    let mut all = Vec::new();
    for deck in checked {
        let mut found = Vec::new();
        if let Some((project, compiled)) = &deck.deck {
            let measured = measure::measure(browser, project, compiled).await?;
            for (measured, slide) in measured.iter().zip(&compiled.rendered.slides) {
                found.extend(fit::findings(measured, &deck.source, slide.span, compiled.rendered.size, projector));
            }
        }
        all.push(found);
    }
    Ok((name, all))
}

/// What is reckoned of a deck.
fn reckoned(deck: &Checked, projector: Projector) -> Vec<Diagnostic> {
    let Some((project, compiled)) = &deck.deck else { return Vec::new() };
    let parsed = crate::deck::parse(&deck.source, &project.options.deck).value;
    estimate::findings(&parsed, &compiled.rendered.meta.theme, compiled.rendered.size, projector)
}
