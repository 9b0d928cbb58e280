//! What the speaker runs from the slides: the runner, what is trusted, and the telling of both to every window.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Config;
use super::feed::View;
use super::state::App;
use crate::cluster::clock::{Clock, Pace};
use crate::deck::step::StepSpec;
use crate::panel::terminal::Terminals;
use crate::runbook::runner::Runner;
use crate::runbook::trust::{Commands, Standing};
use crate::runbook::trusted::Trusted;
use crate::runbook::view::{self, SlideSteps};
use crate::sandbox::Sandbox;
use crate::sandbox::keep::Demo;

/// Runs steps, and knows whether they may be run.
pub struct Desk {
    /// Runs steps.
    pub runner: Runner,
    /// The open terminals.
    pub terminals: Arc<Terminals>,
    /// What is never shown in them.
    pub secrets: Vec<String>,
    /// What somebody agreed to.
    pub trusted: Trusted,
    /// Nothing is ever run.
    pub safe: bool,
    touched: watch::Sender<u64>,
}

impl Desk {
    /// A desk for the live system in a cell, from what the server was told.
    pub fn new(config: &Config, secrets: Vec<String>) -> Self {
        let terminals = Arc::new(Terminals::new(config.shell.clone()).of_guest(config.guest.clone()));
        Self {
            runner: Runner::new(config.demo.clone(), terminals.clone(), secrets.clone(), config.clock),
            terminals,
            secrets,
            trusted: config.trusted.clone(),
            safe: config.safe,
            touched: watch::Sender::new(0),
        }
    }

    /// Says that decks or trust may have changed.
    pub fn touch(&self) {
        self.touched.send_modify(|times| *times += 1);
    }

    /// Counts how often that was said.
    pub fn touched(&self) -> watch::Receiver<u64> {
        self.touched.subscribe()
    }

    /// Another system is behind the slides now, or none: what ran in the one before ends and does not count any more.
    fn follow(&self, before: &mut Option<Weak<Sandbox>>, now: Option<&Arc<Sandbox>>) {
        let same = |before: &Weak<Sandbox>| now.is_some_and(|now| std::ptr::eq(before.as_ptr(), Arc::as_ptr(now)));
        if before.as_ref().is_some_and(|before| !same(before)) {
            self.runner.lost();
        }
        self.terminals.only_in(now);
        *before = now.map(Arc::downgrade);
    }

    /// Whether these commands may be run.
    pub fn standing(&self, commands: &Commands) -> Standing {
        if commands.is_empty() {
            Standing::Nothing
        } else if self.safe {
            Standing::Safe
        } else if self.trusted.has(&commands.hash()) {
            Standing::Trusted
        } else {
            Standing::Untrusted
        }
    }
}

/// The steps of a deck's slides.
pub fn steps(view: &View) -> impl Iterator<Item = &[StepSpec]> {
    view.compiled.rendered.slides.iter().map(|slide| slide.steps.as_slice())
}

/// The commands of a deck.
pub fn commands(view: &View) -> Commands {
    let slides = view.compiled.rendered.slides.iter();
    Commands::of(slides.map(|slide| (slide.steps.as_slice(), slide.panels.as_slice())))
}

/// What was last told of something, so that it is told only when it changed.
#[derive(Default)]
struct Told {
    decks: BTreeMap<usize, (Value, Value)>,
    demo: Option<(Value, Value)>,
    clock: Option<Value>,
}

/// Tells all windows of steps, the demo side and its time until stopped; then nothing runs any more.
pub async fn tell(app: Arc<App>, stop: CancellationToken) {
    let mut journal = app.desk.runner.journal();
    let mut touched = app.desk.touched.subscribe();
    let mut demo = app.demo.clone();
    let mut told = Told::default();
    let mut clock = clock_of(&demo.borrow_and_update());
    let mut pace = clock.as_ref().map(Clock::changes);
    let mut over = false;
    let mut before = demo.borrow().ready().map(Arc::downgrade);
    loop {
        told.steps(&app);
        told.demo(&app, &demo.borrow_and_update());
        told.clock(&app, clock.as_ref());
        tokio::select! {
            () = stop.cancelled() => break,
            changed = journal.changed() => if changed.is_err() { break },
            changed = touched.changed() => if changed.is_err() { break },
            () = changed(&mut pace) => {}
            changed = demo.changed(), if !over => match changed {
                Ok(()) => {
                    let now = demo.borrow_and_update().clone();
                    clock = clock_of(&now);
                    pace = clock.as_ref().map(Clock::changes);
                    app.desk.follow(&mut before, now.ready());
                }
                // The demo side is over; slides and steps go on being shown.
                Err(_) => over = true,
            },
        }
    }
    app.desk.runner.close().await;
    app.desk.terminals.close().await;
}

