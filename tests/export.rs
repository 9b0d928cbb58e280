//! Exported files: what is in them, what is not, and where they are written.

use crate::harness::tool::Tool;

/// One red pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";
const PNG_URI: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/// What stands in the body of a bare page.
fn body(page: &str) -> &str {
    page.split("<body>").nth(1).and_then(|rest| rest.split("</body>").next()).expect("a body")
}

#[test]
fn everything_a_deck_names_goes_into_the_page() {
    let deck = "---\nbackgroundImage: url(images/b.png)\n---\n\n![cat](images/a%20b.png)\n\n![bg](/images/b.png)\n\n\
                <video poster=\"images/b.png\" src='images/v.mp4'></video>\n<img src=images/b.png srcset=\"images/b.png 2x\">\n\n\
                <style>section { --x: url(\"images/b.png\"); }</style>\n";
    let tool = Tool::new()
        .with("deck.md", deck)
        .with("images/a b.png", PNG)
        .with("images/b.png", PNG)
        .with("images/v.mp4", "film");
    let run = tool.run("export deck.md -o out/deck.html");
    assert_eq!((run.code, run.err.as_str()), (0, "deck.md => out/deck.html\n"));
    let page = tool.read("out/deck.html");
    assert!(page.contains(&format!("<img src=\"{PNG_URI}\" data-original-src=\"images/a%20b.png\" alt=\"cat\"")));
    assert!(page.contains(&format!("background-image:url(&quot;{PNG_URI}&quot;)")));
    assert!(page.contains(&format!("poster=\"{PNG_URI}\" src=\"data:video/mp4;base64,ZmlsbQ==\"")));
    assert!(page.contains(&format!("srcset=\"{PNG_URI} 2x\"")));
    for outside in [" src=\"images", ":url(images", ":url(&quot;images", "src=\"/assets", "href=\"/assets"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn hidden_files_do_not_go_into_the_page() {
    let tool = Tool::new()
        .with("deck.md", "![a](.git/config)\n\n![b](.env)\n\n![bg](x/.secret.png)\n")
        .with(".git/config", "token")
        .with(".env", "token")
        .with("x/.secret.png", "token");
    let run = tool.run("export deck.md -o deck.html");
    assert_eq!(run.err.matches("error[asset/hidden]").count(), 3, "{}", run.err);
    assert_eq!(run.code, 1);
    assert!(!tool.read("deck.html").contains("base64,dG9rZW4"));
}

#[test]
fn a_picture_behind_many_slides_is_written_once() {
    let deck = format!("---\nbackgroundImage: url(big.png)\n---\n{}", "\n# x\n\n---\n".repeat(20));
    let tool = Tool::new().with("deck.md", deck).with("big.png", vec![7; 20_000]);
    assert_eq!(tool.run("export deck.md -o deck.html").code, 0);
    let page = tool.read("deck.html");
    let uri = "data:image/png;base64,BwcH";
    assert_eq!(page.matches(uri).count(), 1);
    assert!(page.contains("background-image:var(--foredeck-file-1)"));
}

#[test]
fn the_bare_page_leaves_addresses_alone_unless_asked() {
    let tool = Tool::new().with("deck.md", "![cat](a.png)\n").with("a.png", PNG);
    let run = tool.run("export deck.md --template bare -o -");
    assert_eq!(run.code, 0);
    let expected = "<svg data-marpit-svg=\"\" viewBox=\"0 0 1280 720\"><foreignObject width=\"1280\" height=\"720\">\
                    <section id=\"1\"><p><img src=\"a.png\" alt=\"cat\" /></p>\n</section></foreignObject></svg>";
    assert_eq!(without_theme(body(&run.out)), expected);
    let inline = tool.run("export deck.md --template bare --inline -o -");
    let expected = expected.replace("src=\"a.png\"", &format!("src=\"{PNG_URI}\" data-original-src=\"a.png\""));
    assert_eq!(without_theme(body(&inline.out)), expected);
}

/// Without what depends on the theme that decks without one have.
fn without_theme(body: &str) -> String {
    body.split(" data-theme=\"default\" style=\"--theme:default;\"").collect()
}

#[test]
fn notes_stay_out_unless_asked_for() {
    let tool = Tool::new().with("deck.md", "# A\n\n<!-- secret </script> & *bold* -->\n");
    for line in ["export deck.md -o -", "export deck.md --template bare -o -"] {
        assert!(!tool.run(line).out.contains("secret"), "{line}");
    }
    let bare = tool.run("export deck.md --template bare --with-notes -o -").out;
    let json = bare.split("data-notes>").nth(1).and_then(|rest| rest.split("</script>").next()).expect("notes");
    let notes: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(notes, serde_json::json!(["secret </script> & *bold*"]));
    assert!(tool.run("export deck.md --with-notes -o -").out.contains("secret"));
}

#[test]
fn notes_are_written_as_marp_writes_them_and_as_markdown() {
    let deck = "# A\n\n<!-- one\ntwo -->\n\n<!-- three -->\n\n---\n\n# B\n\n---\n\nplain\n\n<!-- last -->\n";
    let tool = Tool::new().with("deck.md", deck);
    assert_eq!(tool.run("export deck.md --to txt -o -").out, "one\ntwo\n\nthree\n\n---\n\n\n\n---\n\nlast");
    assert_eq!(tool.run("deck.md --notes -o n.txt").code, 0);
    assert_eq!(tool.read("n.txt"), "one\ntwo\n\nthree\n\n---\n\n\n\n---\n\nlast");
    let markdown = "# A\n\n## 1. A\n\none\ntwo\n\nthree\n\n## 2. B\n\n## 3.\n\nlast\n";
    assert_eq!(tool.run("export deck.md --to md -o -").out, markdown);
    let none = Tool::new().with("deck.md", "# A\n").run_notes();
    assert_eq!(none, (0, String::new()));
}

impl Tool {
    fn run_notes(&self) -> (i32, String) {
        let run = self.run("export deck.md --to txt -o -");
        assert!(run.err.contains("export/no-notes"), "{}", run.err);
        (run.code, run.out)
    }
}

#[test]
fn nothing_outside_of_the_project_is_carried_away() {
    let tool = Tool::new().with("secret.png", PNG).with(
        "talk/deck.md",
        "![a](../secret.png)\n\n<img src=\"..%2fsecret.png\" alt=\"b\">\n\n![c](x/../../secret.png)\n",
    );
    let run = tool.run("export talk/deck.md -o deck.html");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("error[asset/outside-root]: `../secret.png` is outside of"), "{}", run.err);
    assert!(!tool.read("deck.html").contains("data:image/png"));
    let nothing = Tool::new().with("talk/deck.md", "![a](../secret.png)\n").run("export talk/deck.md -o deck.html");
    assert_eq!(nothing.code, 0, "{}", nothing.err);
    assert!(nothing.err.contains("warning[asset/missing]"), "{}", nothing.err);
    let wider = tool.run("export talk/deck.md -o deck.html --root .");
    assert_eq!(wider.code, 0, "{}", wider.err);
    assert_eq!(tool.read("deck.html").matches(PNG_URI).count(), 3);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_project_is_not_followed() {
    let tool = Tool::new().with("secret.png", PNG).with("talk/deck.md", "![a](link.png)\n");
    std::os::unix::fs::symlink(tool.path("secret.png"), tool.path("talk/link.png")).expect("a link");
    let run = tool.run("export talk/deck.md -o deck.html");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(!tool.read("deck.html").contains("data:image/png"));
}

#[test]
fn missing_and_remote_files_are_told_and_kept() {
    let tool = Tool::new().with("deck.md", "![a](gone.png)\n\n![b](https://example.org/b.png)\n");
    let run = tool.run("export deck.md -o deck.html");
    assert_eq!(run.code, 0);
    assert!(run.err.contains("warning[asset/missing]: there is no file `gone.png`"), "{}", run.err);
    assert!(run.err.contains("warning[asset/remote]: the page fetches `https://example.org/b.png`"), "{}", run.err);
    let page = tool.read("deck.html");
    assert!(page.contains("src=\"gone.png\"") && page.contains("src=\"https://example.org/b.png\""));
}

#[test]
fn a_folder_becomes_a_site() {
    let tool = Tool::new()
        .with("decks/a b.md", "# First\n")
        .with("decks/day/two.md", "# Second\n")
        .with("decks/index.md", "# Index\n")
        .with("decks/README.md", "no deck");
    let run = tool.run("export decks -o site");
    assert_eq!(run.code, 0, "{}", run.err);
    let written: Vec<_> = tool.files().into_iter().filter(|path| path.starts_with("site")).collect();
    assert_eq!(written, ["site/a b.html", "site/day/two.html", "site/index-2.html", "site/index.html"]);
    let index = tool.read("site/index.html");
    for link in ["href=\"a%20b.html\"", "href=\"day/two.html\"", "href=\"index-2.html\""] {
        assert!(index.replace("&#x2f;", "/").contains(link), "{link}");
    }
    assert!(!index.contains("fd-files\">"), "there is nothing but pages yet");
}

#[test]
fn the_index_of_a_site_lists_every_form_of_a_deck() {
    let tool = Tool::new()
        .with("decks/one.md", "# First\n")
        .with("decks/day/two.md", "# Second\n")
        .with("site/one.pdf", "%PDF")
        .with("site/day/two.pptx", "PK");
    assert_eq!(tool.run("export decks -o site").code, 0);
    let index = tool.read("site/index.html").replace("&#x2f;", "/");
    for link in ["href=\"one.html\"", "href=\"one.pdf\"", "href=\"day/two.html\"", "href=\"day/two.pptx\""] {
        assert!(index.contains(link), "{link}");
    }
    assert!(!index.contains("one.pptx"), "it is not there");
}

#[test]
fn settings_of_a_project_say_what_is_exported_and_no_program() {
    let tool = Tool::new().with("deck.md", "# A\n\n<!-- say this -->\n").with(
        ".marprc.json",
        r#"{ "notes": true, "output": "out/said.txt", "browserPath": "/tmp/evil", "themeSet": [] }"#,
    );
    let run = tool.run("export deck.md");
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(tool.read("out/said.txt").trim(), "say this");
    assert!(run.err.contains("warning[config/not-here]: `browserPath`"), "{}", run.err);
    assert_eq!(tool.run("export deck.md -o page.html").code, 0);
    assert!(tool.read("page.html").starts_with("<!DOCTYPE html>"), "the command line wins");
}

#[test]
fn pipes_work_in_both_directions() {
    let tool = Tool::new();
    let run = tool.pipe("export - -o - --template bare", "# From a pipe\n");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(body(&run.out).contains("<h1 id=\"from-a-pipe\">From a pipe</h1>"));
    assert_eq!(tool.files(), Vec::<String>::new());
}

#[test]
fn a_result_replaces_the_old_one_in_one_go() {
    let tool = Tool::new().with("deck.md", "# A\n").with("out.html", "old");
    assert_eq!(tool.run("export deck.md -o out.html -q").code, 0);
    assert_eq!(tool.files(), ["deck.md", "out.html"]);
    assert!(tool.read("out.html").contains("<h1"));
    assert_eq!(tool.run("export deck.md -o out.html/x.html").code, 4);
    assert_eq!(tool.run("export deck.md").code, 0);
    assert_eq!(tool.files(), ["deck.html", "deck.md", "out.html"]);
}

/// A picture of 200 MB; most of it is a hole, so it costs no room.
fn huge(tool: &Tool, path: &str) {
    let file = std::fs::File::create(tool.path(path)).expect("a file");
    file.set_len(200 * 1024 * 1024).expect("a long file");
}

#[test]
fn a_huge_picture_is_left_out_and_that_is_said() {
    let tool = Tool::new().with("deck.md", "# A\n\n![](huge.png) ![](small.png)\n").with("small.png", PNG);
    huge(&tool, "huge.png");
    let run = tool.run("export deck.md -o deck.html");
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("error[export/unreadable]") && run.err.contains("`huge.png`"), "{}", run.err);
    let page = tool.read("deck.html");
    assert!(page.contains(PNG_URI) && page.contains("src=\"huge.png\""), "the rest is there");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_told_and_nothing_is_left() {
    let tool = Tool::new().with("deck.md", "# A\n").with("file", "no folder");
    for (output, path) in
        [("file/deck.html", "file/deck.html"), ("/proc/foredeck/deck.html", "/proc/foredeck/deck.html")]
    {
        let run = tool.run(&format!("export deck.md -o {output}"));
        assert_eq!(run.code, 4, "{output}: {}", run.err);
        assert!(run.err.starts_with(&format!("error: cannot write `{path}`\n")), "{}", run.err);
    }
    assert_eq!(tool.files(), ["deck.md", "file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let run = Tool::new().with("deck.md", "# A\n").run("export deck.md -o /dev/full");
    assert_eq!(run.code, 4);
    assert!(run.err.starts_with("error: cannot write `/dev/full`\n"), "{}", run.err);
    assert!(run.err.contains("help: the disk is full"), "{}", run.err);
}
