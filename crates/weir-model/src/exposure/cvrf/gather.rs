//! What both forms of CVRF have in common: from the words of a document to the common form.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    exposure::{
        Advisory, Article, Content, Cve, Document, DocumentError, DocumentKind, Fault, Fix, Limits, Revision, Score,
        Vulnerability,
        text::{cut, time},
    },
    update::Severity,
};

/// Head of a document, as it is written.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) initial: String,
    pub(super) current: String,
    /// `DocumentTracking/RevisionHistory/Revision/Number`.
    pub(super) revisions: Vec<String>,
}

/// One vulnerability, as it is written.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) cve: String,
    pub(super) title: String,
    pub(super) affected: Vec<String>,
    pub(super) severities: Vec<String>,
    pub(super) exploit_statuses: Vec<String>,
    /// Base scores and vectors.
    pub(super) scores: Vec<(String, String)>,
    pub(super) fixes: Vec<RawFix>,
    /// Dates of `RevisionHistory`, and `ReleaseDate`.
    pub(super) dates: Vec<String>,
}

/// One `Vendor Fix`, as it is written.
#[derive(Debug, Default)]
pub(super) struct RawFix {
    pub(super) description: String,
    pub(super) url: String,
    pub(super) supersedence: String,
    pub(super) sub_type: String,
    pub(super) build: String,
    pub(super) products: Vec<String>,
}

/// Puts a document together, one vulnerability after the other.
pub(super) struct Gather<'l> {
    limits: &'l Limits,
    places: HashMap<String, u32>,
    names: HashMap<String, u32>,
    products: Vec<String>,
    found: BTreeMap<Cve, Vulnerability>,
    skipped: u64,
    seen: usize,
    fixes: usize,
    references: usize,
}

impl<'l> Gather<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            places: HashMap::new(),
            names: HashMap::new(),
            products: Vec::new(),
            found: BTreeMap::new(),
            skipped: 0,
            seen: 0,
            fixes: 0,
            references: 0,
        }
    }

    /// Notes a product. Several ids may have one name.
    pub(super) fn product(&mut self, id: &str, name: &str, place: &str) -> Result<(), DocumentError> {
        if self.places.len() >= self.limits.products {
            return Err(DocumentError::limit("products", self.limits.products, place));
        }
        let name = cut(name, 300);
        let at = match self.names.get(&name) {
            Some(at) => *at,
            None => {
                let at = self.products.len() as u32;
                self.names.insert(name.clone(), at);
                self.products.push(name);
                at
            }
        };
        // the first name of an id counts
        self.places.entry(cut(id, 256)).or_insert(at);
        Ok(())
    }

    /// The products of ids; ids that the product tree does not have stand for themselves.
    fn places_of(&mut self, ids: &[String], place: &str) -> Result<Vec<u32>, DocumentError> {
        self.references += ids.len();
        if self.references > self.limits.references {
            return Err(DocumentError::limit("references to products", self.limits.references, place));
        }
        let mut found = BTreeSet::new();
        for id in ids {
            let key = cut(id, 256);
            if !self.places.contains_key(&key) {
                self.product(&key, &key, place)?;
            }
            found.extend(self.places.get(&key));
        }
        Ok(found.into_iter().collect())
    }

    /// Takes a vulnerability. What is no CVE, such as an advisory `ADV...`, is left out and counted.
    pub(super) fn vulnerability(&mut self, raw: Raw, place: &str) -> Result<(), DocumentError> {
        self.seen += 1;
        if self.seen > self.limits.vulnerabilities {
            return Err(DocumentError::limit("vulnerabilities", self.limits.vulnerabilities, place));
        }
        let Ok(cve) = raw.cve.parse::<Cve>() else {
            self.skipped += 1;
            return Ok(());
        };
        self.fixes += raw.fixes.len();
        if self.fixes > self.limits.fixes {
            return Err(DocumentError::limit("remediations", self.limits.fixes, place));
        }
        let affected = self.places_of(&raw.affected, place)?;
        let mut fixes = BTreeMap::<Fix, BTreeSet<u32>>::new();
        for fix in raw.fixes {
            let products = self.places_of(&fix.products, place)?;
            fixes.entry(fix.read()).or_default().extend(products);
        }
        let fixes: Vec<Fix> =
            fixes.into_iter().map(|(fix, products)| Fix { products: products.into_iter().collect(), ..fix }).collect();
        let dates: Vec<Timestamp> = raw.dates.iter().filter_map(|date| time(date)).collect();
        let read = Vulnerability {
            cve: cve.clone(),
            title: cut(&raw.title, 500),
            severity: raw.severities.iter().filter_map(|word| severity(word)).max(),
            score: raw.scores.iter().filter_map(|(base, vector)| score(base, vector)).max(),
            exploited: raw.exploit_statuses.iter().any(|status| says_exploited(status)),
            published: dates.iter().min().copied(),
            revised: dates.iter().max().copied(),
            affected,
            fixes,
        };
        match self.found.get_mut(&cve) {
            None => {
                self.found.insert(cve, read);
            }
            Some(known) => join(known, read),
        }
        Ok(())
    }

    /// The document.
    pub(super) fn finish(self, head: &Head) -> Result<Document, DocumentError> {
        let tracking = "DocumentTracking";
        let id = cut(&head.id, 256);
        if id.is_empty() {
            return Err(DocumentError::new(
                Fault::Missing("the id of the document"),
                format!("{tracking}/Identification/ID"),
            ));
        }
        let at = |text: &str, field: &str| {
            time(text).ok_or_else(|| DocumentError::value(text, "a date and time", format!("{tracking}/{field}")))
        };
        let current = at(&head.current, "CurrentReleaseDate")?;
        let given = |text: &str| !text.trim().is_empty();
        let released = if given(&head.initial) { Some(at(&head.initial, "InitialReleaseDate")?) } else { None };
        let numbers = crate::exposure::text::numbers;
        let latest = head.revisions.iter().filter(|number| given(number)).max_by_key(|number| numbers(number));
        Ok(Document {
            kind: DocumentKind::Cvrf,
            issuer: String::new(),
            id,
            title: cut(&head.title, 500),
            released,
            revision: Revision { at: current, version: cut(latest.unwrap_or(&head.version), 64) },
            skipped: self.skipped,
            content: Content::Advisory(Advisory {
                products: self.products,
                vulnerabilities: self.found.into_values().collect(),
            }),
        })
    }
}

