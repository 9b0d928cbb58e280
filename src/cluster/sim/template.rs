//! What is made from pod templates: their hashes, names that carry random endings, pods.

use serde_json::{Map, Value, json};

use crate::cluster::object::{Key, entry, remove, set};
use crate::cluster::sim::World;
use crate::cluster::sim::actions::Kind;

use crate::cluster::api::store::Stored;

/// The label that tells the pods of a deployment's replica sets apart.
pub(crate) const POD_TEMPLATE_HASH: &str = "pod-template-hash";

/// Characters that do not form words.
const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// How many endings of five such characters there are, and a step that shares no factor with their number: stepping
/// through them meets all before one comes again.
const ENDINGS: u64 = 27u64.pow(5);
const STEP: u64 = 8_675_309;

/// FNV-1a in 64 bits.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // An end mark, so that "ab", "c" is not "a", "bc".
        self.0 = (self.0 ^ 0xff).wrapping_mul(0x0100_0000_01b3);
    }

    /// The members of objects count in the order of their names, whatever order they are in.
    fn add_value(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                self.add(b"{");
                for (name, value) in members {
                    self.add(name.as_bytes());
                    self.add_value(value);
                }
            }
            Value::Array(items) => {
                self.add(b"[");
                items.iter().for_each(|item| self.add_value(item));
                self.add(b"]");
            }
            Value::String(text) => self.add(text.as_bytes()),
            other => self.add(other.to_string().as_bytes()),
        }
    }

    /// FNV leaves the last bytes in the low bits only: mix before taking digits.
    fn mixed(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    }
}

/// The last `length` digits of a number, written with safe characters.
fn digits(mut number: u64, length: usize) -> String {
    let mut letters = String::with_capacity(length);
    for _ in 0..length {
        letters.push(char::from(SAFE[(number % 27) as usize]));
        number /= 27;
    }
    letters
}

/// A short text that stands for a template; another collision count gives another text.
pub(crate) fn hash(template: &Value, collisions: i64) -> String {
    let mut hash = Hash::new();
    hash.add_value(template);
    if collisions != 0 {
        hash.add(&collisions.to_le_bytes());
    }
    digits(hash.mixed(), 10)
}

/// A name that begins with `prefix`, ends in five characters that look random, and is not taken. It depends only on
/// the owner, the state of the store and the number of the name within one decision.
pub(crate) fn free_name(world: &World<'_>, resource: &str, owner: &Stored, prefix: &str, number: usize) -> String {
    let mut hash = Hash::new();
    hash.add(owner.uid.as_bytes());
    hash.add(prefix.as_bytes());
    hash.add(&world.store.revision().to_le_bytes());
    let mut ending = (hash.mixed() % ENDINGS + number as u64 % ENDINGS * STEP) % ENDINGS;
    for _ in 0..100 {
        let name = format!("{}{}", shortened(prefix), digits(ending, 5));
        if world.store.get(resource, &Key::new(&owner.key.namespace, &name)).is_none() {
            return name;
        }
        ending = (ending + 1) % ENDINGS;
    }
    format!("{}{}", shortened(prefix), digits(ending, 5))
}

/// As much of a name's beginning as leaves room for five more characters in a label.
fn shortened(prefix: &str) -> &str {
    let end = (0..=58.min(prefix.len())).rev().find(|end| prefix.is_char_boundary(*end)).unwrap_or(0);
    &prefix[..end]
}

/// Whether two pod templates are the same but for the hash label.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    let part = |value: &Value, name: &str| value.get(name).cloned().unwrap_or(Value::Null);
    one.get("spec") == other.get("spec") && same_meta(&part(one, "metadata"), &part(other, "metadata"))
}

