//! Messages to people and programs: streams, colour, exit codes.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::diagnostic::report::{self, Counts};
use crate::diagnostic::{self, Diagnostic, Severity, SourceFile};
use crate::{cluster, export, project};

use super::args::{Colour, ConsoleArgs};

/// How many findings are shown of a deck that is not being checked.
const FIRST: usize = 10;

/// Why a command stopped, and with which exit code.
#[derive(Debug)]
pub struct Failure {
    /// The process's exit code.
    pub code: Code,
    /// What went wrong.
    pub error: anyhow::Error,
    /// How to go on.
    pub hint: Option<String>,
    /// The rule's stable name, when it has one that `foredeck docs` explains.
    pub rule: Option<diagnostic::Code>,
}

/// Exit codes, as documented in `foredeck docs exit-codes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Everything was done.
    Done,
    /// Something was found, or is missing from what was made.
    Findings,
    /// The command line makes no sense.
    Usage,
    /// The input is not there or cannot be read.
    Input,
    /// The machine does not allow it: a port, a disk.
    Environment,
    /// The cluster does not answer, or something took too long.
    Cluster,
    /// It is not allowed: a foreign context, for example.
    Refused,
    /// Stopped by Ctrl-C.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
}

impl Code {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Environment => 4,
            Self::Cluster => 5,
            Self::Refused => 6,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        code.number().into()
    }
}

impl Failure {
    /// A failure of a kind.
    pub fn new(code: Code, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into(), hint: None, rule: None }
    }

    /// A command line that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, anyhow::Error::msg(message.into()))
    }

    /// Something that was asked for is not there or cannot be read.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Code::Input, anyhow::Error::msg(message.into()))
    }

    /// Says how to go on.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<project::Error> for Failure {
    fn from(error: project::Error) -> Self {
        let hint = match &error {
            project::Error::Text { source: project::files::TextError::Binary { .. }, .. } => {
                Some("a deck is a Markdown file")
            }
            project::Error::Text { .. } => Some("save the file as UTF-8"),
            project::Error::NoDecks { .. } => Some("decks are files that end in .md; `foredeck new DIR` starts one"),
            _ => None,
        };
        Self { hint: hint.map(str::to_owned), ..Self::new(Code::Input, error) }
    }
}

impl From<export::Error> for Failure {
    fn from(error: export::Error) -> Self {
        let (code, hint) = match &error {
            export::Error::Template(_) => (Code::Input, None),
            export::Error::NoSlide { .. } => (Code::Usage, None),
            export::Error::TooLarge(_) => {
                (Code::Environment, Some("a smaller `--image-scale` makes it smaller".into()))
            }
            export::Error::Browser(error) => (Code::Environment, Some(error.hint())),
            export::Error::Write { source, .. } => (Code::Environment, write_hint(source.kind()).map(str::to_owned)),
        };
        Self { hint, ..Self::new(code, error) }
    }
}

impl From<export::browser::Error> for Failure {
    fn from(error: export::browser::Error) -> Self {
        export::Error::from(error).into()
    }
}

/// What helps when a file cannot be written.
fn write_hint(kind: std::io::ErrorKind) -> Option<&'static str> {
    use std::io::ErrorKind;
    Some(match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "name a place that you may write to with `-o`",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full; an old file of that name is unharmed",
        ErrorKind::IsADirectory => "a folder of that name is there; name a file in it with `-o`",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "a part of the path is a file, not a folder",
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => "another program has the file open",
        _ => return None,
    })
}

impl From<cluster::error::Error> for Failure {
    fn from(error: cluster::error::Error) -> Self {
        use cluster::error::Class;
        let code = match error.class() {
            Class::Usage => Code::Usage,
            Class::Input => Code::Input,
            Class::Environment => Code::Environment,
            Class::Cluster => Code::Cluster,
            Class::Refused => Code::Refused,
            Class::Interrupted => Code::Interrupted,
        };
        let (hint, rule) = (error.hint(), error.code());
        Self { hint, rule, ..Self::new(code, error) }
    }
}

