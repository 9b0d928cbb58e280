//! Looks up what a check asks for: in the cluster, in Git, over HTTP, by a command.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::check::{Check, CommitFact, Fact, HttpTarget, KindName, PolicyFact};
use super::judge::{Baseline, Context, Observation, Sync, object_mark, object_name};
use super::memory::Memory;
use super::{Step, act};
use crate::cluster::object::{Key, text};
use crate::gitops::api::Objects;
use crate::gitops::explain::State;
use crate::gitops::finding::Level;
use crate::gitops::git::Program;
use crate::gitops::kinds::{Kinds, Served};
use crate::gitops::policy::Policies;
use crate::gitops::status::{Activity, Status};
use crate::net::ask::{Ask, ask};
use crate::sandbox::Sandbox;

/// What starts programs and what nothing is known to have changed of is looked at again after this.
const AGAIN: Duration = Duration::from_millis(1500);
/// Files of the learner's own copy that are looked at for changes.
const MOST_FILES: usize = 1000;
/// How long one look may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Commits that are looked at.
const MOST_COMMITS: &str = "--max-count=500";
/// No file in the repository is looked at beyond this.
const LARGEST_FILE: u64 = 1 << 20;

/// Looks into a sandbox.
pub struct Observer {
    sandbox: Arc<Sandbox>,
    objects: Objects,
    kinds: Mutex<Option<Arc<Kinds>>>,
    git: Program,
    memory: Mutex<Memory>,
    begun: Instant,
    work: Mutex<Option<Work>>,
}

/// What was not committed or pushed when it was last looked.
#[derive(Debug)]
struct Work {
    at: Instant,
    trace: String,
    unpushed: u32,
    uncommitted: u32,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Observer").field("sandbox", &self.sandbox).finish_non_exhaustive()
    }
}

impl Observer {
    /// An observer of a sandbox.
    pub fn new(sandbox: Arc<Sandbox>) -> Self {
        let objects = Objects::new(sandbox.client.clone(), LIMIT);
        Self {
            sandbox,
            objects,
            kinds: Mutex::new(None),
            git: Program::default(),
            memory: Mutex::default(),
            begun: Instant::now(),
            work: Mutex::new(None),
        }
    }

