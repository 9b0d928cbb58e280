//! The schemas of OpenAPI documents: the types of the catalogue that are reached from some kinds, and those of CRDs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::{Dialect, Resource};
use crate::cluster::api::schema::builtin::{builtin, full_name};
use crate::cluster::api::schema::{Field, ListKind, Presence, Struct, Type};
use crate::cluster::object::Map;

static DESCRIPTIONS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let text = include_str!("../../data/descriptions.json");
    serde_json::from_str(text).expect("the descriptions in this program")
});

/// The schemas of a document, of which some may still be missing.
pub(super) struct Components {
    dialect: Dialect,
    done: BTreeMap<String, Value>,
    /// Types that are referred to.
    missing: Vec<Arc<Struct>>,
}

/// The name of a kind's schema: `io.k8s.api.apps.v1.Deployment`, or for custom resources the group from its end.
pub(super) fn kind_name(resource: &Resource<'_>) -> String {
    match builtin().kind(&resource.api_version(), resource.kind).filter(|_| resource.schema.is_none()) {
        Some(kind) => kind.full_name.clone(),
        None => {
            let group: Vec<_> = resource.group.rsplit('.').collect();
            format!("{}.{}.{}", group.join("."), resource.version, resource.kind)
        }
    }
}

/// The name of the schema of a kind's lists; there is none for custom resources.
pub(super) fn list_name(resource: &Resource<'_>) -> Option<String> {
    let list = builtin().kind(&resource.api_version(), &format!("{}List", resource.kind))?;
    resource.schema.is_none().then(|| list.full_name.clone())
}

/// A reference to a schema.
pub(super) fn reference(name: &str, dialect: Dialect) -> Value {
    match dialect {
        Dialect::V2 => json!({"$ref": format!("#/definitions/{name}")}),
        Dialect::V3 => json!({"$ref": format!("#/components/schemas/{name}")}),
    }
}

impl Components {
    pub(super) fn new(dialect: Dialect) -> Self {
        let patch = json!({"type": "object", "description": "Changes to an object, in one of the forms of a patch."});
        let done = BTreeMap::from([(full_name("apis.meta.v1.Patch"), patch)]);
        let missing = builtin().named("apis.meta.v1.Status").into_iter().collect();
        Self { dialect, done, missing }
    }

    /// Adds the kind of a resource, and its lists.
    pub(super) fn add(&mut self, resource: &Resource<'_>) {
        let name = kind_name(resource);
        let kind = builtin().kind(&resource.api_version(), resource.kind).filter(|_| resource.schema.is_none());
        let mut schema = match (resource.schema, &kind) {
            (Some(schema), _) => self.custom(schema),
            (None, Some(kind)) => self.structure(kind),
            (None, None) => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        };
        schema["x-kubernetes-group-version-kind"] = json!([resource.group_version_kind()]);
        self.done.insert(name, schema);
        let lists = builtin().kind(&resource.api_version(), &format!("{}List", resource.kind));
        if let Some(list) = lists.filter(|_| kind.is_some()) {
            let mut schema = self.structure(&list);
            let kind = Resource { kind: &list.name, ..*resource };
            schema["x-kubernetes-group-version-kind"] = json!([kind.group_version_kind()]);
            self.done.insert(list.full_name.clone(), schema);
        }
    }

    /// All schemas, once those that are referred to are there.
    pub(super) fn finish(mut self) -> BTreeMap<String, Value> {
        while let Some(kind) = self.missing.pop() {
            if !self.done.contains_key(&kind.full_name) {
                let schema = self.structure(&kind);
                self.done.insert(kind.full_name.clone(), schema);
            }
        }
        self.done
    }

