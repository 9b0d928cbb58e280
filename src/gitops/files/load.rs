//! The files of a revision → the objects it wants, and what is wrong with them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::object::{remove, text};
use crate::gitops::finding::{Code, Finding, Level, Place};
use crate::gitops::git::tree::Blob;
use crate::gitops::id::ResourceId;
use crate::gitops::kinds::{Defined, Kinds, Lookup, defined_by};
use crate::gitops::mark::SyncSet;
use crate::gitops::object::{Manifest, ObjectKey};

use super::documents::{Document, Unreadable, documents};
use super::prepare::{Context, Refused, objects, prepare};
use super::scan::FileRef;
use super::{Mode, Rules};

/// More objects than this are not taken from one repository.
pub const MOST_OBJECTS: usize = 50_000;

/// Why an object that is in Git is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The cluster does not know its kind.
    UnknownKind,
    /// Its namespace is not allowed.
    Excluded,
    /// It is defined in several ways.
    Duplicate,
    /// It cannot be an object.
    Invalid,
}

/// An object that is in Git but is not applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// What identifies it.
    pub key: ObjectKey,
    /// The kind of reason.
    pub why: Hold,
    /// The reason.
    pub reason: String,
    /// Where it is written.
    pub place: Place,
}

/// What a revision wants.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// The objects to apply.
    pub manifests: Vec<Arc<Manifest>>,
    /// The objects that are not.
    pub held: Vec<Held>,
    /// All that is wrong.
    pub findings: Vec<Finding>,
    /// Files and folders that could not be read: anything may be defined there.
    pub unread: Vec<String>,
    /// Why nothing at all may be applied.
    pub refused: Option<String>,
}

/// A file's content, or how it was made from others.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file. What was made has a name that changes with the content.
    pub file: FileRef,
    /// Whether annotations say which file an object comes from.
    pub built: bool,
}

/// What to load.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The files.
    pub sources: &'a [Source],
    /// Contents that were asked for.
    pub contents: &'a HashMap<String, Blob>,
    /// What is wrong already.
    pub findings: &'a [Finding],
    /// What could not be read already.
    pub unread: &'a [String],
    /// The kinds of the cluster.
    pub kinds: &'a Kinds,
    /// What counts.
    pub rules: &'a Rules,
    /// Whose objects they become.
    pub set: &'a SyncSet,
}

/// Loads revisions one after the other; what has not changed is not read again.
#[derive(Debug, Default)]
pub struct Loader {
    files: HashMap<String, Cached>,
}

#[derive(Debug)]
struct Cached {
    blob: String,
    read: Read,
    defined: Defined,
}

#[derive(Debug)]
enum Read {
    /// Its objects are not made ready yet.
    Fresh(Vec<(Place, Value)>),
    Ready(Vec<Item>),
    Failed(Finding),
}

#[derive(Debug)]
enum Item {
    Manifest(Arc<Manifest>, Vec<Finding>),
    Refused(Box<(Refused, Value)>),
}

impl Loader {
    /// Loads. Gives the ids of contents that it has to see first, to be called again with them.
    ///
    /// # Errors
    /// When contents are missing.
    pub fn load(&mut self, input: Input<'_>) -> Result<Loaded, Vec<String>> {
        let missing: Vec<String> = input.sources.iter().filter_map(|source| self.take_in(source, input)).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let mut defined = Defined::new();
        for source in input.sources {
            if let Some(cached) = self.files.get(&source.file.path) {
                defined.extend(cached.defined.iter().map(|(kind, served)| (kind.clone(), served.clone())));
            }
        }
        let context = Context { kinds: input.kinds, defined: &defined, rules: input.rules, set: input.set };
        let stale: Vec<String> = input.sources.iter().filter_map(|source| self.make_ready(source, context)).collect();
        if !stale.is_empty() {
            return Err(stale);
        }
        let wanted: std::collections::HashSet<&str> = input.sources.iter().map(|s| s.file.path.as_str()).collect();
        self.files.retain(|path, _| wanted.contains(path.as_str()));
        Ok(self.gather(input))
    }

