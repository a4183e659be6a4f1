use std::fs;
use std::path::Path;

use matrw::{matfile, matvar, save_matfile_v7};
use proptest::prelude::*;

use super::*;

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pascal3d");
    fs::read(folder.join(name)).unwrap()
}

/// Reads every part of a file that a reader of annotations may need.
fn read_all(file: &[u8]) -> Result<usize, MatError> {
    let Some(variable) = Variable::read(file, "record")? else {
        return Ok(0);
    };
    let mut num_read = 0;
    for record in variable.array()?.structs()? {
        let Some(objects) = record.get("objects") else {
            continue;
        };
        for object in objects.structs()? {
            for name in ["class", "view", "bbox", "mask", "part", "anchors"] {
                if let Some(array) = object.get(name) {
                    num_read += array.numbers()?.count();
                    num_read += array.text(10)?.map_or(0, |text| text.len());
                    num_read += array.structs()?.len();
                }
            }
        }
    }
    Ok(num_read)
}

/// A file of big-endian numbers: the variable `a`, a 1 x 3 array.
fn big_endian(class: u8, kind: u8, numbers: &[u8]) -> Vec<u8> {
    let mut file = vec![b' '; 124];
    file.extend(*b"\x01\x00MI");
    let content_length = 48 + numbers.len().next_multiple_of(8);
    file.extend([0, 0, 0, 14, 0, 0, 0, content_length as u8]);
    file.extend([0, 0, 0, 6, 0, 0, 0, 8, 0, 0, 0, class, 0, 0, 0, 0]);
    file.extend([0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 3]);
    file.extend([0, 1, 0, 1, b'a', 0, 0, 0]); // a name in the header of its element
    file.extend([0, 0, 0, kind, 0, 0, 0, numbers.len() as u8]);
    file.extend(numbers);
    file.resize(file.len().next_multiple_of(8), 0);
    file
}

fn numbers_of(file: &[u8]) -> Vec<f64> {
    let variable = Variable::read(file, "a").unwrap().unwrap();
    let numbers = variable.array().unwrap().numbers().unwrap();
    numbers.collect()
}

#[test]
fn big_endian_files_are_read() {
    let shorts = [0xFF, 0xFE, 0x01, 0x02, 0x00, 0x07];
    assert_eq!(numbers_of(&big_endian(6, 3, &shorts)), [-2.0, 258.0, 7.0]);
    let doubles: Vec<u8> = [1.5f64, -0.25, 1e9]
        .iter()
        .flat_map(|double| double.to_be_bytes())
        .collect();
    assert_eq!(numbers_of(&big_endian(6, 9, &doubles)), [1.5, -0.25, 1e9]);
    let file = big_endian(4, 17, &[0, b'c', 0, b'a', 0, b'r']);
    let text = Variable::read(&file, "a").unwrap().unwrap();
    let text = text.array().unwrap().text(10).unwrap();
    assert_eq!(text.as_deref(), Some("car"));
}

#[test]
fn files_of_another_writer_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for is_compressed in [false, true] {
        let path = folder.path().join("a.mat");
        let file = matfile!(before: matvar!("text"), a: matvar!([1.0, 2.5, 300.0]),);
        save_matfile_v7(path.to_str().unwrap(), file, is_compressed).unwrap();
        assert_eq!(numbers_of(&fs::read(&path).unwrap()), [1.0, 2.5, 300.0]);
    }
}

#[test]
fn other_formats_are_errors_and_a_missing_variable_is_none() {
    let error = |file: &[u8]| Variable::read(file, "record").unwrap_err().to_string();
    let no_level_5 = "not a MATLAB 5 file, as save(FILE, '-v7') writes";
    assert_eq!(error(b""), no_level_5);
    assert_eq!(error(&[0; 200]), no_level_5);
    let mut hdf5 = golden("imagenet.mat");
    hdf5[124..126].copy_from_slice(&[0, 2]);
    for hdf5 in [&hdf5[..], b"\x89HDF\r\n\x1A\n\0\0\0\0"] {
        let text = error(hdf5);
        assert!(
            text.starts_with("a MATLAB 7.3 (HDF5) file; in MATLAB, save it again"),
            "{text}"
        );
        assert!(text.ends_with("'-v7')"), "{text}");
    }
    assert!(
        Variable::read(&golden("stranger.mat"), "record")
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_file_cut_at_any_byte_is_an_error_not_a_panic() {
    for name in ["imagenet.mat", "pascal.mat", "absent.mat"] {
        let file = golden(name);
        assert!(read_all(&file).unwrap() > 0);
        // The last bytes are padding.
        for length in 0..file.len() - 8 {
            let read = read_all(&file[..length]);
            let is_empty = length == HEADER_BYTES;
            assert_eq!(read.is_ok(), is_empty, "{name} cut at {length}: {read:?}");
        }
    }
}

#[test]
fn a_flipped_bit_never_panics_and_is_detected_in_compressed_data() {
    for (name, is_compressed) in [("imagenet.mat", true), ("pascal.mat", false)] {
        let mut file = golden(name);
        let whole = read_all(&file).unwrap();
        for at in HEADER_BYTES + 8..file.len() {
            for bit in 0..8 {
                file[at] ^= 1 << bit;
                let read = read_all(&file);
                // Some bits of the zlib header have no effect.
                assert!(
                    !is_compressed || read.is_err() || read.unwrap() == whole,
                    "{name}, bit {bit} of byte {at}"
                );
                file[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn numbers_in_a_file_decide_no_allocation() {
    // 2^31 - 1 structs, without fields and with one.
    for names in [&[][..], b"a\0\0\0"] {
        let mut content = vec![6, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        content.extend([
            5, 0, 0, 0, 8, 0, 0, 0, 255, 255, 255, 127, 255, 255, 255, 127,
        ]);
        content.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        content.extend([5, 0, 4, 0, 4, 0, 0, 0]);
        content.extend([1, 0, 0, 0, names.len() as u8, 0, 0, 0]);
        content.extend(names);
        let array = Array::parse(&content, ByteOrder::Little).unwrap();
        match array.structs() {
            Ok(structs) => assert!(names.is_empty() && structs.is_empty()),
            Err(error) => assert_eq!(error.to_string(), "too many structs"),
        }
    }
}

#[test]
fn compressed_data_that_grows_too_large_is_refused() {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};
    let mut zeros = ZlibEncoder::new(Vec::new(), Compression::fast());
    let block = vec![0; 1 << 20];
    for _ in 0..=MAX_INFLATED_BYTES >> 20 {
        zeros.write_all(&block).unwrap();
    }
    let error = inflated_matrix(&zeros.finish().unwrap(), ByteOrder::Little).unwrap_err();
    assert!(matches!(error, MatError::TooLarge));
}

proptest! {
    #[test]
    fn arbitrary_elements_never_panic(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = golden("imagenet.mat")[..HEADER_BYTES].to_vec();
        file.extend(content);
        let _ = read_all(&file);
    }

    #[test]
    fn changed_words_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 1..6)) {
        let mut file = golden("pascal.mat");
        let num_words = (file.len() - HEADER_BYTES) / 4;
        for (index, word) in changes {
            let at = HEADER_BYTES + 4 * index.index(num_words);
            file[at..at + 4].copy_from_slice(&(word >> (word % 32)).to_le_bytes());
        }
        let _ = read_all(&file);
    }
}
