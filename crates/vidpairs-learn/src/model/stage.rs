//! Where in a ResNet features are taken.

use std::fmt;

/// Where in a ResNet features are taken: the mean of that stage's map over its places (global average pooling), so that
/// every stage gives a vector of as many units as it has channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Stage {
    /// Before the blocks: convolution, batch norm, ReLU, and the pooling where there is one.
    Stem,
    /// Behind the blocks of `layer1`.
    Layer1,
    /// Behind the blocks of `layer2`.
    Layer2,
    /// Behind the blocks of `layer3`.
    Layer3,
    /// Behind the blocks of `layer4`: the same numbers as [`Stage::Pooled`].
    Layer4,
    /// The output of the network, which is pooled anyway.
    #[default]
    Pooled,
}

impl Stage {
    /// All of them, in the order of the network.
    pub const ALL: [Self; 6] = [
        Self::Stem,
        Self::Layer1,
        Self::Layer2,
        Self::Layer3,
        Self::Layer4,
        Self::Pooled,
    ];

    /// `stem`, `layer1` to `layer4`, `pooled`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stem => "stem",
            Self::Layer1 => "layer1",
            Self::Layer2 => "layer2",
            Self::Layer3 => "layer3",
            Self::Layer4 => "layer4",
            Self::Pooled => "pooled",
        }
    }

    /// How many of the four layers images go through, 0 to 4.
    pub fn num_layers(self) -> usize {
        match self {
            Self::Stem => 0,
            Self::Layer1 => 1,
            Self::Layer2 => 2,
            Self::Layer3 => 3,
            Self::Layer4 | Self::Pooled => 4,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
