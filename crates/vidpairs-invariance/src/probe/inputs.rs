//! Checks that the inputs of classifiers and figures fit each other.

/// Inputs that do not fit each other. A bug of the caller: stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputsError {
    /// Numbers differ.
    #[error("{found} {what}; expected {expected}")]
    Lengths {
        /// Input: `labels`, for example.
        what: &'static str,
        /// Number found.
        found: usize,
        /// Number expected.
        expected: usize,
    },
    /// A class is none of those that there are.
    #[error("image {image_index} has class {class}; there are {num_classes} classes, from 0")]
    NoSuchClass {
        /// First such image, from 0.
        image_index: usize,
        /// The class.
        class: usize,
        /// Number of classes.
        num_classes: usize,
    },
}

/// Checks the number of `what`.
pub(super) fn check_length(
    what: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), InputsError> {
    match found == expected {
        true => Ok(()),
        false => Err(InputsError::Lengths {
            what,
            found,
            expected,
        }),
    }
}

/// Checks that the class of each image is below `num_classes`.
pub(super) fn check_classes(
    classes: impl IntoIterator<Item = usize>,
    num_classes: usize,
) -> Result<(), InputsError> {
    let mut classes = classes.into_iter().enumerate();
    match classes.find(|(_, class)| *class >= num_classes) {
        Some((image_index, class)) => Err(InputsError::NoSuchClass {
            image_index,
            class,
            num_classes,
        }),
        None => Ok(()),
    }
}
