//! Reads files written by NumPy (scripts/golden/npz.py), whole, truncated and damaged, and files written here.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const FEAT: [f32; 12] = [
    0.5, -1.25, 3.0, 0.0, 2048.0, -0.125, 1.0, 1.0, 1.0, -7.0, 0.0625, 2.0,
];

fn path(file: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/npz");
    Path::new(folder).join(file)
}

fn read(file: &str) -> FeatureTable {
    FeatureTable::read(&path(file)).unwrap()
}

fn parse(bytes: &[u8]) -> Result<FeatureTable, NpzError> {
    FeatureTable::from_archive(&mut NpzArchive::new(Cursor::new(bytes))?)
}

/// The reason why `file` is refused.
fn refusal(file: &str) -> String {
    let err = FeatureTable::read(&path(file)).unwrap_err();
    assert!(err.to_string().contains(file), "{err}");
    std::error::Error::source(&err).unwrap().to_string()
}

#[test]
fn features_are_read_in_every_element_type_memory_order_and_compression() {
    for file in [
        "f4.npz",
        "f8.npz",
        "f2.npz",
        "big_f4.npz",
        "big_f8.npz",
        "fortran.npz",
        "compressed.npz",
        "compressed_fortran.npz",
    ] {
        let table = read(file);
        assert_eq!((table.num_rows(), table.num_units), (4, 3), "{file}");
        assert_eq!(table.features, FEAT, "{file}");
        assert_eq!(table.instances, [3, 3, -2, 90], "{file}");
        assert_eq!(table.classes.as_deref(), Some(&[0, 0, 1, 1][..]), "{file}");
    }
}

#[test]
fn labels_may_be_integers_of_any_width_or_whole_floats() {
    for file in ["i1", "i2", "i4", "f4", "big_i2"] {
        let table = read(&format!("labels_{file}.npz"));
        assert_eq!(table.instances, [3, 3, -2, 90], "{file}");
        assert_eq!(table.classes, None);
    }
    for file in ["u1", "u8"] {
        let table = read(&format!("labels_{file}.npz"));
        assert_eq!(table.instances, [3, 3, 5, 90], "{file}");
    }
}

#[test]
fn text_labels_are_numbered_as_by_numpy_unique_and_are_their_own_names() {
    let table = read("text_labels.npz");
    // The result of numpy.unique(..., return_inverse=True).
    assert_eq!(table.instances, [1, 0, 1, 2]);
    assert_eq!(table.instance_names.unwrap(), ["10", "9", "é"]);
    assert_eq!(table.classes.unwrap(), [1, 0, 1, 0]);
    assert_eq!(table.class_names.unwrap(), ["ant", "zebra"]);
    // Texts are their own names even if there is an array of names; the empty text is a text.
    let table = read("mixed_labels.npz");
    assert_eq!(table.instances, [1, 1, 0, 1]);
    assert_eq!(table.instance_names, None);
    assert_eq!(table.classes.unwrap(), [1, 1, 0, 0]);
    assert_eq!(table.class_names.unwrap(), ["", "a"]);
}

#[test]
fn names_are_read_as_texts_and_a_label_without_a_name_is_refused() {
    assert_eq!(read("f4.npz").class_names, None);
    let mut archive = NpzArchive::open(&path("names.npz")).unwrap();
    let texts = archive.array("class_names").unwrap().into_texts().unwrap();
    assert_eq!(texts, ["café", "d"]);
    // One set has the number -2, which cannot have a name.
    let err = FeatureTable::from_archive(&mut archive).unwrap_err();
    assert_eq!(
        err.to_string(),
        "`instance` is -2 in row 2, but `instance_names` has 91 names; expected labels from 0 to 91 - 1"
    );
}

#[test]
fn a_refusal_names_the_array_the_value_and_what_is_expected() {
    for (file, reason) in [
        (
            "single.npy",
            "it is a single array (.npy); write it with numpy.savez",
        ),
        ("unnamed.npz", "no array `feat` in it; found arr_0, arr_1"),
        (
            "complex.npz",
            "array `feat` has element type <c8; expected f4, f8 or f2",
        ),
        (
            "integers.npz",
            "array `feat` has element type <i4; expected f4, f8 or f2",
        ),
        (
            "objects.npz",
            "array `feat` has element type <O8; expected numbers",
        ),
        (
            "records.npz",
            "the header of array `feat`: records of fields",
        ),
        (
            "flat.npz",
            "array `feat` has the shape [12]; expected N x D",
        ),
        (
            "empty.npz",
            "array `feat` has the shape [0, 3]; expected N x D",
        ),
        (
            "short.npz",
            "array `instance` has the shape [3]; expected [4], a label for each row of `feat`",
        ),
        (
            "short_class.npz",
            "array `class` has the shape [2]; expected [4], a label",
        ),
        (
            "half_labels.npz",
            "`instance` is 3.5 in row 0; expected whole numbers",
        ),
        (
            "complex_labels.npz",
            "array `instance` has element type <c8; expected integers",
        ),
        (
            "latin_labels.npz",
            "`class` is not Unicode text in row 1; decode it first",
        ),
        (
            "column_labels.npz",
            "array `instance` has the shape [4, 1]; expected [4]",
        ),
        (
            "few_names.npz",
            "`class` is 1 in row 2, but `class_names` has 1 names",
        ),
        ("nan.npz", "`feat` is NaN in row 2, unit 1; expected finite"),
        (
            "nan_fortran.npz",
            "`feat` is NaN in row 2, unit 1; expected finite",
        ),
        ("large.npz", "`feat` is 1"),
    ] {
        let text = refusal(file);
        assert!(text.starts_with(reason), "{file}: {text}");
    }
    assert!(refusal("large.npz").contains("in row 3, unit 0"));
}

