//! Exposure: which computers are open to which vulnerability, as far as documents of vendors, the catalogue and the reports
//! of computers tell.
//!
//! [`read()`] makes one common form ([`Document`]) of three kinds of files:
//!
//! * CVRF, the monthly documents of MSRC: XML (ICASI CVRF 1.1, also the namespaces of OASIS CVRF 1.2) and the JSON form of
//!   `api.msrc.microsoft.com/cvrf/v3.0`;
//! * CSAF 2.0 (OASIS Standard, 18 November 2022) advisories and VEX documents;
//! * the catalogue of known exploited vulnerabilities of CISA (KEV).
//!
//! [`Known`] puts the documents together by CVE. [`Join`] finds the updates of the catalogue that fix each of them, by
//! knowledge base article and supersedence. [`judge`] says of one computer and one vulnerability what holds, and why
//! ([`Verdict`]); its rows are the truth table of `docs/exposure.md`. [`Levels`] and [`Exception`] add clocks.
//!
//! *Invariant:* files come from outside. Size, depth, counts and lengths are bounded ([`Limits`]), a document type definition
//! is refused, and no input panics. *Invariant:* what cannot be told is [`State::NoData`], never fixed.

mod advisory;
mod age;
mod arrival;
mod csaf;
mod cvrf;
mod error;
mod exception;
mod join;
mod json;
mod kev;
mod known;
mod level;
mod product;
mod read;
mod text;
mod verdict;

#[cfg(test)]
mod tests;

pub use self::{
    advisory::{
        Advisory, Article, Build, Content, Cve, Document, DocumentKind, Fix, IdentifierError, KnownExploited, Revision,
        Score, Vulnerability,
    },
    age::Age,
    arrival::{Arrival, Stored, arrival, dated},
    error::{DocumentError, Fault, Limits},
    exception::{Exception, ExceptionError, LONGEST_YEARS, Place, Subject},
    join::{Join, Joined, Update},
    known::{Builder, Known, KnownVulnerability, Problem, Remedy, Shape},
    level::{Clock, LevelError, Levels, Started, Timing},
    product::Platform,
    read::read,
    verdict::{ComputerFacts, Evidence, OsBuild, Part, Reason, State, Verdict, combine, judge, of_problem},
};
