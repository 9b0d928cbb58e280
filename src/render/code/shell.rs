//! Shell scripts, terminal sessions and Dockerfiles.

use super::lexer::{Lexer, MAX_DEPTH, Words, is_word};

static WORDS: Words = Words::new(&[
    ("keyword", "if then else elif fi time for while until in do done case esac coproc function select"),
    ("literal", "true false"),
    (
        "built_in",
        "break cd continue eval exec exit export getopts hash pwd readonly return shift test times trap umask unset",
    ),
    (
        "built_in",
        "alias bind builtin caller command declare echo enable help let local logout mapfile printf read readarray source sudo type typeset ulimit unalias",
    ),
    (
        "built_in",
        "set shopt autoload bg bindkey bye cap chdir clone comparguments compcall compctl compdescribe compfiles compgroups compquote comptags comptry compvalues dirs disable disown echotc echoti emulate fc fg float functions getcap getln history integer jobs kill limit log noglob popd print pushd pushln rehash sched setcap setopt stat suspend ttyctl unfunction unhash unlimit unsetopt vared wait whence where which zcompile zformat zftp zle zmodload zparseopts zprof zpty zregexparse zsocket zstyle ztcp",
    ),
    (
        "built_in",
        "chcon chgrp chown chmod cp dd df dir dircolors ln ls mkdir mkfifo mknod mktemp mv realpath rm rmdir shred sync touch truncate vdir",
    ),
    (
        "built_in",
        "b2sum base32 base64 cat cksum comm csplit cut expand fmt fold head join md5sum nl numfmt od paste ptx pr sha1sum sha224sum sha256sum sha384sum sha512sum shuf sort split sum tac tail tr tsort unexpand uniq wc",
    ),
    (
        "built_in",
        "arch basename chroot date dirname du env expr factor groups hostid id link logname nice nohup nproc pathchk pinky printenv readlink runcon seq sleep stdbuf stty tee timeout tty uname unlink uptime users who whoami yes",
    ),
]);

/// Classifies a script.
pub(super) fn lex(lx: &mut Lexer) {
    if lx.pos() == 0 && lx.starts("#!") {
        lx.line("meta");
    }
    script(lx, 0);
}

/// Commands up to the `close` byte of a substitution, or all.
fn script(lx: &mut Lexer, close: u8) {
    let mut parentheses = 0_usize;
    while !lx.done() {
        match lx.peek() {
            byte if byte == close && close != 0 && parentheses == 0 => return,
            b'#' if lx.before().is_ascii_whitespace() || lx.before() == b';' => {
                let end = lx.line_end();
                lx.comment(end, false);
            }
            b'\\' => lx.skip_by(2),
            b'"' => double_quoted(lx),
            b'\'' => lx.through("string", 1, "'"),
            b'$' if lx.at(1) == b'\'' => lx.string("string", 2, b'\'', true),
            b'$' => variable(lx),
            b'`' if close != b'`' => lx.skip(),
            b'<' if lx.starts("<<") && !lx.starts("<<<") => heredoc(lx),
            b'(' => {
                parentheses += 1;
                lx.skip();
            }
            b')' => {
                parentheses = parentheses.saturating_sub(1);
                lx.skip();
            }
            b'/' if is_path(lx) => {
                let len = path_len(lx);
                lx.skip_by(len);
            }
            byte if is_word(byte) => word(lx),
            _ => lx.skip(),
        }
    }
}

/// A path of directories is no command.
fn is_path(lx: &Lexer) -> bool {
    !is_word(lx.before()) && is_word(lx.at(1))
}

fn path_len(lx: &Lexer) -> usize {
    lx.rest().bytes().take_while(|b| is_word(*b) || b"/._-".contains(b)).count().max(1)
}

/// A command, a keyword, or the name of a function that is defined here.
fn word(lx: &mut Lexer) {
    if lx.plain == "subst" {
        return lx.skip_by(lx.word().len().max(1));
    }
    let rest = lx.rest();
    let len = rest.bytes().take_while(|b| is_word(*b) || b"._-".contains(b)).count();
    let word = &rest[..len];
    if rest[len..].trim_start_matches(' ').starts_with("()")
        && lx.first_in_line()
        && rest[len..].trim_start_matches(' ')[2..].trim_start().starts_with('{')
    {
        return lx.take("title", len);
    }
    match WORDS.get(word) {
        Some(class) => lx.take(class, len),
        None => lx.skip_by(len),
    }
}

/// A string in which variables and commands are replaced.
fn double_quoted(lx: &mut Lexer) {
    lx.take("string", 1);
    while !lx.done() {
        match lx.peek() {
            b'"' => return lx.take("string", 1),
            b'\\' => lx.take("string", 2),
            b'$' => {
                let outer = std::mem::replace(&mut lx.plain, "string");
                variable(lx);
                lx.plain = outer;
            }
            _ => lx.take("string", 1),
        }
    }
}

