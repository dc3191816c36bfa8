//! Criteria: at the moment in which what was brought goes into the catalogue, and over the catalogue as it is.
//!
//! In the transaction that promotes: [`Judge::load`]; if there is one, hand it every revision to be promoted; then
//! [`Judge::decide`] gives the verdicts. A revision of a skipped update is not stored; a declined one is stored and its
//! update declined with [`WriteTx::update_decline_by_rule`](weir_store::WriteTx::update_decline_by_rule).
//!
//! A replica judges nothing: the server above has, and what it declined, or took back, comes with its deployments.
//!
//! After a run [`apply`] looks at the whole catalogue: updates grow old and are superseded without a revision of their
//! own. An administrator who takes a rule's decline back is respected: no rule declines that update again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::json;
use weir_model::{
    criteria::{Branch, Facts, Matched, Rule, Superseder, Verdict, architectures_in_title, expand, judge},
    ids::{ContentDigest, UpdateId},
    update::UpdateType,
};
use weir_store::{ReadTx, StoreError, criterion::CriterionFacts, revision::NewRevision};

use crate::admin::{AdminError, App, Caller};

/// Updates declined in one transaction: other writers wait no longer than for these.
const AT_ONCE: usize = 500;
/// Titles that a preview shows.
const SAMPLES: usize = 20;

/// The product tree.
pub(crate) fn tree(tx: &ReadTx<'_>) -> Result<Vec<Branch>, StoreError> {
    let rows = tx.category_list("en")?.into_iter();
    Ok(rows.map(|row| Branch { id: row.id, kind: row.kind, parent: row.parent }).collect())
}

/// The rules that are enabled, families in them replaced by their products.
fn rules(tx: &ReadTx<'_>) -> Result<Vec<Rule>, StoreError> {
    let mut rules: Vec<Rule> =
        tx.criterion_list()?.into_iter().map(|row| row.rule).filter(|rule| rule.enabled).collect();
    expand_products(tx, &mut rules)?;
    Ok(rules)
}

fn expand_products(tx: &ReadTx<'_>, rules: &mut [Rule]) -> Result<(), StoreError> {
    if rules.iter().any(|rule| !rule.condition.products.is_empty()) {
        let tree = tree(tx)?;
        for rule in rules {
            rule.condition.products = expand(&rule.condition.products, &tree);
        }
    }
    Ok(())
}

/// The rules as they hold, and what they are to judge.
#[derive(Debug)]
pub struct Judge {
    rules: Vec<Rule>,
    candidates: HashMap<UpdateId, Candidate>,
}

#[derive(Debug)]
struct Candidate {
    revision: u32,
    expired: bool,
    superseded: Vec<UpdateId>,
    facts: Facts,
}

impl Judge {
    /// None while no rule is enabled: then everything is kept.
    pub fn load(tx: &ReadTx<'_>) -> Result<Option<Self>, StoreError> {
        let rules = rules(tx)?;
        Ok((!rules.is_empty()).then(|| Self { rules, candidates: HashMap::new() }))
    }

    /// One more revision to be promoted. Of several revisions of an update the highest counts.
    pub fn add(&mut self, revision: &NewRevision) {
        let update = revision.identity.update_id;
        let number = revision.identity.revision.0;
        if self.candidates.get(&update).is_some_and(|known| known.revision >= number) {
            return;
        }
        let is_kind = matches!(revision.update_type, UpdateType::Software | UpdateType::Driver);
        let titled = |language: &str| revision.localized.iter().find(|text| text.language == language);
        let title = titled(&revision.default_language).or_else(|| titled("en")).or_else(|| revision.localized.first());
        let title = title.map(|text| text.title.clone()).unwrap_or_default();
        let named = architectures_in_title(&title);
        let relationships = &revision.relationships;
        let (categories, others): (Vec<_>, Vec<_>) =
            relationships.prerequisites.iter().partition(|clause| clause.is_category);
        let alternatives = |clauses: Vec<&weir_model::update::PrerequisiteClause>| {
            clauses.into_iter().flat_map(|clause| clause.alternatives.iter().copied()).collect::<Vec<_>>()
        };
        let facts = Facts {
            update,
            judged: is_kind && revision.explicitly_deployable && !revision.expired,
            // known when it is decided
            stored: false,
            architectures: if named.is_empty() { revision.architectures.clone() } else { named },
            title,
            kb_articles: revision.kb_articles.clone(),
            categories: alternatives(categories),
            languages: revision.languages.clone(),
            created_at: revision.created_at,
            superseded_by: Vec::new(),
            members: relationships
                .bundled
                .iter()
                .flat_map(|clause| clause.alternatives.iter().map(|member| member.update_id))
                .collect(),
            prerequisites: alternatives(others),
        };
        let candidate = Candidate {
            revision: number,
            expired: revision.expired,
            superseded: relationships.superseded.clone(),
            facts,
        };
        self.candidates.insert(update, candidate);
    }

