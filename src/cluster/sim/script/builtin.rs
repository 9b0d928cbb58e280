//! The commands that scripts can use.

use std::time::Duration;

use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::run::{Flow, Machine};
use super::{Stream, text};

/// Programs that go on for ever, as far as a demo is concerned.
const SERVERS: [&str; 22] = [
    "nginx",
    "httpd",
    "redis-server",
    "memcached",
    "podinfo",
    "fluxd",
    "helm-operator",
    "python",
    "python3",
    "node",
    "java",
    "php-fpm",
    "postgres",
    "mysqld",
    "mongod",
    "caddy",
    "haproxy",
    "envoy",
    "top",
    "watch",
    "pause",
    "nc",
];

/// Where programs are found, for `which` and `ls`.
const FOLDERS: [&str; 14] =
    ["bin", "dev", "etc", "home", "lib", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"];

/// Plays a command.
pub(super) fn call(machine: &mut Machine<'_>, name: &str, arguments: &[String]) -> Flow {
    let before = std::mem::take(&mut machine.status);
    let plain = name.rsplit('/').next().unwrap_or(name);
    if let Some(flow) = control(machine, plain, arguments, before) {
        return flow;
    }
    match plain {
        "echo" => echo(machine, arguments),
        "printf" => printf(machine, arguments),
        "date" => date(machine, arguments),
        "test" => machine.status = i32::from(!text::test(machine, arguments)),
        "[" | "[[" => {
            let inside = arguments.split_last().map_or(&[][..], |(_, inside)| inside);
            machine.status = i32::from(!text::test(machine, inside));
        }
        "expr" => expr(machine, arguments),
        "read" => read(machine, arguments),
        "hostname" => say(machine, &machine.hostname.clone()),
        "whoami" => say(machine, "root"),
        "id" => say(machine, "uid=0(root) gid=0(root) groups=0(root)"),
        "uname" => uname(machine, arguments),
        "nproc" => say(machine, "4"),
        "pwd" => say(machine, &machine.folder.clone()),
        "env" | "printenv" => environment(machine, arguments),
        "export" | "local" | "readonly" | "declare" | "typeset" => assign(machine, arguments),
        "unset" => arguments.iter().for_each(|name| drop(machine.variables.remove(name))),
        "set" => set(machine, arguments),
        "shift" => {
            let count = number(arguments.first(), 1).min(machine.arguments.len().saturating_sub(1));
            if count > 0 {
                machine.arguments.drain(1..=count).for_each(drop);
            }
        }
        "cd" => machine.folder = machine.path(arguments.first().map_or("/root", String::as_str)),
        "touch" => {
            for path in files(arguments).map(|name| machine.path(name)).collect::<Vec<_>>() {
                machine.files.entry(path).or_default();
            }
        }
        "rm" | "rmdir" => remove(machine, arguments),
        "cp" | "mv" => copy(machine, plain, arguments),
        "ls" => list(machine, arguments),
        "curl" | "wget" => fetch(machine, plain, arguments),
        "basename" => say(machine, arguments.first().and_then(|path| path.rsplit('/').next()).unwrap_or("")),
        "dirname" => say(machine, arguments.first().and_then(|path| path.rsplit_once('/')).map_or(".", |(up, _)| up)),
        "ps" => say(machine, "PID   USER     TIME  COMMAND\n    1 root      0:00 sh"),
        _ if text::filter(machine, plain, arguments) => {}
        _ => return other(machine, name, plain, arguments),
    }
    Flow::Next
}

/// Commands that change what comes next.
fn control(machine: &mut Machine<'_>, name: &str, arguments: &[String], before: i32) -> Option<Flow> {
    let levels = || u32::try_from(number(arguments.first(), 1)).unwrap_or(1).max(1);
    Some(match name {
        "exit" | "return" => {
            machine.status = match arguments.first() {
                Some(code) => code.parse::<i32>().map_or(2, |code| code & 0xff),
                None => before,
            };
            if name == "exit" { Flow::Exit } else { Flow::Return }
        }
        "break" => Flow::Break(levels()),
        "continue" => Flow::Continue(levels()),
        "true" | ":" | "trap" | "sync" | "mkdir" | "chmod" | "chown" | "ulimit" | "umask" | "mount" | "ln" => {
            Flow::Next
        }
        "false" => {
            machine.status = 1;
            Flow::Next
        }
        "sleep" => sleep(machine, arguments),
        "wait" => match machine.jobs {
            Some(end) => machine.pass(end.saturating_sub(machine.clock)),
            None => machine.hang(),
        },
        "eval" => machine.text(&arguments.join(" ")),
        "exec" | "command" | "nohup" | "time" | "sudo" | "tini" | "dumb-init" => {
            let words = &arguments[arguments.iter().take_while(|word| word.starts_with('-')).count()..];
            match machine.call(words) {
                Flow::Next if name == "exec" && !words.is_empty() => Flow::Exit,
                flow => flow,
            }
        }
        "timeout" => machine.call(arguments.get(1..).unwrap_or(&[])),
        "sh" | "bash" | "ash" | "dash" => shell(machine, name, arguments),
        "tail" if arguments.iter().any(|word| word == "-f" || word == "-F") => machine.hang(),
        "cat" if arguments.iter().any(|path| matches!(path.as_str(), "/dev/zero" | "/dev/urandom")) => machine.hang(),
        "kill" | "nslookup" | "ping" | "apk" | "apt-get" | "apt" | "pip" | "npm" if !machine.strict => Flow::Next,
        _ => return None,
    })
}

fn other(machine: &mut Machine<'_>, name: &str, plain: &str, arguments: &[String]) -> Flow {
    let asks = arguments.iter().any(|word| matches!(word.as_str(), "-v" | "-V" | "--version" | "-h" | "--help" | "-t"));
    if machine.strict {
        machine.complain(&format!("{name}: not found"));
        machine.status = 127;
        return Flow::Next;
    }
    if SERVERS.contains(&plain) && !asks { machine.hang() } else { Flow::Next }
}

fn shell(machine: &mut Machine<'_>, name: &str, arguments: &[String]) -> Flow {
    let words: Vec<String> = std::iter::once(name.to_owned()).chain(arguments.iter().cloned()).collect();
    let (script, rest) = match super::script_of(&words) {
        Some((script, rest)) => (script.to_owned(), rest.to_vec()),
        None => match arguments.iter().find(|word| !word.starts_with('-')) {
            Some(path) => match machine.files.get(&machine.path(path)) {
                Some(script) => (script.clone(), arguments.to_vec()),
                None if machine.strict => {
                    machine.complain(&format!("can't open '{path}': No such file or directory"));
                    machine.status = 2;
                    return Flow::Next;
                }
                None => return Flow::Next,
            },
            None => (machine.input.rest().to_owned(), Vec::new()),
        },
    };
    let kept = (machine.variables.clone(), std::mem::replace(&mut machine.arguments, rest), machine.errexit);
    machine.errexit = super::stops_at_failure(&words);
    let flow = machine.text(&script);
    (machine.variables, machine.arguments, machine.errexit) = kept;
    if flow == Flow::Stop { flow } else { Flow::Next }
}

/// A number given as an argument.
fn number(text: Option<&String>, default: usize) -> usize {
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn files(arguments: &[String]) -> impl Iterator<Item = &String> {
    arguments.iter().filter(|word| !word.starts_with('-'))
}

fn say(machine: &mut Machine<'_>, text: &str) {
    machine.print(Stream::Out, &format!("{text}\n"));
}

/// The time that a text as `1.5`, `10s` or `2m` is.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.chars().last()),
        None => (text, None),
    };
    let factor = match unit {
        Some('m') => 60.0,
        Some('h') => 3600.0,
        Some('d') => 86400.0,
        _ => 1.0,
    };
    let seconds = number.parse::<f64>().ok().filter(|number| *number >= 0.0)? * factor;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn sleep(machine: &mut Machine<'_>, arguments: &[String]) -> Flow {
    let mut time = Duration::ZERO;
    for word in arguments {
        match (word.as_str(), duration(word)) {
            ("infinity" | "inf", _) => return machine.hang(),
            (_, Some(more)) => time = time.saturating_add(more),
            _ => {
                machine.complain(&format!("sleep: invalid number '{word}'"));
                machine.status = 1;
                return Flow::Next;
            }
        }
    }
    machine.pass(time)
}

fn echo(machine: &mut Machine<'_>, arguments: &[String]) {
    let options = arguments.iter().take_while(|word| {
        word.len() > 1 && word.starts_with('-') && word[1..].chars().all(|c| matches!(c, 'n' | 'e' | 'E'))
    });
    let options: Vec<&String> = options.collect();
    let has = |option: char| options.iter().any(|word| word.contains(option));
    let text = arguments[options.len()..].join(" ");
    let text = if has('e') { escaped(&text) } else { text };
    machine.print(Stream::Out, &if has('n') { text } else { format!("{text}\n") });
}

/// A text with `\n` and its like replaced.
fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => result.push('\n'),
            Some('t') => result.push('\t'),
            Some('r') => result.push('\r'),
            Some('e') => result.push('\u{1b}'),
            Some('0') => {}
            Some('\\') | None => result.push('\\'),
            Some(other) => result.extend(['\\', other]),
        }
    }
    result
}

