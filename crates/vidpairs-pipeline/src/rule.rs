//! Defines the rules for values: each rule checks a value and describes the accepted values.

use std::fmt::Display;
use std::ops::RangeInclusive;

use bytesize::ByteSize;
use toml_edit::Value;
use vidpairs_types::readable;

use super::values::{Choice, KRange, MaxRefused};

/// Rule for the values of a key, which become a `T`.
pub(crate) trait Rule<T> {
    /// The checked value, or `None` if the rule rejects it.
    fn check(&self, value: &Value) -> Option<T>;
    /// The accepted values, worded to follow "expected".
    fn expected(&self) -> String;
    /// A hint on a rejected value: the likely intention, or the mistake.
    fn hint(&self, _value: &Value) -> Option<String> {
        None
    }
}

/// Accepts whole numbers in a range.
pub(crate) struct Whole<T>(pub RangeInclusive<T>);

impl<T: TryFrom<i64> + PartialOrd + Display> Rule<T> for Whole<T> {
    fn check(&self, value: &Value) -> Option<T> {
        let number = T::try_from(value.as_integer()?).ok()?;
        self.0.contains(&number).then_some(number)
    }
    fn expected(&self) -> String {
        format!("a whole number from {} to {}", self.0.start(), self.0.end())
    }
}

/// Accepts numbers in a range.
pub(crate) struct Number(pub RangeInclusive<f64>);

impl Rule<f64> for Number {
    fn check(&self, value: &Value) -> Option<f64> {
        let whole = || value.as_integer().map(|whole| whole as f64);
        let number = value.as_float().or_else(whole)?;
        // NaN is in no range. Adding 0.0 turns -0.0 into 0.0.
        self.0.contains(&number).then_some(number + 0.0)
    }
    fn expected(&self) -> String {
        format!(
            "a number from {} to {}",
            readable(*self.0.start()),
            readable(*self.0.end())
        )
    }
}

/// Accepts numbers above 0, up to a maximum.
pub(crate) struct Positive(pub f64);

impl Rule<f64> for Positive {
    fn check(&self, value: &Value) -> Option<f64> {
        Number(0.0..=self.0)
            .check(value)
            .filter(|number| *number > 0.0)
    }
    fn expected(&self) -> String {
        format!("a number above 0 and at most {}", readable(self.0))
    }
}

/// Accepts `true` and `false`.
pub(crate) struct Flag;

impl Rule<bool> for Flag {
    fn check(&self, value: &Value) -> Option<bool> {
        value.as_bool()
    }
    fn expected(&self) -> String {
        "true or false".to_owned()
    }
}

/// Accepts the words of a [`Choice`].
pub(crate) struct Word;

impl<T: Choice> Rule<T> for Word {
    fn check(&self, value: &Value) -> Option<T> {
        let word = value.as_str()?;
        let choice = T::CHOICES.iter().find(|choice| choice.word() == word);
        choice.copied()
    }
    fn expected(&self) -> String {
        let words = T::CHOICES
            .iter()
            .map(|choice| format!("{:?}", choice.word()));
        words.collect::<Vec<_>>().join(" or ")
    }
    fn hint(&self, value: &Value) -> Option<String> {
        let words = T::CHOICES.iter().map(|choice| choice.word());
        nearest(value.as_str()?, words).map(|near| format!("did you mean {near:?}?"))
    }
}

/// Accepts the values of another rule, for a key that may stay unset.
pub(crate) struct Optional<R>(pub R);

impl<T, R: Rule<T>> Rule<Option<T>> for Optional<R> {
    fn check(&self, value: &Value) -> Option<Option<T>> {
        self.0.check(value).map(Some)
    }
    fn expected(&self) -> String {
        self.0.expected()
    }
    fn hint(&self, value: &Value) -> Option<String> {
        self.0.hint(value)
    }
}

/// Accepts frame distances: a whole number, or `[low, high]`.
pub(crate) struct Frames(pub Whole<u32>);

impl Rule<KRange> for Frames {
    fn check(&self, value: &Value) -> Option<KRange> {
        let (low, high) = range_ends(value).unwrap_or((value, value));
        let (low, high) = (self.0.check(low)?, self.0.check(high)?);
        (low <= high).then_some(KRange { low, high })
    }
    fn expected(&self) -> String {
        format!("{}, or a range [low, high] of such", self.0.expected())
    }
    fn hint(&self, value: &Value) -> Option<String> {
        let (low, high) = range_ends(value)?;
        (self.0.check(low)? > self.0.check(high)?).then(|| "low is above high".to_owned())
    }
}

fn range_ends(value: &Value) -> Option<(&Value, &Value)> {
    let array = value.as_array().filter(|array| array.len() == 2)?;
    array.get(0).zip(array.get(1))
}

/// Accepts numbers of bytes in a range, plain or with a unit.
pub(crate) struct Bytes(pub RangeInclusive<ByteSize>);

