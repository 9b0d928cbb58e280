//! What a page's template is given: the slides, and the facts the player starts with.

use serde_json::{Map, Value, json};

use super::{Rendered, RenderedSlide};

/// Who and what a page is made for.
pub struct PageOptions<'a> {
    /// `server`, or `file` for an exported page.
    pub mode: &'static str,
    /// The deck's name in URLs.
    pub deck: &'a str,
    /// Version of the deck; grows with every change.
    pub version: u64,
    /// `viewer`, `presenter` or `remote`.
    pub role: &'static str,
    /// Whether the page follows the speaker from the start.
    pub follow: bool,
    /// Presenter notes go in, each made HTML by this; `None` leaves them out.
    pub notes_html: Option<&'a dyn Fn(&str) -> String>,
    /// Absolute links the page may show.
    pub links: Value,
    /// Where the deck's relative addresses start.
    pub base: Option<String>,
    /// Where the player's files are, `/assets`; `None` when they are written into the page.
    pub assets: Option<&'a str>,
    /// The player's files to write into the page: an object of file name → text.
    pub inline: Option<Value>,
    /// What `?view=` asks for: empty, `presenter`, `overview` or `next`.
    pub view: &'a str,
    /// HTML that shows what is wrong with the deck.
    pub overlay: Option<&'a str>,
}

/// The context of `present.html`.
pub fn context(rendered: &Rendered, options: &PageOptions<'_>) -> Value {
    let meta = &rendered.meta;
    json!({
        "title": title(rendered, options.deck),
        "lang": meta.lang.as_deref().unwrap_or("en"),
        "version": options.version,
        "role": options.role,
        "css": style_text(&rendered.css),
        "slides": rendered.slides.iter().map(|slide| slide.html.as_str()).collect::<Vec<_>>(),
        "meta": meta,
        "size": rendered.size,
        "base": options.base,
        "assets": options.assets,
        "inline": options.inline,
        "view": options.view,
        "overlay": options.overlay,
        "boot": boot(rendered, options),
    })
}

/// The facts the player starts with.
pub fn boot(rendered: &Rendered, options: &PageOptions<'_>) -> Value {
    let mut boot = json!({
        "mode": options.mode,
        "deck": options.deck,
        "version": options.version,
        "count": rendered.slides.len(),
        "size": rendered.size,
        "role": options.role,
        "follow": options.follow,
        "links": options.links,
    });
    if let Some(object) = boot.as_object_mut() {
        describe(object, rendered, options.notes_html);
    }
    boot
}

/// The document that replaces a page's slides in place after an edit.
pub fn slides(rendered: &Rendered, options: &PageOptions<'_>) -> Value {
    let mut document = json!({
        "version": options.version,
        "title": title(rendered, options.deck),
        "css": style_text(&rendered.css),
        "size": rendered.size,
        "slides": rendered.slides.iter().map(|slide| slide.html.as_str()).collect::<Vec<_>>(),
    });
    if let Some(object) = document.as_object_mut() {
        describe(object, rendered, options.notes_html);
    }
    document
}

/// The deck's title, or its name when it has none.
pub fn title<'a>(rendered: &'a Rendered, deck: &'a str) -> &'a str {
    rendered.meta.title.as_deref().filter(|title| !title.is_empty()).unwrap_or(deck)
}

/// Minutes the deck's notes plan for, in all; `None` when they plan none.
pub fn planned_minutes(rendered: &Rendered) -> Option<f64> {
    let minutes: Vec<f64> = rendered.slides.iter().filter_map(minutes).collect();
    (!minutes.is_empty()).then(|| minutes.iter().sum())
}

fn describe(object: &mut Map<String, Value>, rendered: &Rendered, notes_html: Option<&dyn Fn(&str) -> String>) {
    let slides = &rendered.slides;
    if let Some(to_html) = notes_html {
        object.insert("notes".to_owned(), slides.iter().map(|s| json!(s.notes)).collect());
        object.insert("notes_html".to_owned(), slides.iter().map(|s| json!(to_html(&s.notes.join("\n\n")))).collect());
    }
    object.insert("titles".to_owned(), slides.iter().map(|s| json!(s.title)).collect());
    object.insert("texts".to_owned(), slides.iter().map(|s| json!(s.text)).collect());
    object.insert("fragments".to_owned(), slides.iter().map(|s| json!(s.fragments)).collect());
    object.insert("plan".to_owned(), plan(rendered));
}

/// CSS that cannot end the `<style>` element it is put into.
pub fn style_text(css: &str) -> String {
    css.replace("</", "<\\/")
}

/// The sections of the talk: where they start and how long they should take.
///
/// A section starts at a slide of a class made for that; a deck without any has one at every
/// level-1 heading, unless it uses those for most of its slides.
pub fn plan(rendered: &Rendered) -> Value {
    let slides = &rendered.slides;
    let by_class = starts(slides, |slide| has_class(slide, &["title", "lead", "section", "divider"]));
    let by_heading = starts(slides, |slide| slide.html.contains("<h1"));
    let starts = if !by_class.is_empty() || by_heading.len() * 2 > slides.len() { by_class } else { by_heading };
    let ends = starts.iter().skip(1).copied().chain([slides.len()]);
    let sections = starts.iter().zip(ends).map(|(&start, end)| {
        let minutes: Vec<f64> = slides[start..end].iter().filter_map(minutes).collect();
        let sum = (!minutes.is_empty()).then(|| minutes.iter().sum::<f64>());
        json!({ "title": slides[start].title, "slide": start, "minutes": sum })
    });
    sections.collect()
}

