//! The invariances, and what their sets are made of.

use vidpairs::report::invariance::TargetWord;

/// What is made up of an invariance.
pub(super) struct Kind {
    pub invariance: &'static str,
    pub data_set: &'static str,
    pub about: &'static str,
    pub near: &'static str,
    pub counts: [usize; 3],
    pub target: TargetWord,
    pub control: f64,
    /// What a good model reaches beyond the control.
    pub gain: f64,
    pub chance: f64,
    pub places: Places,
}

/// What varies inside a set.
#[derive(Clone, Copy)]
pub(super) enum Places {
    Degrees(usize),
    Lamps,
    Colors,
    Covers,
}

pub(super) fn kinds() -> [Kind; 6] {
    [
        Kind {
            invariance: "Viewpoint",
            data_set: "ALOI",
            about: "72 views of one object on a turntable",
            near: "views less than 60 degrees away",
            counts: [72_000, 1_000, 1_000],
            target: TargetWord::Object,
            control: 14.5,
            gain: 38.0,
            chance: 0.09,
            places: Places::Degrees(72),
        },
        Kind {
            invariance: "Light direction",
            data_set: "ALOI",
            about: "24 lights on one object",
            near: "the same light",
            counts: [24_000, 1_000, 1_000],
            target: TargetWord::Object,
            control: 22.8,
            gain: 47.0,
            chance: 0.1,
            places: Places::Lamps,
        },
        Kind {
            invariance: "Light colour",
            data_set: "ALOI",
            about: "12 colours of the light on one object",
            near: "the same colour",
            counts: [12_000, 1_000, 1_000],
            target: TargetWord::Object,
            control: 32.3,
            gain: 60.0,
            chance: 0.1,
            places: Places::Colors,
        },
        Kind {
            invariance: "Occlusion",
            data_set: "GOT-10k",
            about: "one frame for each level of cover of a video",
            near: "the same cover",
            counts: [9_412, 2_107, 361],
            target: TargetWord::Class,
            control: 36.0,
            gain: 14.0,
            chance: 0.8,
            places: Places::Covers,
        },
        Kind {
            invariance: "Viewpoint and instance",
            data_set: "PASCAL3D+",
            about: "one image of each of 6 azimuth bins",
            near: "the same bin",
            counts: [21_870, 4_204, 12],
            target: TargetWord::Class,
            control: 27.1,
            gain: 21.0,
            chance: 8.3,
            places: Places::Degrees(6),
        },
        Kind {
            invariance: "Instance",
            data_set: "PASCAL3D+",
            about: "all images of one class seen from one side",
            near: "the image itself",
            counts: [22_204, 189, 12],
            target: TargetWord::Class,
            control: 25.9,
            gain: 24.0,
            chance: 8.3,
            places: Places::Degrees(6),
        },
    ]
}

/// Of target `index`.
pub(super) fn name(kind: &Kind, index: usize) -> String {
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
    match kind.target {
        TargetWord::Object => format!("object {}", index + 1),
        TargetWord::Class => match CLASSES.get(index) {
            Some(name) => (*name).to_owned(),
            None => format!("class {index}"),
        },
    }
}

/// Of the pictures of a set.
pub(super) fn captions(places: Places) -> Vec<String> {
    match places {
        Places::Degrees(count) => (0..count)
            .map(|it| format!("{}°", it * 360 / count))
            .collect(),
        Places::Lamps => (1..=8)
            .flat_map(|lamps| (1..=3).map(move |camera| format!("l{lamps}c{camera}")))
            .collect(),
        Places::Colors => [110, 120, 130, 140, 150, 160, 170, 180, 190, 210, 230, 250]
            .map(|it| format!("i{it}"))
            .into(),
        Places::Covers => (1..=8).map(|it| format!("cover {it}")).collect(),
    }
}
