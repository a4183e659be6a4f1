//! Reads files that are made to take long, to take much memory, or to break the readers.

#![allow(clippy::unwrap_used)] // a test fails where its input is wrong

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vidpairs_weights::{
    Architecture, HostTensor, Weights, backbone, parse_weights, safetensors_bytes,
};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

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

/// Reads a file and everything in it; returns the error as text, the time and the memory taken.
fn read(bytes: &[u8]) -> (Result<Weights, String>, Duration, usize) {
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let start = Instant::now();
    let read = parse_weights(bytes).map_err(|err| err.to_string());
    if let Ok(weights) = &read {
        let _ = backbone(weights).map(|found| Architecture::of(&found.trunk).is_ok());
    }
    let peak = PEAK.load(Ordering::Relaxed) - before;
    (read, start.elapsed(), peak)
}

/// File of `torch.save` with this pickle and a storage of 8 bytes.
fn zipped(pickle: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [("a/data.pkl", pickle), ("a/data/0", &[7; 8])] {
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn text(length: usize) -> Vec<u8> {
    let mut bytes = vec![b'X'];
    bytes.extend((length as u32).to_le_bytes());
    bytes.resize(bytes.len() + length, b'x');
    bytes
}

/// Bytes that are pseudo-random, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn a_long_text_that_is_used_a_hundred_thousand_times_takes_no_longer_than_to_read_it() {
    let _alone = ALONE.lock();
    let megabyte = text(1 << 20);
    let uses = |before: &[u8], each: &[u8], after: &[u8]| {
        let mut pickle = b"\x80\x02".to_vec();
        pickle.extend(before);
        pickle.extend(each.repeat(300_000));
        pickle.extend(after);
        zipped(&pickle)
    };
    let with_text = |before: &[u8], after: &[u8]| [before, &megabyte, after].concat();
    // A class with a name of 4 MB.
    let mut class = b"c".to_vec();
    class.resize(1 + (4 << 20), b'm');
    class.extend(b"\nf\nq\x000");
    for (what, bytes) in [
        ("a key", uses(&with_text(b"", b"q\x000}"), b"h\x00Ns", b".")),
        (
            "a key of a dict in a dict",
            uses(
                &with_text(b"", b"q\x000}X\x05\0\0\0model}"),
                b"h\x00Ns",
                b"s.",
            ),
        ),
        ("a function", uses(&class, b"h\x00)R0", b"N.")),
        ("a class", uses(&class, b"h\x00)\x810", b"N.")),
        (
            "the object of a state dict",
            uses(&class, b"h\x00)R0", b"}X\x05\0\0\0modelh\x00)Rs."),
        ),
        (
            "the key of a storage",
            uses(
                &with_text(
                    b"ctorch\nFloatStorage\nq\x010X\x07\0\0\0storageq\x020",
                    b"q\x000",
                ),
                b"(h\x02h\x01h\x00h\x02K\x01tQ0",
                b"N.",
            ),
        ),
    ] {
        let (read, time, memory) = read(&bytes);
        let err = read.unwrap_err();
        assert!(time < HANG, "{what}: {time:?}");
        assert!(
            err.len() < 10_000,
            "{what}: an error of {} bytes",
            err.len()
        );
        assert!(memory < 200 << 20, "{what}: {memory} bytes");
    }
}

#[test]
fn random_pickles_give_an_error_or_weights_within_a_second_and_little_memory() {
    let _alone = ALONE.lock();
    let pieces: [&[u8]; 38] = [
        b"}",
        b"]",
        b")",
        b"(",
        b"N",
        b"K\x02",
        b"J\xff\xff\xff\xff",
        b"\x88",
        b"\x8a\x02\x00\x01",
        b"G\0\0\0\0\0\0\0\0",
        b"X\x01\0\0\0w",
        b"X\x05\0\0\0model",
        b"X\x07\0\0\0storage",
        b"X\x010",
        b"X\x01\0\0\x000",
        b"U\x01\xff",
        b"t",
        b"\x85",
        b"\x86",
        b"\x87",
        b"s",
        b"u",
        b"a",
        b"e",
        b"q\0",
        b"q\x01",
        b"h\0",
        b"h\x01",
        b"0",
        b"1",
        b"2",
        b"R",
        b"b",
        b"Q",
        b"\x81",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nFloatStorage\n",
        b"ccollections\nOrderedDict\n",
    ];
    let mut num_read = 0;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let mut pickle = b"\x80\x02".to_vec();
        for _ in 0..random.below(60) {
            let piece = pieces[random.below(pieces.len())];
            // Some pieces lose their end.
            let length = piece.len() - usize::from(random.below(40) == 0 && piece.len() > 1);
            pickle.extend(&piece[..length]);
        }
        pickle.push(b'.');
        let (read, time, memory) = read(&zipped(&pickle));
        num_read += u32::from(read.is_ok());
        assert!(time < HANG, "{pickle:?}");
        assert!(memory < 1 << 20, "{memory} bytes: {pickle:?}");
    }
    println!("{num_read} of 20000 pickles held weights");
}

