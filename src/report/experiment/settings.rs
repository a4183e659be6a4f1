//! Draws the settings of training runs: those that differ, and those that are equal.

use maud::{Markup, html};

use super::groups::Group;
use crate::report::models::mark::key;
use crate::report::models::number::UNKNOWN;

/// Number of groups up to which each has a column. More have rows.
const MAX_COLUMNS: usize = 8;

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
        p.how { "Settings that do not change what is trained are left out: those of logs, checkpoints, evaluations and tolerance of damage." }
        @if !differing.is_empty() {
            div.scroll {
                @match groups.len() > MAX_COLUMNS {
                    true => (groups_in_rows(groups, &differing)),
                    false => (groups_in_columns(groups, &differing)),
                }
            }
        }
        details.printed {
            summary { (title) }
            dl.settings {
                @for setting in &equal {
                    div { dt { (setting.name) } dd { (setting.values[0].unwrap_or(UNKNOWN)) } }
                }
            }
        }
    }
}

fn groups_in_columns(groups: &[Group<'_>], differing: &[Setting<'_>]) -> Markup {
    html! {
        table.settings {
            thead {
                tr {
                    th { "Setting" }
                    @for (index, group) in groups.iter().enumerate() { th { (heading(index, group)) } }
                }
            }
            tbody {
                @for setting in differing {
                    tr {
                        th { (setting.name) }
                        @for value in &setting.values { td { (value.unwrap_or(UNKNOWN)) } }
                    }
                }
            }
        }
    }
}

fn groups_in_rows(groups: &[Group<'_>], differing: &[Setting<'_>]) -> Markup {
    html! {
        table.settings {
            thead {
                tr {
                    th { "Run" }
                    @for setting in differing { th { (setting.name) } }
                }
            }
            tbody {
                @for (index, group) in groups.iter().enumerate() {
                    tr {
                        th { (heading(index, group)) }
                        @for setting in differing { td { (setting.values[index].unwrap_or(UNKNOWN)) } }
                    }
                }
            }
        }
    }
}

fn heading(index: usize, group: &Group<'_>) -> Markup {
    html! { (key(index)) " " bdi { (group.name) } }
}
