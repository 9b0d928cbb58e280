//! Plans: tables of what is wanted and there, and laws.

use super::*;
use crate::cluster::object::set;
use crate::gitops::files::prepare::{Context, prepare};
use crate::gitops::files::{Held, Rules as FileRules};
use crate::gitops::finding::Place;
use crate::gitops::kinds::{Defined, usual};
use proptest::prelude::*;
use serde_json::json;

fn sync_set() -> SyncSet {
    SyncSet::new("https://git.example.com/demo.git", "master", &[])
}

fn rules() -> Rules {
    Rules { set: sync_set(), prune: Prune::On, allow_empty: false }
}

fn manifest(object: Value) -> Arc<Manifest> {
    let (kinds, defined, files, set) = (usual(), Defined::new(), FileRules::default(), sync_set());
    let context = Context { kinds: &kinds, defined: &defined, rules: &files, set: &set };
    Arc::new(prepare(object, Place { file: "a.yaml".to_owned(), line: 1 }, context).unwrap().0)
}

fn config(name: &str, data: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": data}})
}

fn annotated(mut object: Value, name: &str, value: &str) -> Value {
    set(&mut object, &["metadata", "annotations", name], value);
    object
}

fn wanting(objects: &[Value]) -> Loaded {
    Loaded { manifests: objects.iter().cloned().map(manifest).collect(), ..Loaded::default() }
}

/// The cluster after everything was applied.
fn applied(loaded: &Loaded) -> Live {
    loaded.manifests.iter().map(|m| (m.key.clone(), Arc::new(m.object.clone()))).collect()
}

fn actions(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| {
            let word = match &change.action {
                Action::Create => "create".to_owned(),
                Action::Update { fields, .. } => {
                    format!("update {}", fields.iter().map(|f| f.path.as_str()).collect::<Vec<_>>().join(" "))
                }
                Action::Unchanged => "unchanged".to_owned(),
                Action::Prune => "prune".to_owned(),
                Action::Keep(keep) => format!("keep {keep:?}"),
                Action::Skip(skip) => format!("skip {skip:?}"),
            };
            format!("{} {word}", change.id)
        })
        .collect()
}

fn planned(desired: &Loaded, live: &Live, rules: &Rules) -> Vec<String> {
    actions(&plan(desired, live, &Tolerated::new(), rules))
}

#[test]
fn objects_are_made_changed_and_deleted() {
    let before = wanting(&[config("a", "1"), config("b", "1"), config("c", "1")]);
    let live = applied(&before);
    assert_eq!(
        planned(&before, &Live::new(), &rules()),
        ["default:configmap/a create", "default:configmap/b create", "default:configmap/c create"]
    );
    let after = wanting(&[config("a", "1"), config("b", "2"), config("d", "1")]);
    assert_eq!(
        planned(&after, &live, &rules()),
        [
            "default:configmap/a unchanged",
            "default:configmap/b update metadata.annotations.'fluxcd.io/sync-checksum' data.x",
            "default:configmap/d create",
            "default:configmap/c prune",
        ]
    );
}

#[test]
fn ignoring_works_from_both_sides() {
    let normal = wanting(&[config("a", "2")]);
    let ignored = wanting(&[annotated(config("a", "2"), "fluxcd.io/ignore", "true")]);
    let live = applied(&wanting(&[config("a", "1")]));
    let in_cluster = |value: &str| -> Live {
        live.iter()
            .map(|(k, v)| (k.clone(), Arc::new(annotated((**v).clone(), "flux.weave.works/ignore", value))))
            .collect()
    };
    assert_eq!(planned(&ignored, &Live::new(), &rules()), ["default:configmap/a skip IgnoredInGit"]);
    assert_eq!(planned(&ignored, &live, &rules()), ["default:configmap/a skip IgnoredInGit"]);
    assert_eq!(planned(&normal, &in_cluster("true"), &rules()), ["default:configmap/a skip IgnoredInCluster"]);
    assert!(planned(&normal, &in_cluster("sync_only"), &rules())[0].contains("update"));
    let other = wanting(&[config("z", "1")]);
    let last = |live: &Live| planned(&other, live, &rules()).pop().unwrap();
    assert_eq!(last(&in_cluster("true")), "default:configmap/a keep Ignored");
    assert_eq!(last(&in_cluster("sync_only")), "default:configmap/a keep SyncOnly");
    assert_eq!(last(&live), "default:configmap/a prune");
}

#[test]
fn only_our_own_objects_are_deleted() {
    let live = applied(&wanting(&[config("a", "1")]));
    let (key, object) = live.iter().next().unwrap();
    let other = wanting(&[config("z", "1")]);
    let fate = |change: &dyn Fn(&mut Value), key: ObjectKey| {
        let mut object = (**object).clone();
        change(&mut object);
        let live = Live::from([(key, Arc::new(object))]);
        planned(&other, &live, &rules()).into_iter().nth(1)
    };
    let mut copy = key.clone();
    copy.at = crate::cluster::object::Key::new("default", "copy");
    assert_eq!(fate(&|_| {}, copy), None, "a copied label means nothing");
    assert_eq!(fate(&|o| set(o, &["metadata", "labels"], json!({})), key.clone()), None);
    let owned = fate(&|o| set(o, &["metadata", "ownerReferences"], json!([{"uid": "x"}])), key.clone());
    assert_eq!(owned.as_deref(), Some("default:configmap/a keep Owned"));
    let elsewhere =
        Rules { set: SyncSet::new("https://git.example.com/demo.git", "master", &["a".to_owned()]), ..rules() };
    assert_eq!(planned(&other, &live, &elsewhere), ["default:configmap/z create"], "another path is another set");
}

