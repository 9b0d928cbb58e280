//! Decks through the browser: PDF, pictures, PowerPoint.

use std::time::Duration;

use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::project::{Compiled, Project};

use super::browser::Handle;
use super::browser::tab::{Content, Tab, View};
use super::pdf::{self, PdfOptions};
use super::picture::{self, PictureFormat, possible_scale};
use super::pptx::{self, Deck, SlidePart};
use super::sheet::{self, Layout};
use super::{Error, Format, Job, html};

/// What every page is asked with.
pub(super) const SCRIPT: &str = "print.js";
/// What a page is asked with whose texts are wanted.
const TEXTS: &str = "texts.js";
/// A slide may add this much to the time that printing takes.
const PER_SLIDE: Duration = Duration::from_millis(200);
/// The scale of the pictures in a PowerPoint file, as Marp's.
const PPTX_SCALE: f64 = 2.0;

/// Which slides become pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slides {
    /// The one of this number, from 1.
    One(usize),
    /// All of them, each in a file of its own.
    All,
}

impl Default for Slides {
    fn default() -> Self {
        Self::One(1)
    }
}

/// How a deck is printed.
#[derive(Debug, Clone, Default)]
pub struct PrintOptions {
    /// Which slides become pictures.
    pub slides: Slides,
    /// Pixels for a CSS pixel; the format's own when not given.
    pub scale: Option<f64>,
    /// Quality of JPEG pictures.
    pub quality: u8,
    /// What a PDF gets.
    pub pdf: PdfOptions,
    /// Whether a PDF is a handout.
    pub handout: bool,
    /// Whether plain texts in a PowerPoint file are texts.
    pub editable: bool,
    /// How long printing may take, before slides are counted.
    pub limit: Option<Duration>,
}

/// Where results go, and who is told how far it is.
pub trait Out: Send {
    /// Takes a result: the whole, or the slide of a number (from 1).
    ///
    /// # Errors
    /// When it cannot be written.
    fn file(&mut self, slide: Option<usize>, bytes: &[u8]) -> Result<(), Error>;
    /// So many of the slides are done.
    fn progress(&mut self, done: usize, of: usize);
}

/// Makes a file, or one for each slide, by the browser.
///
/// # Errors
/// When the browser fails, a slide is not there, or a result cannot be written.
pub async fn press(
    browser: &Handle,
    project: &Project,
    compiled: &Compiled,
    job: &Job,
    out: &mut dyn Out,
) -> Result<Vec<Diagnostic>, Error> {
    let options = &job.print;
    let count = compiled.rendered.slides.len();
    if let (Format::Png | Format::Jpeg, Slides::One(number)) = (job.format, options.slides)
        && !(1..=count).contains(&number)
    {
        return Err(Error::NoSlide { number, count });
    }
    let layout = match job.format {
        Format::Pdf if options.handout => Layout::Handout { with_notes: job.with_notes },
        format => Layout::Slides { transparent: matches!(format, Format::Png | Format::Pptx) },
    };
    let sheet = sheet::sheet(project, compiled, &job.name, layout)?;
    let own = |address: &str| sheet::own_file(project, &compiled.folder, address);
    let content = sheet::content(&sheet, &own);
    let (refused, mut diagnostics) = loaded(browser, compiled, job, layout, &content, out).await?;
    let mut told = compiled.diagnostics.clone();
    told.extend(sheet.diagnostics.iter().cloned());
    diagnostics.splice(0..0, sheet.diagnostics);
    diagnostics.extend(sheet::refusals(&refused, &told));
    Ok(diagnostics)
}

type Noticed = (Vec<super::browser::tab::Refused>, Vec<Diagnostic>);

