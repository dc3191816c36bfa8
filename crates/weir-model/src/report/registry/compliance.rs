//! Group A: compliance.

use super::{
    super::{Column, Group, Parameter, ParameterKind, Report},
    ARTICLE, COLLECTION, COMPUTER as WHICH_COMPUTER, COMPUTER_ID, COMPUTERS, DOWNLOADED, FAILED, GROUP, INSTALLED,
    LAST_CONTACT, LAST_REPORT, NAME, NOT_APPLICABLE, PENDING, PERCENT, REQUIRED, SHARE, SITE, SITE_NAME, TITLE,
    UNKNOWN, UPDATE as WHICH_UPDATE, UPDATE_ID, UPDATE_STATES as STATES, count, drill, id, optional, required, state,
    text, time,
};

const REASON: Column = state("reason", "Why unknown");

const STATE: Parameter = required("state", ParameterKind::Choice(STATES), "computers in this state");

pub(super) const OVERALL: Report = Report {
    id: "compliance-overall",
    number: "A1",
    group: Group::Compliance,
    title: "Overall compliance with update groups",
    description: "For each update group, or for one: how many computers have all that they need of it. A computer counts once, \
                  with the worst of its states: failed, required, downloaded, pending restart, unknown, installed, not \
                  applicable. Unknown computers count as not compliant, and a computer that is asked about no update of the group is \
                  unknown; there is no percentage if nobody is asked. Silent are those that stopped calling, not reporting \
                  those that call without a full report, both for the days of computers.silent_days; the last column leaves out \
                  whose reports are not current. A group need not be deployed.",
    parameters: &[optional("group", ParameterKind::Group, "only this update group, by name or id"), COLLECTION, SITE],
    columns: &[
        id("group", "Group"),
        text("group_name", "Name"),
        count("updates", "Updates"),
        COMPUTERS,
        count("compliant", "Compliant"),
        PERCENT,
        REQUIRED,
        DOWNLOADED,
        PENDING,
        FAILED,
        UNKNOWN,
        count("not_asked", "Not asked"),
        count("silent", "Silent"),
        count("not_reporting", "Not reporting"),
        count("compliant_current", "Compliant, current"),
    ],
    drill: &[
        drill("compliance-group-updates", &[("group", "group")]),
        drill("compliance-group-computers", &[("group", "group")]),
    ],
};

pub(super) const UPDATE: Report = Report {
    id: "compliance-update",
    number: "A2",
    group: Group::Compliance,
    title: "Compliance with an update by collection",
    description: "How the computers of each collection stand with one update, deployed or not. A computer is in a collection and \
                  in all above it. One that is not asked about the update is unknown; there is no percentage if nobody is asked.",
    parameters: &[
        WHICH_UPDATE,
        optional("collection", ParameterKind::Collection, "only this collection and those below it"),
        SITE,
    ],
    columns: &[
        id("collection", "Collection"),
        text("collection_name", "Name"),
        COMPUTERS,
        PERCENT,
        REQUIRED,
        DOWNLOADED,
        PENDING,
        FAILED,
        INSTALLED,
        NOT_APPLICABLE,
        UNKNOWN,
    ],
    drill: &[drill("compliance-update-states", &[("collection", "collection")])],
};

pub(super) const GROUP_UPDATES: Report = Report {
    id: "compliance-group-updates",
    number: "A3",
    group: Group::Compliance,
    title: "Compliance with an update group by update",
    description: "How computers stand with each update of a group, most needed first; a computer that is not asked about an update is \
                  unknown. Updates that no computer is asked about, such as declined ones, have no percentage.",
    parameters: &[GROUP, COLLECTION, SITE],
    columns: &[
        UPDATE_ID,
        ARTICLE,
        TITLE,
        PERCENT,
        REQUIRED,
        DOWNLOADED,
        PENDING,
        FAILED,
        INSTALLED,
        NOT_APPLICABLE,
        UNKNOWN,
    ],
    drill: &[drill("compliance-update-states", &[("update", "update")])],
};

