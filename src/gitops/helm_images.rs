//! The images that the values of a `HelmRelease` name, and where each part of them is written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::image::reference::ImageRef;
use crate::cluster::object;

/// The name of the image at the top of the values.
pub const CHART_IMAGE: &str = "chart-image";

/// Keys of values below `spec.values`.
pub type Path = Vec<String>;

/// An image that the values name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmImage {
    /// What stands for the container's name: a key of the values, [`CHART_IMAGE`], or a name from an annotation.
    pub name: String,
    /// The image.
    pub image: ImageRef,
    /// Where it is written.
    pub parts: Parts,
}

/// Where the parts of an image are written. What has no place of its own is part of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The registry and its place.
    pub registry: Option<(Path, String)>,
    /// The place of the name.
    pub repository: Path,
    /// The place of the tag.
    pub tag: Option<Path>,
}

impl HelmImage {
    /// What has to be written where for the image to be another; `None` when that one has no registry for its place.
    pub fn writes(&self, new: &ImageRef) -> Option<Vec<(Path, String)>> {
        let mut writes = Vec::new();
        let mut name = new.name();
        if let Some((place, registry)) = &self.parts.registry {
            if let Some(rest) = name.strip_prefix(registry.as_str()).and_then(|rest| rest.strip_prefix('/')) {
                name = rest.to_owned();
            } else if new.domain.is_empty() {
                return None;
            } else {
                writes.push((place.clone(), new.domain.clone()));
                name.clone_from(&new.image);
            }
        }
        match &self.parts.tag {
            Some(place) => {
                writes.push((self.parts.repository.clone(), name));
                writes.push((place.clone(), new.tag.clone()));
            }
            None if new.tag.is_empty() => writes.push((self.parts.repository.clone(), name)),
            None => writes.push((self.parts.repository.clone(), format!("{name}:{}", new.tag))),
        }
        Some(writes)
    }
}

/// The images of a `HelmRelease`: the one at the top first, the others by name.
pub fn images(release: &Value) -> Vec<HelmImage> {
    let mut found: BTreeMap<String, (ImageRef, Parts)> = BTreeMap::new();
    let values = object::at(release, &["spec", "values"]).unwrap_or(&Value::Null);
    if let Some(top) = in_block(values, &[]) {
        found.insert(CHART_IMAGE.to_owned(), top);
    }
    for (key, block) in values.as_object().into_iter().flatten() {
        if let Some(image) = in_block(block, &[key]) {
            found.insert(key.clone(), image);
        }
    }
    // What the author says counts for more than what was guessed.
    for (name, mapping) in mappings(release) {
        if let Some(image) = mapping.image(values) {
            found.insert(name.to_owned(), image);
        }
    }
    let top = found.remove_entry(CHART_IMAGE);
    let in_order = top.into_iter().chain(found);
    in_order.map(|(name, (image, parts))| HelmImage { name, image, parts }).collect()
}

/// `image` as a text or as a block, with `registry` and `tag` beside or in it.
fn in_block(block: &Value, path: &[&str]) -> Option<(ImageRef, Parts)> {
    let image = block.get("image")?;
    if image.is_object() {
        let path = [path, &["image"]].concat();
        return beside(image, &path, "repository");
    }
    beside(block, path, "image")
}

/// The image whose name is in the member `repository`.
fn beside(block: &Value, path: &[&str], repository: &str) -> Option<(ImageRef, Parts)> {
    let place = |key: &str| path.iter().chain([&key]).map(|key| (*key).to_owned()).collect::<Path>();
    let name = block.get(repository)?.as_str()?;
    let registry = block.get("registry").and_then(Value::as_str);
    // A tag that is no text belongs to no image, but a new one belongs there.
    let tag = block.get("tag").filter(|tag| !tag.is_object() && !tag.is_array());
    let parts = Parts {
        registry: registry.map(|registry| (place("registry"), registry.to_owned())),
        repository: place(repository),
        tag: tag.map(|_| place("tag")),
    };
    Some((joined(registry, name, tag.and_then(Value::as_str))?, parts))
}

fn joined(registry: Option<&str>, name: &str, tag: Option<&str>) -> Option<ImageRef> {
    let registry = registry.map(|registry| format!("{registry}/")).unwrap_or_default();
    let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    ImageRef::parse(&format!("{registry}{name}{tag}")).ok()
}

/// Where annotations say that an image is written, as `a.b.c` below `spec.values`.
#[derive(Debug, Default)]
struct Mapping<'a> {
    registry: Option<&'a str>,
    repository: Option<&'a str>,
    tag: Option<&'a str>,
}

fn mappings(release: &Value) -> BTreeMap<&str, Mapping<'_>> {
    let mut found: BTreeMap<&str, Mapping<'_>> = BTreeMap::new();
    let annotations = object::map(release, &["metadata", "annotations"]);
    for (key, path) in annotations.into_iter().flatten() {
        let (Some((prefix, name)), Some(path)) = (key.split_once('/'), path.as_str()) else { continue };
        let mapping = match prefix {
            "registry.fluxcd.io" => &mut found.entry(name).or_default().registry,
            "repository.fluxcd.io" => &mut found.entry(name).or_default().repository,
            "tag.fluxcd.io" => &mut found.entry(name).or_default().tag,
            _ => continue,
        };
        *mapping = Some(path).filter(|path| !path.is_empty());
    }
    found
}

