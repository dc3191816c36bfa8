//! All documents together, by CVE.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{Advisory, Article, Build, Cve, Fix, KnownExploited, Platform, Score};
use crate::update::Severity;

/// One way to fix a product: any of those of a [`Problem`] will do.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Remedy {
    /// The article of the update; none if the document names no article.
    pub article: Option<Article>,
    /// How the document names it, if it has no article.
    pub name: Arc<str>,
    /// The build that has the fix.
    pub build: Option<Build>,
}

/// Products that the same remedies fix.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Problem {
    /// Where they run.
    pub platform: Platform,
    /// Names of the products; empty if the document did not say what a fix is for.
    pub products: Arc<[Arc<str>]>,
    /// What fixes them; empty if nothing is known.
    pub remedies: Vec<Remedy>,
}

/// What has to be fixed on a computer, equal for many vulnerabilities of a month, and therefore shared.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Shape {
    /// Each has to be fixed, or must not apply: places in [`Known::problems`].
    pub problems: Vec<u32>,
    /// Releases of Windows (`a.b.c`) for which the documents that name the vulnerability have fixes, of this vulnerability or
    /// of others.
    pub assessed: Arc<BTreeSet<[u32; 3]>>,
}

/// A vulnerability as all documents have it.
#[derive(Clone, Debug)]
pub struct KnownVulnerability {
    /// Which.
    pub cve: Cve,
    /// Its title, as the document that was revised last has it.
    pub title: String,
    /// The rating of its vendor, likewise.
    pub severity: Option<Severity>,
    /// Its CVSS base score, likewise.
    pub score: Option<Score>,
    /// A vendor says that it is exploited.
    pub exploited: bool,
    /// Its entry in the KEV catalogue.
    pub listed: Option<KnownExploited>,
    /// When it was published first.
    pub published: Option<Timestamp>,
    /// When what is said of it was revised last.
    pub revised: Option<Timestamp>,
    /// Numbers of the documents that name it, ascending.
    pub documents: Vec<u32>,
    /// Place of what has to be fixed in [`Known::shapes`]; none if only the KEV catalogue names it.
    pub shape: Option<u32>,
}

impl KnownVulnerability {
    /// Exploited, as a vendor or the KEV catalogue says.
    pub fn is_exploited(&self) -> bool {
        self.exploited || self.listed.is_some()
    }

    /// The severity that service levels go by: the vendor's, else that of the CVSS base score (CVSS 3.1 section 5: from 9.0
    /// critical, from 7.0 high, from 4.0 medium, from 0.1 low).
    pub fn rating(&self) -> Option<Severity> {
        let by_score = || match self.score.as_ref()?.tenths {
            90.. => Some(Severity::Critical),
            70.. => Some(Severity::Important),
            40.. => Some(Severity::Moderate),
            1.. => Some(Severity::Low),
            0 => None,
        };
        self.severity.or_else(by_score)
    }
}

/// Everything that imported documents say.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By CVE.
    pub vulnerabilities: BTreeMap<Cve, KnownVulnerability>,
    /// What has to be fixed, each once.
    pub shapes: Vec<Shape>,
    /// Parts of it, each once: vulnerabilities of a month have most of them in common.
    pub problems: Vec<Problem>,
    /// Articles that replace an article, as vendors say.
    pub superseded_by: BTreeMap<Article, BTreeSet<Article>>,
}

impl Known {
    /// The problems of a shape, in their order.
    pub fn problems_of<'k>(&'k self, shape: &'k Shape) -> impl Iterator<Item = &'k Problem> {
        shape.problems.iter().filter_map(|place| self.problems.get(*place as usize))
    }

    /// What has to be fixed of a vulnerability.
    pub fn shape_of(&self, vulnerability: &KnownVulnerability) -> Option<&Shape> {
        self.shapes.get(vulnerability.shape? as usize)
    }
}

