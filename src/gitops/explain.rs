//! For every object: is it as Git wants it, and if not, why not, who wrote it where, and what helps.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::apply::{Done, Failed, Fared};
use super::diff::{Difference, shown};
use super::files::Hold;
use super::finding::Place;
use super::git::history::Commit;
use super::health::{Health, health};
use super::object::ObjectKey;
use super::plan::{Action, Change, Keep, Plan, Skip};
use super::writer::writer;

/// How an object stands to Git.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is as Git wants it.
    InSync,
    /// It is just being made so.
    Applying,
    /// It is not.
    OutOfSync,
    /// It is left alone on purpose.
    Ignored,
    /// It cannot be made so.
    Failed,
    /// It was deleted, since it left Git.
    Pruned,
    /// Something else has to happen first.
    Waiting,
}

/// Everything there is to say of an object.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ObjectState {
    /// Its id, as Flux writes it.
    pub id: String,
    /// The group of its kind.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty when it lives in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How it stands to Git.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
    /// What helps.
    pub hint: Option<String>,
    /// Where it is written.
    pub place: Option<Place>,
    /// The last commit that touched the file.
    #[serde(serialize_with = "shared")]
    pub commit: Option<Arc<Commit>>,
    /// The fields that are not as Git wants them.
    pub fields: Vec<Difference>,
    /// Who wrote the first of these fields.
    pub writer: Option<String>,
    /// When it was made as Git wants it.
    pub applied: Option<Timestamp>,
    /// When it was looked at last.
    pub checked: Timestamp,
    /// How it is doing.
    pub health: Option<Health>,
    /// How often in a row it could not be applied.
    pub attempts: u32,
}

fn shared<S: serde::Serializer>(commit: &Option<Arc<Commit>>, serializer: S) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(&commit.as_deref(), serializer)
}

/// All objects.
pub type Objects = BTreeMap<ObjectKey, Arc<ObjectState>>;
/// Files and the last commits that touched them.
pub type Touched = HashMap<String, Arc<Commit>>;

impl ObjectState {
    fn new(key: &ObjectKey, now: Timestamp) -> Self {
        Self {
            id: key.id().to_string(),
            group: key.kind.group.to_string(),
            kind: key.kind.kind.to_string(),
            namespace: key.at.namespace.to_string(),
            name: key.at.name.to_string(),
            state: State::Waiting,
            reason: None,
            hint: None,
            place: None,
            commit: None,
            fields: Vec::new(),
            writer: None,
            applied: None,
            checked: now,
            health: None,
            attempts: 0,
        }
    }

    fn say(&mut self, state: State, reason: Option<String>) {
        self.state = state;
        self.reason = reason;
        self.hint = None;
        self.fields.clear();
        self.writer = None;
    }
}

/// Objects that were deleted are told of for so long.
const PRUNED_FOR_SECONDS: i64 = 600;

/// What a plan says of every object, before it is carried out. What was known before stays known.
pub fn planned(before: &Objects, plan: &Plan, live: &HashMap<ObjectKey, Arc<Value>>, now: Timestamp) -> Objects {
    let mut after: Objects = before
        .iter()
        .filter(|(_, state)| {
            state.state == State::Pruned && now.as_second() - state.checked.as_second() < PRUNED_FOR_SECONDS
        })
        .map(|(key, state)| (key.clone(), state.clone()))
        .collect();
    for change in &plan.changes {
        let known = before.get(&change.key).map(|state| &**state);
        let found = live.get(&change.key).map(|object| &**object);
        after.insert(change.key.clone(), Arc::new(one(known, change, found, now)));
    }
    after
}

