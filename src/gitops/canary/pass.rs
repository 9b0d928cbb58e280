//! One pass over one canary: look, decide, ask, act, show.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::checks::{Kind as Measure, NoValue};
use super::effect::{Effect, Question, Report, Tick, Tone};
use super::events::Events;
use super::flaws;
use super::followers::Backend;
use super::hands::Hands;
use super::look::look;
use super::machine::{Answers, Oddities, Wish, World, tick};
use super::metrics::Asked;
use super::objects::{Error, Kind};
use super::observe::Seen;
use super::shared::Shared;
use super::spec::{Canary, FINALIZERS, is_finalizer};
use super::status::{Phase, Status, Writer};
use super::weights;
use crate::cluster::object::{Key, list};

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// As it should.
    Well,
    /// The canary waits for pods.
    Unready,
    /// There is no such canary any more.
    Gone,
}

/// Passes over canaries.
pub(super) struct Pass {
    pub(super) shared: Arc<Shared>,
    pub(super) events: Arc<Events>,
    pub(super) key: Key,
    /// The time that this tick was due.
    pub(super) now: Timestamp,
    /// Another canary that has the target already.
    pub(super) rival: Option<Key>,
}

impl Pass {
    /// Makes the pass. What goes wrong is shown, and tried again at the next one.
    pub(super) async fn run(self) -> Ended {
        match self.look_and_act().await {
            Ok(ended) => ended,
            Err(error) => {
                let why = error.to_string();
                tracing::warn!(canary = %self.key, why, "a canary could not be looked at");
                self.shared.show(&self.key, |view| {
                    view.problem = Some(why);
                    view.ticks += 1;
                });
                Ended::Well
            }
        }
    }

    async fn look_and_act(&self) -> Result<Ended, Error> {
        let Some(kind) = Kind::named("Canary") else { return Ok(Ended::Gone) };
        let Some(object) = self.shared.objects.get(kind, &self.key).await? else { return Ok(Ended::Gone) };
        let mut canary = Canary::read(&object);
        let provider = canary.spec.provider.clone().unwrap_or_else(|| self.shared.options.provider.clone());
        if canary.deleting {
            if canary.held {
                self.end(&canary, &object, &provider).await?;
            }
            return Ok(Ended::Gone);
        }
        if let Some(rival) = &self.rival {
            return self.refuse(&canary, rival).await;
        }
        if canary.status.phase.is_none() {
            canary.status = self.first_status(&canary);
            self.shared.objects.set_status(kind, &self.key, &canary.status.to_json()).await?;
        }
        if canary.spec.revert_on_deletion != canary.held {
            self.hold(&canary, &object, canary.spec.revert_on_deletion).await?;
        }
        let seen = look(&self.shared.objects, &canary, &provider).await?;
        self.judge_versions(&seen);
        let (report, answers) = self.tick(&mut canary, &provider, &seen).await?;
        self.show(&canary, &provider, &report, &answers).await?;
        Ok(if report.unready { Ended::Unready } else { Ended::Well })
    }

    /// Requests to the versions go as well as these are.
    fn judge_versions(&self, seen: &Seen) {
        let of = |workload: &Option<Value>| {
            workload.as_ref().map(|workload| flaws::of(workload, &self.shared.images.look())).unwrap_or_default()
        };
        let (primary, canary, now) = (of(&seen.primary), of(&seen.target), self.now);
        self.shared.traffic(&self.key, |traffic| {
            traffic.set_own(now, Backend::Primary, primary);
            traffic.set_own(now, Backend::Canary, canary);
        });
    }

    fn first_status(&self, canary: &Canary) -> Status {
        let mut status = canary.status.clone();
        let none = BTreeMap::new();
        let writer = Writer { kind: &canary.spec.target.kind, revision: "", configs: &none, now: self.now };
        writer.enter(&mut status, Phase::Initializing);
        status
    }

