//! The flags for what a browser makes.

use std::path::PathBuf;

use clap::Args;

/// What a browser makes, and which browser.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Printing")]
pub struct PrintArgs {
    /// Make a PDF
    #[arg(long)]
    pub pdf: bool,
    /// Put presenter notes into the PDF as annotations
    #[arg(long)]
    pub pdf_notes: bool,
    /// Give the PDF an outline of its pages and headings
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub pdf_outlines: Option<bool>,
    /// Whether pages are in the outline
    #[arg(long = "pdf-outlines.pages", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub outline_pages: Option<bool>,
    /// Whether headings are in the outline
    #[arg(long = "pdf-outlines.headings", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub outline_headings: Option<bool>,
    /// Make a PDF on A4 for readers: small slides with lines beside them, or with the notes
    #[arg(long)]
    pub handout: bool,
    /// Make a PowerPoint file
    #[arg(long)]
    pub pptx: bool,
    /// Make a PowerPoint file whose headings, paragraphs and lists are texts where they can be
    #[arg(long)]
    pub pptx_editable: bool,
    /// Make a picture of the first slide, or of that of `--slide`: png or jpeg
    #[arg(long, value_name = "FORMAT")]
    pub image: Option<String>,
    /// Make a picture of every slide: png or jpeg
    #[arg(long, value_name = "FORMAT")]
    pub images: Option<String>,
    /// The slide that the picture is of
    #[arg(long, value_name = "N")]
    pub slide: Option<usize>,
    /// Pixels of a picture for a pixel of the slide, up to 10
    #[arg(long, value_name = "FACTOR")]
    pub image_scale: Option<f64>,
    /// Quality of JPEG pictures, 1 to 100
    #[arg(long, value_name = "QUALITY", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub jpeg_quality: Option<u8>,
    /// Let slides fetch from the network
    #[arg(long)]
    pub allow_remote: bool,
    /// Which browsers to look for: chrome, edge
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub browser: Vec<String>,
    /// The browser's program
    #[arg(long, value_name = "FILE")]
    pub browser_path: Option<PathBuf>,
    /// How long the browser may take for anything: 30s; 0 for as long as it wants
    #[arg(long, value_name = "TIME")]
    pub browser_timeout: Option<String>,
    /// Accepted for Marp's command lines: it is always cdp
    #[arg(long, hide = true, value_parser = ["cdp"])]
    pub browser_protocol: Option<String>,
}

impl PrintArgs {
    /// Whether something is to be made.
    pub(in crate::cli) fn any(&self) -> bool {
        self.pdf
            || self.pptx
            || self.pptx_editable
            || self.image.is_some()
            || self.images.is_some()
            || self.slide.is_some()
            || self.implies_pdf()
    }

    /// Whether a flag makes sense for a PDF alone.
    pub(super) fn implies_pdf(&self) -> bool {
        self.pdf_notes
            || self.handout
            || [self.pdf_outlines, self.outline_pages, self.outline_headings].contains(&Some(true))
    }
}
