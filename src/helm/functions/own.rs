//! Helm's own functions, and those that draw lots.

use super::{Arguments, Fault};
use crate::helm::template::run::Runner;
use crate::helm::template::value::Value;

pub(super) fn call(runner: &mut Runner<'_>, name: &str, args: &Arguments<'_>) -> Option<Result<Value, Fault>> {
    let texts = || Ok::<_, String>((args.text(0)?, args.at(1)?));
    Some(match name {
        "include" => texts().map_err(Fault::Says).and_then(|(name, data)| runner.include(&name, data).map(Value::text)),
        "tpl" => texts().map_err(Fault::Says).and_then(|(text, data)| runner.run_text(&text, data).map(Value::text)),
        "fail" => args.text(0).map_err(Fault::Says).and_then(|why| Err(Fault::Refused(why))),
        "required" => texts().map_err(Fault::Says).and_then(|(why, value)| match value {
            Value::Nil => Err(Fault::Refused(why)),
            Value::Text(text) if text.is_empty() => Err(Fault::Refused(why)),
            value => Ok(value.clone()),
        }),
        name => return drawn(runner, name, args).map(|answer| answer.map_err(Fault::Says)),
    })
}

fn drawn(runner: &mut Runner<'_>, name: &str, args: &Arguments<'_>) -> Option<Result<Value, String>> {
    Some(match name {
        "lookup" => args.text(0).and_then(|version| {
            let (kind, namespace, name) = (args.text(1)?, args.text(2)?, args.text(3)?);
            let found = (runner.lookup)(&version, &kind, &namespace, &name);
            Ok(if found.is_object() { Value::from_json(&found) } else { Value::map([]) })
        }),
        // Helm does not ask for addresses either, unless it is told to.
        "getHostByName" => Ok(Value::text("")),
        "randAlphaNum" | "randAlpha" | "randNumeric" | "randAscii" | "randBytes" => {
            args.size(0).map(|size| Value::text(random(runner, name, size.min(4096))))
        }
        "randInt" => args.int(0).and_then(|from| {
            let span = args.int(1)?.saturating_sub(from).max(1);
            let drawn = i64::try_from(draw(runner) >> 1).unwrap_or(0);
            Ok(Value::Int(from.saturating_add(drawn % span)))
        }),
        "uuidv4" => {
            let (a, b) = (draw(runner), draw(runner));
            Ok(Value::text(format!(
                "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                a >> 32,
                (a >> 16) & 0xffff,
                a & 0xfff,
                0x8000 | ((b >> 48) & 0x3fff),
                b & 0xffff_ffff_ffff
            )))
        }
        _ => return None,
    })
}

/// The next number of the chart's own: the same seed gives the same release.
fn draw(runner: &mut Runner<'_>) -> u64 {
    runner.drawn += 1;
    let mut x = runner.seed.wrapping_add(runner.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn random(runner: &mut Runner<'_>, name: &str, size: usize) -> String {
    const ALL: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letters: Vec<char> = match name {
        "randNumeric" => ALL[..10].chars().collect(),
        "randAlpha" => ALL[10..].chars().collect(),
        _ => ALL.chars().collect(),
    };
    let count = u64::try_from(letters.len()).unwrap_or(1);
    (0..size).filter_map(|_| letters.get(usize::try_from(draw(runner) % count).unwrap_or(0))).collect()
}
