//! One slide: its svg, layers and sections with all their attributes.

use super::block::Writer;
use super::{declaration, html};
use crate::deck::{Deck, Image, Locals, Side, Slide};
use crate::diagnostic::Span;
use crate::theme::Size;

/// What all slides of a deck share.
pub(super) struct Shared<'a> {
    pub(super) deck: &'a Deck,
    /// The theme named by the deck or the command line, if it exists.
    pub(super) theme: Option<&'a str>,
    /// The size preset, if the theme has it.
    pub(super) preset: Option<&'a str>,
    pub(super) lang: Option<&'a str>,
    pub(super) size: Size,
}

/// A slide to write.
pub(super) struct SlideJob<'a> {
    pub(super) slide: &'a Slide,
    /// From 1.
    pub(super) number: usize,
    pub(super) scope: Option<String>,
    pub(super) transition: Option<Transition>,
    pub(super) transition_back: Option<Transition>,
}

/// A `transition` directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transition {
    name: String,
    duration: Option<String>,
}

/// Names that need no keyframes of the author's: those that Marp draws, and `transitions.css` does.
const TRANSITIONS: [&str; 33] = [
    "clockwise",
    "counterclockwise",
    "cover",
    "coverflow",
    "cube",
    "cylinder",
    "diamond",
    "drop",
    "explode",
    "fade",
    "fade-out",
    "fall",
    "flip",
    "glow",
    "implode",
    "in-out",
    "iris-in",
    "iris-out",
    "melt",
    "overlap",
    "pivot",
    "pull",
    "push",
    "reveal",
    "rotate",
    "slide",
    "star",
    "swap",
    "swipe",
    "swoosh",
    "wipe",
    "wiper",
    "zoom",
];

impl Transition {
    pub(super) fn of(locals: &Locals) -> Option<Self> {
        let mut words = locals.transition.as_deref()?.split_whitespace();
        let name = words.next()?.to_owned();
        let duration = words.next().filter(|word| {
            let number = word.strip_suffix("ms").or_else(|| word.strip_suffix('s'));
            number.is_some_and(|n| n.parse::<f64>().is_ok_and(|n| n.is_finite() && n >= 0.0))
        });
        Some(Self { name, duration: duration.map(str::to_owned) })
    }

    fn json(&self) -> String {
        let mut object = serde_json::Map::new();
        object.insert("name".into(), self.name.as_str().into());
        if let Some(duration) = &self.duration {
            object.insert("duration".into(), duration.as_str().into());
        }
        if TRANSITIONS.contains(&self.name.as_str()) {
            object.insert("builtinFallback".into(), true.into());
        }
        serde_json::Value::Object(object).to_string()
    }
}

/// A layer of a slide with an advanced background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// The only layer of an ordinary slide.
    Only,
    Background,
    Content,
    Pseudo,
}

/// The pictures behind a slide, taken together.
struct Backdrop<'a> {
    images: Vec<&'a Image>,
    vertical: bool,
    split: Option<(Side, String)>,
}

impl<'a> Backdrop<'a> {
    fn of(slide: &'a Slide) -> Option<Self> {
        let images: Vec<&Image> = slide.backgrounds.iter().filter(|image| !image.src.is_empty()).collect();
        let last = |find: &dyn Fn(&crate::deck::Background) -> bool| {
            slide.backgrounds.iter().filter_map(|image| image.background.as_ref()).rfind(|b| find(b))
        };
        if images.is_empty() {
            return None;
        }
        let side = last(&|b| b.split.is_some()).and_then(|b| b.split);
        let width = last(&|b| b.split_size.is_some()).and_then(|b| b.split_size.clone());
        Some(Self {
            images,
            vertical: last(&|b| b.vertical.is_some()).and_then(|b| b.vertical).unwrap_or(false),
            split: side.map(|side| (side, width.unwrap_or_else(|| "50%".into()))),
        })
    }
}

