//! The catalogue of known exploited vulnerabilities, after the schema that CISA publishes beside it
//! (`known_exploited_vulnerabilities_schema.json`, JSON Schema draft 7).

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::{
    Content, Document, DocumentError, DocumentKind, Fault, KnownExploited, Limits, Revision, json,
    text::{cut, time},
};

/// There is one catalogue, and it has no id of its own.
const ID: &str = "KEV";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    #[serde(default)]
    title: String,
    catalog_version: String,
    date_released: String,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    #[serde(default)]
    vendor_project: String,
    #[serde(default)]
    product: String,
    #[serde(default)]
    vulnerability_name: String,
    date_added: String,
    #[serde(default)]
    due_date: Option<String>,
    #[serde(default)]
    known_ransomware_campaign_use: Option<String>,
}

pub(super) fn read(text: &str, limits: &Limits) -> Result<Document, DocumentError> {
    let catalogue: Catalogue = json::parse(text)?;
    if catalogue.vulnerabilities.len() > limits.vulnerabilities {
        return Err(DocumentError::limit("vulnerabilities", limits.vulnerabilities, "vulnerabilities"));
    }
    let version = cut(&catalogue.catalog_version, 64);
    if version.is_empty() {
        return Err(DocumentError::new(Fault::Missing("the version of the catalogue"), "catalogVersion"));
    }
    let at = time(&catalogue.date_released)
        .ok_or_else(|| DocumentError::value(&catalogue.date_released, "a date and time", "dateReleased"))?;
    let mut entries = BTreeMap::new();
    for (place, entry) in catalogue.vulnerabilities.iter().enumerate() {
        let within = |field: &str| format!("vulnerabilities[{place}].{field}");
        let cve: super::Cve =
            entry.cve.parse().map_err(|_| DocumentError::value(&entry.cve, "a CVE id", within("cveID")))?;
        let date = |text: &str, field: &str| {
            text.trim().parse::<Date>().map_err(|_| DocumentError::value(text, "a date (YYYY-MM-DD)", within(field)))
        };
        let added = date(&entry.date_added, "dateAdded")?;
        let due = entry.due_date.as_deref().filter(|text| !text.trim().is_empty());
        let due = due.map(|text| date(text, "dueDate")).transpose()?;
        let ransomware = entry.known_ransomware_campaign_use.as_deref().unwrap_or_default();
        let known = KnownExploited {
            cve: cve.clone(),
            name: cut(&entry.vulnerability_name, 500),
            product: cut(&format!("{} {}", entry.vendor_project.trim(), entry.product.trim()), 300),
            added,
            due,
            ransomware: ransomware.trim().eq_ignore_ascii_case("known"),
        };
        // the first of two entries of one CVE counts; the catalogue has none today
        entries.entry(cve).or_insert(known);
    }
    Ok(Document {
        kind: DocumentKind::Kev,
        issuer: String::new(),
        id: ID.to_owned(),
        title: cut(&catalogue.title, 500),
        released: None,
        revision: Revision { at, version },
        skipped: 0,
        content: Content::KnownExploited(entries.into_values().collect()),
    })
}
