//! A chart and values → manifests, hooks and notes.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value as Json, json};

use super::files::{Capable, Files};
use super::manifest::{self, Hook, Made};
use super::template::run::{Lookup, Runner};
use super::template::value::{Native, Value};
use super::values::coalesce;
use super::version::{Constraint, Version};
use super::{Chart, Error, dependencies, schema};
use crate::cluster::object::text;
use crate::cluster::yaml;

/// Templates call each other up to a hundred levels deep.
const STACK: usize = 128 << 20;

/// The release that a chart is rendered for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Where it is made.
    pub namespace: String,
    /// The number of this attempt.
    pub revision: u64,
    /// There is one already.
    pub upgrade: bool,
    /// The time, in seconds.
    pub now: i64,
}

/// What the cluster can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// `v1.36.0`.
    pub version: String,
    /// `apps/v1` and `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
}

/// What a chart makes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The objects in the order in which they are made.
    pub made: Vec<Made>,
    /// Those that are made at other moments.
    pub hooks: Vec<Hook>,
    /// What the chart has to say.
    pub notes: String,
    /// Definitions, which are made once before everything else.
    pub crds: Vec<Json>,
    /// The values with all defaults.
    pub values: Map<String, Json>,
}

impl Rendered {
    /// The manifest as Helm keeps it.
    pub fn manifest(&self) -> String {
        manifest::whole(&self.made)
    }
}

/// Renders a chart. The same arguments give the same manifests.
///
/// # Errors
/// When the chart, a template or the values are wrong.
pub fn render(
    chart: &Chart,
    given: &Map<String, Json>,
    release: &Release,
    capabilities: &Capabilities,
    lookup: &(dyn Fn(&str, &str, &str, &str) -> Json + Sync),
) -> Result<Rendered, Error> {
    // Nested templates need more stack than threads usually have.
    let work = || render_here(chart, given, release, capabilities, &|a, b, c, d| lookup(a, b, c, d));
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("helm".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| Error::Chart(format!("no thread to render in: {error}")))?;
        thread
            .join()
            .unwrap_or_else(|_| Err(Error::Chart("the template engine has a bug; please report this chart".to_owned())))
    })
}

fn render_here(
    chart: &Chart,
    given: &Map<String, Json>,
    release: &Release,
    capabilities: &Capabilities,
    lookup: Lookup<'_>,
) -> Result<Rendered, Error> {
    fits(chart, capabilities)?;
    let chart = dependencies::resolve(chart, given)?;
    let values = coalesce(&chart, given)?;
    let mut findings = Vec::new();
    check(&chart, &values, &mut findings);
    if !findings.is_empty() {
        return Err(Error::Values(format!(
            "values don't meet the specifications of the schema(s) in the following chart(s):\n{}",
            findings.join("\n")
        )));
    }
    let seed = release.name.bytes().fold(release.revision, |seed, byte| seed.rotate_left(9) ^ u64::from(byte));
    let mut runner = Runner::new(lookup, release.now, seed);
    let mut jobs = Vec::new();
    let top = Top { release, capabilities };
    top.gather(&chart, &values, &chart.name, true, &mut jobs);
    // What is defined in charts above counts more, so it is read last; files are run in the same order.
    jobs.sort_by_key(|job| std::cmp::Reverse((job.file.matches('/').count(), job.file.clone())));
    for job in &jobs {
        runner.add(&job.file, &job.text)?;
    }
    let mut texts = BTreeMap::new();
    let mut rendered = Rendered { values, ..Rendered::default() };
    for job in jobs.iter().filter(|job| job.is_run) {
        let text = runner.run(&job.file, &job.data)?;
        if !job.file.ends_with("NOTES.txt") {
            texts.insert(job.file.as_str(), text);
        } else if job.is_top {
            rendered.notes = text;
        }
    }
    for (file, text) in texts {
        manifest::take_apart(file, &text, &mut rendered.made, &mut rendered.hooks)?;
    }
    manifest::sort(&mut rendered.made);
    manifest::sort_hooks(&mut rendered.hooks);
    definitions(&chart, &mut rendered.crds)?;
    Ok(rendered)
}

/// Whether the cluster is one that the chart is for.
fn fits(chart: &Chart, capabilities: &Capabilities) -> Result<(), Error> {
    let wanted = text(&chart.metadata, &["kubeVersion"]);
    let version = Version::parse(&capabilities.version);
    match (wanted.is_empty(), Constraint::parse(wanted), version) {
        (false, Some(constraint), Some(version)) if !constraint.matches(&version) => Err(Error::Chart(format!(
            "chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {}",
            capabilities.version
        ))),
        _ if text(&chart.metadata, &["type"]) == "library" => {
            Err(Error::Chart("library charts are not installable".to_owned()))
        }
        _ => Ok(()),
    }
}

