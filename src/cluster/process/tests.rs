//! Tests of running other programs.
#![cfg(unix)]

use super::*;

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

async fn ran(script: &str, limit: Duration, stop: &CancellationToken) -> (Result<Output, Stopped>, Vec<String>) {
    let mut lines = Vec::new();
    let ended = run(shell(script), limit, stop, &mut |line| lines.push(line.to_owned())).await;
    (ended, lines)
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn both_streams_are_read_to_their_end() {
    let stop = CancellationToken::new();
    let script = "echo data; printf 'one\\rtwo\\n\\n\\033[31mred' >&2; echo ' ERROR: bad' >&2; exit 3";
    let (output, lines) = ran(script, LONG, &stop).await;
    let output = output.unwrap();
    assert_eq!(lines, ["one", "two", "[31mred ERROR: bad"]);
    assert_eq!((output.out.as_str(), output.status.code()), ("data\n", Some(3)));
    let (output, _) = ran("echo first >&2; echo 'ERROR: what' >&2; echo last >&2; exit 1", LONG, &stop).await;
    assert_eq!(output.unwrap().last_words(), "what");
    let (output, _) = ran("exit 7", LONG, &stop).await;
    assert_eq!(output.unwrap().last_words(), "exit status: 7");
    let (output, lines) = ran("yes | head -c 300000 | tr -d '\\n' >&2; seq 1 200 >&2", LONG, &stop).await;
    assert_eq!((lines[0].len(), lines.len()), (LONGEST_LINE, 200));
    assert_eq!(output.unwrap().err.len(), LAST_LINES);
}

#[tokio::test]
async fn what_a_program_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    // The child of the child would hold the pipe open, and write, for a long time.
    let script = format!("(sleep 50; echo > {0}) & sleep 50", alive.display());
    let stop = CancellationToken::new();
    let (ended, _) = ran(&script, Duration::from_millis(50), &stop).await;
    assert!(matches!(ended, Err(Stopped::Timeout)));
    stop.cancel();
    let (ended, _) = ran(&script, LONG, &stop).await;
    assert!(matches!(ended, Err(Stopped::Cancelled)));
}

#[test]
fn only_programs_in_absolute_folders_are_found() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, mode| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    file("a/kind", 0o644);
    std::fs::create_dir_all(folder.path().join("b/kind")).unwrap();
    let first = file("c/kind", 0o755);
    let second = file("d/kind", 0o755);
    let folders = ["a", "b", "c", "d"].map(|name| folder.path().join(name));
    let path = std::env::join_paths(std::iter::once(PathBuf::from(".")).chain(folders)).unwrap();
    assert_eq!(find("kind", Some(&path), &[]), Some(first.clone()));
    assert_eq!(find("kind", Some(&path), &[first]), Some(second));
    assert_eq!(find("nothing", Some(&path), &[]), None);
    assert_eq!(find("kind", None, &[]), None);
}
