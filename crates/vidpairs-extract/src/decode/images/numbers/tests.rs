use super::*;

fn owned<S: AsRef<str>>(names: &[S]) -> Vec<String> {
    names.iter().map(|name| name.as_ref().to_owned()).collect()
}

fn index<S: AsRef<str>>(names: &[S]) -> ImagesIndex {
    ImagesIndex::new(owned(names), None, None).unwrap()
}

/// Frame index of each of `names`, which are in the true order.
fn places<S: AsRef<str>>(names: &[S]) -> Vec<u64> {
    let mut shuffled = owned(names);
    shuffled.sort_by_key(|name| name.bytes().rev().collect::<Vec<_>>());
    let index = index(&shuffled);
    assert_eq!(index.names, owned(names));
    index
        .present
        .unwrap_or_else(|| (0..names.len() as u64).collect())
}

fn refusal<S: AsRef<str>>(names: &[S]) -> String {
    let index = ImagesIndex::new(owned(names), None, None);
    index.err().expect("the names give no order").to_string()
}

fn numbered(count: usize, name: impl Fn(usize) -> String) -> Vec<String> {
    (0..count).map(name).collect()
}

fn consecutive(count: u64) -> Vec<u64> {
    (0..count).collect()
}

#[test]
fn frames_are_ordered_by_number_not_by_name() {
    let index = index(&["10.jpg", "9.jpg", "8.JPEG", "11.JPG"]);
    assert_eq!(index.names, ["8.JPEG", "9.jpg", "10.jpg", "11.JPG"]);
    assert_eq!((index.num_frames(), index.present), (4, None));
}

#[test]
fn a_missing_number_is_a_missing_frame() {
    let index = index(&["a_0001.jpg", "a_0002.jpg", "a_0005.jpg"]);
    assert_eq!(index.num_frames(), 5);
    assert_eq!(index.present.as_deref(), Some(&[0, 1, 4][..]));
    assert_eq!((index.name(4), index.name(3)), (Some("a_0005.jpg"), None));
    assert_eq!(places(&["000.jpg", "010.jpg", "030.jpg"]), [0, 10, 30]);
    assert_eq!(
        places(&["12.jpg", "57.jpg", "60.jpg", "130.jpg"]),
        [0, 45, 48, 118]
    );
}

#[test]
fn times_in_seconds_and_microseconds_are_one_number() {
    // The first names of rgbd_dataset_freiburg1_xyz (TUM RGB-D).
    let mut names = owned(&[
        "1305031102.175304.jpg",
        "1305031102.211214.jpg",
        "1305031102.243211.jpg",
        "1305031102.275326.jpg",
        "1305031102.311267.jpg",
        "1305031102.343233.jpg",
        "1305031102.375329.jpg",
        "1305031102.411258.jpg",
        "1305031102.443271.jpg",
        "1305031102.475318.jpg",
        "1305031102.511219.jpg",
        "1305031102.543220.jpg",
    ]);
    assert_eq!(places(&names), consecutive(12));
    names.extend(owned(&["1305031103.011223.jpg", "1305031103.043227.jpg"]));
    // From 0.543220 to 1.011223 is 14 steps of 0.032 to 0.036 s.
    assert_eq!(places(&names)[11..], [11, 25, 26]);
    for separator in [".", "_", "-"] {
        let name = |at: usize| {
            let micros = 900_000 + 33_333 * at;
            format!(
                "{}{separator}{:06}.png",
                7 + micros / 1_000_000,
                micros % 1_000_000
            )
        };
        assert_eq!(places(&numbered(60, name)), consecutive(60));
    }
}

#[test]
fn clock_times_are_in_the_order_of_time() {
    let clock = |at: usize, marks: [&str; 2]| {
        let second = 12 * 3600 + 58 * 60 + 50 + at;
        let [hour_mark, minute_mark] = marks;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("day_{hour:02}{hour_mark}{minute:02}{minute_mark}{second:02}.jpg")
    };
    for marks in [["-", "-"], [".", "."], ["h", "m"]] {
        let names = numbered(200, |at| clock(at, marks));
        assert_eq!(places(&names), consecutive(200), "{marks:?}");
    }
    let minutes = numbered(150, |at| format!("x {:02}_{:02}.jpg", at / 60, at % 60));
    assert_eq!(places(&minutes), consecutive(150));
}

