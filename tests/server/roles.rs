//! Who may do what: every route for every role, links, tokens, other hosts and sites.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use foredeck::server::role::Role;

use crate::harness::server::ServerTest;

const ROLES: [Role; 3] = [Role::Viewer, Role::Presenter, Role::Remote];

#[tokio::test]
async fn every_route_for_every_role() {
    let running = ServerTest::talk().file("images/a.svg", "<svg/>").start().await;
    // Viewer, presenter, remote; and whether the address is for all methods that read.
    for (method, path, expected) in [
        ("GET", "/", [200, 200, 200]),
        ("HEAD", "/", [200, 200, 200]),
        ("GET", "/a", [303, 303, 303]),
        ("GET", "/d/gitops", [308, 308, 308]),
        ("GET", "/d/gitops/", [200, 200, 200]),
        ("HEAD", "/d/gitops/", [200, 200, 200]),
        ("GET", "/d/gitops/?follow", [200, 200, 200]),
        ("GET", "/d/gitops/?view=presenter", [403, 200, 200]),
        ("GET", "/d/gitops/?view=overview", [200, 200, 200]),
        ("GET", "/d/gitops/?view=next", [200, 200, 200]),
        ("GET", "/d/gitops/?view=unknown&f=2&sync=x", [200, 200, 200]),
        ("GET", "/d/day-1/intro/", [200, 200, 200]),
        ("GET", "/d/gitops/slides.json", [200, 200, 200]),
        ("GET", "/d/none/", [404, 404, 404]),
        ("GET", "/d/none/slides.json", [404, 404, 404]),
        ("GET", "/p", [403, 303, 403]),
        ("GET", "/r", [403, 200, 200]),
        ("GET", "/events?deck=none", [404, 404, 404]),
        ("HEAD", "/events?deck=gitops", [200, 200, 200]),
        ("GET", "/api/v1/state", [200, 200, 200]),
        ("GET", "/api/v1/qr.svg?for=audience", [200, 200, 200]),
        ("GET", "/api/v1/qr.svg?for=remote", [403, 200, 200]),
        ("GET", "/api/v1/qr.svg?for=x", [400, 400, 400]),
        ("POST", "/api/v1/control", [403, 415, 415]),
        ("GET", "/api/v1/control", [405, 405, 405]),
        ("POST", "/api/v1/poll", [415, 415, 415]),
        ("GET", "/api/v1/poll", [405, 405, 405]),
        ("POST", "/", [405, 405, 405]),
        ("DELETE", "/d/gitops/", [405, 405, 405]),
        ("GET", "/files/images/a.svg", [200, 200, 200]),
        ("HEAD", "/files/images/a.svg", [200, 200, 200]),
        ("GET", "/files/images/b.svg", [404, 404, 404]),
        ("GET", "/assets/none.js", [404, 404, 404]),
        ("GET", "/healthz", [200, 200, 200]),
        ("GET", "/metrics", [200, 200, 200]),
        ("GET", "/nothing", [404, 404, 404]),
    ] {
        for (role, expected) in ROLES.into_iter().zip(expected) {
            let request = running.request(method, path, role).body(Body::empty()).expect("a request");
            let answer = running.send(request).await;
            assert_eq!(answer.status.as_u16(), expected, "{method} {path} as {}: {}", role.as_str(), answer.text);
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{method} {path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{method} {path}");
            assert!(answer.header("content-security-policy").contains("default-src '"), "{method} {path}");
            assert!(method != "HEAD" || answer.text.is_empty(), "{method} {path}");
        }
    }
    running.finish().await;
}

#[tokio::test]
async fn commands_are_for_speakers() {
    let running = ServerTest::talk().start().await;
    for (role, expected) in ROLES.into_iter().zip([403, 200, 200]) {
        let request = running.request("POST", "/api/v1/control", role).header(header::CONTENT_TYPE, "application/json");
        let answer = running.send(request.body(Body::from(r#"{"do":"next"}"#)).expect("a request")).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", role.as_str());
    }
    let state = running.get("/api/v1/state", Role::Viewer).await.json();
    assert_eq!((state["slide"].as_u64(), state["fragment"].as_u64()), (Some(1), Some(1)), "two of three commands");
    running.finish().await;
}

#[tokio::test]
async fn a_token_becomes_a_cookie_and_a_wrong_one_nothing() {
    let running = ServerTest::talk().start().await;
    let (presenter, remote) = (running.app.tokens.presenter.clone(), running.app.tokens.remote.clone());
    let port = running.address.port();
    for (path, expected) in [
        (
            format!("/p?t={}", presenter.reveal()),
            Some(("/d/gitops/?view=presenter", format!("foredeck-presenter-{port}={}", presenter.reveal()))),
        ),
        (format!("/r?t={}", remote.reveal()), Some(("/r", format!("foredeck-remote-{port}={}", remote.reveal())))),
        (format!("/p?t={}", remote.reveal()), None),
        (format!("/r?t={}", presenter.reveal()), None),
        (format!("/p?t={}x", presenter.reveal()), None),
        ("/p?t=".to_owned(), None),
        ("/r?t=AAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), None),
    ] {
        let answer = running.get(&path, Role::Viewer).await;
        match expected {
            Some((to, cookie)) => {
                assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, to));
                assert_eq!(answer.header("set-cookie"), format!("{cookie}; Path=/; HttpOnly; SameSite=Strict"));
            }
            None => assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, ""), "{path}"),
        }
    }
    // A wrong cookie is no cookie.
    let forged = running.request("GET", "/r", Role::Viewer).header(header::COOKIE, format!("foredeck-remote-{port}=x"));
    assert_eq!(running.send(forged.body(Body::empty()).expect("a request")).await.status, StatusCode::FORBIDDEN);
    running.finish().await;
}

#[tokio::test]
async fn notes_and_tokens_do_not_reach_the_audience() {
    let running = ServerTest::talk().start().await;
    for path in ["/d/gitops/", "/d/gitops/slides.json", "/d/gitops/?view=next", "/d/gitops/?view=overview", "/", "/a"] {
        let answer = running.get(path, Role::Viewer).await;
        assert!(!answer.text.contains("note on"), "{path}: {}", answer.text);
        assert!(!answer.text.contains(running.app.tokens.presenter.reveal()), "{path}");
        assert!(!answer.text.contains(running.app.tokens.remote.reveal()), "{path}");
    }
    for role in [Role::Presenter, Role::Remote] {
        let answer = running.get("/d/gitops/slides.json", role).await;
        assert_eq!(answer.json()["notes_html"][0], "<p>note on one</p>");
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        // The window for the projector is the audience's, on the speaker's machine too.
        let follow = running.get("/d/gitops/?follow", role).await;
        assert!(!follow.text.contains("note on") && follow.text.contains("\"role\": \"viewer\""), "{}", follow.text);
    }
    running.finish().await;
}

#[tokio::test]
async fn other_hosts_are_refused_on_every_route() {
    let running = ServerTest::talk().with(|config| config.allow_hosts.push("talk.example".to_owned())).start().await;
    let port = running.address.port();
    for (host, expected) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("talk.example".to_owned(), 200),
        (format!("evil.example:{port}"), 421),
        ("localhost.evil.example".to_owned(), 421),
        ("192.168.0.9".to_owned(), 421),
        ("not a host".to_owned(), 400),
    ] {
        for path in ["/", "/d/gitops/", "/healthz", "/api/v1/state"] {
            let request = Request::builder().uri(path).header(header::HOST, &host);
            let answer = running.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.status.as_u16(), expected, "{host} {path}");
        }
    }
    let refused = running.get("http://evil.example/", Role::Viewer).await;
    assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(refused.text.contains("--allow-host"), "it says what to do: {}", refused.text);
    running.finish().await;
}

#[tokio::test]
async fn other_sites_cannot_command() {
    let running = ServerTest::talk().start().await;
    let ours = format!("http://{}", running.address);
    for (origin, expected) in [
        (Some(ours.as_str()), 200),
        (None, 200),
        (Some("http://evil.example"), 403),
        (Some("http://127.0.0.1:1"), 403),
        (Some("null"), 403),
    ] {
        let mut request = running.request("POST", "/api/v1/control", Role::Presenter);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(r#"{"do":"next"}"#));
        assert_eq!(running.send(request.expect("a request")).await.status.as_u16(), expected, "{origin:?}");
    }
    running.finish().await;
}
