//! Names, labels, keys and other short texts: what may be in them, in the words of kube-apiserver 1.36.
//!
//! Every check gives back what is wrong, one sentence for each thing; an empty list costs nothing.

use core::net::IpAddr;

/// Sentences about what is wrong with a value.
pub type Faults = Vec<String>;

const LABEL_FORM: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORM: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const UNDERSCORE_FORM: &str = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
const KEY_FORM: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_RULE: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/// How the names of a kind are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// RFC 1123 subdomain: most kinds.
    Subdomain,
    /// RFC 1123 label: namespaces, stateful sets.
    Label,
    /// RFC 1035 label.
    Label1035,
    /// Anything that can be one segment of a path: roles and their bindings.
    PathSegment,
}

impl NameRule {
    /// What is wrong with a name, or with the start of one that characters will be added to.
    pub fn check(self, name: &str, is_prefix: bool) -> Faults {
        // Kubernetes replaces the last two characters of such a start by one; nobody can tell.
        let masked = (is_prefix && name.len() > 1 && name.ends_with('-')).then(|| {
            let mut start: Vec<char> = name.chars().collect();
            start.truncate(start.len().saturating_sub(2));
            start.iter().chain(&['a']).collect::<String>()
        });
        let name = masked.as_deref().filter(|_| self != Self::PathSegment).unwrap_or(name);
        match self {
            Self::Subdomain => dns1123_subdomain(name),
            Self::Label => dns1123_label(name),
            Self::Label1035 => dns1035_label(name),
            Self::PathSegment => path_segment(name, is_prefix),
        }
    }
}

/// A label of RFC 1123: the name of a container, a port, a namespace.
pub fn dns1123_label(value: &str) -> Faults {
    let mut faults = Faults::new();
    too_long(value, 63, "characters", &mut faults);
    if is_dns_label(value, |first| first.is_ascii_lowercase() || first.is_ascii_digit()) {
        return faults;
    }
    if value.split('.').all(|part| is_dns_label(part, |first| first.is_ascii_lowercase() || first.is_ascii_digit())) {
        faults.push("must not contain dots".to_owned());
    } else {
        let rule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                    and end with an alphanumeric character";
        faults.push(by_pattern(rule, LABEL_FORM, &["my-name", "123-abc"]));
    }
    faults
}

/// A subdomain of RFC 1123: the name of most objects.
pub fn dns1123_subdomain(value: &str) -> Faults {
    let mut faults = Faults::new();
    too_long(value, 253, "characters", &mut faults);
    subdomain_form(value, &mut faults);
    faults
}

fn subdomain_form(value: &str, faults: &mut Faults) {
    if !value.split('.').all(|part| is_dns_label(part, |first| first.is_ascii_lowercase() || first.is_ascii_digit())) {
        let rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
                    start and end with an alphanumeric character";
        faults.push(by_pattern(rule, SUBDOMAIN_FORM, &["example.com"]));
    }
}

/// A subdomain that may have underscores: a search domain of a pod.
pub fn dns1123_subdomain_with_underscore(value: &str) -> Faults {
    let mut faults = Faults::new();
    too_long(value, 253, "characters", &mut faults);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = |part: &str| {
        let part = part.strip_prefix('_').unwrap_or(part).as_bytes();
        matches!((part.first(), part.last()), (Some(&first), Some(&last)) if plain(first) && plain(last))
            && part.iter().all(|&byte| plain(byte) || byte == b'-' || byte == b'_')
    };
    if !value.split('.').all(fits) {
        let rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and \
                    must start and end with an alphanumeric character";
        faults.push(by_pattern(rule, UNDERSCORE_FORM, &["example.com"]));
    }
    faults
}

