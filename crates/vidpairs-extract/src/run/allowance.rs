//! Time that a clip may take, so that one that shows progress forever ends.

use std::time::Duration;

use vidpairs_types::Media;

/// Fixed part of the time budget of a pass over a clip, in timeouts without progress.
const TIMEOUTS_PER_PASS: u32 = 30;

/// Frames that may together use one timeout. Tracking 64 regions with OpenCV's slowest tracker takes half of that.
const FRAMES_PER_TIMEOUT: u32 = 10;

/// Time for reading a clip once. Seconds for each MiB are what the slowest disks and networks need.
///
/// - `timeout`: time without progress after which the clip is given up.
pub(super) fn to_read(media: &Media, timeout: Duration) -> Duration {
    let len = std::fs::metadata(media.path()).map_or(0, |metadata| metadata.len());
    let fixed = timeout.saturating_mul(TIMEOUTS_PER_PASS);
    fixed.saturating_add(Duration::from_secs(len >> 20))
}

/// Time for what is done with `num_frames` decoded frames. See [`to_read`].
pub(super) fn to_use(num_frames: usize, timeout: Duration) -> Duration {
    let num_frames = u32::try_from(num_frames).unwrap_or(u32::MAX);
    (timeout / FRAMES_PER_TIMEOUT).saturating_mul(num_frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_gets_30_timeouts_a_second_for_each_mebibyte_and_a_tenth_of_a_timeout_for_each_frame()
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len((5 << 20) + 1).unwrap();
        let timeout = Duration::from_secs(300);
        assert_eq!(to_read(&Media::Video(path), timeout).as_secs(), 9005);
        assert_eq!(to_use(100, timeout).as_secs(), 3000);
        assert_eq!(to_use(usize::MAX, Duration::MAX), Duration::MAX);
    }
}
