//! What a key accepts: the check of a value, and the words that say what would pass.

use std::fmt::Display;

use bytesize::ByteSize;
use toml_edit::Value;

use super::suggest::nearest;
use super::tables::MaxRefused;
use crate::KRange;

/// The rule of one key.
pub(super) trait Accept {
    /// What a value is once checked.
    type Checked;
    /// The checked value, or `None` if the rule is broken.
    fn check(&self, value: &Value) -> Option<Self::Checked>;
    /// What passes, to stand after "expected".
    fn expected(&self) -> String;
    /// More to say of this refused value: what was meant, or why not.
    fn hint(&self, _value: &Value) -> Option<String> {
        None
    }
}

/// A whole number in a range, both ends included.
pub(super) struct Whole<T> {
    pub(super) min: T,
    pub(super) max: T,
}

impl<T: TryFrom<i64> + PartialOrd + Display> Accept for Whole<T> {
    type Checked = T;
    fn check(&self, value: &Value) -> Option<T> {
        let number = T::try_from(value.as_integer()?).ok()?;
        (self.min <= number && number <= self.max).then_some(number)
    }
    fn expected(&self) -> String {
        format!("a whole number from {} to {}", self.min, self.max)
    }
}

/// A number in a range, both ends included.
pub(super) struct Number {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Accept for Number {
    type Checked = f64;
    fn check(&self, value: &Value) -> Option<f64> {
        let number = value
            .as_float()
            .or_else(|| value.as_integer().map(|whole| whole as f64))?;
        // A NaN is in no range. Adding 0.0 makes -0.0 the plain zero.
        (self.min..=self.max)
            .contains(&number)
            .then_some(number + 0.0)
    }
    fn expected(&self) -> String {
        format!("a number from {} to {}", self.min, self.max)
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl Accept for Flag {
    type Checked = bool;
    fn check(&self, value: &Value) -> Option<bool> {
        value.as_bool()
    }
    fn expected(&self) -> String {
        "true or false".to_owned()
    }
}

/// One word of a few.
pub(super) struct OneOf<T: 'static> {
    pub(super) all: &'static [T],
    pub(super) name: fn(T) -> &'static str,
    /// Words that deserve their own sentence when they are refused.
    pub(super) refused: &'static [(&'static str, &'static str)],
}

impl<T: Copy> OneOf<T> {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(|choice| (self.name)(*choice))
    }
}

impl<T: Copy> Accept for OneOf<T> {
    type Checked = T;
    fn check(&self, value: &Value) -> Option<T> {
        let word = value.as_str()?;
        let choice = self.all.iter().find(|choice| (self.name)(**choice) == word);
        choice.copied()
    }
    fn expected(&self) -> String {
        let quoted: Vec<String> = self.names().map(|name| format!("{name:?}")).collect();
        quoted.join(" or ")
    }
    fn hint(&self, value: &Value) -> Option<String> {
        let word = value.as_str()?;
        if let Some((_, why)) = self.refused.iter().find(|(refused, _)| *refused == word) {
            return Some((*why).to_owned());
        }
        nearest(word, self.names()).map(|near| format!("did you mean {near:?}?"))
    }
}

/// Frames from anchor to positive: a number, or a range to draw from.
pub(super) struct FramesApart(pub(super) Whole<u32>);

impl Accept for FramesApart {
    type Checked = KRange;
    fn check(&self, value: &Value) -> Option<KRange> {
        let (low, high) = match ends(value) {
            Some((low, high)) => (self.0.check(low)?, self.0.check(high)?),
            None => {
                let k = self.0.check(value)?;
                (k, k)
            }
        };
        (low <= high).then_some(KRange { low, high })
    }
    fn expected(&self) -> String {
        format!("{}, or a range [low, high] of such", self.0.expected())
    }
    fn hint(&self, value: &Value) -> Option<String> {
        let (low, high) = ends(value)?;
        (self.0.check(low)? > self.0.check(high)?).then(|| "low is above high".to_owned())
    }
}

fn ends(value: &Value) -> Option<(&Value, &Value)> {
    let array = value.as_array()?;
    match (array.get(0), array.get(1), array.len()) {
        (Some(low), Some(high), 2) => Some((low, high)),
        _ => None,
    }
}

/// A number of bytes, plain or with its unit.
pub(super) struct Bytes {
    pub(super) min: ByteSize,
    pub(super) max: ByteSize,
}

impl Accept for Bytes {
    type Checked = u64;
    fn check(&self, value: &Value) -> Option<u64> {
        let bytes = match value.as_str() {
            Some(text) => text.trim().parse::<ByteSize>().ok()?,
            None => ByteSize(u64::try_from(value.as_integer()?).ok()?),
        };
        (self.min <= bytes && bytes <= self.max).then_some(bytes.as_u64())
    }
    fn expected(&self) -> String {
        let (min, max) = (self.min.as_u64(), self.max.as_u64());
        format!("a number of bytes from {min} to {max}, or a size such as \"256MiB\"")
    }
}

/// How many refused inputs a run bears: a share or a count.
pub(super) struct Refusals;

impl Accept for Refusals {
    type Checked = MaxRefused;
    fn check(&self, value: &Value) -> Option<MaxRefused> {
        let Some(text) = value.as_str() else {
            let count = u64::try_from(value.as_integer()?).ok()?;
            return Some(MaxRefused::Clips(count));
        };
        let number = text.trim().strip_suffix('%')?.trim_end();
        // `parse` would also take "1e1", "+10" and "inf".
        let is_plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let percent = number.parse().ok().filter(|_| is_plain)?;
        (0.0..=100.0)
            .contains(&percent)
            .then_some(MaxRefused::Percent(percent))
    }
    fn expected(&self) -> String {
        "a share from \"0%\" to \"100%\", or a number of clips".to_owned()
    }
}

/// A list of names, each once.
pub(super) struct Names;

impl Accept for Names {
    type Checked = Vec<String>;
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

/// A list of whole numbers from 1 on, ascending.
pub(super) struct Wholes {
    /// Of such a list.
    pub example: &'static str,
}

impl Accept for Wholes {
    type Checked = Vec<u32>;
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
            self.example
        )
    }
}
