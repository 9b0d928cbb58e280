//! Panels that the server itself fills: the deck's steps, and commands that the speaker agreed to.

use foredeck::deck::PanelSpec;
use foredeck::deck::panel::PanelText;
use foredeck::diagnostic::Span;
use foredeck::project::Compiled;
use foredeck::runbook::trusted::Trusted;
use foredeck::server::role::Role;
use serde_json::Value;

use super::demo::Live;
use super::steps::{ran, step, trust};
use crate::harness::server::{DEADLINE, Events, ServerTest, compiled};

fn spec(text: &str) -> PanelSpec {
    PanelText::read(text, 0).spec(String::new(), None, Span::default()).expect("a panel")
}

pub(super) fn deck(steps: &[(&str, &str)], panels: &[&str]) -> Compiled {
    let mut deck = compiled("Demo", &[("one", 0), ("two", 0)]);
    deck.rendered.slides[0].steps = steps.iter().map(|(name, script)| step(name, script)).collect();
    deck.rendered.slides[1].panels =
        panels.iter().enumerate().map(|(at, text)| (format!("panel-{at}"), spec(text))).collect();
    deck
}

async fn live(deck: Compiled) -> Live {
    let test = ServerTest::new().deck("demo", Some(deck));
    let state = test.root().join("state");
    let live = Live::of(test.with(|config| config.trusted = Trusted::new(Some(&state)))).await;
    live.sandbox().await;
    live
}

/// The next news of the panel that pass the test.
pub(super) async fn until(events: &mut Events, panel: &str, test: impl Fn(&Value) -> bool) -> Value {
    let key = spec(panel).key();
    let mut last = Value::Null;
    let reading = async {
        loop {
            let event = events.next().await.expect("news before the end");
            if event.name == "panel" && event.data["key"] == key.as_str() {
                if test(&event.data) {
                    return event.data;
                }
                last = event.data;
            }
        }
    };
    let found = tokio::time::timeout(3 * DEADLINE, reading).await;
    found.unwrap_or_else(|_| panic!("`{panel}` does not become so; its last news: {last}"))
}

pub(super) fn says<'a>(member: &'a str, text: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |data| data[member].as_str().is_some_and(|found| found.contains(text))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_runs_only_when_the_speaker_agreed() {
    let panel = r#"exec command="echo x >>ran; printf 'NAME   N\n<a>    1\n'" interval=500ms"#;
    let live = live(deck(&[], &[panel])).await;
    let sandbox = live.sandbox().await;
    let ran = sandbox.work_folder().join("ran");
    let mut speaker = live.server.listen("deck=demo", Role::Presenter, None).await;
    let mut audience = live.server.listen("deck=demo", Role::Viewer, None).await;
    until(&mut speaker, panel, says("problem", "not trusted")).await;
    assert!(!ran.exists());
    trust(&live.server).await;
    let seen = until(&mut audience, panel, |data| data["html"].is_string()).await;
    let html = seen["html"].as_str().expect("HTML");
    assert!(html.contains("&lt;a&gt;") && html.contains("<th"), "{html}");
    assert!(seen.get("problem").is_none());
    let times = || std::fs::read_to_string(&ran).unwrap_or_default().lines().count();
    live.eventually(async || times() > 1).await;
    drop((speaker, audience));
    live.eventually(async || live.server.app.panels.windows(0) == 0).await;
    // A run that had begun may still end.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let before = times();
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(times(), before, "nobody looks");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_go_wrong_tell_the_speaker_alone() {
    let cases = [
        (r#"exec command="sleep 100" timeout=300ms"#, "did not end within"),
        (r#"exec command="yes flood" timeout=300ms"#, "did not end within"),
        ("exec no-such-command-at-all", "not on the PATH"),
        (r#"exec command="echo why >&2; exit 4""#, "exit code 4: why"),
    ];
    let panels: Vec<&str> = cases.iter().map(|(panel, _)| *panel).collect();
    let live = live(deck(&[], &panels)).await;
    trust(&live.server).await;
    for (panel, problem) in cases {
        let mut speaker = live.server.listen("deck=demo", Role::Presenter, None).await;
        until(&mut speaker, panel, says("problem", problem)).await;
        let mut audience = live.server.listen("deck=demo", Role::Viewer, None).await;
        let seen = until(&mut audience, panel, |_| true).await;
        assert!(seen["html"].is_null() && seen.get("problem").is_none(), "{seen}");
    }
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_steers_terminals_and_what_is_secret_is_not_shown() {
    let panel = r#"exec command="printf 'a\033[2J\033]0;title\007b\000\342\200\256c ghp_abcdefghij0123456789\n'""#;
    let live = live(deck(&[], &[panel])).await;
    trust(&live.server).await;
    let mut audience = live.server.listen("deck=demo", Role::Viewer, None).await;
    let seen = until(&mut audience, panel, |data| data["html"].is_string()).await;
    let html = seen["html"].as_str().expect("HTML");
    assert!(html.contains("abc ") && !html.contains("ghp_abc") && !html.contains("title"), "{html}");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_how_the_steps_go_but_not_their_commands() {
    let live = live(deck(&[("add", "true"), ("break", "exit 3 # covert")], &["steps"])).await;
    trust(&live.server).await;
    let mut audience = live.server.listen("deck=demo", Role::Viewer, None).await;
    let first = until(&mut audience, "steps", |data| data["html"].is_string()).await;
    assert!(says("html", "to do")(&first) && !says("html", "covert")(&first), "{first}");
    let mut speaker = live.server.listen("deck=demo", Role::Presenter, None).await;
    ran(&live.server, &mut speaker, "add").await;
    until(&mut audience, "steps", says("html", "done")).await;
    ran(&live.server, &mut speaker, "break").await;
    let last = until(&mut audience, "steps", says("html", "failed")).await;
    assert!(!says("html", "covert")(&last), "{last}");
    live.end().await;
}
