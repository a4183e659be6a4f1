//! From what was given to `[augment]` and `[train]`.

use super::super::error::PipelineError;
use super::super::keys::{self, AnyKey};
use super::super::settings::Settings;
use super::super::train::{
    Augment, ContrastKeys, MocoKeys, PirlKeys, ScheduleName, Train, TrainMethod, Views, WatchKeys,
};
use super::refuse_unused;

/// Checks `[augment]`; what is not given is the method's.
pub(super) fn augment(settings: &Settings) -> Result<Augment, PipelineError> {
    let of_method = match settings.get(&keys::METHOD)? {
        TrainMethod::MocoV1 => Views::MocoV1,
        TrainMethod::MocoV2 | TrainMethod::Supervised => Views::MocoV2,
        TrainMethod::Pirl => Views::Pirl,
    };
    let views = match settings.given(&keys::VIEWS) {
        Some(_) => settings.get(&keys::VIEWS)?,
        None => of_method,
    };
    let of_views = match views {
        Views::MocoV1 | Views::MocoV2 => 0.2,
        Views::Pirl => 0.08,
    };
    let min_area = match settings.given(&keys::MIN_AREA) {
        Some(_) => settings.get(&keys::MIN_AREA)?,
        None => of_views,
    };
    Ok(Augment {
        views,
        size_px: settings.get(&keys::SIZE)?,
        min_area,
    })
}

/// Checks `[train]`.
pub(super) fn train(settings: &Settings) -> Result<Train, PipelineError> {
    let method = settings.get(&keys::METHOD)?;
    let (batch, accumulate) = (
        settings.get(&keys::BATCH)?,
        settings.get(&keys::ACCUMULATE)?,
    );
    let epochs = settings.get(&keys::EPOCHS)?;
    let schedule = match (settings.given(&keys::SCHEDULE), method) {
        (Some(_), _) => settings.get(&keys::SCHEDULE)?,
        (None, TrainMethod::MocoV1) => ScheduleName::Step,
        (None, _) => ScheduleName::Cosine,
    };
    let train = Train {
        method,
        network: settings.get(&keys::NETWORK)?,
        width: settings.get(&keys::WIDTH)?,
        stem: settings.get(&keys::STEM)?,
        contrast: contrast(settings, method)?,
        moco: moco(settings, method)?,
        pirl: pirl(settings, method)?,
        groups: settings.get(&keys::GROUPS)?,
        batch,
        accumulate,
        epochs,
        learning_rate: settings.get(&keys::LEARNING_RATE)?,
        schedule,
        milestones: milestones(settings, schedule, epochs)?,
        warmup_epochs: settings.get(&keys::WARMUP_EPOCHS)?,
        pace: settings.get(&keys::PACE)?,
        momentum: settings.get(&keys::MOMENTUM)?,
        weight_decay: settings.get(&keys::WEIGHT_DECAY)?,
        numbers: settings.get(&keys::NUMBERS)?,
        watch: WatchKeys {
            log_steps: settings.get(&keys::LOG_STEPS)?,
            checkpoint_steps: settings.get(&keys::CHECKPOINT_STEPS)?,
            keep: settings.get(&keys::KEEP)?,
            knn_epochs: settings.get(&keys::KNN_EPOCHS)?,
            knn_images: settings.get(&keys::KNN_IMAGES)?,
            knn_neighbours: settings.get(&keys::KNN_NEIGHBOURS)?,
        },
    };
    learns(settings, &train)?;
    divides(settings, &train)?;
    Ok(train)
}

fn contrast(
    settings: &Settings,
    method: TrainMethod,
) -> Result<Option<ContrastKeys>, PipelineError> {
    const CONTRAST_KEYS: [&dyn AnyKey; 2] = [&keys::EMBEDDING, &keys::TEMPERATURE];
    let of_method = match method {
        TrainMethod::Supervised => {
            let why = "train.method = \"supervised\" compares no vectors";
            refuse_unused(settings, &CONTRAST_KEYS, &keys::METHOD, why)?;
            return Ok(None);
        }
        TrainMethod::MocoV1 | TrainMethod::Pirl => 0.07,
        TrainMethod::MocoV2 => 0.2,
    };
    let temperature = match settings.given(&keys::TEMPERATURE) {
        Some(_) => settings.get(&keys::TEMPERATURE)?,
        None => of_method,
    };
    Ok(Some(ContrastKeys {
        embedding: settings.get(&keys::EMBEDDING)?,
        temperature,
    }))
}

