//! What may stand on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::check::args::{Check, Report, decks_written};
use super::cluster::args::ClusterArgs;
use super::doctor::args::Doctor;
use super::export::args::PrintArgs;
use super::present::args::DemoArgs;
use super::reconcile::ReconcileArgs;
use super::rehearse::args::Rehearse;
use super::snapshot::args::Snapshot;
use super::test::args::TestArgs;
use super::workshop::args::WorkshopArgs;

/// Marp-compatible slide decks, presented, checked and exported.
#[derive(Debug, Parser)]
#[command(name = "foredeck", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_help = "Without a command the deck is presented; with -o, --to or --notes it is exported.")]
pub struct Cli {
    /// What to do; presents or exports when there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The deck and how to show it, when there is no command.
    #[command(flatten)]
    pub bare: Bare,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a deck, or a folder of decks, in the browser
    Present(Box<Present>),
    /// Make an HTML file, PDF, pictures or PowerPoint of a deck, a site of a folder, or a text of the notes
    Export(Box<Export>),
    /// Run every step of a deck, record it all, and tell how long it took
    Rehearse(Box<Rehearse>),
    /// Look for mistakes in decks
    Check(Box<Check>),
    /// Turn another tool's slides into a Marp deck
    Import(Import),
    /// List, write out and check themes
    Theme(ThemeArgs),
    /// Start a talk: a folder with a first deck
    New(New),
    /// Present a live talk in a folder that goes afterwards
    Demo(Box<Demo>),
    /// Start, stop and look at clusters
    Cluster(ClusterArgs),
    /// Talk to the cluster: the kubectl on the PATH, or a small one that is built in
    #[command(disable_help_flag = true)]
    Kubectl {
        /// What kubectl takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<OsString>,
    },
    /// Make the cluster as Git wants it, now
    Sync {
        /// Messages.
        #[command(flatten)]
        console: ConsoleArgs,
    },
    /// Look at the reconciler
    Reconcile(ReconcileArgs),
    /// Talk to the reconciler as with Flux 1
    #[command(disable_help_flag = true)]
    Fluxctl {
        /// What fluxctl takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<OsString>,
    },
    /// Fill in templates of Cluster API and look at its clusters, as with clusterctl
    #[command(disable_help_flag = true)]
    Clusterctl {
        /// What clusterctl takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<OsString>,
    },
    /// Look at what foredeck needs on this machine: browser, git, kubectl, port, decks
    Doctor(Doctor),
    /// Read the commands of a deck and allow them to be run
    Trust(Trust),
    /// Put the text of a live run into the panels of decks
    Snapshot(Snapshot),
    /// Exercises: list, start, run, check, solve and reset the steps of a workshop
    Workshop(WorkshopArgs),
    /// Run everything that can be run headless, and say what does not work
    Test(Box<TestArgs>),
    /// Explain a code of a finding, or a topic
    Docs(Docs),
    /// Write completions for a shell to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
        /// Where messages go and how they look
        #[command(flatten)]
        console: ConsoleArgs,
    },
    /// Write the manual page to standard output
    Man {
        /// Where messages go and how they look
        #[command(flatten)]
        console: ConsoleArgs,
    },
}

