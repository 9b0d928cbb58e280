//! Text.

use regex::Regex;

use super::cases::{abbreviated, camel, cased, part, title, untitle, wrapped};
use super::{Answer, Arguments, MOST, strings_of, strval, texts};
use crate::helm::template::escape::quoted;
use crate::helm::template::value::Value;

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    shape(name, args).or_else(|| take_apart(name, args)).or_else(|| patterns(name, args))
}

fn shape(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    let one = |change: &dyn Fn(&str) -> String| args.text(0).map(|text| Value::text(change(&text)));
    let two = |change: &dyn Fn(&str, &str) -> String| {
        args.text(0).and_then(|a| args.text(1).map(|b| Value::text(change(&a, &b))))
    };
    Some(match name {
        "upper" => one(&|text| text.chars().map(large).collect()),
        "lower" => one(&|text| text.chars().map(small).collect()),
        "title" => one(&title),
        "untitle" => one(&untitle),
        "swapcase" => one(&|text| {
            let swap =
                |c: char| if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() };
            text.chars().map(swap).collect()
        }),
        "trim" => one(&|text| text.trim().to_owned()),
        "nospace" => one(&|text| text.chars().filter(|c| !c.is_whitespace()).collect()),
        "initials" => one(&|text| text.split_whitespace().filter_map(|word| word.chars().next()).collect()),
        "trimAll" | "trimall" => two(&|cut, text| text.trim_matches(|c| cut.contains(c)).to_owned()),
        "trimSuffix" => two(&|end, text| text.strip_suffix(end).unwrap_or(text).to_owned()),
        "trimPrefix" => two(&|start, text| text.strip_prefix(start).unwrap_or(text).to_owned()),
        "trunc" => args.text(1).and_then(|text| args.int(0).map(|most| Value::text(trunc(&text, most)))),
        "abbrev" => args
            .text(1)
            .and_then(|text| Ok(Value::text(abbreviated(&text, 0, usize::try_from(args.int(0)?).unwrap_or(0))))),
        "abbrevboth" => args.text(2).and_then(|text| {
            let size = |number: usize| args.int(number).map(|size| usize::try_from(size).unwrap_or(0));
            Ok(Value::text(abbreviated(&text, size(0)?, size(1)?)))
        }),
        "hello" => Ok(Value::text("Hello!")),
        "substr" => args.text(2).and_then(|text| {
            let (from, to) = (args.int(0)?.max(0), args.int(1)?);
            let from = usize::try_from(from).unwrap_or(0).min(text.len());
            let to = usize::try_from(to).unwrap_or(text.len()).clamp(from, text.len());
            Ok(Value::text(part(&text, from, to)))
        }),
        "quote" | "squote" => {
            let all = args.all.iter().filter(|value| !matches!(value, Value::Nil)).map(strval);
            let mark = |text: String| if name == "quote" { quoted(&text) } else { format!("'{text}'") };
            Ok(Value::text(all.map(mark).collect::<Vec<_>>().join(" ")))
        }
        "cat" => {
            let all = args.all.iter().filter(|value| !matches!(value, Value::Nil)).map(strval);
            Ok(Value::text(all.collect::<Vec<_>>().join(" ")))
        }
        "indent" | "nindent" => args.text(1).and_then(|text| {
            let pad = " ".repeat(args.size(0)?.min(1000));
            let start = if name == "nindent" { "\n" } else { "" };
            Ok(Value::text(format!("{start}{pad}{}", text.replace('\n', &format!("\n{pad}")))))
        }),
        "replace" => args.text(0).and_then(|old| {
            let (new, text) = (args.text(1)?, args.text(2)?);
            if text.len().saturating_mul(new.len().max(1)) > MOST * 16 {
                return Err("the text would be too long".to_owned());
            }
            Ok(Value::text(text.replace(&old, &new)))
        }),
        "repeat" => args.text(1).and_then(|text| {
            let times = args.size(0)?;
            if text.len().saturating_mul(times) > MOST {
                return Err(format!("repeated {times} times, the text would be too long"));
            }
            Ok(Value::text(text.repeat(times)))
        }),
        "plural" => args.text(0).and_then(|one| Ok(Value::text(if args.int(2)? == 1 { one } else { args.text(1)? }))),
        "snakecase" => one(&|text| cased(text, '_')),
        "kebabcase" => one(&|text| cased(text, '-')),
        "camelcase" => one(&camel),
        "wrap" => args.text(1).and_then(|text| Ok(Value::text(wrapped(&text, args.size(0)?, "\n", false)))),
        "wrapWith" => {
            args.text(2).and_then(|text| Ok(Value::text(wrapped(&text, args.size(0)?, &args.text(1)?, true))))
        }
        _ => return None,
    })
}

