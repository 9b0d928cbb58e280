//! Carrying out what a tick decided, object by object.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::configs::{self, Config};
use super::effect::{Effect, Routes};
use super::followers::Dice;
use super::objects::{Error, Kind, Objects};
use super::observe::Seen;
use super::route;
use super::services::{self, Role};
use super::spec::Canary;
use super::workload;
use crate::cluster::object::{Key, at, list, text};

/// The objects of one canary, for one pass.
pub(super) struct Hands<'a> {
    pub(super) objects: &'a Objects,
    pub(super) canary: &'a Canary,
    pub(super) provider: &'a str,
    pub(super) seen: &'a Seen,
    pub(super) seed: u64,
    pub(super) now: Timestamp,
}

impl Hands<'_> {
    /// Carries out an effect, except events and alerts, which tell nothing to objects.
    pub(super) async fn carry_out(&self, effect: &Effect) -> Result<(), Error> {
        match effect {
            Effect::Event(..) | Effect::Alert(..) => Ok(()),
            Effect::Services => {
                self.service(Role::Primary, true).await?;
                self.service(Role::Canary, true).await
            }
            Effect::Primary(pods) => self.primary(Some(*pods)).await,
            Effect::Scaler(only_missing) => self.scaler(*only_missing).await,
            Effect::Apex => self.apex().await,
            Effect::Route => {
                let there = self.seen.route.as_ref().and_then(|route| route::weights(self.canary, route));
                self.route(there.unwrap_or(Routes::PRIMARY)).await
            }
            Effect::SetRoutes(routes) => self.route(*routes).await,
            Effect::Scale(pods) => self.scale(*pods).await,
            Effect::Promote => self.primary(self.promoted_pods()).await,
            Effect::Status(status) => {
                let Some(kind) = Kind::named("Canary") else { return Ok(()) };
                self.objects.set_status(kind, &self.canary.key, &status.to_json()).await.map(drop)
            }
        }
    }

    fn target(&self) -> Result<&Value, Error> {
        self.seen.target.as_ref().ok_or_else(|| Error::Missing("the target is gone".to_owned()))
    }

    fn selector(&self) -> Result<(&'static str, String), Error> {
        workload::label(self.target()?).map_err(Error::Other)
    }

    async fn service(&self, role: Role, owned: bool) -> Result<(), Error> {
        let (label, value) = self.selector()?;
        let object = services::service(self.canary, role, (label, &value), self.target()?, owned);
        self.objects.ensure(&object).await
    }

    /// The service that clients use; one that was there before stays whose it is.
    async fn apex(&self) -> Result<(), Error> {
        let Some(kind) = Kind::named("Service") else { return Ok(()) };
        let key = Key::new(&self.canary.key.namespace, self.canary.apex());
        let there = self.objects.get(kind, &key).await?;
        let owned = there.is_none_or(|there| self.owns(&there));
        self.service(Role::Apex, owned).await
    }

    fn owns(&self, object: &Value) -> bool {
        list(object, &["metadata", "ownerReferences"]).iter().any(|owner| text(owner, &["uid"]) == self.canary.uid)
    }

    /// As many pods as the target has; its autoscaler's word counts more.
    fn promoted_pods(&self) -> Option<i64> {
        let pods = |object: &Option<Value>| object.as_ref().map(workload::replicas);
        let (target, primary) = (pods(&self.seen.target), pods(&self.seen.primary));
        match (self.canary.spec.autoscaler.is_some(), target) {
            (false, Some(pods)) if pods > 0 => Some(pods),
            _ => primary.or(Some(1)),
        }
    }

    /// Makes the primary what the target is, with its configs.
    async fn primary(&self, pods: Option<i64>) -> Result<(), Error> {
        let target = self.target()?;
        let owner = workload::owner(self.canary);
        let tracked: BTreeSet<Config> = self.seen.tracked_names();
        for (config, object) in self.seen.tracked() {
            self.objects.apply(&configs::copy(config.holder, object, &owner)).await?;
        }
        let object = workload::primary(self.canary, target, &tracked, pods, &self.id());
        self.objects.apply(&object.map_err(Error::Other)?).await.map(drop)
    }

    /// In the shape of a UUID, and always the same for the same time.
    fn id(&self) -> String {
        let title = self.canary.title().bytes().fold(self.seed, |hash, byte| hash.rotate_left(9) ^ u64::from(byte));
        let mut dice = Dice::of(title, self.now.as_millisecond().unsigned_abs());
        let (high, low) = (dice.draw(), dice.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }

    async fn scaler(&self, only_missing: bool) -> Result<(), Error> {
        let Some(reference) = &self.canary.spec.autoscaler else { return Ok(()) };
        let Some(scaler) = &self.seen.scaler else {
            let (name, namespace) = (&reference.name, &self.canary.key.namespace);
            return Err(Error::Missing(format!(
                "HorizontalPodAutoscaler {name}.{namespace} get query error: not found"
            )));
        };
        let object = services::autoscaler(self.canary, scaler);
        if only_missing
            && let Some(kind) = Kind::named("HorizontalPodAutoscaler")
            && self.objects.get(kind, &Key::of(&object)).await?.is_some()
        {
            return Ok(());
        }
        self.objects.ensure(&object).await
    }

    async fn route(&self, routes: Routes) -> Result<(), Error> {
        let object = route::route(self.canary, self.provider, routes).map_err(Error::Other)?;
        self.objects.ensure(&object).await
    }

    async fn scale(&self, pods: i64) -> Result<(), Error> {
        let target = self.target()?;
        let Some(kind) = Kind::named(&self.canary.spec.target.kind) else { return Ok(()) };
        if workload::replicas(target) == pods {
            return Ok(());
        }
        let patch = workload::scale(&self.canary.spec.target, pods);
        self.objects.merge(kind, &Key::of(target), &patch).await.map(drop)
    }

    /// Undoes everything: the target serves again, by the service that clients use.
    /// The primary may be gone already; it had so many pods.
    pub(super) async fn undo(&self, pods: i64) -> Result<(), Error> {
        let Ok(target) = self.target() else { return Ok(()) };
        let pods = self.seen.primary.as_ref().map_or(pods, workload::replicas);
        if workload::replicas(target) == 0 {
            self.scale(pods.max(1)).await?;
        }
        let (label, value) = self.selector()?;
        let Some(kind) = Kind::named("Service") else { return Ok(()) };
        let key = Key::new(&self.canary.key.namespace, self.canary.apex());
        if let Some(there) = self.objects.get(kind, &key).await?
            && at(&there, &["spec", "selector", label]).is_some()
        {
            // What the canary made goes with it; this service has to stay.
            let patch = json!({"metadata": {"ownerReferences": null}, "spec": {"selector": {label: value}}});
            self.objects.merge(kind, &key, &patch).await?;
        }
        if let Some(route) = &self.seen.route {
            let back = route::route(self.canary, self.provider, Routes::CANARY).map_err(Error::Other)?;
            if Key::of(route) == Key::of(&back) {
                self.objects.ensure(&back).await?;
            }
        }
        Ok(())
    }
}
