//! A listing → the files, kustomizations and generators that count.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::cluster::object::{group_of, list, text};
use crate::cluster::yaml;
use crate::gitops::finding::{Code, Finding, Level, Place};
use crate::gitops::git::tree::{Blob, Entry, EntryKind};

use super::links::{self, Target};
use super::{Generation, Rules, clean_path, folder_of, is_below};

/// A file and its content's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileRef {
    /// Its path.
    pub path: String,
    /// Its content.
    pub blob: String,
}

/// One of the paths to look in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Root {
    /// The path.
    pub path: String,
    /// The files with objects.
    pub files: Vec<FileRef>,
    /// Folders to build.
    pub kustomizations: Vec<Kustomization>,
    /// The `.flux.yaml` that says how its objects are made.
    pub generator: Option<FileRef>,
}

/// A folder that is built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kustomization {
    /// The path of its file.
    pub file: String,
    /// The folder and all others that it takes in.
    pub folders: BTreeSet<String>,
    /// Whether it takes in something from elsewhere.
    pub remote: bool,
}

/// What counts in a revision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scan {
    /// The paths that are there.
    pub roots: Vec<Root>,
    /// The paths that are not.
    pub missing: Vec<String>,
    /// What is wrong with the listing itself.
    pub findings: Vec<Finding>,
    /// Whether something that would count cannot be followed.
    pub unread: bool,
}

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const GENERATOR: &str = ".flux.yaml";

fn is_manifest(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The contents that [`scan`] has to see: links, kustomizations and generators.
pub fn needed(entries: &[Entry], rules: &Rules) -> Vec<String> {
    let wanted = |entry: &&Entry| {
        let name = name_of(&entry.path);
        entry.kind == EntryKind::Link
            || (rules.kustomize && KUSTOMIZATIONS.contains(&name))
            || (rules.generation != Generation::Off && name == GENERATOR)
    };
    entries.iter().filter(wanted).filter(|e| e.kind != EntryKind::Submodule).map(|entry| entry.blob.clone()).collect()
}

/// Finds what counts. `contents` has at least what [`needed`] asks for.
pub fn scan(entries: &[Entry], contents: &HashMap<String, Blob>, rules: &Rules) -> Scan {
    let charts = charts(entries);
    let links = links::resolve(entries, contents);
    let tree = Tree { entries, charts, links, contents, rules };
    let mut scan = Scan::default();
    let everything = [String::new()];
    let paths = if rules.paths.is_empty() { everything.as_slice() } else { rules.paths.as_slice() };
    let mut seen = BTreeSet::new();
    for path in paths {
        match clean_path(path).ok().filter(|path| tree.is_there(path)) {
            Some(path) => {
                let mut root = tree.root(path, &mut scan.findings, &mut scan.unread);
                root.files.retain(|file| seen.insert(file.path.clone()));
                scan.roots.push(root);
            }
            None => scan.missing.push(path.clone()),
        }
    }
    for root in &mut scan.roots {
        root.kustomizations.retain(|built| seen.insert(built.file.clone()));
        root.kustomizations.iter_mut().for_each(|built| tree.follow(built));
    }
    // A folder that another takes in is not built for itself.
    let all: Vec<Kustomization> = scan.roots.iter().flat_map(|root| root.kustomizations.clone()).collect();
    let is_base = |built: &Kustomization| {
        let folder = folder_of(&built.file);
        all.iter().any(|other| folder_of(&other.file) != folder && other.folders.contains(folder))
    };
    for root in &mut scan.roots {
        root.kustomizations.retain(|built| !is_base(built));
    }
    scan
}

/// Folders of Helm charts: templates are no objects.
fn charts(entries: &[Entry]) -> BTreeSet<&str> {
    let with = |name: &str| -> BTreeSet<&str> {
        entries.iter().filter(|entry| name_of(&entry.path) == name).map(|entry| folder_of(&entry.path)).collect()
    };
    with("Chart.yaml").intersection(&with("values.yaml")).copied().collect()
}

struct Tree<'a> {
    entries: &'a [Entry],
    charts: BTreeSet<&'a str>,
    links: HashMap<String, Target>,
    contents: &'a HashMap<String, Blob>,
    rules: &'a Rules,
}

