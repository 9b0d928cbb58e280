//! Panels and runnable fences on a slide: a frame around what stock Marp would show.

use super::block::Writer;
use super::html;
use crate::deck::panel::options;
use crate::deck::{Image, Inline, PanelSpec, Slide, StepSpec};
use crate::diagnostic::Span;

/// What is live on a slide, by its place in the source.
#[derive(Default)]
pub(super) struct Live<'a> {
    slide: Option<&'a Slide>,
    /// One for each of the slide's panels.
    ids: Vec<String>,
}

impl<'a> Live<'a> {
    pub(super) fn of(slide: &'a Slide, panels: &[(String, &PanelSpec)]) -> Self {
        Self { slide: Some(slide), ids: panels.iter().map(|(id, _)| id.clone()).collect() }
    }

    fn panel(&self, span: Span) -> Option<(&str, &'a PanelSpec)> {
        let (at, panel) = self.slide?.panel_at(span)?;
        Some((self.ids.get(at)?, panel))
    }

    fn step(&self, span: Span) -> Option<&'a StepSpec> {
        self.slide?.step_at(span)
    }
}

impl Writer<'_> {
    /// A code block, in its frame when it is live.
    pub(super) fn live_code(&mut self, info: &str, text: &str, span: Span) {
        if let Some((id, panel)) = self.live.panel(span) {
            open_panel(&mut self.out, id, panel);
            self.code(info, text, span);
            self.out.push_str("</figure>\n");
        } else if let Some(step) = self.live.step(span) {
            self.out.push_str("<div class=\"foredeck-step\"");
            html::attribute(&mut self.out, "data-step", &step.name);
            html::attribute(&mut self.out, "data-step-role", step.role.word());
            self.out.push_str(">\n");
            self.code(info, text, span);
            self.out.push_str("</div>\n");
        } else {
            self.code(info, text, span);
        }
    }

    /// A line that holds nothing but pictures that are panels; whether it does.
    pub(super) fn panel_pictures(&mut self, content: &[Inline]) -> bool {
        let images =
            || content.iter().filter_map(|inline| if let Inline::Image(image) = inline { Some(image) } else { None });
        // pictures are panels only where nothing else stands beside them
        let has_panel = images().any(|image| self.live.panel(image.span).is_some());
        if has_panel {
            images().for_each(|image| self.panel_picture(image));
        }
        has_panel
    }

    fn panel_picture(&mut self, image: &Image) {
        let Some((id, panel)) = self.live.panel(image.span) else { return self.image(image) };
        // what the title says is for us, not for a tool tip
        let untitled = Image { title: String::new(), ..image.clone() };
        open_panel(&mut self.out, id, panel);
        self.image(&untitled);
        self.out.push_str("\n</figure>\n");
    }
}

fn open_panel(out: &mut String, id: &str, panel: &PanelSpec) {
    out.push_str("<figure class=\"foredeck-panel\"");
    html::attribute(out, "data-panel-kind", panel.kind.word());
    html::attribute(out, "data-panel-key", &panel.key());
    html::attribute(out, "data-panel-id", id);
    if let Some(height) = panel.get("height").and_then(options::height) {
        html::attribute(out, "style", &format!("height:{height};"));
    }
    out.push_str(">\n<figcaption>");
    html::text(out, &panel.title());
    out.push_str("</figcaption>\n");
}

#[cfg(test)]
mod tests {
    use crate::deck::{Compatibility, Options, parse};
    use crate::diagnostic::SourceFile;
    use crate::render::{RenderOptions, render};
    use crate::theme::ThemeSet;

    fn section(markdown: &str, compatibility: Compatibility) -> (String, String) {
        let options = Options { compatibility, ..Options::default() };
        let deck = parse(&SourceFile::new("a.md", markdown), &options).value;
        let rendered = render(&deck, &ThemeSet::builtin(), &RenderOptions::default()).value;
        let html = &rendered.slides[0].html;
        let start = html.find("<section").map_or(0, |at| at + html[at..].find('>').unwrap_or(0) + 1);
        let end = html.find("</section>").unwrap_or(html.len());
        (html[start..end].trim().to_owned(), rendered.css)
    }

    const PRE: &str = "<pre is=\"marp-pre\" data-auto-scaling=\"downscale-only\">";

    #[test]
    fn frames_stand_around_what_marp_shows() {
        for (markdown, expected) in [
            (
                "```panel pods namespace=demo height=300 id=p title=\"A & B\"\nx < y\n```",
                format!(
                    "<figure class=\"foredeck-panel\" data-panel-kind=\"pods\" \
                     data-panel-key=\"pods namespace=&quot;demo&quot;\" data-panel-id=\"p\" style=\"height:300px;\">\n\
                     <figcaption>A &amp; B</figcaption>\n\
                     {PRE}<code class=\"language-panel\">x &lt; y\n</code></pre>\n</figure>"
                ),
            ),
            (
                "![w:300 Traffic](a.svg \"panel: canary height=1;x\")",
                "<figure class=\"foredeck-panel\" data-panel-kind=\"canary\" data-panel-key=\"canary\" \
                 data-panel-id=\"panel-1\">\n<figcaption>canary</figcaption>\n\
                 <img src=\"a.svg\" alt=\"Traffic\" style=\"width:300px;\" />\n</figure>"
                    .to_owned(),
            ),
            ("```zz {run name=a}\nb\n```", format!("{PRE}<code class=\"language-zz\">b\n</code></pre>")),
            (
                "```sh {run name=a}\nb\n```",
                format!(
                    "<div class=\"foredeck-step\" data-step=\"a\" data-step-role=\"run\">\n\
                     {PRE}<code class=\"language-sh\">b\n</code></pre>\n</div>"
                ),
            ),
            ("```panel podz\nx\n```", format!("{PRE}<code class=\"language-panel\">x\n</code></pre>")),
            (
                "a ![b](c.svg \"panel: pods\")",
                "<p>a <img src=\"c.svg\" alt=\"b\" title=\"panel: pods\" /></p>".to_owned(),
            ),
        ] {
            let (html, css) = section(markdown, Compatibility::KeepText);
            assert_eq!(html, expected, "{markdown}");
            assert_eq!(css.contains(".foredeck-panel"), expected.contains("foredeck-"), "{markdown}");
        }
    }

    #[test]
    fn marps_own_slides_have_no_frames() {
        let markdown = "```panel pods\nx\n```\n\n```zz {run}\ny\n```\n\n![a](b.svg \"panel: pods\")";
        let (html, css) = section(markdown, Compatibility::Strict);
        let code =
            |language: &str, text: &str| format!("{PRE}<code class=\"language-{language}\">{text}\n</code></pre>\n");
        let image = "<p><img src=\"b.svg\" alt=\"a\" title=\"panel: pods\" /></p>";
        assert_eq!(html, format!("{}{}{image}", code("panel", "x"), code("zz", "y")));
        assert!(!css.contains(".foredeck-panel"));
    }
}
