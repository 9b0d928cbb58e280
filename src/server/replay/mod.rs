//! A recorded run in the place of the live system: for a whole talk, or for a slide whose demo fails.
//!
//! ```text
//! panels say "lost" ──┐                                       ┌─→ Show: which panels, which terminals
//! steps that are late ┼─→ State: slides from the run, head ───┤
//! the speaker's `x` ──┘                                       └─→ Head ─→ play: cells and texts of that moment
//! ```
//!
//! The panels themselves do not change: a follower takes its states from the run's cell instead of its source's.

pub mod film;
pub mod head;
mod play;
mod policy;
mod shown;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch as cell;

use super::feed::View;
use super::panels::recorded_name;
use super::state::App;
use crate::deck::step::StepSpec;
use crate::deck::{PanelKind, PanelSpec};
use crate::recording;
use crate::recording::read::Recording;
use crate::runbook::journal::{Ended, State as Stands};
use head::Head;
use shown::Shown;

pub use play::run as play;
pub use policy::{Fallback, Policy, Wishes};
pub use watch::run as watch;

/// Which runs there are, and when they are shown.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The run of each deck.
    pub runs: BTreeMap<String, Arc<Recording>>,
    /// There is no live system: everything comes from the runs.
    pub always: bool,
    /// What is done when the live system fails.
    pub wishes: Wishes,
}

/// What is shown from a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Show {
    /// Panels, by key.
    pub panels: BTreeSet<String>,
    /// Terminals, by name.
    pub terminals: BTreeSet<String>,
    /// The run's name: `rehearsal 14:02`.
    pub label: String,
    /// Whether the slide that is shown is shown from the run.
    pub on: bool,
    /// Whether its deck has a run.
    pub there: bool,
    /// Why the speaker is asked whether to show it.
    pub offer: String,
}

/// Who has taken a slide from the live system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Speaker,
    Watchdog,
}

type Place = (String, usize);

#[derive(Debug, Clone)]
struct Late {
    place: Place,
    step: String,
    why: String,
}

#[derive(Debug)]
struct State {
    place: Place,
    taken: BTreeMap<Place, By>,
    /// Slides that the speaker wants live, whatever happens.
    kept: BTreeSet<Place>,
    /// Panels whose source is silent.
    lost: BTreeSet<String>,
    /// The step that is offered, and why.
    late: Option<Late>,
    /// The step that is shown from the run.
    played: Option<(String, String)>,
    heads: BTreeMap<String, Head>,
}

/// The runs of a server.
#[derive(Debug)]
pub struct Replay {
    plan: Plan,
    state: Mutex<State>,
    show: cell::Sender<Arc<Show>>,
    head: cell::Sender<Option<Head>>,
    shown: Shown,
}

impl Replay {
    /// Nothing is shown from runs yet.
    pub fn new(plan: Plan) -> Self {
        let state = State {
            place: Place::default(),
            taken: BTreeMap::new(),
            kept: BTreeSet::new(),
            lost: BTreeSet::new(),
            late: None,
            played: None,
            heads: BTreeMap::new(),
        };
        Self {
            plan,
            state: Mutex::new(state),
            show: cell::Sender::new(Arc::default()),
            head: cell::Sender::new(None),
            shown: Shown::default(),
        }
    }

    /// Whether there is a run, or nothing but runs.
    pub fn is_there(&self) -> bool {
        self.plan.always || !self.plan.runs.is_empty()
    }

    /// What is shown from a run, now and whenever that changes.
    pub fn shown(&self) -> cell::Receiver<Arc<Show>> {
        self.show.subscribe()
    }