#[test]
fn dates_are_in_the_order_of_the_calendar() {
    let days = [
        "2024-02-28.jpg",
        "2024-02-29.jpg",
        "2024-03-01.jpg",
        "2024-03-02.jpg",
    ];
    assert_eq!(places(&days), [0, 1, 2, 3]);
    let days = ["20231231.jpg", "20240101.jpg", "20240103.jpg"];
    assert_eq!(places(&days), [0, 1, 3]);
    for name in [
        |minute: usize, second: usize| format!("IMG_20231231_23{minute:02}{second:02}.jpg"),
        |minute, second| format!("20231231T23{minute:02}{second:02}Z.jpg"),
        |minute, second| format!("20231231-23{minute:02}{second:02}250.jpg"),
        |minute, second| format!("2023-12-31 23.{minute:02}.{second:02}.jpg"),
        |minute, second| format!("cam1_2023-12-31T23-{minute:02}-{second:02}.250.jpg"),
        |minute, second| format!("2023123123{minute:02}{second:02}.jpg"),
    ] {
        let names = numbered(100, |at| name(at / 60, at % 60));
        assert_eq!(places(&names), consecutive(100), "{}", names[0]);
    }
    // 0.25 s, over midnight and a change of the year.
    let name = |at: usize| match at {
        0..8 => format!("2023-12-31_23-59-{:02}.{:02}.jpg", 58 + at / 4, at % 4 * 25),
        _ => format!("2024-01-01_00-00-{:02}.{:02}.jpg", at / 4 - 2, at % 4 * 25),
    };
    assert_eq!(places(&numbered(16, name)), consecutive(16));
}

#[test]
fn times_in_one_number_are_consecutive_and_a_pause_leaves_out_frames() {
    let nanoseconds = |at: usize| format!("{}.png", 1_403_636_579_763_555_584 + 50_000_000 * at);
    assert_eq!(places(&numbered(30, nanoseconds)), consecutive(30));
    let milliseconds = ["0.jpg", "33.jpg", "67.jpg", "100.jpg", "233.jpg", "267.jpg"];
    assert_eq!(places(&milliseconds), [0, 1, 2, 3, 7, 8]);
    assert_eq!(places(&["1637382929.jpg", "1637999999.jpg"]), [0, 1]);
    let camera = "n015-2018-07-24-11-22-45+0800__CAM_FRONT__15324029";
    let name = |at: usize| format!("{camera}{}.jpg", 27_612_460 + 80_000 * at);
    assert_eq!(places(&numbered(9, name))[..], consecutive(9));
}

#[test]
fn a_pause_of_more_than_1000_frames_is_shortened_and_named() {
    let index = index(&["1.8.jpg", "1.9.jpg", "2.0.jpg", "5000.1.jpg"]);
    assert_eq!(index.present.as_deref(), Some(&[0, 1, 2, 1002][..]));
    let remark = index.remark.unwrap();
    assert_eq!(
        remark,
        "more than 1000 frames are missing before 5000.1.jpg"
    );
}

#[test]
fn other_numbers_that_stay_the_same_or_rise_with_the_counter_do_not_matter() {
    for name in [
        |at: usize| format!("frame_{at:04}_left.jpg"),
        |at| format!("img_{at}_of_120.jpg"),
        |at| format!("img ({at}).jpg"),
        |at| format!("2024_run3_{at:06}.jpg"),
        |at| format!("{at:06}_{}.jpg", 1_000 + 33 * at),
        |at| format!("shot{:02}_{at:04}.jpg", at / 50),
        |at| format!("170927_063811892_Camera_5_{at}.jpg"),
        |at| format!("{at:030}.jpg"),
        |at| format!("0001 (copy) {at}.jpg"),
        |at| format!("７é{at}ü.jpg"),
    ] {
        let names = numbered(120, name);
        assert_eq!(places(&names), consecutive(120), "{}", names[7]);
    }
}

#[test]
fn negative_numbers_come_before_positive_ones() {
    let name = |at: usize| format!("t_{}.jpg", at as i64 - 5);
    assert_eq!(places(&numbered(11, name)), consecutive(11));
    assert_eq!(places(&["-1.jpg", "0.jpg", "2.jpg"]), [0, 1, 3]);
    // A dash before every number is no sign.
    assert_eq!(places(&["a-1.jpg", "a-2.jpg", "a-3.jpg"]), [0, 1, 2]);
    assert_eq!(places(&["a_-1.jpg", "a_-2.jpg"]), [0, 1]);
}

#[test]
fn hexadecimal_counters_are_in_their_order() {
    assert_eq!(
        places(&numbered(300, |at| format!("f_{at:04x}.jpg"))),
        consecutive(300)
    );
    assert_eq!(
        places(&numbered(40, |at| format!("{:02X}.jpg", at + 5))),
        consecutive(40)
    );
}