fn printf(machine: &mut Machine<'_>, arguments: &[String]) {
    let Some((format, values)) = arguments.split_first() else { return };
    let format = escaped(format);
    let mut values = values.iter();
    let mut text = String::new();
    loop {
        let before = values.len();
        formatted(&format, &mut values, &mut text);
        if values.len() == 0 || values.len() == before || text.len() > super::run::TEXT {
            break;
        }
    }
    machine.print(Stream::Out, &text);
}

/// One round of `printf`'s format.
fn formatted(format: &str, values: &mut std::slice::Iter<'_, String>, text: &mut String) {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end =
            rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '.' | '+' | ' '))).unwrap_or(rest.len());
        let (flags, after) = rest.split_at(end);
        let Some(kind) = after.chars().next() else { break };
        rest = &after[kind.len_utf8()..];
        if kind == '%' {
            text.push('%');
            continue;
        }
        let value = values.next().map_or("", String::as_str);
        let value = match kind {
            'd' | 'i' | 'u' => value.parse::<i64>().unwrap_or(0).to_string(),
            'b' => escaped(value),
            _ => value.to_owned(),
        };
        let zeros = flags.starts_with('0');
        let left = flags.starts_with('-');
        let digits = flags.trim_start_matches(['-', '0', '+', ' ']).split('.').next().unwrap_or("");
        let width = digits.parse::<usize>().unwrap_or(0).min(1000);
        match (left, zeros) {
            (true, _) => text.push_str(&format!("{value:<width$}")),
            (_, true) => text.push_str(&format!("{value:0>width$}")),
            _ => text.push_str(&format!("{value:>width$}")),
        }
    }
    text.push_str(rest);
}

