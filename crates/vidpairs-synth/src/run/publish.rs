//! Publishes items in order: moves their files to their final names, then writes their truth and a line of the journal.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use vidpairs_run::{Journal, Progress, RunError, failed, loss_reason};
use vidpairs_types::parallel::Sink;
use vidpairs_types::{Outcome, Refusal, Stage, create_folders_of, with_causes};

use super::PATIENCE;
use super::error::SynthError;
use super::job::{NotMade, Output};
use super::journal::{Done, Published, TruthFile};
use crate::set::{ItemError, ItemFailure, Plan, RenderedItem};

pub(super) struct Publisher {
    pub plan: Arc<Plan>,
    /// Number of images of an earlier run.
    pub images_before: u64,
    /// Ids of the refused objects that were reported.
    pub reported: HashSet<String>,
    pub journal: Journal<Done>,
    pub truth: TruthFile,
    pub published: Published,
    pub progress: Progress,
}

impl Sink<Output> for Publisher {
    type Error = RunError;

    fn push(&mut self, output: Output) -> Result<(), RunError> {
        self.publish(output)
    }

    fn tick(&mut self) {
        let num_rendered = self.plan.num_rendered();
        self.progress.set(self.images_before + num_rendered, 0.0);
    }
}

impl Publisher {
    fn publish(&mut self, output: Output) -> Result<(), RunError> {
        let Output {
            ordinal,
            folder,
            made,
        } = output;
        let item = &self.plan.items[ordinal as usize];
        let name = self.plan.name_of(item);
        let place = self.plan.place_of(item);
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
            Err(NotMade::Lost(loss)) => {
                (RenderedItem::default(), Some(loss_reason(loss, PATIENCE)))
            }
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
            path: place,
            outcome: Outcome::Refused,
            stage,
            reason,
            retry: "repair it and render the set again into a new folder".to_owned(),
        });
        for refusal in made.refused.iter().chain(&refusal) {
            self.report(refusal);
        }
        let (truth_bytes, truth_xxh3) = self.truth.add(&made.truths)?;
        let done = Done {
            item: ordinal,
            names: made.names,
            objects: made.objects,
            images: made.num_images,
            bytes: made.num_bytes,
            refused: made.refused,
            not_made: refusal,
            truth_bytes,
            truth_xxh3,
        };
        self.journal.add(&done)?;
        self.journal.sync()?;
        self.published.add(done);
        Ok(())
    }

    fn move_into_place(&self, folder: &Path, name: &str) -> Result<(), RunError> {
        let (from, to) = (folder.join(name), self.journal.out().path().join(name));
        let created = create_folders_of(self.journal.out().path(), Path::new(name));
        created.map_err(failed("create the folder of", &to))?;
        // A stopped run may have published it without a line of the journal: it is made again.
        if to.is_dir() {
            fs::remove_dir_all(&to).map_err(failed("remove", &to))?;
        }
        fs::rename(&from, &to).map_err(failed("write", &to))
    }

    /// Reports a refused object once: it is drawn for many items.
    fn report(&mut self, refusal: &Refusal) {
        if self.progress.is_verbose() && self.reported.insert(refusal.id.clone()) {
            self.progress.refused(refusal);
        }
    }
}
