//! Steps, checkpoints, the clock and trust, over HTTP, on the embedded cluster; and who may do what.

use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use foredeck::deck::step::{Role as StepRole, StepSpec, Typing};
use foredeck::diagnostic::Span;
use foredeck::runbook::trusted::Trusted;
use foredeck::server::role::Role;
use serde_json::{Value, json};

use super::demo::Live;
use crate::harness::server::{Answer, Events, Running, ServerTest, compiled, eventually};

const ROLES: [Role; 3] = [Role::Viewer, Role::Presenter, Role::Remote];

pub(super) fn step(name: &str, script: &str) -> StepSpec {
    StepSpec {
        role: StepRole::Run,
        name: name.to_owned(),
        script: script.to_owned(),
        terminal: None,
        typing: Typing::Instant,
        wait: None,
        timeout: Duration::from_secs(30),
        expect_fail: false,
        checkpoint: false,
        span: Span::default(),
    }
}

/// A deck `demo` whose first slide has these steps.
pub(super) fn with_steps(steps: Vec<StepSpec>) -> ServerTest {
    let mut deck = compiled("Demo", &[("one", 0), ("two", 0)]);
    deck.rendered.slides[0].steps = steps;
    deck.rendered.slides[0].notes = vec!["If it fails: sync again.".to_owned()];
    let test = ServerTest::new().deck("demo", Some(deck));
    let state = test.root().join("state");
    test.with(|config| config.trusted = Trusted::new(Some(&state)))
}

