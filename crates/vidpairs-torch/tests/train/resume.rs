//! `vidpairs train` can be stopped at any moment: the same command resumes it, with the results of an uninterrupted run.

use std::time::Duration;
use std::{fs, thread};

use vidpairs_fixtures::extract::strace::each_call;
use vidpairs_fixtures::train::{
    Experiment, MOCO, Ran, Shapes, Work, checkpoint, checkpoints, finite_weights, metrics, signal,
    with_metrics,
};

/// Runs `experiment` without interruption, and in another folder with a kill soon after each of `moments`, given in lines of
/// `metrics.jsonl`, between checkpoints or at one. The delay of each kill is different.
fn assert_kills_cost_nothing(experiment: Experiment, moments: &[usize]) {
    let work = Work::new(experiment);
    work.train("expected").run_well();
    let method = experiment.method;
    let mut num_killed = 0;
    for (place, &moment) in moments.iter().enumerate() {
        let child = work.train("run").spawn();
        with_metrics(&work.path("run"), moment);
        thread::sleep(Duration::from_micros(1700 * place as u64));
        signal(child.id(), "KILL");
        num_killed += u32::from(Ran::of(child).code.is_none());
    }
    work.train("run").run_well();
    println!("{method}: killed {num_killed} times");
    assert!(num_killed > 1, "{method}: killed {num_killed} times");
    let when = format!("{method} after {num_killed} kills");
    work.result("run")
        .assert_is(&work.result("expected"), &when);
    assert_is_clean(&work, "run");
}

/// Asserts that no partly written file is left, and that the log has each step once.
#[track_caller]
fn assert_is_clean(work: &Work, out: &str) {
    let names = vidpairs_fixtures::train::files(&work.path(out)).into_keys();
    let left: Vec<String> = names
        .filter(|name| name.contains(".part") || name.contains(".journal"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let lines = metrics(&work.path(out));
    let steps = lines.iter().filter(|line| line.get("loss").is_some());
    let steps: Vec<u64> = steps.map(|line| line["step"].as_u64().unwrap()).collect();
    assert!(
        steps.iter().copied().eq(1..=steps.len() as u64),
        "{steps:?}"
    );
}

#[test]
fn a_killed_run_of_moco_ends_with_the_same_bytes() {
    assert_kills_cost_nothing(MOCO, &[1, 4, 6, 11, 17]);
}

#[test]
fn a_killed_run_on_frames_and_regions_ends_with_the_same_bytes() {
    let shapes = Shapes::TRACKS;
    assert_kills_cost_nothing(Experiment { shapes, ..MOCO }, &[2, 7, 12]);
}

#[test]
fn a_killed_run_of_pirl_ends_with_the_same_bytes() {
    let shapes = Shapes::FRAMES;
    let method = "pirl";
    assert_kills_cost_nothing(Experiment { method, shapes }, &[2, 8, 13]);
}

#[test]
fn a_killed_supervised_run_ends_with_the_same_bytes() {
    let shapes = Shapes::IMAGES;
    let method = "supervised";
    assert_kills_cost_nothing(Experiment { method, shapes }, &[5, 9, 14]);
}

#[test]
fn an_interrupted_run_reports_its_saved_steps_and_resumes_to_the_same_bytes() {
    let work = Work::new(MOCO);
    work.train("expected").run_well();
    for how in ["INT", "TERM"] {
        let run = work.train(how).set("train.checkpoint_steps=1000");
        let child = run.spawn();
        with_metrics(&work.path(how), 7);
        signal(child.id(), how);
        let ran = Ran::of(child);
        let last = checkpoints(&work.path(how)).pop().unwrap();
        let step: u64 = last["step-".len().."step-0000000000".len()]
            .parse()
            .unwrap();
        let safe = format!("interrupted; finished work is safe ({step} steps) in {how}");
        ran.failed_with(130, &[&safe, "the same command resumes from there"]);
        assert_eq!(ran.stdout, "");
        finite_weights(&checkpoint(&work.path(how), step));
        assert_eq!(metrics(&work.path(how)).len() as u64, step);
        work.train(how).run_well();
        work.result(how).assert_is(&work.result("expected"), how);
        assert_is_clean(&work, how);
    }
}

/// Every file of a run gets its name by a rename and is removed by an unlink, so kills at these calls leave every possible
/// state of the folder.
#[test]
fn a_run_killed_at_any_change_of_its_folder_resumes_to_the_same_bytes() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    let run = |out: &str| {
        let settings = ["epochs=1", "checkpoint_steps=2", "keep=1"];
        let run = work.train(out).arg("--knn").arg("labelled");
        let settings = settings.iter();
        settings.fold(run, |run, setting| run.set(&format!("train.{setting}")))
    };
    run("expected").run_well();
    let expected = work.result("expected");
    let mut num_moments = 0;
    for out in each_call(&["rename", "unlink"], run) {
        run(&out).run_well();
        work.result(&out).assert_is(&expected, &out);
        assert_is_clean(&work, &out);
        let names =
            |out: &str| vidpairs_fixtures::train::files(&work.path(out).join("checkpoints"));
        assert!(names(&out) == names("expected"), "checkpoints, {out}");
        fs::remove_dir_all(work.path(&out)).unwrap();
        num_moments += 1;
    }
    println!("{num_moments} moments");
}
