//! Group B: deployments and their content.

use super::{
    super::{Column, ColumnKind, Drill, Group, ParameterKind, Report},
    ARTICLE, COLLECTION, COMPUTER, COMPUTER_ID, DEPLOYMENT, DOWNLOADED, FAILED, GROUP, INSTALLED, LAST_CONTACT, NAME,
    NOT_APPLICABLE, PENDING, REQUIRED, SITE, SITE_NAME, TITLE, UNKNOWN, UPDATE, UPDATE_ID, column, count, drill, id,
    optional, required, state, text, time,
};

const NUMBER: Column = id("deployment", "Deployment");

/// The columns of a list of deployments.
const DEPLOYMENTS: &[Column] = &[
    NUMBER,
    text("deployment_name", "Name"),
    text("what", "Update or group"),
    text("collection_name", "Collection"),
    state("action", "Action"),
    time("available", "Available"),
    time("deadline", "Deadline"),
    state("state", "State"),
    text("detail", "Detail"),
    count("updates", "Updates"),
];

const DETAILS: &[Drill] = &[
    drill("deployment-updates", &[("deployment", "deployment")]),
    drill("enforcement", &[("deployment", "deployment")]),
];

pub(super) const OF_GROUP: Report = Report {
    id: "deployments-group",
    number: "B1",
    group: Group::Management,
    title: "Deployments of an update group",
    description: "Where an update group is deployed, and how its deployments stand at this server. Times of deployments in local \
                  time are as if they were UTC.",
    parameters: &[GROUP],
    columns: DEPLOYMENTS,
    drill: DETAILS,
};

pub(super) const NOT_DEPLOYED: Report = Report {
    id: "updates-required-not-deployed",
    number: "B2",
    group: Group::Management,
    title: "Updates that are required and not deployed",
    description: "Updates that computers need and that no enabled deployment to install, required or optional, brings to them \
                  through any of their collections, most needed first. Deployments to other computers do not matter, and a block \
                  counts as no deployment.",
    parameters: &[
        optional("vendor", ParameterKind::Text, "only updates of this company, such as Microsoft"),
        optional("classification", ParameterKind::Text, "only updates of this classification, by title or id"),
        COLLECTION,
        SITE,
    ],
    columns: &[
        UPDATE_ID,
        ARTICLE,
        TITLE,
        text("vendor", "Vendor"),
        text("classification", "Classification"),
        text("severity", "Severity"),
        time("released", "Released"),
        count("computers", "Computers"),
    ],
    drill: &[drill("compliance-update-states", &[("update", "update")])],
};

pub(super) const UPDATES_OF: Report = Report {
    id: "deployment-updates",
    number: "B3",
    group: Group::Management,
    title: "Updates in a deployment",
    description: "The updates of a deployment, with how the computers of its collection stand with them. The size is that of their \
                  files and those of their members.",
    parameters: &[DEPLOYMENT],
    columns: &[
        UPDATE_ID,
        ARTICLE,
        TITLE,
        text("classification", "Classification"),
        text("severity", "Severity"),
        column("size", "Size", ColumnKind::Bytes),
        REQUIRED,
        DOWNLOADED,
        PENDING,
        FAILED,
        INSTALLED,
        NOT_APPLICABLE,
        UNKNOWN,
    ],
    drill: &[drill("deployment-update-states", &[("update", "update")])],
};

pub(super) const TO_COLLECTION: Report = Report {
    id: "deployments-collection",
    number: "B4",
    group: Group::Management,
    title: "Deployments to a collection",
    description: "Deployments to a collection and to those above it, which reach its computers unless a nearer one hides them.",
    parameters: &[required("collection", ParameterKind::Collection, "the collection, by name or id")],
    columns: DEPLOYMENTS,
    drill: DETAILS,
};

pub(super) const TO_COMPUTER: Report = Report {
    id: "deployments-computer",
    number: "B5",
    group: Group::Management,
    title: "Deployments to a computer",
    description: "Deployments to collections that a computer is in, with how many of their updates it has in which state. Which of \
                  several deployments of one update wins says weir deployments explain.",
    parameters: &[COMPUTER],
    columns: &[
        NUMBER,
        text("deployment_name", "Name"),
        text("what", "Update or group"),
        text("collection_name", "Collection"),
        state("action", "Action"),
        time("deadline", "Deadline"),
        state("state", "State"),
        count("updates", "Updates"),
        count("needed", "Needed"),
        FAILED,
        INSTALLED,
        NOT_APPLICABLE,
        UNKNOWN,
    ],
    drill: &[drill("deployment-computer", &[("deployment", "deployment")])],
};

pub(super) const OF_UPDATE: Report = Report {
    id: "deployments-update",
    number: "B6",
    group: Group::Management,
    title: "Deployments that contain an update",
    description: "Deployments of an update itself and of update groups that it is in.",
    parameters: &[UPDATE],
    columns: DEPLOYMENTS,
    drill: DETAILS,
};

pub(super) const MISSING_CONTENT: Report = Report {
    id: "content-missing",
    number: "B7",
    group: Group::Management,
    title: "Deployments with missing content",
    description: "Enabled deployments to install that wait for files of their updates at this server, which has them checked before \
                  computers are told to install. Files that the policy of this site leaves elsewhere are not missing. What is \
                  missing at sites below only they know.",
    parameters: &[optional("deployment", ParameterKind::Deployment, "only this deployment, by number or name")],
    columns: &[
        NUMBER,
        text("deployment_name", "Name"),
        text("what", "Update or group"),
        text("collection_name", "Collection"),
        UPDATE_ID,
        ARTICLE,
        TITLE,
        count("files", "Files missing"),
        column("bytes", "Bytes missing", ColumnKind::Bytes),
    ],
    drill: &[],
};

pub(super) const MISSING_CONTENT_COMPUTERS: Report = Report {
    id: "content-missing-computers",
    number: "B8",
    group: Group::Management,
    title: "Computers that wait for missing content",
    description: "What content a computer lacks is not known: agents do not report which files they hold. Given instead are \
                  computers that need updates of deployments which wait for files at this server, with how many such updates \
                  each needs: they cannot install them before the content is here.",
    parameters: &[
        optional("deployment", ParameterKind::Deployment, "only this deployment, by number or name"),
        COLLECTION,
        SITE,
    ],
    columns: &[COMPUTER_ID, NAME, SITE_NAME, count("updates", "Updates that wait"), LAST_CONTACT],
    drill: &[drill("deployments-computer", &[("computer", "computer")])],
};
