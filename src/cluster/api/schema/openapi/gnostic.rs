//! A document of the second version as protobuf: gnostic's messages, whose field numbers are here.

use serde_json::Value;

use crate::cluster::object::Map;

/// Encodes `openapi.v2.Document`.
pub(super) fn encode(document: &Value) -> Vec<u8> {
    let mut out = Message::default();
    out.text(1, document.get("swagger"));
    out.message(2, info(&document["info"]));
    let mut paths = Message::default();
    for (path, item) in members(&document["paths"]) {
        paths.message(2, named(path, path_item(item)));
    }
    out.message(8, paths);
    out.message(9, schemas(&document["definitions"]));
    out.0
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn info(info: &Value) -> Message {
    let mut out = Message::default();
    out.text(1, info.get("title"));
    out.text(2, info.get("version"));
    out
}

fn path_item(item: &Value) -> Message {
    let mut out = Message::default();
    for (field, method) in [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch")] {
        if let Some(operation) = item.get(method) {
            out.message(field, self::operation(operation));
        }
    }
    for parameter in item["parameters"].as_array().into_iter().flatten() {
        out.message(9, self::parameter(parameter));
    }
    out
}

fn operation(operation: &Value) -> Message {
    let mut out = Message::default();
    out.texts(7, &operation["consumes"]);
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        out.message(8, self::parameter(parameter));
    }
    let mut responses = Message::default();
    for (code, response) in members(&operation["responses"]) {
        let mut out = Message::default();
        out.text(1, response.get("description"));
        if let Some(schema) = response.get("schema") {
            out.message(2, wrapped(1, self::schema(schema)));
        }
        responses.message(1, named(code, wrapped(1, out)));
    }
    out.message(9, responses);
    out.extensions(13, operation);
    out
}

/// `ParametersItem`, which wraps a parameter several times.
fn parameter(parameter: &Value) -> Message {
    let mut out = Message::default();
    let required = parameter["required"] == Value::Bool(true);
    if parameter["in"] == "body" {
        out.text(2, parameter.get("name"));
        out.text(3, parameter.get("in"));
        out.flag(4, required);
        out.message(5, schema(&parameter["schema"]));
        return wrapped(1, wrapped(1, out));
    }
    let is_path = parameter["in"] == "path";
    out.flag(1, required);
    out.text(2, parameter.get("in"));
    out.text(4, parameter.get("name"));
    out.text(if is_path { 5 } else { 6 }, parameter.get("type"));
    wrapped(1, wrapped(2, wrapped(if is_path { 4 } else { 3 }, out)))
}

fn schemas(of: &Value) -> Message {
    let mut out = Message::default();
    for (name, schema) in members(of) {
        out.message(1, named(name, self::schema(schema)));
    }
    out
}

fn schema(schema: &Value) -> Message {
    let mut out = Message::default();
    for (field, name) in [(1, "$ref"), (2, "format"), (3, "title"), (4, "description"), (13, "pattern")] {
        out.text(field, schema.get(name));
    }
    if let Some(default) = schema.get("default") {
        out.message(5, any(default));
    }
    for (field, name) in [(7, "maximum"), (9, "minimum")] {
        if let Some(number) = schema.get(name).and_then(Value::as_f64) {
            out.double(field, number);
        }
    }
    const COUNTS: [(u64, &str); 4] = [(11, "maxLength"), (12, "minLength"), (14, "maxItems"), (15, "minItems")];
    for (field, name) in COUNTS {
        if let Some(count) = schema.get(name).and_then(Value::as_u64) {
            out.number(field, count);
        }
    }
    out.texts(19, &schema["required"]);
    for value in schema["enum"].as_array().into_iter().flatten() {
        out.message(20, any(value));
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(flag)) => {
            let mut allowed = Message::default();
            allowed.number(2, u64::from(*flag));
            out.message(21, allowed);
        }
        Some(of) => out.message(21, wrapped(1, self::schema(of))),
        None => {}
    }
    if let Some(kind) = schema.get("type") {
        let mut item = Message::default();
        item.text(1, Some(kind));
        out.message(22, item);
    }
    if let Some(of) = schema.get("items") {
        out.message(23, wrapped(1, self::schema(of)));
    }
    if schema.get("properties").is_some_and(Value::is_object) {
        out.message(25, schemas(&schema["properties"]));
    }
    out.extensions(31, schema);
    out
}

/// `Any`, which holds a value as YAML; JSON is YAML.
fn any(value: &Value) -> Message {
    let mut out = Message::default();
    out.bytes(2, format!("{value}\n").as_bytes());
    out
}

fn named(name: &str, value: Message) -> Message {
    let mut out = Message::default();
    out.bytes(1, name.as_bytes());
    out.message(2, value);
    out
}

fn wrapped(field: u64, inner: Message) -> Message {
    let mut out = Message::default();
    out.message(field, inner);
    out
}

/// A message that is being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number > 127 {
            self.0.push((number & 127) as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn double(&mut self, field: u64, number: f64) {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn flag(&mut self, field: u64, flag: bool) {
        if flag {
            self.number(field, 1);
        }
    }

    fn text(&mut self, field: u64, text: Option<&Value>) {
        if let Some(text) = text.and_then(Value::as_str) {
            self.bytes(field, text.as_bytes());
        }
    }

    fn texts(&mut self, field: u64, texts: &Value) {
        for text in texts.as_array().into_iter().flatten() {
            self.text(field, Some(text));
        }
    }

    fn message(&mut self, field: u64, message: Self) {
        self.bytes(field, &message.0);
    }

    fn extensions(&mut self, field: u64, of: &Value) {
        let empty = Map::new();
        for (name, value) in of.as_object().unwrap_or(&empty).iter().filter(|(name, _)| name.starts_with("x-")) {
            self.message(field, named(name, any(value)));
        }
    }
}
