//! Commands in simulated containers over a WebSocket: `kubectl exec`, `attach`.
//!
//! The first byte of a message is its channel (Kubernetes' `v4.channel.k8s.io` and `v5.channel.k8s.io`).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::websocket::Socket;

/// The protocols, newest first.
pub const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
/// In `v5`: the channel in the next byte is closed.
const CLOSE: u8 = 255;

/// What is read of a command's input.
const MOST_INPUT: usize = 1 << 20;
/// How long a command waits for its input.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What a command printed, and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// To its standard output.
    pub stdout: String,
    /// To its standard error.
    pub stderr: String,
    /// Its exit code.
    pub code: i32,
}

/// Runs a command: its words and its input.
pub type Run = Arc<dyn Fn(&[String], &[u8]) -> Ended + Send + Sync>;

/// A command to be run in a container.
pub struct Session {
    /// Its words.
    pub command: Vec<String>,
    /// Whether it gets input.
    pub stdin: bool,
    /// Whether there is a terminal.
    pub tty: bool,
    /// Runs it.
    pub run: Run,
}

/// Runs a session until it ends, its client leaves, or the server stops.
pub async fn serve(mut socket: Socket, session: Session, stop: CancellationToken) {
    let ended = tokio::select! {
        () = stop.cancelled() => None,
        ended = session.play(&mut socket) => ended,
    };
    if let Some(code) = ended {
        socket.send(ERROR, status(code).to_string().as_bytes()).await;
    }
    socket.close().await;
}

/// How a command ended, as the error channel tells it.
fn status(code: i32) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

impl Session {
    /// The exit code; `None` when the client left.
    async fn play(&self, socket: &mut Socket) -> Option<i32> {
        if self.stdin && is_shell(&self.command) {
            return self.shell(socket).await;
        }
        let input = if self.stdin { input(socket).await } else { Vec::new() };
        self.run_once(socket, &self.command, &input).await
    }

    async fn run_once(&self, socket: &mut Socket, command: &[String], input: &[u8]) -> Option<i32> {
        let ended = (self.run)(command, input);
        let shown = |text: &str| if self.tty { text.replace('\n', "\r\n") } else { text.to_owned() };
        let sent = socket.send(STDOUT, shown(&ended.stdout).as_bytes()).await
            // A terminal has one output for both.
            && socket.send(if self.tty { STDOUT } else { STDERR }, shown(&ended.stderr).as_bytes()).await;
        sent.then_some(ended.code)
    }

    /// A shell that is typed into: every line is a script of its own.
    async fn shell(&self, socket: &mut Socket) -> Option<i32> {
        let mut line = Line::default();
        let mut code = 0;
        self.prompt(socket).await?;
        loop {
            let message = tokio::time::timeout(PATIENCE, socket.receive()).await.ok()??;
            let typed = match message.split_first() {
                Some((&STDIN, typed)) => typed,
                Some((&CLOSE, [STDIN, ..])) => return Some(code),
                _ => continue,
            };
            for &byte in typed {
                let key = line.press(byte);
                if self.tty {
                    let echo: &[u8] = match &key {
                        Key::Shown => &[byte],
                        Key::Rubbed => b"\x08 \x08",
                        Key::Enter(_) | Key::End => b"\r\n",
                        Key::Interrupt => b"^C\r\n",
                        Key::Nothing => b"",
                    };
                    socket.send(STDOUT, echo).await.then_some(())?;
                }
                match key {
                    Key::End => return Some(code),
                    Key::Interrupt => self.prompt(socket).await?,
                    Key::Enter(text) => {
                        if let Some(asked) = exit_code(&text, code) {
                            return Some(asked);
                        }
                        if !text.trim().is_empty() {
                            let command = ["sh".to_owned(), "-c".to_owned(), text];
                            code = self.run_once(socket, &command, &[]).await?;
                        }
                        self.prompt(socket).await?;
                    }
                    _ => {}
                }
            }
        }
    }

    async fn prompt(&self, socket: &mut Socket) -> Option<()> {
        if self.tty { socket.send(STDOUT, b"/ # ").await.then_some(()) } else { Some(()) }
    }
}

/// A shell without a script.
fn is_shell(command: &[String]) -> bool {
    let mut words = command.iter().map(String::as_str);
    let name = words.next().and_then(|word| word.rsplit('/').next());
    matches!(name, Some("sh" | "bash" | "ash")) && words.all(|word| word.starts_with('-') && word != "-c")
}

/// The code of `exit` and `exit N`.
fn exit_code(line: &str, last: i32) -> Option<i32> {
    let rest = line.trim().strip_prefix("exit")?;
    match rest.trim() {
        "" => Some(last),
        number if rest.starts_with(' ') => Some(number.parse().unwrap_or(2)),
        _ => None,
    }
}

/// Everything that comes in until the client closes its side.
async fn input(socket: &mut Socket) -> Vec<u8> {
    let mut input = Vec::new();
    while let Ok(Some(message)) = tokio::time::timeout(PATIENCE, socket.receive()).await {
        match message.split_first() {
            Some((&STDIN, [])) | Some((&CLOSE, [STDIN, ..])) => break,
            Some((&STDIN, bytes)) => input.extend_from_slice(bytes),
            _ => {}
        }
        if input.len() > MOST_INPUT {
            break;
        }
    }
    input
}

/// The line being typed.
#[derive(Debug, Default)]
struct Line {
    text: Vec<u8>,
}

/// What a key does.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Shown,
    Rubbed,
    Enter(String),
    Interrupt,
    End,
    Nothing,
}

impl Line {
    fn press(&mut self, byte: u8) -> Key {
        match byte {
            b'\r' | b'\n' => Key::Enter(String::from_utf8_lossy(&std::mem::take(&mut self.text)).into_owned()),
            0x03 => {
                self.text.clear();
                Key::Interrupt
            }
            0x04 if self.text.is_empty() => Key::End,
            0x7f | 0x08 => {
                let Some(mut last) = self.text.pop() else { return Key::Nothing };
                // A character of several bytes goes as a whole.
                while last & 0xc0 == 0x80 {
                    let Some(before) = self.text.pop() else { break };
                    last = before;
                }
                Key::Rubbed
            }
            byte if byte >= 0x20 && self.text.len() < 4096 => {
                self.text.push(byte);
                Key::Shown
            }
            _ => Key::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_typed_and_mended() {
        let mut line = Line::default();
        for byte in "lé\x7fs".bytes() {
            line.press(byte);
        }
        assert_eq!(line.press(b'\r'), Key::Enter("ls".to_owned()));
        assert_eq!(line.press(4), Key::End);
    }

    #[test]
    fn shells_are_known() {
        let is = |text: &str| is_shell(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(is("sh") && is("/bin/bash -i"));
        assert!(!is("sh -c ls") && !is("cat"));
        assert_eq!((exit_code("exit 3", 0), exit_code("exit", 7), exit_code("exiting", 0)), (Some(3), Some(7), None));
    }

    #[test]
    fn exit_codes_are_told() {
        assert_eq!(status(0)["status"], "Success");
        assert_eq!(status(3)["details"]["causes"][0]["message"], "3");
    }
}
