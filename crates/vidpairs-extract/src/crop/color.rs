//! Scaled planes to RGB.

use vidpairs_types::{ColorMatrix, ColorRange, PlaneLayout, Planes, RgbImage, SizePx};
use yuv::{YuvGrayImage, YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::CropError;

/// Converts `samples` (one plane of gray, or three of `size` each) as `planes` says what they mean.
pub(super) fn to_rgb(
    samples: &[Vec<u8>],
    planes: &Planes,
    size: SizePx,
) -> Result<RgbImage, CropError> {
    let mut pixels = vec![0; 3 * size.area() as usize];
    let range = match planes.range {
        ColorRange::Limited => YuvRange::Limited,
        ColorRange::Full => YuvRange::Full,
    };
    let matrix = match planes.matrix {
        ColorMatrix::Bt601 => YuvStandardMatrix::Bt601,
        ColorMatrix::Bt709 => YuvStandardMatrix::Bt709,
        ColorMatrix::Bt2020 => YuvStandardMatrix::Bt2020,
    };
    let (width, height) = (size.width, size.height);
    let converted = match (planes.layout, samples) {
        (PlaneLayout::Gbr, [green, blue, red]) => {
            interleave([red, green, blue], &mut pixels);
            Ok(())
        }
        (_, [luma]) => {
            let image = YuvGrayImage {
                y_plane: luma,
                y_stride: width,
                width,
                height,
            };
            yuv::yuv400_to_rgb(&image, &mut pixels, 3 * width, range, matrix)
        }
        (_, [luma, u, v]) => {
            let image = YuvPlanarImage {
                y_plane: luma,
                y_stride: width,
                u_plane: u,
                u_stride: width,
                v_plane: v,
                v_stride: width,
                width,
                height,
            };
            yuv::yuv444_to_rgb(&image, &mut pixels, 3 * width, range, matrix)
        }
        _ => {
            let message = format!("{} planes", samples.len());
            return Err(CropError::Library {
                action: "convert colours",
                message,
            });
        }
    };
    converted.map_err(|err| CropError::Library {
        action: "convert colours",
        message: err.to_string(),
    })?;
    Ok(RgbImage { size, pixels })
}

fn interleave(channels: [&[u8]; 3], pixels: &mut [u8]) {
    for (channel, samples) in channels.into_iter().enumerate() {
        let places = pixels.iter_mut().skip(channel).step_by(3);
        places
            .zip(samples)
            .for_each(|(place, &sample)| *place = sample);
    }
}
