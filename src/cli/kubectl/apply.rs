//! `apply`: manifests become what the server has, by server-side apply.

use std::time::Duration;

use serde_json::Value;

use super::flags::Arguments;
use super::manifest::{self, Manifest, Sources};
use super::problem::Problem;
use super::resources::query;
use super::select::Target;
use super::session::{APPLY, As, Session};
use super::write::{DryRun, Writing};
use crate::cluster::object;

/// How long a new kind of objects may take to be served.
const NEW_KIND: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// How to apply.
struct Apply {
    writing: Writing,
    /// Whether fields are taken from whoever else owns them.
    force: bool,
    /// Whether the words of `--server-side` are used.
    server_side: bool,
    validation: &'static str,
}

/// Runs `apply`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    if !arguments.words.is_empty() {
        let words = arguments.words.join(" ");
        return Err(Problem::said(format!("Unexpected args: [{words}]\nSee 'kubectl apply -h' for help and examples")));
    }
    if arguments.on("prune") || arguments.text("selector").is_some() {
        return Err(Problem::said(
            "the built-in kubectl applies whole files; --prune and --selector need the real kubectl",
        ));
    }
    let sources = Sources::of(arguments)?;
    if sources.is_empty() {
        return Err(Problem::said("must specify one of -f and -k"));
    }
    let server_side = arguments.on("server-side");
    let apply = Apply {
        writing: Writing::of(arguments, "kubectl")?,
        force: !server_side || arguments.on("force-conflicts"),
        server_side,
        validation: validation(arguments)?,
    };
    let (manifests, mut problems) = sources.read(session.streams.input);
    if manifests.is_empty() && problems.is_empty() {
        return Err(Problem::said("no objects passed to apply"));
    }
    let mut new_kind = false;
    for manifest in manifests {
        let kind = object::text(&manifest.object, &["kind"]).to_owned();
        match one(session, &apply, manifest, new_kind).await {
            Ok(()) => new_kind |= kind == "CustomResourceDefinition",
            Err(Problem::Closed) => return Err(Problem::Closed),
            Err(problem) => problems.push(problem),
        }
    }
    Problem::gathered(problems)
}

/// How the server judges fields it does not know.
pub(super) fn validation(arguments: &Arguments) -> Result<&'static str, Problem> {
    match arguments.text("validate").unwrap_or("strict") {
        "true" | "strict" => Ok("Strict"),
        "warn" => Ok("Warn"),
        "false" | "ignore" => Ok("Ignore"),
        other => {
            let forms = "must be \"strict\" (or \"true\"), \"warn\" or \"ignore\" (or \"false\")";
            Err(Problem::said(format!("invalid argument {other:?} for \"--validate\" flag: {forms}")))
        }
    }
}

async fn one(session: &mut Session<'_>, apply: &Apply, manifest: Manifest, new_kind: bool) -> Result<(), Problem> {
    let target = resolved(session, manifest, new_kind).await?;
    if target.name.is_empty() {
        return Err(Problem::said("resource name may not be empty"));
    }
    let Target { resource, namespace, name, source, object } = target;
    let source = source.unwrap_or_default();
    let object = object.unwrap_or(Value::Null);
    let path = resource.path(&namespace, &name);
    let before = match session.get(&path).await {
        Ok(before) => Some(before),
        Err(problem) if problem.is_not_found() => None,
        Err(problem) => return Err(problem.when(&format!("error when retrieving current configuration of {source:?}"))),
    };
    if apply.writing.dry_run == DryRun::Client {
        let what = if before.is_some() { "configured" } else { "created" };
        let shown = before.as_ref().unwrap_or(&object);
        return apply.writing.done(session, &resource, &name, shown, what);
    }
    let force = if apply.force { "true" } else { "false" };
    let parameters = [("fieldValidation", apply.validation), ("force", force)];
    let address = apply.writing.address(&path, &parameters);
    let answer = session.patch(&address, APPLY, &object).await;
    let doing = if before.is_some() { "patching" } else { "creating" };
    let (code, after) = answer.map_err(|problem| told(problem, apply, doing, &source))?;
    let version = |object: &Value| object::text(object, &["metadata", "resourceVersion"]).to_owned();
    let what = match &before {
        _ if apply.server_side => "serverside-applied",
        _ if code == 201 => "created",
        Some(before) if version(before) == version(&after) => "unchanged",
        _ => "configured",
    };
    apply.writing.done(session, &resource, &name, &after, what)
}

/// A refusal with the file; a conflict with what can be done about it.
fn told(problem: Problem, apply: &Apply, doing: &str, source: &str) -> Problem {
    match problem {
        Problem::Refused(status) if apply.server_side && status.reason == "Conflict" => Problem::said(format!(
            "{}\nPlease review the fields above--they currently have other managers. Here\nare the ways you can resolve \
             this warning:\n* If you intend to manage all of these fields, please re-run the apply\n  command with the \
             `--force-conflicts` flag.\n* If you do not intend to manage all of the fields, please edit your\n  manifest \
             to remove references to the fields that should keep their\n  current managers.\n* You may co-own fields by \
             updating your manifest to match the existing\n  value; in this case, you'll become the manager if the other \
             manager(s)\n  stop managing the field (remove it from their configuration).\nSee \
             https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts",
            status.message
        )),
        Problem::Refused(status) if status.reason == "Invalid" => Problem::Refused(status),
        other => other.when(&format!("error when {doing} {source:?}")),
    }
}

/// The target of a manifest. When its kind was defined just before, the server gets some time to serve it.
async fn resolved(session: &mut Session<'_>, manifest: Manifest, new_kind: bool) -> Result<Target, Problem> {
    let mut waited = Duration::ZERO;
    loop {
        let found = manifest::target(session, manifest.clone()).await;
        match found {
            Err(Problem::Said(why))
                if new_kind && waited < NEW_KIND && why.starts_with("resource mapping not found") =>
            {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            found => return found,
        }
    }
}

/// Makes an object by a POST.
pub(super) async fn create(
    session: &mut Session<'_>,
    writing: &Writing,
    target: &Target,
    validation: &str,
) -> Result<Value, Problem> {
    let object = target.object.clone().unwrap_or(Value::Null);
    if writing.dry_run == DryRun::Client {
        return Ok(object);
    }
    let path = target.resource.path(&target.namespace, "");
    let address = query(&writing.address(&path, &[]), &[("fieldValidation", validation)]);
    let payload = super::session::Payload { media_type: super::session::JSON, body: &object };
    Ok(session.call(hyper::Method::POST, &address, As::Json, Some(payload)).await?.1)
}
