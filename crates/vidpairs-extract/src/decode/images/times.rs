//! Joins the numbers of a name that together state a time.

use super::names::Column;

/// A field of a time: number of digits, lowest and highest value.
type Field = (usize, i128, i128);

/// Year, month, day, hour, minute, second.
const FIELDS: [Field; 6] = [
    (4, 1900, 2199),
    (2, 1, 12),
    (2, 1, 31),
    (2, 0, 23),
    (2, 0, 59),
    (2, 0, 59),
];
const DATE: &[Field] = FIELDS.split_at(3).0;
const CLOCK: &[Field] = FIELDS.split_at(3).1;

/// How many hours a day has, and so on.
const RADICES: [i128; 3] = [24, 60, 60];

/// Joins a date and the time of day after it: `2024-01-31_12-30-50`, `20240131_123050`, `20240131123050_250`.
pub(super) fn join_dates(columns: &mut Vec<Column>) {
    split_dates(columns);
    let is_date = |columns: &[Column]| are_fields(columns, DATE);
    let Some(at) = columns.windows(3).position(is_date) else {
        return;
    };
    let (month, day) = (columns.remove(at + 1).values, columns.remove(at + 1).values);
    for (value, (month, day)) in columns[at]
        .values
        .iter_mut()
        .zip(month.into_iter().zip(day))
    {
        *value = days_from_civil(*value, month, day);
    }
    columns[at].is_time = true;
    for (field, radix) in CLOCK.chunks(1).zip(RADICES) {
        if !are_fields(columns.get(at + 1..at + 2).unwrap_or_default(), field) {
            return;
        }
        join_next(columns, at, radix);
    }
    if let Some(radix) = columns.get(at + 1).and_then(fraction) {
        join_next(columns, at, radix);
    }
}

/// Joins a time without a date: `12-30-50`, `30-50`, `1305031102.175304`.
///
/// Numbers state one time only if it goes on in about the same steps where a larger unit changes, or if its steps are not those
/// of a counter. That tells them from `cam1_0001` and `1.0001` (shot and frame).
pub(super) fn join_times(columns: &mut Vec<Column>) {
    for at in 0..columns.len() {
        let follows = |fields: &[Field]| {
            let found = columns.get(at..at + fields.len()).unwrap_or_default();
            are_fields(found, fields) && found.iter().skip(1).all(is_set_apart_by_a_mark)
        };
        let mut radices = match () {
            () if follows(CLOCK) => vec![60, 60],
            () if follows(&CLOCK[1..]) => vec![60],
            () => Vec::new(),
        };
        let fraction = columns.get(at + radices.len() + 1).and_then(fraction);
        radices.extend(fraction);
        let mut joined = columns.clone();
        for radix in &radices {
            join_next(&mut joined, at, *radix);
        }
        if !radices.is_empty() && is_one_time(&joined[at].values, &radices) {
            *columns = joined;
            return;
        }
    }
}

/// Joins the number after the one at `at` to it, as its next digit in base `radix`.
fn join_next(columns: &mut Vec<Column>, at: usize, radix: i128) {
    let next = columns.remove(at + 1);
    let column = &mut columns[at];
    for (value, next) in column.values.iter_mut().zip(next.values) {
        *value = value.saturating_mul(radix).saturating_add(next);
    }
    column.is_time = true;
}

/// Fractions in a second, if a number may count them: it has a fixed number of digits.
fn fraction(column: &Column) -> Option<i128> {
    let digits = u32::try_from(column.width?).ok()?;
    let least = if column.before == "." { 1 } else { 3 };
    let is_fraction = (least..=9).contains(&digits) && is_set_apart_by_a_mark(column);
    is_fraction.then(|| 10i128.pow(digits))
}

/// Whether marks stand between a number and the one before, as in `12-30`, or a letter of times, as in `12h30`.
fn is_set_apart_by_a_mark(column: &Column) -> bool {
    let is_mark = |c: char| !c.is_alphanumeric();
    ["h", "m", "t"].contains(&&*column.before) || column.before.chars().all(is_mark)
}

fn is_one_time(times: &[i128], radices: &[i128]) -> bool {
    let mut times = times.to_vec();
    times.sort_unstable();
    let steps = |unit: i128, is_changed: bool| -> Vec<i128> {
        let is_wanted = |pair: &&[i128]| (pair[0] / unit != pair[1] / unit) == is_changed;
        let pairs = times.windows(2).filter(is_wanted);
        pairs.map(|pair| pair[1].saturating_sub(pair[0])).collect()
    };
    let mut unit = 1;
    let units: Vec<i128> = radices
        .iter()
        .rev()
        .map(|radix| {
            unit *= radix;
            unit
        })
        .collect();
    let within = steps(units.first().copied().unwrap_or(1), false);
    let least = within.iter().copied().min().unwrap_or(1);
    let is_counter = within.iter().all(|step| step % least.max(1) == 0);
    let usual = median(steps(1, true)).unwrap_or(0);
    let at_changes = units.iter().filter_map(|unit| median(steps(*unit, true)));
    !is_counter || at_changes.into_iter().all(|step| step <= 2 * usual)
}

/// Lower median.
pub(super) fn median(mut numbers: Vec<i128>) -> Option<i128> {
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied()
}

/// Splits numbers such as `20240131`, `20240131123050` and the `123050` after a date into the fields of a time.
fn split_dates(columns: &mut Vec<Column>) {
    let mut at = 0;
    while let Some(column) = columns.get(at) {
        let is_after_date = at >= 3 && are_fields(&columns[at - 3..at], DATE);
        let fields = match column.width {
            Some(14..=17) => &FIELDS[..],
            Some(8) => DATE,
            Some(6..=9) if is_after_date => CLOCK,
            _ => &[],
        };
        let parts = split(column, fields).unwrap_or_else(|| vec![column.clone()]);
        let num_parts = parts.len();
        columns.splice(at..=at, parts);
        at += num_parts;
    }
}

/// The fields of a number, and the digits that are left; `None` if a value is none of a field.
fn split(column: &Column, fields: &[Field]) -> Option<Vec<Column>> {
    let mut num_left = column.width.filter(|_| !fields.is_empty())?;
    let num_digits: usize = fields.iter().map(|field| field.0).sum();
    let widths = fields.iter().map(|field| field.0);
    let rest = num_left.checked_sub(num_digits)?;
    let mut parts = Vec::new();
    for width in widths.chain((rest > 0).then_some(rest)) {
        num_left -= width;
        let below = 10i128.pow(u32::try_from(num_left).ok()?);
        let above = 10i128.pow(u32::try_from(width).ok()?);
        let before = if parts.is_empty() { &column.before } else { "" };
        parts.push(Column {
            values: column
                .values
                .iter()
                .map(|value| value / below % above)
                .collect(),
            width: Some(width),
            before: before.to_owned(),
            is_time: false,
        });
    }
    are_fields(parts.get(..fields.len())?, fields).then_some(parts)
}

/// Whether numbers have the digits and values of `fields` in all names.
fn are_fields(columns: &[Column], fields: &[Field]) -> bool {
    let is_field = |(column, (width, low, high)): (&Column, &Field)| {
        let mut values = column.values.iter();
        column.width == Some(*width) && values.all(|value| (low..=high).contains(&value))
    };
    columns.len() == fields.len() && columns.iter().zip(fields).all(is_field)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
///
/// **Source**: Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_from_civil(year: i128, month: i128, day: i128) -> i128 {
    // Years start in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    146_097 * era + day_of_era - 719_468
}