/// What is to be said of one object, before anything is done with it.
pub fn one(known: Option<&ObjectState>, change: &Change, found: Option<&Value>, now: Timestamp) -> ObjectState {
    let mut state = known.cloned().unwrap_or_else(|| ObjectState::new(&change.key, now));
    state.checked = now;
    state.place.clone_from(&change.place);
    state.health = Some(found.map_or(Health::NotFound, health));
    match &change.action {
        Action::Unchanged => {
            state.say(State::InSync, None);
            state.attempts = 0;
        }
        Action::Create => state.say(State::Applying, Some("is not in the cluster".to_owned())),
        Action::Update { fields, content } => {
            let why = if *content { "Git wants something else than before" } else { "was changed in the cluster" };
            state.say(State::Applying, Some(why.to_owned()));
            drift(&mut state, fields, found);
        }
        Action::Prune => state.say(State::Applying, Some("is not in Git any more and is deleted".to_owned())),
        Action::Keep(keep) => {
            let on_purpose = matches!(keep, Keep::Ignored | Keep::SyncOnly | Keep::Owned);
            state.say(if on_purpose { State::Ignored } else { State::OutOfSync }, Some(keep.reason()));
            state.hint = keep_hint(keep).map(str::to_owned);
        }
        Action::Skip(skip) => {
            let word = match skip {
                Skip::IgnoredInGit | Skip::IgnoredInCluster | Skip::Held(Hold::Excluded, _) => State::Ignored,
                Skip::Terminating | Skip::Held(Hold::UnknownKind, _) => State::Waiting,
                Skip::Held(Hold::Duplicate | Hold::Invalid, _) => State::Failed,
            };
            state.say(word, Some(skip.reason()));
            state.hint = skip_hint(skip).map(str::to_owned);
        }
    }
    state
}

/// Tells of fields that are not as Git wants them.
pub fn drift(state: &mut ObjectState, fields: &[Difference], found: Option<&Value>) {
    state.fields = shown(&state.kind, fields);
    let first =
        fields.iter().find(|difference| !difference.path.starts_with("metadata.annotations")).or(fields.first());
    state.writer = found.zip(first).and_then(|(object, difference)| writer(object, &difference.path));
}

/// What is to be said of an object after something was done with it.
pub fn done(known: Option<&ObjectState>, fared: &Fared, now: Timestamp) -> ObjectState {
    let mut state = known.cloned().unwrap_or_else(|| ObjectState::new(&fared.change.key, now));
    state.checked = now;
    match &fared.result {
        Ok(Done::Deleted) => {
            state.say(State::Pruned, Some("was deleted, since it is not in Git any more".to_owned()));
            state.health = Some(Health::Terminating);
            state.attempts = 0;
        }
        Ok(Done::Created | Done::Configured { .. } | Done::Unchanged) => {
            state.say(State::InSync, None);
            if !fared.tolerated.is_empty() {
                let paths: Vec<&str> = fared.tolerated.iter().map(|field| field.path.as_str()).take(3).collect();
                state.reason = Some(format!("the cluster writes {} in its own way", paths.join(", ")));
            }
            state.applied = Some(now);
            state.attempts = 0;
            state.health = fared.object.as_ref().map(health);
        }
        Err(Failed { message, hint }) => {
            state.state = State::Failed;
            state.reason = Some(message.clone());
            state.hint.clone_from(hint);
            state.attempts = state.attempts.saturating_add(1);
        }
    }
    state
}

fn keep_hint(keep: &Keep) -> Option<&'static str> {
    match keep {
        Keep::Ignored => {
            Some("take the annotation away with `kubectl annotate … fluxcd.io/ignore-`, and it is deleted")
        }
        Keep::PruneOff => Some("delete it with kubectl, or turn garbage collection on"),
        Keep::EmptyRepository => Some("confirm that everything is to be deleted, or repair the repository"),
        Keep::Unread(_) => Some("repair that file"),
        Keep::DryRun | Keep::SyncOnly | Keep::Owned => None,
    }
}

