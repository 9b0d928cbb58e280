//! Projects: compiling from memory, and following edits on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use foredeck::project::files::Memory;
use foredeck::project::watch::{Cell, Watcher};
use foredeck::project::{Compiled, Project, ProjectOptions};
use tokio_util::sync::CancellationToken;

fn project(files: Memory, input: &str) -> Project {
    Project::open_in(Arc::new(files), &[Path::new(input)], ProjectOptions::default()).expect("a project")
}

#[test]
fn a_compile_tells_what_it_read() {
    let files = Memory::new()
        .with("/p/decks/a.md", "# A\n\n![x](../images/x.png) ![y](y.png)\n")
        .with("/p/images/x.png", "x")
        .with("/p/themes/mine.css", "/* @theme mine */");
    let project = project(files, "/p/decks/a.md");
    let compiled = project.compile(&project.decks[0]).expect("a deck");
    let dependencies: Vec<_> = compiled.dependencies.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(dependencies, ["/p/decks/a.md", "/p/decks/y.png", "/p/images/x.png", "/p/themes", "/p/themes/mine.css"]);
    assert_eq!(compiled.folder, Path::new("/p/decks"));
    let codes: Vec<_> = compiled.diagnostics.iter().map(|found| found.code.0).collect();
    assert_eq!(codes.iter().filter(|code| **code == "asset/missing").count(), 1, "{codes:?}");
}

#[test]
fn code_that_is_a_copy_shows_its_file_and_nothing_from_elsewhere() {
    let fence = |file: &str| format!("```sh {{file={file}}}\nlast copy\n```\n\n");
    let deck: String = ["run.sh lines=2-3", "../run.sh", ".env", "gone.sh", "run.sh lines=9", "big", "raw", "../../x"]
        .map(fence)
        .concat();
    let files = || {
        Memory::new()
            .with("/p/decks/a.md", &deck)
            .with("/p/decks/run.sh", "one\ntwo <now>\nthree")
            .with("/p/run.sh", "\u{feff}of the root\r\n")
            .with("/p/decks/.env", "TOKEN=1\n")
            .with("/p/decks/big", "long line\n".repeat(20_000))
            .with("/p/decks/raw", [0_u8, 1, 2])
            .with("/x", "elsewhere\n")
            .with("/p/themes/mine.css", "/* @theme mine */")
    };
    let compiled = |options: ProjectOptions| {
        let project = Project::open_in(Arc::new(files()), &[Path::new("/p/decks/a.md")], options).expect("a project");
        project.compile(&project.decks[0]).expect("a deck")
    };
    let now = compiled(ProjectOptions::default());
    assert!(shows(&now, "two &lt;now&gt;\nthree\n</code>") && shows(&now, "of the root\n</code>"));
    assert_eq!(now.rendered.slides[0].html.matches("last copy").count(), 6);
    for secret in ["TOKEN", "elsewhere"] {
        assert!(!shows(&now, secret), "{secret}");
    }
    let mut codes: Vec<_> = now.diagnostics.iter().map(|found| found.code.0).collect();
    codes.sort_unstable();
    let expected = [
        "asset/hidden",
        "asset/missing",
        "asset/outside-root",
        "code/bad-lines",
        "code/file-unreadable",
        "code/file-unreadable",
    ];
    assert_eq!(codes, expected);
    assert!(now.dependencies.contains(Path::new("/p/decks/run.sh")), "an edit of the file shows on the slide");
    let mut as_marp = ProjectOptions::default();
    as_marp.deck.compatibility = foredeck::deck::Compatibility::Strict;
    assert_eq!(compiled(as_marp).rendered.slides[0].html.matches("last copy").count(), 8);
}

