//! What configuration files say of exports: Marp's keys, in Marp's spelling or with dashes. The command line wins.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::args::{ConvertArgs, TemplateName};
use crate::export::Format;
use crate::project::files::lexical;

/// The keys, as `foredeck.toml` spells them.
pub(in crate::cli) const KEYS: [&str; 16] = [
    "pdf",
    "pdf-notes",
    "pdf-outlines",
    "pptx",
    "pptx-editable",
    "notes",
    "image",
    "images",
    "image-scale",
    "jpeg-quality",
    "template",
    "bespoke",
    "browser",
    "browser-timeout",
    "parallel",
    "output",
];

/// What is made when nobody says otherwise, and how.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defaults {
    pdf: Option<bool>,
    pdf_notes: Option<bool>,
    outlines: Option<bool>,
    outline_pages: Option<bool>,
    outline_headings: Option<bool>,
    pptx: Option<bool>,
    pptx_editable: Option<bool>,
    notes: Option<bool>,
    image: Option<String>,
    images: Option<String>,
    image_scale: Option<f64>,
    jpeg_quality: Option<u8>,
    template: Option<TemplateName>,
    progress: Option<bool>,
    controls: Option<bool>,
    transition: Option<bool>,
    browser: Vec<String>,
    browser_timeout: Option<String>,
    parallel: Option<usize>,
    output: Option<PathBuf>,
}

impl Defaults {
    /// From the values of a file in a folder; `find` looks one up by its name with dashes.
    pub(in crate::cli) fn read<'v>(find: impl Fn(&str) -> Option<&'v Value>, folder: &Path) -> Self {
        let switch = |name: &str| find(name).and_then(Value::as_bool);
        let text = |name: &str| find(name).and_then(Value::as_str).map(str::to_owned);
        let within = |name: &str, key: &str| find(name).and_then(|value| value.get(key)).and_then(Value::as_bool);
        let outlines = find("pdf-outlines").map(|value| value.as_bool().unwrap_or(value.is_object()));
        let browser = match find("browser") {
            Some(Value::String(name)) => vec![name.clone()],
            Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        let timeout = find("browser-timeout").and_then(|value| match value {
            Value::Number(seconds) => Some(seconds.to_string()),
            Value::String(text) => Some(text.clone()),
            _ => None,
        });
        let parallel = find("parallel").and_then(|value| match value {
            Value::Bool(false) => Some(1),
            value => usize::try_from(value.as_u64()?).ok(),
        });
        Self {
            pdf: switch("pdf"),
            pdf_notes: switch("pdf-notes"),
            outlines,
            outline_pages: within("pdf-outlines", "pages"),
            outline_headings: within("pdf-outlines", "headings"),
            pptx: switch("pptx"),
            pptx_editable: switch("pptx-editable"),
            notes: switch("notes"),
            image: text("image"),
            images: text("images"),
            image_scale: find("image-scale").and_then(Value::as_f64),
            jpeg_quality: find("jpeg-quality").and_then(Value::as_u64).and_then(|quality| u8::try_from(quality).ok()),
            template: text("template").map(|name| match name.as_str() {
                "bare" => TemplateName::Bare,
                _ => TemplateName::Player,
            }),
            progress: within("bespoke", "progress"),
            controls: within("bespoke", "osc"),
            transition: within("bespoke", "transition"),
            browser,
            browser_timeout: timeout,
            parallel,
            output: text("output").and_then(|path| below(folder, &path)),
        }
    }

    /// These, completed by weaker ones.
    pub(in crate::cli) fn over(self, weaker: Self) -> Self {
        Self {
            pdf: self.pdf.or(weaker.pdf),
            pdf_notes: self.pdf_notes.or(weaker.pdf_notes),
            outlines: self.outlines.or(weaker.outlines),
            outline_pages: self.outline_pages.or(weaker.outline_pages),
            outline_headings: self.outline_headings.or(weaker.outline_headings),
            pptx: self.pptx.or(weaker.pptx),
            pptx_editable: self.pptx_editable.or(weaker.pptx_editable),
            notes: self.notes.or(weaker.notes),
            image: self.image.or(weaker.image),
            images: self.images.or(weaker.images),
            image_scale: self.image_scale.or(weaker.image_scale),
            jpeg_quality: self.jpeg_quality.or(weaker.jpeg_quality),
            template: self.template.or(weaker.template),
            progress: self.progress.or(weaker.progress),
            controls: self.controls.or(weaker.controls),
            transition: self.transition.or(weaker.transition),
            browser: if self.browser.is_empty() { weaker.browser } else { self.browser },
            browser_timeout: self.browser_timeout.or(weaker.browser_timeout),
            parallel: self.parallel.or(weaker.parallel),
            output: self.output.or(weaker.output),
        }
    }

    /// Completes a command line.
    pub(super) fn complete(&self, args: &mut ConvertArgs) {
        let named = args.output.as_deref().and_then(Format::of_path).is_some();
        let said = named || args.to.is_some() || args.notes || args.print.any();
        if args.output.is_none() && !said {
            args.output.clone_from(&self.output);
        }
        let print = &mut args.print;
        if !said {
            // Marp's order.
            match self {
                Self { pdf: Some(true), .. } => print.pdf = true,
                Self { pptx: Some(true), .. } => print.pptx = true,
                Self { notes: Some(true), .. } => args.notes = true,
                Self { images: Some(format), .. } => print.images = Some(format.clone()),
                Self { image: Some(format), .. } => print.image = Some(format.clone()),
                _ => {}
            }
        }
        let elsewhere = !said && (self.pdf == Some(false) || print.pptx || args.notes);
        let pictures = print.image.is_some() || print.images.is_some() || print.slide.is_some();
        if !print.handout && !elsewhere && !pictures {
            print.pdf_notes |= self.pdf_notes == Some(true);
            print.pdf_outlines = print.pdf_outlines.or(self.outlines);
            if print.pdf_outlines == Some(true) {
                print.outline_pages = print.outline_pages.or(self.outline_pages);
                print.outline_headings = print.outline_headings.or(self.outline_headings);
            }
        }
        print.pptx_editable |= self.pptx_editable == Some(true) && print.pptx;
        print.image_scale = print.image_scale.or(self.image_scale);
        print.jpeg_quality = print.jpeg_quality.or(self.jpeg_quality.filter(|quality| (1..=100).contains(quality)));
        if print.browser.is_empty() {
            print.browser.clone_from(&self.browser);
        }
        print.browser_timeout = print.browser_timeout.take().or(self.browser_timeout.clone());
        args.template = args.template.or(self.template);
        args.progress = args.progress.or(self.progress);
        args.osc = args.osc.or(self.controls);
        args.transition = args.transition.or(self.transition);
        if args.parallel.is_none() && !args.no_parallel {
            args.parallel = self.parallel.map(|number| Some(number.to_string()));
        }
    }
}

