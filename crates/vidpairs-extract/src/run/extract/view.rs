//! Crops and encodes one view of a pair, and describes it.

use std::sync::Arc;
use std::time::Instant;

use vidpairs_pipeline::Pipeline;
use vidpairs_types::{BoxXywh, Frame, RgbImage, Stage, ViewMeta, with_causes};

use super::progress::{Counters, Step};
use crate::codec;
use crate::crop::{CropError, Cropper};

/// Reason why a pair is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LostPair {
    pub stage: Stage,
    pub reason: String,
}

impl LostPair {
    /// A pair without frame `frame`.
    ///
    /// - `why`: the error of the decoder, if it gave one.
    pub fn without_frame(frame: u64, why: Option<&dyn std::error::Error>) -> Self {
        let reason = match why {
            Some(why) => format!("frame {frame}: {}", with_causes(why)),
            None => format!("frame {frame} could not be decoded, or only with errors"),
        };
        Self {
            stage: Stage::Decode,
            reason,
        }
    }
}

/// A view, encoded and described.
pub(super) struct View {
    pub bytes: Arc<[u8]>,
    pub meta: ViewMeta,
}

/// Makes the views of a piece.
pub(super) struct Viewer<'a> {
    pipeline: &'a Pipeline,
    counters: &'a Counters,
    cropper: Cropper,
}

impl<'a> Viewer<'a> {
    pub fn new(pipeline: &'a Pipeline, counters: &'a Counters) -> Self {
        Self {
            pipeline,
            counters,
            cropper: Cropper::default(),
        }
    }

    /// The view of a region of `frame`; `None` for the whole frame. The part of the region outside the frame is cut off.
    pub fn view(&mut self, frame: &Frame, region: Option<BoxXywh>) -> Result<View, LostPair> {
        let start = Instant::now();
        let size = frame.planes.size();
        let inside = match region {
            Some(bbox) => Some(bbox.clipped(size).ok_or_else(|| {
                let outside = CropError::Outside { bbox, frame: size };
                lost(frame, Stage::Crop, &outside)
            })?),
            None => None,
        };
        let short_side_px = self.pipeline.images.short_side_px;
        let image = self.cropper.crop(&frame.planes, inside, short_side_px);
        self.encoded(frame, inside, image, start)
    }

    /// The view of a region of `frame`, with padding outside the frame.
    pub fn padded_view(&mut self, frame: &Frame, region: BoxXywh) -> Result<View, LostPair> {
        let start = Instant::now();
        let short_side_px = self.pipeline.images.short_side_px;
        let image = self
            .cropper
            .crop_padded(&frame.planes, region, short_side_px);
        self.encoded(frame, Some(region), image, start)
    }

    /// - `start`: when cropping began.
    fn encoded(
        &self,
        frame: &Frame,
        region: Option<BoxXywh>,
        image: Result<RgbImage, CropError>,
        start: Instant,
    ) -> Result<View, LostPair> {
        let image = image.map_err(|err| lost(frame, Stage::Crop, &err))?;
        self.counters.add(Step::Crop, start, 1);
        let start = Instant::now();
        let bytes = codec::encode(&image, self.pipeline.images.codec)
            .map_err(|err| lost(frame, Stage::Encode, &err))?;
        self.counters.add(Step::Encode, start, 1);
        let meta = ViewMeta {
            frame: frame.index,
            pts_seconds: frame.pts_seconds,
            frame_size: frame.planes.size(),
            box_xywh: region,
            image_size: image.size,
            crc32: crc32fast::hash(&bytes),
        };
        Ok(View {
            bytes: bytes.into(),
            meta,
        })
    }
}

fn lost(frame: &Frame, stage: Stage, err: &dyn std::error::Error) -> LostPair {
    LostPair {
        stage,
        reason: format!("frame {}: {}", frame.index, with_causes(err)),
    }
}
