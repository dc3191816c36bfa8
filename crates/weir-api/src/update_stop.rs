//! The emergency stop of an update.
//!
//! * `PUT updates/{id}/stop` takes [`UpdateStopRequest`] and answers [`UpdateStop`]: from the next scan on no computer is
//!   offered the update by any deployment. `DELETE updates/{id}/stop` takes the stop back and answers 204.
//! * `GET updates/{id}/stop` answers [`UpdateStop`] with how far computers have heard of it.
//! * `GET update-stops` answers a [`crate::List`] of [`StoppedUpdate`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Reference;

/// Stops an update.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateStopRequest {
    /// Why, 1 to 256 characters.
    pub reason: String,
}

/// A stopped update.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoppedUpdate {
    /// The update.
    pub update: Reference,
    /// Why.
    pub reason: String,
    /// Since when.
    pub stopped_at: Timestamp,
    /// By whom.
    pub stopped_by: String,
}

/// A stopped update, and who has heard of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateStop {
    /// The stop.
    pub stop: StoppedUpdate,
    /// Deployments that offer it to nobody for now.
    pub deployments: u64,
    /// Computers that these deployments would have it offered to.
    pub computers: u64,
    /// Of these, those that have installed it.
    pub installed: u64,
    /// Of these, those that scanned since it was stopped, and reported it.
    pub heard: u64,
    /// Of these, those that did not: they may still install it.
    pub not_yet_heard: u64,
    /// Of those that did not hear of it, the ones that need it, or are at it.
    pub at_risk: u64,
}
