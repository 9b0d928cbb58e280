//! The commands of the built-in kubectl and their flags.

use std::fmt::Write as _;

use super::flags::{Arguments, Flag, Takes};
use super::problem::Problem;
use crate::diagnostic::closest;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Get,
    Describe,
    Logs,
    Events,
    Apply,
    Create,
    CreateNamespace,
    CreateServiceAccount,
    CreateDeployment,
    CreateConfigMap,
    CreateSecret,
    Delete,
    Scale,
    RolloutStatus,
    RolloutHistory,
    RolloutUndo,
    RolloutRestart,
    RolloutPause,
    RolloutResume,
    Annotate,
    Label,
    Patch,
    SetImage,
    Wait,
    Version,
    ApiResources,
    ApiVersions,
}

/// What a command is called, what it does, and which flags it has.
pub(super) struct Command {
    pub(super) name: Name,
    /// `rollout status`
    pub(super) words: &'static str,
    /// Another last word.
    alias: &'static str,
    /// What stands behind it.
    usage: &'static str,
    about: &'static str,
    pub(super) flags: &'static [&'static [Flag]],
}

const FILES: &[Flag] = &[
    Flag::new("filename", Takes::Text, "a file or a folder; `-` is standard input").short('f'),
    Flag::new("recursive", Takes::Switch, "also folders in the folder").short('R'),
    Flag::new("kustomize", Takes::Text, "only in the real kubectl").short('k'),
];
const SELECTORS: &[Flag] = &[
    Flag::new("selector", Takes::Text, "only objects with these labels").short('l'),
    Flag::new("field-selector", Takes::Text, "only objects with these fields"),
];
const ALL: &[Flag] = &[
    Flag::new("all", Takes::Switch, "all objects of the kind"),
    Flag::new("all-namespaces", Takes::Switch, "of all namespaces").short('A'),
];
const OUTPUT: &[Flag] = &[
    Flag::new("output", Takes::Text, "name, json, yaml, wide, jsonpath=… or custom-columns=…").short('o'),
    Flag::new("show-managed-fields", Takes::Switch, "also who owns which field"),
];
const DRY_RUN: &[Flag] = &[
    Flag::new("dry-run", Takes::Optional("unchanged"), "none, client or server"),
    Flag::new("field-manager", Takes::Text, "not used"),
];
const VALIDATE: &[Flag] = &[Flag::new("validate", Takes::Optional("strict"), "strict, warn or ignore")];
const GET: &[Flag] = &[
    Flag::new("watch", Takes::Switch, "go on with what changes").short('w'),
    Flag::new("watch-only", Takes::Switch, "only what changes"),
    Flag::new("output-watch-events", Takes::Switch, "say what happened to each"),
    Flag::new("all-namespaces", Takes::Switch, "of all namespaces").short('A'),
    Flag::new("no-headers", Takes::Switch, "without a header"),
    Flag::new("show-labels", Takes::Switch, "with a column of labels"),
    Flag::new("show-kind", Takes::Switch, "with kinds before names"),
    Flag::new("label-columns", Takes::Text, "with a column for each of these labels").short('L'),
    Flag::new("sort-by", Takes::Text, "sorted by this member"),
    Flag::new("ignore-not-found", Takes::Switch, "what is not there is no error"),
    Flag::new("raw", Takes::Text, "the answer to this path as it is"),
    Flag::new("chunk-size", Takes::Number, "not used"),
    Flag::new("server-print", Takes::Switch, "not used"),
];
const DESCRIBE: &[Flag] = &[
    Flag::new("all-namespaces", Takes::Switch, "of all namespaces").short('A'),
    Flag::new("show-events", Takes::Switch, "also what happened; on by itself"),
    Flag::new("chunk-size", Takes::Number, "not used"),
];
const LOGS: &[Flag] = &[
    Flag::new("follow", Takes::Switch, "go on with what is written").short('f'),
    Flag::new("container", Takes::Text, "of this container").short('c'),
    Flag::new("previous", Takes::Switch, "of the container before the last restart").short('p'),
    Flag::new("tail", Takes::Number, "only the last lines"),
    Flag::new("since", Takes::Text, "only newer than this long ago"),
    Flag::new("since-time", Takes::Text, "only newer than this time"),
    Flag::new("timestamps", Takes::Switch, "with times"),
    Flag::new("limit-bytes", Takes::Number, "at most this much"),
    Flag::new("all-containers", Takes::Switch, "of all containers"),
    Flag::new("all-pods", Takes::Switch, "of all pods of the workload"),
    Flag::new("prefix", Takes::Switch, "with pod and container before each line"),
    Flag::new("selector", Takes::Text, "of pods with these labels").short('l'),
    Flag::new("max-log-requests", Takes::Number, "how many logs may be followed at once"),
    Flag::new("ignore-errors", Takes::Switch, "go on when a log cannot be read"),
];
const EVENTS: &[Flag] = &[
    Flag::new("for", Takes::Text, "about this TYPE/NAME"),
    Flag::new("types", Takes::Text, "Normal or Warning"),
    Flag::new("all-namespaces", Takes::Switch, "of all namespaces").short('A'),
    Flag::new("no-headers", Takes::Switch, "without a header"),
];
const APPLY: &[Flag] = &[
    Flag::new("server-side", Takes::Switch, "say what conflicts"),
    Flag::new("force-conflicts", Takes::Switch, "take fields from whoever owns them"),
    Flag::new("prune", Takes::Switch, "only in the real kubectl"),
    Flag::new("selector", Takes::Text, "only in the real kubectl").short('l'),
    Flag::new("overwrite", Takes::Switch, "not used"),
    Flag::new("wait", Takes::Switch, "not used"),
];
const DEPLOYMENT: &[Flag] = &[
    Flag::new("image", Takes::Text, "the image; may be given more than once"),
    Flag::new("replicas", Takes::Number, "how many").short('r'),
    Flag::new("port", Takes::Number, "the port it listens on"),
];
const ENTRIES: &[Flag] = &[
    Flag::new("from-literal", Takes::Text, "KEY=VALUE"),
    Flag::new("from-file", Takes::Text, "a file, or KEY=FILE, or a folder"),
    Flag::new("from-env-file", Takes::Text, "a file with KEY=VALUE on each line"),
    Flag::new("type", Takes::Text, "the type of a secret"),
];
const DELETE: &[Flag] = &[
    Flag::new("wait", Takes::Switch, "until they are gone; on by itself"),
    Flag::new("timeout", Takes::Text, "how long to wait"),
    Flag::new("grace-period", Takes::Number, "seconds that a pod has to end"),
    Flag::new("now", Takes::Switch, "a grace period of one second"),
    Flag::new("force", Takes::Switch, "at once"),
    Flag::new("cascade", Takes::Optional("background"), "background, foreground or orphan"),
    Flag::new("ignore-not-found", Takes::Switch, "what is not there is no error"),
];
const SCALE: &[Flag] = &[
    Flag::new("replicas", Takes::Number, "how many"),
    Flag::new("current-replicas", Takes::Number, "only when there are this many"),
];
const STATUS: &[Flag] = &[
    Flag::new("watch", Takes::Switch, "until it is done; on by itself").short('w'),
    Flag::new("timeout", Takes::Text, "how long to wait"),
    Flag::new("revision", Takes::Number, "of this revision"),
];
const REVISION: &[Flag] = &[Flag::new("revision", Takes::Number, "what this revision rolls out")];
const TO_REVISION: &[Flag] = &[Flag::new("to-revision", Takes::Number, "back to this revision")];
const LABEL: &[Flag] = &[
    Flag::new("overwrite", Takes::Switch, "also when there is another value"),
    Flag::new("list", Takes::Switch, "show them"),
];
const PATCH: &[Flag] = &[
    Flag::new("patch", Takes::Text, "the patch, as JSON or YAML").short('p'),
    Flag::new("patch-file", Takes::Text, "a file with the patch"),
    Flag::new("type", Takes::Text, "strategic, merge or json"),
    Flag::new("subresource", Takes::Text, "status or scale"),
];
const WAIT: &[Flag] = &[
    Flag::new("for", Takes::Text, "condition=NAME, delete, create or jsonpath={.path}=VALUE"),
    Flag::new("timeout", Takes::Text, "how long to wait; 30 s by itself"),
];
const VERSION: &[Flag] = &[
    Flag::new("client", Takes::Switch, "without the server's"),
    Flag::new("output", Takes::Text, "json or yaml").short('o'),
];
const RESOURCES: &[Flag] = &[
    Flag::new("api-group", Takes::Text, "of this group"),
    Flag::new("namespaced", Takes::Switch, "only those in namespaces, or not"),
    Flag::new("verbs", Takes::Text, "that can do these"),
    Flag::new("categories", Takes::Text, "of these categories"),
    Flag::new("no-headers", Takes::Switch, "without a header"),
    Flag::new("cached", Takes::Switch, "not used"),
    Flag::new("output", Takes::Text, "name or wide").short('o'),
];
/// Flags of every command.
pub(super) const GLOBAL: &[Flag] = &[
    Flag::new("namespace", Takes::Text, "the namespace").short('n'),
    Flag::new("context", Takes::Text, "a context of the kubeconfig; it has to be allowed"),
    Flag::new("kubeconfig", Takes::Text, "the kubeconfig"),
    Flag::new("request-timeout", Takes::Text, "how long a request may take"),
    Flag::new("v", Takes::Number, "not used").short('v'),
    Flag::new("warnings-as-errors", Takes::Switch, "not used"),
    Flag::new("help", Takes::Switch, "this text").short('h'),
];

