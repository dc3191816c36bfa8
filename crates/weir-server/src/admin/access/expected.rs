//! Whether an approved request is still what its requester was shown.
//!
//! It is compared twice: with the computers that it reaches, before it is done; and by what it names, in the transaction that does it,
//! so that nothing gets in between.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use http::Method;
use serde_json::Value;
use weir_model::rights::Scope;
use weir_store::{ReadTx, approval::ApprovalRow};

use super::{
    asked::{Asked, Chosen},
    seen::{self, Seen, Things},
};
use crate::admin::{AdminError, App};

/// What an approved request is held to in the transaction that does it: what it names is what its requester was shown.
pub(crate) struct Expected {
    asked: Asked,
    kind: String,
    named: Things,
    held: AtomicBool,
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl PartialEq for Expected {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Expected {}

impl Expected {
    /// Refuses unless all is as it was. Once that is so, what the request itself changes is no more looked at.
    pub(crate) fn check(&self, tx: &ReadTx<'_>) -> Result<(), AdminError> {
        if self.held.load(Ordering::SeqCst) {
            return Ok(());
        }
        let now = match self.asked.act(&self.kind, tx) {
            Ok(act) => act.map(|act| act.named).unwrap_or_default(),
            Err(error) => return Err(gone(error)),
        };
        seen::check(&self.named, &now)?;
        self.held.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// What stands in the way of a request that could be made before.
fn gone(error: AdminError) -> AdminError {
    let problem = error.problem();
    if problem.status >= 500 { error } else { seen::outdated(&[problem.detail]) }
}

/// Compares what a request would do now with what its requester was shown.
pub(super) async fn expected(app: &App, row: &ApprovalRow, scope: &Scope) -> Result<Expected, AdminError> {
    let (path, query) = row.held.target.split_once('?').unwrap_or((row.held.target.as_str(), ""));
    let body = row.held.body.as_deref().unwrap_or_default();
    let method = Method::from_bytes(row.held.method.as_bytes())
        .map_err(|error| AdminError::Internal(format!("a request that waited cannot be made again: {error}")))?;
    let mut asked = Asked {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
        scope: scope.clone(),
        chosen: Chosen::Nothing,
    };
    asked.choose(app).await.map_err(gone)?;
    let (live, no, kind) = (app.state.live.clone(), row.no, row.held.kind.clone());
    app.try_read(move |tx| {
        let Some(before) = tx.approval_shown(no)? else {
            return Err(seen::outdated(&["it was stored before what it is about was kept with it".to_owned()]));
        };
        let was: Seen = serde_json::from_str(&before.seen)
            .map_err(|error| AdminError::Internal(format!("what a request is about cannot be read: {error}")))?;
        let Some(act) = asked.act(&kind, tx).map_err(gone)? else {
            return Err(seen::outdated(&["there is nothing left that waits for a second person".to_owned()]));
        };
        let look = Asked::look(act, tx, &live).map_err(gone)?;
        let told = was.changes(&look.seen, &before.reached, &look.computers);
        if !told.is_empty() {
            return Err(seen::outdated(&told));
        }
        Ok(Expected { asked, kind, named: was.named, held: AtomicBool::new(false) })
    })
    .await
}
