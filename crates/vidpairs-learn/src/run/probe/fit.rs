//! Trains what a probe learns by gradient descent: takes a step for each batch, and keeps the state in a file from which the same call
//! continues.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tch::Tensor;
use vidpairs_run::{Control, Progress, RunError, Unit, failed, stopped};
use vidpairs_types::parallel::{Broken, Crew, Job, Sink, run_ordered};
use vidpairs_types::{create_own_folder, with_causes};
use vidpairs_weights::{Weights, WeightsError, read_weights, write_safetensors};

use crate::model::{from_host, to_host};
use crate::run::features::{FeatureError, MAX_BATCHES_BYTES, PATIENCE};

/// Folder of the states in the output folder.
const FOLDER: &str = "heads";
/// Time between two writes of the state: what a kill costs.
const SAVE_PERIOD: Duration = Duration::from_secs(300);
/// Most lines with a loss of one training, where each input is reported.
const NUM_LINES: u64 = 100;
/// Keys of the metadata.
const KEY: &str = "key";
const STEP: &str = "step";

/// What learns from batches.
pub(in crate::run) trait Student {
    /// Batch of one step.
    type Batch;

    /// Takes a step, at the share `factor` of the peak learning rate. Returns the loss to show.
    ///
    /// # Errors
    /// [`FeatureError`] if libtorch refuses.
    fn step(&mut self, batch: Self::Batch, factor: f64) -> Result<f64, FeatureError>;

    /// All tensors that the next step depends on, by name. They share storage with the student, which is restored by copying.
    fn state(&self) -> BTreeMap<String, Tensor>;
}

/// How long a student learns.
pub(in crate::run) struct FitPlan<'a> {
    /// What is trained, for the display: `linear classifiers`.
    pub what: &'static str,
    /// File of the state.
    pub file: StateFile,
    /// Number of steps in all.
    pub num_steps: u64,
    /// Share of the peak learning rate at each step.
    pub factor: &'a dyn Fn(u64) -> f64,
    /// Size of the views of a batch in memory, bytes.
    pub batch_bytes: usize,
    /// Threads that make batches, verbosity, and the signal to stop.
    pub control: &'a Control,
}

/// Trains `student` on the batches of `loader`, whose batch of a step depends on the step only. A state that an earlier call left is
/// continued, and a finished one is taken as it is.
///
/// # Errors
/// [`RunError`]: a batch cannot be made, libtorch refuses, or the state cannot be written. [`RunError::Interrupted`] after the user stopped
/// the run; the state is then in the file.
pub(in crate::run) fn fit<S, J>(
    student: &mut S,
    loader: Arc<J>,
    plan: &FitPlan<'_>,
) -> Result<(), RunError>
where
    S: Student,
    S::Batch: Send + 'static,
    J: Job<Item = u64, Output = Result<S::Batch, FeatureError>>,
{
    let restored = plan.file.restore(&student.state())?;
    let unit = Unit::Things("step");
    let first = match &restored {
        Restored::After(step) if *step <= plan.num_steps => *step,
        _ => 0,
    };
    let mut progress = Progress::new(unit, plan.num_steps, first, plan.control.verbosity);
    progress.set_note(plan.what.to_owned());
    match restored {
        Restored::Damaged(reason) => {
            let path = plan.file.path.display();
            progress.say(&format!(
                "{path} is damaged ({reason}): the training starts anew"
            ));
        }
        Restored::After(_) if (1..plan.num_steps).contains(&first) => progress.say(&format!(
            "{}: continued after step {first} of {}",
            plan.what, plan.num_steps
        )),
        _ => {}
    }
    let workers = plan.control.workers.max(1);
    let crew = Crew {
        workers,
        // One batch in preparation for each thread, and one that waits.
        window: (workers + 1).min((MAX_BATCHES_BYTES / plan.batch_bytes.max(1)).max(1)),
        patience: PATIENCE,
        cancel: Arc::clone(&plan.control.cancel),
    };
    let mut fitting = Fitting {
        student,
        plan,
        progress,
        step: first,
        lines_every: plan.num_steps.div_ceil(NUM_LINES).max(1),
        saved: Instant::now(),
    };
    let trained = run_ordered(first..plan.num_steps, loader, &crew, &mut fitting);
    let step = fitting.step;
    match trained {
        Ok(()) if step == first => Ok(()),
        Ok(()) => plan.file.save(student, step),
        Err(Broken::Cancelled) => {
            plan.file.save(student, step)?;
            Err(RunError::Interrupted {
                out: plan.file.out.clone(),
                safe: format!(
                    "features that were complete, and {step} of {} steps of the {}",
                    plan.num_steps, plan.what
                ),
            })
        }
        Err(broken) => Err(stopped(broken)),
    }
}

