//! `clusterctl`: variables into templates, and clusters as a tree, where the real one is missing.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use jiff::Timestamp;

use super::console::{Code, Console, Failure, data};
use super::kubectl;
use crate::gitops::capi::describe;
use crate::gitops::capi::look;
use crate::gitops::capi::substitute::{DEMO_VALUES, substitute, variables};

/// A template may have so many bytes.
const LARGEST: u64 = 8 << 20;

/// Cluster API from the terminal: a small part of clusterctl
#[derive(Debug, Parser)]
#[command(name = "clusterctl", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put variables into a template
    Generate {
        #[command(subcommand)]
        what: Generate,
    },
    /// Show a cluster with all that belongs to it
    Describe {
        #[command(subcommand)]
        what: Describe,
    },
}

#[derive(Debug, Subcommand)]
enum Generate {
    /// Put the values of `${VARIABLES}` into a file
    Yaml {
        /// The file; `-` is standard input
        #[arg(long, value_name = "FILE", default_value = "-")]
        from: PathBuf,
        /// Only list the variables, and their defaults
        #[arg(long)]
        list_variables: bool,
        /// Take harmless values where there are none: not in the real clusterctl
        #[arg(long)]
        demo_values: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Describe {
    /// Show it as a tree
    Cluster {
        /// Its name
        name: String,
        /// Its namespace
        #[arg(short, long, default_value = "default")]
        namespace: String,
        /// Also machine sets
        #[arg(long)]
        show_machinesets: bool,
        /// Also objects that say what their machine says
        #[arg(long)]
        echo: bool,
        /// One row for machines that are the same
        #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
        grouping: bool,
        /// Conditions of these: kinds, `Kind/name`, or `all`
        #[arg(long, value_delimiter = ',', value_name = "KINDS")]
        show_conditions: Vec<String>,
        /// The context of the cluster
        #[arg(long)]
        context: Option<String>,
        /// The file that says where the cluster is
        #[arg(long, value_name = "FILE")]
        kubeconfig: Option<String>,
    },
}

/// Runs a command; ends with 0 or 1, as the real one does.
pub(super) fn run(arguments: Vec<OsString>, console: Console) -> Result<Code, Failure> {
    let words = std::iter::once(OsString::from("clusterctl")).chain(arguments);
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return Ok(if error.use_stderr() { Code::Findings } else { Code::Done });
        }
    };
    let said = match arguments.command {
        Command::Generate { what: Generate::Yaml { from, list_variables, demo_values } } => {
            generate(&from, list_variables, demo_values)
        }
        Command::Describe { what } => describe(what, console)?,
    };
    match said {
        Ok(text) => {
            data(&text)?;
            Ok(Code::Done)
        }
        Err(why) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "Error: {why}");
            Ok(Code::Findings)
        }
    }
}

fn generate(from: &Path, list: bool, demo: bool) -> Result<String, String> {
    let template = read(from)?;
    if list {
        return Ok(listed(&variables(&template).map_err(|error| error.to_string())?));
    }
    let kept = settings().as_deref().map(values).transpose()?.unwrap_or_default();
    // The environment counts more than the file; names are written in capitals there.
    let found: BTreeMap<String, String> = variables(&template)
        .map_err(|error| error.to_string())?
        .into_keys()
        .filter_map(|name| {
            let value = std::env::var(name.to_uppercase()).ok().or_else(|| kept.get(&name).cloned());
            let value = value.or_else(|| demo.then(|| demo_value(&name)).flatten());
            Some((name, value?))
        })
        .collect();
    substitute(&template, |name| found.get(name).map(String::as_str)).map_err(|error| error.to_string())
}

fn demo_value(name: &str) -> Option<String> {
    DEMO_VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn read(from: &Path) -> Result<String, String> {
    let mut text = String::new();
    let failed = |error: std::io::Error| format!("failed to read {}: {error}", from.display());
    if from == Path::new("-") {
        std::io::stdin().take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = std::fs::File::open(from).map_err(failed)?;
        file.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}

/// The user's file of variables, when there is one.
fn settings() -> Option<String> {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let config = config.or_else(|| home.as_ref().map(|home| home.join(".config")));
    let newer = config.map(|dir| dir.join("cluster-api"));
    let older = home.map(|home| home.join(".cluster-api"));
    let files = newer.into_iter().chain(older).map(|dir| dir.join("clusterctl.yaml"));
    files.into_iter().find_map(|file| std::fs::read_to_string(file).ok())
}

/// The variables of that file; what is no plain value is something else of clusterctl's.
fn values(text: &str) -> Result<BTreeMap<String, String>, String> {
    let whole: serde_json::Value =
        serde_saphyr::from_str(text).map_err(|error| format!("failed to read the clusterctl config file: {error}"))?;
    let members = whole.as_object().into_iter().flatten();
    Ok(members
        .filter_map(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(_) | serde_json::Value::Bool(_) => value.to_string(),
                _ => return None,
            };
            Some((name.clone(), value))
        })
        .collect())
}

fn listed(found: &BTreeMap<String, Option<String>>) -> String {
    let part = |title: &str, lines: Vec<String>| match lines.is_empty() {
        true => String::new(),
        false => format!("{title}:\n{}\n", lines.concat()),
    };
    let needed = found.iter().filter(|(_, default)| default.is_none()).map(|(name, _)| format!("  - {name}\n"));
    let others =
        found.iter().filter_map(|(name, default)| Some(format!("  - {name} (defaults to {:?})\n", default.as_ref()?)));
    let text =
        format!("{}{}", part("Required Variables", needed.collect()), part("Optional Variables", others.collect()));
    if text.is_empty() { "No variables\n".to_owned() } else { format!("{}\n", text.trim_end()) }
}

fn describe(what: Describe, console: Console) -> Result<Result<String, String>, Failure> {
    let Describe::Cluster { name, namespace, show_machinesets, echo, grouping, show_conditions, context, kubeconfig } =
        what;
    let flag = |name: &str, value: Option<String>| value.map(|value| format!("--{name}={value}"));
    let words: Vec<String> = flag("context", context).into_iter().chain(flag("kubeconfig", kubeconfig)).collect();
    let options = describe::Options { grouping, echo, machine_sets: show_machinesets, conditions: show_conditions };
    super::cluster::runtime()?.block_on(async {
        let connected = kubectl::connect(&words, console).await?;
        let rows = match look::cluster(&connected.client, &namespace, &name, &options).await {
            Ok(rows) => rows,
            Err(why) => return Ok(Err(why)),
        };
        Ok(Ok(describe::text(&rows, Timestamp::now())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_listed_with_their_defaults() {
        let found = variables("a: ${A}\nb: ${B:=two}\n").unwrap();
        assert_eq!(listed(&found), "Required Variables:\n  - A\n\nOptional Variables:\n  - B (defaults to \"two\")\n");
        assert_eq!(listed(&BTreeMap::new()), "No variables\n");
    }

    #[test]
    fn plain_values_of_the_file_count() {
        let found = values("A: one\nN: 3\nproviders:\n- name: x\n").unwrap();
        assert_eq!(found, BTreeMap::from([("A".to_owned(), "one".to_owned()), ("N".to_owned(), "3".to_owned())]));
        assert!(values("a: [").is_err());
    }
}