fn date(machine: &mut Machine<'_>, arguments: &[String]) {
    machine.timed = true;
    let format = arguments.iter().find_map(|word| match word.as_str() {
        "-Iseconds" | "--iso-8601=seconds" => Some("%Y-%m-%dT%H:%M:%S+00:00"),
        "-I" | "--iso-8601" => Some("%Y-%m-%d"),
        "-R" => Some("%a, %d %b %Y %H:%M:%S +0000"),
        word => word.strip_prefix('+'),
    });
    let time = machine.now().to_zoned(TimeZone::UTC);
    let format = format.unwrap_or("%a %b %e %H:%M:%S UTC %Y");
    let text = strtime::format(format, &time).unwrap_or_else(|_| format.to_owned());
    say(machine, &text);
}

fn expr(machine: &mut Machine<'_>, arguments: &[String]) {
    let value = machine.calculate(&arguments.join(" "));
    say(machine, &value.to_string());
    machine.status = i32::from(value == 0);
}

fn read(machine: &mut Machine<'_>, arguments: &[String]) {
    let Some(line) = machine.input.line().map(|line| line.trim_end_matches('\n').to_owned()) else {
        machine.status = 1;
        return;
    };
    let names: Vec<&String> = files(arguments).collect();
    let mut words = line.split_whitespace();
    for (number, name) in names.iter().enumerate() {
        let value = if number + 1 == names.len() {
            words.by_ref().collect::<Vec<_>>().join(" ")
        } else {
            words.next().unwrap_or("").to_owned()
        };
        machine.variables.insert((*name).clone(), value);
    }
}

fn uname(machine: &mut Machine<'_>, arguments: &[String]) {
    let host = machine.hostname.clone();
    match arguments.first().map(String::as_str) {
        Some("-a") => say(machine, &format!("Linux {host} 6.12.0 #1 SMP x86_64 GNU/Linux")),
        Some("-m") => say(machine, "x86_64"),
        Some("-n") => say(machine, &host),
        Some("-r") => say(machine, "6.12.0"),
        _ => say(machine, "Linux"),
    }
}

fn environment(machine: &mut Machine<'_>, arguments: &[String]) {
    let text = match arguments.first() {
        Some(name) => match machine.variables.get(name) {
            Some(value) => format!("{value}\n"),
            None => {
                machine.status = 1;
                return;
            }
        },
        None => machine.variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect(),
    };
    machine.print(Stream::Out, &text);
}

fn assign(machine: &mut Machine<'_>, arguments: &[String]) {
    for (name, value) in arguments.iter().filter_map(|word| word.split_once('=')) {
        machine.variables.insert(name.to_owned(), value.to_owned());
    }
}

