//! Writes small catalogues for tests.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Writes a ZIP of uncompressed files.
pub(super) fn zip(path: &Path, files: &[(&str, &[u8])]) {
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

/// Writes a catalogue whose list of objects is `lines`, with empty models.
pub(super) fn catalogue(path: &Path, lines: &str, models: &[&str]) {
    let mut files: Vec<(&str, &[u8])> =
        vec![("PluginFurnitureCatalog.properties", lines.as_bytes())];
    files.extend(models.iter().map(|name| (*name, b"".as_slice())));
    zip(path, &files);
}

/// Lines of an entry whose model is `/m/<number>.obj`.
pub(super) fn entry(number: u32, id: &str, name: &str) -> String {
    format!("id#{number}={id}\nname#{number}={name}\nmodel#{number}=/m/{number}.obj\n")
}
