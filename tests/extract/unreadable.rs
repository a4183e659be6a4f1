//! A video that the disk does not give is refused as unreadable, and a retry takes it.

use std::path::Path;
use std::process::{Command, Stdio};

use vidpairs_fixtures::extract::media::Video;
use vidpairs_fixtures::extract::{Extract, Work, dataset};
use vidpairs_fixtures::program;

/// Runs `extract` so that the `count`-th read of `file` by a thread, and every later one, fails. `false` if strace cannot run.
fn ran_with_failing_reads(extract: &Extract, file: &Path, count: usize) -> bool {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-P"])
        .arg(file)
        .arg("--trace=pread64")
        .arg(format!("--inject=pread64:error=EIO:when={count}+"))
        .arg(program(&extract.args[0]))
        .args(&extract.args)
        .current_dir(&extract.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let has_run = status.is_ok_and(|status| status.code() == Some(0));
    if !has_run {
        println!("not tested: strace cannot run here");
    }
    has_run
}

#[test]
fn a_video_whose_reads_fail_is_refused_as_unreadable_and_extracted_by_a_retry() {
    let work = Work::new(
        "[source]\nkind = 'videos'\n[pairs]\nkind = 'frames'\nk = 2\nstride = 10\n[images]\nshort_side = 32\n\
         [extract]\nmax_refused = '100%'\n",
    );
    let clip = work.path("clips/a.mpg");
    Video {
        size: "320x240",
        frames: 120,
        codec: &["-c:v", "mpeg2video", "-g", "10", "-q:v", "2"],
    }
    .write(&clip);
    work.extract("expected").run_well();
    let expected = dataset::samples(&work.path("expected")).len();
    assert!(expected > 0);
    // The first reads open the container; then a part of the stream is read.
    for count in [2, 12, 20] {
        let out = format!("out-{count}");
        let run = work.extract(&out).workers(1);
        if !ran_with_failing_reads(&run, &clip, count) {
            return;
        }
        let line = dataset::refusal_of(&work.path(&out), "a.mpg");
        assert_eq!([&line["outcome"], &line["stage"]], ["refused", "decode"]);
        let reason = line["reason"].as_str().unwrap();
        let expected_reason = "cannot read the file: Input/output error";
        assert!(reason.starts_with(expected_reason), "{reason}");
        run.arg("--retry-refused").run_well();
        assert_eq!(dataset::refused(&work.path(&out)).len(), 0);
        assert_eq!(dataset::samples(&work.path(&out)).len(), expected);
    }
}
