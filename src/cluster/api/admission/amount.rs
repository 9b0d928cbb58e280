//! Quantities to reckon with: read, add, compare, and print the canonical way.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

/// Billionths in one.
const NANO: i128 = 1_000_000_000;
/// More than this no quantity can be: 2^63 - 1 of the unit one.
const MOST: i128 = i64::MAX as i128 * NANO;

/// How a quantity is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    /// `k`, `M`, `m` …
    #[default]
    Decimal,
    /// `Ki`, `Mi` …
    Binary,
    /// `e3`.
    Exponent,
}

/// An amount of a resource.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amount {
    nanos: i128,
    form: Form,
}

impl Amount {
    /// So many.
    pub(crate) fn of(count: i64) -> Self {
        Self { nanos: i128::from(count) * NANO, form: Form::Decimal }
    }

    /// The amount that a text says; a part of a billionth counts as a whole one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if part.contains('.') || whole.is_empty() && part.is_empty() {
            return None;
        }
        let (multiplier, power, form) = scale(suffix)?;
        let mut digits: i128 = 0;
        let mut scale = power + 9;
        let mut rest = false;
        for (digit, fraction) in whole.bytes().map(|d| (d, false)).chain(part.bytes().map(|d| (d, true))) {
            // 38 digits hold: beyond 30 only the size still counts
            if digits < 10_i128.pow(24) {
                digits = digits * 10 + i128::from(digit - b'0');
                scale -= i32::from(fraction);
            } else {
                rest |= digit != b'0';
                scale += i32::from(!fraction);
            }
        }
        let nanos = scaled(digits.checked_mul(multiplier).unwrap_or(MOST), scale, rest).min(MOST);
        Some(Self { nanos: if negative { -nanos } else { nanos }, form })
    }

    /// The amount that a JSON value says.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Both together, written as `self` is, unless that is nothing.
    pub(crate) fn plus(self, other: Self) -> Self {
        let form = if self.nanos == 0 { other.form } else { self.form };
        Self { nanos: self.nanos.saturating_add(other.nanos).clamp(-MOST, MOST), form }
    }

    /// What is left of `self`.
    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(Self { nanos: -other.nanos, form: other.form })
    }

    /// Negative, zero or positive.
    pub(crate) fn sign(self) -> Ordering {
        self.nanos.cmp(&0)
    }

    /// Whether it is a whole number.
    pub(crate) fn is_whole(self) -> bool {
        self.nanos % NANO == 0
    }

    /// The number, rounded away from zero.
    pub(crate) fn value(self) -> i64 {
        let up = if self.nanos < 0 { -(NANO - 1) } else { NANO - 1 };
        i64::try_from((self.nanos + up) / NANO).unwrap_or(i64::MAX)
    }

    /// The number, near enough.
    pub(crate) fn float(self) -> f64 {
        self.nanos as f64 / NANO as f64
    }
}

/// `digits` times ten to the power of `power`, rounded up; `rest` says that a little more belongs to it.
fn scaled(digits: i128, power: i32, rest: bool) -> i128 {
    if digits == 0 {
        return i128::from(rest);
    }
    match u32::try_from(power) {
        Ok(power) => 10_i128.checked_pow(power).and_then(|factor| digits.checked_mul(factor)).unwrap_or(MOST),
        Err(_) => match 10_i128.checked_pow(power.unsigned_abs()) {
            Some(divisor) => digits / divisor + i128::from(rest || digits % divisor != 0),
            None => 1,
        },
    }
}

/// What a suffix multiplies by: a factor, and a power of ten.
fn scale(suffix: &str) -> Option<(i128, i32, Form)> {
    let decimal = |power| Some((1, power, Form::Decimal));
    let binary = |shift: u32| Some((1_i128 << shift, 0, Form::Binary));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            Some((1, power.clamp(-60, 60), Form::Exponent))
        }
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.nanos.cmp(&other.nanos))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
        const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        let (suffixes, base): (&[&str], i128) = match self.form {
            Form::Binary if self.is_whole() && self.nanos.abs() >= 1024 * NANO => (&BINARY, 1024),
            _ => (&DECIMAL, 1000),
        };
        let mut number = if base == 1024 { self.nanos / NANO } else { self.nanos };
        let mut step = 0;
        while number != 0 && number % base == 0 && step + 1 < suffixes.len() {
            number /= base;
            step += 1;
        }
        if number == 0 {
            return out.write_str("0");
        }
        match (self.form, base) {
            (Form::Exponent, _) if step != 3 => write!(out, "{number}e{}", (step as i32 - 3) * 3),
            _ => write!(out, "{number}{}", suffixes.get(step).unwrap_or(&"")),
        }
    }
}

impl From<Amount> for Value {
    fn from(amount: Amount) -> Self {
        amount.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_the_canonical_form() {
        let cases = [
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1000000k", "1G"),
            ("1000Ki", "1000Ki"),
            ("0.5Gi", "512Mi"),
            ("100Mi", "100Mi"),
            ("1023", "1023"),
            ("0.5Ki", "512"),
            ("1.5", "1500m"),
            ("-2", "-2"),
            ("1e3", "1e3"),
            ("1E", "1E"),
            ("0", "0"),
            ("0.0000000001", "1n"),
            ("99999999999999999999999999999", "9223372036854775807"),
            (".5", "500m"),
            ("2.", "2"),
            ("12345678901234567890123456789e-40", "1e-9"),
        ];
        for (text, expected) in cases {
            assert_eq!(Amount::parse(text).map(|amount| amount.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "-", "1x", "1.2.3", "Mi", "1 ", "1ee", "e3"] {
            assert!(Amount::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn reckons() {
        let amount = |text| Amount::parse(text).unwrap();
        assert_eq!(amount("1Gi").plus(amount("512Mi")).to_string(), "1536Mi");
        assert_eq!(Amount::default().plus(amount("1Gi")).to_string(), "1Gi");
        assert_eq!(amount("1").minus(amount("250m")).to_string(), "750m");
        assert!(amount("1000m") == amount("1") && amount("1Ki") > amount("1k"));
        assert_eq!((amount("1500m").value(), amount("-1500m").value()), (2, -2));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(number in -1_000_000_000_i64..1_000_000_000, suffix in "(|n|u|m|k|M|G|Ki|Mi|Gi|e3|e-6)") {
            let amount = Amount::parse(&format!("{number}{suffix}")).unwrap();
            let again = Amount::parse(&amount.to_string()).unwrap();
            prop_assert_eq!(amount, again);
            prop_assert_eq!(amount.to_string(), again.to_string());
        }

        #[test]
        fn no_text_is_too_strange(text in "[-+.0-9eEinumkKMGTP]{0,50}") {
            if let Some(amount) = Amount::parse(&text) {
                let _ = (amount.to_string(), amount.value(), amount.plus(amount).minus(amount));
            }
        }
    }
}
