//! Decimal numbers, with which sprig counts where binary ones would show their rounding.

use crate::helm::template::value::float;

/// A whole number of units of a power of ten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    units: i128,
    /// How many digits are behind the point.
    places: u32,
}

/// How many digits a division gives behind the point.
const PRECISION: u32 = 16;

impl Decimal {
    /// The number that is written for a float; none when it has too many digits.
    pub(super) fn of(number: f64) -> Option<Self> {
        let text = float(number);
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let power: i32 = power.parse().ok()?;
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let units: i128 = format!("{whole}{part}").parse().ok()?;
        let places = i32::try_from(part.len()).ok()? - power;
        match u32::try_from(places) {
            Ok(places) => Some(Self { units, places }),
            Err(_) => Some(Self { units: units.checked_mul(ten(places.unsigned_abs())?)?, places: 0 }),
        }
    }

    /// Both with as many places.
    fn level(self, other: Self) -> Option<(i128, i128, u32)> {
        let places = self.places.max(other.places);
        let of = |it: Self| it.units.checked_mul(ten(places - it.places)?);
        Some((of(self)?, of(other)?, places))
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        let (a, b, places) = self.level(other)?;
        Some(Self { units: a.checked_add(b)?, places })
    }

    pub(super) fn sub(self, other: Self) -> Option<Self> {
        self.add(Self { units: other.units.checked_neg()?, ..other })
    }

    pub(super) fn mul(self, other: Self) -> Option<Self> {
        Some(Self { units: self.units.checked_mul(other.units)?, places: self.places.checked_add(other.places)? })
    }

    /// The quotient, rounded; none for a division by zero.
    pub(super) fn div(self, other: Self) -> Option<Self> {
        let (a, b, _) = self.level(other)?;
        let scaled = a.checked_mul(ten(PRECISION)?)?;
        let (quotient, rest) = (scaled.checked_div(b)?, scaled.checked_rem(b)?);
        let up = rest.checked_abs()?.checked_mul(2)? >= b.checked_abs()?;
        let away = if (scaled < 0) == (b < 0) { 1 } else { -1 };
        Some(Self { units: if up { quotient + away } else { quotient }, places: PRECISION })
    }

    /// The nearest float.
    pub(super) fn float(self) -> f64 {
        format!("{}e-{}", self.units, self.places).parse().unwrap_or(f64::NAN)
    }
}

fn ten(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}
