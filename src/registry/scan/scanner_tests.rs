//! Rounds through registries that are made up.

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};

use super::*;
use crate::registry::local::Local;

const T: Timestamp = Timestamp::UNIX_EPOCH;

fn image(digest: &str) -> Image {
    Image { digest: digest.to_owned(), id: format!("id of {digest}"), created: Some(T), ..Image::default() }
}

fn known(digest: &str) -> Known {
    learn(None, Some(image(digest)), false, T)
}

/// A registry elsewhere: by its path a repository fails in its own way.
#[derive(Debug, Default)]
struct Elsewhere {
    asked: Mutex<Vec<String>>,
}

impl Elsewhere {
    fn note(&self, what: String) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

impl Registry for Elsewhere {
    fn holds(&self, _: &Name) -> bool {
        true
    }

    fn is_near(&self) -> bool {
        false
    }

    fn tags<'a>(&'a self, name: &'a Name, _: &'a Keyring) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        self.note(name.path().to_owned());
        let until = Timestamp::now() + SignedDuration::from_hours(1);
        ready(match name.path() {
            "b/limited" => Err(Why::RateLimited { until }.of(name)),
            "a/private" => Err(Why::NoCredentials.of(name)),
            "a/none" => Err(Why::NoRepository.of(name)),
            _ => Ok(["2", "1", "arm", "gone"].map(str::to_owned).to_vec()),
        })
        .boxed()
    }

    fn digest<'a>(&'a self, _: &'a Name, tag: &'a str, _: &'a Keyring) -> BoxFuture<'a, Result<String, Error>> {
        ready(Ok(tag.to_owned())).boxed()
    }

    fn image<'a>(&'a self, name: &'a Name, tag: &'a str, _: &'a Keyring) -> BoxFuture<'a, Result<Image, Error>> {
        ready(match tag {
            "arm" => Err(Why::NoPlatform.of(name)),
            "gone" => Err(Why::NoImage.of(name)),
            tag => Ok(image(tag)),
        })
        .boxed()
    }
}

fn wanted(names: &[&str]) -> Wanted {
    names.iter().filter_map(|name| Some((Name::parse(name)?, Keyring::default()))).collect()
}

fn state(handle: &Handle, name: &str) -> State {
    handle.scans().borrow().get(name).cloned().unwrap_or_default().state
}

#[tokio::test]
async fn a_round_tells_how_it_went() {
    let elsewhere = Arc::new(Elsewhere::default());
    let (mut scanner, handle) = Scanner::new(vec![elsewhere.clone()], Vec::new(), Settings::default());
    let mut news = handle.news();
    handle.want(wanted(&[
        "r.io/a/fine",
        "r.io/a/private",
        "r.io/a/none",
        "r.io/b/limited",
        "r.io/c/later",
        "k8s.gcr.io/x",
    ]));
    scanner.round().await;
    let State::Scanned { tags: 3, missing: 0, problem: None, .. } = state(&handle, "r.io/a/fine") else {
        panic!("{:?}", state(&handle, "r.io/a/fine"))
    };
    assert_eq!(state(&handle, "r.io/a/private"), State::NoCredentials);
    assert!(state(&handle, "r.io/a/none").to_string().ends_with(": no such repository"));
    assert!(state(&handle, "r.io/b/limited").to_string().starts_with("rate limited until 2"));
    assert_eq!(state(&handle, "r.io/c/later"), State::NotScanned, "too many requests end the round");
    assert_eq!(state(&handle, "k8s.gcr.io/x"), State::Excluded);
    assert_eq!(*elsewhere.asked.lock().unwrap(), ["a/fine", "a/none", "a/private", "b/limited"]);
    let scans = handle.scans().borrow().clone();
    let fine = &scans["r.io/a/fine"].knowledge;
    assert_eq!(fine.listed, ["1", "2", "arm"]);
    assert_eq!(fine.tags["2"].digest, "2");
    assert_eq!(fine.tags["arm"].excluded.as_deref(), Some("no image for linux/amd64"));
    let added = ["1", "2", "arm"].map(str::to_owned).to_vec();
    let expected = News { image: "r.io/a/fine".into(), added, moved: Vec::new(), first: true };
    assert_eq!(news.try_recv().ok(), Some(expected));
    assert!(news.try_recv().is_err());

    scanner.round().await;
    assert_eq!(elsewhere.asked.lock().unwrap().len(), 4, "nothing is due yet");
    handle.want(wanted(&["r.io/a/none"]));
    scanner.round().await;
    assert_eq!(handle.scans().borrow().keys().collect::<Vec<_>>(), ["r.io/a/none"]);
}

