//! Tells faults of the machine from faults of an input: the first stop the run, the second refuse the input.

use std::error::Error;
use std::io;

/// Whether `err`, or one of its causes, reports that the machine ran out of file handles or memory. The input may be sound, and any
/// other input would fail too.
pub fn is_machine_fault(err: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(err);
    while let Some(found) = cause {
        if found.downcast_ref::<io::Error>().is_some_and(is_exhausted) {
            return true;
        }
        cause = found.source();
    }
    false
}

fn is_exhausted(err: &io::Error) -> bool {
    // The standard library has no name for EMFILE and ENFILE.
    const CODES: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS];
    err.kind() == io::ErrorKind::OutOfMemory
        || err.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::failed;

    #[test]
    fn a_machine_without_handles_or_memory_is_told_from_a_damaged_file() {
        for (code, expected) in [
            (libc::EMFILE, true),
            (libc::ENFILE, true),
            (libc::ENOMEM, true),
            (libc::ENOENT, false),
            (libc::EACCES, false),
            // One sector of a disk is bad: the other files are fine.
            (libc::EIO, false),
        ] {
            let err = failed("read", Path::new("a.mp4"))(io::Error::from_raw_os_error(code));
            assert_eq!(is_machine_fault(&err), expected, "{err:?}");
        }
    }
}
