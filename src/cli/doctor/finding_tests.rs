//! What means what.

use super::*;
use crate::export::browser::find::Found;

/// Levels and texts.
fn short(findings: &[Finding]) -> Vec<(Level, &str)> {
    assert!(findings.iter().all(|finding| finding.fix.is_some() || finding.level == Level::Ok));
    findings.iter().map(|finding| (finding.level, finding.text.as_str())).collect()
}

#[test]
fn a_browser_is_there_starts_and_prints() {
    let none = Search { looked: vec!["a".into(), "b".into()], dead: vec!["CHROME_PATH: x".into()], found: None };
    assert_eq!(
        short(&browser(&none, None, Sandbox::On, System::Unix)),
        [(Level::Warning, "CHROME_PATH: x"), (Level::Problem, "there is no browser to print with; looked for: a; b"),]
    );
    let found =
        Search { found: Some(Found { path: "/usr/bin/chromium".into(), by: "the PATH".into() }), ..Search::default() };
    let trial = Ok(Trial { product: "Chrome/156".into(), milliseconds: 900, emoji: false });
    assert_eq!(
        short(&browser(&found, Some(&trial), Sandbox::Off("root"), System::Unix)),
        [
            (Level::Ok, "`/usr/bin/chromium`, by the PATH"),
            (Level::Ok, "its sandbox is off: root"),
            (Level::Ok, "Chrome/156 starts and prints, in 900 ms"),
            (Level::Warning, "it has no font with coloured emoji: they will be outlines, or boxes"),
        ]
    );
    let broken = Err(("it ended".to_owned(), "mend it".to_owned()));
    let findings = browser(&found, Some(&broken), Sandbox::On, System::Unix);
    assert_eq!(short(&findings)[1], (Level::Problem, "it ended"));
}

#[test]
fn git_is_there_new_enough_and_knows_who_commits() {
    let of = |version: &str, identity| git(Some(&Git { version: version.into(), identity }));
    assert_eq!(short(&git(None))[0].0, Level::Problem);
    assert_eq!(
        short(&of("git version 2.39.5 (Apple Git-154)\n", true)),
        [(Level::Ok, "git version 2.39.5 (Apple Git-154)")]
    );
    assert_eq!(short(&of("git version 1.8.3", true)), [(Level::Warning, "git version 1.8.3 is old")]);
    assert_eq!(short(&of("what?", false)).iter().map(|found| found.0).collect::<Vec<_>>(), [Level::Warning; 2]);
}

#[test]
fn a_kubectl_is_not_needed_but_must_run() {
    for (found, expected) in [
        (None, Level::Ok),
        (Some(("/usr/bin/kubectl", Some("Client Version: v1.36.0\n"))), Level::Ok),
        (Some(("/usr/bin/kubectl", None)), Level::Problem),
    ] {
        assert_eq!(short(&kubectl(found))[0].0, expected);
    }
}

#[test]
fn a_port_is_free() {
    assert_eq!(short(&port(3939, None)), [(Level::Ok, "3939 is free")]);
    assert_eq!(short(&port(80, Some("denied"))), [(Level::Problem, "cannot listen on port 80: denied")]);
}

#[test]
fn decks_are_summed_up() {
    let counts = |errors, warnings| Counts { errors, warnings, ..Counts::default() };
    let all = Ok(vec![
        ("a.md".to_owned(), Ok(counts(0, 0))),
        ("b.md".to_owned(), Ok(counts(0, 2))),
        ("c.md".to_owned(), Ok(counts(1, 0))),
        ("d.md".to_owned(), Err("no text".to_owned())),
    ]);
    let findings = decks(&all);
    let levels: Vec<Level> = short(&findings).iter().map(|found| found.0).collect();
    assert_eq!(levels, [Level::Ok, Level::Warning, Level::Problem, Level::Problem]);
    assert_eq!(findings[0].text, "1 deck without findings");
    assert_eq!(short(&decks(&Err("none here".to_owned()))), [(Level::Warning, "none here")]);
}

#[test]
fn one_problem_is_no_go() {
    let of = |levels: &[Level]| {
        let findings: Vec<Finding> = levels.iter().map(|level| finding(Area::Port, *level, "x")).collect();
        verdict(&findings)
    };
    use Level::{Ok, Problem, Warning};
    for (levels, go, text) in [
        (vec![Ok], true, "go"),
        (vec![Ok, Warning], true, "go, with 1 warning"),
        (vec![Problem, Problem], false, "no go: 2 problems"),
        (vec![Warning, Problem, Warning], false, "no go: 1 problem, 2 warnings"),
    ] {
        assert_eq!(of(&levels), (go, text.to_owned()));
    }
}
