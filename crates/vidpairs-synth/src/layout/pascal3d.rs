//! Layout of PASCAL3D+ 1.1: images per class, and a `.mat` file per image with the box and viewpoint of each object.
//!
//! From the release (its MATLAB code and the public loaders of its files): the folders; `record` with `objects` in it; the
//! names and meanings of the fields below; boxes with inclusive corners counted from 1; `viewport` 3000 and `focal` 1.
//! Our choice: coarse angles are the angles rounded to [`INTERVAL_DEG`]; `error` and `num_anchor` are 0 and `anchors` is
//! empty, since nobody annotated by hand; `source` and `database` name this program; other VOC fields (`polygon`, `mask`,
//! `part`, ...) are left out, as in many files of the release.

use vidpairs_types::{BoxXywh, SizePx};

use super::mat::{Fields, Mat, MatError, to_bytes};

/// Step of the coarse angles, degrees.
pub const INTERVAL_DEG: f64 = 15.0;

/// Pixels per unit of focal length; the same in every viewpoint of the release.
pub const VIEWPORT: f64 = 3000.0;

/// Source of an image in the release; part of the folder's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// ImageNet: one relevant object per image; lists divide the images into sets.
    ImageNet,
    /// PASCAL VOC 2012: several objects per image.
    Pascal,
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Self::ImageNet => "imagenet",
            Self::Pascal => "pascal",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::ImageNet => "JPEG",
            Self::Pascal => "jpg",
        }
    }
}

/// List in `Image_sets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSet {
    /// Training images.
    Train,
    /// Validation images.
    Val,
}

/// Path of an image below the root: `Images/car_imagenet/<id>.JPEG`.
pub fn image_path(class: &str, origin: Origin, id: &str) -> String {
    let folder = format!("{class}_{}", origin.name());
    format!("Images/{folder}/{id}.{}", origin.extension())
}

/// Path of an annotation below the root: `Annotations/car_imagenet/<id>.mat`.
pub fn annotation_path(class: &str, origin: Origin, id: &str) -> String {
    format!("Annotations/{class}_{}/{id}.mat", origin.name())
}

/// Path of the list of a class's ImageNet images: `Image_sets/car_imagenet_train.txt`.
pub fn image_set_path(class: &str, set: ImageSet) -> String {
    let set = match set {
        ImageSet::Train => "train",
        ImageSet::Val => "val",
    };
    format!("Image_sets/{class}_imagenet_{set}.txt")
}

/// Content of a list of images: an id per line.
pub fn image_set_text<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    ids.into_iter().map(|id| format!("{id}\n")).collect()
}

/// Viewpoint of the camera on an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewpoint {
    /// Azimuth of the camera, degrees from the object's front, counterclockwise seen from above; stored modulo 360.
    pub azimuth_deg: f64,
    /// Elevation of the camera above the object's horizon, degrees.
    pub elevation_deg: f64,
    /// In-plane rotation of the camera, degrees.
    pub theta_deg: f64,
    /// Distance from the camera to the object's centre, in units of about the object's size; above 0, as readers take 0
    /// as a viewpoint of which only the coarse angles are known.
    pub distance: f64,
    /// Position of the object's centre in the image, px.
    pub principal_px: [f64; 2],
}

/// One object of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Class: `car`.
    pub class: String,
    /// Bounding box, px.
    pub box_xywh: BoxXywh,
    /// Whether a part of the object lies outside the image.
    pub truncated: bool,
    /// Whether something hides a part of the object.
    pub occluded: bool,
    /// Whether the object is hard to recognize; most protocols ignore such objects.
    pub difficult: bool,
    /// Index of the object's model in its class, from 1.
    pub cad_index: u32,
    /// Viewpoint of the camera.
    pub viewpoint: Viewpoint,
}

/// Annotation of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Class of the folder that holds the image.
    pub class: String,
    /// Source of the image.
    pub origin: Origin,
    /// File name without extension.
    pub id: String,
    /// Size of the image, px.
    pub size: SizePx,
    /// Objects in the order of the file; for [`Origin::ImageNet`] only the first is relevant.
    pub objects: Vec<Object>,
}

impl Record {
    /// Bytes of the `.mat` file, with the variable `record`.
    ///
    /// # Errors
    /// [`MatError`] if a name is not ASCII.
    pub fn to_mat(&self) -> Result<Vec<u8>, MatError> {
        let filename = format!("{}.{}", self.id, self.origin.extension());
        let folder = format!("{}_{}", self.class, self.origin.name());
        let [width, height] = <[u32; 2]>::from(self.size).map(f64::from);
        let source = vec![
            ("database", Mat::text("vidpairs synth")),
            ("annotation", Mat::text("vidpairs synth")),
            ("image", Mat::text("rendered")),
        ];
        let size = vec![
            ("width", Mat::Number(width)),
            ("height", Mat::Number(height)),
            ("depth", Mat::Number(3.0)),
        ];
        let record = vec![
            ("folder", Mat::text(&*folder)),
            ("filename", Mat::text(&*filename)),
            ("source", Mat::structure(source)),
            ("size", Mat::structure(size)),
            ("segmented", Mat::flag(false)),
            ("imgname", Mat::Text(format!("{folder}/{filename}"))),
            ("imgsize", Mat::Row(vec![width, height, 3.0])),
            ("database", Mat::text("vidpairs synth")),
            (
                "objects",
                Mat::Structs(self.objects.iter().map(object).collect()),
            ),
        ];
        to_bytes("record", &Mat::structure(record))
    }
}

