//! A document → the objects to apply: lists taken apart, namespaces settled, mark and checksum put on.

use serde_json::Value;
use sha1::{Digest as _, Sha1};

use crate::cluster::object::{Key, map, remove, set, set_default, text};
use crate::cluster::yaml;
use crate::gitops::finding::{Code, Finding, Level, Place};
use crate::gitops::id::ResourceId;
use crate::gitops::kinds::{Defined, Kinds, Lookup};
use crate::gitops::mark::{CHECKSUM, LABEL, SyncSet};
use crate::gitops::object::{Ignore, Manifest, ObjectKey};

use super::documents::Document;
use super::{Mode, Rules};

/// What objects are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The kinds of the cluster.
    pub kinds: &'a Kinds,
    /// The kinds that the repository itself defines.
    pub defined: &'a Defined,
    /// What counts.
    pub rules: &'a Rules,
    /// Whose objects they become.
    pub set: &'a SyncSet,
}

/// Lists in lists are taken apart so far.
const MOST_NESTED: usize = 4;

/// The objects of a document with their lines. What has no kind is none.
pub fn objects(document: &Document, mode: Mode) -> Vec<(usize, Value)> {
    let mut found = Vec::new();
    collect(&document.value, document.line, &document.items, mode, MOST_NESTED, &mut found);
    found
}

fn collect(value: &Value, line: usize, lines: &[usize], mode: Mode, depth: usize, found: &mut Vec<(usize, Value)>) {
    let kind = text(value, &["kind"]);
    if kind.is_empty() {
        return;
    }
    let items = value.get("items").and_then(Value::as_array);
    // A custom kind may end in `List` too: it has no items.
    let is_list = kind.ends_with("List") && (items.is_some() || kind == "List" || mode == Mode::Strict);
    if !is_list {
        found.push((line, value.clone()));
        return;
    }
    if depth == 0 {
        return;
    }
    for (number, item) in items.into_iter().flatten().enumerate() {
        let mut item = item.clone();
        if kind != "List" && mode == Mode::Safe && item.is_object() {
            set_default(&mut item, &["kind"], kind.trim_end_matches("List"));
            set_default(&mut item, &["apiVersion"], text(value, &["apiVersion"]));
        }
        collect(&item, lines.get(number).copied().unwrap_or(line), &[], mode, depth - 1, found);
    }
}

/// Makes an object ready to be applied.
///
/// # Errors
/// The key as far as it is known, and why the object cannot be applied.
pub fn prepare(
    mut object: Value,
    place: Place,
    context: Context<'_>,
) -> Result<(Manifest, Vec<Finding>), Box<Refused>> {
    let api_version = text(&object, &["apiVersion"]).to_owned();
    let kind = text(&object, &["kind"]).to_owned();
    let found = namespaced(&api_version, &kind, context);
    let namespace = match text(&object, &["metadata", "namespace"]) {
        "" => context.rules.default_namespace.clone(),
        namespace => namespace.to_owned(),
    };
    match found {
        Ok(true) | Err(_) => set(&mut object, &["metadata", "namespace"], namespace),
        Ok(false) => {
            remove(&mut object, &["metadata", "namespace"]);
        }
    }
    let key = ObjectKey::of(&object);
    let id = key.id();
    let refuse =
        |key: &ObjectKey, finding: Finding| Box::new(Refused { key: key.clone(), finding: finding.about(&key.id()) });
    if let Err((why, hint)) = found {
        let message = format!("cannot find scope of resource {id}: {why}");
        let finding = Finding::new(Level::Warning, Code::UnknownKind, place, message).hint(hint);
        return Err(refuse(&key, finding));
    }
    if let Some(why) = wrong_name(&key.at) {
        let message = format!("this {kind} {why}");
        return Err(refuse(&key, Finding::new(Level::Error, Code::NoName, place, message)));
    }
    if !is_allowed(&id, &context.rules.allowed_namespaces) {
        let message = format!("not applying resource {id}; excluded by namespace constraints");
        return Err(refuse(&key, Finding::new(Level::Warning, Code::NamespaceNotAllowed, place, message)));
    }
    clear(&mut object);
    let findings = wrong_texts(&object, &place, &id);
    let ignore = Ignore::of(&object);
    let checksum = checksum(&object);
    mark(&mut object, &context.set.mark(&id), &checksum);
    Ok((Manifest { key, id, api_version, object, ignore, checksum, place }, findings))
}

/// An object that cannot be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What it would be.
    pub key: ObjectKey,
    /// Why.
    pub finding: Finding,
}

