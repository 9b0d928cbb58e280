//! Runs that are written and read again: all of them, cut off, damaged, of other versions; sizes and times of a long talk.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::play::{Change, Player};
use super::read::{Error, Recording};
use super::write::Writer;
use super::*;
use crate::panel::redact::Secrets;
use crate::panel::state::{Body, Fact, Mark, Moment, PanelState, Point, Row, Series, Table};

const MOST: usize = 1 << 24;

fn head() -> Head {
    Head { foredeck: "0.1.0".into(), what: What::Rehearsal, started_ms: 1_700_000_000_000, decks: vec!["talk".into()] }
}

fn writer() -> Writer {
    Writer::new(&head(), Secrets::default(), MOST)
}

fn step(name: &str, state: &str) -> Value {
    json!({ "deck": "talk", "name": name, "slide": 1, "state": state })
}

/// A run of two steps, with a panel, a terminal and a position.
fn small() -> Vec<u8> {
    let mut writer = writer();
    writer.set(0, POSITION, json!({ "deck": "talk", "slide": 0 }));
    writer.set(10, &panel_cell("pods"), json!({ "title": "pods", "rows": ["a", "b"] }));
    writer.set(20, &step_cell("talk", "add"), step("add", "running"));
    writer.text(25, "main", "$ kubectl\r\n");
    let mut bytes = writer.take();
    writer.set(30, &panel_cell("pods"), json!({ "title": "pods", "rows": ["a", "b", "c"] }));
    writer.set(40, &step_cell("talk", "add"), step("add", "passed"));
    bytes.extend(writer.take());
    writer.set(70_000, &step_cell("talk", "break"), step("break", "running"));
    writer.text(70_010, "main", "done\r\n");
    bytes.extend(writer.take());
    writer.set(70_500, &step_cell("talk", "break"), step("break", "failed"));
    writer.set(70_600, &panel_cell("pods"), json!({ "title": "pods", "rows": ["a"] }));
    let deck = DeckEnd { deck: "talk".into(), hash: "h".into(), steps: 2, passed: false };
    bytes.extend(writer.finish(71_000, vec![deck], 0));
    bytes
}

