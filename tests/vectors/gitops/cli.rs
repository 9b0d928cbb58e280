//! fluxctl's errors, tables and lines.

use foredeck::gitops::containers::Container;
use foredeck::gitops::fluxctl::Request;
use foredeck::gitops::fluxctl::output::{self, ApiError, RepoStatus};
use foredeck::gitops::id::ResourceId;
use foredeck::gitops::image::pattern::{Pattern, Tag};
use foredeck::gitops::image::reference::ImageRef;
use foredeck::gitops::image::repository::Repository;
use foredeck::gitops::policy::Policies;
use foredeck::gitops::release::policies::{self, Attempt};
use foredeck::gitops::release::{Outcome, Results, Status, Update};
use foredeck::gitops::table::images::{self, ContainerImages, ImageStatus};
use foredeck::gitops::table::results;
use foredeck::gitops::table::workloads::{self, WorkloadStatus};
use serde_json::{Value, json};

use super::{Compared, Verdict, fluxctl, run, text, texts};

#[test]
fn vectors_gitops_cli_error() {
    run("cli-error", |input, expect| {
        let mut compared = Compared::default();
        match fluxctl(text(&input["cmd"]), &input["env"]) {
            Ok(read) => {
                let connection = read.connection.unwrap_or_else(|| panic!("{} needs no connection", input["cmd"]));
                if let Some(namespace) = expect["namespace"].as_str() {
                    compared.same("namespace", &connection.namespace.as_str(), &namespace);
                }
                if let Some(url) = expect["url"].as_str() {
                    compared.same("url", &connection.url.as_deref(), &Some(url));
                }
                compared.that("error", expect.get("text").is_none(), || format!("{:?} is none", read.request));
            }
            Err(refusal) => {
                let report = refusal.report();
                compared.same("exit", &Some(u64::from(report.exit)), &expect["exit"].as_u64());
                match expect["text"].as_str() {
                    Some(wanted) => {
                        let first = report.stderr.lines().next().unwrap_or_default();
                        compared.same("text", &first, &format!("Error: {wanted}").as_str());
                    }
                    None => compared.contains("text", &report.stderr, &expect["text_contains"]),
                }
            }
        }
        compared.verdict()
    });
}

#[test]
fn vectors_gitops_cli_format() {
    run("cli-format", |input, expect| {
        let has = |key: &str| input.get(key).is_some();
        match () {
            () if has("workloads") => same_text(&list_workloads(input), expect),
            () if has("running") => same_text(&list_images(input), expect),
            () if has("results") => same_text(&result_table(input), expect),
            () if has("head") => sync(input, expect),
            () if has("git_url") => no_repository(input, expect),
            () if has("commit") => policy(input, expect),
            () if has("git") => broken_repository(input, expect),
            () => Verdict::NotRun("it is of no known shape"),
        }
    });
}

fn same_text(found: &str, expect: &Value) -> Verdict {
    let mut compared = Compared::default();
    compared.same("text", &found, &text(expect));
    compared.verdict()
}

fn id(value: &Value) -> ResourceId {
    ResourceId::parse(text(value)).expect("a case names a workload")
}

fn image(text: &str) -> ImageRef {
    ImageRef::parse(text).expect("a case names an image")
}

fn list_workloads(input: &Value) -> String {
    let all = input["workloads"].as_array().into_iter().flatten().map(|workload| {
        let containers = workload["containers"].as_array().into_iter().flatten();
        let containers = containers.map(|c| Container { name: text(&c[0]).to_owned(), image: image(text(&c[1])) });
        let mut found = WorkloadStatus::new(id(&workload["id"]), containers.collect(), text(&workload["status"]));
        let keys: Vec<_> = texts(&workload["policies"]).iter().map(|policy| format!("fluxcd.io/{policy}")).collect();
        found.policies = Policies::from_annotations(keys.iter().map(|key| (key.as_str(), "true")));
        found
    });
    let headers = input["no_headers"] != true;
    workloads::table(&workloads::listed(all.collect(), input["container"].as_str()), headers)
}

