//! The command line: standard output, standard error and exit code together.

use crate::harness::tool::{Run, Tool};

fn run(code: i32, out: &str, err: &str) -> Run {
    Run { code, out: out.to_owned(), err: err.to_owned() }
}

const DECK: &str = "---\ntheme: default\nlang: en\n---\n\n# Hello\n";

#[test]
fn a_deck_that_is_not_there_is_named() {
    let tool = Tool::new();
    let expected = "error: cannot read `gone.md`\n  because: there is no such file or folder\n";
    for command in ["export gone.md", "check gone.md", "present gone.md --no-open", "gone.md --no-open"] {
        assert_eq!(tool.run(command), run(3, "", expected), "{command}");
    }
}

#[test]
fn a_misspelt_command_is_guessed() {
    let expected = "error: cannot read `exprot`\n  because: there is no such file or folder\n  \
                    help: did you mean the command `export`?\n";
    assert_eq!(Tool::new().run("exprot"), run(3, "", expected));
}

#[test]
fn no_deck_anywhere_says_how_to_start_one() {
    let expected = "error: there is no deck here: no `decks/`, `deck.md`, `slides.md`, `index.md` or `PITCHME.md`\n  \
                    help: name a deck, or start one with `foredeck new talk`\n";
    assert_eq!(Tool::new().run("--no-open"), run(3, "", expected));
    assert_eq!(Tool::new().run("export"), run(3, "", expected));
}

#[test]
fn a_folder_without_decks_is_named() {
    let tool = Tool::new().with("talk/picture.png", "x");
    let expected = "error: there is no deck in `talk`\n  \
                    help: decks are files that end in .md; `foredeck new DIR` starts one\n";
    assert_eq!(tool.run("export talk -o out"), run(3, "", expected));
}

#[test]
fn what_is_no_text_is_refused_with_the_place() {
    let tool = Tool::new()
        .with("picture.md", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        .with("latin.md", b"# Title\n\n\xc3\xbc caf\xe9\n")
        .with("wide.md", b"\xff\xfe#\0 \0a\0");
    let refused = |file: &str, why: &str, help: &str| {
        run(3, "", &format!("error: cannot read `{file}`\n  because: {why}\n  help: {help}\n"))
    };
    let markdown = "a deck is a Markdown file";
    assert_eq!(
        tool.run("export picture.md -o x.html"),
        refused("picture.md", "it is a binary file (byte 0 at offset 8)", markdown)
    );
    assert_eq!(
        tool.run("export latin.md -o x.html"),
        refused("latin.md", "it is not UTF-8 text: byte 0xe9 at line 3, column 6", "save the file as UTF-8")
    );
    assert_eq!(
        tool.run("export wide.md -o x.html"),
        refused("wide.md", "it is a binary file (byte 0 at offset 3)", markdown)
    );
    assert_eq!(tool.files(), ["latin.md", "picture.md", "wide.md"]);
}

#[test]
fn contradictions_are_usage_errors() {
    let tool = Tool::new().with("a.md", DECK).with("b.md", DECK);
    for (line, message) in [
        ("export a.md b.md -o x.html", "error: several decks cannot go into the one file `x.html`\n"),
        ("export a.md b.md -o -", "error: several decks cannot go to standard output\n"),
        ("export a.md --to pfd", "error: there is no format `pfd`\n"),
        ("a.md --pdf --pptx", "error: `--pdf` and `--pptx` ask for different things\n"),
        ("export a.md b.md -o x.PPTX", "error: several decks cannot go into the one file `x.PPTX`\n"),
        ("export a.md --images png -o -", "error: several pictures cannot go to standard output\n"),
        ("export . ", "error: a folder of decks needs a folder to go to\n"),
        ("export a.md -o a.md", "error: the result would replace the deck `a.md` itself\n"),
        ("- --no-open", "error: a deck from standard input cannot be presented\n"),
        ("a.md --host nowhere.invalid --no-open", "error: `nowhere.invalid` is no address of this machine\n"),
    ] {
        let run = tool.run(line);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{line}: {}", run.err);
        assert!(run.err.starts_with(message), "{line}: {}", run.err);
    }
    assert_eq!(tool.read("a.md"), DECK);
}

#[test]
fn a_theme_file_that_is_not_there_is_named() {
    let tool = Tool::new().with("a.md", DECK);
    let expected = run(3, "", "error: there is no theme file `gone.css`\n");
    for line in ["export a.md --theme gone.css", "check a.md --theme gone.css", "a.md --theme gone.css --no-open"] {
        assert_eq!(tool.run(line), expected, "{line}");
    }
}

#[test]
fn programs_are_told_of_decks_that_cannot_be_read() {
    let tool = Tool::new().with("a.md", DECK).with("b.md", b"\xff");
    let run = tool.run("check a.md b.md gone.md --json");
    assert_eq!(run.code, 3);
    let report: serde_json::Value = serde_json::from_str(&run.out).expect("one JSON document");
    assert_eq!(report["errors"], 2);
    let found: Vec<_> =
        report["diagnostics"].as_array().expect("a list").iter().map(|d| (&d["code"], &d["file"])).collect();
    assert_eq!(found, [(&"deck/unreadable".into(), &"b.md".into()), (&"deck/unreadable".into(), &"gone.md".into())]);
}

#[test]
fn unknown_flags_get_a_suggestion() {
    let run = Tool::new().run("deck.md --tempalte bare");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("tip: a similar argument exists: '--template'"), "{}", run.err);
}