/// Where messages go and how they look.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    colour: bool,
    quiet: bool,
    /// Whether standard output carries one JSON document.
    pub json: bool,
}

impl Console {
    /// As the command line and the environment say.
    pub fn new(args: &ConsoleArgs) -> Self {
        let colour = match args.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                !is_set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
                    && std::io::stderr().is_terminal()
            }
        };
        Self { colour, quiet: args.quiet, json: args.json }
    }

    /// Whether a person reads along.
    pub fn is_terminal(self) -> bool {
        std::io::stderr().is_terminal()
    }

    /// Tells a person what is being done.
    pub fn say(self, message: &str) {
        if !self.quiet {
            line(message);
        }
    }

    /// Whether data goes to a terminal, not to a file or a program.
    pub fn writes_to_terminal(self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Writes over the line that the terminal's cursor is in.
    pub fn over(self, text: &str) {
        if !self.quiet {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K{text}");
        }
    }

    /// Words that stand out.
    pub fn strong(self, words: &str) -> String {
        if self.colour { format!("\u{1b}[1m{words}\u{1b}[0m") } else { words.to_owned() }
    }

    /// Shows the first findings of a deck that is being used, not checked.
    pub fn first_findings(self, diagnostics: &[Diagnostic], deck: &SourceFile) {
        let mut shown: Vec<Diagnostic> =
            diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Note).cloned().collect();
        let more = shown.len().saturating_sub(FIRST);
        if more > 1 {
            // Errors are never among those left out for the sake of warnings.
            shown.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
            shown.truncate(FIRST);
        }
        self.findings(&shown, deck, Severity::Warning);
        if more > 1 {
            self.say(&format!("… and {more} more; `foredeck check {}` shows all", deck.path().display()));
        }
    }

    /// Shows findings to a person; notes only to those who ask for everything.
    pub fn findings(self, diagnostics: &[Diagnostic], deck: &SourceFile, least: Severity) {
        let least = if self.quiet { Severity::Error } else { least };
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity >= least) {
            // Standard error may be closed: there is nobody left to tell.
            let _ = write!(std::io::stderr(), "{}", report::terminal(diagnostic, deck, self.colour));
        }
    }

    /// Shows what was noticed in configuration files, to those who did not ask for it.
    pub fn configuration(self, findings: &[(SourceFile, Diagnostic)]) {
        for (source, found) in findings {
            self.findings(std::slice::from_ref(found), source, Severity::Warning);
        }
    }

    /// One line that sums findings up.
    pub fn counts(self, counts: Counts) {
        if counts.errors + counts.warnings + counts.notes > 0 {
            self.say(&format!("{counts}; `foredeck docs CODE` explains"));
        }
    }

    /// Shows a failure.
    pub fn failure(self, failure: &Failure) {
        let (red, bold, off) = if self.colour { ("\u{1b}[1;31m", "\u{1b}[1m", "\u{1b}[0m") } else { ("", "", "") };
        let rule = failure.rule.map_or(String::new(), |rule| format!("[{rule}]"));
        line(&format!("{red}error{rule}{off}{bold}: {}{off}", harmless(&failure.error.to_string())));
        for cause in failure.error.chain().skip(1) {
            line(&format!("  because: {}", harmless(&cause.to_string())));
        }
        if let Some(hint) = &failure.hint {
            line(&format!("  help: {}", harmless(hint)));
        }
    }

    /// Writes a JSON document to standard output.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn document(self, document: &serde_json::Value) -> Result<(), Failure> {
        data(&format!("{document:#}\n"))
    }
}

/// Text that cannot steer the terminal: names in it may come from files of others.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// Whether the environment has a variable that is not empty.
pub(super) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes data to standard output. A reader that went away early is no error.
///
/// # Errors
/// When standard output cannot be written.
pub fn data(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Writes bytes to standard output. A reader that went away early is no error.
///
/// # Errors
/// When standard output cannot be written.
pub fn bytes(content: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(content).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let error = anyhow::Error::new(error).context("cannot write to standard output");
            Err(Failure::new(Code::Environment, error))
        }
        _ => Ok(()),
    }
}
