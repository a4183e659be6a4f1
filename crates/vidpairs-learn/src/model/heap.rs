//! Memory that libtorch frees and asks for again in every step.

/// Keeps memory that is freed instead of giving it back to the system, for the rest of the program.
///
/// A step of training frees gigabytes in large blocks and asks for the same again. glibc gives such blocks back at once, and the
/// system clears every page that it hands out anew: a tenth of a step. The program holds on to its peak instead. Elsewhere
/// than with glibc this does nothing.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: `mallopt` sets a number of the allocator under its own lock; a value that it refuses changes nothing.
        unsafe {
            libc::mallopt(libc::M_MMAP_MAX, 0);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        }
    }
}