    /// What panels and terminals show at the moment that the run is at.
    pub fn moment(&self) -> &Shown {
        &self.shown
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a slide from the run, or live again; turns it over when not said which. `None` when there is no run.
    pub fn turn(&self, app: &App, deck: &str, slide: usize, on: Option<bool>) -> Option<bool> {
        self.plan.runs.get(deck)?;
        let place = (deck.to_owned(), slide);
        let mut state = self.state();
        let was = self.plan.always || state.taken.contains_key(&place);
        // There is nothing live to go back to.
        let on = self.plan.always || on.unwrap_or(!was);
        if on {
            state.kept.remove(&place);
            state.taken.insert(place, By::Speaker);
        } else {
            state.taken.remove(&place);
            state.kept.insert(place);
        }
        let late = state.late.take().map(|late| (late.place.0, late.step));
        let active = app.desk.runner.journal().borrow().active.clone();
        self.tell(app, &mut state);
        drop(state);
        // The step that is on its way, or has failed, goes on in the run.
        if let Some((its_deck, step)) = active.or(late).filter(|(its_deck, _)| on && !was && its_deck == deck) {
            self.take_over(app, &its_deck, &step);
        }
        Some(on)
    }

    /// Whether a slide is shown from the run.
    pub fn is_on(&self, deck: &str, slide: usize) -> bool {
        self.plan.runs.contains_key(deck)
            && (self.plan.always || self.state().taken.contains_key(&(deck.to_owned(), slide)))
    }

    /// Runs the recorded step; false when the run has none of this name.
    pub fn run_step(&self, app: &App, deck: &str, step: &StepSpec) -> bool {
        self.play_step(app, deck, &step.name, Duration::ZERO)
    }

    /// Goes on with a step where the live one is.
    fn take_over(&self, app: &App, deck: &str, step: &str) {
        let started = app.desk.runner.journal().borrow().run(deck, step).map(|run| run.started_ms);
        let elapsed = started.map_or(0, |started| app.now_ms().saturating_sub(started));
        self.play_step(app, deck, step, Duration::from_millis(elapsed));
    }

    fn play_step(&self, app: &App, deck: &str, step: &str, elapsed: Duration) -> bool {
        let Some(run) = self.plan.runs.get(deck) else { return false };
        let Some(mark) = run.step(deck, step) else { return false };
        let took = Duration::from_millis(mark.took().unwrap_or(0).into());
        let elapsed = elapsed.min(took);
        let mut state = self.state();
        state.played = Some((deck.to_owned(), step.to_owned()));
        let head = self.head_of(&mut state, deck);
        head.to_step(run, step, elapsed, Instant::now());
        self.tell(app, &mut state);
        drop(state);
        let passed = mark.passed();
        let ended = Ended {
            state: if passed { Stands::Passed } else { Stands::Failed },
            exit: passed.then_some(0),
            reason: if passed { String::new() } else { format!("as in the recorded run: {}", mark.state) },
        };
        app.desk.runner.replay(deck, step, took - elapsed, ended, self.plan.always);
        true
    }

    fn head_of<'a>(&self, state: &'a mut State, deck: &str) -> &'a mut Head {
        let run = self.plan.runs.get(deck).map(|run| &**run);
        state.heads.entry(deck.to_owned()).or_insert_with(|| Head::start(deck, run, Instant::now()))
    }

    /// Notes whether a panel's source is silent.
    pub fn lost(&self, app: &App, key: &str, lost: bool) {
        let mut state = self.state();
        let news = if lost { state.lost.insert(key.to_owned()) } else { state.lost.remove(key) };
        if news {
            self.tell(app, &mut state);
        }
    }

    /// Notes where the speaker is.
    fn moved(&self, app: &App, deck: &str, slide: usize) {
        let mut state = self.state();
        let place = (deck.to_owned(), slide);
        if state.place != place {
            // What failed on another slide may be well again by the time somebody comes back.
            state.taken.retain(|other, by| *by == By::Speaker || *other == place);
            state.late = state.late.take().filter(|late| late.place == place);
            state.place = place;
        }
        if let Some(run) = self.plan.runs.get(deck) {
            let view = app.deck(deck).ok().and_then(|(_, deck)| deck.now());
            let steps = view.iter().flat_map(|view| steps_of(view, slide)).map(|step| step.name.as_str());
            self.head_of(&mut state, deck).to_slide(run, steps, Instant::now());
        }
        self.tell(app, &mut state);
    }

    /// Notes that a live step has begun.
    fn began(&self, app: &App, deck: &str, step: &str) {
        let Some(run) = self.plan.runs.get(deck) else { return };
        let mut state = self.state();
        if state.played.as_ref().is_some_and(|(its_deck, its_step)| its_deck == deck && its_step == step) {
            return;
        }
        state.played = None;
        state.late = None;
        self.head_of(&mut state, deck).to_step(run, step, Duration::ZERO, Instant::now());
        self.tell(app, &mut state);
    }

    /// A step is late, or has failed: the run takes over, or is offered.
    fn late(&self, app: &App, deck: &str, step: &str, why: &str) {
        let mut state = self.state();
        let Some(slide) = slide_of(app, deck, step) else { return };
        let place = (deck.to_owned(), slide);
        let here = state.place == place && !state.taken.contains_key(&place) && !state.kept.contains(&place);
        let recorded = self.plan.runs.get(deck).and_then(|run| run.step(deck, step)).is_some_and(|mark| mark.passed());
        if !here || !recorded {
            return;
        }
        match self.policy(app, deck).step {
            Fallback::Never => {}
            Fallback::Ask => {
                let why = format!("“{step}” {why}: x shows it from the {}", self.label(app, deck));
                state.late = Some(Late { place, step: step.to_owned(), why });
                self.tell(app, &mut state);
            }
            Fallback::Auto => {
                state.taken.insert(place, By::Watchdog);
                self.tell(app, &mut state);
                drop(state);
                self.take_over(app, deck, step);
            }
        }
    }

    /// What is done for a deck when its demo fails.
    fn policy(&self, app: &App, deck: &str) -> Policy {
        let view = app.deck(deck).ok().and_then(|(_, deck)| deck.now());
        self.plan.wishes.policy(view.and_then(|view| view.compiled.own.fallback))
    }

    /// Whether there is nothing but runs.
    pub fn is_all(&self) -> bool {
        self.plan.always
    }

    /// Goes back to before a step in the run: nothing else is put back.
    pub fn undo(&self, app: &App, to: Option<(&str, &str)>) -> Option<(String, String)> {
        let (deck, step) = app.desk.runner.unplay(to)?;
        self.rewound(app, &deck, &step);
        Some((deck, step))
    }

    /// Notes that everything is as it was before a step: so is the run.
    pub fn rewound(&self, app: &App, deck: &str, step: &str) {
        let Some(run) = self.plan.runs.get(deck) else { return };
        let mut state = self.state();
        state.played = None;
        state.late = None;
        self.head_of(&mut state, deck).before_step(run, step, Instant::now());
        self.tell(app, &mut state);
    }

    /// `rehearsal 14:02`.
    fn label(&self, app: &App, deck: &str) -> String {
        self.plan.runs.get(deck).map_or_else(String::new, |run| {
            format!("{} {}", run.head.what.word(), recording::clock(run.head.started_ms, app.now_ms()))
        })
    }

    /// Works out what is shown from a run, and tells it.
    fn tell(&self, app: &App, state: &mut State) {
        let place = state.place.clone();
        let (deck, slide) = (&place.0, place.1);
        let view = app.deck(deck).ok().and_then(|(_, deck)| deck.now());
        let there = self.plan.runs.contains_key(deck);
        let mut show = Show { there, label: self.label(app, deck), ..Show::default() };
        if let (Some(view), true) = (&view, there) {
            let here = || view.compiled.rendered.slides.get(slide).into_iter().flat_map(|slide| &slide.panels);
            let mut names = here().map(|(_, spec)| recorded_name(deck, spec));
            let lost = names.any(|name| state.lost.contains(&name) && self.shown.knows(&name));
            let wanted = lost && !state.kept.contains(&place);
            match self.policy(app, deck).source {
                Fallback::Auto if wanted => drop(state.taken.entry(place.clone()).or_insert(By::Watchdog)),
                Fallback::Ask if wanted && !state.taken.contains_key(&place) => {
                    show.offer = format!("The live demo is silent: x shows the {}", show.label);
                }
                _ => {}
            }
            show.on = self.plan.always || state.taken.contains_key(&place);
            if show.on {
                let all = view.compiled.rendered.slides.iter().flat_map(|slide| &slide.panels);
                let shown: Vec<&(String, PanelSpec)> = if self.plan.always { all.collect() } else { here().collect() };
                for (_, spec) in shown {
                    match spec.kind {
                        PanelKind::Terminal => drop(show.terminals.insert(terminal_name(spec))),
                        _ => drop(show.panels.insert(recorded_name(deck, spec))),
                    }
                }
            } else if let Some(late) = state.late.as_ref().filter(|late| late.place == place) {
                show.offer.clone_from(&late.why);
            }
        }
        if there {
            let head = self.head_of(state, deck).clone();
            self.head.send_if_modified(|old| {
                let news = old.as_ref() != Some(&head);
                *old = Some(head);
                news
            });
        }
        let changed = self.show.send_if_modified(|old| {
            let news = **old != show;
            if news {
                *old = Arc::new(show.clone());
            }
            news
        });
        if changed {
            app.hub.replay(&told(&show, true, self.plan.always), &told(&show, false, self.plan.always));
        }
    }
}

/// What windows are told.
fn told(show: &Show, speaker: bool, always: bool) -> Value {
    let all = json!({ "on": show.on, "label": show.label, "always": always, "terminals": show.terminals });
    if !speaker {
        return all;
    }
    let mut all = all;
    all["there"] = show.there.into();
    all["offer"] = show.offer.clone().into();
    all
}

/// The name of a terminal, as steps call it.
pub fn terminal_name(spec: &PanelSpec) -> String {
    spec.get("name").filter(|name| !name.is_empty()).or_else(|| spec.written_id()).unwrap_or("main").to_owned()
}

fn steps_of(view: &View, slide: usize) -> &[StepSpec] {
    view.compiled.rendered.slides.get(slide).map_or(&[], |slide| slide.steps.as_slice())
}

fn slide_of(app: &App, deck: &str, step: &str) -> Option<usize> {
    let view = app.deck(deck).ok()?.1.now()?;
    view.compiled.rendered.slides.iter().position(|slide| slide.steps.iter().any(|known| known.name == step))
}
