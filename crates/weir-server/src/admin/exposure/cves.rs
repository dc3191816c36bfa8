//! Vulnerabilities, with computers counted.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use weir_api::exposure::{
    CollectionQuery, Cve as Shown, CveAge, CveCount, CveDetail, CveList, CveQuery, CveTotals, Kev, Problem,
    ReasonCount, Remedy, ServiceLevel,
};
use weir_model::{
    exposure::{Age, Article, Cve, KnownVulnerability, Reason, State},
    rights::Scope,
    update::Severity,
};

use super::{
    super::{AdminError, App, collection::Tree, index::severity_word, list, when},
    base::Base,
    import,
    judged::{Counted, Judge, of_level, of_state},
    levels,
    population::Population,
    spread::Counting,
    words::{self, Rating},
};

/// What a list is narrowed to.
struct Filter {
    text: Option<String>,
    severity: Option<Rating>,
    exploited: Option<bool>,
    kev: Option<bool>,
    age: Option<CveAge>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    state: Option<State>,
    level: Option<ServiceLevel>,
    article: Option<Article>,
    kev_only: bool,
}

impl Filter {
    fn read(query: &CveQuery, now: Timestamp) -> Result<Self, AdminError> {
        let time = |field, text: &Option<String>| text.as_deref().map(|text| when::past(field, text, now)).transpose();
        let article = query.kb.as_deref().map(|kb| {
            kb.trim().to_uppercase().parse::<Article>().map_err(|error| AdminError::invalid("kb", error.to_string()))
        });
        Ok(Self {
            text: words::text(query.text.as_deref())?,
            severity: query.severity.as_deref().map(Rating::parse).transpose()?,
            exploited: query.exploited,
            kev: query.kev,
            age: query.age,
            after: time("published_after", &query.published_after)?,
            before: time("published_before", &query.published_before)?,
            state: query.state.map(words::asked),
            level: query.level,
            article: article.transpose()?,
            kev_only: query.kev_only.unwrap_or(false),
        })
    }

    /// What can be told without counting.
    fn lets(&self, base: &Base, it: &KnownVulnerability, now: Timestamp) -> bool {
        let text =
            |text: &String| it.cve.as_str().to_lowercase().contains(text) || it.title.to_lowercase().contains(text);
        let fixed_by = |article: Article| {
            let shape = base.known.shape_of(it);
            let problems = shape.into_iter().flat_map(|shape| base.known.problems_of(shape));
            problems.flat_map(|problem| &problem.remedies).any(|remedy| remedy.article == Some(article))
        };
        (self.kev_only || it.shape.is_some())
            && self.text.as_ref().is_none_or(text)
            && self.severity.is_none_or(|Rating(severity)| it.severity == severity)
            && self.exploited.is_none_or(|exploited| it.is_exploited() == exploited)
            && self.kev.is_none_or(|kev| it.listed.is_some() == kev)
            && self.age.is_none_or(|age| words::age(Age::of(it.published, now)) == age)
            && self.after.is_none_or(|after| it.published.is_some_and(|at| at >= after))
            && self.before.is_none_or(|before| it.published.is_some_and(|at| at < before))
            && self.article.is_none_or(fixed_by)
    }

    fn counts(&self, counted: &Counted) -> bool {
        self.state.is_none_or(|state| of_state(&counted.states, state) > 0)
            && self.level.is_none_or(|level| of_level(&counted.levels, level) > 0)
    }
}

/// Judges for a request, with weights of classes for a collection.
pub(super) async fn judge(
    app: &App,
    scope: Scope,
    collection: Option<String>,
) -> Result<(Judge, Tree, Vec<u64>), AdminError> {
    let base = Base::current(app).await?;
    let population = Population::current(app, &base).await?;
    app.try_read(move |tx| {
        let (levels, tree) = (levels::current(tx)?, Tree::within(tx, &scope)?);
        let weights = population.weights(&tree, collection.as_deref())?;
        Ok((Judge { base, population, levels, now: Timestamp::now() }, tree, weights))
    })
    .await
}

/// By what vulnerabilities are sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sort {
    Breached,
    Cve,
    Due,
    DueSoon,
    Excepted,
    Exposed,
    Fixed,
    NoData,
    Published,
    Revised,
    Score,
    Severity,
    Title,
}

/// What stands for a vulnerability in an order; of one list all are of one kind.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Key {
    Number(u64),
    Text(String),
    Time(Timestamp),
}