macro_rules! commands {
    ($($name:ident $words:literal $alias:literal $usage:literal $about:literal [$($flags:expr),*];)*) => {
        &[$(Command { name: Name::$name, words: $words, alias: $alias, usage: $usage, about: $about, flags: &[$($flags),*] }),*]
    };
}

/// All commands.
pub(super) const COMMANDS: &[Command] = commands![
    Get "get" "" "TYPE[,TYPE] [NAME…] | TYPE/NAME… | -f FILE" "Show objects" [GET, FILES, SELECTORS, OUTPUT];
    Describe "describe" "" "TYPE [NAME…] | TYPE/NAME | -f FILE" "Show all of an object, and what happened to it" [DESCRIBE, FILES, SELECTORS];
    Logs "logs" "log" "POD | TYPE/NAME" "Show what a container wrote" [LOGS];
    Events "events" "" "" "Show what happened" [EVENTS];
    Apply "apply" "" "-f FILE" "Make the cluster as files say" [APPLY, FILES, OUTPUT, DRY_RUN, VALIDATE];
    CreateNamespace "create namespace" "ns" "NAME" "Make a namespace" [OUTPUT, DRY_RUN, VALIDATE];
    CreateServiceAccount "create serviceaccount" "sa" "NAME" "Make a service account" [OUTPUT, DRY_RUN, VALIDATE];
    CreateDeployment "create deployment" "deploy" "NAME --image=IMAGE [-- COMMAND]" "Make a deployment" [DEPLOYMENT, OUTPUT, DRY_RUN, VALIDATE];
    CreateConfigMap "create configmap" "cm" "NAME [--from-literal=KEY=VALUE…]" "Make a config map" [ENTRIES, OUTPUT, DRY_RUN, VALIDATE];
    CreateSecret "create secret generic" "" "NAME [--from-literal=KEY=VALUE…]" "Make a secret" [ENTRIES, OUTPUT, DRY_RUN, VALIDATE];
    Create "create" "" "-f FILE" "Make the objects of files" [FILES, OUTPUT, DRY_RUN, VALIDATE];
    Delete "delete" "" "TYPE NAME… | TYPE -l LABELS | -f FILE" "Delete objects" [DELETE, FILES, SELECTORS, ALL, OUTPUT, DRY_RUN];
    Scale "scale" "" "TYPE NAME --replicas=N" "Change the number of replicas" [SCALE, FILES, SELECTORS, ALL, OUTPUT, DRY_RUN];
    RolloutStatus "rollout status" "" "TYPE NAME" "Follow a rollout until it is done" [STATUS, FILES, SELECTORS];
    RolloutHistory "rollout history" "" "TYPE NAME" "Show the revisions of a workload" [REVISION, FILES, SELECTORS, OUTPUT];
    RolloutUndo "rollout undo" "" "TYPE NAME" "Go back to an older revision" [TO_REVISION, FILES, SELECTORS, OUTPUT, DRY_RUN];
    RolloutRestart "rollout restart" "" "TYPE NAME" "Replace all pods of a workload" [FILES, SELECTORS, OUTPUT, DRY_RUN];
    RolloutPause "rollout pause" "" "TYPE NAME" "Hold a deployment's rollouts" [FILES, SELECTORS, OUTPUT, DRY_RUN];
    RolloutResume "rollout resume" "" "TYPE NAME" "Go on with a deployment's rollouts" [FILES, SELECTORS, OUTPUT, DRY_RUN];
    Annotate "annotate" "" "TYPE NAME KEY=VALUE… KEY-…" "Set and remove annotations" [LABEL, FILES, SELECTORS, ALL, OUTPUT, DRY_RUN];
    Label "label" "" "TYPE NAME KEY=VALUE… KEY-…" "Set and remove labels" [LABEL, FILES, SELECTORS, ALL, OUTPUT, DRY_RUN];
    Patch "patch" "" "TYPE NAME -p PATCH" "Change members of an object" [PATCH, FILES, OUTPUT, DRY_RUN];
    SetImage "set image" "" "TYPE NAME CONTAINER=IMAGE…" "Change the images of a workload" [FILES, SELECTORS, ALL, OUTPUT, DRY_RUN];
    Wait "wait" "" "TYPE/NAME --for=CONDITION" "Wait for something to become so" [WAIT, FILES, SELECTORS, ALL, OUTPUT];
    Version "version" "" "" "Show the versions of client and server" [VERSION];
    ApiResources "api-resources" "" "" "Show what kinds of objects there are" [RESOURCES];
    ApiVersions "api-versions" "" "" "Show the versions of the API" [];
];

