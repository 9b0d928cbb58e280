//! Live panels: every window gets the present, the speaker alone what is wrong, and nobody looking costs nothing.

use std::sync::Arc;

use foredeck::deck::PanelSpec;
use foredeck::deck::panel::PanelText;
use foredeck::diagnostic::Span;
use foredeck::panel::state::{Body, Line, Mark, PanelState};
use foredeck::project::Compiled;
use foredeck::server::role::Role;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use crate::harness::server::{Events, Running, ServerTest, compiled, eventually};

const PANEL: &str = "logs pod=web";

fn spec(text: &str) -> PanelSpec {
    PanelText::read(text, 0).spec(String::new(), None, Span::default()).expect("a panel")
}

fn deck(panels: &[&str]) -> Compiled {
    let mut deck = compiled("Live", &[("one", 0)]);
    deck.rendered.slides[0].panels =
        panels.iter().enumerate().map(|(at, text)| (format!("panel-{at}"), spec(text))).collect();
    deck
}

fn lines(text: &str) -> PanelState {
    let line = Line { key: "1".to_owned(), text: text.to_owned(), mark: Mark::Good };
    PanelState::good("logs", Body::Lines { lines: vec![line] }, Timestamp::UNIX_EPOCH)
}

/// A server with a deck of one panel, and the cell that it shows.
async fn start() -> (Running, watch::Sender<Arc<PanelState>>) {
    let running = ServerTest::new().deck("live", Some(deck(&[PANEL]))).start().await;
    let (sender, cell) = watch::channel(Arc::new(PanelState::waiting("logs")));
    running.app.panels.sources.provide(spec(PANEL).key(), cell);
    (running, sender)
}

/// The next news of a panel.
async fn panel(events: &mut Events) -> Value {
    loop {
        let event = events.next().await.expect("a panel before the end");
        if event.name == "panel" {
            return event.data;
        }
    }
}

#[tokio::test]
async fn windows_and_late_joiners_are_shown_the_same() {
    let (running, cell) = start().await;
    let mut first = running.listen("deck=live", Role::Viewer, None).await;
    let mut second = running.listen("deck=live", Role::Viewer, None).await;
    cell.send_replace(Arc::new(lines("hello <b>")));
    let seen = panel(&mut first).await;
    assert_eq!(
        seen,
        serde_json::json!({
            "key": spec(PANEL).key(),
            "html": "<ol class=\"fd-lines\"><li class=\"fd-clip\" data-key=\"1\" data-mark=\"good\">\
                     <span class=\"fd-mark\" data-mark=\"good\" aria-hidden=\"true\">✓</span>hello &lt;b&gt;</li>\n</ol>",
            "at_ms": 0,
        })
    );
    assert_eq!(panel(&mut second).await, seen);
    let mut late = running.listen("deck=live", Role::Viewer, None).await;
    assert_eq!(panel(&mut late).await, seen);
    let mut speaker = running.listen("deck=live", Role::Presenter, None).await;
    assert_eq!(panel(&mut speaker).await, seen);
    running.finish().await;
}

#[tokio::test]
async fn the_speaker_alone_is_told_what_is_wrong() {
    let (running, cell) = start().await;
    let mut speaker = running.listen("deck=live", Role::Presenter, None).await;
    let mut audience = running.listen("deck=live", Role::Viewer, None).await;
    cell.send_replace(Arc::new(PanelState::waiting("logs").failing("no pod at 10.0.0.1")));
    let told = panel(&mut speaker).await;
    assert_eq!((&told["html"], &told["problem"]), (&Value::Null, &Value::from("no pod at 10.0.0.1")));
    let silent = serde_json::json!({ "key": spec(PANEL).key(), "html": null, "stale": true });
    assert_eq!(panel(&mut audience).await, silent);
    cell.send_replace(Arc::new(lines("good")));
    let good = panel(&mut speaker).await;
    assert_eq!((good.get("stale"), good.get("problem")), (None, None));
    assert_eq!(panel(&mut audience).await, good);
    cell.send_replace(Arc::new(lines("good").failing("the secret reason")));
    let (told, seen) = (panel(&mut speaker).await, panel(&mut audience).await);
    assert_eq!((&told["stale"], &told["problem"]), (&Value::from(true), &Value::from("the secret reason")));
    assert_eq!((&seen["stale"], seen.get("problem"), &seen["html"]), (&Value::from(true), None, &good["html"]));
    let follower = running.listen("deck=live&as=viewer", Role::Presenter, None).await;
    let mut follower = follower;
    assert_eq!(panel(&mut follower).await, seen, "the projector is the audience's");
    running.finish().await;
}

#[tokio::test]
async fn nothing_is_followed_unless_somebody_looks() {
    let (running, cell) = start().await;
    assert_eq!(cell.receiver_count(), 1, "only the source itself");
    let first = running.listen("deck=live", Role::Viewer, None).await;
    let second = running.listen("deck=live", Role::Viewer, None).await;
    eventually("one follower for both", || cell.receiver_count() == 2).await;
    drop(first);
    eventually("a window is gone", || running.app.panels.windows(0) == 1).await;
    assert_eq!(cell.receiver_count(), 2);
    drop(second);
    eventually("nobody looks", || cell.receiver_count() == 1).await;
    cell.send_replace(Arc::new(lines("while nobody looked")));
    let mut late = running.listen("deck=live", Role::Viewer, None).await;
    assert!(panel(&mut late).await["html"].as_str().expect("HTML").contains("while nobody looked"));
    running.finish().await;
}

