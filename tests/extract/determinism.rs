//! The bytes that `vidpairs extract` writes depend on source, pipeline and seed only: not on the number of workers, the
//! order of the files on the disk, or the number of kills.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use rand::{RngExt, SeedableRng};
use vidpairs_fixtures::extract::media::{H264, Video, blot, ffmpeg, h264, jpegs, long_h264, zip};
use vidpairs_fixtures::extract::strace::each_moment;
use vidpairs_fixtures::extract::{
    Work, assert_is_finished, assert_same_files, dataset, files, signal,
};

/// Pipelines of two kinds. Shards of three records end in the middle of the pieces of a long clip.
const PIPELINES: [&str; 2] = [
    r#"
[pairs]
kind = "frames"
k = [3, 110]
stride = 60
"#,
    r#"
[pairs]
kind = "regions"
k = [3, 9]
stride = 60
regions_per_frame = 2
min_box_px = 16
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.2
min_confidence_last = 0.2
"#,
];

/// Settings common to both.
const COMMON: &str = r#"
[source]
kind = "videos"
[images]
short_side = 32
[shards]
max_records = 3
[extract]
max_refused = "100%"
"#;

/// Writes clips of several codecs and lengths, some of them damaged.
fn clips(dir: &Path) {
    let video = |name: &str, size, frames, codec| {
        Video {
            size,
            frames,
            codec,
        }
        .write(&dir.join(name));
    };
    video("a.mp4", "160x90", 200, H264);
    video("b.avi", "160x90", 130, &["-c:v", "mpeg4", "-g", "12"]);
    let vp8 = ["-c:v", "libvpx", "-deadline", "realtime"];
    video("c.webm", "96x64", 70, &vp8);
    video("d.mpg", "160x90", 100, &["-c:v", "mpeg2video"]);
    fs::write(dir.join("e_damaged.mp4"), [7; 5000]).unwrap();
    video("f_short.mp4", "160x90", 3, H264);
    with_a_cut(&dir.join("f_two_shots.mp4"));
    long_h264(&dir.join("g_long.mp4"), 1200);
    long_h264(&dir.join("h_long_with_a_hole.mp4"), 800);
    blot(&dir.join("h_long_with_a_hole.mp4"), 0.3..0.4);
    let frames = jpegs(&dir.join("i_jpegs"), "96x64", 70);
    zip(&dir.join("j.zip"), &frames);
    for gap in [1, 7, 8, 20] {
        fs::remove_file(&frames[gap]).unwrap();
    }
}

/// Writes two shots of 60 frames.
fn with_a_cut(path: &Path) {
    let graph = "testsrc2=s=160x90:r=30,trim=end_frame=60,format=yuv420p,setsar=1[a];\
                 testsrc=s=160x90:r=30,negate,trim=end_frame=60,format=yuv420p,setsar=1[b];[a][b]concat";
    let mut args = vec!["-filter_complex", graph];
    args.extend(H264);
    args.push(path.to_str().unwrap());
    ffmpeg(&args);
}

/// Folder with the clips and, in `expected`, the data set of an undisturbed run with one worker.
fn work_with_expected(pipeline: &str) -> Work {
    let work = Work::new(&format!("{COMMON}{pipeline}"));
    clips(&work.clips());
    work.extract("expected").workers(1).run_well();
    work
}

#[test]
fn the_output_is_the_same_for_any_number_of_workers_and_any_order_of_the_files() {
    for pipeline in PIPELINES {
        assert_same_for_any_number_of_workers(&work_with_expected(pipeline));
    }
}

