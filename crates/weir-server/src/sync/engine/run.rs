//! The steps of one run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_store::{
    Actor, StoreError,
    staging::{ListKind, SyncList, SyncSource},
};
use weir_wire::wsss::{GetConfigData, GetRevisionIdList, RevisionIdList, ServerSyncConfigData, ServerSyncFilter};

use super::{
    Order, Outcome, SyncError,
    fetch::Fetch,
    filter,
    filter::Filter,
    keys,
    mirror::{self, Decisions},
    promote,
    tally::Tally,
};
use crate::{
    admin::{AdminError, App, Caller, chain},
    front,
    sync::{
        peer::Peer,
        progress::{Phase, Progress},
    },
};

/// Revisions of a list that are noted in one transaction.
const NOTED: usize = 10_000;
/// Revisions in one call, whatever the server allows: larger answers are long to wait for and costly to repeat.
const MOST_IN_A_CALL: usize = 500;

/// What the upstream server says of itself, as it is kept.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Described {
    /// It has no content: files come from their publisher.
    pub(super) catalog_only: bool,
    /// It fetches files only when they are approved.
    pub(super) lazy: bool,
    /// It keeps express files.
    pub(super) express: bool,
    /// Its protocol.
    pub(super) protocol: Option<String>,
    /// Languages by LCID, and whether it has them; 0 is all.
    pub(super) languages: BTreeMap<i32, bool>,
}

/// One run.
pub(super) struct Run<'r> {
    pub(super) app: &'r App,
    pub(super) caller: &'r Caller,
    order: &'r Order,
    pub(super) peer: &'r Peer,
    pub(super) progress: &'r Progress,
    tally: Tally,
}

impl<'r> Run<'r> {
    pub(super) fn new(
        app: &'r App,
        caller: &'r Caller,
        order: &'r Order,
        peer: &'r Peer,
        progress: &'r Progress,
    ) -> Self {
        Self { app, caller, order, peer, progress, tally: Tally::default() }
    }

    pub(super) async fn work(self) -> Result<Outcome, SyncError> {
        let mut outcome = Outcome::default();
        self.begin(&mut outcome).await?;
        let configuration = self.configuration(&mut outcome).await?;
        let fetch = Fetch {
            app: self.app,
            caller: self.caller,
            peer: self.peer,
            progress: self.progress,
            tally: &self.tally,
            batch: configuration.updates_per_request().clamp(1, MOST_IN_A_CALL),
            connections: self.order.connections.max(1),
            memory: self.order.memory,
        };
        let keys = usize::try_from(configuration.max_updates_per_decryption_request).unwrap_or(0);
        let begun = self.app.read(|tx| Ok(tx.pending_count_all()? + tx.staged_count()? > 0)).await?;
        if !self.order.named.is_empty() && !begun {
            // what they belong to, and what their rules are judged by
            let ended = self.categories(&fetch).await;
            fetch.settle(ended).await?;
            outcome = self.named(&fetch, keys, &self.order.named).await?;
            self.tally.report(&mut outcome);
            return Ok(outcome);
        }
        let ended = self.bring(&fetch, &mut outcome).await;
        fetch.settle(ended).await?;
        self.keys(keys).await?;
        let replica = self.peer.upstream().replica;
        let decisions = if replica { mirror::ask(self.app, self.peer, self.progress).await? } else { None };
        outcome = self.store(outcome, decisions).await?;
        if replica {
            outcome = self.held(&fetch, keys, outcome).await?;
        }
        if !self.order.named.is_empty() {
            // a run before was broken off: now it is complete
            let named = self.named(&fetch, keys, &self.order.named).await?;
            outcome.added += named.added;
            outcome.revised += named.revised;
            outcome.problems.extend(named.problems);
            outcome.notes.extend(named.notes);
        }
        self.tally.report(&mut outcome);
        Ok(outcome)
    }

    /// Lists and fetches categories, updates and members of bundles.
    async fn bring(&self, fetch: &Fetch<'_>, outcome: &mut Outcome) -> Result<(), SyncError> {
        self.categories(fetch).await?;
        self.updates(fetch, outcome).await?;
        self.start(Phase::Closure, ListKind::Members).await?;
        fetch.all(ListKind::Members).await
    }

    pub(super) async fn keys(&self, batch: usize) -> Result<(), SyncError> {
        if batch == 0 {
            return Ok(());
        }
        keys::fetch(self.app, self.caller, self.peer, self.progress, batch).await
    }

