//! Flux v1's behaviour in scanning, ordering, ignoring, collecting and syncing. Scenarios in words become fixtures.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::gitops::api::Objects;
use foredeck::gitops::build::{self, Build};
use foredeck::gitops::event::sync_text;
use foredeck::gitops::files::prepare::{Context, prepare};
use foredeck::gitops::files::{Generation, Loaded, Mode, Rules, clean_path, scan};
use foredeck::gitops::finding::Place;
use foredeck::gitops::git::signature::VerifyMode;
use foredeck::gitops::git::tree::{Entry, EntryKind};
use foredeck::gitops::git::{Mirror, Program, Remote};
use foredeck::gitops::id::ResourceId;
use foredeck::gitops::kinds::{Defined, Kinds};
use foredeck::gitops::mark::{LABEL, SyncSet};
use foredeck::gitops::object::{Manifest, ObjectKey};
use foredeck::gitops::plan::{self, Action, Live, Plan, Prune, Tolerated, order, plan};
use foredeck::gitops::schedule::{Intervals, Outcome, Schedule, Trigger, Work};
use foredeck::gitops::settings::Settings;
use foredeck::gitops::source::Phase;
use serde_json::{Value, json};

use crate::harness::gitops::{Forge, GitopsTest, config, deployment, signed};

