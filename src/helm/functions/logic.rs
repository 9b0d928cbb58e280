//! Defaults, choices and types.

use super::{Answer, Arguments};
use crate::helm::template::value::Value;

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    Some(match name {
        "default" => args.at(0).map(|fallback| match args.all.get(1) {
            Some(value) if value.is_true() => value.clone(),
            _ => fallback.clone(),
        }),
        "empty" => args.at(0).map(|value| Value::Bool(!value.is_true())),
        "coalesce" => Ok(args.all.iter().find(|value| value.is_true()).cloned().unwrap_or_default()),
        "ternary" => args.at(2).and_then(|choice| args.at(usize::from(!choice.is_true())).cloned()),
        "typeOf" => args.at(0).map(|value| Value::text(value.type_name())),
        "kindOf" => args.at(0).map(|value| Value::text(value.kind_name())),
        "typeIs" | "typeIsLike" => args.text(0).and_then(|wanted| {
            let name = args.at(1)?.type_name();
            Ok(Value::Bool(name == wanted || (args.name == "typeIsLike" && wanted.strip_prefix('*') == Some(name))))
        }),
        "kindIs" => args.text(0).and_then(|wanted| Ok(Value::Bool(args.at(1)?.kind_name() == wanted))),
        _ => return None,
    })
}
