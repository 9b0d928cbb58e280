//! Releases of images.

use super::super::fixture::{lines, registry, workload};
use super::*;

fn cluster() -> Vec<Workload> {
    let mut ghost = workload("ghost", &["ghost=e/ghost:1"], &[]);
    ghost.cluster = None;
    let mut wild = workload("wild", &["wild=e/hello:a1"], &[]);
    wild.git = None;
    vec![
        workload("hello", &["hello=e/hello:a1", "side=e/side:1"], &[]),
        workload("frozen", &["frozen=e/frozen:1"], &["locked=true"]),
        workload("quiet", &["quiet=e/hello:a1"], &["ignore=true"]),
        ghost,
        wild,
    ]
}

fn images() -> Registry {
    registry(&[("e/hello", &["a1", "a2"]), ("e/side", &["1"]), ("e/frozen", &["1", "2"])])
}

fn release(workloads: Which, image: NewImage) -> ImageRelease {
    ImageRelease { workloads, image, exclude: Vec::new(), force: false }
}

fn these(names: &[&str]) -> Which {
    Which::These(names.iter().map(|name| ResourceId::new("default", "deployment", name)).collect())
}

fn one(image: &str) -> NewImage {
    NewImage::One(ImageRef::parse(image).unwrap())
}

fn planned(release: &ImageRelease, workloads: &[Workload]) -> Vec<String> {
    lines(&release.plan(workloads, &images(), &Cause::default()).unwrap().results)
}

#[test]
fn reasons_come_in_their_order() {
    let all = planned(&release(Which::All, NewImage::Latest), &cluster());
    let hello = "hello success hello: e/hello:a1 -> a2";
    assert_eq!(
        all,
        ["frozen skipped locked", "ghost skipped not accessible in cluster", hello, "quiet skipped ignore"]
    );
    let image = planned(&release(Which::All, one("e/hello:a2")), &cluster());
    let frozen = "frozen ignored a different image";
    assert_eq!(image, [frozen, "ghost skipped not accessible in cluster", hello, "quiet skipped ignore"]);
    let named = planned(&release(these(&["hello", "nowhere", "wild"]), NewImage::Latest), &cluster());
    assert_eq!(
        named,
        [
            "frozen ignored not included",
            "ghost ignored not included",
            hello,
            "nowhere skipped not found in repository",
            "quiet ignored not included",
            "wild skipped not found in repository",
        ]
    );
    let exclude = vec![ResourceId::new("default", "deployment", "ghost")];
    let most = ImageRelease { exclude, ..release(these(&["ghost", "quiet"]), NewImage::Latest) };
    assert_eq!(planned(&most, &cluster())[1], "ghost ignored excluded");
}

#[test]
fn force_counts_for_what_was_named() {
    let forced = |workloads, image| ImageRelease { force: true, ..release(workloads, image) };
    let released = "frozen success frozen: e/frozen:1 -> 2";
    assert_eq!(planned(&forced(these(&["frozen"]), one("e/frozen:2")), &cluster())[0], released);
    assert_eq!(planned(&forced(these(&["frozen"]), NewImage::Latest), &cluster())[0], released);
    assert_eq!(planned(&forced(Which::All, one("e/frozen:2")), &cluster())[0], "frozen skipped locked");
    let filtered = [workload("web", &["web=e/hello:a1"], &["tag.web=semver:*"])];
    let versions = registry(&[("e/hello", &["a1", "3.0.0", "a2"])]);
    let plan = |release: ImageRelease| lines(&release.plan(&filtered, &versions, &Cause::default()).unwrap().results);
    assert_eq!(plan(forced(Which::All, one("e/hello:a2"))), ["web success web: e/hello:a1 -> a2"]);
    assert_eq!(plan(forced(these(&["web"]), NewImage::Latest)), ["web success web: e/hello:a1 -> 3.0.0"]);
    assert_eq!(plan(release(Which::All, one("e/hello:a2"))), ["web skipped cannot find one or more images"]);
}

#[test]
fn images_may_be_unknown_or_unchanged() {
    let workloads = [
        workload("latest", &["a=e/web:1"], &[]),
        workload("newest", &["a=e/hello:a2", "b=e/unknown:1"], &[]),
        workload("nothing", &["a=e/unknown:1"], &[]),
    ];
    let known = registry(&[("e/hello", &["a1", "a2"]), ("e/web", &["1", "latest"])]);
    let plan =
        |release: ImageRelease| release.plan(&workloads, &known, &Cause::default()).map(|plan| lines(&plan.results));
    assert_eq!(
        plan(release(Which::All, NewImage::Latest)).unwrap(),
        [
            "latest skipped image(s) up to date",
            "newest skipped image(s) up to date",
            "nothing ignored does not use image(s)"
        ]
    );
    assert_eq!(
        plan(release(Which::All, one("e/web:latest"))).unwrap()[0],
        "latest skipped cannot find one or more images"
    );
    assert_eq!(plan(release(Which::All, one("e/web:9"))), Err(ReleaseError::NoImage("e/web:9".to_owned())));
    let mut broken = workload("broken", &[], &[]);
    broken.cluster.as_mut().unwrap().containers = Err("invalid image".to_owned());
    let plan = release(Which::All, NewImage::Latest).plan(&[broken], &known, &Cause::default()).unwrap();
    assert_eq!(lines(&plan.results), ["broken failed invalid image"]);
}

#[test]
fn edits_keep_the_spelling_of_the_file() {
    let mut web = workload("web", &["web=docker.io/library/alpine:1"], &[]);
    web.git.as_mut().unwrap().containers[0].image = ImageRef::parse("alpine:0").unwrap();
    let plan =
        release(Which::All, NewImage::Latest).plan(&[web], &registry(&[("alpine", &["1", "2"])]), &Cause::default());
    let edits: Vec<_> =
        plan.unwrap().edits.into_iter().map(|edit| format!("{} {} {}", edit.id, edit.container, edit.image)).collect();
    assert_eq!(edits, ["default:deployment/web web alpine:2"]);
}

#[test]
fn messages_name_image_and_workloads() {
    let message = |release: ImageRelease, cause: &Cause| release.plan(&cluster(), &images(), cause).unwrap().message;
    let cause = Cause::default();
    assert_eq!(message(release(Which::All, NewImage::Latest), &cause), "Release all latest to all");
    assert_eq!(
        message(release(these(&["hello", "quiet"]), one("e/hello:a2")), &cause),
        "Release e/hello:a2 to default:deployment/hello, default:deployment/quiet"
    );
    let own = Cause { message: "why not".to_owned(), ..Cause::default() };
    assert_eq!(message(release(Which::All, NewImage::Latest), &own), "why not");
}
