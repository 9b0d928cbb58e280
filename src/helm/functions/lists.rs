//! Lists.

use super::{Answer, Arguments};
use crate::helm::template::value::Value;

/// Lists are no longer than this.
const MOST: usize = 100_000;

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    Some(match name {
        "list" | "tuple" => Ok(Value::list(args.all.to_vec())),
        "first" => args.list(0).map(|items| items.first().cloned().unwrap_or_default()),
        "last" => args.list(0).map(|items| items.last().cloned().unwrap_or_default()),
        "rest" => args.list(0).map(|items| Value::list(items.into_iter().skip(1).collect())),
        "initial" => args.list(0).map(|mut items| {
            items.pop();
            Value::list(items)
        }),
        "append" | "push" => args.list(0).and_then(|mut items| {
            items.push(args.at(1)?.clone());
            short(items)
        }),
        "prepend" => args.list(0).and_then(|mut items| {
            items.insert(0, args.at(1)?.clone());
            short(items)
        }),
        "concat" => (0..args.all.len())
            .try_fold(Vec::new(), |mut all, number| {
                all.extend(args.list(number)?);
                if all.len() > MOST { Err("the list would be too long".to_owned()) } else { Ok(all) }
            })
            .map(Value::list),
        "reverse" => args.list(0).map(|items| Value::list(items.into_iter().rev().collect())),
        "uniq" => args.list(0).map(|items| {
            let mut kept: Vec<Value> = Vec::new();
            for item in items {
                if !kept.iter().any(|known| is_same(known, &item)) {
                    kept.push(item);
                }
            }
            Value::list(kept)
        }),
        "without" => args.list(0).map(|items| {
            let unwanted = &args.all[1..];
            Value::list(items.into_iter().filter(|item| !unwanted.iter().any(|it| is_same(it, item))).collect())
        }),
        "has" if matches!(args.all.get(1), Some(Value::Nil)) => Ok(Value::Bool(false)),
        "has" => args.at(0).and_then(|wanted| Ok(Value::Bool(args.list(1)?.iter().any(|item| is_same(item, wanted))))),
        "slice" => args.list(0).and_then(|items| {
            let end = |number: usize, usual: usize| {
                args.all.get(number).map_or(Some(usual), |end| usize::try_from(end.to_int()).ok())
            };
            let within = end(1, 0).zip(end(2, items.len())).and_then(|(from, to)| items.get(from..to));
            let wrong = || "reflect.Value.Slice: slice index out of bounds".to_owned();
            within.map(|items| Value::list(items.to_vec())).ok_or_else(wrong)
        }),
        "compact" => args.list(0).map(|items| Value::list(items.into_iter().filter(Value::is_true).collect())),
        "all" => Ok(Value::Bool(args.all.iter().all(Value::is_true))),
        "any" => Ok(Value::Bool(args.all.iter().any(Value::is_true))),
        "until" => args.int(0).and_then(|end| steps(0, end, if end < 0 { -1 } else { 1 })),
        "untilStep" => args.int(0).and_then(|from| steps(from, args.int(1)?, args.int(2)?)),
        "seq" => seq(args),
        "chunk" => args.list(1).and_then(|items| {
            let size = args.size(0)?.max(1);
            Ok(Value::list(items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect()))
        }),
        _ => return None,
    })
}

fn short(items: Vec<Value>) -> Answer {
    if items.len() > MOST { Err("the list would be too long".to_owned()) } else { Ok(Value::list(items)) }
}

fn steps(from: i64, end: i64, step: i64) -> Answer {
    let mut all = Vec::new();
    let mut here = from;
    while step != 0 && ((step > 0 && here < end) || (step < 0 && here > end)) {
        if all.len() >= MOST {
            return Err(format!("more than {MOST} numbers"));
        }
        all.push(Value::Int(here));
        here = here.saturating_add(step);
    }
    Ok(Value::list(all))
}

/// Numbers with blanks between, as `seq` of the shell.
fn seq(args: &Arguments<'_>) -> Answer {
    let (from, step, to) = match args.all.len() {
        0 => return Ok(Value::text("")),
        1 => (1, if args.int(0)? < 1 { -1 } else { 1 }, args.int(0)?),
        2 => (args.int(0)?, if args.int(1)? < args.int(0)? { -1 } else { 1 }, args.int(1)?),
        _ => (args.int(0)?, args.int(1)?, args.int(2)?),
    };
    let Value::List(all) = steps(from, to.saturating_add(step.signum()), step)? else { return Ok(Value::Nil) };
    Ok(Value::text(all.iter().map(Value::print).collect::<Vec<_>>().join(" ")))
}

/// Whether two values are the same all the way down.
pub(super) fn is_same(a: &Value, b: &Value) -> bool {
    a.type_name() == b.type_name() && a.to_json() == b.to_json()
}