    /// Reads a file that is new or has changed; asks for its content when it is not there.
    fn take_in(&mut self, source: &Source, input: Input<'_>) -> Option<String> {
        let FileRef { path, blob } = &source.file;
        if self.files.get(path).is_some_and(|cached| cached.blob == *blob) {
            return None;
        }
        let (read, defined) = match input.contents.get(blob) {
            None => return Some(blob.clone()),
            Some(Blob::TooLarge(size)) => {
                let message = format!("this file is not read: it has {size} bytes");
                (Read::Failed(Finding::new(Level::Error, Code::TooLarge, file(path, 0), message)), Defined::new())
            }
            Some(Blob::Bytes(bytes)) => match documents(bytes) {
                Ok(documents) => fresh(path, &documents, source.built, input.rules.mode),
                Err(unreadable) => (Read::Failed(failed(path, unreadable)), Defined::new()),
            },
        };
        self.files.insert(path.clone(), Cached { blob: blob.clone(), read, defined });
        None
    }

    /// Makes a file's objects ready, or sees that they still are; gives the content's id when it is needed again.
    fn make_ready(&mut self, source: &Source, context: Context<'_>) -> Option<String> {
        let cached = self.files.get_mut(&source.file.path)?;
        match &mut cached.read {
            Read::Fresh(objects) => {
                let objects = std::mem::take(objects);
                cached.read =
                    Read::Ready(objects.into_iter().map(|(place, value)| item(value, place, context)).collect());
            }
            Read::Ready(items) => {
                let moved =
                    |item: &Item| matches!(item, Item::Manifest(manifest, _) if !is_same_scope(manifest, context));
                if items.iter().any(moved) {
                    self.files.remove(&source.file.path);
                    return Some(source.file.blob.clone());
                }
                for old in items.iter_mut() {
                    if let Item::Refused(held) = old
                        && held.0.finding.code == Code::UnknownKind
                    {
                        let place = held.0.finding.place.clone().unwrap_or_else(|| file(&source.file.path, 0));
                        *old = item(std::mem::take(&mut held.1), place, context);
                    }
                }
            }
            Read::Failed(_) => {}
        }
        None
    }

    fn gather(&self, input: Input<'_>) -> Loaded {
        let mut loaded =
            Loaded { findings: input.findings.to_vec(), unread: input.unread.to_vec(), ..Loaded::default() };
        let mut manifests: Vec<Arc<Manifest>> = Vec::new();
        for source in input.sources {
            match self.files.get(&source.file.path).map(|cached| &cached.read) {
                Some(Read::Ready(items)) => {
                    for item in items {
                        match item {
                            Item::Manifest(manifest, findings) => {
                                loaded.findings.extend(findings.iter().cloned());
                                manifests.push(manifest.clone());
                            }
                            Item::Refused(held) => loaded.hold(&held.0),
                        }
                    }
                }
                Some(Read::Failed(finding)) => {
                    loaded.unread.push(source.file.path.clone());
                    loaded.findings.push(finding.clone());
                }
                Some(Read::Fresh(_)) | None => {}
            }
        }
        if manifests.len() > MOST_OBJECTS {
            let count = manifests.len();
            loaded.refused =
                Some(format!("the repository defines {count} objects; more than {MOST_OBJECTS} are not taken"));
            return loaded;
        }
        loaded.settle_duplicates(manifests, input.rules.mode);
        if input.rules.mode == Mode::Strict && loaded.refused.is_none() {
            let error = loaded.findings.iter().find(|finding| finding.level == Level::Error);
            loaded.refused = error.map(|finding| format!("loading resources from repo: {finding}"));
        }
        loaded
    }
}

impl Loaded {
    fn hold(&mut self, refused: &Refused) {
        let why = match refused.finding.code {
            Code::UnknownKind => Hold::UnknownKind,
            Code::NamespaceNotAllowed => Hold::Excluded,
            _ => Hold::Invalid,
        };
        let place = refused.finding.place.clone().unwrap_or_else(|| file("", 0));
        self.held.push(Held { key: refused.key.clone(), why, reason: refused.finding.message.clone(), place });
        self.findings.push(refused.finding.clone());
    }