/// `$name`, `${name…}`, `$(command)`.
fn variable(lx: &mut Lexer) {
    match lx.at(1) {
        b'{' => lx.through("variable", 2, "}"),
        b'(' if lx.at(2) == b'(' => {
            lx.skip_by(3);
            arithmetic(lx);
        }
        b'(' if lx.depth < MAX_DEPTH => substitution(lx),
        b'0'..=b'9' | b'#' | b'@' => lx.take("variable", 2),
        byte if is_word(byte) => {
            let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b)).count();
            lx.take("variable", 1 + len);
        }
        _ => lx.skip(),
    }
}

fn substitution(lx: &mut Lexer) {
    let outer = lx.plain;
    if outer == "string" {
        lx.plain = "subst";
    }
    lx.skip_by(2);
    lx.depth += 1;
    script(lx, b')');
    lx.depth -= 1;
    lx.skip();
    lx.plain = outer;
}

fn arithmetic(lx: &mut Lexer) {
    while !lx.done() && !lx.starts("))") && lx.peek() != b'\n' {
        match lx.number_len() {
            _ if lx.peek() == b'$' && lx.at(1) != b'(' => variable(lx),
            0 => lx.skip(),
            len => lx.take("number", len),
        }
    }
    lx.skip_by(2);
}

/// `<<EOF … EOF`, drawn as one string; with a quoted mark only the mark is one.
fn heredoc(lx: &mut Lexer) {
    let rest = lx.rest();
    let dash = 2 + usize::from(lx.at(2) == b'-');
    let start = dash + rest[dash..].bytes().take_while(|b| *b == b' ').count();
    let len = rest[start..].bytes().take_while(|b| is_word(*b)).count();
    lx.skip_by(start);
    if len == 0 {
        return;
    }
    let tag = &rest[start..start + len];
    let close = rest[start..].split_inclusive('\n').skip(1).scan(0, |at, line| {
        *at += line.len();
        Some((*at, line))
    });
    let first = rest[start..].find('\n').map_or(0, |at| at + 1);
    let end = close
        .into_iter()
        .find(|(_, line)| line.trim() == tag)
        .map(|(at, line)| first + at - line.len() + line.trim_end().len());
    let end = end.map_or(lx.code().len(), |end| lx.pos() + end);
    lx.take_to("string", end);
}

/// A terminal session: lines with a prompt are commands, the others what they answered.
pub(super) fn session(lx: &mut Lexer) {
    while !lx.done() {
        let line = &lx.code()[lx.pos()..lx.line_end()];
        if let Some(prompt) = prompt_len(line) {
            lx.take("meta prompt_", prompt);
            let mut end = lx.line_end();
            while lx.code()[..end].ends_with('\\') && end < lx.code().len() {
                end = lx.code()[end + 1..].find('\n').map_or(lx.code().len(), |at| end + 1 + at);
            }
            lx.embed(end, |inner| script(inner, 0));
        }
        lx.line("");
        lx.skip();
    }
}

/// Length of `$`, `user@host:~$` or the like at the start of a line.
fn prompt_len(line: &str) -> Option<usize> {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let name = line[blanks..].bytes().take_while(|b| is_word(*b) || b"/~[]()@-".contains(b)).count();
    let at = blanks + name;
    let sign = line.as_bytes().get(at).is_some_and(|b| b">%$#".contains(b));
    (blanks <= 3 && sign).then(|| at + 1 + usize::from(line[at + 1..].starts_with(' ')))
}

/// A Dockerfile: instructions, with shell after those that run something.
pub(super) fn dockerfile(lx: &mut Lexer) {
    const PLAIN: [&str; 9] = ["from", "maintainer", "expose", "env", "arg", "user", "onbuild", "stopsignal", "as"];
    const SHELL: [&str; 9] = ["run", "cmd", "entrypoint", "volume", "add", "copy", "workdir", "label", "healthcheck"];
    while !lx.done() {
        lx.blanks();
        let word = lx.word();
        let lower = word.to_ascii_lowercase();
        if lx.peek() == b'#' {
            let end = lx.line_end();
            lx.comment(end, false);
        } else if SHELL.contains(&lower.as_str()) || lower == "shell" {
            lx.take("keyword", word.len());
            let end = instruction_end(lx);
            lx.embed(end, |inner| script(inner, 0));
        } else {
            docker_words(lx, &PLAIN);
        }
    }
}

/// End of an instruction that may go on after a backslash.
fn instruction_end(lx: &Lexer) -> usize {
    let mut end = lx.line_end();
    while lx.code()[..end].trim_end_matches([' ', '\r']).ends_with('\\') && end < lx.code().len() {
        end = lx.code()[end + 1..].find('\n').map_or(lx.code().len(), |at| end + 1 + at);
    }
    end
}

fn docker_words(lx: &mut Lexer, keywords: &[&str]) {
    let end = lx.line_end();
    while lx.pos() < end {
        match lx.peek() {
            b'"' | b'\'' => lx.string("string", 1, lx.peek(), false),
            byte if is_word(byte) => {
                let word = lx.word().to_ascii_lowercase();
                let digits = lx.number_len();
                if digits > 0 {
                    let ends = !is_word(lx.at(digits));
                    lx.take(if ends { "number" } else { "" }, digits);
                } else if keywords.contains(&word.as_str()) {
                    lx.take("keyword", word.len());
                } else {
                    lx.skip_by(word.len());
                }
            }
            _ => lx.skip(),
        }
    }
}
