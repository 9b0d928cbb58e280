//! The workloads that files of the repository define, those that the cluster runs, and edits to the former.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::containers::{Container, Kind, containers};
use super::edit::{Problem, Target, set_image, set_policies};
use super::files::documents::{Unreadable, documents};
use super::files::folder_of;
use super::git::commit::NewFile;
use super::id::ResourceId;
use super::policy::{Policies, PolicyChange};
use super::release::policies::Attempt;
use super::release::{ImageEdit, Side, Workload};
use crate::cluster::object;

/// Files by their path from the root.
pub type Files = BTreeMap<String, Arc<[u8]>>;
/// What the cluster says of workloads.
pub type Running = BTreeMap<ResourceId, Side<Result<Vec<Container>, String>>>;

/// The namespace of objects that name none.
const DEFAULT: &str = "default";
const KUSTOMIZATIONS: [&str; 2] = ["kustomization.yaml", "kustomization.yml"];

/// A workload in a file.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its id in the cluster.
    pub id: ResourceId,
    /// The file.
    pub file: String,
    /// Its id as the file has it, where a kustomization gives it another namespace.
    own: ResourceId,
    /// What the file says.
    side: Side<Vec<Container>>,
}

impl Written {
    /// What its annotations say.
    pub fn policies(&self) -> &Policies {
        &self.side.policies
    }
}

/// What the files of a repository define.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// The workloads, by their ids.
    pub workloads: BTreeMap<ResourceId, Written>,
    /// Files that cannot be read, as `file:line: why`.
    pub unreadable: Vec<String>,
}

impl Repository {
    /// Looks through files.
    pub fn of(files: &Files) -> Self {
        let mut found = Self::default();
        let namespaces = namespaces(files);
        for (path, bytes) in files {
            let documents = match documents(bytes) {
                Ok(documents) => documents,
                Err(Unreadable::NotText) => {
                    found.unreadable.push(format!("{path}: it is no text"));
                    continue;
                }
                Err(Unreadable::Yaml { line, message }) => {
                    found.unreadable.push(format!("{path}:{line}: {message}"));
                    continue;
                }
            };
            let namespace = namespaces.get(folder_of(path)).map(String::as_str);
            for document in documents {
                let value = document.value;
                if object::text(&value, &["kind"]).ends_with("List") {
                    object::list(&value, &["items"]).iter().for_each(|item| found.take(item, path, namespace));
                } else {
                    found.take(&value, path, namespace);
                }
            }
        }
        found
    }

    fn take(&mut self, value: &Value, path: &str, namespace: Option<&str>) {
        let (kind, name) = (object::text(value, &["kind"]), object::text(value, &["metadata", "name"]));
        if Kind::of(kind).is_none() || name.is_empty() {
            return;
        }
        let own = Some(object::text(value, &["metadata", "namespace"])).filter(|namespace| !namespace.is_empty());
        let own = ResourceId::new(own.unwrap_or(DEFAULT), kind, name);
        let id = namespace.map_or_else(|| own.clone(), |namespace| ResourceId::new(namespace, kind, name));
        let side = Side { policies: Policies::of(value), containers: containers(value).unwrap_or_default() };
        // Patches of a kustomization name an object again; the one with the images is the one to change.
        let better = self.workloads.get(&id).is_none_or(|known| known.side.containers.len() < side.containers.len());
        if better {
            self.workloads.insert(id.clone(), Written { id, file: path.to_owned(), own, side });
        }
    }

    /// The workloads of both sides.
    pub fn with(&self, running: &Running) -> Vec<Workload> {
        let mut all: BTreeMap<&ResourceId, Workload> = BTreeMap::new();
        for (id, written) in &self.workloads {
            let git = Some(written.side.clone());
            all.insert(id, Workload { id: id.clone(), git, cluster: running.get(id).cloned() });
        }
        for (id, side) in running {
            let new = || Workload { id: id.clone(), git: None, cluster: Some(side.clone()) };
            all.entry(id).or_insert_with(new);
        }
        all.into_values().collect()
    }
}

/// The namespaces that kustomizations give to what lies beside them, by folder.
fn namespaces(files: &Files) -> BTreeMap<&str, String> {
    let kustomizations = files.iter().filter(|(path, _)| {
        let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
        KUSTOMIZATIONS.contains(&name)
    });
    let found = kustomizations.filter_map(|(path, bytes)| {
        let document = documents(bytes).ok()?.into_iter().next()?;
        let namespace = object::text(&document.value, &["namespace"]);
        (!namespace.is_empty()).then(|| (folder_of(path), namespace.to_owned()))
    });
    found.collect()
}

