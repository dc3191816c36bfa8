//! Search over updates: the index that lists are answered from, against a linear scan of the same rows with the same parsed
//! expression in the same run.
//!
//! Each case asks many different questions, so that no answer is in a cache; each question is timed by itself, the index and
//! the scan in turn.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use weir_model::{
    criteria::architectures_in_title,
    expression::{Expression, UpdateExpression, updates},
    ids::{RevisionId, UpdateId, UpdateIdentity},
    search::{Addition, Base, Category, Counts, Entry, Facet, Files, Flags, Index, Moving, Query, Sort, fold, words},
    update::{CategoryKind, Severity, UpdateType},
};
use weir_testkit::Random;

use crate::measure::{Figure, Limit, PAIRS, Row, exponent, median};

/// What one answer may take at 100,000 updates.
const BUDGET: Duration = Duration::from_millis(50);
/// Rows of a page.
const PAGE: usize = 100;

/// Rows, and the exponent by which the time of a whole question grows with the number of updates.
pub(crate) struct Figures {
    /// Rows of every size.
    pub(crate) rows: Vec<Row>,
    /// Growth of the case "everything".
    pub(crate) exponent: Option<f64>,
}

/// One kind of question.
struct Case {
    name: &'static str,
    filter: bool,
    text: bool,
    facets: bool,
    sort: bool,
}

const CASES: [Case; 5] = [
    Case { name: "filter", filter: true, text: false, facets: false, sort: false },
    Case { name: "text", filter: false, text: true, facets: false, sort: false },
    Case { name: "facets", filter: true, text: false, facets: true, sort: false },
    Case { name: "sort and page", filter: false, text: false, facets: false, sort: true },
    Case { name: "everything", filter: true, text: true, facets: true, sort: true },
];

const FILTERS: [&str; 8] = [
    "type = software and not superseded and needed > 0",
    "product = \"Windows 11\" and released < 30 days and severity >= important",
    "classification = \"Security Updates\" and not declined and title !~ preview",
    "kb in (5000123, 5001456, 5002789) or bulletin ~ ms2",
    "(needed > 50 or failed > 0) and not deployed and not expired",
    "size > 100 MB and architecture in (x64, arm64) and language = en",
    "type = driver and arrived > 2 months",
    "title ~ \"cumulative update\" and not (declined or expired or superseded) and vendor = Microsoft",
];

const TEXTS: [&str; 8] = [
    "cumulative 22h2",
    "kb50",
    "windows server 2022 x64",
    "défender antivirus",
    "intel net",
    ".net framework 4.8",
    "servicing stack update",
    "2024-03 windows 11",
];

