//! A full disk ends `vidpairs extract` with advice, and nothing that was written is lost.

use std::fs;

use vidpairs_fixtures::extract::media::h264;
use vidpairs_fixtures::extract::small_disk::run_twice;
use vidpairs_fixtures::extract::{Work, assert_is_finished, assert_same_files, dataset};

const PIPELINES: [&str; 2] = [
    "[pairs]\nkind = 'frames'\nk = 2\nstride = 4\n",
    "[pairs]\nkind = 'regions'\nk = 2\nstride = 6\nregions_per_frame = 2\n\
     [proposals]\nkind = 'grid'\n[tracker]\nmin_confidence_mean = 0.0\nmin_confidence_last = 0.0\n",
];

/// Settings common to both.
const COMMON: &str = r#"
[source]
kind = "videos"
[shards]
max_records = 4
[extract]
max_refused = "100%"
"#;

#[test]
fn a_run_reports_a_full_disk_and_resumes_after_space_is_freed() {
    for pipeline in PIPELINES {
        assert_a_full_disk_loses_nothing(pipeline);
    }
}

fn assert_a_full_disk_loses_nothing(pipeline: &str) {
    let work = Work::new(&format!("{COMMON}{pipeline}"));
    h264(&work.path("clips/a.mp4"), "160x120", 60);
    fs::write(work.path("clips/b.mp4"), "no video").unwrap();
    h264(&work.path("clips/c.mp4"), "160x120", 60);
    work.extract("expected").run_well();
    let manifest = dataset::manifest(&work.path("expected"));
    let total_kib = manifest["totals"]["bytes"].as_u64().unwrap() / 1024;

    let mut disks: Vec<String> = vec!["size=1m,nr_inodes=3".into(), "size=1m,nr_inodes=9".into()];
    // From a disk that does not hold the journal to one without space for the last files. A page has 4 KiB.
    let sizes = (1..8).map(|eighth| total_kib * eighth / 8);
    let sizes = [4, 8, 12].into_iter().chain(sizes);
    let last = (0..10).map(|pages| total_kib + 4 * pages);
    disks.extend(sizes.chain(last).map(|kib| format!("size={kib}k")));
    let mut num_full = 0;
    for disk in disks {
        let Some(is_full) = run_twice(&work.extract("out"), "--workers 2", &disk) else {
            return;
        };
        num_full += u32::from(is_full);
        assert_is_finished(&work.path("copied"));
        assert_same_files(&work.path("copied"), &work.path("expected"), &disk);
        // Files with final names on the full disk were complete.
        for entry in fs::read_dir(work.path("kept")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension() != Some("tar".as_ref()) {
                continue;
            }
            let finished = work.path("expected").join(path.file_name().unwrap());
            assert!(
                fs::read(&path).unwrap() == fs::read(finished).unwrap(),
                "{disk}: {path:?}"
            );
        }
    }
    println!("{num_full} full disks");
    assert!(num_full > 10, "{num_full} full disks");
}