#[tokio::test]
async fn what_is_near_is_known_at_once() {
    let catalogue = Arc::new(Mutex::new(BTreeMap::from([("1".to_owned(), image("a"))])));
    let (changed, changes) = watch::channel(0);
    let (tags, images) = (catalogue.clone(), catalogue.clone());
    let local = Local::new(
        false,
        changes,
        move |name| (name.path() == "team/app").then(|| tags.lock().unwrap().keys().cloned().collect()),
        move |_, tag| images.lock().unwrap().get(tag).cloned(),
    );
    let changes = vec![local.changes()];
    // Nothing comes by waiting.
    let settings = Settings { every: SignedDuration::from_hours(1), ..Settings::default() };
    let (scanner, handle) = Scanner::new(vec![Arc::new(local)], changes, settings);
    let stop = CancellationToken::new();
    let running = tokio::spawn(scanner.run(stop.clone()));
    let mut news = handle.news();
    handle.want(wanted(&["team/app", "other/app"]));
    let name = "index.docker.io/team/app";
    let mut next = async || {
        let news = tokio::time::timeout(Duration::from_secs(20), news.recv()).await.expect("news come").expect("news");
        (news.image, news.added, news.moved, news.first)
    };
    assert_eq!(next().await, (name.to_owned(), vec!["1".to_owned()], vec![], true));
    catalogue.lock().unwrap().insert("2".to_owned(), image("b"));
    changed.send_replace(1);
    assert_eq!(next().await, (name.to_owned(), vec!["2".to_owned()], vec![], false));
    catalogue.lock().unwrap().insert("1".to_owned(), image("c"));
    changed.send_replace(2);
    assert_eq!(next().await, (name.to_owned(), vec![], vec!["1".to_owned()], false));
    assert!(state(&handle, "index.docker.io/other/app").to_string().ends_with("no registry is asked about it"));
    // Without anybody who can change it, it goes on.
    drop(changed);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn it_ends_when_nobody_wants_anything() {
    let (scanner, handle) = Scanner::new(Vec::new(), Vec::new(), Settings::default());
    let running = tokio::spawn(scanner.run(CancellationToken::new()));
    drop(handle);
    running.await.unwrap();
}

#[tokio::test]
async fn what_was_known_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { file: Some(folder.path().join("images.json")), ..Settings::default() };
    for first in [true, false] {
        let registry: Arc<dyn Registry> = Arc::new(Elsewhere::default());
        let (mut scanner, handle) = Scanner::new(vec![registry], Vec::new(), settings.clone());
        scanner.round().await;
        let mut news = handle.news();
        handle.want(wanted(&["r.io/a/fine"]));
        scanner.round().await;
        assert_eq!(news.try_recv().is_ok(), first);
        assert_eq!(handle.scans().borrow()["r.io/a/fine"].knowledge.tags.len(), 3);
    }
}

#[test]
fn due_tags_come_before_new_ones() {
    let mut knowledge = Knowledge { listed: ["1", "2", "3", "4"].map(str::to_owned).to_vec(), ..Knowledge::default() };
    knowledge.tags.insert("2".into(), known("a"));
    let late = T + SignedDuration::from_hours(1);
    let tags = |near, most, now| plan(&knowledge, near, most, now).into_iter().map(|(tag, _)| tag).collect::<Vec<_>>();
    assert_eq!(tags(false, 10, T), ["4", "3", "1"]);
    assert_eq!(tags(false, 2, late), ["2", "4"]);
    assert_eq!(tags(true, 0, T), ["2", "4", "3", "1"]);
}

#[test]
fn what_is_learned_decides_when_to_look_again() {
    let hours = |known: &Known| known.refresh.every.as_mins();
    let first = known("a");
    assert_eq!(hours(&first), 60);
    let same = learn(Some(&first), None, false, T);
    assert_eq!((hours(&same), same.digest.as_str()), (120, "a"));
    let moved = learn(Some(&same), Some(image("b")), false, T);
    assert_eq!((hours(&moved), moved.digest.as_str()), (60, "b"));
    assert_eq!(hours(&left_alone(T)), 24 * 60);
    assert_eq!(hours(&learn(Some(&left_alone(T)), Some(image("b")), false, T)), 60);
    let mut labelled = image("c");
    labelled.labels.insert("org.opencontainers.image.created".into(), "2020-01-01T00:00:00Z".into());
    assert_eq!(learn(None, Some(labelled.clone()), false, T).created, Some(T));
    assert_eq!(learn(None, Some(labelled), true, T).created, "2020-01-01T00:00:00Z".parse().ok());
}

#[test]
fn states_are_said() {
    let scanned = |tags, missing, problem: Option<&str>| State::Scanned {
        tags,
        at: T,
        missing,
        problem: problem.map(str::to_owned),
    };
    for (state, text) in [
        (State::NotScanned, "not scanned yet"),
        (State::Excluded, "excluded from scanning"),
        (State::NoCredentials, "no credentials"),
        (State::RateLimited { until: T }, "rate limited until 1970-01-01T00:00:00Z"),
        (State::Failed { reason: "x".into(), at: T }, "failed at 1970-01-01T00:00:00Z: x"),
        (scanned(1, 0, None), "1 tag at 1970-01-01T00:00:00Z"),
        (scanned(9, 2, Some("y")), "9 tags at 1970-01-01T00:00:00Z, 2 of them not known yet (y)"),
    ] {
        assert_eq!(state.to_string(), text);
    }
}
