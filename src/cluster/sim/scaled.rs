//! Numbers of the API: those of 32 bits, and those that may be given as a share, as `maxSurge: 25%`.

use serde_json::Value;

use crate::cluster::object::int;

/// A number that the API keeps in 32 bits: so many can be added up without care.
pub(crate) fn to_int32(number: i64) -> i64 {
    number.clamp(i64::from(i32::MIN), i64::from(i32::MAX))
}

/// Such a number at a path.
pub(crate) fn int32(value: &Value, path: &[&str]) -> Option<i64> {
    int(value, path).map(to_int32)
}

/// A whole number as it is, a percentage as its share of `total`, anything else as nothing.
pub(crate) fn scaled(value: Option<&Value>, total: i64, round_up: bool) -> i64 {
    let number = match value {
        Some(Value::String(text)) => {
            let percent = text.strip_suffix('%').and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
            let share = percent.saturating_mul(total);
            if round_up { share.saturating_add(99).div_euclid(100) } else { share.div_euclid(100) }
        }
        Some(value) => value.as_i64().unwrap_or(0),
        None => 0,
    };
    to_int32(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shares_are_rounded() {
        for (value, total, up, down) in [
            (json!(3), 10, 3, 3),
            (json!("25%"), 10, 3, 2),
            (json!("25%"), 4, 1, 1),
            (json!("0%"), 4, 0, 0),
            (json!("100%"), 7, 7, 7),
            (json!("many"), 7, 0, 0),
            (json!(null), 7, 0, 0),
            (json!("9223372036854775807%"), 7, i64::from(i32::MAX), i64::from(i32::MAX)),
        ] {
            assert_eq!((scaled(Some(&value), total, true), scaled(Some(&value), total, false)), (up, down), "{value}");
        }
        assert_eq!(scaled(None, 5, true), 0);
    }
}