fn same_meta(one: &Value, other: &Value) -> bool {
    let empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    let without = |value: &Value| {
        let mut value = value.clone();
        remove(&mut value, &["labels", POD_TEMPLATE_HASH]);
        if let Some(members) = value.as_object_mut() {
            members.retain(|_, value| !empty(value));
        }
        value
    };
    let (one, other) = (without(one), without(other));
    one == other || empty(&one) && empty(&other)
}

/// A pod of a template that `owner` controls. `name` is given, `prefix` is where it comes from.
pub(crate) fn pod(kind: &Kind, owner: &Stored, template: &Value, prefix: &str, name: &str) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!(name));
    metadata.insert("generateName".into(), json!(prefix));
    metadata.insert("namespace".into(), json!(owner.key.namespace));
    for part in ["labels", "annotations", "finalizers"] {
        let value = template.get("metadata").and_then(|metadata| metadata.get(part));
        if let Some(value) = value.filter(|value| !value.is_null()) {
            metadata.insert(part.into(), value.clone());
        }
    }
    metadata.insert("ownerReferences".into(), json!([kind.controller_reference(owner)]));
    let spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec})
}

/// Sets a label of an object or of a template.
pub(crate) fn set_label(object: &mut Value, name: &str, value: &str) {
    set(entry(object, &["metadata", "labels"]), &[name], value);
}

/// Sets an annotation of an object or of a template.
pub(crate) fn set_annotation(object: &mut Value, name: &str, value: &str) {
    set(entry(object, &["metadata", "annotations"]), &[name], value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::api::store::Store;
    use crate::cluster::sim::times;

    #[test]
    fn hashes_stand_for_templates() {
        let template =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "y"}]}});
        let shuffled =
            json!({"spec": {"containers": [{"image": "y", "name": "x"}]}, "metadata": {"labels": {"a": "b"}}});
        let other = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "z"}]}});
        assert_eq!(hash(&template, 0), hash(&shuffled, 0));
        let texts = [hash(&template, 0), hash(&template, 1), hash(&other, 0)];
        assert!(texts[0] != texts[1] && texts[0] != texts[2] && texts[1] != texts[2], "{texts:?}");
        assert!(texts.iter().all(|text| text.len() == 10 && text.bytes().all(|byte| SAFE.contains(&byte))));
    }

    #[test]
    fn the_hash_label_and_empty_maps_do_not_count() {
        let spec = json!({"containers": []});
        let with = |metadata: Value| json!({"metadata": metadata, "spec": spec});
        let plain = with(json!({"labels": {"a": "b"}}));
        assert!(same(
            &plain,
            &with(json!({"labels": {"a": "b", "pod-template-hash": "x"}, "creationTimestamp": null}))
        ));
        assert!(same(&plain, &with(json!({"labels": {"a": "b"}, "annotations": {}}))));
        assert!(!same(&plain, &with(json!({"labels": {"a": "c"}}))));
        assert!(!same(&plain, &with(json!({"labels": {"a": "b"}, "annotations": {"x": "y"}}))));
        assert!(same(&json!({"spec": spec}), &with(json!({}))));
    }

    #[test]
    fn names_are_free() {
        let mut store = Store::default();
        let owner = store.put(&"x".into(), json!({"metadata": {"namespace": "n", "name": "o", "uid": "u"}}));
        let now = times::read("2026-08-01T10:00:00Z").unwrap();
        let name =
            |store: &Store, number| free_name(&World { store, now, refused: None }, "pods", &owner, "web-", number);
        let mut names: Vec<_> = (0..1000).map(|number| name(&store, number)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|name| name.len() == 9 && name.starts_with("web-")));
        let first = name(&store, 0);
        let taken = Stored::new("pods".into(), json!({"metadata": {"namespace": "n", "name": first}}), 1);
        store.insert(std::sync::Arc::new(taken));
        assert_ne!(name(&store, 0), first);
        let long = "a".repeat(300);
        assert_eq!(free_name(&World { store: &store, now, refused: None }, "pods", &owner, &long, 0).len(), 63);
    }
}
