//! `[augment]` and `[train]`: how encoders are trained. Plain words and numbers: nothing here knows libtorch.

use serde::{Serialize, Serializer};

/// Words of a pipeline file for one choice.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in pipeline files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}
pub(super) use choice;

choice! {
    /// What is learnt by.
    TrainMethod {
        /// He et al., CVPR 2020.
        MocoV1 = "moco-v1",
        /// Chen et al. 2020.
        MocoV2 = "moco-v2",
        /// Misra and van der Maaten, CVPR 2020.
        Pirl = "pirl",
        /// Cross-entropy on labels, as a control.
        Supervised = "supervised",
    }
}

choice! {
    /// How images are varied.
    Views {
        /// MoCo v1's.
        MocoV1 = "moco-v1",
        /// MoCo v2's.
        MocoV2 = "moco-v2",
        /// PIRL's image view.
        Pirl = "pirl",
    }
}

choice! {
    /// Which ResNet.
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
    /// What stands before its blocks.
    StemName {
        /// 7 x 7 convolution of stride 2, max pooling.
        ImageNet = "imagenet",
        /// 3 x 3 convolution of stride 1, for small images.
        Small = "small",
    }
}

choice! {
    /// How the learning rate falls.
    ScheduleName {
        /// Half a cosine, to 0.
        Cosine = "cosine",
        /// A tenth at every milestone.
        Step = "step",
        /// Not at all.
        Constant = "constant",
    }
}

choice! {
    /// How often it changes.
    Pace {
        /// At the beginning of an epoch.
        Epoch = "epoch",
        /// At every step.
        Step = "step",
    }
}

choice! {
    /// In which numbers convolutions compute.
    NumberFormat {
        /// 32 bits.
        F32 = "f32",
        /// bfloat16.
        Bf16 = "bf16",
    }
}

/// `[augment]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Augment {
    /// How images are varied.
    pub views: Views,
    /// Side of a view; of PIRL's patches it is 2/7 of it.
    #[serde(rename = "size")]
    pub size_px: u32,
    /// Smallest share of an image that a view shows, 0 to 1.
    pub min_area: f64,
}

/// `[train]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Train {
    /// What is learnt by.
    pub method: TrainMethod,
    /// Which ResNet.
    pub network: Network,
    /// Channels of its first convolution.
    pub width: u32,
    /// What stands before its blocks.
    pub stem: StemName,
    /// What the method alone has.
    #[serde(flatten)]
    pub contrast: Option<ContrastKeys>,
    /// MoCo's.
    #[serde(flatten)]
    pub moco: Option<MocoKeys>,
    /// PIRL's.
    #[serde(flatten)]
    pub pirl: Option<PirlKeys>,
    /// Parts of a batch with statistics of their own.
    pub groups: u32,
    /// Records of a step.
    pub batch: u32,
    /// Equal parts that a batch is computed in.
    pub accumulate: u32,
    /// Times that every record is seen.
    pub epochs: u32,
    /// Its peak.
    pub learning_rate: f64,
    /// How it falls.
    pub schedule: ScheduleName,
    /// Epochs at which it becomes a tenth; of schedule `step`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<u32>,
    /// Epochs in which it rises.
    pub warmup_epochs: f64,
    /// How often it changes.
    pub pace: Pace,
    /// SGD's.
    pub momentum: f64,
    /// SGD's.
    pub weight_decay: f64,
    /// What convolutions compute in.
    pub numbers: NumberFormat,
    /// What is written when; no part of the experiment.
    #[serde(flatten)]
    pub watch: WatchKeys,
}

/// Keys of MoCo and PIRL.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ContrastKeys {
    /// Dimensions of the vectors that are compared.
    pub embedding: u32,
    /// What similarities are divided by.
    pub temperature: f64,
}

/// Keys of MoCo alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MocoKeys {
    /// K.
    pub queue: u32,
    /// m.
    pub key_momentum: f64,
    /// Whether each key view also asks.
    pub symmetric: bool,
    /// Weight of the region term beside the frame term.
    pub region_weight: f64,
    /// Whether keys are encoded in another grouping.
    pub shuffle: bool,
}

/// Keys of PIRL alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PirlKeys {
    /// Negatives of a step.
    pub negatives: u32,
    /// What a vector of the memory keeps of itself.
    pub bank_momentum: f64,
}

/// Keys of what is written when.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WatchKeys {
    /// Steps from a line of `metrics.jsonl` to the next.
    pub log_steps: u32,
    /// Steps from a checkpoint to the next.
    pub checkpoint_steps: u32,
    /// Checkpoints that stay.
    pub keep: u32,
    /// Epochs from a kNN to the next; 0 for none.
    pub knn_epochs: u32,
    /// The most labelled images that it looks at.
    pub knn_images: u32,
    /// How many of the nearest vote.
    pub knn_neighbours: u32,
}
