//! The program in a folder of its own: files in, a run, standard output, standard error and exit code out.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder, and the program to run in it.
pub(crate) struct Tool {
    folder: tempfile::TempDir,
}

/// What a run gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Tool {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// With a file in the folder.
    pub(crate) fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).expect("the file was written")
    }

    /// The names of all files below the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.folder.path(), self.folder.path(), &mut found);
        found.sort();
        found
    }

    /// The program with a command line, not started yet.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_foredeck"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path().join("home")).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, line: &str) -> Run {
        finished(self.command(line))
    }

    /// Runs a command line with variables.
    pub(crate) fn run_in(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = self.command(line);
        command.envs(variables.iter().copied());
        finished(command)
    }

    /// With a program of the folder `bin`, a shell script.
    #[cfg(unix)]
    pub(crate) fn with_program(self, name: &str, script: &str) -> Self {
        let path = format!("bin/{name}");
        let tool = self.with(&path, format!("#!/bin/sh\n{script}\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(tool.path(&path), mode).expect("the script may run");
        tool
    }

    /// Runs a command line with a text on standard input.
    pub(crate) fn pipe(&self, line: &str, input: &str) -> Run {
        let path = self.path(".stdin");
        std::fs::write(&path, input).expect("a file");
        let mut command = self.command(line);
        command.stdin(std::fs::File::open(&path).expect("a file"));
        let run = finished(command);
        std::fs::remove_file(path).expect("the file is there");
        run
    }
}

fn finished(mut command: Command) -> Run {
    let output = command.output().expect("the program starts");
    Run {
        code: output.status.code().expect("the program ends by itself"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

fn collect(folder: &Path, root: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, root, found);
        } else {
            found.push(path.strip_prefix(root).expect("below").display().to_string());
        }
    }
}
