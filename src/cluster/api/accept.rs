//! What a client wants to be answered with: JSON or YAML, whole objects, tables or metadata alone.

use super::status::{Details, Refusal};

/// How objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`
    Json,
    /// `application/yaml`
    Yaml,
}

impl Encoding {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
        }
    }
}

/// What is shown of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All of it.
    Whole,
    /// Rows for people.
    Table,
    /// Metadata alone.
    Metadata,
}

/// What to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// How.
    pub encoding: Encoding,
    /// What.
    pub view: View,
}

/// One media type of an `Accept` header.
#[derive(Debug)]
struct Range<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

impl Range<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(parameter, _)| *parameter == name).map(|(_, value)| *value)
    }
}

fn ranges(accept: &str) -> Vec<Range<'_>> {
    let mut ranges: Vec<_> = accept.split(',').filter_map(range).collect();
    ranges.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    ranges
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().filter(|media_type| !media_type.is_empty())?;
    let mut quality = 1.0;
    let mut parameters = Vec::new();
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        if name == "q" {
            quality = value.parse().unwrap_or(1.0);
        } else {
            parameters.push((name, value));
        }
    }
    Some(Range { media_type, parameters, quality })
}

/// Chooses the first wish that can be met. `lists` says that a list is answered, `table` that rows can be made.
///
/// # Errors
/// 406 when none can be met.
pub fn choose(accept: &str, lists: bool) -> Result<Wanted, Refusal> {
    if accept.trim().is_empty() {
        return Ok(Wanted { encoding: Encoding::Json, view: View::Whole });
    }
    let ranges = ranges(accept);
    ranges.iter().find_map(|range| wish(range, lists)).ok_or_else(|| {
        let known = ranges.iter().any(|range| encoding(range.media_type).is_some());
        if known { not_acceptable() } else { unknown_type() }
    })
}

fn encoding(media_type: &str) -> Option<Encoding> {
    match media_type {
        "application/json" | "*/*" | "application/*" => Some(Encoding::Json),
        "application/yaml" => Some(Encoding::Yaml),
        _ => None,
    }
}

fn wish(range: &Range<'_>, lists: bool) -> Option<Wanted> {
    let encoding = encoding(range.media_type)?;
    let view = match range.get("as") {
        None => View::Whole,
        Some(_) if range.get("g") != Some("meta.k8s.io") || range.get("v") != Some("v1") => return None,
        Some("Table") => View::Table,
        Some("PartialObjectMetadata") if !lists => View::Metadata,
        Some("PartialObjectMetadataList") if lists => View::Metadata,
        Some(_) => return None,
    };
    Some(Wanted { encoding, view })
}

const TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// The media type is known, but not in the form that is wanted.
fn not_acceptable() -> Refusal {
    Refusal::new(406, "NotAcceptable", format!("only the following media types are accepted: {TYPES}"))
}

/// None of the media types is known.
fn unknown_type() -> Refusal {
    let message = format!("406: Not Acceptable\n\nAvailable representations: {TYPES}");
    Refusal::new(406, "NotAcceptable", message).with_details(Details::default())
}

/// Whether the second OpenAPI document is wanted as protobuf before JSON.
pub fn wants_openapi_protobuf(accept: &str) -> bool {
    let first = ranges(accept).into_iter().find(|range| {
        matches!(range.media_type, "application/json" | "*/*" | "application/*")
            || range.media_type.starts_with("application/com.github.proto-openapi")
    });
    first.is_some_and(|range| range.media_type.starts_with("application/com.github"))
}

/// Whether aggregated discovery is what is wanted, or the legacy form.
///
/// # Errors
/// 406 when only versions are wanted that nobody knows.
pub fn wants_aggregated(accept: &str) -> Result<bool, Refusal> {
    if accept.trim().is_empty() {
        return Ok(false);
    }
    for range in ranges(accept) {
        match (range.media_type, range.get("as")) {
            ("application/json", Some("APIGroupDiscoveryList"))
                if range.get("g") == Some("apidiscovery.k8s.io") && range.get("v") == Some("v2") =>
            {
                return Ok(true);
            }
            ("application/json" | "application/yaml" | "*/*" | "application/*", None) => return Ok(false),
            _ => {}
        }
    }
    Err(not_acceptable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wish_that_can_be_met() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        let json = |view| Ok(Wanted { encoding: Encoding::Json, view });
        let cases = [
            (kubectl, json(View::Table)),
            ("", json(View::Whole)),
            ("*/*", json(View::Whole)),
            ("text/html, */*;q=0.1", json(View::Whole)),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", json(View::Whole)),
            ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", json(View::Metadata)),
        ];
        for (accept, wanted) in cases {
            assert_eq!(choose(accept, true), wanted, "{accept}");
        }
        assert_eq!(choose("text/html", true).map_err(|refusal| refusal.code), Err(406));
        let one = choose("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", true);
        assert_eq!(one.map_err(|refusal| refusal.code), Err(406), "a list is no single object");
    }

    #[test]
    fn aggregated_discovery_is_asked_for_by_version() {
        let type_of =
            |version: &str| format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
        assert_eq!(wants_aggregated(&format!("{},application/json", type_of("v2"))), Ok(true));
        assert_eq!(wants_aggregated(&format!("{},application/json", type_of("v2beta1"))), Ok(false));
        assert!(wants_aggregated(&type_of("v2beta1")).is_err());
        assert_eq!(wants_aggregated("application/json"), Ok(false));
    }
}