impl Rule<u64> for Bytes {
    fn check(&self, value: &Value) -> Option<u64> {
        let bytes = match value.as_str() {
            Some(text) => text.trim().parse::<ByteSize>().ok()?,
            None => ByteSize(u64::try_from(value.as_integer()?).ok()?),
        };
        self.0.contains(&bytes).then_some(bytes.as_u64())
    }
    fn expected(&self) -> String {
        let (min, max) = (self.0.start().as_u64(), self.0.end().as_u64());
        format!("a number of bytes from {min} to {max}, or a size such as \"256MiB\"")
    }
}

/// Accepts limits of refused inputs: a share or a count.
pub(crate) struct Refusals;

impl Rule<MaxRefused> for Refusals {
    fn check(&self, value: &Value) -> Option<MaxRefused> {
        let Some(text) = value.as_str() else {
            let count = u64::try_from(value.as_integer()?).ok()?;
            return Some(MaxRefused::Count(count));
        };
        let number = text.trim().strip_suffix('%')?.trim_end();
        // `parse` would also accept "1e1", "+10" and "inf".
        let is_plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let percent = number.parse().ok().filter(|_| is_plain)?;
        (0.0..=100.0)
            .contains(&percent)
            .then_some(MaxRefused::Percent(percent))
    }
    fn expected(&self) -> String {
        "a share from \"0%\" to \"100%\", or a whole number".to_owned()
    }
}

/// Accepts lists of different names.
pub(crate) struct Names;

impl Rule<Vec<String>> for Names {
    fn check(&self, value: &Value) -> Option<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for entry in value.as_array()? {
            let name = entry.as_str()?;
            if name.is_empty() || names.iter().any(|earlier| earlier == name) {
                return None;
            }
            names.push(name.to_owned());
        }
        Some(names)
    }
    fn expected(&self) -> String {
        "a list of names such as [\"TRAIN_0\", \"TRAIN_1\"], none twice".to_owned()
    }
}

/// Accepts ascending lists of whole numbers from 1 on. Holds an example of such a list.
pub(crate) struct Wholes(pub &'static str);

impl Rule<Vec<u32>> for Wholes {
    fn check(&self, value: &Value) -> Option<Vec<u32>> {
        let numbers = value.as_array()?.iter().map(|number| {
            let number = number.as_integer()?;
            u32::try_from(number).ok().filter(|&number| number > 0)
        });
        let numbers: Vec<u32> = numbers.collect::<Option<_>>()?;
        numbers.is_sorted_by(|a, b| a < b).then_some(numbers)
    }
    fn expected(&self) -> String {
        format!(
            "a list of whole numbers from 1 on such as {}, ascending, none twice",
            self.0
        )
    }
}

/// Accepts ascending lists of numbers above 0. Holds an example of such a list.
pub(crate) struct Positives(pub &'static str);

impl Rule<Vec<f64>> for Positives {
    fn check(&self, value: &Value) -> Option<Vec<f64>> {
        let numbers = value.as_array()?.iter().map(|number| {
            let number = Number(0.0..=f64::MAX).check(number)?;
            (number > 0.0).then_some(number)
        });
        let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
        (!numbers.is_empty() && numbers.is_sorted_by(|a, b| a < b)).then_some(numbers)
    }
    fn expected(&self) -> String {
        format!(
            "a list of at least one number above 0 such as {}, ascending, none twice",
            self.0
        )
    }
}

/// Accepts lists of at least one of the words of a [`Choice`], none twice.
pub(crate) struct Words;

impl<T: Choice + PartialEq> Rule<Vec<T>> for Words {
    fn check(&self, value: &Value) -> Option<Vec<T>> {
        let mut words: Vec<T> = Vec::new();
        for entry in value.as_array()? {
            let word = Word.check(entry)?;
            if words.contains(&word) {
                return None;
            }
            words.push(word);
        }
        (!words.is_empty()).then_some(words)
    }
    fn expected(&self) -> String {
        let one: &dyn Rule<T> = &Word;
        format!(
            "a list, in brackets, of at least one of {}, none twice",
            one.expected()
        )
    }
    fn hint(&self, value: &Value) -> Option<String> {
        let one: &dyn Rule<T> = &Word;
        let mut unknown = (value.as_array()?.iter()).filter(|entry| one.check(entry).is_none());
        unknown.find_map(|entry| one.hint(entry))
    }
}

/// The candidate whose spelling is most similar to `word`, ignoring case; `None` if none is similar.
pub(crate) fn nearest(
    word: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    /// Similarity is 1 for equal words. One wrong letter of three is still similar, two of four are not.
    const MIN_SIMILARITY: f64 = 0.6;
    /// No candidate is that long. The comparison takes time and memory in the product of the lengths.
    const MAX_BYTES: usize = 64;
    if word.len() > MAX_BYTES {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let similarity = strsim::normalized_damerau_levenshtein(&word, candidate);
            (candidate, similarity)
        })
        .filter(|(_, similarity)| *similarity >= MIN_SIMILARITY)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(candidate, _)| candidate)
}