#[test]
fn check_shows_the_place_and_fails() {
    let deck = "---\nlang: en\npaginte: true\n---\n\n# A\n\n<!-- _theme: gaia -->\n\n![a](no.png)\n";
    let tool = Tool::new().with("deck.md", deck);
    let expected = "\
warning[deck/unknown-directive]: unknown directive `paginte`
 --> deck.md:3:1
  |
3 | paginte: true
  | ^^^^^^^
  |
  = help: did you mean `paginate`?
warning[deck/note-like-directive]: this comment is a presenter note, although `_theme` looks like a directive
 --> deck.md:8:6
  |
8 | <!-- _theme: gaia -->
  |      ^^^^^^
  |
  = help: write `theme`: it counts for the whole deck and has no form for one slide
warning[asset/missing]: there is no file `no.png`
  --> deck.md:10:1
   |
10 | ![a](no.png)
   | ^^^^^^^^^^^^
   |
   = help: looked for `no.png` in `FOLDER`
0 errors, 3 warnings; `foredeck docs CODE` explains
";
    let folder = tool.path("").canonicalize().expect("the folder is there");
    let expected = expected.replace("FOLDER", &folder.display().to_string());
    assert_eq!(tool.run("check deck.md"), run(1, "", &expected));
}

#[test]
fn check_as_json_is_one_document() {
    let tool = Tool::new().with("deck.md", "---\nlang: en\nteme: gaia\n---\n# A\n");
    let run = tool.run("check deck.md --json");
    let document: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(
        document,
        serde_json::json!({
            "schema": "foredeck.diagnostics/1", "errors": 0, "warnings": 1, "notes": 0,
            "diagnostics": [{
                "severity": "warning", "code": "deck/unknown-directive", "message": "unknown directive `teme`",
                "file": "deck.md",
                "span": {"start": 13, "end": 17, "line": 3, "column": 1, "end_line": 3, "end_column": 5},
                "hints": ["did you mean `theme`?"],
            }],
        })
    );
    assert_eq!((run.code, run.err.as_str()), (1, ""));
}

#[test]
fn check_is_content_with_a_good_deck() {
    let tool = Tool::new().with("deck.md", "---\nmarp: true\nlang: en\n---\n\n# A\n\n<!-- Note: say it -->\n");
    assert_eq!(tool.run("check deck.md"), run(0, "", "1 deck without findings\n"));
    assert_eq!(tool.run("check deck.md -q"), run(0, "", ""));
}

#[test]
fn one_unreadable_deck_does_not_hide_the_others() {
    let tool = Tool::new().with("decks/a.md", "\0").with("decks/b.md", "---\nlang: en\nteme: x\n---\n");
    let run = tool.run("check decks");
    assert_eq!(run.code, 3);
    assert!(run.err.contains("decks/b.md:3:1") && run.err.contains("cannot read `decks/a.md`"), "{}", run.err);
}

#[test]
fn colour_comes_only_when_asked_for() {
    let tool = Tool::new().with("deck.md", "---\nlang: en\nteme: x\n---\n");
    assert!(!tool.run("check deck.md").err.contains('\u{1b}'));
    assert!(tool.run("check deck.md --color always").err.contains('\u{1b}'));
    let mut command = tool.command("check deck.md --color auto");
    let output = command.env("NO_COLOR", "1").output().expect("the program starts");
    assert!(!output.stderr.contains(&0x1b));
}

