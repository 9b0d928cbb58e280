//! One self-contained page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::project::{Compiled, Project, files};
use crate::render::{Rendered, notes, page, template};

use super::inline::{Inliner, Scope};
use super::{Error, Job, Output, Template, fonts};

/// The list of files that the player consists of.
const MANIFEST: &str = "export.json";
/// The one script that a page without the player needs.
const SCALING: &str = "scaling.js";

/// Makes the page of a deck.
pub(super) fn page(project: &Project, compiled: &Compiled, job: &Job) -> Result<Output, Error> {
    let (rendered, diagnostics) = prepared(project, compiled, job);
    let rendered = rendered.as_ref().unwrap_or(&compiled.rendered);
    let text = match job.template {
        Template::Player => player(project, rendered, job)?,
        Template::Bare => bare(project, rendered, job)?,
    };
    Ok(Output { text, diagnostics })
}

/// The rendering with its files in it, when it names any that go in.
fn prepared(project: &Project, compiled: &Compiled, job: &Job) -> (Option<Rendered>, Vec<Diagnostic>) {
    let rendered = &compiled.rendered;
    if !job.inlines() && !rendered.css.contains("/assets/") {
        return (None, Vec::new());
    }
    let scope = if job.inlines() { Scope::All } else { Scope::BuiltIn };
    let (rendered, diagnostics) = Inliner::new(project, compiled, scope).rendered(rendered);
    (Some(rendered), diagnostics)
}

fn player(project: &Project, rendered: &Rendered, job: &Job) -> Result<String, Error> {
    let to_html: &dyn Fn(&str) -> String = &notes::html;
    let options = page::PageOptions {
        mode: "file",
        deck: &job.name,
        version: 1,
        role: "viewer",
        follow: false,
        notes_html: job.with_notes.then_some(to_html),
        links: json!({}),
        base: None,
        assets: None,
        inline: Some(inlined(rendered, job)),
        view: "",
        overlay: None,
    };
    let mut context = page::context(rendered, &options);
    if let Some(film) = &job.film {
        context["film"] = BASE64.encode(&film.packed).into();
        context["boot"]["film"] = true.into();
    }
    if job.progress {
        context["boot"]["progress"] = true.into();
    }
    if job.no_controls {
        context["boot"]["osc"] = false.into();
    }
    template(project, "present.html", &context)
}

fn bare(project: &Project, rendered: &Rendered, job: &Job) -> Result<String, Error> {
    let slides: Vec<&str> = rendered.slides.iter().map(|slide| slide.html.as_str()).collect();
    let notes: Vec<String> = rendered.slides.iter().map(|slide| slide.notes.join("\n\n")).collect();
    let scaling = if rendered.auto_scaling { asset_text(SCALING) } else { None };
    let meta = &rendered.meta;
    let context = json!({
        "title": page::title(rendered, ""),
        "lang": meta.lang,
        "css": page::style_text(&rendered.css),
        "slides": slides,
        "meta": meta,
        "size": rendered.size,
        "notes": if job.with_notes { json!(notes) } else { Value::Null },
        "scaling": scaling,
        "version": env!("CARGO_PKG_VERSION"),
    });
    template(project, "bare.html", &context)
}

/// The player's files, those for a recorded run when there is one, and the fonts that the slides use.
fn inlined(rendered: &Rendered, job: &Job) -> Value {
    let mut files = player_files();
    let listed = |part: &str| {
        let names = manifest()[part].as_array().cloned().unwrap_or_default();
        names.into_iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect::<Vec<_>>()
    };
    let mut more = if job.film.is_some() { listed("film") } else { Vec::new() };
    more.extend(job.film.iter().filter(|film| film.terminals).flat_map(|_| listed("terminals")));
    for name in more {
        files[&name] = asset_text(&name).into();
    }
    files["fonts.css"] = fonts::embedded(&rendered.css).into();
    files
}

fn manifest() -> Value {
    asset_text(MANIFEST).and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default()
}

/// Every file of the player: name → text.
pub(super) fn player_files() -> Value {
    let manifest = manifest();
    let names: Vec<String> = match manifest["files"].as_array() {
        Some(files) => files.iter().filter_map(|file| file.as_str().map(str::to_owned)).collect(),
        None => template::assets().filter(|path| path.ends_with(".js") || path.ends_with(".css")).collect(),
    };
    let files = names.into_iter().filter_map(|name| Some((name.clone(), Value::String(asset_text(&name)?))));
    Value::Object(files.collect())
}

pub(super) fn asset_text(name: &str) -> Option<String> {
    String::from_utf8(template::asset(name)?.into_owned()).ok()
}

/// Fills in a page; the project's own template of that name wins.
pub(super) fn template(project: &Project, name: &str, context: &Value) -> Result<String, Error> {
    let root = project.root.clone();
    Ok(template::page(name, context, move |name| files::own_template(&root, name))?)
}
