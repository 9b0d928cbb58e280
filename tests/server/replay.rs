//! Recorded runs: what is shown is recorded, takes over when a source is silent, is turned over by the speaker alone, and
//! runs steps without anything being run.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::http::StatusCode;
use foredeck::deck::PanelSpec;
use foredeck::deck::own::Own;
use foredeck::deck::panel::PanelText;
use foredeck::diagnostic::Span;
use foredeck::panel::state::{Body, Line, Mark, PanelState};
use foredeck::recording::facts::Facts;
use foredeck::recording::play::Player;
use foredeck::recording::read::Recording;
use foredeck::recording::write::Writer;
use foredeck::recording::{DeckEnd, Head, What, files, panel_cell, step_cell};
use foredeck::server::replay::{Fallback, Plan, Wishes};
use foredeck::server::role::Role;
use foredeck::server::{Config, record};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::steps::{post, step};
use crate::harness::server::{DEADLINE, Events, Running, ServerTest, compiled, eventually};

const PANEL: &str = "logs pod=web";

fn spec() -> PanelSpec {
    PanelText::read(PANEL, 0).spec(String::new(), None, Span::default()).expect("a panel")
}

fn lines(text: &str) -> PanelState {
    let line = Line { key: "1".to_owned(), text: text.to_owned(), mark: Mark::Good };
    PanelState::good("logs", Body::Lines { lines: vec![line] }, Timestamp::UNIX_EPOCH)
}

/// A run in which the panel said `rehearsed` before the step, and `after` once it had passed.
fn run() -> Arc<Recording> {
    let head = Head { foredeck: String::new(), what: What::Rehearsal, started_ms: 0, decks: vec!["demo".into()] };
    let mut writer = Writer::new(&head, Default::default(), 1 << 20);
    let step = |state: &str| json!({ "deck": "demo", "name": "add", "slide": 0, "state": state });
    let panel = panel_cell(&spec().key());
    writer.set(10, &panel, json!(lines("rehearsed")));
    writer.set(100, &step_cell("demo", "add"), step("running"));
    writer.set(150, &panel, json!(lines("after")));
    writer.set(200, &step_cell("demo", "add"), step("passed"));
    let mut bytes = writer.take();
    let end = DeckEnd { deck: "demo".into(), hash: String::new(), steps: 1, passed: true };
    bytes.extend(writer.finish(300, vec![end], 0));
    Arc::new(Recording::open(bytes).expect("a run"))
}

fn plan(always: bool, speaker: Option<Fallback>) -> Plan {
    Plan { runs: BTreeMap::from([("demo".to_owned(), run())]), always, wishes: Wishes { speaker, settings: None } }
}

/// A server whose deck has the panel and the step, and the cell that the panel shows live.
async fn start(change: impl FnOnce(&mut Config)) -> (Running, watch::Sender<Arc<PanelState>>) {
    start_with(Own::default(), change).await
}

async fn start_with(own: Own, change: impl FnOnce(&mut Config)) -> (Running, watch::Sender<Arc<PanelState>>) {
    let mut deck = compiled("Demo", &[("one", 0), ("two", 0)]);
    deck.own = own;
    deck.rendered.slides[0].panels = vec![("panel-0".to_owned(), spec())];
    deck.rendered.slides[0].steps = vec![step("add", "exit 1")];
    let running = ServerTest::new().deck("demo", Some(deck)).with(change).start().await;
    let (sender, cell) = watch::channel(Arc::new(lines("live")));
    running.app.panels.sources.provide(spec().key(), cell);
    (running, sender)
}

/// The next news of a kind for which something holds.
async fn until(events: &mut Events, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let waiting = async {
        loop {
            let event = events.next().await.expect("news before the end");
            if event.name == name {
                last.clone_from(&event.data);
                if holds(&event.data) {
                    return event.data;
                }
            }
        }
    };
    let found = tokio::time::timeout(DEADLINE, waiting).await;
    found.unwrap_or_else(|_| panic!("the last news of `{name}`: {last}"))
}

