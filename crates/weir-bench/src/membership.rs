//! Members of collections: rules over whole fleets, and one computer that registers.
//!
//! The baseline of a fleet is a walk over the same rows that only touches what rules look at; that of one registration is the
//! naive way, which looks at every computer again.

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{ids::CollectionId, targeting::CollectionKind};
use weir_server::live::membership::{Compiled, StatusView};
use weir_store::{
    Actor, Store,
    collection::NewCollection,
    computer::{Contact, Registration},
    membership::{CollectionDefinition, MembershipRow},
};
use weir_testkit::Random;

use crate::{
    engine::Engine,
    measure::{Limit, PAIRS, Row, exponent, median},
};

/// Computers of the fleets, where nothing else is asked for.
pub(crate) const SIZES: [usize; 3] = [15_000, 50_000, 150_000];
/// Rules of the second case.
const RULES: usize = 50;
/// Computers that are stored in one transaction.
const AT_ONCE: usize = 5_000;
/// Registrations of one run.
const REGISTRATIONS: usize = 200;
/// Milliseconds that one rule over the largest fleet may take.
const BUDGET_MS: f64 = 1_000.0;
/// The first rule is the one that is measured alone.
const FORMS: [&str; 8] = [
    "os ~ \"server 2019\" and ip in 10.0.0.0/8",
    "server and build = 17763",
    "workstation and not os_version = 10.0.19045",
    "name ~ pc0001 or name ~ pc0002",
    "manufacturer = contoso and model ~ 7",
    "last_contact > 30 days",
    "domain = berlin.example.com and architecture = x64",
    "locale in (de-DE, en-US) and not plain_http",
];

