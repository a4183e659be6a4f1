//! Chooses the annotated objects of a still image that become images of their own.

use vidpairs_pipeline::ObjectRule;
use vidpairs_shard::BoxCounts;
use vidpairs_types::{ImageObjects, KnownBoxes, OtherSize, PairPlan, SizePx, UnusableObject};

/// Most annotated objects of an image.
const MAX_OBJECTS: usize = 10_000;

/// Reasons to leave a box out that are damage of the annotation, not a rule.
const DAMAGE: [UnusableObject; 2] = [UnusableObject::Invalid, UnusableObject::Outside];

/// Why the objects of an image cannot be used. Refuse the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadObjects {
    /// The boxes were made for another image: a scaled copy, or the upright one.
    #[error(transparent)]
    OtherSize(#[from] OtherSize),
    /// More objects than any image has.
    #[error("it has {num} annotated objects; expected at most {MAX_OBJECTS}")]
    TooMany {
        /// Number of objects.
        num: usize,
    },
}

/// Plans for the objects of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPlans {
    /// A plan for each usable object. Its ordinal is that of the object in the annotation, from 0.
    pub plans: Vec<PairPlan>,
    /// All objects, and those left out by reason.
    pub counts: BoxCounts,
}

impl ObjectPlans {
    /// Damage of the annotation in words; `None` if it is sound.
    pub fn remark(&self) -> Option<String> {
        let left_out = |reason: &UnusableObject| self.counts.left_out.get(reason.name()).copied();
        let num: u64 = DAMAGE.iter().filter_map(left_out).sum();
        let annotated = self.counts.annotated;
        (num > 0).then(|| {
            format!("{num} of {annotated} annotated boxes are not valid or lie outside the image")
        })
    }
}

/// Plans an image for each object of a still image, in the order of the annotation. Left out, each counted once by the first reason
/// that holds:
///
/// - `crowd`, `difficult`: the mark of the object.
/// - `invalid`: no box, a side that is not positive, or a number that is not finite.
/// - `outside`: no part of the box lies in the image. Of other boxes the part in the image counts.
/// - `too_small`: that part has a side shorter than `rule.min_box_px`.
///
/// - `stored`: size of the stored image, px.
///
/// # Errors
/// [`BadObjects`].
pub fn plan_objects(
    found: &ImageObjects,
    stored: SizePx,
    rule: &ObjectRule,
) -> Result<ObjectPlans, BadObjects> {
    found.check_size(stored)?;
    let num = found.objects.len();
    if num > MAX_OBJECTS {
        return Err(BadObjects::TooMany { num });
    }
    let mut planned = ObjectPlans {
        plans: Vec::new(),
        counts: BoxCounts::default(),
    };
    for (ordinal, object) in (0..).zip(&found.objects) {
        planned.counts.annotated += 1;
        match object.usable_box(stored, rule.min_box_px) {
            Ok(bbox) => planned.plans.push(PairPlan {
                ordinal,
                anchor: 0,
                positive: None,
                boxes: Some(KnownBoxes::Object {
                    bbox,
                    label: object.label.clone(),
                }),
                is_followed: false,
            }),
            Err(reason) => {
                let left_out = &mut planned.counts.left_out;
                *left_out.entry(reason.name().to_owned()).or_default() += 1;
            }
        }
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use vidpairs_types::{AnnotatedObject, BoxXywh, ObjectMark};

    use super::*;

    const STORED: SizePx = SizePx {
        width: 100,
        height: 80,
    };

    fn object(bbox: Option<[f64; 4]>, mark: Option<ObjectMark>) -> AnnotatedObject {
        AnnotatedObject {
            bbox: bbox.map(BoxXywh::from),
            label: "dog".into(),
            mark,
        }
    }

    fn rule(min_box_px: u32) -> ObjectRule {
        ObjectRule {
            boxes: true,
            box_scale: 1.0,
            min_box_px,
        }
    }

    #[test]
    fn each_object_is_an_image_or_counted_with_the_reason_why_not() {
        let found = ImageObjects {
            image_size: Some(STORED),
            objects: vec![
                object(Some([10.0, 10.0, 30.0, 24.0]), None),
                object(Some([10.0, 10.0, 30.0, 23.9]), None),
                object(Some([0.0, 0.0, 99.0, 70.0]), Some(ObjectMark::Crowd)),
                object(None, Some(ObjectMark::Difficult)),
                object(None, None),
                object(Some([1.0, 1.0, f64::NAN, 40.0]), None),
                object(Some([100.0, 1.0, 40.0, 40.0]), None),
                // Cut by the image: 25 px of 40 are inside, and 23.
                object(Some([75.0, -20.0, 40.0, 60.0]), None),
                object(Some([77.0, 1.0, 40.0, 40.0]), None),
            ],
        };
        let planned = plan_objects(&found, STORED, &rule(24)).unwrap();
        let boxes: Vec<_> = planned
            .plans
            .iter()
            .map(|plan| match &plan.boxes {
                Some(KnownBoxes::Object { bbox, .. }) => (plan.ordinal, <[f64; 4]>::from(*bbox)),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [(0, [10.0, 10.0, 30.0, 24.0]), (7, [75.0, 0.0, 25.0, 40.0])];
        assert_eq!(boxes, expected);
        let reasons = [
            ("crowd", 1),
            ("difficult", 1),
            ("invalid", 2),
            ("outside", 1),
            ("too_small", 2),
        ];
        let reasons = reasons.map(|(reason, num)| (reason.to_owned(), num));
        assert_eq!(planned.counts.left_out, reasons.into());
        assert_eq!(
            (planned.counts.annotated, planned.counts.num_left_out()),
            (9, 7)
        );
        let remark = "3 of 9 annotated boxes are not valid or lie outside the image";
        assert_eq!(planned.remark().as_deref(), Some(remark));
    }

    #[test]
    fn boxes_of_an_image_of_another_size_are_refused() {
        let mut found = ImageObjects {
            image_size: Some(STORED.turned()),
            objects: vec![object(Some([1.0, 1.0, 50.0, 50.0]), None); MAX_OBJECTS + 1],
        };
        let plan = |found: &ImageObjects| plan_objects(found, STORED, &rule(1)).unwrap_err();
        let text = plan(&found).to_string();
        assert!(
            text.contains("80 x 100 px, but the stored image has 100 x 80 px"),
            "{text}"
        );
        found.image_size = None;
        assert_eq!(plan(&found), BadObjects::TooMany { num: 10_001 });
        found.objects.pop();
        let planned = plan_objects(&found, STORED, &rule(1)).unwrap();
        assert_eq!((planned.plans.len(), planned.remark()), (MAX_OBJECTS, None));
    }
}