    /// Decides, asking as often as needed, and does it on the way.
    async fn tick(&self, canary: &mut Canary, provider: &str, seen: &Seen) -> Result<(Report, Answers), Error> {
        let before = canary.clone();
        let (target, primary, routes) =
            (seen.target(&before, self.now), seen.primary(&before, self.now), seen.routes(&before));
        let world = World {
            canary: &before,
            provider,
            target: &target,
            primary: primary.as_ref(),
            routes: &routes,
            wish: self.shared.wish(&self.key),
            now: self.now,
            oddities: self.shared.options.oddities,
        };
        let (mut answers, mut done) = (Answers::default(), 0);
        loop {
            let (effects, step) = match tick(world, &answers) {
                Tick::Ask(question, effects) => (effects, Err(question)),
                Tick::Done(report) => (report.effects.clone(), Ok(report)),
            };
            for effect in effects.iter().skip(done) {
                if let Err(error) = self.act(canary, provider, seen, effect).await {
                    let text = error.to_string();
                    self.tell(canary, Tone::Warning, &text).await?;
                    return Ok((Report { unready: true, ..Report::default() }, answers));
                }
            }
            done = effects.len();
            match step {
                Ok(report) => return Ok((report, answers)),
                Err(question) => self.answer(canary, provider, question, &mut answers).await,
            }
        }
    }

    async fn act(&self, canary: &mut Canary, provider: &str, seen: &Seen, effect: &Effect) -> Result<(), Error> {
        let hands = Hands {
            objects: &self.shared.objects,
            canary,
            provider,
            seen,
            seed: self.shared.options.seed,
            now: self.now,
        };
        hands.carry_out(effect).await?;
        match effect {
            Effect::Event(tone, text) => self.tell(canary, *tone, text).await?,
            Effect::Alert(severity, text) => self.shared.alert(canary, *severity, text).await,
            Effect::Status(status) => canary.status = (**status).clone(),
            Effect::SetRoutes(routes) => {
                let (routes, now) = (*routes, self.now);
                self.shared.traffic(&self.key, |traffic| traffic.route(now, routes));
                self.shared.show(&self.key, |view| view.route(Some(routes), now));
            }
            _ => {}
        }
        Ok(())
    }

    async fn tell(&self, canary: &Canary, tone: Tone, text: &str) -> Result<(), Error> {
        let now = self.now;
        self.shared.show(&self.key, |view| view.told(now, tone, text));
        let when = (self.shared.options.seed, now);
        let told = self.events.tell(&self.shared.objects, canary, (tone, text), when).await;
        if let Err(error) = told {
            tracing::warn!(canary = %self.key, %error, "an event could not be written");
        }
        self.shared.tell_hooks(canary, tone, text, now).await;
        Ok(())
    }

    async fn answer(&self, canary: &Canary, provider: &str, question: Question, answers: &mut Answers) {
        match question {
            Question::Providers => answers.providers = Some(self.shared.providers(canary).await),
            Question::Hook(index, phase) => {
                let said = match canary.spec.analysis.webhooks.get(index) {
                    Some(hook) => self.shared.hook(canary, hook, phase).await,
                    None => Ok(()),
                };
                answers.hooks.insert(index, said);
            }
            Question::Metric(index, kind) => {
                let value = match canary.spec.analysis.metrics.get(index) {
                    Some(metric) => self.shared.value(canary, provider, metric, kind, self.now).await,
                    None => Err(NoValue::Empty),
                };
                answers.metrics.push((index, kind, value));
            }
        }
    }

    /// Somebody else has the target: nothing is done but to say so.
    async fn refuse(&self, canary: &Canary, rival: &Key) -> Result<Ended, Error> {
        let (target, rival) = (canary.target_title(), rival.to_string());
        let text = format!("Found more than one canary with the same target {target}: it is released by {rival}");
        self.tell(canary, Tone::Warning, &text).await?;
        self.shared.show(&self.key, |view| {
            view.problem = Some(text.clone());
            view.ticks += 1;
        });
        Ok(Ended::Well)
    }

    /// Sees that a deletion waits for us, or does not.
    async fn hold(&self, canary: &Canary, object: &Value, wanted: bool) -> Result<(), Error> {
        let Some(kind) = Kind::named("Canary") else { return Ok(()) };
        let others = list(object, &["metadata", "finalizers"]).iter().filter(|name| !is_finalizer(name)).cloned();
        let all: Vec<Value> = others.chain(wanted.then(|| FINALIZERS[0].into())).collect();
        let patch = json!({"metadata": {"finalizers": all}});
        self.shared.objects.merge(kind, &canary.key, &patch).await.map(drop)
    }

