//! A full disk ends `vidpairs train` with advice, and loses no saved step.

use std::fs;

use vidpairs_fixtures::extract::small_disk::run_twice;
use vidpairs_fixtures::train::{MOCO, Work, finite_weights};

#[test]
fn a_run_on_a_full_disk_reports_it_and_resumes_when_there_is_space() {
    let work = Work::new(MOCO);
    work.train("expected").set("train.keep=2").run_well();
    let expected = work.result("expected");
    let kib = |path: &str| fs::metadata(work.path(path)).unwrap().len() / 1024;
    let checkpoint = kib("expected/checkpoints/step-0000000020.safetensors");
    let all = 3 * checkpoint + kib("expected/backbone.safetensors");

    // From a disk that holds no file to one without space for the last checkpoint. A page is 4 KiB.
    let mut disks: Vec<String> = [3, 5, 8, 10]
        .map(|inodes| format!("size=64m,nr_inodes={inodes}"))
        .into();
    let sizes = [4, 8, 16, 24]
        .into_iter()
        .chain((1..=6).map(|sixth| all * sixth / 6));
    let last = (1..3).map(|pages| all + 12 * pages);
    disks.extend(sizes.chain(last).map(|kib| format!("size={kib}k")));
    let (mut num_full, mut num_with_checkpoint) = (0, 0);
    for disk in disks {
        // The same number of workers, as another number sums in another order.
        let run = work.train("out").set("train.keep=2");
        let Some(is_full) = run_twice(&run, "", &disk) else {
            return;
        };
        let kept = work.path("kept/checkpoints");
        let checkpoints = match kept.exists() {
            true => vidpairs_fixtures::train::checkpoints(&work.path("kept")),
            false => Vec::new(),
        };
        if is_full {
            num_full += 1;
            num_with_checkpoint += u32::from(!checkpoints.is_empty());
        }
        for name in checkpoints {
            finite_weights(&kept.join(name));
        }
        work.result("copied").assert_is(&expected, &disk);
        let names =
            |out: &str| vidpairs_fixtures::train::files(&work.path(out).join("checkpoints"));
        assert!(names("copied") == names("expected"), "checkpoints, {disk}");
    }
    println!("{num_full} full disks, {num_with_checkpoint} with a checkpoint");
    assert!(
        num_full > 8 && num_with_checkpoint > 2,
        "{num_full} full disks"
    );
}
