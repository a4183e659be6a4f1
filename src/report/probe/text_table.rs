//! Formats the scores for a terminal, in aligned columns with the protocol of each table.

use std::fmt::Write as _;

use vidpairs_invariance::run::Figure;
use vidpairs_invariance::run::probe::{ProbePair, ProbeSummary, ProbeTable};
use vidpairs_types::readable;

use super::words;
use crate::report::models::number::{grouped, tenth};
use crate::report::models::text::{Columns, figure, printable, wrapped};

/// A block for each table: a heading, the protocol, a line for each model, paired differences and warnings.
///
/// ASCII except for names. No line is wider than 100 columns: a longer name loses its middle, and a longer text is wrapped. Control
/// characters of names are replaced. Ends in a line break.
pub fn render_tables(summary: &ProbeSummary) -> String {
    let mut lines = Vec::new();
    for table in &summary.tables {
        lines.extend(block(summary, table));
        lines.push(String::new());
    }
    lines.push(
        "Percent, with 95 % confidence intervals over test images. Compare models only within one block."
            .to_owned(),
    );
    lines.join("\n") + "\n"
}

fn block(summary: &ProbeSummary, table: &ProbeTable) -> Vec<String> {
    let mut title = format!(
        "{}: {}",
        printable(&words::title(summary, table)),
        words::counts(table)
    );
    let left_out: usize = table.left_out.iter().map(|group| group.count).sum();
    if left_out > 0 {
        let _ = write!(title, "; {} left out", grouped(left_out));
    }
    let mut lines = wrapped(&title, "");
    lines.extend(wrapped(&printable(&table.protocol.line()), "  "));
    let headings = ["features", &table.protocol.metric].into_iter();
    let headings = headings
        .chain(words::further(table).iter().copied())
        .chain(["guessing"])
        .chain(words::chosen(table));
    let headings: Vec<String> = headings.map(str::to_owned).collect();
    let cells = |scores: &vidpairs_invariance::run::probe::ProbeScores| -> Vec<String> {
        let costs: Vec<f64> = scores
            .per_class
            .iter()
            .filter_map(|class| class.cost)
            .collect();
        let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let mut cells = vec![scores.units.to_string(), figure(Some(scores.score))];
        let further = words::further_figures(table, scores).into_iter();
        cells.extend(further.map(|beside| known(beside.map(|value| figure(Some(value))))));
        cells.push(known(table.chance.map(|chance| tenth(Some(chance)))));
        if words::chosen(table).is_some() {
            let chosen = scores.cost.or(scores.learning_rate);
            cells.push(known(chosen.map(readable).or_else(|| range(&costs))));
        }
        cells
    };
    let rows: Vec<Vec<String>> = (table.models.iter())
        .map(|scores| match scores {
            Some(scores) => cells(scores),
            None => vec![String::new(), "not scored".to_owned()],
        })
        .collect();
    let names = summary.models.iter().map(|model| &*model.name);
    let columns = Columns::of(names, rows.iter().chain([&headings]));
    lines.push(columns.line("model", &headings));
    let models = summary.models.iter().zip(&rows);
    lines.extend(models.map(|(model, row)| columns.line(&model.name, row)));
    for (model, scores) in summary.models.iter().zip(&table.models) {
        if let Some(rates) = scores.as_ref().and_then(words::rates) {
            let name = printable(&model.name);
            let text = format!("{name}, held-out / test: {rates}");
            lines.extend(wrapped(&text, "  "));
        }
    }
    for pair in &table.pairs {
        lines.extend(wrapped(&difference(summary, table, pair), "  "));
    }
    for warning in &table.warnings {
        lines.extend(wrapped(&format!("! {}", printable(warning)), "  "));
    }
    lines
}

/// `0.1 to 10`, or a single cost.
fn range(costs: &[f64]) -> Option<String> {
    let min = costs.iter().copied().reduce(f64::min)?;
    let max = costs.iter().copied().reduce(f64::max)?;
    Some(match min < max {
        true => format!("{} to {}", readable(min), readable(max)),
        false => readable(min),
    })
}

fn difference(summary: &ProbeSummary, table: &ProbeTable, pair: &ProbePair) -> String {
    let name = |model: usize| printable(&summary.models[model].name);
    let signed = |figure: Figure| {
        let ends = figure.interval;
        let ends = ends.map(|[low, high]| format!(" [{low:+.1}, {high:+.1}]"));
        format!("{:+.1}{}", figure.value, ends.unwrap_or_default())
    };
    format!(
        "{} minus {}: {} {}",
        name(pair.b),
        name(pair.a),
        table.protocol.metric,
        signed(pair.difference)
    )
}
