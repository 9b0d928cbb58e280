//! Values over time as the paths of a picture. Pure.

use serde::Serialize;

use crate::panel::state::{Point, Series};

/// How wide the picture is; it is scaled to fit.
const WIDTH: f64 = 1000.0;
/// How high the frame of one unit is: that of the only one, or of one of several, and the least.
const HEIGHTS: (f64, f64, f64) = (200.0, 100.0, 60.0);
/// Room around the frames for numbers: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (96.0, 14.0, 20.0, 36.0);
/// Room between two frames.
const GAP: f64 = 26.0;
/// What the height of frames is shared among, when there are many.
const HIGHEST: f64 = 240.0;
/// At most about so many lines across, and in a frame of several.
const TICKS: (f64, f64) = (5.0, 2.0);
/// Points drawn per line; what lies between two of them cannot be seen anyway.
const MOST_POINTS: usize = 400;

/// A chart, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// Where the lines begin and end: left, top, right, bottom.
    pub frame: [f64; 4],
    /// The lines.
    pub lines: Vec<Line>,
    /// Numbers along the side: of every unit its own, one frame below the other.
    pub up: Vec<Tick>,
    /// Seconds along the bottom.
    pub along: Vec<Tick>,
}

/// A line of a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its last point.
    pub end: Option<[f64; 2]>,
    /// Its last value with its unit.
    pub last: String,
}

/// A number beside a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tick {
    /// Where, in the picture.
    pub at: f64,
    /// The number.
    pub text: String,
}

/// The lines of one unit, from top to bottom of the picture.
struct Frame<'a> {
    unit: &'a str,
    top: f64,
    bottom: f64,
    low: f64,
    high: f64,
    step: f64,
}

impl<'a> Frame<'a> {
    fn new(unit: &'a str, series: &[Series], (top, bottom): (f64, f64), ticks: f64) -> Self {
        let of_unit = series.iter().filter(|series| series.unit == unit);
        let values = of_unit.flat_map(|series| &series.points).filter(|point| is_sound(point)).map(|point| point.y);
        let (low, high) = range(values, Some(0.0));
        let step = step(high - low, ticks);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { unit, top, bottom, low, high, step }
    }

    fn y(&self, value: f64) -> f64 {
        round(self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top))
    }

    fn ticks(&self) -> impl Iterator<Item = Tick> {
        ticks(self.low, self.high, self.step)
            .map(|value| Tick { at: self.y(value), text: with_unit(value, self.unit) })
    }
}

/// Draws lines above one time: those of a unit in one frame, which begins at 0 unless a value is below.
pub fn draw(series: &[Series]) -> Chart {
    let points = series.iter().flat_map(|series| &series.points).filter(|point| is_sound(point));
    let (from_x, to_x) = range(points.map(|point| point.x), None);
    let (left, right, top) = (MARGIN.0, WIDTH - MARGIN.2, MARGIN.1);
    let frames = frames(series, top);
    let bottom = frames.last().map_or(top + HEIGHTS.0, |frame| frame.bottom);
    let x = |value: f64| round(left + (value - from_x) / (to_x - from_x) * (right - left));
    let line = |series: &Series| {
        let frame = frames.iter().find(|frame| frame.unit == series.unit);
        let sound: Vec<&Point> = series.points.iter().filter(|point| is_sound(point)).collect();
        let stride = sound.len().div_ceil(MOST_POINTS).max(1);
        // Counted from the end: the newest value is always there.
        let newest = sound.iter().rev().step_by(stride);
        let mut drawn: Vec<[f64; 2]> =
            newest.filter_map(|point| Some([x(point.x), frame.as_ref()?.y(point.y)])).collect();
        drawn.reverse();
        let mut path = String::new();
        for (index, [x, y]) in drawn.iter().enumerate() {
            path.push_str(&format!("{}{x} {y}", if index == 0 { "M" } else { "L" }));
        }
        let last = sound.last().map(|point| with_unit(point.y, &series.unit)).unwrap_or_default();
        Line { name: series.name.clone(), path, end: drawn.last().copied(), last }
    };
    Chart {
        width: WIDTH,
        height: bottom + MARGIN.3,
        frame: [left, top, right, bottom],
        lines: series.iter().map(line).collect(),
        up: frames.iter().flat_map(Frame::ticks).collect(),
        along: ticks(from_x, to_x, step(to_x - from_x, TICKS.0))
            .map(|value| Tick { at: x(value), text: seconds(value) })
            .collect(),
    }
}

