//! Which shell a terminal runs, and how it is made to mark its prompts.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::filter::MARK;

/// How a shell is taught to mark its prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GNU bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// A POSIX shell: dash, ash, ksh.
    Posix,
    /// One that cannot be taught.
    Other,
}

/// What is started in a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables for the prompt's marks.
    pub variables: Vec<(String, OsString)>,
    /// How it marks its prompts.
    pub kind: Kind,
}

/// The kind of a shell by its file's name.
pub fn kind_of(program: &Path) -> Kind {
    match program.file_name().and_then(OsStr::to_str).unwrap_or_default() {
        "bash" => Kind::Bash,
        "zsh" => Kind::Zsh,
        "sh" | "dash" | "ash" | "ksh" | "mksh" => Kind::Posix,
        _ => Kind::Other,
    }
}

/// The start of a shell. Its files are written below `folder`, for this user alone.
///
/// # Errors
/// When they cannot be written.
pub fn launch(shell: Option<&OsStr>, folder: &Path, token: &str) -> io::Result<Launch> {
    let asked = shell.map(PathBuf::from).filter(|shell| shell.is_absolute() && shell.is_file());
    // A shell that cannot mark its prompts is of no use for steps; every system has `sh`.
    let program = asked.filter(|shell| kind_of(shell) != Kind::Other).unwrap_or_else(default_shell);
    let kind = kind_of(&program);
    let mut launch = Launch { program, arguments: Vec::new(), variables: Vec::new(), kind };
    let (name, text) = match kind {
        Kind::Bash => ("bashrc", bash(token)),
        Kind::Zsh => (".zshrc", zsh(token)),
        Kind::Posix => ("shrc", posix(token)),
        Kind::Other => return Ok(launch),
    };
    make_folder(folder)?;
    let file = folder.join(name);
    std::fs::write(&file, text)?;
    match kind {
        Kind::Bash => launch.arguments = vec!["--rcfile".into(), file.into_os_string(), "-i".into()],
        Kind::Zsh => {
            launch.arguments = vec!["-i".into()];
            launch.variables = vec![("ZDOTDIR".to_owned(), folder.as_os_str().to_owned())];
        }
        _ => {
            launch.arguments = vec!["-i".into()];
            launch.variables = vec![("ENV".to_owned(), file.into_os_string())];
        }
    }
    Ok(launch)
}

fn default_shell() -> PathBuf {
    if cfg!(windows) { PathBuf::from("cmd.exe") } else { PathBuf::from("/bin/sh") }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The user's own settings, then our mark at the end of the prompt, where the shell already listens for keys; what is
/// typed on stage does not mix with the user's history. Their command may end in `;`: ours stand on lines of their own.
fn bash(token: &str) -> String {
    format!(
        "[ -f ~/.bashrc ] && . ~/.bashrc\n\
         unset HISTFILE\n\
         [ -z \"${{FOREDECK_PROMPT:-}}\" ] || PS1=$FOREDECK_PROMPT\n\
         __foredeck_prompt() {{ case $PS1 in *{token}*) ;; *) PS1=\"$PS1\"'\\[\\033]{MARK};{token};p;${{__foredeck_code}}\\007\\]' ;; esac; }}\n\
         PROMPT_COMMAND=\"__foredeck_code=\\$?\n${{PROMPT_COMMAND:-}}\n__foredeck_prompt\"\n\
         PS2='> \\[\\033]{MARK};{token};m\\007\\]'\n"
    )
}

fn zsh(token: &str) -> String {
    format!(
        "ZDOTDIR=$HOME\n\
         [ -f ~/.zshrc ] && . ~/.zshrc\n\
         unset HISTFILE\n\
         [ -z \"${{FOREDECK_PROMPT:-}}\" ] || PS1=$FOREDECK_PROMPT\n\
         __foredeck_prompt() {{ case $PS1 in *{token}*) ;; *) PS1=\"$PS1\"$'%{{\\033]{MARK};{token};p;%?\\007%}}' ;; esac; }}\n\
         precmd_functions+=(__foredeck_prompt)\n\
         PS2=$'> %{{\\033]{MARK};{token};m\\007%}}'\n\
         setopt interactive_comments\n"
    )
}

fn posix(token: &str) -> String {
    format!(
        "PS1='$(printf \"\\033]{MARK};{token};p;%s\\007\" \"$?\")$ '\n\
         PS2=\"$(printf '\\033]{MARK};{token};m\\007')> \"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_are_known_by_their_names() {
        for (path, kind) in [
            ("/bin/bash", Kind::Bash),
            ("/usr/local/bin/zsh", Kind::Zsh),
            ("/bin/sh", Kind::Posix),
            ("/usr/bin/fish", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(kind_of(Path::new(path)), kind, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn strange_shells_are_replaced_by_sh() {
        let folder = tempfile::tempdir().expect("a folder");
        for shell in [None, Some("/usr/bin/fish"), Some("sh"), Some("/nonexistent/bash")] {
            let launch = launch(shell.map(OsStr::new), folder.path(), "tok").expect("written");
            assert_eq!((launch.program.as_path(), launch.kind), (Path::new("/bin/sh"), Kind::Posix), "{shell:?}");
            let text = std::fs::read_to_string(folder.path().join("shrc")).expect("read");
            assert!(text.contains("7337;tok;p;"), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_prompt_command_that_ends_in_a_semicolon_is_kept() {
        let shell = Path::new("/bin/bash");
        if !shell.is_file() {
            eprintln!("skipped: there is no bash");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rc");
        std::fs::write(&file, bash("tok")).expect("written");
        let script = ". \"$0\"; eval \"$PROMPT_COMMAND\"; printf %s \"$THEIRS $PS1\"";
        let mut command = std::process::Command::new(shell);
        command.args(["--norc", "-c", script]).arg(&file).env("HOME", folder.path());
        let output = command.env("PROMPT_COMMAND", "THEIRS=kept;").output().expect("bash starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&output.stderr), "");
        assert!(text(&output.stdout).starts_with("kept ") && text(&output.stdout).contains("7337;tok;p;"));
    }
}
