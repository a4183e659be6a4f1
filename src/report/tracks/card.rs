//! Renders one sequence as a card.

use maud::{Markup, html};
use vidpairs_extract::run::{SampledFrame, SampledSequence, SampledTrack};
use vidpairs_extract::track::TrackerKind;

use super::chart;
use super::stroke::stroke;
use crate::report::picture::{aspect, data_uri};

/// A tracker's place on the command line, which decides its line style, and its track.
pub(super) type PlacedTrack<'a> = (usize, &'a SampledTrack);

pub(super) fn card(sequence: &SampledSequence, trackers: &[TrackerKind]) -> Markup {
    let tracks = sequence.tracks.iter().filter_map(|track| {
        let place = trackers.iter().position(|&kind| kind == track.tracker)?;
        Some((place, track))
    });
    let tracks: Vec<PlacedTrack<'_>> = tracks.collect();
    let scores = sequence.tracks.iter().map(|track| {
        let ao = track.ao.map_or("-".to_owned(), |ao| format!("{ao:.3}"));
        format!("{} {ao}", track.tracker.name())
    });
    let scores: Vec<String> = scores.collect();
    html! {
        article {
            div.heading {
                h3 { (sequence.data) " " (sequence.id) }
                @if let Some(label) = &sequence.label { span.label { (label) } }
                span.number { (sequence.truth.len()) " frames · AO " (scores.join(", ")) }
            }
            div.tiles {
                @for picture in &sequence.pictures { (figure(picture, sequence, &tracks)) }
            }
            (chart::charts(sequence, &tracks))
        }
    }
}

fn figure(
    picture: &SampledFrame,
    sequence: &SampledSequence,
    tracks: &[PlacedTrack<'_>],
) -> Markup {
    let (frame, size) = (picture.frame, sequence.frame_size);
    let shape = format!("aspect-ratio:{:.4}", aspect(size));
    let view_box = format!("0 0 {} {}", size.width, size.height);
    let truth = sequence.truth.get(frame).copied().flatten();
    html! {
        figure {
            div.picture style=(shape) {
                @match &picture.jpeg {
                    Ok(jpeg) => {
                        img src=(data_uri("image/jpeg", jpeg)) alt={ "frame " (frame) }
                            width=(size.width) height=(size.height);
                        svg viewBox=(view_box) preserveAspectRatio="none" aria-hidden="true" {
                            @if let Some(truth) = truth { (outline("truth", truth.into())) }
                            @for &(place, track) in tracks {
                                @if let Some(&bbox) = track.boxes.get(frame) {
                                    (outline(stroke(place).class, bbox.into()))
                                }
                            }
                        }
                    }
                    Err(why) => p { "This frame cannot be shown: " (why) },
                }
            }
            figcaption {
                b { (frame) }
                @for &(place, track) in tracks {
                    @if let Some(overlap) = track.overlaps.get(frame).copied().flatten() {
                        span title=(track.tracker.name()) class=(stroke(place).class) { (format!("{overlap:.2}")) }
                    }
                }
            }
        }
    }
}

/// A bright line on a dark one, so that the box is visible on any picture.
pub(super) fn outline(class: &str, [x, y, w, h]: [f64; 4]) -> Markup {
    html! {
        @for layer in ["halo", "line"] {
            rect class={ (layer) " " (class) } x=(x) y=(y) width=(w.max(0.0)) height=(h.max(0.0)) {}
        }
    }
}
