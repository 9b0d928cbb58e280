//! The first half of a tick: everything a canary needs is there, and whether there is something to do.

use super::super::alert::Severity;
use super::super::effect::{Effect, Question, Routes};
use super::super::readiness::NotReady;
use super::super::route;
use super::super::spec::HookType;
use super::super::status::Phase;
use super::{Flow, Run, Stop, Wish};

impl Run<'_> {
    pub(super) fn initialize(&mut self) -> Flow {
        self.act(Effect::Services);
        let initializing = self.phase() == Phase::Initializing;
        let waits = initializing && !self.spec.skip_analysis;
        if waits {
            match &self.answers.providers {
                None => return Err(Stop::Ask(Question::Providers)),
                Some(Ok(())) => self.normal("all the metrics providers are available!".to_owned()),
                Some(Err(why)) => self.warn(format!("Error checking metric providers: {why}")),
            }
        }
        let made = self.target.workload.replicas.max(1);
        if self.world.primary.is_none() {
            self.act(Effect::Primary(made));
        }
        if waits {
            let ready = self.primary_ready();
            self.stop_unless_ready(ready, "primary")?;
        }
        if self.spec.autoscaler.is_some() {
            self.act(Effect::Scaler(true));
        }
        self.act(Effect::Apex);
        if initializing {
            self.act(Effect::Scale(0));
        }
        if self.has_traffic() {
            if let Err(why) = route::check(self.world.canary, self.world.provider) {
                self.warn(why);
                return Err(Stop::End);
            }
            self.act(Effect::Route);
        }
        if initializing {
            self.sync(Phase::Initialized);
            let title = &self.title;
            self.normal(format!("Initialization done! {title}"));
            let kind = &self.spec.target.kind;
            self.alert(Severity::Info, format!("New {kind} detected, initialization completed."));
        }
        Ok(())
    }

    pub(super) fn primary_ready(&self) -> Result<(), NotReady> {
        let made = self.target.workload.replicas.max(1);
        match self.world.primary {
            Some(primary) => primary.ready.clone(),
            None => Err(NotReady::just_made(&self.spec.target.kind, made)),
        }
    }

    pub(super) fn stop_unless_ready(&mut self, ready: Result<(), NotReady>, which: &str) -> Flow {
        let Err(why) = ready else { return Ok(()) };
        let text = if which == "primary" {
            let (primary, namespace) = (self.world.canary.primary(), &self.world.canary.key.namespace);
            format!("{primary}.{namespace} not ready: {}", why.text)
        } else {
            let kind = self.spec.target.kind.to_lowercase();
            format!("canary {kind} {} not ready: {}", self.target_title, why.text)
        };
        self.warn(text.clone());
        self.report.unready = true;
        if why.retriable {
            return Err(Stop::End);
        }
        match self.phase() {
            Phase::Promoting | Phase::Finalising if which == "primary" => self.fail_promotion(&text)?,
            // The primary is broken since a promotion failed, and the target is all that works.
            Phase::Failed if which == "primary" && self.is_mended() => {}
            _ => self.roll_back()?,
        }
        Err(Stop::End)
    }

    // Steps 8 to 14: whether there is something to do, and with what.

    pub(super) fn has_changed(&self) -> bool {
        let (status, target) = (&self.status, self.target);
        let other = target.revision != status.last_promoted && target.revision != status.last_applied;
        status.last_applied.is_empty() || other || target.configs != status.tracked
    }

    /// Whether the target is again what everybody has, while another revision is judged.
    pub(super) fn is_taken_back(&self) -> bool {
        let (status, target) = (&self.status, self.target);
        let back = target.revision == status.last_promoted && target.revision != status.last_applied;
        self.is_mended() && back && target.configs.is_empty()
    }

    pub(super) fn decide(&mut self) -> Flow<bool> {
        let acts = self.phase().is_active() || self.has_changed();
        if acts && self.is_mended() && self.phase() == Phase::Failed && self.status.last_promoted.is_empty() {
            // The first primary never worked; it is made anew after the new revision.
            self.act(Effect::Promote);
            self.write(|writer, status| writer.enter(status, Phase::Initializing));
            return Ok(false);
        }
        if self.phase() == Phase::Failed && !self.is_mended() {
            let (weight, failed, iterations) =
                (self.status.canary_weight, self.status.failed_checks, self.status.iterations);
            self.write(|writer, status| writer.sync(status, Phase::Failed, weight, failed, iterations));
        }
        Ok(acts)
    }

    pub(super) fn primary_is_ready(&mut self) -> Flow {
        if self.spec.skip_analysis {
            return Ok(());
        }
        let ready = self.primary_ready();
        self.stop_unless_ready(ready, "primary")
    }

    pub(super) fn target_is_ready(&mut self) -> Flow {
        self.stop_unless_ready(self.target.workload.ready.clone(), "target")
    }

    pub(super) fn read_routes(&mut self) -> Flow<Routes> {
        if !self.has_traffic() {
            return Ok(if self.status.iterations > 0 { Routes::CANARY } else { Routes::PRIMARY });
        }
        match self.world.routes {
            Ok(routes) => Ok(routes.unwrap_or(Routes::PRIMARY)),
            Err(why) => {
                self.warn(why.clone());
                Err(Stop::End)
            }
        }
    }

    /// A revision that nobody judges yet.
    pub(super) fn begin(&mut self) -> Flow {
        if self.phase() == Phase::Waiting && self.world.wish == Some(Wish::RollBack) {
            return self.back_by_hand();
        }
        let phase = self.phase();
        for (index, name) in self.hooks(HookType::ConfirmRollout) {
            if self.hook(index, phase)?.is_err() {
                if phase != Phase::Waiting {
                    self.set_phase(Phase::Waiting);
                    let title = &self.title;
                    self.warn(format!("Halt {title} advancement waiting for approval {name}"));
                    self.alert_of_gate(index, "Canary is waiting for approval.");
                }
                self.report.waiting.push(name);
                return Ok(());
            }
            self.normal(format!("Confirm-rollout check {name} passed"));
        }
        let target = &self.target_title;
        self.normal(format!("New revision detected! Scaling up {target}"));
        self.alert(Severity::Info, "New revision detected, progressing canary analysis.");
        if self.is_mended() && self.routes != Routes::PRIMARY {
            self.set_routes(Routes::PRIMARY);
        }
        self.act(Effect::Scale(self.pods()));
        self.sync(Phase::Progressing);
        Ok(())
    }

    /// How many pods the target gets.
    pub(super) fn pods(&self) -> i64 {
        let primary = self.world.primary.map(|primary| primary.replicas);
        match (self.target.workload.replicas, self.target.scaler_min) {
            (pods, _) if pods > 0 => pods,
            (_, Some(min)) => min.max(1),
            (_, None) => primary.unwrap_or(1).max(1),
        }
    }

    pub(super) fn restart(&mut self) -> Flow {
        self.set_routes(Routes::PRIMARY);
        self.sync(Phase::Progressing);
        let target = &self.target_title;
        self.normal(format!("New revision detected! Restarting analysis for {target}"));
        Ok(())
    }

    /// The revision was taken back: there is nothing to judge.
    pub(super) fn cancel(&mut self) -> Flow {
        self.set_routes(Routes::PRIMARY);
        self.act(Effect::Scale(0));
        self.write(|writer, status| writer.sync(status, Phase::Initialized, 0, 0, 0));
        let target = &self.target_title;
        self.normal(format!("Revision taken back! Scaling down {target}"));
        Ok(())
    }

    pub(super) fn skip_to_the_end(&mut self) -> Flow {
        self.set_routes(Routes::PRIMARY);
        self.copy();
        self.act(Effect::Scale(0));
        self.set_phase(Phase::Succeeded);
        self.after(Phase::Succeeded)?;
        let target = &self.target_title;
        self.normal(format!("Promotion completed! Canary analysis was skipped for {target}"));
        self.alert(Severity::Info, "Canary analysis was skipped, promotion finished.");
        Ok(())
    }

    pub(super) fn copy(&mut self) {
        let (target, primary) = (&self.target_title, self.world.canary.primary());
        let namespace = &self.world.canary.key.namespace;
        self.normal(format!("Copying {target} template spec to {primary}.{namespace}"));
        self.act(Effect::Promote);
    }
}
