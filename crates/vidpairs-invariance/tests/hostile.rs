//! Reads `.npz` files that are changed or made to take much memory.

#![allow(clippy::unwrap_used)] // a test fails where its input is wrong

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vidpairs_invariance::npz::{
    ArrayValues, FeatureTable, NamedArray, NpzArchive, NpzError, write_npz,
};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Allocator that counts the memory in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

/// A read that takes longer hangs, on any machine.
const HANG: Duration = Duration::from_secs(60);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The memory in use is that of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn read(bytes: &[u8]) -> (Result<FeatureTable, NpzError>, Duration, usize) {
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let start = Instant::now();
    let read = NpzArchive::new(Cursor::new(bytes))
        .and_then(|mut archive| FeatureTable::from_archive(&mut archive));
    let peak = PEAK.load(Ordering::Relaxed) - before;
    (read, start.elapsed(), peak)
}

/// Features of 6 images, stored or deflated.
fn table(method: CompressionMethod) -> Vec<u8> {
    let values: Vec<f32> = (0..18).map(|at| (at as f32).sin()).collect();
    let arrays = [
        NamedArray {
            name: "feat",
            shape: &[6, 3],
            values: ArrayValues::F32(&values),
        },
        NamedArray {
            name: "instance",
            shape: &[6],
            values: ArrayValues::I64(&[0, 0, 1, 1, 2, 2]),
        },
    ];
    let stored = write_npz(Cursor::new(Vec::new()), &arrays).unwrap();
    let mut stored = ZipArchive::new(stored).unwrap();
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..stored.len() {
        let mut array = stored.by_index(index).unwrap();
        let name = array.name().unwrap().into_owned();
        let options = SimpleFileOptions::default().compression_method(method);
        copy.start_file(name, options).unwrap();
        std::io::copy(&mut array, &mut copy).unwrap();
    }
    copy.finish().unwrap().into_inner()
}

/// File of one array `feat`, whose directory states `stated` bytes.
fn feat(header: &str, content: &[u8], stated: Option<u32>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("feat.npy", SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
    zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    zip.write_all(header.as_bytes()).unwrap();
    zip.write_all(content).unwrap();
    let mut bytes = zip.finish().unwrap().into_inner();
    if let Some(stated) = stated {
        let mut places = bytes.windows(4).enumerate();
        let (entry, _) = places.find(|(_, bytes)| bytes == b"PK\x01\x02").unwrap();
        bytes[entry + 24..entry + 28].copy_from_slice(&stated.to_le_bytes());
    }
    bytes
}

#[test]
fn changed_files_give_an_error_or_a_table_within_a_second_and_little_memory() {
    let _alone = ALONE.lock();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let whole = table(method);
        assert!(read(&whole).0.is_ok());
        for _ in 0..5000 {
            let mut damaged = whole.clone();
            for _ in 0..=below(4) {
                let place = below(damaged.len());
                damaged[place] = match below(3) {
                    // What changes the meaning of a header.
                    0 => b"0123456789(),'<>fiuUSO"[below(22)],
                    1 => damaged[place] ^ (1 << below(8)),
                    _ => below(256) as u8,
                };
            }
            let (read, time, memory) = read(&damaged);
            if let Ok(table) = read {
                assert_eq!(table.features.len(), table.num_rows() * table.num_units);
            }
            assert!(time < HANG, "{time:?}");
            assert!(memory < 4 << 20, "{memory} bytes");
        }
    }
}

#[test]
fn stated_shapes_and_sizes_take_no_memory_that_the_file_cannot_fill() {
    let _alone = ALONE.lock();
    let header = |descr: &str, shape: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
    };
    let dimensions = format!("({})", "1, ".repeat(1000));
    for (descr, shape) in [
        ("<f4", "(1000000000, 1000000000)"),
        ("<f4", "(18446744073709551615, 18446744073709551615)"),
        ("<f4", "(4611686018427387904, 4)"),
        ("<f0", "(1000000000, 1000000000)"),
        ("<U9223372036854775807", "(3, 3)"),
        ("<f4", dimensions.as_str()),
        ("<f4", "(0, 9223372036854775807)"),
    ] {
        for stated in [None, Some(1 << 27), Some(u32::MAX - 1)] {
            let (read, _, memory) = read(&feat(&header(descr, shape), &[0; 16], stated));
            let err = read.unwrap_err().to_string();
            assert!(memory < 4 << 20, "{descr} {shape}: {memory} bytes");
            assert!(err.len() < 2000, "an error of {} bytes", err.len());
        }
    }
}

#[test]
fn an_archive_that_states_more_arrays_than_it_has_takes_no_memory_for_them() {
    let _alone = ALONE.lock();
    let whole = table(CompressionMethod::Stored);
    let end = whole.len() - 22;
    for num in [3u16, 1000, u16::MAX] {
        let mut bytes = whole.clone();
        bytes[end + 8..end + 10].copy_from_slice(&num.to_le_bytes());
        bytes[end + 10..end + 12].copy_from_slice(&num.to_le_bytes());
        let (read, _, memory) = read(&bytes);
        assert!(read.is_err() && memory < 4 << 20, "{memory} bytes");
    }
}