/// What a case came to: nothing when it cannot be expressed.
type Judged = Option<Result<(), String>>;

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Judged {
    Some(if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) })
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// Judges all cases of an area.
async fn area(name: &str, judge: impl AsyncFn(&str, &Value, &Value) -> Judged) {
    let Some(cases) = super::cases("gitops.json") else { return };
    let (mut good, mut wrong, mut unclear) = (0, Vec::new(), Vec::new());
    for case in cases.iter().filter(|case| case["area"] == *name) {
        let id = case["id"].as_str().unwrap_or("");
        match judge(id, &case["input"], &case["expect"]).await {
            Some(Ok(())) => good += 1,
            Some(Err(why)) => wrong.push(format!("{id}: {why}")),
            None => unclear.push(id.to_owned()),
        }
    }
    eprintln!("{name}: {good} hold; {} cannot be expressed: {unclear:?}", unclear.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn set() -> SyncSet {
    SyncSet::new("https://git.example.com/demo.git", "master", &[])
}

/// A cluster's kinds, read from a real discovery.
async fn kinds() -> Arc<Kinds> {
    let cluster = Embedded::start(Config::default()).await.expect("a cluster starts");
    let kinds = Objects::new(cluster.client(), Duration::from_secs(5)).kinds().await.expect("it answers");
    cluster.stop().await;
    Arc::new(kinds)
}

/// As Flux v1 counts files.
fn v1_rules(paths: &[String]) -> Rules {
    Rules { paths: paths.to_vec(), kustomize: false, mode: Mode::Strict, ..Rules::default() }
}

/// A file of a scenario: its name, and what it holds by the words behind it.
fn file(words: &str) -> (String, String) {
    let (name, about) = words.split_once(" (").unwrap_or((words, ""));
    let about = about.trim_end_matches(')');
    let stem: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let content = match about.split_once(' ') {
        Some(("Namespace", name)) => namespace(name),
        Some(("no", _)) => "on: push\n".to_owned(),
        Some(("generator:", _)) => {
            let object = config("generated", "1").replace('\n', "\\n").replace('"', "\\\"");
            format!(
                "version: 1\ncommandUpdated:\n  generators:\n  - command: \"printf '{}'\"\n",
                object.replace("\\\"", "\\\\\\\"")
            )
        }
        _ if name.ends_with(".flux.yaml") => "version: 1\ncommandUpdated: {generators: []}\n".to_owned(),
        _ => config(stem.trim_matches('-'), "1"),
    };
    (name.to_owned(), content)
}

fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")
}

/// Loads files as a real revision.
async fn load(files: &[(String, String)], rules: Rules, kinds: &Arc<Kinds>) -> Arc<Loaded> {
    let forge = Forge::new();
    forge.remove("README.md");
    for (name, content) in files {
        forge.write(name, content);
    }
    let commit = forge.push();
    let remote = Remote::new(&forge.url(), "master");
    let mirror = Mirror::open(Program::default(), &forge.path("mirror.git"), remote).await.expect("a mirror");
    mirror.fetch(Duration::from_secs(20)).await.expect("it is fetched");
    let settings = build::Settings {
        rules,
        set: set(),
        scratch: forge.path("scratch"),
        kubectl: None,
        limit: Duration::from_secs(20),
    };
    Build::new(settings).load(&mirror, &commit, kinds).await.expect("it is read")
}

fn ids(loaded: &Loaded) -> Vec<String> {
    loaded.manifests.iter().map(|manifest| manifest.id.to_string()).collect()
}

fn scanned(names: &[String], path: &str) -> Vec<String> {
    let entry =
        |name: &String| Entry { path: name.clone(), kind: EntryKind::File, executable: false, blob: name.clone() };
    let mut entries: Vec<Entry> = names.iter().map(entry).collect();
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    let paths: Vec<String> = (!path.is_empty()).then(|| path.to_owned()).into_iter().collect();
    let found = scan(&entries, &HashMap::new(), &v1_rules(&paths));
    found.roots.iter().flat_map(|root| &root.files).map(|file| file.path.clone()).collect()
}

async fn judge_scan(kinds: &Arc<Kinds>, input: &Value, expect: &Value) -> Judged {
    if let Some(path) = text(input, "flag").strip_prefix("--git-path=") {
        let error = clean_path(path).err()?.to_string();
        return Some(if error.contains(text(expect, "error_contains")) { Ok(()) } else { Err(error) });
    }
    if let (Some(files), Some(loaded)) = (texts(&input["files"]), texts(&expect["loaded"])) {
        let sorted: BTreeSet<String> = scanned(&files, text(input, "git_path")).into_iter().collect();
        return same(&sorted, &loaded.into_iter().collect());
    }
    if let (Some(files), Some(from)) = (texts(&input["files"]), texts(&expect["objects_from"])) {
        let files: Vec<(String, String)> = files.iter().map(|words| file(words)).collect();
        let loaded = load(&files, v1_rules(&[]), kinds).await;
        let found: BTreeSet<String> = loaded.manifests.iter().map(|manifest| manifest.place.file.clone()).collect();
        return same(&found, &from.into_iter().collect());
    }
    if let Some(files) = whole_files(input) {
        return judge_files(&files, kinds, input, expect).await;
    }
    let manifests = match (input.get("manifest").and_then(Value::as_str), texts(&input["manifests"])) {
        (Some(manifest), _) => manifest.to_owned(),
        (None, Some(words)) => words.iter().map(|words| described(words)).collect::<Option<Vec<_>>>()?.join("---\n"),
        _ => return None,
    };
    let mut rules = v1_rules(&[]);
    if let Some(namespace) = input.get("default_namespace").and_then(Value::as_str) {
        rules.default_namespace = namespace.to_owned();
    }
    let loaded = load(&[("a.yaml".to_owned(), manifests)], rules, kinds).await;
    if let Some(objects) = texts(&expect["objects"]) {
        return same(&ids(&loaded), &objects);
    }
    if let Some(object) = expect.get("object").and_then(Value::as_str) {
        return same(&ids(&loaded), &vec![object.to_owned()]);
    }
    if let Some(object) = expect.get("objects_include").and_then(Value::as_str) {
        let mut order_of = loaded.manifests.iter().map(|manifest| manifest.id.clone()).collect::<Vec<_>>();
        order(&mut order_of);
        let last = order_of.last().map(ToString::to_string);
        return same(&last.as_deref(), &Some(object));
    }
    let applied = texts(&expect["applied"])?;
    let warning = text(expect, "warning_contains");
    let warned = loaded.findings.iter().any(|finding| finding.message.contains(warning));
    same(&(ids(&loaded), warned, loaded.refused.is_some()), &(applied, true, false))
}

/// Files that a case gives with their content, or as words while it names an error to come.
fn whole_files(input: &Value) -> Option<Vec<(String, String)>> {
    let files = input["files"].as_object()?.iter();
    files.map(|(name, content)| Some((name.clone(), content.as_str()?.to_owned()))).collect()
}

/// Loads files and compares what comes of it: an error, or objects.
async fn judge_files(files: &[(String, String)], kinds: &Arc<Kinds>, input: &Value, expect: &Value) -> Judged {
    let paths: Vec<String> = input.get("git_path").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    let loaded = load(files, v1_rules(&paths), kinds).await;
    let error = ["error", "error_contains"].into_iter().find_map(|name| expect[name].as_str());
    match (error, &loaded.refused) {
        (Some(error), Some(refused)) if refused.contains(error) => Some(Ok(())),
        (Some(error), refused) => Some(Err(format!("{refused:?} instead of {error}"))),
        (None, _) => {
            let expected = texts(&expect["objects"]).or_else(|| texts(&expect["applied"]))?;
            same(&ids(&loaded).into_iter().collect::<BTreeSet<_>>(), &expected.into_iter().collect())
        }
    }
}

/// A manifest by words such as `Widget w` and `CustomResourceDefinition widgets.example.com (Namespaced)`.
fn described(words: &str) -> Option<String> {
    let mut parts = words.split(' ');
    let (kind, name) = (parts.next()?, parts.next()?);
    let scope = parts.next().map_or("Namespaced", |word| word.trim_matches(['(', ')']));
    if kind != "CustomResourceDefinition" {
        return Some(format!("apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"));
    }
    let (plural, group) = name.split_once('.')?;
    let singular = plural.trim_end_matches('s');
    let kind: String = singular.chars().take(1).flat_map(char::to_uppercase).chain(singular.chars().skip(1)).collect();
    Some(format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}}}\n\
         spec: {{group: {group}, scope: {scope}, names: {{plural: {plural}, kind: {kind}}}, versions: [{{name: v1}}]}}\n"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors_gitops_file_scan() {
    let kinds = kinds().await;
    area("file-scan", async |_, input, expect| judge_scan(&kinds, input, expect).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors_gitops_manifest_generation() {
    let kinds = kinds().await;
    area("manifest-generation", async |_, input, expect| {
        let files: Vec<(String, String)> = texts(&input["files"])?.iter().map(|words| file(words)).collect();
        let off = text(input, "flag").contains("no --manifest-generation");
        let paths: Vec<String> = input.get("git_path").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
        let generation = if off { Generation::Off } else { Generation::Trusted };
        let loaded = load(&files, Rules { generation, ..v1_rules(&paths) }, &kinds).await;
        let from: BTreeSet<&str> = loaded.manifests.iter().map(|m| m.place.file.as_str()).collect();
        match text(expect, "objects") {
            "generator output only" => {
                let found: BTreeSet<&str> = from.iter().copied().filter(|f| !f.ends_with(".flux.yaml")).collect();
                same(&(found.len(), ids(&loaded)), &(0, vec!["default:configmap/generated".to_owned()]))
            }
            words => {
                let file = words.strip_prefix("from ")?.split([';', ' ']).next()?;
                same(&from, &BTreeSet::from([file]))
            }
        }
    })
    .await;
}

#[tokio::test]
async fn vectors_gitops_apply_order() {
    area("apply-order", async |_, input, expect| {
        let backwards = input.get("delete").is_some();
        let given = ["delete", "apply", "objects"].into_iter().find_map(|name| texts(&input[name]))?;
        let mut ids = given.iter().map(|id| ResourceId::parse(id)).collect::<Result<Vec<_>, _>>().ok()?;
        order(&mut ids);
        if backwards {
            ids.reverse();
        }
        same(&ids.iter().map(ToString::to_string).collect::<Vec<_>>(), &texts(expect)?)
    })
    .await;
}

/// Objects of scenarios: `ns`, `dep1`, `dep1 with ignore sync_only`.
fn object(words: &str) -> Option<Value> {
    let name = words.split(' ').next()?;
    let mut object = if name.starts_with("ns") {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    } else if name.starts_with("dep") {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": 1}})
    } else {
        return None;
    };
    if words.contains("sync_only") {
        annotate(&mut object, "sync_only");
    } else if words.contains("ignore") {
        annotate(&mut object, "true");
    }
    Some(object)
}

fn annotate(object: &mut Value, value: &str) {
    object["metadata"]["annotations"]["fluxcd.io/ignore"] = json!(value);
}

fn ready(objects: &[Value], kinds: &Kinds, set: &SyncSet) -> Loaded {
    let (defined, rules) = (Defined::new(), Rules::default());
    let context = Context { kinds, defined: &defined, rules: &rules, set };
    let manifest = |object: &Value| -> Arc<Manifest> {
        let place = Place { file: "a.yaml".to_owned(), line: 1 };
        Arc::new(prepare(object.clone(), place, context).expect("a known kind").0)
    };
    Loaded { manifests: objects.iter().map(manifest).collect(), ..Loaded::default() }
}

/// The cluster after a plan.
fn after(mut live: Live, plan: &Plan) -> Live {
    for change in &plan.changes {
        match (&change.action, &change.manifest) {
            (Action::Create | Action::Update { .. }, Some(manifest)) => {
                live.insert(change.key.clone(), Arc::new(manifest.object.clone()));
            }
            (Action::Prune, _) => {
                live.remove(&change.key);
            }
            _ => {}
        }
    }
    live
}

fn rules(flag: &str, set: SyncSet) -> plan::Rules {
    let prune = match flag {
        "--sync-garbage-collection" => Prune::On,
        "--sync-garbage-collection-dry" => Prune::Dry,
        _ => Prune::Off,
    };
    // Flux v1 deletes everything when the repository is empty.
    plan::Rules { set, prune, allow_empty: true }
}

fn names(live: &Live) -> BTreeSet<String> {
    live.keys().map(|key| key.at.name.to_string()).collect()
}

fn judge_gc(kinds: &Kinds, id: &str, input: &Value, expect: &Value) -> Judged {
    if let (Some(url), Some(branch), Some(paths)) =
        (input["url"].as_str(), input["branch"].as_str(), texts(&input["paths"]))
    {
        let set = SyncSet::new(url, branch, &paths);
        if let Some(name) = expect["sync_set"].as_str()
            && name != set.name()
        {
            return Some(Err(format!("the set is {}", set.name())));
        }
        if let Some(mark) = expect["label_value"].as_str() {
            let id = ResourceId::parse(input["resource"].as_str()?).ok()?;
            return same(&set.mark(&id).as_str(), &mark);
        }
        return Some(Ok(()));
    }
    let (ours, flag) = (set(), text(input, "flag"));
    let tolerated = Tolerated::new();
    let words = |name: &str| texts(&input[name]).map(|w| w.iter().map(|w| object(w)).collect::<Option<Vec<_>>>());
    let scenario = format!("{}{}", text(input, "note"), text(input, "cluster"));
    let synced = words("synced").unwrap_or_else(|| Some(vec![object("dep1")?]))?;
    let then = words("then_git").unwrap_or_else(|| Some(Vec::new()))?;
    let mut live =
        after(Live::new(), &plan(&ready(&synced, kinds, &ours), &Live::new(), &tolerated, &rules(flag, ours.clone())));
    let of = |name: &str| ObjectKey::of(&ready(&[object(name).expect("a name")], kinds, &ours).manifests[0].object);
    let mut other = ours.clone();
    if scenario.contains("depcopy") {
        let mut copy = (*live[&of("dep1")]).clone();
        copy["metadata"]["name"] = json!("depcopy");
        live.insert(of("depcopy"), Arc::new(copy));
    } else if scenario.contains("annotated ignore=true in the cluster") {
        let mut annotated = (*live[&of("dep1")]).clone();
        annotate(&mut annotated, "true");
        live.insert(of("dep1"), Arc::new(annotated));
    } else if scenario.contains("never in git") {
        let name = scenario.split(' ').next()?;
        live = Live::from([(of(name), Arc::new(object(name)?))]);
    } else if scenario.contains("ownerReferences") {
        let mut owned = (*live[&of("dep1")]).clone();
        owned["metadata"]["ownerReferences"] = json!([{"uid": "x"}]);
        assert!(owned["metadata"]["labels"][LABEL].is_string());
        live = Live::from([(of("dep1"), Arc::new(owned))]);
    } else if text(input, "change").contains("--git-path") {
        other = SyncSet::new("https://git.example.com/demo.git", "master", &["b".to_owned()]);
    } else if !scenario.is_empty() {
        return None;
    }
    let rejected = texts(&input["then_git"]).is_some_and(|words| words.iter().any(|word| word.contains("rejects")));
    let plan = plan(&ready(&then, kinds, &other), &live, &tolerated, &rules(flag, other));
    let mut steps = plan;
    if rejected {
        // What the API server rejects stays as it is.
        steps.changes.retain(|change| change.action == Action::Prune);
    }
    let before = names(&live);
    let left = names(&after(live, &steps));
    let deleted: BTreeSet<String> = before.difference(&left).cloned().collect();
    if let Some(cluster) = texts(&expect["cluster"]) {
        return same(&left, &cluster.into_iter().collect());
    }
    match &expect["deleted"] {
        Value::Bool(any) => same(&!deleted.is_empty(), any),
        list => {
            let expected = texts(list)?.into_iter().collect();
            let _ = id;
            same(&deleted, &expected)
        }
    }
}

#[tokio::test]
async fn vectors_gitops_gc() {
    let kinds = kinds().await;
    area("gc", async |id, input, expect| judge_gc(&kinds, id, input, expect)).await;
}

fn judge_ignore(kinds: &Kinds, input: &Value, expect: &Value) -> Judged {
    let (ours, tolerated) = (set(), Tolerated::new());
    let rules = |prune| plan::Rules { set: set(), prune, allow_empty: true };
    let is_ignored = |annotations: &Value| {
        let object =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": annotations}});
        plan(&ready(&[object], kinds, &ours), &Live::new(), &tolerated, &rules(Prune::Off)).is_empty()
    };
    if let Some(all) = input["annotations"].as_array() {
        return same(&all.iter().all(is_ignored), &(expect["both"] == "ignored"));
    }
    if input["annotations"].is_object() {
        return same(&!is_ignored(&input["annotations"]), &expect["applied"].as_bool()?);
    }
    if let Some(yaml) = input["annotations_yaml"].as_str() {
        let annotations = foredeck::cluster::yaml::value(yaml).ok()?;
        return same(&is_ignored(&annotations), &expect["ignored"].as_bool()?);
    }
    if let Some(git) = input["git"].as_object() {
        let annotated = git.values().map(|object| is_ignored(&object["annotations"]));
        return same(&!annotated.into_iter().all(|ignored| ignored), &expect["created"].as_bool()?);
    }
    let (git, cluster) = (text(input, "git"), format!("{}{}", text(input, "cluster"), text(input, "cluster_before")));
    let says_ignore = |words: &str| words.contains("ignore true") || words.contains("ignore=true");
    let mut before = object("dep1")?;
    let mut live =
        after(Live::new(), &plan(&ready(&[before.clone()], kinds, &ours), &Live::new(), &tolerated, &rules(Prune::On)));
    let key = live.keys().next()?.clone();
    let mut found = (*live[&key]).clone();
    if says_ignore(&cluster) {
        annotate(&mut found, "true");
    }
    if cluster.contains("no gc label") {
        found["metadata"]["labels"] = json!({});
    }
    live.insert(key.clone(), Arc::new(found.clone()));
    before["metadata"]["labels"]["app"] = json!("bar");
    if says_ignore(git) && !git.contains("no annotation") {
        annotate(&mut before, "true");
    }
    let prune = if input["gc"] == true { Prune::On } else { Prune::Off };
    let left = after(live.clone(), &plan(&ready(&[before], kinds, &ours), &live, &tolerated, &rules(prune)));
    let updated = left.get(&key) != Some(&Arc::new(found));
    let mut outcome = vec![updated, !left.contains_key(&key)];
    let mut expected = vec![expect["updated"].as_bool()?, expect["deleted"].as_bool().unwrap_or(false)];
    if let Some(deleted) = expect.pointer("/then_removed_from_git/deleted").and_then(Value::as_bool) {
        let left = after(left.clone(), &plan(&Loaded::default(), &left, &tolerated, &rules(prune)));
        outcome.push(!left.contains_key(&key));
        expected.push(deleted);
    }
    same(&outcome, &expected)
}

#[tokio::test]
async fn vectors_gitops_ignore() {
    let kinds = kinds().await;
    area("ignore", async |_, input, expect| judge_ignore(&kinds, input, expect)).await;
}

fn like_v1(settings: &mut Settings) {
    *settings = settings.clone().like_flux_v1();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors_gitops_load_error() {
    let kinds = kinds().await;
    area("load-error", async |_, input, expect| {
        if let Some(files) = whole_files(input) {
            return judge_files(&files, &kinds, input, expect).await;
        }
        let words = texts(&input["objects"])?;
        let test = GitopsTest::with(Forge::new(), like_v1).await;
        let mut expected = Vec::new();
        for (number, words) in words.iter().enumerate() {
            let name = format!("o{number}");
            let text = match (words.split(' ').next()?, words.contains("rejected")) {
                ("ns", _) => namespace(&name),
                (_, false) => deployment(&name, 1),
                (_, true) => deployment(&name, 1).replace("image: ", "imagePullPolicy: Nonsense\n        image: "),
            };
            if !words.contains("rejected") {
                expected.push(name.clone());
            }
            test.forge.write(&format!("{name}.yaml"), &text);
        }
        let record = test.push().await;
        let mut applied = Vec::new();
        for changed in &record.changed {
            applied.push(changed.id.rsplit('/').next()?.to_owned());
        }
        applied.sort();
        let errors = expect["sync_event_errors"].as_u64()?;
        let moved = test.forge.tag() == record.revision;
        test.stop().await;
        same(
            &(applied, record.errors.len() as u64, moved),
            &(expected, errors, text(expect, "sync_tag") == "moved to HEAD"),
        )
    })
    .await;
}

/// What is due after a look at the repository that found `head`, as Flux v1 does it.
fn after_refresh(why: Trigger, head: &str) -> Option<Work> {
    let mut schedule = Schedule::new(Intervals::default(), Mode::Strict);
    let second = Duration::from_secs;
    schedule.due(second(0));
    schedule.fetched("a", second(0));
    schedule.due(second(0));
    schedule.synced(Outcome::Good, second(0));
    schedule.ask(why);
    schedule.due(second(10));
    schedule.fetched(head, second(10));
    schedule.due(second(10))
}

async fn judge_loop(input: &Value, expect: &Value) -> Judged {
    if let (Some(commits), Some(updated)) = (texts(&input["commits_newest_first"]), texts(&input["updated"])) {
        let ids = updated.iter().map(|id| ResourceId::parse(id)).collect::<Result<Vec<_>, _>>().ok()?;
        let commits: Vec<&str> = commits.iter().map(String::as_str).collect();
        return same(&sync_text(&commits, &ids).as_str(), &expect.as_str()?);
    }
    let event = text(input, "event");
    if event.contains("new HEAD") {
        return same(&after_refresh(Trigger::Push, "b"), &Some(Work::Sync(Trigger::Push)));
    }
    if event.contains("HEAD unchanged") {
        return same(&after_refresh(Trigger::Demand, "a").is_some(), &expect["sync"].as_bool()?);
    }
    if input.get("delete").is_some() {
        return self_heal(expect["recreated"].as_bool()?).await;
    }
    if text(input, "kubectl").starts_with("scale to ") {
        return unmanaged(expect["after_sync"].as_u64()?).await;
    }
    if input.get("git_path").is_some() && text(input, "commit").starts_with("touches only ") {
        return outside_path(text(input, "git_path"), expect).await;
    }
    if text(input, "after").contains("force push") {
        return force_push().await;
    }
    if text(input, "git").starts_with("unreachable") {
        return git_down(expect).await;
    }
    if let Some(branch) = text(input, "flag").strip_prefix("--git-branch=") {
        let branch = branch.to_owned();
        let set = |settings: &mut Settings| {
            if let Some(remote) = &mut settings.remote {
                remote.branch = branch;
            }
        };
        let test = GitopsTest::with(Forge::new(), set).await;
        let status = test.until("it fails", |status| status.source.error.is_some()).await;
        test.stop().await;
        return same(&status.source.error.as_deref(), &Some(text(expect, "error")));
    }
    if text(input, "deploy_key") == "read only" {
        return read_only_key().await;
    }
    None
}

/// Flux v1 whose timer is fast.
fn fast_v1(settings: &mut Settings) {
    like_v1(settings);
    settings.intervals.sync = Duration::from_millis(100);
}

async fn self_heal(expected: bool) -> Judged {
    let test = GitopsTest::with(Forge::new(), fast_v1).await;
    test.forge.write("a.yaml", &deployment("podinfo", 1));
    test.push().await;
    test.delete("apps/v1", "Deployment", "podinfo").await;
    test.until_object("apps/v1", "Deployment", "podinfo", |found| found.is_some()).await;
    test.stop().await;
    same(&true, &expected)
}

async fn unmanaged(replicas: u64) -> Judged {
    let test = GitopsTest::with(Forge::new(), like_v1).await;
    test.forge.write("a.yaml", &deployment("podinfo", 1).replace("  replicas: 1\n", ""));
    test.push().await;
    test.patch("apps/v1", "Deployment", "podinfo", json!({"spec": {"replicas": replicas}})).await;
    test.forge.write("b.yaml", &config("b", "1"));
    test.push().await;
    let found = test.get("apps/v1", "Deployment", "podinfo").await?;
    test.stop().await;
    same(&found.pointer("/spec/replicas").and_then(Value::as_u64), &Some(replicas))
}

async fn outside_path(path: &str, expect: &Value) -> Judged {
    let test = GitopsTest::with(Forge::new(), |settings| {
        like_v1(settings);
        settings.paths = vec![path.to_owned()];
    })
    .await;
    test.forge.write(&format!("{path}/a.yaml"), &config("a", "1"));
    test.push().await;
    test.forge.write("README.md", "other\n");
    let record = test.push().await;
    let moved = test.forge.tag() == record.revision;
    test.stop().await;
    same(&(record.event.is_some(), moved), &(expect["sync_event"].as_bool()?, text(expect, "tag") == "moves"))
}

async fn force_push() -> Judged {
    let test = GitopsTest::with(Forge::new(), like_v1).await;
    let base = test.forge.git(&test.forge.work(), &["rev-parse", "HEAD"]);
    for value in ["b", "c"] {
        test.forge.write("a.yaml", &config("a", value));
        test.push().await;
    }
    test.forge.git(&test.forge.work(), &["reset", "-q", "--hard", &base]);
    test.forge.write("a.yaml", &config("a", "d"));
    let record = test.push().await;
    let commits: Vec<String> = record.commits.iter().map(|commit| commit.id.clone()).collect();
    let head = record.revision.clone()?;
    let tag = test.forge.tag();
    test.stop().await;
    same(&(commits, tag), &(vec![head.clone()], Some(head)))
}

async fn git_down(expect: &Value) -> Judged {
    let test = GitopsTest::with(Forge::new(), |settings| {
        fast_v1(settings);
        settings.intervals.poll = Duration::from_millis(100);
    })
    .await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.push().await;
    std::fs::rename(test.forge.remote(), test.forge.path("away")).ok()?;
    test.until("git is away", |status| status.source.phase != Phase::Ready).await;
    test.delete("v1", "ConfigMap", "a").await;
    // As many syncs as the timer allows in a while: there must be none.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let healed = test.get("v1", "ConfigMap", "a").await.is_some();
    let status = test.handle.status().borrow().clone();
    std::fs::rename(test.forge.path("away"), test.forge.remote()).ok()?;
    let wait = status.next.fetch?.as_second() - status.source.since?.as_second();
    test.handle.pushed();
    test.until_object("v1", "ConfigMap", "a", |found| found.is_some()).await;
    test.stop().await;
    let retry = expect["retry_every_s"].as_i64()?;
    same(&(healed, (wait - retry).abs() <= 1), &(expect["healed"].as_bool()?, true))
}

async fn read_only_key() -> Judged {
    let forge = Forge::new();
    let hook = forge.remote().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent()?).ok()?;
    std::fs::write(&hook, "#!/bin/sh\necho this key is read-only >&2\nexit 1\n").ok()?;
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).ok()?;
    let test = GitopsTest::with(forge, like_v1).await;
    let status = test.until("the write check fails", |status| status.source.error.is_some()).await;
    let tags = test.forge.git(&test.forge.remote(), &["tag"]);
    test.stop().await;
    same(&(status.source.phase, tags.as_str()), &(Phase::Cloned, ""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors_gitops_sync_loop() {
    area("sync-loop", async |_, input, expect| judge_loop(input, expect).await).await;
}

/// A repository with signed commits, followed by one that is not; the mode that is asked for.
async fn signing(mode: &str) -> Option<(GitopsTest, String)> {
    let forge = Forge::new();
    let (key, trust) = signed(&forge).await;
    let first = forge.commit_and_push(&["-S"]);
    let verify = match mode {
        "all" => VerifyMode::All,
        "first-parent" => VerifyMode::FirstParent,
        _ => return None,
    };
    let test = GitopsTest::with(forge, |settings| {
        settings.verify = verify;
        settings.program.trust = trust;
        settings.program.signing = Some(key);
    })
    .await;
    test.synced(&first).await;
    Some((test, first))
}

async fn judge_signing(input: &Value, expect: &Value) -> Judged {
    let mode = text(input, "mode");
    if text(input, "head") == "unsigned" {
        let (test, _) = signing(mode).await?;
        let bad = test.forge.commit_and_push(&[]);
        let refused = test.handle.commit(|_| Ok(None)).await.err().map(|error| format!("Error: {error}"));
        let synced = test.handle.status().borrow().synced.clone();
        test.stop().await;
        return same(&(refused.as_deref(), synced != Some(bad)), &(Some(text(expect, "text")), true));
    }
    if text(input, "merge").contains("signed merge commit M of a branch with unsigned commits") {
        let (test, first) = signing(mode).await?;
        let (work, git) = (test.forge.work(), |args: &[&str]| test.forge.git(&test.forge.work(), args));
        git(&["checkout", "-q", "-b", "side"]);
        test.forge.write("a.yaml", &config("a", "1"));
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", "unsigned"]);
        git(&["checkout", "-q", "master"]);
        git(&["merge", "-q", "--no-ff", "-S", "-m", "M", "side"]);
        git(&["push", "-q", "origin", "HEAD:master"]);
        let merge = test.forge.git(&work, &["rev-parse", "HEAD"]);
        let record = test.handle.sync().await.ok()?;
        test.stop().await;
        let expected = if text(expect, "applied_up_to") == "M" { merge } else { first };
        return same(&record.revision, &Some(expected));
    }
    if text(input, "upstream").contains("sync tag deleted") {
        let (test, first) = signing(mode).await?;
        test.forge.commit_and_push(&[]);
        test.forge.git(&test.forge.remote(), &["tag", "-d", "flux-sync"]);
        test.handle.sync().await.ok()?;
        let tag = test.forge.tag();
        test.stop().await;
        return same(&tag, &Some(first));
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors_gitops_signing() {
    area("signing", async |_, input, expect| judge_signing(input, expect).await).await;
}
