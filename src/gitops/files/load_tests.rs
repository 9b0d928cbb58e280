//! Loading: good files, bad files, and files that changed.

use super::*;
use crate::gitops::kinds;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n";

struct Repo {
    loader: Loader,
    kinds: Kinds,
    rules: Rules,
    read: usize,
}

impl Repo {
    fn new(mode: Mode) -> Self {
        let rules = Rules { mode, ..Rules::default() };
        Self { loader: Loader::default(), kinds: kinds::usual(), rules, read: 0 }
    }

    fn load(&mut self, files: &[(&str, &str)]) -> Loaded {
        let blob = |text: &str| format!("blob of {text}");
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source { file: FileRef { path: (*path).to_owned(), blob: blob(text) }, built: false })
            .collect();
        let all: HashMap<String, Blob> =
            files.iter().map(|(_, text)| (blob(text), Blob::Bytes(text.as_bytes().into()))).collect();
        let set = SyncSet::new("u", "b", &[]);
        let mut contents = HashMap::new();
        for _ in 0..3 {
            let input = Input {
                sources: &sources,
                contents: &contents,
                findings: &[],
                unread: &[],
                kinds: &self.kinds,
                rules: &self.rules,
                set: &set,
            };
            match self.loader.load(input) {
                Ok(loaded) => return loaded,
                Err(wanted) => {
                    self.read += wanted.len();
                    contents.extend(wanted.into_iter().map(|blob| (blob.clone(), all[&blob].clone())));
                }
            }
        }
        panic!("it asks again and again");
    }
}

fn ids(loaded: &Loaded) -> Vec<String> {
    loaded.manifests.iter().map(|manifest| format!("{} {}", manifest.place, manifest.id)).collect()
}

fn messages(loaded: &Loaded) -> Vec<String> {
    loaded.findings.iter().map(Finding::to_string).collect()
}

#[test]
fn one_bad_file_spares_the_others() {
    let good = CONFIG.replace("NAME", "a");
    let files = [("a.yaml", good.as_str()), ("b.yaml", "a: [\n")];
    let loaded = Repo::new(Mode::Safe).load(&files);
    assert_eq!(ids(&loaded), ["a.yaml:1 default:configmap/a"]);
    assert_eq!(loaded.unread, ["b.yaml"]);
    assert_eq!(loaded.refused, None);
    assert!(messages(&loaded)[0].starts_with("b.yaml:1: this is no YAML: "), "{:?}", messages(&loaded));
    let strict = Repo::new(Mode::Strict).load(&files);
    assert!(strict.refused.unwrap().starts_with("loading resources from repo: b.yaml:1: "));
}

#[test]
fn duplicates_are_taken_only_when_they_say_the_same() {
    let one = CONFIG.replace("NAME", "a");
    let other = format!("{one}data: {{x: y}}\n");
    let twice = Repo::new(Mode::Safe).load(&[("a.yaml", &one), ("b.yaml", &one)]);
    assert_eq!(ids(&twice), ["a.yaml:1 default:configmap/a"]);
    assert_eq!(
        messages(&twice),
        ["a.yaml:1: duplicate definition of 'default:configmap/a' (in a.yaml:1 and b.yaml:1)"]
    );
    let differing = Repo::new(Mode::Safe).load(&[("a.yaml", &one), ("b.yaml", &other)]);
    assert_eq!(ids(&differing), [] as [&str; 0]);
    assert_eq!(differing.held[0].why, Hold::Duplicate);
    let strict = Repo::new(Mode::Strict).load(&[("a.yaml", &one), ("b.yaml", &one)]);
    assert_eq!(
        strict.refused.as_deref(),
        Some("loading resources from repo: duplicate definition of 'default:configmap/a' (in a.yaml and b.yaml)")
    );
    let strict = Repo::new(Mode::Strict).load(&[("a.yaml", &format!("{one}---\n{one}"))]);
    assert!(strict.refused.unwrap().ends_with("(in a.yaml)"));
}

#[test]
fn only_what_changed_is_read_again() {
    let (a, b) = (CONFIG.replace("NAME", "a"), CONFIG.replace("NAME", "b"));
    let mut repo = Repo::new(Mode::Safe);
    repo.load(&[("a.yaml", &a), ("b.yaml", &b)]);
    assert_eq!(repo.read, 2);
    let first = repo.load(&[("a.yaml", &a), ("b.yaml", &b)]);
    assert_eq!(repo.read, 2);
    let second = repo.load(&[("a.yaml", &a), ("b.yaml", &a)]);
    assert_eq!(repo.read, 3);
    assert_eq!((first.manifests.len(), second.manifests.len()), (2, 1));
    assert!(Arc::ptr_eq(&first.manifests[0], &second.manifests[0]));
}

#[test]
fn a_kind_becomes_known() {
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n";
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n\
        spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}, versions: [{name: v1}]}\n";
    let mut repo = Repo::new(Mode::Strict);
    let unknown = repo.load(&[("w.yaml", widget)]);
    assert_eq!((unknown.held[0].why, unknown.refused), (Hold::UnknownKind, None));
    let known = repo.load(&[("w.yaml", widget), ("crd.yaml", definition)]);
    assert_eq!(ids(&known)[0], "w.yaml:1 <cluster>:widget/w");
    let other = definition.replace("Cluster", "Namespaced");
    let moved = repo.load(&[("w.yaml", widget), ("crd.yaml", &other)]);
    assert_eq!(ids(&moved)[0], "w.yaml:1 default:widget/w");
    let again = repo.load(&[("w.yaml", widget)]);
    assert_eq!(again.held[0].why, Hold::UnknownKind);
}

#[test]
fn objects_of_a_build_know_their_file() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/origin: |\n      path: base/a.yaml\n";
    let mut value = crate::cluster::yaml::value(text).unwrap();
    assert_eq!(origin(&mut value), Some(Place { file: "base/a.yaml".to_owned(), line: 0 }));
    assert_eq!(value, serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
}
