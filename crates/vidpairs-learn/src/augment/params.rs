//! What was drawn for one view: all that is random in it.

use vidpairs_types::RegionPx;

use super::NUM_PATCHES;

/// The random numbers of one view.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // one lives on the stack at a time, and a box would allocate for each view
pub enum ViewParams {
    /// Of [`Recipe::Crop`](super::Recipe::Crop).
    Crop {
        /// Where.
        whole: WholeParams,
        /// With which colours.
        color: ColorParams,
    },
    /// Of [`Recipe::Jigsaw`](super::Recipe::Jigsaw).
    Jigsaw(JigsawParams),
    /// Nothing is drawn for evaluation.
    Fixed,
}

/// What becomes the view, and which way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeParams {
    /// Of the image, px.
    pub region: RegionPx,
    /// Whether left and right are swapped.
    pub is_flipped: bool,
}

/// Of nine patches.
#[derive(Debug, Clone, PartialEq)]
pub struct JigsawParams {
    /// The crop that is cut up.
    pub whole: WholeParams,
    /// In the order in which they are given out.
    pub patches: [PatchParams; NUM_PATCHES],
}

/// Of one patch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatchParams {
    /// First column in the resized crop, px.
    pub left_px: u32,
    /// First row in the resized crop, px.
    pub top_px: u32,
    /// Its colours.
    pub color: ColorParams,
}

/// Colours of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorParams {
    /// `None` where the image keeps its colours.
    pub jitter: Option<JitterParams>,
    /// Whether colours are dropped.
    pub is_gray: bool,
    /// Standard deviation of the blur, px; `None` without one.
    pub blur_sigma_px: Option<f64>,
}

impl ColorParams {
    /// Colours as they are.
    pub const UNCHANGED: Self = Self {
        jitter: None,
        is_gray: false,
        blur_sigma_px: None,
    };
}

/// Factors of torchvision's `adjust_brightness`, `adjust_contrast`, `adjust_saturation` and `adjust_hue`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JitterParams {
    /// Which is done first.
    pub order: [JitterOp; 4],
    /// 1 keeps it.
    pub brightness: f64,
    /// 1 keeps it.
    pub contrast: f64,
    /// 1 keeps it.
    pub saturation: f64,
    /// -0.5 to 0.5 of the circle.
    pub hue: f64,
}

/// One operation of jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JitterOp {
    /// Levels times a factor.
    Brightness,
    /// Distance from the mean level of the view times a factor.
    Contrast,
    /// Distance from the pixel's gray times a factor.
    Saturation,
    /// A turn of the hue.
    Hue,
}

impl JitterOp {
    /// In torchvision's order, which numbers them 0 to 3.
    pub const ALL: [Self; 4] = [
        Self::Brightness,
        Self::Contrast,
        Self::Saturation,
        Self::Hue,
    ];
}
