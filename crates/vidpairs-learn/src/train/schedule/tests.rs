use super::*;

fn schedule(decay: ScheduleName, pace: Pace, warmup_epochs: f64) -> Schedule {
    let schedule = Schedule {
        peak: 0.03,
        num_epochs: 200,
        warmup_epochs,
        decay,
        milestones: Vec::new(),
        pace,
    };
    schedule.check().unwrap();
    schedule
}

fn with_milestones(milestones: &[u32], warmup_epochs: f64) -> Schedule {
    Schedule {
        milestones: milestones.to_vec(),
        ..schedule(ScheduleName::Step, Pace::Epoch, warmup_epochs)
    }
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-15, "{found}, {expected}");
}

#[test]
fn the_cosine_per_epoch_is_that_of_moco() {
    let schedule = schedule(ScheduleName::Cosine, Pace::Epoch, 0.0);
    for epoch in 0..200u32 {
        // lr *= 0.5 * (1. + math.cos(math.pi * epoch / args.epochs))
        let moco = 0.03 * 0.5 * (1.0 + (PI * f64::from(epoch) / 200.0).cos());
        for step in [0, 1, 5004] {
            assert_near(schedule.lr_at(u64::from(epoch) * 5005 + step, 5005), moco);
        }
    }
    assert_near(schedule.lr_at(200 * 5005, 5005), 0.0);
    assert_near(schedule.lr_at(u64::MAX, 5005), 0.0);
}

#[test]
fn the_milestones_are_those_of_moco() {
    // for milestone in args.schedule: lr *= 0.1 if epoch >= milestone else 1.
    let schedule = with_milestones(&[120, 160], 0.0);
    let at = |epoch: u64, step: u64| schedule.lr_at(epoch * 10 + step, 10);
    assert_near(at(119, 9), 0.03);
    assert_near(at(120, 0), 0.003);
    assert_near(at(159, 9), 0.003);
    assert_near(at(160, 0), 0.0003);
    assert_near(at(1000, 0), 0.0003);
}

#[test]
fn at_pace_step_the_cosine_falls_within_an_epoch() {
    let schedule = schedule(ScheduleName::Cosine, Pace::Step, 0.0);
    assert_near(schedule.lr_at(0, 4), 0.03);
    assert_near(schedule.lr_at(400, 4), 0.015); // the middle: cos(pi / 2) = 0
    assert_near(schedule.lr_at(200, 4), 0.015 * (1.0 + 0.5f64.sqrt())); // a quarter
    assert!(schedule.lr_at(1, 4) < schedule.lr_at(0, 4));
    assert!(schedule.lr_at(799, 4) > 0.0);
}

#[test]
fn the_rate_rises_at_every_step_of_the_warm_up_and_then_decays_to_zero() {
    for pace in [Pace::Epoch, Pace::Step] {
        let schedule = schedule(ScheduleName::Cosine, pace, 10.0);
        assert_near(schedule.lr_at(0, 100), 0.03 / 1000.0);
        assert_near(schedule.lr_at(499, 100), 0.015);
        assert_near(schedule.lr_at(999, 100), 0.03);
        assert_near(schedule.lr_at(1000, 100), 0.03);
        // MoCo v3: the cosine of (epoch - warmup) / (epochs - warmup).
        assert_near(schedule.lr_at(105 * 100, 100), 0.015);
        assert_near(schedule.lr_at(200 * 100, 100), 0.0);
    }
}

#[test]
fn a_warm_up_may_be_shorter_than_an_epoch() {
    let schedule = with_milestones(&[1], 0.25);
    let rates: Vec<f64> = (0..9).map(|step| schedule.lr_at(step, 8)).collect();
    for (found, expected) in rates.iter().zip([0.015, 0.03, 0.03]) {
        assert_near(*found, expected);
    }
    assert_near(rates[8], 0.003);
    // A quarter of five steps is no whole number of them.
    let rates: Vec<f64> = (0..3).map(|step| schedule.lr_at(step, 5)).collect();
    assert_near(rates[0], 0.03 / 1.25);
    assert_near(rates[1], 0.03);
}

#[test]
fn a_constant_rate_never_changes() {
    let schedule = schedule(ScheduleName::Constant, Pace::Step, 0.0);
    for step in [0, 1, u64::MAX] {
        assert_near(schedule.lr_at(step, 7), 0.03);
        assert_near(schedule.lr_at(step, 0), 0.03);
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refusal = |peak, num_epochs, warmup_epochs, milestones: &[u32]| {
        let schedule = Schedule {
            peak,
            num_epochs,
            ..with_milestones(milestones, warmup_epochs)
        };
        schedule.check().unwrap_err().to_string()
    };
    assert_eq!(
        refusal(-1.0, 10, 0.0, &[]),
        "learning_rate is -1; expected a finite number > 0"
    );
    assert_eq!(
        refusal(1.0, 0, 0.0, &[]),
        "epochs is 0; expected at least 1"
    );
    assert_eq!(
        refusal(1.0, 10, 10.0, &[]),
        "warmup_epochs is 10; expected 0 or more, and fewer than the 10 epochs"
    );
    assert_eq!(
        refusal(1.0, 10, 0.0, &[6, 6]),
        "milestones is [6, 6]; expected ascending epochs"
    );
}
