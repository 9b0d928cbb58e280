//! Checking a value against a schema, with the texts of Kubernetes' validator.

use serde_json::{Number, Value};

use super::super::schema::{Additional, Kind, List, Schema, key_of};
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::api::table::{go_json, go_number, go_quoted};

/// What is wrong with a value that is the whole object, unless it was so before.
pub(super) fn errors(schema: &Schema, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
    check(schema, value, old, "").errors
}

/// The same of a value inside an object, which is at a path.
pub(in super::super) fn errors_at(schema: &Schema, value: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = check(schema, value, None, "").errors;
    for error in &mut errors {
        error.field = match error.field.as_str() {
            "<nil>" | "" => path.to_owned(),
            field => format!("{path}.{field}"),
        };
    }
    errors
}

/// Errors, and how many checks were made: of alternatives, the errors of the one that went furthest are shown.
#[derive(Default)]
struct Outcome {
    errors: Vec<FieldError>,
    checks: usize,
}

impl Outcome {
    fn add(&mut self, error: FieldError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn merge(&mut self, other: Self) {
        other.errors.into_iter().for_each(|error| self.add(error));
        self.checks += other.checks;
    }

    fn passed(&self) -> bool {
        self.errors.is_empty()
    }
}

/// A place in the object: the path so far, empty at the root.
struct Place<'a> {
    path: &'a str,
}

impl Place<'_> {
    /// The path as the field of an error.
    fn field(&self) -> String {
        match self.path.strip_prefix('.').unwrap_or(self.path) {
            "" => "<nil>".to_owned(),
            path => path.to_owned(),
        }
    }

    fn invalid(&self, value: impl Into<Value>, what: &str) -> FieldError {
        FieldError::invalid(self.field(), value, format!("{} in body {what}", self.path))
    }

    /// The value has another type, or text another format; `found` is what is said of it.
    fn wrong_type(&self, wanted: &str, found: &str) -> FieldError {
        let hint = format!("{} in body must be of type {wanted}: {}", self.path, go_quoted(found));
        FieldError { field: self.field(), fault: Fault::TypeInvalid(found.into(), hint) }
    }

    /// A fault that Kubernetes does not say the place of.
    fn placeless(text: String) -> FieldError {
        FieldError::invalid("<nil>", "", text)
    }
}

fn check(schema: &Schema, value: &Value, old: Option<&Value>, path: &str) -> Outcome {
    let mut outcome = Outcome::default();
    if old == Some(value) {
        // what was let in before may stay
        return outcome;
    }
    let place = Place { path };
    outcome.checks += 1;
    if let Some(error) = type_error(schema, value, &place) {
        outcome.add(error);
    }
    if value.is_null() {
        check_allowed(schema, value, &place, &mut outcome);
        return outcome;
    }
    check_combinations(schema, value, &place, &mut outcome);
    match value {
        Value::String(text) => check_text(schema, text, &place, &mut outcome),
        Value::Number(number) => check_number(schema, number, &place, &mut outcome),
        Value::Array(items) => check_items(schema, items, old, &place, &mut outcome),
        _ => {}
    }
    check_allowed(schema, value, &place, &mut outcome);
    if let Value::Object(_) = value {
        check_members(schema, value, old, &place, &mut outcome);
    }
    outcome.checks += 1;
    outcome
}

fn type_error(schema: &Schema, value: &Value, place: &Place<'_>) -> Option<FieldError> {
    let wanted = if schema.int_or_string { "integer,string" } else { schema.kind.name() };
    let takes =
        |kind: Kind| schema.kind == kind || schema.int_or_string && matches!(kind, Kind::Integer | Kind::String);
    if value.is_null() {
        return (!wanted.is_empty() && !schema.nullable).then(|| place.wrong_type(wanted, "null"));
    }
    let (found, found_format) = match value {
        Value::Bool(_) => (Kind::Boolean, ""),
        Value::String(_) => (Kind::String, ""),
        Value::Number(number) if number.is_i64() => (Kind::Integer, "int64"),
        Value::Number(_) => (Kind::Number, "float64"),
        Value::Array(_) => (Kind::Array, ""),
        _ => (Kind::Object, ""),
    };
    let is_text = matches!(found, Kind::String | Kind::Array);
    let as_other_number = match value {
        Value::Number(number) if found == Kind::Number => takes(Kind::Integer) && is_whole(number),
        _ => found == Kind::Integer && takes(Kind::Number),
    };
    if wanted.is_empty() && schema.format.is_none() || takes(found) || as_other_number {
        return None;
    }
    match &schema.format {
        Some(format) if !is_text => {
            (found_format != &*format.name).then(|| place.wrong_type(&format.name, found_format))
        }
        // text with a format is left to the format
        Some(_) if !matches!(schema.kind, Kind::Integer | Kind::Number) => None,
        _ => Some(place.wrong_type(wanted, found.name())),
    }
}

fn is_whole(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number.is_finite() && number.fract() == 0.0)
}

