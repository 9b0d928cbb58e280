//! A cluster as it was at a moment, to go back to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::status::Refusal;
use super::store::{ResourceName, Stored};
use crate::cluster::object::Key;

/// All objects at a moment. Versions are shared with the cluster, so that one costs little.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    objects: BTreeMap<(ResourceName, Key), Arc<Stored>>,
}

impl Checkpoint {
    /// How many objects it holds.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// It as JSON lines, one for each object.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for stored in self.objects.values() {
            let line = json!({"resource": &*stored.resource, "revision": stored.revision, "object": stored.value()});
            text.push_str(&line.to_string());
            text.push('\n');
        }
        text
    }

    /// One that was written as text; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Line {
            resource: String,
            revision: u64,
            object: Value,
        }
        let objects = text.lines().map(|line| {
            let line: Line = serde_json::from_str(line).ok()?;
            let stored = Stored::new(line.resource.into(), line.object, line.revision);
            Some(((stored.resource.clone(), stored.key.clone()), Arc::new(stored)))
        });
        Some(Self { objects: objects.collect::<Option<_>>()? })
    }
}

impl Api {
    /// The cluster as it is now.
    pub fn checkpoint(&self) -> Checkpoint {
        self.look(|store| {
            let resources: Vec<_> = store.resources().cloned().collect();
            let all = resources.iter().flat_map(|resource| store.list(resource, ""));
            let objects = all.map(|object| ((object.resource.clone(), object.key.clone()), object.clone())).collect();
            Checkpoint { objects }
        })
    }

    /// Makes the cluster what it was. Watchers see it as changes: what came since goes, what went comes back.
    ///
    /// # Errors
    /// When it cannot be kept; then nothing has changed.
    pub fn restore(&self, checkpoint: &Checkpoint) -> Result<(), Refusal> {
        self.commit(|store| {
            let resources: Vec<_> = store.resources().cloned().collect();
            let all = resources.iter().flat_map(|resource| store.list(resource, ""));
            let there: Vec<_> = all.cloned().collect();
            for object in there {
                let place = (object.resource.clone(), object.key.clone());
                if checkpoint.objects.get(&place).is_none_or(|then| then.uid != object.uid) {
                    store.delete(&object.resource, &object.key);
                }
            }
            for ((resource, key), then) in &checkpoint.objects {
                if store.get(resource, key).is_none_or(|now| now.revision != then.revision) {
                    store.put(resource, then.value());
                }
            }
            self.restored.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
            Ok(())
        })?;
        self.refresh_registry();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::clock::Clock;

    #[test]
    fn going_back_undoes_everything_and_tells_it() {
        let api = Api::new(Clock::default());
        let xs: ResourceName = "xs".into();
        let object = |name: &str, value: i64| json!({"kind": "X", "metadata": {"name": name}, "value": value});
        api.install(&xs, object("kept", 1)).unwrap();
        api.install(&xs, object("changed", 1)).unwrap();
        api.install(&xs, object("gone", 1)).unwrap();
        let then = api.checkpoint();
        api.amend(&xs, &Key::new("", "changed"), |object| object["value"] = 2.into()).unwrap();
        api.install(&xs, object("new", 1)).unwrap();
        api.commit(|store| Ok(store.delete("xs", &Key::new("", "gone")))).unwrap();
        let before = api.look(|store| store.revision());
        let text = then.to_text();
        assert_eq!(text.lines().count(), 3);
        assert!(Checkpoint::from_text(&text[..text.len() - 9]).is_none(), "half a line");
        api.restore(&Checkpoint::from_text(&text).expect("what was written is read")).unwrap();
        let now: Vec<_> = api.look(|store| {
            store.list("xs", "").map(|object| (object.key.name.to_string(), object.value()["value"].clone())).collect()
        });
        let wanted = ["changed", "gone", "kept"].map(|name| (name.to_owned(), json!(1)));
        assert_eq!(now, wanted);
        let told = api.look(|store| store.since(before).unwrap().count());
        assert_eq!(told, 3, "the change undone, the new one deleted, the old one back; the kept one is left alone");
    }
}
