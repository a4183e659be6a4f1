//! Tests frame exactness: for every codec, container and reference structure, each frame has the index
//! and the pts that the FFmpeg programs report, and a frame reached by seeking is identical to the one from
//! a linear decode.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vidpairs_extract::crop::crop;
use vidpairs_extract::decode::{self, ClipIndex};
use vidpairs_fixtures::{
    NumberedClip, changed_clip, ffmpeg_numbers, ffprobe_frames, has_encoder, numbered_clip,
    read_number, remade_clip,
};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, Media, Planes, SizePx};
use xxhash_rust::xxh3::Xxh3;

const SHORT_SIDE_PX: u32 = 128;

/// A decoded frame: its index and the hash of its samples.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    index: u64,
    samples: u64,
}

/// A clip and its index.
struct Opened {
    media: Media,
    index: ClipIndex,
}

impl Opened {
    fn new(path: &Path) -> Self {
        let media = Media::Video(path.to_owned());
        let index = decode::index(&media, &heartbeat()).unwrap();
        Self { media, index }
    }

    fn each(&self, wanted: &[u64], mut each: impl FnMut(Frame)) -> u64 {
        let mut each = |frame| {
            each(frame);
            ControlFlow::Continue(())
        };
        decode::decode_wanted(&self.media, &self.index, wanted, &heartbeat(), &mut each)
            .unwrap()
            .num_frames
    }

    fn seen(&self, wanted: &[u64]) -> Vec<Seen> {
        let mut seen = Vec::new();
        self.each(wanted, |frame| {
            seen.push(Seen {
                index: frame.index,
                samples: hash(&frame.planes),
            });
        });
        seen
    }
}

fn heartbeat() -> Arc<Heartbeat> {
    Arc::new(Heartbeat::default())
}

/// Hash of the samples, without the padding of rows.
pub(crate) fn hash(planes: &Planes) -> u64 {
    let sample_bytes = if planes.bit_depth > 8 { 2 } else { 1 };
    let mut hash = Xxh3::new();
    for plane in 0..planes.layout.num_planes() {
        let size = planes.layout.plane_size(planes.stored_size, plane);
        let (stride, bytes) = (planes.bytes.stride_bytes(plane), planes.bytes.plane(plane));
        for row in 0..size.height as usize {
            hash.update(&bytes[row * stride..][..size.width as usize * sample_bytes]);
        }
    }
    hash.digest()
}

/// Checks index, pts and number of every frame, then sparse subsets against the full decode.
fn assert_exact(path: &Path) -> Opened {
    let clip = Opened::new(path);
    let name = path.display();
    let probed = ffprobe_frames(path);
    assert_eq!(
        clip.index.num_frames(),
        probed.len() as u64,
        "frames of {name}"
    );
    for (frame, probed) in (0..).zip(&probed) {
        let ours = clip.index.pts_seconds(frame);
        let theirs: Option<f64> = probed.pts_time.as_ref().map(|pts| pts.parse().unwrap());
        let is_same = match (ours, theirs) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-6, // printed with six digits
            (ours, theirs) => ours == theirs,
        };
        assert!(
            is_same,
            "pts of frame {frame} of {name}: {ours:?}, ffprobe says {theirs:?}"
        );
    }
    let whole = assert_numbers(&clip, path);
    assert_sparse(&clip, &whole, path);
    clip
}

/// Checks that every picture shows the number that the `ffmpeg` program decodes for the same frame.
fn assert_numbers(clip: &Opened, path: &Path) -> Vec<Seen> {
    let name = path.display();
    let all: Vec<u64> = (0..clip.index.num_frames()).collect();
    let (mut numbers, mut whole) = (Vec::new(), Vec::new());
    clip.each(&all, |frame| {
        let seen = Seen {
            index: frame.index,
            samples: hash(&frame.planes),
        };
        numbers.push(read_number(
            &crop(&frame.planes, None, SHORT_SIDE_PX).unwrap(),
        ));
        whole.push(seen);
    });
    let indices: Vec<u64> = whole.iter().map(|seen| seen.index).collect();
    assert_eq!(
        indices,
        all,
        "not all frames of {} came out, in order",
        path.display()
    );
    let expected = ffmpeg_numbers(path, clip.index.frame_size());
    assert_eq!(
        expected.len(),
        numbers.len(),
        "frames that ffmpeg decodes of {name}"
    );
    let readable = || {
        expected
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, number)| number.is_some())
    };
    assert!(
        readable().count() * 10 >= expected.len() * 9,
        "unreadable even to ffmpeg: {expected:?}"
    );
    assert!(
        readable().is_sorted_by_key(|(_, number)| number),
        "ffmpeg gives no presentation order: {expected:?}"
    );
    for (place, number) in readable() {
        assert_eq!(numbers[place], number, "in frame {place} of {name}");
    }
    whole
}

