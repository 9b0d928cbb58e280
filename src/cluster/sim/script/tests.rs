//! Scripts, what they print, when, and how they end.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn setting() -> Setting<'static> {
    Setting {
        variables: BTreeMap::from([("NAME".to_owned(), "world".to_owned())]),
        hostname: "box".to_owned(),
        began: "2026-03-01T10:00:00Z".parse().unwrap_or_default(),
        ..Setting::default()
    }
}

fn until(seconds: u64) -> Limits {
    Limits { until: Duration::from_secs(seconds), ..Limits::default() }
}

/// Standard output and the exit code.
fn play(script: &str) -> (String, Option<i32>) {
    let outcome = run(script, &setting(), until(1000));
    (outcome.text(Stream::Out), outcome.end.map(|(_, code)| code))
}

#[test]
fn scripts_print_and_end() {
    let cases = [
        ("echo hello", "hello\n", 0),
        ("echo dying; exit 1", "dying\n", 1),
        ("echo a && false && echo b || echo c", "a\nc\n", 0),
        ("false", "", 1),
        ("! false", "", 0),
        ("exit 300", "", 44),
        ("false; exit", "", 1),
        ("echo 'a  b' \"c  $NAME\" d\\ e  f", "a  b c  world d e f\n", 0),
        ("echo -n a; echo -e 'b\\tc'", "ab\tc\n", 0),
        ("printf '%s-%03d\\n' a 7 b 8", "a-007\nb-008\n", 0),
        ("printf '%5s|%-5s|%%\\n' x y", "    x|y    |%\n", 0),
        ("for i in 1 2 3; do echo $i; done", "1\n2\n3\n", 0),
        ("for i in {3..1} x; do echo -n $i; done", "321x", 0),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done", "1\n2\n3\n", 0),
        ("until [ -n \"$x\" ]; do x=1; done; echo $x", "1\n", 0),
        ("if [ $NAME = world ]; then echo yes; elif true; then echo no; else echo never; fi", "yes\n", 0),
        ("if false; then echo a; elif test 2 -gt 1; then echo b; fi", "b\n", 0),
        ("case $NAME in a|w*) echo match;; *) echo other;; esac", "match\n", 0),
        ("f() { echo f $1 $#; return 3; }; f x y; echo $?", "f x 2\n3\n", 0),
        ("(cd /tmp; x=1; pwd); pwd; echo \"[$x]\"", "/tmp\n/\n[]\n", 0),
        ("{ echo a; echo b; } | grep b", "b\n", 0),
        ("echo one two | wc -w", "2\n", 0),
        ("echo $(echo a; echo b)`echo c`", "a bc\n", 0),
        ("echo \"$(echo a; echo b)\"", "a\nb\n", 0),
        (
            "echo ${NONE:-default} ${#NAME} ${NAME%ld} ${NAME#w} ${NONE+x} ${x:=set} $x",
            "default 5 wor orld set set\n",
            0,
        ),
        ("cat <<EOF\nhello $NAME\n  two\nEOF\necho end", "hello world\n  two\nend\n", 0),
        ("cat <<'EOF' | grep hello\nhello $NAME\nEOF", "hello $NAME\n", 0),
        ("cat <<-EOF\n\tx\n\tEOF\n", "x\n", 0),
        ("echo hi > /tmp/a; echo ho >> /tmp/a; cat /tmp/a; ls /tmp", "hi\nho\na\n", 0),
        ("touch /tmp/healthy; [ -f /tmp/healthy ] && echo there; rm /tmp/healthy; cat /tmp/healthy", "there\n", 1),
        ("hostname; whoami", "box\nroot\n", 0),
        ("date; date +%s; date -u +%Y-%m-%d", "Sun Mar  1 10:00:00 UTC 2026\n1772359200\n2026-03-01\n", 0),
        ("echo $((2 + 3 * (4 - 1))) $((7 / 2)) $((1 / 0)) $((3 > 2 && 1))", "11 3 0 1\n", 0),
        ("seq 3 | sort -r | head -n 2", "3\n2\n", 0),
        ("echo a:b:c | cut -d: -f2,3; echo abc | tr a-c A-C", "b:c\nABC\n", 0),
        ("printf 'a 1\\nb 2\\n' | while read name count; do echo $count=$name; done", "1=a\n2=b\n", 0),
        ("set -e; echo a; false; echo b", "a\n", 1),
        ("set -e; if false; then :; fi; false || true; echo b", "b\n", 0),
        ("sh -c 'echo $0 $1; exit 4' me you; echo $?", "me you\n4\n", 0),
        ("for i in 1 2; do for j in 1 2; do [ $j = 2 ] && continue 2; echo $i$j; done; done", "11\n21\n", 0),
        ("while true; do break; done; echo out", "out\n", 0),
        ("echo quiet >/dev/null 2>&1; echo err >&2; echo out", "out\n", 0),
        ("x=1 y=2 env | grep -c '^[xy]'; A=5 sh -c 'echo $A'; echo \"[$A]\"", "0\n5\n[]\n", 0),
        ("trap 'echo x' TERM; mkdir -p /data; echo ok # a comment", "ok\n", 0),
        ("echo a \\\n  b", "a b\n", 0),
        ("eval 'echo $NAME'", "world\n", 0),
        ("exec echo gone; echo never", "gone\n", 0),
        ("tool-that-nobody-knows --flag; echo after", "after\n", 0),
        ("shift; f() { shift; echo $*; }; f a b c", "b c\n", 0),
        ("", "", 0),
    ];
    for (script, output, code) in cases {
        assert_eq!(play(script), (output.to_owned(), Some(code)), "{script}");
    }
}

