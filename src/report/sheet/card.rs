//! Renders a video, an object, a class or a scene as a card.

use maud::{Markup, html};
use vidpairs_run::counted;
use vidpairs_synth::layout::{aloi, got10k};
use vidpairs_synth::run::{SampledGroup, SampledImage, SampledStrip, Varied};
use vidpairs_synth::set::{SetKind, Settings};
use vidpairs_synth::truth::Truth;
use vidpairs_types::BoxXywh;

use crate::report::picture::{BoxOver, Line, aspect, boxes_over, data_uri};

/// Boxes whose edges differ by at most this are drawn as one, px.
const SAME_WITHIN_PX: f64 = 0.5;

/// Rows of more columns have pictures so small that thick lines would hide them.
const MAX_THICK_COLUMNS: usize = 9;

pub(super) fn card(group: &SampledGroup, settings: &Settings) -> Markup {
    let kind = settings.kind;
    let mut images = group.strips.iter().flat_map(|strip| &strip.images);
    let first = images.next().and_then(|image| image.truths.first());
    let (_, name) = group.name.rsplit_once('/').unwrap_or(("", &group.name));
    let title = match kind {
        SetKind::TrackingNet => name
            .rsplit_once('.')
            .map_or(name, |(stem, _)| stem)
            .to_owned(),
        SetKind::Got10k | SetKind::Pascal3d => name.to_owned(),
        SetKind::Coco | SetKind::Voc => group.name.clone(),
        SetKind::Aloi => format!("object {name}"),
    };
    let is_of_one = !matches!(kind, SetKind::Pascal3d | SetKind::Coco | SetKind::Voc);
    let label = first.filter(|_| is_of_one);
    html! {
        article {
            div.heading {
                h3 { (title) }
                @if let Some(truth) = label { span.label { (truth.category) } }
                span.number {
                    @if let Some(truth) = first {
                        @if !kind.is_scenes() { (truth.object) " · " }
                        (truth.half.name()) " half"
                    }
                    @if kind == SetKind::Pascal3d {
                        " · " (counted(group.num_images, "image")) " of the class"
                    }
                }
            }
            @for strip in &group.strips { (row(strip, settings)) }
        }
    }
}

fn row(strip: &SampledStrip, settings: &Settings) -> Markup {
    let (name, columns) = match strip.varied {
        Varied::Time => (None, 8),
        Varied::View => (Some("Views on the turntable".to_owned()), 12),
        Varied::LightDirection => (Some("Direction of the light".to_owned()), 8),
        Varied::LightColor => (Some("Colour of the light".to_owned()), 8),
        Varied::Azimuth { elevation_deg } => (Some(format!("Elevation {elevation_deg}°")), 12),
        Varied::Pair => (Some("Two objects".to_owned()), 6),
        Varied::Scene => (None, 1),
    };
    let class = match columns > MAX_THICK_COLUMNS {
        true => "tiles small",
        false => "tiles",
    };
    // A few columns are meant as large pictures, on a phone too.
    let on_phone = columns.div_ceil(3).min(4);
    let columns = format!("--columns:{columns};--on-phone:{on_phone}");
    html! {
        @if let Some(name) = name { p.how { (name) } }
        div class=(class) style=(columns) {
            @for image in &strip.images { (figure(image, strip.varied, settings)) }
        }
    }
}

