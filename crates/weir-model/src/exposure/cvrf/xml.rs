//! CVRF as XML.

use super::{
    gather::{Gather, Head, Raw, RawFix},
    tree::{Element, Tree},
};
use crate::exposure::{Document, DocumentError, Fault, Limits, text::cut};

/// Namespaces of `cvrfdoc`: ICASI CVRF 1.1 and OASIS CVRF 1.2.
const NAMESPACES: [&str; 2] =
    ["http://www.icasi.org/CVRF/schema/cvrf/1.1", "http://docs.oasis-open.org/csaf/ns/csaf-cvrf/v1.2/cvrf"];

/// Reads a document.
pub(in crate::exposure) fn read(text: &str, limits: &Limits) -> Result<Document, DocumentError> {
    let mut tree = Tree::new(text, limits);
    let (namespace, name) = tree.root()?;
    if name != "cvrfdoc" || !NAMESPACES.contains(&namespace.as_str()) {
        let what = format!("its root element is {name} of the namespace {namespace:?}");
        return Err(DocumentError::new(Fault::Form(what), "the root element"));
    }
    let mut gather = Gather::new(limits);
    let mut head = Head::default();
    let mut tracked = false;
    let mut place = 0;
    while let Some(child) = tree.child()? {
        match child.name.as_str() {
            "DocumentTitle" => head.title = cut(&child.text, 500),
            "DocumentTracking" => {
                tracked = true;
                tracking(&child, &mut head);
            }
            "ProductTree" => products(&child, &mut gather)?,
            "Vulnerability" => {
                place += 1;
                gather.vulnerability(vulnerability(&child), &format!("cvrfdoc/Vulnerability[{place}]"))?;
            }
            _ => {}
        }
    }
    if !tracked {
        return Err(DocumentError::new(Fault::Missing("DocumentTracking"), "cvrfdoc"));
    }
    gather.finish(&head)
}

fn tracking(element: &Element, head: &mut Head) {
    element.text(&["Identification", "ID"]).clone_into(&mut head.id);
    element.text(&["Version"]).clone_into(&mut head.version);
    element.text(&["InitialReleaseDate"]).clone_into(&mut head.initial);
    element.text(&["CurrentReleaseDate"]).clone_into(&mut head.current);
    let history = element.at(&["RevisionHistory"]);
    head.revisions =
        history.into_iter().flat_map(|it| it.all("Revision")).map(|it| it.text(&["Number"]).to_owned()).collect();
}

/// Products of the tree, at any depth (the depth of the document is bounded).
fn products(tree: &Element, gather: &mut Gather<'_>) -> Result<(), DocumentError> {
    let mut open = vec![tree];
    while let Some(element) = open.pop() {
        for child in &element.children {
            if child.name == "FullProductName" {
                gather.product(child.attribute("ProductID"), &child.text, "cvrfdoc/ProductTree")?;
            } else {
                open.push(child);
            }
        }
    }
    Ok(())
}

fn vulnerability(element: &Element) -> Raw {
    let within =
        |outer: &'static str, inner: &'static str| element.at(&[outer]).into_iter().flat_map(move |it| it.all(inner));
    let threats = |kind: &'static str| {
        within("Threats", "Threat").filter(move |it| it.attribute("Type") == kind).map(|it| it.text(&["Description"]))
    };
    let owned = |texts: &mut dyn Iterator<Item = &str>| {
        texts.filter(|text| !text.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut dates: Vec<String> =
        within("RevisionHistory", "Revision").map(|it| it.text(&["Date"]).to_owned()).collect();
    dates.extend(element.texts("ReleaseDate"));
    Raw {
        cve: element.text(&["CVE"]).to_owned(),
        title: element.text(&["Title"]).to_owned(),
        affected: within("ProductStatuses", "Status")
            .filter(|it| matches!(it.attribute("Type"), "Known Affected" | "First Affected" | "Last Affected"))
            .flat_map(|it| it.texts("ProductID"))
            .collect(),
        severities: owned(&mut threats("Severity")),
        exploit_statuses: owned(&mut threats("Exploit Status")),
        // CVRF 1.2 names CVSS 3 apart
        scores: ["ScoreSet", "ScoreSetV3", "ScoreSetV2"]
            .into_iter()
            .flat_map(|name| within("CVSSScoreSets", name))
            .map(|it| {
                let text = |names: [&str; 3]| {
                    let texts = names.map(|name| it.text(&[name]));
                    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
                };
                (text(["BaseScore", "BaseScoreV3", "BaseScoreV2"]), text(["Vector", "VectorV3", "VectorV2"]))
            })
            .collect(),
        fixes: within("Remediations", "Remediation")
            .filter(|it| it.attribute("Type") == "Vendor Fix")
            .map(|it| RawFix {
                description: it.text(&["Description"]).to_owned(),
                url: it.text(&["URL"]).to_owned(),
                supersedence: it.text(&["Supercedence"]).to_owned(),
                sub_type: it.text(&["SubType"]).to_owned(),
                build: it.text(&["FixedBuild"]).to_owned(),
                products: it.texts("ProductID"),
            })
            .collect(),
        dates,
    }
}
