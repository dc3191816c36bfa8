//! CVRF: MSRC's monthly documents, as XML after the schemas of ICASI (CVRF 1.1: `cvrf.xsd`, `prod.xsd`, `vuln.xsd`) and as
//! the JSON of `api.msrc.microsoft.com/cvrf/v3.0`, which has the same parts under the same names.
//!
//! Off-spec: MSRC adds to the schema, and what it adds is what is needed here: `Threat/@Type` `Severity`, and below
//! `Remediation` the elements `Supercedence` (sic), `SubType`, `RestartRequired` and `FixedBuild`. A `Vendor Fix` names its
//! article in `Description`. What MSRC calls the revision is the number in `DocumentTracking/RevisionHistory`;
//! `DocumentTracking/Version` is 1.0 in all of its documents that were seen.

mod gather;
mod json;
mod tree;
mod xml;

pub(super) use self::{
    gather::{article_in_url, says_exploited, score, severity},
    json::read as json,
    xml::read as xml,
};