    /// The verdicts. What the catalogue has already is never skipped; what an administrator took back is never declined.
    pub fn decide(self, tx: &ReadTx<'_>, now: Timestamp) -> Result<Verdicts, StoreError> {
        let Self { rules, mut candidates } = self;
        let mut undeclined = BTreeSet::new();
        for (update, candidate) in &mut candidates {
            let (stored, taken_back) = tx.criterion_state(*update)?;
            candidate.facts.stored = stored;
            if taken_back {
                undeclined.insert(*update);
            }
        }
        if rules.iter().any(|rule| rule.condition.superseded.is_some()) {
            supersede(tx, &mut candidates)?;
        }
        let mut facts: Vec<Facts> = candidates.into_values().map(|candidate| candidate.facts).collect();
        // the verdicts do not depend on it; what is logged does
        facts.sort_unstable_by_key(|facts| facts.update);
        let mut verdicts = judge(&rules, &facts, now);
        verdicts.retain(|update, verdict| !(matches!(verdict, Verdict::Decline(_)) && undeclined.contains(update)));
        Ok(Verdicts(verdicts))
    }
}

/// Notes what supersedes each candidate: other candidates, and what is stored.
fn supersede(tx: &ReadTx<'_>, candidates: &mut HashMap<UpdateId, Candidate>) -> Result<(), StoreError> {
    let mut by_target: HashMap<UpdateId, Vec<Superseder>> = HashMap::new();
    for (update, candidate) in &*candidates {
        let superseder =
            Superseder { update: *update, created_at: candidate.facts.created_at, withdrawn: candidate.expired };
        for target in &candidate.superseded {
            by_target.entry(*target).or_default().push(superseder);
        }
    }
    let brought: BTreeSet<UpdateId> = candidates.keys().copied().collect();
    for (update, candidate) in candidates {
        candidate.facts.superseded_by = by_target.remove(update).unwrap_or_default();
        let stored = tx.criterion_superseders(*update)?.into_iter();
        // of what was brought the new revision counts
        candidate.facts.superseded_by.extend(stored.filter(|superseder| !brought.contains(&superseder.update)));
    }
    Ok(())
}

/// What became of the updates of a batch.
#[derive(Debug, Default)]
pub struct Verdicts(BTreeMap<UpdateId, Verdict>);

impl Verdicts {
    /// The verdict on an update.
    pub fn of(&self, update: UpdateId) -> &Verdict {
        self.0.get(&update).unwrap_or(&Verdict::Keep)
    }
}

/// What rules did to the catalogue.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Applied {
    /// Updates that each rule declined now.
    pub(crate) by_rule: BTreeMap<String, u64>,
    /// Updates that were declined before.
    pub(crate) before: u64,
    /// Updates left alone because an administrator took their decline back.
    pub(crate) taken_back: u64,
}

impl Applied {
    /// Updates declined now.
    pub(crate) fn declined(&self) -> u64 {
        self.by_rule.values().sum()
    }
}

/// What rules look at, of every update that can be deployed.
pub(crate) fn catalogue(tx: &ReadTx<'_>) -> Result<Vec<CriterionFacts>, StoreError> {
    let mut rows = tx.criterion_facts(UpdateType::Software)?;
    rows.extend(tx.criterion_facts(UpdateType::Driver)?);
    Ok(rows)
}

fn facts(row: &CriterionFacts, stored: bool) -> Facts {
    Facts {
        update: row.update,
        judged: true,
        stored,
        title: row.title.clone(),
        kb_articles: row.kb_articles.clone(),
        categories: row.categories.clone(),
        architectures: row.architectures.clone(),
        languages: row.languages.clone(),
        created_at: row.created_at,
        superseded_by: row.superseded_by.clone(),
        members: Vec::new(),
        prerequisites: Vec::new(),
    }
}

/// Declines what enabled rules decline in the catalogue; with `only`, what that rule declines. Publish afterwards.
pub(crate) async fn apply(app: &App, caller: &Caller, only: Option<String>) -> Result<Applied, AdminError> {
    let (mut applied, wanted) = app.read(move |tx| judged(tx, only.as_deref(), Timestamp::now())).await?;
    for chunk in wanted.chunks(AT_ONCE) {
        let chunk = chunk.to_vec();
        let counts = app
            .write(caller, move |tx| {
                let mut counts: BTreeMap<String, u64> = BTreeMap::new();
                for (update, matched) in &chunk {
                    // it may have been declined or taken back since it was judged
                    let (stored, taken_back) = tx.criterion_state(*update)?;
                    if stored && !taken_back && tx.update_decline_by_rule(*update, &matched.rule)? {
                        *counts.entry(matched.rule.clone()).or_default() += 1;
                    }
                }
                for (rule, declined) in &counts {
                    tx.audit("criteria.apply", rule, None, Some(&json!({ "declined": declined })))?;
                }
                Ok(counts)
            })
            .await?;
        for (rule, declined) in counts {
            *applied.by_rule.entry(rule).or_default() += declined;
        }
    }
    if applied.declined() > 0 {
        tracing::info!(declined = applied.declined(), "criteria declined updates");
    }
    Ok(applied)
}

