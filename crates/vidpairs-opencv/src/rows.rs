//! The planes of a frame as whole rows of 8-bit samples.

use std::borrow::Cow;

use vidpairs_types::Planes;

use super::CvError;

/// One plane, 8 bits a sample.
pub(super) struct Rows<'a> {
    /// `stride` samples a row.
    pub samples: Cow<'a, [u8]>,
    /// Samples from one row to the next.
    pub stride: u32,
}

/// Plane `plane` of the frame: as it lies if it has 8 bits a sample, else rounded to 8.
pub(super) fn rows(planes: &Planes, plane: usize) -> Result<Rows<'_>, CvError> {
    let size = planes.layout.plane_size(planes.stored_size, plane);
    let (width, height) = (size.width as usize, size.height as usize);
    let sample_bytes = if planes.bit_depth == 8 { 1 } else { 2 };
    let stride = planes.bytes.stride_bytes(plane);
    let bytes = planes.bytes.plane(plane);
    let rows = bytes
        .get(..stride * height)
        .filter(|_| stride >= width * sample_bytes)
        .ok_or(CvError::ShortPlane {
            plane,
            frame: planes.stored_size,
            got: bytes.len(),
        })?;
    if planes.bit_depth == 8 {
        return Ok(Rows {
            samples: Cow::Borrowed(rows),
            stride: stride as u32,
        });
    }
    let shift = planes.bit_depth - 8;
    let half = 1u32 << (shift - 1);
    let mut samples = Vec::with_capacity(width * height);
    for row in rows.chunks(stride) {
        let pairs = row.as_chunks::<2>().0.iter().take(width);
        samples.extend(pairs.map(|&pair| {
            let sample = u32::from(u16::from_le_bytes(pair));
            ((sample + half) >> shift).min(255) as u8
        }));
    }
    Ok(Rows {
        samples: Cow::Owned(samples),
        stride: width as u32,
    })
}
