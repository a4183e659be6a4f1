//! Defines the types of values: choices between words, frame distances, limits of refused clips.

use serde::{Deserialize, Serialize, Serializer};
use vidpairs_types::{PairKind, SourceKind};

/// An enum of which a pipeline file names one variant by its word.
pub(crate) trait Choice: Copy + 'static {
    /// All variants, in the order of the documentation.
    const CHOICES: &'static [Self];
    /// Word of the variant.
    fn word(self) -> &'static str;
}

impl Choice for SourceKind {
    const CHOICES: &'static [Self] = &[
        Self::Videos,
        Self::TrackingNet,
        Self::Got10k,
        Self::Images,
        Self::Coco,
        Self::Voc,
    ];
    fn word(self) -> &'static str {
        self.name()
    }
}

impl Choice for PairKind {
    const CHOICES: &'static [Self] = &[Self::Images, Self::Frames, Self::Tracks, Self::Regions];
    fn word(self) -> &'static str {
        self.name()
    }
}

/// Declares an enum together with the words of its variants.
macro_rules! choice {
    ($(#[$attribute:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All variants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Word for this variant in pipeline files, on the command line and in output files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Choice for $name {
            const CHOICES: &'static [Self] = Self::ALL;
            fn word(self) -> &'static str {
                self.name()
            }
        }
    };
}

choice! {
    /// Region proposer.
    ProposerKind {
        /// vidpairs' own: segments merged into regions, scored by contrast, size and motion.
        Fast = "fast",
        /// OpenCV's selective search (Uijlings et al., 2013) on a small image.
        SelectiveSearch = "selective-search",
        /// Boxes of any place and size in random order, whatever the frame shows. For tests, and as a control.
        Grid = "grid",
    }
}

impl ProposerKind {
    /// Whether OpenCV provides the proposer.
    pub fn is_opencv(self) -> bool {
        self == Self::SelectiveSearch
    }
}

choice! {
    /// Tracker.
    TrackerKind {
        /// vidpairs' own: a discriminative correlation filter on the planes of the decoder.
        Dcf = "dcf",
        /// OpenCV's kernelized correlation filter (Henriques et al., 2015).
        Kcf = "kcf",
        /// OpenCV's discriminative correlation filter with channel and spatial reliability (Lukezic et al., 2017).
        Csrt = "csrt",
        /// OpenCV's minimum output sum of squared error filter (Bolme et al., 2010).
        Mosse = "mosse",
    }
}

impl TrackerKind {
    /// Whether OpenCV provides the tracker.
    pub fn is_opencv(self) -> bool {
        self != Self::Dcf
    }

    /// Whether the tracker accepts a hint where to search (`Tracker::nudge`).
    pub fn can_be_nudged(self) -> bool {
        self == Self::Dcf
    }
}

choice! {
    /// What is done about shot cuts between the two frames of a pair.
    CutRule {
        /// No pair spans a cut.
        Avoid = "avoid",
        /// Cuts are not looked for.
        Ignore = "ignore",
    }
}

choice! {
    /// Image codec. [`Codec`](crate::Codec) adds its settings.
    CodecName {
        /// JPEG.
        Jpeg = "jpeg",
        /// Raw RGB compressed with zstd.
        RgbZstd = "rgb-zstd",
    }
}

choice! {
    /// Training method.
    TrainMethod {
        /// MoCo v1 (He et al., CVPR 2020).
        MocoV1 = "moco-v1",
        /// MoCo v2 (Chen et al., 2020).
        MocoV2 = "moco-v2",
        /// PIRL (Misra and van der Maaten, CVPR 2020).
        Pirl = "pirl",
        /// Cross-entropy on labels, as a control.
        Supervised = "supervised",
    }
}

choice! {
    /// Augmentations of a view.
    Views {
        /// Augmentations of MoCo v1.
        MocoV1 = "moco-v1",
        /// Augmentations of MoCo v2.
        MocoV2 = "moco-v2",
        /// Augmentations of PIRL's image view.
        Pirl = "pirl",
    }
}

choice! {
    /// ResNet depth.
    Network {
        /// 18 layers.
        ResNet18 = "resnet18",
        /// 34 layers.
        ResNet34 = "resnet34",
        /// 50 layers.
        ResNet50 = "resnet50",
    }
}

choice! {
    /// Layers in front of the first ResNet stage.
    StemName {
        /// 7 x 7 convolution with stride 2 and max pooling.
        ImageNet = "imagenet",
        /// 3 x 3 convolution with stride 1, for small images.
        Small = "small",
    }
}

