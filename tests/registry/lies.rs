//! Registries that lie, stall, or are none.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use foredeck::net;
use foredeck::registry::Registry as _;
use foredeck::registry::credentials::{Keyring, Login};
use foredeck::registry::error::Why;
use foredeck::registry::name::Name;
use foredeck::registry::remote::{Options, Remote};
use futures::{StreamExt as _, stream};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::registry::{Fake, QUICK, answer, client, digest, image, nobody};

async fn tags(answer: impl Fn(&str, Request<Body>) -> Response<Body> + Send + Sync + 'static) -> (Why, usize) {
    let fake = Fake::new(answer).await;
    let error = client().tags(&fake.name("a/b"), &nobody()).await.expect_err("it lies");
    (error.why, fake.asked())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_registry_is_said_to_be_none() {
    let html = "<!doctype html><title>Sign in</title>";
    for (status, media, body, expected) in [
        (200, "text/html; charset=utf-8", html, Why::NotRegistry("HTML came back")),
        (200, "application/json", html, Why::NotRegistry("HTML came back")),
        (404, "text/html", html, Why::NotRegistry("HTML came back")),
        (401, "text/html", html, Why::NotRegistry("HTML came back")),
        (200, "application/json", "7", Why::NotRegistry("what came back is no JSON object")),
        (200, "application/json", "{}", Why::NotRegistry("what came back has no tags in it")),
        (200, "application/json", r#"{"tags": "all"}"#, Why::NotRegistry("what came back has no tags in it")),
        (404, "application/json", "{}", Why::NoRepository),
        (403, "application/json", "{}", Why::NoCredentials),
        (418, "text/plain", "", Why::Wrong("418 I'm a teapot".to_owned())),
        (302, "text/plain", "", Why::Wrong("302 Found without an address".to_owned())),
    ] {
        let told = tags(move |_, _| answer(status, &[("content-type", media)], body)).await;
        assert_eq!(told, (expected, 1), "{status} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_tried_again_and_then_said() {
    let body = json!({"errors": [{"code": "UNKNOWN", "message": "on fire"}]}).to_string();
    let told = tags(move |_, _| answer(503, &[], body.clone())).await;
    assert_eq!(told, (Why::Failed("on fire".to_owned()), 3));
    let nowhere = Name::parse("127.0.0.1:9/a").expect("a name");
    let error = client().tags(&nowhere, &nobody()).await.expect_err("nobody is there").to_string();
    assert!(error.starts_with("127.0.0.1:9/a: registry unreachable: "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_lists_are_not_taken() {
    let huge = Bytes::from(vec![b'x'; 9 << 20]);
    let told = tags(move |_, _| answer(200, &[], huge.clone())).await;
    assert_eq!(told.0, Why::TooMuch("more bytes than such an answer has"));
    let endless = tags(|_, request| {
        // Always another page, with a thousand new tags.
        let page: usize = request.uri().query().and_then(|query| query.rsplit('=').next()?.parse().ok()).unwrap_or(0);
        let tags: Vec<_> = (0..1000).map(|number| format!("t-{page}-{number}")).collect();
        let link = format!("</v2/a/b/tags/list?page={}>; rel=\"next\"", page + 1);
        answer(200, &[("link", &link)], json!({"tags": tags}).to_string())
    })
    .await;
    assert_eq!(endless, (Why::TooMuch("more than 100,000 tags"), 101));
    let again = tags(|_, _| answer(200, &[("link", "<?n=1000>; rel=next")], r#"{"tags":["a"]}"#)).await;
    assert_eq!(again, (Why::Wrong("a page of tags is followed by itself".to_owned()), 1));
    let away = tags(|_, _| answer(200, &[("link", "<http://127.0.0.2:1/x>; rel=next")], r#"{"tags":["a"]}"#)).await;
    assert_eq!(away, (Why::Wrong("the next page of tags is somewhere else".to_owned()), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_drips_are_cut_off() {
    let fake = Fake::new(|_, _| {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        });
        Response::new(Body::from_stream(drip.boxed()))
    })
    .await;
    let options = Options { limit: Duration::from_millis(200), tries: 1, ..Options::default() };
    let client = Remote::new(options).expect("a client");
    assert_eq!(client.tags(&fake.name("a"), &nobody()).await.expect_err("it drips").why, Why::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_end_and_carry_no_secrets() {
    let round = tags(|_, request| answer(307, &[("location", request.uri().path())], "")).await;
    assert_eq!(round, (Why::Wrong("it sends us round in circles".to_owned()), 6));
    let told = tags(|_, _| answer(307, &[("location", "http://registry.example/")], "")).await;
    assert!(matches!(told.0, Why::NotAllowed(_)), "{told:?}");

    let thief = Arc::new(
        Fake::new(|_, request| {
            let stolen = request.headers().contains_key("authorization");
            answer(if stolen { 500 } else { 200 }, &[], r#"{"tags":["safe"]}"#)
        })
        .await,
    );
    let target = format!("http://{}/x", thief.host);
    let fake = Fake::new(move |_, request| match request.headers().get("authorization") {
        None => answer(401, &[("www-authenticate", "Basic realm=\"x\"")], ""),
        Some(_) => answer(302, &[("location", &target)], ""),
    })
    .await;
    let login = Login { user: "u".into(), password: "p".into(), identity: None };
    let found = client().tags(&fake.name("a"), &Keyring::of(&fake.host, login)).await;
    assert_eq!((found, thief.asked()), (Ok(vec!["safe".to_owned()]), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_what_their_digests_say() {
    type Change = fn(&mut String, &mut String, &mut String);
    let cases: [(Change, Option<Why>); 5] = [
        (|_, _, _| {}, None),
        (|manifest, _, _| manifest.push(' '), Some(Why::Wrong("a manifest is not what its digest says".to_owned()))),
        (|_, config, _| config.push(' '), Some(Why::Wrong("a configuration is not what its digest says".to_owned()))),
        (|manifest, _, _| *manifest = "{}".into(), Some(Why::Wrong("the manifest names no configuration".to_owned()))),
        (|_, _, index| *index = r#"{"manifests":[]}"#.into(), Some(Why::NoPlatform)),
    ];
    for (change, expected) in cases {
        let made = image("2024-01-01T00:00:00Z");
        let known = digest(&made.manifest);
        let platform = json!({"os": "linux", "architecture": "amd64"});
        let mut index = json!({"manifests": [{"digest": known, "platform": platform}]}).to_string();
        let (mut manifest, mut config) = (made.manifest, made.config);
        change(&mut manifest, &mut config, &mut index);
        let fake = Fake::new(move |_, request| match request.uri().path() {
            "/v2/a/b/manifests/v1" => answer(200, &[], index.clone()),
            path if path == format!("/v2/a/b/manifests/{known}") => answer(200, &[], manifest.clone()),
            _ => answer(200, &[], config.clone()),
        })
        .await;
        let found = client().image(&fake.name("a/b"), "v1", &nobody()).await;
        assert_eq!(found.err().map(|error| error.why), expected);
    }
    let made = image("2024-01-01T00:00:00Z");
    let lie = digest("something else");
    let fake = Fake::new(move |_, _| answer(200, &[("docker-content-digest", &lie)], made.manifest.clone())).await;
    let why = client().image(&fake.name("a"), "v1", &nobody()).await.expect_err("it lies").why;
    assert_eq!(why, Why::Wrong("a manifest is not what its digest says".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_challenges_open_nothing() {
    for (challenge, expected) in [
        ("", Why::NoCredentials),
        ("Negotiate", Why::NoCredentials),
        ("Basic", Why::NoCredentials),
        ("Bearer realm=\"\"", Why::Wrong("its tokens come from what is no address".to_owned())),
        (
            "Bearer realm=\"http://registry.example/token\"",
            Why::NotAllowed("registries that are not on this machine are asked over HTTPS alone"),
        ),
    ] {
        let told = tags(move |_, _| answer(401, &[("www-authenticate", challenge)], "")).await;
        assert_eq!(told, (expected, 1), "{challenge}");
    }
    // It gives tokens, and they open nothing; and nobody asks for more than to look.
    let told = tags(|host, request| match request.uri().path() {
        "/token" => {
            assert_eq!(request.uri().query(), Some("service=&scope=repository%3Aa%2Fb%3Apull"));
            answer(200, &[], r#"{"token":"x"}"#)
        }
        _ => {
            let challenge = format!("Bearer realm=\"http://{host}/token\",scope=\"repository:a/b:pull,push,delete\"");
            answer(401, &[("www-authenticate", &challenge)], "")
        }
    })
    .await;
    assert_eq!(told, (Why::NoCredentials, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_count() {
    let pair = rcgen::generate_simple_self_signed(vec!["0.0.0.0".to_owned()]).expect("a certificate");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der()).expect("a key");
    let server = rustls::ServerConfig::builder_with_provider(ring.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .expect("a server");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(pair.cert.der().clone()).expect("a root");
    let knowing = rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (acceptor, stop) = (TlsAcceptor::from(Arc::new(server)), CancellationToken::new());
    let until = stop.clone();
    let serve = move |stream| {
        let (acceptor, until) = (acceptor.clone(), until.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let answer = |_| async { answer(200, &[], r#"{"tags":["known"]}"#) };
            net::serve(stream, QUICK, until, answer).await;
        }
    };
    let tasks = TaskTracker::new();
    tasks.spawn(net::accept(listener, 8, tasks.clone(), stop.clone(), serve));
    // An address of this machine that is not taken for one, so that it is asked over HTTPS.
    let name = Name::parse(&format!("0.0.0.0:{port}/a")).expect("a name");
    let options = Options { tries: 1, limit: Duration::from_secs(5), ..Options::default() };
    let stranger = Remote::new(options.clone()).expect("a client");
    let error = stranger.tags(&name, &nobody()).await.expect_err("nobody knows it");
    assert!(error.to_string().contains("certificate"), "{error}");
    let friend = Remote::new(Options { tls: Some(knowing), ..options }).expect("a client");
    assert_eq!(friend.tags(&name, &nobody()).await, Ok(vec!["known".to_owned()]));
    drop(friend);
    stop.cancel();
    tasks.close();
    tasks.wait().await;
}