    /// Undoes everything before the canary goes.
    async fn end(&self, canary: &Canary, object: &Value, provider: &str) -> Result<(), Error> {
        let title = canary.title();
        self.tell(canary, Tone::Normal, &format!("Terminating canary {title}")).await?;
        let Some(kind) = Kind::named("Canary") else { return Ok(()) };
        let mut status = canary.status.clone();
        status.phase = Some(Phase::Terminating);
        self.shared.objects.set_status(kind, &canary.key, &status.to_json()).await?;
        self.undo(canary, provider, self.shared.primary_pods(&canary.key)).await?;
        self.tell(canary, Tone::Normal, &format!("Terminated canary {title}")).await?;
        self.hold(canary, object, false).await
    }

    /// Lets the target serve again.
    pub(super) async fn undo(&self, canary: &Canary, provider: &str, pods: i64) -> Result<(), Error> {
        let seen = look(&self.shared.objects, canary, provider).await?;
        let (objects, seed, now) = (&self.shared.objects, self.shared.options.seed, self.now);
        Hands { objects, canary, provider, seen: &seen, seed, now }.undo(pods).await
    }

    async fn show(&self, canary: &Canary, provider: &str, report: &Report, answers: &Answers) -> Result<(), Error> {
        let (seen, now) = (look(&self.shared.objects, canary, provider).await?, self.now);
        let routes = seen.route.as_ref().and_then(|route| super::route::weights(canary, route));
        self.grant(canary);
        if let Some(routes) = routes {
            self.shared.traffic(&self.key, |traffic| traffic.route(now, routes));
        }
        let faults = self
            .shared
            .traffic(&self.key, |traffic| (traffic.faults(Backend::Primary), traffic.faults(Backend::Canary)));
        let gates = self.shared.gates(canary, &report.waiting);
        let measured = self.measured(canary, answers);
        let mended = self.shared.options.oddities == Oddities::Mended;
        let pods = |object: &Option<Value>| object.as_ref().map_or(0, super::workload::replicas);
        self.shared.show(&self.key, |view| {
            view.describe(canary, now);
            view.route(routes, now);
            (view.images, view.pods) = (seen.images(), (pods(&seen.target), pods(&seen.primary)));
            view.faults = faults;
            view.gates = gates;
            for (name, kind, value) in &measured {
                view.measured(name, *kind, now, value);
            }
            view.problem = problem(canary).filter(|_| mended);
            view.ticked(report);
        });
        Ok(())
    }

    /// Wishes that came true, or cannot, are no wishes any more.
    fn grant(&self, canary: &Canary) {
        let over = match (self.shared.wish(&self.key), canary.status.phase) {
            (Some(Wish::Promote), phase) => phase
                .is_none_or(|phase| !matches!(phase, Phase::Progressing | Phase::WaitingPromotion | Phase::Waiting)),
            (Some(Wish::RollBack), phase) => phase.is_none_or(|phase| !phase.is_active()),
            (Some(Wish::Hold) | None, _) => false,
        };
        if over {
            self.shared.set_wish(&self.key, None);
        }
    }

    /// What was measured in this pass; what the counters here know is shown even when nobody asked.
    fn measured(&self, canary: &Canary, answers: &Answers) -> Vec<(String, Measure, Result<f64, NoValue>)> {
        let metrics = &canary.spec.analysis.metrics;
        let asked = answers.metrics.iter();
        let mut all: Vec<_> = asked
            .filter_map(|(index, kind, value)| Some((metrics.get(*index)?.name.clone(), *kind, value.clone())))
            .collect();
        let counts = canary.spec.metrics_server.is_none()
            && self.shared.options.metrics == super::options::Metrics::BuiltIn
            && canary.status.phase.is_some_and(Phase::is_active);
        for metric in metrics.iter().filter(|_| counts) {
            for kind in Measure::early(metric) {
                if kind == Measure::Query || all.iter().any(|(name, known, _)| *name == metric.name && *known == kind) {
                    continue;
                }
                let asked = Asked {
                    canary: self.key.clone(),
                    kind,
                    query: String::new(),
                    window: metric.window(),
                    now: self.now,
                };
                all.push((metric.name.clone(), kind, self.shared.fleet.measure(&asked, Backend::Canary)));
            }
        }
        all
    }
}

/// What is wrong with a Canary, though nothing says so.
fn problem(canary: &Canary) -> Option<String> {
    let analysis = &canary.spec.analysis;
    let stands = analysis.iterations <= 0 && weights::next_step(analysis, 0) <= 0 && !canary.spec.skip_analysis;
    stands.then(|| "the analysis names neither stepWeight, stepWeights nor iterations: it never ends".to_owned())
}
