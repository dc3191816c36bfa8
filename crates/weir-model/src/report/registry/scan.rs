//! Group D: scans.

use super::{
    super::{Column, Group, Parameter, ParameterKind, Report},
    COLLECTION, COMPUTER_ID, COMPUTERS, LAST_CONTACT, LAST_REPORT, NAME, SCAN_STATES, SHARE, SITE, SITE_NAME, drill,
    id, optional, required, state, text, time,
};

const STATE: Parameter = required("state", ParameterKind::Choice(SCAN_STATES), "computers in this state");

const LIST: &[Column] =
    &[COMPUTER_ID, NAME, SITE_NAME, time("last_scan", "Last scan"), id("error", "Error"), LAST_CONTACT, LAST_REPORT];

pub(super) const COLLECTIONS: Report = Report {
    id: "scan-collections",
    number: "D1",
    group: Group::Scan,
    title: "Last scan states by collection",
    description: "How the last scan of the computers of each collection ended, as they reported it: completed, completed_with_errors \
                  (an event of failure with a code of success), failed, or unknown (nothing was reported). That a \
                  scan runs, waits for a server or is tried again agents do not report.",
    parameters: &[optional("collection", ParameterKind::Collection, "only this collection and those below it"), SITE],
    columns: &[
        id("collection", "Collection"),
        text("collection_name", "Name"),
        state("state", "State"),
        COMPUTERS,
        SHARE,
    ],
    drill: &[drill("scan-collection-computers", &[("collection", "collection"), ("state", "state")])],
};

pub(super) const SITES: Report = Report {
    id: "scan-sites",
    number: "D2",
    group: Group::Scan,
    title: "Last scan states by site",
    description: "How the last scan of the computers of each server ended: completed, completed_with_errors, failed, or unknown. Computers \
                  of servers below are as their servers rolled them up.",
    parameters: &[SITE],
    columns: &[id("site_id", "Server"), text("site", "Site"), state("state", "State"), COMPUTERS, SHARE],
    drill: &[drill("scan-site-computers", &[("site", "site_id"), ("state", "state")])],
};

pub(super) const COLLECTION_COMPUTERS: Report = Report {
    id: "scan-collection-computers",
    number: "D3",
    group: Group::Scan,
    title: "Computers of a collection in a scan state",
    description: "Computers of a collection whose last scan ended so, by name.",
    parameters: &[COLLECTION, STATE, SITE],
    columns: LIST,
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};

pub(super) const SITE_COMPUTERS: Report = Report {
    id: "scan-site-computers",
    number: "D4",
    group: Group::Scan,
    title: "Computers of a site in a scan state",
    description: "Computers of a server whose last scan ended so, by name.",
    parameters: &[
        required("site", ParameterKind::Site, "the server, by name or id; this for the one that is asked"),
        STATE,
    ],
    columns: LIST,
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};
