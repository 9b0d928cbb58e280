//! Command lines and what they mean.

use clap::Parser as _;

use super::*;
use crate::cli::args::{Cli, Command};

fn planned(line: &str) -> Result<Plan, String> {
    let cli = Cli::try_parse_from(format!("foredeck export {line}").split(' ')).map_err(|error| error.to_string())?;
    let Some(Command::Export(export)) = cli.command else { return Err("another command".to_owned()) };
    let inputs = Inputs { decks: export.inputs, themes: Vec::new() };
    plan(&export.convert, &inputs, 2).map_err(|failure| failure.error.to_string())
}

#[test]
fn formats_come_from_flags_then_names() {
    for (line, expected) in [
        ("a.md", Format::Html),
        ("a.md -o x.PDF", Format::Pdf),
        ("a.md -o x.jpeg", Format::Jpeg),
        ("a.md -o x.pptx", Format::Pptx),
        ("a.md -o x.bin --pdf", Format::Pdf),
        ("a.md --to png -o -", Format::Png),
        ("a.md --pdf-notes", Format::Pdf),
        ("a.md --pdf-outlines=false", Format::Html),
        ("a.md --pdf-outlines.headings", Format::Pdf),
        ("a.md --pdf-notes -o x.html", Format::Html),
        ("a.md --handout", Format::Pdf),
        ("a.md --slide 3", Format::Png),
        ("a.md --image jpg", Format::Jpeg),
        ("a.md --notes -o n.md", Format::NotesText),
        ("a.md --notes --to md", Format::NotesMarkdown),
        ("a.md --pdf --to pdf", Format::Pdf),
        ("a.md --pptx-editable --pptx", Format::Pptx),
    ] {
        assert_eq!(planned(line).map(|plan| plan.job.format), Ok(expected), "{line}");
    }
}

#[test]
fn contradictions_are_told() {
    for (line, expected) in [
        ("a.md --pdf --pptx", "`--pdf` and `--pptx` ask for different things"),
        ("a.md --pdf --to png", "`--pdf` and `--to png` ask for different things"),
        ("a.md --image png --images png", "`--image` is of one slide, `--images` of all"),
        ("a.md --image gif", "there are no pictures of the format `gif`"),
        ("a.md --to odp", "there is no format `odp`"),
        ("a.md --images png --slide 2", "`--images` is of all slides, `--slide` of one"),
        ("a.md --image png --slide 0", "there is no slide 0: slides are counted from 1"),
        ("a.md --images png -o -", "several pictures cannot go to standard output"),
        ("a.md --handout --pdf-notes", "a handout has neither outline nor annotations"),
        ("a.md --pdf --image-scale 0", "`--image-scale` is a number above 0, up to 10"),
        ("a.md --pdf --image-scale NaN", "`--image-scale` is a number above 0, up to 10"),
        ("a.md --pdf --browser firefox", "foredeck prints with Chromium, Chrome and Edge, not with Firefox"),
        ("a.md --pdf --browser lynx", "there is no browser `lynx`"),
        ("a.md --pdf --browser-timeout soon", "`--browser-timeout soon` is no time"),
        ("a.md b.md --pdf -o x.pdf", "several decks cannot go into the one file `x.pdf`"),
    ] {
        assert_eq!(planned(line).err().as_deref(), Some(expected), "{line}");
    }
}

#[test]
fn outlines_are_as_marp_has_them() {
    let outlines = |pages, headings| Some(Outlines { pages, headings });
    for (line, expected) in [
        ("--pdf", None),
        ("--pdf-outlines", outlines(true, true)),
        ("--pdf-outlines.pages", outlines(true, true)),
        ("--pdf-outlines.headings --pdf-outlines.pages=false", outlines(false, true)),
        ("--pdf-outlines.pages --pdf-outlines.headings", outlines(true, true)),
        ("--pdf-outlines --pdf-outlines.pages=false", outlines(false, true)),
        ("--pdf-outlines --pdf-outlines.headings=false", outlines(true, false)),
        ("--pdf-outlines --pdf-outlines.pages=false --pdf-outlines.headings=false", None),
        ("--pdf --pdf-outlines=false --pdf-outlines.pages", None),
    ] {
        assert_eq!(planned(&format!("a.md {line}")).map(|plan| plan.job.print.pdf.outlines), Ok(expected), "{line}");
    }
}

#[test]
fn numbers_and_times_have_their_bounds() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (line, expected) in [
        ("", (None, 85, seconds(30), 2)),
        ("--image-scale 2.5 --jpeg-quality 60 --browser-timeout 10", (Some(2.5), 60, seconds(10), 2)),
        ("--image-scale 11 --browser-timeout 1m -P 3", (Some(10.0), 85, seconds(60), 3)),
        ("--browser-timeout 500ms --no-parallel", (None, 85, Some(Duration::from_millis(500)), 1)),
        ("--browser-timeout 0 -P 1000", (None, 85, None, 16)),
        ("--browser-timeout false", (None, 85, None, 2)),
    ] {
        let plan = planned(format!("a.md --to jpeg {line}").trim()).unwrap();
        let print = &plan.job.print;
        assert_eq!((print.scale, print.quality, plan.browser.limit, plan.at_once), expected, "{line}");
        assert_eq!(plan.remarks.len(), usize::from(line.contains("11")));
    }
}

#[test]
fn results_go_where_they_should() {
    for (line, expected) in [
        ("a.md --pdf", Output::Beside),
        ("a.md --pdf -o -", Output::Standard),
        ("- --pdf", Output::Standard),
        ("a.md --pdf -o x/", Output::Folder("x/".into())),
        ("a.md b.md --pdf -o x", Output::Folder("x".into())),
        ("a.md --pdf -o x", Output::File("x".into())),
    ] {
        assert_eq!(planned(line).map(|plan| plan.output), Ok(expected), "{line}");
    }
}
