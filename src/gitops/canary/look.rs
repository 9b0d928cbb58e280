//! Reading the objects around a canary.

use super::configs;
use super::machine::KUBERNETES;
use super::objects::{Error, Kind, Objects};
use super::observe::Seen;
use super::spec::Canary;
use super::workload;
use crate::cluster::object::{Key, at};

/// Reads the objects around a canary.
pub(super) async fn look(objects: &Objects, canary: &Canary, provider: &str) -> Result<Seen, Error> {
    let namespace = &canary.key.namespace;
    let key = |name: &str| Key::new(namespace, name);
    let mut seen = Seen::default();
    let kind = Kind::named(&canary.spec.target.kind).filter(|_| workload::is_supported(&canary.spec.target));
    if let Some(kind) = kind {
        seen.target = objects.get(kind, &key(&canary.spec.target.name)).await?.map(|object| named(object, kind));
        seen.primary = objects.get(kind, &key(&canary.primary())).await?.map(|object| named(object, kind));
    }
    if provider != KUBERNETES
        && let Some(kind) = Kind::named("HTTPRoute")
    {
        seen.route = objects.get(kind, &key(canary.apex())).await?;
    }
    if let (Some(scaler), Some(kind)) = (&canary.spec.autoscaler, Kind::named("HorizontalPodAutoscaler")) {
        seen.scaler = objects.get(kind, &key(&scaler.name)).await?.map(|object| named(object, kind));
    }
    let template = seen.target.as_ref().and_then(|target| at(target, &["spec", "template"]));
    for config in template.map(configs::named).unwrap_or_default() {
        let Some(kind) = Kind::named(config.holder.kind()) else { continue };
        if let Some(object) = objects.get(kind, &key(&config.name)).await? {
            seen.configs.insert(config, object);
        }
    }
    Ok(seen)
}

/// The object with its kind, which answers do not always name.
fn named(mut object: serde_json::Value, kind: Kind) -> serde_json::Value {
    crate::cluster::object::set_default(&mut object, &["apiVersion"], kind.api_version);
    crate::cluster::object::set_default(&mut object, &["kind"], kind.kind);
    object
}