struct Fitting<'a, S> {
    student: &'a mut S,
    plan: &'a FitPlan<'a>,
    progress: Progress,
    /// Number of steps taken.
    step: u64,
    /// Steps from one line with the loss to the next, where each input is reported.
    lines_every: u64,
    saved: Instant,
}

impl<S: Student> Sink<Result<S::Batch, FeatureError>> for Fitting<'_, S> {
    type Error = RunError;

    fn push(&mut self, batch: Result<S::Batch, FeatureError>) -> Result<(), RunError> {
        let loss = self.student.step(batch?, (self.plan.factor)(self.step))?;
        self.step += 1;
        let what = self.plan.what;
        self.progress.set_note(format!("{what}, loss {loss:.3}"));
        self.progress.advance(1);
        if self.progress.is_verbose() && self.step.is_multiple_of(self.lines_every) {
            let (step, num_steps) = (self.step, self.plan.num_steps);
            self.progress.say(&format!(
                "{what}: step {step} of {num_steps}, loss {loss:.3}"
            ));
        }
        if self.saved.elapsed() >= SAVE_PERIOD {
            self.plan.file.save(self.student, self.step)?;
            self.saved = Instant::now();
        }
        Ok(())
    }

    fn tick(&mut self) {
        self.progress.tick();
    }
}