/// One frame for every unit: percent and milliseconds have nothing in common.
fn frames(series: &[Series], top: f64) -> Vec<Frame<'_>> {
    let mut units: Vec<&str> = Vec::new();
    for series in series {
        if !units.contains(&series.unit.as_str()) {
            units.push(&series.unit);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of units")]
    let count = units.len() as f64;
    let (height, ticks) =
        if units.len() < 2 { (HEIGHTS.0, TICKS.0) } else { ((HIGHEST / count).clamp(HEIGHTS.2, HEIGHTS.1), TICKS.1) };
    let mut at = top;
    let mut frames = Vec::new();
    for unit in units {
        frames.push(Frame::new(unit, series, (at, at + height), ticks));
        at += height + GAP;
    }
    if frames.is_empty() {
        frames.push(Frame::new("", series, (top, top + height), ticks));
    }
    frames
}

fn is_sound(point: &Point) -> bool {
    // Larger numbers are no measurements, and sums of them would not be numbers any more.
    let fits = |value: f64| value.is_finite() && value.abs() < 1e15;
    fits(point.x) && fits(point.y)
}

/// The least and the greatest value, never the same.
fn range(values: impl Iterator<Item = f64>, with: Option<f64>) -> (f64, f64) {
    let (low, high) =
        values.chain(with).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    match (low.is_finite() && high.is_finite(), high - low > 1e-9 * high.abs().max(low.abs()).max(1.0)) {
        (false, _) => (0.0, 1.0),
        (true, false) => (low, low + low.abs().max(1.0)),
        (true, true) => (low, high),
    }
}

/// 1, 2 or 5 times a power of ten, so that it fits a few times into a length.
fn step(length: f64, ticks: f64) -> f64 {
    let rough = length / ticks;
    let power = 10_f64.powf(rough.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| power * times >= rough).unwrap_or(10.0);
    power * times
}

fn ticks(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (low / step).ceil();
    (0..=20_u32)
        .map(move |index| (first + f64::from(index)) * step)
        .take_while(move |value| *value <= high + step * 1e-6)
}

fn with_unit(value: f64, unit: &str) -> String {
    format!("{}{unit}", number(value))
}

/// A number of about three digits.
fn number(value: f64) -> String {
    let digits: usize = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn seconds(value: f64) -> String {
    if value.abs() < 120.0 { format!("{} s", number(value)) } else { format!("{} min", number(value / 60.0)) }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(points: &[(f64, f64)]) -> Series {
        let points = points.iter().map(|(x, y)| Point { x: *x, y: *y }).collect();
        Series { name: "weight".to_owned(), unit: "%".to_owned(), points }
    }

    #[test]
    fn lines_lie_in_the_frame_and_numbers_are_round() {
        let chart = draw(&[series(&[(0.0, 0.0), (30.0, 50.0), (60.0, 100.0)])]);
        assert_eq!(chart.lines[0].path, "M96 214L538 114L980 14");
        assert_eq!((chart.lines[0].end, chart.lines[0].last.as_str()), (Some([980.0, 14.0]), "100%"));
        let up: Vec<_> = chart.up.iter().map(|tick| (tick.at, tick.text.as_str())).collect();
        assert_eq!(up, [(214.0, "0%"), (174.0, "20%"), (134.0, "40%"), (94.0, "60%"), (54.0, "80%"), (14.0, "100%")]);
        let along: Vec<_> = chart.along.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(along, ["0 s", "20 s", "40 s", "60 s"]);
    }

    #[test]
    fn every_unit_has_a_scale_of_its_own() {
        let of = |name: &str, unit: &str, last: f64| Series {
            name: name.to_owned(),
            unit: unit.to_owned(),
            points: vec![Point { x: 0.0, y: 0.0 }, Point { x: 10.0, y: last }],
        };
        let chart = draw(&[of("weight", " %", 50.0), of("success", " %", 100.0), of("latency", " ms", 400.0)]);
        let ends: Vec<_> = chart.lines.iter().map(|line| line.end).collect();
        assert_eq!(ends, [Some([980.0, 64.0]), Some([980.0, 14.0]), Some([980.0, 140.0])]);
        let up: Vec<_> = chart.up.iter().map(|tick| (tick.at, tick.text.as_str())).collect();
        assert_eq!(
            up,
            [(114.0, "0 %"), (64.0, "50 %"), (14.0, "100 %"), (240.0, "0 ms"), (190.0, "200 ms"), (140.0, "400 ms")]
        );
        assert_eq!((chart.frame, chart.height), ([96.0, 14.0, 980.0, 240.0], 276.0));
    }

    #[test]
    fn nothing_and_nonsense_are_drawn_too() {
        for points in [&[][..], &[(0.0, 0.0)], &[(5.0, 3.0), (5.0, 3.0)], &[(f64::NAN, 1.0), (1.0, f64::INFINITY)]] {
            let chart = draw(&[series(points)]);
            assert!((2..=21).contains(&chart.up.len()), "{points:?}: {:?}", chart.up);
            assert!(!chart.lines[0].path.contains("NaN") && !chart.lines[0].path.contains("inf"));
        }
        assert_eq!(draw(&[]).lines, []);
    }

    proptest! {
        #[test]
        fn every_point_is_inside(points in prop::collection::vec((-1e9..1e9_f64, -1e9..1e9_f64), 1..900)) {
            let chart = draw(&[series(&points)]);
            let numbers = chart.lines[0].path.split(['M', 'L', ' ']).filter(|text| !text.is_empty());
            let numbers: Vec<f64> = numbers.map(|text| text.parse().expect("a number")).collect();
            prop_assert!(numbers.len() <= 2 * MOST_POINTS + 2);
            for pair in numbers.chunks(2) {
                prop_assert!((chart.frame[0]..=chart.frame[2]).contains(&pair[0]));
                prop_assert!((chart.frame[1]..=chart.frame[3]).contains(&pair[1]));
            }
            prop_assert!(chart.up.len() <= 21 && chart.along.len() <= 21);
        }
    }
}
