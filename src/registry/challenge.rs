//! How a registry says what would let us in.

/// What would let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token from elsewhere.
    Bearer {
        /// Where.
        realm: String,
        /// For which service.
        service: String,
        /// For what.
        scope: String,
    },
}

/// Reads the header; of several ways a token is preferred.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("Basic") {
            basic = Some(Challenge::Basic);
        }
        if scheme.eq_ignore_ascii_case("Bearer") {
            let parameters = parameters(rest);
            let get = |name: &str| {
                let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            };
            return Some(Challenge::Bearer { realm: get("realm"), service: get("service"), scope: get("scope") });
        }
    }
    basic
}

/// `key="value",key=value`, where values in quotes may have commas.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((key, after)) = rest.split_once('=') {
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = after.find(',').unwrap_or(after.len());
                let (value, left) = after.split_at(end);
                (value.trim().to_owned(), left)
            }
        };
        found.push((key.trim().to_owned(), value));
        rest = left.trim_start().trim_start_matches(',').trim_start();
    }
    found
}

/// A text up to its closing quote, and what is behind that.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: &str, scope: &str| {
            Some(Challenge::Bearer { realm: realm.into(), service: service.into(), scope: scope.into() })
        };
        for (headers, expected) in [
            (vec!["Basic realm=\"x\""], Some(Challenge::Basic)),
            (
                vec!["Bearer realm=\"https://a/token\",service=\"s\",scope=\"repository:a/b:pull,push\""],
                bearer("https://a/token", "s", "repository:a/b:pull,push"),
            ),
            (vec!["basic", "bearer realm=https://a, Service=s"], bearer("https://a", "s", "")),
            (vec!["Bearer realm=\"a\\\"b"], bearer("a\"b", "", "")),
            (vec!["Bearer"], bearer("", "", "")),
            (vec!["Negotiate x"], None),
            (vec![], None),
        ] {
            assert_eq!(parse(headers.iter().copied()), expected, "{headers:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read(text in ".*") {
            let _ = parse([text.as_str(), &format!("Bearer {text}")].into_iter());
        }
    }
}
