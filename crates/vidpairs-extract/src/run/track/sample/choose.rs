//! Chooses the frames of a sequence that a page shows.

/// Smallest fall of the overlap that is shown.
const LEAST_FALL: f64 = 0.2;

/// The first and the last frame, the frames around the two steepest falls of the overlap, and evenly spread frames: at most `num`,
/// ascending, each once.
///
/// - `len`: frames of the sequence.
/// - `overlaps`: for each tracker a value per frame, `None` if the frame is not scored.
pub(super) fn frames_to_show(len: usize, overlaps: &[&[Option<f64>]], num: usize) -> Vec<usize> {
    let Some(last) = len.checked_sub(1) else {
        return Vec::new();
    };
    let is_scored = |frame: &usize| {
        let mut overlaps = overlaps.iter();
        overlaps.any(|values| matches!(values.get(*frame), Some(Some(_))))
    };
    let scored: Vec<usize> = (0..len).filter(is_scored).collect();
    // Where only every tenth frame is scored, the others are worth less.
    let nearest_scored = |frame: usize| {
        let distance = |other: &usize| other.abs_diff(frame);
        let nearest = scored.iter().copied().min_by_key(distance);
        nearest
            .filter(|nearest| distance(nearest) <= len / (2 * num.max(1)))
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
        for frame in [fall.saturating_sub(step), fall, (fall + step).min(last)] {
            add(nearest_scored(frame));
        }
    }
    let gaps = num.saturating_sub(1).max(1);
    for part in 1..gaps {
        add(nearest_scored(part * last / gaps));
    }
    chosen.truncate(num);
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// Frames at which the mean overlap of a tracker falls by at least [`LEAST_FALL`], the steepest first, more than three widths apart.
///
/// - `width`: number of frames before and after the fall over which the overlap is averaged.
fn falls(len: usize, overlaps: &[&[Option<f64>]], width: usize) -> Vec<usize> {
    let mean = |values: &[Option<f64>]| {
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let fall_at = |frame: usize| {
        let fall = |values: &&[Option<f64>]| {
            let before = mean(values.get(frame.saturating_sub(width)..frame)?)?;
            let after = mean(values.get(frame..(frame + width).min(values.len()))?)?;
            Some(before - after)
        };
        overlaps.iter().filter_map(fall).fold(0.0, f64::max)
    };
    let mut falls: Vec<(f64, usize)> = (1..len).map(|frame| (fall_at(frame), frame)).collect();
    falls.retain(|(fall, _)| *fall >= LEAST_FALL);
    falls.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut apart: Vec<usize> = Vec::new();
    for (_, frame) in falls {
        if apart.iter().all(|other| other.abs_diff(frame) > 3 * width) {
            apart.push(frame);
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_the_last_and_those_around_a_fall_are_shown() {
        let lost: Vec<_> = (0..120)
            .map(|frame| Some(if frame < 50 { 0.9 } else { 0.1 }))
            .collect();
        let shown = frames_to_show(120, &[&lost], 8);
        assert_eq!(shown.len(), 8);
        for frame in [0, 47, 50, 53, 119] {
            assert!(shown.contains(&frame), "{shown:?}");
        }
    }

    #[test]
    fn frames_with_sparse_ground_truth_are_preferred() {
        let sparse: Vec<_> = (0..201)
            .map(|frame| (frame % 15 == 0 && frame > 0).then_some(0.8))
            .collect();
        let shown = frames_to_show(201, &[&sparse], 8);
        assert_eq!((shown.len(), shown[0], shown[7]), (8, 0, 200));
        assert!(shown[1..7].iter().all(|frame| frame % 15 == 0), "{shown:?}");
    }

    #[test]
    fn short_and_unscored_sequences_are_shown_evenly() {
        assert_eq!(frames_to_show(0, &[], 8), [] as [usize; 0]);
        assert_eq!(frames_to_show(1, &[&[None]], 8), [0]);
        assert_eq!(frames_to_show(3, &[&[None; 3]], 8), [0, 1, 2]);
        assert_eq!(frames_to_show(71, &[], 8), [0, 10, 20, 30, 40, 50, 60, 70]);
    }
}
