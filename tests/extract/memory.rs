//! The memory of `vidpairs extract` is bounded for any length and number of videos.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use vidpairs_fixtures::extract::media::{Video, ffmpeg};
use vidpairs_fixtures::extract::{Ran, Work};

const PIPELINE: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "frames"
k = 5
stride = 30
[images]
short_side = 64
"#;
const WORKERS: usize = 2;
const MIB: u64 = 1 << 20;

/// Peak resident memory of a process, bytes; `None` after it ended.
fn high_water(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Anchors in every frame, a thousand frames to each positive, and no tracklet that is given up.
const VERY_MANY_REGIONS: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 1000
stride = 1
max_box_outside = 1.0
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.0
max_lost_frames = 100_000
max_size_ratio = 100.0
max_aspect_ratio = 100.0
min_forward_backward_iou = 0.01
"#;

#[test]
fn memory_is_bounded_if_regions_are_tracked_from_every_frame_for_a_thousand_frames() {
    let work = Work::new(VERY_MANY_REGIONS);
    let short = short_full_hd(&work);
    looped(&short, 20, &work.clips().join("a.mp4"));
    let mut child = work.extract("out").workers(1).spawn();
    // Sixteen anchors, the largest number tracked at once, exist after as many frames, and the frames of a stretch after
    // 64. A thousand frames take minutes.
    let mut peak = 0;
    while let Some(now) =
        high_water(child.id()).filter(|_| processor_time(child.id()) < WATCHED_TIME)
    {
        peak = now;
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(child.try_wait().unwrap(), None, "ended early");
    child.kill().unwrap();
    child.wait().unwrap();
    println!(
        "64 regions at 1920 x 1080, one worker: peak {} MiB",
        peak / MIB
    );
    assert!(peak > MIB && peak < (150 + 60 + 150) * MIB, "{peak} bytes");
}

/// Processor time after which a run of minutes is stopped.
const WATCHED_TIME: Duration = Duration::from_secs(25);

/// Processor time of a process and its threads.
fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name in parentheses: user time and system time, in hundredths of a second.
    let behind = stat.rsplit(')').next().unwrap();
    let times = behind.split_whitespace().skip(11).take(2);
    let hundredths: u64 = times.map(|time| time.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * hundredths)
}

/// Extracts the folder `clips` and returns the peak memory, bytes.
fn peak(work: &Work, out: &str, num_pairs: u64) -> u64 {
    let child = work.extract(out).workers(WORKERS).arg("--json").spawn();
    let id = child.id();
    let watch = thread::spawn(move || {
        let mut peak = 0;
        // A process that ended has no such line.
        while let Some(now) = high_water(id) {
            peak = now;
            thread::sleep(Duration::from_millis(2));
        }
        peak
    });
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.json()["pairs"], num_pairs);
    watch.join().unwrap()
}

/// Writes a clip of 2 s at 1920 x 1080.
fn short_full_hd(work: &Work) -> PathBuf {
    let short = work.path("short.mp4");
    Video {
        size: "1920x1080",
        frames: 60,
        codec: &["-c:v", "libx264", "-preset", "ultrafast", "-g", "30"],
    }
    .write(&short);
    short
}

fn looped(clip: &Path, times: u32, path: &Path) {
    let again = (times - 1).to_string();
    let input = ["-stream_loop", &again, "-i", clip.to_str().unwrap()];
    ffmpeg(&[&input[..], &["-c", "copy", path.to_str().unwrap()]].concat());
}

#[test]
fn memory_is_bounded_for_any_length_and_number_of_videos() {
    let work = Work::new(PIPELINE);
    let short = short_full_hd(&work);
    let clip = |name: &str| work.clips().join(name);
    looped(&short, 2, &clip("a.mp4"));
    let of_short = peak(&work, "short", 4);
    looped(&short, 20, &clip("a.mp4"));
    let of_long = peak(&work, "long", 40);

    fs::remove_file(clip("a.mp4")).unwrap();
    let copies = |from: u32, to: u32| {
        for number in from..to {
            fs::copy(&short, clip(&format!("{number:02}.mp4"))).unwrap();
        }
    };
    copies(0, 2);
    let of_few = peak(&work, "few", 4);
    copies(2, 20);
    let of_many = peak(&work, "many", 40);

    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    println!(
        "1920 x 1080, {WORKERS} workers, peak MiB: one video of 4 s {:.0}, of 40 s \
         {:.0}; 2 videos {:.0}, 20 videos {:.0}",
        mib(of_short),
        mib(of_long),
        mib(of_few),
        mib(of_many)
    );
    let ceiling = 150 * MIB + 60 * MIB * WORKERS as u64;
    for peak in [of_short, of_long, of_few, of_many] {
        assert!(peak > MIB && peak < ceiling, "{peak} bytes");
    }
    assert!(of_long < of_short + 30 * MIB, "{of_long}, {of_short} bytes");
    assert!(of_many < of_few + 30 * MIB, "{of_many}, {of_few} bytes");
}