    fn structure(&mut self, kind: &Struct) -> Value {
        let mut schema = json!({"type": "object"});
        let short = short_name(&kind.full_name);
        if let Some(text) = DESCRIPTIONS.get(short) {
            schema["description"] = (*text).into();
        }
        let fields = kind.fields.get().into_iter().flatten();
        let properties: Map = fields
            .map(|(name, field)| {
                let mut schema = self.field(field);
                let own = DESCRIPTIONS.get(format!("{short}.{name}").as_str());
                if let Some(text) = own.or_else(|| DESCRIPTIONS.get(format!("*.{name}").as_str())) {
                    schema["description"] = (*text).into();
                }
                (name.clone(), schema)
            })
            .collect();
        if !properties.is_empty() {
            schema["properties"] = properties.into();
        }
        if !kind.required.is_empty() {
            schema["required"] = json!(kind.required);
        }
        if kind.atomic {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        schema
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut schema = self.shape(field);
        if let Some(default) = &field.default {
            schema["default"] = default.clone();
        } else if field.presence == Presence::Always {
            Self::set_zero(&mut schema, &field.shape);
        }
        if !field.allowed.is_empty() {
            schema["enum"] = json!(field.allowed);
        }
        match (&field.list, &field.shape) {
            (ListKind::Map(keys), _) => {
                schema["x-kubernetes-list-type"] = "map".into();
                schema["x-kubernetes-list-map-keys"] = json!(keys);
            }
            (ListKind::Set, _) => schema["x-kubernetes-list-type"] = "set".into(),
            (ListKind::Atomic, Type::List(_)) => schema["x-kubernetes-list-type"] = "atomic".into(),
            (ListKind::Atomic, _) => {}
        }
        if field.atomic {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        let strategies = [("merge", field.patch_merge), ("retainKeys", field.patch_retain_keys)];
        let strategies: Vec<_> = strategies.iter().filter(|(_, is)| *is).map(|(strategy, _)| *strategy).collect();
        if !strategies.is_empty() {
            schema["x-kubernetes-patch-strategy"] = strategies.join(",").into();
        }
        if !field.merge_key.is_empty() {
            schema["x-kubernetes-patch-merge-key"] = field.merge_key.as_str().into();
        }
        schema
    }

    /// What Go writes of an absent member is told as its default.
    fn set_zero(schema: &mut Value, shape: &Type) {
        let zero = match shape {
            Type::String => json!(""),
            Type::Int32 | Type::Int64 | Type::Number => json!(0),
            Type::Boolean => json!(false),
            Type::Struct(_) => json!({}),
            _ => return,
        };
        schema["default"] = zero;
    }

    fn shape(&mut self, field: &Field) -> Value {
        match &field.shape {
            Type::String => json!({"type": "string"}),
            Type::Bytes => json!({"type": "string", "format": "byte"}),
            Type::Int32 => json!({"type": "integer", "format": "int32"}),
            Type::Int64 => json!({"type": "integer", "format": "int64"}),
            Type::Number => json!({"type": "number", "format": "double"}),
            Type::Boolean => json!({"type": "boolean"}),
            Type::Quantity => self.scalar("api.resource.Quantity"),
            Type::IntOrString => self.scalar("util.intstr.IntOrString"),
            Type::Time => self.scalar("apis.meta.v1.Time"),
            Type::MicroTime => self.scalar("apis.meta.v1.MicroTime"),
            Type::Any if field.go_type.is_empty() => json!({}),
            Type::Any => self.scalar(&field.go_type),
            Type::Struct(kind) => {
                let catalogued = builtin().named(short_name(&kind.full_name)).unwrap_or_else(|| kind.clone());
                let mut schema = self.refer(&kind.full_name);
                if catalogued.atomic && !kind.atomic {
                    schema["x-kubernetes-map-type"] = "granular".into();
                }
                self.missing.push(catalogued);
                schema
            }
            Type::Map(of) => json!({"type": "object", "additionalProperties": self.element(of)}),
            Type::List(of) => json!({"type": "array", "items": self.element(of)}),
        }
    }

    fn element(&mut self, of: &Field) -> Value {
        let mut schema = self.shape(of);
        Self::set_zero(&mut schema, &of.shape);
        schema
    }

    /// A reference that other members can stand beside.
    fn refer(&self, name: &str) -> Value {
        match self.dialect {
            Dialect::V2 => reference(name, self.dialect),
            Dialect::V3 => json!({"allOf": [reference(name, self.dialect)]}),
        }
    }

    /// A reference to a type that has no members.
    fn scalar(&mut self, name: &str) -> Value {
        let full = full_name(name);
        let reference = self.refer(&full);
        self.done.entry(full).or_insert_with(|| match (name, self.dialect) {
            ("api.resource.Quantity", Dialect::V3) => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
            ("util.intstr.IntOrString", Dialect::V3) => {
                json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
            }
            ("api.resource.Quantity", Dialect::V2) => json!({"type": "string"}),
            ("util.intstr.IntOrString", Dialect::V2) => json!({"type": "string", "format": "int-or-string"}),
            ("apis.meta.v1.Time" | "apis.meta.v1.MicroTime", _) => json!({"type": "string", "format": "date-time"}),
            ("apis.meta.v1.FieldsV1" | "runtime.RawExtension", _) => json!({"type": "object"}),
            _ => json!({"description": "Any value."}),
        });
        reference
    }

    /// The schema of a custom resource with what all objects have.
    fn custom(&mut self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        if self.dialect == Dialect::V2 {
            simplify(&mut schema);
        }
        if !schema.is_object() {
            schema = json!({});
        }
        schema["type"] = "object".into();
        let meta = builtin().named("apis.meta.v1.ObjectMeta");
        let mut metadata = meta.as_ref().map_or_else(|| json!({}), |meta| self.refer(&meta.full_name));
        self.missing.extend(meta);
        if !schema["properties"].is_object() {
            schema["properties"] = json!({});
        }
        for name in ["apiVersion", "kind"] {
            schema["properties"][name] =
                json!({"type": "string", "description": DESCRIPTIONS.get(format!("*.{name}").as_str())});
        }
        metadata["description"] = json!(DESCRIPTIONS.get("*.metadata"));
        schema["properties"]["metadata"] = metadata;
        schema
    }
}

/// Takes out of a schema what the second version has not, as the server does: a looser schema is left.
fn simplify(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    let is = |name: &str, members: &Map| members.get(name).and_then(Value::as_bool).unwrap_or(false);
    if is("nullable", members) || is("x-kubernetes-int-or-string", members) {
        members.shift_remove("type");
        members.shift_remove("format");
    }
    if is("nullable", members) || is("x-kubernetes-preserve-unknown-fields", members) {
        for name in ["items", "properties", "additionalProperties", "required"] {
            members.shift_remove(name);
        }
    }
    for name in ["allOf", "anyOf", "oneOf", "not", "nullable", "default", "x-kubernetes-validations"] {
        members.shift_remove(name);
    }
    for name in ["items", "additionalProperties"] {
        if let Some(inner) = members.get_mut(name) {
            simplify(inner);
        }
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(simplify);
    }
}

fn short_name(full: &str) -> &str {
    const PACKAGES: [&str; 3] = ["io.k8s.apiextensions-apiserver.pkg.apis.", "io.k8s.apimachinery.pkg.", "io.k8s.api."];
    PACKAGES.iter().find_map(|package| full.strip_prefix(package)).unwrap_or(full)
}