/// Whether a kind's objects are in namespaces; else why that is not known, and what to do.
fn namespaced(api_version: &str, kind: &str, context: Context<'_>) -> Result<bool, (String, String)> {
    let other = match context.kinds.look_up(api_version, kind) {
        Lookup::Served(served) => return Ok(served.namespaced),
        Lookup::OtherVersion(served) => Some(served.api_version()),
        Lookup::Unknown => None,
    };
    let group = crate::cluster::object::group_of(api_version);
    let defined = context.defined.get(&crate::cluster::object::GroupKind::new(group, kind));
    if let Some(served) = defined.into_iter().flatten().find(|served| served.api_version() == api_version) {
        return Ok(served.namespaced);
    }
    let why =
        format!("the cluster serves no {kind} of {}", if api_version.is_empty() { "no version" } else { api_version });
    let hint = match other {
        Some(version) => format!("write `apiVersion: {version}`"),
        None => "add its CustomResourceDefinition to the repository or the cluster".to_owned(),
    };
    Err((why, hint))
}

/// Why the name cannot be asked for in an address, if so.
fn wrong_name(at: &Key) -> Option<String> {
    let wrong = |text: &str| text.contains(['/', '%', '?', '#', '\\']) || text.chars().any(char::is_control);
    if at.name.is_empty() {
        return Some("has no metadata.name".to_owned());
    }
    let part = [&at.name, &at.namespace].into_iter().find(|part| wrong(part) || matches!(&***part, "." | ".."));
    part.map(|part| format!("has the name `{}`, which no object can have", part.escape_debug()))
}

/// Whether an object may be touched at all.
fn is_allowed(id: &ResourceId, allowed: &[String]) -> bool {
    if allowed.is_empty() {
        return true;
    }
    let namespace = match (id.namespace.as_str(), id.kind.as_str()) {
        (crate::gitops::id::CLUSTER, "namespace") => &id.name,
        (crate::gitops::id::CLUSTER, _) => return true,
        _ => &id.namespace,
    };
    allowed.contains(namespace)
}

/// What servers write themselves is not asked for.
const SERVERS: [&str; 7] =
    ["creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

fn clear(object: &mut Value) {
    for name in SERVERS {
        remove(object, &["metadata", name]);
    }
    remove(object, &["status"]);
    if text(object, &["kind"]) == "Secret" && text(object, &["apiVersion"]) == "v1" {
        encode_secret(object);
    }
}

/// Servers turn `stringData` into `data`; so that both can be compared, it is done here.
fn encode_secret(secret: &mut Value) {
    use base64::Engine as _;

    let Some(Value::Object(plain)) = remove(secret, &["stringData"]) else { return };
    for (name, value) in plain {
        let encoded = value.as_str().map(|text| base64::prelude::BASE64_STANDARD.encode(text));
        set(secret, &["data", &name], encoded.map_or(value, Value::String));
    }
}

/// Values that have to be text but are none, as in `fluxcd.io/ignore: true`.
fn wrong_texts(object: &Value, place: &Place, id: &ResourceId) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in ["annotations", "labels"] {
        for (name, value) in map(object, &["metadata", field]).into_iter().flatten() {
            if !value.is_string() && !value.is_null() {
                let message = format!("the value {value} of {name} in metadata.{field} is no text");
                let finding = Finding::new(Level::Warning, Code::Annotation, place.clone(), message).about(id);
                findings.push(finding.hint(format!("quote it: `{name}: '{value}'`")));
            }
        }
    }
    findings
}

