//! `get`: objects as the server prints them, as JSON, YAML and more; with `-w` also what changes.

use std::cmp::Ordering;

use futures::TryStreamExt as _;
use serde_json::Value;

use super::flags::Arguments;
use super::output::{self, Format};
use super::problem::Problem;
use super::resources::{Resource, query};
use super::select::{self, Narrow, Which};
use super::session::{As, Event, Session};
use super::table::{Look, Printer, Tabs};
use crate::cluster::jsonpath::Template;
use crate::cluster::{object, yaml};

/// What to get, and how to show it.
struct Get {
    format: Format,
    narrow: Narrow,
    look: Look,
    sort: Option<Template>,
    all_namespaces: bool,
    ignore_missing: bool,
    managed_fields: bool,
}

impl Get {
    fn of(arguments: &Arguments) -> Result<Self, Problem> {
        let format = Format::parse(arguments.text("output"))?;
        let sort = arguments.text("sort-by").filter(|path| !path.is_empty()).map(Template::path).transpose();
        let labels = arguments.all("label-columns").into_iter().flat_map(|names| names.split(','));
        let look = Look {
            wide: format == Format::Human { wide: true },
            headers: !arguments.on("no-headers"),
            namespaces: arguments.on("all-namespaces"),
            kinds: arguments.on("show-kind"),
            labels: arguments.on("show-labels"),
            label_columns: labels.map(str::to_owned).collect(),
            events: arguments.on("output-watch-events"),
        };
        Ok(Self {
            format,
            narrow: Narrow::of(arguments),
            look,
            sort: sort.map_err(|why| Problem::said(why.to_string()))?,
            all_namespaces: arguments.on("all-namespaces"),
            ignore_missing: arguments.on("ignore-not-found"),
            managed_fields: arguments.on("show-managed-fields"),
        })
    }
}

/// Runs `get`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    if let Some(path) = arguments.text("raw") {
        let answer = session.text(path).await?;
        return session.print(&answer);
    }
    let get = Get::of(arguments)?;
    let wanted = wanted(session, arguments, &get).await?;
    if arguments.on("watch") || arguments.on("watch-only") {
        return watch(session, &get, wanted, arguments.on("watch-only")).await;
    }
    if get.format.is_human() { people(session, &get, &wanted).await } else { machines(session, &get, &wanted).await }
}

/// What is asked for, each with the namespace it is in.
async fn wanted(session: &mut Session<'_>, arguments: &Arguments, get: &Get) -> Result<Vec<(Which, String)>, Problem> {
    let all = arguments.words.as_slice();
    if all.is_empty() && arguments.text("filename").is_none() && arguments.text("kustomize").is_none() {
        session.tell(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported \
             resources.\n",
        );
        return Err(Problem::said("Required resource not specified.\nSee 'kubectl get -h' for help and examples"));
    }
    if arguments.text("filename").is_some() || arguments.text("kustomize").is_some() {
        let found = select::targets(session, arguments, all, true).await?;
        Problem::gathered(found.problems)?;
        let of_target = |target: select::Target| (Which::One(target.resource, target.name), target.namespace);
        return Ok(found.targets.into_iter().map(of_target).collect());
    }
    let found = select::words(session, all).await?;
    let named = found.iter().any(|which| matches!(which, Which::One(..)));
    if named && get.all_namespaces {
        return Err(Problem::said("a resource cannot be retrieved by name across all namespaces"));
    }
    if named && get.narrow != Narrow::default() {
        return Err(Problem::said("name cannot be provided when a selector is specified"));
    }
    let namespace = if get.all_namespaces { String::new() } else { session.namespace.clone() };
    Ok(found.into_iter().map(|which| (which, namespace.clone())).collect())
}

fn resource_of(which: &Which) -> &Resource {
    match which {
        Which::All(resource) | Which::One(resource, _) => resource,
    }
}

/// One answer of the server: a table, an object or a list.
async fn ask(
    session: &mut Session<'_>,
    get: &Get,
    which: &Which,
    namespace: &str,
    wanted: As,
) -> Result<Value, Problem> {
    let answer = match which {
        Which::All(resource) => select::list(session, resource, namespace, &get.narrow, wanted).await,
        Which::One(resource, name) => session.object(resource, namespace, name, wanted).await,
    };
    match answer {
        Err(problem) if get.ignore_missing && problem.is_not_found() => Ok(Value::Null),
        answer => answer,
    }
}