#[tokio::test]
async fn an_edit_opens_and_closes_panels() {
    let (running, cell) = start().await;
    let (other, other_cell) = watch::channel(Arc::new(lines("other")));
    running.app.panels.sources.provide(spec("logs pod=other").key(), other_cell);
    cell.send_replace(Arc::new(lines("first")));
    let mut window = running.listen("deck=live", Role::Viewer, None).await;
    assert_eq!(panel(&mut window).await["key"], spec(PANEL).key());
    let mut edited = deck(&["logs pod=other", "logs pod=third source=snapshot", "terminal"]);
    edited.rendered.slides[0].html.push('x');
    running.edit("live", edited);
    assert_eq!(panel(&mut window).await["key"], spec("logs pod=other").key());
    eventually("the old one is let go", || cell.receiver_count() == 1).await;
    assert_eq!((other.receiver_count(), running.app.panels.sources.count()), (2, 0));
    running.finish().await;
}

#[tokio::test]
async fn a_flood_of_states_is_thinned_out_and_the_last_one_arrives() {
    let (running, cell) = start().await;
    let mut window = running.listen("deck=live", Role::Viewer, None).await;
    cell.send_replace(Arc::new(lines("0")));
    panel(&mut window).await;
    for number in 1..=500 {
        cell.send_replace(Arc::new(lines(&number.to_string())));
        tokio::task::yield_now().await;
    }
    let mut frames = 0;
    while !panel(&mut window).await["html"].as_str().expect("HTML").contains(">500<") {
        frames += 1;
        assert!(frames < 50, "not every state is a frame");
    }
    running.finish().await;
}

#[tokio::test]
async fn the_room_votes_once_per_browser() {
    use axum::body::Body;
    use axum::http::header;

    let poll = "poll \"Which one?\" push pull";
    let running = ServerTest::new().deck("live", Some(deck(&[poll]))).start().await;
    let mut window = running.listen("deck=live", Role::Viewer, None).await;
    let votes = |data: &Value| {
        let html = data["html"].as_str().expect("HTML").to_owned();
        let counts = html.split("fd-votes\">").skip(1).filter_map(|rest| rest.split('<').next()?.parse().ok());
        counts.collect::<Vec<u32>>()
    };
    assert_eq!(votes(&panel(&mut window).await), [0, 0]);
    let vote = async |choice: i64, cookie: &str| {
        let body = serde_json::json!({ "key": spec(poll).key(), "choice": choice }).to_string();
        let request = running.request("POST", "/api/v1/poll", Role::Viewer);
        let request = request.header(header::CONTENT_TYPE, "application/json").header(header::COOKIE, cookie);
        running.send(request.body(Body::from(body)).expect("a request")).await
    };
    let first = vote(0, "").await;
    assert_eq!(first.status, 200, "{}", first.text);
    let cookie = first.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert_eq!(votes(&panel(&mut window).await), [1, 0]);
    let second = vote(1, &cookie).await;
    assert_eq!((second.status.as_u16(), second.header("set-cookie")), (200, ""));
    assert_eq!(votes(&panel(&mut window).await), [0, 1], "a vote can be changed");
    assert_eq!(vote(1, "").await.status, 200);
    assert_eq!(votes(&panel(&mut window).await), [0, 2], "another browser");
    for (choice, status) in [(2, 400), (-1, 400)] {
        assert_eq!(vote(choice, &cookie).await.status, status);
    }
    running.finish().await;
}

#[tokio::test]
async fn results_are_kept_from_the_room_until_the_speaker_shows_them() {
    use axum::body::Body;
    use axum::http::header;

    let poll = "poll \"Which one?\" push pull hidden";
    let running = ServerTest::new().deck("live", Some(deck(&[poll]))).start().await;
    let mut window = running.listen("deck=live", Role::Viewer, None).await;
    let post = async |path: &str, role: Role, body: Value| {
        let request = running.request("POST", path, role).header(header::CONTENT_TYPE, "application/json");
        running.send(request.body(Body::from(body.to_string())).expect("a request")).await
    };
    let key = spec(poll).key();
    let turn = async |role: Role, what: &str| {
        post("/api/v1/poll/control", role, serde_json::json!({ "key": key, "do": what })).await.status.as_u16()
    };
    let html = |data: Value| data["html"].as_str().expect("HTML").to_owned();
    assert!(html(panel(&mut window).await).contains("0 votes so far"));
    assert_eq!(post("/api/v1/poll", Role::Viewer, serde_json::json!({ "key": key, "choice": 1 })).await.status, 200);
    let hidden = html(panel(&mut window).await);
    assert!(
        hidden.contains("1 vote so far") && !hidden.contains("fd-votes") && !hidden.contains("progress"),
        "{hidden}"
    );
    assert_eq!(turn(Role::Viewer, "show").await, 403);
    assert_eq!((turn(Role::Presenter, "explode").await, turn(Role::Remote, "show").await), (400, 200));
    let shown = html(panel(&mut window).await);
    assert!(shown.contains("<span class=\"fd-votes\">1</span>"), "{shown}");
    let mut late = running.listen("deck=live", Role::Viewer, None).await;
    assert_eq!(html(panel(&mut late).await), shown, "a late joiner sees the same");
    assert_eq!(turn(Role::Presenter, "reset").await, 200);
    assert!(html(panel(&mut window).await).contains("<span class=\"fd-votes\">0</span>"));
    running.finish().await;
}
