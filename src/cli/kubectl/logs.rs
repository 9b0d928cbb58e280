//! `logs`: what containers wrote.

use futures::{StreamExt, TryStreamExt as _};
use jiff::SignedDuration;
use serde_json::Value;

use super::flags::Arguments;
use super::problem::Problem;
use super::resources::query;
use super::select::{self, Narrow, Which};
use super::session::{As, Session};
use crate::cluster::goduration;
use crate::cluster::object;

/// With a selector only the last lines are shown, unless more are asked for.
const TAIL_OF_SEVERAL: &str = "10";
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// One container to read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    pod: String,
    container: String,
}

/// Runs `logs`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let selector = arguments.text("selector").unwrap_or("");
    let (what, container) = match arguments.words.as_slice() {
        [] if selector.is_empty() => {
            return Err(Problem::said(
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for \
                 the logs command\nSee 'kubectl logs -h' for help and examples",
            ));
        }
        [] => ("", None),
        [_, ..] if !selector.is_empty() => {
            return Err(Problem::said(
                "only a selector (-l) or a POD name is allowed\nSee 'kubectl logs -h' for help and examples",
            ));
        }
        [what] => (what.as_str(), None),
        [what, container] => (what.as_str(), Some(container.as_str())),
        _ => {
            return Err(Problem::said(
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nSee 'kubectl logs -h' for help and examples",
            ));
        }
    };
    let pods = if selector.is_empty() {
        pods_of(session, what, arguments.on("all-pods")).await?
    } else {
        let resource = session.resource("pods").await?;
        let narrow = Narrow { labels: selector.to_owned(), fields: String::new() };
        let namespace = session.namespace.clone();
        select::objects(session, &resource, &namespace, &narrow).await?
    };
    if pods.is_empty() {
        session.tell(&format!("No resources found in {} namespace.", session.namespace));
        return Ok(());
    }
    let container = arguments.text("container").or(container);
    let mut sources = Vec::new();
    for pod in &pods {
        sources.extend(containers(session, pod, container, arguments.on("all-containers"))?);
    }
    let parameters = parameters(arguments, !selector.is_empty())?;
    read(session, arguments, &sources, &parameters).await
}

/// The pods that `POD` or `TYPE/NAME` mean.
async fn pods_of(session: &mut Session<'_>, what: &str, all: bool) -> Result<Vec<Value>, Problem> {
    let which = if what.contains('/') {
        select::words(session, &[what.to_owned()]).await?.into_iter().next()
    } else {
        Some(Which::One(session.resource("pods").await?, select::checked(what)?))
    };
    let Some(Which::One(resource, name)) = which else { return Ok(Vec::new()) };
    let namespace = session.namespace.clone();
    let found = session.object(&resource, &namespace, &name, As::Json).await;
    let object = found.map_err(|problem| match problem {
        Problem::Refused(status) if status.reason == "NotFound" => {
            Problem::said(format!("error from server (NotFound): {} in namespace {namespace:?}", status.message))
        }
        other => other,
    })?;
    if resource.is("", "Pod") {
        return Ok(vec![object]);
    }
    let Some(selector) = selector_of(&object) else {
        let kind = format!("*{}.{}", resource.version, resource.kind);
        return Err(Problem::said(format!("cannot get the logs from {kind}: selector for {kind} not implemented")));
    };
    let pods = session.resource("pods").await?;
    let narrow = Narrow { labels: selector, fields: String::new() };
    let mut found = select::objects(session, &pods, &namespace, &narrow).await?;
    found.sort_by_key(rank);
    if found.len() > 1 && !all {
        let first = found.first().map_or("", |pod| object::text(pod, &["metadata", "name"])).to_owned();
        session.tell(&format!("Found {} pods, using pod/{first}", found.len()));
    }
    if !all {
        found.truncate(1);
    }
    if found.is_empty() {
        return Err(Problem::said("timed out waiting for the condition"));
    }
    Ok(found)
}

/// The pods of a workload, as a selector.
fn selector_of(object: &Value) -> Option<String> {
    let labels = object::map(object, &["spec", "selector", "matchLabels"]);
    // Services and replication controllers have labels alone.
    let plain = || object::map(object, &["spec", "selector"]).filter(|map| map.values().all(Value::is_string));
    let labels = labels.or_else(plain)?;
    let parts: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or(""))).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

/// Pods that run come first, then the older ones.
fn rank(pod: &Value) -> (bool, bool, String) {
    let assigned = !object::text(pod, &["spec", "nodeName"]).is_empty();
    let running = object::text(pod, &["status", "phase"]) == "Running";
    (!assigned, !running, object::text(pod, &["metadata", "creationTimestamp"]).to_owned())
}

/// The containers of a pod that are to be read.
fn containers(session: &mut Session<'_>, pod: &Value, asked: Option<&str>, all: bool) -> Result<Vec<Source>, Problem> {
    let name = object::text(pod, &["metadata", "name"]).to_owned();
    let names = |member: &str| {
        let list = object::list(pod, &["spec", member]).iter();
        list.map(|container| object::text(container, &["name"]).to_owned()).collect::<Vec<_>>()
    };
    let (regular, first, late) = (names("containers"), names("initContainers"), names("ephemeralContainers"));
    let known: Vec<String> = [first, regular.clone(), late].concat();
    let source = |container: String| Source { pod: name.clone(), container };
    if all {
        return Ok(known.into_iter().map(source).collect());
    }
    if let Some(container) = asked {
        if !known.iter().any(|known| known == container) {
            return Err(Problem::said(format!("container {container} is not valid for pod {name}")));
        }
        return Ok(vec![source(container.to_owned())]);
    }
    let chosen = object::text(pod, &["metadata", "annotations", DEFAULT_CONTAINER]);
    let chosen = regular.iter().find(|known| *known == chosen).or(regular.first()).cloned().unwrap_or_default();
    if known.len() > 1 {
        session.tell(&format!("Defaulted container {chosen:?} out of: {}", describe(pod)));
    }
    Ok(vec![source(chosen)])
}

