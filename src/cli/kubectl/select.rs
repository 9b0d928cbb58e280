//! Which objects a command line means: `pods`, `pod web`, `deploy/web svc/web`, `-l app=web`, `-f file`.

use hyper::Method;
use serde_json::Value;

use super::flags::Arguments;
use super::manifest::{self, Sources};
use super::output;
use super::problem::Problem;
use super::resources::{Resource, query};
use super::session::{As, Session};
use crate::cluster::object;

/// How many objects a server sends at once.
const PAGE: &str = "500";
/// No cluster has more pages of one kind.
const MOST_PAGES: usize = 10_000;

/// What a word or two mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// All objects of a kind.
    All(Resource),
    /// One object.
    One(Resource, String),
}

/// One object to do something to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) resource: Resource,
    /// Empty for objects without one.
    pub(super) namespace: String,
    pub(super) name: String,
    /// The file that names it.
    pub(super) source: Option<String>,
    /// The object, when a list has brought it, or the file says how it shall be.
    pub(super) object: Option<Value>,
}

/// What narrows a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Narrow {
    pub(super) labels: String,
    pub(super) fields: String,
}

impl Narrow {
    /// What the flags say.
    pub(super) fn of(arguments: &Arguments) -> Self {
        let text = |name| arguments.text(name).unwrap_or("").to_owned();
        Self { labels: text("selector"), fields: text("field-selector") }
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

/// What words mean; empty for no words.
pub(super) async fn words(session: &mut Session<'_>, words: &[String]) -> Result<Vec<Which>, Problem> {
    let Some((first, rest)) = words.split_first() else { return Ok(Vec::new()) };
    if words.iter().any(|word| word.contains('/')) {
        return pairs(session, words).await;
    }
    let mut kinds = Vec::new();
    for word in first.split(',').filter(|word| !word.is_empty()) {
        let category: Vec<Resource> = session.resources().await?.category(word).into_iter().cloned().collect();
        if category.is_empty() {
            kinds.push(session.resource(word).await?);
        } else {
            kinds.extend(category.into_iter().filter(|resource| resource.can("list")));
        }
    }
    if rest.is_empty() {
        return Ok(kinds.into_iter().map(Which::All).collect());
    }
    let mut found = Vec::new();
    for kind in kinds {
        for name in rest {
            found.push(Which::One(kind.clone(), checked(name)?));
        }
    }
    Ok(found)
}

/// `TYPE/NAME`, each.
async fn pairs(session: &mut Session<'_>, words: &[String]) -> Result<Vec<Which>, Problem> {
    let mut found = Vec::new();
    for word in words {
        let Some((kind, name)) = word.split_once('/') else {
            return Err(Problem::said(
                "there is no need to specify a resource type as a separate argument when passing arguments in \
                 resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
                 resource/<resource_name>'",
            ));
        };
        if name.contains('/') {
            return Err(Problem::said("arguments in resource/name form may not have more than one slash"));
        }
        if kind.is_empty() || name.is_empty() {
            return Err(Problem::said("arguments in resource/name form must have a single resource and name"));
        }
        found.push(Which::One(session.resource(kind).await?, checked(name)?));
    }
    Ok(found)
}

/// A name that can stand in a path.
pub(super) fn checked(name: &str) -> Result<String, Problem> {
    let why = match name {
        "" => return Err(Problem::said("resource name may not be empty")),
        "." | ".." => format!("may not be '{name}'"),
        name if name.contains('/') => "may not contain '/'".to_owned(),
        name if name.contains('%') => "may not contain '%'".to_owned(),
        _ => return Ok(name.to_owned()),
    };
    Err(Problem::said(format!("invalid resource name {name:?}: [{why}]")))
}

/// The objects of a kind, page by page, as one answer.
pub(super) async fn list(
    session: &mut Session<'_>,
    resource: &Resource,
    namespace: &str,
    narrow: &Narrow,
    wanted: As,
) -> Result<Value, Problem> {
    let base = resource.path(namespace, "");
    let member = if wanted == As::Json { "items" } else { "rows" };
    let mut whole: Option<Value> = None;
    let mut from = String::new();
    for _ in 0..MOST_PAGES {
        let path = query(
            &base,
            &[
                ("fieldSelector", &narrow.fields),
                ("labelSelector", &narrow.labels),
                ("limit", PAGE),
                ("continue", &from),
            ],
        );
        let answer = session.call(Method::GET, &path, wanted, None).await;
        let mut page = answer.map_err(|problem| unable(problem, resource, narrow))?.1;
        let next = object::text(&page, &["metadata", "continue"]).to_owned();
        whole = Some(match whole {
            None => page,
            Some(mut whole) => {
                let more = page.get_mut(member).map(Value::take);
                if let (Some(Value::Array(all)), Some(Value::Array(more))) = (whole.get_mut(member), more) {
                    all.extend(more);
                }
                whole
            }
        });
        // A server that gives the same place again would never end.
        if next.is_empty() || next == from {
            break;
        }
        from = next;
    }
    Ok(whole.unwrap_or(Value::Null))
}

fn unable(problem: Problem, resource: &Resource, narrow: &Narrow) -> Problem {
    match problem {
        Problem::Refused(mut status) if matches!(status.reason.as_str(), "BadRequest" | "NotFound") => {
            let what = format!("{:?}", resource.shown());
            status.message = if narrow.is_empty() {
                format!("Unable to list {what}: {}", status.message)
            } else {
                format!(
                    "Unable to find {what} that match label selector {:?}, field selector {:?}: {}",
                    narrow.labels, narrow.fields, status.message
                )
            };
            Problem::Refused(status)
        }
        other => other,
    }
}

/// The objects of a kind, each with its kind.
pub(super) async fn objects(
    session: &mut Session<'_>,
    resource: &Resource,
    namespace: &str,
    narrow: &Narrow,
) -> Result<Vec<Value>, Problem> {
    let mut answer = list(session, resource, namespace, narrow, As::Json).await?;
    Ok(output::items_with_kind(&mut answer, resource))
}

/// What a command works on, and what went wrong while finding it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) targets: Vec<Target>,
    pub(super) problems: Vec<Problem>,
    /// Whether a kind, not a name, was asked for: that there is none then is no mistake.
    pub(super) listed: bool,
}

/// The objects that words, files and selectors mean. `all` allows a kind without a name.
pub(super) async fn targets(
    session: &mut Session<'_>,
    arguments: &Arguments,
    words: &[String],
    all: bool,
) -> Result<Found, Problem> {
    let narrow = Narrow::of(arguments);
    let sources = Sources::of(arguments)?;
    let mut found = Found::default();
    if !sources.is_empty() {
        if !words.is_empty() {
            return Err(Problem::said(
                "when paths, URLs, or stdin is provided as input, you may not specify resource \
                                      arguments as well",
            ));
        }
        let (manifests, problems) = sources.read(session.streams.input);
        found.problems.extend(problems);
        for manifest in manifests {
            match manifest::target(session, manifest).await {
                Ok(target) => found.targets.push(target),
                Err(problem) => found.problems.push(problem),
            }
        }
        return Ok(found);
    }
    let selected = !narrow.is_empty() || arguments.on("all") || arguments.on("all-namespaces");
    for which in self::words(session, words).await? {
        match which {
            Which::One(..) if selected => {
                return Err(Problem::said("name cannot be provided when a selector is specified"));
            }
            Which::One(resource, name) => {
                let namespace = if resource.namespaced { session.namespace.clone() } else { String::new() };
                found.targets.push(Target { resource, namespace, name, source: None, object: None });
            }
            Which::All(_) if !selected && !all => {
                return Err(Problem::said("resource(s) were provided, but no name was specified"));
            }
            Which::All(resource) => {
                found.listed = true;
                let namespace = if arguments.on("all-namespaces") { String::new() } else { session.namespace.clone() };
                match objects(session, &resource, &namespace, &narrow).await {
                    Ok(objects) => found.targets.extend(objects.into_iter().map(|object| of_object(&resource, object))),
                    Err(problem) => found.problems.push(problem),
                }
            }
        }
    }
    Ok(found)
}

/// The target that an object is.
fn of_object(resource: &Resource, object: Value) -> Target {
    let key = object::Key::of(&object);
    let (namespace, name) = (key.namespace.into_string(), key.name.into_string());
    Target { resource: resource.clone(), namespace, name, source: None, object: Some(object) }
}

/// The target as the server has it.
pub(super) async fn fetched(session: &mut Session<'_>, target: &Target) -> Result<Value, Problem> {
    match (&target.source, &target.object) {
        (None, Some(object)) => Ok(object.clone()),
        _ => session.object(&target.resource, &target.namespace, &target.name, As::Json).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_are_refused() {
        for (name, why) in [
            ("..", "invalid resource name \"..\": [may not be '..']"),
            ("%2e", "invalid resource name \"%2e\": [may not contain '%']"),
            ("", "resource name may not be empty"),
        ] {
            assert_eq!(checked(name), Err(Problem::said(why)));
        }
        assert_eq!(checked("web-1"), Ok("web-1".to_owned()));
    }
}
