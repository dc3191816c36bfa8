//! Tests of exposure: documents, joining, the truth table, clocks.

mod bounds;
mod documents;
mod generated;
mod join;
mod levels;
mod table;

use super::{Advisory, Content, Document, DocumentError, Limits, Vulnerability, read};

/// A file of `tests/exposure`.
fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/exposure").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parsed(bytes: &[u8]) -> Result<Document, DocumentError> {
    read(bytes, &Limits::default())
}

fn advisory(document: &Document) -> &Advisory {
    match &document.content {
        Content::Advisory(advisory) => advisory,
        Content::KnownExploited(_) => panic!("an advisory"),
    }
}

fn vulnerability<'d>(document: &'d Document, cve: &str) -> &'d Vulnerability {
    let mut all = advisory(document).vulnerabilities.iter();
    all.find(|it| it.cve.as_str() == cve).unwrap_or_else(|| panic!("no {cve}"))
}
