//! Watching the cluster: the kinds that Git names, as far as we made their objects.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures::stream::{BoxStream, SelectAll, StreamExt as _};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch};
use serde_json::Value;

use super::kinds::{Kinds, Lookup, Served};
use super::mark::LABEL;
use super::object::{Manifest, ObjectKey};
use crate::cluster::object::set;

/// What a watch tells.
#[derive(Debug)]
pub enum News {
    /// An object as it is now.
    Object(Value),
    /// An object is not there any more, or has lost its mark.
    Gone(ObjectKey),
    /// These are all objects of a kind.
    Listed {
        /// The kind's API version.
        api_version: String,
        /// The kind.
        kind: String,
        /// The objects.
        there: HashSet<ObjectKey>,
    },
    /// A watch does not work for now; it tries again by itself.
    Blind(String),
}

type Stream = BoxStream<'static, (Arc<Served>, Option<String>, Result<Event<DynamicObject>, watcher::Error>)>;

/// All watches.
#[derive(Default)]
pub struct Watches {
    streams: SelectAll<Stream>,
    watched: BTreeSet<(String, String, Option<String>)>,
    /// Lists that are just coming in, by kind and namespace.
    lists: std::collections::HashMap<(String, String), HashSet<ObjectKey>>,
    /// Kinds whose namespaces are watched one by one.
    several: bool,
}

impl std::fmt::Debug for Watches {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Watches").field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Watches {
    /// Watches the kinds of what Git wants, besides those that are watched already.
    pub fn follow(&mut self, client: &kube::Client, kinds: &Kinds, wanted: &[Arc<Manifest>], namespaces: &[String]) {
        let named: BTreeSet<(&str, &str)> =
            wanted.iter().map(|manifest| (manifest.api_version.as_str(), &*manifest.key.kind.kind)).collect();
        for (version, kind) in named {
            let Lookup::Served(served) = kinds.look_up(version, kind) else { continue };
            let everywhere = [None];
            let some: Vec<Option<String>> = namespaces.iter().cloned().map(Some).collect();
            let spaces = if served.namespaced && !some.is_empty() { some.as_slice() } else { &everywhere };
            self.several |= spaces.len() > 1;
            for space in spaces {
                if self.watched.insert((version.to_owned(), kind.to_owned(), space.clone())) {
                    self.streams.push(stream(client, served, space.clone()));
                }
            }
        }
    }

    /// The next news; none ever, when nothing is watched.
    pub async fn next(&mut self) -> News {
        loop {
            match self.streams.next().await {
                Some((served, space, event)) => {
                    if let Some(news) = self.read(&served, space.as_deref(), event) {
                        return news;
                    }
                }
                None => return std::future::pending().await,
            }
        }
    }

    fn read(
        &mut self,
        served: &Served,
        space: Option<&str>,
        event: Result<Event<DynamicObject>, watcher::Error>,
    ) -> Option<News> {
        let place = (format!("{}/{}", served.api_version(), served.kind), space.unwrap_or_default().to_owned());
        match event {
            Ok(Event::Apply(object)) => Some(News::Object(written(object, served))),
            Ok(Event::Delete(object)) => Some(News::Gone(ObjectKey::of(&written(object, served)))),
            Ok(Event::Init) => {
                self.lists.insert(place, HashSet::new());
                None
            }
            Ok(Event::InitApply(object)) => {
                let object = written(object, served);
                self.lists.entry(place).or_default().insert(ObjectKey::of(&object));
                Some(News::Object(object))
            }
            Ok(Event::InitDone) => {
                let there = self.lists.remove(&place)?;
                // One namespace does not tell of the others; their objects are found missing by the next sync.
                if self.several && space.is_some() {
                    return None;
                }
                Some(News::Listed { api_version: served.api_version(), kind: served.kind.clone(), there })
            }
            Err(error) => Some(News::Blind(format!("{}: {error}", served.kind))),
        }
    }
}

fn stream(client: &kube::Client, served: &Served, space: Option<String>) -> Stream {
    let resource = ApiResource {
        group: served.group.clone(),
        version: served.version.clone(),
        api_version: served.api_version(),
        kind: served.kind.clone(),
        plural: served.plural.clone(),
    };
    let api: Api<DynamicObject> = match &space {
        Some(space) => Api::namespaced_with(client.clone(), space, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let served = Arc::new(served.clone());
    let events = watch(api, watcher::Config::default().labels(LABEL)).default_backoff();
    events.map(move |event| (served.clone(), space.clone(), event)).boxed()
}

fn written(object: DynamicObject, served: &Served) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    set(&mut value, &["apiVersion"], served.api_version());
    set(&mut value, &["kind"], served.kind.clone());
    value
}
