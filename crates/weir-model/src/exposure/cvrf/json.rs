//! CVRF as the JSON of `api.msrc.microsoft.com/cvrf/v3.0`. Enumerations are numbers there: a threat is 0 impact, 1 exploit
//! status, 2 target set, 3 severity; a remediation is 2 if it is a vendor fix; a product status is a place in the
//! enumeration of `vuln.xsd` (0 first affected, 3 known affected, 5 last affected). The names are taken as well.

use serde::{Deserialize, Deserializer};

use super::gather::{Gather, Head, Raw, RawFix};
use crate::exposure::{Document, DocumentError, Limits, json};

/// A text, or an object whose `Value` it is; null and absent are empty.
#[derive(Debug, Default)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Object {
                #[serde(default, rename = "Value")]
                value: Option<String>,
            },
            Plain(String),
        }
        Ok(Self(match Option::<Form>::deserialize(deserializer)? {
            Some(Form::Number(number)) => number.to_string(),
            Some(Form::Object { value }) => value.unwrap_or_default(),
            Some(Form::Plain(text)) => text,
            None => String::new(),
        }))
    }
}

/// A list; null and absent are empty.
#[derive(Debug)]
struct Items<T>(Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Vec<T>>::deserialize(deserializer).map(|items| Self(items.unwrap_or_default()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cvrf {
    #[serde(default)]
    document_title: Text,
    document_tracking: Tracking,
    #[serde(default)]
    product_tree: Option<ProductTree>,
    #[serde(default)]
    vulnerability: Items<Vulnerability>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tracking {
    identification: Identification,
    #[serde(default)]
    version: Text,
    #[serde(default)]
    revision_history: Items<RevisionEntry>,
    #[serde(default)]
    initial_release_date: Text,
    current_release_date: Text,
}

#[derive(Deserialize)]
struct Identification {
    #[serde(rename = "ID")]
    id: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RevisionEntry {
    #[serde(default)]
    number: Text,
    #[serde(default)]
    date: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProductTree {
    #[serde(default)]
    branch: Items<Branch>,
    #[serde(default)]
    full_product_name: Items<Branch>,
}

/// A branch or, at its ends, a product.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Branch {
    #[serde(default)]
    items: Items<Branch>,
    #[serde(default, rename = "ProductID")]
    product_id: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(default)]
    title: Text,
    #[serde(default, rename = "CVE")]
    cve: Option<String>,
    #[serde(default)]
    product_statuses: Items<Status>,
    #[serde(default)]
    threats: Items<Threat>,
    #[serde(default, rename = "CVSSScoreSets")]
    scores: Items<ScoreSet>,
    #[serde(default)]
    remediations: Items<Remediation>,
    #[serde(default)]
    revision_history: Items<RevisionEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    #[serde(default, rename = "ProductID")]
    products: Items<String>,
    #[serde(default, rename = "Type")]
    kind: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Threat {
    #[serde(default)]
    description: Text,
    #[serde(default, rename = "Type")]
    kind: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScoreSet {
    #[serde(default)]
    base_score: Text,
    #[serde(default)]
    vector: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remediation {
    #[serde(default)]
    description: Text,
    #[serde(default, rename = "URL")]
    url: Text,
    #[serde(default)]
    supercedence: Text,
    #[serde(default, rename = "ProductID")]
    products: Items<String>,
    #[serde(default, rename = "Type")]
    kind: Text,
    #[serde(default)]
    sub_type: Text,
    #[serde(default)]
    fixed_build: Text,
}

/// Reads a document whose bounds were checked.
pub(in crate::exposure) fn read(text: &str, limits: &Limits) -> Result<Document, DocumentError> {
    let read: Cvrf = json::parse(text)?;
    let mut gather = Gather::new(limits);
    if let Some(tree) = &read.product_tree {
        let mut open: Vec<&Branch> = tree.full_product_name.0.iter().chain(&tree.branch.0).collect();
        while let Some(branch) = open.pop() {
            if let (Some(id), Some(name)) = (&branch.product_id, &branch.value) {
                gather.product(id, name, "ProductTree")?;
            }
            open.extend(&branch.items.0);
        }
    }
    for (place, vulnerability) in read.vulnerability.0.into_iter().enumerate() {
        gather.vulnerability(vulnerability.into(), &format!("Vulnerability[{place}]"))?;
    }
    let tracking = read.document_tracking;
    let head = Head {
        id: tracking.identification.id.0,
        title: read.document_title.0,
        version: tracking.version.0,
        initial: tracking.initial_release_date.0,
        current: tracking.current_release_date.0,
        revisions: tracking.revision_history.0.into_iter().map(|it| it.number.0).collect(),
    };
    gather.finish(&head)
}

impl From<Vulnerability> for Raw {
    fn from(it: Vulnerability) -> Self {
        let (mut severities, mut exploit_statuses) = (Vec::new(), Vec::new());
        for threat in it.threats.0 {
            match threat.kind.0.as_str() {
                "1" | "Exploit Status" => exploit_statuses.push(threat.description.0),
                "3" | "Severity" => severities.push(threat.description.0),
                _ => {}
            }
        }
        let affected =
            |kind: &str| matches!(kind, "0" | "3" | "5" | "First Affected" | "Known Affected" | "Last Affected");
        let statuses = it.product_statuses.0.into_iter().filter(|status| affected(&status.kind.0));
        let fixes = it.remediations.0.into_iter().filter(|fix| matches!(fix.kind.0.as_str(), "2" | "Vendor Fix"));
        Self {
            cve: it.cve.unwrap_or_default(),
            title: it.title.0,
            affected: statuses.flat_map(|status| status.products.0).collect(),
            severities,
            exploit_statuses,
            scores: it.scores.0.into_iter().map(|set| (set.base_score.0, set.vector.0)).collect(),
            fixes: fixes.map(RawFix::from).collect(),
            dates: it.revision_history.0.into_iter().map(|revision| revision.date.0).collect(),
        }
    }
}

impl From<Remediation> for RawFix {
    fn from(it: Remediation) -> Self {
        Self {
            description: it.description.0,
            url: it.url.0,
            supersedence: it.supercedence.0,
            sub_type: it.sub_type.0,
            build: it.fixed_build.0,
            products: it.products.0,
        }
    }
}
