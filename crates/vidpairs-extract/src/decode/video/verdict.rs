//! Decides which decoded frames are sound.
//!
//! A decoder fills in what it cannot decode, and later frames refer to it. Its mark on a damaged frame arrives with the frame, after
//! frames that were stored later but are shown earlier. So a frame is held until all frames stored before it have come out.

use std::collections::VecDeque;

use ffmpeg_next::frame;

use super::packets::{MAX_REORDER, Packets};

/// A decoded frame.
pub(super) struct Candidate {
    pub frame: frame::Video,
    /// Index of the frame.
    pub index: u64,
    /// Place of its packet.
    pub place: usize,
}

/// Frames of one run: decoded from `start` on without a seek.
pub(super) struct Verdict<'a> {
    packets: &'a Packets,
    start: usize,
    /// Whether the decoder shows nothing before it has recovered.
    waits_for_recovery: bool,
    /// Place from which on all frames are sound, but for damage; `None` before the first such frame came out.
    sound_from: Option<usize>,
    /// Places of doubtful packets, without those before `sound_from`.
    doubtful: Vec<usize>,
    /// Frames that are not judged yet, in presentation order.
    held: VecDeque<Candidate>,
    /// pts of the frame that came out last, ticks.
    reached_pts: i64,
    has_clean_start: bool,
}

impl<'a> Verdict<'a> {
    pub fn new(packets: &'a Packets, start: usize, waits_for_recovery: bool) -> Self {
        Self {
            packets,
            start,
            waits_for_recovery,
            sound_from: None,
            doubtful: Vec::new(),
            held: VecDeque::new(),
            reached_pts: i64::MIN,
            has_clean_start: false,
        }
    }

    /// Notes that the packet at `place` is damaged, or refers to a missing frame.
    pub fn doubt(&mut self, place: usize) {
        let is_before = self.sound_from.is_some_and(|from| place < from);
        if !is_before && self.doubtful.last() != Some(&place) {
            self.doubtful.push(place);
        }
    }

    /// Notes that the frame at `place` came out.
    pub fn note(&mut self, place: usize, is_key: bool) {
        self.reached_pts = self.packets.stored[place].pts;
        if self.sound_from.is_some() || !(is_key || self.waits_for_recovery) {
            return;
        }
        // After a start at a keyframe, a decoder that waits has recovered from there.
        let starts_at_key = self.packets.is_key(self.start);
        self.has_clean_start = is_key && place == self.start;
        let from = match (is_key, starts_at_key) {
            (true, _) => place,
            (false, true) => self.start,
            (false, false) => self.packets.last_key(place).unwrap_or(self.start),
        };
        // Damage before it reaches no frame, and is not searched again for each one.
        self.doubtful.retain(|&place| place >= from);
        self.sound_from = Some(from);
    }

    pub fn hold(&mut self, candidate: Candidate) {
        self.held.push_back(candidate);
    }

    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether the frame at the start is a keyframe: frames that did not come out do not come from an earlier start.
    pub fn has_clean_start(&self) -> bool {
        self.has_clean_start
    }

    /// Place of the first damage that spreads.
    pub fn first_damage(&self) -> Option<usize> {
        let from = self.sound_from?;
        let spreads = |&place: &usize| place >= from && self.is_after(from, place);
        self.doubtful.iter().copied().filter(spreads).min()
    }

    /// Whether the frame at `place` is shown at or after the one at `from`. Frames that do not are leading ones: frames after the
    /// keyframe do not refer to them.
    fn is_after(&self, from: usize, place: usize) -> bool {
        self.packets.stored[place].pts >= self.packets.stored[from].pts
    }

    /// The next sound frame that can be judged. At the end of the run, all can.
    pub fn next_sound(&mut self, is_end: bool) -> Option<Candidate> {
        while let Some(first) = self.held.front() {
            if !is_end && self.reached_pts < self.settled_at(first.place) {
                return None;
            }
            let candidate = self.held.pop_front()?;
            if self.is_sound(candidate.place) {
                return Some(candidate);
            }
        }
        None
    }

    /// pts at which all frames stored up to `place` have come out.
    fn settled_at(&self, place: usize) -> i64 {
        // A frame of an edit list may be stored before the start of the run.
        let first = place.saturating_sub(MAX_REORDER).max(self.start).min(place);
        let pts = self.packets.stored[first..=place]
            .iter()
            .map(|entry| entry.pts);
        pts.max().unwrap_or(i64::MIN)
    }

    fn is_sound(&self, place: usize) -> bool {
        let Some(from) = self.sound_from else {
            return false;
        };
        if self.is_after(from, place) {
            return place >= from && self.first_damage().is_none_or(|damage| place < damage);
        }
        // A leading frame. After a start at its keyframe nothing wrong is left to refer to.
        let is_undisturbed = !self
            .doubtful
            .iter()
            .any(|&damage| (from..=place).contains(&damage));
        let is_allowed = self.waits_for_recovery || from == self.start;
        place >= from && is_allowed && is_undisturbed
    }
}
