//! The built-in kinds: their types, read once from `data/schema.json`.
//!
//! Beside what OpenAPI tells, that file has what a trip through Go's structs does, as the public types of Kubernetes
//! 1.36 tell it: `p` says when a member is written (`a` always, `n` always and `null` when absent, `s` whenever it is
//! set; else when it is not zero), `g` is Go's name of a type that is a text or number with a name of its own. Numbers
//! are `int32` or `int64`, base64 is `bytes`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, OnceLock};

use serde::Deserialize;
use serde_json::Value;

use super::{Field, ListKind, Presence, Struct, Type};

const SCHEMA: &str = include_str!("../data/schema.json");

/// The built-in kinds.
#[derive(Debug)]
pub struct Catalogue {
    /// By group, version and kind, as `apps/v1/Deployment` and `/v1/Pod`.
    kinds: BTreeMap<String, Arc<Struct>>,
    /// By the short name of the type, as `core.v1.PodSpec`.
    types: HashMap<String, Arc<Struct>>,
}

/// The catalogue of the built-in kinds.
pub fn builtin() -> &'static Catalogue {
    static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| Raw::read().expect("the schema in this program").build());
    &BUILTIN
}

impl Catalogue {
    /// The type of a kind.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<Arc<Struct>> {
        let slash = if api_version.contains('/') { "" } else { "/" };
        self.kinds.get(&format!("{slash}{api_version}/{kind}")).cloned()
    }

    /// A type by its name without the way to its package, as `core.v1.PodSpec` or `apis.meta.v1.DeleteOptions`.
    pub fn named(&self, name: &str) -> Option<Arc<Struct>> {
        self.types.get(name).cloned()
    }

    /// The `apiVersion` and kind of all kinds, lists included, with their types.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, &Arc<Struct>)> {
        self.kinds.iter().filter_map(|(name, kind)| {
            let (api_version, name) = name.rsplit_once('/')?;
            Some((api_version.trim_start_matches('/'), name, kind))
        })
    }
}

/// `data/schema.json` as it is.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    kinds: HashMap<&'a str, &'a str>,
    types: HashMap<&'a str, RawType<'a>>,
}

#[derive(Deserialize)]
struct RawType<'a> {
    #[serde(borrow)]
    f: BTreeMap<&'a str, RawField<'a>>,
    #[serde(default)]
    req: Vec<&'a str>,
    #[serde(default)]
    map: &'a str,
}

#[derive(Deserialize)]
struct RawField<'a> {
    #[serde(borrow)]
    t: RawShape<'a>,
    #[serde(default)]
    p: &'a str,
    #[serde(default)]
    g: &'a str,
    #[serde(default)]
    list: &'a str,
    #[serde(default)]
    keys: Vec<&'a str>,
    #[serde(default)]
    map: &'a str,
    #[serde(default)]
    patch: &'a str,
    #[serde(default, rename = "mergeKey")]
    merge_key: &'a str,
    default: Option<Value>,
    #[serde(default, rename = "enum")]
    allowed: Vec<&'a str>,
}

/// A type's name, or `list` or `map` and what is in it.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawShape<'a> {
    Name(&'a str),
    Of(&'a str, #[serde(borrow)] Box<RawShape<'a>>),
}

impl Raw<'static> {
    fn read() -> serde_json::Result<Self> {
        serde_json::from_str(SCHEMA)
    }

    fn build(&self) -> Catalogue {
        let types = self.types.iter().map(|(name, raw)| ((*name).to_owned(), Arc::new(raw.build(name))));
        let types: HashMap<_, _> = types.collect();
        for (name, raw) in &self.types {
            types[*name].fields.get_or_init(|| self.fields(raw, &types));
        }
        let kinds = self.kinds.iter().filter_map(|(kind, name)| Some(((*kind).to_owned(), types.get(*name)?.clone())));
        Catalogue { kinds: kinds.collect(), types }
    }

    fn fields(&self, raw: &RawType<'_>, types: &HashMap<String, Arc<Struct>>) -> BTreeMap<String, Field> {
        raw.f.iter().map(|(name, raw)| ((*name).to_owned(), self.field(raw, types))).collect()
    }

    fn field(&self, raw: &RawField<'_>, types: &HashMap<String, Arc<Struct>>) -> Field {
        let presence = match raw.p {
            "a" => Presence::Always,
            "n" => Presence::AlwaysNull,
            "s" => Presence::Set,
            _ => Presence::NonZero,
        };
        let mut shape = shape(&raw.t, raw.g, types);
        if let (Type::Struct(kind), "granular", RawShape::Name(name)) = (&shape, raw.map, &raw.t) {
            shape = Type::Struct(self.granular(name, kind, types));
        }
        Field {
            list: match raw.list {
                "map" => ListKind::Map(raw.keys.iter().map(|&key| key.to_owned()).collect()),
                "set" => ListKind::Set,
                _ => ListKind::Atomic,
            },
            atomic: raw.map == "atomic",
            patch_merge: raw.patch.split(',').any(|strategy| strategy == "merge"),
            patch_retain_keys: raw.patch.split(',').any(|strategy| strategy == "retainKeys"),
            merge_key: raw.merge_key.to_owned(),
            default: raw.default.clone().filter(|default| presence == Presence::Set || !is_zero(default)),
            allowed: raw.allowed.iter().map(|&value| value.to_owned()).collect(),
            presence,
            go_type: go_type(raw.g, &raw.t, &shape).into(),
            ..Field::new(shape)
        }
    }

    /// An atomic type that is none in this place.
    fn granular(&self, name: &str, kind: &Arc<Struct>, types: &HashMap<String, Arc<Struct>>) -> Arc<Struct> {
        let Some(raw) = self.types.get(name) else { return kind.clone() };
        Arc::new(Struct { atomic: false, fields: OnceLock::from(self.fields(raw, types)), ..raw.build(name) })
    }
}

