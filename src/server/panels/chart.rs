//! Values over time as the paths of a picture. Pure.

use serde::Serialize;

use crate::panel::state::{Point, Series};

/// The picture's size; it is scaled to fit.
const SIZE: (f64, f64) = (1000.0, 300.0);
/// Room around the lines for numbers: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (64.0, 14.0, 20.0, 36.0);
/// At most about so many lines across.
const TICKS: f64 = 5.0;
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
    /// Numbers along the left side, of the lines in the first unit.
    pub up: Vec<Tick>,
    /// Numbers along the right side, of the other lines; none when all have one unit.
    pub right: Vec<Tick>,
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

/// A scale from the bottom of the frame to its top.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
    unit: String,
}

impl Scale {
    /// The scale of lines, which begins at 0 unless a value is below. It has a unit when all its lines have the same.
    fn of<'a>(series: impl Iterator<Item = &'a Series> + Clone) -> Self {
        let points = series.clone().flat_map(|series| &series.points).filter(|point| is_sound(point));
        let mut units = series.map(|series| series.unit.as_str());
        let first = units.next().unwrap_or("");
        let unit = if units.all(|unit| unit == first) { first } else { "" };
        // Percentages are seen against the whole.
        let whole = (unit.trim() == "%").then_some(100.0);
        let (low, high) = range(points.map(|point| point.y).chain(whole), Some(0.0));
        let step = step(high - low);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step, unit: unit.to_owned() }
    }

    fn at(&self, value: f64) -> f64 {
        let (top, bottom) = (MARGIN.1, SIZE.1 - MARGIN.3);
        round(bottom - (value - self.low) / (self.high - self.low) * (bottom - top))
    }

    fn ticks(&self) -> Vec<Tick> {
        let all = ticks(self.low, self.high, self.step);
        all.map(|value| Tick { at: self.at(value), text: with_unit(value, &self.unit) }).collect()
    }
}

/// Draws lines into one frame. Lines in another unit than the first have a scale of their own.
pub fn draw(series: &[Series]) -> Chart {
    let first = series.first().map_or("", |series| &series.unit);
    let is_first = |series: &Series| series.unit == first;
    let left = Scale::of(series.iter().filter(|series| is_first(series)));
    let others = series.iter().filter(|series| !is_first(series));
    let right = others.clone().next().is_some().then(|| Scale::of(others));
    let points = series.iter().flat_map(|series| &series.points).filter(|point| is_sound(point));
    let (from_x, to_x) = range(points.map(|point| point.x), None);
    let (start, end) = (MARGIN.0, SIZE.0 - if right.is_some() { MARGIN.0 + MARGIN.2 } else { MARGIN.2 });
    let x = |value: f64| round(start + (value - from_x) / (to_x - from_x) * (end - start));
    let line = |series: &Series| {
        let scale = right.as_ref().filter(|_| !is_first(series)).unwrap_or(&left);
        let sound: Vec<&Point> = series.points.iter().filter(|point| is_sound(point)).collect();
        let stride = sound.len().div_ceil(MOST_POINTS).max(1);
        // Counted from the end: the newest value is always there.
        let mut drawn: Vec<[f64; 2]> =
            sound.iter().rev().step_by(stride).map(|point| [x(point.x), scale.at(point.y)]).collect();
        drawn.reverse();
        let mut path = String::new();
        for (index, [x, y]) in drawn.iter().enumerate() {
            path.push_str(&format!("{}{x} {y}", if index == 0 { "M" } else { "L" }));
        }
        let last = sound.last().map(|point| with_unit(point.y, &series.unit)).unwrap_or_default();
        Line { name: series.name.clone(), path, end: drawn.last().copied(), last }
    };
    Chart {
        width: SIZE.0,
        height: SIZE.1,
        frame: [start, MARGIN.1, end, SIZE.1 - MARGIN.3],
        lines: series.iter().map(line).collect(),
        up: left.ticks(),
        right: right.as_ref().map(Scale::ticks).unwrap_or_default(),
        along: ticks(from_x, to_x, step(to_x - from_x))
            .map(|value| Tick { at: x(value), text: seconds(value) })
            .collect(),
    }
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
fn step(length: f64) -> f64 {
    let rough = length / TICKS;
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
        assert_eq!(chart.lines[0].path, "M64 264L522 139L980 14");
        assert_eq!((chart.lines[0].end, chart.lines[0].last.as_str()), (Some([980.0, 14.0]), "100%"));
        let up: Vec<_> = chart.up.iter().map(|tick| (tick.at, tick.text.as_str())).collect();
        assert_eq!(up, [(264.0, "0%"), (214.0, "20%"), (164.0, "40%"), (114.0, "60%"), (64.0, "80%"), (14.0, "100%")]);
        let along: Vec<_> = chart.along.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(along, ["0 s", "20 s", "40 s", "60 s"]);
    }

    #[test]
    fn another_unit_has_another_scale() {
        let latency =
            Series { name: "latency".to_owned(), unit: " ms".to_owned(), ..series(&[(0.0, 400.0), (60.0, 21.0)]) };
        let chart = draw(&[series(&[(0.0, 0.0), (60.0, 100.0)]), latency]);
        let texts = |ticks: &[Tick]| ticks.iter().map(|tick| tick.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&chart.up).last().map(String::as_str), Some("100%"));
        assert_eq!(texts(&chart.right), ["0 ms", "100 ms", "200 ms", "300 ms", "400 ms"]);
        assert_eq!(chart.lines[0].end, Some([chart.frame[2], chart.frame[1]]));
        assert!(chart.lines[1].path.starts_with(&format!("M64 {}L", chart.frame[1])), "{}", chart.lines[1].path);
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
