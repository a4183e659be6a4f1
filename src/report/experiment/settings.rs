//! Draws the settings of training runs: those that differ, and those that are equal.

use maud::{Markup, html};

use super::groups::Group;
use crate::report::models::mark::key;
use crate::report::models::number::UNKNOWN;

/// A setting, and its value in each group; `None` where a group does not have it.
pub(super) struct Setting<'a> {
    pub name: &'a str,
    pub values: Vec<Option<&'a str>>,
}

impl Setting<'_> {
    fn differs(&self) -> bool {
        self.values.iter().any(|value| *value != self.values[0])
    }
}

/// Settings that differ between groups, and those that are equal, in the order of the first group that has them.
pub(super) fn compared<'a>(groups: &'a [Group<'_>]) -> (Vec<Setting<'a>>, Vec<Setting<'a>>) {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in groups.iter().flat_map(|group| &group.settings) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let value = |group: &'a Group<'_>, name: &str| {
        let found = group.settings.iter().find(|(other, _)| other == name)?;
        Some(found.1.as_str())
    };
    let all = names.into_iter().map(|name| Setting {
        name,
        values: groups.iter().map(|group| value(group, name)).collect(),
    });
    all.partition(Setting::differs)
}

/// The settings that differ as a table, the others folded.
pub(super) fn settings(groups: &[Group<'_>]) -> Markup {
    let (differing, equal) = compared(groups);
    let title = match differing.is_empty() {
        true => "Settings of all runs",
        false => "Settings that are equal",
    };
    html! {
        @if !differing.is_empty() {
            div.scroll {
                table.settings {
                    thead {
                        tr {
                            th { "Setting" }
                            @for (index, group) in groups.iter().enumerate() { th { (key(index)) " " (group.name) } }
                        }
                    }
                    tbody {
                        @for setting in &differing {
                            tr {
                                th { (setting.name) }
                                @for value in &setting.values { td { (value.unwrap_or(UNKNOWN)) } }
                            }
                        }
                    }
                }
            }
        }
        details {
            summary { (title) }
            dl.settings {
                @for setting in &equal {
                    div { dt { (setting.name) } dd { (setting.values[0].unwrap_or(UNKNOWN)) } }
                }
            }
        }
    }
}
