//! Commands in simulated containers over a WebSocket: `kubectl exec`, `attach`.
//!
//! The first byte of a message is its channel (Kubernetes' `v4.channel.k8s.io` and `v5.channel.k8s.io`).

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Pods, upgrade};
use crate::cluster::api::connect::PodCall;
use crate::cluster::api::connect::websocket::Socket;
use crate::cluster::api::stamp;
use crate::cluster::api::status::Refusal;
use crate::cluster::object::{Key, text};
use crate::cluster::sim::kubelet::{ExecResult, LogOptions, Shell, exec, is_shell};
use crate::cluster::sim::script::Stream;

/// The protocols, newest first.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

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

/// A command to be run in a container.
struct Session {
    pods: Pods,
    key: Key,
    container: String,
    command: Vec<String>,
    stdin: bool,
    tty: bool,
}

impl Pods {
    /// Runs a command, or follows what the container itself prints.
    pub(super) fn exec(&self, mut call: PodCall, attach: bool) -> Result<Response<Body>, Refusal> {
        let pod = self.pod(&call.key)?;
        let container = call.query.get("container").to_owned();
        let command = call.query.all("command").to_vec();
        // Before the connection changes hands: what cannot be done is refused in words.
        if attach {
            let options = LogOptions { container: container.clone(), ..LogOptions::default() };
            self.read_log(&pod, &options)?;
        } else if is_shell(&command) {
            self.within(|around| Shell::open(&pod, &container, around))?;
        } else {
            self.within(|around| exec(&pod, &container, &["true".to_owned()], "", around))?;
        }
        let (response, _) = upgrade(&call, &PROTOCOLS)?;
        let (stdin, tty) = (call.query.flag("stdin"), call.query.flag("tty"));
        let session = Session { pods: self.clone(), key: call.key.clone(), container, command, stdin, tty };
        let upgraded = hyper::upgrade::on(&mut call.request);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let Ok(upgraded) = upgraded.await else { return };
            let mut socket = Socket::new(upgraded).await;
            let ended = tokio::select! {
                () = stop.cancelled() => None,
                ended = session.play(&mut socket, attach) => ended,
            };
            if let Some(status) = ended {
                socket.send(ERROR, status.to_string().as_bytes()).await;
            }
            socket.close().await;
        });
        Ok(response)
    }
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
    /// What is told at the end; `None` when the client left.
    async fn play(&self, socket: &mut Socket, attach: bool) -> Option<Value> {
        if attach {
            return self.attached(socket).await;
        }
        if self.stdin && is_shell(&self.command) {
            let pod = self.pods.pod(&self.key).ok()?;
            let shell = self.pods.within(|around| Shell::open(&pod, &self.container, around)).ok()?;
            return self.shell(socket, shell).await.map(status);
        }
        let input = if self.stdin { input(socket).await } else { Vec::new() };
        let input = String::from_utf8_lossy(&input).into_owned();
        let pod = self.pods.pod(&self.key).ok()?;
        match self.pods.within(|around| exec(&pod, &self.container, &self.command, &input, around)) {
            Ok(result) => self.shown(socket, &result).await.map(|()| status(result.code)),
            Err(refusal) => Some(refusal.to_value()),
        }
    }

    /// Prints as time passes.
    async fn shown(&self, socket: &mut Socket, result: &ExecResult) -> Option<()> {
        let began = Instant::now();
        for chunk in &result.output {
            tokio::time::sleep_until(began + chunk.at).await;
            // A terminal has one output for both.
            let channel = if chunk.stream == Stream::Err && !self.tty { STDERR } else { STDOUT };
            let text = if self.tty { chunk.text.replace('\n', "\r\n") } else { chunk.text.clone() };
            socket.send(channel, text.as_bytes()).await.then_some(())?;
        }
        tokio::time::sleep_until(began + result.lasts).await;
        Some(())
    }

    /// Follows what the container prints.
    async fn attached(&self, socket: &mut Socket) -> Option<Value> {
        let mut options =
            LogOptions { container: self.container.clone(), tail_lines: Some(0), ..LogOptions::default() };
        let pod = self.pods.pod(&self.key).ok()?;
        if self.stdin
            && let Some(shell) = self.pods.within(|around| Shell::of(&pod, &self.container, around))
        {
            let container = shell.container().to_owned();
            let code = self.shell(socket, shell).await?;
            return Some(self.end(&container, code).map_or_else(|refusal| refusal.to_value(), |()| status(0)));
        }
        let mut told = self.pods.read_log(&pod, &options).ok()?;
        loop {
            if !told.text.is_empty() {
                socket.send(STDOUT, told.text.as_bytes()).await.then_some(())?;
            }
            if told.ended {
                return Some(status(0));
            }
            tokio::select! {
                more = self.pods.more(&self.key, &mut options, &told) => match more {
                    Some(more) => told = more,
                    None => return Some(status(0)),
                },
                message = receive(socket) => drop(message?),
            }
        }
    }

    /// The container's own process has ended: that stands in the status, where the kubelet finds it.
    fn end(&self, container: &str, code: i32) -> Result<(), Refusal> {
        let now = stamp(self.pods.api.now());
        self.pods.api.amend(&"pods".into(), &self.key, |pod| {
            let statuses = pod.pointer_mut("/status/containerStatuses").and_then(Value::as_array_mut);
            let own = statuses.into_iter().flatten().find(|status| text(status, &["name"]) == container);
            let Some(own) = own else { return };
            let (id, started) = (own["containerID"].clone(), own["state"]["running"]["startedAt"].clone());
            own["state"] = json!({"terminated": {
                "containerID": id, "exitCode": code, "finishedAt": now,
                "reason": if code == 0 { "Completed" } else { "Error" }, "startedAt": started,
            }});
        })
    }

    /// A shell that is typed into.
    async fn shell(&self, socket: &mut Socket, mut shell: Shell) -> Option<i32> {
        let mut line = Line::default();
        let mut code = 0;
        self.prompt(socket, &shell).await?;
        loop {
            let message = tokio::time::timeout(PATIENCE, socket.receive()).await.ok()??;
            let typed = match message.split_first() {
                Some((&STDIN, typed)) => typed,
                Some((&CLOSE, [STDIN, ..])) => return Some(code),
                _ => continue,
            };
            for &byte in typed {
                let key = line.press(byte);
                self.echo(socket, &key, byte).await?;
                match key {
                    Press::End => return Some(code),
                    Press::Interrupt => self.prompt(socket, &shell).await?,
                    Press::Enter(text) => {
                        let pod = self.pods.pod(&self.key).ok()?;
                        let result = self.pods.within(|around| shell.line(&pod, &text, around)).ok()?;
                        self.shown(socket, &result).await?;
                        code = result.code;
                        if result.left {
                            return Some(code);
                        }
                        self.prompt(socket, &shell).await?;
                    }
                    _ => {}
                }
            }
        }
    }

    async fn echo(&self, socket: &mut Socket, key: &Press, byte: u8) -> Option<()> {
        if !self.tty {
            return Some(());
        }
        let echo: &[u8] = match key {
            Press::Shown => &[byte],
            Press::Rubbed => b"\x08 \x08",
            Press::Enter(_) | Press::End => b"\r\n",
            Press::Interrupt => b"^C\r\n",
            Press::Nothing => b"",
        };
        socket.send(STDOUT, echo).await.then_some(())
    }

    async fn prompt(&self, socket: &mut Socket, shell: &Shell) -> Option<()> {
        if self.tty { socket.send(STDOUT, shell.prompt().as_bytes()).await.then_some(()) } else { Some(()) }
    }
}

