//! What a browser makes of decks, when there is one; and what happens when it fails, with browsers that are none.

use std::path::PathBuf;

use crate::harness::tool::{Run, Tool};
use foredeck::export::browser::{self, find::Wanted};

/// One red pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

const DECK: &str = "---\ntitle: Größe\nauthor: A (b)\nkeywords: x, y\n---\n# One\n\n[web](https://example.org/a) \
                    [three](#3) [beside](other.html)\n\n---\n\n## Two\n\n<!-- say this -->\n\n---\n\n# Three\n";

/// The browser of this machine; says so when there is none.
fn installed(test: &str) -> Option<PathBuf> {
    let found = browser::look(&Wanted::default()).found.map(|found| found.path);
    if found.is_none() {
        eprintln!("{test}: skipped, there is no browser on this machine");
    }
    found
}

/// A folder for the browser's profile, and the run of a command line in it.
fn print(tool: &Tool, browser: &std::path::Path, line: &str) -> Run {
    std::fs::create_dir_all(tool.path("tmp")).expect("a folder");
    let folder = tool.path("tmp").display().to_string();
    let run = tool.run_in(&format!("{line} --browser-path {}", browser.display()), &[("TMPDIR", &folder)]);
    let left: Vec<String> = tool.files().into_iter().filter(|file| file.starts_with("tmp/")).collect();
    assert_eq!(left, Vec::<String>::new(), "the profile is gone: {line}");
    run
}

fn bytes(tool: &Tool, path: &str) -> Vec<u8> {
    std::fs::read(tool.path(path)).expect("the file was written")
}

fn count(bytes: &[u8], words: &[u8]) -> usize {
    bytes.windows(words.len()).filter(|window| *window == words).count()
}

#[test]
fn a_pdf_has_pages_outline_notes_links_and_facts() {
    let Some(browser) = installed("pdf") else { return };
    let tool = Tool::new().with("deck.md", DECK);
    let run = print(&tool, &browser, "export deck.md -o out/deck.pdf --pdf-notes --pdf-outlines");
    assert_eq!((run.code, run.err.as_str()), (0, "deck.md => out/deck.pdf\n"));
    let pdf = bytes(&tool, "out/deck.pdf");
    assert!(pdf.starts_with(b"%PDF-") && pdf.ends_with(b"%%EOF\n"));
    assert_eq!(count(&pdf, b"/MediaBox [0 0 960 540]"), 3 + 1, "three pages, one of them with a note");
    for (words, times) in [
        (&b"/Title (Page "[..], 3),
        (b"/Title (Three)", 1),
        (b"/Contents (say this)", 1),
        (b"/Title <FEFF0047007200F600DF0065>", 2),
        (b"/Author (A \\(b\\))", 1),
        (b"/Keywords (x; y)", 1),
        (b"/PageMode /UseOutlines", 1),
        (b"/URI (https://example.org/a)", 1),
        (b"/URI (other.html)", 1),
        (b"/Dest /3", 1),
    ] {
        assert_eq!(count(&pdf, words), times, "{}", String::from_utf8_lossy(words));
    }
    assert_eq!(tool.files(), ["deck.md", "out/deck.pdf"]);
}

#[test]
fn pictures_have_the_size_asked_for() {
    let Some(browser) = installed("pictures") else { return };
    let tool = Tool::new().with("deck.md", DECK);
    let run = print(&tool, &browser, "export deck.md --images png --image-scale 0.5 -o out/talk.png");
    assert_eq!((run.code, run.err.as_str()), (0, "deck.md => out/talk.001.png … out/talk.003.png\n"));
    let size = |path: &str| bytes(&tool, path)[16..24].to_vec();
    assert_eq!(size("out/talk.002.png"), [0, 0, 2, 128, 0, 0, 1, 104]);
    assert_ne!(bytes(&tool, "out/talk.001.png"), bytes(&tool, "out/talk.002.png"));
    let one = print(&tool, &browser, "export deck.md --image jpeg --slide 3 --jpeg-quality 40 -q");
    assert_eq!((one.code, one.err.as_str()), (0, ""));
    assert!(bytes(&tool, "deck.jpg").starts_with(b"\xff\xd8\xff"));
    let none = print(&tool, &browser, "export deck.md --image png --slide 4");
    assert_eq!((none.code, none.err.as_str()), (2, "error: there is no slide 4: the deck has 3\n"));
}

