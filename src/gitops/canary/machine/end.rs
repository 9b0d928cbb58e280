//! How a release ends: rolled back, promoted, or promoted in vain.

use super::super::alert::Severity;
use super::super::effect::{Effect, Routes};
use super::super::spec::HookType;
use super::super::status::Phase;
use super::super::weights;
use super::{Flow, Run, Stop, Wish};

impl Run<'_> {
    pub(super) fn asked_to_go_back(&mut self) -> Flow {
        if self.world.wish == Some(Wish::RollBack) {
            self.back_by_hand()?;
            return Err(Stop::End);
        }
        let phase = self.phase();
        for (index, name) in self.hooks(HookType::Rollback) {
            if self.hook(index, phase)?.is_ok() {
                self.warn(format!("Rollback check {name} passed"));
                self.back_by_hand()?;
                return Err(Stop::End);
            }
            self.normal(format!("Rollback hook {name} not signaling a rollback"));
        }
        Ok(())
    }

    pub(super) fn back_by_hand(&mut self) -> Flow {
        let title = &self.title;
        self.warn(format!("Rolling back {title} manual webhook invoked"));
        self.alert(Severity::Warn, "Rolling back manual webhook invoked");
        self.roll_back()
    }

    pub(super) fn roll_back(&mut self) -> Flow {
        let (title, failed) = (self.title.clone(), self.status.failed_checks);
        if failed >= self.analysis.threshold {
            self.warn(format!("Rolling back {title} failed checks threshold reached {failed}"));
            self.alert(Severity::Error, format!("Failed checks threshold reached {failed}"));
        }
        // Before the first route there is nothing to move.
        if self.phase() != Phase::Initializing {
            self.set_routes(Routes::PRIMARY);
        }
        self.warn(format!("Canary failed! Scaling down {title}"));
        self.act(Effect::Scale(0));
        self.sync(Phase::Failed);
        self.after(Phase::Failed)
    }

    pub(super) fn fail_promotion(&mut self, why: &str) -> Flow {
        let target = &self.target_title;
        self.warn(format!("Promotion of {target} failed, primary not ready: {why}"));
        self.alert(Severity::Error, format!("Promotion failed, primary not ready: {why}"));
        self.set_routes(Routes::CANARY);
        self.write(|writer, status| writer.sync(status, Phase::Failed, weights::TOTAL, 0, 0));
        self.after(Phase::Failed)
    }

    /// Tells those who want to know how it ended.
    pub(super) fn after(&mut self, phase: Phase) -> Flow {
        for (index, name) in self.hooks(HookType::PostRollout) {
            match self.hook(index, phase)? {
                Ok(()) => self.normal(format!("Post-rollout check {name} passed")),
                Err(why) => {
                    self.warn(format!("Post-rollout hook {name} failed {why}"));
                    break;
                }
            }
        }
        Ok(())
    }

    pub(super) fn route_back(&mut self) -> Flow {
        if self.spec.autoscaler.is_some() {
            self.act(Effect::Scaler(false));
        }
        let step = self.analysis.step_weight_promotion;
        if !self.has_traffic() {
            self.set_phase(Phase::Finalising);
        } else if step <= 0 {
            self.normal("Routing all traffic to primary".to_owned());
            self.set_routes(Routes::PRIMARY);
            self.set_phase(Phase::Finalising);
        } else {
            let Routes { primary, canary, .. } = self.routes;
            let (canary, primary) = weights::stepped(canary, primary, step);
            self.set_routes(Routes { primary, canary, mirror: false });
            let title = &self.title;
            self.normal(format!("Advance {title} primary weight {primary}"));
            if primary == weights::TOTAL {
                self.set_phase(Phase::Finalising);
            } else {
                self.set_weight(canary);
            }
        }
        Ok(())
    }

    pub(super) fn set_weight(&mut self, weight: i64) {
        self.write(|writer, status| {
            status.canary_weight = weight;
            writer.touch(status);
        });
    }

    pub(super) fn finish(&mut self) -> Flow {
        self.act(Effect::Scale(0));
        self.set_phase(Phase::Succeeded);
        self.after(Phase::Succeeded)?;
        let target = &self.target_title;
        self.normal(format!("Promotion completed! Scaling down {target}"));
        self.alert(Severity::Info, "Canary analysis completed successfully, promotion finished.");
        Ok(())
    }
}
