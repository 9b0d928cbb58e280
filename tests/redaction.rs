//! Secrets of every common shape: never in panels, terminals, recordings and exported pages; and nothing else is masked.

use std::io::Read as _;
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use foredeck::deck::{Options, parse};
use foredeck::diagnostic::SourceFile;
use foredeck::panel::mask::Masker;
use foredeck::panel::redact::{Redactor, Secrets};
use foredeck::panel::state::{Body, Fact, Line, Mark, PanelState, Row, Table};
use foredeck::recording::play::Player;
use foredeck::recording::read::Recording;
use foredeck::recording::write::Writer;
use foredeck::recording::{Head, What, panel_cell};
use foredeck::render::template::Templates;
use foredeck::render::{RenderOptions, render};
use foredeck::server::replay::film;
use foredeck::theme::ThemeSet;
use serde_json::json;

/// What a presentation knows to be secret.
const KNOWN: &str = "q7Gm-this-runs-own-token-Zx41";

/// Texts, each with the part that nobody may read. None of them opens anything.
fn corpus() -> Vec<(String, String)> {
    let letters = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    let jwt = format!("eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.{letters}");
    let with = |before: &str, secret: &str, after: &str| (format!("{before}{secret}{after}"), secret.to_owned());
    let mut corpus = vec![
        with("remote: https://git:", KNOWN, "@127.0.0.1:3939/git/demo.git"),
        with("export GH_TOKEN=", &format!("ghp_{}", &letters[..36]), ""),
        with("github: ", &format!("github_pat_{}", &letters[..30]), " ok"),
        with("gitlab ", &format!("glpat-{}", &letters[..20]), "."),
        with("slack ", &format!("xoxb-{}", "123456789012-abcdefABCDEF"), "\""),
        with("npm ", &format!("npm_{}", &letters[..36]), ""),
        with("docker login -p ", &format!("dckr_pat_{}", &letters[..27]), " registry"),
        with("vault ", &format!("hvs.{}", &letters[..24]), ""),
        with("google ", &format!("AIza{}", &letters[..35]), ""),
        with("openai ", &format!("sk-{}", &letters[..32]), ""),
        with("aws AKIA", "IOSFODNN7EXAMPLE", ""),
        with("AWS_SECRET_ACCESS_KEY=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", " kubectl get pods"),
        with("kubectl --token=", &jwt, " get pods"),
        with("    token: ", &jwt, ""),
        with("Authorization: Bearer ", &letters[..32], ""),
        with("curl -H \"Authorization: Basic ", "dXNlcjpodW50ZXIyMg==", "\" https://example.com"),
        with("Cookie: foredeck=", &letters[..24], ""),
        with("psql postgres://app:", "hunter22-and-more", "@db.example:5432/app"),
        with("redis://:", "hunter22-and-more", "@cache.example:6379"),
        with("https://user:", "p%40ss-w0rd-9", "@example.com/repo.git"),
        with("DB_PASSWORD=", "hunter22-and-more", ""),
        with("  password: ", "hunter22-and-more", ""),
        with("{\"password\":\"", "hunter22-and-more", "\"}"),
        with("client-key-data: ", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=", ""),
        with("\"client-key-data\": \"", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=", "\""),
        with("api_key=", "0123456789abcdef0123", "&page=2"),
        with("client_secret=", "0123456789abcdef0123", "&page=2"),
        with("CLIENT_SECRET: ", "0123456789abcdef0123", ""),
        with("SECRET_KEY=", "0123456789abcdef0123", ""),
        with("PGPASSWORD=", "hunter22-and-more", " psql"),
    ];
    let key = format!("-----BEGIN EC PRIVATE KEY-----\n{letters}\n-----END EC PRIVATE KEY-----");
    corpus.push((key, letters.to_owned()));
    corpus
}

/// What may be seen of a secret is its beginning, never its end.
fn told(shown: &str, secret: &str) -> bool {
    shown.contains(&secret[secret.len() - secret.len().min(10)..])
}

fn secrets() -> Secrets {
    Secrets::with([KNOWN])
}

#[test]
fn terminals_mask_them_wherever_chunks_cut() {
    for (text, secret) in corpus() {
        let line = format!("$ {text}\r\n$ ");
        for cut in 0..line.len() {
            let mut redactor = Redactor::new(&secrets());
            let mut shown = redactor.push(&line.as_bytes()[..cut]);
            shown.extend(redactor.push(&line.as_bytes()[cut..]));
            shown.extend(redactor.flush());
            let shown = String::from_utf8_lossy(&shown);
            assert!(!told(&shown, &secret), "cut at {cut}: {shown}");
            assert_eq!(shown.chars().count(), line.chars().count(), "columns stay: {shown}");
        }
    }
}

fn bodies(text: &str) -> [Body; 3] {
    let row = Row { key: "k".into(), cells: vec!["a".into(), text.into()], mark: Mark::Plain, group: None };
    let table = Table { columns: vec!["A".into(), "B".into()], rows: vec![row], more: 0, empty: String::new() };
    let line = Line { key: text.into(), text: text.into(), mark: Mark::Good };
    let fact = Fact { label: "value".into(), value: text.into(), mark: Mark::Good };
    [Body::Table(table), Body::Lines { lines: vec![line] }, Body::Facts { facts: vec![fact], table: None }]
}

#[test]
fn panels_mask_them() {
    let mut masker = Masker::new(secrets());
    for (text, secret) in corpus() {
        for body in bodies(&text) {
            let shown = json!(masker.body(body)).to_string();
            assert!(!told(&shown, &secret), "{shown}");
        }
    }
    let fact = Fact { label: "password".into(), value: "hunter22-and-more".into(), mark: Mark::Plain };
    let shown = json!(masker.body(Body::Facts { facts: vec![fact], table: None })).to_string();
    assert!(!shown.contains("hunter22"), "a name and its value in two places: {shown}");
}

#[test]
fn recordings_and_exported_pages_have_none() {
    let head = Head { foredeck: String::new(), what: What::Talk, started_ms: 0, decks: vec!["d".into()] };
    let mut writer = Writer::new(&head, secrets(), 1 << 22);
    let mut at = 0;
    for (text, _) in corpus() {
        for body in bodies(&text) {
            at += 1000;
            writer.set(at, &panel_cell("pods"), json!(PanelState::good("pods", body, jiff::Timestamp::UNIX_EPOCH)));
        }
        let step = json!({ "deck": "d", "name": "add", "slide": 0, "state": "failed", "reason": text, "output": text });
        writer.set(at, "step d#add", step);
    }
    let mut bytes = writer.take();
    bytes.extend(writer.finish(at, Vec::new(), 0));
    let run = Arc::new(Recording::open(bytes).expect("a run"));

    let mut player = Player::new(run.clone());
    let mut recorded = String::new();
    while let Some(next) = player.next_at() {
        player.advance(next);
        recorded.push_str(&json!(player.scene().cells).to_string());
    }
    let deck = parse(&SourceFile::new("d.md", "```panel pods\nx\n```\n"), &Options::default()).value;
    let slides = render(&deck, &ThemeSet::builtin(), &RenderOptions::default()).value.slides;
    let film = film::film(&run, "d", &slides, &Templates::new(|_| None), "talk", 1 << 22);
    let film = film.expect("the template is sound").expect("something is shown");
    let mut page = String::new();
    DeflateDecoder::new(&film.packed[..]).read_to_string(&mut page).expect("deflated");
    assert!(recorded.len() > 10_000 && page.len() > 3000);
    for (_, secret) in corpus() {
        assert!(!told(&recorded, &secret), "recorded: {secret}");
        assert!(!told(&page, &secret), "exported: {secret}");
    }
}

#[test]
fn nothing_in_our_decks_is_taken_for_a_secret() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lines = 0;
    let folders = ["decks", "workshop", "src/cli/docs", "src/cli/scaffold"];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten());
    for file in files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "md")) {
        let text = std::fs::read_to_string(&file).expect("a text");
        for line in text.lines() {
            lines += 1;
            assert_eq!(secrets().redact(line), line, "in {}", file.display());
        }
    }
    assert!(lines > 3000, "{lines}");
}