#[test]
fn powerpoint_has_a_slide_for_each_and_notes_when_asked_for() {
    let Some(browser) = installed("powerpoint") else { return };
    let tool = Tool::new().with("deck.md", DECK);
    let run = print(&tool, &browser, "export deck.md -o deck.pptx");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("warning[export/notes-left-out]"), "{}", run.err);
    let without = bytes(&tool, "deck.pptx");
    let run = print(&tool, &browser, "export deck.md --pptx --with-notes --json -o deck.pptx");
    let told: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((told["files"][0]["slides"].as_u64(), told["files"][0]["complete"].as_bool()), (Some(3), Some(true)));
    let with = bytes(&tool, "deck.pptx");
    assert_eq!(told["files"][0]["bytes"].as_u64(), Some(with.len() as u64));
    assert!(with.starts_with(b"PK\x03\x04"));
    for (name, in_without, in_with) in [
        (&b"ppt/slides/slide3.xml"[..], 2, 2),
        (b"ppt/slides/slide4.xml", 0, 0),
        (b"ppt/notesSlides/notesSlide2.xml", 0, 2),
    ] {
        assert_eq!((count(&without, name), count(&with, name)), (in_without, in_with));
    }
}

#[test]
fn a_page_gets_the_decks_own_files_and_no_others() {
    let Some(browser) = installed("files") else { return };
    let deck = "![w:40](a.png) ![](../secret.png) ![](.env.png) ![](gone.png)\n\n![](https://example.org/r.png)\n\n\
                <img src=\"file:///etc/passwd\">\n\n<script>new Image().src = 'a.png?x'; fetch('http://127.0.0.1:1/')\
                .catch(() => {}); alert(1)</script>\n";
    let tool = Tool::new()
        .with("talk/deck.md", deck)
        .with("talk/a.png", PNG)
        .with("secret.png", PNG)
        .with("talk/.env.png", PNG);
    let run = print(&tool, &browser, "export talk/deck.md --html -o deck.pdf");
    assert!(run.err.contains("[asset/outside-root]: `../secret.png`"), "{}", run.err);
    assert!(run.err.contains("[asset/hidden]"), "{}", run.err);
    assert!(run.err.contains("[asset/missing]: there is no file `gone.png`"), "{}", run.err);
    assert!(
        run.err.contains("warning[export/refused]: the slides asked for `https://example.org/r.png`"),
        "{}",
        run.err
    );
    let pdf = bytes(&tool, "deck.pdf");
    assert_eq!(count(&pdf, b"/Width 1\n/Height 1\n"), 1, "its own picture");
}

#[test]
fn the_network_is_reached_only_when_it_is_allowed() {
    use std::io::{Read as _, Write as _};

    let Some(browser) = installed("network") else { return };
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap_or(0);
            let _ = sender.send(request[..length].starts_with(b"GET /a.png "));
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", PNG.len());
            let _ = stream.write_all(&[head.as_bytes(), PNG].concat());
        }
    });
    let tool = Tool::new().with("deck.md", format!("![w:40](http://127.0.0.1:{port}/a.png)\n"));
    let refused = print(&tool, &browser, "export deck.md --pdf");
    assert!(refused.err.contains("warning[export/refused]"), "{}", refused.err);
    assert!(asked.try_recv().is_err());
    let allowed = print(&tool, &browser, "export deck.md --pdf --allow-remote");
    assert_eq!((allowed.code, allowed.err.contains("export/refused")), (0, false), "{}", allowed.err);
    assert_eq!(asked.try_recv(), Ok(true));
    assert_eq!(count(&bytes(&tool, "deck.pdf"), b"/Width 1\n/Height 1\n"), 1);
}

