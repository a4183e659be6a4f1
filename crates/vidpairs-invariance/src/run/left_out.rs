//! Groups what was left out by its reason.

use vidpairs_types::LeftOut;

use super::result::LeftOutGroup;

/// Maximum number of names stored for each reason of leaving out.
const MAX_NAMES: usize = 20;

/// Adds what one model left out. A group that is there already is not added again.
pub(super) fn add_left_out(groups: &mut Vec<LeftOutGroup>, left_out: &[LeftOut]) {
    for group in grouped(left_out) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
}

/// Groups by reason, in the order of first occurrence.
pub(super) fn grouped(left_out: &[LeftOut]) -> Vec<LeftOutGroup> {
    let mut groups: Vec<LeftOutGroup> = Vec::new();
    for LeftOut { what, reason } in left_out {
        let known = groups.iter().position(|group| group.reason == *reason);
        let index = known.unwrap_or(groups.len());
        if known.is_none() {
            groups.push(LeftOutGroup {
                count: 0,
                reason: reason.clone(),
                first: Vec::new(),
            });
        }
        let group = &mut groups[index];
        group.count += 1;
        if group.first.len() < MAX_NAMES {
            group.first.push(what.clone());
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_left_out_are_counted_by_reason_and_the_first_are_named() {
        let left_out = |what: &str, reason: &str| LeftOut {
            what: what.to_owned(),
            reason: reason.to_owned(),
        };
        let all = [
            left_out("a", "no such file"),
            left_out("b", "no box"),
            left_out("c", "no such file"),
        ];
        let groups = grouped(&all);
        assert_eq!(groups.len(), 2);
        assert_eq!((groups[0].count, groups[0].first.len()), (2, 2));
        assert_eq!(groups[1].first, ["b"]);
    }
}