fn check(chart: &Chart, values: &Map<String, Json>, findings: &mut Vec<String>) {
    if let Some(schema) = &chart.schema {
        let found = schema::findings(schema, &Json::Object(values.clone()));
        if !found.is_empty() {
            findings.push(format!("{}:\n- {}", chart.name, found.join("\n- ")));
        }
    }
    for below in &chart.charts {
        let theirs = values.get(&below.name).and_then(Json::as_object).cloned().unwrap_or_default();
        check(below, &theirs, findings);
    }
}

/// The definitions of a chart and of those below it.
///
/// # Errors
/// When a file of them is no YAML.
pub fn definitions(chart: &Chart, crds: &mut Vec<Json>) -> Result<(), Error> {
    for (file, text) in &chart.crds {
        for object in yaml::documents(text) {
            crds.push(object.map_err(|error| Error::Chart(format!("{}/{file}: {error}", chart.name)))?);
        }
    }
    chart.charts.iter().try_for_each(|chart| definitions(chart, crds))
}

/// A template with what it is given.
struct Job {
    file: String,
    text: String,
    data: Value,
    is_run: bool,
    is_top: bool,
}

struct Top<'a> {
    release: &'a Release,
    capabilities: &'a Capabilities,
}

impl Top<'_> {
    fn gather(
        &self,
        chart: &Chart,
        values: &Map<String, Json>,
        path: &str,
        is_top: bool,
        jobs: &mut Vec<Job>,
    ) -> Value {
        let release = json!({
            "Name": self.release.name,
            "Namespace": self.release.namespace,
            "Service": "Helm",
            "IsUpgrade": self.release.upgrade,
            "IsInstall": !self.release.upgrade,
        });
        let Value::Map(root) = Value::map([
            ("Values".to_owned(), Value::from_json(&Json::Object(values.clone()))),
            ("Chart".to_owned(), metadata(chart, is_top)),
            ("Release".to_owned(), Value::from_json(&release)),
            ("Capabilities".to_owned(), self.capabilities()),
            ("Files".to_owned(), Value::Native(Native::Files(Rc::new(Files::new(chart.files.clone()))))),
        ]) else {
            return Value::Nil;
        };
        if let Some(Value::Map(release)) = root.borrow().get("Release") {
            let revision = i64::try_from(self.release.revision).unwrap_or(0);
            release.borrow_mut().insert("Revision".to_owned(), Value::Int(revision));
        }
        let mut subcharts = BTreeMap::new();
        for chart in &chart.charts {
            let theirs = values.get(&chart.name).and_then(Json::as_object).cloned().unwrap_or_default();
            let data = self.gather(chart, &theirs, &format!("{path}/charts/{}", chart.name), false, jobs);
            subcharts.insert(chart.name.clone(), data);
        }
        root.borrow_mut().insert("Subcharts".to_owned(), Value::map(subcharts));
        let is_library = text(&chart.metadata, &["type"]) == "library";
        for (file, source) in &chart.templates {
            let file_path = format!("{path}/{file}");
            let about = Value::map([
                ("Name".to_owned(), Value::text(&file_path)),
                ("BasePath".to_owned(), Value::text(format!("{path}/templates"))),
            ]);
            let mut own = root.borrow().clone();
            own.insert("Template".to_owned(), about);
            let name = file.rsplit('/').next().unwrap_or(file);
            let is_run = !is_library && !name.starts_with('_');
            jobs.push(Job { file: file_path, text: source.clone(), data: Value::map(own), is_run, is_top });
        }
        Value::Map(root)
    }

    fn capabilities(&self) -> Value {
        let helm = json!({"Version": "v3.19.0", "GitCommit": "", "GitTreeState": "clean", "GoVersion": ""});
        Value::Native(Native::Capabilities(Rc::new(Capable {
            kube: self.capabilities.version.as_str().into(),
            api_versions: Rc::new(self.capabilities.api_versions.clone()),
            helm: Value::from_json(&helm),
        })))
    }
}

/// `.Chart`: the fields of `Chart.yaml` with capital letters.
fn metadata(chart: &Chart, is_top: bool) -> Value {
    let capital = |key: &str| match key {
        "apiVersion" => "APIVersion".to_owned(),
        key => {
            let mut chars = key.chars();
            chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
        }
    };
    let members = chart.metadata.as_object().cloned().unwrap_or_default();
    let mut all: BTreeMap<String, Value> =
        members.iter().map(|(key, value)| (capital(key), Value::from_json(value))).collect();
    for key in ["AppVersion", "Description", "Type", "Home", "Icon", "KubeVersion"] {
        all.entry(key.to_owned()).or_insert_with(|| Value::text(""));
    }
    for key in ["Keywords", "Sources", "Maintainers", "Dependencies"] {
        all.entry(key.to_owned()).or_insert_with(|| Value::list(Vec::new()));
    }
    all.entry("Annotations".to_owned()).or_insert_with(|| Value::map([]));
    all.entry("Deprecated".to_owned()).or_insert(Value::Bool(false));
    all.insert("Name".to_owned(), Value::text(&chart.name));
    all.insert("IsRoot".to_owned(), Value::Bool(is_top));
    Value::map(all)
}
