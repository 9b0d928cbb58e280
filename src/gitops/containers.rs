//! The workloads that Flux knows and their containers.

use serde_json::Value;

use super::helm_images;
use super::image::reference::{ImageRef, InvalidImage};
use crate::cluster::object;

/// The lists of containers in a pod's spec, in the order in which they are shown.
pub const LISTS: [&str; 2] = ["containers", "initContainers"];

/// A kind of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `CronJob`.
    CronJob,
    /// A `DaemonSet`.
    DaemonSet,
    /// A `Deployment`.
    Deployment,
    /// A `StatefulSet`.
    StatefulSet,
    /// A `HelmRelease`, whose values name images.
    HelmRelease,
}

impl Kind {
    /// The kind of a name in any case; `None` of other kinds.
    pub fn of(kind: &str) -> Option<Self> {
        const KINDS: [(&str, Kind); 5] = [
            ("cronjob", Kind::CronJob),
            ("daemonset", Kind::DaemonSet),
            ("deployment", Kind::Deployment),
            ("statefulset", Kind::StatefulSet),
            ("helmrelease", Kind::HelmRelease),
        ];
        KINDS.iter().find(|(name, _)| kind.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind)
    }

    /// Where the spec of its pods is; nowhere in a `HelmRelease`.
    pub fn pod_spec(self) -> &'static [&'static str] {
        match self {
            Self::HelmRelease => &[],
            Self::CronJob => &["spec", "jobTemplate", "spec", "template", "spec"],
            _ => &["spec", "template", "spec"],
        }
    }
}

/// A container and the image it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The container's name.
    pub name: String,
    /// Its image.
    pub image: ImageRef,
}

/// The containers of a workload, init containers behind the others; none of other objects.
///
/// # Errors
/// When an image is no image reference.
pub fn containers(workload: &Value) -> Result<Vec<Container>, InvalidImage> {
    if let Some(Kind::HelmRelease) = Kind::of(object::text(workload, &["kind"])) {
        let found = helm_images::images(workload).into_iter();
        return Ok(found.map(|found| Container { name: found.name, image: found.image }).collect());
    }
    let found = listed(workload).map(|container| {
        let image = ImageRef::parse(object::text(container, &["image"]))?;
        Ok(Container { name: object::text(container, &["name"]).to_owned(), image })
    });
    found.collect()
}

/// The names of a workload's containers, whatever their images.
pub fn names(workload: &Value) -> Vec<String> {
    if let Some(Kind::HelmRelease) = Kind::of(object::text(workload, &["kind"])) {
        return helm_images::images(workload).into_iter().map(|found| found.name).collect();
    }
    listed(workload).map(|container| object::text(container, &["name"]).to_owned()).collect()
}

fn listed(workload: &Value) -> impl Iterator<Item = &Value> {
    let spec = Kind::of(object::text(workload, &["kind"])).and_then(|kind| object::at(workload, kind.pod_spec()));
    LISTS.iter().filter_map(move |list| spec?.get(*list)).flat_map(|list| object::list(list, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(workload: &Value) -> Vec<String> {
        let found = containers(workload).unwrap();
        found.into_iter().map(|container| format!("{}={}", container.name, container.image)).collect()
    }

    #[test]
    fn containers_are_where_the_kind_has_them() {
        let pod = json!({"containers": [{"name": "app", "image": "a:1"}], "initContainers": [{"name": "prep", "image": "b"}]});
        let deployment = json!({"kind": "Deployment", "spec": {"template": {"spec": pod}}});
        assert_eq!(shown(&deployment), ["app=a:1", "prep=b"]);
        let job = json!({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}});
        assert_eq!(shown(&job), ["app=a:1", "prep=b"]);
        let release = json!({"kind": "HelmRelease", "spec": {"values": {"image": "c:2"}}});
        assert_eq!(shown(&release), ["chart-image=c:2"]);
        let service = json!({"kind": "Service", "spec": {"template": {"spec": pod}}});
        assert_eq!(shown(&service), [""; 0]);
    }

    #[test]
    fn names_need_no_image() {
        let broken =
            json!({"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [{"name": "x", "image": ":"}]}}}});
        assert!(containers(&broken).is_err());
        assert_eq!(names(&broken), ["x"]);
        assert_eq!(names(&json!({"kind": "Deployment"})), [""; 0]);
        assert_eq!(names(&json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": 3}}}})), [""; 0]);
    }
}
