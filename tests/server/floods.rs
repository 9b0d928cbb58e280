//! Clients that send too much, too slowly, or do not read.

use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use foredeck::server::role::Role;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::harness::server::{DEADLINE, ServerTest, broken, compiled, eventually, read_all};

#[tokio::test]
async fn long_and_odd_commands_are_refused() {
    let running = ServerTest::talk().start().await;
    let long = format!(r#"{{"do":"next","x":"{}"}}"#, "x".repeat(5000));
    for (body, expected) in [
        (long.as_str(), 413),
        ("", 400),
        ("{", 400),
        ("null", 400),
        (r#"{"do":"reboot"}"#, 400),
        (r#"{"do":"goto","slide":1e99}"#, 400),
        (r#"{"do":"laser","to":{"x":2,"y":0}}"#, 400),
        (r#"{"do":"goto","slide":1,"extra":1}"#, 400),
        ("\u{0}\u{7f}", 400),
    ] {
        let answer = running.command(body).await;
        assert_eq!(answer.status.as_u16(), expected, "{body:.40}: {}", answer.text);
        assert!(answer.json()["error"].is_string(), "{}", answer.text);
    }
    let form = running.request("POST", "/api/v1/control", Role::Presenter).header(header::CONTENT_TYPE, "text/plain");
    let form = form.body(Body::from(r#"{"do":"next"}"#)).expect("a request");
    assert_eq!(running.send(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(running.app.hub.speaker(0).slide, 0);
    running.finish().await;
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let running = ServerTest::talk().start().await;
    let head = format!(
        "POST /api/v1/control HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        running.address,
        running.cookie(Role::Presenter)
    );
    let mut stream = running.raw(&head).await;
    let (mut reader, mut writer) = stream.split();
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let flooding = async { while writer.write_all(chunk.as_bytes()).await.is_ok() {} };
    let mut answer = String::new();
    let reading = tokio::io::AsyncReadExt::read_to_string(&mut reader, &mut answer);
    let _ = tokio::time::timeout(DEADLINE, async { tokio::join!(flooding, reading) }).await.expect("it ends");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    running.finish().await;
}

#[tokio::test]
async fn slow_clients_are_dropped() {
    let test = ServerTest::talk().with(|config| {
        config.limits.head_timeout = Duration::from_millis(50);
        config.limits.body_timeout = Duration::from_millis(50);
    });
    let running = test.start().await;
    for head in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "] {
        let answer = read_all(&mut running.raw(head).await).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    let head = format!(
        "POST /api/v1/control HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        running.address,
        running.cookie(Role::Remote)
    );
    let answer = read_all(&mut running.raw(&head).await).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    running.finish().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_or_garbage_is_refused() {
    let running = ServerTest::talk().start().await;
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    for (head, expected) in [
        (long.as_str(), "HTTP/1.1 431 "),
        ("\u{16}\u{3}\u{1}garbage\r\n\r\n", "HTTP/1.1 400 "),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "),
    ] {
        let mut stream = tokio::net::TcpStream::connect(running.address).await.expect("the server accepts");
        // The server may have answered and closed before all was sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.shutdown().await;
        let answer = read_all(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with(expected), "{answer}");
    }
    assert_eq!(running.get("/healthz", Role::Viewer).await.status, StatusCode::OK);
    running.finish().await;
}

#[tokio::test]
async fn too_many_connections_are_turned_away_and_places_are_given_back() {
    let test = ServerTest::talk().with(|config| config.limits.connections = 2);
    let running = test.start().await;
    let first = running.listen("", Role::Viewer, None).await;
    let _second = running.listen("", Role::Viewer, None).await;
    let head = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", running.address);
    let mut third = tokio::net::TcpStream::connect(running.address).await.expect("the system accepts");
    let _ = third.write_all(head.as_bytes()).await;
    assert_eq!(read_all(&mut third).await, "", "it is closed without an answer");
    drop(first);
    eventually("a place is free", || running.app.metrics.streams() == 1).await;
    let mut answer = String::new();
    for _ in 0..1000 {
        // The stream is gone a moment before its connection is.
        let mut again = tokio::net::TcpStream::connect(running.address).await.expect("the system accepts");
        let _ = again.write_all(head.as_bytes()).await;
        answer = read_all(&mut again).await;
        if !answer.is_empty() {
            break;
        }
    }
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    running.finish().await;
}

#[tokio::test]
async fn one_address_gets_only_so_many_streams() {
    let running = ServerTest::talk().with(|config| config.limits.streams_per_address = 1).start().await;
    let first = running.listen("", Role::Viewer, None).await;
    let refused = running.get("/events", Role::Viewer).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
    assert_eq!(refused.json()["hint"], "Close some of them.");
    drop(first);
    eventually("the place is free", || running.app.metrics.streams() == 0).await;
    let mut again = running.listen("", Role::Viewer, None).await;
    again.expect("state").await;
    running.finish().await;
}

#[tokio::test]
async fn a_window_that_stops_reading_is_dropped_and_holds_up_nobody() {
    let good = compiled("A", &[("one", 0)]);
    let test = ServerTest::new().deck("a", Some(good.clone()));
    let running = test.with(|config| config.limits.stall_timeout = Duration::from_millis(100)).start().await;
    running.app.decks[0].view().await.expect("compiled");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stalled = socket.connect(running.address).await.expect("the server accepts");
    let head = format!(
        "GET /events?deck=a HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
        running.address,
        running.cookie(Role::Presenter)
    );
    stalled.write_all(head.as_bytes()).await.expect("the server reads");
    let mut reader = running.listen("deck=a", Role::Presenter, None).await;
    reader.expect("state").await;
    reader.expect("reload").await;
    eventually("two windows", || running.app.metrics.streams() == 2).await;
    // Large events fill the stalled one's buffers; the other gets each of them.
    for round in 0..16 {
        running.edit("a", broken(&good, &format!("{round} {}", "x".repeat(1 << 20))));
        let html = reader.expect("problems").await["html"].to_string();
        assert!(html.starts_with(&format!("\"<p>{round} ")), "{html:.40}");
    }
    eventually("the stalled window is dropped", || running.app.metrics.streams() == 1).await;
    running.command(r#"{"do":"screen","to":"white"}"#).await;
    assert_eq!(reader.expect("state").await["screen"], "white");
    drop(stalled);
    running.finish().await;
}

#[tokio::test]
async fn windows_that_reconnect_in_a_loop_leave_nothing_behind() {
    let running = ServerTest::talk().start().await;
    running.app.decks[0].view().await.expect("compiled");
    let mut steady = running.listen("deck=gitops", Role::Viewer, None).await;
    steady.expect("state").await;
    for round in 0..300 {
        let last = format!("{round}-{round}-{round}");
        let mut again = running.listen("deck=gitops", Role::Viewer, Some(&last)).await;
        again.expect("state").await;
    }
    eventually("one window is left", || running.app.metrics.streams() == 1).await;
    eventually("one looks", || running.app.panels.windows(0) == 1).await;
    running.command(r#"{"do":"screen","to":"white"}"#).await;
    loop {
        let event = steady.next().await.expect("news");
        if event.name == "state" && event.data["screen"] == "white" {
            break;
        }
    }
    running.finish().await;
}
