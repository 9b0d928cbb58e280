//! The common part of Kustomize, for machines without `kubectl`: resources, patches, and the plain transformations.
//!
//! What it does not know it refuses by name, so that nothing comes out otherwise than it should.

use serde_json::Value;

use super::transform;
use crate::cluster::api::patch;
use crate::cluster::api::schema::builtin::builtin;
use crate::cluster::object::{group_of, list, map, text};
use crate::cluster::yaml;
use crate::gitops::files::documents::{Unreadable, documents};
use crate::gitops::files::{clean_path, folder_of};

/// An object on its way through a build.
#[derive(Debug, Clone)]
pub(super) struct Built {
    pub(super) object: Value,
    /// The file that it is from.
    pub(super) file: String,
    /// The names that it had before.
    pub(super) names: Vec<String>,
}

/// Gives the content of a file of the repository.
pub(super) type Reader<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Fields that this knows.
const KNOWN: [&str; 18] = [
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "images",
    "replicas",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "buildMetadata",
    "sortOptions",
];
/// Folders take in folders so far.
const DEEPEST: usize = 20;

/// Builds the kustomization of a file.
///
/// # Errors
/// Why it cannot be built.
pub(super) fn build(file: &str, read: Reader<'_>) -> Result<Vec<Built>, String> {
    accumulate(file, read, DEEPEST)
}

fn accumulate(file: &str, read: Reader<'_>, depth: usize) -> Result<Vec<Built>, String> {
    let folder = folder_of(file);
    if depth == 0 {
        return Err(format!("{folder} takes itself in"));
    }
    let bytes = read(file).ok_or_else(|| format!("{file} is not there"))?;
    let config = std::str::from_utf8(&bytes).map_err(|_| format!("{file} is no text"))?;
    let config = yaml::value(config).map_err(|error| format!("{file}: {error}"))?;
    let unknown =
        config.as_object().into_iter().flatten().map(|(name, _)| name).find(|name| !KNOWN.contains(&&***name));
    if let Some(field) = unknown {
        return Err(format!("its field `{field}` takes kubectl, which is not on the PATH"));
    }
    let mut all: Vec<Built> = Vec::new();
    let named = ["resources", "bases"].into_iter().flat_map(|field| list(&config, &[field]));
    for name in named.filter_map(Value::as_str) {
        let path = clean_path(&format!("./{folder}/{name}")).map_err(|_| format!("{name} leaves the repository"))?;
        for more in take_in(&path, read, depth)? {
            if all.iter().any(|other| same_object(&other.object, &more.object)) {
                let (kind, name) = (text(&more.object, &["kind"]), text(&more.object, &["metadata", "name"]));
                return Err(format!("{kind} {name} is there more than once"));
            }
            all.push(more);
        }
    }
    patch_all(&mut all, &config, folder, read)?;
    transform::all(&mut all, &config)?;
    for entry in list(&config, &["patchesJson6902"]) {
        apply_patch(&mut all, &patch_text(entry, folder, read)?, entry.get("target"))?;
    }
    transform::replicas(&mut all, &config)?;
    transform::images(&mut all, &config);
    Ok(all)
}

