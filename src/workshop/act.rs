//! Runs a step's commands in a sandbox, within bounds.

use std::time::Duration;

use tokio::process::Command;

use crate::cluster::strays::Mark;
use crate::gitops::process::{Bounds, Stopped, run};
use crate::sandbox::Sandbox;

/// No command may write more.
const MOST_OUTPUT: u64 = 256 << 10;

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ran {
    /// Its exit code; nothing when it did not come to its end.
    pub code: Option<i32>,
    /// What it wrote, errors included.
    pub output: String,
    /// Why it did not come to its end.
    pub stopped: Option<String>,
}

impl Ran {
    /// Whether it ended with 0.
    pub fn went_well(&self) -> bool {
        self.code == Some(0)
    }

    /// The last thing that it said.
    pub fn last_words(&self) -> String {
        if let Some(why) = &self.stopped {
            return why.clone();
        }
        let last = self.output.lines().rev().map(str::trim).find(|line| !line.is_empty());
        last.map_or_else(|| format!("it ended with {}", self.code.unwrap_or(-1)), str::to_owned)
    }
}

/// Runs a script that stops at the first command that fails; what goes to standard error is part of its output.
pub async fn script(sandbox: &Sandbox, text: &str, limit: Duration) -> Ran {
    let ran = shell(sandbox, &format!("exec 2>&1\nset -e\n{text}"), limit).await;
    ran.map_or_else(|why| Ran { code: None, output: String::new(), stopped: Some(why) }, |(ran, _)| ran)
}

/// Runs a check: its exit code, and the first line that it wrote.
///
/// # Errors
/// Why it did not come to its end.
pub async fn check(sandbox: &Sandbox, text: &str, limit: Duration) -> Result<(Option<i32>, String), String> {
    let (ran, errors) = shell(sandbox, text, limit).await?;
    let first = |text: &str| text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("").to_owned();
    let line = Some(first(&ran.output)).filter(|line| !line.is_empty()).unwrap_or_else(|| first(&errors));
    Ok((ran.code, line))
}

async fn shell(sandbox: &Sandbox, text: &str, limit: Duration) -> Result<(Ran, String), String> {
    let mut command = Command::new("sh");
    command.arg("-c").arg(text).current_dir(sandbox.work_folder());
    command.envs(sandbox.tools.variables.iter().map(|(name, value)| (name, value)));
    command.envs([Mark::new(sandbox.folder.path()).variable()]);
    // Nobody sits there to answer.
    command.env("GIT_EDITOR", "true").env("GIT_PAGER", "cat").env("PAGER", "cat").env("TERM", "dumb");
    let no_passphrase = [("COUNT", "1"), ("KEY_0", "commit.gpgSign"), ("VALUE_0", "false")];
    command.envs(no_passphrase.map(|(name, value)| (format!("GIT_CONFIG_{name}"), value)));
    match run(command, None, Bounds { limit, most: MOST_OUTPUT }).await {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.out).into_owned();
            Ok((Ran { code: output.status.code(), output: text, stopped: None }, output.err))
        }
        Err(Stopped::Start(error)) => Err(format!("the command cannot be started: {error}")),
        Err(stopped) => Err(stopped.to_string()),
    }
}