fn starts(slides: &[RenderedSlide], test: impl Fn(&RenderedSlide) -> bool) -> Vec<usize> {
    slides.iter().enumerate().filter(|(_, slide)| test(slide)).map(|(i, _)| i).collect()
}

fn has_class(slide: &RenderedSlide, names: &[&str]) -> bool {
    slide.class.as_deref().is_some_and(|classes| classes.split_whitespace().any(|class| names.contains(&class)))
}

/// A note line like `Time: 3 min`, or `**1:30**` at the start of a line, says how long its slide should take.
fn minutes(slide: &RenderedSlide) -> Option<f64> {
    let lines = slide.notes.iter().flat_map(|note| note.lines());
    let values = lines.filter_map(|line| {
        if let Some(clock) = clock_minutes(line) {
            return Some(clock);
        }
        let (key, value) = line.split_once(':')?;
        let known = ["time", "duration", "minutes"].iter().any(|word| key.trim().eq_ignore_ascii_case(word));
        let value = value.trim();
        let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
        let unit = value[end..].trim().trim_end_matches('.').to_lowercase();
        let plain = ["", "m", "min", "mins", "minute", "minutes", "'"].contains(&unit.as_str());
        (known && plain).then(|| value[..end].parse::<f64>().ok()).flatten().filter(|m| m.is_finite())
    });
    values.reduce(|a, b| a + b)
}

/// `**m:ss**` at the start of a line, in minutes.
fn clock_minutes(line: &str) -> Option<f64> {
    let (clock, _) = line.trim_start().strip_prefix("**")?.split_once("**")?;
    let (minutes, seconds) = clock.split_once(':')?;
    let digits = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(minutes, 3) || seconds.len() != 2 || !digits(seconds, 2) {
        return None;
    }
    Some(minutes.parse::<f64>().ok()? + seconds.parse::<f64>().ok()? / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::render::Meta;
    use crate::theme::Size;

    fn slide(html: &str, title: &str, notes: &[&str]) -> RenderedSlide {
        RenderedSlide {
            html: html.to_owned(),
            notes: notes.iter().map(|&n| n.to_owned()).collect(),
            fragments: 2,
            title: Some(title.to_owned()),
            class: html.split_once("class=\"").and_then(|(_, rest)| Some(rest.split_once('"')?.0.to_owned())),
            text: title.to_owned(),
            span: Span::default(),
            panels: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn rendered(slides: Vec<RenderedSlide>) -> Rendered {
        Rendered {
            slides,
            css: "a::after{content:'</style>'}".to_owned(),
            size: Size { width: 960.0, height: 720.0 },
            meta: Meta::default(),
            auto_scaling: false,
        }
    }

    fn options(notes_html: Option<&dyn Fn(&str) -> String>) -> PageOptions<'_> {
        PageOptions {
            mode: "server",
            deck: "gitops",
            version: 7,
            role: "viewer",
            follow: false,
            notes_html,
            links: json!({}),
            base: None,
            assets: Some("/assets"),
            inline: None,
            view: "",
            overlay: None,
        }
    }

    #[test]
    fn notes_stay_out_unless_asked_for() {
        let deck = rendered(vec![slide("<svg></svg>", "One", &["secret", "more"])]);
        let plain = boot(&deck, &options(None));
        assert_eq!(
            plain,
            json!({
                "mode": "server", "deck": "gitops", "version": 7, "count": 1,
                "size": { "width": 960.0, "height": 720.0 }, "role": "viewer", "follow": false, "links": {},
                "titles": ["One"], "texts": ["One"], "fragments": [2], "plan": [],
            })
        );
        let with = boot(&deck, &options(Some(&|text| format!("<p>{text}</p>"))));
        assert_eq!(with["notes"], json!([["secret", "more"]]));
        assert_eq!(with["notes_html"], json!(["<p>secret\n\nmore</p>"]));
    }

    #[test]
    fn css_cannot_leave_its_element() {
        let css = context(&rendered(Vec::new()), &options(None))["css"].clone();
        assert_eq!(css, json!("a::after{content:'<\\/style>'}"));
    }

    #[test]
    fn sections_carry_their_planned_minutes() {
        let deck = rendered(vec![
            slide("<svg><section class=\"lead invert\"><h1>A</h1>", "A", &["Time: 1.5 min"]),
            slide("<svg><section><h1>b</h1>", "b", &["duration: 2m", "Time: soon"]),
            slide("<svg><section id=\"3\" class=\"section\">", "C", &["no plan"]),
            slide(
                "<svg><section class=\"section\">",
                "D",
                &["**1:30** Begin.", "**1:3** is no time, **bold** neither"],
            ),
        ]);
        let expected = json!([
            { "title": "A", "slide": 0, "minutes": 3.5 },
            { "title": "C", "slide": 2, "minutes": null },
            { "title": "D", "slide": 3, "minutes": 1.5 },
        ]);
        assert_eq!(plan(&deck), expected);
        assert_eq!(planned_minutes(&deck), Some(5.0));
    }
}