    /// Looks up what a check asks for.
    pub async fn observe(&self, check: &Check, baseline: Option<&Baseline>) -> Observation {
        let seen = match &check.fact {
            Fact::Object(fact) => match self.object(&fact.kind, fact.namespace.as_deref(), &fact.name).await {
                Ok(object) => Ok(Observation::Object(object)),
                Err(why) => Err(why),
            },
            Fact::Count(fact) => {
                let list = self.list(&fact.kind, fact.namespace.as_deref(), fact.selector.as_deref()).await;
                list.map(Observation::Objects)
            }
            Fact::Commit(fact) => {
                let head = baseline.and_then(|baseline| baseline.head.as_deref()).unwrap_or_default();
                let question = format!("{fact:?} since {head}");
                self.of_commit(question, async || self.commits(fact, baseline).await.map(Observation::Commits)).await
            }
            Fact::File(fact) => self.file(&fact.path).await.map(Observation::File),
            Fact::Policy(fact) => self.policies(fact).await.map(Observation::Policies),
            Fact::Http(fact) => match tokio::time::timeout(LIMIT, self.http(&fact.target)).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("{} does not answer", fact.target)),
            },
            Fact::Applied => Ok(Observation::None),
            Fact::Script { script } => self.script(script, check.timeout).await,
        };
        seen.unwrap_or_else(Observation::Blind)
    }

    /// Looks something up that depends on the newest commit alone, unless that was done for the same commit.
    async fn of_commit(
        &self,
        question: String,
        look: impl AsyncFnOnce() -> Result<Observation, String>,
    ) -> Result<Observation, String> {
        let Some(head) = self.head().await else { return look().await };
        let memory = || self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = memory().recall(&question, &head, self.begun.elapsed(), None) {
            return Ok(seen);
        }
        let seen = look().await?;
        memory().keep(question, head, self.begun.elapsed(), seen.clone());
        Ok(seen)
    }

    /// Runs a script, unless that was done a moment ago and nothing happened since: it starts programs.
    async fn script(&self, script: &str, limit: Duration) -> Result<Observation, String> {
        let head = self.head().await.unwrap_or_default();
        let revision = self.sandbox.embedded().map(|embedded| embedded.api().look(|store| store.revision()));
        let state = format!("{head} {} {}", revision.unwrap_or_default(), self.trace());
        let memory = || self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        // Of other clusters it is not known whether something happened.
        let known = revision.and_then(|_| memory().recall(script, &state, self.begun.elapsed(), Some(AGAIN)));
        if let Some(seen) = known {
            return Ok(seen);
        }
        let ran = act::check(&self.sandbox, script, limit).await;
        let (code, line) = ran.map_err(|why| format!("the step's own check does not come to an end: {why}"))?;
        let seen = Observation::Script { code, line };
        memory().keep(script.to_owned(), state, self.begun.elapsed(), seen.clone());
        Ok(seen)
    }

    /// How things are, for checks that compare with the beginning of a step.
    pub async fn baseline(&self, step: &Step) -> Baseline {
        let mut baseline = Baseline { head: self.head().await, ..Baseline::default() };
        for check in &step.checks {
            let Fact::Object(fact) = &check.fact else { continue };
            if let Ok(Some(object)) = self.object(&fact.kind, fact.namespace.as_deref(), &fact.name).await {
                baseline.objects.insert(object_name(fact), object_mark(&object));
            }
        }
        baseline
    }

    /// What else is known when checks are judged. `now` is in seconds since 1970.
    pub async fn context(&self, baseline: Option<&Baseline>, stopped: Option<String>, now: i64) -> Context {
        let status = self.sandbox.reconciler.status().borrow().clone();
        let head = match self.sandbox.repository {
            Some(_) => self.head().await,
            None => status.source.head.clone(),
        };
        Context { baseline: baseline.cloned(), sync: sync(&status, head, stopped, now), ..Context::default() }
    }

    /// Adds what the learner has not committed or pushed.
    pub async fn look_at_work(&self, context: &mut Context) {
        let Some(repository) = &self.sandbox.repository else { return };
        let trace = self.trace();
        {
            let known = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.as_ref().filter(|known| known.trace == trace && known.at.elapsed() < AGAIN) {
                (context.unpushed, context.uncommitted) = (known.unpushed, known.uncommitted);
                return;
            }
        }
        let config = repository.work.join(".git");
        let range = format!("refs/remotes/origin/{}..HEAD", repository.demo.branch());
        let count = self.git.run(&config, "rev-list").args(["--count", &range]).line().await;
        context.unpushed = count.ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        let status = self.git.run(&config, "status").args(["--porcelain", "--untracked-files=all"]);
        let status = status.env("GIT_WORK_TREE", &repository.work).out().await.unwrap_or_default();
        context.uncommitted = u32::try_from(status.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX);
        let (unpushed, uncommitted) = (context.unpushed, context.uncommitted);
        let work = Work { at: Instant::now(), trace, unpushed, uncommitted };
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    /// What changes whenever somebody does something in the learner's own copy.
    fn trace(&self) -> String {
        let Some(repository) = &self.sandbox.repository else { return String::new() };
        let own = repository.work.join(".git");
        let branch = repository.demo.branch();
        let paths = [
            "index".to_owned(),
            "HEAD".to_owned(),
            format!("refs/heads/{branch}"),
            format!("refs/remotes/origin/{branch}"),
        ];
        let times = paths.map(|path| std::fs::metadata(own.join(path)).and_then(|found| found.modified()).ok());
        let mut hash = std::hash::DefaultHasher::new();
        mark_files(&repository.work, &mut { MOST_FILES }, &mut hash);
        format!("{times:?} {}", hash.finish())
    }

    async fn kinds(&self, anew: bool) -> Result<Arc<Kinds>, String> {
        let known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kinds) = known.filter(|_| !anew) {
            return Ok(kinds);
        }
        let kinds = Arc::new(self.objects.kinds().await.map_err(|error| error.to_string())?);
        *self.kinds.lock().unwrap_or_else(PoisonError::into_inner) = Some(kinds.clone());
        Ok(kinds)
    }

    async fn served(&self, name: &KindName) -> Result<Option<Served>, String> {
        if let Some(served) = find(&*self.kinds(false).await?, name) {
            return Ok(Some(served));
        }
        // It may have been defined since.
        Ok(find(&*self.kinds(true).await?, name))
    }

    async fn object(&self, kind: &KindName, namespace: Option<&str>, name: &str) -> Result<Option<Value>, String> {
        let Some(served) = self.served(kind).await? else { return Ok(None) };
        let key = Key::new(namespace.unwrap_or("default"), name);
        self.objects.get(&served, &key).await.map_err(|error| error.to_string())
    }

    async fn list(
        &self,
        kind: &KindName,
        namespace: Option<&str>,
        selector: Option<&str>,
    ) -> Result<Vec<Value>, String> {
        let Some(served) = self.served(kind).await? else { return Ok(Vec::new()) };
        self.objects.list(&served, namespace, selector).await.map_err(|error| error.to_string())
    }

    /// The newest commit of a repository of our own.
    pub async fn head(&self) -> Option<String> {
        self.sandbox.repository.as_ref()?.demo.head().await.ok().flatten()
    }

    /// The repository's folder and the branch.
    fn repository(&self) -> Result<(&std::path::Path, String), String> {
        let repository = self.sandbox.repository.as_ref().ok_or("the repository is not foredeck's own")?;
        if !repository.demo.dir().join("HEAD").is_file() {
            return Err("the repository is gone; start the step again, and it is made anew".to_owned());
        }
        Ok((repository.demo.dir(), format!("refs/heads/{}", repository.demo.branch())))
    }

    async fn commits(&self, fact: &CommitFact, baseline: Option<&Baseline>) -> Result<Vec<String>, String> {
        let (dir, branch) = self.repository()?;
        let run = self.git.run(dir, "log").arg(MOST_COMMITS).arg("--format=%h%x00%s%x00%an <%ae>");
        let mut run = run.arg("--end-of-options").arg(&branch);
        if let Some(head) = baseline.filter(|_| fact.since_step).and_then(|baseline| baseline.head.as_ref()) {
            run = run.arg(format!("^{head}"));
        }
        run = run.arg("--");
        if let Some(path) = &fact.path {
            run = run.arg(path);
        }
        let out = match run.out().await {
            Ok(out) => String::from_utf8_lossy(&out).into_owned(),
            // After a forced push the commit from the beginning may be gone: then everything is new.
            Err(_) if baseline.is_some() => return Box::pin(self.commits(fact, None)).await,
            Err(error) => return Err(error.to_string()),
        };
        let has = |part: &Option<String>, text: &str| {
            part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
        };
        let fits = out.lines().filter_map(|line| {
            let mut fields = line.split('\0');
            let (id, subject, author) = (fields.next()?, fields.next()?, fields.next()?);
            let name = author.split(" <").next().unwrap_or(author);
            (has(&fact.by, author) && has(&fact.subject, subject)).then(|| format!("{id} {subject} ({name})"))
        });
        Ok(fits.collect())
    }

    async fn file(&self, path: &str) -> Result<Option<String>, String> {
        let seen =
            self.of_commit(format!("file {path}"), async || self.look_at_file(path).await.map(Observation::File));
        match seen.await? {
            Observation::File(text) => Ok(text),
            _ => Ok(None),
        }
    }

    async fn look_at_file(&self, path: &str) -> Result<Option<String>, String> {
        let (dir, branch) = self.repository()?;
        let shown = self.git.run(dir, "cat-file").arg("blob").arg(format!("{branch}:{path}")).most(LARGEST_FILE);
        let output = shown.output().await.map_err(|error| error.to_string())?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.out).into_owned()))
    }

    /// What the file of a workload says, as it stands in the newest commit.
    async fn policies(&self, fact: &PolicyFact) -> Result<Option<BTreeMap<String, String>>, String> {
        let (namespace, kind, name) = &fact.workload;
        let status = self.sandbox.reconciler.status().borrow().clone();
        let state = status.objects.values().find(|state| {
            state.namespace == *namespace && state.kind.eq_ignore_ascii_case(kind) && state.name == *name
        });
        let Some(place) = state.and_then(|state| state.place.clone()) else { return Ok(None) };
        let Some(text) = self.file(&place.file).await? else { return Ok(None) };
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap_or_default();
        let found = documents.iter().find(|object| {
            self::text(object, &["kind"]).eq_ignore_ascii_case(kind)
                && self::text(object, &["metadata", "name"]) == name
        });
        let policies = found.map(Policies::of);
        Ok(policies.map(|policies| policies.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()))
    }

    async fn http(&self, target: &HttpTarget) -> Result<Observation, String> {
        match target {
            HttpTarget::Service { namespace, name, port, path } => {
                let uri = format!("/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy{path}");
                let request = http::Request::get(uri).body(Vec::new()).map_err(|error| error.to_string())?;
                match self.sandbox.client.request_text(request).await {
                    Ok(body) => Ok(Observation::Http { status: 200, body }),
                    Err(kube::Error::Api(status)) => {
                        Ok(Observation::Http { status: status.code, body: status.message.clone() })
                    }
                    Err(error) => Err(error.to_string()),
                }
            }
            HttpTarget::Url(url) => {
                let answer = ask(Ask::get(url, LIMIT)).await.map_err(|why| format!("{url}: {why}"))?;
                Ok(Observation::Http { status: answer.status, body: answer.body })
            }
        }
    }
}

