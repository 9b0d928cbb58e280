//! Lists of images.

use super::*;

fn tag(tag: &str, day: i64) -> Tag {
    let created = Timestamp::from_second(1_709_283_600 + day * 86_400).ok();
    Tag { tag: tag.to_owned(), created: created.filter(|_| day > 0) }
}

fn web(running: &str, tags: Vec<Tag>, filter: &str) -> ImageStatus {
    let running = ImageRef::parse(&format!("r.example.com/team/web:{running}")).unwrap();
    let container = ContainerImages::new("app", &running, Some(&Repository::of(tags)), &Pattern::new(filter));
    ImageStatus { id: ResourceId::new("demo", "Deployment", "web"), containers: vec![container] }
}

fn tags() -> Vec<Tag> {
    vec![tag("1.0", 1), tag("1.1", 2), tag("latest", 3), tag("1.2", 4), tag("1.3", 5)]
}

#[test]
fn what_runs_is_pointed_at() {
    let wanted = [
        "WORKLOAD             CONTAINER  IMAGE                   CREATED\n",
        "demo:deployment/web  app        r.example.com/team/web  \n",
        "                                |   1.3                 06 Mar 24 09:00 UTC\n",
        "                                |   1.2                 05 Mar 24 09:00 UTC\n",
        "                                |   latest              04 Mar 24 09:00 UTC\n",
        "                                '-> 1.1                 03 Mar 24 09:00 UTC\n",
        "                                    1.0                 02 Mar 24 09:00 UTC\n",
    ];
    assert_eq!(table(&[web("1.1", tags(), "glob:*")], 10, true), wanted.concat());
    let limited = [
        "demo:deployment/web  app  r.example.com/team/web  \n",
        "                          |   1.3                 06 Mar 24 09:00 UTC\n",
        "                          : (2 image(s) omitted)  \n",
        "                          '-> 1.1                 03 Mar 24 09:00 UTC\n",
    ];
    assert_eq!(table(&[web("1.1", tags(), "glob:*")], 1, false), limited.concat());
    let next = table(&[web("1.2", tags(), "glob:*")], 1, false);
    assert!(!next.contains("omitted") && next.contains("'-> 1.2"), "{next}");
    let versions = table(&[web("1.1", tags(), "semver:*")], 0, false);
    assert!(versions.find("1.1 ").unwrap() < versions.find("latest").unwrap(), "{versions}");
}

#[test]
fn what_is_not_known_is_said() {
    let gone = [
        "demo:deployment/web  app                  \n",
        "                          |   1.0         02 Mar 24 09:00 UTC\n",
        "                          |   odd         \n",
        "                          '-> (untagged)  ?\n",
    ];
    assert_eq!(table(&[web("gone", vec![tag("1.0", 1), tag("odd", 0)], "glob:*")], 10, false), gone.concat());
    let nothing = [
        "demo:deployment/web  app                  image data not available\n",
        "                          '-> (untagged)  ?\n",
    ];
    assert_eq!(table(&[web("1.0", Vec::new(), "glob:*")], 10, false), nothing.concat());
    let none = ImageStatus { id: ResourceId::new("demo", "Deployment", "none"), containers: Vec::new() };
    assert_eq!(table(std::slice::from_ref(&none), 10, false), "demo:deployment/none      \n");
    assert_eq!(to_json(&[none], 10), "[{\"ID\":\"demo:deployment/none\",\"Containers\":null}]\n");
}

#[test]
fn json_counts_and_cuts() {
    let wanted = concat!(
        r#"[{"ID":"demo:deployment/web","Containers":[{"Name":"app","#,
        r#""Current":{"ID":"r.example.com/team/web:1.1","Labels":{},"CreatedAt":"2024-03-03T09:00:00Z"},"#,
        r#""LatestFiltered":{"ID":"r.example.com/team/web:1.3","Labels":{},"CreatedAt":"2024-03-06T09:00:00Z"},"#,
        r#""Available":[{"ID":"r.example.com/team/web:1.3","Labels":{},"CreatedAt":"2024-03-06T09:00:00Z"}],"#,
        r#""AvailableImagesCount":5,"NewAvailableImagesCount":3,"FilteredImagesCount":4,"NewFilteredImagesCount":2}]}]"#,
        "\n",
    );
    assert_eq!(to_json(&[web("1.1", tags(), "glob:*")], 1), wanted);
    assert_eq!(to_json(&[web("1.1", tags(), "glob:*")], 0).matches("Labels").count(), 7);
}

#[test]
fn workloads_are_in_order() {
    let of = |name: &str| ImageStatus { id: ResourceId::new("demo", "Deployment", name), containers: Vec::new() };
    assert_eq!(listed(vec![of("b"), of("a")]), [of("a"), of("b")]);
}