#[test]
fn a_file_that_is_not_a_zip_is_refused_with_advice_how_to_write_one() {
    let err = parse(b"feat,instance\n1,2\n").unwrap_err().to_string();
    assert!(
        err.contains("not a .npz file") && err.contains("numpy.savez"),
        "{err}"
    );
}

#[test]
fn a_truncated_file_is_an_error_not_a_panic() {
    for file in ["f4.npz", "compressed_fortran.npz", "names.npz"] {
        let whole = fs::read(path(file)).unwrap();
        for end in 0..whole.len() {
            assert!(parse(&whole[..end]).is_err(), "{file} cut at {end}");
        }
    }
}

#[test]
fn flipped_bits_give_an_error_or_a_table_of_consistent_shape_and_no_panic() {
    for file in ["f4.npz", "compressed_fortran.npz", "names.npz"] {
        let whole = fs::read(path(file)).unwrap();
        for place in 0..whole.len() {
            for bits in [1, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] ^= bits;
                if let Ok(table) = parse(&damaged) {
                    assert_eq!(table.features.len(), table.num_units * table.num_rows());
                }
            }
        }
    }
}

/// An archive with one array of these bytes.
fn zip_of(name: &str, bytes: &[u8], options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(format!("{name}.npy"), options).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

fn array_bytes(shape: &str, num_data_bytes: usize) -> Vec<u8> {
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.resize(bytes.len() + num_data_bytes, 0);
    bytes
}

#[test]
fn a_shape_that_does_not_match_the_bytes_is_refused_before_memory_is_allocated() {
    for shape in [
        "(1000000, 1000000)",
        "(18446744073709551615, 2048)",
        "(2, 3)",
    ] {
        let bytes = zip_of(
            "feat",
            &array_bytes(shape, 20),
            SimpleFileOptions::default(),
        );
        let err = parse(&bytes).unwrap_err();
        assert!(matches!(err, NpzError::Size { got: 20, .. }), "{err}");
    }
}

#[test]
fn a_size_beyond_any_compression_ratio_is_refused() {
    let whole = array_bytes("(4, 5)", 80);
    let mut bytes = zip_of("feat", &whole, SimpleFileOptions::default());
    // The sizes in the directory of the archive.
    let entry = bytes
        .windows(4)
        .position(|bytes| bytes == b"PK\x01\x02")
        .unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&0xf000_0000u32.to_le_bytes());
    let err = parse(&bytes).unwrap_err();
    assert!(matches!(err, NpzError::Ratio { .. }), "{err}");
}

#[test]
fn an_array_that_would_unpack_to_far_more_than_features_do_is_refused_before_memory_is_allocated() {
    // A million incompressible bytes could be the beginning of a gigabyte of zeros.
    let mut whole = array_bytes("(16384, 16384)", 1 << 20);
    let mut mixed = 1u32;
    for byte in &mut whole[100..] {
        mixed = mixed.wrapping_mul(0x9e37_79b1).wrapping_add(0x7f4a_7c15);
        *byte = (mixed >> 24) as u8;
    }
    let stated = (1u32 << 30) + (whole.len() as u32 - (1 << 20));
    let mut bytes = zip_of("feat", &whole, SimpleFileOptions::default());
    let mut places = bytes.windows(4).enumerate();
    let (entry, _) = places.find(|(_, bytes)| bytes == b"PK\x01\x02").unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&stated.to_le_bytes());
    let err = parse(&bytes).unwrap_err();
    assert!(matches!(err, NpzError::Ratio { .. }), "{err}");
    assert!(err.to_string().contains("numpy.savez"), "{err}");
}