fn set(machine: &mut Machine<'_>, arguments: &[String]) {
    let options = arguments.iter().take_while(|word| word.starts_with(['-', '+']) && *word != "--").count();
    for word in &arguments[..options] {
        if word.contains('e') && !word.contains("pipefail") {
            machine.errexit = word.starts_with('-');
        }
    }
    if arguments.get(options).is_some_and(|word| word == "--") {
        machine.arguments.truncate(1);
        machine.arguments.extend_from_slice(&arguments[options + 1..]);
    }
}

fn remove(machine: &mut Machine<'_>, arguments: &[String]) {
    let forced = arguments.iter().any(|word| word.starts_with('-') && word.contains('f'));
    let deep = arguments.iter().any(|word| word.starts_with('-') && word.contains('r'));
    for name in files(arguments) {
        let path = machine.path(name);
        let mut found = machine.files.remove(&path).is_some();
        if deep {
            let inside = format!("{}/", path.trim_end_matches('/'));
            let before = machine.files.len();
            machine.files.retain(|path, _| !path.starts_with(&inside));
            found |= machine.files.len() < before;
        }
        if !found && !forced {
            machine.print(Stream::Err, &format!("rm: can't remove '{name}': No such file or directory\n"));
            machine.status = 1;
        }
    }
}

fn copy(machine: &mut Machine<'_>, name: &str, arguments: &[String]) {
    let names: Vec<&String> = files(arguments).collect();
    let [from, to] = names.as_slice() else {
        machine.status = 1;
        return;
    };
    let (from, to) = (machine.path(from), machine.path(to));
    match machine.files.get(&from).cloned() {
        Some(file) => {
            machine.files.insert(to, file);
            if name == "mv" {
                machine.files.remove(&from);
            }
        }
        None => {
            machine.print(Stream::Err, &format!("{name}: can't stat '{from}': No such file or directory\n"));
            machine.status = 1;
        }
    }
}

fn list(machine: &mut Machine<'_>, arguments: &[String]) {
    let mut names: Vec<String> = files(arguments).cloned().collect();
    if names.is_empty() {
        names.push(machine.folder.clone());
    }
    for name in names {
        let path = machine.path(&name);
        if machine.files.contains_key(&path) {
            say(machine, &name);
            continue;
        }
        let inside = if path == "/" { path.clone() } else { format!("{path}/") };
        let below = machine
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(&inside))
            .filter_map(|rest| rest.split('/').next());
        let mut found: Vec<String> = below.map(str::to_owned).collect();
        if path == "/" {
            found.extend(FOLDERS.map(str::to_owned));
        }
        found.sort();
        found.dedup();
        let known = FOLDERS.iter().any(|folder| path.trim_start_matches('/').split('/').next() == Some(folder));
        if found.is_empty() && !known {
            machine.print(Stream::Err, &format!("ls: {name}: No such file or directory\n"));
            machine.status = 1;
        } else if !found.is_empty() {
            say(machine, &found.join("\n"));
        }
    }
}

fn fetch(machine: &mut Machine<'_>, name: &str, arguments: &[String]) {
    let takes_value = ["-X", "-d", "-H", "-o", "-w", "-m", "--max-time", "-T", "-O"];
    let mut method = "GET";
    let mut url = None;
    let mut output = None;
    let mut words = arguments.iter();
    let mut code_only = false;
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            url = Some(word.as_str());
        } else if takes_value.contains(&word.as_str()) && !(name == "curl" && word == "-O") {
            let value = words.next().map_or("", String::as_str);
            match word.as_str() {
                "-X" => method = value,
                "-d" => method = "POST",
                "-o" | "-O" => output = Some(value),
                "-w" => code_only = value.contains("http_code"),
                _ => {}
            }
        }
    }
    let Some(web) = machine.web else { return };
    machine.volatile += 1;
    let url = url.unwrap_or("");
    let host = url.split("://").last().and_then(|rest| rest.split(['/', ':']).next()).unwrap_or("");
    let Some((status, body, _)) = web(method, url) else {
        let text = match name {
            "curl" => format!("curl: (6) Could not resolve host: {host}\n"),
            _ => format!("wget: bad address '{host}'\n"),
        };
        machine.print(Stream::Err, &text);
        machine.status = if name == "curl" { 6 } else { 1 };
        return;
    };
    let fails = name == "wget" || arguments.iter().any(|word| word == "-f" || word == "--fail" || word == "-sf");
    if status >= 400 && fails {
        machine.print(Stream::Err, &format!("{name}: server returned error: HTTP/1.1 {status}\n"));
        machine.status = if name == "curl" { 22 } else { 1 };
        return;
    }
    match output {
        Some("-") | None => machine.print(Stream::Out, &body),
        Some("/dev/null") => {}
        Some(path) => drop(machine.files.insert(machine.path(path), body)),
    }
    if code_only {
        machine.print(Stream::Out, &status.to_string());
    }
}
