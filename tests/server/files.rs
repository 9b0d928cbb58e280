//! Files of the project: what is served, and that nothing else is.

use axum::body::Body;
use axum::http::{StatusCode, header};
use foredeck::server::role::Role;

use crate::harness::server::{Running, ServerTest, read_all};

const SECRET: &str = "the secret of the house";

async fn project() -> Running {
    let test = ServerTest::talk()
        .file("decks/gitops.md", SECRET)
        .file("decks/picture.png", "png")
        .file("foredeck.toml", SECRET)
        .file("images/a b/ä.svg", "<svg/>")
        .file("images/film.mp4", "0123456789")
        .file("images/page.html", SECRET)
        .file("images/script.js", SECRET)
        .file("images/.hidden.png", SECRET)
        .file(".git/logo.png", SECRET)
        .file(".foredeck/state.json", SECRET)
        .file("themes/assets/player.js", SECRET)
        .file("themes/assets/own.css", "own{}");
    let outside = test.root().parent().expect("a parent").join(format!("outside-{}.png", std::process::id()));
    std::fs::write(&outside, SECRET).expect("a file outside");
    #[cfg(unix)]
    for (target, link) in [
        (outside.as_path(), "images/out.png"),
        (&test.root().join("foredeck.toml"), "images/config.png"),
        (&test.root().join(".git/logo.png"), "images/git.png"),
        (&test.root().join("decks/picture.png"), "images/inside.png"),
        (std::path::Path::new("/"), "images/slash"),
    ] {
        std::os::unix::fs::symlink(target, test.root().join(link)).expect("a link");
    }
    test.start().await
}

#[tokio::test]
async fn pictures_and_media_are_served_with_their_types() {
    let running = project().await;
    for (path, media_type, text) in [
        ("/files/decks/picture.png", "image/png", "png"),
        ("/files/images/a%20b/%C3%A4.svg", "image/svg+xml", "<svg/>"),
        ("/files/images/film.mp4", "video/mp4", "0123456789"),
        ("/files/images/inside.png", "image/png", "png"),
        ("/assets/own.css", "text/css; charset=utf-8", "own{}"),
    ] {
        let answer = running.get(path, Role::Viewer).await;
        assert_eq!((answer.header("content-type"), answer.text.as_str()), (media_type, text), "{path}");
        assert!(answer.header("content-security-policy").ends_with("sandbox"), "{path}");
    }
    running.finish().await;
}

#[tokio::test]
async fn videos_are_sent_in_parts_and_known_files_not_again() {
    let running = project().await;
    let request = |name: header::HeaderName, value: &str| {
        let request = running.request("GET", "/files/images/film.mp4", Role::Viewer).header(name, value);
        request.body(Body::empty()).expect("a request")
    };
    let part = running.send(request(header::RANGE, "bytes=2-5")).await;
    assert_eq!((part.status, part.text.as_str()), (StatusCode::PARTIAL_CONTENT, "2345"));
    assert_eq!(part.header("content-range"), "bytes 2-5/10");
    let beyond = running.send(request(header::RANGE, "bytes=20-")).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let whole = running.get("/files/images/film.mp4", Role::Viewer).await;
    let again = running.send(request(header::IF_NONE_MATCH, whole.header("etag"))).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    running.finish().await;
}

#[tokio::test]
async fn nothing_else_is_served() {
    let running = project().await;
    let outside = format!("outside-{}.png", std::process::id());
    for path in [
        "/files/decks/gitops.md",
        "/files/foredeck.toml",
        "/files/images/page.html",
        "/files/images/script.js",
        "/files/images/.hidden.png",
        "/files/.git/logo.png",
        "/files/.foredeck/state.json",
        "/files/images/out.png",
        "/files/images/config.png",
        "/files/images/git.png",
        "/files/images/slash/etc/passwd",
        "/files/images/",
        "/files/images",
        "/files/",
        &format!("/files/../{outside}"),
        &format!("/files/images/../../{outside}"),
        &format!("/files/%2e%2e/{outside}"),
        &format!("/files/%2e%2e%2f{outside}"),
        &format!("/files/..%5c{outside}"),
        "/files//etc/passwd",
        "/files/%2fetc%2fpasswd",
        "/files/images/a%00.png",
        "/files/%ff%fe.png",
        "/files/images%2f.hidden.png",
        "/assets/../pages/error.html",
        "/assets/%2e%2e/pages/error.html",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/assets/../../foredeck.toml",
        "/d/../files/foredeck.toml",
    ] {
        // Over a socket, as nothing then tidies the path up.
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", running.address);
        let answer = read_all(&mut running.raw(&head).await).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "404"].contains(&status), "{path}: {answer}");
        assert!(!answer.contains(SECRET) && !answer.contains("root:"), "{path}: {answer}");
    }
    // A project's script never takes the place of ours.
    assert!(!running.get("/assets/player.js", Role::Viewer).await.text.contains(SECRET));
    running.finish().await;
}

#[tokio::test]
async fn our_assets_are_kept_by_browsers_when_versioned() {
    let running = project().await;
    let plain = running.get("/assets/player.js", Role::Viewer).await;
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(plain.header("cache-control"), "no-cache");
    let versioned = running.get("/assets/player.js?v=7", Role::Viewer).await;
    // The files of a debug build are read anew, so they are never kept.
    let kept = if cfg!(debug_assertions) { "no-cache" } else { "public, max-age=31536000, immutable" };
    assert_eq!(versioned.header("cache-control"), kept);
    assert_eq!(plain.header("etag"), versioned.header("etag"));
    running.finish().await;
}
