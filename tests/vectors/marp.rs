//! What the real Marp makes of small decks.

use std::collections::{BTreeMap, BTreeSet};

use foredeck::deck::{self, Compatibility, HeadingDivider};
use foredeck::diagnostic::SourceFile;
use foredeck::render::{self, HtmlPolicy, RenderOptions, Rendered};
use foredeck::theme::ThemeSet;
use scraper::{ElementRef, Html, Selector};
use serde_json::{Value, json};

use crate::harness::dom;

/// Marp's behaviour to the letter, its losses of text included.
#[test]
fn vectors_marp_strict() {
    let Some(cases) = super::cases("marp.json") else { return };
    let report = run(&cases, Compatibility::Strict);
    report.print("as Marp does");
    assert!(report.agree * 100 >= report.total * 99, "fewer than 99 % of the Marp vectors agree");
}

/// The default: like Marp, but without losing text. Says where that differs.
#[test]
fn vectors_marp_default() {
    let Some(cases) = super::cases("marp.json") else { return };
    let report = run(&cases, Compatibility::KeepText);
    report.print("by default");
    assert!(report.agree * 100 >= report.total * 93, "the default strays from Marp in more than the kept texts");
}

struct Report {
    agree: usize,
    total: usize,
    failures: Vec<String>,
}

impl Report {
    fn print(&self, how: &str) {
        eprintln!("marp vectors {how}: {} of {} agree", self.agree, self.total);
        for failure in &self.failures {
            eprintln!("  {failure}");
        }
    }
}

fn run(cases: &[Value], compatibility: Compatibility) -> Report {
    let mut report = Report { agree: 0, total: cases.len(), failures: Vec::new() };
    for case in cases {
        let problems = check(case, compatibility);
        if problems.is_empty() {
            report.agree += 1;
        } else {
            let id = case["id"].as_str().unwrap_or("?");
            report.failures.push(format!(
                "{id} {:?}: {}",
                case["markdown"].as_str().unwrap_or(""),
                problems.join("; ")
            ));
        }
    }
    report
}

fn check(case: &Value, compatibility: Compatibility) -> Vec<String> {
    let expect = &case["expect"];
    let mut themes = ThemeSet::builtin();
    for css in case["options"]["themes"].as_array().into_iter().flatten() {
        let added = themes.add(css.as_str().unwrap_or_default());
        match (added, expect.get("error")) {
            (Err(_), Some(_)) => return Vec::new(),
            (Err(error), None) => return vec![format!("theme refused: {error}")],
            _ => {}
        }
    }
    let mut problems = Vec::new();
    let (rendered, globals) = rendered(case, &mut themes, compatibility);
    if expect.get("error").is_some() {
        return vec!["an error was expected".into()];
    }
    let mut compare = |what: &str, expected: &Value, actual: Value| {
        if *expected != actual {
            problems.push(format!("{what}: expected {expected} actual {actual}"));
        }
    };
    compare_deck(expect, &rendered, &globals, &mut compare);
    if let Some(css) = expect.get("css")
        && let Err(reason) = super::css::agrees(css, &rendered.css)
    {
        problems.push(format!("css: {reason}"));
    }
    problems
}

fn rendered(case: &Value, themes: &mut ThemeSet, compatibility: Compatibility) -> (Rendered, Value) {
    let engine = &case["options"]["engine"];
    let options = deck::Options {
        compatibility,
        math: engine["math"] != json!(false),
        shortcodes: engine["emoji"]["shortcode"] != json!(false),
        loose_yaml: engine["looseYAML"] != json!(false),
        breaks: engine["markdown"]["breaks"] != json!(false),
        typographer: engine["markdown"]["typographer"] == json!(true),
        heading_divider: engine["headingDivider"].as_u64().map(|n| HeadingDivider::UpTo(n as u8)),
    };
    let source = SourceFile::new("case.md", case["markdown"].as_str().unwrap_or_default());
    let parsed = deck::parse(&source, &options).value;
    let is_cli = case["engine"] == json!("marp-cli");
    let mut render_options = RenderOptions {
        lang: engine["lang"].as_str().map(str::to_owned).or_else(|| is_cli.then(|| "en-US".to_owned())),
        html: html_policy(engine),
        raw_title: true,
        ..RenderOptions::default()
    };
    if is_cli {
        command_line(case, themes, &mut render_options);
    }
    let rendered = render::render(&parsed, themes, &render_options).value;
    let globals = json!({
        "theme": parsed.globals.themes.iter().rfind(|name| themes.contains(name)),
        "style": parsed.globals.style,
        "lang": parsed.globals.lang,
        "size": parsed.globals.size,
        "math": parsed.globals.math,
        "headingDivider": match &parsed.globals.heading_divider {
            Some(HeadingDivider::UpTo(level)) => json!(level),
            Some(HeadingDivider::Exactly(levels)) => json!(levels),
            Some(HeadingDivider::Off) => json!(false),
            None => Value::Null,
        },
    });
    (rendered, globals)
}

