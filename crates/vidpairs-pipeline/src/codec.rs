//! How images are stored in shards.

use serde::Serialize;

/// How images are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "codec", rename_all = "kebab-case")]
pub enum Codec {
    /// JPEG.
    Jpeg {
        /// 1 to 100, as libjpeg counts.
        quality: u8,
    },
    /// Raw RGB under zstd: lossless.
    RgbZstd {
        /// 1 to 19, as zstd counts.
        #[serde(rename = "zstd_level")]
        level: i32,
    },
}

impl Codec {
    /// What a member's name ends in, after the view's name and a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::RgbZstd { .. } => "rgb.zst",
        }
    }
}
