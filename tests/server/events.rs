//! Event streams over real sockets: state, resume, freeze, reload, problems, goodbye, resuming a talk.

use foredeck::server::role::Role;
use serde_json::json;

use crate::harness::server::{ServerTest, broken, compiled, eventually};

#[tokio::test]
async fn a_change_reaches_every_window_and_a_late_one_sees_the_present() {
    let running = ServerTest::talk().start().await;
    let version = running.app.decks[0].view().await.expect("compiled").version;
    let query = format!("deck=gitops&version={version}");
    let mut early = running.listen(&query, Role::Viewer, None).await;
    assert_eq!(early.expect("state").await["slide"], 0);
    let answer = running.command(r#"{"do":"goto","slide":2}"#).await.json();
    let told = early.next().await.expect("an event");
    assert_eq!((told.name.as_str(), &told.data), ("state", &answer), "the answer and the event are the same state");
    assert_eq!(told.id, answer["v"].to_string());
    let mut late = running.listen(&query, Role::Viewer, None).await;
    let mut seen = late.expect("state").await;
    seen["timer"]["now_ms"] = answer["timer"]["now_ms"].clone();
    assert_eq!(seen, answer);
    running.finish().await;
}

#[tokio::test]
async fn a_window_resumes_where_it_was() {
    let running = ServerTest::talk().start().await;
    let version = running.app.decks[0].view().await.expect("compiled").version;
    let query = format!("deck=gitops&version={version}");
    let mut window = running.listen(&query, Role::Viewer, None).await;
    let id = window.next().await.expect("an event").id;
    drop(window);
    // Nothing happened: the first thing told is the next change.
    let mut again = running.listen(&query, Role::Viewer, Some(&id)).await;
    running.command(r#"{"do":"next"}"#).await;
    assert_eq!(again.expect("state").await["slide"], 1);
    drop(again);
    // Something happened meanwhile: it is told at once.
    let mut later = running.listen(&query, Role::Viewer, Some(&id)).await;
    assert_eq!(later.expect("state").await["slide"], 1);
    // Ids of another server, or no ids at all, mean nothing.
    for odd in ["99999999999999999", "-1", "x", ""] {
        let mut window = running.listen(&query, Role::Viewer, Some(odd)).await;
        assert_eq!(window.expect("state").await["slide"], 1);
    }
    running.finish().await;
}

#[tokio::test]
async fn while_frozen_the_audience_stays_and_the_speaker_moves() {
    let running = ServerTest::talk().start().await;
    let version = running.app.decks[0].view().await.expect("compiled").version;
    let query = format!("deck=gitops&version={version}");
    running.command(r#"{"do":"freeze","on":true}"#).await;
    let mut audience = running.listen(&query, Role::Viewer, None).await;
    let mut projector = running.listen(&(query.clone() + "&as=viewer"), Role::Presenter, None).await;
    let mut speaker = running.listen(&query, Role::Presenter, None).await;
    for window in [&mut audience, &mut projector, &mut speaker] {
        assert_eq!(window.expect("state").await["freeze"], true);
    }
    running.command(r#"{"do":"goto","slide":2}"#).await;
    running.command(r#"{"do":"laser","to":{"x":0.5,"y":0.5}}"#).await;
    assert_eq!(speaker.expect("state").await["slide"], 2);
    assert_eq!(speaker.expect("laser").await, json!({ "x": 0.5, "y": 0.5 }));
    assert_eq!(running.get("/api/v1/state", Role::Viewer).await.json()["slide"], 0);
    assert_eq!(running.get("/api/v1/state", Role::Remote).await.json()["slide"], 2);
    running.command(r#"{"do":"screen","to":"black"}"#).await;
    running.command(r#"{"do":"freeze","on":false}"#).await;
    for window in [&mut audience, &mut projector] {
        // Black goes through while frozen; a slow window may learn of it only together with the thaw.
        let mut state = window.expect("state").await;
        assert_eq!(state["screen"], "black");
        if state["freeze"] == true {
            assert_eq!(state["slide"], 0);
            state = window.expect("state").await;
        }
        assert_eq!((&state["slide"], &state["freeze"]), (&json!(2), &json!(false)));
    }
    running.finish().await;
}

#[tokio::test]
async fn an_edit_reloads_and_a_bad_one_tells_the_speaker() {
    let running = ServerTest::talk().start().await;
    let view = running.app.decks[0].view().await.expect("compiled");
    let query = format!("deck=gitops&version={}", view.version);
    let mut audience = running.listen(&query, Role::Viewer, None).await;
    let mut speaker = running.listen(&query, Role::Presenter, None).await;
    let mut other = running.listen("deck=day-1/intro", Role::Viewer, None).await;
    audience.expect("state").await;
    speaker.expect("state").await;
    other.expect("state").await;
    assert_eq!(other.expect("reload").await["deck"], "day-1/intro", "a window that names no version reloads");

    running.edit("gitops", broken(&view.compiled, "a bad line"));
    assert_eq!(speaker.expect("problems").await, json!({ "deck": "gitops", "html": "<p>a bad line</p>" }));

    let good = compiled("GitOps", &[("one", 0), ("changed", 0), ("three", 0)]);
    running.edit("gitops", good.clone());
    let reload = json!({ "deck": "gitops", "version": view.version + 1, "first": 1 });
    let state = audience.expect("state").await;
    assert_eq!(state["deck_version"], json!(view.version + 1));
    assert_eq!(audience.expect("reload").await, reload, "the audience is not told of the bad edit");
    // State, reload and problems may come in one or several pieces, in any order across kinds.
    let mut names = Vec::new();
    for _ in 0..3 {
        let event = speaker.next().await.expect("an event");
        if event.name == "problems" {
            assert_eq!(event.data["html"], "", "healed");
        }
        names.push(event.name);
    }
    names.sort();
    assert_eq!(names, ["problems", "reload", "state"]);

    // The same deck again: a picture of it was replaced.
    running.edit("gitops", good);
    assert_eq!(audience.expect("state").await["deck_version"], json!(view.version + 2));
    assert_eq!(audience.expect("reload").await["first"], json!(null));
    running.finish().await;
}

#[tokio::test]
async fn a_shrunk_deck_moves_the_talk_to_its_last_slide() {
    let running = ServerTest::talk().start().await;
    running.command(r#"{"do":"goto","slide":2}"#).await;
    running.edit("gitops", compiled("GitOps", &[("one", 0), ("two", 1)]));
    eventually("the talk moves", || running.app.hub.speaker(0).slide == 1).await;
    running.finish().await;
}

#[tokio::test]
async fn stopping_says_goodbye_and_leaves_nothing() {
    let running = ServerTest::talk().start().await;
    let mut windows = Vec::new();
    for role in [Role::Viewer, Role::Presenter, Role::Remote] {
        let mut window = running.listen("", role, None).await;
        window.expect("state").await;
        windows.push(window);
    }
    let _idle = running.raw("").await;
    let _half = running.raw("GET / HTTP/1.1\r\n").await;
    running.stop.cancel();
    for mut window in windows {
        window.expect("bye").await;
        assert_eq!(window.next().await, None);
    }
    let app = running.app.clone();
    running.finish().await;
    assert_eq!(app.metrics.streams(), 0);
    assert_eq!(std::sync::Arc::strong_count(&app), 1, "no task holds on to the server");
}

#[tokio::test]
async fn a_talk_resumes_after_a_restart() {
    let first = ServerTest::talk();
    let state_file = first.root().join(".foredeck/state.json");
    let path = state_file.clone();
    let running = first.with(|config| config.state_file = Some(path)).start().await;
    running.app.decks[0].view().await.expect("compiled");
    running.command(r#"{"do":"goto","slide":1,"fragment":2}"#).await;
    running.command(r#"{"do":"timer","to":"start"}"#).await;
    let (cookie_token, v) = (running.app.tokens.presenter.clone(), running.app.hub.speaker(0).v);
    let timer = running.app.hub.speaker(0).timer;
    running.stop.cancel();
    eventually("the state is kept", || state_file.exists()).await;
    let kept = running.folder.path().to_owned();
    running.task.await.expect("it stops");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&state_file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it holds tokens");
    }

    for (resume, expected) in [(true, (1, 2)), (false, (0, 0))] {
        let path = kept.join(".foredeck/state.json");
        let again = ServerTest::talk().with(|config| {
            config.state_file = Some(path);
            config.resume = resume;
        });
        let again = again.start().await;
        again.app.decks[0].view().await.expect("compiled");
        let live = again.app.hub.speaker(0);
        assert_eq!((live.slide, live.fragment), expected);
        assert_eq!(again.app.tokens.presenter == cookie_token, resume, "the speaker's windows stay the speaker's");
        if resume {
            assert_eq!((live.timer.running, live.timer.at_ms), (true, timer.at_ms));
            assert!(live.v > v);
        }
        // The one that does not resume starts the file anew, so it comes last.
        again.finish().await;
    }
    std::fs::write(&state_file, "{broken").expect("a file");
    let path = state_file.clone();
    let again = ServerTest::talk().with(|config| {
        config.state_file = Some(path);
        config.resume = true;
    });
    let again = again.start().await;
    assert_eq!(again.app.hub.speaker(0).slide, 0, "an unreadable file is no reason not to start");
    again.finish().await;
}