fn html_policy(engine: &Value) -> HtmlPolicy {
    match &engine["html"] {
        Value::Bool(false) => HtmlPolicy::None,
        Value::Bool(true) => HtmlPolicy::All,
        Value::Object(tags) => HtmlPolicy::Custom(
            tags.iter()
                .map(|(tag, list)| {
                    let attributes = list.as_array().into_iter().flatten().filter_map(Value::as_str);
                    (tag.clone(), attributes.map(str::to_owned).collect())
                })
                .collect(),
        ),
        _ => HtmlPolicy::AllowList,
    }
}

/// The flags of a command-line case that concern rendering.
fn command_line(case: &Value, themes: &mut ThemeSet, options: &mut RenderOptions) {
    let args: Vec<&str> = case["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg {
            "--theme" => options.theme = args.next().and_then(|file| add_file(case, file, themes)),
            "--theme-set" => {
                args.next().and_then(|file| add_file(case, file, themes));
            }
            "--html" => options.html = HtmlPolicy::All,
            "--title" => options.overrides.title = args.next().map(str::to_owned),
            "--author" => options.overrides.author = args.next().map(str::to_owned),
            "--bespoke.transition=false" => options.no_transitions = true,
            _ => {}
        }
    }
}

fn add_file(case: &Value, file: &str, themes: &mut ThemeSet) -> Option<String> {
    let css = case["files"][file].as_str()?;
    themes.add(css).ok().or_else(|| themes.add(&format!("/* @theme generated */\n{css}")).ok())
}

fn select(selector: &str) -> Selector {
    Selector::parse(selector).expect("a selector")
}

fn compare_deck(expect: &Value, rendered: &Rendered, globals: &Value, compare: &mut impl FnMut(&str, &Value, Value)) {
    if let Some(slides) = expect.get("slides") {
        compare("slides", slides, json!(rendered.slides.len()));
    }
    if let Some(size) = expect.get("size") {
        let number = |n: f64| if n.fract() == 0.0 { json!(n as i64) } else { json!(n) };
        compare("size", size, json!([number(rendered.size.width), number(rendered.size.height)]));
    }
    if let Some(expected) = expect.get("globals") {
        let present: serde_json::Map<String, Value> = globals
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        compare("globals", expected, Value::Object(present));
    }
    if let Some(notes) = expect.get("notes") {
        let actual: Vec<&Vec<String>> = rendered.slides.iter().map(|slide| &slide.notes).collect();
        compare("notes", notes, json!(actual));
    }
    if let Some(title) = expect.get("title") {
        compare("title", title, json!(rendered.meta.title));
    }
    if let Some(lang) = expect.get("htmlLang") {
        compare("htmlLang", lang, json!(rendered.meta.lang));
    }
    if let Some(author) = expect["meta"].get("author") {
        compare("author", author, json!(rendered.meta.author));
    }
    if let Some(expected) = expect.get("noteElements").and_then(Value::as_array) {
        let actual: Vec<Value> = rendered
            .slides
            .iter()
            .enumerate()
            .filter(|(_, slide)| !slide.notes.is_empty())
            .map(|(index, slide)| json!({"slide": index, "paragraphs": slide.notes}))
            .collect();
        let unless_bare = expected.is_empty() && !actual.is_empty();
        if !unless_bare {
            compare("noteElements", &json!(expected), json!(actual));
        }
    }
    for (index, section) in expect["sections"].as_array().into_iter().flatten().enumerate() {
        let html = rendered.slides.get(index).map_or("", |slide| slide.html.as_str());
        compare_section(index, section, html, compare);
    }
}