/// A label of RFC 1035: starts with a letter.
pub fn dns1035_label(value: &str) -> Faults {
    let mut faults = Faults::new();
    too_long(value, 63, "characters", &mut faults);
    if !is_dns_label(value, |first| first.is_ascii_lowercase()) {
        let rule = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
                    character, and end with an alphanumeric character";
        faults.push(by_pattern(rule, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    faults
}

/// A name that stands in a path: no slash, no per cent sign, not one or two dots.
pub fn path_segment(name: &str, is_prefix: bool) -> Faults {
    if !is_prefix && (name == "." || name == "..") {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].into_iter().filter(|bad| name.contains(bad)).map(|bad| format!("may not contain '{bad}'")).collect()
}

/// The key of a label, and everything else that is called a qualified name: `name` or `example.com/name`.
pub fn label_key(value: &str) -> Faults {
    let mut faults = Faults::new();
    let mut parts = value.split('/');
    let (first, second, more) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    if more.is_some() {
        let text = by_pattern(&format!("a valid label key {KEY_RULE}"), KEY_FORM, &["MyName", "my.name", "123-abc"]);
        faults.push(format!("{text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"));
        return faults;
    }
    let name = match second {
        None => first,
        Some(name) => {
            key_prefix(first, &mut faults);
            name
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        faults.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_key(name) {
        faults.push(by_pattern(&format!("name part {KEY_RULE}"), KEY_FORM, &["MyName", "my.name", "123-abc"]));
    }
    faults
}

fn key_prefix(prefix: &str, faults: &mut Faults) {
    if prefix.is_empty() {
        faults.push("prefix part must be non-empty".to_owned());
        return;
    }
    let mut found = Faults::new();
    too_long(prefix, 253, "bytes", &mut found);
    subdomain_form(prefix, &mut found);
    faults.extend(found.into_iter().map(|fault| format!("prefix part {fault}")));
}

/// The value of a label.
pub fn label_value(value: &str) -> Faults {
    let mut faults = Faults::new();
    too_long(value, 63, "bytes", &mut faults);
    if !value.is_empty() && !is_key(value) {
        let rule = format!("a valid label must be an empty string or {}", &KEY_RULE["must ".len()..]);
        faults.push(by_pattern(&rule, &format!("({KEY_FORM})?"), &["MyValue", "my_value", "12345"]));
    }
    faults
}

/// A key of a config map or a secret.
pub fn config_map_key(value: &str) -> Faults {
    let mut faults = Faults::new();
    too_long(value, 253, "characters", &mut faults);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if value.is_empty() || !value.bytes().all(fits) {
        let rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        faults.push(by_pattern(rule, "[-._a-zA-Z0-9]+", &["key.name", "KEY_NAME", "key-name"]));
    }
    match value {
        "." | ".." => faults.push(format!("must not be '{value}'")),
        _ if value.starts_with("..") => faults.push("must not start with '..'".to_owned()),
        _ => {}
    }
    faults
}

/// The name of an environment variable.
pub fn env_name(value: &str) -> Faults {
    if value.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    if value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        return Faults::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
}

/// The name of a port of a container.
pub fn port_name(value: &str) -> Faults {
    let mut faults = Faults::new();
    too_long(value, 15, "characters", &mut faults);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let rules = [
        (
            value.is_empty() || !value.bytes().all(fits),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (!value.bytes().any(|byte| byte.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (value.contains("--"), "must not contain consecutive hyphens"),
        (value.starts_with('-') || value.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    faults.extend(rules.iter().filter(|(broken, _)| *broken).map(|(_, rule)| (*rule).to_owned()));
    faults
}

/// A port number.
pub fn port_number(value: i64) -> Faults {
    within(value, 1, 65535)
}

/// The number of a user or a group.
pub fn user_id(value: i64) -> Faults {
    within(value, 0, i64::from(i32::MAX))
}

/// A number between two others.
pub fn within(value: i64, least: i64, most: i64) -> Faults {
    if (least..=most).contains(&value) { Faults::new() } else { vec![range(least, most)] }
}

/// The sentence about a number that is not between two others.
pub fn range(least: i64, most: i64) -> String {
    format!("must be between {least} and {most}, inclusive")
}

/// A percentage such as `25%`.
pub fn percent(value: &str) -> Faults {
    if value.strip_suffix('%').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())) {
        return Faults::new();
    }
    let rule = "a valid percent string must be a numeric string followed by an ending '%'";
    vec![by_pattern(rule, "[0-9]+%", &["1%", "93%"])]
}

/// The name of an HTTP header.
pub fn http_header_name(value: &str) -> Faults {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Faults::new();
    }
    vec![by_pattern(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// An IP address as newer servers take it: no leading zeros, no IPv4 inside IPv6.
pub fn ip_address(value: &str) -> Faults {
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            vec!["must not be an IPv4-mapped IPv6 address".to_owned()]
        }
        Ok(_) => Faults::new(),
        Err(_) if has_leading_zeros(value) => vec!["must not have leading 0s".to_owned()],
        Err(_) => vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()],
    }
}

/// Whether it is an IPv4 address but for zeros before its numbers.
fn has_leading_zeros(value: &str) -> bool {
    let numbers: Vec<_> = value.split('.').map(|part| part.trim_start_matches('0')).collect();
    let fits = |number: &&str| number.is_empty() || number.parse::<u8>().is_ok() && !number.starts_with('+');
    numbers.len() == 4 && value.split('.').all(|part| !part.is_empty()) && numbers.iter().all(fits)
}

/// `RULE (e.g. 'A',  or 'B', regex used for validation is 'FORM')`, double spaces and all.
fn by_pattern(rule: &str, form: &str, examples: &[&str]) -> String {
    let examples: Vec<_> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{form}')", examples.join(" or "))
}

fn too_long(value: &str, most: usize, unit: &str, faults: &mut Faults) {
    if value.len() > most {
        faults.push(format!("must be no more than {most} {unit}"));
    }
}

/// Lower-case letters, digits and inner hyphens, with a rule of its own for the first character.
fn is_dns_label(value: &str, first: impl Fn(u8) -> bool) -> bool {
    let bytes = value.as_bytes();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    matches!((bytes.first(), bytes.last()), (Some(&start), Some(&end)) if first(start) && plain(end))
        && bytes.iter().all(|&byte| plain(byte) || byte == b'-')
}

fn is_key(value: &str) -> bool {
    let bytes = value.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(a), Some(z)) if a.is_ascii_alphanumeric() && z.is_ascii_alphanumeric())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
