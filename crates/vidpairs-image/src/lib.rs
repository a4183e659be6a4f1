//! Reads and writes JPEG (libjpeg-turbo), PNG, and raw RGB under zstd: what decoding, encoding, rendering and augmenting share.

pub mod jpeg;
pub mod png;
pub mod rgb_zstd;
