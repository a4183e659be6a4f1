//! Draws the success plot: share of frames whose overlap exceeds a threshold.

use maud::{Markup, html};
use vidpairs_extract::run::{TrackScore, TrackSummary};
use vidpairs_run::counted;

use super::stroke::{Stroke, stroke};

/// Width and height of the field, its left upper corner, and width and height of the drawing, px.
const FIELD: (f64, f64) = (420.0, 320.0);
const CORNER: (f64, f64) = (58.0, 40.0);
const SIZE: (f64, f64) = (500.0, 420.0);
/// Font of the text.
const FONT: &str = "system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif";

/// Success curve of one tracker.
#[derive(Debug, Clone, Copy)]
struct Curve<'a> {
    tracker: &'a str,
    /// Share of frames, 0 to 1, whose overlap exceeds thresholds that run evenly from 0 to 1; empty if no frame is scored.
    shares: &'a [f64],
}

impl Curve<'_> {
    /// Area under the curve by the trapezoidal rule.
    fn area(&self) -> f64 {
        let pairs = self.shares.windows(2);
        let num = pairs.len().max(1) as f64;
        pairs
            .map(|pair| pair.iter().sum::<f64>() / 2.0)
            .sum::<f64>()
            / num
    }
}

/// The success plot of all trackers over all data, as an SVG file. The legend lists the best tracker first; a tracker has the
/// colour of its place on the command line.
pub fn success_plot(summary: &TrackSummary) -> String {
    let has_sum = summary.scores.iter().any(|score| score.data == "all");
    let overall = || {
        let scores = summary.scores.iter();
        scores.filter(move |score| !has_sum || score.data == "all")
    };
    let most = |count: fn(&TrackScore) -> u64| overall().map(count).max().unwrap_or(0);
    let title = format!(
        "Success on {}, {}",
        counted(most(|score| score.sequences), "sequence"),
        counted(most(|score| score.scored_frames), "frame")
    );
    let curves = overall().map(|score| Curve {
        tracker: &score.tracker,
        shares: &score.success_curve,
    });
    draw(&title, &curves.collect::<Vec<_>>())
}

/// - `curves`: one for each tracker, in the order of the command line.
fn draw(title: &str, curves: &[Curve<'_>]) -> String {
    let mut ranked: Vec<(Stroke, Curve<'_>)> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| (stroke(index), *curve))
        .filter(|(_, curve)| !curve.shares.is_empty())
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
                    "no scored frames"
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
    let ticks: Vec<f64> = (0..=5).map(|step| f64::from(step) * 0.2).collect();
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
        text x="16" y=(middle.1) text-anchor="middle" transform=(turned) { "share of frames above threshold" }
    }
}

fn line(stroke: Stroke, curve: &Curve<'_>) -> Markup {
    let last = curve.shares.len().saturating_sub(1).max(1) as f64;
    let points: Vec<String> = (curve.shares.iter().enumerate())
        .map(|(place, share)| format!("{},{}", x(place as f64 / last), y(*share)))
        .collect();
    html! {
        polyline points=(points.join(" ")) fill="none" stroke=(stroke.color) stroke-width="2.2"
            stroke-dasharray=[(!stroke.dashes.is_empty()).then_some(stroke.dashes)] stroke-linejoin="round" {}
    }
}

/// In the upper right corner, which falling curves leave free.
fn legend(ranked: &[(Stroke, Curve<'_>)]) -> Markup {
    let names = ranked
        .iter()
        .map(|(_, curve)| curve.tracker.chars().count());
    let longest = names.max().unwrap_or(0);
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
            text x=(left + 50.0) y=(middle + 4.5) { (curve.tracker) }
            text x=(left + width - 10.0) y=(middle + 4.5) text-anchor="end" { (format!("{:.3}", curve.area())) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_tracker_comes_first_and_each_keeps_its_colour() {
        let (worse, better) = ([0.25; 101], [0.75; 101]);
        let curves = [
            ("worse", &worse[..]),
            ("unscored", &[]),
            ("better", &better),
        ];
        let curves = curves.map(|(tracker, shares)| Curve { tracker, shares });
        let svg = draw("a <set>", &curves);
        let place = |word: &str| svg.find(word).unwrap();
        assert!(place(">better<") < place(">worse<"));
        assert!(svg.contains("0.750") && svg.contains("a &lt;set&gt;"));
        assert!(draw("", &[]).contains("no scored frames"));
        // Drawn last, thus on top.
        assert!(place(stroke(2).color) > place(stroke(0).color));
        assert!(!svg.contains(stroke(1).color) && !svg.contains("unscored"));
    }
}