#[test]
fn a_tensor_that_repeats_its_storage_is_limited_in_memory() {
    let _alone = ALONE.lock();
    // w: 8 bytes, 2^40 times.
    let mut pickle = b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    pickle
        .extend(b"(X\x07\0\0\0storagectorch\nByteStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x08tQK\0");
    pickle.extend(b"(\x8a\x06\0\0\0\0\0\x01K\x08t(K\0K\x01t\x89ccollections\nOrderedDict\n)RtRs.");
    let (read, _, memory) = read(&zipped(&pickle));
    let err = read.unwrap_err();
    assert!(err.contains("take more than"), "{err}");
    assert!(memory < 1 << 20, "{memory} bytes");
}

#[test]
fn changed_safetensors_give_an_error_or_weights_and_take_no_more_memory_than_they_have_bytes() {
    let _alone = ALONE.lock();
    let tensors = (0..20).map(|number| {
        let tensor = HostTensor::from_f32(vec![2, 3], &[number as f32; 6]).unwrap();
        (format!("layer1.{number}.conv1.weight"), tensor)
    });
    let whole = safetensors_bytes(&tensors.collect()).unwrap();
    let mut num_read = 0;
    let mut random = Random(7);
    for _ in 0..20_000 {
        let mut damaged = whole.clone();
        for _ in 0..=random.below(3) {
            let place = random.below(damaged.len());
            damaged[place] = match random.below(3) {
                // What changes the meaning of the header.
                0 => b"0129{}[],:\"F-e"[random.below(14)],
                1 => damaged[place] ^ (1 << random.below(8)),
                _ => random.below(256) as u8,
            };
        }
        let (read, time, memory) = read(&damaged);
        num_read += u32::from(read.is_ok());
        assert!(time < HANG);
        assert!(memory < 1 << 20, "{memory} bytes");
    }
    // Most changes lie in the numbers of a tensor or in a name.
    assert!(
        (1_000..20_000).contains(&num_read),
        "{num_read} of 20000 were read"
    );
    // A header of stated gigabytes, and a tensor of stated exabytes.
    for header in [
        &b"{\"w\":{\"dtype\":\"F32\",\"shape\":[4294967296,1073741824],\"data_offsets\":[0,8]}}"[..],
        b"{\"w\":{\"dtype\":\"F32\",\"shape\":[18446744073709551615,2],\"data_offsets\":[0,18446744073709551615]}}",
    ] {
        for stated in [header.len() as u64, 90_000_000, u64::MAX >> 8] {
            let bytes = [&stated.to_le_bytes(), header, &[0; 8]].concat();
            let (read, _, memory) = read(&bytes);
            assert!(read.is_err() && memory < 1 << 20, "{memory} bytes");
        }
    }
}

#[test]
fn a_zip_that_states_more_records_than_it_has_takes_no_memory_for_them() {
    let _alone = ALONE.lock();
    let bytes = zipped(b"\x80\x02}.");
    let end = bytes.len() - 22;
    for num in [1u16, 3, 1000, u16::MAX] {
        let mut bytes = bytes.clone();
        bytes[end + 8..end + 10].copy_from_slice(&num.to_le_bytes());
        bytes[end + 10..end + 12].copy_from_slice(&num.to_le_bytes());
        let (read, _, memory) = read(&bytes);
        assert!(read.is_err() && memory < 1 << 20, "{num}: {memory} bytes");
    }
}
