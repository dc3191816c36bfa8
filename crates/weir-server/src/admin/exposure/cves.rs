//! Vulnerabilities, with computers counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_api::{
    List,
    exposure::{CollectionQuery, Cve as Shown, CveDetail, CveQuery, Kev, Problem, ReasonCount, Remedy, ServiceLevel},
};
use weir_model::{
    exposure::{Article, Cve, KnownVulnerability, Reason, State},
    update::Severity,
};

use super::{
    super::{AdminError, App, collection::Tree, index::severity_word, list},
    base::Base,
    import,
    judged::{Counted, Judge, of_level, of_state},
    levels,
    population::Population,
    words,
};

/// Characters of a text that is searched for.
const LONGEST_TEXT: usize = 256;

/// A severity, or that there is none.
#[derive(Clone, Copy)]
struct Rating(Option<Severity>);

/// What a list is narrowed to.
struct Filter {
    text: Option<String>,
    severity: Option<Rating>,
    exploited: Option<bool>,
    state: Option<State>,
    level: Option<ServiceLevel>,
    article: Option<Article>,
    kev_only: bool,
}

impl Filter {
    fn read(query: &CveQuery) -> Result<Self, AdminError> {
        let text = query.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if text.is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            return Err(AdminError::invalid("text", format!("the text has more than {LONGEST_TEXT} characters")));
        }
        let severity = query.severity.as_deref().map(|word| match word.trim().to_lowercase().as_str() {
            "critical" => Ok(Rating(Some(Severity::Critical))),
            "important" => Ok(Rating(Some(Severity::Important))),
            "moderate" => Ok(Rating(Some(Severity::Moderate))),
            "low" => Ok(Rating(Some(Severity::Low))),
            "unrated" => Ok(Rating(None)),
            other => Err(AdminError::invalid(
                "severity",
                format!("{other:?} is no severity; it is critical, important, moderate, low or unrated"),
            )),
        });
        let article = query.kb.as_deref().map(|kb| {
            kb.trim().to_uppercase().parse::<Article>().map_err(|error| AdminError::invalid("kb", error.to_string()))
        });
        Ok(Self {
            text: text.map(str::to_lowercase),
            severity: severity.transpose()?,
            exploited: query.exploited,
            state: query.state.map(words::asked),
            level: query.level,
            article: article.transpose()?,
            kev_only: query.kev_only.unwrap_or(false),
        })
    }

    /// What can be told without counting.
    fn lets(&self, base: &Base, it: &KnownVulnerability) -> bool {
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
            && self.article.is_none_or(fixed_by)
    }

    fn counts(&self, counted: &Counted) -> bool {
        self.state.is_none_or(|state| of_state(&counted.states, state) > 0)
            && self.level.is_none_or(|level| of_level(&counted.levels, level) > 0)
    }
}

/// Judges for a request, with weights of classes for a collection.
pub(super) async fn judge(app: &App, collection: Option<String>) -> Result<(Judge, Tree, Vec<u64>), AdminError> {
    let base = Base::current(app).await?;
    let population = Population::current(app, &base).await?;
    app.try_read(move |tx| {
        let (levels, tree) = (levels::current(tx)?, Tree::read(tx)?);
        let weights = population.weights(&tree, collection.as_deref())?;
        Ok((Judge { base, population, levels, now: Timestamp::now() }, tree, weights))
    })
    .await
}

/// Vulnerabilities: those with breaches first, then by exposed computers, exploitation and severity.
pub(crate) async fn list(app: &App, query: CveQuery) -> Result<List<Shown>, AdminError> {
    let limit = list::limit(query.limit)?;
    let filter = Filter::read(&query)?;
    let (judge, _, weights) = judge(app, query.collection).await?;
    super::super::blocking(move || {
        let all = judge.base.known.vulnerabilities.values().filter(|it| filter.lets(&judge.base, it));
        let counted = all.map(|it| (it, judge.count(it, &weights)));
        let mut rows: Vec<_> = counted.filter(|(_, counted)| filter.counts(counted)).collect();
        rows.sort_by_cached_key(|(it, counted)| {
            let worst = (counted.levels.breached, counted.states.exposed, it.is_exploited(), it.rating());
            (std::cmp::Reverse(worst), std::cmp::Reverse(it.published), it.cve.clone())
        });
        let page = list::page(rows, |(it, _)| it.cve.to_string(), query.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|(it, counted)| shown(it, &counted)).collect();
        Ok(List { items, next: page.next })
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
pub(crate) async fn show(app: &App, id: String, query: CollectionQuery) -> Result<CveDetail, AdminError> {
    let (judge, _, weights) = judge(app, query.collection).await?;
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
        reasons.sort_by_key(|it| std::cmp::Reverse(it.computers));
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