fn shows(text: &'static str) -> impl Fn(&Value) -> bool {
    move |data| data["html"].as_str().is_some_and(|html| html.contains(text))
}

#[tokio::test]
async fn a_silent_source_is_replaced_and_the_speaker_goes_back() {
    let (running, cell) = start(|config| config.replay = plan(false, None)).await;
    let mut room = running.listen("deck=demo", Role::Viewer, None).await;
    let live = until(&mut room, "panel", shows("live")).await;
    assert_eq!(live.get("replay"), None);
    let failing = cell.borrow().failing("the cluster is gone");
    cell.send_replace(Arc::new(failing));
    let replayed = until(&mut room, "panel", shows("rehearsed")).await;
    assert!(replayed["replay"].as_str().expect("a label").starts_with("rehearsal "), "{replayed}");
    assert_eq!(replayed.get("stale"), None, "the run is not silent");
    for role in [Role::Viewer, Role::Presenter] {
        let answer = post(&running, role, "/api/v1/replay", &json!({ "slide": 0, "on": false })).await;
        let expected = if role == Role::Presenter { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
    let back = until(&mut room, "panel", |data| data["stale"] == true).await;
    assert_eq!(back.get("replay"), None, "the speaker wants it live, silent or not");
    running.finish().await;
}

#[tokio::test]
async fn who_is_asked_decides() {
    let (running, cell) = start(|config| config.replay = plan(false, Some(Fallback::Ask))).await;
    let mut room = running.listen("deck=demo", Role::Viewer, None).await;
    let mut speaker = running.listen("deck=demo", Role::Presenter, None).await;
    until(&mut room, "panel", shows("live")).await;
    let failing = cell.borrow().failing("the cluster is gone");
    cell.send_replace(Arc::new(failing));
    let offer = until(&mut speaker, "replay", |data| data["offer"] != "").await;
    assert!(offer["offer"].as_str().expect("words").contains("x shows the rehearsal"), "{offer}");
    assert_eq!(offer["on"], false);
    let answer = post(&running, Role::Presenter, "/api/v1/replay", &json!({})).await;
    assert_eq!((answer.status, answer.json()["on"].clone()), (StatusCode::OK, json!(true)));
    until(&mut room, "panel", shows("rehearsed")).await;
    running.finish().await;
}

#[tokio::test]
async fn without_a_cluster_steps_show_what_was_recorded_and_nothing_is_run() {
    let (running, _cell) = start(|config| config.replay = plan(true, None)).await;
    let mut room = running.listen("deck=demo", Role::Viewer, None).await;
    until(&mut room, "panel", shows("rehearsed")).await;
    // Nobody has agreed to the commands: none is run.
    let answer = post(&running, Role::Presenter, "/api/v1/steps/run", &json!({ "deck": "demo", "slide": 0 })).await;
    assert_eq!((answer.status, answer.json()["replay"].clone()), (StatusCode::OK, json!(true)), "{}", answer.text);
    let passed = |data: &Value| data["steps"][0]["state"] == "passed";
    until(&mut room, "step", passed).await;
    let mut late = running.listen("deck=demo", Role::Viewer, None).await;
    until(&mut late, "panel", shows("after")).await;
    let answer = post(&running, Role::Presenter, "/api/v1/replay", &json!({ "on": false })).await;
    assert_eq!(answer.json()["on"], true, "there is nothing live to go back to");
    // Back to before the step: the panel shows that moment again, and the step can be shown once more.
    let answer = post(&running, Role::Presenter, "/api/v1/checkpoints/restore", &json!({})).await;
    assert_eq!((answer.status, answer.json()["name"].clone()), (StatusCode::OK, json!("add")), "{}", answer.text);
    until(&mut late, "panel", shows("rehearsed")).await;
    let mut later = running.listen("deck=demo", Role::Viewer, None).await;
    until(&mut later, "step", |data| data["steps"][0]["state"] == "ready").await;
    let answer = post(&running, Role::Presenter, "/api/v1/steps/run", &json!({ "deck": "demo", "slide": 0 })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    until(&mut late, "panel", shows("after")).await;
    running.finish().await;
}

#[tokio::test]
async fn a_deck_says_itself_what_is_done_when_its_demo_fails() {
    for (deck, speaker, asked) in [
        (Some(Fallback::Ask), None, true),
        (Some(Fallback::Auto), Some(Fallback::Ask), true),
        (Some(Fallback::Auto), None, false),
    ] {
        let settings = Some(if asked { Fallback::Auto } else { Fallback::Never });
        let wishes = Wishes { speaker, settings };
        let runs = BTreeMap::from([("demo".to_owned(), run())]);
        let own = Own { fallback: deck };
        let change = |config: &mut Config| config.replay = Plan { runs, always: false, wishes };
        let (running, cell) = start_with(own, change).await;
        let mut room = running.listen("deck=demo", Role::Viewer, None).await;
        let mut speaker = running.listen("deck=demo", Role::Presenter, None).await;
        until(&mut room, "panel", shows("live")).await;
        let failing = cell.borrow().failing("the cluster is gone");
        cell.send_replace(Arc::new(failing));
        if asked {
            let offer = until(&mut speaker, "replay", |data| data["offer"] != "").await;
            assert_eq!(offer["on"], false);
        } else {
            until(&mut room, "panel", shows("rehearsed")).await;
        }
        running.finish().await;
    }
}

#[tokio::test]
async fn a_deck_without_a_run_says_how_to_get_one() {
    let (running, _cell) = start(|_| {}).await;
    let answer = post(&running, Role::Presenter, "/api/v1/replay", &json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("foredeck rehearse"), "{}", answer.text);
    running.finish().await;
}

#[tokio::test]
async fn what_is_shown_is_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = Arc::new(OnceLock::new());
    let plan = record::Plan {
        folder: files::folder(folder.path()),
        what: What::Talk,
        most: files::MOST,
        kept: 3,
        written: written.clone(),
        port: Some(3939),
        cluster: "embedded".to_owned(),
    };
    let (running, cell) = start(|config| config.record = Some(plan)).await;
    let mut room = running.listen("deck=demo", Role::Viewer, None).await;
    until(&mut room, "panel", shows("live")).await;
    cell.send_replace(Arc::new(lines("then this")));
    until(&mut room, "panel", shows("then this")).await;
    running.command(r#"{"do":"goto","slide":1}"#).await;
    eventually("a file is made", || written.get().is_some()).await;
    running.finish().await;
    let run = files::read(written.get().expect("a file")).expect("a run");
    assert_eq!((run.broken, run.end.lost, run.head.decks.clone()), (None, 0, vec!["demo".to_owned()]));
    assert!(!run.passed("demo"), "its step has not run");
    let run = Arc::new(run);
    let facts = Facts::of(&run).expect("what it was made with");
    assert_eq!((facts.port, facts.cluster.as_str(), facts.foredeck.is_empty()), (Some(3939), "embedded", false));
    assert_eq!(facts.program.len(), 16);
    let mut player = Player::new(run);
    let mut seen = Vec::new();
    while let Some(at) = player.next_at() {
        player.advance(at);
        let shown = player.scene().cells.get(&panel_cell(&spec().key()));
        let text = shown.and_then(|state| state["body"]["lines"][0]["text"].as_str()).unwrap_or_default().to_owned();
        if seen.last() != Some(&text) {
            seen.push(text);
        }
    }
    seen.retain(|text| !text.is_empty());
    assert_eq!(seen, ["live", "then this"]);
    assert_eq!(player.scene().cells["position"]["slide"], 1);
}
