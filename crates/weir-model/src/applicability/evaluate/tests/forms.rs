//! Every row of the tables as a document has it: its Core fragment is the row, and both say the same.

use super::{ID, rows};
use crate::document::{ApplicabilityRules, CoreFragment, Fragments, Limits, UpdateDocument, Verbatim};

const BASE: &str = "http://schemas.microsoft.com/msus/2002/12";

/// A document with these rules and this metadata, written as fragments have them.
fn document(rule: &str, metadata: &str) -> String {
    let rules = qualified(&format!(
        "<ApplicabilityRules><IsInstalled>{rule}</IsInstalled><Metadata>{metadata}</Metadata></ApplicabilityRules>"
    ));
    format!(
        "<upd:Update xmlns:upd=\"{BASE}/Update\" xmlns:bar=\"{BASE}/BaseApplicabilityRules\" \
         xmlns:lar=\"{BASE}/LogicalApplicabilityRules\" xmlns:mar=\"{BASE}/MsiApplicabilityRules\" \
         xmlns:cbsar=\"{BASE}/CbsApplicabilityRules\" xmlns:drv=\"{BASE}/UpdateHandlers/WindowsDriver\">\
         <upd:UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><upd:Properties UpdateType=\"Software\" />\
         {rules}</upd:Update>"
    )
}

/// Gives the elements of a fragment the prefixes of documents. Inside an element with a declaration of its own they stay.
fn qualified(fragment: &str) -> String {
    let mut text = String::new();
    let mut foreign: Option<&str> = None;
    for piece in fragment.split('<').skip(1) {
        let (slash, tag) = piece.strip_prefix('/').map_or(("", piece), |tag| ("/", tag));
        let name = tag.split([' ', '>', '/']).next().expect("a name");
        let renamed = if foreign.is_some() || tag.contains("xmlns=") {
            name.to_owned()
        } else {
            match name.split_once('.') {
                Some(("b", rest)) => format!("bar:{rest}"),
                Some(("m", rest)) => format!("mar:{rest}"),
                Some(("d", rest)) => format!("drv:{rest}"),
                _ if ["And", "False", "Not", "Or", "True"].contains(&name) => format!("lar:{name}"),
                _ if name.starts_with("CbsPackage") => format!("cbsar:{name}"),
                _ => format!("upd:{name}"),
            }
        };
        if foreign.is_none() && tag.contains("xmlns=") && !tag.trim_end().ends_with("/>") {
            foreign = Some(name);
        } else if slash == "/" && foreign == Some(name) {
            foreign = None;
        }
        text.push('<');
        text.push_str(slash);
        text.push_str(&renamed);
        text.push_str(&tag[name.len()..]);
    }
    text
}

fn without_places(mut rules: ApplicabilityRules) -> ApplicabilityRules {
    rules.source = None;
    for rule in [&mut rules.is_installed, &mut rules.is_installable, &mut rules.is_superseded].into_iter().flatten() {
        rule.source = Verbatim::default();
    }
    for metadata in &mut rules.metadata {
        metadata.source = Verbatim::default();
        // A namespace of update documents is not in the fragment.
        metadata.namespace.clear();
    }
    rules
}

/// Rules as a text, without the namespaces that unknown rules of update documents lose in a fragment.
fn shown(rules: ApplicabilityRules) -> String {
    const LOST: [&str; 6] = [
        "Update",
        "BaseApplicabilityRules",
        "LogicalApplicabilityRules",
        "MsiApplicabilityRules",
        "CbsApplicabilityRules",
        "UpdateHandlers/WindowsDriver",
    ];
    LOST.iter().fold(format!("{:?}", without_places(rules)), |text, namespace| {
        text.replace(&format!("\"{BASE}/{namespace}\""), "\"\"")
    })
}

#[test]
fn a_document_and_its_core_fragment_have_the_same_rules() {
    for row in rows() {
        let text = document(row.xml, row.metadata);
        let document =
            UpdateDocument::parse(&text, &Limits::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let core = Fragments::derive(&text).expect("derived").core;
        let read = CoreFragment::parse(&core, &Limits::default()).expect("a fragment");
        assert_eq!(shown(read.rules), shown(document.rules), "{}", row.xml);
        assert_eq!(read.drivers, document.drivers, "{}", row.xml);
    }
}
