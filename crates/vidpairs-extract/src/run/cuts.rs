//! Runs `vidpairs cuts`: finds the changes of shot in videos.

use std::fmt::{self, Display, Formatter};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use vidpairs_run::{Control, Progress, RunError, Unit, counted, loss_reason, stopped};
use vidpairs_source::SourceOptions;
use vidpairs_types::parallel::{Heartbeat, Job, Loss, Sink, run_ordered};
use vidpairs_types::{Media, SourceKind, with_causes};

use crate::cuts::{Cut, CutDetector, CutKind};
use crate::decode;
use crate::decode::DecodeError;
use crate::run::ExtractError;
use crate::run::allowance;

/// Time after which a video that makes no progress is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Options of `vidpairs cuts`.
#[derive(Debug, Clone)]
pub struct CutsOptions {
    /// Video files, folders of pictures, folders that hold some of both, or lists of them.
    pub videos: Vec<PathBuf>,
    /// Looks at every n-th frame, from the first; at least 1.
    pub every: usize,
    /// Threads, verbosity, and the signal to stop.
    pub control: Control,
}

/// Result of `vidpairs cuts`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CutsSummary {
    /// The videos in the order given; those of one folder by name.
    pub videos: Vec<VideoCuts>,
}

/// Changes of shot of one video.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VideoCuts {
    /// The video.
    pub path: PathBuf,
    /// Number of frames that were looked at.
    pub frames: u64,
    /// The changes, in order.
    pub cuts: Vec<TimedCut>,
    /// Damage of a video that still has sound frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Why the video cannot be used. It has no frames then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A change of shot, and when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimedCut {
    /// The change.
    #[serde(flatten)]
    pub cut: Cut,
    /// Presentation time of [`Cut::after`], seconds; `None` if the container states none.
    pub seconds: Option<f64>,
}

impl CutsSummary {
    /// Number of videos that cannot be used.
    pub fn num_refused(&self) -> u64 {
        let refused = self.videos.iter().filter(|video| video.error.is_some());
        refused.count() as u64
    }
}

impl Display for CutsSummary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, video) in self.videos.iter().enumerate() {
            let line_break = if number > 0 { "\n" } else { "" };
            write!(f, "{line_break}{video}")?;
        }
        Ok(())
    }
}

impl Display for VideoCuts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        if let Some(error) = &self.error {
            return write!(f, "{path}: refused: {error}");
        }
        let (frames, cuts) = (self.frames, self.cuts.len() as u64);
        let [frames, cuts] = [counted(frames, "frame"), counted(cuts, "cut")];
        write!(f, "{path}: {frames}, {cuts}")?;
        if let Some(remark) = &self.remark {
            write!(f, " ({remark})")?;
        }
        self.cuts.iter().try_for_each(|cut| write!(f, "\n  {cut}"))
    }
}

impl Display for TimedCut {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Cut {
            before,
            after,
            kind,
        } = self.cut;
        write!(f, "frame {after}")?;
        if let Some(seconds) = self.seconds {
            write!(f, " at {seconds:.2} s")?;
        }
        match kind {
            CutKind::Hard => f.write_str(", hard"),
            CutKind::Gradual => write!(f, ", gradual from frame {}", before + 1),
        }
    }
}

/// Finds the changes of shot in videos.
///
/// A video that cannot be decoded does not end the run: [`VideoCuts::error`] says why.
///
/// # Errors
/// [`RunError`] if a path holds no video, or the user stops the command.
pub fn cuts(options: &CutsOptions) -> Result<CutsSummary, RunError> {
    let kind = SourceOptions {
        kind: SourceKind::Videos,
        splits: Vec::new(),
    };
    let (mut media, mut refused) = (Vec::new(), Vec::new());
    for path in &options.videos {
        let listing = vidpairs_source::list(path, &kind).map_err(ExtractError::Source)?;
        media.extend(listing.clips.into_iter().map(|clip| clip.media));
        refused.extend(listing.refused.into_iter().map(|refusal| {
            let path = PathBuf::from(&refusal.path);
            VideoCuts::unusable(path, refusal.reason)
        }));
    }
    let control = &options.control;
    let mut found = Found {
        progress: Progress::new(
            Unit::Things("video"),
            media.len() as u64,
            0,
            control.verbosity,
        ),
        videos: Vec::new(),
    };
    let crew = control.crew(PATIENCE);
    let job = Arc::new(FindCuts {
        every: options.every.max(1),
    });
    run_ordered(media.into_iter(), job, &crew, &mut found).map_err(stopped)?;
    found.progress.finish();
    found.videos.append(&mut refused);
    Ok(CutsSummary {
        videos: found.videos,
    })
}

/// The videos that are done.
struct Found {
    progress: Progress,
    videos: Vec<VideoCuts>,
}

impl Sink<VideoCuts> for Found {
    type Error = RunError;

    fn push(&mut self, video: VideoCuts) -> Result<(), RunError> {
        self.videos.push(video);
        self.progress.advance(1);
        Ok(())
    }
}

struct FindCuts {
    every: usize,
}

impl Job for FindCuts {
    type Item = Media;
    type Output = VideoCuts;

    fn work(&self, media: Media, heartbeat: &Arc<Heartbeat>) -> VideoCuts {
        match VideoCuts::of(&media, self.every, heartbeat) {
            Ok(video) => video,
            Err(err) => VideoCuts::unusable(media.path().to_owned(), with_causes(&err)),
        }
    }

    fn lost(&self, media: Media, loss: Loss) -> VideoCuts {
        let (_, reason) = loss_reason(loss, PATIENCE);
        VideoCuts::unusable(media.path().to_owned(), reason)
    }
}

impl VideoCuts {
    fn of(media: &Media, every: usize, heartbeat: &Arc<Heartbeat>) -> Result<Self, DecodeError> {
        let to_read = allowance::to_read(media, PATIENCE);
        heartbeat.allow(to_read);
        let index = decode::index(media, heartbeat)?;
        let wanted: Vec<u64> = match index.present() {
            Some(present) => present.iter().copied().step_by(every).collect(),
            None => (0..index.num_frames()).step_by(every).collect(),
        };
        heartbeat.allow(to_read.saturating_add(allowance::to_use(wanted.len(), PATIENCE)));
        let (mut detector, mut frames) = (CutDetector::new(), 0);
        decode::decode_wanted(media, &index, &wanted, heartbeat, &mut |frame| {
            detector.push(frame.index, &frame.planes);
            frames += 1;
            heartbeat.beat();
            ControlFlow::Continue(())
        })?;
        let timed = |cut: Cut| TimedCut {
            cut,
            seconds: index.pts_seconds(cut.after),
        };
        Ok(Self {
            path: media.path().to_owned(),
            frames,
            cuts: detector.finish().into_iter().map(timed).collect(),
            remark: index.remark().map(str::to_owned),
            error: None,
        })
    }

    fn unusable(path: PathBuf, reason: String) -> Self {
        Self {
            path,
            frames: 0,
            cuts: Vec::new(),
            remark: None,
            error: Some(reason),
        }
    }
}
