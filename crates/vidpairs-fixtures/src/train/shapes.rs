//! Data sets of colored shapes, in the format of `vidpairs extract`, optionally damaged.

use std::fs;
use std::path::Path;

use serde_json::Value;
use vidpairs_image::jpeg;
use vidpairs_shard::{Manifest, ShardWriter, Totals};
use vidpairs_types::{
    BoxXywh, EncodedMember, EncodedRecord, PairKind, RecordMeta, RgbImage, Role, SCHEMA, SizePx,
    TrackletMeta, ViewMeta,
};

/// Number of records of a shard.
const SHARD: u32 = 16;
const SIZE: SizePx = SizePx {
    width: 40,
    height: 32,
};
const LABELS: [&str; 3] = ["bar", "box", "disc"];

/// Records of a data set.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    pub kind: PairKind,
    /// Whether whole frames are stored beside regions.
    pub with_frames: bool,
    pub num_records: u32,
    /// Every `labelled_every`-th record has a label; 0 for none.
    pub labelled_every: u32,
    /// Record whose positive is truncated and has a matching checksum.
    pub cut_jpeg: Option<u32>,
}

impl Shapes {
    pub const FRAMES: Self = Self {
        kind: PairKind::Frames,
        with_frames: false,
        num_records: 40,
        labelled_every: 1,
        cut_jpeg: None,
    };
    pub const IMAGES: Self = Self {
        kind: PairKind::Images,
        ..Self::FRAMES
    };
    pub const TRACKS: Self = Self {
        kind: PairKind::Tracks,
        with_frames: true,
        ..Self::FRAMES
    };

    /// `[source]` and `[pairs]` of the pipeline that would extract them.
    pub fn pipeline(&self) -> String {
        let pairs = match self.kind {
            PairKind::Images => "kind = 'images'",
            PairKind::Frames => "kind = 'frames'\nk = 10",
            PairKind::Tracks => "kind = 'tracks'\nk = 10",
            PairKind::Regions => "kind = 'regions'\nk = 10",
        };
        let with_frames = if self.with_frames {
            "with_frames = true\n"
        } else {
            ""
        };
        format!("[source]\nkind = 'got10k'\n[pairs]\n{pairs}\n{with_frames}")
    }

    /// Writes the data set to the existing folder `dir`.
    pub fn write(&self, dir: &Path, pipeline: &Value) {
        let mut shards = Vec::new();
        for (ordinal, first) in (0..self.num_records).step_by(SHARD as usize).enumerate() {
            let mut writer = ShardWriter::create(dir, ordinal as u64).unwrap();
            for number in first..self.num_records.min(first + SHARD) {
                writer.append(&self.record(number)).unwrap();
            }
            shards.push(writer.finish(dir).unwrap());
        }
        let totals = Totals {
            clips: 1,
            records: self.num_records.into(),
            shards: shards.len() as u64,
            bytes: shards.iter().map(|shard| shard.bytes).sum(),
            ..Totals::default()
        };
        let manifest = Manifest::new(pipeline.clone(), 0, 0, totals, shards);
        manifest.write_atomically(dir).unwrap();
    }

    fn record(&self, number: u32) -> EncodedRecord {
        let roles: &[Role] = match (self.kind, self.with_frames) {
            (PairKind::Images, _) => &[Role::Anchor],
            (_, false) => &[Role::Anchor, Role::Positive],
            (_, true) => &[
                Role::Anchor,
                Role::Positive,
                Role::AnchorFrame,
                Role::PositiveFrame,
            ],
        };
        let encode = |&role: &Role| {
            let mut bytes = jpeg::compress(&shape(number, role as u32), 90).unwrap();
            if self.cut_jpeg == Some(number) && role == Role::Positive {
                bytes.truncate(bytes.len() / 2);
            }
            EncodedMember {
                role,
                extension: "jpg",
                bytes: bytes.into(),
            }
        };
        let images: Vec<EncodedMember> = roles.iter().map(encode).collect();
        let view = |role: Role| {
            let image = images.iter().find(|image| image.role == role)?;
            Some(self.view(role, &image.bytes))
        };
        let is_labelled = self.labelled_every > 0 && number.is_multiple_of(self.labelled_every);
        let is_tracked = matches!(self.kind, PairKind::Tracks | PairKind::Regions);
        let meta = RecordMeta {
            schema: SCHEMA,
            key: format!("00000000-{number:04}"),
            clip: "clip".to_owned(),
            source: "got10k".to_owned(),
            kind: self.kind,
            label: is_labelled.then(|| LABELS[number as usize % LABELS.len()].to_owned()),
            k: (self.kind != PairKind::Images).then_some(10),
            anchor: view(Role::Anchor).unwrap(),
            positive: view(Role::Positive),
            anchor_frame: view(Role::AnchorFrame),
            positive_frame: view(Role::PositiveFrame),
            tracklet: is_tracked.then(TrackletMeta::ground_truth),
        };
        EncodedRecord {
            meta,
            members: images,
        }
    }

