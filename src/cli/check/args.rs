//! What may stand behind `check`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::fit::Projector;
use crate::cli::args::{ConsoleArgs, FormatName, RenderArgs};

/// `check`
#[derive(Debug, Args)]
#[command(mut_arg("format", |format| {
    format.value_parser(findings_written()).help("How findings are written, or how decks are").help_heading(None::<&str>)
}))]
pub struct Check {
    /// Decks or a folder of decks; `-` is standard input
    #[arg(value_name = "DECK|DIR")]
    pub inputs: Vec<PathBuf>,
    /// Mend what can be mended without deciding anything
    #[arg(long)]
    pub fix: bool,
    /// Measure slides as a projector of this size shows them, in a browser where there is one
    #[arg(long, value_name = "WxH", value_parser = Projector::parse)]
    pub(super) projector: Option<Projector>,
    /// There will be no network: what is fetched from it is an error
    #[arg(long)]
    pub offline: bool,
    /// How findings are written, when `--format` says how decks are
    #[arg(long, value_name = "FORM", value_parser = PossibleValuesParser::new(words(&REPORTS)).map(report))]
    pub report: Option<Report>,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Report {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanners.
    Sarif,
    /// Workflow commands of GitHub.
    Github,
}

type Word = (&'static str, &'static str);

const REPORTS: [(Word, Report); 4] = [
    (("text", "For people"), Report::Text),
    (("json", "One JSON document"), Report::Json),
    (("sarif", "SARIF 2.1.0, for code scanners"), Report::Sarif),
    (("github", "Workflow commands of GitHub"), Report::Github),
];
const DECKS: [(Word, FormatName); 2] = [
    (("marp", "Decks are Marp Markdown"), FormatName::Marp),
    (("reveal", "Decks are reveal.js Markdown: three newlines next, two below"), FormatName::Reveal),
];

fn words<T>(table: &[(Word, T)]) -> Vec<PossibleValue> {
    table.iter().map(|((word, help), _)| PossibleValue::new(*word).help(*help)).collect()
}

fn report(word: String) -> Report {
    REPORTS.iter().find(|((known, _), _)| *known == word).map(|(_, report)| *report).unwrap_or_default()
}

fn format(word: String) -> FormatName {
    let decks = DECKS.iter().find(|((known, _), _)| *known == word).map(|(_, format)| *format);
    decks.unwrap_or_else(|| FormatName::Report(report(word)))
}

/// Reads how decks are written.
pub fn decks_written() -> impl TypedValueParser<Value = FormatName> {
    PossibleValuesParser::new(words(&DECKS)).map(format)
}

/// Reads how findings are written, or decks.
fn findings_written() -> impl TypedValueParser<Value = FormatName> {
    let all: Vec<PossibleValue> = words(&REPORTS).into_iter().chain(words(&DECKS)).collect();
    PossibleValuesParser::new(all).map(format)
}

impl Check {
    /// How findings are written.
    pub(super) fn form(&self) -> Report {
        match (self.report, self.render.format) {
            (Some(report), _) | (None, Some(FormatName::Report(report))) => report,
            (None, _) if self.console.json => Report::Json,
            (None, _) => Report::Text,
        }
    }
}