impl Sort {
    /// Every order with its name, and whether it descends by default.
    const ALL: [(&'static str, Self, bool); 13] = [
        ("breached", Self::Breached, true),
        ("cve", Self::Cve, false),
        ("due", Self::Due, false),
        ("due_soon", Self::DueSoon, true),
        ("excepted", Self::Excepted, true),
        ("exposed", Self::Exposed, true),
        ("fixed", Self::Fixed, true),
        ("no_data", Self::NoData, true),
        ("published", Self::Published, true),
        ("revised", Self::Revised, true),
        ("score", Self::Score, true),
        ("severity", Self::Severity, true),
        ("title", Self::Title, false),
    ];

    /// None if that is not known.
    fn key(self, it: &KnownVulnerability, counted: &Counted) -> Option<Key> {
        let (states, levels) = (&counted.states, &counted.levels);
        match self {
            Self::Breached => Some(Key::Number(levels.breached)),
            Self::Cve => Some(Key::Text(it.cve.to_string())),
            Self::Due => counted.due.map(Key::Time),
            Self::DueSoon => Some(Key::Number(levels.due_soon)),
            Self::Excepted => Some(Key::Number(levels.excepted)),
            Self::Exposed => Some(Key::Number(states.exposed)),
            Self::Fixed => Some(Key::Number(states.fixed)),
            Self::NoData => Some(Key::Number(states.no_data)),
            Self::Published => it.published.map(Key::Time),
            Self::Revised => it.revised.map(Key::Time),
            Self::Score => it.score.as_ref().map(|score| Key::Number(u64::from(score.tenths))),
            Self::Severity => it.severity.map(|severity| Key::Number(severity as u64)),
            Self::Title => Some(Key::Text(it.title.to_lowercase())),
        }
    }
}

type Found<'b> = (&'b KnownVulnerability, Counted);

