//! Splits the names of pictures into text and numbers, and finds the names that form one sequence.

use std::collections::BTreeMap;

use super::times;
use crate::decode::error::DecodeError;

/// Most digits of a number, without leading zeros. A longer run of digits is text, such as a checksum.
const MAX_DIGITS: usize = 24;

/// Number of names that an error or a remark shows.
const NUM_SHOWN: usize = 3;

/// Mark of a number in a pattern. No file name contains it.
const NUMBER: char = '\0';

/// Names that are equal but for their numbers, and the numbers: a column for each run of digits, a row for each name.
pub(super) struct Sequence {
    /// Names, in the order of the rows.
    pub names: Vec<String>,
    columns: Vec<Column>,
    /// Names that do not belong to the sequence.
    pub left_out: Vec<String>,
}

/// One number in every name.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub values: Vec<i128>,
    /// Number of digits, leading zeros included, if it is the same in all names.
    pub width: Option<usize>,
    /// Text between this number and the one before.
    pub before: String,
    /// Whether it is a time, joined from several numbers.
    pub is_time: bool,
}

impl Column {
    fn varies(&self) -> bool {
        self.values.windows(2).any(|pair| pair[0] != pair[1])
    }
}

impl Sequence {
    /// Finds the sequence in `names`, whatever the case of their letters. A few other names are left out.
    ///
    /// # Errors
    /// [`DecodeError::NoOrder`] if the other names are more than half as many as those of the sequence.
    pub fn find(mut names: Vec<String>) -> Result<Self, DecodeError> {
        names.sort();
        if let Some(values) = hexadecimal(&names) {
            let counter = Column {
                values,
                width: None,
                before: String::new(),
                is_time: false,
            };
            return Ok(Self {
                names,
                columns: vec![counter],
                left_out: Vec::new(),
            });
        }
        let mut groups: BTreeMap<String, Vec<(String, Vec<Number>)>> = BTreeMap::new();
        for name in names {
            let (pattern, numbers) = split(&name);
            groups.entry(pattern).or_default().push((name, numbers));
        }
        let largest = groups.values().map(Vec::len).max().unwrap_or(0);
        let is_largest = |(_, group): &(&String, &Vec<_>)| group.len() == largest;
        let pattern = groups.iter().find(is_largest).map(|(pattern, _)| pattern);
        let pattern = pattern.cloned().unwrap_or_default();
        let (names, rows): (Vec<_>, Vec<_>) = groups
            .remove(&pattern)
            .unwrap_or_default()
            .into_iter()
            .unzip();
        let others = groups.into_values().flatten();
        let mut left_out: Vec<String> = others.map(|(name, _)| name).collect();
        left_out.sort();
        if 2 * left_out.len() > names.len() {
            let (num, all) = (left_out.len(), left_out.len() + names.len());
            let (others, like) = (shown(&left_out), shown(names.get(..1).unwrap_or_default()));
            return Err(no_order(format!(
                "{num} of {all} names ({others}) do not follow the pattern of {like}"
            )));
        }
        Ok(Self {
            names,
            columns: columns(&pattern, &rows),
            left_out,
        })
    }

    /// The number that orders the frames: the only one that varies, the time that several numbers state together, or the last one
    /// if all others rise with it.
    ///
    /// # Errors
    /// [`DecodeError::NoOrder`] if there is no number, or if several vary independently of each other.
    pub fn counter(&self) -> Result<Column, DecodeError> {
        let mut columns = self.columns.clone();
        times::join_dates(&mut columns);
        match varying(&columns).as_slice() {
            [] => {
                let last = columns.pop();
                return last
                    .ok_or_else(|| no_order(format!("no number in {}", shown(&self.names))));
            }
            [only] => return Ok((*only).clone()),
            _ => times::join_times(&mut columns),
        }
        rising_together(&varying(&columns)).cloned().ok_or_else(|| {
            let names = shown(&self.names);
            no_order(format!("several numbers vary independently in {names}"))
        })
    }
}

/// The last column that rises from row to row in an order of the rows in which no other column falls.
fn rising_together<'a>(columns: &[&'a Column]) -> Option<&'a Column> {
    let num_rows = columns.first()?.values.len();
    let row = |at: usize| columns.iter().map(move |column| column.values.get(at));
    let mut rows: Vec<usize> = (0..num_rows).collect();
    rows.sort_by(|a, b| row(*a).cmp(row(*b)));
    let always = |column: &Column, is_sound: fn(&i128, &i128) -> bool| {
        rows.windows(2).all(|pair| {
            let values = column.values.get(pair[0]).zip(column.values.get(pair[1]));
            values.is_some_and(|(a, b)| is_sound(a, b))
        })
    };
    let never_falls = |column: &&Column| always(column, |a, b| a <= b);
    let rises = |column: &&&Column| always(column, |a, b| a < b);
    let mut from_last = columns.iter().rev();
    let counter = from_last.find(rises)?;
    columns.iter().all(never_falls).then_some(*counter)
}