impl RawFix {
    fn read(self) -> Fix {
        let described = self.description.trim();
        let article = described.parse().ok().or_else(|| article_in_url(&self.url));
        let name = match (article, described.is_empty()) {
            (Some(article), _) => article.to_string(),
            (None, false) => cut(described, 200),
            (None, true) => cut(if self.sub_type.trim().is_empty() { &self.url } else { &self.sub_type }, 200),
        };
        let mut supersedes = articles(&self.supersedence);
        supersedes.retain(|it| Some(*it) != article);
        Fix { article, name, build: self.build.parse().ok(), supersedes, products: Vec::new() }
    }
}

/// Articles in a list such as `MS16-016, 3124280; MS16-097, 3178034`.
fn articles(text: &str) -> Vec<Article> {
    let parts = text.split([',', ';', ' ']).filter(|part| part.trim().len() >= 6).take(100);
    let found: BTreeSet<Article> = parts.filter_map(|part| part.parse().ok()).collect();
    found.into_iter().collect()
}

/// The article that an address of Microsoft's support pages or catalogue ends with.
pub(in crate::exposure) fn article_in_url(url: &str) -> Option<Article> {
    let url = url.trim();
    let known = ["support.microsoft.com/", "catalog.update.microsoft.com/"].iter().any(|host| url.contains(host));
    let last = url.trim_end_matches('/').rsplit(['/', '=']).next()?;
    let last = last.split(['?', '#']).next()?;
    let digits = last.trim_start_matches(|c: char| !c.is_ascii_digit());
    if known && digits.len() >= 6 { digits.parse().ok() } else { None }
}

/// The vendor's word for a severity; `None` and unknown words are none.
pub(in crate::exposure) fn severity(word: &str) -> Option<Severity> {
    match word.trim().to_ascii_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "important" | "high" => Some(Severity::Important),
        "moderate" | "medium" => Some(Severity::Moderate),
        "low" => Some(Severity::Low),
        _ => None,
    }
}

/// A base score of 0.0 to 10.0.
pub(in crate::exposure) fn score(base: &str, vector: &str) -> Option<Score> {
    let value: f64 = base.trim().parse().ok()?;
    let fits = (0.0..=10.0).contains(&value);
    fits.then(|| Score { tenths: (value * 10.0).round() as u8, vector: cut(vector, 200) })
}

/// `Publicly Disclosed:No;Exploited:Yes;Latest Software Release:...`, also with blanks, and the older `... Exploitation
/// Detected`.
pub(in crate::exposure) fn says_exploited(status: &str) -> bool {
    status.split(';').any(|part| {
        let (key, value) = part.split_once(':').unwrap_or((part, ""));
        let value = value.trim();
        (key.trim().eq_ignore_ascii_case("exploited") && value.eq_ignore_ascii_case("yes"))
            || value.eq_ignore_ascii_case("exploitation detected")
    })
}

/// A CVE that stands twice in a document: the first one's words, everything that fixes it.
fn join(known: &mut Vulnerability, other: Vulnerability) {
    known.severity = known.severity.max(other.severity);
    known.score = known.score.take().max(other.score);
    known.exploited |= other.exploited;
    known.published = known.published.into_iter().chain(other.published).min();
    known.revised = known.revised.into_iter().chain(other.revised).max();
    let affected: BTreeSet<u32> = known.affected.drain(..).chain(other.affected).collect();
    known.affected = affected.into_iter().collect();
    let fixes: BTreeSet<Fix> = known.fixes.drain(..).chain(other.fixes).collect();
    known.fixes = fixes.into_iter().collect();
}
