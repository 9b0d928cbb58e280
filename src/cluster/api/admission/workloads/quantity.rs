//! The little that admission has to know of quantities: which of two is larger, and whether one is whole.

use std::cmp::Ordering;

/// Compares two quantities; nothing when one of them is none.
pub(super) fn compare_quantities(a: &str, b: &str) -> Option<Ordering> {
    Some(nanos(a)?.cmp(&nanos(b)?))
}

/// Whether a quantity is a multiple of another; a quantity that is none is one of everything.
pub(super) fn is_multiple(value: &str, unit: &str) -> bool {
    match (nanos(value), nanos(unit)) {
        (Some(value), Some(unit)) if unit != 0 => value % unit == 0,
        _ => true,
    }
}

/// A quantity in billionths, rounded up. What does not fit is as large as can be.
pub(super) fn nanos(text: &str) -> Option<i128> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let (base, exponent) = factor(suffix)?;
    let digits = whole.bytes().chain(fraction.bytes());
    let mantissa = digits.fold(0_i128, |sum, digit| sum.saturating_mul(10).saturating_add(i128::from(digit - b'0')));
    let exponent = exponent + 9 - i32::try_from(fraction.len()).unwrap_or(i32::MAX / 2);
    let scaled = scale(mantissa.saturating_mul(base), exponent);
    Some(if negative { -scaled } else { scaled })
}

/// What a suffix multiplies by: a power of two and a power of ten.
fn factor(suffix: &str) -> Option<(i128, i32)> {
    const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    const DECIMAL: [(&str, i32); 10] =
        [("", 0), ("n", -9), ("u", -6), ("m", -3), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
    if let Some(power) = BINARY.iter().position(|&known| known == suffix) {
        return Some((1 << (10 * (power + 1)), 0));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        return Some((1, *exponent));
    }
    let digits = suffix.strip_prefix(['e', 'E'])?;
    Some((1, digits.parse::<i16>().ok()?.into()))
}

fn scale(value: i128, exponent: i32) -> i128 {
    let ten = |exponent: u32| 10_i128.checked_pow(exponent);
    match u32::try_from(exponent) {
        Ok(exponent) if value != 0 => ten(exponent).map_or(i128::MAX, |power| value.saturating_mul(power)),
        Ok(_) => 0,
        Err(_) => match ten(exponent.unsigned_abs()) {
            Some(power) => value / power + i128::from(value % power != 0),
            None => i128::from(value != 0),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn suffixes_count() {
        let cases = [
            ("1", "1000m", Ordering::Equal),
            ("0.5", "500m", Ordering::Equal),
            ("1Ki", "1024", Ordering::Equal),
            ("1Gi", "1G", Ordering::Greater),
            ("1e3", "1k", Ordering::Equal),
            ("1E", "1e18", Ordering::Equal),
            ("-1", "0", Ordering::Less),
            ("1.5Gi", "1536Mi", Ordering::Equal),
            ("100n", "1u", Ordering::Less),
        ];
        for (a, b, order) in cases {
            assert_eq!(compare_quantities(a, b), Some(order), "{a} {b}");
        }
        for wrong in ["", ".", "1.2.3", "one", "1Kb", "1e", "--1"] {
            assert_eq!(compare_quantities(wrong, "1"), None, "{wrong}");
        }
        assert!(is_multiple("2", "1") && !is_multiple("1500m", "1") && is_multiple("4Mi", "2Mi"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_compared(a in "\\PC*", b in "[0-9.]{0,60}[a-zA-Z]{0,2}-?[0-9]{0,6}") {
            compare_quantities(&a, &b);
            compare_quantities(&b, &a);
            is_multiple(&a, &b);
        }
    }
}
