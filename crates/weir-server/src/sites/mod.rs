//! The tree of sites: which servers stand above and below this one, and what passes between them.
//!
//! * [`parent`] says how the server above is reached and trusted; [`is_replica`] whether administrators may change here
//!   what the top decides, and [`refuse_below`] refuses it in words.
//! * [`begin`] and [`announce`] frame a run: the servers below are told that there is something to synchronize.
//! * `tree` is what administrators see and change; definitions are made at the top and flow down.
//! * `accept` and `join` are the two sides of enrolment, `serve` and `follow` those of the site link; `feed` is what flows
//!   down, `report` what goes up, `cascade` decides who synchronizes when.
//!
//! *Invariant:* nothing of the site link exists on a connection that did not negotiate it and show a certificate.

mod accept;
mod access;
mod addresses;
mod cascade;
mod drift;
mod feed;
mod follow;
mod hub;
mod join;
mod link;
mod plane;
mod report;
mod serve;
mod tree;

use std::{collections::HashMap, sync::Arc};

use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;
use weir_store::{ReadTx, StoreError, sites::SiteEnrolmentRow};

pub use access::{Parent, is_replica, parent, refuse_below};
pub use cascade::{announce, begin};
pub use join::JoinError;
pub use link::link_again;

pub(crate) use accept::invite;
pub(crate) use addresses::client_addresses;
pub(crate) use follow::catch_up;
pub(crate) use hub::Hub;
pub(crate) use join::join;
pub(crate) use link::PATH;
pub(crate) use plane::LinkPlane;
pub(crate) use tree::{add, leave, list, remove, show};

use crate::{
    admin::{AdminError, App, chain},
    front::Duty,
    start,
};

/// Kind of the alert that two servers share an identity.
const TWINS: &str = "site.same_identity";
/// Kind of the alert that the parent refuses this server.
const REFUSED: &str = "site.refused";

/// The site that a downstream server of this identity enrolled as: it is admitted whatever `downstream.policy` says.
pub fn enrolled(tx: &ReadTx<'_>, server: Uuid) -> Result<Option<SiteEnrolmentRow>, StoreError> {
    tx.sites_enrolment_of_server(server)
}

/// The sites that servers below this one are, by the GUID of the server: id and name. Servers directly below are told by their
/// enrolment, those further down by what they say of themselves.
pub(crate) fn servers(tx: &ReadTx<'_>) -> Result<HashMap<Uuid, (Uuid, String)>, StoreError> {
    let names: HashMap<Uuid, String> = tx.sites_list()?.into_iter().map(|row| (row.node.id, row.node.name)).collect();
    let told = tree::points(tx)?.into_iter().map(|(site, (point, _))| (point.server_id, site));
    let enrolled = tx.sites_enrolments()?.into_iter().map(|row| (row.server_id, row.site));
    let named = |(server, site): (Uuid, Uuid)| Some((server, (site, names.get(&site)?.clone())));
    Ok(told.chain(enrolled).filter_map(named).collect())
}

/// Turns the server plane on at the start if the settings say so, or if a site below may call.
pub(crate) async fn open(app: &App) -> Result<(), AdminError> {
    let expected = app.read(accept::is_expected).await?;
    if app.process.listen.server.is_none() && (app.process.downstream || expected) {
        app.state.upstream.switch(true);
    }
    Ok(())
}

/// Turns the server plane on while the process runs: a site below gets a code.
async fn turn_on(app: &App) {
    if app.serves_downstream() {
        return;
    }
    app.state.upstream.switch(true);
    tracing::info!("the server plane is on: a site below this one may enrol");
    let (file, endpoints) = (app.process.data.join(weir_api::status::ENDPOINTS_FILE), app.endpoints());
    let written = tokio::task::spawn_blocking(move || start::write_endpoints(&file, &endpoints)).await;
    match written {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = chain(&error), "the address of the server plane could not be written"),
        Err(error) => tracing::warn!(%error, "the address of the server plane could not be written"),
    }
}

/// Starts what follows the parent, tells it how this server does, and tells those below of decisions; it ends when `stop`
/// turns true. Of several front ends the one that synchronizes does it.
pub(crate) fn start(app: &App, stop: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    fn until(mut stop: watch::Receiver<bool>, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        tokio::spawn(async move {
            tokio::select! {
                () = work => {}
                () = async { let _ = stop.wait_for(|stop| *stop).await; } => {}
            }
        })
    }
    let app = app.clone();
    let work = async move {
        let duties = Arc::clone(&app.state.live.duties);
        let speak = || async {
            app.hub().begin_to_speak();
            // none of them ends
            tokio::join!(follow::run(app.clone()), report::run(app.clone()), cascade::settle(app.clone()));
        };
        duties.hold(Duty::Synchronization, speak).await;
    };
    vec![until(stop.clone(), work)]
}
