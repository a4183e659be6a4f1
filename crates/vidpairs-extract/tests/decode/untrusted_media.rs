//! Tests files that would make FFmpeg open others, allocate without limit or work without end, and files that are no videos at all:
//! each is refused by what it is. A file that cannot be read, or changes, is refused as that.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vidpairs_extract::decode;
use vidpairs_fixtures::{changed_clip, has_encoder, remade_clip};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, with_causes};

use super::damaged_media::{H264, decode_video, refusal, small_clip};

/// Writes `bytes` to a file that is named like a video, and returns why it is refused.
fn refusal_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mp4");
    fs::write(&path, bytes).unwrap();
    let start = Instant::now();
    let text = refusal(&path);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}: {text}");
    text
}

#[track_caller]
fn assert_refused(bytes: &[u8], words: &str) {
    let text = refusal_of(bytes);
    assert!(text.contains(words), "no {words:?} in: {text}");
}

#[test]
fn a_text_that_names_other_files_opens_none_of_them() {
    let clip = small_clip("ts", H264);
    let clip = clip.display();
    for url in [
        format!("{clip}"),
        format!("file:{clip}"),
        format!("file://{clip}"),
    ] {
        let hls = format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.3,\n{url}\n#EXT-X-ENDLIST\n"
        );
        assert_refused(hls.as_bytes(), "an HLS playlist");
        let dash = format!(
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
             mediaPresentationDuration=\"PT1S\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period>\
             <AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\">\
             <BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>\n"
        );
        assert_refused(dash.as_bytes(), "a DASH manifest");
        let concat = format!("ffconcat version 1.0\nfile '{url}'\n");
        assert_refused(concat.as_bytes(), "an ffconcat list");
        let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n";
        assert_refused(sdp.as_bytes(), "a description of a network session");
        let imf = format!(
            "<?xml version=\"1.0\"?>\n<CompositionPlaylist xmlns=\"http://www.smpte-ra.org/schemas/2067-3/2016\">{url}"
        );
        assert_refused(imf.as_bytes(), "an XML text");
        let index = format!("# VobSub index file, v7 (do not modify this line!)\n{url}\n");
        assert_refused(index.as_bytes(), "no video, but a text");
        assert_refused(format!(";FFMETADATA1\ntitle={url}\n").as_bytes(), "a text");
    }
}

#[test]
fn a_list_that_names_itself_ends_and_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("self.mp4");
    fs::write(&path, "ffconcat version 1.0\nfile 'self.mp4'\n").unwrap();
    assert!(refusal(&path).contains("an ffconcat list"));
}

#[test]
fn a_name_with_a_pattern_or_a_protocol_is_only_a_name() {
    let clip = small_clip("mp4", H264);
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "%03d.mp4",
        "concat:a|b.mp4",
        "x?*[1].mp4",
        "subfile,,start,0,end,9,,:x.mp4",
        "ünï.mp4",
        "-i.mp4",
    ] {
        let path = folder.path().join(name);
        fs::copy(&clip, &path).unwrap();
        assert_eq!(decode_video(&path).unwrap().num_frames, 40, "{name}");
    }
    use std::os::unix::ffi::OsStrExt;
    let path = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xff\xfe.mp4"));
    fs::copy(&clip, &path).unwrap();
    assert_eq!(decode_video(&path).unwrap().num_frames, 40, "not UTF-8");
}

