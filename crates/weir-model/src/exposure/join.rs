//! From articles to updates of the catalogue.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Article, Known};
use crate::status::UpdateNumber;

/// An update of the catalogue, as far as joining goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Update {
    /// Its number.
    pub number: UpdateNumber,
    /// Its articles.
    pub articles: Vec<Article>,
    /// Updates that it replaces.
    pub supersedes: Vec<UpdateNumber>,
    /// Computers report about it, or would if it were offered: it can be deployed. Members of bundles are not; they only
    /// pass supersedence on.
    pub reported: bool,
}

/// Updates that fix what an article fixes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Joined {
    /// Those of the article itself, ascending.
    pub direct: Vec<UpdateNumber>,
    /// Those that replace one of these, through any number of steps, ascending.
    pub later: Vec<UpdateNumber>,
}

/// The updates of all articles that documents name.
#[derive(Clone, Debug, Default)]
pub struct Join {
    joined: HashMap<Article, Joined>,
    relevant: Vec<UpdateNumber>,
}

impl Join {
    /// Joins. What an article is replaced by, as vendors say, counts as what replaces it in the catalogue: the update of
    /// the article itself may have been removed there since.
    pub fn new(known: &Known, catalogue: &[Update]) -> Self {
        let mut of_article: BTreeMap<Article, Vec<usize>> = BTreeMap::new();
        let mut superseders: HashMap<UpdateNumber, Vec<usize>> = HashMap::new();
        for (at, update) in catalogue.iter().enumerate() {
            for article in &update.articles {
                of_article.entry(*article).or_default().push(at);
            }
            for older in &update.supersedes {
                superseders.entry(*older).or_default().push(at);
            }
        }
        let remedies = known.problems.iter().flat_map(|problem| &problem.remedies);
        let wanted: BTreeSet<Article> = remedies.filter_map(|remedy| remedy.article).collect();
        let mut join = Self::default();
        let mut relevant = BTreeSet::new();
        for article in wanted {
            let joined = joined(article, known, catalogue, &of_article, &superseders);
            relevant.extend(joined.direct.iter().chain(&joined.later).copied());
            join.joined.insert(article, joined);
        }
        join.relevant = relevant.into_iter().collect();
        join
    }

    /// The updates of an article; none if no document names it.
    pub fn of(&self, article: Article) -> Option<&Joined> {
        self.joined.get(&article)
    }

    /// Every update that fixes something, ascending.
    pub fn relevant(&self) -> &[UpdateNumber] {
        &self.relevant
    }
}

fn joined(
    article: Article,
    known: &Known,
    catalogue: &[Update],
    of_article: &BTreeMap<Article, Vec<usize>>,
    superseders: &HashMap<UpdateNumber, Vec<usize>>,
) -> Joined {
    // articles that replace it, in any number of steps
    let mut articles = BTreeSet::from([article]);
    let mut open = vec![article];
    while let Some(article) = open.pop() {
        for later in known.superseded_by.get(&article).into_iter().flatten() {
            if articles.insert(*later) {
                open.push(*later);
            }
        }
    }
    let updates_of = |article: &Article| of_article.get(article).into_iter().flatten().copied();
    let direct: BTreeSet<usize> = updates_of(&article).collect();
    // supersedence may run in circles in damaged catalogues: each update is looked at once
    let mut all: BTreeSet<usize> = articles.iter().flat_map(updates_of).collect();
    let mut open: Vec<usize> = all.iter().copied().collect();
    while let Some(at) = open.pop() {
        let Some(update) = catalogue.get(at) else { continue };
        for later in superseders.get(&update.number).into_iter().flatten() {
            if all.insert(*later) {
                open.push(*later);
            }
        }
    }
    let numbers = |places: &mut dyn Iterator<Item = &usize>| {
        let updates = places.filter_map(|at| catalogue.get(*at)).filter(|update| update.reported);
        updates.map(|update| update.number).collect::<BTreeSet<_>>().into_iter().collect()
    };
    Joined { direct: numbers(&mut direct.iter()), later: numbers(&mut all.difference(&direct)) }
}