fn assert_sparse(clip: &Opened, whole: &[Seen], path: &Path) {
    let count = whole.len();
    let mut subsets = vec![vec![0], vec![count - 1], vec![0, count - 1]];
    for seed in 0..4 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut some = |amount: usize| {
            let mut places = sample(&mut rng, count, amount.min(count)).into_vec();
            places.sort_unstable();
            places
        };
        subsets.extend([some(1), some(2), some(5), some(count / 3 + 1)]);
        let apart = [1, 7, 20, 30][seed as usize].min(count - 1);
        let anchor = rng.random_range(0..count - apart);
        subsets.push(vec![anchor, anchor + apart]);
    }
    for mut places in subsets {
        places.dedup();
        let wanted: Vec<u64> = places.iter().map(|&place| place as u64).collect();
        let expected: Vec<Seen> = places.iter().map(|&place| whole[place]).collect();
        assert_eq!(
            clip.seen(&wanted),
            expected,
            "frames {wanted:?} of {}",
            path.display()
        );
    }
}

/// Defines one test per clip; it is skipped if the encoder is missing.
macro_rules! exact {
    ($($name:ident: $encoder:literal => $clip:expr;)*) => {
        const ENCODERS: &[&str] = &[$($encoder),*];
        $(
            #[test]
            fn $name() {
                if has_encoder($encoder) {
                    assert_exact(&$clip);
                }
            }
        )*
    };
}

fn clip(extension: &str, args: &str) -> PathBuf {
    numbered_clip(NumberedClip {
        args,
        extension,
        ..NumberedClip::default()
    })
}

fn clip_of_size(width: u32, height: u32, extension: &str, args: &str) -> PathBuf {
    numbered_clip(NumberedClip {
        size: SizePx { width, height },
        args,
        extension,
        ..NumberedClip::default()
    })
}

fn turned_clip(degrees: u32) -> PathBuf {
    let stored = numbered_clip(NumberedClip {
        args: "-c:v libx264 -g 30",
        quarter_turns: (4 - degrees / 90) as u8, // the tag counts counterclockwise
        ..NumberedClip::default()
    });
    let args = format!("-c copy -metadata:s:v rotate={degrees}");
    remade_clip(&stored, "", &args, "mp4")
}

const X264_B_PYRAMID: &str = "-c:v libx264 -preset fast -bf 5 -x264-params b-pyramid=normal:keyint=40:min-keyint=5:b-adapt=0";
const X264_OPEN_GOP: &str = "-c:v libx264 -preset fast -bf 3 -x264-params open-gop=1:keyint=20:min-keyint=1:b-adapt=0:scenecut=0";

