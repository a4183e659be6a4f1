//! Reads the classes of videos from `labels.txt` or `labels.csv`, for data sets without classes.

use std::collections::HashMap;
use std::path::Path;

use crate::error::SourceError;
use crate::files::{Files, bad_line, lines};

/// Class of each video, by name.
pub(crate) type Labels = HashMap<String, String>;

/// Reads `labels.txt` in `folder`; without it, `labels.csv`; without either, there are no labels.
///
/// A line is `<video>,<label>`, with a comma or a tab. A first line `video,label` is a header. Quotes around a field are
/// removed. A label may contain commas.
///
/// # Errors
/// [`SourceError::BadLine`] for a line without a label and for a video with two different labels.
pub(crate) fn read(files: &dyn Files, folder: &Path) -> Result<Labels, SourceError> {
    for name in ["labels.txt", "labels.csv"] {
        let path = folder.join(name);
        if let Some(text) = files.read_text_if_any(&path)? {
            return parse(&path, &text);
        }
    }
    Ok(Labels::new())
}

fn parse(path: &Path, text: &[u8]) -> Result<Labels, SourceError> {
    let mut labels = Labels::new();
    for (number, line) in lines(text).filter(|(_, line)| !line.is_empty()) {
        let bad = |expected| bad_line(path, number, line, expected);
        let (video, label) = fields(line).ok_or_else(|| bad("<video>,<label> in UTF-8"))?;
        if number == 1 && video.eq_ignore_ascii_case("video") && label.eq_ignore_ascii_case("label")
        {
            continue;
        }
        match labels.insert(video.to_owned(), label.to_owned()) {
            Some(earlier) if earlier != label => return Err(bad("one label for each video")),
            _ => {}
        }
    }
    Ok(labels)
}

fn fields(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?;
    let (video, label) = line.split_once('\t').or_else(|| line.split_once(','))?;
    let (video, label) = (unquoted(video), unquoted(label));
    (!video.is_empty() && !label.is_empty()).then_some((video, label))
}

fn unquoted(field: &str) -> &str {
    let field = field.trim();
    let inner = field
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Labels, SourceError> {
        parse(Path::new("labels.csv"), text.as_bytes())
    }

    #[test]
    fn commas_tabs_quotes_and_a_header_are_accepted() {
        let text = "Video,Label\r\n-a_0,cat\r\n_b_1\tsports, ball\n\"c\",\"dog\"\n\n";
        let labels = parsed(text).unwrap();
        assert_eq!(labels.len(), 3);
        assert_eq!(labels["-a_0"], "cat");
        assert_eq!(labels["_b_1"], "sports, ball");
        assert_eq!(labels["c"], "dog");
    }

    #[test]
    fn a_line_without_a_label_and_a_second_label_are_errors_with_the_line() {
        let line_of = |text| match parsed(text).unwrap_err() {
            SourceError::BadLine { line, .. } => line,
            other => panic!("{other}"),
        };
        assert_eq!(line_of("a,cat\nb\n"), 2);
        assert_eq!(line_of("a,cat\nb,\n"), 2);
        assert_eq!(line_of("a,cat\na,cat\na,dog\n"), 3);
    }
}