fn skip_hint(skip: &Skip) -> Option<&'static str> {
    match skip {
        Skip::IgnoredInGit => Some("take the annotation fluxcd.io/ignore out of the file"),
        Skip::IgnoredInCluster => Some(
            "taking it out of Git is not enough: `kubectl annotate … fluxcd.io/ignore-` and flux.weave.works/ignore-",
        ),
        Skip::Held(Hold::UnknownKind, _) => Some("add its CustomResourceDefinition to the repository or the cluster"),
        Skip::Held(Hold::Duplicate, _) => Some("keep one of them"),
        Skip::Terminating | Skip::Held(..) => None,
    }
}

/// How many objects are in which state.
pub fn tally(objects: &Objects) -> BTreeMap<State, usize> {
    let mut counts = BTreeMap::new();
    for state in objects.values() {
        *counts.entry(state.state).or_default() += 1;
    }
    counts
}

/// Puts the last commit of its file to every object.
pub fn with_commits(objects: &mut Objects, touched: &Touched) {
    for state in objects.values_mut() {
        let commit = state.place.as_ref().and_then(|place| touched.get(&place.file));
        if commit.map(|commit| &commit.id) != state.commit.as_ref().map(|commit| &commit.id) {
            Arc::make_mut(state).commit = commit.cloned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::files::{Held, Loaded};
    use crate::gitops::mark::SyncSet;
    use crate::gitops::plan::{Live, Prune, Rules, Tolerated, plan};
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_held_says_why() {
        let held = |kind: &str, why: Hold| Held {
            key: ObjectKey::of(&json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}})),
            why,
            reason: format!("because of {kind}"),
            place: Place { file: "a.yaml".to_owned(), line: 3 },
        };
        let all = [
            ("A", Hold::UnknownKind, State::Waiting),
            ("B", Hold::Excluded, State::Ignored),
            ("C", Hold::Duplicate, State::Failed),
            ("D", Hold::Invalid, State::Failed),
        ];
        let desired = Loaded { held: all.iter().map(|(kind, why, _)| held(kind, *why)).collect(), ..Loaded::default() };
        let rules = Rules { set: SyncSet::new("u", "b", &[]), prune: Prune::On, allow_empty: false };
        let plan = plan(&desired, &Live::new(), &Tolerated::new(), &rules);
        let objects = planned(&Objects::new(), &plan, &Live::new(), at(1));
        let states: Vec<(State, &str)> =
            objects.values().map(|state| (state.state, state.reason.as_deref().unwrap_or(""))).collect();
        let expected: Vec<(State, String)> =
            all.iter().map(|(kind, _, s)| (*s, format!("because of {kind}"))).collect();
        assert_eq!(states, expected.iter().map(|(state, why)| (*state, why.as_str())).collect::<Vec<_>>());
        assert_eq!(tally(&objects)[&State::Failed], 2);
    }

    #[test]
    fn drift_names_the_writer() {
        let key = ObjectKey::of(&json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}));
        let found = json!({"metadata": {"managedFields": [
            {"manager": "kubectl-scale", "time": "1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        ]}});
        let fields =
            vec![Difference { path: "spec.replicas".to_owned(), wanted: Some(json!(1)), found: Some(json!(5)) }];
        let action = Action::Update { fields: fields.clone(), content: false };
        let change = Change { id: key.id(), key, action, manifest: None, place: None };
        let state = one(None, &change, Some(&found), at(1));
        assert_eq!((state.state, state.writer.as_deref()), (State::Applying, Some("kubectl-scale")));
        assert_eq!((state.reason.as_deref(), state.fields.clone()), (Some("was changed in the cluster"), fields));
        let failed = Fared {
            change: change.clone(),
            result: Err(Failed { message: "no".to_owned(), hint: None }),
            object: None,
            tolerated: Vec::new(),
        };
        let again = done(Some(&done(Some(&state), &failed, at(2))), &failed, at(3));
        assert_eq!((again.state, again.attempts, again.applied), (State::Failed, 2, None));
        let good = Fared { result: Ok(Done::Created), object: Some(json!({})), ..failed };
        let good = done(Some(&again), &good, at(4));
        assert_eq!((good.state, good.attempts, good.applied, good.fields.len()), (State::InSync, 0, Some(at(4)), 0));
    }
}