fn figure(image: &SampledImage, varied: Varied, settings: &Settings) -> Markup {
    let (kind, size) = (settings.kind, settings.size);
    let shape = format!("aspect-ratio:{:.4}", aspect(size));
    let truths = &image.truths;
    let first = truths.first();
    let caption = match first {
        Some(_) if has_numbers(varied) => numbered_caption(truths),
        Some(truth) => caption(truth, varied, kind),
        None => Vec::new(),
    };
    let boxes = boxes(truths, varied, kind);
    let lit = first.filter(|_| has_lamps(varied));
    let lit = lit.and_then(|truth| aloi_image(&truth.image));
    html! {
        figure {
            div.picture style=(shape) {
                @match &image.picture {
                    Ok(picture) => {
                        img src=(data_uri(picture.media_type, &picture.bytes))
                            alt={ @if let Some(truth) = first { (truth.category) ", " (caption.join(", ")) } }
                            width=(size.width) height=(size.height);
                        @if !boxes.is_empty() {
                            (boxes_over(size, &boxes))
                        } @else if kind != SetKind::Aloi {
                            span.mark { "not visible" }
                        }
                    }
                    Err(why) => p { "This picture cannot be shown: " (why) },
                }
            }
            figcaption {
                @for (index, line) in caption.iter().enumerate() {
                    @if index == 0 { b { (line) } } @else { span { (line) } }
                }
                @if let Some(lit) = lit { (dial(&studio_lamps(&lit.lamps))) }
            }
        }
    }
}

/// An object that is visible in an image.
pub(super) struct Visible {
    /// Place of the object among the image's truths, from 1.
    pub number: usize,
    /// Box of the visible part.
    pub part: BoxXywh,
    /// Box of the whole object, where it differs.
    pub whole: Option<BoxXywh>,
}

/// The visible objects of an image; none for ALOI, whose truth has no boxes.
pub(super) fn visible(truths: &[Truth], kind: SetKind) -> impl Iterator<Item = Visible> {
    let with_boxes = if kind == SetKind::Aloi { &[] } else { truths };
    (1..).zip(with_boxes).filter_map(|(number, truth)| {
        let part = truth.box_xywh?;
        let edges = |b: BoxXywh| [b.x, b.y, b.x + b.w, b.y + b.h];
        let differs = |whole: &BoxXywh| {
            let mut pairs = edges(*whole).into_iter().zip(edges(part));
            whole.is_valid() && pairs.any(|(a, b)| (a - b).abs() > SAME_WITHIN_PX)
        };
        Some(Visible {
            number,
            part,
            whole: truth.full_box_xywh.filter(differs),
        })
    })
}

/// Dashed boxes of whole objects below solid boxes of their visible parts.
fn boxes(truths: &[Truth], varied: Varied, kind: SetKind) -> Vec<BoxOver> {
    let whole = visible(truths, kind).filter_map(|object| {
        Some(BoxOver {
            line: Line::Dashed,
            ..BoxOver::solid(object.whole?.into())
        })
    });
    let parts = visible(truths, kind).map(|object| BoxOver {
        name: has_numbers(varied).then(|| object.number.to_string()),
        ..BoxOver::solid(object.part.into())
    });
    whole.chain(parts).collect()
}

fn caption(truth: &Truth, varied: Varied, kind: SetKind) -> Vec<String> {
    // `r45`, `l1c1` or `i110` of `7_r45.png`.
    let name = truth
        .image
        .rsplit_once('_')
        .map_or("", |(_, suffix)| suffix);
    let name = name.trim_end_matches(".png");
    match varied {
        Varied::Time => {
            let azimuth = truth.azimuth.round().rem_euclid(360.0);
            let frame = truth.frame.map(|frame| format!("frame {frame}"));
            let mut lines: Vec<String> = frame.into_iter().collect();
            lines.push(format!("{} visible", percent(truth.visible_share)));
            lines.push(format!("azimuth {azimuth}°"));
            if kind == SetKind::Got10k {
                lines.push(format!(
                    "cover {}",
                    got10k::cover_level(truth.visible_share)
                ));
            }
            lines
        }
        Varied::View => vec![format!("{:.0}°", truth.azimuth)],
        Varied::LightDirection => {
            let light = name.trim_end_matches("c1");
            vec![light.to_owned(), side_of(truth).to_owned()]
        }
        Varied::LightColor => {
            let code = name.trim_start_matches('i').parse();
            let kelvin = code.map(|code| format!("{:.0} K", aloi::kelvin(code)));
            [name.to_owned()].into_iter().chain(kelvin).collect()
        }
        Varied::Azimuth { .. } | Varied::Pair | Varied::Scene => vec![angles(truth)],
    }
}

