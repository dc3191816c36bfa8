//! What is to be synchronized.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    admin::{AdminError, App},
    sync::peer::{PeerError, Upstream},
};

/// What is to be synchronized, and from where.
#[derive(Clone, Debug)]
pub struct Order {
    /// From where; none: nothing is synchronized.
    pub upstream: Option<Upstream>,
    /// Products, families and companies that are chosen. Families and companies mean their known products.
    pub products: BTreeSet<Uuid>,
    /// Classifications that are chosen.
    pub classifications: BTreeSet<Uuid>,
    /// LCIDs of the languages that are chosen; empty is all.
    pub languages: BTreeSet<u32>,
    /// Everything is asked for anew instead of what changed since the last time.
    pub full: bool,
    /// Calls at once.
    pub connections: usize,
    /// Bytes of answers that are in memory at once, about.
    pub memory: usize,
}

impl Order {
    /// From the settings, the selection, and the parent if this server is enrolled.
    pub async fn load(app: &App) -> Result<Self, PeerError> {
        let _: Result<(), AdminError> = app.read(|_| Ok(())).await;
        unimplemented!()
    }
}
