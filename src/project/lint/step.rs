//! Rules about fences that can be run: languages, attributes, names.

use crate::deck::panel::options::is_name;
use crate::deck::step::{ATTRIBUTES, LANGUAGES, OF_CODE, StepText};
use crate::diagnostic::{Code, Diagnostic, Span, closest};

use super::panel::{Names, unclosed};

/// What is wrong with a step's words.
pub(super) fn mistakes(text: &StepText, line: usize, names: &mut Names, found: &mut Vec<Diagnostic>) {
    found.extend(text.unclosed.iter().map(|span| unclosed("step/bad-value", *span)));
    if !text.can_run() {
        let message = format!("code in `{}` cannot be run", text.language);
        let hint = format!("languages that can: {}", LANGUAGES.join(", "));
        found.push(Diagnostic::warning(Code("step/language"), message).at(text.span).hint(hint));
        return;
    }
    for attribute in &text.attributes {
        let key = attribute.key.as_str();
        match ATTRIBUTES.iter().find(|(known, _)| *known == key) {
            None if OF_CODE.contains(&key) => {}
            None => found.push(unknown(key, attribute.span)),
            Some((_, takes)) if !takes.accepts(&attribute.value) => {
                let message = format!("`{key}` takes {}, not `{}`", takes.expected(), attribute.value);
                let finding = Diagnostic::warning(Code("step/bad-value"), message).at(attribute.span);
                found.push(finding.hint("the attribute has no effect; `foredeck docs steps` tells what it is for"));
            }
            Some(_) => {}
        }
    }
    let name = text.attributes.iter().rev().find(|attribute| attribute.key == "name" && is_name(&attribute.value));
    if let Some(name) = name
        && let Some(first) = names.taken(&name.value, line)
    {
        let message = format!("there is already a step `{}`, in line {first}", name.value);
        let finding = Diagnostic::error(Code("step/duplicate-name"), message).at(name.span);
        found.push(finding.hint("give it another name, or none; the name counts for the first one only"));
    }
}

fn unknown(key: &str, span: Span) -> Diagnostic {
    let known = || ATTRIBUTES.iter().map(|(key, _)| *key);
    let hint = match closest(key, known()) {
        Some(like) => format!("did you mean `{like}`?"),
        None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("a step has no attribute `{key}`");
    Diagnostic::warning(Code("step/unknown-attribute"), message).at(span).hint(hint)
}