/// The objects of a file, or of a folder with a kustomization of its own.
fn take_in(path: &str, read: Reader<'_>, depth: usize) -> Result<Vec<Built>, String> {
    let inside = NAMES.map(|name| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") });
    if let Some(file) = inside.into_iter().find(|file| read(file).is_some()) {
        return accumulate(&file, read, depth - 1);
    }
    let bytes = read(path).ok_or_else(|| format!("{path} is not there"))?;
    let found = documents(&bytes).map_err(|unreadable| match unreadable {
        Unreadable::NotText => format!("{path} is no text"),
        Unreadable::Yaml { line, message } => format!("{path}:{line}: {message}"),
    })?;
    let mut all = Vec::new();
    for document in found {
        let objects = match document.value.get("items") {
            Some(Value::Array(items)) if text(&document.value, &["kind"]).ends_with("List") => items.clone(),
            _ => vec![document.value],
        };
        for object in objects {
            if text(&object, &["kind"]).is_empty() || text(&object, &["metadata", "name"]).is_empty() {
                return Err(format!("{path}:{} has no kind or no name", document.line));
            }
            all.push(Built { object, file: path.to_owned(), names: Vec::new() });
        }
    }
    Ok(all)
}

fn same_object(one: &Value, other: &Value) -> bool {
    let same = |path: &[&str]| text(one, path) == text(other, path);
    group_of(text(one, &["apiVersion"])) == group_of(text(other, &["apiVersion"]))
        && same(&["kind"])
        && same(&["metadata", "namespace"])
        && same(&["metadata", "name"])
}

/// Carries out all patches but the old JSON ones.
fn patch_all(all: &mut Vec<Built>, config: &Value, folder: &str, read: Reader<'_>) -> Result<(), String> {
    for entry in list(config, &["patchesStrategicMerge"]) {
        let written = entry.as_str().ok_or("a patch in patchesStrategicMerge is no text")?;
        // It is a file's name, or the patch itself.
        let path = clean_path(&format!("./{folder}/{written}")).ok();
        let bytes = path.and_then(|path| read(&path)).unwrap_or_else(|| written.as_bytes().to_vec());
        apply_patch(all, &bytes, None)?;
    }
    for entry in list(config, &["patches"]) {
        if map(entry, &["options"]).is_some_and(|options| !options.is_empty()) {
            return Err("the options of a patch take kubectl, which is not on the PATH".to_owned());
        }
        apply_patch(all, &patch_text(entry, folder, read)?, entry.get("target"))?;
    }
    Ok(())
}

/// A patch's text: beside it, or in a file.
fn patch_text(entry: &Value, folder: &str, read: Reader<'_>) -> Result<Vec<u8>, String> {
    if let Some(patch) = entry.get("patch").and_then(Value::as_str) {
        return Ok(patch.as_bytes().to_vec());
    }
    let name = text(entry, &["path"]);
    let path = clean_path(&format!("./{folder}/{name}")).map_err(|_| format!("{name} leaves the repository"))?;
    read(&path).ok_or_else(|| format!("the patch {path} is not there"))
}

fn apply_patch(all: &mut Vec<Built>, bytes: &[u8], target: Option<&Value>) -> Result<(), String> {
    let found = documents(bytes).map_err(|_| "a patch is no YAML".to_owned())?;
    for patch in found.into_iter().map(|document| document.value) {
        let wanted = target.unwrap_or(&patch);
        let matching = |built: &Built| match target {
            Some(target) => is_target(built, target),
            None => is_meant(built, wanted),
        };
        if !all.iter().any(&matching) && target.is_none() {
            let (kind, name) = (text(wanted, &["kind"]), text(wanted, &["metadata", "name"]));
            return Err(format!("there is no {kind} {name} to patch"));
        }
        if text(&patch, &["$patch"]) == "delete" {
            all.retain(|built| !matching(built));
            continue;
        }
        for built in all.iter_mut().filter(|built| matching(built)) {
            built.object = patched(&built.object, &patch, target.is_some())?;
        }
    }
    Ok(())
}

fn patched(object: &Value, patch: &Value, targeted: bool) -> Result<Value, String> {
    let failed = |why: crate::cluster::api::status::Refusal| format!("a patch does not fit: {}", why.message);
    if patch.is_array() {
        return patch::json(object, patch).map_err(failed);
    }
    let mut patch = patch.clone();
    if targeted {
        // Which objects are meant is said by the target.
        for path in [&["apiVersion"][..], &["kind"], &["metadata", "name"], &["metadata", "namespace"]] {
            crate::cluster::object::remove(&mut patch, path);
        }
    } else {
        crate::cluster::object::remove(&mut patch, &["metadata", "name"]);
    }
    match builtin().kind(text(object, &["apiVersion"]), text(object, &["kind"])) {
        Some(kind) => patch::strategic(&kind, object, &patch).map_err(failed),
        None => patch::merge(object, &patch).map_err(failed),
    }
}

/// Whether a patch means an object: by kind and one of its names.
fn is_meant(built: &Built, patch: &Value) -> bool {
    let (object, name) = (&built.object, text(patch, &["metadata", "name"]));
    let space = text(patch, &["metadata", "namespace"]);
    group_of(text(object, &["apiVersion"])) == group_of(text(patch, &["apiVersion"]))
        && text(object, &["kind"]) == text(patch, &["kind"])
        && (text(object, &["metadata", "name"]) == name || built.names.iter().any(|old| old == name))
        && (space.is_empty() || text(object, &["metadata", "namespace"]) == space)
}

/// Whether a selector chooses an object; what it does not name fits.
fn is_target(built: &Built, target: &Value) -> bool {
    let object = &built.object;
    let version = text(object, &["apiVersion"]);
    let fits = |name: &str, found: &str| {
        let wanted = text(target, &[name]);
        wanted.is_empty() || regex::Regex::new(&format!("^(?:{wanted})$")).is_ok_and(|regex| regex.is_match(found))
    };
    let named = fits("name", text(object, &["metadata", "name"])) || built.names.iter().any(|old| fits("name", old));
    let labelled = |selector: &str, field: &str| {
        selector.split(',').filter(|part| !part.trim().is_empty()).all(|part| match part.split_once('=') {
            Some((name, value)) => {
                text(object, &["metadata", field, name.trim()]) == value.trim_start_matches('=').trim()
            }
            None => map(object, &["metadata", field]).is_some_and(|all| all.contains_key(part.trim())),
        })
    };
    named
        && fits("kind", text(object, &["kind"]))
        && fits("group", group_of(version))
        && fits("version", version.rsplit('/').next().unwrap_or(version))
        && fits("namespace", text(object, &["metadata", "namespace"]))
        && labelled(text(target, &["labelSelector"]), "labels")
        && labelled(text(target, &["annotationSelector"]), "annotations")
}