#[test]
fn deleting_is_careful() {
    let live = applied(&wanting(&[config("a", "1")]));
    let other = wanting(&[config("z", "1")]);
    let last = |desired: &Loaded, rules: &Rules| planned(desired, &live, rules).pop().unwrap();
    let with = |prune: Prune| Rules { prune, ..rules() };
    assert_eq!(last(&other, &with(Prune::Off)), "default:configmap/a keep PruneOff");
    assert_eq!(last(&other, &with(Prune::Dry)), "default:configmap/a keep DryRun");
    assert_eq!(last(&Loaded::default(), &rules()), "default:configmap/a keep EmptyRepository");
    assert_eq!(last(&Loaded::default(), &Rules { allow_empty: true, ..rules() }), "default:configmap/a prune");
    let unread = Loaded { unread: vec!["b.yaml".to_owned()], ..other };
    assert_eq!(last(&unread, &rules()), "default:configmap/a keep Unread(\"b.yaml\")");
    let key = live.keys().next().unwrap().clone();
    let place = Place { file: "a.yaml".to_owned(), line: 1 };
    let held = Held { key: key.clone(), why: Hold::Duplicate, reason: "twice".to_owned(), place };
    let twice = Loaded { held: vec![held], ..Loaded::default() };
    assert_eq!(last(&twice, &rules()), "default:configmap/a skip Held(Duplicate, \"twice\")");
}

#[test]
fn what_the_cluster_writes_in_its_own_way_is_tolerated() {
    let desired = wanting(&[config("a", "1")]);
    let mut live = applied(&desired);
    let key = live.keys().next().unwrap().clone();
    let mut object = (*live[&key]).clone();
    set(&mut object, &["data", "x"], "one");
    live.insert(key.clone(), Arc::new(object.clone()));
    let fields = differences(&desired.manifests[0].object, &object);
    let tolerated = Tolerated::from([(key.clone(), fields)]);
    assert_eq!(actions(&plan(&desired, &live, &tolerated, &rules())), ["default:configmap/a unchanged"]);
    set(&mut object, &["data", "x"], "two");
    live.insert(key.clone(), Arc::new(object.clone()));
    assert_eq!(actions(&plan(&desired, &live, &tolerated, &rules())), ["default:configmap/a update data.x"]);
    set(&mut object, &["metadata", "deletionTimestamp"], "2024-01-01T00:00:00Z");
    live.insert(key, Arc::new(object));
    assert_eq!(planned(&desired, &live, &rules()), ["default:configmap/a skip Terminating"]);
}

#[test]
fn the_order_is_by_rank_and_name() {
    let mut ids: Vec<ResourceId> = [
        "a:helmrelease/a",
        "a:deployment/a",
        "a:configmap/z",
        "a:service/b",
        "a:secret/b",
        "<cluster>:namespace/z",
        "<cluster>:customresourcedefinition/c",
        "b:cronjob/0",
    ]
    .iter()
    .map(|id| ResourceId::parse(id).unwrap())
    .collect();
    order(&mut ids);
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(
        ids,
        [
            "<cluster>:namespace/z",
            "a:service/b",
            "<cluster>:customresourcedefinition/c",
            "a:secret/b",
            "a:configmap/z",
            "b:cronjob/0",
            "a:deployment/a",
            "a:helmrelease/a",
        ]
    );
}

proptest! {
    /// Whatever is there, after a plan was carried out nothing is left to do.
    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(
        wanted in proptest::collection::btree_map("[a-e]", "[0-2]", 1..5),
        there in proptest::collection::btree_map("[a-e]", "[0-2]", 0..5),
        prune in proptest::bool::ANY,
    ) {
        let of = |map: &std::collections::BTreeMap<String, String>| {
            wanting(&map.iter().map(|(name, data)| config(name, data)).collect::<Vec<_>>())
        };
        let (desired, mut live) = (of(&wanted), applied(&of(&there)));
        let rules = Rules { prune: if prune { Prune::On } else { Prune::Off }, ..rules() };
        for change in plan(&desired, &live, &Tolerated::new(), &rules).changes {
            match change.action {
                Action::Create | Action::Update { .. } => {
                    live.insert(change.key, Arc::new(change.manifest.unwrap().object.clone()));
                }
                Action::Prune => {
                    live.remove(&change.key);
                }
                _ => {}
            }
        }
        prop_assert!(plan(&desired, &live, &Tolerated::new(), &rules).is_empty());
        for name in wanted.keys() {
            let key = ObjectKey::of(&manifest(config(name, "")).object);
            prop_assert!(live.contains_key(&key));
        }
        if prune {
            prop_assert_eq!(live.len(), wanted.len());
        }
    }
}