/// Puts vulnerabilities into an order: as asked, else those with breaches first, then by exposed computers, exploitation and severity.
/// What is not known comes last.
fn sort(rows: &mut [Found<'_>], order: Option<(Sort, bool)>) {
    let Some((by, descending)) = order else {
        rows.sort_by_cached_key(|(it, counted)| {
            let worst = (counted.levels.breached, counted.states.exposed, it.is_exploited(), it.rating());
            (Reverse(worst), Reverse(it.published), it.cve.clone())
        });
        return;
    };
    rows.sort_by_cached_key(|(it, counted)| {
        let key = by.key(it, counted);
        let (up, down) = if descending { (None, key.clone().map(Reverse)) } else { (key.clone(), None) };
        (key.is_none(), up, down, it.cve.clone())
    });
}

fn totals(rows: &[Found<'_>]) -> CveTotals {
    let mut totals = CveTotals::default();
    for (it, counted) in rows {
        totals.exposed += u64::from(counted.states.exposed > 0);
        totals.breached += u64::from(counted.levels.breached > 0);
        totals.due_soon += u64::from(counted.levels.due_soon > 0);
        totals.exploited += u64::from(it.is_exploited());
        totals.kev += u64::from(it.listed.is_some());
        totals.no_data += u64::from(counted.states.no_data > 0);
    }
    totals
}

/// By severity, the worst first, and age, the youngest first.
fn counts(rows: &[Found<'_>], now: Timestamp) -> Vec<CveCount> {
    let mut counts: BTreeMap<(Reverse<Option<Severity>>, Age), u64> = BTreeMap::new();
    for (it, _) in rows {
        *counts.entry((Reverse(it.severity), Age::of(it.published, now))).or_default() += 1;
    }
    let count = |((Reverse(severity), age), cves)| CveCount {
        severity: Rating(severity).word().to_owned(),
        age: words::age(age),
        cves,
    };
    counts.into_iter().map(count).collect()
}

/// A page of vulnerabilities, and what all that were found count to.
pub(crate) async fn list(app: &App, scope: Scope, query: CveQuery) -> Result<CveList, AdminError> {
    let limit = list::limit(query.limit)?;
    let filter = Filter::read(&query, Timestamp::now())?;
    let order = query.sort.as_deref().map(|text| list::order("vulnerabilities", text, &Sort::ALL)).transpose()?;
    let (judge, _, weights) = judge(app, scope, query.collection).await?;
    super::super::blocking(move || {
        let all = judge.base.known.vulnerabilities.values().filter(|it| filter.lets(&judge.base, it, judge.now));
        let counting = Counting::new(&judge, &weights);
        let counted = all.map(|it| (it, counting.of(it)));
        let mut rows: Vec<Found<'_>> = counted.filter(|(_, counted)| filter.counts(counted)).collect();
        let (total, totals) = (rows.len() as u64, totals(&rows));
        let counts = query.facets.then(|| counts(&rows, judge.now));
        sort(&mut rows, order);
        let page = list::page(rows, |(it, _)| it.cve.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|(it, counted)| shown(it, &counted)).collect();
        Ok(CveList { items, total, totals, counts, next: page.next })
    })
    .await
}

/// The vulnerability of an id.
pub(super) fn find<'b>(base: &'b Base, id: &str) -> Result<&'b KnownVulnerability, AdminError> {
    let cve: Cve = id.parse().map_err(|error| AdminError::invalid("cve", format!("{error}")))?;
    let known = base.known.vulnerabilities.get(&cve);
    known.ok_or_else(|| AdminError::missing("CVE", &cve, "weir exposure cves list"))
}

/// One vulnerability in full.
pub(crate) async fn show(app: &App, scope: Scope, id: String, query: CollectionQuery) -> Result<CveDetail, AdminError> {
    let (judge, _, weights) = judge(app, scope, query.collection).await?;
    app.try_read(move |tx| {
        let it = find(&judge.base, &id)?;
        let documents = it.documents.iter().map(|no| tx.exposure_document_show(*no));
        let documents = documents.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().map(import::shown).collect();
        let mut reasons: BTreeMap<Reason, u64> = BTreeMap::new();
        match judge.row(it) {
            Some(row) => {
                for (cell, weight) in row.iter().zip(&weights).filter(|(_, weight)| **weight > 0) {
                    *reasons.entry(cell.evidence.reason).or_default() += weight;
                }
            }
            None if weights.iter().sum::<u64>() > 0 => {
                reasons.insert(Reason::NoFix, weights.iter().sum());
            }
            None => {}
        }
        let mut reasons: Vec<ReasonCount> = reasons
            .into_iter()
            .map(|(reason, computers)| {
                let (word, text) = words::reason(reason);
                let state = words::state(reason.state());
                ReasonCount { state, reason: word.to_owned(), text: text.to_owned(), computers }
            })
            .collect();
        reasons.sort_by_key(|it| Reverse(it.computers));
        let known = &judge.base.known;
        let problems = known.shape_of(it).into_iter().flat_map(|shape| known.problems_of(shape));
        let problems = problems.map(|problem| Problem {
            products: problem.products.iter().map(|name| name.to_string()).collect(),
            remedies: problem.remedies.iter().map(|remedy| self::remedy(&judge.base, remedy)).collect(),
        });
        Ok(CveDetail { cve: shown(it, &judge.count(it, &weights)), problems: problems.collect(), documents, reasons })
    })
    .await
}

fn remedy(base: &Base, remedy: &weir_model::exposure::Remedy) -> Remedy {
    let joined = remedy.article.and_then(|article| base.join.of(article));
    let updates = joined.into_iter().flat_map(|joined| &joined.direct);
    Remedy {
        kb: remedy.article.map(|article| article.to_string()),
        name: Some(remedy.name.to_string()).filter(|name| !name.is_empty()),
        build: remedy.build.map(|build| build.to_string()),
        updates: updates.filter_map(|update| base.reference(*update)).collect(),
        superseders: joined.map_or(0, |joined| joined.later.len() as u64),
    }
}

fn shown(it: &KnownVulnerability, counted: &Counted) -> Shown {
    Shown {
        cve: it.cve.to_string(),
        title: it.title.clone(),
        severity: it.severity.map(|severity| severity_word(severity).to_owned()),
        score: it.score.as_ref().map(|score| f64::from(score.tenths) / 10.0),
        vector: it.score.as_ref().map(|score| score.vector.clone()).filter(|vector| !vector.is_empty()),
        exploited: it.is_exploited(),
        kev: it.listed.as_ref().map(|entry| Kev { added: entry.added, due: entry.due, ransomware: entry.ransomware }),
        published_at: it.published,
        revised_at: it.revised,
        computers: counted.states,
        levels: counted.levels,
        due_at: counted.due,
    }
}
