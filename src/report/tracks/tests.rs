use super::*;

fn page() -> TracksPage {
    let bbox = BoxXywh::from([10.0, 20.0, 30.0, 40.0]);
    let frame_size = SizePx {
        width: 320,
        height: 240,
    };
    let tile = |frame, jpeg, truth| TrackTile {
        frame,
        frame_size,
        jpeg,
        truth,
        boxes: vec![Some((bbox, Some(0.25))), None],
    };
    TracksPage {
        title: "a <b>".to_owned(),
        trackers: vec!["dcf".to_owned(), "kcf".to_owned()],
        scores: vec![vec!["tracker".to_owned()], vec!["dcf".to_owned()]],
        cards: vec![TrackCard {
            title: "street/7".to_owned(),
            first_frame: 12,
            tiles: vec![
                tile(0, Ok(vec![1, 2, 3]), Some(bbox)),
                tile(5, Err("damaged".to_owned()), None),
            ],
            curves: vec![
                Some(TrackCurve {
                    overlap: vec![None, Some(0.5), Some(0.25)],
                    confidence: vec![Some(1.0); 3],
                }),
                None,
            ],
            ..TrackCard::default()
        }],
        ..TracksPage::default()
    }
}

#[test]
fn true_and_tracked_boxes_are_drawn_in_lines_of_their_own() {
    let html = render_tracks(&page());
    for class in ["line truth", "line t0", "line t1", "curve t0"] {
        assert!(html.contains(&format!("class=\"{class}\"")), "{class}");
    }
    // Of the tracker that failed there is a key, and nothing else.
    assert_eq!(html.matches("class=\"line t1\"").count(), 1);
    assert!(html.contains("a &lt;b&gt;") && html.contains("frame 0 (12 of the video)"));
}

#[test]
fn a_frame_that_cannot_be_shown_says_why() {
    assert!(render_tracks(&page()).contains("This frame cannot be shown: damaged"));
    assert!(render_tracks(&TracksPage::default()).contains("There is no sequence to show."));
}
