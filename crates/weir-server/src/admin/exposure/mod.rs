//! Exposure: documents about vulnerabilities, joined to updates and computers.
//!
//! [`base`] puts together what documents and the catalogue say, [`population`] what computers say of the few updates that
//! matter, and [`judged`] lets `weir_model::exposure` judge. Computers that say the same are one *class* ([`classes`]), and
//! vulnerabilities with the same fixes one *shape*, so that a verdict is made once for each pair of these, never once for each
//! pair of a vulnerability and a computer. [`spread`] counts shapes over classes.

mod base;
mod breaches;
mod classes;
mod computers;
mod cves;
mod exceptions;
mod fetch;
mod import;
mod judged;
mod levels;
mod population;
mod spread;
mod summary;
mod words;

use std::sync::Arc;

use parking_lot::Mutex;

use base::Base;
use population::Population;

pub(super) use breaches::Breaches;
pub(super) use computers::{cves_of, list as computers, of_cve as computers_of_cve};
pub(super) use cves::{list as cves, show as cve};
pub(super) use exceptions::{create as exception_create, list as exceptions, remove as exception_remove};
pub(super) use fetch::fetch;
pub(super) use import::{delete as document_delete, documents, upload};
pub(super) use levels::{change as levels_change, propose as levels_propose, show as levels};
pub(super) use summary::show as summary;

/// What is kept between requests.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    base: Mutex<Option<Arc<Base>>>,
    population: Mutex<Option<Arc<Population>>>,
    /// One of both is made at a time.
    turn: tokio::sync::Mutex<()>,
}