/// Whether the objects of an image are numbered.
fn has_numbers(varied: Varied) -> bool {
    matches!(varied, Varied::Pair | Varied::Scene)
}

fn numbered_caption(truths: &[Truth]) -> Vec<String> {
    let lines = (1..).zip(truths).map(|(number, truth)| {
        let percent = (100.0 * truth.visible_share).round();
        format!(
            "{number} {}, {}, {percent} % visible",
            truth.category,
            angles(truth)
        )
    });
    lines.collect()
}

/// Whole percents. 0 and 100 are exact.
fn percent(share: f64) -> String {
    match (100.0 * share).round() {
        0.0 if share > 0.0 => "under 1 %".to_owned(),
        100.0 if share < 1.0 => "over 99 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

fn angles(truth: &Truth) -> String {
    format!("{:.0}° / {:.0}°", truth.azimuth, truth.elevation)
}

/// Direction of the light, all lamps together.
fn side_of(truth: &Truth) -> &'static str {
    let num_lamps = aloi_image(&truth.image).map_or(0, |image| image.lamps.len());
    match truth.light.azimuth {
        _ if num_lamps > 2 => "all five lamps",
        azimuth if num_lamps == 2 && azimuth > 0.0 => "two on the right",
        _ if num_lamps == 2 => "two on the left",
        azimuth if azimuth > 60.0 => "from the far right",
        azimuth if azimuth > 10.0 => "from the right",
        azimuth if azimuth < -60.0 => "from the far left",
        azimuth if azimuth < -10.0 => "from the left",
        _ => "from the camera",
    }
}

/// The layout's entry of an image of ALOI, such as `png2/7/7_l1c1.png`.
fn aloi_image(path: &str) -> Option<aloi::AloiImage> {
    let id = path.strip_prefix("png2/")?.split('/').next()?;
    let mut images = aloi::images(id.parse().ok()?).into_iter();
    images.find(|image| image.path == path)
}

/// Whether a dial of lamps is drawn under the images of a strip.
pub(super) fn has_lamps(varied: Varied) -> bool {
    varied == Varied::LightDirection
}

/// Azimuth of every lamp of the studio, degrees, and whether it is on.
fn studio_lamps(lit: &[aloi::Lamp]) -> Vec<(f64, bool)> {
    let all = aloi_image("png2/1/1_l8c1.png").map(|image| image.lamps);
    let all = all.expect("the layout has an image with all lamps on");
    let lamp = |lamp: &aloi::Lamp| (lamp.azimuth_deg, lit.contains(lamp));
    all.iter().map(lamp).collect()
}

/// Lamps on their half circle around the object, with the camera below.
///
/// - `lamps`: degrees to the camera's right of the line from the object to the camera, and whether the lamp is on.
fn dial(lamps: &[(f64, bool)]) -> Markup {
    const RADIUS: f64 = 15.0;
    html! {
        svg.dial viewBox="-20 -5 40 32" aria-hidden="true" {
            rect x="-3.5" y="-3.5" width="7" height="7" {}
            path d="M-3 26 L0 21.5 L3 26 Z" {}
            @for &(azimuth_deg, is_lit) in lamps {
                @let (sin, cos) = azimuth_deg.to_radians().sin_cos();
                circle class=(if is_lit { "lamp lit" } else { "lamp" })
                    cx=(format!("{:.1}", RADIUS * sin)) cy=(format!("{:.1}", RADIUS * cos)) r="3" {}
            }
        }
    }
}

/// A small dial for the legend.
pub(super) fn dial_sample() -> Markup {
    dial(&[(72.0, true), (0.0, false), (-72.0, false)])
}