fn varying(columns: &[Column]) -> Vec<&Column> {
    columns.iter().filter(|column| column.varies()).collect()
}

/// Columns of the numbers of all names, which have the same `pattern`.
fn columns(pattern: &str, rows: &[Vec<Number>]) -> Vec<Column> {
    let column = |(at, before): (usize, &str)| {
        let numbers = || rows.iter().filter_map(move |row| row.get(at));
        let mut values: Vec<i128> = numbers().map(|number| number.value).collect();
        // Where every number follows a `-`, it is no sign: `a_-1`, `a_-2`.
        if values.iter().all(|value| *value < 0) {
            values.iter_mut().for_each(|value| *value = -*value);
        }
        let mut widths = numbers().map(|number| number.width);
        let width = widths.next();
        Column {
            values,
            width: width.filter(|first| widths.all(|width| width == *first)),
            before: before.to_owned(),
            is_time: false,
        }
    };
    let texts: Vec<&str> = pattern.split(NUMBER).collect();
    let befores = texts.iter().take(texts.len().saturating_sub(1));
    befores.copied().enumerate().map(column).collect()
}

#[derive(Clone, Copy)]
struct Number {
    value: i128,
    width: usize,
}

/// Pattern of a name, in lower case with [`NUMBER`] for each number, and the numbers.
fn split(name: &str) -> (String, Vec<Number>) {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let (mut pattern, mut numbers) = (String::new(), Vec::new());
    let mut rest = stem;
    while !rest.is_empty() {
        let is_digit = |c: char| c.is_ascii_digit();
        let num_digits = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(num_digits);
        match number(digits) {
            Some(mut number) => {
                if is_sign_at_end(&pattern) {
                    pattern.pop();
                    number.value = -number.value;
                }
                numbers.push(number);
                pattern.push(NUMBER);
            }
            None => pattern.push_str(digits),
        }
        let (text, after) = after.split_at(after.find(is_digit).unwrap_or(after.len()));
        pattern.push_str(&text.to_lowercase());
        rest = after;
    }
    pattern.push('.');
    let extension = extension.to_lowercase();
    pattern.push_str(match extension.as_str() {
        "jpeg" => "jpg",
        "tiff" => "tif",
        other => other,
    });
    (pattern, numbers)
}

fn number(digits: &str) -> Option<Number> {
    let significant = digits.trim_start_matches('0');
    (!digits.is_empty() && significant.len() <= MAX_DIGITS).then(|| Number {
        value: significant.parse().unwrap_or(0), // without digits it is 0
        width: digits.len(),
    })
}

/// Whether the text before a number ends with a minus sign, not with a dash between words or numbers.
fn is_sign_at_end(text: &str) -> bool {
    text.strip_suffix('-').is_some_and(|before| {
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '-' || c == NUMBER)
    })
}

/// Values of names that differ by a hexadecimal number of fixed width, such as `frame_000a.jpg`. Nearly all values between the
/// first and the last must be there, which tells them from `1a`, `1b`, `2a`, `2b`.
fn hexadecimal(names: &[String]) -> Option<Vec<i128>> {
    let stem = |name: &String| Some(name.rsplit_once('.')?.0.to_ascii_lowercase());
    let stems: Vec<String> = names.iter().map(stem).collect::<Option<_>>()?;
    let (first, last) = (stems.iter().min()?, stems.iter().max()?);
    let bytes = first.bytes().zip(last.bytes());
    let start = bytes.take_while(|(a, b)| a == b).count();
    let part = |stem: &String| stem.get(start..).map(str::to_owned);
    let parts: Vec<String> = stems.iter().map(part).collect::<Option<_>>()?;
    let is_hexadecimal = |part: &String| {
        part.len() == last.len() - start && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let has_letter = |part: &String| part.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !parts.iter().all(is_hexadecimal) || !parts.iter().any(has_letter) {
        return None;
    }
    let value = |part: &String| i128::from_str_radix(part, 16).ok();
    let values: Vec<i128> = parts.iter().map(value).collect::<Option<_>>()?;
    let span = values.iter().max()?.saturating_sub(*values.iter().min()?);
    (span <= values.len() as i128 * 11 / 10).then_some(values)
}

pub(super) fn no_order(reason: String) -> DecodeError {
    DecodeError::NoOrder { reason }
}

/// The first names, and the number of others.
pub(super) fn shown(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(NUM_SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(NUM_SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
