//! The part of Kubernetes' JSONPath that printer columns and selectable fields use: parsed once, never a panic.
//!
//! Fields, `['key']`, indexes, slices, `[*]`, `..`, unions, and filters such as `[?(@.type=="Ready")]`.

mod read;

use std::cmp::Ordering;

use serde_json::Value;

/// Values that one step may lead to, so that `..` over a big object ends.
const MAX_FOUND: usize = 10_000;

/// A parsed path, as `.status.conditions[?(@.type=="Ready")].status`.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    steps: Box<[Step]>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(Box<str>),
    Every,
    Recursive,
    Slice { from: Option<i64>, to: End, step: Option<i64> },
    Union(Box<[JsonPath]>),
    Filter { left: JsonPath, test: Option<(Test, JsonPath)> },
    Literal(Value),
}

/// Where a slice ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// At the end of the list.
    Open,
    /// Right after its first item: an index.
    Next,
    /// Before this item; counted from the back when negative.
    At(i64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Test {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The path does not fit the value: an index of what is no list, a comparison of text with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch;

impl JsonPath {
    /// Reads a path as it stands in a definition: without braces.
    pub fn parse(text: &str) -> Result<Self, String> {
        read::path(text, 0)
    }

    /// Everything that the path leads to; what is missing is left out.
    pub fn find<'a>(&'a self, root: &'a Value) -> Result<Vec<&'a Value>, Mismatch> {
        let mut found = vec![root];
        for step in &self.steps {
            found = step.walk(&found)?;
            if found.len() > MAX_FOUND {
                return Err(Mismatch);
            }
        }
        Ok(found)
    }

    /// The first thing that the path leads to.
    pub fn first<'a>(&'a self, root: &'a Value) -> Option<&'a Value> {
        let mut here = root;
        for (done, step) in self.steps.iter().enumerate() {
            match step {
                Step::Field(name) => here = here.get(&**name)?,
                _ => {
                    let mut found = vec![here];
                    for step in self.steps.get(done..).unwrap_or_default() {
                        found = step.walk(&found).ok()?;
                    }
                    return found.first().copied();
                }
            }
        }
        Some(here)
    }
}

impl Step {
    fn walk<'a>(&'a self, from: &[&'a Value]) -> Result<Vec<&'a Value>, Mismatch> {
        let mut found = Vec::new();
        match self {
            Self::Field(name) => found.extend(from.iter().filter_map(|value| value.get(&**name))),
            Self::Every => from.iter().for_each(|value| found.extend(children(value))),
            Self::Recursive => from.iter().for_each(|value| descend(value, &mut found)),
            Self::Literal(value) => found.extend(from.iter().map(|_| value)),
            Self::Union(paths) => {
                for path in paths {
                    let mut here = from.to_vec();
                    for step in &path.steps {
                        here = step.walk(&here)?;
                    }
                    found.extend(here);
                }
            }
            Self::Slice { from: first, to, step } => {
                for value in from.iter().filter(|value| !value.is_null()) {
                    let items = value.as_array().ok_or(Mismatch)?;
                    found.extend(slice(items, *first, *to, *step)?);
                }
            }
            Self::Filter { left, test } => {
                for value in from {
                    for item in value.as_array().ok_or(Mismatch)? {
                        if passes(item, left, test.as_ref())? {
                            found.push(item);
                        }
                    }
                }
            }
        }
        Ok(found)
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

/// A value and all below it that have something below them, outermost first.
fn descend<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    let below = children(value);
    if !below.is_empty() && found.len() <= MAX_FOUND {
        found.push(value);
        below.into_iter().for_each(|child| descend(child, found));
    }
}

fn slice(items: &[Value], from: Option<i64>, to: End, step: Option<i64>) -> Result<Vec<&Value>, Mismatch> {
    let length = i64::try_from(items.len()).map_err(|_| Mismatch)?;
    let wrap = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
    let first = from.unwrap_or(0);
    let start = wrap(first);
    let end = match to {
        End::Open => length,
        End::At(at) => wrap(at),
        // `[-1]` ends at 0, which means the end of the list
        End::Next => match first.saturating_add(1) {
            at if at <= 0 => at.saturating_add(length),
            at => at,
        },
    };
    if start == end {
        return Ok(Vec::new());
    }
    if start < 0 || start >= length || end < 0 || end > length || start > end {
        return Err(Mismatch);
    }
    let step = match step {
        None => 1,
        Some(step) => usize::try_from(step).ok().filter(|&step| step > 0).ok_or(Mismatch)?,
    };
    let bounds = usize::try_from(start).map_err(|_| Mismatch)?..usize::try_from(end).map_err(|_| Mismatch)?;
    Ok(items.get(bounds).unwrap_or_default().iter().step_by(step).collect())
}

fn passes(item: &Value, left: &JsonPath, test: Option<&(Test, JsonPath)>) -> Result<bool, Mismatch> {
    let Some((test, right)) = test else {
        return Ok(left.find(item).is_ok_and(|found| !found.is_empty()));
    };
    match (left.find(item)?.as_slice(), right.find(item)?.as_slice()) {
        ([], _) | (_, []) => Ok(false),
        ([left], [right]) => test.holds(left, right),
        _ => Err(Mismatch),
    }
}

impl Test {
    fn holds(self, left: &Value, right: &Value) -> Result<bool, Mismatch> {
        let order = match (left, right) {
            (Value::String(left), Value::String(right)) => left.cmp(right),
            (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => left.as_f64().partial_cmp(&right.as_f64()).ok_or(Mismatch)?,
            },
            (Value::Bool(left), Value::Bool(right)) if matches!(self, Self::Equal | Self::NotEqual) => left.cmp(right),
            _ => return Err(Mismatch),
        };
        Ok(match self {
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn object() -> Value {
        json!({
            "metadata": {"name": "a", "annotations": {"example.com/x": "y", "plain": "z"}},
            "spec": {"size": 3, "ratio": 0.5, "on": true, "none": null},
            "status": {"conditions": [
                {"type": "Ready", "status": "True", "n": 1},
                {"type": "Other", "status": "False", "n": 2},
                {"type": "Ready", "status": "Again", "n": 3}
            ], "words": ["a", "b", "c", "d"]}
        })
    }

    #[test]
    fn finds_what_kubernetes_finds() {
        let cases = [
            (".metadata.name", json!(["a"])),
            ("$.metadata.name", json!(["a"])),
            (".spec.none", json!([null])),
            (".spec.none.deeper", json!([])),
            (".spec.missing.deeper", json!([])),
            (".metadata.annotations.example\\.com/x", json!(["y"])),
            (".metadata.annotations['example\\.com/x']", json!(["y"])),
            (".metadata.annotations['plain']", json!(["z"])),
            (".status.conditions[?(@.type==\"Ready\")].status", json!(["True", "Again"])),
            (".status.conditions[?(@.type=='Other')].status", json!(["False"])),
            (".status.conditions[?(@.type == \"Other\")].n", json!([2])),
            (".status.conditions[?(@.n>1)].n", json!([2, 3])),
            (".status.conditions[?(@.n<=1)].n", json!([1])),
            (".status.conditions[?(@.n!=2)].n", json!([1, 3])),
            (".status.conditions[?(@.missing)].n", json!([])),
            (".status.conditions[?(@.n)].n", json!([1, 2, 3])),
            (".status.conditions[*].n", json!([1, 2, 3])),
            (".status.conditions[0].type", json!(["Ready"])),
            (".status.conditions[-1].status", json!(["Again"])),
            (".status.words[1:3]", json!(["b", "c"])),
            (".status.words[:2]", json!(["a", "b"])),
            (".status.words[-2:]", json!(["c", "d"])),
            (".status.words[::2]", json!(["a", "c"])),
            (".status.words[0,2]", json!(["a", "c"])),
            (".status.words[1:1]", json!([])),
            (".spec.*", json!([3, 0.5, true, null])),
            ("..type", json!(["Ready", "Other", "Ready"])),
            ("", json!([object()])),
        ];
        for (path, expected) in cases {
            let object = object();
            let path = JsonPath::parse(path).unwrap();
            let found = path.find(&object).unwrap();
            assert_eq!(json!(found), expected, "{path:?}");
            assert_eq!(path.first(&object), found.first().copied(), "{path:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_a_mismatch() {
        for path in [
            ".status.words[4]",
            ".status.words[-5]",
            ".status.words[3:1]",
            ".status.words[0:2:0]",
            ".metadata[0]",
            ".metadata[?(@.a)]",
            ".status.conditions[?(@.n==\"1\")]",
            ".status.conditions[?(@.type<1)]",
        ] {
            let object = object();
            assert_eq!(JsonPath::parse(path).unwrap().find(&object), Err(Mismatch), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (path, why) in [
            (".a[", "unterminated array"),
            (".a[x]", "invalid array index x"),
            (".a[1:2:3:4]", "invalid array index 1:2:3:4"),
            (".a[?(@.b==\"c\"", "unterminated filter"),
            (".a[?(@.b=='c)]", "unterminated filter"),
            (".a[?(@.b)x]", "unclosed array expect ]"),
            (".a[?(@.b=\"c\")]", "unrecognized filter operator ="),
            ("range", "unrecognized identifier range"),
            (".a....b", "invalid multiple recursive descent"),
            ("{.a}", "unrecognized character in action: '{'"),
            ("-.", "cannot parse number -."),
        ] {
            assert_eq!(JsonPath::parse(path), Err(why.to_owned()), "{path}");
        }
        let deep = format!("{}@.a{}", ".a[?(".repeat(20), ")]".repeat(20));
        assert!(JsonPath::parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "[.@$a-c0-9\\[\\]?()=<>!'\"*:,\\\\ -]{0,30}") {
            let object = object();
            if let Ok(path) = JsonPath::parse(&text) {
                let _ = path.find(&object);
                let _ = path.first(&object);
            }
        }
    }
}