impl Mapping<'_> {
    fn image(&self, values: &Value) -> Option<(ImageRef, Parts)> {
        let part = |path: Option<&str>| -> Option<Option<(Path, String)>> {
            let Some(path) = path else { return Some(None) };
            let path: Path = path.split('.').map(str::to_owned).collect();
            let text = path.iter().try_fold(values, |value, key| value.as_object()?.get(key))?.as_str()?.to_owned();
            Some(Some((path, text)))
        };
        let (registry, tag) = (part(self.registry)?, part(self.tag)?);
        let (repository, name) = part(self.repository)??;
        let text = |part: &Option<(Path, String)>| part.as_ref().map(|(_, text)| text.clone());
        let image = joined(text(&registry).as_deref(), &name, text(&tag).as_deref())?;
        Some((image, Parts { registry, repository, tag: tag.map(|(path, _)| path) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(values: &Value) -> Vec<String> {
        let release = json!({"kind": "HelmRelease", "spec": {"values": values}});
        images(&release).into_iter().map(|found| format!("{}={}", found.name, found.image)).collect()
    }

    #[test]
    fn images_have_many_shapes() {
        assert_eq!(shown(&json!({"image": "a/b:1"})), ["chart-image=a/b:1"]);
        assert_eq!(shown(&json!({"image": "a/b", "tag": "1"})), ["chart-image=a/b:1"]);
        assert_eq!(shown(&json!({"registry": "r.io", "image": "b:1"})), ["chart-image=r.io/b:1"]);
        assert_eq!(shown(&json!({"registry": "r.io", "image": "b", "tag": "1"})), ["chart-image=r.io/b:1"]);
        assert_eq!(shown(&json!({"image": {"repository": "a/b", "tag": "1"}})), ["chart-image=a/b:1"]);
        assert_eq!(
            shown(
                &json!({"z": {"image": "c:1"}, "image": {"registry": "r.io", "repository": "b", "tag": "1"}, "a": {"image": {"repository": "d"}}})
            ),
            ["chart-image=r.io/b:1", "a=d", "z=c:1"]
        );
        assert_eq!(shown(&json!({"image": {"repository": "a/b", "tag": 2.0}})), ["chart-image=a/b"]);
        for nothing in [
            json!({"image": 3}),
            json!({"image": {}}),
            json!({"a": {"b": {"image": "c"}}}),
            json!({"image": "a", "tag": ""}),
            json!(7),
        ] {
            assert_eq!(shown(&nothing), [""; 0], "{nothing}");
        }
    }

    fn mapped() -> Value {
        json!({
            "metadata": {"annotations": {
                "repository.fluxcd.io/app": "a.b.repo", "tag.fluxcd.io/app": "a.b.version",
                "repository.fluxcd.io/image": "image.repository",
                "repository.fluxcd.io/lost": "no.such.place", "tag.fluxcd.io/none": "a.b.version",
            }},
            "spec": {"values": {"a": {"b": {"repo": "example/x", "version": "1"}}, "image": {"image": "q", "repository": "own:3"}}},
        })
    }

    #[test]
    fn annotations_say_where_images_are() {
        let found: Vec<_> =
            images(&mapped()).into_iter().map(|found| format!("{}={}", found.name, found.image)).collect();
        assert_eq!(found, ["chart-image=own:3", "app=example/x:1", "image=own:3"]);
    }

    fn writes(values: &Value, new: &str) -> Option<Vec<String>> {
        let release = json!({"spec": {"values": values}});
        let found = images(&release).into_iter().next()?;
        let writes = found.writes(&ImageRef::parse(new).ok()?)?;
        Some(writes.into_iter().map(|(path, text)| format!("{}={text}", path.join("."))).collect())
    }

    #[test]
    fn new_images_are_written_in_the_same_shape() {
        let some = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(writes(&json!({"image": "a:1"}), "a:2"), some(&["image=a:2"]));
        assert_eq!(writes(&json!({"image": "a", "tag": "1"}), "b:2"), some(&["image=b", "tag=2"]));
        assert_eq!(writes(&json!({"image": "a", "tag": 1}), "a:2"), some(&["image=a", "tag=2"]));
        let parts = json!({"image": {"registry": "r.io", "repository": "a/b", "tag": "1"}});
        assert_eq!(writes(&parts, "r.io/a/b:2"), some(&["image.repository=a/b", "image.tag=2"]));
        assert_eq!(writes(&parts, "q.io/c:2"), some(&["image.registry=q.io", "image.repository=c", "image.tag=2"]));
        assert_eq!(writes(&parts, "a/b:2"), None);
        let long = json!({"registry": "docker.io/library", "image": "nginx:1"});
        assert_eq!(writes(&long, "docker.io/library/nginx:2"), some(&["image=nginx:2"]));
    }
}
