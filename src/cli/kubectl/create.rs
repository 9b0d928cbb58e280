//! `create`: the objects of files, or a simple one by flags.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::apply::{create, validation};
use super::flags::Arguments;
use super::manifest::Sources;
use super::problem::Problem;
use super::select::{self, Target, checked};
use super::session::Session;
use super::write::Writing;
use crate::cluster::object;

/// Runs `create -f`.
pub(super) async fn files(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    if !arguments.words.is_empty() {
        let words = arguments.words.join(" ");
        return Err(Problem::said(format!(
            "Unexpected args: [{words}]\nSee 'kubectl create -h' for help and examples"
        )));
    }
    if Sources::of(arguments)?.is_empty() {
        return Err(Problem::said("must specify one of -f and -k"));
    }
    let writing = Writing::of(arguments, "kubectl-create")?;
    let validation = validation(arguments)?;
    let found = select::targets(session, arguments, &[], false).await?;
    let mut problems = found.problems;
    if found.targets.is_empty() && problems.is_empty() {
        return Err(Problem::said("no objects passed to create"));
    }
    for target in found.targets {
        let source = target.source.clone().unwrap_or_default();
        match create(session, &writing, &target, validation).await {
            Ok(made) => {
                let name = object::text(&made, &["metadata", "name"]).to_owned();
                writing.done(session, &target.resource, &name, &made, "created")?;
            }
            Err(problem @ Problem::Refused(_)) => {
                let invalid = matches!(&problem, Problem::Refused(status) if status.reason == "Invalid");
                problems.push(if invalid { problem } else { problem.when(&format!("error when creating {source:?}")) });
            }
            Err(problem) => return Err(problem),
        }
    }
    Problem::gathered(problems)
}

/// The only name on the command line.
fn only_name<'a>(arguments: &'a Arguments, command: &str) -> Result<&'a str, Problem> {
    let before_dash = arguments.dash.unwrap_or(arguments.words.len());
    match arguments.words.get(..before_dash) {
        Some([name]) => Ok(name),
        words => Err(Problem::said(format!(
            "exactly one NAME is required, got {}\nSee 'kubectl create {command} -h' for help and examples",
            words.map_or(0, <[String]>::len)
        ))),
    }
}

/// Runs `create namespace`.
pub(super) async fn namespace(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let name = only_name(arguments, "namespace")?;
    make(session, arguments, "v1", "Namespace", json!({ "metadata": { "name": name } })).await
}

/// Runs `create serviceaccount`.
pub(super) async fn service_account(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let name = only_name(arguments, "serviceaccount")?;
    make(session, arguments, "v1", "ServiceAccount", json!({ "metadata": { "name": name } })).await
}

/// Runs `create configmap`.
pub(super) async fn config_map(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let name = only_name(arguments, "configmap")?;
    let (mut data, mut binary) = (Map::new(), Map::new());
    for (key, bytes) in entries(arguments, "ConfigMap", name)? {
        match String::from_utf8(bytes) {
            Ok(text) => data.insert(key, text.into()),
            Err(error) => binary.insert(key, STANDARD.encode(error.as_bytes()).into()),
        };
    }
    let mut object = json!({ "metadata": { "name": name } });
    for (member, map) in [("data", data), ("binaryData", binary)] {
        if !map.is_empty() {
            object::set(&mut object, &[member], map);
        }
    }
    make(session, arguments, "v1", "ConfigMap", object).await
}

/// Runs `create secret generic`.
pub(super) async fn secret(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let name = only_name(arguments, "secret generic")?;
    let encoded = |(key, bytes): (String, Vec<u8>)| (key, Value::from(STANDARD.encode(bytes)));
    let data: Map<_, _> = entries(arguments, "Secret", name)?.into_iter().map(encoded).collect();
    let mut object = json!({ "metadata": { "name": name } });
    if !data.is_empty() {
        object::set(&mut object, &["data"], data);
    }
    if let Some(kind) = arguments.text("type") {
        object::set(&mut object, &["type"], kind);
    }
    make(session, arguments, "v1", "Secret", object).await
}

