use vidpairs_run::SetAside;
use vidpairs_synth::catalog::Half;
use vidpairs_synth::run::{
    Credit, SampledGroup, SampledImage, SampledPicture, SampledStrip, Varied,
};
use vidpairs_synth::set::{Contents, ImageSettings, Settings};
use vidpairs_synth::truth::{LightTruth, Truth};
use vidpairs_types::SizePx;

use super::*;

const JPEG: &[u8] = b"\xff\xd8jpeg";

/// An object whose visible part and whole fill the given boxes, px.
fn truth(visible: Option<[f64; 4]>, whole: [f64; 4]) -> Truth {
    Truth {
        image: "val/GOT-10k_Val_000001".to_owned(),
        frame: Some(7),
        object: "Scopia#<u>".to_owned(),
        category: "a \"chair\" & <b>".to_owned(),
        half: Half::HeldOut,
        azimuth: 359.7,
        elevation: 30.0,
        light: LightTruth {
            azimuth: 72.0,
            elevation: 40.0,
            color: [1.0; 3],
            strength: 1.0,
        },
        visible_share: 0.5,
        cut_by_image: false,
        box_xywh: visible.map(Into::into),
        full_box_xywh: Some(whole.into()),
        mask: None,
    }
}

fn image(truths: Vec<Truth>) -> SampledImage {
    SampledImage {
        truths,
        picture: Ok(SampledPicture {
            media_type: "image/jpeg",
            bytes: JPEG.to_vec(),
        }),
    }
}

/// The page of a set that holds one image.
fn page_of(kind: SetKind, varied: Varied, image: SampledImage) -> String {
    let strips = vec![SampledStrip {
        varied,
        images: vec![image],
    }];
    let group = SampledGroup {
        name: "val/<script>".to_owned(),
        num_images: 1,
        strips,
    };
    render("/data/a <i>title".as_ref(), &set(kind, vec![group]))
}

/// The page of a video that holds one frame.
fn frame_page(image: SampledImage) -> String {
    page_of(SetKind::Got10k, Varied::Time, image)
}

fn set(kind: SetKind, groups: Vec<SampledGroup>) -> SampledSet {
    SampledSet {
        program_version: "1.2.3".to_owned(),
        settings: Settings {
            kind,
            seed: 7,
            categories: Vec::new(),
            size: SizePx {
                width: 320,
                height: 240,
            },
            quality: 90,
            contents: Contents::Images(ImageSettings {
                half: None,
                num_objects: 3,
                num_azimuths: 12,
                elevations_deg: vec![0, 30],
                noise: 1.0,
            }),
        },
        num_backgrounds: 0,
        num_images: 1234,
        num_objects: 1,
        credits: vec![
            credit("", "BY", "lamp"),
            credit("<b>Ann</b>", "CC BY", "chair"),
            credit("<b>Ann</b>", "CC BY", "chair"),
        ],
        set_aside: SetAside::default(),
        num_unreadable_truths: 0,
        num_groups: groups.len() as u64,
        groups,
        scaled_to_px: None,
    }
}

fn credit(creator: &str, licence: &str, name: &str) -> Credit {
    Credit {
        object: String::new(),
        name: name.to_owned(),
        creator: creator.to_owned(),
        licence: licence.to_owned(),
    }
}

/// The part after the style sheet.
fn body(html: &str) -> &str {
    html.split_once("</style>").unwrap().1
}

const BOX: [f64; 4] = [10.0, 20.0, 30.0, 40.0];