/// The checksum of an object as Git has it, whatever the order of its members.
pub fn checksum(object: &Value) -> String {
    Sha1::digest(yaml::text(object)).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts mark and checksum on an object; what it says itself stays.
fn mark(object: &mut Value, mark: &str, checksum: &str) {
    for (field, name, value) in [("labels", LABEL, mark), ("annotations", CHECKSUM, checksum)] {
        set_default(object, &["metadata", field, name], value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::kinds;
    use proptest::prelude::*;
    use serde_json::json;

    fn prepared(object: Value, rules: &Rules) -> Result<(Manifest, Vec<Finding>), Box<Refused>> {
        let (kinds, defined) = (kinds::usual(), Defined::new());
        let set = SyncSet::new("https://git.example.com/demo/config.git", "master", &["deploy/kubernetes".to_owned()]);
        let context = Context { kinds: &kinds, defined: &defined, rules, set: &set };
        prepare(object, Place { file: "a.yaml".to_owned(), line: 1 }, context)
    }

    #[test]
    fn an_object_is_made_ready() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "status": {"replicas": 1},
            "metadata": {"name": "podinfo", "creationTimestamp": null, "resourceVersion": "7"},
            "spec": {"replicas": 1},
        });
        let (manifest, findings) = prepared(object, &Rules::default()).unwrap();
        assert_eq!(findings, []);
        assert_eq!(manifest.id.to_string(), "default:deployment/podinfo");
        assert_eq!(
            manifest.object,
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {
                    "name": "podinfo", "namespace": "default",
                    "labels": {"fluxcd.io/sync-gc-mark": "sha256.NNH8Th3PD0FYnFJi5_xXLtEV5oI_EraA5p1COInf3Xs"},
                    "annotations": {"fluxcd.io/sync-checksum": manifest.checksum},
                },
                "spec": {"replicas": 1},
            })
        );
        assert_eq!(manifest.checksum.len(), 40);
    }

    #[test]
    fn what_cannot_be_applied_says_why() {
        let rules = Rules { allowed_namespaces: vec!["demo".to_owned()], ..Rules::default() };
        let why = |object: Value| match prepared(object, &rules) {
            Ok((manifest, _)) => manifest.id.to_string(),
            Err(refused) => refused.finding.message,
        };
        let object = |version: &str, kind: &str, name: &str, namespace: &str| json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}});
        let cases = [
            (object("v1", "ConfigMap", "a", "demo"), "demo:configmap/a"),
            (
                object("v1", "ConfigMap", "a", "other"),
                "not applying resource other:configmap/a; excluded by namespace constraints",
            ),
            (object("v1", "Namespace", "demo", "bogus"), "<cluster>:namespace/demo"),
            (
                object("v1", "Namespace", "x", ""),
                "not applying resource <cluster>:namespace/x; excluded by namespace constraints",
            ),
            (object("v1", "ConfigMap", "", "demo"), "this ConfigMap has no metadata.name"),
            (object("v1", "ConfigMap", "a/b", "demo"), "this ConfigMap has the name `a/b`, which no object can have"),
            (
                object("example.com/v1", "Widget", "w", ""),
                "cannot find scope of resource default:widget/w: the cluster serves no Widget of example.com/v1",
            ),
            (
                object("apps/v1beta1", "Deployment", "w", ""),
                "cannot find scope of resource default:deployment/w: the cluster serves no Deployment of apps/v1beta1",
            ),
        ];
        for (object, expected) in cases {
            assert_eq!(why(object), expected);
        }
        let refused = prepared(object("apps/v1beta1", "Deployment", "w", ""), &rules).unwrap_err();
        assert_eq!(refused.finding.hint.as_deref(), Some("write `apiVersion: apps/v1`"));
    }

    #[test]
    fn secrets_are_encoded_and_texts_checked() {
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": {"a": "b"}, "data": {"c": "ZA=="},
            "metadata": {"name": "s", "annotations": {"fluxcd.io/ignore": true}},
        });
        let (manifest, findings) = prepared(object, &Rules::default()).unwrap();
        assert_eq!(manifest.object.get("data"), Some(&json!({"c": "ZA==", "a": "Yg=="})));
        assert_eq!(manifest.ignore, Ignore::No);
        assert_eq!(findings[0].hint.as_deref(), Some("quote it: `fluxcd.io/ignore: 'true'`"));
    }

    #[test]
    fn lists_are_taken_apart() {
        let value = json!({"apiVersion": "v1", "kind": "ConfigMapList", "items": [
            {"metadata": {"name": "a"}},
            {"kind": "List", "items": [{"kind": "Secret", "apiVersion": "v1"}, {"no": "kind"}]},
        ]});
        let document = Document { line: 1, value, items: vec![3, 7] };
        let found = objects(&document, Mode::Safe);
        let kinds: Vec<(usize, &str)> = found.iter().map(|(line, object)| (*line, text(object, &["kind"]))).collect();
        assert_eq!(kinds, [(3, "ConfigMap"), (7, "Secret")]);
        let custom = json!({"apiVersion": "x/v1", "kind": "AllowList", "spec": {}});
        let document = Document { line: 1, value: custom, items: vec![] };
        assert_eq!(objects(&document, Mode::Safe).len(), 1);
        assert_eq!(objects(&document, Mode::Strict).len(), 0);
    }

    /// Values of all shapes, with the members that objects have.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            "(v1|apps/v1|List|Secret|ConfigMap|Deployment|true|[a-z/]{0,4})".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let name = "(apiVersion|kind|metadata|name|namespace|labels|annotations|items|data|stringData|[a-z]{1,3})";
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec((name, inner), 0..6).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// Whatever a document says, it becomes objects or reasons, and the objects can be compared with anything.
        #[test]
        fn no_object_does_harm(value in values(), other in values()) {
            let document = Document { line: 1, value, items: vec![] };
            for mode in [Mode::Safe, Mode::Strict] {
                for (_, object) in objects(&document, mode) {
                    if let Ok((manifest, _)) = prepared(object, &Rules::default()) {
                        prop_assert!(!manifest.key.at.name.is_empty());
                        prop_assert!(crate::gitops::diff::differences(&manifest.object, &manifest.object).is_empty());
                        crate::gitops::diff::changes(&manifest.object, &other);
                        crate::gitops::plan::decide(&manifest, Some(&other), &[]);
                        crate::gitops::health::health(&other);
                        crate::gitops::writer::writer(&other, "a.b[c=d].'e'");
                    }
                }
            }
        }
    }
}