/// Tables, one for each kind, with an empty line between them.
async fn people(session: &mut Session<'_>, get: &Get, wanted: &[(Which, String)]) -> Result<(), Problem> {
    let mut problems = Vec::new();
    let mut blocks: Vec<(Resource, Value)> = Vec::new();
    for (which, namespace) in wanted {
        match ask(session, get, which, namespace, sortable(get)).await {
            Ok(Value::Null) => {}
            Ok(table) => match blocks.last_mut() {
                Some((resource, block)) if resource == resource_of(which) => append(block, table),
                _ => blocks.push((resource_of(which).clone(), table)),
            },
            Err(problem) => problems.push(problem),
        }
    }
    // Kinds stand before names where there is more than one kind.
    let first = blocks.first().map(|(resource, _)| resource.clone());
    let kinds = blocks.iter().any(|(resource, _)| Some(resource) != first.as_ref());
    let look = Look { kinds: kinds || get.look.kinds, ..get.look.clone() };
    let mut printed = false;
    for (resource, mut table) in blocks {
        if let Some(path) = &get.sort {
            sort(&mut table, path);
        }
        let text = Printer::new(look.clone()).lines(&table, &resource, "ADDED");
        if !text.is_empty() {
            let gap = if printed { "\n" } else { "" };
            session.print(&format!("{gap}{text}"))?;
            printed = true;
        }
    }
    if !printed && problems.is_empty() && !get.ignore_missing {
        let namespaced = !get.all_namespaces && wanted.iter().all(|(which, _)| resource_of(which).namespaced);
        let place = if namespaced { format!(" in {} namespace.", session.namespace) } else { String::new() };
        session.tell(&format!("No resources found{place}"));
    }
    Problem::gathered(problems)
}

/// To sort by any member the rows need whole objects.
fn sortable(get: &Get) -> As {
    if get.sort.is_some() { As::WholeTable } else { As::Table }
}

/// Adds the rows of a table to another of the same kind.
fn append(block: &mut Value, table: Value) {
    if block.get("rows").is_none() {
        *block = table;
        return;
    }
    let more = table.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(Value::Array(rows)) = block.get_mut("rows") {
        rows.extend(more);
    }
}

fn sort(table: &mut Value, path: &Template) {
    if let Some(Value::Array(rows)) = table.get_mut("rows") {
        rows.sort_by(|one, other| by(path, one.get("object"), other.get("object")));
    }
}

/// Compares two objects by a member; those without it come first.
fn by(path: &Template, one: Option<&Value>, other: Option<&Value>) -> Ordering {
    let member = |object: Option<&Value>| {
        let found = path.find(object.unwrap_or(&Value::Null)).unwrap_or_default();
        found.first().map(|value| (*value).clone())
    };
    match (member(one), member(other)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(Value::Number(one)), Some(Value::Number(other))) => {
            one.as_f64().unwrap_or(0.0).total_cmp(&other.as_f64().unwrap_or(0.0))
        }
        (Some(Value::String(one)), Some(Value::String(other))) => yaml::natural(&one, &other),
        (Some(one), Some(other)) => one.to_string().cmp(&other.to_string()),
    }
}

