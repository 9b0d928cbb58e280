//! The first slide that differs between two renderings of a deck.

use super::{Rendered, RenderedSlide};
use crate::deck::panel::PanelSpec;
use crate::deck::step::StepSpec;

/// The index (from 0) of the first slide an edit changed, for the player to point at.
///
/// `None` when every slide is the same; the CSS may differ all the same. When slides were only
/// removed from the end, it is the last slide that is left.
pub fn first_change(old: &Rendered, new: &Rendered) -> Option<usize> {
    let differs = old.slides.iter().zip(&new.slides).position(|(a, b)| !same(a, b));
    differs.or_else(|| {
        (old.slides.len() != new.slides.len())
            .then(|| old.slides.len().min(new.slides.len()).min(new.slides.len().saturating_sub(1)))
    })
}

/// Whether two renderings look and present the same, so that no window has to change.
pub fn unchanged(old: &Rendered, new: &Rendered) -> bool {
    old.css == new.css && old.size == new.size && old.meta == new.meta && first_change(old, new).is_none()
}

/// The span is left out: text added above a slide moves it without changing it.
fn same(a: &RenderedSlide, b: &RenderedSlide) -> bool {
    a.html == b.html
        && a.notes == b.notes
        && a.fragments == b.fragments
        && a.title == b.title
        && a.text == b.text
        && acts_the_same(a, b)
}

/// What a slide runs and shows live may change without a change of its HTML.
fn acts_the_same(a: &RenderedSlide, b: &RenderedSlide) -> bool {
    let of_panel = |(id, panel): &(String, PanelSpec)| (id.clone(), panel.key());
    let same_step = |(a, b): (&StepSpec, &StepSpec)| StepSpec { span: b.span, ..a.clone() } == *b;
    a.steps.len() == b.steps.len()
        && a.steps.iter().zip(&b.steps).all(same_step)
        && a.panels.iter().map(of_panel).eq(b.panels.iter().map(of_panel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::render::Meta;
    use crate::theme::Size;

    fn deck(slides: &[&str]) -> Rendered {
        let slide = |html: &&str| RenderedSlide {
            html: (*html).to_owned(),
            notes: Vec::new(),
            fragments: 0,
            title: None,
            class: None,
            text: String::new(),
            span: Span::new(html.len(), html.len() + 1),
            panels: Vec::new(),
            steps: Vec::new(),
        };
        Rendered {
            slides: slides.iter().map(slide).collect(),
            css: String::new(),
            size: Size { width: 1280.0, height: 720.0 },
            meta: Meta::default(),
            auto_scaling: false,
        }
    }

    #[test]
    fn names_the_first_slide_that_differs() {
        let old = deck(&["a", "b", "c"]);
        let cases: [(&[&str], Option<usize>); 7] = [
            (&["a", "b", "c"], None),
            (&["x", "b", "c"], Some(0)),
            (&["a", "b", "x"], Some(2)),
            (&["a", "new", "b", "c"], Some(1)),
            (&["a", "b", "c", "d"], Some(3)),
            (&["a", "b"], Some(1)),
            (&[], Some(0)),
        ];
        for (slides, expected) in cases {
            assert_eq!(first_change(&old, &deck(slides)), expected, "{slides:?}");
        }
    }

    #[test]
    fn moved_text_and_new_css_are_told_apart() {
        let old = deck(&["a", "b"]);
        let mut moved = deck(&["a", "b"]);
        moved.slides[1].span = Span::new(400, 500);
        assert!(unchanged(&old, &moved));
        let mut styled = deck(&["a", "b"]);
        styled.css.push_str("section{}");
        assert_eq!(first_change(&old, &styled), None);
        assert!(!unchanged(&old, &styled));
    }
}
