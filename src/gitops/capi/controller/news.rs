//! The watches of all kinds.

use std::collections::{HashMap, HashSet};

use futures::FutureExt as _;
use futures::stream::{BoxStream, SelectAll, StreamExt as _};
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch};
use serde_json::Value;

use super::super::cache::Cache;
use super::super::kind::Kind;
use super::super::words;
use super::super::world::Id;
use super::requests::resource_of;

type Stream = BoxStream<'static, (Kind, Result<Event<DynamicObject>, watcher::Error>)>;

/// What comes from outside.
pub(super) struct News {
    streams: SelectAll<Stream>,
    /// Lists that are just coming in.
    lists: HashMap<Kind, HashSet<Id>>,
    /// Kinds of which all objects were seen once.
    complete: HashSet<Kind>,
    /// Whether a watch has failed.
    blind: bool,
}

impl News {
    /// Follows all kinds; of secrets those of clusters alone.
    pub(super) fn follow(client: &Client) -> Self {
        let mut streams = SelectAll::new();
        for kind in Kind::ALL {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource_of(kind));
            let mut config = watcher::Config::default();
            if kind == Kind::Secret {
                config = config.labels(words::CLUSTER);
            }
            let events = watch(api, config).default_backoff();
            streams.push(events.map(move |event| (kind, event)).boxed());
        }
        Self { streams, lists: HashMap::new(), complete: HashSet::new(), blind: false }
    }

    /// Whether all objects were seen.
    pub(super) fn is_complete(&self) -> bool {
        self.complete.len() == Kind::ALL.len()
    }

    /// Whether a watch has failed since this was asked last: the kinds may be gone.
    pub(super) fn was_blind(&mut self) -> bool {
        std::mem::take(&mut self.blind)
    }

    /// The next piece, put into the cache. True when it was new.
    pub(super) async fn next(&mut self, cache: &mut Cache) -> bool {
        loop {
            match self.streams.next().await {
                Some((kind, event)) => {
                    if let Some(fresh) = self.take(kind, event, cache) {
                        return fresh;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// What has come already, if something has.
    pub(super) fn now(&mut self, cache: &mut Cache) -> Option<bool> {
        let (kind, event) = self.streams.next().now_or_never()??;
        Some(self.take(kind, event, cache).unwrap_or(false))
    }

    /// None for what says nothing.
    fn take(
        &mut self,
        kind: Kind,
        event: Result<Event<DynamicObject>, watcher::Error>,
        cache: &mut Cache,
    ) -> Option<bool> {
        match event {
            Ok(Event::Apply(object)) => cache.put(kind, value(object)).then_some(true),
            Ok(Event::Delete(object)) => cache.gone(kind, &value(object)).then_some(true),
            Ok(Event::Init) => {
                self.lists.insert(kind, HashSet::new());
                None
            }
            Ok(Event::InitApply(object)) => {
                let object = value(object);
                self.lists.entry(kind).or_default().insert(Id::of(kind, &object));
                cache.put(kind, object).then_some(true)
            }
            Ok(Event::InitDone) => {
                let there = self.lists.remove(&kind)?;
                let first = self.complete.insert(kind);
                (cache.listed(kind, &there) || first).then_some(true)
            }
            Err(error) => {
                tracing::debug!(%kind, %error, "a watch does not work for now");
                self.blind = true;
                Some(false)
            }
        }
    }
}

fn value(object: DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
