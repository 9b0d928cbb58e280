//! Looks at the machine: what there is, not what it means.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::cluster::process;
use crate::diagnostic::report::Counts;
use crate::export::browser::find::{Search, Wanted};
use crate::export::browser::{self, Browser, Options};
use crate::export::press;
use crate::project::{Project, ProjectOptions, lint};

use super::finding::{Git, Looked, Trial};

/// A program that says its version needs no longer.
const LIMIT: Duration = Duration::from_secs(10);

/// Looks for a browser, and tries it.
pub(super) async fn browser(path: Option<PathBuf>) -> (Search, Option<Result<Trial, (String, String)>>) {
    let options =
        Options { wanted: Wanted { path, brands: Vec::new() }, limit: Some(browser::LIMIT), allow_remote: false };
    let search = browser::look(&options.wanted);
    if search.found.is_none() {
        return (search, None);
    }
    let tried = tried(&options).await.map_err(|error| {
        let hint = match error.hint() {
            hint if hint.contains("doctor") => "run it by hand with `--headless` to see what it says".to_owned(),
            hint => hint,
        };
        (format!("{:#}", anyhow::Error::from(error)), hint)
    });
    (search, Some(tried))
}

async fn tried(options: &Options) -> Result<Trial, browser::Error> {
    let since = Instant::now();
    let mut browser = Browser::start(options).await?;
    let handle = browser.handle();
    let tried = browser
        .beside(async {
            let product = handle.version().await?;
            let emoji = press::trial(&handle).await?;
            Ok::<_, browser::Error>(Trial { product, milliseconds: since.elapsed().as_millis(), emoji })
        })
        .await;
    browser.end().await;
    tried
}

/// What git tells of itself.
pub(super) async fn git() -> Option<Git> {
    let path = on_path("git")?;
    let version = said(&path, &["--version"]).await.unwrap_or_default();
    // The address may come from the environment, too: git itself knows best.
    let identity = said(&path, &["var", "GIT_COMMITTER_IDENT"]).await.is_some();
    Some(Git { version, identity })
}

/// The kubectl on the PATH, and what it says of its version.
pub(super) async fn kubectl() -> Option<(String, Option<String>)> {
    let path = on_path("kubectl")?;
    let version = said(&path, &["version", "--client"]).await;
    let first = version.and_then(|text| text.lines().next().map(str::to_owned));
    Some((path.display().to_string(), first))
}

/// Why a port of this machine cannot be listened on.
pub(super) fn port(port: u16) -> Option<String> {
    TcpListener::bind(("127.0.0.1", port)).err().map(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program uses it".to_owned(),
        _ => error.to_string(),
    })
}

/// Every deck of an input with its findings.
pub(super) fn decks(input: &Path) -> Result<Vec<Looked>, String> {
    let options = ProjectOptions { lint: lint::Depth::Full, ..ProjectOptions::default() };
    let project = Project::open(input, options).map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
    let looked = project.decks.iter().map(|entry| {
        let counts = project.compile(entry).map(|deck| Counts::of(&deck.diagnostics));
        (entry.path.display().to_string(), counts.map_err(|error| format!("{:#}", anyhow::Error::from(error))))
    });
    Ok(looked.collect())
}

fn on_path(name: &str) -> Option<PathBuf> {
    process::find(name, std::env::var_os("PATH").as_deref(), &[])
}

/// What a program writes to standard output when all is well.
async fn said(path: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(path);
    command.args(arguments);
    let output = process::run(command, LIMIT, &CancellationToken::new(), &mut |_| {}).await.ok()?;
    output.status.success().then_some(output.out)
}
