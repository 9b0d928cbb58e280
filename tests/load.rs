//! How fast a room of followers gets a slide change, and what live panels show.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body as RequestBody;
use axum::http::header;
use foredeck::deck::panel::PanelText;
use foredeck::diagnostic::Span;
use foredeck::panel::state::{Body, Mark, PanelState, Row, Table};
use foredeck::server::role::Role;
use jiff::Timestamp;
use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, watch};

use crate::harness::server::{Running, ServerTest};

const FOLLOWERS: usize = 2000;
const CHANGES: usize = 40;

/// One follower: reads its stream and says when the marker of each change came.
async fn follow(mut stream: tokio::net::TcpStream, seen: mpsc::UnboundedSender<(usize, Instant)>) {
    let mut buffer = vec![0; 4096];
    loop {
        let Ok(count) = stream.read(&mut buffer).await else { return };
        if count == 0 {
            return;
        }
        let now = Instant::now();
        let text = String::from_utf8_lossy(&buffer[..count]);
        let slide = text.rsplit("\"slide\":").next().and_then(|rest| rest.split(',').next());
        if let Some(slide) = slide.and_then(|slide| slide.parse().ok()) {
            let _ = seen.send((slide, now));
        }
    }
}

async fn change(running: &Running, slide: usize) -> Instant {
    // Over a socket, as the presenter's browser does it.
    let body = format!(r#"{{"do":"goto","slide":{slide}}}"#);
    let head = format!(
        "POST /api/v1/control HTTP/1.1\r\nHost: {}\r\nOrigin: http://{}\r\nCookie: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        running.address,
        running.address,
        running.cookie(Role::Presenter),
        body.len()
    );
    let started = Instant::now();
    let mut stream = running.raw(&(head + &body)).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    started
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test suite load:: -- --ignored --nocapture"]
async fn two_thousand_followers_get_a_change_within_250_ms() {
    let slides: Vec<(&str, u16)> = (0..=CHANGES).map(|_| ("slide", 0)).collect();
    let deck = crate::harness::server::compiled("Load", &slides);
    let running = ServerTest::new().deck("load", Some(deck)).start().await;
    let version = running.app.decks[0].view().await.expect("a deck").version;
    let (sender, mut seen) = mpsc::unbounded_channel();
    let mut followers = tokio::task::JoinSet::new();
    let opening = Instant::now();
    for _ in 0..FOLLOWERS {
        let head = format!("GET /events?deck=load&version={version} HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
        followers.spawn(follow(running.raw(&head).await, sender.clone()));
    }
    for _ in 0..FOLLOWERS {
        assert_eq!(seen.recv().await.map(|(slide, _)| slide), Some(0), "everybody sees the first slide");
    }
    let opened = opening.elapsed();
    let mut delays = Vec::new();
    let mut last = Vec::new();
    for slide in 1..=CHANGES {
        let started = change(&running, slide).await;
        let mut slowest = Duration::ZERO;
        for _ in 0..FOLLOWERS {
            let (at, when) = seen.recv().await.expect("followers are there");
            assert_eq!(at, slide);
            let delay = when.duration_since(started);
            slowest = slowest.max(delay);
            delays.push(delay);
        }
        last.push(slowest);
    }
    delays.sort();
    last.sort();
    let at = |share: usize| delays[(delays.len() - 1) * share / 100];
    eprintln!(
        "{FOLLOWERS} followers connected in {opened:?}; {CHANGES} changes: p50 {:?}, p99 {:?}, max {:?}; \
         slowest follower of a change, median {:?}; resident {} MiB (both sides)",
        at(50),
        at(99),
        at(100),
        last[last.len() / 2],
        resident_mib()
    );
    page_storm(&running).await;
    assert!(at(99) < Duration::from_millis(250), "p99 is {:?}", at(99));
    followers.shutdown().await;
    running.finish().await;
}

const PANELS: usize = 4;
const ROUNDS: usize = 20;

/// One window: says when all panels have shown a round, whose number stands between `@`.
async fn look(mut stream: tokio::net::TcpStream, seen: mpsc::UnboundedSender<(usize, Instant)>) {
    let (mut buffer, mut text) = (vec![0; 16 * 1024], String::new());
    let mut shown = [0; ROUNDS + 1];
    loop {
        let Ok(count @ 1..) = stream.read(&mut buffer).await else { return };
        let now = Instant::now();
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        while let Some((_, (round, rest))) =
            text.split_once('@').and_then(|(before, rest)| Some((before, rest.split_once('@')?)))
        {
            let round: usize = round.parse().expect("a number");
            text = rest.to_owned();
            shown[round] += 1;
            if shown[round] == PANELS {
                let _ = seen.send((round, now));
            }
        }
    }
}

/// A table of twelve rows, as panels have at most, with the round's number in it.
fn table(panel: usize, round: usize) -> Arc<PanelState> {
    let row = |index: usize| Row {
        key: index.to_string(),
        cells: vec![format!("podinfo-6d4cf56db6-{panel}{index:04}"), "1/1".to_owned(), "Running".to_owned()],
        mark: Mark::Good,
        group: None,
    };
    let columns = ["NAME", "READY", "STATUS"].map(str::to_owned).to_vec();
    let rows = (0..12).map(row).collect();
    let table = Table { columns, rows, more: 0, empty: String::new() };
    let mut body = Body::Table(table);
    if let Body::Table(table) = &mut body {
        table.rows[0].cells[2] = format!("@{round}@");
    }
    Arc::new(PanelState::good("pods", body, Timestamp::UNIX_EPOCH))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test suite load:: -- --ignored --nocapture"]
async fn two_thousand_windows_get_four_panels_within_300_ms() {
    let spec = |panel: usize| {
        let text = format!("pods namespace=n{panel}");
        PanelText::read(&text, 0).spec(String::new(), None, Span::default()).expect("a panel")
    };
    let mut deck = crate::harness::server::compiled("Load", &[("slide", 0)]);
    deck.rendered.slides[0].panels = (0..PANELS).map(|panel| (format!("p{panel}"), spec(panel))).collect();
    let running = ServerTest::new().deck("load", Some(deck)).start().await;
    let cells: Vec<watch::Sender<Arc<PanelState>>> = (0..PANELS)
        .map(|panel| {
            let (sender, cell) = watch::channel(table(panel, 0));
            running.app.panels.sources.provide(spec(panel).key(), cell);
            sender
        })
        .collect();
    let (sender, mut seen) = mpsc::unbounded_channel();
    let mut windows = tokio::task::JoinSet::new();
    for _ in 0..FOLLOWERS {
        let head = format!("GET /events?deck=load HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
        windows.spawn(look(running.raw(&head).await, sender.clone()));
    }
    for _ in 0..FOLLOWERS {
        assert_eq!(seen.recv().await.map(|(round, _)| round), Some(0), "late or not, everybody sees all panels");
    }
    let before = resident_mib();
    let mut delays = Vec::new();
    for round in 1..=ROUNDS {
        let started = Instant::now();
        for (panel, cell) in cells.iter().enumerate() {
            cell.send_replace(table(panel, round));
        }
        for _ in 0..FOLLOWERS {
            let (shown, when) = seen.recv().await.expect("windows are there");
            assert_eq!(shown, round);
            delays.push(when.duration_since(started));
        }
    }
    delays.sort();
    let at = |share: usize| delays[(delays.len() - 1) * share / 100];
    eprintln!(
        "{FOLLOWERS} windows, {PANELS} panels, {ROUNDS} rounds: p50 {:?}, p99 {:?}, max {:?}; resident {before} → {} MiB",
        at(50),
        at(99),
        at(100),
        resident_mib()
    );
    assert!(at(99) < Duration::from_millis(300), "p99 is {:?}", at(99));
    windows.shutdown().await;
    running.finish().await;
}

/// Everybody loads the page at once: it is made and compressed once.
async fn page_storm(running: &Running) {
    let started = Instant::now();
    let request = || {
        let request = running.request("GET", "/d/load/", Role::Viewer).header(header::ACCEPT_ENCODING, "gzip");
        request.body(RequestBody::empty()).expect("a request")
    };
    let answers = (0..FOLLOWERS).map(|_| running.send(request()));
    let answers = futures::future::join_all(answers).await;
    assert!(answers.iter().all(|answer| answer.status.is_success()));
    eprintln!("{FOLLOWERS} pages in {:?}", started.elapsed());
}

fn resident_mib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096 / 1024 / 1024
}
