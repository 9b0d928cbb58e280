//! Manifests: files, folders and standard input, and the objects in them.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::flags::Arguments;
use super::problem::Problem;
use super::select::Target;
use super::session::Session;
use crate::cluster::{object, yaml};

/// What manifests are called in a folder.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];
/// Deepest folder, and largest input.
const MAX_DEPTH: usize = 64;
const MAX_BYTES: u64 = 256 << 20;

/// An object of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Manifest {
    /// Where it stands; `STDIN` for standard input.
    pub(super) source: String,
    pub(super) object: Value,
}

/// The files of `-f`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources {
    names: Vec<String>,
    recursive: bool,
}

impl Sources {
    /// What `-f` and `-R` say.
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Problem> {
        if arguments.text("kustomize").is_some() {
            return Err(Problem::said(
                "the built-in kubectl has no kustomize; use the real kubectl, or name files with -f",
            ));
        }
        let names = arguments.all("filename").into_iter().flat_map(|names| names.split(','));
        Ok(Self { names: names.map(str::to_owned).collect(), recursive: arguments.on("recursive") })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All objects, in order; what cannot be read does not hide the rest.
    pub(super) fn read(&self, input: &mut dyn Read) -> (Vec<Manifest>, Vec<Problem>) {
        let mut found = Vec::new();
        let mut problems = Vec::new();
        for name in &self.names {
            if name == "-" {
                let mut text = String::new();
                match input.take(MAX_BYTES).read_to_string(&mut text) {
                    Ok(_) => objects("STDIN", "STDIN", &text, &mut found, &mut problems),
                    Err(error) => problems.push(Problem::said(format!("error reading STDIN: {error}"))),
                }
            } else if name.starts_with("http://") || name.starts_with("https://") {
                problems.push(Problem::said(format!("{name}: the built-in kubectl reads no URLs; download it first")));
            } else {
                self.read_path(name, &mut found, &mut problems);
            }
        }
        (found, problems)
    }

    fn read_path(&self, name: &str, found: &mut Vec<Manifest>, problems: &mut Vec<Problem>) {
        let path = Path::new(name);
        let Ok(metadata) = std::fs::metadata(path) else {
            problems.push(Problem::said(format!("the path {name:?} does not exist")));
            return;
        };
        if !metadata.is_dir() {
            read_file(path, found, problems);
            return;
        }
        let mut files = Vec::new();
        if let Err(error) = self.walk(path, 0, &mut files) {
            problems.push(Problem::said(format!("error reading [{name}]: {error}")));
        } else if files.is_empty() {
            problems.push(Problem::said(format!(
                "error reading [{name}]: recognized file extensions are [.json .yaml .yml]"
            )));
        }
        for file in files {
            read_file(&file, found, problems);
        }
    }

    fn walk(&self, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
        let mut entries: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            let is_link = std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
            if path.is_dir() {
                // A link to a folder could lead round in a circle.
                if self.recursive && depth < MAX_DEPTH && !is_link {
                    self.walk(&path, depth + 1, files)?;
                }
            } else if path.extension().is_some_and(|end| EXTENSIONS.iter().any(|known| end == *known)) {
                files.push(path);
            }
        }
        Ok(())
    }
}

fn read_file(path: &Path, found: &mut Vec<Manifest>, problems: &mut Vec<Problem>) {
    let name = path.display().to_string();
    let read = std::fs::File::open(path).and_then(|file| {
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).map(|_| text)
    });
    match read {
        Ok(text) => objects(&name, &name, &text, found, problems),
        Err(error) => problems.push(Problem::said(format!("error reading {name}: {error}"))),
    }
}

/// The objects of a text; lists are taken apart.
fn objects(source: &str, name: &str, text: &str, found: &mut Vec<Manifest>, problems: &mut Vec<Problem>) {
    for read in yaml::documents(text) {
        match read {
            Ok(document) => unlist(source, document, found, 0),
            Err(error) => {
                let why = format!("error parsing {name}: error converting YAML to JSON: yaml: {error}");
                problems.push(Problem::said(why));
            }
        }
    }
}

fn unlist(source: &str, document: Value, found: &mut Vec<Manifest>, depth: usize) {
    let is_list = object::text(&document, &["kind"]).ends_with("List");
    match document {
        Value::Object(mut members)
            if is_list && depth < MAX_DEPTH && members.get("items").is_some_and(Value::is_array) =>
        {
            if let Some(Value::Array(items)) = members.shift_remove("items") {
                for item in items {
                    unlist(source, item, found, depth + 1);
                }
            }
        }
        object => found.push(Manifest { source: source.to_owned(), object }),
    }
}

