//! Tests of what genuine documents do not show. Those are in `tests/documents`.

mod core;
mod fragments;
mod generated;
mod parts;
mod rules;
mod xml;

use super::{DocumentError, Fault, Limits, UpdateDocument};

const UPD: &str = "http://schemas.microsoft.com/msus/2002/12/Update";
const ID: &str = "11111111-2222-3333-4444-555555555555";

/// A software document with this inside it, after identity and properties, and with every namespace declared.
fn software(inside: &str) -> String {
    document("UpdateType=\"Software\"", "", inside)
}

fn document(properties: &str, children: &str, inside: &str) -> String {
    let base = "http://schemas.microsoft.com/msus/2002/12";
    format!(
        "<upd:Update xmlns:upd=\"{UPD}\" xmlns:bar=\"{base}/BaseApplicabilityRules\" \
         xmlns:lar=\"{base}/LogicalApplicabilityRules\" xmlns:mar=\"{base}/MsiApplicabilityRules\" \
         xmlns:cbsar=\"{base}/CbsApplicabilityRules\" xmlns:drv=\"{base}/UpdateHandlers/WindowsDriver\" \
         xmlns:cat=\"{base}/UpdateHandlers/Category\" xmlns:cmd=\"{base}/UpdateHandlers/CommandLineInstallation\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <upd:UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" />\
         <upd:Properties {properties}>{children}</upd:Properties>{inside}</upd:Update>"
    )
}

fn parse(text: &str) -> Result<UpdateDocument, DocumentError> {
    UpdateDocument::parse(text, &Limits::default())
}

fn parsed(text: &str) -> UpdateDocument {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn fault(text: &str) -> Fault {
    match parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.fault,
    }
}
