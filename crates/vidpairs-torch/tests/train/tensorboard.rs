//! TensorBoard shows each step of the event files once, also after a run was killed and resumed.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use vidpairs_learn::run::EventWriter;

#[test]
#[ignore = "needs a Python with tensorboard, named in VIDPAIRS_GOLDEN_PYTHON"]
fn tensorboard_shows_each_step_once_after_a_kill_in_the_middle_of_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let mut killed = EventWriter::create(folder.path(), 100.0).unwrap();
    for step in 0..6u8 {
        let value = f32::from(step);
        let values = [("loss", value), ("lr", 0.5)];
        killed
            .scalars(step.into(), 100.0 + f64::from(step), &values)
            .unwrap();
    }
    let file = OpenOptions::new().write(true).open(killed.path()).unwrap();
    file.set_len(file.metadata().unwrap().len() - 9).unwrap();
    let shown = shown_by_tensorboard(folder.path());
    assert_eq!(shown["loss"].as_array().unwrap().len(), 5);

    // The last checkpoint is that before step 3, so steps 3 and 4 are repeated. The clock went back, too.
    let mut resumed = EventWriter::resume(folder.path(), 50.0, 3).unwrap();
    resumed.scalars(3, 50.0, &[("loss", -3.0)]).unwrap();
    let shown = shown_by_tensorboard(folder.path());
    let loss = json!([
        [100.0, 0, 0.0],
        [101.0, 1, 1.0],
        [102.0, 2, 2.0],
        [50.0, 3, -3.0]
    ]);
    let lr = json!([[100.0, 0, 0.5], [101.0, 1, 0.5], [102.0, 2, 0.5]]);
    assert_eq!(shown, json!({ "loss": loss, "lr": lr }));
}

fn shown_by_tensorboard(folder: &Path) -> Value {
    let python = std::env::var_os("VIDPAIRS_GOLDEN_PYTHON").unwrap();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scripts/golden/tensorboard_events.py"
    );
    let output = Command::new(python)
        .args([script, "read"])
        .arg(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}
