//! Pages for people: what a data set holds, to be seen at a glance.
//!
//! **Takes** plain values: words, records, encoded images. **Gives** HTML that needs no other file, no
//! network and no script. **Fails** with [`PageError`], only where a page is written.
//! **Source**: HTML by maud, which escapes; PNG by the png crate.

pub mod gallery;
pub mod invariance;
mod page;
mod picture;
mod plot;
pub mod sheet;
mod stroke;
mod tracks;
mod write;

pub use page::{Fact, SetAsideNote};
pub use plot::{SuccessCurve, success_plot};
pub use tracks::{TrackCard, TrackCurve, TrackTile, TracksPage, render_tracks};
pub use write::{PageError, check_place, write_page};
