use super::*;

fn schedule(decay: Decay, pace: Pace, warmup_epochs: f64) -> Schedule {
    Schedule::new(0.03, 200, warmup_epochs, decay, pace).unwrap()
}

fn steps(milestones: &[u32]) -> Decay {
    Decay::Step {
        milestones: milestones.to_vec(),
        factor: 0.1,
    }
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-15, "{found}, {expected}");
}

#[test]
fn the_cosine_of_an_epoch_is_that_of_moco() {
    let schedule = schedule(Decay::Cosine, Pace::Epoch, 0.0);
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
fn the_steps_of_an_epoch_are_those_of_moco() {
    // for milestone in args.schedule: lr *= 0.1 if epoch >= milestone else 1.
    let schedule = schedule(steps(&[120, 160]), Pace::Epoch, 0.0);
    let at = |epoch: u64, step: u64| schedule.lr_at(epoch * 10 + step, 10);
    assert_near(at(119, 9), 0.03);
    assert_near(at(120, 0), 0.003);
    assert_near(at(159, 9), 0.003);
    assert_near(at(160, 0), 0.0003);
    assert_near(at(1000, 0), 0.0003);
}

#[test]
fn per_step_the_cosine_falls_within_an_epoch_too() {
    let schedule = schedule(Decay::Cosine, Pace::Step, 0.0);
    assert_near(schedule.lr_at(0, 4), 0.03);
    assert_near(schedule.lr_at(400, 4), 0.015); // the middle: cos(pi / 2) = 0
    assert_near(schedule.lr_at(200, 4), 0.015 * (1.0 + 0.5f64.sqrt())); // a quarter
    assert!(schedule.lr_at(1, 4) < schedule.lr_at(0, 4));
    assert!(schedule.lr_at(799, 4) > 0.0);
}

#[test]
fn the_warm_up_rises_at_every_step_to_the_peak_and_the_rest_decays_to_zero() {
    for pace in [Pace::Epoch, Pace::Step] {
        let schedule = schedule(Decay::Cosine, pace, 10.0);
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
fn a_warm_up_may_last_a_part_of_an_epoch() {
    let schedule = schedule(steps(&[1]), Pace::Epoch, 0.25);
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
fn a_constant_rate_stays() {
    let schedule = schedule(Decay::Constant, Pace::Step, 0.0);
    for step in [0, 1, u64::MAX] {
        assert_near(schedule.lr_at(step, 7), 0.03);
        assert_near(schedule.lr_at(step, 0), 0.03);
    }
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |peak, epochs, warmup, decay| {
        let err = Schedule::new(peak, epochs, warmup, decay, Pace::Epoch).unwrap_err();
        err.to_string()
    };
    assert_eq!(
        refused(-1.0, 10, 0.0, Decay::Cosine),
        "learning_rate is -1; expected a finite number > 0"
    );
    assert_eq!(
        refused(1.0, 0, 0.0, Decay::Cosine),
        "epochs is 0; expected at least 1"
    );
    assert_eq!(
        refused(1.0, 10, 10.0, Decay::Cosine),
        "warmup_epochs is 10; expected 0 or more, and fewer than the 10 epochs"
    );
    assert_eq!(
        refused(1.0, 10, 0.0, steps(&[6, 6])),
        "milestones is [6, 6]; expected ascending epochs"
    );
    let by_zero = Decay::Step {
        milestones: vec![],
        factor: 0.0,
    };
    assert_eq!(
        refused(1.0, 10, 0.0, by_zero),
        "factor is 0; expected a finite number > 0"
    );
}