fn check_combinations(schema: &Schema, value: &Value, place: &Place<'_>, outcome: &mut Outcome) {
    let of = |schema: &Schema| check(schema, value, None, place.path);
    if !schema.any_of.is_empty() {
        match best(schema.any_of.iter().map(of), true) {
            (1.., passed) => outcome.merge(passed.unwrap_or_default()),
            (_, failed) => {
                outcome.add(Place::placeless(format!(
                    "{} must validate at least one schema (anyOf)",
                    go_quoted(place.path)
                )));
                outcome.merge(failed.unwrap_or_default());
            }
        }
    }
    if !schema.one_of.is_empty() {
        let (passed, shown) = best(schema.one_of.iter().map(of), false);
        if passed != 1 {
            let found =
                if passed == 0 { "Found none valid".to_owned() } else { format!("Found {passed} valid alternatives") };
            let path = go_quoted(place.path);
            outcome.add(Place::placeless(format!("{path} must validate one and only one schema (oneOf). {found}")));
        }
        if passed <= 1 {
            outcome.merge(shown.unwrap_or_default());
        }
    }
    if !schema.all_of.is_empty() {
        let mut passed = 0;
        for one in schema.all_of.iter().map(of) {
            passed += usize::from(one.passed());
            outcome.merge(one);
        }
        if passed != schema.all_of.len() {
            let none = if passed == 0 { ". None validated" } else { "" };
            let path = go_quoted(place.path);
            outcome.add(Place::placeless(format!("{path} must validate all the schemas (allOf){none}")));
        }
    }
    if schema.not.as_ref().is_some_and(|not| of(not).passed()) {
        outcome.add(Place::placeless(format!("{} must not validate the schema (not)", go_quoted(place.path))));
    }
    outcome.checks += 1;
}

/// How many alternatives pass, and the first that does; or of none the one that went furthest.
fn best(alternatives: impl Iterator<Item = Outcome>, first_is_enough: bool) -> (usize, Option<Outcome>) {
    let mut passed = 0;
    let mut shown: Option<Outcome> = None;
    for outcome in alternatives {
        if outcome.passed() {
            passed += 1;
            if passed == 1 {
                shown = Some(outcome);
            }
            if first_is_enough {
                break;
            }
        } else if passed == 0 && shown.as_ref().is_none_or(|best| outcome.checks > best.checks) {
            shown = Some(outcome);
        }
    }
    (passed, shown)
}

fn check_text(schema: &Schema, text: &str, place: &Place<'_>, outcome: &mut Outcome) {
    let limits = &schema.limits;
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    outcome.checks += 1;
    if let Some(most) = limits.max_length.filter(|most| length > *most) {
        let bytes = if most == 1 { "byte" } else { "bytes" };
        let hint =
            if most < 0 { "value is too long".to_owned() } else { format!("may not be more than {most} {bytes}") };
        outcome.add(FieldError { field: place.field(), fault: Fault::TooLong(hint) });
    } else if let Some(least) = limits.min_length.filter(|least| length < *least) {
        outcome.add(place.invalid(text, &format!("should be at least {least} chars long")));
    } else if let Some(pattern) = &schema.pattern
        && !pattern.matches(text)
    {
        outcome.add(place.invalid(text, &format!("should match '{}'", pattern.text)));
    }
    if let Some(format) = &schema.format {
        outcome.checks += 1;
        if !format.fits(text) {
            outcome.add(place.wrong_type(&format.name, text));
        }
    }
}

fn check_number(schema: &Schema, number: &Number, place: &Place<'_>, outcome: &mut Outcome) {
    let limits = &schema.limits;
    // Go prints a number without a fraction like a whole one
    let value = whole(number).map_or_else(|| Value::Number(number.clone()), Value::from);
    outcome.checks += 2;
    if schema.kind == Kind::Integer {
        let format = schema.format.as_ref().map_or("", |format| &*format.name);
        let (range, with) = match format {
            "int32" => (i64::from(i32::MIN)..=i64::from(i32::MAX), "with format int32"),
            "int64" => (i64::MIN..=i64::MAX, "with format int64"),
            _ => (i64::MIN..=i64::MAX, "(default format)"),
        };
        if !whole(number).is_some_and(|whole| range.contains(&whole)) {
            outcome.add(Place::placeless(format!("Checked value must be of type integer {with} in {}", place.path)));
        }
    }
    if let Some(factor) = limits.multiple_of {
        if factor <= 0.0 {
            let text = format!("factor MultipleOf declared for {} must be positive: {}", place.path, go_float(factor));
            outcome.add(FieldError::invalid(place.field(), factor, text));
        } else if !is_multiple(number, factor) {
            outcome.add(place.invalid(value.clone(), &format!("should be a multiple of {}", go_float(factor))));
        }
    }
    // whole numbers are compared with the whole part of a bound
    let bound = |bound: f64| if number.is_i64() { bound.trunc() } else { bound };
    let order = |bound: f64| match (number.as_i64(), whole_part(bound)) {
        (Some(value), Some(bound)) => value.cmp(&bound),
        _ => number.as_f64().unwrap_or_default().partial_cmp(&bound).unwrap_or(std::cmp::Ordering::Equal),
    };
    if let Some(least) = limits.minimum.map(bound) {
        let order = order(least);
        if order.is_lt() || limits.exclusive_minimum && order.is_eq() {
            let word = if limits.exclusive_minimum { "greater than" } else { "greater than or equal to" };
            outcome.add(place.invalid(value.clone(), &format!("should be {word} {}", go_float(least))));
        }
    }
    if let Some(most) = limits.maximum.map(bound) {
        let order = order(most);
        if order.is_gt() || limits.exclusive_maximum && order.is_eq() {
            let word = if limits.exclusive_maximum { "less than" } else { "less than or equal to" };
            outcome.add(place.invalid(value, &format!("should be {word} {}", go_float(most))));
        }
    }
}

fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| whole_part(number.as_f64()?))
}

/// A number without a fraction, if it is not too big for that.
fn whole_part(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.2e18).then(|| format!("{number:.0}").parse().ok())?
}

fn is_multiple(number: &Number, factor: f64) -> bool {
    match (number.as_i64(), whole_part(factor)) {
        (Some(value), Some(factor)) if factor != 0 => value % factor == 0,
        _ => {
            let value = number.as_f64().unwrap_or_default();
            let times = if factor < 1.0 { 1.0 / factor * value } else { value / factor };
            times.is_finite() && (times - times.round()).abs() < 1e-9
        }
    }
}

fn go_float(number: f64) -> String {
    Number::from_f64(number).map_or_else(|| number.to_string(), |number| go_number(&number))
}

fn check_items(schema: &Schema, items: &[Value], old: Option<&Value>, place: &Place<'_>, outcome: &mut Outcome) {
    outcome.checks += 2;
    if let Some(schema_of_items) = &schema.items {
        for (index, item) in items.iter().enumerate() {
            let before = old.and_then(|old| counterpart(schema, old, item));
            outcome.merge(check(schema_of_items, item, before, &format!("{}[{index}]", place.path)));
        }
    }
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if let Some(least) = schema.limits.min_items.filter(|least| length < *least) {
        outcome.add(place.invalid(length, &format!("should have at least {least} items")));
    }
    if let Some(most) = schema.limits.max_items.filter(|most| length > *most) {
        outcome.add(too_many(place, items.len(), most));
    }
}

/// The item of the old list that has the same key, in a list that is a map.
pub(in super::super) fn counterpart<'a>(schema: &Schema, old: &'a Value, item: &Value) -> Option<&'a Value> {
    let List::Map(keys) = &schema.list else { return None };
    let key = key_of(item, keys);
    old.as_array()?.iter().find(|old| key_of(old, keys) == key)
}

fn too_many(place: &Place<'_>, found: usize, most: i64) -> FieldError {
    let most = usize::try_from(most).unwrap_or(0);
    FieldError { field: place.field(), fault: Fault::TooMany(found, most) }
}

fn check_allowed(schema: &Schema, value: &Value, place: &Place<'_>, outcome: &mut Outcome) {
    outcome.checks += 1;
    if schema.allowed.is_empty() || schema.allowed.iter().any(|allowed| !allowed.is_null() && same(allowed, value)) {
        return;
    }
    let shown = |allowed: &Value| match allowed {
        Value::String(text) => text.clone(),
        other => go_json(other),
    };
    let supported = schema.allowed.iter().map(shown).collect();
    outcome.add(FieldError { field: place.field(), fault: Fault::NotSupported(value.clone(), supported) });
}

/// Equal, whatever the numbers are written like.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

fn check_members(schema: &Schema, value: &Value, old: Option<&Value>, place: &Place<'_>, outcome: &mut Outcome) {
    let Value::Object(members) = value else { return };
    outcome.checks += 1;
    let count = i64::try_from(members.len()).unwrap_or(i64::MAX);
    if let Some(least) = schema.limits.min_properties.filter(|least| count < *least) {
        outcome.add(place.invalid(count, &format!("should have at least {least} properties")));
    }
    if let Some(most) = schema.limits.max_properties.filter(|most| count > *most) {
        outcome.add(too_many(place, members.len(), most));
    }
    let before = |name: &str| old.and_then(|old| old.get(name));
    match &schema.additional {
        Additional::Unsaid | Additional::Anything => {}
        Additional::Forbidden => {
            for name in members.keys().filter(|name| !schema.properties.contains_key(*name)) {
                let text = format!("{}.{name} in body is a forbidden property", place.path);
                outcome.add(FieldError::invalid(place.field(), name.as_str(), text));
            }
        }
        Additional::Described(additional) => {
            for (name, value) in members.iter().filter(|(name, _)| !schema.properties.contains_key(*name)) {
                outcome.merge(check(additional, value, before(name), &format!("{}.{name}", place.path)));
            }
        }
    }
    for (name, schema) in &schema.properties {
        if let Some(value) = members.get(name) {
            let path = if place.path.is_empty() { name.clone() } else { format!("{}.{name}", place.path) };
            outcome.merge(check(schema, value, before(name), &path));
        }
    }
    for name in schema.required.iter().filter(|name| !members.contains_key(*name)) {
        let field = Place { path: &format!("{}.{name}", place.path) }.field();
        outcome.add(FieldError::required(field, ""));
    }
}
