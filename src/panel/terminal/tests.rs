//! Real shells on real terminals.

use std::ffi::OsStr;
use std::time::Duration;

use tokio::time::Instant;

use super::*;

const PATIENCE: Duration = Duration::from_secs(15);

struct Bench {
    folder: tempfile::TempDir,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    fn terminal(&self, shell: &str) -> Arc<Terminal> {
        let variables = [("HOME".to_owned(), self.folder.path().as_os_str().to_owned())];
        let place = Place {
            guest: None,
            folder: self.folder.path(),
            settings: &self.folder.path().join("settings"),
            variables: &variables,
            shell: Some(OsStr::new(shell)),
        };
        let secrets = Secrets::with(["the-token-of-this-run"]);
        Terminal::start("t", place, &secrets, &self.tasks, self.stop.child_token()).expect("it starts")
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("nothing is left");
    }
}

async fn run(terminal: &Terminal, script: &str, limit: Duration) -> Ended {
    terminal.run(script, false, Instant::now() + limit, &CancellationToken::new()).await
}

fn text(terminal: &Terminal) -> String {
    String::from_utf8_lossy(&terminal.read(0, usize::MAX).bytes).into_owned()
}

async fn shows(terminal: &Terminal, what: &str) {
    let mut end = terminal.end_of_output();
    let shown = end.wait_for(|_| text(terminal).contains(what));
    assert!(tokio::time::timeout(PATIENCE, shown).await.is_ok(), "{what:?} in {:?}", text(terminal));
}

fn shells() -> impl Iterator<Item = &'static str> {
    ["/bin/sh", "/bin/bash", "/bin/zsh"].into_iter().filter(|shell| Path::new(shell).is_file())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_typed_command_is_noticed_in_every_shell() {
    for shell in shells() {
        let bench = Bench::new();
        let terminal = bench.terminal(shell);
        for (script, expected) in [
            ("echo one-$((1+1))", Ended::Code(0)),
            ("false", Ended::Code(1)),
            ("(exit 7)", Ended::Code(7)),
            ("no-such-command-at-all", Ended::Code(127)),
            ("if true; then\n  echo in-a-$((2*21))\n\nfi\n", Ended::Code(0)),
            ("cat <<EOF\nfirst\n\nlast\nEOF\n", Ended::Code(0)),
            ("true\n\nfalse\n", Ended::Code(1)),
            ("printf '\\033]7337;forged;p;0\\007'; sleep 0.1; (exit 3)", Ended::Code(3)),
        ] {
            assert_eq!(run(&terminal, script, PATIENCE).await, expected, "{shell}: {script}\n{}", text(&terminal));
        }
        shows(&terminal, "one-2").await;
        shows(&terminal, "in-a-42").await;
        let open = run(&terminal, "echo 'never closed", PATIENCE).await;
        assert!(matches!(&open, Ended::Not(why) if why.contains("a quote or a block is open")), "{shell}: {open:?}");
        assert_eq!(run(&terminal, "true", PATIENCE).await, Ended::Code(0), "{shell}: {}", text(&terminal));
        assert!(!text(&terminal).contains("\u{1b}]7337"), "marks are not shown");
        bench.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_is_interrupted_and_the_terminal_goes_on() {
    let bench = Bench::new();
    let terminal = bench.terminal("/bin/sh");
    assert_eq!(run(&terminal, "sleep 300", Duration::from_millis(500)).await, Ended::TimedOut);
    assert_eq!(run(&terminal, "echo still-$((1+1))", PATIENCE).await, Ended::Code(0), "{}", text(&terminal));
    shows(&terminal, "still-2").await;
    terminal.input(b"exit\r".to_vec());
    let mut over = terminal.over();
    tokio::time::timeout(PATIENCE, over.wait_for(Option::is_some)).await.expect("in time").expect("it is over");
    assert!(matches!(run(&terminal, "true", PATIENCE).await, Ended::Not(_)));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_and_hostile_sequences_do_not_get_out() {
    let bench = Bench::new();
    let terminal = bench.terminal("/bin/sh");
    let script = "printf 'a the-token-''of-this-run b\\033]52;c;c3RlYWw=\\007\\033[6n\\377\\000c\\n'";
    assert_eq!(run(&terminal, script, PATIENCE).await, Ended::Code(0));
    shows(&terminal, "a the-***************** b").await;
    let bytes = terminal.read(0, usize::MAX).bytes;
    assert!(!bytes.windows(4).any(|part| part == b"\x1b]52" || part == b"\x1b[6n"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_bounded_and_can_be_stopped() {
    let bench = Bench::new();
    let terminal = bench.terminal("/bin/sh");
    let stop = CancellationToken::new();
    let mut end = terminal.end_of_output();
    let flooded = end.wait_for(|end| *end > 600_000);
    let flood = terminal.run("yes flood", false, Instant::now() + PATIENCE, &stop);
    let (ended, _) = tokio::join!(flood, async {
        tokio::time::timeout(PATIENCE, flooded).await.expect("it floods").expect("it runs");
        stop.cancel();
    });
    assert_eq!(ended, Ended::Stopped);
    let kept = terminal.read(0, usize::MAX);
    assert!(kept.anew && kept.bytes.len() <= 330_000, "{}", kept.bytes.len());
    assert_eq!(run(&terminal, "echo over", PATIENCE).await, Ended::Code(0));
    bench.end().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_was_started_ends_with_the_terminal() {
    let bench = Bench::new();
    let terminal = bench.terminal("/bin/sh");
    let script = "nohup sleep 4321 >/dev/null 2>&1 &\necho pid-$!\n";
    assert_eq!(run(&terminal, script, PATIENCE).await, Ended::Code(0));
    shows(&terminal, "pid-").await;
    let shown = text(&terminal);
    let digits = shown.split("pid-").filter_map(|part| part.split(['\r', '\n']).next()?.parse::<u32>().ok()).next();
    let proc = format!("/proc/{}/stat", digits.expect("the number of the process"));
    let alive = || std::fs::read_to_string(&proc).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(alive());
    bench.end().await;
    let deadline = Instant::now() + PATIENCE;
    while alive() {
        assert!(Instant::now() < deadline, "it outlived its terminal");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_size_is_sane_and_told() {
    let bench = Bench::new();
    let terminal = bench.terminal("/bin/sh");
    terminal.resize(Size { columns: 9999, rows: 0 });
    assert_eq!(*terminal.size().borrow(), Size { columns: 300, rows: 4 });
    terminal.resize(Size { columns: 100, rows: 30 });
    assert_eq!(run(&terminal, "stty size", PATIENCE).await, Ended::Code(0));
    shows(&terminal, "30 100").await;
    bench.end().await;
}
