//! Gives each picture of a clip the index of its frame.

use vidpairs_types::SizePx;

use super::names::{Sequence, no_order, shown};
use super::times::median;
use crate::decode::error::DecodeError;

/// Most frames that may be missing for each frame that exists. Numbers further apart do not count frames.
const MAX_GAP: i128 = 1000;

/// Names, indices and times of the frames of a clip of pictures.
pub(in crate::decode) struct ImagesIndex {
    /// File or member names, in presentation order.
    pub names: Vec<String>,
    /// Index of each name, if some indices are missing; else index `i` is `names[i]`.
    pub present: Option<Vec<u64>>,
    /// Pictures that are left out and frames that are missing, in words.
    pub remark: Option<String>,
    fps: Option<f64>,
    /// Size of the first frame; 0 until it is known.
    pub frame_size: SizePx,
}

impl ImagesIndex {
    /// Orders `names` by their numbers, and gives each its frame index.
    ///
    /// - `first_number`: number of frame 0. If `None`, the lowest number is frame 0.
    ///
    /// A missing number is a missing frame. If the numbers are times, the usual step between two of them is one frame, and a
    /// longer one leaves out frames.
    ///
    /// # Errors
    /// [`DecodeError::NoOrder`] if the names do not give the order; [`DecodeError::SameNumber`] if two names have the same number;
    /// [`DecodeError::BeforeFirst`] if a number is below `first_number`.
    pub fn new(
        names: Vec<String>,
        fps: Option<f64>,
        first_number: Option<u64>,
    ) -> Result<Self, DecodeError> {
        let sequence = Sequence::find(names)?;
        let mut remarks = Vec::new();
        if !sequence.left_out.is_empty() {
            let num = sequence.left_out.len();
            remarks.push(format!(
                "{num} of {} pictures left out, since the names do not follow the others: {}",
                num + sequence.names.len(),
                shown(&sequence.left_out)
            ));
        }
        let index = |names, present, remarks: Vec<String>| Self {
            names,
            present,
            remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
            fps,
            frame_size: SizePx::from([0, 0]),
        };
        if sequence.names.len() == 1 && first_number.is_none() {
            return Ok(index(sequence.names, None, remarks));
        }
        let counter = sequence.counter()?;
        let mut rows: Vec<(i128, String)> =
            counter.values.into_iter().zip(sequence.names).collect();
        rows.sort();
        let (numbers, names): (Vec<i128>, Vec<String>) = rows.into_iter().unzip();
        let mut pairs = numbers.windows(2).zip(names.windows(2));
        if let Some((_, pair)) = pairs.find(|(numbers, _)| numbers[0] == numbers[1]) {
            return Err(DecodeError::SameNumber {
                first: pair[0].clone(),
                second: pair[1].clone(),
            });
        }
        let places = match first_number {
            Some(_) if counter.is_time => {
                let names = shown(&names);
                return Err(no_order(format!(
                    "{names} are times, but the frames of this data set are counted"
                )));
            }
            Some(first) => {
                let places = places_from(&names, &numbers, first)?;
                remarks.extend(remark_on_missing(&places, first));
                places
            }
            None => places(&names, &numbers, counter.is_time, &mut remarks)?,
        };
        let is_contiguous = (0..).zip(&places).all(|(at, place)| at == *place);
        Ok(index(names, (!is_contiguous).then_some(places), remarks))
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

/// Frame indices of ascending numbers, of which `first` is frame 0.
fn places_from(names: &[String], numbers: &[i128], first: u64) -> Result<Vec<u64>, DecodeError> {
    let lowest = names.first().zip(numbers.first());
    if let Some((name, number)) = lowest.filter(|(_, number)| **number < i128::from(first)) {
        return Err(DecodeError::BeforeFirst {
            name: name.clone(),
            number: *number,
            first,
        });
    }
    counted(numbers, i128::from(first)).ok_or_else(|| uneven(names))
}

fn remark_on_missing(places: &[u64], first: u64) -> Option<String> {
    let num_frames = places.last()? + 1;
    let num_missing = num_frames - places.len() as u64;
    let at = (0..).zip(places).find(|(at, place)| at != *place)?.0;
    let number = at + first;
    Some(format!(
        "{num_missing} of {num_frames} frames have no picture, the first of them number {number}"
    ))
}

/// Frame indices of ascending numbers without a stated first one.
fn places(
    names: &[String],
    numbers: &[i128],
    is_time: bool,
    remarks: &mut Vec<String>,
) -> Result<Vec<u64>, DecodeError> {
    let Some(first) = numbers.first() else {
        return Ok(Vec::new());
    };
    let pairs = numbers.windows(2);
    let steps: Vec<i128> = pairs.map(|pair| pair[1].saturating_sub(pair[0])).collect();
    let least = steps.iter().min().copied().unwrap_or(1);
    let middle = median(steps.clone()).unwrap_or(1);
    let is_usual = |step: &&i128| (middle..=3 * middle).contains(&(2 * **step));
    let num_usual = steps.iter().filter(is_usual).count();
    let sum_usual: i128 = steps.iter().filter(is_usual).sum();
    let usual = sum_usual / (num_usual as i128).max(1);
    let is_even = 2 * num_usual >= steps.len();
    let is_uniform = 4 * num_usual >= 3 * steps.len() && 2 * least >= usual;
    let is_counter = least == 1 || steps.iter().all(|step| step % least == 0) || !is_uniform;
    let counted = counted(numbers, *first).filter(|_| !is_time && is_counter);
    if let Some(places) = counted {
        return Ok(places);
    }
    if !is_even {
        return Err(uneven(names));
    }
    let (mut place, mut places) = (0, vec![0]);
    let mut too_far = Vec::new();
    for (step, name) in steps.iter().zip(names.iter().skip(1)) {
        let num_steps = (2 * step + usual) / (2 * usual);
        if num_steps > MAX_GAP {
            too_far.push(name.clone());
        }
        place += num_steps.clamp(1, MAX_GAP);
        places.push(u64::try_from(place).unwrap_or(u64::MAX));
    }
    if !too_far.is_empty() {
        let names = shown(&too_far);
        remarks.push(format!(
            "more than {MAX_GAP} frames are missing before {names}"
        ));
    }
    Ok(places)
}

/// Differences of `numbers` from `first`; `None` if they are too far apart to count frames.
fn counted(numbers: &[i128], first: i128) -> Option<Vec<u64>> {
    let span = numbers.last()?.saturating_sub(first);
    let differences = numbers
        .iter()
        .map(|number| u64::try_from(number - first).ok());
    let is_count = span / MAX_GAP <= numbers.len() as i128;
    differences.collect::<Option<_>>().filter(|_| is_count)
}

fn uneven(names: &[String]) -> DecodeError {
    no_order(format!(
        "the numbers of {} neither count frames nor are times in even steps",
        shown(names)
    ))
}

#[cfg(test)]
mod tests;