    /// Takes objects that are defined once. Of those defined more than once, one is taken when all say the same.
    fn settle_duplicates(&mut self, manifests: Vec<Arc<Manifest>>, mode: Mode) {
        let mut by_key: HashMap<&ObjectKey, Vec<&Arc<Manifest>>> = HashMap::with_capacity(manifests.len());
        for manifest in &manifests {
            by_key.entry(&manifest.key).or_default().push(manifest);
        }
        if mode == Mode::Strict {
            self.refuse_duplicates(&manifests);
        }
        for manifest in &manifests {
            let all = by_key.get(&manifest.key).map_or(&[] as &[_], Vec::as_slice);
            let first = all.first().is_some_and(|first| Arc::ptr_eq(first, manifest));
            if all.len() < 2 {
                self.manifests.push(manifest.clone());
                continue;
            }
            if !first {
                continue;
            }
            let places = places(all);
            let message = format!("duplicate definition of '{}' (in {places})", manifest.id);
            if all.iter().all(|other| other.checksum == manifest.checksum) {
                let finding = Finding::new(Level::Warning, Code::Duplicate, manifest.place.clone(), message);
                self.findings.push(finding.about(&manifest.id).hint("all say the same: keep one of them"));
                self.manifests.push(manifest.clone());
            } else {
                let finding = Finding::new(Level::Error, Code::Duplicate, manifest.place.clone(), message.clone());
                self.findings.push(finding.about(&manifest.id).hint("they differ: keep one of them"));
                let place = manifest.place.clone();
                self.held.push(Held { key: manifest.key.clone(), why: Hold::Duplicate, reason: message, place });
            }
        }
    }

    /// Flux v1 knows no groups: two objects with one name are one too many.
    fn refuse_duplicates(&mut self, manifests: &[Arc<Manifest>]) {
        let mut seen: BTreeMap<&ResourceId, &Place> = BTreeMap::new();
        for manifest in manifests {
            if let Some(other) = seen.insert(&manifest.id, &manifest.place) {
                let files = if other.file == manifest.place.file {
                    other.file.clone()
                } else {
                    format!("{} and {}", other.file, manifest.place.file)
                };
                let message = format!("duplicate definition of '{}' (in {files})", manifest.id);
                self.refused.get_or_insert(format!("loading resources from repo: {message}"));
            }
        }
    }
}

fn places(manifests: &[&Arc<Manifest>]) -> String {
    manifests.iter().map(|manifest| manifest.place.to_string()).collect::<Vec<_>>().join(" and ")
}

fn file(path: &str, line: usize) -> Place {
    Place { file: path.to_owned(), line }
}

fn failed(path: &str, unreadable: Unreadable) -> Finding {
    match unreadable {
        Unreadable::NotText => Finding::new(Level::Error, Code::NotText, file(path, 0), "this file is no text"),
        Unreadable::Yaml { line, message } => {
            Finding::new(Level::Error, Code::Yaml, file(path, line), format!("this is no YAML: {message}"))
        }
    }
}

/// Where Kustomize says that an object comes from.
const ORIGIN: &str = "config.kubernetes.io/origin";

fn fresh(path: &str, documents: &[Document], built: bool, mode: Mode) -> (Read, Defined) {
    let mut found = Vec::new();
    let mut defined = Defined::new();
    for document in documents {
        for (line, mut value) in objects(document, mode) {
            let place = if built { origin(&mut value) } else { None };
            defined.extend(defined_by(&value));
            found.push((place.unwrap_or_else(|| file(path, if built { 0 } else { line })), value));
        }
    }
    (Read::Fresh(found), defined)
}

/// Takes the annotation with the origin away and reads it.
fn origin(value: &mut Value) -> Option<Place> {
    let origin = remove(value, &["metadata", "annotations", ORIGIN])?;
    if value
        .get("metadata")
        .and_then(|meta| meta.get("annotations"))
        .is_some_and(|a| a == &Value::Object(serde_json::Map::new()))
    {
        remove(value, &["metadata", "annotations"]);
    }
    let origin = crate::cluster::yaml::value(origin.as_str()?).ok()?;
    // Builds see the repository as the folder `tree` beside theirs.
    let path = text(&origin, &["path"]);
    let path = path.strip_prefix("../tree/").unwrap_or(path);
    (!path.is_empty()).then(|| file(path, 0))
}

fn item(value: Value, place: Place, context: Context<'_>) -> Item {
    match prepare(value.clone(), place, context) {
        Ok((manifest, findings)) => Item::Manifest(Arc::new(manifest), findings),
        Err(refused) => Item::Refused(Box::new((*refused, value))),
    }
}

/// Whether the cluster still sees an object's kind as it did when the object was made ready.
fn is_same_scope(manifest: &Manifest, context: Context<'_>) -> bool {
    let namespaced = !manifest.key.at.namespace.is_empty();
    match context.kinds.look_up(&manifest.api_version, &manifest.key.kind.kind) {
        Lookup::Served(served) => served.namespaced == namespaced,
        Lookup::OtherVersion(_) | Lookup::Unknown => {
            let defined = context.defined.get(&manifest.key.kind).into_iter().flatten();
            defined.into_iter().any(|s| s.namespaced == namespaced && s.api_version() == manifest.api_version)
        }
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
