//! Images in folders: `<view>/<label>/<key>.jpg`, which ImageFolder of torchvision, lightly and lightly-train read.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use serde_json::Value;
use vidpairs_run::{OutFolder, RunError, failed};
use vidpairs_types::create_fresh;

use super::{ExportPairsError, Files, MAKING, Source, path_in};

/// Folder of images without a label. A label of this name is escaped.
const UNLABELLED: &str = "unlabelled";
/// Longest name of a folder, bytes.
const MAX_NAME_BYTES: usize = 255;

/// Writes all images, and the json of all records last.
pub(super) fn export(source: &mut Source<'_>, out: &OutFolder) -> Result<Files, RunError> {
    let mut files = Files::default();
    let journal = out.journal_folder();
    let temporary = |err| failed("write to", &journal)(err);
    let mut records = BufWriter::new(tempfile::tempfile_in(&journal).map_err(temporary)?);
    while let Some(record) = source.next()? {
        let label = record.meta()?.label;
        let folder = folder_of(label.as_deref()).ok_or_else(|| ExportPairsError::Label {
            key: record.key().to_owned(),
            label: label.unwrap_or_default(),
        })?;
        for member in record.members() {
            let Some(view) = member.extension.strip_suffix(".jpg") else {
                if member.extension != "json" {
                    return Err(ExportPairsError::RawImages(source.dir.to_owned()).into());
                }
                let json: Value = serde_json::from_slice(member.bytes).map_err(RunError::of)?;
                writeln!(records, "{json}").map_err(temporary)?;
                continue;
            };
            let path = path_in(out, &format!("{view}/{folder}/{}.jpg", record.key()))?;
            let file = create_fresh(&path);
            let written = file.and_then(|mut file| file.write_all(member.bytes));
            written.map_err(failed("write", &path))?;
            files.files += 1;
            files.bytes += member.bytes.len() as u64;
        }
    }
    let mut records = records
        .into_inner()
        .map_err(|err| temporary(err.into_error()))?;
    records.seek(SeekFrom::Start(0)).map_err(temporary)?;
    out.write_by(&format!("{MAKING}/records.jsonl"), |mut file| {
        io::copy(&mut records, &mut file)?;
        Ok(file)
    })?;
    Ok(files)
}

/// Name of the folder of a label: characters that a name of a folder cannot have are written as `%2F`. `None` if it is too long.
fn folder_of(label: Option<&str>) -> Option<String> {
    let Some(label) = label.filter(|label| !label.is_empty()) else {
        return Some(UNLABELLED.to_owned());
    };
    let mut name = String::new();
    for (at, c) in label.char_indices() {
        let is_hidden = at == 0 && c == '.';
        let is_reserved = at == 0 && label == UNLABELLED;
        if is_hidden || is_reserved || c.is_control() || "/\\%".contains(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                name.push_str(&format!("%{byte:02X}"));
            }
        } else {
            name.push(c);
        }
    }
    (name.len() <= MAX_NAME_BYTES).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_a_folder_of_its_own_that_lies_in_the_folder_of_the_view() {
        let name = |label| folder_of(Some(label)).unwrap();
        assert_eq!(folder_of(None).unwrap(), "unlabelled");
        assert_eq!(name(""), "unlabelled");
        assert_eq!(name("sea lion"), "sea lion");
        assert_eq!(name("../a/b"), "%2E.%2Fa%2Fb");
        assert_eq!(name("unlabelled"), "%75nlabelled");
        assert_eq!(name("100%\n"), "100%25%0A");
        assert_eq!(folder_of(Some(&"x".repeat(256))), None);
    }
}
