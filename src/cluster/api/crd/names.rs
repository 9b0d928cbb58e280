//! What names may look like.

use std::sync::LazyLock;

use regex::Regex;

const LABEL: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
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
        assert_eq!(subdomain_fault("a.example.com"), None);
        assert!(subdomain_fault("a..b").is_some_and(|fault| fault.starts_with("a lowercase RFC 1123 subdomain")));
    }
}