#[test]
fn the_odd_picture_is_left_out_and_named() {
    for odd in [
        "poster.jpg",
        "0001 (copy).jpg",
        "0007 - Copy (2).jpg",
        "1_thumb.jpg",
        "7.png",
    ] {
        let mut names = numbered(120, |at| format!("{}.jpg", at + 1));
        names.push(odd.to_owned());
        let index = index(&names);
        assert_eq!(
            (index.num_frames(), index.name(119)),
            (120, Some("120.jpg"))
        );
        let remark = index.remark.unwrap();
        assert_eq!(
            remark,
            format!("1 of 121 pictures left out, since the names do not follow the others: {odd}")
        );
    }
}

#[test]
fn streams_in_one_folder_are_refused() {
    for name in [
        |at: usize| format!("cam{}_{:04}.jpg", at % 2, at / 2),
        |at| format!("{:04}_cam{}.jpg", at / 2, at % 2),
        |at| format!("{:04}_{}.jpg", at / 2, at % 2),
        |at| format!("{:04}.{}.jpg", at / 2, at % 2),
        |at| format!("cam{}_{:04}.jpg", at % 2, at),
        |at| format!("{:04}_{}.jpg", at / 2, ["left", "right"][at % 2]),
        |at| format!("{:04}{}.jpg", at / 2, ["a", "b"][at % 2]),
        |at| format!("{}{}.jpg", ["a", "b"][at % 2], at / 2),
        |at| format!("{}.{}", at / 2, ["jpg", "png"][at % 2]),
        |at| format!("shot{}_{:04}.jpg", at / 15, at % 15),
        |at| format!("{}.{:04}.jpg", at / 15, at % 15),
        |at| format!("{:02}_{:02}.jpg", at / 6, at % 6),
        |at| format!("{at:04}_{:02}.jpg", (at * 37) % 100),
    ] {
        let names = numbered(30, name);
        let text = refusal(&names);
        assert!(
            text.starts_with("the names do not give the order"),
            "{}: {text}",
            names[0]
        );
        assert!(
            text.contains("put each sequence into a folder of its own"),
            "{text}"
        );
    }
}

#[test]
fn pictures_without_numbers_or_with_random_numbers_are_refused() {
    assert_eq!(
        refusal(&["cat.jpg", "dog.jpg"]),
        "the names do not give the order of the frames: 1 of 2 names (dog.jpg) do not follow the pattern of cat.jpg; \
         put each sequence into a folder of its own, or name its frames 000001.jpg, 000002.jpg and so on"
    );
    let photos = [
        "8123001.jpg",
        "119.jpg",
        "55031842.jpg",
        "90000412.jpg",
        "91000.jpg",
    ];
    assert!(refusal(&photos).contains("neither count frames nor are times in even steps"));
    let checksums = numbered(9, |at| {
        format!(
            "{:032x}.jpg",
            0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128.wrapping_mul(at as u128 + 1)
        )
    });
    assert!(refusal(&checksums).contains("do not follow the pattern"));
    // One picture has no order to be wrong about.
    assert_eq!(index(&["poster.jpg"]).num_frames(), 1);
}

#[test]
fn two_names_with_the_same_number_are_refused_with_both_names() {
    for [first, second] in [
        ["01.jpg", "1.jpg"],
        ["A1.jpg", "a1.jpg"],
        ["1.JPG", "1.jpg"],
    ] {
        let text = refusal(&[first, second]);
        assert_eq!(
            text,
            format!("two pictures have the same number: {first} and {second}")
        );
    }
}

#[test]
fn frames_of_a_data_set_are_counted_from_its_first_number() {
    let from = |first, names: &[&str]| ImagesIndex::new(owned(names), None, Some(first));
    let tail = from(0, &["2.jpg", "3.jpg", "5.jpg"]).unwrap();
    assert_eq!((tail.num_frames(), tail.name(2)), (6, Some("2.jpg")));
    assert_eq!(
        tail.remark.as_deref(),
        Some("3 of 6 frames have no picture, the first of them number 0")
    );
    let whole = from(1, &["00000002.jpg", "00000001.jpg"]).unwrap();
    assert_eq!((whole.num_frames(), whole.remark), (2, None));
    let only = from(1, &["00000007.jpg"]).unwrap();
    assert_eq!(only.name(6), Some("00000007.jpg"));
    let gap = from(1, &["1.jpg", "3.jpg"]).unwrap();
    assert_eq!(
        gap.remark.as_deref(),
        Some("1 of 3 frames have no picture, the first of them number 2")
    );
    let text = from(1, &["0.jpg", "1.jpg"]).err().unwrap().to_string();
    assert!(text.starts_with("0.jpg has the number 0, but"), "{text}");
    assert!(from(1, &["poster.jpg"]).is_err());
    assert!(from(1, &["9000000.jpg"]).is_err());
    assert!(from(1, &["7.25.jpg", "7.50.jpg", "7.75.jpg", "8.00.jpg"]).is_err());
}