#[test]
fn a_page_refers_to_no_other_file_and_escapes_markup() {
    let html = frame_page(image(vec![truth(Some(BOX), BOX)]));
    assert!(html.contains(
        "<img src=\"data:image/jpeg;base64,/9hqcGVn\" alt=\"a &quot;chair&quot; &amp; &lt;b&gt;, frame 7, "
    ));
    for outside in [
        "http:", "https:", "url(", "@import", "<script", "<link", "href=",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    for text in [
        "a &lt;i&gt;title",
        "<h3>&lt;script&gt;</h3>",
        "Scopia#&lt;u&gt; · held-out half",
        "<strong>&lt;b&gt;Ann&lt;/b&gt; (CC BY)</strong>: 2 objects (chair",
    ] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn the_head_tells_what_the_set_holds_who_made_its_objects_and_which_part_is_shown() {
    let html = frame_page(image(vec![truth(Some(BOX), BOX)]));
    for text in [
        "1,234 images in the layout of GOT-10k, 1 object",
        "<dt>image size</dt><dd>320 x 240 px, JPEG quality 90</dd>",
        "<dt>objects</dt><dd>both halves</dd>",
        "<dd>vidpairs 1.2.3</dd>",
        "Shown: all 1 video. The pictures are the files of the set; boxes and numbers come from truth.jsonl.",
    ] {
        assert!(html.contains(text), "{text}");
    }
    let (most, least) = (
        html.find("(CC BY)").unwrap(),
        html.find("unknown (BY)").unwrap(),
    );
    assert!(most < least, "the author of the most objects comes first");
    let mut part = set(SetKind::Pascal3d, Vec::new());
    part.num_groups = 12;
    part.scaled_to_px = Some(120);
    let choice = head::choice(&part);
    assert!(
        choice.starts_with("Shown: 0 of 12 classes, evenly spread"),
        "{choice}"
    );
    assert!(
        choice.contains("a short side of at most 120 px"),
        "{choice}"
    );
}

#[test]
fn the_box_of_the_whole_object_is_dashed_and_drawn_only_where_it_differs() {
    let page = frame_page(image(vec![truth(Some(BOX), BOX)]));
    let same = body(&page);
    assert_eq!(same.matches("width=\"30\" height=\"40\"").count(), 2);
    assert!(!same.contains("dashed"));
    let page = frame_page(image(vec![truth(Some(BOX), [-5.0, 20.0, 45.0, 40.0])]));
    let html = body(&page);
    assert!(html.contains("class=\"halo dashed\" x=\"-5\" y=\"20\" width=\"45\" height=\"40\""));
    let dashed = html.rfind("box dashed").unwrap();
    assert!(
        html.rfind("class=\"box\"").unwrap() > dashed,
        "the solid line lies on top"
    );
    assert!(html.contains("viewBox=\"0 0 320 240\""));
    assert!(html.contains("Whole object, where parts of it are hidden"));
}

#[test]
fn the_boxes_of_two_objects_are_numbered() {
    let objects = vec![
        truth(Some(BOX), BOX),
        truth(None, BOX),
        truth(Some(BOX), BOX),
    ];
    let page = page_of(SetKind::Pascal3d, Varied::Pair, image(objects));
    let html = body(&page);
    for number in [">1</text>", ">3</text>"] {
        assert!(html.contains(number), "{number}");
    }
    assert!(
        !html.contains(">2</text>"),
        "the second object is not visible"
    );
    assert!(
        html.contains(
            "<span>3 a &quot;chair&quot; &amp; &lt;b&gt;, 360° / 30°, 50 % visible</span>"
        )
    );
}

#[test]
fn a_picture_without_its_object_is_marked_and_has_no_box() {
    let page = frame_page(image(vec![truth(None, BOX)]));
    let html = body(&page);
    assert!(html.contains("<span class=\"mark\">not visible</span>"));
    assert!(!html.contains("<rect"));
}

#[test]
fn a_picture_that_cannot_be_shown_gives_the_reason_in_its_place() {
    let broken = SampledImage {
        picture: Err("no such frame".to_owned()),
        ..image(vec![truth(Some(BOX), BOX)])
    };
    let page = frame_page(broken);
    let html = body(&page);
    assert!(html.contains("This picture cannot be shown: no such frame"));
    assert!(html.contains("<b>frame 7</b><span>50 % visible</span><span>azimuth 0°</span>"));
    assert!(!html.contains("<img"));
}

#[test]
fn the_rightmost_lamp_is_drawn_at_the_right_and_the_camera_below() {
    let lit = Truth {
        image: "png2/7/7_l1c1.png".to_owned(),
        ..truth(None, BOX)
    };
    let page = page_of(SetKind::Aloi, Varied::LightDirection, image(vec![lit]));
    let (_, figure) = body(&page).split_once("<figure>").unwrap();
    assert_eq!(figure.matches("class=\"lamp lit\"").count(), 1);
    assert_eq!(figure.matches("class=\"lamp\"").count(), 4);
    // 72 degrees to the right, on a circle of radius 15.
    assert!(figure.contains("<circle class=\"lamp lit\" cx=\"14.3\" cy=\"4.6\" r=\"3\">"));
    assert!(figure.contains("<circle class=\"lamp\" cx=\"0.0\" cy=\"15.0\" r=\"3\">"));
    assert!(figure.contains("<b>l1</b><span>from the far right</span>"));
    assert!(!figure.contains("mark"), "ALOI has no boxes");
}

#[test]
fn a_set_without_images_says_so() {
    let empty = set(SetKind::Aloi, Vec::new());
    assert!(render("/data/a".as_ref(), &empty).contains("The set contains no images."));
}

#[test]
fn the_objects_of_a_scene_are_numbered_in_the_picture_and_below_it() {
    let objects = [BOX, [5.0, 5.0, 9.0, 9.0]].map(|part| truth(Some(part), part));
    let page = page_of(SetKind::Coco, Varied::Scene, image(objects.to_vec()));
    let page = body(&page);
    for words in [
        ">1</text>",
        ">2</text>",
        "<b>1 a ",
        "<span>2 a ",
        "50 % visible",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    assert!(page.contains("class=\"grid scenes\"") && page.contains("MSCOCO"));
    // The card is about the image, not about one of its objects.
    assert!(!page.contains("Scopia#"), "{page}");
}
