//! Quantities as `500m`, `64Mi` or `1e3`: enough arithmetic to compare and to sum them.

/// What a suffix multiplies by, in thousandths.
const SUFFIXES: [(&str, i128); 17] = [
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("Ei", 1000 << 60),
    ("m", 1),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000),
    ("u", 0),
    ("n", 0),
    ("e", 0),
    ("", 1000),
];

/// No quantity counts for more than this.
const MOST: i128 = 1_000_000_000_000_000_000_000_000_000_000;

/// A quantity in thousandths, rounded up; `None` when it is none.
pub(crate) fn thousandths(text: &str) -> Option<i128> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let exponent = suffix.strip_prefix(['e', 'E']).and_then(|power| power.parse::<i32>().ok());
    match (suffix, exponent) {
        (_, Some(power)) => scaled(number, 1000, power.clamp(-30, 21)),
        ("u", _) => scaled(number, 1, -3),
        ("n", _) => scaled(number, 1, -6),
        _ => {
            let (_, factor) = SUFFIXES.iter().find(|(name, factor)| *name == suffix && *factor > 0)?;
            scaled(number, *factor, 0)
        }
    }
}

/// `number * factor * 10^power`, rounded away from zero.
fn scaled(number: &str, factor: i128, power: i32) -> Option<i128> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || digits.len() > 24 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i128>().ok()?.checked_mul(factor)?;
    let power = power - i32::try_from(part.len()).ok()?;
    let ten = 10i128.checked_pow(power.unsigned_abs())?;
    let value = if power < 0 { value.checked_add(ten - 1)? / ten } else { value.checked_mul(ten)? };
    // Sums of many have to stay within bounds.
    Some(value.min(MOST) * sign)
}

/// A sum of cores: `250m`, `2`.
pub(crate) fn cores(thousandths: i128) -> String {
    if thousandths % 1000 == 0 { (thousandths / 1000).to_string() } else { format!("{thousandths}m") }
}

/// A sum of bytes, with the largest binary suffix that leaves a whole number.
pub(crate) fn bytes(thousandths: i128) -> String {
    let bytes = (thousandths + 999).div_euclid(1000);
    let units = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let fits = |power: usize| bytes != 0 && bytes % (1i128 << (10 * power)) == 0;
    let power = (1..units.len()).rev().find(|&power| fits(power)).unwrap_or(0);
    format!("{}{}", bytes >> (10 * power), units[power])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read() {
        let cases = [
            ("1", Some(1000)),
            ("500m", Some(500)),
            ("0.5", Some(500)),
            ("1.5Gi", Some(1_610_612_736_000)),
            ("64Mi", Some(67_108_864_000)),
            ("2k", Some(2_000_000)),
            ("1e3", Some(1_000_000)),
            ("1E2", Some(100_000)),
            ("1E", Some(1_000_000_000_000_000_000_000)),
            ("100u", Some(1)),
            ("1n", Some(1)),
            ("-1", Some(-1000)),
            ("", None),
            ("Mi", None),
            ("1.2.3", None),
            ("1Xi", None),
            ("99999999999999999999999999", None),
            ("99999999999999999E", Some(MOST)),
        ];
        for (text, expected) in cases {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }

    #[test]
    fn sums_are_written() {
        assert_eq!(cores(250), "250m");
        assert_eq!(cores(2000), "2");
        assert_eq!(bytes(67_108_864_000), "64Mi");
        assert_eq!(bytes(1000), "1");
        assert_eq!(bytes(0), "0");
        assert_eq!(bytes(1_610_612_736_000), "1536Mi");
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[-+0-9.eEKMGTPimnuk]{0,40}") {
            let _ = thousandths(&text);
        }
    }
}
