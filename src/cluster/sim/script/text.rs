//! The commands that work on text, and the conditions of `test`.

use super::Stream;
use super::run::{Input, Machine};

/// Whether a condition holds.
pub(super) fn test(machine: &Machine<'_>, words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // `-o` and `-a` part conditions; the former binds less.
    parts(&words, ["-o", "||"]).into_iter().any(|words| {
        parts(words, ["-a", "&&"]).into_iter().all(|words| {
            let negations = words.iter().take_while(|word| **word == "!").count().min(words.len().saturating_sub(1));
            simple_test(machine, &words[negations..]) != (negations % 2 == 1)
        })
    })
}

fn parts<'w, 's>(words: &'w [&'s str], names: [&str; 2]) -> Vec<&'w [&'s str]> {
    let parts: Vec<_> = words.split(|word| names.contains(word)).collect();
    if parts.iter().any(|part| part.is_empty()) { vec![words] } else { parts }
}

fn simple_test(machine: &Machine<'_>, words: &[&str]) -> bool {
    match words {
        [] => false,
        [word] => !word.is_empty(),
        ["-z", word] => word.is_empty(),
        ["-n", word] => !word.is_empty(),
        ["-f" | "-e" | "-r" | "-s" | "-x", path] => machine.files.contains_key(&machine.path(path)),
        ["-d", path] => {
            let inside = format!("{}/", machine.path(path));
            machine.files.keys().any(|file| file.starts_with(&inside))
        }
        [one, "=" | "==", other] => super::expand::fits(other, one) || one == other,
        [one, "!=", other] => one != other,
        [one, operator, other] => {
            let number = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
            let (one, other) = (number(one), number(other));
            match *operator {
                "-eq" => one == other,
                "-ne" => one != other,
                "-lt" | "<" => one < other,
                "-le" => one <= other,
                "-gt" | ">" => one > other,
                "-ge" => one >= other,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Plays one of the commands that read text and print some of it; `false` if it is another one.
pub(super) fn filter(machine: &mut Machine<'_>, name: &str, arguments: &[String]) -> bool {
    let change: fn(&Words<'_>, &str) -> (String, i32) = match name {
        "cat" | "tac" | "less" | "more" => |_, text| (text.to_owned(), 0),
        "head" => |words, text| (text.split_inclusive('\n').take(words.count(10)).collect(), 0),
        "tail" => |words, text| {
            let lines: Vec<_> = text.split_inclusive('\n').collect();
            (lines[lines.len().saturating_sub(words.count(10))..].concat(), 0)
        },
        "grep" | "egrep" | "fgrep" => grep,
        "sort" => sort,
        "uniq" => |_, text| {
            let mut lines: Vec<_> = text.lines().collect();
            lines.dedup();
            (joined(&lines), 0)
        },
        "wc" => wc,
        "cut" => cut,
        "tr" => tr,
        "rev" => |_, text| (joined_owned(text.lines().map(|line| line.chars().rev().collect())), 0),
        "seq" => return seq(machine, arguments),
        "tee" => return tee(machine, arguments),
        "base64" | "sed" | "awk" | "jq" | "xargs" if !machine.strict => |_, text| (text.to_owned(), 0),
        _ => return false,
    };
    let words = Words::of(name, arguments);
    let Some(text) = input(machine, name, &words.files) else { return true };
    machine.spend(text.len());
    let (text, status) = change(&words, &text);
    machine.print(Stream::Out, &text);
    machine.status = status;
    true
}

/// The arguments of a filter, sorted.
struct Words<'a> {
    options: Vec<&'a str>,
    values: Vec<&'a str>,
    files: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn of(name: &str, arguments: &'a [String]) -> Self {
        let mut words = Self { options: Vec::new(), values: Vec::new(), files: Vec::new() };
        let with_value: &[&str] = match name {
            "head" | "tail" => &["-n", "-c"],
            "cut" => &["-d", "-f", "-c"],
            "sort" => &["-k", "-t"],
            _ => &[],
        };
        let wanted = usize::from(name.ends_with("grep")) + 2 * usize::from(name == "tr");
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            if word.starts_with('-') && word.len() > 1 {
                words.options.push(word);
                if with_value.contains(&word) {
                    words.options.extend(rest.next());
                }
            } else if words.values.len() < wanted {
                words.values.push(word);
            } else {
                words.files.push(word);
            }
        }
        words
    }

    fn has(&self, option: char) -> bool {
        self.options.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(option))
    }

    /// The value of an option that is written `-d,` or `-d ,`.
    fn value(&self, option: &str) -> Option<&'a str> {
        let at = self.options.iter().position(|word| word.starts_with(option))?;
        let own = &self.options[at][option.len()..];
        if own.is_empty() { self.options.get(at + 1).copied() } else { Some(own) }
    }

    fn count(&self, default: usize) -> usize {
        let short = self.options.iter().find_map(|word| word.strip_prefix('-').and_then(|count| count.parse().ok()));
        short.or_else(|| self.value("-n").and_then(|count| count.parse().ok())).unwrap_or(default)
    }
}

/// The text of files, or what can be read; `None` when a file is missing.
fn input(machine: &mut Machine<'_>, name: &str, files: &[&str]) -> Option<String> {
    if files.is_empty() {
        return Some(machine.input.rest().to_owned());
    }
    let mut text = String::new();
    for file in files {
        let path = machine.path(file);
        match (machine.files.get(&path), *file) {
            (Some(content), _) => text.push_str(content),
            (None, "-" | "/dev/stdin") => text.push_str(machine.input.rest()),
            (None, "/dev/null") => {}
            (None, "/etc/hostname") => text.push_str(&format!("{}\n", machine.hostname)),
            (None, "/etc/os-release") => {
                text.push_str("NAME=\"foredeck\"\nID=foredeck\nPRETTY_NAME=\"A pretended container\"\n");
            }
            (None, _) => {
                machine.print(Stream::Out, &text);
                machine.print(Stream::Err, &format!("{name}: can't open '{file}': No such file or directory\n"));
                machine.status = 1;
                return None;
            }
        }
    }
    Some(text)
}