fn object(object: &Object) -> Fields {
    vec![
        ("class", Mat::text(&*object.class)),
        ("view", Mat::text("")),
        ("truncated", Mat::flag(object.truncated)),
        ("occluded", Mat::flag(object.occluded)),
        ("difficult", Mat::flag(object.difficult)),
        (
            "bbox",
            Mat::Row(inclusive_corners(object.box_xywh).to_vec()),
        ),
        ("viewpoint", Mat::structure(viewpoint(&object.viewpoint))),
        ("cad_index", Mat::Number(f64::from(object.cad_index))),
        ("anchors", Mat::Empty),
    ]
}

/// Left, top, right and bottom pixel of a box, counted from 1 and inclusive.
fn inclusive_corners(bbox: BoxXywh) -> [f64; 4] {
    let BoxXywh { x, y, w, h } = bbox;
    [x + 1.0, y + 1.0, x + w, y + h]
}

fn viewpoint(view: &Viewpoint) -> Fields {
    let azimuth = view.azimuth_deg.rem_euclid(360.0);
    let coarse = |angle: f64| (angle / INTERVAL_DEG).round() * INTERVAL_DEG;
    // Rounding can give 360, and so can the remainder of a tiny negative angle.
    let below_360 = |angle: f64| if angle >= 360.0 { 0.0 } else { angle };
    let [px, py] = view.principal_px;
    let numbers = [
        ("azimuth_coarse", below_360(coarse(azimuth))),
        ("elevation_coarse", coarse(view.elevation_deg)),
        ("azimuth", below_360(azimuth)),
        ("elevation", view.elevation_deg),
        ("distance", view.distance),
        ("focal", 1.0),
        ("px", px),
        ("py", py),
        ("theta", view.theta_deg),
        ("error", 0.0),
        ("interval_azimuth", INTERVAL_DEG),
        ("interval_elevation", INTERVAL_DEG),
        ("num_anchor", 0.0),
        ("viewport", VIEWPORT),
    ];
    Vec::from(numbers.map(|(name, number)| (name, Mat::Number(number))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(azimuth_deg: f64) -> Record {
        let viewpoint = Viewpoint {
            azimuth_deg,
            elevation_deg: 22.0,
            theta_deg: 0.0,
            distance: 4.5,
            principal_px: [160.0, 120.0],
        };
        let object = Object {
            class: "car".to_owned(),
            box_xywh: [10.0, 20.0, 100.0, 50.0].into(),
            truncated: true,
            occluded: false,
            difficult: false,
            cad_index: 3,
            viewpoint,
        };
        Record {
            class: "car".to_owned(),
            origin: Origin::ImageNet,
            id: "n1_2".to_owned(),
            size: [320, 240].into(),
            objects: vec![object],
        }
    }

    #[test]
    fn paths_are_those_of_the_release() {
        let image = |origin| image_path("car", origin, "a_1");
        assert_eq!(image(Origin::ImageNet), "Images/car_imagenet/a_1.JPEG");
        assert_eq!(image(Origin::Pascal), "Images/car_pascal/a_1.jpg");
        assert_eq!(
            annotation_path("car", Origin::Pascal, "a_1"),
            "Annotations/car_pascal/a_1.mat"
        );
        assert_eq!(
            image_set_path("car", ImageSet::Val),
            "Image_sets/car_imagenet_val.txt"
        );
        assert_eq!(image_set_text(["a", "b"]), "a\nb\n");
    }

    #[test]
    fn the_corners_of_a_box_are_inclusive_and_counted_from_1() {
        let corner = [0.0, 0.0, 1.0, 1.0].into();
        assert_eq!(inclusive_corners(corner), [1.0, 1.0, 1.0, 1.0]);
        let whole = [0.0, 0.0, 320.0, 240.0].into();
        assert_eq!(inclusive_corners(whole), [1.0, 1.0, 320.0, 240.0]);
    }

    #[test]
    fn azimuths_are_stored_modulo_360_and_coarse_angles_as_multiples_of_15() {
        for (azimuth, expected, coarse) in [
            (359.0, 359.0, 0.0),
            (-10.0, 350.0, 345.0),
            (380.0, 20.0, 15.0),
            (-1e-20, 0.0, 0.0),
        ] {
            let bytes = record(azimuth).to_mat().unwrap();
            let read = matrw::load_matfile_from_u8(&bytes).unwrap();
            let view = &read["record"]["objects"]["viewpoint"];
            assert_eq!(view["azimuth"].to_vec_f64(), Some(vec![expected]));
            assert_eq!(view["azimuth_coarse"].to_vec_f64(), Some(vec![coarse]));
            assert_eq!(view["elevation_coarse"].to_vec_f64(), Some(vec![15.0]));
        }
    }
}