fn compare_section(index: usize, expect: &Value, html: &str, compare: &mut impl FnMut(&str, &Value, Value)) {
    let document = dom::fragment(html);
    let sections: Vec<ElementRef<'_>> = document.select(&select("foreignObject > section")).collect();
    let content = sections
        .iter()
        .find(|s| matches!(s.value().attr("data-marpit-advanced-background"), None | Some("content")))
        .copied();
    let Some(section) = content else {
        return compare(&format!("slide {index}"), expect, Value::Null);
    };
    for (key, expected) in expect.as_object().into_iter().flatten() {
        let actual = fact(key, section, &document);
        let expected = match key.as_str() {
            "html" => json!(dom::canonical(Html::parse_fragment(expected.as_str().unwrap_or("")).root_element())),
            "data" if expected["theme"] == json!("{generated}") => continue,
            "header" | "footer" if !expected.is_null() => json!({
                "html": dom::canonical(Html::parse_fragment(expected["html"].as_str().unwrap_or("")).root_element()),
                "text": expected["text"],
            }),
            "text" => json!(squeeze(expected.as_str().unwrap_or(""))),
            _ => expected.clone(),
        };
        if let Some(actual) = actual {
            compare(&format!("slide {index} {key}"), &expected, actual);
        }
    }
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One fact about a section, as the vectors spell it.
fn fact(key: &str, section: ElementRef<'_>, document: &Html) -> Option<Value> {
    let attr = |name: &str| section.value().attr(name);
    Some(match key {
        "id" => json!(attr("id")),
        "lang" => json!(attr("lang")),
        "classes" => json!(section.value().classes().collect::<BTreeSet<_>>()),
        "data" => json!(data(section)),
        "vars" => json!(style(section, true)),
        "style" => json!(style(section, false)),
        "pagination" => match attr("data-marpit-pagination") {
            Some(page) => json!({
                "page": page.parse::<u32>().ok(),
                "total": attr("data-marpit-pagination-total").and_then(|t| t.parse::<u32>().ok()),
            }),
            None => Value::Null,
        },
        "header" | "footer" => band(key, section),
        "html" => json!(dom::canonical(section)),
        "headings" => headings(section),
        "images" => images(section),
        "bg" => background(section, document),
        "code" => code(section),
        "fragments" => fragments(section),
        "math" => formulas(section),
        "scoped" => json!(section.value().attrs().any(|(key, _)| key.starts_with("data-marpit-scope-"))),
        "transition" => parsed(attr("data-transition")),
        "transitionBack" => parsed(attr("data-transition-back")),
        _ => return None,
    })
}

fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

fn data(section: ElementRef<'_>) -> BTreeMap<String, String> {
    let skipped = ["data-header", "data-footer"];
    let mut found = BTreeMap::new();
    for (key, value) in section.value().attrs() {
        if let Some(name) = key.strip_prefix("data-")
            && !name.starts_with("marpit-")
            && !name.starts_with("transition")
            && (!skipped.contains(&key) || !value.is_empty())
        {
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    found
}

fn style(section: ElementRef<'_>, variables: bool) -> BTreeMap<String, String> {
    dom::declarations(section.value().attr("style").unwrap_or(""))
        .into_iter()
        .filter(|(key, _)| key.starts_with("--") == variables && !key.starts_with("--marpit-"))
        .collect()
}

fn band(name: &str, section: ElementRef<'_>) -> Value {
    let band = section.children().filter_map(ElementRef::wrap).find(|child| child.value().name() == name);
    band.map_or(Value::Null, |band| json!({"html": dom::canonical(band), "text": visible_text(band)}))
}

fn in_band(element: ElementRef<'_>) -> bool {
    element.ancestors().filter_map(ElementRef::wrap).any(|a| matches!(a.value().name(), "header" | "footer"))
}

fn visible_text(element: ElementRef<'_>) -> String {
    let mut out = String::new();
    collect_text(element, &mut out);
    squeeze(&out)
}

fn collect_text(element: ElementRef<'_>, out: &mut String) {
    for child in element.children() {
        if let Some(text) = child.value().as_text() {
            out.push_str(text);
        } else if let Some(child) = ElementRef::wrap(child) {
            match child.value().name() {
                "math" => {}
                "br" | "li" | "p" | "ul" | "ol" => {
                    out.push(' ');
                    collect_text(child, out);
                    out.push(' ');
                }
                _ => collect_text(child, out),
            }
        }
    }
}

fn headings(section: ElementRef<'_>) -> Value {
    let found: Vec<Value> = section
        .select(&select("h1, h2, h3, h4, h5, h6"))
        .map(|h| {
            json!({
                "level": h.value().name()[1..].parse::<u8>().ok(),
                "id": h.value().attr("id"),
                "text": visible_text(h),
                "fit": h.value().attr("data-auto-scaling").is_some(),
            })
        })
        .collect();
    json!(found)
}

fn images(section: ElementRef<'_>) -> Value {
    let found: Vec<Value> = section
        .select(&select("img"))
        .filter(|img| !in_band(*img))
        .map(|img| {
            let mut image = json!({
                "src": img.value().attr("src").unwrap_or(""),
                "alt": img.value().attr("alt"),
                "style": dom::declarations(img.value().attr("style").unwrap_or("")),
            });
            if let Some(title) = img.value().attr("title") {
                image["title"] = json!(title);
            }
            image
        })
        .collect();
    json!(found)
}

fn background(section: ElementRef<'_>, document: &Html) -> Value {
    let layer = document.select(&select("section[data-marpit-advanced-background=background]")).next();
    let Some(layer) = layer else { return Value::Null };
    let container = layer.select(&select("div[data-marpit-advanced-background-container]")).next();
    let direction = container.and_then(|c| c.value().attr("data-marpit-advanced-background-direction"));
    let split = layer.value().attr("data-marpit-advanced-background-split").map(|side| {
        let declared = dom::declarations(layer.value().attr("style").unwrap_or(""));
        json!({"side": side, "size": declared.get("--marpit-advanced-background-split")})
    });
    let object = section.parent().and_then(ElementRef::wrap).expect("a section stands in a foreignObject");
    let images: Vec<Value> = layer
        .select(&select("figure"))
        .map(|figure| {
            let declared = dom::declarations(figure.value().attr("style").unwrap_or(""));
            let url = declared
                .get("background-image")
                .map(|u| u.trim_start_matches("url(\"").trim_end_matches("\")").to_owned());
            let alt = figure.select(&select("figcaption")).next().map(|c| c.text().collect::<String>());
            json!({"url": url, "size": declared.get("background-size"), "filter": declared.get("filter"), "alt": alt})
        })
        .collect();
    json!({
        "direction": direction,
        "split": split,
        "content": {
            "x": object.value().attr("x"),
            "width": object.value().attr("width"),
            "height": object.value().attr("height"),
        },
        "images": images,
    })
}

fn code(section: ElementRef<'_>) -> Value {
    let found: Vec<Value> = section
        .select(&select("pre"))
        .map(|pre| {
            let code = pre.select(&select("code")).next();
            let class = code.and_then(|c| c.value().attr("class")).and_then(|c| c.strip_prefix("language-"));
            let hljs: BTreeSet<String> = pre
                .select(&select("span[class*=hljs-]"))
                .flat_map(|span| span.value().classes().filter(|class| class.starts_with("hljs-")))
                .map(str::to_owned)
                .collect();
            json!({
                "lang": class,
                "text": pre.text().collect::<String>(),
                "shrink": pre.value().attr("data-auto-scaling") == Some("downscale-only"),
                "hljs": hljs,
            })
        })
        .collect();
    json!(found)
}

fn fragments(section: ElementRef<'_>) -> Value {
    let items: Vec<Value> = section
        .select(&select("[data-marpit-fragment]"))
        .map(|item| {
            let number = item.value().attr("data-marpit-fragment").and_then(|n| n.parse::<u32>().ok());
            json!({"n": number, "text": visible_text(item)})
        })
        .collect();
    let count = section.value().attr("data-marpit-fragments").and_then(|n| n.parse::<u32>().ok());
    json!({"count": count, "items": items})
}

fn formulas(section: ElementRef<'_>) -> Value {
    let found: Vec<Value> = section
        .select(&select("math, [data-math]"))
        .map(|math| {
            let (display, tex) = dom::formula(math);
            json!({"display": display, "tex": tex})
        })
        .collect();
    json!(found)
}