/// All containers of a pod, with what sort they are.
fn describe(pod: &Value) -> String {
    let sorts = [("containers", ""), ("ephemeralContainers", " (ephem)"), ("initContainers", " (init)")];
    let named = sorts.iter().flat_map(|(member, sort)| {
        object::list(pod, &["spec", member])
            .iter()
            .map(move |container| format!("{}{sort}", object::text(container, &["name"])))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// The parameters of the request, but for the container.
fn parameters(arguments: &Arguments, several: bool) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut parameters = Vec::new();
    for (flag, parameter) in [("follow", "follow"), ("previous", "previous"), ("timestamps", "timestamps")] {
        if arguments.on(flag) {
            parameters.push((parameter, "true".to_owned()));
        }
    }
    match arguments.number("tail") {
        Some(lines) if lines >= 0 => parameters.push(("tailLines", lines.to_string())),
        Some(-1) => {}
        Some(lines) => {
            return Err(Problem::said(format!("--tail must be greater than or equal to -1, was {lines}")));
        }
        None if several && !arguments.on("follow") => parameters.push(("tailLines", TAIL_OF_SEVERAL.to_owned())),
        None => {}
    }
    if let Some(since) = arguments.text("since") {
        let since = goduration::parse(since).map_err(|why| {
            Problem::said(format!("invalid argument {since:?} for \"--since\" flag: time: {why} {since:?}"))
        })?;
        if since > SignedDuration::ZERO {
            // Parts of a second count as a whole one.
            let seconds = since.as_secs() + i64::from(since.subsec_nanos() > 0);
            parameters.push(("sinceSeconds", seconds.to_string()));
        }
    }
    if let Some(since) = arguments.text("since-time") {
        parameters.push(("sinceTime", since.to_owned()));
    }
    if let Some(bytes) = arguments.number("limit-bytes").filter(|bytes| *bytes > 0) {
        parameters.push(("limitBytes", bytes.to_string()));
    }
    Ok(parameters)
}

/// Prints one log after the other, or all at once when they are followed.
async fn read(
    session: &mut Session<'_>,
    arguments: &Arguments,
    sources: &[Source],
    parameters: &[(&'static str, String)],
) -> Result<(), Problem> {
    let follow = arguments.on("follow");
    let most = arguments.number("max-log-requests").unwrap_or(5);
    if follow && i64::try_from(sources.len()).unwrap_or(i64::MAX) > most {
        return Err(Problem::said(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use \
             --max-log-requests to increase the limit",
            sources.len()
        )));
    }
    let resource = session.resource("pods").await?;
    let mut streams = Vec::new();
    for source in sources {
        let mut all: Vec<(&str, &str)> = vec![("container", &source.container)];
        all.extend(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        let path = format!("{}/log", resource.path(&session.namespace, &source.pod));
        let prefix =
            if arguments.on("prefix") { format!("[pod/{}/{}] ", source.pod, source.container) } else { String::new() };
        match session.follow(&query(&path, &all), As::Text).await {
            Ok(lines) => streams.push((prefix, lines)),
            Err(problem) if arguments.on("ignore-errors") => session.tell(&problem.to_string()),
            Err(problem) => return Err(problem),
        }
    }
    if !follow {
        for (prefix, mut lines) in streams {
            while let Some(line) = lines.try_next().await? {
                write(session, &prefix, &line)?;
            }
        }
        return Ok(session.streams.out.flush()?);
    }
    let tagged = streams.into_iter().map(|(prefix, lines)| lines.map(move |line| (prefix.clone(), line)));
    let mut all = futures::stream::select_all(tagged.map(StreamExt::boxed));
    while let Some((prefix, line)) = all.next().await {
        write(session, &prefix, &line?)?;
        session.streams.out.flush()?;
    }
    Ok(())
}

/// Logs are bytes; they are written as they are.
fn write(session: &mut Session<'_>, prefix: &str, line: &[u8]) -> Result<(), Problem> {
    let out = &mut session.streams.out;
    out.write_all(prefix.as_bytes())?;
    Ok(out.write_all(line)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_workload_names_its_pods() {
        let of = |spec: Value| selector_of(&json!({ "spec": spec }));
        assert_eq!(of(json!({ "selector": { "matchLabels": { "a": "1", "b": "2" } } })).as_deref(), Some("a=1,b=2"));
        assert_eq!(of(json!({ "selector": { "app": "web" } })).as_deref(), Some("app=web"));
        assert_eq!(of(json!({ "selector": { "matchExpressions": [] } })), None);
        assert_eq!(of(json!({})), None);
    }

    #[test]
    fn pods_that_run_come_first() {
        let pod = |node: &str, phase: &str, made: &str| json!({ "spec": { "nodeName": node }, "status": { "phase": phase }, "metadata": { "creationTimestamp": made } });
        let mut pods =
            [pod("", "Pending", "1"), pod("n", "Pending", "1"), pod("n", "Running", "3"), pod("n", "Running", "2")];
        pods.sort_by_key(rank);
        let made: Vec<_> = pods.iter().map(|pod| object::text(pod, &["metadata", "creationTimestamp"])).collect();
        assert_eq!(made, ["2", "3", "1", "1"]);
    }
}
