//! Tests of where a run is that is shown again.

use super::*;
use crate::recording::marks::Step;
use crate::recording::write::Writer;
use crate::recording::{Head as Facts, What};

fn run() -> Recording {
    let facts = Facts { foredeck: String::new(), what: What::Talk, started_ms: 0, decks: vec!["d".into()] };
    let bytes = Writer::new(&facts, Default::default(), 1 << 20);
    let mut run = Recording::open(bytes.finish(90_000, Vec::new(), 0)).expect("a run");
    let step = |name: &str, from, state: &str| Step {
        deck: "d".into(),
        name: name.into(),
        slide: 0,
        from,
        to: Some(from + 5000),
        state: state.into(),
    };
    run.end.steps = vec![step("a", 10_000, "failed"), step("a", 20_000, "passed"), step("b", 40_000, "passed")];
    run
}

#[test]
fn it_plays_a_step_up_to_the_next_one() {
    let (run, now) = (run(), Instant::now());
    let later = |seconds| now + Duration::from_secs(seconds);
    let mut head = Head::start("d", Some(&run), now);
    assert_eq!((head.at(now), head.at(later(3)), head.at(later(60))), (0, 3000, 10_000));
    head.to_slide(&run, ["x", "a"], later(3));
    assert_eq!((head.at(later(3)), head.at(later(60)), head.jump), (20_000, 20_000, 1), "it waits for the step");
    assert!(head.to_step(&run, "a", Duration::from_secs(2), later(60)));
    assert_eq!((head.at(later(60)), head.at(later(65)), head.at(later(600))), (22_000, 27_000, 40_000));
    assert_eq!((head.when(27_000), head.when(40_001)), (Some(later(65)), None));
    head.to_slide(&run, ["a"], later(65));
    assert_eq!((head.at(later(65)), head.jump), (27_000, 2), "back on a slide whose steps have begun it goes on");
    assert!(!head.to_step(&run, "x", Duration::ZERO, now));
}

#[test]
fn short_steps_get_a_little_more_time() {
    let of = |ms| patience(Duration::from_millis(ms)).as_millis();
    assert_eq!([of(0), of(400), of(4000), of(10_000)], [2000, 2400, 6000, 15_000]);
}