/// The kind of a name: by kind or plural, in any case, with its group when that is named.
fn find(kinds: &Kinds, name: &KindName) -> Option<Served> {
    let fits = |served: &&Served| {
        let named = served.kind.eq_ignore_ascii_case(&name.kind) || served.plural.eq_ignore_ascii_case(&name.kind);
        named && name.group.as_ref().is_none_or(|group| served.group == *group)
    };
    // Of several groups the core and the workloads' come first, as with kubectl.
    let rank = |served: &&Served| match served.group.as_str() {
        "" => 0,
        "apps" => 1,
        _ => 2,
    };
    kinds.owned().filter(fits).min_by_key(rank).cloned()
}

fn sync(status: &Status, head: Option<String>, stopped: Option<String>, now: i64) -> Sync {
    let paused = status.paused.then(|| "syncing is paused".to_owned());
    let not_ready = status.source.error.clone();
    let next = [status.next.fetch, status.next.retry].into_iter().flatten().min();
    let findings = status.findings.iter().filter(|finding| finding.level == Level::Error);
    let failed = status.objects.values().filter(|state| state.state == State::Failed);
    let error = status.last().and_then(|last| last.error.clone());
    let mut problems: Vec<String> = findings.map(ToString::to_string).collect();
    if problems.is_empty() && status.synced != status.source.head {
        problems.extend(error);
    }
    Sync {
        head,
        synced: status.synced.clone(),
        stopped: stopped.or(paused).or(not_ready),
        busy: status.activity != Activity::Idle,
        next_seconds: next.map(|time| (time.as_second() - now).max(0)),
        problems,
        refused: failed.map(|state| (state.id.clone(), state.reason.clone().unwrap_or_default())).collect(),
    }
}

/// Takes note of the files in a folder, as far as there is room; those of git change with its index.
fn mark_files(folder: &Path, room: &mut usize, hash: &mut impl Hasher) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name() != ".git") {
        let Some(left) = room.checked_sub(1) else { return };
        *room = left;
        let Ok(found) = entry.metadata() else { continue };
        (entry.file_name(), found.len(), found.modified().ok()).hash(hash);
        if found.is_dir() {
            mark_files(&entry.path(), room, hash);
        }
    }
}