pub(super) const VENDOR_MONTH: Report = Report {
    id: "compliance-vendor-month",
    number: "A4",
    group: Group::Compliance,
    title: "Compliance with the updates of a vendor, month and year",
    description: "How computers stand with the updates that a vendor released in a month or a year (in UTC, by the date that the \
                  publisher gave them), newest first; a computer that is not asked about an update is unknown. Updates \
                  without a vendor or a date are left out where one is asked for.",
    parameters: &[
        optional("vendor", ParameterKind::Text, "only updates of this company, such as Microsoft"),
        optional("year", ParameterKind::Count(1990, 2200), "only updates of this year"),
        optional("month", ParameterKind::Count(1, 12), "only updates of this month"),
        COLLECTION,
        SITE,
    ],
    columns: &[
        UPDATE_ID,
        ARTICLE,
        TITLE,
        text("vendor", "Vendor"),
        time("released", "Released"),
        PERCENT,
        REQUIRED,
        DOWNLOADED,
        PENDING,
        FAILED,
        INSTALLED,
        NOT_APPLICABLE,
        UNKNOWN,
    ],
    drill: &[drill("compliance-update-states", &[("update", "update")])],
};

pub(super) const COMPUTER: Report = Report {
    id: "compliance-computer",
    number: "A5",
    group: Group::Compliance,
    title: "Compliance of a computer",
    description: "Every update that a computer is asked about, with its state: what failed first, then what is needed, unknown, \
                  installed. Updates that do not apply are left out unless they are asked for. The time is that of the \
                  computer's own clock.",
    parameters: &[WHICH_COMPUTER, optional("state", ParameterKind::Choice(STATES), "only updates in this state")],
    columns: &[
        UPDATE_ID,
        ARTICLE,
        TITLE,
        text("severity", "Severity"),
        state("state", "State"),
        time("since", "Since"),
        id("error", "Error"),
    ],
    drill: &[drill("compliance-update-states", &[("update", "update")])],
};

pub(super) const UPDATE_STATES: Report = Report {
    id: "compliance-update-states",
    number: "A6",
    group: Group::Compliance,
    title: "States of an update",
    description: "How many computers are in each state of one update. Computers that are not asked about it are unknown.",
    parameters: &[WHICH_UPDATE, COLLECTION, SITE],
    columns: &[state("state", "State"), COMPUTERS, SHARE],
    drill: &[drill("compliance-update-computers", &[("state", "state")])],
};

pub(super) const GROUP_COMPUTERS: Report = Report {
    id: "compliance-group-computers",
    number: "A7",
    group: Group::Compliance,
    title: "Computers in a state of an update group",
    description: "Computers whose worst state over all updates of a group is this one, by name, with how many of its updates \
                  they need or failed to install. Of unknown ones the reason is told: not_asked, silent, scan_failed (with the \
                  code), never_reported, not_reporting, newer_than_last_report.",
    parameters: &[GROUP, STATE, COLLECTION, SITE],
    columns: &[
        COMPUTER_ID,
        NAME,
        SITE_NAME,
        count("needed", "Needed"),
        FAILED,
        UNKNOWN,
        REASON,
        id("error", "Error"),
        LAST_CONTACT,
        LAST_REPORT,
    ],
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};

pub(super) const UPDATE_COMPUTERS: Report = Report {
    id: "compliance-update-computers",
    number: "A8",
    group: Group::Compliance,
    title: "Computers in a state of an update",
    description: "Computers in one state of one update, by name. The time of the state is that of the computer's own clock; \
                  unknown and not applicable have none. Of unknown ones the reason is told, as in the report \
                  compliance-group-computers.",
    parameters: &[WHICH_UPDATE, STATE, COLLECTION, SITE],
    columns: &[
        COMPUTER_ID,
        NAME,
        SITE_NAME,
        time("since", "Since"),
        REASON,
        id("error", "Error"),
        LAST_CONTACT,
        LAST_REPORT,
    ],
    drill: &[drill("compliance-computer", &[("computer", "computer")])],
};

pub(super) const HEALTH: Report = Report {
    id: "compliance-health",
    number: "A9",
    group: Group::Compliance,
    title: "Overall health and compliance",
    description: "Three parts. Clients by the classes of weir compliance freshness: current, or the first of the reasons why a client is \
                  not. Compliance: computers by what they have of the update group, or of all updates, and how many of the \
                  compliant ones are current. Articles: the five that most computers lack or failed to install.",
    parameters: &[
        optional("group", ParameterKind::Group, "only the updates of this update group, by name or id"),
        COLLECTION,
        SITE,
        optional(
            "days",
            ParameterKind::Count(1, 3_650),
            "after so many days without a call a client is silent; the setting computers.silent_days if it is absent",
        ),
    ],
    columns: &[text("part", "Part"), text("item", "Item"), COMPUTERS, SHARE],
    drill: &[],
};
