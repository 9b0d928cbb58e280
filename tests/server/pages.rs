//! Pages and documents: what is in them, how they are kept, what is said when there are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{StatusCode, header};
use foredeck::server::role::Role;
use foredeck::server::{Config, Error, Server};
use serde_json::json;

use crate::harness::server::{ServerTest, compiled};

#[tokio::test]
async fn the_deck_page_is_told_everything() {
    let running = ServerTest::talk().start().await;
    let version = running.app.deck("gitops").expect("a deck").1.view().await.expect("compiled").version;
    let page = running.get("/d/gitops/", Role::Viewer).await;
    assert!(
        page.text.starts_with("<title>GitOps</title><base href=\"&#x2f;files&#x2f;decks&#x2f;\">"),
        "{}",
        page.text
    );
    assert!(page.text.ends_with("<svg data-marpit-svg=\"\">three</svg>"), "{}", page.text);
    let slides = running.get("/d/gitops/slides.json", Role::Viewer).await;
    assert_eq!(
        slides.json(),
        json!({
            "version": version, "title": "GitOps", "css": "section{}",
            "size": { "width": 1280.0, "height": 720.0 },
            "slides": [
                "<svg data-marpit-svg=\"\">one</svg>",
                "<svg data-marpit-svg=\"\">two</svg>",
                "<svg data-marpit-svg=\"\">three</svg>",
            ],
            "titles": ["one", "two", "three"], "texts": ["one", "two", "three"], "fragments": [0, 2, 0], "plan": [],
        })
    );
    assert_eq!(running.get("/d/day-1/intro?f=2", Role::Viewer).await.header("location"), "/d/day-1/intro/?f=2");
    assert_eq!(running.get("/a", Role::Viewer).await.header("location"), "/d/gitops/?follow");
    running.command(r#"{"do":"goto","deck":"day-1/intro","slide":0}"#).await;
    assert_eq!(running.get("/a", Role::Viewer).await.header("location"), "/d/day-1/intro/?follow");
    assert_eq!(running.get("/r", Role::Remote).await.text, "remote of day-1&#x2f;intro");
    running.finish().await;
}

#[tokio::test]
async fn an_unknown_deck_is_answered_with_the_known_ones() {
    let running = ServerTest::talk().start().await;
    running.app.decks[0].view().await.expect("compiled");
    let page = running.get("/d/gitpos/", Role::Viewer).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(page.text, "404 There is no deck `gitpos`.  gitopsday-1/intro".replace('/', "&#x2f;"));
    let json = running.get("/d/gitpos/slides.json", Role::Viewer).await;
    assert_eq!(json.json(), json!({ "error": "There is no deck `gitpos`.", "hint": "" }));
    let answer = running.command(r#"{"do":"goto","deck":"gitpos","slide":1}"#).await;
    assert_eq!(
        (answer.status, answer.json()),
        (StatusCode::BAD_REQUEST, json!({ "error": "there is no deck `gitpos`", "hint": "Did you mean `gitops`?" }))
    );
    running.finish().await;
}

#[tokio::test]
async fn a_page_is_made_once_and_changes_its_tag_with_the_deck() {
    let long = "slide ".repeat(1000);
    let running = ServerTest::new().deck("a", Some(compiled("A", &[(&long, 0)]))).start().await;
    let first = running.get("/d/a/", Role::Viewer).await;
    assert_eq!(first.header("content-type"), "text/html; charset=utf-8");
    assert_eq!((first.header("cache-control"), first.header("content-encoding")), ("no-cache", ""));
    let tag = first.header("etag").to_owned();
    let ask = |tag: &str| {
        let request = running.request("GET", "/d/a/", Role::Viewer).header(header::IF_NONE_MATCH, tag);
        request.body(Body::empty()).expect("a request")
    };
    let again = running.send(ask(&tag)).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let zipped = running.request("GET", "/d/a/", Role::Viewer).header(header::ACCEPT_ENCODING, "gzip");
    let zipped = running.send(zipped.body(Body::empty()).expect("a request")).await;
    assert_eq!((zipped.header("content-encoding"), zipped.header("etag")), ("gzip", tag.as_str()));
    assert!(zipped.text.len() < first.text.len() / 4);

    let view = running.app.decks[0].view().await.expect("compiled");
    running.edit("a", compiled("A", &[("new", 0)]));
    crate::harness::server::eventually("a new version", || {
        running.app.decks[0].now().is_some_and(|now| now.version == view.version + 1)
    })
    .await;
    let changed = running.send(ask(&tag)).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert!(changed.text.contains(">new</svg>"));
    running.finish().await;
}

#[tokio::test]
async fn the_server_answers_before_its_decks_are_compiled() {
    let running = ServerTest::new().deck("slow", None).start().await;
    assert_eq!(running.get("/healthz", Role::Viewer).await.text, "ok\n");
    assert!(running.get("/", Role::Viewer).await.text.contains(">slow</a>"));
    let compile = async {
        running.cells["slow"].send_replace(Some(Arc::new(compiled("Ready", &[("one", 0)]))));
    };
    let (page, ()) = tokio::join!(running.get("/d/slow/", Role::Viewer), compile);
    assert!(page.text.starts_with("<title>Ready</title>"), "{}", page.text);
    running.finish().await;
}

#[tokio::test]
async fn a_broken_template_costs_one_page_and_shows_nothing_of_itself() {
    let running = ServerTest::talk().start().await;
    // The template of the project is broken: the page fails, the server does not.
    let present = running.folder.path().join("themes/pages/present.html");
    std::fs::write(&present, "{{ boot.missing.deep() }}").expect("a template");
    let answer = running.get("/d/gitops/", Role::Viewer).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.text.starts_with("500 The page could not be made."), "{}", answer.text);
    assert!(!answer.text.contains("deep") && !answer.text.contains("src/"), "{}", answer.text);
    std::fs::write(&present, "mended").expect("a template");
    assert_eq!(running.get("/d/gitops/", Role::Viewer).await.text, "mended");
    running.finish().await;
}

#[tokio::test]
async fn a_panic_costs_one_answer_and_says_nothing() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let test = ServerTest::talk().with(|config| {
        config.clock = || if BROKEN.load(Ordering::Relaxed) { panic!("the clock stands still") } else { 1 };
        config.notes_html = |_| panic!("a note nobody can read");
    });
    let running = test.start().await;
    let page = running.get("/d/gitops/", Role::Presenter).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.text.starts_with("500 The page could not be made.") && !page.text.contains("nobody"), "{}", page.text);
    BROKEN.store(true, Ordering::Relaxed);
    let state = running.get("/api/v1/state", Role::Viewer).await;
    BROKEN.store(false, Ordering::Relaxed);
    assert_eq!(state.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(state.json()["error"], "The page could not be made.");
    assert_eq!(running.get("/d/gitops/", Role::Viewer).await.status, StatusCode::OK);
    running.finish().await;
}

