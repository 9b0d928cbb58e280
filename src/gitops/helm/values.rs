//! Values of a release from all the places that it names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::hands::Hands;
use super::wish::{From, Wish};
use crate::cluster::object::{Key, at};
use crate::cluster::yaml;
use crate::gitops::helm_release::{KeyPlace, ValuesPlace, merge_values};
use crate::helm::Chart;

/// All values of a release, the release's own on top.
pub(super) async fn gather(hands: &Hands, wish: &Wish, chart: &Chart) -> Result<Map<String, Value>, String> {
    let mut layers = Vec::new();
    for from in &wish.from {
        match read(hands, from, chart).await {
            Ok(values) => layers.push(values),
            Err(_) if from.source.optional => {}
            Err(why) => return Err(format!("failed to compose values for chart release: {why}")),
        }
    }
    layers.push(Value::Object(wish.values.clone()));
    match merge_values(layers) {
        Value::Object(values) => Ok(values),
        _ => Ok(Map::new()),
    }
}

async fn read(hands: &Hands, from: &From, chart: &Chart) -> Result<Value, String> {
    let text = match &from.source.place {
        ValuesPlace::ConfigMap(place) => key(hands, "ConfigMap", place).await?,
        ValuesPlace::Secret(place) => {
            let coded = key(hands, "Secret", place).await?;
            let plain = STANDARD.decode(coded).map_err(|error| format!("secret {:?}: {error}", place.name))?;
            String::from_utf8(plain).map_err(|_| format!("secret {:?}: key {:?} is no text", place.name, place.key))?
        }
        ValuesPlace::ChartFile(path) => {
            let values = (path == "values.yaml").then(|| yaml::text(&Value::Object(chart.values.clone())));
            let found = chart.files.get(path).cloned().or(values);
            found.ok_or_else(|| format!("the chart has no file {path:?}"))?
        }
        ValuesPlace::Url(url) => {
            return Err(format!("values are not read from addresses here ({url}): put them into a ConfigMap"));
        }
    };
    if !from.target.is_empty() {
        let nested = from.target.rsplit('.').fold(json!(text.trim_end()), |value, part| json!({ part: value }));
        return Ok(nested);
    }
    let read = yaml::value(&text).map_err(|error| format!("unable to yaml.Unmarshal: {error}"))?;
    if read.is_object() || read.is_null() { Ok(read) } else { Err("the values are no mapping".to_owned()) }
}

async fn key(hands: &Hands, kind: &str, place: &KeyPlace) -> Result<String, String> {
    let found = hands.get("v1", kind, &Key::new(&place.namespace, &place.name)).await?;
    let what = kind.to_lowercase();
    let found = found.ok_or_else(|| format!("{what}s {:?} not found", place.name))?;
    let text = at(&found, &["data", &place.key]).and_then(Value::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| format!("could not find key {} in {what} {}/{}", place.key, place.namespace, place.name))
}