/// Runs `create deployment`.
pub(super) async fn deployment(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let images: Vec<&str> = arguments.all("image").into_iter().flat_map(|images| images.split(',')).collect();
    if images.is_empty() {
        return Err(Problem::said("required flag(s) \"image\" not set"));
    }
    let name = only_name(arguments, "deployment")?;
    let command = arguments.dash.and_then(|dash| arguments.words.get(dash..)).unwrap_or_default();
    if images.len() > 1 && !command.is_empty() {
        return Err(Problem::said("cannot specify multiple --image options and command"));
    }
    let port = arguments.number("port");
    let containers = images.iter().enumerate().map(|(index, image)| {
        let mut container = json!({ "name": container_name(image), "image": image });
        if index == 0 && !command.is_empty() {
            object::set(&mut container, &["command"], command.to_vec());
        }
        if let Some(port) = port.filter(|_| index == 0) {
            object::set(&mut container, &["ports"], json!([{ "containerPort": port }]));
        }
        container
    });
    let labels = json!({ "app": name });
    let object = json!({
        "metadata": { "labels": labels, "name": name },
        "spec": {
            "replicas": arguments.number("replicas").unwrap_or(1),
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": containers.collect::<Vec<_>>() },
            },
        },
    });
    make(session, arguments, "apps/v1", "Deployment", object).await
}

/// A container's name by its image: the last part, without tag or digest.
fn container_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let plain = last.split(['@', ':']).next().unwrap_or(last);
    let valid = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' };
    plain.chars().map(valid).collect()
}

async fn make(
    session: &mut Session<'_>,
    arguments: &Arguments,
    api_version: &str,
    kind: &str,
    mut object: Value,
) -> Result<(), Problem> {
    let writing = Writing::of(arguments, "kubectl-create")?;
    let validation = validation(arguments)?;
    let found = session.resources().await?.of_kind(api_version, kind).cloned();
    let resource =
        found.ok_or_else(|| Problem::said(format!("no matches for kind {kind:?} in version {api_version:?}")))?;
    object::set(&mut object, &["apiVersion"], api_version);
    object::set(&mut object, &["kind"], kind);
    let name = checked(object::text(&object, &["metadata", "name"]))?;
    let namespace = if resource.namespaced { session.namespace.clone() } else { String::new() };
    if resource.namespaced {
        object::set(&mut object, &["metadata", "namespace"], namespace.as_str());
    }
    let target = Target { resource, namespace, name, source: None, object: Some(object) };
    let made = create(session, &writing, &target, validation).await;
    let made = made.map_err(|problem| match problem {
        // kubectl says this of most kinds, but not of namespaces.
        Problem::Refused(status) if status.reason != "Invalid" && kind != "Namespace" => {
            Problem::said(format!("failed to create {}: {}", kind.to_lowercase(), status.message))
        }
        other => other,
    })?;
    writing.done(session, &target.resource, &target.name, &made, "created")
}

/// The entries of `--from-literal`, `--from-file` and `--from-env-file`.
fn entries(arguments: &Arguments, kind: &str, name: &str) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for literal in arguments.all("from-literal") {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Problem::said(format!("invalid literal source {literal}, expected key=value")));
        };
        found.push((key.to_owned(), value.as_bytes().to_vec()));
    }
    for file in arguments.all("from-file") {
        let (key, path) = match file.split_once('=') {
            Some((key, path)) => (Some(key), path),
            None => (None, file),
        };
        from_file(key, Path::new(path), &mut found)?;
    }
    for file in arguments.all("from-env-file") {
        let text = String::from_utf8_lossy(&read(Path::new(file))?).into_owned();
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            found.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    let mut seen = std::collections::HashSet::new();
    for (key, _) in &found {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !key.chars().all(plain) || key == "." || key.starts_with("..") {
            return Err(Problem::said(format!(
                "{key:?} is not a valid key name for a {kind}: a valid config key must consist of alphanumeric \
                 characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation \
                 is '[-._a-zA-Z0-9]+')"
            )));
        }
        if !seen.insert(key) {
            return Err(Problem::said(format!(
                "cannot add key {key:?}, another key by that name already exists in Data for {kind} {name:?}"
            )));
        }
    }
    Ok(found)
}

fn from_file(key: Option<&str>, path: &Path, found: &mut Vec<(String, Vec<u8>)>) -> Result<(), Problem> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if path.is_dir() && key.is_none() {
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.sort();
        for file in files {
            found.push((name(&file), read(&file)?));
        }
        return Ok(());
    }
    found.push((key.map_or_else(|| name(path), str::to_owned), read(path)?));
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let why = if error.kind() == std::io::ErrorKind::NotFound {
        "no such file or directory".to_owned()
    } else {
        error.to_string()
    };
    Problem::said(format!("error reading {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_called_like_their_image() {
        for (image, expected) in [
            ("nginx", "nginx"),
            ("nginx:1.25", "nginx"),
            ("registry.x:5000/a/b@sha256:abc", "b"),
            ("quay.io/Some_Thing:1", "some-thing"),
        ] {
            assert_eq!(container_name(image), expected);
        }
    }
}
