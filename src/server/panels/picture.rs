//! A panel as an SVG picture that stands by itself: its text, and below it its chart. Pure.

use serde_json::{Value, json};

use super::chart;
use crate::panel::state::{Body, PanelState};

/// A picture is at least so wide; it is scaled to fit.
const WIDTH: usize = 1000;
/// Room around.
const MARGIN: usize = 24;
/// A letter, a line.
const LETTER: (usize, usize) = (16, 36);
/// Longer lines are cut.
const LONGEST: usize = 100;

/// What the template of pictures needs.
pub(super) fn context(state: &PanelState, redact: impl Fn(&str) -> String) -> Value {
    let series = match &state.body {
        Body::Chart { series, .. } => series.as_slice(),
        _ => &[],
    };
    let cut = |line: &str| match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    };
    let lines: Vec<String> = redact(&state.text()).lines().map(cut).collect();
    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = WIDTH.max(widest * LETTER.0 + 2 * MARGIN);
    let text: Vec<Value> = lines
        .iter()
        .enumerate()
        // The last lines of a chart's text are those of its lines, in their order.
        .map(|(number, line)| {
            let of = (number + series.len()).checked_sub(lines.len());
            json!({ "y": MARGIN + (number + 1) * LETTER.1 - 10, "text": line, "line": of.map(|of| of % 4) })
        })
        .collect();
    let below = MARGIN + lines.len() * LETTER.1;
    let drawn = (!series.is_empty()).then(|| chart::draw(series));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let height = below + drawn.as_ref().map_or(0, |chart| chart.height.ceil().max(0.0) as usize) + MARGIN;
    json!({
        "title": redact(&state.title), "width": width, "height": height, "lines": text,
        "chart": drawn, "below": below, "margin": MARGIN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::state::{Fact, Mark, Point, Series};
    use jiff::Timestamp;

    #[test]
    fn text_stands_above_the_chart_and_everything_fits() {
        let series = |name: &str, unit: &str| Series {
            name: name.to_owned(),
            unit: unit.to_owned(),
            points: vec![Point { x: 0.0, y: 1.0 }],
        };
        let facts = vec![Fact { label: "phase".to_owned(), value: "secret".to_owned(), mark: Mark::Good }];
        let body = Body::Chart { facts, series: vec![series("weight", " %"), series("latency", " ms")] };
        let state = PanelState::good("canary", body, Timestamp::UNIX_EPOCH);
        let context = context(&state, |text| text.replace("secret", "•"));
        let lines: Vec<_> = context["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| (line["text"].as_str(), line["line"].as_u64()))
            .collect();
        assert_eq!(
            lines,
            [(Some("phase   •"), None), (Some("weight: 1 %"), Some(0)), (Some("latency: 1 ms"), Some(1))]
        );
        let bottom = context["chart"]["height"].as_f64().unwrap() + context["below"].as_f64().unwrap();
        assert!(bottom <= context["height"].as_f64().unwrap());
        let long = PanelState::good("qr", Body::Qr { text: "x".repeat(500) }, Timestamp::UNIX_EPOCH);
        let context = super::context(&long, str::to_owned);
        assert_eq!(context["width"], 101 * LETTER.0 + 2 * MARGIN);
        assert_eq!(context["chart"], Value::Null);
    }
}