choice! {
    /// Decay of the learning rate.
    ScheduleName {
        /// Half a cosine, down to 0.
        Cosine = "cosine",
        /// Division by 10 at every milestone.
        Step = "step",
        /// No decay.
        Constant = "constant",
    }
}

choice! {
    /// Interval between updates of the learning rate.
    Pace {
        /// Update at the start of each epoch.
        Epoch = "epoch",
        /// Update at every step.
        Step = "step",
    }
}

choice! {
    /// Number format of convolutions and matrix products.
    NumberFormat {
        /// 32-bit floating point.
        F32 = "f32",
        /// bfloat16.
        Bf16 = "bf16",
    }
}

choice! {
    /// Stage of an encoder whose output is pooled to units.
    StageName {
        /// Output of the stem; of a ViT, the tokens before the first block.
        Stem = "stem",
        /// First stage of a ResNet, first quarter of the blocks of a ViT.
        Layer1 = "layer1",
        /// Second stage or quarter.
        Layer2 = "layer2",
        /// Third stage or quarter.
        Layer3 = "layer3",
        /// Output of the network.
        Layer4 = "layer4",
    }
}

choice! {
    /// How the view of an image is made.
    Framing {
        /// The whole image, resized to a square regardless of its aspect.
        Squash = "squash",
        /// The short side resized to 256/224 of the view, of which the central square is cut out.
        CenterCrop = "center-crop",
    }
}

choice! {
    /// Classifier on the features of a network.
    ProbeName {
        /// A linear support vector machine for each class, scored by average precision.
        Svm = "svm",
        /// A linear classifier trained by stochastic gradient descent on augmented images, scored by accuracy.
        Linear = "linear",
        /// Multinomial logistic regression, fitted by L-BFGS, scored by accuracy.
        Logistic = "logistic",
        /// Weighted nearest neighbours, scored by accuracy.
        Knn = "knn",
        /// A linear classifier of each place of the feature map, scored by intersection over union.
        Segmentation = "segmentation",
    }
}

choice! {
    /// Pooling of the output of a stage to units.
    PoolName {
        /// What the architecture was trained with: the class token of a ViT, the mean of one with `fc_norm` or without a class token, and
        /// the mean of a ResNet.
        Auto = "auto",
        /// The class token of a ViT.
        ClassToken = "cls",
        /// Mean over a ResNet's map, or over the patches of a ViT.
        Mean = "mean",
    }
}

/// Frames between anchor and positive, drawn for each pair from `low..=high`; `1 <= low <= high`.
/// Serialized as one number if both ends are equal, else as `[low, high]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KRange {
    /// Smallest distance, frames.
    pub low: u32,
    /// Largest distance, frames.
    pub high: u32,
}

impl Serialize for KRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.low == self.high {
            self.low.serialize(serializer)
        } else {
            [self.low, self.high].serialize(serializer)
        }
    }
}

/// Limit of inputs that may be refused: clips of a source, records of a data set. Serialized as `"10%"` or as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxRefused {
    /// Percent of all inputs, 0 to 100.
    Percent(f64),
    /// Number of inputs.
    Count(u64),
}

impl MaxRefused {
    /// Reads a value of [`Pipeline::resolved`](crate::Pipeline::resolved); `None` if it is none.
    pub fn of_resolved(value: &serde_json::Value) -> Option<Self> {
        match value.as_str() {
            None => value.as_u64().map(Self::Count),
            Some(text) => text.strip_suffix('%')?.parse().ok().map(Self::Percent),
        }
    }

    /// Whether `num_refused` of `num_inputs` exceed the limit.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_pipeline::MaxRefused;
    /// assert!(!MaxRefused::Percent(10.0).is_exceeded(1, 10));
    /// assert!(MaxRefused::Percent(10.0).is_exceeded(2, 10));
    /// assert!(MaxRefused::Count(0).is_exceeded(1, 1_000));
    /// ```
    pub fn is_exceeded(self, num_refused: u64, num_inputs: u64) -> bool {
        match self {
            // Multiplied instead of divided: with 0 inputs, 0 refusals do not exceed the limit.
            Self::Percent(percent) => num_refused as f64 * 100.0 > percent * num_inputs as f64,
            Self::Count(max) => num_refused > max,
        }
    }
}

impl std::fmt::Display for MaxRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Count(max) => write!(f, "{max}"),
        }
    }
}

impl Serialize for MaxRefused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Percent(_) => serializer.collect_str(self),
            Self::Count(max) => max.serialize(serializer),
        }
    }
}
