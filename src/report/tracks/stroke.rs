//! Tells the lines of several trackers apart by colour and by dashes: a grey print and a colour-blind reader need both.

/// Line style of one tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stroke {
    /// CSS class.
    pub class: &'static str,
    /// Colour on white.
    pub color: &'static str,
    /// Lengths of dashes and gaps in a plot, px; empty for an unbroken line.
    pub dashes: &'static str,
}

/// Colours after Okabe and Ito, "Color Universal Design", 2008, darker on white. `style.css` has the same by class, and those
/// of boxes over pictures.
const STROKES: [Stroke; 4] = [
    stroke_of("t0", "#a85400", ""),
    stroke_of("t1", "#0072b2", "6 3"),
    stroke_of("t2", "#9b3f80", "2 2.5"),
    stroke_of("t3", "#00664b", "9 3 2 3"),
];

const fn stroke_of(class: &'static str, color: &'static str, dashes: &'static str) -> Stroke {
    Stroke {
        class,
        color,
        dashes,
    }
}

/// Line style of tracker `index`; the fifth has that of the first.
pub(super) fn stroke(index: usize) -> Stroke {
    STROKES[index % STROKES.len()]
}