impl Writer<'_> {
    /// Writes the slide's svg.
    pub(super) fn slide(&mut self, shared: &Shared<'_>, job: &SlideJob<'_>) {
        let (width, height) = (number(shared.size.width), number(shared.size.height));
        self.out.push_str(&format!("<svg data-marpit-svg=\"\" viewBox=\"0 0 {width} {height}\">"));
        match Backdrop::of(job.slide) {
            None => {
                self.out.push_str(&format!("<foreignObject width=\"{width}\" height=\"{height}\">"));
                self.section(shared, job, Layer::Only, None);
                self.content(job.slide);
            }
            Some(backdrop) => {
                self.out.push_str(&format!("<foreignObject width=\"{width}\" height=\"{height}\">"));
                self.section(shared, job, Layer::Background, Some(&backdrop));
                self.pictures(&backdrop);
                self.out.push_str("</section></foreignObject><foreignObject");
                match &backdrop.split {
                    Some((side, size)) => {
                        let share = size.trim_end_matches('%').parse::<f64>().unwrap_or(50.0);
                        html::attribute(&mut self.out, "width", &format!("{}%", number(100.0 - share)));
                        html::attribute(&mut self.out, "height", &height);
                        if *side == Side::Left {
                            html::attribute(&mut self.out, "x", size);
                        }
                    }
                    None => {
                        html::attribute(&mut self.out, "width", &width);
                        html::attribute(&mut self.out, "height", &height);
                    }
                }
                self.out.push('>');
                self.section(shared, job, Layer::Content, Some(&backdrop));
                self.content(job.slide);
                self.out.push_str("</section></foreignObject>");
                self.out.push_str(&format!(
                    "<foreignObject width=\"{width}\" height=\"{height}\" data-marpit-advanced-background=\"pseudo\">"
                ));
                self.section(shared, job, Layer::Pseudo, Some(&backdrop));
            }
        }
        self.out.push_str("</section></foreignObject></svg>");
    }

    fn content(&mut self, slide: &Slide) {
        for (tag, band, before) in [("header", &slide.header, true), ("footer", &slide.footer, false)] {
            if !before {
                self.blocks(&slide.blocks);
            }
            if let Some(content) = band {
                self.out.push_str(&format!("<{tag}>"));
                self.inlines(content, Span::default());
                self.out.push_str(&format!("</{tag}>\n"));
            }
        }
    }

    fn pictures(&mut self, backdrop: &Backdrop<'_>) {
        let direction = if backdrop.vertical { "vertical" } else { "horizontal" };
        self.out.push_str(&format!(
            "<div data-marpit-advanced-background-container=\"true\" data-marpit-advanced-background-direction=\"{direction}\">"
        ));
        for image in &backdrop.images {
            let mut style =
                format!("background-image:url(\"{}\");", image.src.replace('\\', "%5C").replace('"', "%22"));
            if let Some(size) = image.background.as_ref().and_then(|b| b.size.as_ref()) {
                style.push_str(&format!("background-size:{size};"));
            }
            if !image.filters.is_empty() {
                style.push_str(&format!("filter:{};", image.filters.join(" ")));
            }
            self.out.push_str("<figure");
            html::attribute(&mut self.out, "style", &style);
            self.out.push('>');
            if !image.alt.is_empty() {
                self.out.push_str("<figcaption>");
                html::text(&mut self.out, &image.alt);
                self.out.push_str("</figcaption>");
            }
            self.out.push_str("</figure>");
        }
        self.out.push_str("</div>");
    }

    /// Opens a section.
    fn section(&mut self, shared: &Shared<'_>, job: &SlideJob<'_>, layer: Layer, backdrop: Option<&Backdrop<'_>>) {
        let locals = &job.slide.directives;
        let out = &mut self.out;
        out.push_str("<section");
        if matches!(layer, Layer::Only | Layer::Content) {
            html::attribute(out, "id", &job.number.to_string());
        }
        if let Some(page) = job.slide.page {
            html::attribute(out, "data-marpit-pagination", &page.to_string());
            html::attribute(out, "data-marpit-pagination-total", &shared.deck.pages.to_string());
        }
        let mut style = String::new();
        for (name, value) in directives(shared, locals) {
            html::attribute(out, &format!("data-{name}"), &value);
            if name != "size" {
                let value = value.replace("<!--", "\\3c !--");
                declaration::push(&mut style, &format!("--{name}"), &value);
            }
        }
        if let Some(class) = &locals.class {
            html::attribute(out, "class", class);
        }
        if let Some(lang) = shared.lang {
            html::attribute(out, "lang", lang);
        }
        if job.slide.fragments > 0 {
            html::attribute(out, "data-marpit-fragments", &job.slide.fragments.to_string());
        }
        if let Some(scope) = &job.scope {
            html::attribute(out, &format!("data-marpit-scope-{scope}"), "");
        }
        for (name, transition) in [("data-transition", &job.transition), ("data-transition-back", &job.transition_back)]
        {
            if let Some(transition) = transition {
                html::attribute(out, name, &transition.json());
            }
        }
        match layer {
            Layer::Pseudo => {
                style.clear();
                push_optional(&mut style, "color", locals.color.as_deref());
            }
            _ => inline_style(&mut style, locals),
        }
        layer_attributes(out, &mut style, layer, backdrop);
        if !style.is_empty() {
            html::attribute(out, "style", &style);
        }
        out.push('>');
    }
}