fn list_images(input: &Value) -> String {
    let list = input.get("registry").or(input.get("registry_unsorted")).unwrap_or(&Value::Null);
    let known = list.as_array().into_iter().flatten().map(|entry| Tag {
        tag: text(&entry[0]).to_owned(),
        created: entry[1].as_str().and_then(|time| time.parse().ok()),
    });
    let repository = Repository::of(known.collect());
    let filter = ["pattern", "filter"].into_iter().find_map(|key| input[key].as_str()).unwrap_or("glob:*");
    let running = image(text(&input["running"]));
    let container = ContainerImages::new(text(&input["container"]), &running, Some(&repository), &Pattern::new(filter));
    let id = id(input.get("id").unwrap_or(&input["workload"]));
    let limit = input["limit"].as_u64().map_or(10, |limit| usize::try_from(limit).unwrap_or(10));
    images::table(
        &images::listed(vec![ImageStatus { id, containers: vec![container] }]),
        limit,
        input["no_headers"] != true,
    )
}

fn result_table(input: &Value) -> String {
    let outcomes = input["results"].as_array().into_iter().flatten().map(|result| {
        let status = [Status::Success, Status::Failed, Status::Skipped, Status::Ignored];
        let status = status.into_iter().find(|status| status.as_str() == text(&result["status"]));
        let updates = result["containers"].as_array().into_iter().flatten().map(|container| {
            let current = image(text(&container[1]));
            Update { container: text(&container[0]).to_owned(), target: current.tagged(text(&container[2])), current }
        });
        let mut outcome = Outcome::without(status.expect("a case has a status"), text(&result["error"]));
        outcome.updates = updates.collect();
        (id(&result["id"]), outcome)
    });
    let verbosity = input["verbosity"].as_u64().unwrap_or(0);
    results::table(&Results(outcomes.collect()), u8::try_from(verbosity).unwrap_or(2))
}

fn sync(input: &Value, expect: &Value) -> Verdict {
    let url = text(&input["url"]);
    let mut lines = vec![output::sync_begins(url)];
    lines.extend(output::sync_waits(text(&input["branch"]), text(&input["head"])));
    lines.push(output::SYNC_DONE.to_owned());
    let mut compared = Compared::default();
    compared.same("ready", &RepoStatus::Ready.refusal(url, ""), &None);
    compared.same("lines", &lines, &texts(&expect["stderr"]));
    compared.same("exit", &expect["exit"], &json!(0));
    compared.verdict()
}

fn no_repository(input: &Value, expect: &Value) -> Verdict {
    let url = text(&input["git_url"]);
    let status = if url.is_empty() { RepoStatus::Unconfigured } else { RepoStatus::New };
    let refusal = status.refusal(url, text(&input["error"])).unwrap_or_default();
    let report = output::failed(&refusal);
    let mut compared = Compared::default();
    compared.contains("stderr", &report.stderr, &expect["stderr_contains"]);
    compared.same("exit", &Some(u64::from(report.exit)), &expect["exit"].as_u64());
    compared.verdict()
}

fn policy(input: &Value, expect: &Value) -> Verdict {
    let Ok(Request::Policy { changes, cause, verbosity }) =
        fluxctl(text(&input["cmd"]), &Value::Null).map(|read| read.request)
    else {
        return Verdict::NotRun("it changes no policies");
    };
    let plan = match policies::plan(&changes, &cause, |_, _| Attempt::Changed) {
        Ok(plan) => plan,
        Err(error) => return Verdict::Differs(error),
    };
    let mut compared = Compared::default();
    compared.same("stdout", &results::table(&plan.results, verbosity).as_str(), &text(&expect["stdout"]));
    let pushed = format!("{}\n", output::pushed(text(&input["commit"])));
    compared.same("stderr", &pushed.as_str(), &text(&expect["stderr"]));
    compared.verdict()
}

/// Nothing is listed while a file cannot be read: the daemon's answer is an error with help, and no table.
fn broken_repository(input: &Value, expect: &Value) -> Verdict {
    let lists = fluxctl(text(&input["cmd"]), &Value::Null).map(|read| read.request);
    if !matches!(lists, Ok(Request::ListWorkloads { .. } | Request::ListImages { .. })) {
        return Verdict::NotRun("it lists nothing");
    }
    let report = ApiError::unparsable("a.yaml: no YAML").report();
    let mut compared = Compared::default();
    compared.same("exit", &Some(u64::from(report.exit)), &expect["exit"].as_u64());
    compared.that("help", report.stderr.contains("Unable to parse files as manifests"), || report.stderr.clone());
    compared.that("table", report.stdout.is_empty() && !report.stderr.contains("WORKLOAD"), || report.stdout.clone());
    compared.verdict()
}