fn joined(lines: &[&str]) -> String {
    joined_owned(lines.iter().map(|&line| line.to_owned()))
}

fn joined_owned(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

fn grep(words: &Words<'_>, text: &str) -> (String, i32) {
    let pattern = words.values.first().copied().unwrap_or("");
    let fold = |text: &str| if words.has('i') { text.to_lowercase() } else { text.to_owned() };
    let (start, end) = (pattern.starts_with('^'), pattern.ends_with('$'));
    let wanted: Vec<String> = pattern.trim_start_matches('^').trim_end_matches('$').split("\\|").map(fold).collect();
    let holds = |line: &str| {
        let line = fold(line);
        wanted.iter().any(|wanted| match (start, end) {
            (true, true) => line == *wanted,
            (true, false) => line.starts_with(wanted.as_str()),
            (false, true) => line.ends_with(wanted.as_str()),
            _ => line.contains(wanted.as_str()),
        })
    };
    let found: Vec<&str> = text.lines().filter(|line| holds(line) != words.has('v')).collect();
    let status = i32::from(found.is_empty());
    match (words.has('q'), words.has('c')) {
        (true, _) => (String::new(), status),
        (_, true) => (format!("{}\n", found.len()), status),
        _ => (joined(&found), status),
    }
}

fn sort(words: &Words<'_>, text: &str) -> (String, i32) {
    let mut lines: Vec<&str> = text.lines().collect();
    if words.has('n') {
        lines.sort_by_key(|line| line.trim().parse::<i64>().unwrap_or(0));
    } else {
        lines.sort_unstable();
    }
    if words.has('u') {
        lines.dedup();
    }
    if words.has('r') {
        lines.reverse();
    }
    (joined(&lines), 0)
}

fn wc(words: &Words<'_>, text: &str) -> (String, i32) {
    let counts = [('l', text.matches('\n').count()), ('w', text.split_whitespace().count()), ('c', text.len())];
    let all = words.options.is_empty();
    let wanted: Vec<String> =
        counts.iter().filter(|(option, _)| all || words.has(*option)).map(|(_, count)| count.to_string()).collect();
    (format!("{}\n", wanted.join(" ")), 0)
}

fn cut(words: &Words<'_>, text: &str) -> (String, i32) {
    let delimiter = words.value("-d").filter(|text| !text.is_empty()).unwrap_or("\t");
    let fields = words.value("-f").or(words.value("-c")).unwrap_or("1");
    let wanted = |number: usize| {
        fields.split(',').any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            first.parse().unwrap_or(1) <= number && number <= last.parse().unwrap_or(usize::MAX)
        })
    };
    let lines = text.lines().map(|line| {
        if words.value("-c").is_some() && words.value("-f").is_none() {
            return line.chars().enumerate().filter(|(at, _)| wanted(at + 1)).map(|(_, c)| c).collect();
        }
        if !line.contains(delimiter) {
            return line.to_owned();
        }
        let kept: Vec<_> =
            line.split(delimiter).enumerate().filter(|(at, _)| wanted(at + 1)).map(|(_, field)| field).collect();
        kept.join(delimiter)
    });
    (joined_owned(lines), 0)
}

fn tr(words: &Words<'_>, text: &str) -> (String, i32) {
    let set = |at: usize| -> Vec<char> {
        let text = words.values.get(at).copied().unwrap_or("");
        let text =
            text.replace("\\n", "\n").replace("\\t", "\t").replace("[:lower:]", "a-z").replace("[:upper:]", "A-Z");
        let chars: Vec<char> = text.chars().take(1000).collect();
        let mut set = Vec::new();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            match (chars.get(at + 1), chars.get(at + 2)) {
                (Some('-'), Some(&last)) if c.is_ascii() && last.is_ascii() && c <= last => {
                    set.extend(c..=last);
                    at += 3;
                }
                _ => {
                    set.push(c);
                    at += 1;
                }
            }
        }
        set
    };
    let (from, to) = (set(0), set(1));
    let changed = text.chars().filter_map(|c| match from.iter().position(|one| *one == c) {
        Some(_) if words.has('d') => None,
        Some(at) => to.get(at).or(to.last()).copied(),
        None => Some(c),
    });
    (changed.collect(), 0)
}

fn seq(machine: &mut Machine<'_>, arguments: &[String]) -> bool {
    let numbers: Vec<i64> = arguments.iter().filter_map(|word| word.parse().ok()).collect();
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] => (*first, *step, *last),
        _ => return true,
    };
    let mut text = String::new();
    let mut number = first;
    while (step > 0 && number <= last || step < 0 && number >= last) && text.len() < super::run::TEXT {
        text.push_str(&format!("{number}\n"));
        let Some(next) = number.checked_add(step) else { break };
        number = next;
    }
    machine.print(Stream::Out, &text);
    true
}

fn tee(machine: &mut Machine<'_>, arguments: &[String]) -> bool {
    let text = machine.input.rest().to_owned();
    machine.input = Input::default();
    let append = arguments.iter().any(|word| word == "-a");
    for name in arguments.iter().filter(|word| !word.starts_with('-')) {
        let path = machine.path(name);
        let file = machine.files.entry(path).or_default();
        if !append {
            file.clear();
        }
        file.push_str(&text);
    }
    machine.print(Stream::Out, &text);
    true
}
