//! Server-side apply as a whole: recorded answers of the real server, and laws.

mod applying;
mod laws;
mod writing;

use std::sync::Arc;

use serde_json::{Value, json};

use super::testing::{any_spec, any_value, built_in, custom};
use super::{Manager, Set, apply, settle, update};
use crate::cluster::api::schema::Struct;
use crate::cluster::api::status::Refusal;
use crate::cluster::object::{list, remove, set, text};

/// An object under test: its kind, what is stored, and what time it is.
struct Server {
    kind: Arc<Struct>,
    api_version: &'static str,
    live: Option<Value>,
    seconds: u32,
}

impl Server {
    fn new(api_version: &'static str, kind: &str) -> Self {
        Self { kind: built_in(&format!("{api_version}/{kind}")), api_version, live: None, seconds: 0 }
    }

    fn of_custom() -> Self {
        Self { kind: custom(), api_version: "example.com/v1", live: None, seconds: 0 }
    }

    fn manager<'a>(&self, name: &'a str, subresource: &'a str, ignored: &'a Set) -> Manager<'a> {
        Manager { name, api_version: self.api_version, subresource, ignored }
    }

    fn now(&mut self) -> String {
        self.seconds += 1;
        format!("2026-01-01T00:{:02}:{:02}Z", self.seconds / 60, self.seconds % 60)
    }

    fn store(&mut self, mut new: Value) {
        set(&mut new, &["metadata", "uid"], "u");
        if let Some(old) = &self.live {
            settle(old, &mut new);
        }
        self.live = Some(new);
    }

    fn try_apply(&mut self, name: &str, mut applied: Value, force: bool) -> Result<(), Refusal> {
        applied["apiVersion"] = self.api_version.into();
        let (now, ignored) = (self.now(), Set::of(&[&["status"]]));
        let manager = self.manager(name, "", &ignored);
        let new = apply(&self.kind, self.live.as_ref(), &applied, &manager, force, &now)?;
        self.store(new);
        Ok(())
    }

    fn apply(&mut self, name: &str, applied: Value) {
        self.try_apply(name, applied, false).unwrap();
    }

    fn update_at(&mut self, name: &str, subresource: &str, ignored: &[&[&str]], change: impl FnOnce(&mut Value)) {
        let mut new = self.live.clone().unwrap_or_else(|| json!({"metadata": {"name": "x"}}));
        change(&mut new);
        let (now, ignored) = (self.now(), Set::of(ignored));
        update(&self.kind, self.live.as_ref(), &mut new, &self.manager(name, subresource, &ignored), &now);
        self.store(new);
    }

    fn update(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        self.update_at(name, "", &[&["status"]], change);
    }

    fn create(&mut self, name: &str, object: Value) {
        self.update(name, |new| *new = object);
    }

    fn at(&self, pointer: &str) -> Value {
        self.live.as_ref().and_then(|live| live.pointer(pointer)).cloned().unwrap_or_default()
    }

    fn entries(&self) -> Vec<Value> {
        self.live.as_ref().map(|live| list(live, &["metadata", "managedFields"]).to_vec()).unwrap_or_default()
    }

    /// Who and what, as `manager operation fields`.
    fn owners(&self) -> Vec<String> {
        let line = |entry: &Value| {
            let subresource = text(entry, &["subresource"]);
            let slash = if subresource.is_empty() { "" } else { "/" };
            let (manager, operation) = (text(entry, &["manager"]), text(entry, &["operation"]));
            format!("{manager} {operation}{slash}{subresource} {}", entry["fieldsV1"])
        };
        self.entries().iter().map(line).collect()
    }

    /// The fields of a manager.
    fn fields(&self, manager: &str) -> Value {
        let entries = self.entries();
        entries
            .iter()
            .find(|entry| entry["manager"] == manager)
            .map(|entry| entry["fieldsV1"].clone())
            .unwrap_or_default()
    }
}

fn config_map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": data})
}
