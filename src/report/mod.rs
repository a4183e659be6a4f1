//! Pages for people: what a data set holds, to be seen at a glance.
//!
//! **Takes** plain values: words, records, encoded images. **Gives** HTML that needs no other file, no
//! network and no script. **Fails** with [`PageError`], only where a page is written.
//! **Source**: HTML by maud, which escapes; PNG by the png crate.

pub mod gallery;
mod page;
mod picture;
pub mod sheet;
mod write;

pub use page::{Fact, SetAsideNote};
pub use write::{PageError, check_place, write_page};