/// What the real kubectl has besides.
const ELSEWHERE: [&str; 24] = [
    "attach",
    "auth",
    "autoscale",
    "certificate",
    "cluster-info",
    "completion",
    "config",
    "cordon",
    "cp",
    "debug",
    "diff",
    "drain",
    "edit",
    "exec",
    "explain",
    "expose",
    "kustomize",
    "plugin",
    "port-forward",
    "proxy",
    "replace",
    "run",
    "taint",
    "top",
];

/// Finds the command of a line; also the arguments that are left for it.
pub(super) fn find(line: &[String]) -> Result<Option<(&'static Command, Vec<String>)>, Problem> {
    let positions = words(line);
    let word = |index: usize| positions.get(index).and_then(|position| line.get(*position)).map(String::as_str);
    let Some(first) = word(0) else { return Ok(None) };
    let mut best: Option<(&'static Command, usize)> = None;
    for command in COMMANDS {
        let parts: Vec<&str> = command.words.split(' ').collect();
        let last = parts.len() - 1;
        let matches = parts.iter().enumerate().all(|(index, part)| {
            word(index).is_some_and(|word| {
                word == *part || (index == last && !command.alias.is_empty() && word == command.alias)
            })
        });
        if matches && best.is_none_or(|(_, length)| parts.len() > length) {
            best = Some((command, parts.len()));
        }
    }
    if let Some((command, length)) = best {
        let taken: Vec<usize> = positions.iter().take(length).copied().collect();
        let rest = line.iter().enumerate().filter(|(index, _)| !taken.contains(index)).map(|(_, word)| word.clone());
        return Ok(Some((command, rest.collect())));
    }
    Err(unknown(first, word(1)))
}

/// Where words stand that are neither flags nor values of global flags.
fn words(line: &[String]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut skip = false;
    for (index, word) in line.iter().enumerate() {
        if std::mem::take(&mut skip) {
            continue;
        }
        if word == "--" {
            break;
        }
        let takes_next = |flag: &Flag| {
            flag.takes != Takes::Switch
                && (word.strip_prefix("--") == Some(flag.long)
                    || flag.short.is_some_and(|letter| word.strip_prefix('-') == Some(letter.to_string().as_str())))
        };
        if GLOBAL.iter().any(takes_next) {
            skip = true;
        } else if !word.starts_with('-') {
            found.push(index);
        } else if found.is_empty() {
            // A flag of a command that is not known yet: nothing behind it can be told apart.
        }
    }
    found
}

fn unknown(first: &str, second: Option<&str>) -> Problem {
    if ELSEWHERE.contains(&first) {
        return Problem::said(format!(
            "`kubectl {first}` is not part of the built-in kubectl; install the real one (https://kubernetes.io/docs/tasks/tools)"
        ));
    }
    let group: Vec<&str> =
        COMMANDS.iter().filter_map(|command| command.words.strip_prefix(first)?.strip_prefix(' ')).collect();
    if !group.is_empty() {
        let known = group.join(", ");
        return match second {
            Some(second) => Problem::said(format!(
                "unknown command {second:?}\nSee 'kubectl {first} -h' for help and examples; there are {known}"
            )),
            None => Problem::said(format!("`kubectl {first}` needs one of {known}")),
        };
    }
    let names = COMMANDS.iter().filter_map(|command| command.words.split(' ').next());
    let like = closest(first, names).map_or(String::new(), |like| format!("\n\nDid you mean this?\n\t{like}\n"));
    Problem::said(format!("unknown command {first:?} for \"kubectl\"{like}"))
}

impl Command {
    /// Reads the command's arguments.
    pub(super) fn arguments(&self, rest: &[String]) -> Result<Arguments, Problem> {
        let mut flags = self.flags.to_vec();
        flags.push(GLOBAL);
        Arguments::parse(rest, &flags, self.words)
    }

    /// How to use it.
    pub(super) fn help(&self) -> String {
        let mut out = format!("{}.\n\nUsage:\n  kubectl {} {}\n\nOptions:\n", self.about, self.words, self.usage);
        for flag in self.flags.iter().flat_map(|flags| flags.iter()).chain(GLOBAL) {
            let letter = flag.short.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
            let value = match flag.takes {
                Takes::Switch => String::new(),
                Takes::Text => "=TEXT".to_owned(),
                Takes::Number => "=N".to_owned(),
                Takes::Optional(default) => format!("[={default}]"),
            };
            let _ = writeln!(out, "  {letter}--{:<28} {}", format!("{}{value}", flag.long), flag.help);
        }
        out
    }
}

/// What there is.
pub(super) fn help() -> String {
    let mut out = "The kubectl that is built into foredeck: the commands that talks and workshops need.\n\nCommands:\n"
        .to_owned();
    for command in COMMANDS {
        let _ = writeln!(out, "  {:<24} {}", command.words, command.about);
    }
    out.push_str("\nUse \"kubectl COMMAND --help\" for more about a command.\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn found(text: &str) -> (Name, String) {
        let (command, rest) = find(&line(text)).unwrap().unwrap();
        (command.name, rest.join(" "))
    }

    #[test]
    fn commands_are_found_among_flags() {
        for (text, name, rest) in [
            ("get pods -w", Name::Get, "pods -w"),
            ("-n demo get pods", Name::Get, "-n demo pods"),
            (
                "--context=x rollout --namespace demo status deploy/web",
                Name::RolloutStatus,
                "--context=x --namespace demo deploy/web",
            ),
            ("create cm a", Name::CreateConfigMap, "a"),
            ("create -f x.yaml", Name::Create, "-f x.yaml"),
            ("create secret generic s", Name::CreateSecret, "s"),
            ("set image deploy/web a=b", Name::SetImage, "deploy/web a=b"),
            ("log p", Name::Logs, "p"),
        ] {
            assert_eq!(found(text), (name, rest.to_owned()), "{text}");
        }
        assert!(find(&line("")).unwrap().is_none() && find(&line("--help")).unwrap().is_none());
    }

    #[test]
    fn other_words_are_explained() {
        let said = |text: &str| find(&line(text)).err().map(|problem| problem.to_string()).unwrap();
        assert_eq!(said("gett pods"), "error: unknown command \"gett\" for \"kubectl\"\n\nDid you mean this?\n\tget\n");
        assert_eq!(said("nosuch"), "error: unknown command \"nosuch\" for \"kubectl\"");
        assert!(
            said("port-forward svc/x 80")
                .starts_with("error: `kubectl port-forward` is not part of the built-in kubectl")
        );
        assert_eq!(
            said("rollout nope"),
            "error: unknown command \"nope\"\nSee 'kubectl rollout -h' for help and examples; there are status, history, \
             undo, restart, pause, resume"
        );
        assert_eq!(said("set"), "error: `kubectl set` needs one of image");
    }

    #[test]
    fn no_command_has_a_flag_twice() {
        for command in COMMANDS {
            let flags: Vec<&Flag> = command.flags.iter().flat_map(|flags| flags.iter()).chain(GLOBAL).collect();
            for (index, flag) in flags.iter().enumerate() {
                let twice = flags
                    .iter()
                    .skip(index + 1)
                    .find(|other| other.long == flag.long || (other.short.is_some() && other.short == flag.short));
                assert_eq!(twice, None, "{}", command.words);
            }
        }
    }
}
