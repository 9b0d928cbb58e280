//! What a room can do: every route there is, for everybody who has no token, a wrong one, or the remote's.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::header;
use foredeck::server::role::Role;

use super::steps::{step, with_steps};
use crate::harness::server::Running;

/// The table of routes as it is written, so that none is forgotten here.
const ROUTER: &str = include_str!("../../src/server/router.rs");

/// Who gets through to what a route does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum For {
    /// Everybody.
    All,
    /// Who has the speaker's or the remote's token.
    Speakers,
    /// Nobody without a secret of another kind: the learner's, or the repository's.
    Secret,
}

/// An example of every route: as it is written, method, address, body, for whom.
const ROUTES: [(&str, &str, &str, &str, For); 37] = [
    ("/", "GET", "/", "", For::All),
    ("/a", "GET", "/a", "", For::All),
    ("/d/{*path}", "GET", "/d/demo/", "", For::All),
    ("/d/{*path}", "GET", "/d/demo/?view=presenter", "", For::Speakers),
    ("/events", "GET", "/events?deck=none", "", For::All),
    ("/assets/{*path}", "GET", "/assets/none.js", "", For::All),
    ("/files/{*path}", "GET", "/files/none.png", "", For::All),
    ("/api/v1/state", "GET", "/api/v1/state", "", For::All),
    ("/api/v1/qr.svg", "GET", "/api/v1/qr.svg?for=remote", "", For::Speakers),
    ("/api/v1/poll", "POST", "/api/v1/poll", r#"{"key":"poll none","choice":0}"#, For::All),
    ("/git/{*path}", "POST", "/git/demo.git/git-receive-pack", "0000", For::Secret),
    ("/ws/term/{name}", "GET", "/ws/term/main", "", For::All),
    ("/flux/{*path}", "GET", "/flux/v11/notify", "", For::Secret),
    ("/charts/{file}", "GET", "/charts/index.yaml", "", For::All),
    ("/healthz", "GET", "/healthz", "", For::All),
    ("/metrics", "GET", "/metrics", "", For::All),
    ("/w", "GET", "/w", "", For::All),
    ("/w/", "GET", "/w/", "", For::Secret),
    ("/w/{step}", "GET", "/w/01-install", "", For::Secret),
    ("/api/v1/workshop", "GET", "/api/v1/workshop", "", For::Secret),
    ("/api/v1/workshop/{step}", "GET", "/api/v1/workshop/01-install", "", For::Secret),
    ("/api/v1/workshop/{step}/panels", "GET", "/api/v1/workshop/01-install/panels", "", For::Secret),
    ("/api/v1/workshop/{step}/{verb}", "POST", "/api/v1/workshop/01-install/run", "{}", For::Secret),
    ("/p", "GET", "/p", "", For::Speakers),
    ("/r", "GET", "/r", "", For::Speakers),
    ("/api/v1/control", "POST", "/api/v1/control", r#"{"do":"next"}"#, For::Speakers),
    ("/api/v1/steps/run", "POST", "/api/v1/steps/run", r#"{"deck":"demo"}"#, For::Speakers),
    ("/api/v1/steps/cancel", "POST", "/api/v1/steps/cancel", "{}", For::Speakers),
    ("/api/v1/checkpoints/restore", "POST", "/api/v1/checkpoints/restore", "{}", For::Speakers),
    ("/api/v1/poll/control", "POST", "/api/v1/poll/control", r#"{"key":"poll none","do":"show"}"#, For::Speakers),
    ("/api/v1/clock", "POST", "/api/v1/clock", r#"{"do":"pause"}"#, For::Speakers),
    ("/api/v1/canary", "POST", "/api/v1/canary", r#"{"namespace":"prod","name":"podinfo","do":"hold"}"#, For::Speakers),
    ("/api/v1/replay", "POST", "/api/v1/replay", "{}", For::Speakers),
    ("/api/v1/trust", "GET", "/api/v1/trust?deck=demo", "", For::Speakers),
    ("/api/v1/trust", "POST", "/api/v1/trust", r#"{"deck":"demo","hash":"wrong"}"#, For::Speakers),
    ("/nothing", "GET", "/nothing", "", For::All),
    ("/nothing", "POST", "/nothing", "{}", For::All),
];

/// The routes as the router has them.
fn written() -> BTreeSet<&'static str> {
    ROUTER.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Answers of a route: as a room has no token, as it guesses one, as it has the remote's, and as the speaker.
async fn status(server: &Running, (method, path, body): (&str, &str, &str), cookie: &str) -> u16 {
    let mut request = server.request(method, path, Role::Viewer).header(header::CONTENT_TYPE, "application/json");
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, cookie);
    }
    if path.starts_with("/ws/") {
        request = request
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    }
    let body = Body::from(body.to_owned());
    server.send(request.body(body).expect("a request")).await.status.as_u16()
}

#[tokio::test]
async fn a_room_can_run_nothing_whatever_it_tries() {
    let known: BTreeSet<&str> = ROUTES.iter().map(|(route, ..)| *route).filter(|route| *route != "/nothing").collect();
    assert_eq!(known, written(), "every route has its line in the table of this test");
    let server = with_steps(vec![step("a", "true")]).start().await;
    let port = server.address.port();
    let (presenter, remote) = (server.cookie(Role::Presenter), server.cookie(Role::Remote));
    let token = |cookie: &str| cookie.split_once('=').expect("a token").1.to_owned();
    // Nothing, a guess, the remote's token as if it were the speaker's, an empty one, another port's, and in the address.
    let room = [
        String::new(),
        format!("foredeck-presenter-{port}=AAAAAAAAAAAAAAAAAAAAAAAA"),
        format!("foredeck-presenter-{port}={}", token(&remote)),
        format!("foredeck-remote-{port}={}", token(&presenter)),
        format!("foredeck-presenter-{port}="),
        format!("foredeck-presenter-{}={}", port.wrapping_add(1), token(&presenter)),
        format!("foredeck-viewer-{port}={}", token(&presenter)),
    ];
    for (route, method, path, body, who) in ROUTES {
        let asked = (method, path, body);
        for cookie in &room {
            let got = status(&server, asked, cookie).await;
            match who {
                For::All => assert!(got != 403 && got != 500, "{method} {path} with {cookie:?}: {got}"),
                For::Speakers => assert_eq!(got, 403, "{method} {path} with {cookie:?}"),
                // There is no workshop and no repository behind this server: nothing is there at all, or it is refused.
                For::Secret => assert!([401, 403, 404, 503].contains(&got), "{method} {path} with {cookie:?}: {got}"),
            }
        }
        if route == "/api/v1/control" {
            assert_eq!(server.app.hub.speaker(0).slide, 0, "nothing that the room sent was taken");
        }
        let speakers: Vec<&str> = if route == "/p" { vec![&presenter] } else { vec![&presenter, &remote] };
        for cookie in speakers {
            let got = status(&server, asked, cookie).await;
            // Refused for another reason than the token: an untrusted deck, nothing to go back to.
            let untrusted = route == "/api/v1/steps/run" || (route, method) == ("/api/v1/trust", "POST");
            match who {
                For::Speakers if !untrusted => {
                    assert!(got != 403 && got != 500, "{method} {path} for a speaker: {got}");
                }
                For::Secret => assert!([401, 403, 404, 503].contains(&got), "{method} {path} for a speaker: {got}"),
                _ => assert_ne!(got, 500, "{method} {path} for a speaker"),
            }
        }
    }
    // No other method opens a door either.
    for (_, _, path, body, who) in ROUTES {
        for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"] {
            let got = status(&server, (method, path, body), "").await;
            assert!(got >= 400, "{method} {path} ({who:?}): {got}");
        }
    }
    assert!(server.app.desk.runner.journal().borrow().marks().is_empty());
    assert_eq!(server.app.desk.runner.journal().borrow().active, None);
    assert_eq!(server.app.hub.speaker(0).slide, 1, "the speakers' commands were taken");
    server.finish().await;
}