#[test]
fn mistakes_are_told() {
    for script in
        ["if true; then echo", "echo 'open", "while", ")", "done", "echo $(", "a | | b", "for 1 in a; do :; done"]
    {
        let outcome = run(script, &setting(), Limits::default());
        assert_eq!(outcome.end.map(|(_, code)| code), Some(2), "{script}");
        assert!(outcome.text(Stream::Err).starts_with("sh: "), "{script}: {outcome:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |open: &str, inside: &str, close: &str| format!("{}{inside}{}", open.repeat(5000), close.repeat(5000));
    for script in [
        deep("(", "echo", ")"),
        deep("echo $(", "echo", ")"),
        deep("if ", "true", "; then :; fi"),
        format!("echo {}", deep("$((", "1", "))")),
        format!("echo {}", deep("${a:-", "b", "}")),
        format!("echo $(({}))", deep("(", "1", ")")),
        format!("test {} a", "! ".repeat(5000)),
        format!("true {}", "&& true ".repeat(5000)),
        ("x='eval \"$x\"'; eval \"$x\"").to_owned(),
        "f() { f; }; f".to_owned(),
    ] {
        run(&script, &setting(), Limits::default());
    }
}

#[test]
fn time_passes_in_sleep() {
    let outcome = run("echo one; sleep 1.5; echo two; sleep 2; exit 3", &setting(), Limits::default());
    let lines: Vec<_> = outcome.lines.iter().map(|line| (line.at, line.text.as_str())).collect();
    assert_eq!(lines, [(seconds(0.0), "one"), (seconds(1.5), "two")]);
    assert_eq!(outcome.end, Some((seconds(3.5), 3)));

    let outcome = run("echo one; sleep 1.5; echo two; sleep 2; exit 3", &setting(), until(1));
    assert_eq!((outcome.end, outcome.next), (None, Some(seconds(1.5))));
    assert_eq!(outcome.text(Stream::Out), "one\n");
}

#[test]
fn loops_go_on_without_being_played_round_by_round() {
    let script = "echo start; while true; do echo tick $(date +%H:%M:%S); sleep 1; done";
    let outcome =
        run(script, &setting(), Limits { until: seconds(86_400.5), lines: 3, steps: 1000, ..Limits::default() });
    let lines: Vec<_> = outcome.lines.iter().map(|line| (line.at.as_secs(), line.text.as_str())).collect();
    assert_eq!(lines, [(86_398, "tick 09:59:58"), (86_399, "tick 09:59:59"), (86_400, "tick 10:00:00")]);
    assert_eq!((outcome.end, outcome.next), (None, Some(seconds(86_401.0))));

    for script in
        [script, "while :; do :; done", "while true; do sleep 30; done", "sleep infinity", "tail -f /dev/null"]
    {
        let outcome = run(script, &setting(), Limits { lines: 10, ..Limits::default() });
        assert_eq!(outcome.end, None, "{script}");
    }
}

#[test]
fn whether_a_script_ends_is_seen_at_once() {
    // What matters is that nothing which ends is taken for endless.
    let limits = Limits { steps: 50, end_only: true, ..Limits::default() };
    for (script, ends) in [
        ("i=0; while true; do i=$((i+1)); echo $i $(date); sleep 1; done", false),
        ("while :; do if [ -f /x ]; then echo y; fi; sleep 1; done; exit 3", false),
        ("while true; do i=$((i+1)); [ $i = 3 ] && break; done; exit 3", true),
        ("while true; do i=$((i+1)); [ $i = 3 ] && exit 3; done", true),
        ("set -e; while true; do [ 1 = 2 ]; done", true),
        ("f() { exit 3; }; while true; do f; done", true),
        ("(while true; do sleep 1; done) & sleep 2; exit 3", true),
    ] {
        assert_eq!(run(script, &setting(), limits).end.is_some(), ends, "{script}");
    }
}

#[test]
fn a_loop_that_counts_is_played() {
    let outcome = run("n=0; while true; do n=$((n+1)); echo $n; sleep 60; done", &setting(), until(3600));
    assert_eq!(outcome.lines.back().map(|line| (line.at, line.text.clone())), Some((seconds(3600.0), "61".to_owned())));
}

#[test]
fn loops_within_loops_are_left_out_as_well() {
    let script = "while true; do for i in 1 2 3; do echo $i; sleep 1; done; done";
    let outcome =
        run(script, &setting(), Limits { until: seconds(3_000_000.0), lines: 4, steps: 1000, ..Limits::default() });
    let lines: Vec<_> = outcome.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["1", "2", "3", "1"]);
}

#[test]
fn background_commands_run_beside() {
    let script = "(sleep 1; echo background) & echo main; sleep 2; echo later";
    let outcome = run(script, &setting(), Limits::default());
    assert_eq!(outcome.text(Stream::Out), "main\nbackground\nlater\n");
    assert_eq!(outcome.end, Some((seconds(2.0), 0)));
    assert_eq!(run("sleep 3 & wait; echo x", &setting(), Limits::default()).end, Some((seconds(3.0), 0)));
    let outcome = run("while true; do echo b; sleep 1; done & sleep 2.5; exit 5", &setting(), Limits::default());
    assert_eq!(outcome.end, Some((seconds(2.5), 5)));
    assert_eq!(outcome.text(Stream::Out), "");
}

#[test]
fn files_last_as_long_as_the_script_leaves_them() {
    let script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600";
    let at = |seconds| run(script, &setting(), until(seconds)).files.contains_key("/tmp/healthy");
    assert_eq!((at(0), at(29), at(30), at(100)), (true, true, false, false));
}

#[test]
fn words_are_recognised_as_scripts() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (text, script) in [
        ("sh -c echo", Some("echo")),
        ("/bin/bash -ec x y", Some("x")),
        ("bash -x -c a", Some("a")),
        ("sh script.sh -c x", None),
        ("nginx -c x", None),
        ("sh -c", None),
    ] {
        assert_eq!(script_of(&words(text)).map(|(script, _)| script), script, "{text}");
    }
}