impl RawType<'_> {
    fn build(&self, name: &str) -> Struct {
        Struct {
            name: name.rsplit('.').next().unwrap_or(name).to_owned(),
            full_name: full_name(name),
            required: self.req.iter().map(|&field| field.to_owned()).collect(),
            atomic: self.map == "atomic",
            ..Struct::default()
        }
    }
}

/// What OpenAPI gives as the default of members that are always written says nothing of its own.
fn is_zero(default: &Value) -> bool {
    default.as_i64() == Some(0) || default.as_bool() == Some(false)
}

/// The name that OpenAPI has for a type.
pub(super) fn full_name(name: &str) -> String {
    let package = match name.split('.').next() {
        Some("apiextensions") => "io.k8s.apiextensions-apiserver.pkg.apis",
        Some("apis" | "api" | "runtime" | "util") => "io.k8s.apimachinery.pkg",
        _ => "io.k8s.api",
    };
    format!("{package}.{name}")
}

fn shape(raw: &RawShape<'_>, go_type: &str, types: &HashMap<String, Arc<Struct>>) -> Type {
    match raw {
        RawShape::Of("list", item) => Type::List(element(item, go_type.strip_prefix("[]").unwrap_or(""), types)),
        RawShape::Of(_, value) => {
            let go_type = go_type.strip_prefix("map[").and_then(|rest| rest.split_once(']'));
            Type::Map(element(value, go_type.map_or("", |(_, value)| value), types))
        }
        RawShape::Name(name) => named(name, types),
    }
}

fn element(raw: &RawShape<'_>, go_type: &str, types: &HashMap<String, Arc<Struct>>) -> Arc<Field> {
    let shape = shape(raw, go_type, types);
    Arc::new(Field { go_type: self::go_type(go_type, raw, &shape).into(), ..Field::new(shape) })
}

/// Values of any shape have types too, which OpenAPI shows.
fn go_type<'a>(known: &'a str, raw: &RawShape<'a>, shape: &Type) -> &'a str {
    match (raw, shape) {
        (RawShape::Name(name), Type::Any) => name,
        _ => known,
    }
}