async fn changed(pace: &mut Option<watch::Receiver<Pace>>) {
    let Some(pace) = pace else { return std::future::pending().await };
    if pace.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn clock_of(demo: &Demo) -> Option<Clock> {
    demo.ready().filter(|sandbox| sandbox.embedded().is_some()).map(|sandbox| sandbox.clock())
}

impl Told {
    fn steps(&mut self, app: &App) {
        let journal = app.desk.runner.journal().borrow().clone();
        for (index, deck) in app.decks.iter().enumerate() {
            let Some(view) = deck.now() else { continue };
            let slides: Vec<SlideSteps<'_>> = view
                .compiled
                .rendered
                .slides
                .iter()
                .map(|slide| SlideSteps { steps: &slide.steps, notes: &slide.notes })
                .collect();
            let commands = commands(&view);
            let known = self.decks.contains_key(&index);
            if commands.is_empty() && !known {
                continue;
            }
            let standing = app.desk.standing(&commands);
            // The time of telling is left out of what is compared.
            let speaker = view::for_speaker(&deck.slug, &slides, &journal, standing, 0);
            let audience = view::for_audience(&deck.slug, &slides, &journal, 0);
            let before = self.decks.get(&index);
            let now = app.now_ms();
            let news = |value: &Value, old: Option<&Value>| {
                (old != Some(value)).then(|| {
                    let mut value = value.clone();
                    value["now_ms"] = json!(now);
                    value
                })
            };
            let for_speaker = news(&speaker, before.map(|(speaker, _)| speaker));
            let for_audience = news(&audience, before.map(|(_, audience)| audience));
            app.hub.steps(index, for_speaker.as_ref(), for_audience.as_ref());
            self.decks.insert(index, (speaker, audience));
        }
    }

    fn demo(&mut self, app: &App, demo: &Demo) {
        let (state, reason, cluster) = match demo {
            Demo::Off => ("off", "", ""),
            Demo::Starting => ("starting", "", ""),
            Demo::Ready(sandbox) => ("ready", "", sandbox.cluster_name()),
            Demo::Failed(why) => ("failed", why.as_str(), ""),
        };
        let ours = demo.ready().is_some_and(|sandbox| sandbox.may_destroy());
        let speaker =
            json!({ "state": state, "reason": reason, "cluster": cluster, "ours": ours, "safe": app.desk.safe });
        let audience = json!({ "state": state });
        // Windows take it for granted that there is none until they hear of one.
        let silent = self.demo.is_none() && matches!(demo, Demo::Off) && !app.desk.safe;
        let now = Some((speaker, audience)).filter(|_| !silent);
        if self.demo != now {
            if let Some((speaker, audience)) = &now {
                app.hub.demo(speaker, audience);
            }
            self.demo = now;
        }
    }

    fn clock(&mut self, app: &App, clock: Option<&Clock>) {
        let value = match clock {
            Some(clock) => {
                let speed = clock.speed();
                json!({ "there": true, "virtual": clock.is_virtual(), "speed": speed, "now": clock.now(), "at_ms": app.now_ms() })
            }
            None => json!({ "there": false, "virtual": false, "speed": 1.0 }),
        };
        // Real time passes by itself: it is told once.
        let same = |old: &Value| {
            ["there", "virtual", "speed"].iter().all(|key| old[*key] == value[*key])
                && !clock.is_some_and(Clock::is_virtual)
        };
        let told_by = |old: &Value| old["pace"] == json!(clock.map(|clock| format!("{:?}", clock.pace())));
        let silent = self.clock.is_none() && clock.is_none();
        if silent || self.clock.as_ref().is_some_and(|old| same(old) || told_by(old)) {
            return;
        }
        app.hub.clock(&value);
        let mut kept = value;
        kept["pace"] = json!(clock.map(|clock| format!("{:?}", clock.pace())));
        self.clock = Some(kept);
    }
}
