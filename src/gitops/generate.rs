//! `.flux.yaml`: objects made by commands of the repository, which run only when the user trusts it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::files::documents::{Unreadable, documents};
use super::process::{self, Bounds, Stopped};
use crate::cluster::api::patch;
use crate::cluster::api::schema::builtin::builtin;
use crate::cluster::object::{list, text};
use crate::cluster::yaml;

/// More than this is not taken from one command.
const MOST: u64 = 64 << 20;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generator {
    /// For `/bin/sh -c`.
    pub command: String,
    /// How long it may take, when the file says so.
    pub limit: Option<Duration>,
}

/// Commands that change what is generated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Updater {
    /// For another image.
    pub image: Option<String>,
    /// For another policy.
    pub policy: Option<String>,
}

/// What a `.flux.yaml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    /// Commands make the objects; changes are kept as patches.
    Patched {
        /// The commands.
        generators: Vec<Generator>,
        /// The file with the patches, beside the path that is looked in.
        patch_file: String,
    },
    /// Commands make the objects, and others make changes.
    Commanded {
        /// The commands.
        generators: Vec<Generator>,
        /// Those that make changes.
        updaters: Vec<Updater>,
    },
    /// Files are looked for as if there were no `.flux.yaml`.
    Scan,
}

/// Reads a `.flux.yaml`.
///
/// # Errors
/// What is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Config, String> {
    let text_of = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let value = yaml::value(text_of).map_err(|error| error.to_string())?;
    if value.get("version").and_then(Value::as_i64) != Some(1) {
        return Err("its `version` has to be 1".to_owned());
    }
    let ways = ["patchUpdated", "commandUpdated", "scanForFiles"];
    let present: Vec<&str> = ways.into_iter().filter(|way| value.get(way).is_some()).collect();
    let [way] = present.as_slice() else {
        return Err("it needs exactly one of patchUpdated, commandUpdated and scanForFiles".to_owned());
    };
    let body = value.get(way).unwrap_or(&Value::Null);
    match *way {
        "scanForFiles" => Ok(Config::Scan),
        "patchUpdated" => {
            let patch_file = text(body, &["patchFile"]).to_owned();
            if patch_file.is_empty() || super::files::clean_path(&patch_file).as_deref() != Ok(&patch_file) {
                return Err("patchUpdated needs a `patchFile` within its folder".to_owned());
            }
            Ok(Config::Patched { generators: generators(body)?, patch_file })
        }
        _ => {
            let command = |updater: &Value, kind: &str| {
                Some(text(updater, &[kind, "command"]).to_owned()).filter(|command| !command.is_empty())
            };
            let updaters = list(body, &["updaters"]).iter();
            let updaters =
                updaters.map(|u| Updater { image: command(u, "containerImage"), policy: command(u, "policy") });
            Ok(Config::Commanded { generators: generators(body)?, updaters: updaters.collect() })
        }
    }
}

fn generators(body: &Value) -> Result<Vec<Generator>, String> {
    let one = |generator: &Value| {
        let command = text(generator, &["command"]).to_owned();
        if command.is_empty() {
            return Err("a generator has no `command`".to_owned());
        }
        let limit = match text(generator, &["timeout"]) {
            "" => None,
            written => Some(duration(written).ok_or_else(|| format!("`{written}` is no duration"))?),
        };
        // Flux v1 does not take less than a second seriously.
        Ok(Generator { command, limit: limit.filter(|limit| *limit >= Duration::from_secs(1)) })
    };
    list(body, &["generators"]).iter().map(one).collect()
}

/// Reads a duration as Go writes it: `90s`, `1m30s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut all = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let factor = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        all += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(all).ok()).flatten()
}

/// Runs the commands of a configuration in a folder and gives what they write, one after the other.
///
/// # Errors
/// Why they do not come to a good end, in words.
pub async fn generate(config: &Config, folder: &Path, limit: Duration) -> Result<Vec<u8>, String> {
    let (Config::Patched { generators, .. } | Config::Commanded { generators, .. }) = config else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for generator in generators {
        let out = run(&generator.command, &[], folder, generator.limit.unwrap_or(limit)).await?;
        all.extend_from_slice(b"\n---\n");
        all.extend_from_slice(&out);
    }
    let Config::Patched { patch_file, .. } = config else { return Ok(all) };
    match std::fs::read(folder.join(patch_file)) {
        Ok(patches) => patched(&all, &patches),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(all),
        Err(error) => Err(format!("{patch_file} cannot be read: {error}")),
    }
}

