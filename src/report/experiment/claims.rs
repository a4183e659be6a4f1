//! Draws the table of a claim: means over seeds, and differences between groups over equal seeds.

use maud::{Markup, html};

use super::seeds::{ModelGroup, Scores};
use super::student::OverSeeds;
use crate::report::models::mark::key;
use crate::report::models::number::{UNKNOWN, finite, interval, signed, tenth};

/// Mean of each group with its interval, and its difference to the first group.
pub(super) fn claims(scores: &Scores, groups: &[ModelGroup]) -> Markup {
    let value = |model: usize| scores.values.get(model).copied().flatten().and_then(finite);
    let Some((first, _)) = groups.split_first() else {
        return html! {};
    };
    html! {
        div.scroll {
            table.claims {
                thead {
                    tr {
                        th { "Group" } th { "Seeds" } th { "Mean" } th { "95\u{a0}% interval" }
                        th { "Difference to " bdi { (first.name) } } th { "95\u{a0}% interval" } th { "Equal seeds" }
                    }
                }
                tbody {
                    @for (index, group) in groups.iter().enumerate() {
                        @let values: Vec<f64> = group.members.iter().filter_map(|&member| value(member)).collect();
                        tr {
                            th { (key(group.mark)) " " bdi { (group.name) } }
                            td {
                                (values.len())
                                @if values.len() < group.members.len() { " of " (group.members.len()) }
                            }
                            @let mean = OverSeeds::of(&values);
                            td { b { (tenth(mean.map(|mean| mean.mean))) } }
                            td { (interval(mean.and_then(|mean| mean.interval)).unwrap_or_else(|| UNKNOWN.to_owned())) }
                            @if index == 0 { td {} td {} td {} } @else { (difference(first, group, value)) }
                        }
                    }
                }
            }
        }
    }
}

/// The mean of `group` minus `first` over the seeds that both have.
fn difference(
    first: &ModelGroup,
    group: &ModelGroup,
    value: impl Fn(usize) -> Option<f64>,
) -> Markup {
    let pairs = group.paired(first).into_iter();
    let differences: Vec<f64> = pairs
        .filter_map(|(own, other)| Some(value(own)? - value(other)?))
        .collect();
    let mean = OverSeeds::of(&differences);
    let ends = mean.and_then(|mean| mean.interval);
    let ends = ends.map(|ends| ends.map(|end| signed(Some(end))));
    html! {
        td { b { (signed(mean.map(|mean| mean.mean))) } }
        td { @match ends { Some([low, high]) => { "[" (low) ", " (high) "]" }, None => (UNKNOWN) } }
        td { (differences.len()) }
    }
}
