//! Where on a slide links are, as its page tells.

use serde_json::Value;

/// So many links of a slide are kept.
const MOST: usize = 500;

/// Where a link leads.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// To the slide of this number, from 1.
    Slide(u64),
    /// Out of the file.
    Address(String),
}

/// A link's place, in CSS pixels, and where it leads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) target: Target,
}

/// The links that a page told of a slide of a deck of `slides`.
pub(super) fn links(told: &Value, slides: usize) -> Vec<Link> {
    let list = told.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|link| read(link, slides)).take(MOST).collect()
}

/// A target that may stand in a file of `slides`.
pub(super) fn kept(target: Target, slides: usize) -> Option<Target> {
    match target {
        Target::Slide(number) => (1..=slides as u64).contains(&number).then_some(target),
        Target::Address(href) => address(&href).map(Target::Address),
    }
}

fn read(link: &Value, slides: usize) -> Option<Link> {
    let length = |key: &str| link[key].as_f64().filter(|length| length.is_finite());
    let target = match link["slide"].as_u64() {
        Some(number) => Target::Slide(number),
        None => Target::Address(link["href"].as_str()?.to_owned()),
    };
    let target = kept(target, slides)?;
    Some(Link { x: length("x")?, y: length("y")?, width: length("width")?, height: length("height")?, target })
}

/// An address that a presentation may open; one beside the deck means nothing elsewhere.
fn address(href: &str) -> Option<String> {
    let known = ["https://", "http://", "mailto:"].iter().any(|scheme| href.starts_with(scheme));
    let own = href.starts_with(crate::export::browser::request::HOST);
    let plain = href.chars().all(|c| !c.is_control() && !c.is_whitespace());
    (known && !own && plain).then(|| href.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn links_lead_to_slides_and_to_the_web_alone() {
        let at = |target: Value| {
            let mut link = json!({ "x": 1, "y": 2.5, "width": 3, "height": 4 });
            link.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
            link
        };
        let told = json!([
            at(json!({ "slide": 2 })),
            at(json!({ "slide": 3 })),
            at(json!({ "href": "https://example.org/?a&b" })),
            at(json!({ "href": "https://foredeck.invalid/d/x.html" })),
            at(json!({ "href": "file:///etc/passwd" })),
            { "href": "https://example.org/" },
        ]);
        let link = |target| Link { x: 1.0, y: 2.5, width: 3.0, height: 4.0, target };
        let expected = [link(Target::Slide(2)), link(Target::Address("https://example.org/?a&b".into()))];
        assert_eq!(links(&told, 2), expected);
        assert_eq!(links(&Value::Null, 2), []);
    }
}
