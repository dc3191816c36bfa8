//! Applicability: rules and whole catalogues evaluated against a computer in memory, on one core.
//!
//! The baseline is a plain walk over the same rules that only touches each expression.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use weir_model::{
    applicability::{
        Applicability, Bounds, Change, State,
        facts::{MsiProduct, RegistryData, System},
        memory::{Memory, Nothing},
    },
    document::{
        CoreFragment, Fragments, Limits,
        rules::{
            Expr, Rule,
            base::{BaseRule, Hive, RegistryKey},
        },
    },
};
use weir_testkit::{
    Random,
    catalogue::{Catalogue, Shape, Sizes},
};

use crate::measure::{PAIRS, Row, exponent, median};

/// Values, and products, that the computer has. Rules ask for few of them, as on real computers.
const INSTALLED: u32 = 2_000;

/// Rows, and the exponent by which the time of a scan grows with the catalogue.
pub(crate) struct Figures {
    /// Two rows per size: expressions, and scans.
    pub(crate) rows: Vec<Row>,
    /// Growth of a scan.
    pub(crate) exponent: Option<f64>,
}

/// Evaluates catalogues of these sizes, for `seconds` a run.
pub(crate) fn measure(sizes: &[usize], seconds: f64, tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
    let computer = computer()?;
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        tell(&format!("applicability: reading the Core fragments of {size} synthetic documents"));
        let cores = cores(*size)?;
        let expressions: usize = cores.iter().map(touch).sum();
        tell(&format!("applicability: {expressions} expressions"));
        let run = Duration::from_secs_f64(seconds);
        let evaluate = || cores.iter().filter(|core| state(core, &computer) == State::Required).count();
        let walk = || cores.iter().map(touch).sum();
        let (mut scans, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let rate = rate(run, &evaluate);
            scans.push(rate);
            ratios.push(rate / self::rate(run, &walk));
        }
        ratios.sort_by(f64::total_cmp);
        let scan = median(scans);
        growth.push((*size as f64, 1.0 / scan));
        let row = |case: &str, value, unit| Row {
            case: case.to_owned(),
            revisions: *size,
            value,
            unit,
            ratio_null: Some(median(ratios.clone())),
            pairs: PAIRS,
            spread: ratios.first().copied().zip(ratios.last().copied()),
            baseline: Some("a walk over the same expressions"),
            ..Row::default()
        };
        rows.push(row("rules", scan * expressions as f64, "expressions/s"));
        rows.push(row("evaluation", scan, "scans/s"));
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

/// How often something is done in a second, by doing it for a while, at least once.
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

fn cores(size: usize) -> anyhow::Result<Vec<CoreFragment>> {
    let catalogue = Catalogue::generate(Shape { revisions: size, sizes: Sizes::Small, seed: 7 });
    catalogue
        .documents()
        .map(|document| {
            let fragments = Fragments::derive(&document.to_xml()).context("a synthetic document")?;
            CoreFragment::parse(&fragments.core, &Limits::default()).context("its Core fragment")
        })
        .collect()
}

fn state(core: &CoreFragment, computer: &Memory<&'static Nothing>) -> State {
    // Members are not looked up: the rules are what is measured.
    Applicability::from(core).state(computer, &Bounds::default(), &|_| None)
}

/// Touches every expression of an update, and counts them.
fn touch(core: &CoreFragment) -> usize {
    let rules = [&core.rules.is_installed, &core.rules.is_superseded, &core.rules.is_installable];
    rules.into_iter().flatten().filter_map(Rule::expr).map(count).sum()
}

/// Synthetic rules are flat: their depth is a few levels.
fn count(expr: &Expr) -> usize {
    1 + match black_box(expr) {
        Expr::And(inside) | Expr::Or(inside) => inside.iter().map(count).sum(),
        Expr::Not(inside) => count(inside),
        Expr::Base(rule) => match &**rule {
            BaseRule::RegKeyLoop { body, .. } => count(body),
            _ => 0,
        },
        _ => 0,
    }
}

/// A Windows 11 with values and products.
fn computer() -> anyhow::Result<Memory<&'static Nothing>> {
    let mut computer = Memory::new(System {
        version: Some((10, 0, 26_100)),
        service_pack: Some((0, 0)),
        suite_mask: Some(256),
        product_type: Some(1),
        platform_id: Some(2),
        architecture: Some(9),
        processors: Some(8),
        memory_mib: Some(16_384),
        language: Some("en".to_owned()),
        mui_languages: Some(Vec::new()),
        clustered: Some(false),
        ..System::default()
    });
    let mut random = Random::new(7);
    for number in 0..INSTALLED {
        let subkey = format!(r"SOFTWARE\Vendor{}\Product{number}", number % 50);
        let key = RegistryKey { hive: Hive::LocalMachine, subkey, view32: false };
        let version = RegistryData::Sz(format!("{}.{}.0.0", number % 20, number % 7).into());
        let product = MsiProduct { version: "1.0.0".parse().ok(), language: Some(1033), ..MsiProduct::default() };
        let changes = [
            Change::SetValue { key, name: "Version".to_owned(), data: version },
            Change::SetProduct { code: random.guid(), product },
        ];
        computer.apply_all(&changes).map_err(|gap| anyhow::anyhow!("{gap}"))?;
    }
    Ok(computer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A benchmark that evaluates nothing measures nothing.
    #[test]
    fn synthetic_rules_are_evaluated() {
        let cores = cores(200).expect("generated");
        let computer = computer().expect("built");
        let states: Vec<State> = cores.iter().map(|core| state(core, &computer)).collect();
        assert_eq!(states.len(), 200);
        assert!(states.contains(&State::Installed), "products that everybody has");
        assert!(states.contains(&State::NotApplicable), "products that this one lacks");
        assert!(states.iter().all(|it| it.gaps().is_empty()), "nothing is unknown");
        assert!(cores.iter().map(touch).sum::<usize>() > 200);
    }

    #[test]
    fn rows_come_in_pairs() {
        let figures = measure(&[100, 200], 0.01, &|_| {}).expect("measured");
        let cases: Vec<_> = figures.rows.iter().map(|row| (row.case.as_str(), row.revisions)).collect();
        assert_eq!(cases, [("rules", 100), ("evaluation", 100), ("rules", 200), ("evaluation", 200)]);
        assert!(figures.exponent.is_some() && figures.rows.iter().all(|row| row.value > 0.0));
    }
}
