//! From any step to any step.

use std::time::Instant;

use foredeck::workshop::converge::Move;
use foredeck::workshop::graph::before;
use foredeck::workshop::load;
use foredeck::workshop::progress::State;
use foredeck::workshop::session::Session;

use super::{Learner, has_tools, shown};

/// Every pair of these many steps is tried; the later ones are visited.
const PAIRED: usize = 8;

/// The numbers of the built-in workshop's steps.
fn steps() -> Vec<u32> {
    load::builtin().workshop.steps.iter().map(|step| step.number).collect()
}

/// A way along every pair of steps, each pair once: it ends where it begins.
fn tour(steps: &[u32]) -> Vec<u32> {
    let mut left: Vec<Vec<usize>> = steps.iter().map(|_| (0..steps.len()).collect()).collect();
    let (mut way, mut tour) = (vec![0], Vec::new());
    while let Some(at) = way.last() {
        match left.get_mut(*at).and_then(Vec::pop) {
            Some(next) => way.push(next),
            None => tour.extend(way.pop()),
        }
    }
    tour.into_iter().map(|at| steps[at]).collect()
}

/// The same along the first steps of the built-in workshop.
pub(super) fn tour_of_pairs() -> Vec<u32> {
    tour(&steps()[..PAIRED])
}

/// One of four parts of the way; each begins where the one before ends.
fn part(number: usize) -> Vec<u32> {
    let tour = tour_of_pairs();
    let length = (tour.len() - 1) / 4;
    tour[number * length..=(number + 1) * length].to_vec()
}

/// A way through each of the later steps: to it, from it back among the first ones, and from one to the next.
fn visits() -> Vec<u32> {
    let steps = steps();
    let (first, later) = steps.split_at(PAIRED);
    let there_and_back = later.iter().enumerate().flat_map(|(at, step)| [*step, first[(5 * at + 3) % first.len()]]);
    there_and_back.chain(later.iter().copied()).collect()
}

#[test]
fn the_tour_has_every_pair_once() {
    let parts: Vec<Vec<u32>> = (0..4).map(part).collect();
    let mut pairs: Vec<(u32, u32)> =
        parts.iter().flat_map(|part| part.windows(2).map(|pair| (pair[0], pair[1]))).collect();
    pairs.sort_unstable();
    let first = &steps()[..PAIRED];
    let all: Vec<(u32, u32)> = first.iter().flat_map(|from| first.iter().map(|to| (*from, *to))).collect();
    assert_eq!(pairs, all);
    assert!(steps()[PAIRED..].iter().all(|step| visits().contains(step)));
}

/// Brings the sandbox to the beginning of a step, and shows that it is there.
pub(super) async fn arrive(session: &Session, step: &str, from: &str) {
    let (mut told, begun) = (Vec::new(), Instant::now());
    let mut tell = |moved: &Move| told.push(format!("{:.1} s: {moved}", begun.elapsed().as_secs_f32()));
    if let Err(error) = session.start(step, &mut tell).await {
        panic!("{from} → {step} is not reached: {}; after {told:#?}", shown(&error));
    }
    let step = session.step(step).expect("it is there").clone();
    for needed in before(session.workshop(), &step.id) {
        let report = session.check(&needed.id).await.expect("a report");
        assert!(report.passed, "{from} → {}: {} does not hold after {told:#?}: {report:#?}", step.id, needed.id);
    }
    let progress = session.progress().borrow().clone();
    assert_eq!(progress.step(&step.id).state, State::InProgress, "{from} → {}", step.id);
    let at = session.workshop().position(&step.id).expect("it has a place");
    for later in &session.workshop().steps[at + 1..] {
        assert_eq!(progress.step(&later.id).state, State::NotStarted, "{from} → {}: {}", step.id, later.id);
    }
    // To watch is all that there is to do in step 5.
    if step.number != 5 {
        let report = session.check(&step.id).await.expect("a report");
        assert!(!report.passed, "{from} → {}: it is done already, after {told:#?}", step.id);
    }
}

/// Does a step, and shows that it is done.
pub(super) async fn finish(session: &Session, step: &str, from: &str) {
    match session.solve(step).await {
        Ok(report) => assert!(report.passed, "{from} → {step}: {report:#?}"),
        Err(error) => panic!("{from} → {step}: {}", shown(&error)),
    }
}

pub(super) async fn walk(session: &Session, way: &[u32]) {
    let _hurry = session.sandbox().embedded().map(|embedded| embedded.hurry());
    let mut from = "nothing".to_owned();
    for step in way {
        let (step, begun) = (step.to_string(), Instant::now());
        arrive(session, &step, &from).await;
        let arrived = begun.elapsed();
        finish(session, &step, &from).await;
        eprintln!("{from} → {step}: {arrived:?}, done after {:?}", begun.elapsed());
        from = step;
    }
}

async fn walk_alone(way: &[u32]) {
    if !has_tools() {
        return;
    }
    let learner = Learner::start().await;
    walk(&learner.session, way).await;
    learner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_first_part() {
    walk_alone(&part(0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_second_part() {
    walk_alone(&part(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_third_part() {
    walk_alone(&part(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_step_is_reached_from_any_step_fourth_part() {
    walk_alone(&part(3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn later_steps_are_reached_from_earlier_ones_and_left_again() {
    walk_alone(&visits()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes long: cargo test --test suite any_step_from_any_other -- --ignored --nocapture"]
async fn any_step_from_any_other_of_the_whole_workshop() {
    walk_alone(&tour(&steps())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test suite measure -- --ignored --nocapture --test-threads 1"]
async fn measure_nothing_to_step_six() {
    let mut times = Vec::new();
    for _ in 0..5 {
        let learner = Learner::start().await;
        let begun = Instant::now();
        learner.begin("06").await;
        times.push(begun.elapsed());
        learner.end().await;
    }
    times.sort();
    eprintln!("from nothing to step 6, five times: {times:?}");
}