/// Runs a command of a `.flux.yaml` with variables.
///
/// # Errors
/// Why it does not come to a good end, in words.
pub async fn run(line: &str, variables: &[(&str, &str)], folder: &Path, limit: Duration) -> Result<Vec<u8>, String> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]).current_dir(folder).envs(variables.iter().copied());
    match process::run(command, None, Bounds { limit, most: MOST }).await {
        Ok(output) if output.status.success() => Ok(output.out),
        Ok(output) => {
            let words = output.err.trim().lines().last().unwrap_or("it gave no reason");
            let words: String = words.chars().filter(|c| !c.is_control()).take(400).collect();
            Err(format!("`{line}` ended with {}: {words}", output.status))
        }
        Err(Stopped::Start(error)) => Err(format!("/bin/sh cannot be started: {error}")),
        Err(stopped) => Err(format!("`{line}`: {stopped}")),
    }
}

/// Objects after the patches of a patch file.
fn patched(objects: &[u8], patches: &[u8]) -> Result<Vec<u8>, String> {
    let read = |bytes: &[u8], what: &str| {
        documents(bytes).map_err(|unreadable| match unreadable {
            Unreadable::NotText => format!("{what} is no text"),
            Unreadable::Yaml { line, message } => format!("{what} is no YAML, line {line}: {message}"),
        })
    };
    let mut objects: Vec<Value> = read(objects, "what was generated")?.into_iter().map(|d| d.value).collect();
    for patch in read(patches, "the patch file")? {
        let patch = patch.value;
        let same = |object: &&mut Value| {
            [&["apiVersion"][..], &["kind"], &["metadata", "namespace"], &["metadata", "name"]]
                .iter()
                .all(|path| text(object, path) == text(&patch, path))
        };
        let name = format!("{} {}", text(&patch, &["kind"]), text(&patch, &["metadata", "name"]));
        let object = objects.iter_mut().find(same);
        let object = object.ok_or_else(|| format!("there is a patch for {name}, which is not generated any more"))?;
        let known = builtin().kind(text(object, &["apiVersion"]), text(object, &["kind"]));
        let after = match known {
            Some(kind) => patch::strategic(&kind, object, &patch),
            None => patch::merge(object, &patch),
        };
        *object = after.map_err(|refusal| format!("the patch for {name} does not fit: {}", refusal.message))?;
    }
    Ok(objects.iter().map(|object| format!("---\n{}", yaml::text(object))).collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read() {
        let generators =
            vec![Generator { command: "kustomize build .".to_owned(), limit: Some(Duration::from_secs(90)) }];
        let text = "version: 1\npatchUpdated:\n  generators:\n  - command: kustomize build .\n    timeout: 1m30s\n  patchFile: flux-patch.yaml\n";
        let patched = Config::Patched { generators, patch_file: "flux-patch.yaml".to_owned() };
        assert_eq!(parse(text.as_bytes()), Ok(patched));
        assert_eq!(parse(b"version: 1\nscanForFiles: {}\n"), Ok(Config::Scan));
        let commanded = parse(b"version: 1\ncommandUpdated:\n  generators: [{command: a, timeout: 10ms}]\n  updaters: [{policy: {command: b}}]\n");
        let generators = vec![Generator { command: "a".to_owned(), limit: None }];
        let updaters = vec![Updater { image: None, policy: Some("b".to_owned()) }];
        assert_eq!(commanded, Ok(Config::Commanded { generators, updaters }));
        for (text, why) in [
            ("version: 2\nscanForFiles: {}", "its `version` has to be 1"),
            ("version: 1", "it needs exactly one of patchUpdated, commandUpdated and scanForFiles"),
            ("version: 1\npatchUpdated: {patchFile: ../x}", "patchUpdated needs a `patchFile` within its folder"),
            ("version: 1\ncommandUpdated: {generators: [{}]}", "a generator has no `command`"),
            ("version: 1\ncommandUpdated: {generators: [{command: a, timeout: 3x}]}", "`3x` is no duration"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(why.to_owned()));
        }
    }

    #[tokio::test]
    async fn commands_make_objects_and_patches_change_them() {
        let folder = tempfile::tempdir().unwrap();
        let object = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: x, image: 'i:1'}, {name: y}]}}}\n";
        std::fs::write(folder.path().join("in.yaml"), object).unwrap();
        let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: x, image: 'i:2'}]}}}\n";
        std::fs::write(folder.path().join("p.yaml"), patch).unwrap();
        let config = |command: &str| Config::Patched {
            generators: vec![Generator { command: command.to_owned(), limit: None }],
            patch_file: "p.yaml".to_owned(),
        };
        let limit = Duration::from_secs(10);
        let out = generate(&config("cat in.yaml"), folder.path(), limit).await.unwrap();
        let out = documents(&out).unwrap().remove(0).value;
        let image = out.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
        assert_eq!(image, Some("i:2"));
        assert!(out.pointer("/spec/template/spec/containers/1").is_some());
        let error = generate(&config("echo bad >&2; exit 3"), folder.path(), limit).await.unwrap_err();
        assert_eq!(error, "`echo bad >&2; exit 3` ended with exit status: 3: bad");
        let error = generate(&config("true"), folder.path(), limit).await.unwrap_err();
        assert_eq!(error, "there is a patch for Deployment a, which is not generated any more");
    }
}
