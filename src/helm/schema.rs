//! `values.schema.json`: what a schema refuses, in the words of the library that Helm uses.
//!
//! Known are types, `enum`, `const`, bounds, lengths, patterns, lists, properties, `$ref` within the schema, `allOf`,
//! `anyOf`, `oneOf`, `not` and `if`. Anything else is not looked at: what it would refuse passes here.

use regex::Regex;
use serde_json::Value as Json;

use crate::cluster::object::{list, map, text};

/// Deeper schemas are not looked at.
const DEEPEST: usize = 50;

/// What values have that a schema refuses.
pub(super) fn findings(schema: &Json, values: &Json) -> Vec<String> {
    let mut check = Check { root: schema, found: Vec::new(), steps: 0 };
    check.value(schema, values, "", 0);
    check.found
}

struct Check<'a> {
    root: &'a Json,
    found: Vec<String>,
    steps: usize,
}

/// How many schemas are looked at for one chart: references may point at each other.
const MOST_STEPS: usize = 100_000;

impl<'a> Check<'a> {
    fn say(&mut self, path: &str, message: &str) {
        self.found.push(format!("{}: {message}", shown(path)));
    }

    /// What a schema refuses, without saying it.
    fn quietly(&mut self, schema: &'a Json, value: &Json, path: &str, depth: usize) -> Vec<String> {
        let before = std::mem::take(&mut self.found);
        self.value(schema, value, path, depth + 1);
        std::mem::replace(&mut self.found, before)
    }

    fn value(&mut self, schema: &'a Json, value: &Json, path: &str, depth: usize) {
        self.steps += 1;
        if depth > DEEPEST || self.steps > MOST_STEPS {
            return;
        }
        if *schema == Json::Bool(false) {
            return self.say(path, "False always fails validation");
        }
        if let Some(pointer) = schema.get("$ref").and_then(Json::as_str) {
            let found = pointer.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return found.map_or((), |schema| self.value(schema, value, path, depth + 1));
        }
        if !self.is_typed(schema, value, path) {
            return;
        }
        self.combined(schema, value, path, depth);
        self.chosen(schema, value, path);
        self.number(schema, value, path);
        self.text(schema, value, path);
        self.list(schema, value, path, depth);
        self.members(schema, value, path, depth);
    }

