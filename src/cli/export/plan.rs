//! The flags of `export`, resolved: contradictions are errors here and nowhere else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::Inputs;
use crate::cli::args::{ConvertArgs, TemplateName};
use crate::cli::console::Failure;
use crate::cluster::goduration;
use crate::export::browser::find::{Brand, Wanted};
use crate::export::browser::{self, Options};
use crate::export::pdf::PdfOptions;
use crate::export::pdf::outline::Outlines;
use crate::export::press::{PrintOptions, Slides};
use crate::export::{Format, Job, Template};

use super::args::PrintArgs;

/// The largest scale of pictures.
const LARGEST_SCALE: f64 = 10.0;
/// The quality of JPEG pictures when nobody says another: Marp's.
const QUALITY: u8 = 85;
/// So many decks are printed at once at most.
const MOST_AT_ONCE: usize = 16;

/// What is to be done.
pub(super) struct Plan {
    pub(super) job: Job,
    pub(super) output: Output,
    pub(super) browser: Options,
    /// The recorded run for pages: a file, or `none`.
    pub(super) run: Option<PathBuf>,
    /// How many decks are printed at once.
    pub(super) at_once: usize,
    /// What was not taken as it was written.
    pub(super) remarks: Vec<String>,
}

/// Where a result goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Output {
    Standard,
    File(PathBuf),
    /// A file per deck, and an index for pages.
    Folder(PathBuf),
    /// Each beside its deck.
    Beside,
}

/// Resolves the flags. `cores` is how many things this machine does at once.
pub(super) fn plan(args: &ConvertArgs, inputs: &Inputs, cores: usize) -> Result<Plan, Failure> {
    let print = &args.print;
    let format = format(args)?;
    let mut remarks = Vec::new();
    let job = Job {
        format,
        template: if args.template == Some(TemplateName::Bare) { Template::Bare } else { Template::Player },
        with_notes: args.with_notes,
        inline: if args.inline { Some(true) } else { args.no_inline.then_some(false) },
        progress: args.progress == Some(true),
        no_controls: args.osc == Some(false),
        film: None,
        print: PrintOptions {
            slides: slides(print)?,
            scale: scale(print.image_scale, &mut remarks)?,
            quality: print.jpeg_quality.unwrap_or(QUALITY),
            pdf: PdfOptions { outlines: outlines(print), notes: print.pdf_notes },
            handout: print.handout,
            editable: print.pptx_editable,
            limit: limit(print.browser_timeout.as_deref())?,
        },
        name: String::new(),
    };
    if job.print.handout && (print.pdf_notes || job.print.pdf.outlines.is_some()) {
        return Err(Failure::usage("a handout has neither outline nor annotations")
            .hint("`--with-notes` prints the notes beside the slides"));
    }
    let browser = Options { wanted: wanted(print)?, limit: job.print.limit, allow_remote: print.allow_remote };
    let output = output(args, inputs)?;
    let pictures = matches!(format, Format::Png | Format::Jpeg) && job.print.slides == Slides::All;
    if output == Output::Standard && pictures {
        return Err(Failure::usage("several pictures cannot go to standard output")
            .hint("`--image` makes one, and `--slide N` says of which slide"));
    }
    Ok(Plan { job, output, browser, run: args.run.clone(), at_once: at_once(args, cores), remarks })
}

/// The format: of a flag, of the output's name, or of a flag that makes sense for one format alone.
fn format(args: &ConvertArgs) -> Result<Format, Failure> {
    let mut asked: Vec<(String, Format)> = Vec::new();
    for (is_set, flag, format) in [
        (args.notes, "--notes", Format::NotesText),
        (args.print.pdf, "--pdf", Format::Pdf),
        (args.print.pptx, "--pptx", Format::Pptx),
        (args.print.pptx_editable, "--pptx-editable", Format::Pptx),
    ] {
        if is_set {
            asked.push((flag.to_owned(), format));
        }
    }
    for (flag, value) in [("--image", &args.print.image), ("--images", &args.print.images)] {
        let Some(value) = value else { continue };
        let format = Format::of_name(value).filter(|format| matches!(format, Format::Png | Format::Jpeg));
        let format = format.ok_or_else(|| {
            Failure::usage(format!("there are no pictures of the format `{value}`")).hint("formats are png and jpeg")
        })?;
        asked.push((format!("{flag} {value}"), format));
    }
    if let Some(name) = &args.to {
        let format = Format::of_name(name).ok_or_else(|| {
            Failure::usage(format!("there is no format `{name}`"))
                .hint("formats are html, pdf, png, jpeg, pptx, md and txt")
        })?;
        // `--to md --notes` says which form the notes have.
        asked.retain(|(_, other)| !(format == Format::NotesMarkdown && *other == Format::NotesText));
        asked.push((format!("--to {name}"), format));
    }
    if args.print.image.is_some() && args.print.images.is_some() {
        return Err(Failure::usage("`--image` is of one slide, `--images` of all"));
    }
    if let Some((flag, format)) = asked.first() {
        let other = asked.iter().find(|(_, other)| other != format);
        return match other {
            None => Ok(*format),
            Some((other, _)) => Err(Failure::usage(format!("`{flag}` and `{other}` ask for different things"))),
        };
    }
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let implied = if args.print.implies_pdf() { Some(Format::Pdf) } else { args.print.slide.map(|_| Format::Png) };
    Ok(output.and_then(Format::of_path).or(implied).unwrap_or_default())
}

