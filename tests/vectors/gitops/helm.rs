//! The Helm operator's names, values and steps.

use foredeck::gitops::helm_release::{Care, HelmState, Seen, Step, merge_values, next_step, release_name};
use serde_json::{Value, json};

use super::{Compared, Verdict, run, text};

#[test]
fn vectors_gitops_helm_operator() {
    run("helm-operator", |input, expect| {
        let has = |key: &str| input.get(key).is_some();
        match () {
            () if has("name") => name(input, expect),
            () if has("values") || has("valuesFrom") => values(input, expect),
            () if has("install") || has("upgrade") || has("test") => follow_up(input, expect),
            () if has("flux_gc") => deleted_by_flux(expect),
            () if expect.get("action").is_some() => step(input, expect),
            () => Verdict::NotRun("it is of no known shape"),
        }
    });
}

fn name(input: &Value, expect: &Value) -> Verdict {
    let release = json!({
        "metadata": {"namespace": input["namespace"], "name": input["name"]},
        "spec": {"releaseName": input["releaseName"], "targetNamespace": input["targetNamespace"]},
    });
    let mut compared = Compared::default();
    compared.same("name", &release_name(&release).as_str(), &text(expect));
    compared.verdict()
}

fn values(input: &Value, expect: &Value) -> Verdict {
    let sources = input["valuesFrom"].as_array().cloned().unwrap_or_default();
    if sources.iter().any(|source| !source.is_object()) {
        return Verdict::NotRun("its sources are no values");
    }
    let merged = merge_values(sources.into_iter().chain([input["values"].clone()]));
    let mut compared = Compared::default();
    compared.same(
        "values",
        &merged,
        ["merged", "values"].into_iter().find_map(|key| expect.get(key)).unwrap_or(expect),
    );
    compared.verdict()
}

fn step(input: &Value, expect: &Value) -> Verdict {
    let status = input["helm_status"].as_str().unwrap_or("deployed");
    let other_owner = input["antecedent"].as_str().map(str::to_owned);
    let none = input.get("helm_release").is_some_and(Value::is_null);
    let seen = Seen {
        deleted: input["cr"] == "deleted",
        helm: (!none).then(|| HelmState { status: status.to_owned(), other_owner }),
        generation_observed: input["generation_observed"].as_bool().unwrap_or(true),
        chart_changed: input["chart_changed"] == true,
        rolled_back: input["rolled_back"] == true,
        may_retry: input["retry"] == true,
        difference: input["dry_run_diff"].as_str().map(|difference| difference != "empty"),
    };
    let step = next_step(&seen);
    let mut compared = Compared::default();
    compared.same("action", &Some(step.as_str()), &expect["action"].as_str());
    if expect["error_contains"].is_string() {
        let error = if let Step::Refuse(why) = &step { why.to_string() } else { String::new() };
        compared.contains("error", &error, &expect["error_contains"]);
    }
    compared.verdict()
}

fn follow_up(input: &Value, expect: &Value) -> Verdict {
    let steps = [("install", Step::Install), ("upgrade", Step::Upgrade), ("test", Step::Test)];
    let Some((outcome, step)) = steps.into_iter().find_map(|(key, step)| Some((input[key].as_str()?.to_owned(), step)))
    else {
        return Verdict::NotRun("it says not how a step ended");
    };
    let enabled = |key: &str| input[key] == true || input[key]["enable"] == true;
    let care = Care { rollback: enabled("rollback"), test: step == Step::Test, ..Care::default() };
    let had_release = step != Step::Install && input["first_install"] != true;
    let then = care.follow(&step, outcome == "ok", had_release, true);
    let mut compared = Compared::default();
    compared.same("then", &Some(then.as_str()), &expect["then"].as_str());
    compared.verdict()
}

/// That Flux deletes the object is for the garbage collection to show; here it is gone.
fn deleted_by_flux(expect: &Value) -> Verdict {
    let step = next_step(&Seen { deleted: true, ..Seen::default() });
    let mut compared = Compared::default();
    compared.contains("operator", text(&expect["operator"]), &json!(step.as_str()));
    compared.verdict()
}
