//! Opens containers. FFmpeg reads one file, through [`MediaReader`], with one of the demuxers that need no other.

use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::util::interrupt;
use ffmpeg_next::{Dictionary, ffi};
use vidpairs_types::parallel::Heartbeat;

use super::file::{MediaFile, MediaReader};
use super::isobmff;
use super::log::reported_by;
use super::lookalike;
use crate::decode::error::DecodeError;
use crate::ffmpeg::{MAX_ALLOCATION_MIB, ffmpeg_versions, prepare_ffmpeg};

/// Demuxers of video that read everything from the file they are given. Playlists, manifests, scripts, sequences of images,
/// descriptions of network sessions and devices are left out: they name other files. So are still images, sound, and the formats of
/// games. `docs/VIDEO.md` lists them for users.
const SELF_CONTAINED: &[&str] = &[
    "apng",
    "asf",
    "asf_o",
    "av1",
    "avi",
    "avs2",
    "avs3",
    "cavsvideo",
    "dhav",
    "dirac",
    "dnxhd",
    "dv",
    "evc",
    "flv",
    "gif",
    "gxf",
    "h261",
    "h263",
    "h264",
    "hevc",
    "ivf",
    "ivr",
    "kux",
    "live_flv",
    "m4v",
    "matroska",
    "mjpeg",
    "mjpeg_2000",
    "mov",
    "mpeg",
    "mpegts",
    "mpegvideo",
    "mxf",
    "nsv",
    "nut",
    "nuv",
    "obu",
    "ogg",
    "pva",
    "rm",
    "smjpeg",
    "swf",
    "ty",
    "vc1",
    "vc1test",
    "vvc",
    "wtv",
    "yuv4mpegpipe",
];

/// Largest number of streams in a container: a whole broadcast multiplex has fewer.
const MAX_STREAMS: c_int = 256;

/// An open container.
pub(super) struct Opened {
    pub input: Input,
    /// Place in the file up to which packets were read ahead and damage was met meanwhile.
    pub doubtful_until: Option<i64>,
}

/// What is read of a container when it is opened.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ReadAhead {
    /// Packets that tell what the header does not. They are kept, and given again later.
    Packets,
    Nothing,
}

