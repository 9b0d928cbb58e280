//! Quantities such as `500m` and `1Gi`: exact to the nano, written as Kubernetes writes them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

const NANOS: i128 = 1_000_000_000;
const DECIMAL: [(&str, i64); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
/// The suffix of 1024, of its square …
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// The digits up to which Kubernetes reads a number without big arithmetic, and may keep it as it was written.
const FEW_DIGITS: usize = 18;

/// A quantity. Two are equal when they are the same amount, however they are written.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// How a quantity is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `12M`.
    DecimalSi,
    /// `12Mi`.
    BinarySi,
    /// `12e6`.
    DecimalExponent,
}

/// Why a text is no quantity; the texts are Kubernetes'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not look like one.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// There is no such suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// It is beyond 10^29, which nothing in a cluster is.
    #[error("unable to parse numeric part of quantity")]
    Range,
}

/// A text taken apart: `-12.50Mi` is negative, `12`, `50` and `Mi`.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let negative = text.starts_with('-');
        let text = text.strip_prefix(['-', '+']).unwrap_or(text).trim_start_matches('0');
        let (whole, rest) = split_digits(text);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        let exponent = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self { negative, whole, fraction, suffix })
        } else {
            Err(QuantityError::Format)
        }
    }

    /// The format that the suffix tells, and the power of ten or of 1024 that it stands for.
    fn scale(&self) -> Result<(Format, i64), QuantityError> {
        if let Some((_, exponent)) = DECIMAL.iter().find(|(suffix, _)| *suffix == self.suffix) {
            return Ok((Format::DecimalSi, *exponent));
        }
        if let Some(index) = BINARY.iter().position(|suffix| *suffix == self.suffix) {
            return Ok((Format::BinarySi, index as i64 + 1));
        }
        let exponent = self.suffix.strip_prefix(['e', 'E']).and_then(|exponent| exponent.parse::<i32>().ok());
        exponent.map(|exponent| (Format::DecimalExponent, exponent.into())).ok_or(QuantityError::Suffix)
    }

    fn digits(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes()).map(|digit| digit - b'0')
    }

    /// Whether Kubernetes takes the text for canonical without looking closer (it is not always: `1.500`).
    fn is_kept(&self, format: Format, scale: i64) -> bool {
        let digits = self.whole.len().max(1) + self.fraction.len();
        if format == Format::BinarySi {
            let few = digits as i64 + 3 * scale < 15;
            return few && self.fraction.is_empty() && self.whole.parse::<u64>().is_ok_and(|whole| whole % 8 != 0);
        }
        let scale = scale - self.fraction.len() as i64;
        let thousands = digits >= 3 && self.digits().rev().take(3).all(|digit| digit == 0);
        digits <= FEW_DIGITS && scale >= -9 && scale % 3 == 0 && !self.whole.is_empty() && !thousands
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// `digits`, the last `behind` of which are behind the point, times a power of ten and of 1024, in nanos, rounded up.
fn nanos(digits: Vec<u8>, behind: usize, tens: i64, kilos: i64) -> Option<i128> {
    let digits = (0..kilos).fold(digits, |digits, _| times_1024(&digits));
    if digits.iter().all(|digit| *digit == 0) {
        return Some(0);
    }
    let kept = usize::try_from((digits.len() as i64) - (behind as i64) + tens + 9).unwrap_or(0);
    let rest = digits.get(kept..).is_some_and(|rest| rest.iter().any(|digit| *digit != 0));
    let mut sum = 0_i128;
    for digit in digits.into_iter().chain(std::iter::repeat(0)).take(kept) {
        sum = sum.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some(sum + i128::from(rest))
}

fn times_1024(digits: &[u8]) -> Vec<u8> {
    let mut carry = 0_u32;
    let mut product: Vec<u8> = Vec::with_capacity(digits.len() + 4);
    for digit in digits.iter().rev() {
        carry += u32::from(*digit) * 1024;
        product.push((carry % 10) as u8);
        carry /= 10;
    }
    while carry > 0 {
        product.push((carry % 10) as u8);
        carry /= 10;
    }
    product.reverse();
    product
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let parts = Parts::of(text)?;
        let (mut format, scale) = parts.scale()?;
        let binary = format == Format::BinarySi;
        let (tens, kilos) = if binary { (0, scale) } else { (scale, 0) };
        let digits = parts.digits().collect();
        let nanos = match nanos(digits, parts.fraction.len(), tens, kilos) {
            Some(nanos) if binary => nanos.min(i128::from(i64::MAX) * NANOS),
            Some(nanos) => nanos,
            None if binary => i128::from(i64::MAX) * NANOS,
            None => return Err(QuantityError::Range),
        };
        if binary && nanos < NANOS {
            format = Format::DecimalSi;
        }
        Ok(Self { nanos: if parts.negative { -nanos } else { nanos }, format })
    }
}

/// The text that the server keeps of a quantity.
///
/// # Errors
/// When it is none.
pub fn canonical(text: &str) -> Result<Cow<'_, str>, QuantityError> {
    let parts = Parts::of(text)?;
    let (format, scale) = parts.scale()?;
    if parts.is_kept(format, scale) {
        return Ok(Cow::Borrowed(text));
    }
    text.parse::<Quantity>().map(|quantity| Cow::Owned(quantity.to_string()))
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, format: Format::DecimalSi };

    /// A whole amount.
    pub fn whole(amount: i64, format: Format) -> Self {
        Self { nanos: i128::from(amount) * NANOS, format }
    }

    /// So many thousandths.
    pub fn milli(amount: i64) -> Self {
        Self { nanos: i128::from(amount) * (NANOS / 1000), format: Format::DecimalSi }
    }

    /// The quantity in a member of an object: a text or a number.
    ///
    /// # Errors
    /// When it is neither, or the text is no quantity.
    pub fn of(value: &Value) -> Result<Self, QuantityError> {
        match value {
            Value::String(text) => text.trim().parse(),
            Value::Number(number) => number.to_string().parse(),
            _ => Err(QuantityError::Format),
        }
    }

    /// The amount rounded away from zero; `None` when it is beyond 64 bits.
    pub fn value(self) -> Option<i64> {
        i64::try_from(divide_up(self.nanos, NANOS)).ok()
    }

    /// The amount in thousandths, rounded away from zero; `None` when it is beyond 64 bits.
    pub fn milli_value(self) -> Option<i64> {
        i64::try_from(divide_up(self.nanos, NANOS / 1000)).ok()
    }

    /// Rounded away from zero to thousandths, as amounts of resources are.
    #[must_use]
    pub fn rounded_to_milli(self) -> Self {
        let unit = NANOS / 1000;
        Self { nanos: divide_up(self.nanos, unit).saturating_mul(unit), ..self }
    }

    /// The sum, in the format of the first unless that is zero; `None` when it is out of range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let format = if self.is_zero() { other.format } else { self.format };
        Some(Self { nanos: self.nanos.checked_add(other.nanos)?, format })
    }

    /// The difference, in the format of the first unless that is zero; `None` when it is out of range.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { nanos: other.nanos.checked_neg()?, ..other })
    }

    /// So many times the amount; `None` when it is out of range.
    pub fn checked_mul(self, factor: i64) -> Option<Self> {
        Some(Self { nanos: self.nanos.checked_mul(factor.into())?, ..self })
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    fn write_decimal(self, out: &mut fmt::Formatter<'_>, exponents: bool) -> fmt::Result {
        let (mut amount, mut exponent) = (self.nanos, -9);
        while amount % 1000 == 0 && (exponents || exponent < 18) {
            amount /= 1000;
            exponent += 3;
        }
        if exponents && exponent != 0 {
            return write!(out, "{amount}e{exponent}");
        }
        let suffix = DECIMAL.iter().find(|(_, known)| *known == exponent).map_or("", |(suffix, _)| suffix);
        write!(out, "{amount}{suffix}")
    }
}