/// What objects of the cluster say; those that are no workloads are left out.
pub fn running(objects: &[Value]) -> Running {
    let workloads = objects.iter().filter(|value| Kind::of(object::text(value, &["kind"])).is_some());
    workloads
        .filter(|value| !is_addon(value))
        .map(|value| {
            let containers = containers(value).map_err(|error| error.to_string());
            (id_of(value), Side { policies: Policies::of(value), containers })
        })
        .collect()
}

/// The id of an object.
pub fn id_of(value: &Value) -> ResourceId {
    let text = |path: &[&'static str]| object::text(value, path);
    ResourceId::new(text(&["metadata", "namespace"]), text(&["kind"]), text(&["metadata", "name"]))
}

/// Whether an object belongs to the cluster itself.
pub fn is_addon(value: &Value) -> bool {
    const LABELS: [(&str, &str); 3] = [
        ("kubernetes.io/cluster-service", "true"),
        ("addonmanager.kubernetes.io/mode", "EnsureExists"),
        ("addonmanager.kubernetes.io/mode", "Reconcile"),
    ];
    object::text(value, &["metadata", "namespace"]) == "kube-system"
        && LABELS.iter().any(|(label, wanted)| object::text(value, &["metadata", "labels", label]) == *wanted)
}

/// Files while they are changed.
#[derive(Debug)]
pub struct Draft<'a> {
    files: &'a Files,
    repository: &'a Repository,
    changed: BTreeMap<String, String>,
}

impl<'a> Draft<'a> {
    /// Nothing is changed yet.
    pub fn new(files: &'a Files, repository: &'a Repository) -> Self {
        Self { files, repository, changed: BTreeMap::new() }
    }

    fn text(&self, file: &str) -> Result<String, String> {
        if let Some(text) = self.changed.get(file) {
            return Ok(text.clone());
        }
        let bytes = self.files.get(file).ok_or_else(|| format!("{file}: it is gone"))?;
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{file}: it is no text"))?;
        Ok(text.to_owned())
    }

    fn put(&mut self, file: &str, text: String) {
        let same = self.files.get(file).is_some_and(|bytes| **bytes == *text.as_bytes());
        if same {
            self.changed.remove(file);
        } else {
            self.changed.insert(file.to_owned(), text);
        }
    }

    /// Gives a container another image.
    ///
    /// # Errors
    /// Where and why that cannot be done.
    pub fn set_image(&mut self, edit: &ImageEdit) -> Result<(), String> {
        let written = self.repository.workloads.get(&edit.id);
        let written = written.ok_or_else(|| format!("{} is in no file", edit.id))?;
        let text = self.text(&written.file)?;
        let target = Target { id: &written.own, default_namespace: DEFAULT };
        let edited = set_image(&text, target, &edit.container, &edit.image);
        let edited = edited.map_err(|error| error.in_file(&written.file))?;
        self.put(&written.file, edited);
        Ok(())
    }

    /// Changes policies of a workload.
    pub fn set_policies(&mut self, id: &ResourceId, change: &PolicyChange) -> Attempt {
        let Some(written) = self.repository.workloads.get(id) else { return Attempt::NotFound };
        let text = match self.text(&written.file) {
            Ok(text) => text,
            Err(why) => return Attempt::Refused(why),
        };
        let target = Target { id: &written.own, default_namespace: DEFAULT };
        match set_policies(&text, target, change) {
            Ok((_, changes)) if changes.is_empty() => Attempt::Unchanged,
            Ok((edited, _)) => {
                self.put(&written.file, edited);
                Attempt::Changed
            }
            Err(error) => match &error.problem {
                // The user's mistake, not the file's.
                Problem::Policy(policy) => Attempt::Refused(policy.to_string()),
                _ => Attempt::Refused(error.in_file(&written.file)),
            },
        }
    }

    /// The files that changed.
    pub fn finish(self) -> Vec<NewFile> {
        let file = |(path, text): (String, String)| NewFile { path, content: Some(text.into_bytes()) };
        self.changed.into_iter().map(file).collect()
    }
}

#[cfg(test)]
#[path = "workloads_tests.rs"]
mod tests;
