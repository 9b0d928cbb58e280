//! What the server counts, as Prometheus text.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Answers by class: 1xx to 5xx.
    answers: [AtomicU64; 5],
    connections: AtomicU64,
    open_connections: AtomicU64,
    refused_connections: AtomicU64,
    open_streams: AtomicU64,
    refused_requests: AtomicU64,
    wrong_tokens: AtomicU64,
    commands: AtomicU64,
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, status: axum::http::StatusCode) {
        if let Some(counter) = self.answers.get(usize::from(status.as_u16() / 100).wrapping_sub(1)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// A client connected.
    pub fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
        self.open_connections.fetch_add(1, Relaxed);
    }

    /// A client is gone.
    pub fn disconnected(&self) {
        self.open_connections.fetch_sub(1, Relaxed);
    }

    /// A client was turned away because there are too many.
    pub fn turned_away(&self) {
        self.refused_connections.fetch_add(1, Relaxed);
    }

    /// An event stream began.
    pub fn stream_opened(&self) {
        self.open_streams.fetch_add(1, Relaxed);
    }

    /// An event stream ended.
    pub fn stream_closed(&self) {
        self.open_streams.fetch_sub(1, Relaxed);
    }

    /// How many event streams there are.
    pub fn streams(&self) -> u64 {
        self.open_streams.load(Relaxed)
    }

    /// A request was for another host or from another site.
    pub fn refused(&self) {
        self.refused_requests.fetch_add(1, Relaxed);
    }

    /// A link with a wrong token was opened.
    pub fn wrong_token(&self) {
        self.wrong_tokens.fetch_add(1, Relaxed);
    }

    /// The speaker did something.
    pub fn commanded(&self) {
        self.commands.fetch_add(1, Relaxed);
    }

    /// All of them, in Prometheus' text format; `decks` are names and versions.
    pub fn text(&self, decks: impl Iterator<Item = (String, u64)>) -> String {
        let mut out = String::new();
        family(&mut out, "foredeck_http_responses_total", "counter", "Answers, by class of status.");
        for (class, counter) in self.answers.iter().enumerate() {
            let _ =
                writeln!(out, "foredeck_http_responses_total{{class=\"{}xx\"}} {}", class + 1, counter.load(Relaxed));
        }
        for (name, kind, help, value) in [
            ("connections_total", "counter", "Connections accepted.", &self.connections),
            ("connections_refused_total", "counter", "Connections over the limit.", &self.refused_connections),
            ("connections", "gauge", "Connections open now.", &self.open_connections),
            ("event_streams", "gauge", "Windows that listen to events now.", &self.open_streams),
            ("requests_refused_total", "counter", "Requests of other hosts or sites.", &self.refused_requests),
            ("wrong_tokens_total", "counter", "Links opened with a wrong token.", &self.wrong_tokens),
            ("commands_total", "counter", "Commands of the speaker.", &self.commands),
        ] {
            let name = format!("foredeck_{name}");
            family(&mut out, &name, kind, help);
            let _ = writeln!(out, "{name} {}", value.load(Relaxed));
        }
        family(&mut out, "foredeck_deck_version", "gauge", "Version of a deck; grows with every change.");
        for (slug, version) in decks {
            let slug = slug.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(out, "foredeck_deck_version{{deck=\"{slug}\"}} {version}");
        }
        out
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
