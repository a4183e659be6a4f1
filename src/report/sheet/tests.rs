use super::*;

const JPEG: &[u8] = b"\xff\xd8jpeg";

fn size(width: u32, height: u32) -> SizePx {
    SizePx { width, height }
}

fn seen(visible: [f64; 4], full: [f64; 4]) -> TileBox {
    TileBox {
        visible: visible.into(),
        full: Some(full.into()),
        name: None,
    }
}

fn tile(boxes: Vec<TileBox>) -> Tile {
    Tile {
        picture: Ok(Picture {
            media_type: "image/jpeg",
            bytes: JPEG.to_vec(),
        }),
        frame_size: size(320, 240),
        alt: "a \"chair\"".to_owned(),
        boxes,
        mark: None,
        lamps: Vec::new(),
        caption: vec!["frame 7".to_owned(), "50 % seen".to_owned()],
    }
}

fn page_of(tile: Tile) -> String {
    render(&Sheet {
        title: "a <i>title</i>".to_owned(),
        credits: vec![Credit {
            who: "<b>Ann</b> (CC BY)".to_owned(),
            what: "chair".to_owned(),
        }],
        cards: vec![Card {
            title: "<script>".to_owned(),
            label: Some("a&b".to_owned()),
            strips: vec![Strip {
                name: Some("<u>".to_owned()),
                num_columns: 8,
                tiles: vec![tile],
            }],
            ..Card::default()
        }],
        ..Sheet::default()
    })
}

#[test]
fn a_page_asks_for_no_other_file_and_shows_words_as_they_are() {
    let html = page_of(tile(Vec::new()));
    assert!(
        html.contains("<img src=\"data:image/jpeg;base64,/9hqcGVn\" alt=\"a &quot;chair&quot;\"")
    );
    for outside in [
        "http:", "https:", "url(", "@import", "<script", "<link", "href=",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    for words in [
        "&lt;script&gt;",
        "a&amp;b",
        "&lt;u&gt;",
        "&lt;b&gt;Ann&lt;/b&gt; (CC BY)",
    ] {
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn the_whole_box_is_dashed_and_drawn_only_where_it_differs() {
    let visible = [10.0, 20.0, 30.0, 40.0];
    let page = page_of(tile(vec![seen(visible, visible)]));
    let legend_and_card = body(&page);
    assert_eq!(
        legend_and_card
            .matches("width=\"30\" height=\"40\"")
            .count(),
        2
    );
    assert!(!legend_and_card.contains("dashed"));
    let page = page_of(tile(vec![seen(visible, [-5.0, 20.0, 45.0, 40.0])]));
    let html = body(&page);
    assert!(html.contains("class=\"halo dashed\" x=\"-5\" y=\"20\" width=\"45\" height=\"40\""));
    let dashed = html.rfind("box dashed").unwrap();
    assert!(
        html.rfind("class=\"box\"").unwrap() > dashed,
        "the solid line lies on top"
    );
    assert!(html.contains("viewBox=\"0 0 320 240\""));
    assert!(html.contains("All of it, with what is hidden"));
}

#[test]
fn a_picture_without_its_object_is_marked_and_has_no_box() {
    let absent = Tile {
        mark: Some("not in sight"),
        ..tile(Vec::new())
    };
    let page = page_of(absent);
    let html = body(&page);
    assert!(html.contains("<span class=\"mark\">not in sight</span>"));
    assert!(!html.contains("<rect"));
}

#[test]
fn a_picture_that_cannot_be_shown_says_why_in_its_place() {
    let broken = Tile {
        picture: Err("no such frame".to_owned()),
        ..tile(vec![seen([1.0; 4], [1.0; 4])])
    };
    let page = page_of(broken);
    let html = body(&page);
    assert!(html.contains("This picture cannot be shown: no such frame"));
    assert!(html.contains("<b>frame 7</b><span>50 % seen</span>"));
    assert!(!html.contains("<img"));
}

#[test]
fn a_lamp_at_the_right_is_drawn_at_the_right_and_the_camera_below() {
    let lamp = |azimuth_deg, is_lit| Lamp {
        azimuth_deg,
        is_lit,
    };
    let lit = Tile {
        lamps: vec![lamp(90.0, true), lamp(0.0, false)],
        ..tile(Vec::new())
    };
    let page = page_of(lit);
    let html = body(&page);
    assert!(html.contains("<circle class=\"lamp lit\" cx=\"15.0\" cy=\"0.0\" r=\"3\">"));
    assert!(html.contains("<circle class=\"lamp\" cx=\"0.0\" cy=\"15.0\" r=\"3\">"));
}

#[test]
fn a_set_without_an_image_says_so() {
    assert!(render(&Sheet::default()).contains("The set holds no image."));
}

/// What stands after the styles.
fn body(html: &str) -> &str {
    html.split_once("</style>").unwrap().1
}