/// A path below a folder; a file of a project does not say what is written elsewhere.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let clean = lexical(path);
    let inside = path.is_relative() && path != Path::new("-") && !clean.starts_with("..") && clean != Path::new("");
    inside.then(|| folder.join(clean))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::cli::Inputs;
    use crate::cli::args::{Cli, Command};
    use crate::cli::export::plan::{Output, plan};
    use crate::export::pdf::outline::Outlines;
    use crate::export::press::Slides;

    fn completed(settings: &Value, line: &str) -> ConvertArgs {
        let cli = Cli::try_parse_from(format!("foredeck export {line}").split(' ')).expect("a command line");
        let Some(Command::Export(mut export)) = cli.command else { panic!("export") };
        let find = |name: &str| settings.get(name);
        Defaults::read(find, Path::new("conf")).complete(&mut export.convert);
        export.convert
    }

    fn planned(settings: &Value, line: &str) -> super::super::plan::Plan {
        let inputs = Inputs { decks: vec!["a.md".into()], themes: Vec::new() };
        plan(&completed(settings, line), &inputs, 2).map_err(|failure| failure.error.to_string()).expect("a plan")
    }

    #[test]
    fn formats_are_chosen_as_marp_does_unless_the_command_line_says() {
        for (settings, line, expected) in [
            (json!({ "pdf": true, "pptx": true }), "a.md", Format::Pdf),
            (json!({ "pptx": true, "notes": true }), "a.md", Format::Pptx),
            (json!({ "notes": true }), "a.md", Format::NotesText),
            (json!({ "images": "jpeg" }), "a.md", Format::Jpeg),
            (json!({ "pdf-notes": true }), "a.md", Format::Pdf),
            (json!({ "pdf-outlines": { "pages": false } }), "a.md", Format::Pdf),
            (json!({ "pdf": false, "pdf-notes": true }), "a.md", Format::Html),
            (json!({ "pdf": true }), "a.md -o x.html", Format::Html),
            (json!({ "pdf": true }), "a.md --to png", Format::Png),
            (json!({ "pdf": true, "pdf-notes": true }), "a.md --pptx", Format::Pptx),
            (json!({ "pdf-notes": true }), "a.md --handout", Format::Pdf),
        ] {
            assert_eq!(planned(&settings, line).job.format, expected, "{settings} {line}");
        }
    }

    #[test]
    fn options_are_taken_and_bounded() {
        let settings = json!({
            "pdf": true, "pdf-notes": true, "pdf-outlines": { "pages": false }, "image-scale": 2, "jpeg-quality": 300,
            "bespoke": { "progress": true, "osc": false }, "browser": ["chrome"], "browser-timeout": 5, "parallel": false,
        });
        let plan = planned(&settings, "a.md");
        let print = &plan.job.print;
        assert_eq!(print.pdf.outlines, Some(Outlines { pages: false, headings: true }));
        assert!(print.pdf.notes && plan.job.progress && plan.job.no_controls);
        assert_eq!((print.scale, print.quality, plan.at_once), (Some(2.0), 85, 1));
        assert_eq!(plan.browser.limit, Some(std::time::Duration::from_secs(5)));
        let over = planned(&settings, "a.md --pdf-outlines=false --image-scale 3 -P 4");
        assert_eq!((over.job.print.pdf.outlines, over.job.print.scale, over.at_once), (None, Some(3.0), 4));
        assert_eq!(planned(&json!({ "images": "png" }), "a.md").job.print.slides, Slides::All);
    }

    #[test]
    fn a_file_says_where_results_go_below_its_folder_alone() {
        for (path, expected) in [
            ("out/x.pdf", Output::File("conf/out/x.pdf".into())),
            ("../x.pdf", Output::Beside),
            ("a/../../x.pdf", Output::Beside),
            ("/etc/x.pdf", Output::Beside),
        ] {
            assert_eq!(planned(&json!({ "output": path }), "a.md").output, expected, "{path}");
        }
        assert_eq!(planned(&json!({ "output": "x.pdf" }), "a.md -o y.pdf").output, Output::File("y.pdf".into()));
    }
}
