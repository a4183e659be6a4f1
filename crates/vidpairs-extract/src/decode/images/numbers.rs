//! Orders JPEGs by the numbers in their names.

use vidpairs_types::SizePx;

use crate::decode::error::DecodeError;

/// Largest span of frame numbers, as a multiple of their count. Numbers further apart are not frame numbers (times of day, for
/// example).
const MAX_GAP: u64 = 1000;

/// Names, indices and times of the frames of a clip of JPEGs.
pub(in crate::decode) struct ImagesIndex {
    /// File or member names, in presentation order.
    pub names: Vec<String>,
    /// Index of each name, if some indices are missing; else index `i` is `names[i]`.
    pub present: Option<Vec<u64>>,
    fps: Option<f64>,
    /// Size of the first frame; 0 until it is known.
    pub frame_size: SizePx,
}

impl ImagesIndex {
    /// Orders `names` by the last number in each name. The lowest number is frame 0; a missing number is a missing frame. If a
    /// name has no number, or the numbers are too far apart to be frame numbers, the names are sorted and no frame is missing.
    ///
    /// # Errors
    /// [`DecodeError::SameNumber`] if two names have the same number.
    pub fn new(mut names: Vec<String>, fps: Option<f64>) -> Result<Self, DecodeError> {
        let number =
            |name: &String| number_of(name.rsplit_once('/').map_or(name, |(_, file)| file));
        names.sort();
        let mut present = None;
        if names.iter().all(|name| number(name).is_some()) {
            names.sort_by_cached_key(|name| number(name)); // stable: names order equal numbers
            let numbers: Vec<u64> = names.iter().filter_map(number).collect();
            if let Some(at) = numbers.windows(2).position(|pair| pair[0] == pair[1]) {
                let (first, second) = (names[at].clone(), names[at + 1].clone());
                return Err(DecodeError::SameNumber {
                    number: numbers[at],
                    first,
                    second,
                });
            }
            present = indices(&numbers);
        }
        Ok(Self {
            names,
            present,
            fps,
            frame_size: SizePx::from([0, 0]),
        })
    }

    pub fn num_frames(&self) -> u64 {
        match &self.present {
            Some(present) => present.last().map_or(0, |last| last + 1),
            None => self.names.len() as u64,
        }
    }

    pub fn pts_seconds(&self, frame: u64) -> Option<f64> {
        self.fps.map(|fps| frame as f64 / fps)
    }

    /// The name of frame `frame`, unless it is missing.
    pub fn name(&self, frame: u64) -> Option<&str> {
        let at = match &self.present {
            Some(present) => present.binary_search(&frame).ok()?,
            None => usize::try_from(frame).ok()?,
        };
        self.names.get(at).map(String::as_str)
    }
}

/// Frame indices of ascending `numbers`, or `None` if they are `0..numbers.len()`.
fn indices(numbers: &[u64]) -> Option<Vec<u64>> {
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    let (span, count) = (last - first, numbers.len() as u64);
    let is_contiguous = span == count - 1;
    let is_frame_count = span / MAX_GAP <= count;
    (!is_contiguous && is_frame_count)
        .then(|| numbers.iter().map(|number| number - first).collect())
}

/// Number in the last run of digits before the extension.
fn number_of(name: &str) -> Option<u64> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let end = stem.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = stem[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| {
            at + stem[at..].chars().next().map_or(1, char::len_utf8)
        });
    stem[start..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[&str]) -> ImagesIndex {
        ImagesIndex::new(names.iter().map(|name| (*name).to_owned()).collect(), None).unwrap()
    }

    #[test]
    fn frames_are_ordered_by_number_not_by_name() {
        let index = index(&["10.jpg", "9.jpg", "8.JPEG", "11.jpg"]);
        assert_eq!(index.names, ["8.JPEG", "9.jpg", "10.jpg", "11.jpg"]);
        assert_eq!((index.num_frames(), index.present), (4, None));
    }

    #[test]
    fn a_missing_number_is_a_missing_frame() {
        let index = index(&["a_0001.jpg", "a_0002.jpg", "a_0005.jpg"]);
        assert_eq!(index.num_frames(), 5);
        assert_eq!(index.present.as_deref(), Some(&[0, 1, 4][..]));
        assert_eq!((index.name(4), index.name(3)), (Some("a_0005.jpg"), None));
    }

    #[test]
    fn names_without_frame_numbers_are_sorted_and_no_frame_is_missing() {
        assert_eq!(index(&["b.jpg", "a.jpg"]).names, ["a.jpg", "b.jpg"]);
        let times = index(&["1637382929.jpg", "1637999999.jpg"]);
        assert_eq!((times.num_frames(), times.present), (2, None));
    }

    #[test]
    fn two_names_with_the_same_number_are_refused_with_both_names() {
        let names = vec!["01.jpg".to_owned(), "1.jpg".to_owned()];
        let err = ImagesIndex::new(names, None).err().unwrap().to_string();
        assert_eq!(err, "two frames have the number 1: 01.jpg and 1.jpg");
    }

    #[test]
    fn the_number_is_the_last_run_of_digits_before_the_extension() {
        let cases = [
            ("img2_0042.jpg", Some(42)),
            ("x.jpg", None),
            ("7é8ü.jpg", Some(8)),
        ];
        for (name, number) in cases {
            assert_eq!(number_of(name), number, "{name}");
        }
        assert_eq!(number_of("99999999999999999999999.jpg"), None);
    }
}
