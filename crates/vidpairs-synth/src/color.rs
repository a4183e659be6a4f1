//! Converts between sRGB bytes and linear light (IEC 61966-2-1).

use std::sync::LazyLock;

static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let value = byte as f32 / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    })
});

/// Steps of [`SRGB`]: enough that every byte survives the conversion to linear light and back.
const STEPS: usize = 8192;

static SRGB: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let encoded = |step: usize| {
        let linear = step as f32 / STEPS as f32;
        let value = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        255.0 * value
    };
    (0..=STEPS + 1).map(encoded).collect()
});

/// Linear light of an sRGB byte, `0.0..=1.0`.
#[inline]
pub fn linear_from_srgb(byte: u8) -> f32 {
    LINEAR[usize::from(byte)]
}

/// sRGB level of linear light, `0.0..=255.0`; light outside `0.0..=1.0` is clamped.
#[inline]
pub fn srgb_level_from_linear(linear: f32) -> f32 {
    let position = linear.clamp(0.0, 1.0) * STEPS as f32;
    let step = position as usize;
    let below = SRGB[step];
    below + (SRGB[step + 1] - below) * (position - step as f32)
}

/// sRGB byte of linear light, rounded.
#[inline]
pub fn srgb_from_linear(linear: f32) -> u8 {
    (srgb_level_from_linear(linear) + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_conversion_to_linear_light_and_back() {
        for byte in 0..=255 {
            assert_eq!(srgb_from_linear(linear_from_srgb(byte)), byte);
        }
    }

    #[test]
    fn light_outside_the_range_is_clamped_and_nan_is_black() {
        assert_eq!(srgb_from_linear(-1.0), 0);
        assert_eq!(srgb_from_linear(7.0), 255);
        assert_eq!(srgb_from_linear(f32::NAN), 0);
    }
}
