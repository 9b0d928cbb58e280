//! The formats that text in a custom resource can be asked to have.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{LazyLock, OnceLock};

use jiff::civil::Date;
use regex::Regex;

use super::pattern::compile;
use crate::cluster::goduration;

/// Text has to match one of these expressions; the name is without dashes.
const PATTERNS: [(&str, &str); 12] = [
    ("uuid", "(?i)^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$"),
    ("uuid3", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
    ("uuid4", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
    ("uuid5", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
    ("hexcolor", "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    (
        "rgbcolor",
        "^rgb\\(\\s*(\\d{1,2}|1\\d\\d|2[0-4]\\d|25[0-5])\\s*(,\\s*(\\d{1,2}|1\\d\\d|2[0-4]\\d|25[0-5])\\s*){2}\\)$",
    ),
    ("ssn", "^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$"),
    ("byte", "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"),
    ("bsonobjectid", "^[0-9a-fA-F]{24}$"),
    ("mac", "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}(([:-][0-9a-fA-F]{2}){2}|([:-][0-9a-fA-F]{2}){14})?$"),
    ("k8sshortname", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"),
    (
        "hostname",
        "^(([a-zA-Z0-9\\p{S}\\p{L}](-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|([a-zA-Z0-9\\p{S}\\p{L}](([a-zA-Z0-9\\p{S}\\p{L}-]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)\\.)+([a-zA-Z\\p{L}]){2,63})$",
    ),
];

/// Other formats of text.
const OTHERS: [&str; 14] = [
    "uri",
    "email",
    "ipv4",
    "ipv6",
    "cidr",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "password",
    "date",
    "duration",
    "datetime",
    "k8slongname",
];

/// The expressions, compiled when they are first asked for.
static COMPILED: [OnceLock<Option<Regex>>; PATTERNS.len()] = [const { OnceLock::new() }; PATTERNS.len()];

/// A format that is checked; formats unknown to Kubernetes are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    /// As it is written in the schema.
    pub(crate) name: Box<str>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// By an expression, at this place of the table.
    Pattern(usize),
    Text(&'static str),
    Number,
}

impl Format {
    /// The format of a name for a type; none when it is not known for it.
    pub(crate) fn of(name: &str, kind: &str) -> Option<Self> {
        let plain = name.replace('-', "");
        let kind = match kind {
            "" | "string" => match PATTERNS.iter().position(|(known, _)| *known == plain) {
                Some(place) => Kind::Pattern(place),
                None => Kind::Text(OTHERS.into_iter().find(|known| *known == plain)?),
            },
            "integer" if matches!(name, "int32" | "int64") => Kind::Number,
            "number" if matches!(name, "float" | "double") => Kind::Number,
            _ => return None,
        };
        Some(Self { name: name.into(), kind })
    }

    /// Whether a text has the format.
    pub(crate) fn fits(&self, text: &str) -> bool {
        match self.kind {
            Kind::Number => true,
            Kind::Pattern(place) => {
                let (Some((name, pattern)), Some(cell)) = (PATTERNS.get(place), COMPILED.get(place)) else {
                    return true;
                };
                let regex = cell.get_or_init(|| compile(pattern).ok());
                let short = *name != "hostname" || text.len() <= 255 && text.split('.').all(|label| label.len() <= 63);
                short && regex.as_ref().is_some_and(|regex| regex.is_match(text))
            }
            Kind::Text(name) => fits(name, text),
        }
    }
}

fn fits(name: &str, text: &str) -> bool {
    match name {
        "password" => true,
        "date" => is_date(text),
        "datetime" => is_date_time(text),
        "duration" => duration(text).is_some(),
        "ipv4" => matches!(address(text), Some(IpAddr::V4(_))) || text.contains('.') && address(text).is_some(),
        "ipv6" => text.contains(':') && text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "uri" => is_uri(text),
        "email" => is_email(text),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "creditcard" => is_credit_card(text),
        "k8slongname" => {
            let label = |label: &str| Format::of("k8s-short-name", "").is_some_and(|format| format.fits(label));
            text.len() <= 253 && text.split('.').all(|part| part.len() > 63 || label(part))
        }
        _ => true,
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.is_ascii() && text.parse::<Date>().is_ok()
}

/// RFC 3339, with what Kubernetes' own check lets through: any sign before the fraction.
fn is_date_time(text: &str) -> bool {
    static TIME: LazyLock<Option<Regex>> =
        LazyLock::new(|| compile("^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$").ok());
    let text = text.to_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let fields = TIME.as_ref().and_then(|regex| regex.captures(time));
    let at_most = |field: usize, most: &str| {
        fields.as_ref().and_then(|fields| fields.get(field)).is_some_and(|field| field.as_str() <= most)
    };
    is_date(date) && at_most(1, "23") && at_most(2, "59") && at_most(3, "59")
}

/// A duration in nanoseconds: as Go writes it (`1h30m`), or numbers with units (`3 days`).
pub(crate) fn duration(text: &str) -> Option<i64> {
    goduration::nanos(text).ok().or_else(|| worded_duration(text))
}

fn worded_duration(text: &str) -> Option<i64> {
    static PART: LazyLock<Option<Regex>> = LazyLock::new(|| compile("(\\d+)\\s*([A-Za-zµ]+)").ok());
    const UNITS: [(&str, &[&str], i64); 8] = [
        ("nano", &["ns"], 1),
        ("micro", &["us", "µs"], 1_000),
        ("milli", &["ms"], 1_000_000),
        ("sec", &["s"], 1_000_000_000),
        ("min", &["m"], 60_000_000_000),
        ("hour", &["h", "hr"], 3_600_000_000_000),
        ("day", &["d"], 86_400_000_000_000),
        ("week", &["w", "wk"], 604_800_000_000_000),
    ];
    let mut total = None;
    for part in PART.as_ref()?.captures_iter(text) {
        let count: i64 = part.get(1)?.as_str().parse().ok()?;
        let unit = part.get(2)?.as_str().to_lowercase();
        let known = UNITS.iter().find(|(start, short, _)| unit.starts_with(start) || short.contains(&unit.as_str()));
        if let Some((_, _, length)) = known {
            total = Some(total.unwrap_or(0_i64).wrapping_add(count.wrapping_mul(*length)));
        }
    }
    total
}

/// An address; zeros may lead in the parts of an IPv4 one.
fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let parts: Vec<_> = text.split('.').collect();
    let stripped = parts.iter().map(|part| {
        let digits = part.trim_start_matches('0');
        if digits.is_empty() && !part.is_empty() { "0" } else { digits }
    });
    let stripped: Vec<_> = stripped.collect();
    stripped.join(".").parse().ok()
}

fn is_cidr(text: &str) -> bool {
    let Some((address_text, length)) = text.split_once('/') else { return false };
    let most = match address(address_text) {
        Some(IpAddr::V4(_)) => 32,
        Some(IpAddr::V6(_)) => 128,
        None => return false,
    };
    length.bytes().all(|digit| digit.is_ascii_digit()) && length.parse::<u32>().is_ok_and(|length| length <= most)
}

/// An absolute path or a URI with a scheme.
fn is_uri(text: &str) -> bool {
    let clean = !text.bytes().any(|byte| byte <= b' ' || byte == 0x7f);
    let scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
        let mut chars = scheme.chars();
        chars.next().is_some_and(|first| first.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
            && !rest.is_empty()
    });
    clean && (text.starts_with('/') || scheme)
}

fn is_email(text: &str) -> bool {
    let text = text.trim();
    let bare = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, bare)| bare);
    let word =
        |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "<>()[],;:\\\"".contains(c));
    bare.rsplit_once('@').is_some_and(|(user, host)| {
        word(user) && word(host) && !user.contains('@') && !host.starts_with('.') && !host.ends_with('.')
    })
}

