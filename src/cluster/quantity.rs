//! Quantities such as `500m` and `1Gi`: exact to the nano, written as Kubernetes writes them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
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

    /// So many things.
    pub fn count(number: i64) -> Self {
        Self { nanos: i128::from(number) * NANOS, format: Format::DecimalSi }
    }

    /// So many thousandths, such as those of a core.
    pub fn thousandths(number: i128) -> Self {
        Self { nanos: number.saturating_mul(NANOS / 1000), format: Format::DecimalSi }
    }

    /// So many bytes, written with `Ki`, `Mi` and so on where that is exact.
    pub fn bytes(number: i128) -> Self {
        Self { nanos: number.saturating_mul(NANOS), format: Format::BinarySi }
    }

    /// The quantity in a member of an object, a text or a number; `None` when it is none.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.to_string().parse().ok(),
            _ => None,
        }
    }

    /// The amount in thousandths, rounded away from zero.
    pub fn in_thousandths(self) -> i128 {
        divide_up(self.nanos, NANOS / 1000)
    }

    /// The amount rounded away from zero, as far as 64 bits reach.
    pub fn value(self) -> i64 {
        let value = divide_up(self.nanos, NANOS).clamp(i64::MIN.into(), i64::MAX.into());
        i64::try_from(value).unwrap_or(i64::MAX)
    }

    /// The amount, near enough.
    pub fn as_f64(self) -> f64 {
        self.nanos as f64 / NANOS as f64
    }

    /// Rounded away from zero to thousandths, as amounts of resources are.
    #[must_use]
    pub fn rounded_to_milli(self) -> Self {
        Self { nanos: Self::thousandths(self.in_thousandths()).nanos, ..self }
    }

    /// Whether it is negative, zero or positive.
    pub fn sign(self) -> Ordering {
        self.nanos.cmp(&0)
    }

    /// Whether it has no fraction.
    pub fn is_whole(self) -> bool {
        self.nanos % NANOS == 0
    }

    /// Whether it is so many times a unit; nothing is a multiple of nothing.
    pub fn is_multiple_of(self, unit: Self) -> bool {
        self.nanos.checked_rem(unit.nanos) == Some(0)
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

/// Written as the first is, unless that is nothing; what is out of range is as far as can be.
impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let format = if self.nanos == 0 { other.format } else { self.format };
        Self { nanos: self.nanos.saturating_add(other.nanos), format }
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let format = if self.nanos == 0 { other.format } else { self.format };
        Self { nanos: self.nanos.saturating_sub(other.nanos), format }
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Default for Quantity {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<Quantity> for Value {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string().into()
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
        assert!("0e2147483647".parse::<Quantity>().is_ok_and(|zero| zero == Quantity::ZERO));
    }

    #[test]
    fn amounts_are_added_and_compared() {
        let of = |text: &str| text.parse::<Quantity>().expect(text);
        assert_eq!((of("1Gi") + of("512Mi")).to_string(), "1536Mi");
        assert_eq!((Quantity::ZERO + of("1Gi")).to_string(), "1Gi");
        assert_eq!((of("1") - of("250m")).to_string(), "750m");
        assert_eq!([of("250m"), of("2")].into_iter().sum::<Quantity>().to_string(), "2250m");
        assert!(of("1Gi") > of("1G") && of("1000m") == of("1") && of("-1").sign().is_lt());
        assert_eq!((of("1001u").value(), of("1001u").in_thousandths()), (1, 2));
        assert_eq!((of("-1500m").value(), of("-1001u").in_thousandths()), (-2, -2));
        assert_eq!(of("100u").rounded_to_milli().to_string(), "1m");
        assert_eq!(of("1e20").value(), i64::MAX);
        assert!(of("2k").is_whole() && !of("1500m").is_whole());
        assert!(of("4Mi").is_multiple_of(of("2Mi")) && !of("3Mi").is_multiple_of(of("2Mi")));
        assert!(!of("1").is_multiple_of(Quantity::ZERO));
        assert!((of("1.5Gi").as_f64() - 1_610_612_736.0).abs() < 1e-6);
        assert_eq!(Quantity::read(&serde_json::json!(2)), Some(Quantity::count(2)));
        assert_eq!(Quantity::read(&serde_json::json!([2])), None);
        assert_eq!(
            (Quantity::thousandths(250).to_string(), Quantity::thousandths(2000).to_string()),
            ("250m".into(), "2".into())
        );
        assert_eq!(
            (Quantity::bytes(64 << 20).to_string(), Quantity::bytes(1000).to_string()),
            ("64Mi".into(), "1k".into())
        );
    }

    #[test]
    fn what_is_out_of_range_stays_there() {
        let most = Quantity { nanos: i128::MAX, format: Format::DecimalSi };
        assert_eq!((most + most, Quantity::ZERO - most - most), (most, Quantity { nanos: i128::MIN, ..most }));
        assert_eq!(Quantity::thousandths(i128::MAX), most);
    }

    proptest! {
        #[test]
        fn printing_and_parsing_give_the_same(nanos in any::<i64>(), thousands in 0..4_u32, format in 0..3) {
            let formats = [Format::DecimalSi, Format::BinarySi, Format::DecimalExponent];
            let format = formats[format as usize];
            let quantity = Quantity { nanos: i128::from(nanos) * 1000_i128.pow(thousands), format };
            let text = quantity.to_string();
            prop_assert_eq!(text.parse(), Ok(quantity));
            // Without a suffix, nothing tells that it is a binary one.
            if format != Format::BinarySi || text.ends_with('i') {
                prop_assert_eq!(canonical(&text).map(Cow::into_owned), Ok(text));
            }
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
