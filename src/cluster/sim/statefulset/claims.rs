//! Volume claims of a stateful set's pods: made before the pod, kept or deleted as the retention policy says.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Look, STATEFUL_SET, identity};
use crate::cluster::api::store::Stored;
use crate::cluster::object::{Key, at, list, map, text};
use crate::cluster::sim::actions::{self, Kind};
use crate::cluster::sim::ownership;

const CLAIMS: &str = "persistentvolumeclaims";
const POD: Kind = Kind { resource: "pods", api_version: "v1", kind: "Pod", source: "" };

impl Look<'_> {
    fn claim_templates(&self) -> Vec<Value> {
        list(&self.object, &["spec", "volumeClaimTemplates"]).to_vec()
    }

    fn find_claim(&self, template: &Value, number: i64) -> Option<Arc<Stored>> {
        let name = identity::claim_name(template, self.stored, number);
        self.world.store.get(CLAIMS, &Key::new(&self.stored.key.namespace, &name)).cloned()
    }

    fn deletes(&self, when: &str) -> bool {
        text(&self.object, &["spec", "persistentVolumeClaimRetentionPolicy", when]) == "Delete"
    }

    /// Makes the claims that the pod of a number lacks.
    pub(super) fn make_claims(&mut self, number: i64, pod: &str) {
        for template in self.claim_templates() {
            if self.find_claim(&template, number).is_some() {
                continue;
            }
            let claim = self.claim(&template, number);
            let name = text(&claim, &["metadata", "name"]).to_owned();
            self.decision.push(actions::create(CLAIMS, claim));
            let set = &self.stored.key.name;
            self.tell("SuccessfulCreate", format!("Create Claim {name} Pod {pod} in StatefulSet {set} success"));
        }
    }

    fn claim(&self, template: &Value, number: i64) -> Value {
        let mut labels = map(template, &["metadata", "labels"]).cloned().unwrap_or_default();
        labels.extend(map(&self.object, &["spec", "selector", "matchLabels"]).cloned().unwrap_or_default());
        let mut metadata = Map::new();
        metadata.insert("name".into(), json!(identity::claim_name(template, self.stored, number)));
        metadata.insert("namespace".into(), json!(self.stored.key.namespace));
        metadata.insert("labels".into(), labels.into());
        if let Some(annotations) = at(template, &["metadata", "annotations"]) {
            metadata.insert("annotations".into(), annotations.clone());
        }
        if self.deletes("whenDeleted") {
            metadata.insert("ownerReferences".into(), json!([STATEFUL_SET.controller_reference(self.stored)]));
        }
        let spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
        json!({"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": metadata, "spec": spec})
    }

    /// Whether a claim still belongs to a pod that is gone and will go with it: the new pod has to wait.
    pub(super) fn has_stale_claims(&self, number: i64) -> bool {
        let claims = self.claim_templates().into_iter().filter_map(|template| self.find_claim(&template, number));
        let mut owners = claims.flat_map(|claim| claim.owners.to_vec());
        owners.any(|owner| &*owner.kind == "Pod" && *owner.name == *identity::name(self.stored, number))
    }

    /// Makes the claims of a pod belong to whom they shall go with: the set, the pod, or nobody.
    pub(super) fn adjust_claims(&mut self, number: i64, condemned: bool, pod: Option<&Stored>) {
        for template in self.claim_templates() {
            let Some(claim) = self.find_claim(&template, number) else { continue };
            let wanted = if condemned && self.deletes("whenScaled") {
                pod.map(|pod| POD.controller_reference(pod))
            } else if self.deletes("whenDeleted") {
                Some(STATEFUL_SET.controller_reference(self.stored))
            } else {
                None
            };
            if let Some(patch) = self.owner_patch(&claim, number, wanted) {
                self.decision.push(actions::patch(&claim, patch));
            }
        }
    }

    fn owner_patch(&self, claim: &Stored, number: i64, wanted: Option<Value>) -> Option<Value> {
        let pod = identity::name(self.stored, number);
        let ours = |uid: &str, kind: &str, name: &str| *uid == *self.stored.uid || kind == "Pod" && name == pod;
        let has_ours = claim.owners.iter().filter(|owner| ours(&owner.uid, &owner.kind, &owner.name));
        let has_ours: Vec<_> = has_ours.map(|owner| &*owner.uid).collect();
        let wants: Vec<_> = wanted.iter().map(|wanted| text(wanted, &["uid"])).collect();
        let others = claim.controller().is_some_and(|owner| !ours(&owner.uid, &owner.kind, &owner.name));
        if has_ours == wants || others {
            return None;
        }
        let mut owners = ownership::owner_references(claim);
        owners.retain(|owner| !ours(text(owner, &["uid"]), text(owner, &["kind"]), text(owner, &["name"])));
        owners.extend(wanted);
        let owners = if owners.is_empty() { Value::Null } else { owners.into() };
        Some(json!({"metadata": {"ownerReferences": owners}}))
    }

    /// Does this for the pods that are too many.
    pub(super) fn adjust_condemned_claims(&mut self) {
        for (number, pod) in self.condemned.clone() {
            self.adjust_claims(number, true, Some(pod.stored));
        }
    }
}
