//! Quantities such as `500m` and `1Gi`, to compare and add in rules.

use std::cmp::Ordering;

/// A quantity: digits times a power of ten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quantity {
    /// In billionths.
    nano: i128,
}

const NANO: i128 = 1_000_000_000;

/// What a suffix multiplies with, in billionths.
const SUFFIXES: [(&str, i128); 16] = [
    ("", NANO),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", 1_000 * NANO),
    ("M", 1_000_000 * NANO),
    ("G", NANO * NANO),
    ("T", 1_000 * NANO * NANO),
    ("P", 1_000_000 * NANO * NANO),
    ("E", NANO * NANO * NANO),
    ("Ki", NANO << 10),
    ("Mi", NANO << 20),
    ("Gi", NANO << 30),
    ("Ti", NANO << 40),
    ("Pi", NANO << 50),
    ("Ei", NANO << 60),
];

impl Quantity {
    /// Reads a quantity; none when it is none or too big to count exactly.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = unsigned.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let unit = SUFFIXES.into_iter().find(|(known, _)| *known == suffix).map(|(_, unit)| unit);
        let unit = unit.or_else(|| exponent(suffix))?;
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let mut nano = whole.checked_mul(unit)?;
        let mut place = unit;
        for digit in fraction.bytes() {
            place /= 10;
            nano = nano.checked_add(place.checked_mul(i128::from(digit - b'0'))?)?;
        }
        Some(Self { nano: if negative { -nano } else { nano } })
    }

    pub(super) fn of_int(number: i64) -> Self {
        Self { nano: i128::from(number) * NANO }
    }

    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        Some(Self { nano: self.nano.checked_add(other.nano)? })
    }

    pub(super) fn negated(&self) -> Self {
        Self { nano: self.nano.saturating_neg() }
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.nano.cmp(&other.nano)
    }

    pub(super) fn sign(&self) -> i64 {
        i64::try_from(self.nano.signum()).unwrap_or(0)
    }

    /// As a whole number, if it is one.
    pub(super) fn whole(&self) -> Option<i64> {
        (self.nano % NANO == 0).then(|| i64::try_from(self.nano / NANO).ok())?
    }

    pub(super) fn approximate(&self) -> f64 {
        let text = format!("{}e-9", self.nano);
        text.parse().unwrap_or_default()
    }
}

/// What `e3` or `E-2` multiplies with.
fn exponent(suffix: &str) -> Option<i128> {
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    10_i128.checked_pow(u32::try_from(power.checked_add(9)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities() {
        for (text, nano) in [
            ("1", Some(NANO)),
            ("500m", Some(NANO / 2)),
            ("1.5k", Some(1_500 * NANO)),
            ("-1Ki", Some(-1024 * NANO)),
            ("+.5", Some(NANO / 2)),
            ("1e3", Some(1_000 * NANO)),
            ("5E-1", Some(NANO / 2)),
            ("1e2147483647", None),
            ("1E", Some(NANO * NANO * NANO)),
            ("1.5Gi", Some((NANO << 30) + (NANO << 29))),
            ("200K", None),
            ("Mi", None),
            ("", None),
            ("1.2.3", None),
            ("1 k", None),
        ] {
            assert_eq!(Quantity::parse(text).map(|quantity| quantity.nano), nano, "{text}");
        }
        let half = Quantity::parse("500m").unwrap();
        assert_eq!((half.whole(), half.sign()), (None, 1));
        assert!((half.approximate() - 0.5).abs() < 1e-12);
        let sum = half.add(&Quantity::of_int(2)).and_then(|sum| sum.add(&half));
        assert_eq!(sum.and_then(|sum| sum.whole()), Some(3));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[-+0-9.eEKMGTPimnu]{0,40}") {
            if let Some(quantity) = Quantity::parse(&text) {
                quantity.approximate();
                quantity.add(&quantity.negated());
            }
        }
    }
}