fn assert_same_for_any_number_of_workers(work: &Work) {
    let expected = work.path("expected");
    assert_is_finished(&expected);
    assert_eq!(work.verify("expected").code, Some(0));

    let outcome = |id| dataset::refusal_of(&expected, id)["outcome"].clone();
    assert_eq!(outcome("e_damaged.mp4"), "refused");
    assert_eq!(outcome("f_short.mp4"), "skipped");
    assert_eq!(outcome("h_long_with_a_hole.mp4"), "partial");
    let num_shards = dataset::manifest(&expected)["shards"]
        .as_array()
        .unwrap()
        .len();
    assert!(num_shards > 10, "{num_shards} shards");

    for workers in [2, 8] {
        let out = format!("workers{workers}");
        work.extract(&out).workers(workers).run_well();
        assert_same_files(&work.path(&out), &expected, &format!("{workers} workers"));
    }

    // The same names, created in reverse order.
    let given = work.path("given");
    fs::rename(work.clips(), &given).unwrap();
    fs::create_dir(work.clips()).unwrap();
    for (name, bytes) in files(&given).into_iter().rev() {
        let path = work.clips().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    work.extract("reordered").workers(2).run_well();
    assert_same_files(
        &work.path("reordered"),
        &expected,
        "files created in reverse order",
    );
}

#[test]
fn the_output_is_the_same_after_kills_at_random_times() {
    for pipeline in PIPELINES {
        assert_same_after_kills(&work_with_expected(pipeline));
    }
}

fn assert_same_after_kills(work: &Work) {
    let expected = work.path("expected");
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(20);
    let start = Instant::now();
    work.extract("timed").workers(1).run_well();
    let undisturbed = start.elapsed();
    let mut num_kills = 0;
    for round in 0.. {
        let out = format!("killed{round}");
        let mut patience = undisturbed / 6;
        loop {
            let workers = [1, 2, 8][rng.random_range(0..3)];
            let mut child = work.extract(&out).workers(workers).spawn();
            thread::sleep(patience.mul_f64(rng.random()));
            // A kill undoes work in progress: with a constant delay the run might never finish.
            patience = patience.mul_f64(1.1);
            // Sometimes interrupted instead of killed.
            match rng.random_range(0..5) {
                0 => signal(child.id(), "INT"),
                _ => child.kill().unwrap(),
            }
            match child.wait().unwrap().code() {
                None => num_kills += 1,
                Some(130) => {}
                Some(0) => break,
                Some(code) => panic!("ended with {code}"),
            }
        }
        assert_is_finished(&work.path(&out));
        assert_same_files(&work.path(&out), &expected, &format!("{num_kills} kills"));
        if num_kills >= 20 {
            println!("{num_kills} kills in {} runs", round + 1);
            break;
        }
    }
}

/// Pipelines with equal numbers of records from the same clips.
const SMALL_PIPELINES: [&str; 2] = [
    "[pairs]\nkind = 'frames'\nk = 2\nstride = 2\n",
    "[pairs]\nkind = 'regions'\nk = 2\nstride = 4\nregions_per_frame = 3\nmin_box_px = 12\n\
     [proposals]\nkind = 'grid'\n[tracker]\nmin_confidence_mean = 0.0\nmin_confidence_last = 0.0\n",
];

/// Folder with two clips that give a few small shards.
fn small_work(pipeline: &str) -> Work {
    let work = Work::new(&format!("{COMMON}{pipeline}"));
    h264(&work.path("clips/a.mp4"), "64x48", 12);
    fs::write(work.path("clips/b.mp4"), b"no video").unwrap();
    h264(&work.path("clips/c.mp4"), "64x48", 12);
    work.extract("expected").run_well();
    work
}

#[test]
fn the_output_is_the_same_after_a_kill_when_a_file_appears_or_disappears() {
    for pipeline in SMALL_PIPELINES {
        assert_same_after_a_kill_at_a_file(&small_work(pipeline));
    }
}

fn assert_same_after_a_kill_at_a_file(work: &Work) {
    let has_tracks = work.path("expected/tracks.jsonl.zst").exists();
    let names = [
        (".journal/pairs-000000.tar.part", true),
        ("pairs-000000.idx", true),
        ("pairs-000000.tar", true),
        ("pairs-000001.tar", true),
        ("pairs-000003.tar", true),
        ("refused.jsonl", true),
        ("tracks.jsonl.zst", true),
        ("dataset.json", true),
        (".journal/progress.jsonl", false),
        (".journal/lock", false),
    ];
    let is_written = |(name, _): &(&str, bool)| has_tracks || !name.starts_with("tracks");
    for (number, (name, appears)) in names.into_iter().filter(is_written).enumerate() {
        let out = format!("out{number}");
        let watched = work.path(&out).join(name);
        let manifest = work.path(&out).join("dataset.json");
        let mut child = work.extract(&out).workers(2).spawn();
        let start = Instant::now();
        let is_time = || watched.exists() == appears && (appears || manifest.exists());
        while !is_time() && start.elapsed() < Duration::from_secs(20) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        work.extract(&out).run_well();
        assert_is_finished(&work.path(&out));
        assert_same_files(&work.path(&out), &work.path("expected"), name);
    }
}

#[test]
fn the_output_is_the_same_after_a_kill_at_any_system_call_that_changes_it() {
    for work in SMALL_PIPELINES.map(small_work) {
        let moments = each_moment(|out| work.extract(out).workers(1).arg("--quiet"));
        for (number, out) in moments.enumerate() {
            work.extract(&out).workers(2).run_well();
            assert_is_finished(&work.path(&out));
            assert_same_files(&work.path(&out), &work.path("expected"), &out);
            println!("{} kills", number + 1);
        }
    }
}
