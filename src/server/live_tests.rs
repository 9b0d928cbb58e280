//! Tests of the talk's state.

use serde_json::json;

use super::*;

fn stage() -> Stage {
    let mut stage = Stage::new(&["a".to_owned(), "b".to_owned()], 1000);
    stage.reshape("a", DeckShape { version: 1, fragments: vec![0, 2, 0] });
    stage.reshape("b", DeckShape { version: 5, fragments: vec![0] });
    stage
}

fn run(stage: &mut Stage, command: serde_json::Value) -> Result<bool, Refusal> {
    let command: Command = serde_json::from_value(command).expect("a command");
    stage.apply(&command, 9000)
}

fn place(live: &Live) -> (&str, u32, u16) {
    (&live.deck, live.slide, live.fragment)
}

#[test]
fn next_and_previous_walk_fragments_and_stop_at_the_ends() {
    let mut stage = stage();
    let mut walk = Vec::new();
    for _ in 0..5 {
        run(&mut stage, json!({"do": "next"})).expect("it moves");
        walk.push((stage.speaker().slide, stage.speaker().fragment));
    }
    assert_eq!(walk, [(1, 0), (1, 1), (1, 2), (2, 0), (2, 0)]);
    for _ in 0..5 {
        run(&mut stage, json!({"do": "previous"})).expect("it moves");
        walk.push((stage.speaker().slide, stage.speaker().fragment));
    }
    assert_eq!(walk[5..], [(1, 2), (1, 1), (1, 0), (0, 0), (0, 0)]);
}

#[test]
fn only_a_change_gets_a_new_version() {
    let mut stage = stage();
    let v = stage.speaker().v;
    assert_eq!(run(&mut stage, json!({"do": "previous"})), Ok(false));
    assert_eq!(run(&mut stage, json!({"do": "screen", "to": "live"})), Ok(false));
    assert_eq!(stage.speaker().v, v);
    assert_eq!(run(&mut stage, json!({"do": "screen", "to": "black"})), Ok(true));
    assert_eq!(stage.speaker().v, v + 1);
}

#[test]
fn a_position_past_the_end_is_the_end() {
    let mut stage = stage();
    run(&mut stage, json!({"do": "goto", "deck": "a", "slide": 99, "fragment": 7})).expect("it moves");
    assert_eq!(place(stage.speaker()), ("a", 2, 0));
    stage.reshape("a", DeckShape { version: 2, fragments: vec![0, 1] });
    assert_eq!((place(stage.speaker()), stage.speaker().deck_version), (("a", 1, 0), 2));
}

#[test]
fn unknown_decks_and_odd_numbers_are_refused() {
    let mut stage = stage();
    let before = stage.speaker().clone();
    assert_eq!(
        run(&mut stage, json!({"do": "goto", "deck": "c", "slide": 0})),
        Err(Refusal::UnknownDeck("c".to_owned()))
    );
    assert_eq!(
        run(&mut stage, json!({"do": "laser", "to": {"x": 0.5, "y": 1.01}})),
        Err(Refusal::OutOfRange("y", 0, 1))
    );
    assert_eq!(
        run(&mut stage, json!({"do": "zoom", "to": {"x": 0.5, "y": 0.5, "scale": 0.5}})),
        Err(Refusal::OutOfRange("scale", 1, 20))
    );
    assert_eq!(stage.speaker(), &before);
}

#[test]
fn followers_stay_while_frozen_and_catch_up_after() {
    let mut stage = stage();
    run(&mut stage, json!({"do": "goto", "slide": 1, "fragment": 1})).expect("it moves");
    run(&mut stage, json!({"do": "freeze", "on": true})).expect("it freezes");
    run(&mut stage, json!({"do": "goto", "deck": "b", "slide": 0})).expect("it moves");
    run(&mut stage, json!({"do": "screen", "to": "black"})).expect("it turns black");
    let audience = stage.audience();
    assert_eq!((place(&audience), audience.deck_version), (("a", 1, 1), 1));
    assert_eq!((audience.freeze, audience.screen), (true, Screen::Black), "black is for emergencies: it passes");
    assert_eq!(place(stage.speaker()), ("b", 0, 0));
    stage.reshape("a", DeckShape { version: 2, fragments: vec![0] });
    assert_eq!((place(&stage.audience()), stage.audience().deck_version), (("a", 0, 0), 2));
    run(&mut stage, json!({"do": "freeze", "on": false})).expect("it thaws");
    assert_eq!(&stage.audience(), stage.speaker());
}

#[test]
fn the_timer_counts_only_while_it_runs() {
    let mut timer = Timer::default();
    for (command, now, expected) in [
        (TimerCommand::Start, 100, (true, 0, 100)),
        (TimerCommand::Start, 200, (true, 0, 100)),
        (TimerCommand::Stop, 1100, (false, 1000, 1100)),
        (TimerCommand::Stop, 5000, (false, 1000, 1100)),
        (TimerCommand::Start, 6000, (true, 1000, 6000)),
        (TimerCommand::Reset, 7000, (true, 0, 7000)),
        (TimerCommand::Stop, 6500, (false, 0, 6500)),
    ] {
        timer = timer.after(command, now);
        assert_eq!((timer.running, timer.elapsed_ms, timer.at_ms), expected, "{command:?} at {now}");
    }
}

#[test]
fn a_zoom_ends_with_its_slide() {
    let mut stage = stage();
    run(&mut stage, json!({"do": "goto", "slide": 1})).expect("it moves");
    run(&mut stage, json!({"do": "zoom", "to": {"x": 0.25, "y": 0.5, "scale": 2}})).expect("it zooms");
    run(&mut stage, json!({"do": "next"})).expect("a fragment");
    assert_eq!(stage.speaker().zoom, Some(Zoom { x: 0.25, y: 0.5, scale: 2.0 }));
    run(&mut stage, json!({"do": "goto", "slide": 2})).expect("it moves");
    assert_eq!(stage.speaker().zoom, None);
}

#[test]
fn resuming_takes_the_place_and_the_timer_but_not_the_freeze() {
    let mut earlier = stage();
    run(&mut earlier, json!({"do": "goto", "slide": 1, "fragment": 2})).expect("it moves");
    run(&mut earlier, json!({"do": "timer", "to": "start"})).expect("it starts");
    run(&mut earlier, json!({"do": "freeze", "on": true})).expect("it freezes");
    let saved = earlier.speaker().clone();
    let mut later = Stage::new(&["b".to_owned(), "a".to_owned()], 500);
    later.resume(&saved);
    later.reshape("a", DeckShape { version: 9, fragments: vec![0, 2, 0] });
    assert_eq!(place(later.speaker()), ("a", 1, 2));
    assert_eq!(later.speaker().timer, saved.timer);
    assert!(!later.speaker().freeze && later.speaker().v > saved.v);
}

#[test]
fn unknown_fields_and_verbs_are_no_commands() {
    for text in [
        r#"{"do":"reboot"}"#,
        r#"{"do":"goto"}"#,
        r#"{"do":"screen","to":"green"}"#,
        "[]",
        r#"{"do":"goto","slide":-1}"#,
    ] {
        assert!(serde_json::from_str::<Command>(text).is_err(), "{text}");
    }
}
