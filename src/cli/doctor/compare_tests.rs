//! What differs from a rehearsal.

use super::*;

const WAS: &str = "docker.io/x/podinfo@sha256:aaaaaaaaaaaabbbb";

fn facts() -> Facts {
    Facts {
        foredeck: "0.1.0".into(),
        program: "f00".into(),
        port: Some(3939),
        offset_s: 7200,
        cluster: "kind".into(),
        version: "v1.36.2".into(),
        images: BTreeMap::from([("x/podinfo:1".to_owned(), WAS.to_owned())]),
    }
}

fn deck() -> Deck {
    let then = Then { when: "14:02".into(), started_ms: 1_000_000, hash: "h".into(), facts: Some(facts()) };
    Deck { path: "talk.md".into(), hash: "h".into(), then: Some(then) }
}

fn today() -> Today {
    let images = BTreeMap::from([("x/podinfo:1".to_owned(), Some("elsewhere@sha256:aaaaaaaaaaaabbbb".to_owned()))]);
    Today {
        foredeck: "0.1.0".into(),
        program: "f00".into(),
        offset_s: 7200,
        now_ms: 2_000_000,
        free: Some(1 << 40),
        ports: BTreeMap::new(),
        clusters: BTreeMap::from([("kind".to_owned(), Ok(Cluster { version: "v1.36.2".into(), images }))]),
    }
}

/// Levels and texts; whatever is wrong says how to mend it.
fn told(decks: &[Deck], today: &Today) -> Vec<(Level, String)> {
    let found = compared(decks, today);
    assert!(found.iter().all(|finding| finding.fix.is_some() || finding.level == Level::Ok));
    found.into_iter().map(|finding| (finding.level, finding.text)).collect()
}

#[test]
fn nothing_is_said_of_what_is_as_it_was() {
    let same = told(&[deck()], &today());
    assert_eq!(same, [(Level::Ok, "all is as in the rehearsal of 14:02".to_owned())]);
    assert_eq!(told(&[deck(), deck()], &today())[0].1, "all is as in the rehearsals of 2 decks");
    assert_eq!(told(&[], &today())[0].0, Level::Ok);
}

#[test]
fn every_difference_is_told_and_nothing_else() {
    type Change = fn(&mut Deck, &mut Today);
    let cases: [(Change, Level, &str); 12] = [
        (|deck, _| deck.then = None, Level::Warning, "there is no rehearsal of `talk.md` in which every step passed"),
        (|deck, _| deck.hash = "i".into(), Level::Warning, "`talk.md` has changed since the rehearsal of 14:02"),
        (
            |deck, _| deck.then.as_mut().unwrap().facts = None,
            Level::Warning,
            "the rehearsal of 14:02 does not say what it was made with",
        ),
        (|_, today| today.foredeck = "0.2.0".into(), Level::Warning, "foredeck is 0.2.0, and was 0.1.0"),
        (|_, today| today.program = "ba5".into(), Level::Warning, "this is another build of foredeck 0.1.0"),
        (|_, today| today.now_ms = 1, Level::Problem, "this machine's clock is before the rehearsal of 14:02"),
        (|_, today| today.offset_s = -16200, Level::Warning, "the clock is at UTC-04:30, and was at UTC+02:00"),
        (|_, today| today.free = Some(9 << 20), Level::Problem, "only 9 MB are free where runs are recorded"),
        (
            |_, today| drop(today.ports.insert(3939, "another program uses it".into())),
            Level::Problem,
            "the port 3939 of the rehearsal cannot be had: another program uses it",
        ),
        (
            |_, today| drop(today.clusters.insert("kind".into(), Err("nothing answers".into()))),
            Level::Problem,
            "the cluster `kind` of the rehearsal is not there: nothing answers",
        ),
        (
            |_, today| today.clusters.get_mut("kind").unwrap().as_mut().unwrap().version = "v1.37.0".into(),
            Level::Warning,
            "the cluster `kind` is v1.37.0, and was v1.36.2",
        ),
        (
            |_, today| {
                let cluster = today.clusters.get_mut("kind").unwrap().as_mut().unwrap();
                cluster.images.insert("x/podinfo:1".into(), Some("sha256:ccccccccccccdddd".into()));
            },
            Level::Warning,
            "`x/podinfo:1` is sha256:cccccccccccc, and was sha256:aaaaaaaaaaaa",
        ),
    ];
    for (change, level, text) in cases {
        let (mut deck, mut today) = (deck(), today());
        change(&mut deck, &mut today);
        assert_eq!(told(&[deck], &today), [(level, text.to_owned())]);
    }
}

#[test]
fn images_that_nodes_do_not_have_are_told_once() {
    let mut today = today();
    today.clusters.get_mut("kind").unwrap().as_mut().unwrap().images.insert("x/podinfo:1".into(), None);
    let other = Deck { path: "other.md".into(), ..deck() };
    assert_eq!(told(&[deck(), other], &today).len(), 1);
}