fn take_apart(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    let test = |check: &dyn Fn(&str, &str) -> bool| {
        args.text(0).and_then(|part| args.text(1).map(|text| Value::Bool(check(&text, &part))))
    };
    let numbered = |parts: Vec<String>| {
        Value::map(parts.into_iter().enumerate().map(|(number, part)| (format!("_{number}"), Value::text(part))))
    };
    Some(match name {
        "contains" => test(&|text, part| text.contains(part)),
        "hasPrefix" => test(&|text, part| text.starts_with(part)),
        "hasSuffix" => test(&|text, part| text.ends_with(part)),
        "splitList" => args.text(0).and_then(|by| Ok(texts(split(&args.text(1)?, &by)))),
        "split" => args.text(0).and_then(|by| Ok(numbered(split(&args.text(1)?, &by)))),
        "splitn" => args.text(0).and_then(|by| {
            let most = args.size(1)?;
            Ok(numbered(args.text(2)?.splitn(most, by.as_str()).map(str::to_owned).collect()))
        }),
        "join" => args.text(0).and_then(|by| Ok(Value::text(strings_of(args.at(1)?).join(&by)))),
        "sortAlpha" => args.at(0).map(|list| {
            let mut all = strings_of(list);
            all.sort();
            texts(all)
        }),
        "toString" => args.at(0).map(|value| Value::text(strval(value))),
        "toStrings" => args.at(0).map(|value| texts(strings_of(value))),
        "base" | "osBase" => args.text(0).map(|path| {
            let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
            Value::text(match (path.is_empty(), name.is_empty()) {
                (true, _) => ".",
                (false, true) => "/",
                _ => name,
            })
        }),
        "dir" | "osDir" => {
            args.text(0).map(|path| Value::text(clean(path.rfind('/').map_or("", |slash| &path[..=slash]))))
        }
        "ext" | "osExt" => args.text(0).map(|path| {
            let file = path.rsplit('/').next().unwrap_or("");
            Value::text(file.rfind('.').and_then(|at| file.get(at..)).unwrap_or(""))
        }),
        "clean" | "osClean" => args.text(0).map(|path| Value::text(clean(&path))),
        "isAbs" | "osIsAbs" => args.text(0).map(|path| Value::Bool(path.starts_with('/'))),
        _ => return None,
    })
}

/// Between nothing and nothing stand letters.
fn split(text: &str, by: &str) -> Vec<String> {
    if by.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(by).map(str::to_owned).collect()
}

/// What Go says of a pattern that is none.
fn no_pattern(pattern: &str, error: &regex::Error) -> String {
    let error = error.to_string();
    let known = [
        ("unclosed group", format!("missing closing ): `{pattern}`")),
        ("unopened group", format!("unexpected ): `{pattern}`")),
        (
            "unclosed character class",
            format!("missing closing ]: `{}`", pattern.find('[').map_or("", |at| &pattern[at..])),
        ),
    ];
    let found = known.into_iter().find(|(ours, _)| error.contains(ours)).map(|(_, go)| go);
    let last = || error.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
    format!("error parsing regexp: {}", found.unwrap_or_else(last))
}

fn patterns(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    match name {
        "regexQuoteMeta" => Some(args.text(0).map(|pattern| Value::text(go_escape(&pattern)))),
        name if name.starts_with("regex") => Some(pattern(name, args)),
        _ => None,
    }
}

fn go_escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn pattern(name: &str, args: &Arguments<'_>) -> Answer {
    let pattern = args.text(0)?;
    let regex = match Regex::new(&pattern) {
        Ok(regex) => regex,
        Err(_) if name == "regexMatch" && !args.must => return Ok(Value::Bool(false)),
        Err(error) if args.must => return Err(no_pattern(&pattern, &error)),
        Err(error) => return Err(format!("regexp: Compile({}): {}", go_quote(&pattern), no_pattern(&pattern, &error))),
    };
    let text = args.text(1)?;
    let most = |number: usize| args.int(number).map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    Ok(match name {
        "regexMatch" => Value::Bool(regex.is_match(&text)),
        "regexFind" => Value::text(regex.find(&text).map_or("", |found| found.as_str())),
        "regexFindAll" => texts(regex.find_iter(&text).take(most(2)?).map(|found| found.as_str().to_owned())),
        "regexSplit" => texts(match most(2)? {
            usize::MAX => regex.split(&text).map(str::to_owned).collect::<Vec<_>>(),
            most => regex.splitn(&text, most).map(str::to_owned).collect(),
        }),
        "regexReplaceAllLiteral" => Value::text(regex.replace_all(&text, regex::NoExpand(&args.text(2)?))),
        _ => Value::text(regex.replace_all(&text, args.text(2)?.as_str())),
    })
}

fn go_quote(text: &str) -> String {
    if text.contains('`') { quoted(text) } else { format!("`{text}`") }
}

fn trunc(text: &str, most: i64) -> String {
    let size = usize::try_from(most.unsigned_abs()).unwrap_or(usize::MAX);
    if text.len() <= size {
        return text.to_owned();
    }
    if most < 0 {
        return part(text, text.len() - size, text.len()).to_owned();
    }
    part(text, 0, size).to_owned()
}

fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let rooted = path.starts_with('/');
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(&last)) if last != ".." => drop(parts.pop()),
            ("..", None) if rooted => {}
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// One large letter for a small one; those that would be two stay.
fn large(c: char) -> char {
    let mut all = c.to_uppercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(c)
}

fn small(c: char) -> char {
    let mut all = c.to_lowercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(c)
}