/// Gives each of many equal things one place.
struct Interned<T> {
    all: Vec<T>,
    places: HashMap<T, u32>,
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    fn new() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }

    fn place(&mut self, one: T) -> u32 {
        if let Some(place) = self.places.get(&one) {
            return *place;
        }
        let place = self.all.len() as u32;
        self.all.push(one.clone());
        self.places.insert(one, place);
        place
    }
}

/// One document's word on the fixes of a product.
#[derive(Default)]
struct Said {
    at: Option<Timestamp>,
    remedies: BTreeSet<Remedy>,
}

/// A vulnerability while documents are added.
struct Draft {
    known: KnownVulnerability,
    /// Revision of the document that title, severity and score are from.
    at: Option<Timestamp>,
    products: BTreeMap<Arc<str>, Said>,
    assessed: BTreeSet<[u32; 3]>,
}

/// Puts documents together.
#[derive(Default)]
pub struct Builder {
    drafts: BTreeMap<Cve, Draft>,
    listed: Vec<KnownExploited>,
    superseded_by: BTreeMap<Article, BTreeSet<Article>>,
    names: HashSet<Arc<str>>,
}

impl Builder {
    /// Adds an advisory: its number, and when its revision was released.
    pub fn advisory(&mut self, number: u32, at: Timestamp, advisory: &Advisory) {
        let names: Vec<Arc<str>> = advisory.products.iter().map(|name| self.name(name)).collect();
        let platforms: Vec<Platform> = names.iter().map(|name| Platform::of(name)).collect();
        let is_windows = |product: &u32| platforms.get(*product as usize) == Some(&Platform::Windows);
        let fixes = || advisory.vulnerabilities.iter().flat_map(|it| &it.fixes);
        let assessed: BTreeSet<[u32; 3]> = fixes()
            .filter(|fix| fix.products.iter().any(is_windows))
            .filter_map(|fix| fix.build.map(|Build([a, b, c, _])| [a, b, c]))
            .collect();
        for fix in fixes() {
            for older in &fix.supersedes {
                self.superseded_by.entry(*older).or_default().extend(fix.article.filter(|it| it != older));
            }
        }
        let nothing: Arc<str> = self.name("");
        for vulnerability in &advisory.vulnerabilities {
            let mut said: BTreeMap<Arc<str>, BTreeSet<Remedy>> = BTreeMap::new();
            let named = |place: &u32| names.get(*place as usize).cloned();
            for product in vulnerability.affected.iter().filter_map(named) {
                said.entry(product).or_default();
            }
            for fix in &vulnerability.fixes {
                let remedy = self.remedy(fix);
                if fix.products.is_empty() {
                    said.entry(Arc::clone(&nothing)).or_default().insert(remedy.clone());
                }
                for product in fix.products.iter().filter_map(named) {
                    said.entry(product).or_default().insert(remedy.clone());
                }
            }
            let draft = self.drafts.entry(vulnerability.cve.clone()).or_insert_with(|| Draft::new(&vulnerability.cve));
            draft.known.documents.push(number);
            draft.known.exploited |= vulnerability.exploited;
            let times = |a: Option<Timestamp>, b: Option<Timestamp>| a.into_iter().chain(b);
            draft.known.published = times(draft.known.published, vulnerability.published).min();
            draft.known.revised = times(draft.known.revised, vulnerability.revised).max();
            if draft.at.is_none_or(|before| before <= at) {
                draft.at = Some(at);
                if !vulnerability.title.is_empty() {
                    draft.known.title.clone_from(&vulnerability.title);
                }
                draft.known.severity = vulnerability.severity.or(draft.known.severity);
                draft.known.score = vulnerability.score.clone().or(draft.known.score.take());
            } else {
                draft.known.severity = draft.known.severity.or(vulnerability.severity);
                draft.known.score = draft.known.score.take().or(vulnerability.score.clone());
            }
            draft.assessed.extend(&assessed);
            for (product, remedies) in said {
                draft.products.entry(product).or_default().hear(at, remedies);
            }
        }
    }

