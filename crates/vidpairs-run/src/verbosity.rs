//! How much a command tells while it runs.

/// How much a command tells on stderr while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Nothing but errors.
    Quiet,
    /// Progress, as a bar on a terminal and as a line every 30 s elsewhere, and the summary.
    #[default]
    Normal,
    /// Also every input that is set aside, and what FFmpeg has to say.
    Verbose,
}