    fn is_typed(&mut self, schema: &Json, value: &Json, path: &str) -> bool {
        let wanted: Vec<&str> = match schema.get("type") {
            Some(Json::String(one)) => vec![one],
            Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).collect(),
            _ => return true,
        };
        let is = type_of(value);
        if wanted.iter().any(|wanted| is == *wanted || (*wanted == "number" && is == "integer")) {
            return true;
        }
        let names = if let [one] = wanted.as_slice() { (*one).to_owned() } else { format!("[{}]", wanted.join(",")) };
        self.say(path, &format!("Invalid type. Expected: {names}, given: {is}"));
        false
    }

    fn combined(&mut self, schema: &'a Json, value: &Json, path: &str, depth: usize) {
        for (word, message) in [
            ("oneOf", "Must validate one and only one schema (oneOf)"),
            ("anyOf", "Must validate at least one schema (anyOf)"),
            ("allOf", "Must validate all the schemas (allOf)"),
        ] {
            let Some(all) = schema.get(word).and_then(Json::as_array) else { continue };
            let answers: Vec<Vec<String>> = all.iter().map(|it| self.quietly(it, value, path, depth)).collect();
            let good = answers.iter().filter(|answer| answer.is_empty()).count();
            let fine = match word {
                "oneOf" => good == 1,
                "anyOf" => good > 0,
                _ => good == answers.len(),
            };
            if fine {
                continue;
            }
            self.say(path, message);
            match word {
                // The nearest is told: the one with the least that is wrong.
                "allOf" => self.found.extend(answers.into_iter().flatten()),
                _ if good == 0 => self.found.extend(answers.into_iter().min_by_key(Vec::len).into_iter().flatten()),
                _ => {}
            }
        }
        if let Some(not) = schema.get("not")
            && self.quietly(not, value, path, depth).is_empty()
        {
            self.say(path, "Must not validate the schema (not)");
        }
        if let Some(condition) = schema.get("if") {
            let holds = self.quietly(condition, value, path, depth).is_empty();
            let (word, message) = if holds {
                ("then", "Must validate \"then\" as \"if\" was valid")
            } else {
                ("else", "Must validate \"else\" as \"if\" was not valid")
            };
            let wrong = schema.get(word).map(|schema| self.quietly(schema, value, path, depth)).unwrap_or_default();
            if !wrong.is_empty() {
                self.say(path, message);
                self.found.extend(wrong);
            }
        }
    }

    fn chosen(&mut self, schema: &Json, value: &Json, path: &str) {
        let field = shown(path);
        if let Some(wanted) = schema.get("const").filter(|wanted| !is_same(wanted, value)) {
            self.say(path, &format!("{field} does not match: {wanted}"));
        }
        let all = schema.get("enum").and_then(Json::as_array);
        if let Some(all) = all.filter(|all| !all.iter().any(|one| is_same(one, value))) {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            self.say(path, &format!("{field} must be one of the following: {}", all.join(", ")));
        }
    }

    fn number(&mut self, schema: &Json, value: &Json, path: &str) {
        let Some(number) = value.as_f64() else { return };
        let bound = |word: &str| schema.get(word).and_then(Json::as_f64);
        if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0 && (number / step).fract() != 0.0) {
            self.say(path, &format!("Must be a multiple of {step}"));
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            self.say(path, &format!("Must be less than or equal to {most}"));
        }
        if let Some(most) = bound("exclusiveMaximum").filter(|most| number >= *most) {
            self.say(path, &format!("Must be less than {most}"));
        }
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            self.say(path, &format!("Must be greater than or equal to {least}"));
        }
        if let Some(least) = bound("exclusiveMinimum").filter(|least| number <= *least) {
            self.say(path, &format!("Must be greater than {least}"));
        }
    }

    fn text(&mut self, schema: &Json, value: &Json, path: &str) {
        let Some(words) = value.as_str() else { return };
        let bound = |word: &str| schema.get(word).and_then(Json::as_u64);
        let length = u64::try_from(words.chars().count()).unwrap_or(u64::MAX);
        if let Some(least) = bound("minLength").filter(|least| length < *least) {
            self.say(path, &format!("String length must be greater than or equal to {least}"));
        }
        if let Some(most) = bound("maxLength").filter(|most| length > *most) {
            self.say(path, &format!("String length must be less than or equal to {most}"));
        }
        let pattern = text(schema, &["pattern"]);
        if Regex::new(pattern).is_ok_and(|regex| !regex.is_match(words)) {
            self.say(path, &format!("Does not match pattern '{pattern}'"));
        }
    }

    fn list(&mut self, schema: &'a Json, value: &Json, path: &str, depth: usize) {
        let Some(items) = value.as_array() else { return };
        let bound = |word: &str| schema.get(word).and_then(Json::as_u64);
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        match schema.get("items") {
            Some(Json::Array(schemas)) => {
                for (number, (item, schema)) in items.iter().zip(schemas).enumerate() {
                    self.value(schema, item, &below(path, &number.to_string()), depth + 1);
                }
            }
            Some(schema) => {
                for (number, item) in items.iter().enumerate() {
                    self.value(schema, item, &below(path, &number.to_string()), depth + 1);
                }
            }
            None => {}
        }
        if let Some(least) = bound("minItems").filter(|least| count < *least) {
            self.say(path, &format!("Array must have at least {least} items"));
        }
        if let Some(most) = bound("maxItems").filter(|most| count > *most) {
            self.say(path, &format!("Array must have at most {most} items"));
        }
        if schema.get("uniqueItems") == Some(&Json::Bool(true)) {
            let again = items.iter().enumerate().find_map(|(second, item)| {
                items.iter().take(second).position(|known| is_same(known, item)).map(|first| (first, second))
            });
            if let Some((first, second)) = again {
                self.say(path, &format!("array items[{first},{second}] must be unique"));
            }
        }
    }

    fn members(&mut self, schema: &'a Json, value: &Json, path: &str, depth: usize) {
        let Some(members) = value.as_object() else { return };
        for wanted in list(schema, &["required"]).iter().filter_map(Json::as_str) {
            if !members.contains_key(wanted) {
                self.say(path, &format!("{wanted} is required"));
            }
        }
        let known = map(schema, &["properties"]);
        let patterns: Vec<(Regex, &Json)> = map(schema, &["patternProperties"])
            .into_iter()
            .flatten()
            .filter_map(|(pattern, schema)| Some((Regex::new(pattern).ok()?, schema)))
            .collect();
        for (key, member) in members {
            let place = below(path, key);
            let mut is_known = false;
            if let Some(schema) = known.and_then(|known| known.get(key)) {
                is_known = true;
                self.value(schema, member, &place, depth + 1);
            }
            for (_, schema) in patterns.iter().filter(|(pattern, _)| pattern.is_match(key)) {
                is_known = true;
                self.value(schema, member, &place, depth + 1);
            }
            match schema.get("additionalProperties") {
                _ if is_known => {}
                Some(Json::Bool(false)) => {
                    self.say(path, &format!("Additional property {key} is not allowed"));
                }
                Some(schema @ Json::Object(_)) => self.value(schema, member, &place, depth + 1),
                _ => {}
            }
        }
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "(root)" } else { path }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Numbers are the same however they are written.
fn is_same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
