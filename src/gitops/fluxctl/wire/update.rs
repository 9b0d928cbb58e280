//! What is to be changed, and by whom.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{flag, list, text, texts};
use crate::gitops::id::ResourceId;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::policy::PolicyChange;
use crate::gitops::release::Cause;
use crate::gitops::release::containers::{ContainerRelease, ContainerSpec};
use crate::gitops::release::images::{ImageRelease, NewImage, Which};
use crate::gitops::release::policies::PolicyChanges;

const ALL: &str = "<all>";
const LATEST: &str = "<all latest>";

/// A release of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// What.
    pub release: ImageRelease,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Who and why.
    pub cause: Cause,
}

/// A release of chosen containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containers {
    /// What.
    pub release: ContainerRelease,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Who and why.
    pub cause: Cause,
}

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Release images.
    Images(Box<Images>),
    /// Release chosen containers.
    Containers(Containers),
    /// Change policies.
    Policies(PolicyChanges, Cause),
    /// Look for new images now.
    Automate,
    /// Synchronise now.
    Sync,
}

impl Update {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let nobody = Cause::default();
        let (kind, cause, spec) = match self {
            Self::Images(images) => ("image", &images.cause, image_spec(images)),
            Self::Containers(containers) => ("containers", &containers.cause, container_spec(containers)),
            Self::Policies(changes, cause) => ("policy", cause, policy_spec(changes)),
            Self::Automate => ("auto", &nobody, json!({})),
            Self::Sync => ("sync", &nobody, json!({})),
        };
        json!({"type": kind, "cause": {"Message": cause.message, "User": cause.user}, "spec": spec})
    }

    /// From JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(value: &Value) -> Result<Self, String> {
        let given = value.get("cause").unwrap_or(&Value::Null);
        let cause = Cause { user: text(given, "User").to_owned(), message: text(given, "Message").to_owned() };
        let spec = value.get("spec").unwrap_or(&Value::Null);
        match text(value, "type") {
            "image" => {
                let (release, dry_run) = (image_release(spec)?, is_plan(spec)?);
                Ok(Self::Images(Box::new(Images { release, dry_run, cause })))
            }
            "containers" => {
                let (release, dry_run) = (container_release(spec)?, is_plan(spec)?);
                Ok(Self::Containers(Containers { release, dry_run, cause }))
            }
            "policy" => Ok(Self::Policies(policy_changes(spec)?, cause)),
            "auto" => Ok(Self::Automate),
            "sync" => Ok(Self::Sync),
            other => Err(format!("unknown update type `{other}`; there are image, containers, policy, auto and sync")),
        }
    }
}

fn id(text: &str) -> Result<ResourceId, String> {
    ResourceId::parse(text).map_err(|error| error.to_string())
}

fn image(text: &str) -> Result<ImageRef, String> {
    ImageRef::parse(text).map_err(|error| error.to_string())
}

fn kind(dry_run: bool) -> &'static str {
    if dry_run { "plan" } else { "execute" }
}

fn is_plan(spec: &Value) -> Result<bool, String> {
    match text(spec, "Kind") {
        "plan" => Ok(true),
        "execute" => Ok(false),
        other => Err(format!("unknown release kind `{other}`; there are plan and execute")),
    }
}

fn image_spec(images: &Images) -> Value {
    let release = &images.release;
    let workloads = match &release.workloads {
        Which::All => vec![ALL.to_owned()],
        Which::These(ids) => ids.iter().map(ToString::to_string).collect(),
    };
    let image = match &release.image {
        NewImage::Latest => LATEST.to_owned(),
        NewImage::One(image) => image.to_string(),
    };
    let excludes: Vec<_> = release.exclude.iter().map(ToString::to_string).collect();
    json!({
        "ServiceSpecs": workloads, "ImageSpec": image, "Kind": kind(images.dry_run), "Excludes": excludes,
        "Force": release.force,
    })
}

fn image_release(spec: &Value) -> Result<ImageRelease, String> {
    let named = texts(spec, "ServiceSpecs");
    let workloads = if named.iter().any(|text| text == ALL) {
        Which::All
    } else if named.is_empty() {
        return Err("no workload is named".to_owned());
    } else {
        Which::These(named.iter().map(|text| id(text)).collect::<Result<_, _>>()?)
    };
    let new = match text(spec, "ImageSpec") {
        LATEST => NewImage::Latest,
        text => NewImage::One(image(text)?),
    };
    let exclude = texts(spec, "Excludes").iter().map(|text| id(text)).collect::<Result<_, _>>()?;
    Ok(ImageRelease { workloads, image: new, exclude, force: flag(spec, "Force") })
}

fn container_spec(containers: &Containers) -> Value {
    let release = &containers.release;
    let one = |spec: &ContainerSpec| {
        let current = spec.current.as_ref().map(ToString::to_string).unwrap_or_default();
        json!({"Container": spec.container, "Current": current, "Target": spec.target.to_string()})
    };
    let specs: Map<String, Value> =
        release.specs.iter().map(|(id, specs)| (id.to_string(), specs.iter().map(one).collect())).collect();
    json!({
        "Kind": kind(containers.dry_run), "ContainerSpecs": specs, "SkipMismatches": release.skip_mismatches,
        "Force": release.force,
    })
}

fn container_release(spec: &Value) -> Result<ContainerRelease, String> {
    let mut specs = BTreeMap::new();
    for (name, list) in spec.get("ContainerSpecs").and_then(Value::as_object).into_iter().flatten() {
        let one = |spec: &Value| {
            let current = Some(text(spec, "Current")).filter(|text| !text.is_empty()).map(image).transpose()?;
            let target = image(text(spec, "Target"))?;
            Ok(ContainerSpec { container: text(spec, "Container").to_owned(), current, target })
        };
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        specs.insert(id(name)?, list.iter().map(one).collect::<Result<_, String>>()?);
    }
    Ok(ContainerRelease { specs, skip_mismatches: flag(spec, "SkipMismatches"), force: flag(spec, "Force") })
}

fn policy_spec(changes: &PolicyChanges) -> Value {
    let one = |change: &PolicyChange| {
        let remove: BTreeMap<_, _> = change.remove.iter().map(|policy| (policy, "true")).collect();
        json!({"add": change.add, "remove": remove})
    };
    changes.iter().map(|(id, change)| (id.to_string(), one(change))).collect::<Map<_, _>>().into()
}

fn policy_changes(spec: &Value) -> Result<PolicyChanges, String> {
    let mut changes = PolicyChanges::new();
    for (name, change) in spec.as_object().into_iter().flatten() {
        let members = |key: &str| change.get(key).and_then(Value::as_object).into_iter().flatten();
        let add = members("add").map(|(policy, value)| match value.as_str() {
            Some(value) => Ok((policy.clone(), value.to_owned())),
            None => Err(format!("the value of the policy `{policy}` is no text")),
        });
        let remove: BTreeSet<_> = members("remove")
            .map(|(policy, _)| policy.clone())
            .chain(list(change, "remove").iter().filter_map(|policy| policy.as_str().map(str::to_owned)))
            .collect();
        changes.insert(id(name)?, PolicyChange { add: add.collect::<Result<_, _>>()?, remove });
    }
    if changes.is_empty() { Err("no workload is named".to_owned()) } else { Ok(changes) }
}
