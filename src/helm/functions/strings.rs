//! Text.

use regex::Regex;

use super::{Answer, Arguments, MOST, strings_of, strval, texts};
use crate::helm::template::printf::quoted;
use crate::helm::template::value::Value;

pub(super) const NAMES: [&str; 49] = [
    "upper",
    "lower",
    "title",
    "untitle",
    "trim",
    "trimAll",
    "trimSuffix",
    "trimPrefix",
    "trunc",
    "abbrev",
    "nospace",
    "contains",
    "hasPrefix",
    "hasSuffix",
    "quote",
    "squote",
    "cat",
    "indent",
    "nindent",
    "replace",
    "plural",
    "snakecase",
    "camelcase",
    "kebabcase",
    "repeat",
    "substr",
    "split",
    "splitList",
    "splitn",
    "join",
    "sortAlpha",
    "toString",
    "toStrings",
    "initials",
    "regexMatch",
    "regexFind",
    "regexFindAll",
    "regexReplaceAll",
    "regexReplaceAllLiteral",
    "regexSplit",
    "regexQuoteMeta",
    "base",
    "dir",
    "clean",
    "ext",
    "isAbs",
    "swapcase",
    "wrap",
    "wrapWith",
];

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    if !NAMES.contains(&name) {
        return None;
    }
    Some(shape(name, args).or_else(|| take_apart(name, args)).unwrap_or_else(|| patterns(name, args)))
}

fn shape(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    let one = |change: &dyn Fn(&str) -> String| args.text(0).map(|text| Value::text(change(&text)));
    let two = |change: &dyn Fn(&str, &str) -> String| {
        args.text(0).and_then(|a| args.text(1).map(|b| Value::text(change(&a, &b))))
    };
    Some(match name {
        "upper" => one(&str::to_uppercase),
        "lower" => one(&str::to_lowercase),
        "title" => one(&|text| words(text, true)),
        "untitle" => one(&|text| words(text, false)),
        "swapcase" => one(&|text| {
            let swap =
                |c: char| if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() };
            text.chars().map(swap).collect()
        }),
        "trim" => one(&|text| text.trim().to_owned()),
        "nospace" => one(&|text| text.chars().filter(|c| !c.is_whitespace()).collect()),
        "initials" => one(&|text| text.split_whitespace().filter_map(|word| word.chars().next()).collect()),
        "trimAll" => two(&|cut, text| text.trim_matches(|c| cut.contains(c)).to_owned()),
        "trimSuffix" => two(&|end, text| text.strip_suffix(end).unwrap_or(text).to_owned()),
        "trimPrefix" => two(&|start, text| text.strip_prefix(start).unwrap_or(text).to_owned()),
        "trunc" => args.text(1).and_then(|text| args.int(0).map(|most| Value::text(trunc(&text, most)))),
        "abbrev" => args.text(1).and_then(|text| {
            let most = args.size(0)?;
            let long = text.chars().count() > most && most >= 4;
            Ok(Value::text(if long { text.chars().take(most - 3).collect::<String>() + "..." } else { text }))
        }),
        "substr" => args.text(2).and_then(|text| {
            let (from, to) = (args.int(0)?.max(0), args.int(1)?);
            let from = usize::try_from(from).unwrap_or(0).min(text.len());
            let to = usize::try_from(to).unwrap_or(text.len()).clamp(from, text.len());
            text.get(from..to).map(Value::text).ok_or_else(|| "it would cut a letter".to_owned())
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
        "snakecase" => one(&|text| cased(text, "_")),
        "kebabcase" => one(&|text| cased(text, "-")),
        "camelcase" => one(&|text| text.split(['_', '-', ' ', '.']).map(|part| words(part, true)).collect()),
        "wrap" => args.text(1).and_then(|text| Ok(Value::text(wrapped(&text, args.size(0)?, "\n")))),
        "wrapWith" => args.text(2).and_then(|text| Ok(Value::text(wrapped(&text, args.size(0)?, &args.text(1)?)))),
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
        "splitList" => args.text(0).and_then(|by| Ok(texts(args.text(1)?.split(by.as_str()).map(str::to_owned)))),
        "split" => {
            args.text(0).and_then(|by| Ok(numbered(args.text(1)?.split(by.as_str()).map(str::to_owned).collect())))
        }
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
        "base" => args.text(0).map(|path| Value::text(path.trim_end_matches('/').rsplit('/').next().unwrap_or(""))),
        "dir" => args.text(0).map(|path| Value::text(path.rsplit_once('/').map_or(".", |(dir, _)| dir))),
        "ext" => args.text(0).map(|path| {
            let file = path.rsplit('/').next().unwrap_or("");
            Value::text(file.rfind('.').and_then(|at| file.get(at..)).unwrap_or(""))
        }),
        "clean" => args.text(0).map(|path| Value::text(clean(&path))),
        "isAbs" => args.text(0).map(|path| Value::Bool(path.starts_with('/'))),
        _ => return None,
    })
}

fn patterns(name: &str, args: &Arguments<'_>) -> Answer {
    let pattern = args.text(0)?;
    if name == "regexQuoteMeta" {
        return Ok(Value::text(regex::escape(&pattern)));
    }
    let regex = Regex::new(&pattern).map_err(|error| format!("error parsing regexp: {error}"))?;
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

fn trunc(text: &str, most: i64) -> String {
    let size = usize::try_from(most.unsigned_abs()).unwrap_or(usize::MAX);
    if text.len() <= size {
        return text.to_owned();
    }
    let cut = if most < 0 { text.len() - size } else { size };
    let at = (0..=cut).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    if most < 0 { text[at..].to_owned() } else { text[..at].to_owned() }
}

/// The first letter of each word, upper or lower case.
fn words(text: &str, upper: bool) -> String {
    let mut begins = true;
    let mut out = String::new();
    for c in text.chars() {
        match (begins, upper) {
            (true, true) => out.extend(c.to_uppercase()),
            (true, false) => out.extend(c.to_lowercase()),
            _ => out.push(c),
        }
        begins = !(c.is_alphanumeric() || c == '_' || c == '\'');
    }
    out
}

fn cased(text: &str, between: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        if c == ' ' || c == '_' || c == '-' || c == '.' {
            out.push_str(between);
        } else {
            if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
                out.push_str(between);
            }
            out.extend(c.to_lowercase());
        }
        before = c;
    }
    out
}

fn wrapped(text: &str, width: usize, line_end: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push_str(line_end);
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
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