fn layer_attributes(out: &mut String, style: &mut String, layer: Layer, backdrop: Option<&Backdrop<'_>>) {
    let name = match layer {
        Layer::Only => return,
        Layer::Background => "background",
        Layer::Content => "content",
        Layer::Pseudo => "pseudo",
    };
    html::attribute(out, "data-marpit-advanced-background", name);
    if layer == Layer::Pseudo {
        return;
    }
    if let Some((side, size)) = backdrop.and_then(|b| b.split.as_ref()) {
        let side = if *side == Side::Left { "left" } else { "right" };
        html::attribute(out, "data-marpit-advanced-background-split", side);
        declaration::push(style, "--marpit-advanced-background-split", size);
    }
}

/// The directives in effect, by their attribute names.
fn directives(shared: &Shared<'_>, locals: &Locals) -> Vec<(&'static str, String)> {
    let globals = &shared.deck.globals;
    let divider = globals.heading_divider.as_ref().map(ToString::to_string).filter(|text| !text.is_empty());
    let all: [(&'static str, Option<&str>); 15] = [
        ("paginate", locals.paginate.and_then(crate::deck::Paginate::attribute)),
        ("class", locals.class.as_deref()),
        ("header", locals.header.as_deref()),
        ("footer", locals.footer.as_deref()),
        ("background-color", locals.background_color.as_deref()),
        ("background-image", locals.background_image.as_deref()),
        ("background-position", locals.background_position.as_deref()),
        ("background-repeat", locals.background_repeat.as_deref()),
        ("background-size", locals.background_size.as_deref()),
        ("color", locals.color.as_deref()),
        ("theme", shared.theme),
        ("style", globals.style.as_deref()),
        ("heading-divider", divider.as_deref()),
        ("lang", globals.lang.as_deref()),
        ("size", shared.preset),
    ];
    all.into_iter().filter_map(|(name, value)| value.map(|value| (name, value.to_owned()))).collect()
}

fn push_optional(style: &mut String, property: &str, value: Option<&str>) {
    if let Some(value) = value {
        declaration::push(style, property, value);
    }
}

fn inline_style(style: &mut String, locals: &Locals) {
    push_optional(style, "color", locals.color.as_deref());
    if let Some(color) = &locals.background_color {
        declaration::push(style, "background-color", color);
        if locals.background_image.is_none() {
            declaration::push(style, "background-image", "none");
        }
    }
    if let Some(image) = &locals.background_image {
        declaration::push(style, "background-image", image);
        declaration::push(style, "background-position", locals.background_position.as_deref().unwrap_or("center"));
        declaration::push(style, "background-repeat", locals.background_repeat.as_deref().unwrap_or("no-repeat"));
        declaration::push(style, "background-size", locals.background_size.as_deref().unwrap_or("cover"));
    }
}

/// A number without needless zeros.
pub(super) fn number(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_transition_is_drawn() {
        let css = crate::render::template::asset("transitions.css").expect("embedded");
        let css = std::str::from_utf8(&css).expect("text");
        for name in TRANSITIONS {
            assert!(css.contains(&format!("[data-transition=\"{name}\"]")), "{name}");
        }
    }
}