fn rows(player: &Player) -> usize {
    player.scene().cells["panel pods"]["rows"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_run_is_read_as_it_was_written() {
    let run = Arc::new(Recording::open(small()).expect("a run"));
    assert_eq!((run.head.clone(), run.broken, run.length), (head(), None, 71_000));
    assert_eq!(run.segments(), 2, "a long pause begins a segment");
    let marks: Vec<_> = run.end.steps.iter().map(|s| (s.name.as_str(), s.from, s.to, s.state.as_str())).collect();
    assert_eq!(marks, [("add", 20, Some(40), "passed"), ("break", 70_000, Some(70_500), "failed")]);
    let mut player = Player::new(run);
    assert_eq!(player.next_at(), Some(10));
    player.advance(29);
    assert_eq!((rows(&player), player.scene().texts["terminal main"].as_str()), (2, "$ kubectl\r\n"));
    assert_eq!(
        player.advance(40),
        [Change::Cell("panel pods".into()), Change::Cell("step talk#add".into())],
        "what has not changed is not told"
    );
    // Into the next segment: what it repeats is no news.
    assert_eq!(
        player.advance(70_010),
        [Change::Cell("step talk#break".into()), Change::Text("terminal main".into(), "done\r\n".into())]
    );
    assert_eq!(player.scene().texts["terminal main"], "$ kubectl\r\ndone\r\n");
    player.seek(35);
    assert_eq!((rows(&player), player.at()), (3, 35));
    player.seek(90_000);
    assert_eq!((rows(&player), player.next_at()), (1, None));
}

#[test]
fn seeking_gives_what_going_there_gives() {
    let run = Arc::new(Recording::open(long_talk(6).0).expect("a run"));
    let mut going = Player::new(run.clone());
    for at in (0..run.length).step_by(7919) {
        going.advance(at);
        let mut there = Player::new(run.clone());
        there.seek(at);
        assert_eq!(going.scene().cells, there.scene().cells, "at {at}");
    }
}

#[test]
fn what_is_cut_off_can_be_read_up_to_there() {
    let bytes = small();
    let whole = Recording::open(bytes.clone()).expect("a run");
    let mut lengths = Vec::new();
    for cut in 0..bytes.len() {
        match Recording::open(bytes[..cut].to_vec()) {
            Ok(run) => {
                assert!(run.broken.is_some(), "cut at {cut}");
                lengths.push((run.length, run.end.steps.len()));
                Player::new(Arc::new(run)).advance(u32::MAX);
            }
            Err(error) => assert!(lengths.is_empty(), "{error} at {cut}"),
        }
    }
    assert!(lengths.is_sorted() && lengths.contains(&(40, 1)) && lengths.contains(&(70_600, 2)), "{lengths:?}");
    assert_eq!(whole.end.steps.len(), 2);
}

#[test]
fn other_files_and_versions_are_refused() {
    let of = |bytes: &[u8]| Recording::open(bytes.to_vec()).map(|_| ());
    assert_eq!(of(b"PK\x03\x04"), Err(Error::NoRun));
    assert_eq!(of(b"foredeck run 2\nwhatever"), Err(Error::Newer(2)));
    assert_eq!(of(b"foredeck run 0\nwhatever"), Err(Error::Older(0)));
    assert_eq!(of(b"foredeck run 1\n"), Err(Error::Broken("its first block is damaged")));
    let run = Recording::open(small()).expect("a run");
    assert_eq!(run.shows(["x", "talk"].into_iter()), Ok(()));
    let error = run.shows(["other"].into_iter()).expect_err("another deck");
    assert_eq!(error.to_string(), "this run was recorded from another deck: it shows `talk`");
}

proptest! {
    #[test]
    fn damage_is_noticed_and_costs_only_what_follows(at in 16_usize..2000, bit in 0_u8..8) {
        let mut bytes = small();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(run) = Recording::open(bytes) {
            prop_assert!(at < 16 || run.broken.is_some());
            Player::new(Arc::new(run)).advance(u32::MAX);
        }
    }

    #[test]
    fn any_bytes_are_read_without_fear(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = block::first_line().into_bytes();
        file.extend(bytes);
        let _ = Recording::open(file);
    }
}

#[test]
fn secrets_are_masked_before_they_are_written() {
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let mut writer = Writer::new(&head(), Secrets::with(["s3cr3t-of-this-run"]), MOST);
    writer.set(0, "panel exec", json!({ "rows": [[format!("token {token}")], ["s3cr3t-of-this-run"]] }));
    let mut bytes = writer.take();
    bytes.extend(writer.finish(1, Vec::new(), 0));
    let player = Player::new(Arc::new(Recording::open(bytes).expect("a run")));
    let shown = player.scene().cells["panel exec"].to_string();
    assert!(!shown.contains("a1B2a1B2") && !shown.contains("of-this-run"), "{shown}");
}

#[test]
fn a_file_does_not_grow_beyond_its_limit() {
    let mut writer = Writer::new(&head(), Secrets::default(), 20_000);
    let mut bytes = Vec::new();
    let mut noise = 1_u64;
    for at in 0..5000 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writer.set(at, "panel noise", json!({ "text": format!("{noise:x}{:x}", noise.rotate_left(17)) }));
        bytes.extend(writer.take());
    }
    bytes.extend(writer.finish(5000, Vec::new(), 0));
    assert!(bytes.len() < 21_000, "{}", bytes.len());
    let run = Recording::open(bytes).expect("a run");
    assert!(run.end.full && run.broken.is_none());
}

/// What four panels and a terminal show in a talk of so many minutes, as their kinds make it; gives the file, and how
/// many states it is made of.
fn long_talk(minutes: u32) -> (Vec<u8>, usize) {
    let mut writer = writer();
    let mut bytes = Vec::new();
    let mut states = 0;
    for second in 0..minutes * 60 {
        let at = second * 1000;
        // Ages and countdowns change every five seconds, what happens in bursts of a few seconds every two minutes.
        let busy = second % 120 < 15;
        if second % 5 == 0 || busy {
            for (key, state) in panels(second, busy) {
                writer.set(at, &panel_cell(key), json!(state));
                states += 1;
            }
        }
        let name = format!("step-{}", second / 120);
        match second % 120 {
            0 => writer.set(at, &step_cell("talk", &name), step(&name, "running")),
            14 => writer.set(at, &step_cell("talk", &name), step(&name, "passed")),
            _ => {}
        }
        if busy {
            let line =
                format!("\u{1b}[32mdeployment.apps/podinfo-{second}\u{1b}[0m scaled to {} replicas\r\n", second % 7);
            writer.text(at, "main", &line);
        }
        bytes.extend(writer.take());
    }
    bytes.extend(writer.finish(minutes * 60_000, Vec::new(), 0));
    (bytes, states)
}

fn panels(second: u32, busy: bool) -> Vec<(&'static str, PanelState)> {
    let at = Timestamp::from_second(1_700_000_000 + i64::from(second)).expect("a time");
    let good = |title: &str, body: Body| PanelState::good(title, body, at);
    let pods = (0..12).map(|number| {
        let generation = if busy { second / 3 } else { second / 120 };
        let name =
            format!("podinfo-{:010x}-{:05x}", generation.wrapping_mul(2_654_435_761), number * 7919 + generation);
        let status = if busy && number % 3 == 0 { "ContainerCreating" } else { "Running" };
        let cells = vec![name.clone(), "1/1".into(), status.into(), format!("{}s", second % 600)];
        Row { key: name, cells, mark: if status == "Running" { Mark::Good } else { Mark::Busy }, group: None }
    });
    let columns = ["NAME", "READY", "STATUS", "AGE"].map(str::to_owned).to_vec();
    let table = Table { columns, rows: pods.collect(), more: 3, empty: "No pods.".into() };
    let moments = (0..12_u32).map(|number| {
        let index = (second / 30).saturating_sub(11) + number;
        Moment {
            key: format!("m{index}"),
            at: Timestamp::from_second(1_700_000_000 + i64::from(index * 30)).expect("a time"),
            what: ["commit", "sync", "drift", "repair"][index as usize % 4].into(),
            text: format!("{:07x} scale podinfo to {index} replicas", index.wrapping_mul(2_654_435_761)),
            seconds: Some(f64::from(index % 50) / 10.0),
            mark: Mark::Good,
        }
    });
    let facts = vec![
        Fact { label: "next look".into(), value: format!("in {} s", 300 - second % 300), mark: Mark::Plain },
        Fact { label: "revision".into(), value: format!("main@{:07x}", second / 120), mark: Mark::Good },
    ];
    let points = (0..second.min(240)).map(|x| Point { x: x.into(), y: f64::from((second + x) * 37 % 101) / 3.0 });
    let series = vec![
        Series { name: "weight".into(), unit: "%".into(), points: points.clone().collect() },
        Series { name: "latency".into(), unit: "ms".into(), points: points.take(120).collect() },
    ];
    vec![
        ("pods namespace=\"demo\"", good("pods · demo", Body::Table(table))),
        ("timeline", good("timeline", Body::Timeline { moments: moments.collect() })),
        ("sync", good("sync", Body::Facts { facts: facts.clone(), table: None })),
        ("canary", good("canary", Body::Chart { facts, series })),
    ]
}

#[test]
fn a_long_talk_is_small_and_any_moment_of_it_is_near() {
    let began = Instant::now();
    let (bytes, states) = long_talk(45);
    let share = began.elapsed().as_secs_f64() / (45.0 * 60.0) * 100.0;
    eprintln!("recording takes {share:.2} % of a core (debug build: {})", cfg!(debug_assertions));
    assert!(share < 5.0, "{share} %");
    let run = Arc::new(Recording::open(bytes).expect("a run"));
    eprintln!("45 minutes, 4 panels: {} bytes, {states} states, {} segments", run.size(), run.segments());
    assert!(run.size() < 2_000_000, "{} bytes", run.size());
    let mut player = Player::new(run.clone());
    let mut slowest = 0;
    for percent in [97, 3, 50, 71, 12, 99, 33] {
        let began = Instant::now();
        player.seek(run.length / 100 * percent);
        slowest = slowest.max(began.elapsed().as_millis());
    }
    eprintln!("slowest seek: {slowest} ms (debug build: {})", cfg!(debug_assertions));
    // Debug builds on a busy machine are an order of magnitude slower than what is shipped.
    assert!(slowest < if cfg!(debug_assertions) { 1000 } else { 50 }, "{slowest} ms");
}