#[tokio::test]
async fn the_overlay_is_for_speakers() {
    let good = compiled("A", &[("one", 0)]);
    let bad = crate::harness::server::broken(&good, "a bad line");
    let running = ServerTest::new().deck("a", Some(bad)).start().await;
    assert!(running.get("/d/a/", Role::Presenter).await.text.contains("<p>a bad line</p>"));
    assert!(!running.get("/d/a/", Role::Viewer).await.text.contains("a bad line"));
    running.finish().await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error_with_a_way_out() {
    let running = ServerTest::talk().start().await;
    let mut config = Config::new(running.folder.path(), Vec::new());
    config.port = running.address.port();
    let error = Server::bind(config).await.err().expect("the port is taken");
    assert!(matches!(error, Error::PortInUse { .. }));
    let expected = "is in use; choose another with `--port`, or any free one with `--port 0`";
    assert_eq!(error.to_string(), format!("port {} {expected}", running.address.port()));
    running.finish().await;
}

#[tokio::test]
async fn counters_tell_what_happened() {
    let running = ServerTest::talk().start().await;
    running.get("/", Role::Viewer).await;
    running.get("/nothing", Role::Viewer).await;
    running.command(r#"{"do":"next"}"#).await;
    let text = running.get("/metrics", Role::Viewer).await.text;
    for line in [
        "foredeck_http_responses_total{class=\"2xx\"} 2",
        "foredeck_http_responses_total{class=\"4xx\"} 1",
        "foredeck_commands_total 1",
        "foredeck_event_streams 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    running.finish().await;
}