#[test]
fn texts_of_length_zero_are_limited_and_as_many_as_stated() {
    let texts = |num: &str| {
        let header = array_bytes(&format!("({num},)"), 0);
        let header = String::from_utf8_lossy(&header[10..]).replace("<f4", "<U0");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        let bytes = zip_of("class", &bytes, SimpleFileOptions::default());
        let mut archive = NpzArchive::new(Cursor::new(bytes)).unwrap();
        archive.array("class").and_then(|array| array.into_texts())
    };
    assert_eq!(texts("3").unwrap(), ["", "", ""]);
    for num in ["1048577", "1000000000000", "18446744073709551615"] {
        let err = texts(num).unwrap_err();
        let is_clear = matches!(err, NpzError::Shape { .. } | NpzError::Memory { .. });
        assert!(is_clear, "{err}");
    }
}

#[test]
fn names_and_headers_of_a_file_are_printed_without_what_a_terminal_obeys() {
    let escape = "\u{1b}[2J";
    let bytes = zip_of(
        escape,
        &array_bytes("(1,)", 4),
        SimpleFileOptions::default(),
    );
    let text = parse(&bytes).unwrap_err().to_string();
    assert!(
        text.contains(r"\u{1b}[2J") && !text.contains(escape),
        "{text}"
    );
    let header = format!("{{'{escape}': 1}}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    let bytes = zip_of("feat", &bytes, SimpleFileOptions::default());
    let text = parse(&bytes).unwrap_err().to_string();
    assert!(!text.contains(escape), "{text}");
}

#[test]
fn double_precision_features_that_single_precision_cannot_hold_are_refused() {
    let table = |offset: f64, order: &str| {
        let header = format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': (4, 2), }}\n");
        let mut feat = b"\x93NUMPY\x01\x00".to_vec();
        feat.extend((header.len() as u16).to_le_bytes());
        feat.extend(header.bytes());
        let values = match order {
            "False" => [
                0.0,
                offset,
                1.0,
                offset + 0.3,
                2.0,
                offset + 0.6,
                3.0,
                offset + 0.1,
            ],
            _ => [
                0.0,
                1.0,
                2.0,
                3.0,
                offset,
                offset + 0.3,
                offset + 0.6,
                offset + 0.1,
            ],
        };
        feat.extend(values.iter().flat_map(|value: &f64| value.to_le_bytes()));
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("feat.npy", SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&feat).unwrap();
        let header = "{'descr': '|i1', 'fortran_order': False, 'shape': (4,), }\n";
        zip.start_file("instance.npy", SimpleFileOptions::default())
            .unwrap();
        zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
        zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        zip.write_all(header.as_bytes()).unwrap();
        zip.write_all(&[0, 0, 1, 1]).unwrap();
        parse(&zip.finish().unwrap().into_inner())
    };
    for order in ["False", "True"] {
        assert_eq!(table(100.0, order).unwrap().features[1], 100.0);
        let err = table(1e8, order).unwrap_err();
        assert!(matches!(err, NpzError::Precision { unit: 1, .. }), "{err}");
    }
}

#[test]
fn what_is_not_a_regular_file_is_refused_at_once() {
    for path in ["/dev/zero", "/"] {
        let err = FeatureTable::read(path.as_ref()).unwrap_err();
        let text = vidpairs_types::with_causes(&err);
        assert!(text.contains("not a regular file"), "{text}");
    }
}

#[test]
fn written_arrays_are_read_back_and_have_the_bytes_of_numpy() {
    let table = read("f4.npz");
    let arrays = [
        NamedArray {
            name: "feat",
            shape: &[4, 3],
            values: ArrayValues::F32(&table.features),
        },
        NamedArray {
            name: "instance",
            shape: &[4],
            values: ArrayValues::I64(&table.instances),
        },
        NamedArray {
            name: "class",
            shape: &[4],
            values: ArrayValues::I64(table.classes.as_deref().unwrap()),
        },
        NamedArray {
            name: "about",
            shape: &[2],
            values: ArrayValues::U8(b"{}"),
        },
    ];
    let written = write_npz(Cursor::new(Vec::new()), &arrays)
        .unwrap()
        .into_inner();
    assert_eq!(parse(&written).unwrap(), table);
    let mut archive = NpzArchive::new(Cursor::new(&written)).unwrap();
    assert_eq!(archive.names(), ["feat", "instance", "class", "about"]);
    assert_eq!(archive.array("about").unwrap().into_bytes().unwrap(), b"{}");
    // The same bytes as NumPy's arrays, including header and padding.
    let of_numpy = fs::read(path("f4.npz")).unwrap();
    for name in ["feat", "instance", "class"] {
        let raw = |bytes: &[u8]| {
            let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            let mut file = zip.by_name(&format!("{name}.npy")).unwrap();
            let mut raw = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut raw).unwrap();
            raw
        };
        assert_eq!(raw(&written), raw(&of_numpy), "{name}");
    }
}

#[test]
fn an_array_whose_shape_does_not_match_its_values_is_not_written() {
    let array = NamedArray {
        name: "feat",
        shape: &[2, 2],
        values: ArrayValues::F32(&[1.0; 3]),
    };
    assert!(write_npz(Cursor::new(Vec::new()), &[array]).is_err());
}
