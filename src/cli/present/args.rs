//! The flags for what is behind the slides.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::cluster::args::Which;
use crate::deck::own;

/// The live system behind the slides.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Live demo")]
pub struct DemoArgs {
    /// Which cluster.
    #[command(flatten)]
    pub which: Which,
    /// Show the slides only; panels show their snapshots
    #[arg(long)]
    pub no_demo: bool,
    /// Never run anything: no steps, no terminals, whatever was trusted
    #[arg(long)]
    pub safe: bool,
    /// Go on where the last run stopped: same slide, same repository
    #[arg(long)]
    pub resume: bool,
    /// Follow this repository instead of the demo repository
    #[arg(long, value_name = "URL")]
    pub git_url: Option<String>,
    /// Its branch
    #[arg(long, value_name = "BRANCH")]
    pub git_branch: Option<String>,
    /// Folder of the repository to apply; may be given more than once
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub git_path: Vec<String>,
    /// Write nothing to the repository
    #[arg(long)]
    pub git_readonly: bool,
    /// How often the repository is looked at
    #[arg(long, value_name = "TIME")]
    pub git_poll_interval: Option<String>,
    /// How often everything is applied again
    #[arg(long, value_name = "TIME")]
    pub sync_interval: Option<String>,
    /// What is recorded, and what recordings are for.
    #[command(flatten)]
    pub runs: RunArgs,
}

/// Recorded runs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Recorded runs")]
pub struct RunArgs {
    /// Show a recorded run in the place of a cluster: the last one that passed, or this file
    #[arg(long, value_name = "RUN", num_args = 0..=1, require_equals = true)]
    pub replay: Option<Option<PathBuf>>,
    /// When the live demo fails, show the last run that passed: auto, ask or never
    #[arg(long, value_name = "WHEN", value_enum)]
    pub fallback: Option<Fallback>,
    /// Do not record this run
    #[arg(long)]
    pub no_record: bool,
    /// How large the file of a run may get: 16M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_run_size: Option<usize>,
}

/// What is done when the live demo fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fallback {
    /// The recorded run takes over
    Auto,
    /// The presenter view offers it
    Ask,
    /// Nothing
    Never,
}

impl From<Fallback> for own::Fallback {
    fn from(fallback: Fallback) -> Self {
        match fallback {
            Fallback::Auto => Self::Auto,
            Fallback::Ask => Self::Ask,
            Fallback::Never => Self::Never,
        }
    }
}

/// `16M`, `500k`, `1000000`.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().trim_end_matches(['b', 'i']) {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => 0,
    };
    let bytes = digits.parse::<usize>().ok().and_then(|number| number.checked_mul(unit)).filter(|bytes| *bytes >= 4096);
    bytes.ok_or_else(|| "a size is a number with `k`, `M` or `G`, at least 4k".to_owned())
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in
            [("16M", Some(16 << 20)), ("500k", Some(500 << 10)), ("8192", Some(8192)), ("1MiB", Some(1 << 20))]
        {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
        for text in ["", "M", "16X", "100", "999999999999G", "-1"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
