//! Tests clips whose frames are still images of any kind, against the pixels that Pillow gives (`scripts/golden/stills.py`).

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_extract::crop::crop;
use vidpairs_extract::decode;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, RgbImage, SizePx};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/stills")
}

/// Upright pixels of each file.
fn expected() -> BTreeMap<String, RgbImage> {
    let pixels = fs::read(golden().join("pixels.rgb")).unwrap();
    let mut rest = pixels.as_slice();
    let cases = fs::read_to_string(golden().join("cases.tsv")).unwrap();
    let case = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let size = SizePx::from([fields[1], fields[2]].map(|side| side.parse().unwrap()));
        let (own, behind) = rest.split_at(3 * size.area() as usize);
        rest = behind;
        let pixels = own.to_vec();
        (fields[0].to_owned(), RgbImage { size, pixels })
    };
    cases.lines().map(case).collect()
}

/// The frames of a clip, whole, and the size that its index states.
fn frames(media: &Media) -> (SizePx, Vec<RgbImage>) {
    let heartbeat = Arc::new(Heartbeat::default());
    let index = decode::index(media, &heartbeat).unwrap();
    let wanted: Vec<u64> = (0..index.num_frames()).collect();
    let mut frames = Vec::new();
    let decoded = decode::decode_wanted(media, &index, &wanted, &heartbeat, &mut |frame| {
        frames.push(crop(&frame.planes, None, 4096).unwrap());
        ControlFlow::Continue(())
    });
    assert!(decoded.unwrap().lost.is_empty());
    (index.frame_size(), frames)
}

fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.size, b.size);
    let pairs = a.pixels.iter().zip(&b.pixels);
    let sum: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / a.pixels.len() as f64
}

#[test]
fn frames_of_a_folder_and_of_a_zip_are_upright_in_all_eight_orientations() {
    let expected = expected();
    for (name, upright) in &expected {
        if !name.ends_with(".jpg") {
            continue;
        }
        let scratch = tempfile::tempdir().unwrap();
        let bytes = fs::read(golden().join(name)).unwrap();
        let path = scratch.path().join("frames");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("1.jpg"), &bytes).unwrap();
        let folder = Media::JpegFolder {
            path,
            fps: None,
            first_number: None,
        };
        let path = scratch.path().join("frames.zip");
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        archive.start_file("1.jpg", stored).unwrap();
        archive.write_all(&bytes).unwrap();
        archive.finish().unwrap();
        for media in [
            folder,
            Media::JpegZip {
                path,
                fps: None,
                first_number: None,
            },
        ] {
            let (frame_size, frames) = frames(&media);
            assert_eq!(frame_size, upright.size, "{name}");
            // Chroma is interpolated otherwise than by libjpeg: of 4:2:0, a picture this small differs visibly.
            let difference = mean_difference(&frames[0], upright);
            assert!(difference < 12.0, "{name}: {difference}");
        }
    }
}