#[test]
fn reveal_decks_are_imported_and_exported_without_edits() {
    let reveal = "# A\n\n\n\n## B\n<img class=\"plain\" src=\"https://example.org/x.gif\" heigth=\"400px\">\n\n\n## C\n\nNote: say it\n";
    let tool = Tool::new().with("old.txt", reveal);
    let marp = "---\nmarp: true\n---\n\n# A\n\n---\n\n## B\n![h:400px](https://example.org/x.gif)\n\n---\n\n## C\n\n<!--\nsay it\n-->\n";
    let imported = tool.run("import reveal old.txt");
    assert_eq!((imported.code, imported.out.as_str()), (0, marp));
    let expected = "\
warning[reveal/misspelt-attribute]: `heigth` is read as `height`
 --> old.txt:6:1
  |
6 | <img class=\"plain\" src=\"https://example.org/x.gif\" heigth=\"400px\">
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: mend the spelling in the deck
";
    assert_eq!(imported.err, expected);
    assert_eq!(tool.run("import reveal old.txt -o new.md -q"), run(0, "", ""));
    assert_eq!(tool.read("new.md"), marp);
    let notes = tool.run("export old.txt --format reveal --notes -o -");
    assert_eq!(notes.out, "\n\n---\n\n\n\n---\n\nsay it");
}

#[test]
fn a_reveal_deck_read_as_marp_is_recognised() {
    let tool = Tool::new().with("old.md", "# A\n\n\n\n# B\n\n\n# C\n\n\n# D\n");
    let run = tool.run("check old.md");
    assert!(run.err.contains("deck/looks-like-reveal"), "{}", run.err);
}

#[test]
fn a_new_talk_is_ready_and_nothing_is_overwritten() {
    let tool = Tool::new();
    assert_eq!(tool.run("new talk"), run(0, "", "made `talk`; present it with `foredeck talk`\n"));
    assert_eq!(tool.files(), ["talk/.gitignore", "talk/decks/talk.md", "talk/foredeck.toml"]);
    assert_eq!(tool.run("check talk").code, 0);
    assert_eq!(tool.run("new talk").code, 2);
}

#[test]
fn every_code_that_is_reported_is_explained() {
    let mut found = Vec::new();
    codes(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "{found:?}");
    let missing: Vec<_> = found.into_iter().filter(|code| foredeck::cli::docs::explain(code).is_none()).collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// The codes that stand in sources outside of tests.
fn codes(folder: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            codes(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            let marked =
                code.split("Code(\"").skip(1).chain(code.split("warn(\n").flat_map(|t| t.split("warn(\"").skip(1)));
            found.extend(
                // `area/rule`; a name of Kubernetes has dots before its slash, a sentence has blanks.
                marked
                    .filter_map(|rest| rest.split('"').next())
                    .filter(|c| c.split_once('/').is_some_and(|(area, _)| !area.contains('.')) && !c.contains(' '))
                    .map(str::to_owned),
            );
        }
    }
}

#[test]
fn documentation_is_on_board() {
    let tool = Tool::new();
    let list = tool.run("docs");
    assert!(list.out.contains("theme/unknown ") && list.out.contains("exit-codes"), "{}", list.out);
    let unknown = "error: there is nothing about `theme/unknwon`\n  help: did you mean `theme/unknown`?\n";
    assert_eq!(tool.run("docs theme/unknwon"), run(3, "", unknown));
    assert!(tool.run("man").out.starts_with(".ie"));
    assert!(tool.run("completions bash").out.contains("complete -F _foredeck"));
}

#[test]
fn configuration_of_a_project_counts_and_is_judged() {
    let tool = Tool::new()
        .with("foredeck.toml", "titl = \"x\"\nhost = \"0.0.0.0\"\ntitle = \"From the file\"\n")
        .with("deck.md", "# A\n");
    let run = tool.run("export deck.md --template bare -o -");
    assert_eq!(run.code, 0);
    assert!(run.out.contains("<title>From the file</title>"), "{}", run.out);
    assert!(run.err.contains("config/unknown-key") && run.err.contains("did you mean `title`?"), "{}", run.err);
    assert!(run.err.contains("config/not-here"), "{}", run.err);
    let flag = tool.run("export deck.md --template bare -o - --title Flag");
    assert!(flag.out.contains("<title>Flag</title>"), "{}", flag.out);
    let none = tool.run("export deck.md --template bare -o - --no-config-file");
    assert!(none.out.contains("<title>A</title>") && none.err.is_empty(), "{}", none.err);
}

#[test]
fn marps_configuration_is_read_and_programs_are_not_run() {
    let tool = Tool::new().with(".marprc.yml", "html: true\nlang: de\n").with("deck.md", "<header>x</header>\n");
    let run = tool.run("deck.md --template bare -o -");
    assert!(run.out.contains("<header>x</header>") && run.out.contains("lang=\"de\""), "{}", run.out);
    let tool = Tool::new().with("marp.config.mjs", "throw 1").with("deck.md", "# A\n");
    let run = tool.run("deck.md --template bare -o -");
    assert_eq!(run.code, 0);
    assert!(run.err.contains("config/not-run"), "{}", run.err);
    let tool = Tool::new().with(".marprc", "html: [\n").with("deck.md", "# A\n");
    let run = tool.run("deck.md --template bare -o -");
    assert_eq!(run.code, 3);
    assert!(run.err.starts_with("error: cannot read `.marprc`\n  because: "), "{}", run.err);
}

