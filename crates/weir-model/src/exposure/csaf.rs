//! CSAF 2.0 documents (OASIS Standard, 18 November 2022; `csaf_json_schema.json`): security advisories and VEX.
//!
//! What the standard leaves to text is read as MSRC writes it (off-spec, seen in its documents): the build that has the fix is
//! the name of a branch `product_version_range` (`<10.0.19045.3930`) and the beginning of `details` of a `vendor_fix`
//! (`10.0.19045.3930:Security Update:https://support.microsoft.com/help/5034122`), and the article is the end of its `url`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use super::{
    Advisory, Article, Build, Content, Cve, Document, DocumentError, DocumentKind, Fault, Fix, Limits, Revision,
    Vulnerability,
    cvrf::{article_in_url, says_exploited, score, severity},
    json,
    text::{cut, time},
};

#[derive(Deserialize)]
struct Csaf {
    document: Head,
    #[serde(default)]
    product_tree: ProductTree,
    #[serde(default)]
    vulnerabilities: Vec<Raw>,
}

#[derive(Deserialize)]
struct Head {
    csaf_version: String,
    title: String,
    publisher: Publisher,
    #[serde(default)]
    aggregate_severity: Option<AggregateSeverity>,
    tracking: Tracking,
}

#[derive(Deserialize)]
struct Publisher {
    namespace: String,
}

#[derive(Deserialize)]
struct AggregateSeverity {
    text: String,
}

