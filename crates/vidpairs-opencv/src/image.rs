//! A frame's planes as the upright BGR image that OpenCV works on.

use opencv::core::{self, CV_8UC3, Mat, MatTraitConst, MatTraitManual, Scalar};
use vidpairs_types::{ColorMatrix, ColorRange, Orientation, PlaneLayout, Planes, SizePx};
use yuv::{YuvGrayImage, YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::rows::{Rows, rows};
use super::{CvError, refused, use_one_thread};

/// An upright image as OpenCV has it: B, G, R, 8 bits each.
pub struct BgrImage {
    pub(super) mat: Mat,
}

impl BgrImage {
    /// Converts all of a frame.
    ///
    /// # Errors
    /// [`CvError::ShortPlane`] if a plane is shorter than its rows need.
    pub fn from_planes(planes: &Planes) -> Result<Self, CvError> {
        use_one_thread();
        let failed = refused("make an image");
        let SizePx { width, height } = planes.stored_size;
        let black = Scalar::all(0.0);
        let mut mat = Mat::new_rows_cols_with_default(height as i32, width as i32, CV_8UC3, black)
            .map_err(failed)?;
        let pixels = mat.data_bytes_mut().map_err(refused("make an image"))?;
        convert(planes, pixels)?;
        let mat = turned(mat, planes.orientation).map_err(refused("turn an image"))?;
        Ok(Self { mat })
    }

    /// The image made smaller, each pixel the mean of those it covers, until its short side is
    /// `short_side_px`; as it is if it is no larger.
    ///
    /// # Errors
    /// [`CvError::Library`] if OpenCV has no memory for it.
    pub fn shrunk_to_short_side(self, short_side_px: u32) -> Result<Self, CvError> {
        let size = self.size();
        let small = size.shrunk_to_short_side(short_side_px);
        if small == size {
            return Ok(self);
        }
        let mut mat = Mat::default();
        let target = core::Size::new(small.width as i32, small.height as i32);
        opencv::imgproc::resize(
            &self.mat,
            &mut mat,
            target,
            0.0,
            0.0,
            opencv::imgproc::INTER_AREA,
        )
        .map_err(refused("shrink an image"))?;
        Ok(Self { mat })
    }

    /// Its size.
    pub fn size(&self) -> SizePx {
        SizePx {
            width: self.mat.cols().unsigned_abs(),
            height: self.mat.rows().unsigned_abs(),
        }
    }
}

/// Writes the frame as stored into `pixels`, B G R without padding.
fn convert(planes: &Planes, pixels: &mut [u8]) -> Result<(), CvError> {
    let SizePx { width, height } = planes.stored_size;
    let range = match planes.range {
        ColorRange::Limited => YuvRange::Limited,
        ColorRange::Full => YuvRange::Full,
    };
    let matrix = match planes.matrix {
        ColorMatrix::Bt601 => YuvStandardMatrix::Bt601,
        ColorMatrix::Bt709 => YuvStandardMatrix::Bt709,
        ColorMatrix::Bt2020 => YuvStandardMatrix::Bt2020,
    };
    let first = rows(planes, 0)?;
    if planes.layout == PlaneLayout::Gray {
        let image = YuvGrayImage {
            y_plane: &first.samples,
            y_stride: first.stride,
            width,
            height,
        };
        return yuv::yuv400_to_bgr(&image, pixels, 3 * width, range, matrix).map_err(no_color);
    }
    let (second, third) = (rows(planes, 1)?, rows(planes, 2)?);
    let to_bgr = match planes.layout {
        PlaneLayout::Yuv420 => yuv::yuv420_to_bgr,
        PlaneLayout::Yuv422 => yuv::yuv422_to_bgr,
        PlaneLayout::Yuv444 => yuv::yuv444_to_bgr,
        PlaneLayout::Gray | PlaneLayout::Gbr => {
            // Stored as G, B, R.
            for (channel, plane) in [second, first, third].iter().enumerate() {
                put_channel(plane, channel, width as usize, pixels);
            }
            return Ok(());
        }
    };
    let image = YuvPlanarImage {
        y_plane: &first.samples,
        y_stride: first.stride,
        u_plane: &second.samples,
        u_stride: second.stride,
        v_plane: &third.samples,
        v_stride: third.stride,
        width,
        height,
    };
    to_bgr(&image, pixels, 3 * width, range, matrix).map_err(no_color)
}

fn no_color(err: yuv::YuvError) -> CvError {
    CvError::Library {
        action: "convert colours",
        message: err.to_string(),
    }
}

fn put_channel(plane: &Rows<'_>, channel: usize, width: usize, pixels: &mut [u8]) {
    let rows = plane.samples.chunks(plane.stride as usize);
    for (row, pixels) in rows.zip(pixels.chunks_exact_mut(3 * width)) {
        let places = pixels.iter_mut().skip(channel).step_by(3);
        places.zip(row).for_each(|(place, &sample)| *place = sample);
    }
}

/// `stored` as it is shown.
fn turned(stored: Mat, orientation: Orientation) -> opencv::Result<Mat> {
    let mut upright = stored;
    if orientation.mirrored {
        let mut mirrored = Mat::default();
        core::flip(&upright, &mut mirrored, 1)?; // 1: left and right
        upright = mirrored;
    }
    let turn = match orientation.quarter_turns % 4 {
        0 => return Ok(upright),
        1 => core::RotateFlags::ROTATE_90_CLOCKWISE,
        2 => core::RotateFlags::ROTATE_180,
        _ => core::RotateFlags::ROTATE_90_COUNTERCLOCKWISE,
    };
    let mut turned = Mat::default();
    core::rotate(&upright, &mut turned, turn as i32)?;
    Ok(turned)
}

#[cfg(test)]
mod tests;
