//! Group C: how deployments stand on computers.

use super::{
    super::{Group, Parameter, ParameterKind, Report},
    ARTICLE, COLLECTION, COMPUTER as WHICH_COMPUTER, COMPUTER_ID, COMPUTERS as HOW_MANY, DEPLOYMENT, DEPLOYMENT_STATES,
    ENFORCEMENT_STATES, FAILED, LAST_CONTACT, LAST_REPORT, NAME, SHARE, SITE, SITE_NAME, TITLE, UNKNOWN,
    UPDATE as WHICH_UPDATE, UPDATE_ID, count, drill, id, required, state, time,
};

/// Of its collection, some may be asked for.
const AMONG: Parameter =
    Parameter { description: "only computers that are in this collection, too, or in one below it", ..COLLECTION };

pub(super) const ENFORCEMENT: Report = Report {
    id: "enforcement",
    number: "C1",
    group: Group::States,
    title: "Enforcement states of a deployment",
    description: "How far the computers of a deployment's collection are, each by the worst of its updates, in the words of weir \
                  compliance deployment: failed; what is still to be done, told apart by what this server knows (overdue, \
                  pending_installation, waiting_for_window, waiting_for_content, not_yet_available, disabled); downloaded; \
                  pending_restart; not_evaluated, never_reported, not_asked; success, not_applicable; nothing_to_enforce where \
                  the deployment detects or blocks. A removal is done where the update is not installed. Unmodified agents do \
                  not report that they are installing, downloading or waiting for another installation. The number is that of \
                  the state in topic 301 of the replaced product, where one says the same. Which of several deployments of one \
                  update wins on a computer does not matter here.",
    parameters: &[DEPLOYMENT, AMONG, SITE],
    columns: &[state("state", "State"), count("topic_301", "301"), HOW_MANY, SHARE],
    drill: &[drill("enforcement-computers", &[("state", "state")])],
};

pub(super) const EVALUATION: Report = Report {
    id: "evaluation",
    number: "C2",
    group: Group::States,
    title: "Evaluation states of a deployment",
    description: "Whether the computers of a deployment's collection have looked at it since it last changed: succeeded (a full report \
                  follows a scan that knew it, or, of computers of servers below, came later), failed (their last scan failed), \
                  activated (they called since, and have not reported in full), unknown. The number is that of the state in topic \
                  302 of the replaced product.",
    parameters: &[DEPLOYMENT, AMONG, SITE],
    columns: &[state("state", "State"), count("topic_302", "302"), HOW_MANY, SHARE],
    drill: &[],
};

pub(super) const COMPUTER: Report = Report {
    id: "deployment-computer",
    number: "C3",
    group: Group::States,
    title: "States of a deployment on a computer",
    description: "Each update of a deployment on one computer: its state, and how far enforcement is. A computer outside the \
                  deployment's collection is answered, too, and said to be so.",
    parameters: &[DEPLOYMENT, WHICH_COMPUTER],
    columns: &[
        UPDATE_ID,
        ARTICLE,
        TITLE,
        state("state", "State"),
        state("enforcement", "Enforcement"),
        time("since", "Since"),
        id("error", "Error"),
    ],
    drill: &[],
};

pub(super) const COMPUTERS: Report = Report {
    id: "deployment-computers",
    number: "C4",
    group: Group::States,
    title: "Computers in a compliance state of a deployment",
    description: "Computers of a deployment's collection that are compliant with it (nothing of it is left to be done), in_progress \
                  (something is), in error (something failed) or unknown, by name. Each state of the report enforcement is one of \
                  these.",
    parameters: &[
        DEPLOYMENT,
        required("state", ParameterKind::Choice(DEPLOYMENT_STATES), "computers in this state"),
        AMONG,
        SITE,
    ],
    columns: &[COMPUTER_ID, NAME, SITE_NAME, count("needed", "Needed"), FAILED, UNKNOWN, LAST_CONTACT, LAST_REPORT],
    drill: &[drill("deployment-computer", &[("computer", "computer")])],
};

pub(super) const UPDATE: Report = Report {
    id: "deployment-update-states",
    number: "C5",
    group: Group::States,
    title: "States of an update in a deployment",
    description: "How far the computers of a deployment's collection are with one of its updates, in the states of the report \
                  enforcement.",
    parameters: &[DEPLOYMENT, WHICH_UPDATE, AMONG, SITE],
    columns: &[state("state", "State"), count("topic_301", "301"), HOW_MANY, SHARE],
    drill: &[],
};

pub(super) const ENFORCEMENT_COMPUTERS: Report = Report {
    id: "enforcement-computers",
    number: "C6",
    group: Group::States,
    title: "Computers in an enforcement state of a deployment",
    description: "Computers of a deployment's collection in one of the states of the report enforcement, by name. For those that wait \
                  for a window the time is its beginning.",
    parameters: &[
        DEPLOYMENT,
        required("state", ParameterKind::Choice(ENFORCEMENT_STATES), "computers in this state"),
        AMONG,
        SITE,
    ],
    columns: &[
        COMPUTER_ID,
        NAME,
        SITE_NAME,
        count("needed", "Needed"),
        FAILED,
        time("window", "Next window"),
        LAST_CONTACT,
        LAST_REPORT,
    ],
    drill: &[drill("deployment-computer", &[("computer", "computer")])],
};
