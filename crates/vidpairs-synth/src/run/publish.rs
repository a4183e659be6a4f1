//! The writer: items in order get their final names, their truth and a line of the journal.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::ProgressBar;
use vidpairs_run::{RunError, Verbosity, failed};
use vidpairs_types::parallel::{Loss, Sink};
use vidpairs_types::{Outcome, Refusal, Stage, with_causes};

use super::error::SynthError;
use super::job::{NotMade, Output};
use super::journal::{Done, Journal, Progress};
use crate::set::{ItemError, ItemFailure, Plan, RenderedItem};

pub(super) struct Publisher {
    pub out: PathBuf,
    pub plan: Arc<Plan>,
    pub bar: ProgressBar,
    /// Images that an earlier run has made.
    pub images_before: u64,
    /// Ids of what was told to be refused.
    pub told: HashSet<String>,
    pub verbosity: Verbosity,
    pub journal: Journal,
    pub progress: Progress,
    /// Why the run was broken off.
    pub error: Option<RunError>,
}

impl Sink<Output> for Publisher {
    fn push(&mut self, output: Output) -> ControlFlow<()> {
        match self.publish(output) {
            Ok(()) => ControlFlow::Continue(()),
            Err(err) => {
                self.error = Some(err);
                ControlFlow::Break(())
            }
        }
    }

    fn tick(&mut self) {
        self.bar
            .set_position(self.images_before + self.plan.num_rendered());
    }
}

impl Publisher {
    fn publish(&mut self, output: Output) -> Result<(), RunError> {
        let Output {
            ordinal,
            folder,
            made,
        } = output;
        let name = self
            .plan
            .items
            .get(ordinal as usize)
            .map(|item| self.plan.name_of(item));
        let name = name.unwrap_or_default();
        let (made, not_made) = match made {
            Ok(made) => (made, None),
            Err(NotMade::Failed(failed)) if failed.error.is_final() => {
                let source = failed.error;
                return Err(SynthError::Item { item: name, source }.into());
            }
            Err(NotMade::Failed(ItemFailure { error, refused })) => {
                let stage = match *error {
                    ItemError::Backdrop(_) => Stage::Decode,
                    ItemError::Jpeg(_) | ItemError::Png(_) => Stage::Encode,
                    _ => Stage::Render,
                };
                let made = RenderedItem {
                    refused,
                    ..RenderedItem::default()
                };
                (made, Some((stage, with_causes(&*error))))
            }
            Err(NotMade::Lost(Loss::Stalled)) => (
                RenderedItem::default(),
                Some((Stage::Watchdog, "no progress for minutes".to_owned())),
            ),
            Err(NotMade::Lost(Loss::Panicked(words))) => (
                RenderedItem::default(),
                Some((Stage::Internal, format!("panic: {words}"))),
            ),
        };
        for made_name in &made.names {
            self.move_into_place(&folder, made_name)?;
        }
        fs::remove_dir_all(&folder).or_else(|err| match err.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(failed("remove", &folder)(err)),
        })?;
        let refusal = not_made.map(|(stage, reason)| Refusal {
            id: name,
            path: self
                .plan
                .items
                .get(ordinal as usize)
                .map_or_else(String::new, |item| self.plan.place_of(item)),
            outcome: Outcome::Refused,
            stage,
            reason,
            retry: "mend it and render the set again into a new folder".to_owned(),
        });
        for refusal in made.refused.iter().chain(&refusal) {
            self.tell(refusal);
        }
        let done = Done {
            item: ordinal,
            names: made.names,
            objects: made.objects,
            images: made.num_images,
            bytes: made.num_bytes,
            refused: made.refused,
            not_made: refusal,
            truth_bytes: self.journal.add_truths(&made.truths)?,
        };
        self.journal.add(&done)?;
        self.progress.add(done);
        Ok(())
    }

    fn move_into_place(&self, folder: &Path, name: &str) -> Result<(), RunError> {
        let (from, to) = (folder.join(name), self.out.join(name));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(failed("create", parent))?;
        }
        // What a stopped run has published without a line of the journal is made again.
        if to.is_dir() {
            fs::remove_dir_all(&to).map_err(failed("remove", &to))?;
        }
        fs::rename(&from, &to).map_err(failed("write", &to))
    }

    /// Once: an object that fails is drawn for many items.
    fn tell(&mut self, refusal: &Refusal) {
        if self.verbosity >= Verbosity::Verbose && self.told.insert(refusal.id.clone()) {
            self.bar.suspend(|| {
                let _ = writeln!(io::stderr(), "refused: {}: {}", refusal.id, refusal.reason);
            });
        }
    }
}
