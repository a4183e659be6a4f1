//! Random parameters of one view.

use vidpairs_types::RegionPx;

use super::recipe::NUM_PATCHES;

/// Random parameters of one view.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // one lives on the stack at a time, and a box would allocate for each view
pub enum ViewParams {
    /// Parameters of [`Recipe::Crop`](super::Recipe::Crop).
    Crop {
        /// Crop and flip.
        crop: CropParams,
        /// Colour operations.
        color: ColorParams,
    },
    /// Parameters of [`Recipe::Jigsaw`](super::Recipe::Jigsaw).
    Jigsaw(JigsawParams),
    /// No parameters: views for evaluation are not random.
    Fixed,
}

/// Crop of an image, and its flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CropParams {
    /// Region of the image, px.
    pub region: RegionPx,
    /// Whether left and right are swapped.
    pub is_flipped: bool,
}

/// Parameters of a jigsaw of nine patches.
#[derive(Debug, Clone, PartialEq)]
pub struct JigsawParams {
    /// Crop that the patches are cut from.
    pub crop: CropParams,
    /// Patches in the order of the view.
    pub patches: [PatchParams; NUM_PATCHES],
}

/// Parameters of one patch of a jigsaw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatchParams {
    /// First column in the resized crop, px.
    pub left_px: u32,
    /// First row in the resized crop, px.
    pub top_px: u32,
    /// Colour operations.
    pub color: ColorParams,
}

/// Colour operations on one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorParams {
    /// Colour jitter, if any.
    pub jitter: Option<JitterParams>,
    /// Whether the image is converted to grayscale.
    pub is_gray: bool,
    /// Standard deviation of the blur, px; `None` without blur.
    pub blur_sigma_px: Option<f64>,
}

impl ColorParams {
    /// No operation.
    pub const UNCHANGED: Self = Self {
        jitter: None,
        is_gray: false,
        blur_sigma_px: None,
    };
}

/// Factors of torchvision's `adjust_brightness`, `adjust_contrast`, `adjust_saturation` and `adjust_hue`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JitterParams {
    /// Order of the operations.
    pub order: [JitterOp; 4],
    /// Brightness factor; 1 for no change.
    pub brightness: f64,
    /// Contrast factor; 1 for no change.
    pub contrast: f64,
    /// Saturation factor; 1 for no change.
    pub saturation: f64,
    /// Turn of the hue, -0.5 to 0.5 of the circle.
    pub hue: f64,
}

/// Operation of colour jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JitterOp {
    /// Multiplies levels by a factor.
    Brightness,
    /// Multiplies the difference from the mean gray of the view by a factor.
    Contrast,
    /// Multiplies the difference from the pixel's gray by a factor.
    Saturation,
    /// Turns the hue.
    Hue,
}

impl JitterOp {
    /// All operations, in the order of torchvision's numbers 0 to 3.
    pub const ALL: [Self; 4] = [
        Self::Brightness,
        Self::Contrast,
        Self::Saturation,
        Self::Hue,
    ];
}
