//! The success plot: which share of the frames has an overlap above each threshold.

use maud::{Markup, html};

use super::stroke::{Stroke, stroke};

/// The curve of one tracker.
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessCurve {
    /// The tracker.
    pub name: String,
    /// Share of frames, 0 to 1, whose overlap is above thresholds that run evenly from 0 to 1; two at least.
    pub shares: Vec<f64>,
}

impl SuccessCurve {
    /// The area under it, by the trapezoidal rule.
    pub fn area(&self) -> f64 {
        let pairs = self.shares.windows(2);
        let num = pairs.len().max(1) as f64;
        pairs.map(|it| it.iter().sum::<f64>() / 2.0).sum::<f64>() / num
    }
}

/// Sides of the field, and where its corner lies, px.
const FIELD: (f64, f64) = (420.0, 320.0);
const CORNER: (f64, f64) = (58.0, 40.0);
const SIZE: (f64, f64) = (500.0, 420.0);
/// Of the text.
const FONT: &str = "system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif";

/// A drawing that needs no other file. The best tracker stands first in its legend; each keeps the colour of its
/// place in `curves`.
///
/// - `title`: what the trackers were run on.
pub fn success_plot(title: &str, curves: &[SuccessCurve]) -> String {
    let mut ranked: Vec<(Stroke, &SuccessCurve)> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| (stroke(index), curve))
        .collect();
    ranked.sort_by(|a, b| b.1.area().total_cmp(&a.1.area()));
    let view_box = format!("0 0 {} {}", SIZE.0, SIZE.1);
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(view_box) width=(SIZE.0) height=(SIZE.1)
            font-family=(FONT) font-size="13" fill="#222" role="img" {
            title { "Success plot: " (title) }
            rect width=(SIZE.0) height=(SIZE.1) fill="#fff" {}
            text x=(CORNER.0) y="24" font-size="15" font-weight="600" { (title) }
            (grid())
            @for (stroke, curve) in ranked.iter().rev() { (line(*stroke, curve)) }
            @if ranked.is_empty() {
                text x=(CORNER.0 + FIELD.0 / 2.0) y=(CORNER.1 + FIELD.1 / 2.0) text-anchor="middle" {
                    "no frame is scored"
                }
            } @else {
                (legend(&ranked))
            }
        }
    };
    svg.into_string()
}

fn x(share: f64) -> String {
    format!("{:.1}", CORNER.0 + FIELD.0 * share)
}

fn y(share: f64) -> String {
    format!("{:.1}", CORNER.1 + FIELD.1 * (1.0 - share))
}

fn grid() -> Markup {
    let ticks: Vec<f64> = (0..=5).map(|it| f64::from(it) * 0.2).collect();
    let middle = (CORNER.0 + FIELD.0 / 2.0, CORNER.1 + FIELD.1 / 2.0);
    let turned = format!("rotate(-90 16 {})", middle.1);
    html! {
        g stroke="#e2e2de" {
            @for &tick in &ticks {
                line x1=(x(tick)) x2=(x(tick)) y1=(y(0.0)) y2=(y(1.0)) {}
                line x1=(x(0.0)) x2=(x(1.0)) y1=(y(tick)) y2=(y(tick)) {}
            }
        }
        path d=(format!("M{} {} V{} H{}", x(0.0), y(1.0), y(0.0), x(1.0))) fill="none" stroke="#444" {}
        g fill="#444" {
            @for &tick in &ticks {
                text x=(x(tick)) y=(CORNER.1 + FIELD.1 + 18.0) text-anchor="middle" { (format!("{tick:.1}")) }
                text x=(CORNER.0 - 8.0) y=(y(tick)) dy="4.5" text-anchor="end" { (format!("{tick:.1}")) }
            }
        }
        text x=(middle.0) y=(SIZE.1 - 16.0) text-anchor="middle" { "overlap threshold" }
        text x="16" y=(middle.1) text-anchor="middle" transform=(turned) { "share of frames above it" }
    }
}

fn line(stroke: Stroke, curve: &SuccessCurve) -> Markup {
    let last = curve.shares.len().saturating_sub(1).max(1) as f64;
    let points = curve.shares.iter().enumerate();
    let points: Vec<String> = points
        .map(|(place, share)| format!("{},{}", x(place as f64 / last), y(*share)))
        .collect();
    html! {
        polyline points=(points.join(" ")) fill="none" stroke=(stroke.color) stroke-width="2.2"
            stroke-dasharray=[(!stroke.dashes.is_empty()).then_some(stroke.dashes)] stroke-linejoin="round" {}
    }
}

/// In the corner that curves leave free: they fall from the left to the right.
fn legend(ranked: &[(Stroke, &SuccessCurve)]) -> Markup {
    let longest = ranked
        .iter()
        .map(|(_, it)| it.name.chars().count())
        .max()
        .unwrap_or(0);
    let width = 108.0 + 7.5 * longest as f64;
    let (left, top) = (CORNER.0 + FIELD.0 - width - 8.0, CORNER.1 + 8.0);
    let height = 28.0 + 20.0 * ranked.len() as f64;
    html! {
        rect x=(left) y=(top) width=(width) height=(height) rx="4" fill="#fff" fill-opacity=".9" stroke="#d0d0ca" {}
        text x=(left + width - 10.0) y=(top + 18.0) text-anchor="end" fill="#666" font-size="12" { "AUC" }
        @for (place, (stroke, curve)) in ranked.iter().enumerate() {
            @let middle = top + 32.0 + 20.0 * place as f64;
            line x1=(left + 10.0) x2=(left + 42.0) y1=(middle) y2=(middle) stroke=(stroke.color) stroke-width="2.2"
                stroke-dasharray=[(!stroke.dashes.is_empty()).then_some(stroke.dashes)] {}
            text x=(left + 50.0) y=(middle + 4.5) { (curve.name) }
            text x=(left + width - 10.0) y=(middle + 4.5) text-anchor="end" { (format!("{:.3}", curve.area())) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str, share: f64) -> SuccessCurve {
        SuccessCurve {
            name: name.to_owned(),
            shares: vec![share; 101],
        }
    }

    #[test]
    fn the_best_tracker_stands_first_and_each_keeps_its_colour() {
        let svg = success_plot("a <set>", &[curve("worse", 0.25), curve("better", 0.75)]);
        let place = |word: &str| svg.find(word).unwrap();
        assert!(place(">better<") < place(">worse<"));
        assert!(svg.contains("0.750") && svg.contains("a &lt;set&gt;"));
        assert!(success_plot("", &[]).contains("no frame is scored"));
        // The first tracker of the command line, drawn below the better one.
        assert!(place(stroke(1).color) > place(stroke(0).color));
    }
}