#[test]
fn every_container_of_one_file_that_ffmpeg_writes_is_opened() {
    let mpeg2 = "-c:v mpeg2video -g 10 -q:v 3";
    let cases = [
        ("mp4", H264),
        ("mov", H264),
        ("m4v", H264),
        ("3gp", H264),
        ("3g2", H264),
        ("f4v", H264),
        ("ismv", H264),
        ("mkv", H264),
        ("webm", "-c:v libvpx -b:v 600k"),
        ("avi", "-c:v mpeg4 -q:v 3"),
        ("flv", "-c:v flv -q:v 3"),
        ("ts", H264),
        ("m2ts", H264),
        ("mpg", mpeg2),
        ("vob", mpeg2),
        ("mpeg", mpeg2),
        ("m2v", mpeg2),
        ("mxf", mpeg2),
        ("asf", "-c:v wmv2 -q:v 3"),
        ("wmv", "-c:v wmv2 -q:v 3"),
        ("ogv", "-c:v libtheora -q:v 7"),
        ("nut", "-c:v mpeg4 -q:v 3"),
        ("ivf", "-c:v libvpx -b:v 600k"),
        ("h264", H264),
        ("mjpeg", "-c:v mjpeg -q:v 3"),
        ("mjpg", "-c:v mjpeg -q:v 3 -f mjpeg"),
        ("gif", "-r 25 -c:v gif"),
        ("apng", "-c:v apng"),
        ("y4m", "-pix_fmt yuv420p"),
        ("wtv", mpeg2),
        ("swf", "-c:v flv -r 30"),
        ("rm", "-c:v rv10 -q:v 3 -s 176x144"),
        ("drc", "-c:v vc2 -strict -1"),
        ("obu", "-c:v libaom-av1 -cpu-used 8 -b:v 600k"),
        ("dv", "-c:v dvvideo -s 720x576 -r 25 -pix_fmt yuv420p"),
        ("m1v", "-c:v mpeg1video -q:v 3"),
        ("gxf", "-c:v mpeg2video -s 720x576 -r 25 -q:v 3"),
    ];
    for (extension, args) in cases {
        let encoder = args
            .split_whitespace()
            .skip_while(|&word| word != "-c:v")
            .nth(1);
        if !encoder.is_none_or(has_encoder) {
            continue;
        }
        let clip = remade_clip(&small_clip("mkv", "-c:v ffv1"), "", args, extension);
        let outcome = decode_video(&clip);
        assert!(
            outcome.as_ref().is_ok_and(|found| found.num_frames >= 30),
            "{extension}: {outcome:?}"
        );
    }
}

#[test]
fn a_file_that_is_no_video_is_refused_by_what_it_is() {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    assert_refused(
        lfs.as_bytes(),
        "a Git LFS pointer; fetch the video with git lfs pull",
    );
    let page = "\u{feff}\n  <!DOCTYPE html>\n<html><body>404 – not found</body></html>";
    assert_refused(
        page.as_bytes(),
        "an HTML page, as a failed download leaves it",
    );
    assert_refused(b"<HTML>moved</HTML>", "an HTML page");
    assert_refused(
        b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
        "an XML text",
    );
    assert_refused(b"{\"error\": \"quota\"}", "a JSON text");
    assert_refused(b"Access denied\n", "a text");
    assert_refused(b"PK\x03\x04 and so on", "a ZIP archive");
    assert_refused(b"\x1f\x8b\x08\x00 and so on", "a gzip file");
    assert_refused(&[0; 100_000], "zeros at the start");
    let pixel = remade_clip(&small_clip("mp4", H264), "", "-frames:v 1 -f image2", "jpg");
    assert_refused(
        &fs::read(pixel).unwrap(),
        "FFmpeg takes the file for jpeg_pipe",
    );
    assert_refused(b"", "the file is empty (0 bytes)");
}

#[test]
fn an_mp4_without_its_whole_index_says_so_wherever_it_was_cut() {
    let bytes = fs::read(small_clip("mp4", H264)).unwrap(); // the index is last
    let index = bytes.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    for len in [40, 60, index / 2, index, index + 7] {
        assert_refused(&bytes[..len], "the file has no index (moov box)");
    }
    for len in [index + 8, index + 100, bytes.len() - 400] {
        let words = format!(
            "the index (moov box) ends at byte {}, but the file has {len} bytes",
            bytes.len()
        );
        assert_refused(&bytes[..len], &words);
    }
    let front = small_clip("mp4", &format!("{H264} -movflags faststart"));
    let bytes = fs::read(front).unwrap();
    assert_refused(&bytes[..300], "the index (moov box) ends at byte");
}