pub(super) async fn post(server: &Running, role: Role, path: &str, body: &Value) -> Answer {
    let request = server.request("POST", path, role).header(header::CONTENT_TYPE, "application/json");
    server.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

pub(super) async fn trust(server: &Running) {
    let list = server.get("/api/v1/trust?deck=demo", Role::Presenter).await.json();
    let agreed = post(server, Role::Presenter, "/api/v1/trust", &json!({ "deck": "demo", "hash": list["hash"] })).await;
    assert_eq!(agreed.status, StatusCode::OK, "{}", agreed.text);
}

/// The news of steps in which the step is in one of these states.
async fn until(events: &mut Events, name: &str, states: &[&str]) -> Value {
    loop {
        let event = events.next().await.expect("news before the end");
        if event.name != "step" {
            continue;
        }
        let steps = event.data["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["name"] == name).expect("the step");
        if states.iter().any(|state| step["state"] == *state) {
            return event.data;
        }
    }
}

const ENDED: [&str; 4] = ["passed", "failed", "timed-out", "stopped"];

pub(super) async fn ran(server: &Running, events: &mut Events, name: &str) -> Value {
    let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let answer = post(server, Role::Presenter, "/api/v1/steps/run", &json!({ "deck": "demo", "name": name })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    loop {
        // A quick step may be over before anybody was told that it runs.
        let told = until(events, name, &ENDED).await;
        if told["now_ms"].as_u64().is_some_and(|now| u128::from(now) >= begun) {
            let steps = told["steps"].as_array().expect("steps");
            return steps.iter().find(|step| step["name"] == name).expect("the step").clone();
        }
    }
}

#[tokio::test]
async fn every_route_that_runs_something_is_the_speakers() {
    let server = with_steps(vec![step("a", "true")]).start().await;
    for (path, body, expected) in [
        // Untrusted: refused to everybody, and told so to the speaker.
        ("/api/v1/steps/run", json!({ "deck": "demo" }), [403, 403, 403]),
        ("/api/v1/steps/cancel", json!({}), [403, 200, 200]),
        ("/api/v1/checkpoints/restore", json!({}), [403, 409, 409]),
        ("/api/v1/clock", json!({ "do": "pause" }), [403, 409, 409]),
        ("/api/v1/canary", json!({ "namespace": "prod", "name": "podinfo", "do": "hold" }), [403, 409, 409]),
        ("/api/v1/poll/control", json!({ "key": "poll none", "do": "show" }), [403, 404, 404]),
        ("/api/v1/trust", json!({ "deck": "demo", "hash": "wrong" }), [403, 409, 403]),
        ("/api/v1/steps/run", json!({ "deck": "none" }), [403, 404, 404]),
        ("/api/v1/steps/run", json!({ "deck": "demo", "script": "true" }), [403, 400, 400]),
        ("/api/v1/clock", json!({ "do": "explode" }), [403, 400, 400]),
    ] {
        for (role, expected) in ROLES.into_iter().zip(expected) {
            let answer = post(&server, role, path, &body).await;
            assert_eq!(answer.status.as_u16(), expected, "{path} {body} as {}: {}", role.as_str(), answer.text);
            let plain = server.request("POST", path, role).header(header::CONTENT_TYPE, "text/plain");
            let plain = server.send(plain.body(Body::from(body.to_string())).expect("a request")).await;
            assert_eq!(plain.status.as_u16(), if role == Role::Viewer { 403 } else { 415 }, "{path}");
            let foreign = server.request("POST", path, role).header(header::ORIGIN, "http://evil.example");
            let foreign = foreign.header(header::CONTENT_TYPE, "application/json");
            let foreign = server.send(foreign.body(Body::from(body.to_string())).expect("a request")).await;
            assert_eq!(foreign.status.as_u16(), 403, "{path} from elsewhere");
            let get = server.get(path, role).await;
            let expected = if path == "/api/v1/trust" { [403, 400] } else { [405, 405] };
            assert!(expected.contains(&get.status.as_u16()), "GET {path}: {}", get.status);
        }
    }
    for (role, expected) in ROLES.into_iter().zip([403, 200, 200]) {
        assert_eq!(server.get("/api/v1/trust?deck=demo", role).await.status.as_u16(), expected);
    }
    server.finish().await;
}

#[tokio::test]
async fn nothing_runs_with_safe() {
    let server = with_steps(vec![step("a", "true")]).with(|config| config.safe = true).start().await;
    for (path, body) in [
        ("/api/v1/steps/run", json!({ "deck": "demo" })),
        ("/api/v1/checkpoints/restore", json!({})),
        ("/api/v1/trust", json!({ "deck": "demo", "hash": "x" })),
    ] {
        let answer = post(&server, Role::Presenter, path, &body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.text.contains("--safe"), "{}", answer.text);
    }
    server.finish().await;
}

#[tokio::test]
async fn what_was_agreed_to_is_what_was_read() {
    let server = with_steps(vec![step("a", "true")]).start().await;
    let list = server.get("/api/v1/trust?deck=demo", Role::Presenter).await.json();
    assert_eq!((&list["standing"], &list["commands"][0]["script"]), (&json!("untrusted"), &json!("true")));
    let mut changed = compiled("Demo", &[("one", 0), ("two", 0)]);
    changed.rendered.slides[0].steps = vec![step("a", "rm -rf /")];
    server.edit("demo", changed);
    let deck = server.app.clone();
    eventually("the edit is shown", || {
        deck.decks[0].now().is_some_and(|view| view.compiled.rendered.slides[0].steps[0].script == "rm -rf /")
    })
    .await;
    let body = json!({ "deck": "demo", "hash": list["hash"] });
    let late = post(&server, Role::Presenter, "/api/v1/trust", &body).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    assert!(late.text.contains("have changed"), "{}", late.text);
    let run = post(&server, Role::Presenter, "/api/v1/steps/run", &json!({ "deck": "demo" })).await;
    assert_eq!(run.status, StatusCode::FORBIDDEN);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_run_are_told_and_can_be_taken_back() {
    let add = "kubectl create configmap added -n demo --from-literal=a=b && echo token ghp_abcdefghij0123456789";
    let live = Live::of(with_steps(vec![
        StepSpec { checkpoint: true, wait: Some("cm/added -n demo exists".into()), ..step("add", add) },
        StepSpec { expect_fail: true, ..step("fails", "echo not there >&2; exit 3") },
        StepSpec { timeout: Duration::from_millis(300), ..step("hangs", "sleep 100") },
        StepSpec {
            wait: Some("deploy/none -n demo available".into()),
            timeout: Duration::from_millis(400),
            ..step("late", "true")
        },
        StepSpec { wait: Some("nonsense".into()), ..step("wrong", "true") },
        StepSpec { terminal: Some("main".into()), ..step("typed", "echo typed-$((20+22))") },
    ]))
    .await;
    let sandbox = live.sandbox().await;
    let server = &live.server;
    trust(server).await;
    let mut events = server.listen("deck=demo", Role::Presenter, None).await;
    let mut audience = server.listen("deck=demo", Role::Viewer, None).await;
    let maps = kube::Api::<k8s_openapi::api::core::v1::ConfigMap>::namespaced(sandbox.client.clone(), "demo");

    let namespaces = kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(sandbox.client.clone());
    live.eventually(async || namespaces.get_opt("demo").await.expect("an answer").is_some()).await;
    let add = ran(server, &mut events, "add").await;
    assert_eq!((&add["state"], &add["exit"]), (&json!("passed"), &json!(0)), "{add}");
    assert!(add["output"].as_str().is_some_and(|text| text.contains("token ghp_********************")), "{add}");
    assert!(maps.get_opt("added").await.expect("an answer").is_some());
    let told = until(&mut audience, "add", &["passed"]).await;
    assert_eq!(
        told["steps"][0].as_object().map(|step| step.keys().map(String::as_str).collect()),
        Some(vec!["slide", "name", "state", "started_ms", "took_ms"])
    );

    assert_eq!(ran(server, &mut events, "fails").await["state"], "passed");
    let hangs = ran(server, &mut events, "hangs").await;
    assert_eq!(
        (&hangs["state"], hangs["reason"].as_str().map(|why| why.contains("did not end"))),
        (&json!("timed-out"), Some(true))
    );
    let late = ran(server, &mut events, "late").await;
    assert!(late["reason"].as_str().is_some_and(|why| why.contains("deploy/none is not there")), "{late}");
    let wrong = post(server, Role::Presenter, "/api/v1/steps/run", &json!({ "deck": "demo", "name": "wrong" })).await;
    assert_eq!(wrong.status, StatusCode::CONFLICT);
    let typed = ran(server, &mut events, "typed").await;
    assert!(
        typed["state"] == "passed" && typed["output"].as_str().is_some_and(|text| text.contains("typed-42")),
        "{typed}"
    );

    let back = post(server, Role::Remote, "/api/v1/checkpoints/restore", &json!({})).await;
    assert_eq!(back.json(), json!({ "deck": "demo", "name": "add" }));
    let told = until(&mut events, "add", &["ready"]).await;
    assert_eq!((&told["steps"][1]["state"], &told["checkpoints"][0]["step"]), (&json!("ready"), &json!("add")));
    live.eventually(async || maps.get_opt("added").await.expect("an answer").is_none()).await;
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_step_at_a_time_and_it_can_be_stopped() {
    let live = Live::of(with_steps(vec![step("long", "sleep 100"), step("other", "true")])).await;
    live.sandbox().await;
    let server = &live.server;
    trust(server).await;
    let mut events = server.listen("deck=demo", Role::Presenter, None).await;
    let run = |name: &str| json!({ "deck": "demo", "name": name });
    assert_eq!(post(server, Role::Remote, "/api/v1/steps/run", &run("long")).await.status, StatusCode::OK);
    let busy = post(server, Role::Presenter, "/api/v1/steps/run", &run("other")).await;
    assert_eq!(
        (busy.status, busy.text.contains("`long` is still at work")),
        (StatusCode::CONFLICT, true),
        "{}",
        busy.text
    );
    assert_eq!(
        post(server, Role::Presenter, "/api/v1/checkpoints/restore", &json!({})).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(
        post(server, Role::Presenter, "/api/v1/steps/cancel", &json!({})).await.json(),
        json!({ "stopped": true })
    );
    until(&mut events, "long", &["stopped"]).await;
    assert_eq!(post(server, Role::Presenter, "/api/v1/steps/run", &run("other")).await.status, StatusCode::OK);
    until(&mut events, "other", &["passed"]).await;
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_is_paused_stepped_and_sped_up() {
    let live = Live::of(with_steps(vec![step("a", "true")])).await;
    let sandbox = live.sandbox().await;
    let server = &live.server;
    let clock = sandbox.clock();
    let paused = post(server, Role::Presenter, "/api/v1/clock", &json!({ "do": "pause" })).await.json();
    assert_eq!((&paused["virtual"], &paused["speed"]), (&json!(true), &json!(0.0)));
    let before = clock.now();
    post(server, Role::Presenter, "/api/v1/clock", &json!({ "do": "step", "seconds": 300 })).await;
    assert_eq!(clock.now().as_second() - before.as_second(), 300);
    post(server, Role::Remote, "/api/v1/clock", &json!({ "do": "speed", "times": 60 })).await;
    assert_eq!(clock.speed().to_bits(), 60.0_f64.to_bits());
    let mut audience = server.listen("deck=demo", Role::Viewer, None).await;
    let told = loop {
        let event = audience.next().await.expect("news");
        if event.name == "clock" && event.data["speed"] == 60.0 {
            break event.data;
        }
    };
    assert_eq!(told["virtual"], true);
    for wrong in [
        json!({ "do": "step", "seconds": 0 }),
        json!({ "do": "speed", "times": 0 }),
        json!({ "do": "speed", "times": 1e9 }),
    ] {
        assert_eq!(
            post(server, Role::Presenter, "/api/v1/clock", &wrong).await.status,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
    post(server, Role::Presenter, "/api/v1/clock", &json!({ "do": "real" })).await;
    assert!(!clock.is_virtual());
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_command_writes_the_speaker_reads_plain_and_little_text() {
    let steal = r"printf 'a\033]52;c;c3RlYWw=\007\033[2J\033]0;title\007b\000\377\342\200\256c\n'";
    let live = Live::of(with_steps(vec![
        StepSpec {
            timeout: Duration::from_secs(120),
            ..step("flood", "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo end")
        },
        step("hostile", steal),
        step("missing", "no-such-command-at-all"),
    ]))
    .await;
    live.sandbox().await;
    let server = &live.server;
    trust(server).await;
    let mut events = server.listen("deck=demo", Role::Presenter, None).await;
    let flood = ran(server, &mut events, "flood").await;
    let output = flood["output"].as_str().expect("output");
    assert_eq!(flood["state"], "passed", "{:.300}", flood.to_string());
    assert!(output.len() < 64 * 1024 && output.ends_with("end\n") | output.ends_with("end"), "{}", output.len());
    let hostile = ran(server, &mut events, "hostile").await;
    let output = hostile["output"].as_str().expect("output");
    assert!(output.starts_with("ab") && output.contains('c'), "{output:?}");
    assert!(!output.contains(['\u{1b}', '\u{7}', '\u{0}', '\u{202e}']) && !output.contains("title"), "{output:?}");
    let missing = ran(server, &mut events, "missing").await;
    assert_eq!((&missing["state"], &missing["exit"]), (&json!("failed"), &json!(127)));
    assert!(missing["reason"].as_str().is_some_and(|why| why.contains("not on the PATH")), "{missing}");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_asleep_changes_nothing_that_was_running() {
    use k8s_openapi::api::core::v1::{Node, Pod};

    let add = "kubectl create namespace stay && kubectl -n stay create deployment web --image=nginx";
    let wait = Some("deploy/web -n stay available".to_owned());
    let live = Live::of(with_steps(vec![StepSpec { wait, ..step("add", add) }])).await;
    let sandbox = live.sandbox().await;
    trust(&live.server).await;
    let mut events = live.server.listen("deck=demo", Role::Presenter, None).await;
    let add = ran(&live.server, &mut events, "add").await;
    assert_eq!(add["state"], "passed", "{add}");
    let pods = kube::Api::<Pod>::namespaced(sandbox.client.clone(), "stay");
    let running = async || {
        let pods = pods.list(&Default::default()).await.expect("an answer").items;
        let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
        pods.iter().map(|pod| (pod.metadata.uid.clone(), phase(pod))).collect::<Vec<_>>()
    };
    let before = running().await;
    assert_eq!(before[0].1.as_deref(), Some("Running"));
    // To the controllers a laptop that slept is a clock that leaps.
    let leap = json!({ "do": "step", "seconds": 8 * 3600 });
    assert_eq!(post(&live.server, Role::Presenter, "/api/v1/clock", &leap).await.status, StatusCode::OK);
    let more = "kubectl -n stay create deployment after --image=nginx".to_owned();
    let nodes = kube::Api::<Node>::all(sandbox.client.clone());
    let mut deck = compiled("Demo", &[("one", 0), ("two", 0)]);
    deck.rendered.slides[0].steps =
        vec![StepSpec { wait: Some("deploy/after -n stay available".into()), ..step("more", &more) }];
    live.server.edit("demo", deck);
    let app = live.server.app.clone();
    eventually("the edit is shown", || {
        app.decks[0].now().is_some_and(|view| view.compiled.rendered.slides[0].steps[0].name == "more")
    })
    .await;
    trust(&live.server).await;
    let more = ran(&live.server, &mut events, "more").await;
    assert_eq!(more["state"], "passed", "what comes afterwards works: {more}");
    let after = running().await;
    assert!(before.iter().all(|pod| after.contains(pod)), "{before:?} {after:?}");
    for node in nodes.list(&Default::default()).await.expect("an answer").items {
        let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
        assert!(conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"));
    }
    live.end().await;
}