#[test]
fn many_decks_share_a_browser_and_one_that_fails_keeps_no_other_back() {
    let Some(browser) = installed("many") else { return };
    let tool =
        Tool::new().with("decks/a.md", "# A\n").with("decks/b.md", "# B\n\n---\n\n# C\n").with("out/b.pdf/x", "");
    let run = print(&tool, &browser, "export decks -o out --pdf");
    assert_eq!(run.code, 4, "{}", run.err);
    assert!(run.err.contains("decks/a.md => out/a.pdf\n"), "{}", run.err);
    assert!(run.err.contains("error: cannot export `decks/b.md`\n  because: cannot write `out/b.pdf`"), "{}", run.err);
    assert_eq!(tool.files(), ["decks/a.md", "decks/b.md", "out/a.pdf", "out/b.pdf/x"]);
    let line = format!("export decks/a.md --pdf -o - --browser-path {}", browser.display());
    let output = tool.command(&line).output().expect("the program starts");
    assert!(output.stdout.starts_with(b"%PDF-") && output.stdout.ends_with(b"%%EOF\n"));
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let piped = tool.pipe(&format!("export - --handout -o p.pdf --browser-path {}", browser.display()), "# P\n");
    assert_eq!((piped.code, piped.err.as_str()), (0, "<stdin> => p.pdf\n"));
    assert_eq!(count(&bytes(&tool, "p.pdf"), b"/Title (P)"), 2);
}

#[test]
fn a_long_deck_is_printed_to_its_end() {
    let Some(browser) = installed("a long deck") else { return };
    let slides: Vec<String> = (1..=1000).map(|number| format!("# Slide {number}\n\n- one\n- two\n")).collect();
    let tool = Tool::new().with("deck.md", slides.join("\n---\n\n"));
    let run = print(
        &tool,
        &browser,
        "export deck.md -o deck.pdf --pdf-outlines --pdf-outlines.headings=false --browser-timeout 300s",
    );
    assert_eq!((run.code, run.err.as_str()), (0, "deck.md => deck.pdf\n"));
    let pdf = bytes(&tool, "deck.pdf");
    assert_eq!(count(&pdf, b"/Type /Page\n"), 1000);
    assert_eq!(count(&pdf, b"/Title (Page 1000: Slide 1000)"), 1);
}

#[test]
fn a_huge_picture_is_left_out_of_a_pdf_and_that_is_said() {
    let Some(browser) = installed("a huge picture") else { return };
    let tool = Tool::new().with("deck.md", "# A\n\n![](huge.png)\n");
    let file = std::fs::File::create(tool.path("huge.png")).expect("a file");
    file.set_len(200 * 1024 * 1024).expect("a long file");
    let run = print(&tool, &browser, "export deck.md -o deck.pdf");
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("error[export/unreadable]") && run.err.contains("huge.png"), "{}", run.err);
    assert!(bytes(&tool, "deck.pdf").ends_with(b"%%EOF\n"), "the rest is there");
}

#[test]
fn doctor_tries_the_browser() {
    let Some(browser) = installed("doctor") else { return };
    let run = print(&Tool::new(), &browser, "doctor browser --json");
    let told: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((run.code, told["schema"].as_str(), told["go"].as_bool()), (0, Some("foredeck.doctor/1"), Some(true)));
    let messages: Vec<&str> =
        told["findings"].as_array().expect("a list").iter().filter_map(|f| f["message"].as_str()).collect();
    assert!(messages.iter().any(|message| message.contains("starts and prints")), "{messages:?}");
}

#[test]
fn a_missing_browser_is_told_with_where_it_was_looked_for() {
    let tool = Tool::new().with("deck.md", DECK);
    let run = tool.run("export deck.md --pdf --browser-path bin/nothing");
    assert_eq!(run.code, 4);
    let expected =
        "error: there is no browser to print with; looked for: --browser-path: `bin/nothing` is no program\n  help: ";
    assert!(run.err.starts_with(expected), "{}", run.err);
    assert_eq!(tool.files(), ["deck.md"]);
    let doctor = tool.run("doctor browser port decks --port 0 --browser-path bin/nothing");
    assert_eq!(doctor.code, 1, "{}", doctor.err);
    assert!(doctor.err.starts_with("browser  problem  there is no browser"), "{}", doctor.err);
    assert!(doctor.err.contains("\nno go: 1 problem"), "{}", doctor.err);
}

#[cfg(unix)]
mod fake {
    //! Scripts in place of browsers.