/// A box of MP4.
fn mp4_box(kind: &[u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let len = u32::try_from(8 + content.len()).unwrap();
    [&len.to_be_bytes()[..], kind, &content].concat()
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

/// A table: a box with version and flags, and numbers.
fn table(kind: &[u8; 4], numbers: &[u32]) -> Vec<u8> {
    mp4_box(kind, &[&[0; 4], &words(numbers)])
}

/// An MP4 of raw pictures: `num_samples` of `sample_len` bytes.
#[derive(Clone, Copy)]
struct Bomb {
    num_tracks: u32,
    num_samples: u32,
    sample_len: u32,
    /// Chunks at the same place; all samples are in one if 0.
    num_chunks: u32,
    num_edits: u32,
    num_bytes: usize,
    /// Profile and compatibility of a Dolby Vision record; none if the profile is 0.
    dolby_vision: [u8; 2],
}

impl Bomb {
    const ONE: Self = Self {
        num_tracks: 1,
        num_samples: 4,
        sample_len: 64 * 48 * 3,
        num_chunks: 0,
        num_edits: 0,
        num_bytes: 64 * 48 * 3 * 4,
        dolby_vision: [0, 0],
    };

    fn bytes(self) -> Vec<u8> {
        let tracks: Vec<u8> = (1..=self.num_tracks)
            .flat_map(|id| self.track(id))
            .collect();
        let rate = words(&[0, 0, 25, self.num_samples]);
        let index = mp4_box(
            b"moov",
            &[&mp4_box(b"mvhd", &[&[0; 4], &rate, &[0; 80]]), &tracks],
        );
        let media = mp4_box(b"mdat", &[&vec![0x55; self.num_bytes]]);
        [mp4_box(b"ftyp", &[b"qt  \0\0\x02\0qt  "]), media, index].concat()
    }

    fn track(self, id: u32) -> Vec<u8> {
        let place = 20 + 8;
        let (chunks, in_chunk) = match self.num_chunks {
            0 => (vec![1, place], self.num_samples),
            count => ([vec![count], vec![place; count as usize]].concat(), 1),
        };
        let size = [
            &[0, 64, 0, 48][..],
            &[0, 72, 0, 0, 0, 72, 0, 0],
            &[0; 4],
            &[0, 1],
        ]
        .concat();
        let [profile, compatibility] = self.dolby_vision;
        let record = [
            &[1, 0, profile << 1, 0x0d, compatibility << 4][..],
            &[0; 19],
        ];
        let record = match profile {
            0 => Vec::new(),
            _ => mp4_box(b"dvcC", &record),
        };
        let format = mp4_box(
            b"raw ",
            &[
                &[0; 6],
                &[0, 1],
                &[0; 16],
                &size,
                &[0; 32],
                &[0, 24, 0xff, 0xff],
                &record,
            ],
        );
        let samples = mp4_box(
            b"stbl",
            &[
                &mp4_box(b"stsd", &[&[0; 4], &words(&[1]), &format]),
                &table(b"stts", &[1, self.num_samples, 1]),
                &table(b"stsc", &[1, 1, in_chunk, 1]),
                &table(b"stsz", &[self.sample_len, self.num_samples]),
                &table(b"stco", &chunks),
            ],
        );
        let edits: Vec<u32> = (0..self.num_edits)
            .flat_map(|_| [self.num_samples, 0, 0x1_0000])
            .collect();
        let edits = mp4_box(
            b"edts",
            &[&table(b"elst", &[vec![self.num_edits], edits].concat())],
        );
        let handler = mp4_box(b"hdlr", &[&[0; 4], &words(&[0]), b"vide", &[0; 13]]);
        let link = mp4_box(
            b"dinf",
            &[&mp4_box(
                b"dref",
                &[&[0; 4], &words(&[1]), &mp4_box(b"url ", &[&[0, 0, 0, 1]])],
            )],
        );
        let media = mp4_box(
            b"mdia",
            &[
                &table(b"mdhd", &[0, 0, 25, self.num_samples, 0]),
                &handler,
                &mp4_box(b"minf", &[&table(b"vmhd", &[0, 0]), &link, &samples]),
            ],
        );
        let head = mp4_box(
            b"tkhd",
            &[&[0; 4], &words(&[0, 0, id, 0, self.num_samples]), &[0; 60]],
        );
        let edits = if self.num_edits > 0 {
            edits
        } else {
            Vec::new()
        };
        mp4_box(b"trak", &[&head, &edits, &media])
    }
}

#[test]
fn an_index_that_declares_more_samples_than_the_file_has_bytes_is_refused_before_ffmpeg_makes_them()
{
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.mov");
    fs::write(&path, Bomb::ONE.bytes()).unwrap();
    assert_eq!(
        decode_video(&path).unwrap().num_frames,
        4,
        "the harmless one"
    );

    for num_tracks in [1, 20] {
        let bomb = Bomb {
            num_tracks,
            num_samples: 80_000_000,
            sample_len: 1,
            num_bytes: 64,
            ..Bomb::ONE
        };
        let declared = 80_000_000 * u64::from(num_tracks);
        let text = format!("over budget: the index declares {declared} samples in a file of");
        assert_refused(&bomb.bytes(), &text);
        let hidden = Bomb::ONE.bytes();
        let nested = mp4_box(b"udta", &[&bomb.track(2)]); // FFmpeg takes a track at any depth
        assert_refused(
            &[hidden, mp4_box(b"moov", &[&nested])].concat(),
            "the index declares 80000004 samples",
        );
    }
    let hidden = Bomb {
        num_samples: 80_000_000,
        ..Bomb::ONE
    };
    let track = hidden.track(2);
    let handler = mp4_box(b"hdlr", &[&[0; 8], b"mdir", &[0; 13]]);
    let header = mp4_box(b"mvhd", &[&[0; 100]]);
    for (what, index) in [
        ("ISO meta", mp4_box(b"meta", &[&[0; 4], &handler, &track])),
        ("QuickTime meta", mp4_box(b"meta", &[&handler, &track])),
        (
            "meta with words",
            mp4_box(b"meta", &[&[0; 400], &handler, &track]),
        ),
        (
            "list of tags",
            mp4_box(b"udta", &[&mp4_box(b"ilst", &[&track])]),
        ),
        ("free", mp4_box(b"free", &[&header, &track])),
        ("hoov", mp4_box(b"hoov", &[&header, &track])),
    ] {
        println!("{what}");
        assert_refused(
            &[Bomb::ONE.bytes(), mp4_box(b"moov", &[&index])].concat(),
            "the index declares 80000004 samples",
        );
    }
    let sizes = table(b"stsz", &[1, 80_000_000]);
    let format = mp4_box(b"avc1", &[&[0; 78], &sizes]);
    let format = mp4_box(b"stsd", &[&[0; 4], &words(&[1]), &format]);
    assert_refused(
        &[Bomb::ONE.bytes(), mp4_box(b"moov", &[&format])].concat(),
        "a table of samples inside a description of samples",
    );
    let fragment = mp4_box(
        b"moof",
        &[&mp4_box(
            b"traf",
            &[&table(b"tfhd", &[1]), &table(b"trun", &[80_000_000])],
        )],
    );
    assert_refused(
        &[Bomb::ONE.bytes(), fragment].concat(),
        "the index declares 80000004 samples",
    );
    let compressed = mp4_box(
        b"moov",
        &[&mp4_box(
            b"cmov",
            &[&mp4_box(b"dcom", &[b"zlib"]), &table(b"cmvd", &[1 << 31])],
        )],
    );
    assert_refused(
        &[mp4_box(b"ftyp", &[b"qt  \0\0\x02\0qt  "]), compressed].concat(),
        "the index is compressed",
    );
}

/// The boxes `bytes`, with `edits` in the place of the edit list.
fn with_edits(mut bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut changed = Vec::new();
    while let Some((head, _)) = bytes.split_first_chunk::<8>() {
        let [len @ .., a, b, c, d] = *head;
        let (whole, rest) = bytes.split_at(u32::from_be_bytes(len) as usize);
        let kind = [a, b, c, d];
        changed.extend(match &kind {
            b"moov" | b"trak" | b"edts" => mp4_box(&kind, &[&with_edits(&whole[8..], edits)]),
            b"elst" => edits.to_vec(),
            _ => whole.to_vec(),
        });
        bytes = rest;
    }
    changed
}

#[test]
fn edits_of_one_frame_each_give_frames_in_order() {
    let clip = small_clip("mp4", &format!("{H264} -video_track_timescale 1000"));
    let edit = |start: u32| [40, start, 1 << 16];
    let edits = [&[3][..], &edit(500), &edit(520), &edit(600)].concat();
    let bytes = with_edits(&fs::read(clip).unwrap(), &table(b"elst", &edits));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edits.mp4");
    fs::write(&path, bytes).unwrap();
    let outcome = decode_video(&path).unwrap();
    assert!((1..=6).contains(&outcome.num_frames), "{outcome:?}");
    let (first_pass, _) = outcome
        .frames
        .split_at(outcome.frames.len().saturating_sub(1));
    assert!(!outcome.frames.is_empty(), "{outcome:?}");
    assert!(first_pass.is_sorted(), "{outcome:?}");
}

#[test]
fn an_edit_list_that_repeats_a_clip_without_end_is_refused() {
    let few = Bomb {
        num_edits: 3,
        ..Bomb::ONE
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("few.mov");
    fs::write(&path, few.bytes()).unwrap();
    assert!(decode_video(&path).is_ok());
    let many = Bomb {
        num_edits: 50_000,
        num_samples: 300,
        sample_len: 3,
        ..Bomb::ONE
    };
    assert_refused(
        &many.bytes(),
        "the index declares 15000000 samples, repetitions by the edit list included",
    );
    let fewer = Bomb {
        num_edits: 5_000,
        num_samples: 300,
        sample_len: 3,
        num_bytes: 2000,
        ..Bomb::ONE
    };
    assert_refused(
        &fewer.bytes(),
        "the container gives more packets than the file has bytes",
    );
}

#[test]
fn a_container_that_gives_the_same_bytes_again_and_again_is_refused() {
    let bomb = Bomb {
        num_samples: 30_000,
        num_chunks: 30_000,
        ..Bomb::ONE
    };
    assert_refused(
        &bomb.bytes(),
        "packets of more than 16 times the bytes of the file",
    );
}

#[test]
fn a_container_with_hundreds_of_streams_is_refused() {
    let bomb = Bomb {
        num_tracks: 300,
        ..Bomb::ONE
    };
    assert_refused(&bomb.bytes(), "256 streams are allowed");
}

#[test]
fn dolby_vision_without_a_picture_in_ordinary_colours_is_refused() {
    let of = |dolby_vision| {
        Bomb {
            dolby_vision,
            ..Bomb::ONE
        }
        .bytes()
    };
    assert_refused(&of([5, 0]), "colours of Dolby Vision profile 5");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mov");
    for compatible in [[8, 4], [8, 1]] {
        fs::write(&path, of(compatible)).unwrap();
        assert_eq!(decode_video(&path).unwrap().num_frames, 4);
    }
}

fn index_of(media: &Media) -> (decode::ClipIndex, Arc<Heartbeat>) {
    let heartbeat = Arc::new(Heartbeat::default());
    (decode::index(media, &heartbeat).unwrap(), heartbeat)
}

#[test]
fn a_file_that_is_replaced_or_grows_after_it_was_indexed_is_refused_as_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ts");
    let (clip, other) = (
        small_clip("ts", H264),
        small_clip("ts", &format!("{H264} -crf 40")),
    );
    let media = Media::Video(path.clone());
    let grow = |path: &Path| {
        let bytes = [fs::read(path).unwrap(), fs::read(&other).unwrap()].concat();
        fs::write(path, bytes).unwrap();
    };
    let replace = |path: &Path| {
        fs::copy(&other, folder.path().join("new")).unwrap();
        fs::rename(folder.path().join("new"), path).unwrap();
    };
    let changes: [&dyn Fn(&Path); 2] = [&grow, &replace];
    for change in changes {
        fs::copy(&clip, &path).unwrap();
        let (index, heartbeat) = index_of(&media);
        let before = fs::metadata(&path).unwrap().len();
        change(&path);
        let now = fs::metadata(&path).unwrap().len();
        let mut each = |_| ControlFlow::Continue(());
        let err =
            decode::decode_wanted(&media, &index, &[3, 35], &heartbeat, &mut each).unwrap_err();
        let text = format!(
            "the file was replaced or written to during the run, {before} bytes before, {now} bytes now;"
        );
        assert!(err.to_string().starts_with(&text), "{err}");
    }
    fs::copy(&clip, &path).unwrap();
    let (index, heartbeat) = index_of(&media);
    fs::remove_file(&path).unwrap();
    let err = decode::decode_wanted(&media, &index, &[3], &heartbeat, &mut |_| {
        ControlFlow::Continue(())
    });
    assert_eq!(err.unwrap_err().to_string(), "cannot read the file");
}

#[test]
fn a_pipe_with_the_name_of_a_video_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mp4");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let err = decode_video(&path).unwrap_err();
    assert_eq!(
        with_causes(&err),
        "cannot read the file: it is a FIFO, not a regular file"
    );
}

/// Names the file for [`decodes_the_file_that_the_environment_names`].
const FILE_TO_DECODE: &str = "VIDPAIRS_TEST_FILE";

/// The part of the next test that runs under strace.
#[test]
fn decodes_the_file_that_the_environment_names() {
    let Some(path) = std::env::var_os(FILE_TO_DECODE) else {
        return;
    };
    match decode_video(&PathBuf::from(path)) {
        Ok(outcome) => println!("OUTCOME {} frames", outcome.num_frames),
        Err(err) => println!("OUTCOME {}", with_causes(&err)),
    }
}

/// Decodes `path` in a process in which the `count`-th read of that file, and every later one, fails. `None` if strace cannot run.
fn outcome_with_failing_reads(path: &Path, count: usize) -> Option<String> {
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-P"])
        .arg(path)
        .args([
            "--trace=pread64",
            &format!("--inject=pread64:error=EIO:when={count}+"),
        ])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "untrusted_media::decodes_the_file_that_the_environment_names",
        ])
        .env(FILE_TO_DECODE, path)
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        println!("not tested: strace is not installed");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let outcome = text.lines().find_map(|line| line.split("OUTCOME ").nth(1));
    if outcome.is_none() {
        println!("not tested: strace cannot run here");
    }
    outcome.map(str::to_owned)
}

