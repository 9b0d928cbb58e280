//! Paths to fields of a schema: `.spec.size`, `.labels['a.b']`.

use super::schema::Schema;

/// Follows a path through a schema: the path as errors show it, and what it leads to.
///
/// With `brackets` a member may be named as `['name']`.
pub(super) fn field_path<'s>(path: &str, schema: &'s Schema, brackets: bool) -> Result<(String, &'s Schema), String> {
    let mut here = schema;
    let mut shown = String::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let name = match first {
            '.' => {
                let text = rest.get(1..).unwrap_or("");
                let end = text.find(['.', '[', ']']).unwrap_or(text.len());
                let (name, behind) = text.split_at(end);
                rest = behind;
                name.to_owned()
            }
            '[' if !brackets => return Err("array notation is not allowed".to_owned()),
            '[' => {
                let (name, behind) = bracketed(rest.get(1..).unwrap_or(""))?;
                rest = behind;
                name
            }
            other => return Err(format!("expected [ or . but got: {other}")),
        };
        if name.is_empty() {
            return Err("unexpected end of JSON path".to_owned());
        }
        (here, shown) = step(here, &name, shown)?;
    }
    Ok((shown, here))
}

fn step<'s>(schema: &'s Schema, name: &str, shown: String) -> Result<(&'s Schema, String), String> {
    let missing = || "does not refer to a valid field".to_owned();
    if schema.properties.is_empty() {
        let values = schema.additional().ok_or_else(missing)?;
        return Ok((values, format!("{shown}[{name}]")));
    }
    let found = schema.properties.get(name).ok_or_else(missing)?;
    let dot = if shown.is_empty() { "" } else { "." };
    Ok((found, format!("{shown}{dot}{name}")))
}

/// A name in single quotes and the closing bracket, and what is behind.
fn bracketed(text: &str) -> Result<(String, &str), String> {
    let Some(inside) = text.strip_prefix('\'') else {
        return Err(format!("expected single quoted string but got {text}"));
    };
    let mut name = String::new();
    let mut chars = inside.chars();
    loop {
        match chars.next() {
            None => return Err("unexpected end of JSON path".to_owned()),
            Some('\'') => break,
            Some('\\') => match chars.next() {
                Some(c @ ('\'' | '\\')) => name.push(c),
                Some('n') => name.push('\n'),
                Some('t') => name.push('\t'),
                Some('r') => name.push('\r'),
                other => {
                    let shown = other.map(String::from).unwrap_or_default();
                    return Err(format!("invalid string literal: invalid escape char \\{shown}"));
                }
            },
            Some(c) => name.push(c),
        }
    }
    match chars.as_str().strip_prefix(']') {
        Some(rest) => Ok((name, rest)),
        None => Err(format!("expected ] but got {}", chars.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_through_a_schema() {
        let schema = Schema::of(&json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"size": {"type": "integer"}, "a.b": {"type": "string"}}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}}
        }}));
        let path = |text: &str, brackets| field_path(text, &schema, brackets).map(|(shown, _)| shown);
        assert_eq!(path(".spec.size", false).unwrap(), "spec.size");
        assert_eq!(path(".spec['a.b']", true).unwrap(), "spec.a.b");
        assert_eq!(path(".labels['x/y\\'z']", true).unwrap(), "labels[x/y'z]");
        assert_eq!(path(".labels.x", true).unwrap(), "labels[x]");
        for (text, brackets, why) in [
            (".spec.nope", true, "does not refer to a valid field"),
            (".spec.size.x", true, "does not refer to a valid field"),
            ("spec", true, "expected [ or . but got: s"),
            (".spec['size']", false, "array notation is not allowed"),
            (".spec[size]", true, "expected single quoted string but got size]"),
            (".spec.", true, "unexpected end of JSON path"),
            (".spec['size'", true, "expected ] but got "),
        ] {
            assert_eq!(path(text, brackets).unwrap_err(), why, "{text}");
        }
    }
}
