//! How the lines of several trackers are told apart: by colour and by dashes, so that neither a grey print nor an
//! eye that takes two colours for one mixes them up.

/// The lines of one tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stroke {
    /// Name of its CSS class.
    pub class: &'static str,
    /// On white.
    pub color: &'static str,
    /// Dashes of a line in a plot: lengths of lines and gaps, px; an unbroken line if empty.
    pub dashes: &'static str,
}

/// In the order of the trackers; colours after Okabe and Ito, "Color Universal Design", 2008, darker on white.
/// `style.css` of a page has the same, and those of boxes over pictures, by class.
const STROKES: [Stroke; 4] = [
    Stroke {
        class: "t0",
        color: "#a85400",
        dashes: "",
    },
    Stroke {
        class: "t1",
        color: "#0072b2",
        dashes: "6 3",
    },
    Stroke {
        class: "t2",
        color: "#9b3f80",
        dashes: "2 2.5",
    },
    Stroke {
        class: "t3",
        color: "#00664b",
        dashes: "9 3 2 3",
    },
];

/// Of tracker `index`; from the fifth on they begin anew.
pub(super) fn stroke(index: usize) -> Stroke {
    let [first, second, third, fourth] = STROKES;
    match index % STROKES.len() {
        0 => first,
        1 => second,
        2 => third,
        _ => fourth,
    }
}