/// Opens the page, does the job with it, and closes it.
async fn loaded(
    browser: &Handle,
    compiled: &Compiled,
    job: &Job,
    layout: Layout,
    content: &Content<'_>,
    out: &mut dyn Out,
) -> Result<Noticed, Error> {
    let size = compiled.rendered.size;
    let wanted = job.print.scale.unwrap_or(if job.format == Format::Pptx { PPTX_SCALE } else { 1.0 });
    let pictures = job.format != Format::Pdf;
    let scale = if pictures { possible_scale(wanted, size.width, size.height) } else { 1.0 };
    let view = View { width: size.width, height: size.height, scale };
    let (tab, mut usher) = browser.open(content, view).await?;
    let done = usher.beside(async {
        tab.load().await?;
        tab.evaluate("preparing the slides", &html::asset_text(SCRIPT).unwrap_or_default()).await?;
        tab.evaluate("waiting for the slides", "foredeck.ready()").await?;
        if layout == (Layout::Slides { transparent: true }) {
            tab.transparent().await?;
        }
        match job.format {
            Format::Png => photograph(&tab, compiled, job, PictureFormat::Png, out).await,
            Format::Jpeg => photograph(&tab, compiled, job, PictureFormat::Jpeg(job.print.quality), out).await,
            Format::Pptx => powerpoint(&tab, compiled, job, out).await,
            _ => print(&tab, compiled, job, out).await,
        }
    });
    let done = done.await;
    let refused = usher.refused().to_vec();
    tab.close().await;
    Ok((refused, done?))
}

async fn print(tab: &Tab, compiled: &Compiled, job: &Job, out: &mut dyn Out) -> Result<Vec<Diagnostic>, Error> {
    let rendered = &compiled.rendered;
    let count = rendered.slides.len();
    let limit = job.print.limit.map(|limit| limit + PER_SLIDE * u32::try_from(count).unwrap_or(u32::MAX));
    let printed = if job.print.handout {
        let bytes = pdf::handout(tab, rendered, &job.name, limit).await?;
        pdf::Printed { bytes, diagnostics: Vec::new() }
    } else {
        pdf::print(tab, rendered, &job.name, job.print.pdf, limit).await?
    };
    out.progress(count, count);
    out.file(None, &printed.bytes)?;
    Ok(printed.diagnostics)
}

async fn photograph(
    tab: &Tab,
    compiled: &Compiled,
    job: &Job,
    format: PictureFormat,
    out: &mut dyn Out,
) -> Result<Vec<Diagnostic>, Error> {
    match job.print.slides {
        Slides::One(number) => {
            let picture = picture::of_slide(tab, number.saturating_sub(1), format).await?;
            out.file(None, &picture)?;
        }
        Slides::All => {
            let count = compiled.rendered.slides.len();
            for index in 0..count {
                let picture = picture::of_slide(tab, index, format).await?;
                out.file(Some(index + 1), &picture)?;
                out.progress(index + 1, count);
            }
        }
    }
    Ok(Vec::new())
}

async fn powerpoint(tab: &Tab, compiled: &Compiled, job: &Job, out: &mut dyn Out) -> Result<Vec<Diagnostic>, Error> {
    let rendered = &compiled.rendered;
    let count = rendered.slides.len();
    let mut deck = Deck::new(rendered, &job.name, job.with_notes);
    if job.print.editable {
        tab.evaluate("preparing the texts", &html::asset_text(TEXTS).unwrap_or_default()).await?;
    }
    for (index, slide) in rendered.slides.iter().enumerate() {
        // Those that are taken are no longer in the picture, and their links are with them.
        let texts = match job.print.editable {
            true => tab.evaluate("taking texts", &format!("foredeck.texts({index})")).await?,
            false => Value::Null,
        };
        let links = tab.evaluate("looking for links", &format!("foredeck.links({index})")).await?;
        let picture = picture::of_slide(tab, index, PictureFormat::Png).await?;
        deck.slide(SlidePart { slide, picture: &picture, links: &links, texts: &texts })?;
        out.progress(index + 1, count);
    }
    out.file(None, &deck.finish()?)?;
    if !job.with_notes && rendered.slides.iter().any(|slide| !slide.notes.is_empty()) {
        return Ok(vec![pptx::notes_left_out()]);
    }
    Ok(Vec::new())
}

/// Prints an empty page, and says whether emoji have colours.
///
/// # Errors
/// When the browser does not.
pub async fn trial(browser: &Handle) -> Result<bool, super::browser::Error> {
    let own = |_: &str| None;
    let content = Content { html: String::new(), files: Vec::new(), own: &own };
    let (tab, mut usher) = browser.open(&content, View { width: 320.0, height: 180.0, scale: 1.0 }).await?;
    let tried = usher.beside(async {
        tab.load().await?;
        tab.evaluate("preparing the page", &html::asset_text(SCRIPT).unwrap_or_default()).await?;
        let emoji = tab.evaluate("drawing an emoji", "foredeck.emoji()").await?;
        tab.print(Some(super::browser::LIMIT)).await?;
        Ok(emoji.as_bool().unwrap_or_default())
    });
    let tried = tried.await;
    tab.close().await;
    tried
}
