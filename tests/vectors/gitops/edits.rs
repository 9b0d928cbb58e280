//! Images changed in files, and the images that values name.

use foredeck::gitops::edit::set_image;
use foredeck::gitops::helm_images;
use foredeck::gitops::id::ResourceId;
use foredeck::gitops::image::reference::ImageRef;
use foredeck::gitops::policy;
use serde_json::{Value, json};

use super::{Compared, Verdict, run, text, texts, yaml};

/// A line without what indentation and alignment add.
fn collapsed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of two texts that are not in both: those of the first with `-`, those of the second with `+`.
pub(super) fn difference(before: &str, after: &str) -> Vec<String> {
    let old: Vec<_> = before.lines().map(collapsed).collect();
    let new: Vec<_> = after.lines().map(collapsed).collect();
    // The longest common part, from the end to the start.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            common[i][j] = if a == b { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            found.push(format!("- {}", old[i]));
            i += 1;
        } else {
            found.push(format!("+ {}", new[j]));
            j += 1;
        }
    }
    found
}

#[test]
fn vectors_gitops_yaml_image_update() {
    run("yaml-image-update", |input, expect| {
        let (Ok(id), Ok(image)) =
            (ResourceId::parse(text(&input["workload"])), ImageRef::parse(text(&input["new_image"])))
        else {
            return Verdict::NotRun("it names no workload or image");
        };
        let manifest = text(&input["manifest"]);
        let found = set_image(manifest, &id, text(&input["container"]), &image);
        let mut compared = Compared::default();
        match found {
            Err(error) => {
                compared.that("edit", expect["exit_ok"] == false, || error.to_string());
                compared.contains("error", &error.to_string(), &expect["error"]);
            }
            Ok(edited) => {
                compared.that("edit", expect["exit_ok"] != false, || "it should fail".to_owned());
                if let Some(wanted) = expect["output_flux_v1"].as_str() {
                    compared.same("meaning", &yaml(&edited), &yaml(wanted));
                }
                if expect["semantic_change"].is_array() {
                    let mut wanted = texts(&expect["semantic_change"]);
                    let mut found = difference(manifest, &edited);
                    wanted.sort();
                    found.sort();
                    compared.same("change", &found, &wanted);
                }
            }
        }
        compared.verdict()
    });
}

/// The `HelmRelease` of a case, as YAML.
fn release(input: &Value) -> String {
    if let Some(manifest) = input["manifest"].as_str() {
        return manifest.to_owned();
    }
    let annotations = input.get("annotations").cloned().unwrap_or_else(|| json!({}));
    let values = match input["values_yaml"].as_str() {
        Some(text) => text.lines().map(|line| format!("    {line}\n")).collect(),
        None => format!("    {}\n", input["values"]),
    };
    format!(
        "kind: HelmRelease\nmetadata:\n  name: shop\n  namespace: demo\n  annotations: {annotations}\nspec:\n  values:\n{values}"
    )
}

#[test]
fn vectors_gitops_helmrelease_images() {
    run("helmrelease-images", |input, expect| {
        let manifest = release(input);
        let Some(object) = yaml(&manifest).into_iter().next() else { return Verdict::NotRun("it has no manifest") };
        let found = helm_images::images(&object);
        let mut compared = Compared::default();
        let shown: Vec<_> = found.iter().map(|image| json!([image.name, image.image.to_string()])).collect();
        compared.same("containers", &Value::from(shown), &expect["containers"]);
        if let (Some(place), Some(image)) = (expect["write_back"].as_str(), found.first()) {
            let writes = image.writes(&image.image.tagged("new")).unwrap_or_default();
            let tag = writes.iter().find(|(_, text)| text == "new").map(|(path, _)| path.join("."));
            compared.same("place", &tag.map(|path| format!("spec.values.{path}")), &Some(place.to_owned()));
            let id = ResourceId::new("demo", "HelmRelease", "shop");
            let edited = set_image(&manifest, &id, &image.name, &image.image.tagged("new"));
            let again = edited.map(|text| helm_images::images(&yaml(&text)[0])[0].image.tag.clone());
            compared.same("written", &again.ok().as_deref(), &Some("new"));
        }
        if let (Some(keys), Some(image)) = (expect["filter_annotation"].as_str(), found.first()) {
            let wanted = policy::tag_policy(&image.name);
            for key in keys.split(" or ") {
                let read = policy::policy_of(key).map(|(_, policy)| policy);
                compared.same(key, &read.as_deref(), &Some(wanted.as_str()));
            }
        }
        compared.verdict()
    });
}