#[test]
fn a_read_error_is_never_taken_for_the_end_of_the_file() {
    let large = "-g 10 -q:v 2 -b:v 20M -s 320x192";
    let h264 = "-c:v libx264 -preset ultrafast -qp 4 -g 10";
    let cases = [
        ("mpg", format!("-c:v mpeg2video {large}")),
        ("mp4", h264.to_owned()),
        ("mkv", h264.to_owned()),
        ("ts", h264.to_owned()),
        ("avi", format!("-c:v mpeg4 {large}")),
        ("flv", h264.to_owned()),
        ("mp4", format!("{h264} -movflags frag_keyframe+empty_moov")),
        ("ogv", "-c:v libtheora -q:v 10".to_owned()),
    ];
    for (extension, args) in cases {
        let clip = remade_clip(
            &small_clip("mkv", "-c:v ffv1"),
            "",
            &format!("-vf noise=alls=60 {args}"),
            extension,
        );
        let mut counts: Vec<usize> = (1..4).collect();
        counts.extend([6, 9, 12]);
        let mut num_failed = 0;
        for count in counts {
            let Some(outcome) = outcome_with_failing_reads(&clip, count) else {
                return;
            };
            // A file that was read whole before the failing read is decoded.
            if outcome != "40 frames" {
                let is_clear = outcome.starts_with("cannot read the file: Input/output error");
                assert!(is_clear, "{extension}, read {count}: {outcome}");
                num_failed += 1;
            }
        }
        assert!(num_failed >= 3, "{extension}: {num_failed} failed reads");
    }
}

#[test]
fn a_huge_picture_in_a_small_file_gives_no_frame() {
    let clip = small_clip("mov", "-c:v png");
    let huge = changed_clip(&clip, "30000 px wide", |bytes| {
        let heads = bytes
            .windows(4)
            .enumerate()
            .filter(|(_, kind)| *kind == b"IHDR");
        let places: Vec<usize> = heads.map(|(at, _)| at + 4).collect();
        for at in places {
            bytes[at..at + 8].copy_from_slice(&words(&[30_000, 30_000]));
        }
    });
    if let Ok(outcome) = decode_video(&huge) {
        assert_eq!(outcome.frames, []);
    }
}
