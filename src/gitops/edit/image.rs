//! The image of one container, changed where it is written.

use super::find::{self, Object};
use super::tree::{NodeId, Tree};
use super::{EditError, Problem, Target, write};
use crate::gitops::containers::{self, Kind};
use crate::gitops::helm_images;
use crate::gitops::image::reference::ImageRef;

/// Gives a container of an object another image. Everything else stays as it is, byte for byte.
///
/// # Errors
/// When the object or container is not there, or the image is written where a change would change other things too.
pub fn set_image<'a>(
    text: &str,
    target: impl Into<Target<'a>>,
    container: &str,
    new: &ImageRef,
) -> Result<String, EditError> {
    let target = target.into();
    let tree = Tree::parse(text)?;
    let object = find::object(&tree, target)?;
    let kind = Kind::of(&target.id.kind).ok_or_else(|| Problem::Kind(target.id.kind.clone()))?;
    let changes = match kind {
        Kind::HelmRelease => in_values(&tree, object, target, container, new)?,
        _ => in_pods(&tree, object, target, container, kind.pod_spec(), new)?,
    };
    write::replace_all(&tree, &changes)
}

/// A container of the pod template.
fn in_pods(
    tree: &Tree<'_>,
    object: Object,
    target: Target<'_>,
    container: &str,
    pod_spec: &[&str],
    new: &ImageRef,
) -> Result<Vec<(NodeId, String)>, EditError> {
    let mut known = Vec::new();
    if let Some(spec) = find::walk(tree, object.node, pod_spec)? {
        for list in containers::LISTS {
            let Some(list) = tree.own_value(spec, list)? else { continue };
            for item in tree.items(list) {
                let name = tree.text_at(tree.resolve(*item), &["name"]).unwrap_or_default();
                if name == container {
                    tree.check_own(*item)?;
                    let image = tree.own_value(*item, "image")?;
                    let missing = || EditError::at(tree.node(*item).place, Problem::Missing("image".to_owned()));
                    return Ok(vec![(image.ok_or_else(missing)?, new.to_string())]);
                }
                known.push(name.to_owned());
            }
        }
    }
    Err(no_container(tree, object, target, container, known))
}

fn no_container(tree: &Tree<'_>, object: Object, target: Target<'_>, container: &str, known: Vec<String>) -> EditError {
    let problem = Problem::NoContainer { id: target.id.to_string(), container: container.to_owned(), known };
    EditError::at(tree.node(object.node).place, problem)
}

/// A place in the values of a `HelmRelease` that a chart takes for an image.
fn in_values(
    tree: &Tree<'_>,
    object: Object,
    target: Target<'_>,
    container: &str,
    new: &ImageRef,
) -> Result<Vec<(NodeId, String)>, EditError> {
    let release = tree.value(object.node)?;
    let found = helm_images::images(&release);
    let Some(image) = found.iter().find(|image| image.name == container) else {
        let known = found.into_iter().map(|image| image.name).collect();
        return Err(no_container(tree, object, target, container, known));
    };
    let mut changes = Vec::new();
    for (path, text) in image.writes(new).ok_or_else(|| Problem::NoRegistry(new.to_string()))? {
        let values = find::walk(tree, object.node, &["spec", "values"])?;
        let place = values.map_or(Ok(None), |values| value_at(tree, values, &path))?;
        let missing = || Problem::Missing(format!("spec.values.{}", path.join(".")));
        changes.push((place.ok_or_else(missing)?, text));
    }
    Ok(changes)
}

fn value_at(tree: &Tree<'_>, values: NodeId, path: &[String]) -> Result<Option<NodeId>, EditError> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    find::walk(tree, values, &path)
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
