//! The scale subresource of a custom resource: numbers at paths that its definition names.

use serde_json::Value;

use crate::cluster::api::status::FieldError;
use crate::cluster::api::table::go_json;
use crate::cluster::object::{at, set, text};

/// Where the scale of an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePaths {
    spec_replicas: String,
    status_replicas: String,
    label_selector: Option<String>,
}

/// What the paths of an object say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scale {
    /// How many there should be.
    pub replicas: Option<i64>,
    /// How many there are.
    pub current: i64,
    /// The selector of the pods, as text.
    pub selector: String,
}

impl ScalePaths {
    /// The paths of a version's `subresources.scale`.
    pub(super) fn of(scale: &Value) -> Self {
        Self {
            spec_replicas: text(scale, &["specReplicasPath"]).to_owned(),
            status_replicas: text(scale, &["statusReplicasPath"]).to_owned(),
            label_selector: Some(text(scale, &["labelSelectorPath"]).to_owned()).filter(|path| !path.is_empty()),
        }
    }

    /// The scale of an object.
    pub fn read(&self, object: &Value) -> Scale {
        let number = |path: &str| at(object, &names(path)).and_then(Value::as_i64);
        Scale {
            replicas: number(&self.spec_replicas),
            current: number(&self.status_replicas).unwrap_or(0),
            selector: self.label_selector.as_deref().map_or("", |path| text(object, &names(path))).to_owned(),
        }
    }

    /// Sets how many there should be.
    pub fn write(&self, object: &mut Value, replicas: i64) {
        set(object, &names(&self.spec_replicas), replicas);
    }

    /// The names of members on the way to the number of replicas, as `spec`, `size`.
    pub fn replicas_path(&self) -> Vec<&str> {
        names(&self.spec_replicas)
    }

    /// What is wrong with the scale of an object.
    pub(super) fn errors(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for path in [&self.spec_replicas, &self.status_replicas] {
            errors.extend(number_error(object, path));
        }
        if let Some(path) = &self.label_selector
            && let Some(found) = at(object, &names(path)).filter(|value| !value.is_string())
        {
            errors.push(FieldError::invalid(path.as_str(), "", mismatch(path, found, "string")));
        }
        errors
    }
}

fn number_error(object: &Value, path: &str) -> Option<FieldError> {
    let found = at(object, &names(path))?;
    match found.as_i64() {
        None => Some(FieldError::invalid(path, 0, mismatch(path, found, "int64"))),
        Some(number) if number < 0 => Some(FieldError::invalid(path, number, "should be a non-negative integer")),
        Some(number) if number > i64::from(i32::MAX) => {
            Some(FieldError::invalid(path, number, format!("should be less than or equal to {}", i32::MAX)))
        }
        Some(_) => None,
    }
}

fn mismatch(path: &str, found: &Value, wanted: &str) -> String {
    let kind = match found {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    let shown = found.as_str().map_or_else(|| go_json(found), str::to_owned);
    format!("{path} accessor error: {shown} is of the type {kind}, expected {wanted}")
}

/// The names of a simple path such as `.spec.size`.
fn names(path: &str) -> Vec<&str> {
    path.strip_prefix('.').unwrap_or(path).split('.').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths() -> ScalePaths {
        ScalePaths::of(&json!({
            "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size", "labelSelectorPath": ".status.selector"
        }))
    }

    #[test]
    fn reads_and_writes() {
        let mut object = json!({"spec": {"size": 3}, "status": {"size": 2, "selector": "a=b"}});
        let scale = Scale { replicas: Some(3), current: 2, selector: "a=b".to_owned() };
        assert_eq!(paths().read(&object), scale);
        paths().write(&mut object, 5);
        assert_eq!(object["spec"], json!({"size": 5}));
        assert_eq!(paths().read(&json!({})), Scale::default());
        assert_eq!(paths().replicas_path(), ["spec", "size"]);
    }

    #[test]
    fn numbers_have_to_be_counts() {
        let texts = |object: Value| -> Vec<_> {
            paths().errors(&object).iter().map(|error| format!("{}: {}", error.field, error.message())).collect()
        };
        assert_eq!(texts(json!({"spec": {"size": 1}})), Vec::<String>::new());
        assert_eq!(
            texts(json!({"spec": {"size": -1}, "status": {"size": 3_000_000_000_u32}})),
            [
                ".spec.size: Invalid value: -1: should be a non-negative integer",
                ".status.size: Invalid value: 3000000000: should be less than or equal to 2147483647"
            ]
        );
        assert_eq!(
            texts(json!({"spec": {"size": "x"}, "status": {"selector": 1}})),
            [
                ".spec.size: Invalid value: 0: .spec.size accessor error: x is of the type string, expected int64",
                ".status.selector: Invalid value: \"\": .status.selector accessor error: 1 is of the type int64, \
                 expected string"
            ]
        );
    }
}