/// Divided and rounded away from zero.
fn divide_up(amount: i128, by: i128) -> i128 {
    amount / by + (amount % by).signum()
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.nanos / NANOS;
        if self.nanos == 0 {
            return out.write_str("0");
        }
        if self.format != Format::BinarySi || self.nanos % NANOS != 0 || whole.abs() < 1024 {
            return self.write_decimal(out, self.format == Format::DecimalExponent);
        }
        let (mut amount, mut suffix) = (whole, "");
        for larger in BINARY {
            if amount % 1024 != 0 {
                break;
            }
            amount /= 1024;
            suffix = larger;
        }
        write!(out, "{amount}{suffix}")
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_become_canonical() {
        let cases = [
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1000000k", "1G"),
            ("500m", "500m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1.5", "1500m"),
            ("1.500", "1.500"),
            ("100", "100"),
            ("1000", "1k"),
            ("128Mi", "128Mi"),
            ("1025Ki", "1025Ki"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("0.1Ki", "102400m"),
            ("2000Ki", "2000Ki"),
            ("1e3", "1e3"),
            ("1000e0", "1e3"),
            ("12e5", "1200e3"),
            ("1E", "1E"),
            ("0", "0"),
            ("0Gi", "0"),
            ("-0", "0"),
            ("-1.5", "-1500m"),
            ("0.0000000001", "1n"),
            ("1n", "1n"),
            ("9Ei", "9223372036854775807"),
            ("1000E", "1000E"),
            ("1e-3", "1e-3"),
            (".5", "500m"),
            ("5.", "5."),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn texts_that_are_none_are_refused() {
        let format = ["", "abc", "1GB", "1 Gi", "1.5.5", "x1", "1e3x", "1+-1", "é"];
        for text in format {
            assert_eq!(text.parse::<Quantity>(), Err(QuantityError::Format), "{text}");
        }
        for text in ["1K", "1mi", "1Gm", "1e", "1e99999999999"] {
            assert_eq!(text.parse::<Quantity>(), Err(QuantityError::Suffix), "{text}");
        }
        assert_eq!("1e40".parse::<Quantity>(), Err(QuantityError::Range));
        assert!("0e2147483647".parse::<Quantity>().is_ok_and(Quantity::is_zero));
    }

    #[test]
    fn amounts_are_added_and_compared() {
        let of = |text: &str| text.parse::<Quantity>().expect(text);
        assert_eq!(of("1Gi").checked_add(of("512Mi")).map(|sum| sum.to_string()), Some("1536Mi".into()));
        assert_eq!(Quantity::ZERO.checked_add(of("1Gi")).map(|sum| sum.to_string()), Some("1Gi".into()));
        assert_eq!(of("1").checked_sub(of("250m")).map(|rest| rest.to_string()), Some("750m".into()));
        assert_eq!(of("250m").checked_mul(4).map(|product| product.to_string()), Some("1".into()));
        assert!(of("1Gi") > of("1G") && of("1000m") == of("1") && of("-1").is_negative());
        assert_eq!((of("1001u").value(), of("1001u").milli_value()), (Some(1), Some(2)));
        assert_eq!(of("-1001u").milli_value(), Some(-2));
        assert_eq!(of("100u").rounded_to_milli().to_string(), "1m");
        assert_eq!(of("1e20").value(), None);
        assert_eq!(Quantity::of(&serde_json::json!(2)).map(|two| two.to_string()), Ok("2".into()));
        assert_eq!(Quantity::milli(1500), of("1.5"));
        assert_eq!(Quantity::whole(2048, Format::BinarySi).to_string(), "2Ki");
    }

    proptest! {
        #[test]
        fn printing_and_parsing_give_the_same(nanos in any::<i64>(), thousands in 0..4_u32, format in 0..3) {
            let formats = [Format::DecimalSi, Format::BinarySi, Format::DecimalExponent];
            let format = formats[format as usize];
            let quantity = Quantity { nanos: i128::from(nanos) * 1000_i128.pow(thousands), format };
            let text = quantity.to_string();
            prop_assert_eq!(text.parse(), Ok(quantity));
            prop_assert_eq!(canonical(&text).map(Cow::into_owned), Ok(text));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.eEinumkKMGTP]{0,12}") {
            if let Ok(quantity) = text.parse::<Quantity>() {
                prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
                prop_assert_eq!(canonical(&text).ok().and_then(|text| text.parse().ok()), Some(quantity));
            }
        }
    }
}
