//! Tests of the catalogue engine. `(n)` in a name's comment is the item of the protocol dossier's conformance checklist
//! that the test proves.

mod build;
mod categories;
mod drivers;
mod example;
mod oracle;
mod properties;
mod scopes;
mod simulation;
mod software;
mod timed;
