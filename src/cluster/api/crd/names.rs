//! What names may look like.

use std::sync::LazyLock;

use regex::Regex;

const LABEL: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const DNS_LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

static LABEL_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^{LABEL}$")).ok());
static SUBDOMAIN_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^{SUBDOMAIN}$")).ok());

/// What is wrong with a DNS-1035 label, such as the plural of a resource.
pub(super) fn label_fault(name: &str) -> Option<String> {
    let form = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
                character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
                validation is '";
    fault(name, 63, &LABEL_REGEX, || format!("{form}{LABEL}')"))
}

/// What is wrong with an RFC 1123 subdomain, such as a group.
pub(super) fn subdomain_fault(name: &str) -> Option<String> {
    let form = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '";
    fault(name, 253, &SUBDOMAIN_REGEX, || format!("{form}{SUBDOMAIN}')"))
}

/// What is wrong with an RFC 1123 label, such as the name of a namespace.
pub(super) fn dns_label_fault(name: &str) -> Option<String> {
    static REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^{DNS_LABEL}$")).ok());
    let form = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
                end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '";
    fault(name, 63, &REGEX, || match subdomain_fault(name) {
        None => "must not contain dots".to_owned(),
        Some(_) => format!("{form}{DNS_LABEL}')"),
    })
}

/// What is wrong with the value of a label.
pub(super) fn label_value_fault(value: &str) -> Option<String> {
    static REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^{LABEL_VALUE}$")).ok());
    let form = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
                start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
                validation is '";
    fault(value, 63, &REGEX, || format!("{form}{LABEL_VALUE}')"))
}

/// What is wrong with the key of a label: a name, perhaps with a domain before it.
pub(super) fn label_key_fault(key: &str) -> Option<String> {
    static REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^{LABEL_KEY}$")).ok());
    let form = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
                character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '";
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if name.contains('/') {
        let with = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        return Some(format!("a valid label key {form}{LABEL_KEY}') {with}"));
    }
    let prefix_fault = prefix.and_then(|prefix| match prefix {
        "" => Some("prefix part must be non-empty".to_owned()),
        _ => subdomain_fault(prefix).map(|fault| format!("prefix part {fault}")),
    });
    prefix_fault.or_else(|| {
        fault(name, 63, &REGEX, || format!("{form}{LABEL_KEY}')")).map(|fault| format!("name part {fault}"))
    })
}

fn fault(name: &str, most: usize, regex: &Option<Regex>, form: impl Fn() -> String) -> Option<String> {
    let too_long = (name.len() > most).then(|| format!("must be no more than {most} characters"));
    let fits = regex.as_ref().is_none_or(|regex| regex.is_match(name));
    match (too_long, fits) {
        (None, true) => None,
        (Some(long), true) => Some(long),
        (None, false) => Some(form()),
        (Some(long), false) => Some(format!("{long},{}", form())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(label_fault("things"), None);
        assert_eq!(
            label_fault("1things").unwrap(),
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
             validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        );
        assert_eq!(label_fault(&"a".repeat(64)).unwrap(), "must be no more than 63 characters");
        assert_eq!(dns_label_fault("1-a"), None);
        assert_eq!(dns_label_fault("a.b").as_deref(), Some("must not contain dots"));
        assert!(dns_label_fault("A").is_some_and(|fault| fault.starts_with("a lowercase RFC 1123 label")));
        assert_eq!((label_value_fault(""), label_value_fault("A_b.c")), (None, None));
        assert!(label_value_fault("-").is_some());
        assert_eq!((label_key_fault("example.com/Name"), label_key_fault("name")), (None, None));
        for broken in ["a/b/c", "/a", "A_/a", "example.com/", "-"] {
            assert!(label_key_fault(broken).is_some(), "{broken}");
        }
        assert_eq!(subdomain_fault("a.example.com"), None);
        assert!(subdomain_fault("a..b").is_some_and(|fault| fault.starts_with("a lowercase RFC 1123 subdomain")));
    }
}
