//! Why a browser did not do what it should.

use std::path::PathBuf;
use std::time::Duration;

/// Why a browser did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None is installed, or none where it was said to be.
    #[error("there is no browser to print with; looked for: {}", .looked.join("; "))]
    Missing {
        /// Where nothing was.
        looked: Vec<String>,
    },
    /// It cannot be run.
    #[error("cannot start the browser `{}`", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended before it could be used.
    #[error("the browser `{}` ended as soon as it was started{}", path.display(), said(.words))]
    Refused {
        /// The program.
        path: PathBuf,
        /// What it said last.
        words: String,
    },
    /// It does not become ready.
    #[error("the browser `{}` did not become ready in {} s{}", path.display(), .limit.as_secs_f32(), said(.words))]
    Silent {
        /// The program.
        path: PathBuf,
        /// How long it had.
        limit: Duration,
        /// What it said last.
        words: String,
    },
    /// It ended in the middle.
    #[error("the browser ended while it was {doing}{}", said(.words))]
    Gone {
        /// What it was asked for.
        doing: &'static str,
        /// What it said last.
        words: String,
    },
    /// The process that shows the page ended.
    #[error("the browser's page crashed while it was {doing}")]
    Crashed {
        /// What it was asked for.
        doing: &'static str,
    },
    /// It takes too long.
    #[error("the browser took more than {} s for {doing}", .limit.as_secs_f32())]
    Slow {
        /// What it was asked for.
        doing: &'static str,
        /// How long it had.
        limit: Duration,
    },
    /// It says no.
    #[error("the browser refused {doing}: {message}")]
    Answer {
        /// What it was asked for.
        doing: &'static str,
        /// Its words.
        message: String,
    },
    /// The folder for its profile cannot be made.
    #[error("cannot make a folder for the browser in `{}`", path.display())]
    Profile {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("; it said: {words}") }
}

impl Error {
    /// How to go on.
    pub fn hint(&self) -> String {
        let doctor = "`foredeck doctor browser` looks at it more closely";
        match self {
            Self::Missing { .. } => super::find::how_to_install(super::find::System::here()).to_owned(),
            Self::Refused { words, .. } if words.contains("sandbox") => {
                "its sandbox does not work here; CHROME_NO_SANDBOX=1 starts it without".to_owned()
            }
            Self::Refused { words, .. } if words.contains("error while loading shared libraries") => {
                "a library that it needs is not installed; install the browser with the system's package manager"
                    .to_owned()
            }
            Self::Slow { .. } | Self::Silent { .. } => {
                format!("`--browser-timeout 120s` gives it more time; {doctor}")
            }
            Self::Crashed { .. } => {
                "the deck may need more memory than there is: try a smaller `--image-scale`, or smaller pictures"
                    .to_owned()
            }
            Self::Profile { .. } => "set TMPDIR to a folder with free space that you can write to".to_owned(),
            Self::Start { .. } | Self::Refused { .. } | Self::Gone { .. } | Self::Answer { .. } => doctor.to_owned(),
        }
    }
}
