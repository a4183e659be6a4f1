//! Which OpenCV this program runs with.

use opencv::core::{get_version_major, get_version_minor, get_version_revision};

/// The version of the OpenCV that is loaded, as `major.minor.revision`.
///
/// It can differ from the one that the program was built with when the system was upgraded since.
///
/// # Examples
/// ```
/// println!("OpenCV {}", vidpairs_opencv::opencv_version());
/// ```
pub fn opencv_version() -> String {
    let (major, minor, revision) = (
        get_version_major(),
        get_version_minor(),
        get_version_revision(),
    );
    format!("{major}.{minor}.{revision}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opencv_that_is_loaded_is_a_fourth_or_later_major_version_as_it_was_built_for() {
        let version = opencv_version();
        let numbers: Vec<u32> = version
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect();
        assert_eq!(numbers.len(), 3, "{version}");
        let built_for = (
            opencv::core::CV_VERSION_MAJOR,
            opencv::core::CV_VERSION_MINOR,
        );
        assert_eq!((numbers[0] as i32, numbers[1] as i32), built_for);
    }
}