fn slides(print: &PrintArgs) -> Result<Slides, Failure> {
    match (&print.images, print.slide) {
        (Some(_), Some(_)) => Err(Failure::usage("`--images` is of all slides, `--slide` of one")
            .hint("`--image png --slide 3` makes a picture of the third")),
        (Some(_), None) => Ok(Slides::All),
        (None, Some(0)) => Err(Failure::usage("there is no slide 0: slides are counted from 1")),
        (None, number) => Ok(Slides::One(number.unwrap_or(1))),
    }
}

fn outlines(print: &PrintArgs) -> Option<Outlines> {
    let parts = [print.outline_pages, print.outline_headings];
    let wanted = print.pdf_outlines.unwrap_or_else(|| parts.contains(&Some(true)));
    let [pages, headings] = parts.map(|part| part.unwrap_or(true));
    (wanted && (pages || headings)).then_some(Outlines { pages, headings })
}

fn scale(asked: Option<f64>, remarks: &mut Vec<String>) -> Result<Option<f64>, Failure> {
    match asked {
        Some(scale) if scale > 0.0 && scale <= LARGEST_SCALE => Ok(Some(scale)),
        Some(scale) if scale > LARGEST_SCALE && scale.is_finite() => {
            remarks.push(format!("`--image-scale {scale}` is too large; pictures are {LARGEST_SCALE} times the size"));
            Ok(Some(LARGEST_SCALE))
        }
        Some(_) => Err(Failure::usage("`--image-scale` is a number above 0, up to 10")),
        None => Ok(None),
    }
}

/// Marp's forms of a time: `10` and `10s` are seconds, `500ms`; `0` and `false` are no limit.
fn limit(asked: Option<&str>) -> Result<Option<Duration>, Failure> {
    let Some(text) = asked else { return Ok(Some(browser::LIMIT)) };
    if matches!(text, "0" | "0s" | "false") {
        return Ok(None);
    }
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let written = || goduration::length(text).ok();
    let limit = seconds.or_else(written).filter(|limit| !limit.is_zero());
    limit.map(Some).ok_or_else(|| {
        Failure::usage(format!("`--browser-timeout {text}` is no time"))
            .hint("for example `30s`, `500ms`, or 0 for none")
    })
}

fn wanted(print: &PrintArgs) -> Result<Wanted, Failure> {
    let mut brands = Vec::new();
    for name in print.browser.iter().filter(|name| name.as_str() != "auto") {
        match Brand::of_name(name) {
            Some(Brand::Firefox) => {}
            Some(brand) => brands.push(brand),
            None => {
                return Err(
                    Failure::usage(format!("there is no browser `{name}`")).hint("browsers are chrome and edge")
                );
            }
        }
    }
    if brands.is_empty() && !print.browser.is_empty() && print.browser.iter().all(|name| name != "auto") {
        return Err(Failure::usage("foredeck prints with Chromium, Chrome and Edge, not with Firefox"));
    }
    Ok(Wanted { path: print.browser_path.clone(), brands })
}

fn at_once(args: &ConvertArgs, cores: usize) -> usize {
    if args.no_parallel {
        return 1;
    }
    let asked = args.parallel.as_ref().and_then(|number| number.as_ref()?.parse::<usize>().ok());
    asked.unwrap_or(cores).clamp(1, MOST_AT_ONCE)
}

fn output(args: &ConvertArgs, inputs: &Inputs) -> Result<Output, Failure> {
    let from_pipe = inputs.decks.iter().any(|path| path == Path::new("-"));
    if from_pipe && inputs.decks.len() > 1 {
        return Err(Failure::usage("standard input cannot be one of several decks"));
    }
    let many = inputs.decks.len() > 1 || inputs.decks.iter().any(|path| path.is_dir());
    match &args.output {
        Some(path) if path == Path::new("-") && many => {
            Err(Failure::usage("several decks cannot go to standard output").hint("name a folder with `-o`"))
        }
        Some(path) if path == Path::new("-") => Ok(Output::Standard),
        Some(path) if many && (path.is_file() || Format::of_path(path).is_some()) => {
            let message = format!("several decks cannot go into the one file `{}`", path.display());
            Err(Failure::usage(message).hint("name a folder with `-o`"))
        }
        Some(path) if many || path.is_dir() || path.to_string_lossy().ends_with('/') => {
            Ok(Output::Folder(path.clone()))
        }
        Some(path) => Ok(Output::File(path.clone())),
        None if from_pipe => Ok(Output::Standard),
        None if inputs.decks.iter().any(|path| path.is_dir()) => {
            Err(Failure::usage("a folder of decks needs a folder to go to").hint("for example `-o site`"))
        }
        None => Ok(Output::Beside),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