#[test]
fn strict_shells_know_what_is_not_there() {
    let outcome = run("frobnicate; echo $?", &Setting { strict: true, ..setting() }, Limits::default());
    assert_eq!(outcome.text(Stream::Out), "127\n");
    assert_eq!(outcome.text(Stream::Err), "sh: frobnicate: not found\n");
}

#[test]
fn requests_are_answered() {
    let web = |method: &str, url: &str| match url {
        "http://web/" => Some((200, format!("{method} fine\n"), Duration::ZERO)),
        "http://web/bad" => Some((500, "broken\n".to_owned(), Duration::ZERO)),
        _ => None,
    };
    let setting = Setting { web: Some(&web), ..setting() };
    let play = |script: &str| {
        let outcome = run(script, &setting, Limits::default());
        (outcome.text(Stream::Out), outcome.end.map(|(_, code)| code))
    };
    assert_eq!(play("curl -s -X POST http://web/"), ("POST fine\n".to_owned(), Some(0)));
    assert_eq!(play("wget -qO- http://web/"), ("GET fine\n".to_owned(), Some(0)));
    assert_eq!(play("curl -sf http://web/bad"), (String::new(), Some(22)));
    assert_eq!(play("curl -s -o /dev/null -w '%{http_code}' http://web/bad"), ("500".to_owned(), Some(0)));
    assert_eq!(play("curl http://nowhere/"), (String::new(), Some(6)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(script in "[a-z $(){}\\[\\]<>|&;!'\"`\\\\#=+*/%:?.0-9\n-]{0,80}") {
        run(&script, &setting(), Limits { until: seconds(60.0), lines: 100, steps: 2000, ..Limits::default() });
    }

    #[test]
    fn no_script_runs_away(parts in prop::collection::vec(prop::sample::select(vec![
        "while true; do ", "until false; do ", "for i in 1 2 3; do ", "done; ", "if true; then ", "fi; ", "echo $x; ",
        "x=$x$x$i; ", "sleep 1; ", "sleep 0; ", "f() { ", "}; ", "f; ", "$(", ") ", "(", "echo a | ", "cat; ", "break; ",
        "continue 2; ", "x=$((x+1)); ", "touch /tmp/$x; ", "& ", "wait; ", "eval \"$x\"; ", "x='f; f; '; ", "${x%*a*}", "exit; ",
    ]), 0..25)) {
        let script = parts.concat();
        let outcome = run(&script, &setting(), Limits { lines: 100, steps: 20_000, ..Limits::default() });
        prop_assert!(outcome.lines.len() <= 100);
    }

    #[test]
    fn stopping_early_shows_the_beginning(stop in 0u64..20) {
        let script = "echo a; sleep 2; echo b; for i in 1 2 3 4 5; do echo $i; sleep 1; done; (sleep 3; echo bg) & sleep 4; echo end";
        let whole = run(script, &setting(), Limits::default());
        let part = run(script, &setting(), until(stop));
        let expected: Vec<_> = whole.lines.iter().filter(|line| line.at <= Duration::from_secs(stop)).collect();
        prop_assert_eq!(part.lines.iter().collect::<Vec<_>>(), expected);
    }
}