/// The target of a manifest: its resource, name and namespace.
pub(super) async fn target(session: &mut Session<'_>, manifest: Manifest) -> Result<Target, Problem> {
    let Manifest { source, mut object } = manifest;
    let invalid = |why: &str| {
        let off = "if you choose to ignore these errors, turn validation off with --validate=false";
        Problem::said(format!("error validating {source:?}: error validating data: {why}; {off}"))
    };
    if !object.is_object() {
        return Err(invalid("invalid object to validate"));
    }
    let text = |path: &[&str]| object::text(&object, path).to_owned();
    let (version, kind) = (text(&["apiVersion"]), text(&["kind"]));
    match (version.is_empty(), kind.is_empty()) {
        (true, true) => return Err(invalid("[apiVersion not set, kind not set]")),
        (true, false) => return Err(invalid("apiVersion not set")),
        (false, true) => return Err(invalid("kind not set")),
        (false, false) => {}
    }
    let (name, namespace) = (text(&["metadata", "name"]), text(&["metadata", "namespace"]));
    let unknown = || {
        Problem::said(format!(
            "resource mapping not found for name: {name:?} namespace: {namespace:?} from {source:?}: no matches for kind \
             {kind:?} in version {version:?}\nensure CRDs are installed first"
        ))
    };
    let mut resource = session.resources().await?.of_kind(&version, &kind).cloned();
    if resource.is_none() {
        // It may have been made since the server was asked.
        session.forget_resources();
        resource = session.resources().await?.of_kind(&version, &kind).cloned();
    }
    let resource = resource.ok_or_else(unknown)?;
    if !name.is_empty() {
        super::select::checked(&name)?;
    }
    if !resource.namespaced {
        return Ok(Target { resource, namespace: String::new(), name, source: Some(source), object: Some(object) });
    }
    if session.namespace_given && !namespace.is_empty() && namespace != session.namespace {
        return Err(Problem::said(format!(
            "the namespace from the provided object {namespace:?} does not match the namespace {:?}. You must pass \
             '--namespace={namespace}' to perform this operation.",
            session.namespace
        )));
    }
    let namespace = if namespace.is_empty() { session.namespace.clone() } else { namespace };
    object::set(&mut object, &["metadata", "namespace"], namespace.as_str());
    Ok(Target { resource, namespace, name, source: Some(source), object: Some(object) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(names: &[&str], recursive: bool, input: &str) -> (Vec<String>, Vec<String>) {
        let sources = Sources { names: names.iter().map(|&name| name.to_owned()).collect(), recursive };
        let (found, problems) = sources.read(&mut input.as_bytes());
        let names = found.iter().map(|manifest| object::text(&manifest.object, &["metadata", "name"]).to_owned());
        (names.collect(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn files_folders_and_standard_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir_all(folder.path().join("sub/empty")).unwrap();
        std::fs::write(path("b.yaml"), "metadata: {name: b}\n---\nmetadata: {name: c}\n").unwrap();
        std::fs::write(path("a.json"), r#"{"metadata":{"name":"a"}}"#).unwrap();
        std::fs::write(path("README.md"), "# no").unwrap();
        std::fs::write(path("sub/d.yml"), "kind: List\nitems: [{metadata: {name: d}}]\n").unwrap();
        let all = path("");
        assert_eq!(read(&[&all], false, ""), (vec!["a".into(), "b".into(), "c".into()], vec![]));
        assert_eq!(read(&[&all], true, "").0, ["a", "b", "c", "d"]);
        assert_eq!(read(&["-"], false, "metadata: {name: x}").0, ["x"]);
        assert_eq!(
            read(&[&path("gone/")], false, "").1,
            [format!("error: the path {:?} does not exist", path("gone/"))]
        );
        let empty = path("sub/empty");
        assert_eq!(
            read(&[&empty], false, "").1,
            [format!("error: error reading [{empty}]: recognized file extensions are [.json .yaml .yml]")]
        );
        let (names, problems) =
            read(&["-", &path("a.json")], false, "metadata: {name: x}\n---\na: b: c\n---\nmetadata: {name: y}");
        assert_eq!(names, ["x", "a"]);
        assert_eq!(
            problems,
            [
                "error: error parsing STDIN: error converting YAML to JSON: yaml: line 3: mapping values are not allowed in \
              this context"
            ]
        );
    }

    #[test]
    fn lists_in_lists_are_taken_apart_up_to_a_depth() {
        let mut object = json!({ "metadata": { "name": "x" } });
        for _ in 0..200 {
            object = json!({ "kind": "List", "items": [object] });
        }
        let mut found = Vec::new();
        unlist("f", object, &mut found, 0);
        assert_eq!(found.len(), 1);
    }
}
