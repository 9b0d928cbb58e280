//! The presenter's text.

use crate::render::Rendered;

/// Notes as Marp writes them: those of a slide with a blank line between, slides with a ruler between.
pub fn text(rendered: &Rendered) -> String {
    let slides: Vec<String> = rendered.slides.iter().map(|slide| slide.notes.join("\n\n")).collect();
    slides.join("\n\n---\n\n")
}

/// Notes as a Markdown document: every slide is a section with its number and title.
pub fn markdown(rendered: &Rendered, name: &str) -> String {
    let title = rendered.meta.title.as_deref().filter(|title| !title.is_empty()).unwrap_or(name);
    let mut document = format!("# {title}\n");
    for (index, slide) in rendered.slides.iter().enumerate() {
        let number = index + 1;
        match slide.title.as_deref().filter(|title| !title.is_empty()) {
            Some(title) => document.push_str(&format!("\n## {number}. {title}\n")),
            None => document.push_str(&format!("\n## {number}.\n")),
        }
        for note in slide.notes.iter().filter(|note| !note.is_empty()) {
            document.push_str(&format!("\n{note}\n"));
        }
    }
    document
}