#[test]
fn a_line_of_a_hundred_thousand_tags_is_judged_in_time() {
    let project = project(Memory::new().with("/p/a.md", "<div style=x>".repeat(100_000)), "/p/a.md");
    let start = std::time::Instant::now();
    project.compile(&project.decks[0]).expect("a deck");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn a_broken_edit_keeps_the_slides() {
    let before = project(Memory::new().with("/p/a.md", "---\nclass: lead\n---\n# Good\n"), "/p/a.md");
    let good = Arc::new(before.compile(&before.decks[0]).expect("a deck"));
    let text = |text: &str| {
        let project = project(Memory::new().with("/p/a.md", text), "/p/a.md");
        project.recompile(&project.decks[0], &good)
    };
    let broken = text("---\nclass: \"lead\n---\n# New\n");
    assert!(broken.stale && shows(&broken, "Good"));
    assert!(broken.diagnostics.iter().any(|found| found.code.0 == "deck/front-matter-syntax"));
    let emptied = text("");
    assert!(emptied.stale && shows(&emptied, "Good"));
    let mended = text("---\nclass: lead\n---\n# New\n");
    assert!(!mended.stale && shows(&mended, "New"));
    let gone = {
        let project = project(Memory::new().with("/p/a.md", "\0"), "/p/a.md");
        project.recompile(&project.decks[0], &good)
    };
    assert!(gone.stale && shows(&gone, "Good"));
    assert_eq!(gone.diagnostics.last().map(|found| found.code.0), Some("deck/unreadable"));
}

#[test]
fn themes_of_a_project_win_and_broken_ones_are_told() {
    let files = Memory::new()
        .with("/p/decks/a.md", "---\ntheme: mine\n---\n# A\n")
        .with("/p/themes/mine.css", "/* @theme mine */ section { width: 800px; height: 600px; }")
        .with("/p/themes/again.css", "/* @theme mine */ section { width: 801px; }")
        .with("/p/themes/broken.css", "/* @theme broken */\nsection { color: red; }\n  h1 { color: }}\n")
        .with("/p/themes/nameless.css", "section { color: red; }")
        .with("/p/themes/round.css", "/* @theme round */ @import 'trip';")
        .with("/p/themes/trip.css", "/* @theme trip */ @import 'round';");
    let project = project(files, "/p/decks/a.md");
    let compiled = project.compile(&project.decks[0]).expect("a deck");
    assert_eq!(compiled.rendered.size.width, 800.0);
    let told: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|found| {
            let file = found.file.as_ref().expect("a theme's finding is in its file");
            let place = file.line_column(found.span.expect("a place").start);
            format!("{} {}:{}:{}", found.code, file.path().display(), place.line, place.column)
        })
        .collect();
    assert_eq!(
        told,
        [
            "theme/no-name /p/themes/nameless.css:1:1",
            "theme/import-circle /p/themes/trip.css:1:1",
            "theme/duplicate /p/themes/mine.css:1:4",
            "theme/syntax /p/themes/broken.css:3:16",
        ]
    );
}

fn shows(compiled: &Compiled, text: &str) -> bool {
    compiled.rendered.slides.iter().any(|slide| slide.html.contains(text))
}

/// Waits until the cell holds a rendering that passes, for a few seconds at most.
async fn until(cell: &mut Cell, test: impl Fn(&Compiled) -> bool) -> Arc<Compiled> {
    let wait = cell.wait_for(|value| value.as_ref().is_some_and(|compiled| test(compiled)));
    let value = tokio::time::timeout(Duration::from_secs(10), wait).await.expect("in time").expect("the watcher lives");
    value.clone().expect("a rendering")
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_appear_however_an_editor_saves() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(path(name), text).expect("a file");
    write("talk.md", "# One\n");
    let project = Project::open(&path("talk.md"), ProjectOptions::default()).expect("a project");
    let (watcher, decks) = Watcher::new(Arc::new(project)).expect("a deck");
    let mut cell = decks[0].cell.clone();
    let stop = CancellationToken::new();
    let running = tokio::spawn(watcher.run(stop.clone()));
    until(&mut cell, |deck| shows(deck, "One")).await;

    // In place.
    write("talk.md", "# Two\n");
    until(&mut cell, |deck| shows(deck, "Two")).await;
    // A new file put in the place of the old one.
    write("talk.md~", "# Three\n");
    std::fs::rename(path("talk.md~"), path("talk.md")).expect("a rename");
    until(&mut cell, |deck| shows(deck, "Three")).await;
    // Removed and written anew.
    std::fs::remove_file(path("talk.md")).expect("a removal");
    until(&mut cell, |deck| deck.stale && shows(deck, "Three")).await;
    write("talk.md", "# Four\n");
    until(&mut cell, |deck| !deck.stale && shows(deck, "Four")).await;
    // A picture that was missing appears.
    write("talk.md", "# Five\n\n![x](pictures/x.png)\n");
    until(&mut cell, |deck| deck.diagnostics.iter().any(|found| found.code.0 == "asset/missing")).await;
    std::fs::create_dir(path("pictures")).expect("a folder");
    write("pictures/x.png", "x");
    until(&mut cell, |deck| !deck.diagnostics.iter().any(|found| found.code.0 == "asset/missing")).await;

    stop.cancel();
    running.await.expect("no panic").expect("no error");
}