/// Rows, and the exponent by which the time of one registration grows with the fleet.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// Measures fleets of these sizes.
pub(crate) fn measure(engine: &Engine, folder: &Path, sizes: &[usize], tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in sizes {
        tell(&format!("membership: storing {size} computers"));
        let home = engine.home(folder.join(format!("members-{size}")))?;
        let store = home.open()?;
        fill(&store, *size)?;
        define(&store, 1)?;
        home.tidy()?;
        let one = store.read(Compiled::read)?;
        let loaded = load(&store)?;
        tell(&format!("membership: evaluating {} computers", loaded.len()));
        let touch = || loaded.iter().map(touched).sum::<usize>();
        let (mut times, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let time = evaluate(&one, &loaded);
            times.push(time.as_secs_f64() * 1e3);
            ratios.push(timed(&touch).as_secs_f64() / time.as_secs_f64());
        }
        let milliseconds = median(times);
        let row = Row {
            case: "one rule, all computers".to_owned(),
            revisions: *size,
            value: milliseconds,
            unit: "ms",
            baseline: Some("a walk over the same computers"),
            ratio_null: Some(median(ratios)),
            pairs: PAIRS,
            ..Row::default()
        };
        rows.push(row.within([Limit::most(BUDGET_MS)]));

        define(&store, RULES)?;
        let many = store.read(Compiled::read)?;
        let whole = median((0..PAIRS).map(|_| evaluate(&many, &loaded).as_secs_f64()).collect());
        rows.push(Row {
            case: format!("{RULES} rules, all computers"),
            revisions: *size,
            value: loaded.len() as f64 / whole,
            unit: "computers/s",
            pairs: PAIRS,
            ..Row::default()
        });
        let single = median((0..PAIRS).map(|turn| register(&store, &many, *size, turn)).collect::<Result<_, _>>()?);
        growth.push((*size as f64, single));
        rows.push(Row {
            case: format!("one registration, {RULES} rules"),
            revisions: *size,
            value: single * 1e6,
            unit: "us",
            ratio_null: Some(whole / single),
            pairs: PAIRS,
            baseline: Some("looking at every computer again"),
            ..Row::default()
        });
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

fn timed<T>(work: &dyn Fn() -> T) -> Duration {
    let started = Instant::now();
    black_box(work());
    started.elapsed()
}

fn evaluate(compiled: &Compiled, rows: &[MembershipRow]) -> Duration {
    let (view, now) = (StatusView::default(), Timestamp::now());
    timed(&|| rows.iter().map(|row| compiled.evaluate(row, &view, now).members.len()).sum::<usize>())
}

/// What rules look at, without looking.
fn touched(row: &MembershipRow) -> usize {
    let registration = row.computer.registration.as_ref();
    let texts = [
        registration.and_then(|known| known.os_description.as_deref()),
        row.computer.ip_address.as_deref(),
        Some(row.computer.dns_name.as_str()),
    ];
    texts.into_iter().flatten().map(|text| black_box(text).len()).sum()
}

/// Seconds that finding and storing the collections of one computer takes, without the flush to disk that it shares.
fn register(store: &Store, compiled: &Compiled, size: usize, turn: usize) -> anyhow::Result<f64> {
    let actor = Actor::system("bench", Timestamp::now());
    let seconds = store.write(&actor, |tx| {
        let view = StatusView::default();
        let started = Instant::now();
        for number in 0..REGISTRATIONS {
            let no = 1 + (turn * 7_919 + number * 97) % size;
            if let Some(row) = tx.membership_of(u32::try_from(no).unwrap_or(1), false)? {
                let found = compiled.evaluate(&row, &view, actor.at);
                tx.computer_decide(row.computer.no, &row.decided, &found.members)?;
            }
        }
        Ok(started.elapsed().as_secs_f64() / REGISTRATIONS as f64)
    })?;
    Ok(seconds)
}

fn load(store: &Store) -> anyhow::Result<Vec<MembershipRow>> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |row: &MembershipRow| row.computer.no);
        let page = store.read(|tx| tx.membership_page(after, 2_000, false))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Makes so many collections by rule, those that are there aside.
fn define(store: &Store, rules: usize) -> anyhow::Result<()> {
    store.write(&Actor::system("bench", Timestamp::now()), |tx| {
        let there = tx.collection_definitions()?.len();
        for number in there..rules {
            let id = CollectionId(Uuid::from_u128(0xbe9c_0000 + number as u128));
            let form = FORMS[number % FORMS.len()];
            // no two rules are the same
            let rule = if number < FORMS.len() { form.to_owned() } else { format!("{form} or build = {number}") };
            let name = format!("Rule {number}");
            tx.collection_create(&NewCollection { id, name, parent: None, kind: CollectionKind::Rule })?;
            let definition = CollectionDefinition { rule: Some(rule), ..CollectionDefinition::default() };
            tx.collection_define(id, &definition)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn fill(store: &Store, size: usize) -> anyhow::Result<()> {
    let mut random = Random::new(11);
    let mut number = 0;
    while number < size {
        let until = (number + AT_ONCE).min(size);
        store.write(&Actor::system("bench", Timestamp::now()), |tx| {
            for number in number..until {
                let contact = Contact {
                    id: random.guid().to_string().parse().unwrap_or_else(|_| unreachable!("a guid is an id")),
                    dns_name: format!("pc{number:06}.{}.example.com", ["berlin", "munich", "paris"][number % 3]),
                    ip_address: Some(format!("10.{}.{}.{}", number % 7, number / 250 % 250, number % 250)),
                    plain_http: number.is_multiple_of(10),
                    requested_groups: None,
                };
                let (no, _) = tx.computer_contact(&contact)?;
                tx.computer_register(no, &registration(number))?;
            }
            Ok(())
        })?;
        number = until;
    }
    Ok(())
}

fn registration(number: usize) -> Registration {
    let (build, product, name) = match number % 5 {
        0 => (17_763, 3, "Windows Server 2019 Datacenter"),
        1 => (20_348, 3, "Windows Server 2022 Standard"),
        2 => (19_045, 1, "Windows 10 Enterprise"),
        _ => (26_100, 1, "Windows 11 Enterprise"),
    };
    Registration {
        os_major_version: 10,
        os_build_number: build,
        os_locale: Some(["de-DE", "en-US", "fr-FR"][number % 3].to_owned()),
        computer_manufacturer: Some(["Contoso", "Fabrikam"][number % 2].to_owned()),
        computer_model: Some(format!("Model {}", number % 40)),
        processor_architecture: Some(["AMD64", "ARM64"][usize::from(number.is_multiple_of(20))].to_owned()),
        old_product_type: product,
        os_description: Some(name.to_owned()),
        ..Registration::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_fleet_is_measured() {
        let folder = tempfile::tempdir().expect("folder");
        let figures = measure(&Engine::default(), folder.path(), &[60, 200], &|_| ()).expect("measured");
        assert_eq!(figures.rows.len(), 6);
        assert!(figures.exponent.is_some());
        assert!(figures.rows.iter().all(|row| row.value > 0.0 && row.value.is_finite()), "{:?}", figures.rows);
        let home = Engine::default().home(folder.path().join("members-200")).expect("there");
        let store = home.open().expect("opens");
        let members =
            store.read(|tx| tx.collection_members(CollectionId(Uuid::from_u128(0xbe9c_0000)))).expect("reads");
        assert!(!members.is_empty(), "registrations find members");
    }
}