    /// Deployments name exact revisions, and lists only the newest one of each update: what a deployment waits for is asked
    /// for by its name. What still lacks is told, and looked for again by the next run.
    async fn held(&self, fetch: &Fetch<'_>, keys: usize, mut outcome: Outcome) -> Result<Outcome, SyncError> {
        let lacking = self.app.read(mirror::lacking).await?;
        if !lacking.is_empty() {
            self.progress.begin(Phase::Closure, lacking.len() as u64);
            let tally = Tally::default();
            let fetch = Fetch { tally: &tally, ..*fetch };
            let tried = self.app.read(|tx| tx.pending_last()).await?;
            match fetch.these(lacking).await {
                Ok(()) => {}
                // the catalogue is up to date; the deployments that go on waiting are told below
                Err(error) if error.is_about_items() => {
                    tracing::warn!(error = chain(&error), "revisions that are deployed above cannot be had");
                }
                Err(error) => return Err(error),
            }
            // those that did not come are named by the deployments that wait for them
            tally.forget();
            let ended = fetch.later(ListKind::Members, tried).await;
            fetch.settle(ended).await?;
            self.keys(keys).await?;
            outcome = self.store(outcome, None).await?;
            tally.report(&mut outcome);
        }
        mirror::held(self.app, self.caller, &mut outcome).await?;
        Ok(outcome)
    }