impl Tree<'_> {
    fn is_there(&self, path: &str) -> bool {
        path.is_empty() || self.entries.iter().any(|entry| is_below(&entry.path, path))
    }

    fn is_in_chart(&self, path: &str) -> bool {
        let mut folder = folder_of(path);
        loop {
            if self.charts.contains(folder) {
                return true;
            }
            if folder.is_empty() {
                return false;
            }
            folder = folder_of(folder);
        }
    }

    fn root(&self, path: String, findings: &mut Vec<Finding>, unread: &mut bool) -> Root {
        let below: Vec<&Entry> = self.entries.iter().filter(|entry| is_below(&entry.path, &path)).collect();
        let kustomizations = self.kustomizations(&below);
        let built = |path: &str| kustomizations.iter().any(|one| is_below(path, folder_of(&one.file)));
        let mut files = Vec::new();
        for entry in &below {
            if self.is_in_chart(&entry.path) || built(&entry.path) {
                continue;
            }
            let blob = match entry.kind {
                EntryKind::Submodule => {
                    let message = "another repository is linked in here; its files are not read".to_owned();
                    findings.push(Finding::new(Level::Note, Code::Submodule, place(&entry.path), message));
                    continue;
                }
                _ if !is_manifest(&entry.path) => continue,
                EntryKind::File => entry.blob.clone(),
                EntryKind::Link => match self.links.get(&entry.path) {
                    Some(Target::File(blob)) => blob.clone(),
                    Some(Target::Folder) => continue,
                    other => {
                        findings.push(broken_link(&entry.path, other));
                        *unread = true;
                        continue;
                    }
                },
            };
            files.push(FileRef { path: entry.path.clone(), blob });
        }
        let generator = self.generator(&path);
        Root { path, files, kustomizations, generator }
    }

    /// The kustomizations of a part of the tree that are in no other's folder.
    fn kustomizations(&self, below: &[&Entry]) -> Vec<Kustomization> {
        if !self.rules.kustomize {
            return Vec::new();
        }
        let is_one = |entry: &&&Entry| {
            entry.kind == EntryKind::File
                && KUSTOMIZATIONS.contains(&name_of(&entry.path))
                && !self.is_in_chart(&entry.path)
                && self.kustomization(&entry.blob).is_none_or(|value| is_kustomization(&value))
        };
        let mut found: Vec<&str> = below.iter().filter(is_one).map(|entry| entry.path.as_str()).collect();
        found.sort_by_key(|path| (folder_of(path).len(), *path));
        let mut top: Vec<Kustomization> = Vec::new();
        for path in found {
            if !top.iter().any(|other| is_below(folder_of(path), folder_of(&other.file))) {
                top.push(Kustomization { file: path.to_owned(), ..Kustomization::default() });
            }
        }
        top
    }

    /// What a kustomization says; nothing when it cannot be read, which building it will tell.
    fn kustomization(&self, blob: &str) -> Option<Value> {
        let Some(Blob::Bytes(bytes)) = self.contents.get(blob) else { return None };
        yaml::value(std::str::from_utf8(bytes).ok()?).ok()
    }

    /// Finds the folders that a kustomization takes in, and those that they take in.
    fn follow(&self, built: &mut Kustomization) {
        built.folders.insert(folder_of(&built.file).to_owned());
        let mut open = vec![built.file.clone()];
        while let Some(file) = open.pop() {
            let Some(entry) = self.entries.iter().find(|entry| entry.path == file) else { continue };
            let Some(value) = self.kustomization(&entry.blob) else { continue };
            let names = ["resources", "bases", "components"].into_iter().flat_map(|field| list(&value, &[field]));
            for name in names.filter_map(Value::as_str) {
                built.remote |= name.contains("://") || name.contains('@') || name.contains("?ref=");
                let Ok(folder) = clean_path(&format!("./{}/{name}", folder_of(&file))) else { continue };
                let file_in = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                let inside = KUSTOMIZATIONS.map(file_in).into_iter();
                let mut there = inside.filter(|path| self.entries.iter().any(|entry| entry.path == *path));
                if let Some(path) = there.next()
                    && built.folders.insert(folder)
                {
                    open.push(path);
                }
            }
        }
    }

    /// The `.flux.yaml` of a path: in it, or in the nearest folder above.
    fn generator(&self, path: &str) -> Option<FileRef> {
        if self.rules.generation == Generation::Off {
            return None;
        }
        let mut folder = path;
        loop {
            let file = if folder.is_empty() { GENERATOR.to_owned() } else { format!("{folder}/{GENERATOR}") };
            let found = self.entries.iter().find(|entry| entry.path == file && entry.kind == EntryKind::File);
            if let Some(entry) = found {
                return Some(FileRef { path: file, blob: entry.blob.clone() });
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder_of(folder);
        }
    }
}