exact! {
    h264_with_a_pyramid_of_b_frames: "libx264" => clip("mp4", X264_B_PYRAMID);
    h264_with_a_pyramid_of_b_frames_in_matroska: "libx264" => clip("mkv", X264_B_PYRAMID);
    h264_with_a_pyramid_of_b_frames_in_a_transport_stream: "libx264" => clip("ts", X264_B_PYRAMID);
    h264_with_a_pyramid_of_b_frames_in_flv: "libx264" => clip("flv", X264_B_PYRAMID);
    h264_with_a_pyramid_of_b_frames_in_avi: "libx264" => clip("avi", X264_B_PYRAMID);
    h264_with_a_pyramid_of_b_frames_as_elementary_stream: "libx264" => clip("h264", X264_B_PYRAMID);
    h264_in_fragments: "libx264" => clip("mp4", &format!("{X264_B_PYRAMID} -movflags frag_keyframe+empty_moov"));
    h264_with_open_groups: "libx264" => clip("mp4", X264_OPEN_GOP);
    h264_with_open_groups_in_matroska: "libx264" => clip("mkv", X264_OPEN_GOP);
    h264_with_open_groups_in_a_transport_stream: "libx264" => clip("ts", X264_OPEN_GOP);
    h264_with_gradual_refresh_instead_of_keyframes: "libx264" =>
        clip("mkv", "-c:v libx264 -preset fast -x264-params intra-refresh=1:keyint=20:bframes=0");
    h264_with_gradual_refresh_in_mp4: "libx264" =>
        clip("mp4", "-c:v libx264 -preset fast -x264-params intra-refresh=1:keyint=20:bframes=2");
    h264_with_a_keyframe_every_other_frame: "libx264" => clip("mp4", "-c:v libx264 -preset fast -g 2");
    h264_with_one_keyframe: "libx264" => clip("mp4", "-c:v libx264 -preset fast -g 9999 -sc_threshold 0");
    h264_with_slices_and_long_references: "libx264" =>
        clip("mp4", "-c:v libx264 -preset slow -x264-params slices=4:ref=8:bframes=8:keyint=50");
    h264_of_irregular_times: "libx264" =>
        clip("mp4", "-vf setpts='(N*N/40+N)/(30*TB)' -vsync vfr -video_track_timescale 90000 -c:v libx264 -g 25");
    h264_whose_frames_were_thinned_out: "libx264" =>
        clip("mkv", "-vf select='not(mod(n,3))+not(mod(n,7))' -vsync vfr -c:v libx264 -g 15");
    h264_in_422: "libx264" => clip("mp4", "-c:v libx264 -preset fast -pix_fmt yuv422p -g 25");
    h264_in_444_of_odd_sides: "libx264" => clip_of_size(161, 91, "mp4", "-c:v libx264 -preset fast -pix_fmt yuv444p -g 25");
    h264_in_gray: "libx264" => clip("mkv", "-c:v libx264 -preset fast -pix_fmt gray -g 25");
    h264_in_10_bits: "libx264" => clip("mp4", "-c:v libx264 -preset fast -pix_fmt yuv420p10le -g 25");
    h264_in_10_bits_and_422: "libx264" => clip("mp4", "-c:v libx264 -preset fast -pix_fmt yuv422p10le -g 25");
    h264_in_rgb: "libx264rgb" => clip("mkv", "-c:v libx264rgb -preset fast -pix_fmt rgb24 -g 25");
    h264_of_full_range: "libx264" => clip("mp4", "-vf scale=out_range=full -c:v libx264 -preset fast -pix_fmt yuvj420p");
    h264_interlaced: "libx264" => clip("mp4", "-c:v libx264 -preset fast -flags +ildct+ilme -x264-params tff=1:keyint=20");
    h264_interlaced_in_a_transport_stream: "libx264" =>
        clip("ts", "-c:v libx264 -preset fast -flags +ildct+ilme -x264-params tff=1:keyint=20");
    h264_cut_in_the_middle_of_a_group_by_an_edit_list: "libx264" =>
        remade_clip(&clip("mp4", X264_B_PYRAMID), "-ss 0.7", "-c copy", "mp4");
    h264_cut_in_the_middle_of_an_open_group_by_an_edit_list: "libx264" =>
        remade_clip(&clip("mp4", X264_OPEN_GOP), "-ss 1.1", "-c copy", "mp4");
    h264_cut_in_the_middle_of_an_open_group_in_matroska: "libx264" =>
        remade_clip(&clip("mp4", X264_OPEN_GOP), "-ss 1.1", "-c copy", "mkv");
    h264_that_starts_late_by_an_edit_list: "libx264" =>
        clip("mp4", &format!("{X264_B_PYRAMID} -output_ts_offset 1.5"));
    h264_cut_anywhere_in_a_transport_stream: "libx264" =>
        changed_clip(&clip("ts", X264_B_PYRAMID), "from 60001", |bytes| drop(bytes.drain(..60_001)));
    h264_with_open_groups_cut_anywhere_in_a_transport_stream: "libx264" =>
        changed_clip(&clip("ts", X264_OPEN_GOP), "from 70007", |bytes| drop(bytes.drain(..70_007)));
    h264_whose_pts_are_its_dts: "libx264" =>
        remade_clip(&clip("mp4", X264_B_PYRAMID), "", "-c copy -bsf:v setts=pts=DTS", "mkv");
    hevc_with_open_groups: "libx265" => clip("mp4", "-c:v libx265 -preset fast -x265-params log-level=error:open-gop=1:keyint=20:min-keyint=1:bframes=4:scenecut=0");
    hevc_with_open_groups_in_matroska: "libx265" => clip("mkv", "-c:v libx265 -preset fast -x265-params log-level=error:open-gop=1:keyint=20:min-keyint=1:bframes=4:scenecut=0");
    hevc_with_open_groups_in_a_transport_stream: "libx265" => clip("ts", "-c:v libx265 -preset fast -x265-params log-level=error:open-gop=1:keyint=20:min-keyint=1:bframes=4:scenecut=0");
    hevc_in_temporal_layers: "libx265" => clip("mp4", "-c:v libx265 -preset fast -x265-params log-level=error:temporal-layers=1:keyint=20:bframes=4");
    hevc_in_10_bits: "libx265" => clip("mp4", "-c:v libx265 -preset fast -pix_fmt yuv420p10le -x265-params log-level=error:keyint=20");
    hevc_in_12_bits_and_444: "libx265" => clip("mkv", "-c:v libx265 -preset fast -pix_fmt yuv444p12le -x265-params log-level=error:keyint=20");
    hevc_as_elementary_stream: "libx265" => clip("hevc", "-c:v libx265 -preset fast -x265-params log-level=error:keyint=20");
    hevc_cut_in_the_middle_of_an_open_group: "libx265" =>
        remade_clip(&clip("mp4", "-c:v libx265 -preset fast -x265-params log-level=error:open-gop=1:keyint=20:min-keyint=1:bframes=4:scenecut=0"), "-ss 1.1", "-c copy", "mp4");
    vp8_with_hidden_frames: "libvpx" => clip("webm", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -g 30 -b:v 800k");
    vp8_with_hidden_frames_in_avi: "libvpx" => clip("avi", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -g 30 -b:v 800k");
    vp8_with_hidden_frames_in_ivf: "libvpx" => clip("ivf", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -g 30 -b:v 800k");
    vp9_with_hidden_frames: "libvpx-vp9" => clip("webm", "-c:v libvpx-vp9 -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 16 -g 30 -b:v 800k");
    vp9_with_hidden_frames_in_ivf: "libvpx-vp9" => clip("ivf", "-c:v libvpx-vp9 -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 16 -g 30 -b:v 800k");
    vp9_with_hidden_frames_in_packets_of_their_own: "libvpx-vp9" =>
        remade_clip(&clip("webm", "-c:v libvpx-vp9 -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 16 -g 30 -b:v 800k"), "", "-c copy -bsf:v vp9_superframe_split -f avi", "avi");
    vp9_in_10_bits_and_440: "libvpx-vp9" => clip("webm", "-c:v libvpx-vp9 -cpu-used 5 -pix_fmt yuv440p10le -g 30 -b:v 800k");
    av1_with_hidden_frames: "libsvtav1" => clip("mp4", "-c:v libsvtav1 -preset 10 -g 30 -svtav1-params lookahead=20");
    av1_with_hidden_frames_in_matroska: "libaom-av1" => clip("mkv", "-c:v libaom-av1 -cpu-used 8 -row-mt 1 -lag-in-frames 19 -g 30 -b:v 1M");
    mpeg1_in_a_program_stream: "mpeg1video" => clip("mpg", "-c:v mpeg1video -bf 2 -g 12 -q:v 4");
    mpeg1_as_elementary_stream: "mpeg1video" => clip("m1v", "-c:v mpeg1video -bf 2 -g 12 -q:v 4");
    mpeg2_in_a_program_stream: "mpeg2video" => clip("vob", "-c:v mpeg2video -bf 2 -g 12 -q:v 4");
    mpeg2_in_a_transport_stream: "mpeg2video" => clip("ts", "-c:v mpeg2video -bf 2 -g 12 -q:v 4");
    mpeg2_in_422: "mpeg2video" => clip("mkv", "-c:v mpeg2video -pix_fmt yuv422p -bf 2 -g 12 -q:v 4");
    mpeg2_interlaced: "mpeg2video" => clip("mpg", "-c:v mpeg2video -flags +ildct+ilme -top 1 -bf 2 -g 12 -q:v 4");
    mpeg2_cut_anywhere_in_a_transport_stream: "mpeg2video" =>
        changed_clip(&clip("ts", "-c:v mpeg2video -bf 2 -g 12 -q:v 4"), "from 100003", |bytes| drop(bytes.drain(..100_003)));
    mpeg4_with_b_frames_in_avi: "mpeg4" => clip("avi", "-c:v mpeg4 -bf 2 -g 20 -q:v 4");
    mpeg4_without_b_frames_in_avi: "mpeg4" => clip("avi", "-c:v mpeg4 -g 20 -q:v 4");
    mpeg4_with_b_frames_in_mp4: "mpeg4" => clip("mp4", "-c:v mpeg4 -bf 2 -g 20 -q:v 4");
    mpeg4_with_b_frames_in_matroska: "mpeg4" => clip("mkv", "-c:v mpeg4 -bf 2 -g 20 -q:v 4");
    mpeg4_with_packed_b_frames_in_avi: "libxvid" => clip("avi", "-c:v libxvid -bf 2 -g 20 -q:v 4 -vtag DIVX");
    mpeg4_as_elementary_stream: "mpeg4" => clip("m4v", "-c:v mpeg4 -bf 2 -g 20 -q:v 4");
    msmpeg4_in_avi: "msmpeg4" => clip("avi", "-c:v msmpeg4 -g 20 -q:v 4");
    mjpeg_in_avi: "mjpeg" => clip("avi", "-c:v mjpeg -q:v 4");
    mjpeg_in_mov: "mjpeg" => clip("mov", "-c:v mjpeg -q:v 4 -pix_fmt yuvj422p");
    theora_in_ogg: "libtheora" => clip("ogv", "-c:v libtheora -g 20 -q:v 7");
    cinepak_in_avi: "cinepak" => clip_of_size(160, 92, "avi", "-c:v cinepak -g 20");
    ffv1_in_rgb: "ffv1" => clip("mkv", "-c:v ffv1 -pix_fmt bgr0 -g 5");
    ffv1_in_gray_of_16_bits: "ffv1" => clip("mkv", "-c:v ffv1 -pix_fmt gray16le");
    png_of_a_palette: "png" => clip("mov", "-c:v png -pix_fmt pal8");
    png_with_alpha: "png" => clip("mov", "-c:v png -pix_fmt rgba");
    gif_with_partial_frames: "gif" => clip("gif", "-r 25 -c:v gif");
    rawvideo_stored_upside_down: "rawvideo" => clip("avi", "-c:v rawvideo -pix_fmt bgr24");
    rawvideo_in_nut: "rawvideo" => clip("nut", "-c:v rawvideo -pix_fmt nv12");
    y4m_of_odd_sides: "wrapped_avframe" => clip_of_size(161, 91, "y4m", "-pix_fmt yuv420p");
    flv1_in_flv: "flv" => clip("flv", "-c:v flv -g 20 -q:v 4");
    wmv2_in_asf: "wmv2" => clip("wmv", "-c:v wmv2 -g 20 -q:v 4");
    h264_turned_by_90_degrees: "libx264" => turned_clip(90);
    h264_turned_by_180_degrees: "libx264" => turned_clip(180);
    h264_turned_by_270_degrees: "libx264" => turned_clip(270);
}

#[test]
fn at_least_three_quarters_of_the_encoders_are_installed() {
    let mut names = ENCODERS.to_vec();
    names.sort_unstable();
    names.dedup();
    let num_found = names.iter().filter(|name| has_encoder(name)).count();
    assert!(
        num_found * 4 >= names.len() * 3,
        "{num_found} of {}",
        names.len()
    );
}

#[test]
fn reaching_one_frame_decodes_its_group_of_pictures_only() {
    for extension in ["mp4", "mkv", "ts", "flv"] {
        let path = numbered_clip(NumberedClip {
            num_frames: 300,
            args: "-c:v libx264 -preset veryfast -bf 3 -g 20 -sc_threshold 0",
            extension,
            ..NumberedClip::default()
        });
        let clip = Opened::new(&path);
        let num_decoded = clip.each(&[285], |frame| assert_eq!(frame.index, 285));
        assert!(
            num_decoded <= 20,
            "{extension}: {num_decoded} frames decoded for one"
        );
    }
}

#[test]
fn non_reference_frames_are_skipped() {
    let x265 = "log-level=error:bframes=2:b-adapt=0:b-pyramid=0:keyint=999:scenecut=0";
    let cases = [
        (
            "mp4",
            "-c:v libx264 -bf 2 -g 999 -x264-params b-adapt=0:b-pyramid=none".to_owned(),
        ),
        (
            "mp4",
            format!("-c:v libx265 -preset ultrafast -x265-params {x265}"),
        ),
        (
            "ts",
            format!("-c:v libx265 -preset ultrafast -x265-params {x265}"),
        ),
        ("mp4", "-c:v mpeg4 -bf 2 -g 999".to_owned()),
    ];
    for (extension, args) in cases {
        let clip = Opened::new(&clip(extension, &args));
        let num_decoded = clip.each(&[80], |frame| assert_eq!(frame.index, 80));
        assert!(
            num_decoded < 40,
            "{extension}, {args}: {num_decoded} frames decoded"
        );
    }
}
