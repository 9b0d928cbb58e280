//! The text of a template that was read: values, defaults, and the functions on them.

use super::glob;
use super::parse::{Call, Node};

/// The text. `value` gives the value of a variable; an empty one counts as unset.
pub(super) fn text<'v>(nodes: &[Node], value: &dyn Fn(&str) -> &'v str) -> String {
    nodes.iter().map(|node| one(node, value)).collect()
}

fn one<'v>(node: &Node, value: &dyn Fn(&str) -> &'v str) -> String {
    match node {
        Node::Text(text) => text.clone(),
        Node::Call(call) => {
            let arguments: Vec<String> = call.arguments.iter().map(|node| one(node, value)).collect();
            apply(call, value(&call.name), &arguments)
        }
    }
}

fn apply(call: &Call, value: &str, arguments: &[String]) -> String {
    let first = arguments.first().map_or("", String::as_str);
    match call.function.as_str() {
        "," => first_letter(value, |c| c.to_lowercase().collect()),
        ",," => value.to_lowercase(),
        "^" => first_letter(value, |c| c.to_uppercase().collect()),
        "^^" => value.to_uppercase(),
        "#" if arguments.is_empty() => value.len().to_string(),
        "#" => glob::trim(value, first, false).to_owned(),
        "##" => glob::trim(value, first, true).to_owned(),
        function @ ("%" | "%%") => {
            // the pattern is turned round as text, brackets and all
            let turned = |text: &str| text.chars().rev().collect::<String>();
            turned(glob::trim(&turned(value), &turned(first), function == "%%"))
        }
        ":" => part(value, arguments),
        "/" => value.replacen(first, second(arguments), 1),
        "//" => value.replace(first, second(arguments)),
        "/#" => match value.strip_prefix(first).filter(|_| arguments.len() == 2) {
            Some(rest) => format!("{}{rest}", second(arguments)),
            None => value.to_owned(),
        },
        "/%" => match value.strip_suffix(first).filter(|_| arguments.len() == 2) {
            Some(rest) => format!("{rest}{}", second(arguments)),
            None => value.to_owned(),
        },
        _ if value.is_empty() => arguments.concat(),
        _ => value.to_owned(),
    }
}

fn second(arguments: &[String]) -> &str {
    arguments.get(1).map_or("", String::as_str)
}

fn first_letter(value: &str, change: impl Fn(char) -> String) -> String {
    let mut chars = value.chars();
    chars.next().map_or_else(String::new, |first| change(first) + chars.as_str())
}

/// A part of a value, in bytes; one that cannot be told is the whole.
fn part(value: &str, arguments: &[String]) -> String {
    let number = |index: usize| arguments.get(index).map(|text| text.parse::<i64>());
    let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let Some(Ok(offset)) = number(0) else { return value.to_owned() };
    let from = if offset < 0 { length.saturating_add(offset).max(0) } else { offset.min(length) };
    let to = match number(1) {
        None => length,
        Some(Ok(wanted)) => from.saturating_add(wanted).clamp(from, length),
        Some(Err(_)) => return value.to_owned(),
    };
    let bytes = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    let bytes = bytes.and_then(|(from, to)| value.as_bytes().get(from..to)).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}
