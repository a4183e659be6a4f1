//! A set to render: its settings, the items it is made of, and the making of one item.
//!
//! **Takes** [`Settings`], the objects and the backdrops. **Gives** a [`Plan`]: a list of [`Item`]s, each of which
//! can be made alone, in any order, on any thread, into the same bytes. **Fails** with [`ItemError`]: leave
//! the item out, unless the disk is at fault.

mod aloi;
mod casting;
mod error;
mod folder;
mod got10k;
mod index;
mod pascal3d;
mod plan;
mod settings;
mod trackingnet;
mod video;

pub use casting::Models;
pub use error::ItemError;
pub use index::index_files;
pub use plan::{Failed, Item, Made, Plan, PlanError};
pub use settings::{Container, Contents, ImageSettings, SetKind, Settings, VideoSettings};