fn place(path: &str) -> Place {
    Place { file: path.to_owned(), line: 0 }
}

fn broken_link(path: &str, target: Option<&Target>) -> Finding {
    let message = match target {
        Some(Target::Outside(to)) => format!("this symbolic link leaves the repository (to `{}`)", to.escape_debug()),
        Some(Target::Nowhere(to)) => format!("this symbolic link leads nowhere (to `{}`)", to.escape_debug()),
        _ => "this symbolic link cannot be followed".to_owned(),
    };
    Finding::new(Level::Error, Code::Link, place(path), message)
}

/// Whether a file of that name is Kustomize's, and not an object of another kind.
fn is_kustomization(value: &Value) -> bool {
    let (version, kind) = (text(value, &["apiVersion"]), text(value, &["kind"]));
    kind.is_empty() || version.is_empty() || group_of(version) == "kustomize.config.k8s.io"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Entry {
        Entry { path: path.to_owned(), kind: EntryKind::File, executable: false, blob: format!("blob of {path}") }
    }

    fn files(scan: &Scan) -> Vec<&str> {
        scan.roots.iter().flat_map(|root| &root.files).map(|file| file.path.as_str()).collect()
    }

    fn rules(paths: &[&str]) -> Rules {
        Rules { paths: paths.iter().map(|&path| path.to_owned()).collect(), ..Rules::default() }
    }

    fn scanned(names: &[&str], texts: &[(&str, &str)], rules: &Rules) -> Scan {
        let mut entries: Vec<Entry> = names.iter().copied().map(file).collect();
        let mut contents = HashMap::new();
        for (path, text) in texts {
            entries.push(file(path));
            contents.insert(format!("blob of {path}"), Blob::Bytes(text.as_bytes().into()));
        }
        scan(&entries, &contents, rules)
    }

    #[test]
    fn charts_are_left_out() {
        let names =
            ["a.yaml", "c/Chart.yaml", "c/values.yaml", "c/templates/x.yaml", "d/Chart.yaml", "d/x.yml", "e.json"];
        assert_eq!(files(&scanned(&names, &[], &Rules::default())), ["a.yaml", "d/Chart.yaml", "d/x.yml"]);
        assert_eq!(files(&scanned(&names, &[], &rules(&["c/templates"]))), [] as [&str; 0]);
        let two = scanned(&names, &[], &rules(&["d", "./d/", "nope", "a.yaml", "e.json"]));
        assert_eq!(files(&two), ["d/Chart.yaml", "d/x.yml", "a.yaml"]);
        assert_eq!(two.missing, ["nope"]);
    }

    #[test]
    fn kustomizations_take_their_folder() {
        let texts = [
            ("base/kustomization.yaml", "resources: [d.yaml]"),
            ("over/kustomization.yaml", "resources: [../base, 'https://example.com/x?ref=v1']\n"),
            ("over/nested/kustomization.yml", "resources: []"),
            ("other/kustomization.yaml", "apiVersion: example.com/v1\nkind: Other\n"),
            ("wrong/kustomization.yaml", "a: ["),
        ];
        let scan = scanned(&["base/d.yaml", "over/p.yaml", "x.yaml"], &texts, &Rules::default());
        let built: Vec<(&str, usize, bool)> =
            scan.roots[0].kustomizations.iter().map(|k| (k.file.as_str(), k.folders.len(), k.remote)).collect();
        assert_eq!(built, [("over/kustomization.yaml", 2, true), ("wrong/kustomization.yaml", 1, false)]);
        assert_eq!(files(&scan), ["x.yaml", "other/kustomization.yaml"]);
        let plain = Rules { kustomize: false, ..Rules::default() };
        assert_eq!(scanned(&["base/d.yaml"], &texts, &plain).roots[0].files.len(), 6);
    }

    #[test]
    fn generators_are_found_above() {
        let on = Rules { generation: Generation::Trusted, ..rules(&["a/b", "c"]) };
        let scan = scanned(&["a/.flux.yaml", "a/b/x.yaml", "c/y.yaml"], &[], &on);
        let found: Vec<Option<&str>> =
            scan.roots.iter().map(|root| root.generator.as_ref().map(|file| file.path.as_str())).collect();
        assert_eq!(found, [Some("a/.flux.yaml"), None]);
    }
}