    fn view(&self, role: Role, bytes: &[u8]) -> ViewMeta {
        let is_region = matches!(self.kind, PairKind::Tracks | PairKind::Regions)
            && matches!(role, Role::Anchor | Role::Positive);
        ViewMeta {
            frame: 10 * u64::from(role != Role::Anchor),
            pts_seconds: None,
            frame_size: SIZE,
            box_xywh: is_region.then_some(BoxXywh {
                x: 4.0,
                y: 4.0,
                w: 24.0,
                h: 20.0,
            }),
            image_size: SIZE,
            crc32: crc32fast::hash(bytes),
        }
    }
}

/// Bar, box or disc, by `number`. Its place and brightness depend on `moment`.
fn shape(number: u32, moment: u32) -> RgbImage {
    let color =
        |of: u32, channel: u32| (40 + (of * 67 + channel * 101 + of * channel * 29) % 200) as i32;
    let (cx, cy) = (14 + (number * 5 + moment * 3) % 12, 12 + number % 8);
    let pixels = (0..SIZE.height).flat_map(|y| {
        (0..SIZE.width).flat_map(move |x| {
            let (dx, dy) = (x.abs_diff(cx), y.abs_diff(cy));
            let is_inside = match number as usize % LABELS.len() {
                0 => dy < 3,
                1 => dx < 8 && dy < 8,
                _ => dx * dx + dy * dy < 80,
            };
            let of = if is_inside { number } else { number + 7 };
            (0..3).map(move |channel| (color(of, channel) + 6 * moment as i32) as u8)
        })
    });
    RgbImage {
        size: SIZE,
        pixels: pixels.collect(),
    }
}

pub fn write_labelled(root: &Path) {
    for (place, label) in (0u32..).zip(LABELS) {
        fs::create_dir_all(root.join(label)).unwrap();
        for image in 0..8 {
            let jpeg = jpeg::compress(&shape(3 * image + place, 0), 90).unwrap();
            fs::write(root.join(format!("{label}/{image}.jpg")), jpeg).unwrap();
        }
    }
}

/// Damage to shards.
pub mod damage {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::Path;

    /// Flips a bit in the middle of the anchor of record `number`.
    pub fn flip_byte(dir: &Path, number: u32) {
        change_member(dir, number, |tar, at, len| tar[at + len / 2] ^= 0x40);
    }

    /// Renames the anchor of record `number`, so that the record has no anchor.
    pub fn take_away(dir: &Path, number: u32) {
        change_member(dir, number, |tar, at, _| {
            let header = &mut tar[at - 512..at];
            let name = header
                .windows(6)
                .position(|name| name == b"anchor")
                .unwrap();
            header[name..name + 6].copy_from_slice(b"nobody");
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        });
        let index = dir.join(format!("pairs-{:06}.idx", number / super::SHARD));
        fs::remove_file(index).unwrap();
    }

    fn change_member(dir: &Path, number: u32, change: impl Fn(&mut [u8], usize, usize)) {
        let tar = dir.join(format!("pairs-{:06}.tar", number / super::SHARD));
        let name = format!("00000000-{number:04}.anchor.jpg");
        let mut archive = tar::Archive::new(File::open(&tar).unwrap());
        let mut entries = archive.entries().unwrap().map(Result::unwrap);
        let is_member = |entry: &tar::Entry<_>| entry.path().unwrap().to_str() == Some(&name);
        let entry = entries.find(is_member).unwrap();
        let (at, len) = (entry.raw_file_position() as usize, entry.size() as usize);
        let mut bytes = fs::read(&tar).unwrap();
        change(&mut bytes, at, len);
        // In place: a run may have mapped the file.
        let mut file = File::options().write(true).open(&tar).unwrap();
        file.write_all(&bytes).unwrap();
    }
}
