//! Which frames of a sequence tell how it went.

/// The first and the last frame, those around the steepest falls of the overlap, and frames evenly between:
/// `num` at most, ascending, each once.
///
/// - `overlaps`: of each tracker, a value per frame that is scored.
pub(super) fn frames_to_show(len: usize, overlaps: &[&[Option<f64>]], num: usize) -> Vec<usize> {
    let Some(last) = len.checked_sub(1) else {
        return Vec::new();
    };
    let is_scored = |frame: &usize| {
        overlaps
            .iter()
            .any(|it| matches!(it.get(*frame), Some(Some(_))))
    };
    let scored: Vec<usize> = (0..len).filter(is_scored).collect();
    // Where every tenth frame is scored, one of the others tells less.
    let near = |frame: usize| {
        let nearest = scored.iter().copied().min_by_key(|it| it.abs_diff(frame));
        nearest
            .filter(|it| it.abs_diff(frame) <= len / (2 * num.max(1)))
            .unwrap_or(frame)
    };
    let spacing = len.div_ceil(scored.len().max(1));
    let step = (len / 40).clamp(1, 30).max(spacing);
    let mut chosen = vec![0, last];
    let mut add = |frame: usize| {
        if chosen.len() < num && !chosen.contains(&frame) {
            chosen.push(frame);
        }
    };
    for fall in falls(len, overlaps, step).into_iter().take(2) {
        [fall.saturating_sub(step), fall, (fall + step).min(last)]
            .into_iter()
            .for_each(|it| add(near(it)));
    }
    let gaps = num.saturating_sub(1).max(1);
    (1..gaps).for_each(|part| add(near(part * last / gaps)));
    chosen.truncate(num);
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// Frames at which the overlap falls the most from the `width` frames before to those from there on, the steepest
/// first, no two of them near each other.
fn falls(len: usize, overlaps: &[&[Option<f64>]], width: usize) -> Vec<usize> {
    const LEAST_FALL: f64 = 0.2;
    let mean = |of: &[Option<f64>]| {
        let known: Vec<f64> = of.iter().copied().flatten().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let fall_at = |frame: usize| {
        let of_tracker = |it: &&[Option<f64>]| {
            let before = mean(it.get(frame.saturating_sub(width)..frame)?)?;
            let after = mean(it.get(frame..(frame + width).min(it.len()))?)?;
            Some(before - after)
        };
        overlaps.iter().filter_map(of_tracker).fold(0.0, f64::max)
    };
    let mut falls: Vec<(f64, usize)> = (1..len).map(|it| (fall_at(it), it)).collect();
    falls.retain(|(fall, _)| *fall >= LEAST_FALL);
    falls.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut apart: Vec<usize> = Vec::new();
    for (_, frame) in falls {
        if apart.iter().all(|it| it.abs_diff(frame) > 3 * width) {
            apart.push(frame);
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frames_around_a_fall_are_shown_and_the_first_and_the_last() {
        let lost: Vec<_> = (0..120)
            .map(|it| Some(if it < 50 { 0.9 } else { 0.1 }))
            .collect();
        let shown = frames_to_show(120, &[&lost], 8);
        assert_eq!(shown.len(), 8);
        for frame in [0, 47, 50, 53, 119] {
            assert!(shown.contains(&frame), "{shown:?}");
        }
    }

    #[test]
    fn where_truth_is_sparse_the_frames_that_have_it_are_shown() {
        let sparse: Vec<_> = (0..201)
            .map(|it| (it % 15 == 0 && it > 0).then_some(0.8))
            .collect();
        let shown = frames_to_show(201, &[&sparse], 8);
        assert_eq!((shown.len(), shown[0], shown[7]), (8, 0, 200));
        assert!(shown[1..7].iter().all(|it| it % 15 == 0), "{shown:?}");
    }

    #[test]
    fn short_sequences_and_those_without_a_score_are_shown_evenly() {
        assert_eq!(frames_to_show(0, &[], 8), [] as [usize; 0]);
        assert_eq!(frames_to_show(1, &[&[None]], 8), [0]);
        assert_eq!(frames_to_show(3, &[&[None; 3]], 8), [0, 1, 2]);
        assert_eq!(frames_to_show(71, &[], 8), [0, 10, 20, 30, 40, 50, 60, 70]);
    }
}
