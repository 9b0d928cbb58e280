//! One Event object for each thing that happened; the same thing again is counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::effect::Tone;
use super::followers::Dice;
use super::objects::{Error, Kind, Objects};
use super::spec::Canary;
use super::status::stamp;
use crate::cluster::object::Key;

/// How often a name is tried that is taken.
const TRIES: u32 = 4;
/// Canaries whose last event is remembered.
const MOST: usize = 2000;

/// What was told of each canary last.
#[derive(Debug, Default)]
pub(super) struct Events {
    last: Mutex<HashMap<Key, Last>>,
}

#[derive(Debug, Clone)]
struct Last {
    text: String,
    name: String,
    count: i64,
    /// How many events there were, so that names differ.
    number: u64,
}

impl Events {
    /// Tells something of a canary.
    pub(super) async fn tell(
        &self,
        objects: &Objects,
        canary: &Canary,
        told: (Tone, &str),
        (seed, now): (u64, Timestamp),
    ) -> Result<(), Error> {
        let Some(kind) = Kind::named("Event") else { return Ok(()) };
        let (tone, text) = told;
        let last = self.last(&canary.key);
        if let Some(last) = last.as_ref().filter(|last| last.text == text) {
            let at = Key::new(&canary.key.namespace, &last.name);
            let patch = json!({"count": last.count + 1, "lastTimestamp": stamp(now)});
            match objects.merge(kind, &at, &patch).await {
                Ok(_) => {
                    self.remember(&canary.key, Last { count: last.count + 1, ..last.clone() });
                    return Ok(());
                }
                // It is old, and gone.
                Err(Error::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut number = last.map_or(0, |last| last.number);
        for _ in 0..TRIES {
            number += 1;
            let name = name(canary, seed, number, now);
            match objects.create(&event(canary, &name, tone, text, now)).await {
                Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    self.remember(&canary.key, Last { text: text.to_owned(), name, count: 1, number });
                    return Ok(());
                }
            }
        }
        Err(Error::Conflict("no free name for an event".to_owned()))
    }

    fn last(&self, canary: &Key) -> Option<Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).get(canary).cloned()
    }

    fn remember(&self, canary: &Key, last: Last) {
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST || all.contains_key(canary) {
            all.insert(canary.clone(), last);
        }
    }

    /// The canary is gone.
    pub(super) fn forget(&self, canary: &Key) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(canary);
    }
}

fn name(canary: &Canary, seed: u64, number: u64, now: Timestamp) -> String {
    let uid = canary.uid.bytes().fold(seed, |hash, byte| hash.rotate_left(7) ^ u64::from(byte));
    let time = now.as_millisecond().unsigned_abs();
    format!("{}.{:016x}", canary.key.name, Dice::of(uid ^ time, number).draw())
}

fn event(canary: &Canary, name: &str, tone: Tone, text: &str, now: Timestamp) -> Value {
    let (namespace, now) = (&canary.key.namespace, stamp(now));
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "name": canary.key.name,
            "namespace": namespace,
            "uid": canary.uid,
        },
        "reason": "Synced",
        "message": text,
        "type": tone.as_str(),
        "source": {"component": "flagger"},
        "reportingComponent": "flagger",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    })
}