fn moco(settings: &Settings, method: TrainMethod) -> Result<Option<MocoKeys>, PipelineError> {
    const MOCO_KEYS: [&dyn AnyKey; 5] = [
        &keys::QUEUE,
        &keys::KEY_MOMENTUM,
        &keys::SYMMETRIC,
        &keys::REGION_WEIGHT,
        &keys::SHUFFLE,
    ];
    if !matches!(method, TrainMethod::MocoV1 | TrainMethod::MocoV2) {
        let why = "only train.method = \"moco-v1\" and \"moco-v2\" have a queue and a key encoder";
        refuse_unused(settings, &MOCO_KEYS, &keys::METHOD, why)?;
        return Ok(None);
    }
    Ok(Some(MocoKeys {
        queue: settings.get(&keys::QUEUE)?,
        key_momentum: settings.get(&keys::KEY_MOMENTUM)?,
        symmetric: settings.get(&keys::SYMMETRIC)?,
        region_weight: settings.get(&keys::REGION_WEIGHT)?,
        shuffle: settings.get(&keys::SHUFFLE)?,
    }))
}

fn pirl(settings: &Settings, method: TrainMethod) -> Result<Option<PirlKeys>, PipelineError> {
    const PIRL_KEYS: [&dyn AnyKey; 2] = [&keys::NEGATIVES, &keys::BANK_MOMENTUM];
    if method != TrainMethod::Pirl {
        let why = "only train.method = \"pirl\" has a memory of all images";
        refuse_unused(settings, &PIRL_KEYS, &keys::METHOD, why)?;
        return Ok(None);
    }
    Ok(Some(PirlKeys {
        negatives: settings.get(&keys::NEGATIVES)?,
        bank_momentum: settings.get(&keys::BANK_MOMENTUM)?,
    }))
}

fn milestones(
    settings: &Settings,
    schedule: ScheduleName,
    epochs: u32,
) -> Result<Vec<u32>, PipelineError> {
    if schedule != ScheduleName::Step {
        let why = "only train.schedule = \"step\" has milestones";
        refuse_unused(settings, &[&keys::MILESTONES], &keys::SCHEDULE, why)?;
        return Ok(Vec::new());
    }
    match settings.given(&keys::MILESTONES) {
        Some(_) => settings.get(&keys::MILESTONES),
        None => {
            // MoCo v1: 120 and 160 of 200.
            let mut milestones = vec![epochs * 3 / 5, epochs * 4 / 5];
            milestones.dedup();
            milestones.retain(|&milestone| milestone > 0);
            Ok(milestones)
        }
    }
}

/// A batch is cut into `accumulate` parts, and each of those into `groups`, of two records at least.
/// That there is a learning rate, and that it is reached.
fn learns(settings: &Settings, train: &Train) -> Result<(), PipelineError> {
    if train.learning_rate <= 0.0 {
        let expected = "a number > 0".to_owned();
        return Err(settings.refusal(&keys::LEARNING_RATE, expected));
    }
    if train.warmup_epochs > f64::from(train.epochs) {
        let expected = format!("at most train.epochs = {}", train.epochs);
        return Err(settings.refusal(&keys::WARMUP_EPOCHS, expected));
    }
    Ok(())
}

fn divides(settings: &Settings, train: &Train) -> Result<(), PipelineError> {
    let refuse = |key: &dyn AnyKey, expected| Err(settings.refusal(key, expected));
    let Train {
        batch,
        accumulate,
        groups,
        ..
    } = *train;
    if batch % accumulate != 0 {
        let expected = format!("a number that divides train.batch = {batch}");
        return refuse(&keys::ACCUMULATE, expected);
    }
    let part = batch / accumulate;
    if part % groups != 0 || part / groups < 2 {
        let expected = format!(
            "a number that cuts the {part} records of a {} into equal groups of two or more, \
             such as {}",
            if accumulate == 1 {
                "batch"
            } else {
                "part of a batch"
            },
            (1..=part / 2)
                .rev()
                .find(|groups| part % groups == 0 && *groups <= 8)
                .unwrap_or(1),
        );
        return refuse(&keys::GROUPS, expected);
    }
    Ok(())
}