    use super::*;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    /// Notes the script's process, then does as it is told.
    fn pretending(script: &str) -> Tool {
        Tool::new().with("deck.md", DECK).with_program("browser", &format!("echo $$ > pid\n{script}"))
    }

    fn assert_gone(tool: &Tool) {
        let id = tool.read("pid").trim().parse().expect("a number");
        let id = rustix::process::Pid::from_raw(id).expect("a process");
        let since = Instant::now();
        while rustix::process::test_kill_process_group(id).is_ok() {
            assert!(since.elapsed() < Duration::from_secs(5), "what the browser started is still there");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_that_ends_at_once_is_told_with_its_words() {
        let tool = pretending("echo '[1:2:FATAL:zygote.cc(1)] No usable sandbox!' >&2; exit 1");
        let run = tool.run("export deck.md --pdf --browser-path bin/browser");
        let expected = "error: the browser `bin/browser` ended as soon as it was started; it said: No usable sandbox!\n  \
                        help: its sandbox does not work here; CHROME_NO_SANDBOX=1 starts it without\n";
        assert_eq!((run.code, run.err.as_str()), (4, expected));
        assert_eq!(tool.files(), ["bin/browser", "deck.md", "pid"]);
    }

    #[test]
    fn one_that_hangs_is_given_up_and_ended_with_what_it_started() {
        let tool = pretending("/bin/sleep 600 & /bin/sleep 600");
        let run = tool.run("export deck.md --pdf --browser-path bin/browser --browser-timeout 300ms");
        assert_eq!(run.code, 4);
        assert!(run.err.starts_with("error: the browser `bin/browser` did not become ready in 0.3 s\n"), "{}", run.err);
        assert!(run.err.contains("--browser-timeout 120s"), "{}", run.err);
        assert_gone(&tool);
    }

    #[test]
    fn one_that_cannot_be_reached_is_told() {
        let tool = pretending("echo 'DevTools listening on ws://127.0.0.1:1/x' >&2; /bin/sleep 600");
        let run = tool.run("export deck.md --pptx --browser-path bin/browser");
        assert_eq!(run.code, 4);
        assert!(run.err.starts_with("error: the browser refused a connection: "), "{}", run.err);
        assert_gone(&tool);
    }

    #[test]
    fn one_that_dies_at_work_leaves_no_half_file() {
        let Some(browser) = installed("a dying browser") else { return };
        // It goes, with all that it started, as soon as there is a file `now`.
        let script = format!(
            "{} \"$@\" &\nwhile ! /usr/bin/test -e now; do /bin/sleep 0.05; done\nkill -9 0",
            browser.display()
        );
        let tool = pretending(&script);
        let slides: Vec<String> = (1..=1500).map(|number| format!("# Slide {number}\n\n- one\n- two\n")).collect();
        std::fs::write(tool.path("deck.md"), slides.join("\n---\n\n")).expect("a deck");
        std::fs::create_dir_all(tool.path("tmp")).expect("a folder");
        let mut command = tool.command("export deck.md --images png -o out/s.png --browser-path bin/browser");
        command.env("TMPDIR", tool.path("tmp")).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().expect("the program starts");
        let since = Instant::now();
        while !tool.path("out/s.0003.png").exists() {
            assert!(since.elapsed() < Duration::from_secs(120), "pictures are made");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::write(tool.path("now"), "").expect("a file");
        let output = child.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.starts_with("error: ") && told.contains("browser"), "{told}");
        for picture in tool.files().iter().filter(|path| path.starts_with("out/")) {
            assert!(picture.ends_with(".png") && bytes(&tool, picture).ends_with(b"IEND\xaeB`\x82"), "{picture}");
        }
        assert_eq!(tool.files().iter().filter(|path| path.starts_with("tmp/")).count(), 0, "the profile is gone");
    }

    #[test]
    fn ctrl_c_ends_it_too() {
        let tool = pretending("echo here > started; /bin/sleep 600");
        let mut command = tool.command("export deck.md --pdf --browser-path bin/browser");
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let since = Instant::now();
        while !tool.path("started").exists() {
            assert!(since.elapsed() < Duration::from_secs(20), "it was started");
            std::thread::yield_now();
        }
        let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("a process");
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("the signal arrives");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        assert_gone(&tool);
    }
}