/// Opens the container in `file`.
///
/// - `path`: names the file for the demuxers that recognise a bare bitstream by its extension; it is not opened.
///
/// # Errors
/// [`DecodeError`] if no demuxer of [`SELF_CONTAINED`] takes it, or it declares more than the budget allows.
pub(super) fn open(
    path: &Path,
    file: &Arc<MediaFile>,
    heartbeat: &Arc<Heartbeat>,
    read_ahead: ReadAhead,
) -> Result<Opened, DecodeError> {
    prepare_ffmpeg();
    let reader = MediaReader {
        file: Arc::clone(file),
        position: 0,
        heartbeat: Arc::clone(heartbeat),
    };
    let mut io = StreamIo::from_read_seek(reader).map_err(|err| DecodeError::Ffmpeg {
        action: "open the file",
        message: err.to_string(),
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let url = CString::new(name.as_bytes()).unwrap_or_default();
    let mut format = ptr::null();
    // SAFETY: the context of `io` is open, and the name ends with a zero byte.
    let status = unsafe {
        let (pb, no_log) = (io.as_mut_ptr(), ptr::null_mut());
        ffi::av_probe_input_buffer2(pb, &mut format, url.as_ptr(), no_log, 0, 0)
    };
    if status < 0 || format.is_null() {
        return Err(refusal(status, None, file, heartbeat));
    }
    // SAFETY: a registered demuxer has a static name.
    let names = unsafe { CStr::from_ptr((*format).name) }.to_string_lossy();
    let name = names.split(',').next().unwrap_or_default();
    if !SELF_CONTAINED.contains(&name) {
        let look = lookalike::of(file);
        return Err(look.map_or_else(
            || DecodeError::Format {
                name: name.to_owned(),
            },
            DecodeError::NotVideo,
        ));
    }
    if name == "mov" {
        isobmff::check(file, heartbeat)?;
    }
    // SAFETY: `format` is a registered demuxer.
    let opened = unsafe { open_format(format, &url, io, heartbeat) };
    let refused = |status| refusal(status, Some(name), file, heartbeat);
    let mut input = opened.map_err(refused)?;
    check_entries(&input, file)?;
    if read_ahead == ReadAhead::Nothing {
        let doubtful_until = None;
        return Ok(Opened {
            input,
            doubtful_until,
        });
    }
    // SAFETY: the context is open.
    let (status, reported) = reported_by(|| unsafe {
        ffi::avformat_find_stream_info(input.as_mut_ptr(), ptr::null_mut())
    });
    heartbeat.beat();
    if status < 0 {
        return Err(refused(status));
    }
    let has_errors = reported.container_errors > 0;
    let doubtful_until = has_errors.then(|| place_of(&mut input));
    Ok(Opened {
        input,
        doubtful_until,
    })
}

/// Place in the file up to which `input` has read.
pub(super) fn place_of(input: &mut Input) -> i64 {
    // SAFETY: the context is open and has a reader. A seek by nothing only tells the place.
    unsafe { ffi::avio_seek((*input.as_mut_ptr()).pb, 0, SEEK_CUR) }
}

/// `SEEK_CUR` of C.
const SEEK_CUR: c_int = 1;

/// Checks that the index in memory has no more entries than the file has bytes. [`isobmff::check`] counts before the memory is taken;
/// this holds for every container, and for boxes that it does not know.
fn check_entries(input: &Input, file: &MediaFile) -> Result<(), DecodeError> {
    let len = file.version().len;
    // SAFETY: the streams live as long as the context.
    let num_entries: u64 = (0..input.streams().len())
        .map(|index| unsafe {
            let stream = *(*input.as_ptr()).streams.add(index);
            u64::try_from(ffi::avformat_index_get_entries_count(stream)).unwrap_or(0)
        })
        .sum();
    if num_entries
        > len
            .saturating_add(isobmff::NUM_EMPTY)
            .max(isobmff::MAX_SAMPLES)
    {
        let text = format!("the index has {num_entries} entries in a file of {len} bytes");
        return Err(DecodeError::Budget(text));
    }
    Ok(())
}

/// # Safety
/// `format` must point to a demuxer of the library.
unsafe fn open_format(
    format: *const ffi::AVInputFormat,
    url: &CStr,
    mut io: StreamIo,
    heartbeat: &Arc<Heartbeat>,
) -> Result<Input, c_int> {
    let stop = Arc::clone(heartbeat);
    let interrupt = interrupt::new(Box::new(move || stop.should_stop()));
    let mut options = Dictionary::new();
    options.set("format_whitelist", &SELF_CONTAINED.join(","));
    options.set("protocol_whitelist", "none");
    // QuickTime: tracks may lie in other files.
    options.set("enable_drefs", "0");
    options.set("use_absolute_path", "0");
    // SAFETY: the context is allocated here, freed by FFmpeg if opening fails, and then owned by
    // `Input`, which keeps the reader and the interrupt's guard as long as the context.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(ffi::AVERROR(ffi::ENOMEM));
        }
        (*context).pb = io.as_mut_ptr();
        (*context).interrupt_callback = interrupt.interrupt;
        (*context).io_open = Some(refuse_to_open);
        (*context).max_streams = MAX_STREAMS;
        let mut options = options.disown();
        let status = ffi::avformat_open_input(&mut context, url.as_ptr(), format, &mut options);
        drop(Dictionary::own(options));
        if status < 0 {
            return Err(status);
        }
        heartbeat.beat();
        Ok(Input::wrap_with_custom_io_and_interrupt(
            context,
            io,
            interrupt.guard,
        ))
    }
}

/// Takes the place of FFmpeg's function that opens further files.
unsafe extern "C" fn refuse_to_open(
    _: *mut ffi::AVFormatContext,
    _: *mut *mut ffi::AVIOContext,
    _: *const c_char,
    _: c_int,
    _: *mut *mut ffi::AVDictionary,
) -> c_int {
    ffi::AVERROR(ffi::EACCES)
}

/// Why FFmpeg cannot open `file`.
fn refusal(
    status: c_int,
    name: Option<&str>,
    file: &MediaFile,
    heartbeat: &Heartbeat,
) -> DecodeError {
    let error = ffmpeg_next::Error::from(status);
    if heartbeat.should_stop() || error == ffmpeg_next::Error::Exit {
        return DecodeError::Stopped;
    }
    if let Err(unreadable) = file.check() {
        return unreadable;
    }
    if status == ffi::AVERROR(ffi::ENOMEM) {
        return DecodeError::Budget(format!(
            "FFmpeg was refused memory: at most {MAX_ALLOCATION_MIB} MiB in one block and {MAX_STREAMS} streams are allowed"
        ));
    }
    let without_index = || match name {
        Some("mov") => isobmff::without_index(file),
        _ => None,
    };
    if let Some(look) = lookalike::of(file) {
        return DecodeError::NotVideo(look);
    }
    without_index().unwrap_or_else(|| DecodeError::NoContainer {
        version: ffmpeg_versions(),
        message: error.to_string(),
    })
}
