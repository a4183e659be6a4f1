//! The numbers in the names of JPEGs, and the order that they give.

use vidpairs_types::SizePx;

use crate::decode::DecodeError;

/// Numbers that span more than this many times their count are no frame numbers (times of day, say).
const MAX_GAP: u64 = 1000;

/// The frames of a clip of JPEGs.
pub(in crate::decode) struct ImagesIndex {
    /// File or member names, in presentation order.
    names: Vec<String>,
    /// Index of each name, where some indices have none; else index `i` is `names[i]`.
    present: Option<Vec<u64>>,
    fps: Option<f64>,
    frame_size: SizePx,
}

/// Whether a file name is that of a frame.
pub(super) fn is_jpeg(name: &str) -> bool {
    let is_extension =
        |ext: &str| ext.eq_ignore_ascii_case("jpg") || ext.eq_ignore_ascii_case("jpeg");
    !name.starts_with('.')
        && name
            .rsplit_once('.')
            .is_some_and(|(_, ext)| is_extension(ext))
}

impl ImagesIndex {
    /// Orders `names` by the last number in each; the lowest number is frame 0, and a number that is
    /// missing is a missing frame. Where a name has no number, or the numbers are too far apart to
    /// count frames, the order is that of the names and nothing is missing.
    ///
    /// # Errors
    /// [`DecodeError::SameNumber`] if two names claim the same frame.
    pub fn new(mut names: Vec<String>, fps: Option<f64>) -> Result<Self, DecodeError> {
        let number = |name: &String| number_of(name.rsplit('/').next().unwrap_or(name));
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
            frame_size: SizePx {
                width: 0,
                height: 0,
            },
        })
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn set_frame_size(&mut self, size: SizePx) {
        self.frame_size = size;
    }

    pub fn frame_size(&self) -> SizePx {
        self.frame_size
    }

    pub fn num_frames(&self) -> u64 {
        match &self.present {
            Some(present) => present.last().map_or(0, |last| last + 1),
            None => self.names.len() as u64,
        }
    }

    pub fn present(&self) -> Option<&[u64]> {
        self.present.as_deref()
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

/// The indices that ascending `numbers` stand for, or `None` if they are `0..numbers.len()`.
fn indices(numbers: &[u64]) -> Option<Vec<u64>> {
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    let (span, count) = (last - first, numbers.len() as u64);
    let is_contiguous = span == count - 1;
    let is_frame_count = span / MAX_GAP <= count;
    (!is_contiguous && is_frame_count)
        .then(|| numbers.iter().map(|number| number - first).collect())
}

/// The last run of digits before the extension.
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
        assert_eq!(index.names(), ["8.JPEG", "9.jpg", "10.jpg", "11.jpg"]);
        assert_eq!((index.num_frames(), index.present()), (4, None));
    }

    #[test]
    fn a_number_that_is_missing_is_a_missing_frame() {
        let index = index(&["a_0001.jpg", "a_0002.jpg", "a_0005.jpg"]);
        assert_eq!(index.num_frames(), 5);
        assert_eq!(index.present(), Some(&[0, 1, 4][..]));
        assert_eq!((index.name(4), index.name(3)), (Some("a_0005.jpg"), None));
    }

    #[test]
    fn names_without_numbers_and_times_of_day_are_ordered_as_they_are() {
        assert_eq!(index(&["b.jpg", "a.jpg"]).names(), ["a.jpg", "b.jpg"]);
        let times = index(&["1637382929.jpg", "1637999999.jpg"]);
        assert_eq!((times.num_frames(), times.present()), (2, None));
    }

    #[test]
    fn two_names_of_one_number_are_refused_by_name() {
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