#[derive(Deserialize)]
struct Tracking {
    id: String,
    version: String,
    current_release_date: String,
    initial_release_date: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProductTree {
    branches: Vec<Branch>,
    full_product_names: Vec<Product>,
    product_groups: Vec<Group>,
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Branch {
    category: String,
    name: String,
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    product: Option<Product>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    product_id: String,
}

#[derive(Deserialize)]
struct Group {
    group_id: String,
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Relationship {
    full_product_name: Product,
    product_reference: String,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    cve: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    release_date: Option<String>,
    #[serde(default)]
    product_status: Statuses,
    #[serde(default)]
    remediations: Vec<Remediation>,
    #[serde(default)]
    scores: Vec<Scores>,
    #[serde(default)]
    threats: Vec<Threat>,
}

/// Products that are affected.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Statuses {
    #[serde(rename = "first_affected")]
    first: Vec<String>,
    #[serde(rename = "known_affected")]
    known: Vec<String>,
    #[serde(rename = "last_affected")]
    last: Vec<String>,
}

#[derive(Deserialize)]
struct Remediation {
    category: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    product_ids: Vec<String>,
    #[serde(default)]
    group_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Scores {
    #[serde(default)]
    cvss_v3: Option<Cvss>,
    #[serde(default)]
    cvss_v2: Option<Cvss>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cvss {
    base_score: f64,
    #[serde(default)]
    vector_string: String,
}

#[derive(Deserialize)]
struct Threat {
    category: String,
    #[serde(default)]
    details: String,
}

/// Products by id.
struct Products<'l> {
    limits: &'l Limits,
    /// Place of the name, and the build before which it is affected.
    known: HashMap<String, (u32, Option<Build>)>,
    places: HashMap<String, u32>,
    names: Vec<String>,
    groups: HashMap<String, Vec<String>>,
    references: usize,
}

/// Reads a document whose bounds were checked.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Document, DocumentError> {
    let read: Csaf = json::parse(text)?;
    let head = &read.document;
    if head.csaf_version != "2.0" {
        return Err(DocumentError::value(&head.csaf_version, "2.0", "document.csaf_version"));
    }
    let id = cut(&head.tracking.id, 256);
    if id.is_empty() {
        return Err(DocumentError::new(Fault::Missing("the id of the document"), "document.tracking.id"));
    }
    let date = |text: &str, field: &str| {
        time(text).ok_or_else(|| DocumentError::value(text, "a date and time", format!("document.tracking.{field}")))
    };
    let at = date(&head.tracking.current_release_date, "current_release_date")?;
    let released = date(&head.tracking.initial_release_date, "initial_release_date")?;
    if read.vulnerabilities.len() > limits.vulnerabilities {
        return Err(DocumentError::limit("vulnerabilities", limits.vulnerabilities, "vulnerabilities"));
    }
    let mut products = Products::read(&read.product_tree, limits)?;
    // it speaks of all vulnerabilities of the document together (CSAF 2.0 3.2.1.2)
    let aggregate = head.aggregate_severity.as_ref().filter(|_| read.vulnerabilities.len() == 1);
    let aggregate = aggregate.and_then(|it| severity(&it.text));
    let (mut found, mut skipped, mut fixes) = (BTreeMap::new(), 0, 0);
    for (place, raw) in read.vulnerabilities.iter().enumerate() {
        let place = format!("vulnerabilities[{place}]");
        let Some(text) = &raw.cve else {
            skipped += 1;
            continue;
        };
        let cve: Cve = text.parse().map_err(|_| DocumentError::value(text, "a CVE id", format!("{place}.cve")))?;
        fixes += raw.remediations.len();
        if fixes > limits.fixes {
            return Err(DocumentError::limit("remediations", limits.fixes, place));
        }
        let mut vulnerability = products.vulnerability(&cve, raw, &place)?;
        vulnerability.severity = vulnerability.severity.or(aggregate);
        vulnerability.published = vulnerability.published.or(Some(released));
        vulnerability.revised = Some(at);
        if vulnerability.title.is_empty() {
            vulnerability.title = cut(&head.title, 500);
        }
        // an id stands once (test 6.1.23); of two the first counts
        found.entry(cve).or_insert(vulnerability);
    }
    Ok(Document {
        kind: DocumentKind::Csaf,
        issuer: cut(&head.publisher.namespace, 256),
        id,
        title: cut(&head.title, 500),
        released: Some(released),
        revision: Revision { at, version: cut(&head.tracking.version, 64) },
        skipped,
        content: Content::Advisory(Advisory {
            products: products.names,
            vulnerabilities: found.into_values().collect(),
        }),
    })
}

impl<'l> Products<'l> {
    fn read(tree: &ProductTree, limits: &'l Limits) -> Result<Self, DocumentError> {
        let mut products = Self {
            limits,
            known: HashMap::new(),
            places: HashMap::new(),
            names: Vec::new(),
            groups: HashMap::new(),
            references: 0,
        };
        // each branch with the product that it belongs to
        let mut open: Vec<(&Branch, Option<&str>)> = tree.branches.iter().map(|branch| (branch, None)).collect();
        while let Some((branch, above)) = open.pop() {
            let named = if branch.category == "product_name" { Some(branch.name.as_str()) } else { above };
            open.extend(branch.branches.iter().map(|below| (below, named)));
            let Some(product) = &branch.product else { continue };
            let is_version = branch.category.starts_with("product_version");
            let name = if is_version { named.unwrap_or(&product.name) } else { &product.name };
            let before = branch.name.trim().strip_prefix('<').filter(|_| is_version);
            products.note(&product.product_id, name, before.and_then(|build| build.parse().ok()))?;
        }
        for product in &tree.full_product_names {
            products.note(&product.product_id, &product.name, None)?;
        }
        for relationship in &tree.relationships {
            let before = products.known.get(&cut(&relationship.product_reference, 256)).and_then(|(_, before)| *before);
            let product = &relationship.full_product_name;
            products.note(&product.product_id, &product.name, before)?;
        }
        for group in &tree.product_groups {
            products.references += group.product_ids.len();
            products.groups.insert(cut(&group.group_id, 256), group.product_ids.clone());
        }
        products.bounded("product_tree")?;
        Ok(products)
    }

    fn bounded(&self, place: &str) -> Result<(), DocumentError> {
        if self.references > self.limits.references {
            return Err(DocumentError::limit("references to products", self.limits.references, place));
        }
        Ok(())
    }

    fn note(&mut self, id: &str, name: &str, before: Option<Build>) -> Result<(), DocumentError> {
        if self.known.len() >= self.limits.products {
            return Err(DocumentError::limit("products", self.limits.products, "product_tree"));
        }
        let name = cut(name, 300);
        let at = match self.places.get(&name) {
            Some(at) => *at,
            None => {
                let at = self.names.len() as u32;
                self.places.insert(name.clone(), at);
                self.names.push(name);
                at
            }
        };
        self.known.entry(cut(id, 256)).or_insert((at, before));
        Ok(())
    }

    /// Products of ids; those that the tree does not have stand for themselves.
    fn places_of(&mut self, ids: &[String], place: &str) -> Result<BTreeMap<u32, Option<Build>>, DocumentError> {
        self.references += ids.len();
        self.bounded(place)?;
        let mut found = BTreeMap::new();
        for id in ids {
            let key = cut(id, 256);
            if !self.known.contains_key(&key) {
                self.note(&key, &key, None)?;
            }
            if let Some((at, before)) = self.known.get(&key) {
                let known: &mut Option<Build> = found.entry(*at).or_default();
                *known = (*known).or(*before);
            }
        }
        Ok(found)
    }

    fn vulnerability(&mut self, cve: &Cve, raw: &Raw, place: &str) -> Result<Vulnerability, DocumentError> {
        let status = &raw.product_status;
        let mut affected = BTreeSet::new();
        for ids in [&status.first, &status.known, &status.last] {
            affected.extend(self.places_of(ids, place)?.into_keys());
        }
        let mut fixes = BTreeMap::<Fix, BTreeSet<u32>>::new();
        for remediation in raw.remediations.iter().filter(|it| it.category == "vendor_fix") {
            let mut ids = remediation.product_ids.clone();
            for group in &remediation.group_ids {
                let group = self.groups.get(&cut(group, 256)).map(Vec::as_slice).unwrap_or_default();
                if self.references + ids.len() + group.len() > self.limits.references {
                    return Err(DocumentError::limit("references to products", self.limits.references, place));
                }
                ids.extend_from_slice(group);
            }
            let products = self.places_of(&ids, place)?;
            let article = article(remediation);
            let stated = remediation.details.split([':', ' ']).next().and_then(|word| word.parse::<Build>().ok());
            let name = article.map_or_else(|| cut(&remediation.details, 200), |article| article.to_string());
            let fix = |build| Fix { article, name: name.clone(), build, supersedes: Vec::new(), products: Vec::new() };
            if products.is_empty() {
                fixes.entry(fix(stated)).or_default();
            }
            for (product, before) in products {
                fixes.entry(fix(stated.or(before))).or_default().insert(product);
            }
        }
        let scores = raw.scores.iter().flat_map(|set| set.cvss_v3.iter().chain(&set.cvss_v2));
        let threats = |category: &'static str| raw.threats.iter().filter(move |threat| threat.category == category);
        Ok(Vulnerability {
            cve: cve.clone(),
            title: cut(&raw.title, 500),
            // some vendors put their rating there, others the kind of impact
            severity: threats("impact").filter_map(|threat| severity(&threat.details)).max(),
            score: scores.filter_map(|cvss| score(&cvss.base_score.to_string(), &cvss.vector_string)).max(),
            exploited: threats("exploit_status").any(|threat| says_exploited(&threat.details)),
            published: raw.release_date.as_deref().and_then(time),
            revised: None,
            affected: affected.into_iter().collect(),
            fixes: fixes
                .into_iter()
                .map(|(fix, products)| Fix { products: products.into_iter().collect(), ..fix })
                .collect(),
        })
    }
}

/// The article of a remediation: the end of its address, or a word `KB...` of its text.
fn article(remediation: &Remediation) -> Option<Article> {
    let in_text = || {
        let words = remediation.details.split(|c: char| !c.is_ascii_alphanumeric()).take(1_000);
        let mut named = words.filter(|word| word.len() >= 8 && word.starts_with("KB"));
        named.find_map(|word| word.parse().ok())
    };
    article_in_url(&remediation.url).or_else(in_text)
}