/// Objects for programs: one as it is, several as a list.
async fn machines(session: &mut Session<'_>, get: &Get, wanted: &[(Which, String)]) -> Result<(), Problem> {
    let mut problems = Vec::new();
    let mut objects = Vec::new();
    for (which, namespace) in wanted {
        match ask(session, get, which, namespace, As::Json).await {
            Ok(Value::Null) => {}
            Ok(mut list) if matches!(which, Which::All(_)) => {
                let resource = resource_of(which);
                let items = output::items_with_kind(&mut list, resource);
                objects.extend(items.into_iter().map(|item| (resource.clone(), item)));
            }
            Ok(object) => objects.push((resource_of(which).clone(), object)),
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(path) = &get.sort {
        objects.sort_by(|(_, one), (_, other)| by(path, Some(one), Some(other)));
    }
    let single = matches!(wanted, [(Which::One(..), _)]);
    match &get.format {
        Format::Name => {
            for (resource, object) in &objects {
                let line = output::name(object, resource);
                session.line(&line)?;
            }
        }
        Format::Columns(columns) => {
            let values: Vec<&Value> = objects.iter().map(|(_, object)| object).collect();
            let text = output::table(columns, &values, get.look.headers, &mut Tabs::default())?;
            session.print(&text)?;
        }
        format => {
            let first = objects.first().map(|(resource, _)| resource.clone());
            let resource = first.or_else(|| wanted.first().map(|(which, _)| resource_of(which).clone()));
            let values: Vec<Value> = objects.into_iter().map(|(_, object)| object).collect();
            // Nothing is printed of a single object that is not there.
            if let Some(resource) = resource.filter(|_| !(values.is_empty() && (single || !problems.is_empty()))) {
                let value = match <[Value; 1]>::try_from(values) {
                    Ok([only]) if single => only,
                    Ok([only]) => output::list(vec![only]),
                    Err(values) => output::list(values),
                };
                let text = format.text(&value, &resource, get.managed_fields)?;
                session.print(&text)?;
            }
        }
    }
    Problem::gathered(problems)
}

/// Prints what there is, then what changes, until the server ends it or nobody reads any more.
async fn watch(
    session: &mut Session<'_>,
    get: &Get,
    wanted: Vec<(Which, String)>,
    only_changes: bool,
) -> Result<(), Problem> {
    let [(which, namespace)] = wanted.as_slice() else {
        return Err(Problem::said("you may only specify a single resource type"));
    };
    let resource = resource_of(which).clone();
    let form = if get.format.is_human() { As::Table } else { As::Json };
    let mut shown = Shown {
        get,
        resource: &resource,
        printer: Printer::new(get.look.clone()),
        tabs: Tabs::default(),
        headed: false,
    };
    let present = ask(session, get, which, namespace, form).await?;
    let version = version(&present);
    if !only_changes {
        let texts = shown.present(present, which)?;
        session.print(&texts)?;
    }
    let fields = match which {
        Which::One(_, name) => format!("metadata.name={name}"),
        Which::All(_) => get.narrow.fields.clone(),
    };
    let parameters = [
        ("fieldSelector", fields.as_str()),
        ("labelSelector", get.narrow.labels.as_str()),
        ("resourceVersion", version.as_str()),
        ("watch", "true"),
    ];
    let mut events = session.watch(&query(&resource.path(namespace, ""), &parameters), form).await?;
    while let Some(event) = events.try_next().await? {
        if event.kind != "BOOKMARK" {
            let text = shown.event(&event)?;
            session.print(&text)?;
        }
    }
    Ok(())
}

/// From where on changes count.
fn version(present: &Value) -> String {
    let own = object::text(present, &["metadata", "resourceVersion"]);
    let of_row = object::list(present, &["rows"]).first();
    let of_row = of_row.map_or("", |row| object::text(row, &["object", "metadata", "resourceVersion"]));
    if own.is_empty() { of_row.to_owned() } else { own.to_owned() }
}

/// Prints objects one by one.
struct Shown<'a> {
    get: &'a Get,
    resource: &'a Resource,
    printer: Printer,
    tabs: Tabs,
    headed: bool,
}

impl Shown<'_> {
    fn present(&mut self, mut present: Value, which: &Which) -> Result<String, Problem> {
        if self.get.format.is_human() {
            return Ok(self.printer.lines(&present, self.resource, "ADDED"));
        }
        let objects = match which {
            Which::All(_) => output::items_with_kind(&mut present, self.resource),
            Which::One(..) => vec![present],
        };
        let texts = objects.iter().map(|object| self.one(object, "ADDED"));
        texts.collect()
    }

    fn event(&mut self, event: &Event) -> Result<String, Problem> {
        if self.get.format.is_human() {
            return Ok(self.printer.lines(&event.object, self.resource, &event.kind));
        }
        self.one(&event.object, &event.kind)
    }

    fn one(&mut self, object: &Value, kind: &str) -> Result<String, Problem> {
        if let Format::Columns(columns) = &self.get.format {
            let header = self.get.look.headers && !std::mem::replace(&mut self.headed, true);
            return output::table(columns, &[object], header, &mut self.tabs);
        }
        let events = self.get.look.events && matches!(self.get.format, Format::Json | Format::Yaml);
        let event = serde_json::json!({ "type": kind, "object": object });
        self.get.format.text(if events { &event } else { object }, self.resource, self.get.managed_fields)
    }
}
