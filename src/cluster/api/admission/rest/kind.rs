//! What there is to know of a kind: its rules as data, and the functions that go beyond them.

use serde_json::Value;

use super::check::Check;
use crate::cluster::api::admission::names::{self, NameRule};
use crate::cluster::object::{self, Map, at, entry, set};

/// A member that Go's encoding always writes, with what it writes when there is nothing in it.
pub(super) type Always = (&'static [&'static str], Blank);

/// The value of a member that is always written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blank {
    /// `{}`.
    Object,
    /// `null`.
    Null,
    /// `0`.
    Zero,
    /// `""`.
    Text,
    /// `false`.
    False,
}

impl Blank {
    fn value(self) -> Value {
        match self {
            Self::Object => Value::Object(Map::new()),
            Self::Null => Value::Null,
            Self::Zero => 0.into(),
            Self::Text => "".into(),
            Self::False => false.into(),
        }
    }
}

/// When `metadata.generation` goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// There is none.
    None,
    /// It stays 1.
    Fixed,
    /// When a member of the object changes.
    Member(&'static str),
    /// When anything but the metadata changes, or the labels do.
    Content,
}

/// Who writes the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// There is none, or anybody writes it.
    Free,
    /// Only the status subresource; a new object starts without one.
    Separate,
    /// Only the status subresource after the object was made; a new object may bring one.
    SeparateLater,
}

/// A kind and its rules.
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    pub(super) namespaced: bool,
    pub(super) names: NameRule,
    pub(super) generation: Generation,
    pub(super) status: Status,
    /// A PUT may make it.
    pub(super) create_on_update: bool,
    /// A PUT has to name the version that it replaces.
    pub(super) versioned: bool,
    pub(super) always: &'static [Always],
    pub(super) defaults: fn(&mut Value),
    pub(super) create: fn(&mut Value),
    pub(super) update: fn(&mut Value, &Value),
    pub(super) validate: fn(&mut Check<'_>, &Value, Option<&Value>),
    pub(super) warnings: fn(&Value, Option<&Value>, &mut Vec<String>),
}

impl Kind {
    /// A kind of things in namespaces that only metadata is known of; a start for the others.
    pub(super) const NAMESPACED: Self = Self {
        group: "",
        kind: "",
        namespaced: true,
        names: names::subdomain_names,
        generation: Generation::None,
        status: Status::Free,
        create_on_update: false,
        versioned: false,
        always: &[],
        defaults: |_| {},
        create: |_| {},
        update: |_, _| {},
        validate: |check, new, old| check.metadata(new, old),
        warnings: |_, _, _| {},
    };
    /// The same for things of the cluster.
    pub(super) const CLUSTER: Self = Self { namespaced: false, ..Self::NAMESPACED };

    /// Writes what Go's encoding always writes.
    pub(super) fn write_blanks(&self, object: &mut Value) {
        for (path, blank) in self.always {
            let place = entry(object, path);
            if place.is_null() {
                *place = blank.value();
            }
        }
    }

    /// Takes the status of a new object away.
    pub(super) fn begin_status(&self, object: &mut Value) {
        if self.status == Status::Separate {
            object::remove(object, &["status"]);
            self.write_blanks(object);
        }
    }

    /// Keeps the status as it was.
    pub(super) fn keep_status(&self, object: &mut Value, old: &Value) {
        if self.status != Status::Free {
            match at(old, &["status"]) {
                Some(status) if object.get("status") != Some(status) => set(object, &["status"], status.clone()),
                Some(_) => {}
                None => drop(object::remove(object, &["status"])),
            }
        }
    }

    /// Whether the change makes a new generation.
    pub(super) fn generation_changes(&self, new: &Value, old: &Value) -> bool {
        let changed = |path: &[&str]| !super::check::same(at(new, path), at(old, path));
        match self.generation {
            Generation::None | Generation::Fixed => false,
            Generation::Member(member) => changed(&[member]),
            Generation::Content => {
                let members = [new, old].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
                let mut content = members.filter(|name| !["metadata", "kind", "apiVersion"].contains(&name.as_str()));
                content.any(|name| changed(&[name])) || changed(&["metadata", "labels"])
            }
        }
    }
}