#[cfg(unix)]
#[test]
fn presenting_prints_addresses_and_stops_cleanly() {
    use std::io::Read as _;
    use std::process::Stdio;

    let tool = Tool::new().with("deck.md", DECK);
    let mut child = tool
        .command("deck.md --port 0 --json --no-open")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut out = child.stdout.take().expect("standard output");
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\n}\n") && out.read(&mut byte).expect("standard output") > 0 {
        text.push(byte[0]);
    }
    let document: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(document["schema"], "foredeck.present/1");
    assert!(document["presenter"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().expect("the program ends").code(), Some(130));
}

#[test]
fn a_port_in_use_is_an_error_of_the_machine() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let tool = Tool::new().with("deck.md", DECK);
    let run = tool.run(&format!("deck.md --port {port} --no-open"));
    assert_eq!(run.code, 4);
    let expected =
        format!("error: port {port} is in use; choose another with `--port`, or any free one with `--port 0`\n");
    assert!(run.err.contains(&expected), "{}", run.err);
}

#[test]
fn runs_that_cannot_be_shown_say_why() {
    let tool = Tool::new()
        .with("talk.md", DECK)
        .with("old.run", "foredeck run 0\n")
        .with("new.run", "foredeck run 7\n")
        .with("other.run", "PK");
    for (command, because, help) in [
        ("present talk.md --no-open --replay=gone.run", "No such file or directory (os error 2)", ""),
        ("present talk.md --no-open --replay=other.run", "this is no recorded run", ""),
        (
            "export talk.md -o - --run new.run",
            "this run was recorded by a newer foredeck (format 7; this one reads 1)",
            "",
        ),
        (
            "export talk.md -o - --run old.run",
            "this run was recorded by an older foredeck (format 0; this one reads 1)",
            "",
        ),
    ] {
        let file = command.rsplit(['=', ' ']).next().unwrap_or_default();
        let verb = if file == "gone.run" { "read" } else { "show" };
        let expected = format!("error: cannot {verb} `{file}`\n  because: {because}\n{help}");
        assert_eq!(tool.run(command), run(3, "", &expected), "{command}");
    }
    let none = "error: there is no recorded run of this deck in which every step passed\n  \
                help: record one with `foredeck rehearse`, or name a file: `--replay=FILE`\n";
    assert_eq!(tool.run("present talk.md --no-open --replay"), run(3, "", none));
}

/// Variables by clusterctl's rules; those without a value are named, and nothing else is written.
#[test]
fn clusterctl_fills_in_variables() {
    let template = "name: ${CLUSTER_NAME}\nreplicas: ${WORKERS:=2}\nregion: ${REGION}\nowner: ${OWNER}\n";
    let tool = Tool::new()
        .with("cluster.yaml", template)
        .with("home/.config/cluster-api/clusterctl.yaml", "REGION: north\nCLUSTER_NAME: filed\n");
    let words = "Error: value for variables [CLUSTER_NAME, OWNER, REGION] is not set. Please set the value using os \
                 environment variables or the clusterctl config file\n";
    let line = "clusterctl generate yaml --from cluster.yaml";
    let bare = Tool::new().with("cluster.yaml", template);
    assert_eq!(bare.run(line), run(1, "", words));
    let filled = tool.run_in(line, &[("CLUSTER_NAME", "given"), ("OWNER", "")]);
    assert_eq!(filled, run(0, "name: given\nreplicas: 2\nregion: north\nowner: \n", ""));
    let listed = "Required Variables:\n  - CLUSTER_NAME\n  - OWNER\n  - REGION\n\nOptional Variables:\n  \
                  - WORKERS (defaults to \"2\")\n";
    assert_eq!(bare.run(&format!("{line} --list-variables")), run(0, listed, ""));
    let demo = Tool::new().with("cluster.yaml", "name: ${CLUSTER_NAME}\n");
    assert_eq!(demo.run(&format!("{line} --demo-values")), run(0, "name: demo\n", ""));
    let gone = tool.run("clusterctl generate yaml --from gone.yaml");
    assert_eq!((gone.code, gone.out.as_str()), (1, ""));
    assert!(gone.err.starts_with("Error: failed to read gone.yaml: "), "{}", gone.err);
    assert_eq!(tool.run("clusterctl explode").code, 1);
    assert!(tool.run("clusterctl --help").out.contains("generate"));
}
