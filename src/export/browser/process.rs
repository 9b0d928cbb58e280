//! The browser's process: started without a window and with a profile of its own, and ended with all that it started.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use super::error::Error;
use super::sandbox::{self, Sandbox};

/// So many lines of what it says are kept.
const LINES: usize = 30;
/// A line is cut after this many bytes.
const LONGEST_LINE: usize = 4096;
/// Chromium puts a socket below its temporary folder, and the whole path may have 107 bytes.
const LONGEST_FOLDER: usize = 60;
/// The line that says where it listens.
const LISTENING: &str = "DevTools listening on ";
/// How long it may take to end once it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// What the browser is started with: nothing that it does by itself, and pictures that are the same everywhere.
const ARGUMENTS: [&str; 25] = [
    "--headless",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--metrics-recording-only",
    "--mute-audio",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--password-store=basic",
    "--use-mock-keychain",
];

/// Parts of the browser that are off.
const FEATURES: &str = "Translate,MediaRouter,OptimizationHints,HttpsUpgrades,DialMediaRouteProvider";
/// A part that is off when slides may use the network: it asks for HTTPS where they say HTTP.
const UPGRADES: &str = "AutoupgradeMixedContent";

/// All arguments of a browser.
pub(super) fn arguments(profile: &Path, sandbox: Sandbox, allow_remote: bool) -> Vec<String> {
    let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    if cfg!(target_os = "linux") {
        // Containers have a small /dev/shm; a page that fills it crashes.
        arguments.push("--disable-dev-shm-usage".to_owned());
    }
    if sandbox != Sandbox::On {
        arguments.push("--no-sandbox".to_owned());
    }
    if allow_remote {
        arguments.push(format!("--disable-features={FEATURES},{UPGRADES}"));
        arguments.push("--allow-running-insecure-content".to_owned());
    } else {
        arguments.push(format!("--disable-features={FEATURES}"));
        // What a page asks for is refused one by one; this is for all else that could reach out.
        arguments.push("--host-resolver-rules=MAP * ~NOTFOUND".to_owned());
    }
    arguments.push("about:blank".to_owned());
    arguments
}

/// A running browser. Dropping it ends it.
pub(super) struct Process {
    child: Child,
    stderr: Option<BufReader<ChildStderr>>,
    words: VecDeque<String>,
    profile: Profile,
}

impl Process {
    /// Starts a browser and waits for the address that it listens on.
    pub(super) async fn start(
        path: &Path,
        allow_remote: bool,
        limit: Option<Duration>,
    ) -> Result<(Self, String), Error> {
        let profile = Profile::new()?;
        let sandbox = sandbox::decide(sandbox::facts());
        let mut command = Command::new(path);
        command.args(arguments(&profile.0, sandbox, allow_remote));
        if std::env::var_os("HOME").is_none_or(|home| !Path::new(&home).is_dir()) {
            command.env("HOME", &profile.0);
        }
        if cfg!(target_os = "linux") && profile.0.as_os_str().len() <= LONGEST_FOLDER {
            // What it leaves behind when it is killed goes with its profile.
            command.env("TMPDIR", &profile.0);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        // A group of its own: Ctrl-C reaches us alone, and all that the browser starts can be ended with it.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|source| Error::Start { path: path.into(), source })?;
        let stderr = child.stderr.take().map(BufReader::new);
        let mut process = Self { child, stderr, words: VecDeque::new(), profile };
        let address = match limit {
            None => process.address().await,
            Some(limit) => match tokio::time::timeout(limit, process.address()).await {
                Ok(address) => address,
                Err(_) => {
                    return Err(Error::Silent { path: path.into(), limit, words: process.last_words() });
                }
            },
        };
        match address {
            Some(address) => Ok((process, address)),
            None => Err(Error::Refused { path: path.into(), words: process.last_words() }),
        }
    }

    /// Reads on until the browser says where it listens; `None` when it ends.
    async fn address(&mut self) -> Option<String> {
        while let Some(line) = self.line().await {
            if let Some(address) = line.trim().strip_prefix(LISTENING) {
                return Some(address.to_owned());
            }
        }
        None
    }

    /// The next line that it writes, kept for later; `None` at the end.
    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        match self.stderr.as_mut()?.read_until(b'\n', &mut line).await {
            Ok(length) if length > 0 => {
                line.truncate(LONGEST_LINE);
                let text: String = String::from_utf8_lossy(&line).chars().filter(|c| !c.is_control()).collect();
                if self.words.len() >= LINES {
                    self.words.pop_front();
                }
                self.words.push_back(text.clone());
                Some(text)
            }
            _ => {
                self.stderr = None;
                None
            }
        }
    }

