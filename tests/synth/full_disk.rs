//! A full disk: `vidpairs synth` fails with an instruction, and keeps what it has written.

use vidpairs_fixtures::extract::small_disk::run_twice;
use vidpairs_fixtures::extract::{assert_same_files, files};
use vidpairs_fixtures::synth::{Work, assert_final_names_are_whole, with};

#[test]
fn a_run_stopped_by_a_full_disk_names_it_and_resumes_on_a_larger_disk() {
    let work = Work::new();
    for kind in ["trackingnet", "got10k"] {
        with(work.synth(kind, kind), "--size", "128x96").run_well();
        let expected = files(&work.path(kind));
        // Every file occupies whole pages of 4 KiB.
        let pages = |bytes: &Vec<u8>| bytes.len().div_ceil(4096) as u64;
        let total_kib = 4 * expected.values().map(pages).sum::<u64>();
        // From a disk too small for the journal to one too small only for the last files.
        let sizes = [4, 8, 12].into_iter();
        let sizes = sizes.chain((1..=6).map(|sixth| total_kib * sixth / 6));
        let mut disks: Vec<String> = sizes.map(|kib| format!("size={kib}k")).collect();
        disks.extend([4, 12, 20].map(|inodes| format!("size=8m,nr_inodes={inodes}")));
        let mut num_full = 0;
        for disk in disks {
            let run = with(work.synth(kind, "out"), "--size", "128x96");
            let Some(is_full) = run_twice(&run, "--workers 2", &disk) else {
                return;
            };
            if is_full {
                num_full += 1;
                assert!(!work.path("kept/synth.json").exists(), "{disk}");
            }
            assert_final_names_are_whole(&work.path("kept"));
            assert_same_files(&work.path("copied"), &work.path(kind), &disk);
        }
        println!("{num_full} full disks of {kind}");
        assert!(num_full > 7, "{num_full} full disks of {kind}");
    }
}
