//! What a panel is called: two of one invariance and data set are told apart by where their images are.

use super::view::{InvariancePage, Panel};

/// `ALOI`; `ALOI, data/second` where another panel of the page has the same invariance and data set.
pub(super) fn origin(page: &InvariancePage, panel: &Panel) -> String {
    let named = |it: &&Panel| it.invariance == panel.invariance && it.data_set == panel.data_set;
    let is_repeated = page.panels.iter().filter(named).count() > 1;
    let path = panel.path.as_str();
    match (panel.data_set.as_str(), path) {
        (data_set, "") => data_set.to_owned(),
        (data_set, _) if !is_repeated => data_set.to_owned(),
        ("", path) => path.to_owned(),
        (data_set, path) => format!("{data_set}, {path}"),
    }
}

/// `Viewpoint (ALOI)`, in a sentence.
pub(super) fn title(page: &InvariancePage, panel: &Panel) -> String {
    match origin(page, panel).as_str() {
        "" => panel.invariance.clone(),
        origin => format!("{} ({origin})", panel.invariance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_told_only_where_a_title_is_there_twice() {
        let panel = |data_set: &str, path: &str| Panel {
            invariance: "Viewpoint".to_owned(),
            data_set: data_set.to_owned(),
            path: path.to_owned(),
            ..Panel::default()
        };
        let page = InvariancePage {
            panels: vec![panel("ALOI", "a"), panel("", "b"), panel("", "c")],
            ..InvariancePage::default()
        };
        let titles = page.panels.iter().map(|it| title(&page, it));
        assert_eq!(
            titles.collect::<Vec<_>>(),
            ["Viewpoint (ALOI)", "Viewpoint (b)", "Viewpoint (c)"]
        );
    }
}
