//! What a pass writes into the HelmRelease itself, and the events.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::pass::Pass;
use super::status::{Phase, conditions};
use super::wish::{Generation, Wish};
use crate::cluster::object::{int, list, text};
use crate::helm::record::Record;

/// What keeps a HelmRelease until its release is uninstalled.
const FINALIZER: &str = "finalizers.fluxcd.io";

impl Pass {
    pub(super) async fn hold(&self, release: &Value) -> Result<(), String> {
        let mut all: Vec<Value> = list(release, &["metadata", "finalizers"]).to_vec();
        if all.iter().any(|it| it == FINALIZER) {
            return Ok(());
        }
        all.push(json!(FINALIZER));
        self.merge(&json!({"metadata": {"finalizers": all}})).await
    }

    pub(super) async fn let_go(&self, release: &Value) -> Result<(), String> {
        let mut all: Vec<Value> = list(release, &["metadata", "finalizers"]).to_vec();
        all.retain(|it| it != FINALIZER);
        self.merge(&json!({"metadata": {"finalizers": all}})).await
    }

    pub(super) async fn merge(&self, patch: &Value) -> Result<(), String> {
        let served = self.hands.served(self.generation.api_version(), "HelmRelease").await?;
        match self.hands.objects.merge(&served, &self.key, patch).await {
            Err(error) if !error.is_missing() => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// Writes the status.
    pub(super) async fn say(
        &self,
        release: &Value,
        wish: &Wish,
        record: Option<&Record>,
        phase: Phase,
        message: &str,
    ) -> Result<(), String> {
        let Some(fresh) = self.look().await? else { return Ok(()) };
        let now = self.clock.now();
        let all = conditions(self.generation, &fresh, phase, message, now);
        let mut status = json!({"conditions": all, "observedGeneration": release["metadata"]["generation"]});
        match self.generation {
            Generation::Operator => {
                status["phase"] = json!(phase.as_str());
                status["releaseName"] = json!(wish.release);
                status["releaseStatus"] = record.map_or(Value::Null, |record| json!(record.status()));
                if let Some(record) = record {
                    status["revision"] = json!(record.chart_version());
                    status["lastAttemptedRevision"] = json!(record.chart_version());
                }
                let count = int(&fresh, &["status", "rollbackCount"]).unwrap_or(0);
                match phase {
                    Phase::Succeeded => status["rollbackCount"] = json!(0),
                    Phase::RolledBack => status["rollbackCount"] = json!(count + 1),
                    _ => {}
                }
            }
            Generation::Toolkit => {
                if let Some(record) = record {
                    status["lastAttemptedRevision"] = json!(record.chart_version());
                    if matches!(phase, Phase::Succeeded | Phase::RolledBack) {
                        let history = self.history(wish).await?;
                        status["history"] = history.iter().rev().map(|record| json!({
                            "name": record.name(), "namespace": record.namespace(), "version": record.revision(),
                            "status": record.status(), "chartName": record.chart(), "chartVersion": record.chart_version(),
                            "firstDeployed": record.first(), "lastDeployed": record.updated()})).collect();
                    }
                }
            }
        }
        let served = self.hands.served(self.generation.api_version(), "HelmRelease").await?;
        match self.hands.objects.merge_status(&served, &self.key, &status).await {
            Err(error) if !error.is_missing() => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// Tells people; what cannot be told is lost, as with any event.
    pub(super) async fn event(&self, release: &Value, good: bool, reason: &str, message: &str) {
        let now: Timestamp = self.clock.now();
        let stamp = self.stamp();
        let uid = text(release, &["metadata", "uid"]);
        let sum = message
            .bytes()
            .chain(uid.bytes())
            .fold(now.as_nanosecond().unsigned_abs(), |sum, byte| sum.rotate_left(7) ^ u128::from(byte));
        let event = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": format!("{}.{:016x}", self.key.name, u64::try_from(sum & u128::from(u64::MAX)).unwrap_or(0)),
                "namespace": &*self.key.namespace},
            "involvedObject": {"apiVersion": self.generation.api_version(), "kind": "HelmRelease", "name": &*self.key.name,
                "namespace": &*self.key.namespace, "uid": uid},
            "reason": reason,
            "message": message.chars().take(1000).collect::<String>(),
            "type": if good { "Normal" } else { "Warning" },
            "source": {"component": "helm-operator"},
            "reportingComponent": "helm-operator",
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
        });
        if let Ok(served) = self.hands.served("v1", "Event").await
            && let Err(error) = self.hands.objects.create(&served, &event).await
        {
            tracing::debug!(%error, "an event was not taken");
        }
    }
}
