//! Automatic deployment rules: one evaluation over a whole catalogue, on one core.
//!
//! The baseline is the least that any evaluation has to do: asking the expression of each update whether it holds, without
//! reasons, terms, or a plan.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use uuid::Uuid;
use weir_model::{
    expression::{
        Facts, Reference, UpdateExpression, Words,
        updates::{Field, severity},
    },
    ids::UpdateId,
    rule::{Candidate, GroupChoice, Judge, Licences, MOST_MATCHES, Rule, Schedule, Terms, decide},
    update::Severity,
};
use weir_testkit::Random;

use crate::measure::{PAIRS, Row, exponent, median};

const CRITERIA: &str = "classification in (0fa1201d-4330-4fa8-8ae9-b877473b6441, e6cf1350-c01b-414d-a61f-263d14d133b4) \
                        and released < 1 month and severity >= important and not superseded and title !~ preview";
/// Classifications that updates have; the first two are asked for.
const CLASSES: [u128; 4] = [
    0x0fa1_201d_4330_4fa8_8ae9_b877_473b_6441,
    0xe6cf_1350_c01b_414d_a61f_263d_14d1_33b4,
    0x28bc_880e_0592_4cbf_8f95_c79b_1791_1d5f,
    0xb54e_7d24_7add_428f_8b75_90a3_96fa_584f,
];

/// Rows, and the exponent by which the time of an evaluation grows with the catalogue.
pub(crate) struct Figures {
    /// One row per size.
    pub(crate) rows: Vec<Row>,
    /// Growth of an evaluation.
    pub(crate) exponent: Option<f64>,
}

/// What criteria ask of a synthetic update.
struct Update {
    id: UpdateId,
    class: Uuid,
    released: Timestamp,
    severity: Option<Severity>,
    superseded: bool,
    title: String,
}

impl Facts<Field> for Update {
    fn flag(&self, field: Field) -> bool {
        field == Field::Superseded && self.superseded
    }

    fn number(&self, _: Field) -> Option<u64> {
        None
    }

    fn instant(&self, field: Field) -> Option<Timestamp> {
        (field == Field::Released).then_some(self.released)
    }

    fn any_text(&self, field: Field, each: &mut dyn FnMut(&str) -> bool) -> bool {
        field == Field::Title && each(&self.title)
    }

    fn words(&self, field: Field) -> Words {
        if field == Field::Severity { severity(self.severity) } else { Words::default() }
    }

    fn is(&self, field: Field, thing: &Reference) -> bool {
        field == Field::Classification && matches!(thing, Reference::Id(id) if *id == self.class)
    }
}

/// Evaluates a rule over catalogues of these sizes, for `seconds` a run.
pub(crate) fn measure(sizes: &[usize], seconds: f64, tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
    let now: Timestamp = "2026-11-30T12:00:00Z".parse().context("a time")?;
    let criteria = UpdateExpression::parse(CRITERIA).context("the criteria")?;
    let rule = rule();
    let run = Duration::from_secs_f64(seconds);
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        tell(&format!("rules: {size} synthetic updates"));
        let updates = updates(*size, now);
        let evaluate = || {
            let judge = Judge::new(&criteria, &criteria, now);
            let candidates = updates.iter().map(|update| Candidate {
                update: update.id,
                verdict: judge.verdict(update),
                barred: None,
                terms: Terms::Settled,
            });
            let plan = decide(&rule, candidates, now, &TimeZone::UTC);
            plan.matched.len()
        };
        let plain = || updates.iter().filter(|update| criteria.accepts(*update, now)).count();
        let (found, wanted) = (evaluate(), plain());
        anyhow::ensure!(found == wanted, "the rule found {found} updates, the expression {wanted}");
        anyhow::ensure!((1..=MOST_MATCHES).contains(&found), "{found} updates match");
        let (mut rates, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let one = rate(run, &evaluate);
            rates.push(one);
            ratios.push(one / rate(run, &plain));
        }
        ratios.sort_by(f64::total_cmp);
        let rate = median(rates);
        growth.push((*size as f64, 1.0 / rate));
        rows.push(Row {
            case: "evaluation".to_owned(),
            revisions: *size,
            value: 1_000.0 / rate,
            unit: "ms",
            ratio_null: Some(median(ratios.clone())),
            pairs: PAIRS,
            spread: ratios.first().copied().zip(ratios.last().copied()),
            baseline: Some("the same expression over the same updates, without reasons"),
            ..Row::default()
        });
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

fn rate(run: Duration, work: &dyn Fn() -> usize) -> f64 {
    let started = Instant::now();
    let mut times = 0;
    loop {
        black_box(work());
        times += 1;
        if started.elapsed() >= run {
            return f64::from(times) / started.elapsed().as_secs_f64();
        }
    }
}

fn rule() -> Rule {
    Rule {
        name: "Bench".to_owned(),
        description: String::new(),
        enabled: true,
        criteria: CRITERIA.to_owned(),
        schedule: Schedule::Manual,
        group: GroupChoice::default(),
        deployments: Vec::new(),
        enable_deployments: true,
        licences: Licences::WithoutTerms,
        alert_on_failure: false,
    }
}

/// Updates of four years: about half a percent of them match.
fn updates(size: usize, now: Timestamp) -> Vec<Update> {
    let mut random = Random::new(11);
    let severities = [None, Some(Severity::Moderate), Some(Severity::Important), Some(Severity::Critical)];
    (0..size)
        .map(|number| {
            let draw = random.guid().as_u128();
            let pick = |shift: u32, of: u128| (draw >> shift) % of;
            let hours = i64::try_from(pick(64, 4 * 365 * 24)).unwrap_or_default();
            Update {
                id: UpdateId(Uuid::from_u128(draw)),
                class: Uuid::from_u128(CLASSES.get(pick(0, 4) as usize).copied().unwrap_or_default()),
                released: now - SignedDuration::from_hours(hours),
                severity: severities.get(pick(8, 4) as usize).copied().flatten(),
                superseded: pick(16, 4) != 0,
                title: format!("cumulative update {number} for windows server"),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_finds_what_the_expression_finds() {
        let figures = measure(&[2_000], 0.01, &|_| {}).expect("measures");
        assert_eq!(figures.rows.len(), 1);
        assert!(figures.rows[0].value > 0.0 && figures.rows[0].ratio_null.is_some_and(|ratio| ratio > 0.0));
    }
}