fn named(name: &str, types: &HashMap<String, Arc<Struct>>) -> Type {
    match name {
        "string" => Type::String,
        "boolean" => Type::Boolean,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "number" => Type::Number,
        "bytes" => Type::Bytes,
        "api.resource.Quantity" => Type::Quantity,
        "util.intstr.IntOrString" => Type::IntOrString,
        "apis.meta.v1.Time" => Type::Time,
        "apis.meta.v1.MicroTime" => Type::MicroTime,
        _ if name.starts_with("apiextensions.v1.JSONSchemaPropsOr") => Type::Any,
        "apis.meta.v1.FieldsV1" | "runtime.RawExtension" | "apiextensions.v1.JSON" => Type::Any,
        _ => types.get(name).map_or(Type::Any, |kind| Type::Struct(kind.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(kind: &Struct, path: &[&str]) -> Field {
        let (first, rest) = path.split_first().expect("a path has a first step");
        let field = kind.field(first).unwrap_or_else(|| panic!("{} has no {first}", kind.name)).clone();
        match (rest, &field.shape) {
            ([], _) => field,
            (_, Type::Struct(kind)) => walk(kind, rest),
            (_, Type::List(item) | Type::Map(item)) => match &item.shape {
                Type::Struct(kind) => walk(kind, rest),
                _ => (**item).clone(),
            },
            _ => panic!("{first} has no members"),
        }
    }

    #[test]
    fn every_name_in_the_file_is_a_type() {
        let raw = Raw::read().expect("the schema can be read");
        fn known(shape: &RawShape<'_>, raw: &Raw<'_>) -> bool {
            match shape {
                RawShape::Of(what, of) => ["list", "map"].contains(what) && known(of, raw),
                RawShape::Name(name) if name.contains('.') => raw.types.contains_key(name),
                RawShape::Name(name) => !matches!(named(name, &HashMap::new()), Type::Any),
            }
        }
        for (name, kind) in &raw.types {
            for (field, of) in &kind.f {
                assert!(known(&of.t, &raw), "{name}.{field}");
            }
        }
        assert!(raw.kinds.values().all(|name| raw.types.contains_key(name)));
    }

    #[test]
    fn kinds_are_found_and_know_their_fields() {
        let deployment = builtin().kind("apps/v1", "Deployment").expect("there are deployments");
        assert_eq!(deployment.full_name, "io.k8s.api.apps.v1.Deployment");
        let ports = ["spec", "template", "spec", "containers", "ports"];
        let field = walk(&deployment, &ports);
        assert_eq!(field.list, ListKind::Map(vec!["containerPort".into(), "protocol".into()]));
        assert!(field.patch_merge);
        assert_eq!(field.merge_key, "containerPort");
        assert_eq!(field.go_type(), "[]v1.ContainerPort");
        let protocol = walk(&deployment, &[&ports[..], &["protocol"]].concat());
        assert_eq!((protocol.go_type(), protocol.default), ("v1.Protocol".to_owned(), Some("TCP".into())));
        assert!(matches!(walk(&deployment, &["spec", "replicas"]).shape, Type::Int32));
        assert!(matches!(walk(&deployment, &["metadata", "generation"]).shape, Type::Int64));
        assert!(walk(&deployment, &["spec", "strategy"]).patch_retain_keys);
        assert!(builtin().kind("v1", "Deployment").is_none());
        assert!(builtin().kind("apps/v1", "").is_none());
    }

    #[test]
    fn what_the_openapi_document_does_not_tell_is_known() {
        let secret = builtin().kind("v1", "Secret").expect("there are secrets");
        let data = walk(&secret, &["data"]);
        assert!(matches!(&data.shape, Type::Map(value) if matches!(value.shape, Type::Bytes)));
        assert_eq!(data.go_type(), "map[string][]uint8");
        let pod = builtin().kind("v1", "Pod").expect("there are pods");
        let limits = walk(&pod, &["spec", "containers", "resources", "limits"]);
        assert_eq!(limits.go_type(), "v1.ResourceList");
        assert_eq!(walk(&pod, &["spec", "containers", "resources"]).presence, Presence::Always);
        assert_eq!(walk(&pod, &["spec", "containers", "ports", "containerPort"]).default, None);
        assert_eq!(walk(&pod, &["status", "conditions", "lastProbeTime"]).presence, Presence::AlwaysNull);
        let raw = walk(&builtin().kind("apps/v1", "ControllerRevision").expect("there are revisions"), &["data"]);
        assert_eq!((raw.go_type(), raw.presence), ("runtime.RawExtension".to_owned(), Presence::AlwaysNull));
        assert_eq!(walk(&pod, &["spec", "hostNetwork"]).presence, Presence::NonZero);
        assert_eq!(walk(&pod, &["spec", "terminationGracePeriodSeconds"]).presence, Presence::Set);
    }

    #[test]
    fn types_refer_to_themselves() {
        let crd = builtin().kind("apiextensions.k8s.io/v1", "CustomResourceDefinition").expect("there are CRDs");
        let schema = ["spec", "versions", "schema", "openAPIV3Schema"];
        let deep = [&schema[..], &["properties"; 40]].concat();
        assert!(matches!(walk(&crd, &deep).shape, Type::Map(_)));
    }

    #[test]
    fn a_reference_can_be_granular_in_one_place() {
        let atomic = |kind: &str, path: &[&str]| match walk(&builtin().kind("v1", kind).expect(kind), path).shape {
            Type::Struct(kind) => (kind.atomic, kind.field("uid").is_some()),
            _ => panic!("no struct"),
        };
        assert_eq!(atomic("PersistentVolume", &["spec", "claimRef"]), (false, true));
        assert_eq!(atomic("Event", &["involvedObject"]), (true, true));
    }
}