/// `foredeck [DECK|DIR]` and Marp's own command lines.
#[derive(Debug, Args)]
pub struct Bare {
    /// Decks or a folder of decks; `-` is standard input
    #[arg(value_name = "DECK|DIR")]
    pub inputs: Vec<PathBuf>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// How to export.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// The live system behind the slides.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `present`
#[derive(Debug, Args)]
pub struct Present {
    /// A deck or a folder of decks
    #[arg(value_name = "DECK|DIR")]
    pub inputs: Vec<PathBuf>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// What the document says about itself.
    #[command(flatten)]
    pub meta: MetaArgs,
    /// The live system behind the slides.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// The live system behind the slides.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `export`
#[derive(Debug, Args)]
pub struct Export {
    /// Decks or a folder of decks; `-` is standard input
    #[arg(value_name = "DECK|DIR")]
    pub inputs: Vec<PathBuf>,
    /// How to export.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `import`
#[derive(Debug, Args)]
pub struct Import {
    /// What wrote it
    #[arg(value_enum)]
    pub from: ImportFrom,
    /// The file, `-` is standard input; the folder of a Killercoda scenario
    #[arg(value_name = "FILE|DIR")]
    pub input: PathBuf,
    /// Where to write: the deck, standard output when not given; the folder of steps, `workshop` when not given
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Write over steps that are there
    #[arg(long)]
    pub force: bool,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// What can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportFrom {
    /// reveal.js Markdown: three newlines next, two below
    Reveal,
    /// A scenario of Killercoda: it becomes the steps of a workshop
    Killercoda,
}

/// `theme`
#[derive(Debug, Args)]
pub struct ThemeArgs {
    /// What to do with themes.
    #[command(subcommand)]
    pub command: ThemeCommand,
}

/// What to do with themes.
#[derive(Debug, Subcommand)]
pub enum ThemeCommand {
    /// List the themes a deck here may name
    List {
        /// A deck or folder whose themes count too
        #[arg(value_name = "DECK|DIR")]
        input: Option<PathBuf>,
        /// How to render.
        #[command(flatten)]
        render: RenderArgs,
        /// Messages.
        #[command(flatten)]
        console: ConsoleArgs,
    },
    /// Write a built-in theme to a file, to make it your own
    Eject {
        /// Its name
        name: String,
        /// Where to; `themes/NAME.css` when not given, `-` is standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Messages.
        #[command(flatten)]
        console: ConsoleArgs,
    },
    /// Look for mistakes in theme files
    Check {
        /// The files or folders
        #[arg(value_name = "FILE|DIR", required = true)]
        files: Vec<PathBuf>,
        /// Messages.
        #[command(flatten)]
        console: ConsoleArgs,
    },
}

/// `new`
#[derive(Debug, Args)]
pub struct New {
    /// The folder to make
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `trust`
#[derive(Debug, Args)]
pub struct Trust {
    /// The deck, or a folder of decks
    #[arg(value_name = "DECK|DIR")]
    pub input: Option<PathBuf>,
    /// Agree without being asked
    #[arg(short, long)]
    pub yes: bool,
    /// List what is trusted
    #[arg(long, conflicts_with_all = ["yes", "revoke"])]
    pub list: bool,
    /// Take the agreement back: for the deck, or for a hash of the list
    #[arg(long, conflicts_with = "yes")]
    pub revoke: bool,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `docs`
#[derive(Debug, Args)]
pub struct Docs {
    /// A code such as `theme/unknown`, or a topic; lists them when not given
    #[arg(value_name = "CODE|TOPIC")]
    pub subject: Option<String>,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Where messages go and how they look.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Messages")]
pub struct ConsoleArgs {
    /// Write one JSON document to standard output
    #[arg(long)]
    pub json: bool,
    /// When to use colour; `NO_COLOR` turns it off too
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Say only what went wrong
    #[arg(short, long)]
    pub quiet: bool,
    /// Say more; `RUST_LOG` chooses about what
    #[arg(short = 'd', long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub debug: Option<String>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colour {
    /// On a terminal
    #[default]
    Auto,
    /// Also in pipes and files
    Always,
    /// Not at all
    Never,
}

/// How to serve.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Presenting")]
pub struct ServeArgs {
    /// Address to listen on; anything but 127.0.0.1 lets others in
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Do not open the browser
    #[arg(long)]
    pub no_open: bool,
    /// Do not follow edits
    #[arg(long)]
    pub no_watch: bool,
    /// Serve the folder (Marp's flag; foredeck always serves)
    #[arg(short, long)]
    pub server: bool,
    /// Open the browser even when it would not be by itself
    #[arg(short, long)]
    pub preview: bool,
}

/// How to export.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Exporting")]
pub struct ConvertArgs {
    /// Where to write; `-` is standard output, beside the deck when not given
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// What to make: html, pdf, png, jpeg, pptx, md or txt; else the output's extension says
    #[arg(long, value_name = "FORMAT")]
    pub to: Option<String>,
    /// Make a text of the presenter notes
    #[arg(long)]
    pub notes: bool,
    /// What is around the slides: player, or bare for only the slides
    #[arg(long, value_name = "TEMPLATE", value_enum)]
    pub template: Option<TemplateName>,
    /// Put presenter notes into the page, the PowerPoint file or the handout
    #[arg(long)]
    pub with_notes: bool,
    /// Put local files into the page, also with `--template bare`
    #[arg(long, overrides_with = "no_inline")]
    pub inline: bool,
    /// Leave addresses as they are
    #[arg(long)]
    pub no_inline: bool,
    /// The recorded run in the page: a file, or none; the last one that passed when not given
    #[arg(long, value_name = "FILE|none")]
    pub run: Option<PathBuf>,
    /// The folder of decks to export
    #[arg(short = 'I', long, value_name = "DIR")]
    pub input_dir: Option<PathBuf>,
    /// Export again whenever a file changes
    #[arg(short, long)]
    pub watch: bool,
    /// How many decks to print at once
    #[arg(short = 'P', long, value_name = "N", num_args = 0..=1)]
    pub parallel: Option<Option<String>>,
    /// Print decks one by one
    #[arg(long, conflicts_with = "parallel")]
    pub no_parallel: bool,
    /// Accepted for Marp's command lines; files below the deck's folder always go in
    #[arg(long, hide = true)]
    pub allow_local_files: bool,
    /// Standard input is read only when `-` is the deck
    #[arg(long, hide = true)]
    pub no_stdin: bool,
    /// Change slides without transitions: `--bespoke.transition=false`
    #[arg(long = "bespoke.transition", hide = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub transition: Option<bool>,
    /// Show a bar of progress
    #[arg(long = "bespoke.progress", hide = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub progress: Option<bool>,
    /// Show the buttons
    #[arg(long = "bespoke.osc", hide = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub osc: Option<bool>,
    /// What a browser makes.
    #[command(flatten)]
    pub print: PrintArgs,
    /// What the document says about itself.
    #[command(flatten)]
    pub meta: MetaArgs,
}

/// What the document says about itself.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Document")]
pub struct MetaArgs {
    /// Title of the document
    #[arg(long)]
    pub title: Option<String>,
    /// Description of the document
    #[arg(long)]
    pub description: Option<String>,
    /// Author of the document
    #[arg(long)]
    pub author: Option<String>,
    /// Keywords, separated by commas
    #[arg(long)]
    pub keywords: Option<String>,
    /// Canonical address of the document
    #[arg(long)]
    pub url: Option<String>,
    /// Address of a picture for social cards
    #[arg(long, value_name = "URL")]
    pub og_image: Option<String>,
}

/// What is around the slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TemplateName {
    /// Keys, presenter view, overview
    #[value(alias = "bespoke")]
    Player,
    /// The slides one below the other
    Bare,
}

/// How to render.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Rendering")]
pub struct RenderArgs {
    /// Theme of all decks: a name or a CSS file
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// More themes: CSS files, folders or patterns
    #[arg(long, value_name = "PATH", action = ArgAction::Append)]
    pub theme_set: Vec<PathBuf>,
    /// Let all raw HTML through
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub html: Option<bool>,
    /// Show all raw HTML as text
    #[arg(long, conflicts_with = "html")]
    pub no_html: bool,
    /// Language of decks that name none
    #[arg(long, value_name = "TAG")]
    pub lang: Option<String>,
    /// How decks are written
    #[arg(long, value_name = "FORMAT", value_parser = decks_written())]
    pub format: Option<FormatName>,
    /// What to do where Marp loses text: keep it, or do as Marp does
    #[arg(long, value_name = "WITH", value_enum)]
    pub compat: Option<CompatName>,
    /// The folder that nothing may leave
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Read Marp's or foredeck's configuration from this file
    #[arg(short, long, alias = "config", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, alias = "no-config", conflicts_with = "config_file")]
    pub no_config_file: bool,
}

/// How decks are written; `check` also takes how findings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatName {
    /// Marp Markdown.
    Marp,
    /// reveal.js Markdown: three newlines next, two below.
    Reveal,
    /// Marp Markdown, and findings in this form.
    Report(Report),
}

/// What to do where Marp loses text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompatName {
    /// Exactly as Marp, losses included
    Marp,
    /// Keep the text
    Keep,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn marp_command_lines_are_understood() {
        for line in [
            "foredeck -o x.html --theme-set t.css deck.md",
            "foredeck deck.md --theme-set a.css b.css",
            "foredeck --no-config-file --template bespoke deck.md -o -",
            "foredeck -s decks",
            "foredeck -w -p deck.md",
            "foredeck -I in -o out -P 3",
            "foredeck --html deck.md",
            "foredeck --html=false deck.md",
            "foredeck --no-html deck.md -c marp.yaml --allow-local-files",
            "foredeck deck.md --bespoke.transition=false -o x.html",
            "foredeck deck.md --pdf --pdf-notes --pdf-outlines --allow-local-files",
            "foredeck deck.md --pdf-outlines.pages=false --pdf-outlines.headings --browser-timeout 10s",
            "foredeck --images png --image-scale 2 deck.md -o out.png --browser chrome,edge",
            "foredeck deck.md --image jpeg --jpeg-quality 60 --browser-protocol cdp --browser-path /usr/bin/chromium",
            "foredeck deck.md --pptx -P 2",
            "foredeck deck.md --notes --title T --author A --og-image https://example.org/a.png",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok_and(|cli| cli.command.is_none()), "{line}");
        }
    }

    #[test]
    fn unknown_flags_are_errors_that_do_not_eat_the_deck() {
        for line in ["foredeck --thmee gaia deck.md", "foredeck export --tempalte bare deck.md"] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err().to_string();
            assert!(error.contains("a similar argument exists"), "{error}");
        }
    }
}