type Wanted = Vec<(UpdateId, Matched)>;

fn judged(tx: &ReadTx<'_>, only: Option<&str>, now: Timestamp) -> Result<(Applied, Wanted), StoreError> {
    let rules = rules(tx)?;
    let concerns = |rule: &str| only.is_none_or(|only| only == rule);
    if !rules.iter().any(|rule| concerns(&rule.name)) {
        return Ok((Applied::default(), Vec::new()));
    }
    let rows = catalogue(tx)?;
    let facts: Vec<Facts> = rows.iter().map(|row| facts(row, true)).collect();
    let mut verdicts = judge(&rules, &facts, now);
    let (mut applied, mut wanted) = (Applied::default(), Vec::new());
    for row in rows {
        match verdicts.remove(&row.update) {
            Some(Verdict::Decline(matched)) if concerns(&matched.rule) => {
                if row.declined_by.is_some() {
                    applied.before += 1;
                } else if row.undeclined {
                    applied.taken_back += 1;
                } else {
                    wanted.push((row.update, matched));
                }
            }
            _ => {}
        }
    }
    Ok((applied, wanted))
}

/// The updates that a rule would decline in the catalogue as it is; none if it is switched off or only skips.
pub(crate) fn declines(tx: &ReadTx<'_>, rule: &Rule, now: Timestamp) -> Result<BTreeSet<UpdateId>, StoreError> {
    if !rule.enabled {
        return Ok(BTreeSet::new());
    }
    let mut rules = vec![rule.clone()];
    expand_products(tx, &mut rules)?;
    let rows = catalogue(tx)?;
    let facts: Vec<Facts> = rows.iter().map(|row| facts(row, true)).collect();
    let verdicts = judge(&rules, &facts, now);
    let open = rows.iter().filter(|row| row.declined_by.is_none() && !row.undeclined);
    let declined = open.filter(|row| matches!(verdicts.get(&row.update), Some(Verdict::Decline(_))));
    Ok(declined.map(|row| row.update).collect())
}

/// What a rule would do to the catalogue as it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Preview {
    /// Updates that it matches.
    pub(crate) matched: u64,
    /// Those among them that are declined already.
    pub(crate) declined: u64,
    /// Those among them that an administrator took back: they stay.
    pub(crate) taken_back: u64,
    /// Updates that rules look at.
    pub(crate) looked_at: u64,
    /// Files of the matched updates, and of the members of bundles among them.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Bytes among them that are stored here.
    pub(crate) bytes_here: u64,
    /// The first of the matched updates: id, title, and why.
    pub(crate) samples: Vec<(UpdateId, String, String)>,
}

/// Looks what a rule would do, whether or not it is stored or enabled.
pub(crate) fn preview(tx: &ReadTx<'_>, rule: &Rule, now: Timestamp) -> Result<Preview, StoreError> {
    let mut rules = vec![Rule { enabled: true, ..rule.clone() }];
    expand_products(tx, &mut rules)?;
    let rows = catalogue(tx)?;
    // as if they came now, so that a rule that skips shows what it would skip
    let facts: Vec<Facts> = rows.iter().map(|row| facts(row, false)).collect();
    let mut verdicts = judge(&rules, &facts, now);
    let mut preview = Preview { looked_at: rows.len() as u64, ..Preview::default() };
    let mut matched = Vec::new();
    for row in rows {
        let Some(Verdict::Decline(found) | Verdict::Skip(found)) = verdicts.remove(&row.update) else { continue };
        preview.matched += 1;
        preview.declined += u64::from(row.declined_by.is_some());
        preview.taken_back += u64::from(row.undeclined);
        matched.push(row.update);
        if preview.samples.len() < SAMPLES {
            preview.samples.push((row.update, row.title.trim().to_owned(), found.reason));
        }
    }
    (preview.files, preview.bytes, preview.bytes_here) = content(tx, &matched)?;
    Ok(preview)
}

/// Files and bytes of updates, each file once: how many, their bytes, and those of them that are here.
pub(crate) fn content(tx: &ReadTx<'_>, updates: &[UpdateId]) -> Result<(u64, u64, u64), StoreError> {
    let mut seen: BTreeSet<ContentDigest> = BTreeSet::new();
    let (mut bytes, mut here) = (0, 0);
    for update in updates {
        for (digest, size, is_here) in tx.criterion_files(*update)? {
            if seen.insert(digest) {
                bytes += size;
                here += if is_here { size } else { 0 };
            }
        }
    }
    Ok((seen.len() as u64, bytes, here))
}