/// Measures so many updates and two smaller numbers.
pub(crate) fn measure(updates: usize, tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for size in [updates / 10, updates * 3 / 10, updates] {
        tell(&format!("search: {size} synthetic updates"));
        let world = World::new(size);
        let mut build = Vec::new();
        for _ in 0..PAIRS {
            let additions = world.additions.clone();
            let started = Instant::now();
            black_box(Index::new(Arc::new(Base::default().with(additions)), world.moving.clone()));
            build.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
        let row =
            |case: &str, value, unit| Row { case: case.to_owned(), revisions: size, value, unit, ..Row::default() };
        rows.push(row("build", median(build), "ms"));
        let index = Index::new(Arc::new(Base::default().with(world.additions.clone())), world.moving.clone());
        rows.push(row("follow 100 new", world.follow(&index), "ms"));
        rows.push(row("memory", index.base().bytes() as f64 / 1_000_000.0, "MB"));
        for case in &CASES {
            let measured = world.run(&index, case)?;
            if case.name == "everything" {
                growth.push((size as f64, measured.p50));
            }
            let whole = size >= 100_000;
            let found = Row {
                baseline: Some("a scan of all rows"),
                ratio_null: Some(median(measured.ratios.clone())),
                pairs: PAIRS,
                spread: measured.ratios.first().copied().zip(measured.ratios.last().copied()),
                p50_us: Some(measured.p50),
                p99_us: Some(measured.p99),
                budget: "asked at 100,000".to_owned(),
                ..row(case.name, measured.p50 / 1_000.0, "ms")
            };
            let most = Limit::of_at_most(Figure::P99Us, BUDGET.as_secs_f64() * 1e6);
            rows.push(found.within_if(whole, [most]));
        }
    }
    Ok(Figures { rows, exponent: Some(exponent(&growth)) })
}

/// Times of one case in microseconds, and how many times as fast as the scan the index was.
struct Measured {
    p50: f64,
    p99: f64,
    ratios: Vec<f64>,
}

/// Updates with what stands beside them.
struct World {
    now: Timestamp,
    additions: Vec<Addition>,
    moving: Moving,
    counts: HashMap<UpdateId, Counts>,
}

impl World {
    fn new(size: usize) -> Self {
        let mut random = Random::new(11);
        let now = Timestamp::from_second(1_711_900_000).unwrap_or_default();
        let products: Vec<(UpdateId, String)> = PRODUCTS
            .iter()
            .map(|name| (*name).to_owned())
            .chain((0..250).map(|number| format!("Product {number}")))
            .map(|name| (UpdateId(random.guid()), name))
            .collect();
        let classes: Vec<(UpdateId, &str)> = CLASSES.iter().map(|name| (UpdateId(random.guid()), *name)).collect();
        let company = UpdateId(random.guid());
        let category = |id, kind, parent, title: &str| Category { id, kind, parent, title: title.to_owned() };
        let mut categories = vec![category(company, CategoryKind::Company, None, "Microsoft")];
        for (id, name) in &products {
            categories.push(category(*id, CategoryKind::Product, Some(company), name));
        }
        for (id, name) in &classes {
            categories.push(category(*id, CategoryKind::UpdateClassification, None, name));
        }
        let languages: [Arc<[Arc<str>]>; 2] = [["en".into()].into(), ["de".into(), "en".into(), "fr".into()].into()];
        let (mut additions, mut counts): (Vec<Addition>, _) = (Vec::with_capacity(size), HashMap::new());
        let mut flags = Vec::new();
        for number in 0..size {
            let id = UpdateId(random.guid());
            // a third of the updates is of the few products that everybody has
            let product = random.below(if number % 3 == 0 { PRODUCTS.len() } else { products.len() });
            let (product_id, product_name) = &products[product];
            let (class_id, class) = classes[random.below(classes.len())];
            let kb = 5_000_000 + number as u64 % 80_000;
            let days = random.below(if number % 2 == 0 { 45 } else { 2_000 }) as i64;
            let released = now - SignedDuration::from_hours(24 * days);
            let is_driver = number % 4 == 3;
            let title = title(&mut random, number, product_name, class, kb, is_driver, released);
            let identity = UpdateIdentity::new(id, 1 + number as u32 % 3);
            let supersedes: Vec<UpdateId> =
                additions.last().filter(|_| number % 2 == 0).map(|one| one.identity.update_id).into_iter().collect();
            let bytes = 1_000_u64 << random.below(20);
            let entry = Entry {
                revision_id: RevisionId(number as i32 + 1),
                identity,
                update_type: if is_driver { UpdateType::Driver } else { UpdateType::Software },
                category_kind: None,
                architectures: updates::architectures(&architectures_in_title(&title)),
                title,
                description: Some(DESCRIPTIONS[number % DESCRIPTIONS.len()].into()),
                categories: [*product_id, class_id].into(),
                kb_articles: if is_driver { Vec::new() } else { vec![kb.to_string()] },
                bulletins: if number % 50 == 0 {
                    vec![format!("MS{}-{:03}", 10 + number % 15, number % 100)]
                } else {
                    Vec::new()
                },
                severity: [None, Some(Severity::Critical), Some(Severity::Important), Some(Severity::Moderate)]
                    [number % 4],
                created_at: Some(released),
                arrived_at: released + SignedDuration::from_hours(5),
                expired: number % 17 == 0,
                explicitly_deployable: true,
                is_bundle: number % 5 == 0,
                has_eula: number % 90 == 0,
                languages: Arc::clone(&languages[number % 2]),
                supersedes: supersedes.into(),
                members: [].into(),
            };
            if number % 9 == 0 {
                flags.push((id, Flags { declined: true, ..Flags::default() }));
            }
            if number % 3 == 0 {
                let counted = |random: &mut Random| random.below(200) as u64;
                counts.insert(
                    id,
                    Counts {
                        needed: counted(&mut random),
                        installed: counted(&mut random),
                        failed: counted(&mut random) / 50,
                        not_applicable: counted(&mut random),
                        unknown: 0,
                    },
                );
            }
            additions.push(Addition {
                identity,
                revision_id: entry.revision_id,
                arrived_at: entry.arrived_at,
                files: Some(Files { bytes, uup: false }),
                newest: Some(entry),
            });
        }
        let deployments = additions.iter().step_by(40).map(|one| (one.identity.update_id, 1)).collect();
        Self { now, additions, moving: Moving { flags, deployments, categories, ..Moving::default() }, counts }
    }

    fn of(&self, update: UpdateId) -> Counts {
        self.counts.get(&update).copied().unwrap_or_default()
    }

    /// Milliseconds until 100 new revisions can be found.
    fn follow(&self, index: &Index) -> f64 {
        let last = index.base().last().0;
        let mut fresh: Vec<Addition> = self.additions.iter().take(100).cloned().collect();
        for (at, addition) in fresh.iter_mut().enumerate() {
            addition.revision_id = RevisionId(last + 1 + at as i32);
            addition.identity.revision.0 += 10;
            if let Some(entry) = &mut addition.newest {
                entry.revision_id = addition.revision_id;
                entry.identity = addition.identity;
            }
        }
        let times = (0..PAIRS).map(|_| {
            let started = Instant::now();
            let base = index.base().with(fresh.clone());
            black_box(Index::new(Arc::new(base), self.moving.clone()));
            started.elapsed().as_secs_f64() * 1_000.0
        });
        median(times.collect())
    }

    fn run(&self, index: &Index, case: &Case) -> anyhow::Result<Measured> {
        let filters: Vec<UpdateExpression> = FILTERS
            .iter()
            .map(|text| Expression::parse(text).with_context(|| format!("the filter {text}")))
            .collect::<anyhow::Result<_>>()?;
        let sorts = [Sort::Title, Sort::Needed, Sort::Released, Sort::Severity, Sort::Size, Sort::Classification];
        let counts = |update: UpdateId| self.of(update);
        let (mut times, mut ratios) = (Vec::new(), Vec::new());
        for round in 0..PAIRS {
            let (mut mine, mut theirs) = (0.0, 0.0);
            for (at, filter) in filters.iter().enumerate() {
                let query = Query {
                    expression: case.filter.then_some(filter),
                    text: case.text.then(|| TEXTS[(at + round) % TEXTS.len()]),
                    sort: case.sort.then(|| sorts[(at + round) % sorts.len()]),
                    descending: None,
                    after: None,
                    limit: PAGE,
                    facets: case.facets.then_some((&Facet::ALL[..], 10)),
                };
                let started = Instant::now();
                let found = index.search(&query, self.now, &counts).context("a question without a cursor")?;
                let took = started.elapsed().as_secs_f64() * 1e6;
                let started = Instant::now();
                let scanned = self.scan(index, &query);
                theirs += started.elapsed().as_secs_f64() * 1e6;
                anyhow::ensure!(
                    scanned == found.updates,
                    "{}: {scanned} by scan, {} by index",
                    case.name,
                    found.updates
                );
                mine += took;
                times.push(took);
            }
            ratios.push(theirs / mine);
        }
        times.sort_by(f64::total_cmp);
        ratios.sort_by(f64::total_cmp);
        let at = |share: usize| {
            times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        Ok(Measured { p50: at(50), p99: at(99), ratios })
    }

    /// The same question without an index: every row is looked at, everything found is sorted, and counted by text.
    fn scan(&self, index: &Index, query: &Query<'_>) -> u64 {
        let wanted: Option<Vec<String>> = query.text.map(|text| words(&fold(text)).map(str::to_owned).collect());
        let mut found: Vec<(u32, &Entry)> = Vec::new();
        for slot in index.slots() {
            let Some(entry) = index.entry(slot) else { continue };
            let counts = self.of(entry.identity.update_id);
            let holds = query.expression.is_none_or(|expression| {
                index.facts(slot, Some(counts)).is_some_and(|facts| expression.accepts(&facts, self.now))
            });
            if holds && wanted.as_ref().is_none_or(|wanted| has_words(entry, wanted)) {
                found.push((slot, entry));
            }
        }
        if query.facets.is_some() {
            let mut values: BTreeMap<(&str, String), u64> = BTreeMap::new();
            for (slot, entry) in &found {
                let products = index.products(*slot).map(|category| ("product", category.title.clone()));
                let classes = index.classifications(*slot).map(|category| ("classification", category.title.clone()));
                let severity = ("severity", format!("{:?}", entry.severity));
                for key in products.chain(classes).chain([severity]) {
                    *values.entry(key).or_default() += 1;
                }
            }
            black_box(values);
        }
        if let Some(sort) = query.sort {
            found.sort_by_cached_key(|(slot, entry)| match sort {
                Sort::Title => entry.title.to_lowercase(),
                Sort::Needed => format!("{:020}", u64::MAX - self.of(entry.identity.update_id).needed),
                _ => format!("{:010}", u32::MAX - slot),
            });
        }
        let updates = found.len() as u64;
        found.truncate(query.limit);
        black_box(found);
        updates
    }
}

fn has_words(entry: &Entry, wanted: &[String]) -> bool {
    let mut texts: HashSet<String> = HashSet::new();
    for text in std::iter::once(&entry.title).chain(&entry.bulletins) {
        texts.extend(words(&fold(text)).map(str::to_owned));
    }
    for article in &entry.kb_articles {
        texts.insert(article.clone());
        texts.insert(format!("kb{article}"));
    }
    wanted.iter().all(|wanted| texts.iter().any(|word| word.starts_with(wanted.as_str())))
}

const PRODUCTS: [&str; 12] = [
    "Windows 11",
    "Windows 10, version 1903 and later",
    "Windows Server 2019",
    "Windows Server 2022",
    "Microsoft Defender Antivirus",
    "Microsoft 365 Apps/Office 2019/Office LTSC",
    "Office 2016",
    ".NET 8.0",
    "SQL Server 2019",
    "Visual Studio 2022",
    "Exchange Server 2019",
    "Windows - Client, version 21H2 and later, Servicing Drivers",
];
const CLASSES: [&str; 8] = [
    "Critical Updates",
    "Definition Updates",
    "Drivers",
    "Feature Packs",
    "Security Updates",
    "Service Packs",
    "Update Rollups",
    "Updates",
];
const DESCRIPTIONS: [&str; 4] = [
    "Install this update to resolve issues in Windows. For a complete listing of the issues that are included in this \
     update, see the associated Microsoft Knowledge Base article for more information. After you install this item, you \
     may have to restart your computer.",
    "A security issue has been identified in a Microsoft software product that could affect your system (CVE-2024-21412).",
    "Install this update to revise the definition files that are used to detect viruses, spyware, and other potentially \
     unwanted software. Once you have installed this item, it cannot be removed.",
    "Intel net driver update released in March 2024",
];

fn title(
    random: &mut Random,
    number: usize,
    product: &str,
    class: &str,
    kb: u64,
    is_driver: bool,
    released: Timestamp,
) -> String {
    let month: String = released.to_string().chars().take(7).collect();
    let architecture = ["x64", "x86", "ARM64"][number % 3];
    let version = ["21H2", "22H2", "23H2", "24H2"][number / 6 % 4];
    if is_driver {
        let maker =
            ["Intel", "Advanced Micro Devices, Inc.", "Realtek Semiconductor Corp.", "Dell, Inc."][number / 4 % 4];
        let part = ["net", "Display", "Firmware", "SoftwareComponent", "System"][number % 5];
        return format!(
            "{maker} - {part} - {}.{}.{}.{}",
            1 + number % 30,
            random.below(99),
            random.below(999),
            number % 100
        );
    }
    match number % 6 {
        0 => format!(
            "{month} Cumulative Update for {product} Version {version} for {architecture}-based Systems (KB{kb})"
        ),
        1 => format!(
            "{month} Cumulative Update Preview for .NET Framework 3.5 and 4.8.1 for {product} for {architecture} (KB{kb})"
        ),
        2 => format!(
            "Security Intelligence Update for Microsoft Defender Antivirus - KB{kb} (Version 1.{}.{}.0) - Current Channel (Broad)",
            random.below(500),
            random.below(3_000)
        ),
        3 => format!("Security Update for {product} (KB{kb}) 64-Bit Edition"),
        4 => format!("{month} Servicing Stack Update for {product} for {architecture}-based Systems (KB{kb})"),
        _ => format!("{class} for {product} {number} (KB{kb})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A benchmark whose questions find nothing, or not the same as the scan, measures nothing.
    #[test]
    fn the_questions_find_something_and_the_scan_finds_the_same() {
        let world = World::new(2_000);
        let index = Index::new(Arc::new(Base::default().with(world.additions.clone())), world.moving.clone());
        for text in TEXTS {
            let query = Query { text: Some(text), limit: PAGE, ..Query::default() };
            let found = index.search(&query, world.now, &|update| world.of(update)).expect("finds");
            assert!(found.updates > 0, "{text}");
        }
        for text in FILTERS {
            let filter: UpdateExpression = Expression::parse(text).expect(text);
            let found = index.matching(&filter, world.now, &|update| world.of(update));
            assert!(!found.is_empty() && found.len() < 2_000, "{text}: {}", found.len());
        }
        for case in &CASES {
            world.run(&index, case).expect("the same");
        }
    }
}