async fn receive(socket: &mut Socket) -> Option<Vec<u8>> {
    socket.receive().await
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
enum Press {
    Shown,
    Rubbed,
    Enter(String),
    Interrupt,
    End,
    Nothing,
}

impl Line {
    fn press(&mut self, byte: u8) -> Press {
        match byte {
            b'\r' | b'\n' => Press::Enter(String::from_utf8_lossy(&std::mem::take(&mut self.text)).into_owned()),
            0x03 => {
                self.text.clear();
                Press::Interrupt
            }
            0x04 if self.text.is_empty() => Press::End,
            0x7f | 0x08 => {
                let Some(mut last) = self.text.pop() else { return Press::Nothing };
                // A character of several bytes goes as a whole.
                while last & 0xc0 == 0x80 {
                    let Some(before) = self.text.pop() else { break };
                    last = before;
                }
                Press::Rubbed
            }
            byte if byte >= 0x20 && self.text.len() < 4096 => {
                self.text.push(byte);
                Press::Shown
            }
            _ => Press::Nothing,
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
        assert_eq!(line.press(b'\r'), Press::Enter("ls".to_owned()));
        assert_eq!(line.press(4), Press::End);
    }

    #[test]
    fn exit_codes_are_told() {
        assert_eq!(status(0)["status"], "Success");
        assert_eq!(status(3)["details"]["causes"][0]["message"], "3");
    }
}
