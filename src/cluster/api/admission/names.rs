//! What names, labels and keys may look like, and how Kubernetes says that one is wrong.
//!
//! Every check gives the sentences that are said of a value: none when it is fine.

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const OLD_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
    alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
    validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which \
    must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. \
    '*.example.com', regex used for validation is \
    '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
    and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  \
    or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
/// What is said of a port number that cannot be.
pub(crate) const PORT: &str = "must be between 1 and 65535, inclusive";

/// The longest label, label value and part of a qualified name.
const LABEL_BYTES: usize = 63;
/// The longest subdomain.
const SUBDOMAIN_BYTES: usize = 253;

fn too_long(value: &str, most: usize) -> Option<String> {
    (value.len() > most).then(|| format!("must be no more than {most} bytes"))
}

fn lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether `value` is made of `inner` bytes and both its ends are `outer`.
fn framed(value: &str, outer: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    let ends = [value.bytes().next(), value.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(outer)) && value.bytes().all(inner)
}

fn is_label(value: &str) -> bool {
    framed(value, lower_or_digit, |byte| lower_or_digit(byte) || byte == b'-')
}

fn is_subdomain(value: &str) -> bool {
    value.split('.').all(is_label)
}

fn is_word(value: &str) -> bool {
    framed(value, |byte| byte.is_ascii_alphanumeric(), |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// An RFC 1123 label: namespaces, services, port names.
pub(crate) fn dns_label(value: &str) -> Vec<String> {
    let mut wrong: Vec<_> = too_long(value, LABEL_BYTES).into_iter().collect();
    if !is_label(value) {
        wrong.push(if is_subdomain(value) { "must not contain dots".to_owned() } else { LABEL.to_owned() });
    }
    wrong
}

/// An RFC 1123 subdomain: most names.
pub(crate) fn dns_subdomain(value: &str) -> Vec<String> {
    let mut wrong: Vec<_> = too_long(value, SUBDOMAIN_BYTES).into_iter().collect();
    if !is_subdomain(value) {
        wrong.push(SUBDOMAIN.to_owned());
    }
    wrong
}

/// An RFC 1035 label, which does not begin with a digit.
pub(crate) fn dns_1035_label(value: &str) -> Vec<String> {
    let mut wrong: Vec<_> = too_long(value, LABEL_BYTES).into_iter().collect();
    if !(is_label(value) && value.starts_with(|first: char| first.is_ascii_lowercase())) {
        wrong.push(OLD_LABEL.to_owned());
    }
    wrong
}

/// A subdomain below `*.`: hosts of an Ingress.
pub(crate) fn wildcard_subdomain(value: &str) -> Vec<String> {
    let mut wrong: Vec<_> = too_long(value, SUBDOMAIN_BYTES).into_iter().collect();
    if !value.strip_prefix("*.").is_some_and(is_subdomain) {
        wrong.push(WILDCARD.to_owned());
    }
    wrong
}

/// A name with an optional domain before `/`: keys of labels and annotations, finalizers.
pub(crate) fn qualified_name(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = match value.split_once('/') {
        None => value,
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some(("", name)) => {
            wrong.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            wrong.extend(dns_subdomain(prefix).into_iter().map(|sentence| format!("prefix part {sentence}")));
            name
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if let Some(sentence) = too_long(name, LABEL_BYTES) {
        wrong.push(format!("name part {sentence}"));
    }
    if !is_word(name) {
        wrong.push(format!("name part {QUALIFIED}"));
    }
    wrong
}

/// The value of a label.
pub(crate) fn label_value(value: &str) -> Vec<String> {
    let mut wrong: Vec<_> = too_long(value, LABEL_BYTES).into_iter().collect();
    if !(value.is_empty() || is_word(value)) {
        wrong.push(LABEL_VALUE.to_owned());
    }
    wrong
}

/// A key of a ConfigMap or Secret.
pub(crate) fn config_key(value: &str) -> Vec<String> {
    let mut wrong: Vec<_> = too_long(value, SUBDOMAIN_BYTES).into_iter().collect();
    let possible = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if value.is_empty() || !value.bytes().all(possible) {
        wrong.push(CONFIG_KEY.to_owned());
    }
    match value {
        "." | ".." => wrong.push(format!("must not be '{value}'")),
        _ if value.starts_with("..") => wrong.push("must not start with '..'".to_owned()),
        _ => {}
    }
    wrong
}

/// A part of a URL path: names of RBAC objects.
pub(crate) fn path_segment(value: &str) -> Vec<String> {
    if value == "." || value == ".." {
        return vec![format!("may not be '{value}'")];
    }
    let bad = ["/", "%"].into_iter().filter(|bad| value.contains(bad));
    bad.map(|bad| format!("may not contain '{bad}'")).collect()
}

/// The name of a port, as a target names it.
pub(crate) fn port_name(value: &str) -> Vec<String> {
    let mut wrong: Vec<_> = too_long(value, 15).into_iter().collect();
    let mut say = |sentence: &str| wrong.push(sentence.to_owned());
    if value.is_empty() || !value.bytes().all(|byte| lower_or_digit(byte) || byte == b'-') {
        say("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !value.bytes().any(|byte| byte.is_ascii_lowercase()) {
        say("must contain at least one letter (a-z)");
    }
    if value.contains("--") {
        say("must not contain consecutive hyphens");
    }
    if value.starts_with('-') || value.ends_with('-') {
        say("must not begin or end with a hyphen");
    }
    wrong
}

/// Which rule the names of a kind follow; the flag says that the value is a prefix that a random ending is added to.
pub(crate) type NameRule = fn(&str, bool) -> Vec<String>;

/// A prefix as the name that it could become: its dash at the end is no fault.
fn completed(value: &str, prefix: bool) -> std::borrow::Cow<'_, str> {
    match value.strip_suffix('-').and_then(|rest| rest.char_indices().next_back().map(|(last, _)| &rest[..last])) {
        Some(start) if prefix => format!("{start}a").into(),
        _ => value.into(),
    }
}

/// Names that are subdomains: most kinds.
pub(crate) fn subdomain_names(value: &str, prefix: bool) -> Vec<String> {
    dns_subdomain(&completed(value, prefix))
}

/// Names that are labels: namespaces and services.
pub(crate) fn label_names(value: &str, prefix: bool) -> Vec<String> {
    dns_label(&completed(value, prefix))
}

/// Names that are parts of a path: RBAC and reviews.
pub(crate) fn segment_names(value: &str, _: bool) -> Vec<String> {
    path_segment(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_value() {
        let long = "a".repeat(64);
        type Rule = fn(&str) -> Vec<String>;
        let cases: [(Rule, &str, &[&str]); 33] = [
            (dns_label, "my-name", &[]),
            (dns_label, "1bad", &[]),
            (dns_label, "a.b", &["must not contain dots"]),
            (dns_label, "-a", &[LABEL]),
            (dns_label, "", &[LABEL]),
            (dns_label, &long, &["must be no more than 63 bytes"]),
            (dns_subdomain, "a.b-c.d", &[]),
            (dns_subdomain, "a..b", &[SUBDOMAIN]),
            (dns_subdomain, "Bad_", &[SUBDOMAIN]),
            (dns_1035_label, "a1", &[]),
            (dns_1035_label, "1a", &[OLD_LABEL]),
            (wildcard_subdomain, "*.foo.com", &[]),
            (wildcard_subdomain, "*", &[WILDCARD]),
            (qualified_name, "example.com/MyName", &[]),
            (qualified_name, "/x", &["prefix part must be non-empty"]),
            (
                qualified_name,
                "a/b/c",
                &[&format!(
                    "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
                )],
            ),
            (qualified_name, "x~y/z", &[&format!("prefix part {SUBDOMAIN}")]),
            (qualified_name, "bad key!", &[&format!("name part {QUALIFIED}")]),
            (qualified_name, "", &["name part must be non-empty", &format!("name part {QUALIFIED}")]),
            (label_value, "", &[]),
            (label_value, "b c", &[LABEL_VALUE]),
            (label_value, &long, &["must be no more than 63 bytes"]),
            (config_key, "..data", &["must not start with '..'"]),
            (config_key, "..", &["must not be '..'"]),
            (config_key, "bad key!", &[CONFIG_KEY]),
            (path_segment, "system:x", &[]),
            (path_segment, "..", &["may not be '..'"]),
            (path_segment, "a/b%", &["may not contain '/'", "may not contain '%'"]),
            (port_name, "http", &[]),
            (port_name, "-8-", &["must contain at least one letter (a-z)", "must not begin or end with a hyphen"]),
            (
                port_name,
                "aB--c",
                &[
                    "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                    "must not contain consecutive hyphens",
                ],
            ),
            (port_name, "abcdefghijklmnop", &["must be no more than 15 bytes"]),
            (|value| subdomain_names(value, true), "gen-", &[]),
        ];
        for (rule, value, expected) in cases {
            assert_eq!(rule(value), expected, "{value}");
        }
    }

    #[test]
    fn a_prefix_is_judged_by_the_name_it_becomes() {
        assert_eq!(subdomain_names("Bad_", true), [SUBDOMAIN]);
        assert_eq!(subdomain_names("ä-", true), [] as [&str; 0]);
        assert_eq!(label_names("-", true), [LABEL]);
        assert_eq!(subdomain_names("gen-", false), [SUBDOMAIN]);
    }
}
