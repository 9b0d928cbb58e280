//! What holds for every edit of every file.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{set_image, set_marked, set_policies};
use crate::gitops::id::ResourceId;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::policy::PolicyChange;

fn read(text: &str) -> Vec<Value> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    serde_saphyr::from_multiple_with_options(text, options).unwrap()
}

/// A deployment, written in one of many ways.
fn manifests() -> impl Strategy<Value = (String, Vec<(String, String)>)> {
    let annotation =
        ("[a-z]{1,5}", prop::sample::select(vec!["x", "'true'", "\"a b\"", "|-\n      one\n\n      two", "{}", ""]));
    let flux = prop::sample::subsequence(
        vec!["fluxcd.io/automated", "flux.weave.works/locked", "filter.fluxcd.io/app", "fluxcd.io/locked_msg"],
        0..4,
    );
    (
        prop::collection::btree_map(annotation.0, annotation.1, 0..3),
        flux,
        any::<[bool; 5]>(),
        prop::sample::select(vec!["e/web:1", "\"e/web:1\"", "'e/web:1'", ">-\n          e/web:1", "e/web:1 # why"]),
        prop::sample::select(vec!["\n", "\r\n"]),
    )
        .prop_map(|(others, flux, [flow, before, comment, last, many], image, newline)| {
            let mut pairs: Vec<(String, String)> = others.into_iter().map(|(key, value)| (key, value.to_owned())).collect();
            pairs.extend(flux.iter().map(|key| ((*key).to_owned(), "'true'".to_owned())));
            if before {
                pairs.reverse();
            }
            let lines: Vec<_> = pairs.iter().map(|(key, value)| format!("    {key}: {value}\n")).collect();
            let block = lines.join(if comment { "    # in between\n" } else { "" });
            let flat: Vec<_> = pairs.iter().map(|(key, _)| format!("{key}: 'true'")).collect();
            let annotations = match (pairs.is_empty(), flow) {
                (true, true) => "  annotations: {}\n".to_owned(),
                (true, false) => String::new(),
                (false, true) => format!("  annotations: {{{}}}\n", flat.join(", ")),
                (false, false) => format!("  annotations:\n{block}"),
            };
            let metadata = format!("metadata:\n  name: web\n{annotations}");
            let spec = format!("spec:\n  template:\n    spec:\n      containers:\n      - name: app\n        image: {image}\n      - {{name: side, image: s:1}}\n");
            let body = if last { format!("kind: Deployment\n{spec}{metadata}") } else { format!("kind: Deployment\n{metadata}{spec}") };
            let text = if many { format!("# a file\n---\nkind: Service\nmetadata: {{name: web}}\n---\n{body}---\na: [b]\n") } else { body };
            (text.replace('\n', newline), pairs)
        })
}

fn deployment(documents: &mut [Value]) -> &mut Value {
    documents.iter_mut().find(|document| document["kind"] == "Deployment").unwrap()
}

fn id() -> ResourceId {
    ResourceId::new("default", "deployment", "web")
}

/// The lines that are in both texts, in their order, are all of each but the changed ones.
fn only_changes(before: &str, after: &str, most: usize) -> bool {
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[same..].iter().rev().zip(new[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    old.len() - same - tail <= most && new.len() - same - tail <= most
}

proptest! {
    #[test]
    fn an_image_changes_nothing_else((text, _) in manifests(), tag in "[a-z0-9.]{1,8}", side in any::<bool>()) {
        let (container, at, name) = if side { ("side", 1, "s") } else { ("app", 0, "e/web") };
        let Ok(image) = ImageRef::parse(&format!("{name}:{tag}")) else { return Ok(()) };
        let edited = set_image(&text, &id(), container, &image).unwrap();
        let mut wanted = read(&text);
        deployment(&mut wanted)["spec"]["template"]["spec"]["containers"][at]["image"] = json!(image.to_string());
        prop_assert_eq!(read(&edited), wanted);
        prop_assert!(only_changes(&text, &edited, 1), "{}\n{}", text, edited);
        let back = set_image(&edited, &id(), container, &ImageRef::parse(&format!("{name}:1")).unwrap()).unwrap();
        prop_assert_eq!(back, text);
    }

    #[test]
    fn policies_change_nothing_else(
        (text, _) in manifests(),
        set in prop::sample::subsequence(vec!["automated", "locked", "locked_msg", "tag.app", "ignore"], 0..5),
        unset in prop::sample::subsequence(vec!["automated", "locked", "locked_msg", "tag.app", "tag_all"], 0..4),
        value in prop::sample::select(vec!["true", "glob:1.*", "a: b", "two\nlines", "12"]),
    ) {
        let mut change = PolicyChange::default();
        for policy in set {
            change = change.with(policy, value);
        }
        for policy in unset {
            change = change.without(policy);
        }
        let (edited, changes) = set_policies(&text, &id(), &change).unwrap();
        let mut wanted = read(&text);
        let metadata = &mut deployment(&mut wanted)["metadata"];
        let mut annotations = metadata["annotations"].as_object().cloned().unwrap_or_default();
        for change in &changes {
            let old = annotations.shift_remove(&change.key);
            prop_assert_eq!(old.as_ref().and_then(Value::as_str), change.old.as_deref());
            if let Some(new) = &change.new {
                annotations.insert(change.key.clone(), json!(new));
            }
        }
        let none = changes.is_empty() && metadata.get("annotations").is_none();
        metadata["annotations"] = json!(annotations);
        if (annotations.is_empty() && !changes.is_empty()) || none {
            metadata.as_object_mut().unwrap().shift_remove("annotations");
        }
        prop_assert_eq!(read(&edited), wanted, "{}\n{}", text, edited);
        let again = set_policies(&edited, &id(), &change).unwrap();
        prop_assert_eq!(again, (edited, Vec::new()));
    }

    #[test]
    fn any_text_is_survived(text in any::<String>(), odd in r"[-:{}\[\],&*#|>'\x22!% \na-c~<?]{0,40}") {
        let policies = BTreeMap::from([("n:p".to_owned(), ImageRef::parse("a:1").unwrap())]);
        let body = format!("kind: Deployment\nmetadata:\n  name: web\n  annotations:\n    {odd}\nspec: {odd}\n");
        let pods = format!("kind: Deployment\nmetadata: {{name: web}}\nspec:\n template:\n  spec:\n   containers:\n   - name: app\n     image: {odd}\n");
        let values = format!("kind: HelmRelease\nmetadata: {{name: web}}\nspec:\n values:\n  image: {odd}\n  tag: 1\n");
        for text in [&text, &odd, &body, &pods, &values] {
            for kind in ["deployment", "helmrelease"] {
                let id = ResourceId::new("default", kind, "web");
                for container in ["app", "chart-image"] {
                    let _ = set_image(text, &id, container, &ImageRef::parse("a/b:2").unwrap());
                }
                let change = PolicyChange::default().with("automated", "true").without("locked").with("tag_all", "glob:*");
                if let Ok((edited, _)) = set_policies(text, &id, &change) {
                    let again = set_policies(&edited, &id, &change).map(|(_, changes)| changes);
                    prop_assert_eq!(again, Ok(Vec::new()), "{}\n{}", text, edited);
                }
            }
            let _ = set_marked(text, &policies);
        }
    }
}
