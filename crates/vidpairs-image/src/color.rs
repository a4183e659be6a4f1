//! Converts planes of gray, YUV or G, B, R samples to packed RGB or BGR pixels.
//!
//! **Takes** 8-bit [`ColorPlanes`]. **Gives** three bytes per pixel. **Fails** with [`LibraryError`]. **Source**: the matrices of
//! ITU-T H.273, as the `yuv` crate computes them.

use std::borrow::Cow;

use vidpairs_types::{ColorMatrix, ColorRange, LibraryError, PlaneLayout, SizePx};
use yuv::{YuvError, YuvGrayImage, YuvPlanarImage, YuvRange, YuvStandardMatrix};

/// Order of the bytes of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red: OpenCV's order.
    Bgr,
}

/// 8-bit planes of a picture and the meaning of their samples.
#[derive(Debug)]
pub struct ColorPlanes<'a> {
    /// Size of the picture.
    pub size: SizePx,
    /// Order and subsampling of the planes.
    pub layout: PlaneLayout,
    /// Sample values of black and white.
    pub range: ColorRange,
    /// Weights of red, green and blue in luma.
    pub matrix: ColorMatrix,
    /// For each plane of `layout`: its samples, and samples from one row to the next.
    pub planes: Vec<(Cow<'a, [u8]>, u32)>,
}

impl ColorPlanes<'_> {
    /// Packs the planes: `height x width x 3` u8, row-major, without padding.
    ///
    /// # Errors
    /// [`LibraryError`] if a plane is shorter than its rows need: a bug in the caller.
    ///
    /// # Panics
    /// If `planes` has fewer entries than `layout` has planes.
    pub fn packed(&self, order: ChannelOrder) -> Result<Vec<u8>, LibraryError> {
        let mut pixels = vec![0; 3 * self.size.area() as usize];
        let packed = match self.layout {
            PlaneLayout::Gray => self.pack_gray(order, &mut pixels),
            PlaneLayout::Gbr => {
                self.pack_gbr(order, &mut pixels);
                Ok(())
            }
            _ => self.pack_luma_and_chroma(order, &mut pixels),
        };
        packed.map_err(|err| LibraryError::new("convert colours", err))?;
        Ok(pixels)
    }

    fn pack_gray(&self, order: ChannelOrder, pixels: &mut [u8]) -> Result<(), YuvError> {
        let SizePx { width, height } = self.size;
        let (y_plane, y_stride) = &self.planes[0];
        let image = YuvGrayImage {
            y_plane,
            y_stride: *y_stride,
            width,
            height,
        };
        let pack = match order {
            ChannelOrder::Rgb => yuv::yuv400_to_rgb,
            ChannelOrder::Bgr => yuv::yuv400_to_bgr,
        };
        pack(
            &image,
            pixels,
            3 * width,
            self.yuv_range(),
            self.luma_weights(),
        )
    }

    fn pack_luma_and_chroma(&self, order: ChannelOrder, pixels: &mut [u8]) -> Result<(), YuvError> {
        let SizePx { width, height } = self.size;
        let [y, u, v] = [0, 1, 2].map(|plane| &self.planes[plane]);
        let image = YuvPlanarImage {
            y_plane: &y.0,
            y_stride: y.1,
            u_plane: &u.0,
            u_stride: u.1,
            v_plane: &v.0,
            v_stride: v.1,
            width,
            height,
        };
        let (range, stride) = (self.yuv_range(), 3 * width);
        if self.matrix == ColorMatrix::YCgCo {
            let pack = match (self.layout, order) {
                (PlaneLayout::Yuv420, ChannelOrder::Rgb) => yuv::ycgco420_to_rgb,
                (PlaneLayout::Yuv420, ChannelOrder::Bgr) => yuv::ycgco420_to_bgr,
                (PlaneLayout::Yuv422, ChannelOrder::Rgb) => yuv::ycgco422_to_rgb,
                (PlaneLayout::Yuv422, ChannelOrder::Bgr) => yuv::ycgco422_to_bgr,
                (_, ChannelOrder::Rgb) => yuv::ycgco444_to_rgb,
                (_, ChannelOrder::Bgr) => yuv::ycgco444_to_bgr,
            };
            return pack(&image, pixels, stride, range);
        }
        let pack = match (self.layout, order) {
            (PlaneLayout::Yuv420, ChannelOrder::Rgb) => yuv::yuv420_to_rgb,
            (PlaneLayout::Yuv420, ChannelOrder::Bgr) => yuv::yuv420_to_bgr,
            (PlaneLayout::Yuv422, ChannelOrder::Rgb) => yuv::yuv422_to_rgb,
            (PlaneLayout::Yuv422, ChannelOrder::Bgr) => yuv::yuv422_to_bgr,
            (_, ChannelOrder::Rgb) => yuv::yuv444_to_rgb,
            (_, ChannelOrder::Bgr) => yuv::yuv444_to_bgr,
        };
        pack(&image, pixels, stride, range, self.luma_weights())
    }

    fn pack_gbr(&self, order: ChannelOrder, pixels: &mut [u8]) {
        let width = self.size.width as usize;
        let planes = match order {
            ChannelOrder::Rgb => [2, 0, 1],
            ChannelOrder::Bgr => [1, 0, 2],
        };
        for (channel, plane) in planes.into_iter().enumerate() {
            let (samples, stride) = &self.planes[plane];
            let rows = samples.chunks(*stride as usize);
            for (row, pixels) in rows.zip(pixels.chunks_exact_mut(3 * width)) {
                let places = pixels.iter_mut().skip(channel).step_by(3);
                places.zip(row).for_each(|(place, &sample)| *place = sample);
            }
        }
    }

    fn yuv_range(&self) -> YuvRange {
        match self.range {
            ColorRange::Limited => YuvRange::Limited,
            ColorRange::Full => YuvRange::Full,
        }
    }

    /// Weights of red and blue in luma. YCgCo has none: its gray pictures look the same with any weights.
    fn luma_weights(&self) -> YuvStandardMatrix {
        match self.matrix {
            ColorMatrix::Bt601 | ColorMatrix::YCgCo => YuvStandardMatrix::Bt601,
            ColorMatrix::Bt709 => YuvStandardMatrix::Bt709,
            ColorMatrix::Bt2020 => YuvStandardMatrix::Bt2020,
            ColorMatrix::Fcc => YuvStandardMatrix::Fcc,
            // The crate's own table for SMPTE 240M is off by up to 40 levels; from the weights it computes the right one.
            ColorMatrix::Smpte240 => YuvStandardMatrix::Custom(0.212, 0.087),
        }
    }
}
