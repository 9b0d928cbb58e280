//! Values set where markers ask for them.

use super::*;

fn policies(entries: &[(&str, &str)]) -> BTreeMap<String, ImageRef> {
    entries.iter().map(|(policy, image)| ((*policy).to_owned(), ImageRef::parse(image).unwrap())).collect()
}

#[test]
fn marked_values_are_set() {
    let text = r#"spec:
  image: "ghcr.io/a/web:1.0" # {"$imagepolicy": "flux-system:web"}
  values:
    repository: ghcr.io/a/web # {"$imagepolicy": "flux-system:web:name"}
    tag: 1.0.0   # {"$imagepolicy":"flux-system:web:tag"}
    other: {tag: 7, name: x} # {"$imagepolicy": "flux-system:web:tag"}
    list: [
      a, # {"$imagepolicy": "flux-system:other"}
    ]
    unset: 3 # {"$imagepolicy": "flux-system:nobody:tag"}
    odd: 4 # {"$imagepolicy": "flux-system:web:digest"}
    word: 5 # a comment
"#;
    let policies = policies(&[("flux-system:web", "ghcr.io/a/web:2.0"), ("flux-system:other", "b:1")]);
    let (edited, found) = set_marked(text, &policies).unwrap();
    let wanted = text
        .replace("\"ghcr.io/a/web:1.0\"", "\"ghcr.io/a/web:2.0\"")
        .replace("tag: 1.0.0", "tag: '2.0'")
        .replace("      a,", "      b:1,");
    assert_eq!(edited, wanted);
    let told: Vec<_> =
        found.iter().map(|m| (m.line, m.policy.as_str(), m.setter, m.old.as_str(), m.new.as_deref())).collect();
    assert_eq!(
        told,
        [
            (2, "flux-system:web", Setter::Image, "ghcr.io/a/web:1.0", Some("ghcr.io/a/web:2.0")),
            (4, "flux-system:web", Setter::Name, "ghcr.io/a/web", Some("ghcr.io/a/web")),
            (5, "flux-system:web", Setter::Tag, "1.0.0", Some("2.0")),
            (8, "flux-system:other", Setter::Image, "a", Some("b:1")),
            (10, "flux-system:nobody", Setter::Tag, "3", None),
        ]
    );
    assert_eq!(set_marked(&edited, &policies).map(|(text, _)| text), Ok(edited));
}

#[test]
fn shared_values_are_refused() {
    let text = "a: &x b:1 # {\"$imagepolicy\": \"n:p\"}\nc: *x\n";
    let error = set_marked(text, &policies(&[("n:p", "b:2")])).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(
        error,
        Err("line 1, column 7: aliases repeat this value: a change here would change other places too".to_owned())
    );
}