    /// Makes sure that what is known belongs to this server.
    async fn begin(&self, outcome: &mut Outcome) -> Result<(), SyncError> {
        let (identity, full) = (self.peer.upstream().identity.clone(), self.order.full);
        let replica = self.peer.upstream().replica;
        let write = move |tx: &weir_store::WriteTx<'_>| {
            if replica && tx.skipped_count()? > 0 {
                // left out by rules in the time before it was one; whole lists below name it by themselves
                tx.skipped_restore()?;
            }
            let changed = tx.sync_source_begin(&identity)?;
            if full {
                tx.sync_anchors_forget()?;
            }
            Ok(changed)
        };
        if self.app.write(self.caller, write).await? {
            outcome.notes.push("the source is another one than before; everything is compared anew".to_owned());
        }
        Ok(())
    }

    async fn source(&self) -> Result<(SyncSource, Vec<SyncList>), SyncError> {
        let read = self.app.read(|tx| Ok((tx.sync_source()?, tx.sync_lists()?))).await?;
        let missing = || AdminError::Store(StoreError::Corrupt { what: "no source of synchronization".to_owned() });
        Ok((read.0.ok_or_else(missing)?, read.1))
    }

    async fn configuration(&self, outcome: &mut Outcome) -> Result<ServerSyncConfigData, SyncError> {
        self.progress.begin(Phase::Configuration, 1);
        let (source, _) = self.source().await?;
        let request = GetConfigData { cookie: None, config_anchor: source.config_anchor.into() };
        let answer = self.peer.call(request).await?.result;
        let before: Described =
            source.configuration.and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default();
        let mut languages = before.languages;
        // the list is of what changed since the anchor
        languages.extend(answer.language_update_list.0.iter().map(|row| (row.language_id, row.enabled)));
        let described = Described {
            catalog_only: answer.catalog_only_sync,
            lazy: answer.lazy_sync,
            express: answer.server_hosts_psf_files,
            protocol: answer.protocol_version.clone(),
            languages,
        };
        self.compare_languages(&described, outcome);
        let anchor = answer.new_config_anchor.clone().into_text();
        let stored = serde_json::to_value(&described)
            .map_err(|error| AdminError::Internal(format!("the upstream server's configuration: {error}")))?;
        let write = move |tx: &weir_store::WriteTx<'_>| Ok(tx.sync_configuration_set(anchor.as_deref(), &stored)?);
        self.app.write(self.caller, write).await?;
        self.progress.advance(1);
        Ok(answer)
    }

    /// Languages that are chosen here and that the upstream server does not have.
    fn compare_languages(&self, described: &Described, outcome: &mut Outcome) {
        let has_all = described.languages.get(&0).copied().unwrap_or(described.languages.is_empty());
        if has_all {
            return;
        }
        let lacks = |lcid: &&u32| described.languages.get(&(**lcid as i32)) == Some(&false);
        let missing: Vec<String> = self.order.languages.iter().filter(lacks).map(u32::to_string).collect();
        if !missing.is_empty() {
            outcome.notes.push(format!(
                "the upstream server does not have these languages, so nothing comes for them: {}",
                missing.join(", ")
            ));
        }
    }

    async fn start(&self, phase: Phase, kind: ListKind) -> Result<(), SyncError> {
        let pending = self.app.read(move |tx| tx.pending_count(kind)).await?;
        self.progress.begin(phase, pending);
        Ok(())
    }

    async fn categories(&self, fetch: &Fetch<'_>) -> Result<(), SyncError> {
        self.progress.begin(Phase::Categories, 0);
        let (source, lists) = self.source().await?;
        let under_way = lists.into_iter().find(|list| list.kind == ListKind::Categories);
        let anchor = under_way.map(|list| list.anchor).or(source.category_anchor);
        let list = self.list(filter::categories(anchor)).await?;
        self.note(ListKind::Categories, list, None).await?;
        self.start(Phase::Categories, ListKind::Categories).await?;
        fetch.all(ListKind::Categories).await
    }

    async fn updates(&self, fetch: &Fetch<'_>, outcome: &mut Outcome) -> Result<(), SyncError> {
        self.progress.begin(Phase::Updates, 0);
        let (source, lists) = self.source().await?;
        let under_way = lists.into_iter().find(|list| list.kind == ListKind::Updates);
        let (anchor, before) = match under_way {
            Some(list) => (Some(list.anchor), list.filter),
            None => (source.update_anchor, source.update_filter),
        };
        let before: Option<Filter> = before.and_then(|json| serde_json::from_value(json).ok());
        let (order, replica) = (self.order.clone(), self.peer.upstream().replica);
        let filter = self.app.read(move |tx| order.filter(tx, replica)).await?;
        if filter.matches_nothing() {
            // Off-spec: the server would answer an empty list (dossier, section 6)
            outcome.notes.push(
                "no product or no classification is chosen, so only categories were synchronized; choose some: weir \
                 products list, weir classifications list"
                    .to_owned(),
            );
        } else {
            let list = self.list(filter.request(before.as_ref(), anchor)).await?;
            self.note(ListKind::Updates, list, Some(&filter)).await?;
        }
        self.start(Phase::Updates, ListKind::Updates).await?;
        fetch.all(ListKind::Updates).await
    }

    async fn list(&self, filter: ServerSyncFilter) -> Result<RevisionIdList, SyncError> {
        let request = GetRevisionIdList { cookie: None, filter: Some(filter) };
        Ok(self.peer.call(request).await?.result)
    }

    /// Notes what is to be fetched of a list, then its anchor.
    async fn note(&self, kind: ListKind, list: RevisionIdList, filter: Option<&Filter>) -> Result<(), SyncError> {
        let filter = filter.map(serde_json::to_value).transpose();
        let filter = filter.map_err(|error| AdminError::Internal(format!("the filter of a list: {error}")))?;
        for part in list.new_revisions.0.chunks(NOTED) {
            let part = part.to_vec();
            let write = move |tx: &weir_store::WriteTx<'_>| {
                for identity in part {
                    tx.pending_add(kind, identity)?;
                }
                Ok(())
            };
            self.app.write(self.caller, write).await?;
            self.progress.check()?;
        }
        // a server that gives no anchor is asked for everything again
        if let Some(anchor) = list.anchor.into_text() {
            let put = SyncList { kind, anchor, filter };
            self.app.write(self.caller, move |tx| Ok(tx.sync_list_put(&put)?)).await?;
        }
        Ok(())
    }

    async fn store(&self, outcome: Outcome, decisions: Option<Decisions>) -> Result<Outcome, SyncError> {
        self.promote(outcome, decisions, !self.peer.upstream().replica).await
    }

    /// What is staged goes into the catalogue, and rules do not judge it.
    pub(super) async fn store_unjudged(&self, outcome: Outcome) -> Result<Outcome, SyncError> {
        self.promote(outcome, None, false).await
    }

    async fn promote(
        &self,
        mut outcome: Outcome,
        decisions: Option<Decisions>,
        judged: bool,
    ) -> Result<Outcome, SyncError> {
        let staged = self.app.read(|tx| tx.staged_count()).await?;
        self.progress.begin(Phase::Store, staged);
        let (store, progress) = (self.app.state.store.clone(), self.progress.clone());
        let actor = Actor::principal(&self.caller.name, self.caller.from.as_deref(), jiff::Timestamp::now());
        let tally = Tally::default();
        let work = tokio::task::spawn_blocking(front::carry_blocking(move || {
            promote::promote(&store, &actor, judged, &progress, &tally, decisions, &mut outcome)?;
            tally.report(&mut outcome);
            Ok::<_, SyncError>(outcome)
        }));
        work.await.map_err(|error| AdminError::Internal(format!("storing ended: {error}")))?
    }
}