    /// Keeps on reading, so that the browser never waits for a reader. Does not end.
    pub(super) async fn listen(&mut self) {
        while self.line().await.is_some() {}
        std::future::pending::<()>().await;
    }

    /// What it said last that tells something.
    pub(super) fn last_words(&self) -> String {
        last_words(self.words.iter().map(String::as_str))
    }

    /// Reads the rest of what it says, for a moment.
    pub(super) async fn rest(&mut self) {
        let reading = async { while self.line().await.is_some() {} };
        // Whatever it starts may hold the pipe open.
        let _ = tokio::time::timeout(Duration::from_millis(500), reading).await;
    }

    /// Ends it with all that it started, and removes its profile.
    pub(super) async fn end(mut self) {
        self.kill();
        // Its profile can only be removed once nobody writes to it.
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        self.profile.remove();
    }
}

/// The last line that is no chatter of the browser's parts; one that says that it is fatal comes first.
fn last_words<'a>(lines: impl DoubleEndedIterator<Item = &'a str> + Clone) -> String {
    let bare = |line: &'a str| match line.split_once("] ") {
        Some((before, rest)) if before.starts_with('[') => rest,
        _ => line,
    };
    let fatal = lines.clone().find(|line| line.contains(":FATAL:") || line.contains("error while loading"));
    let chatter = |line: &str| line.starts_with('[') && !line.contains(":FATAL:") || line.starts_with(LISTENING);
    let plain = lines.rev().find(|line| !line.trim().is_empty() && !chatter(line) && !line.starts_with('#'));
    fatal.or(plain).map(bare).unwrap_or_default().trim().to_owned()
}

/// A folder that is removed when nobody needs it any more.
struct Profile(PathBuf);

impl Profile {
    fn new() -> Result<Self, Error> {
        let folder = std::env::temp_dir();
        let failed = |source| Error::Profile { path: folder.clone(), source };
        let random = getrandom::u32().map_err(|error| failed(error.into()))?;
        let path = folder.join(format!("foredeck-browser-{random:08x}"));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(failed)?;
        Ok(Self(path))
    }

    fn remove(&self) {
        // Processes that are just ending may write once more.
        for _ in 0..20 {
            match std::fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_started_alone_and_without_a_network() {
        let on = arguments(Path::new("/p"), Sandbox::On, false);
        for expected in
            ["--user-data-dir=/p", "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking"]
        {
            assert!(on.iter().any(|argument| argument == expected), "{expected}");
        }
        assert!(!on.iter().any(|argument| argument == "--no-sandbox"));
        let off = arguments(Path::new("/p"), Sandbox::Off("root"), true);
        assert!(off.iter().any(|argument| argument == "--no-sandbox"));
        assert!(!off.iter().any(|argument| argument.starts_with("--host-resolver-rules")));
    }

    #[test]
    fn the_last_words_are_those_that_tell() {
        for (lines, expected) in [
            (vec![], ""),
            (vec!["a", "b", ""], "b"),
            (vec!["why", "[1:2:3:ERROR:dbus.cc:5] no bus", "DevTools listening on ws://x"], "why"),
            (vec!["[1:2:FATAL:zygote.cc:1] No usable sandbox!", "#0 0x55", "later"], "No usable sandbox!"),
            (vec!["[1:2:3:ERROR:dbus.cc:5] no bus"], ""),
        ] {
            assert_eq!(last_words(lines.into_iter()), expected);
        }
    }
}