/// The file `OUT/heads/KEY.safetensors`, where KEY is a hash of everything that the state depends on beside the step.
#[derive(Debug)]
pub(in crate::run) struct StateFile {
    out: PathBuf,
    path: PathBuf,
    key: String,
    /// What it holds, for readers of its metadata.
    about: Vec<(&'static str, String)>,
}

/// What became of the state in the file.
enum Restored {
    /// There is no file, or one of another key.
    Absent,
    /// The file is damaged, with the reason.
    Damaged(String),
    /// The state after so many steps was copied.
    After(u64),
}

impl StateFile {
    /// The file below the output folder `out`.
    ///
    /// - `about`: keys and values of its metadata.
    pub fn new(out: &Path, key: String, about: Vec<(&'static str, String)>) -> Self {
        Self {
            out: out.to_owned(),
            path: out.join(FOLDER).join(format!("{key}.safetensors")),
            key,
            about,
        }
    }

    /// Copies the stored state over `own`; changes nothing if there is no whole file of this key.
    ///
    /// # Errors
    /// [`RunError`] if the file cannot be read now: another try may do.
    fn restore(&self, own: &BTreeMap<String, Tensor>) -> Result<Restored, RunError> {
        if !self.path.exists() {
            return Ok(Restored::Absent);
        }
        let stored = match read_weights(&self.path) {
            Ok(stored) => stored,
            Err(err) if is_passing(&err) => return Err(FeatureError::from(err).into()),
            Err(err) => return Ok(Restored::Damaged(with_causes(&err))),
        };
        let metadata = stored.metadata();
        let is_ours = stored.is_sealed() && metadata.get(KEY).is_some_and(|key| *key == self.key);
        let step = metadata.get(STEP).and_then(|step| step.parse().ok());
        let (true, Some(step)) = (is_ours, step) else {
            return Ok(Restored::Absent);
        };
        let mut copies = Vec::new();
        for (name, tensor) in own {
            let values = stored.get(name).map(from_host);
            let fits =
                |values: &Tensor| values.size() == tensor.size() && values.kind() == tensor.kind();
            match values.filter(fits) {
                Some(values) => copies.push((tensor.shallow_clone(), values)),
                None => return Ok(Restored::Absent),
            }
        }
        tch::no_grad(|| {
            for (mut own, values) in copies {
                own.copy_(&values);
            }
        });
        Ok(Restored::After(step))
    }

    /// Writes the state after `step` steps, whole or not at all.
    fn save<S: Student>(&self, student: &S, step: u64) -> Result<(), RunError> {
        let state = student.state();
        let tensors = state.iter().map(|(name, tensor)| {
            let tensor = to_host(tensor).expect("a state has numbers that weight files hold");
            (name.clone(), tensor)
        });
        let mut weights: Weights = tensors.collect();
        for (key, value) in &self.about {
            weights.set_metadata(*key, value);
        }
        weights.set_metadata(KEY, &self.key);
        weights.set_metadata(STEP, step.to_string());
        weights.seal();
        if let Some(folder) = self.path.parent() {
            create_own_folder(folder).map_err(failed("create", folder))?;
        }
        let written = write_safetensors(&self.path, &weights).map_err(FeatureError::from);
        let safe = "features that were complete";
        written.map_err(|err| RunError::from(err).named_if_full(&self.out, safe))
    }
}

/// Whether the file itself may be sound: the system failed to read it.
fn is_passing(err: &WeightsError) -> bool {
    matches!(err, WeightsError::File { source, .. } if matches!(**source, WeightsError::Read(_)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tch::{Device, Kind};
    use vidpairs_types::parallel::{Heartbeat, Loss};

    use super::*;

    /// A number that each step halves before it adds the batch, and the steps that this student took.
    struct Number {
        value: Tensor,
        taken: Vec<u64>,
        /// Stops the run in this step.
        stops_in: Option<u64>,
        control: Control,
    }

    impl Number {
        fn new(stops_in: Option<u64>) -> Self {
            Self {
                value: Tensor::zeros([1], (Kind::Float, Device::Cpu)),
                taken: Vec::new(),
                stops_in,
                control: Control::quiet(2),
            }
        }
    }

    impl Student for Number {
        type Batch = u64;

        fn step(&mut self, batch: u64, factor: f64) -> Result<f64, FeatureError> {
            self.value = &self.value * 0.5 + batch as f64 * factor;
            self.taken.push(batch);
            if self.stops_in == Some(batch) {
                self.control.cancel.set();
            }
            Ok(0.0)
        }

        fn state(&self) -> BTreeMap<String, Tensor> {
            [("value".to_owned(), self.value.shallow_clone())].into()
        }
    }

    /// The batch of a step is its number.
    struct Steps;

    impl Job for Steps {
        type Item = u64;
        type Output = Result<u64, FeatureError>;

        fn work(&self, step: u64, _: &Arc<Heartbeat>) -> Self::Output {
            Ok(step)
        }

        fn lost(&self, step: u64, _: Loss) -> Self::Output {
            let reason = "lost".to_owned();
            Err(FeatureError::LostBatch { step, reason })
        }
    }

    fn train(student: &mut Number, out: &Path, key: &str) -> Result<(), RunError> {
        let control = student.control.clone();
        let plan = FitPlan {
            what: "numbers",
            file: StateFile::new(out, key.to_owned(), vec![("what", "numbers".to_owned())]),
            num_steps: 20,
            factor: &|step| if step < 10 { 1.0 } else { 0.1 },
            batch_bytes: 8,
            control: &control,
        };
        fit(student, Arc::new(Steps), &plan)
    }

    #[test]
    fn a_stopped_training_continues_and_ends_as_one_that_was_not_stopped() {
        let (whole, stopped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        train(&mut Number::new(None), whole.path(), "k").unwrap();
        let err = train(&mut Number::new(Some(6)), stopped.path(), "k").unwrap_err();
        assert!(
            matches!(&err, RunError::Interrupted { safe, .. } if safe.contains("7 of 20 steps")),
            "{err:?}"
        );
        let mut again = Number::new(None);
        train(&mut again, stopped.path(), "k").unwrap();
        assert_eq!(again.taken, (7..20).collect::<Vec<_>>());
        let file =
            |dir: &tempfile::TempDir| fs::read(dir.path().join("heads/k.safetensors")).unwrap();
        assert!(file(&whole) == file(&stopped));
    }

    #[test]
    fn a_finished_training_is_taken_as_it_is_and_a_damaged_file_is_no_state() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Number::new(None);
        train(&mut first, dir.path(), "k").unwrap();
        let mut second = Number::new(None);
        train(&mut second, dir.path(), "k").unwrap();
        assert!(second.taken.is_empty() && second.value.equal(&first.value));
        let mut other = Number::new(None);
        train(&mut other, dir.path(), "another").unwrap();
        assert_eq!(other.taken.len(), 20);
        let path = dir.path().join("heads/k.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        let mut third = Number::new(None);
        train(&mut third, dir.path(), "k").unwrap();
        assert_eq!(third.taken.len(), 20);
    }
}