fn digits(text: &str) -> Vec<u32> {
    text.chars()
        .filter(|c| *c != '-' && *c != ' ')
        .map(|c| c.to_digit(10).unwrap_or(if c == 'X' { 10 } else { 99 }))
        .collect()
}

fn is_isbn10(text: &str) -> bool {
    let digits = digits(text);
    let fits = |(at, digit): (usize, &u32)| *digit < 10 || *digit == 10 && at == 9;
    if digits.len() != 10 || !digits.iter().enumerate().all(fits) {
        return false;
    }
    let sum: u32 = (1..).zip(&digits).map(|(place, digit)| place * digit).sum();
    sum.is_multiple_of(11)
}

fn is_isbn13(text: &str) -> bool {
    let digits = digits(text);
    if digits.len() != 13 || digits.iter().any(|digit| *digit > 9) {
        return false;
    }
    let sum: u32 = digits.iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    sum.is_multiple_of(10)
}

fn is_credit_card(text: &str) -> bool {
    let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if !(13..=16).contains(&digits.len()) {
        return false;
    }
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, &digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formats() {
        for (format, good, bad) in [
            ("date", "2026-02-28", "2026-02-30"),
            ("date-time", "2026-02-28T10:00:00Z", "2026-02-28 10:00:00Z"),
            ("date-time", "2026-02-28t23:59:59.5+01:00", "2026-02-28T24:00:00Z"),
            ("duration", "1h30m", "soon"),
            ("duration", "3 days", ""),
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv4", "010.0.0.1", "::1"),
            ("ipv6", "fe80::1", "10.0.0.1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
            ("cidr", "fd00::/8", "10.0.0.0"),
            ("uri", "https://example.com/x", "example"),
            ("uri", "/path", "a b:c"),
            ("email", "a@example.com", "a.example.com"),
            ("email", "A <a@example.com>", "a@b@c"),
            ("hostname", "a-b.example.com", "-a"),
            ("hostname", "localhost", "a_b"),
            ("mac", "00:1a:2B:3c:4d:5e", "00:1a:2B:3c:4d"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
            ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
            ("byte", "YWJj", "YWJ"),
            ("byte", "YQ==", ""),
            ("isbn", "0321751043", "0321751044"),
            ("isbn13", "978-0321751041", "978-0321751042"),
            ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
            ("hexcolor", "#FFF", "#FFFF"),
            ("rgbcolor", "rgb(255, 0,12)", "rgb(256,0,0)"),
            ("ssn", "111-22-3333", "111-22-333"),
            ("k8s-short-name", "a-b", "a.b"),
            ("k8s-long-name", "a-b.c", "A"),
        ] {
            let checked = Format::of(format, "string").unwrap();
            assert!(checked.fits(good), "{format} {good}");
            assert!(!checked.fits(bad), "{format} {bad}");
        }
        assert_eq!(Format::of("password", "string").map(|format| format.fits("")), Some(true));
        assert_eq!(Format::of("int32", "string"), None);
        assert_eq!(Format::of("date", "object"), None);
        assert!(Format::of("int32", "integer").is_some());
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1h30m", Some(5_400_000_000_000)),
            ("-1.5s", Some(-1_500_000_000)),
            (".5us", Some(500)),
            ("1 d 2 hours", Some(93_600_000_000_000)),
            ("", None),
            ("1", None),
            ("1x", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,30}", times in 1_usize..3_000) {
            let text = text.repeat(times);
            for (name, _) in PATTERNS {
                Format::of(name, "string").unwrap().fits(&text);
            }
            for name in OTHERS {
                Format::of(name, "string").unwrap().fits(&text);
            }
        }
    }
}
