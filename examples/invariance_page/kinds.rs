//! The invariances of the page and the labels of their images.

/// An invariance, with the numbers that its panel is made up from.
pub(super) struct Kind {
    pub invariance: &'static str,
    /// Kind of the data set, as of `--data`.
    pub name: &'static str,
    /// Images excluded as neighbours.
    pub near: &'static str,
    /// Images, sets, targets.
    pub counts: [usize; 3],
    pub is_target_object: bool,
    /// Score of random features, percent.
    pub control: f64,
    /// What a perfect model scores above the control, percentage points.
    pub gain: f64,
    /// Retrieval accuracy of guessing, percent.
    pub chance: f64,
    pub varied: Varied,
}

/// What varies within a set.
#[derive(Clone, Copy)]
pub(super) enum Varied {
    /// Azimuth, in this number of equal steps.
    Degrees(usize),
    Lamps,
    Colors,
    Covers,
}

pub(super) fn kinds() -> [Kind; 6] {
    [
        Kind {
            invariance: "viewpoint",
            name: "aloi-viewpoint",
            near: "images seen from less than 60° of azimuth away",
            counts: [72_000, 1_000, 1_000],
            is_target_object: true,
            control: 14.5,
            gain: 38.0,
            chance: 0.09,
            varied: Varied::Degrees(72),
        },
        Kind {
            invariance: "illumination direction",
            name: "aloi-direction",
            near: "images in the same light",
            counts: [24_000, 1_000, 1_000],
            is_target_object: true,
            control: 22.8,
            gain: 47.0,
            chance: 0.1,
            varied: Varied::Lamps,
        },
        Kind {
            invariance: "illumination colour",
            name: "aloi-color",
            near: "images in light of the same colour",
            counts: [12_000, 1_000, 1_000],
            is_target_object: true,
            control: 32.3,
            gain: 60.0,
            chance: 0.1,
            varied: Varied::Colors,
        },
        Kind {
            invariance: "occlusion",
            name: "got10k-occlusion",
            near: "images of the same cover level",
            counts: [9_412, 2_107, 361],
            is_target_object: false,
            control: 36.0,
            gain: 14.0,
            chance: 0.8,
            varied: Varied::Covers,
        },
        Kind {
            invariance: "viewpoint and instance",
            name: "pascal3d-viewpoint",
            near: "images seen from less than 60° of azimuth away",
            counts: [21_870, 4_204, 12],
            is_target_object: false,
            control: 27.1,
            gain: 21.0,
            chance: 8.3,
            varied: Varied::Degrees(6),
        },
        Kind {
            invariance: "instance",
            name: "pascal3d-instance",
            near: "the image itself",
            counts: [22_204, 189, 12],
            is_target_object: false,
            control: 25.9,
            gain: 24.0,
            chance: 8.3,
            varied: Varied::Degrees(6),
        },
    ]
}

/// Name of target `index`.
pub(super) fn target_name(kind: &Kind, index: usize) -> String {
    const CLASSES: [&str; 12] = [
        "aeroplane",
        "bicycle",
        "boat",
        "bottle",
        "bus",
        "car",
        "chair",
        "dining table",
        "motorbike",
        "sofa",
        "train",
        "tv monitor",
    ];
    match CLASSES.get(index) {
        _ if kind.is_target_object => format!("object {}", index + 1),
        Some(name) => (*name).to_owned(),
        None => format!("class {index}"),
    }
}

/// Captions of the pictures of a set.
pub(super) fn captions(varied: Varied) -> Vec<String> {
    match varied {
        Varied::Degrees(count) => (0..count)
            .map(|place| format!("{}°", place * 360 / count))
            .collect(),
        Varied::Lamps => (1..=8)
            .flat_map(|lamps| (1..=3).map(move |camera| format!("l{lamps}c{camera}")))
            .collect(),
        Varied::Colors => [110, 120, 130, 140, 150, 160, 170, 180, 190, 210, 230, 250]
            .map(|code| format!("i{code}"))
            .into(),
        Varied::Covers => (1..=8).map(|level| format!("{level}/8 seen")).collect(),
    }
}