    /// Adds the entries of a KEV catalogue.
    pub fn known_exploited(&mut self, entries: Vec<KnownExploited>) {
        self.listed.extend(entries);
    }

    /// All of it.
    pub fn finish(mut self) -> Known {
        for entry in std::mem::take(&mut self.listed) {
            let draft = self.drafts.entry(entry.cve.clone()).or_insert_with(|| Draft::new(&entry.cve));
            if draft.known.title.is_empty() {
                draft.known.title.clone_from(&entry.name);
            }
            draft.known.listed = Some(entry);
        }
        let (mut shapes, mut problems) = (Interned::new(), Interned::new());
        let mut vulnerabilities = BTreeMap::new();
        for (cve, draft) in self.drafts {
            let (mut known, found) = draft.finish();
            known.shape = found.map(|(parts, assessed)| {
                let problems = parts.into_iter().map(|problem| problems.place(problem)).collect();
                shapes.place(Shape { problems, assessed })
            });
            vulnerabilities.insert(cve, known);
        }
        Known { vulnerabilities, shapes: shapes.all, problems: problems.all, superseded_by: self.superseded_by }
    }

    /// The same name is kept once.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }

    fn remedy(&mut self, fix: &Fix) -> Remedy {
        let name = if fix.article.is_some() { self.name("") } else { self.name(&fix.name) };
        Remedy { article: fix.article, name, build: fix.build }
    }
}

impl Said {
    /// Of several documents that name fixes of a product the one that was released last counts: a fix that turned out to be
    /// incomplete is replaced so. Documents of one time count together.
    fn hear(&mut self, at: Timestamp, remedies: BTreeSet<Remedy>) {
        if remedies.is_empty() {
            return;
        }
        match self.at {
            Some(before) if before > at => {}
            Some(before) if before == at => self.remedies.extend(remedies),
            _ => (self.at, self.remedies) = (Some(at), remedies),
        }
    }
}

/// What a vulnerability concerns: its problems, and the releases that are assessed.
type Found = (Vec<Problem>, Arc<BTreeSet<[u32; 3]>>);

impl Draft {
    fn new(cve: &Cve) -> Self {
        Self {
            known: KnownVulnerability {
                cve: cve.clone(),
                title: String::new(),
                severity: None,
                score: None,
                exploited: false,
                listed: None,
                published: None,
                revised: None,
                documents: Vec::new(),
                shape: None,
            },
            at: None,
            products: BTreeMap::new(),
            assessed: BTreeSet::new(),
        }
    }

    fn finish(mut self) -> (KnownVulnerability, Option<Found>) {
        self.known.documents.sort_unstable();
        self.known.documents.dedup();
        if self.known.documents.is_empty() {
            return (self.known, None);
        }
        let mut problems: BTreeMap<(Platform, Vec<Remedy>), Vec<Arc<str>>> = BTreeMap::new();
        for (product, said) in self.products {
            let platform = Platform::of(&product);
            // one article, once with and once without a build, is one remedy
            let with_build: BTreeSet<Article> =
                said.remedies.iter().filter(|it| it.build.is_some()).filter_map(|it| it.article).collect();
            let doubled = |it: &Remedy| it.build.is_none() && it.article.is_some_and(|it| with_build.contains(&it));
            let remedies: Vec<Remedy> = said.remedies.into_iter().filter(|it| !doubled(it)).collect();
            problems.entry((platform, remedies)).or_default().push(product);
        }
        let problems = problems.into_iter().map(|((platform, remedies), products)| Problem {
            platform,
            products: products.into_iter().filter(|name| !name.is_empty()).collect(),
            remedies,
        });
        let problems = problems.collect();
        (self.known, Some((problems, Arc::new(self.assessed))))
    }
}
