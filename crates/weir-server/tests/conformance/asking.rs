//! A computer that asks by hand: one call at a time, and answers in the numbers of the test's updates
//! ([`crate::common::id`]).

use std::collections::BTreeMap;

use weir_model::ids::{RevisionId, RevisionNumber, UpdateId, UpdateIdentity};
use weir_testkit::{Computer, ScanOutcome, ScriptedAgent};
use weir_wire::{
    soap::SoapVersion,
    wusp::{
        Action, CategoryIdentifier, SyncInfo, SyncPrinterCatalog, SyncUpdateParameters, SyncUpdates, UpdateInfo,
        client::Call as _,
    },
};

use crate::common::{Server, id};

/// The number that [`id`] made an update id from.
pub(crate) fn number(update: UpdateId) -> u128 {
    update.0.as_u128() & 0xffff_ffff_ffff
}

/// One computer, and the RevisionIDs of everything it ever got.
pub(crate) struct Asker {
    pub(crate) agent: ScriptedAgent,
    known: BTreeMap<UpdateIdentity, RevisionId>,
}

/// One answer of SyncUpdates or SyncPrinterCatalog.
pub(crate) struct Answer {
    pub(crate) info: SyncInfo,
    names: BTreeMap<RevisionId, u128>,
}

impl Asker {
    /// A computer of this server with cookie and registration.
    pub(crate) async fn of(server: &Server, number: u64) -> Self {
        Self::playing(server, Computer::numbered(number)).await
    }

    /// The same with an older protocol.
    pub(crate) async fn speaking(server: &Server, number: u64, protocol: &str) -> Self {
        let computer = Computer { protocol_version: protocol.to_owned(), ..Computer::numbered(number) };
        Self::playing(server, computer).await
    }

    /// A given computer.
    pub(crate) async fn playing(server: &Server, computer: Computer) -> Self {
        let mut agent = server.agent_of(computer);
        agent.handshake().await.expect("handshake");
        Self { agent, known: BTreeMap::new() }
    }

    /// The RevisionID of the highest revision of an update that came here.
    pub(crate) fn rid(&self, update: u128) -> RevisionId {
        let mut known = self.known.iter().filter(|(identity, _)| identity.update_id == id(update));
        *known.next_back().unwrap_or_else(|| panic!("{update} never came")).1
    }

    pub(crate) fn rids(&self, updates: &[u128]) -> Vec<RevisionId> {
        updates.iter().map(|update| self.rid(*update)).collect()
    }

    /// Parameters of a software pass.
    pub(crate) fn parameters(&self, installed: &[u128], other: &[u128]) -> SyncUpdateParameters {
        let mut parameters = SyncUpdateParameters::new();
        parameters.installed_non_leaf_update_ids = self.rids(installed);
        parameters.other_cached_update_ids = self.rids(other);
        parameters
    }

    /// The same with a filter.
    pub(crate) fn filtered(&self, categories: &[u128], installed: &[u128], other: &[u128]) -> SyncUpdateParameters {
        let mut parameters = self.parameters(installed, other);
        parameters.filter_category_ids =
            categories.iter().map(|category| CategoryIdentifier { id: id(*category) }).collect();
        parameters
    }

    /// A software pass.
    pub(crate) async fn software(&mut self, installed: &[u128], other: &[u128]) -> Answer {
        let parameters = self.parameters(installed, other);
        self.sync(parameters).await
    }

    /// A call with these parameters; the NewCookie is kept.
    pub(crate) async fn sync(&mut self, parameters: SyncUpdateParameters) -> Answer {
        let request = SyncUpdates { cookie: self.agent.state.cookie.clone(), parameters: Some(parameters) };
        let info = self.agent.call(&request).await.expect("SyncUpdates").result.expect("a result");
        self.learn(info)
    }

    /// Asks for the printer catalogue.
    pub(crate) async fn printers(&mut self, installed: &[u128], printers: &[u128]) -> Answer {
        let request = SyncPrinterCatalog {
            cookie: self.agent.state.cookie.clone(),
            installed_non_leaf_update_ids: self.rids(installed),
            printer_update_ids: self.rids(printers),
        };
        let info = self.agent.call(&request).await.expect("SyncPrinterCatalog").result.expect("a result");
        self.learn(info)
    }

    /// A call whose answer is wanted as text; the cookie stays as it is.
    pub(crate) async fn text(&self, server: &Server, parameters: SyncUpdateParameters) -> String {
        let request = SyncUpdates { cookie: self.agent.state.cookie.clone(), parameters: Some(parameters) };
        let mut body = String::new();
        request.encode(&mut body, SoapVersion::V11);
        let answer = server.post(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }

    /// A whole scan of the scripted agent.
    pub(crate) async fn scan(&mut self) -> ScanOutcome {
        let outcome = self.agent.scan().await.expect("scan");
        let cache = self.agent.state.cache.iter();
        self.known.extend(cache.map(|(rid, cached)| (cached.identity, RevisionId(*rid))));
        outcome
    }

    /// The updates that RevisionIDs of an outcome stand for, ascending.
    pub(crate) fn named(&self, rids: &[i32]) -> Vec<u128> {
        let names = self.names();
        let name = |rid: &i32| *names.get(&RevisionId(*rid)).unwrap_or_else(|| panic!("{rid} never came"));
        sorted(rids.iter().map(name))
    }

    /// What the scripted agent has in its cache, ascending.
    pub(crate) fn cached(&self) -> Vec<u128> {
        sorted(self.agent.state.cache.values().map(|cached| number(cached.identity.update_id)))
    }

    /// What the scripted agent was told to do with an update.
    pub(crate) fn action(&self, update: u128) -> Option<Action> {
        let mut cache = self.agent.state.cache.values();
        cache.find(|cached| cached.identity.update_id == id(update)).map(|cached| cached.action)
    }

    fn names(&self) -> BTreeMap<RevisionId, u128> {
        self.known.iter().map(|(identity, rid)| (*rid, number(identity.update_id))).collect()
    }

    fn learn(&mut self, info: SyncInfo) -> Answer {
        let cookie = info.new_cookie.clone().expect("every answer has a NewCookie");
        self.agent.state.cookie = Some(cookie);
        for update in &info.new_updates {
            self.known.insert(identity(update), update.id);
        }
        Answer { names: self.names(), info }
    }
}

impl Answer {
    /// The updates in NewUpdates, ascending.
    pub(crate) fn fresh(&self) -> Vec<u128> {
        self.entries(&self.info.new_updates)
    }

    /// The updates in ChangedUpdates, ascending.
    pub(crate) fn changed(&self) -> Vec<u128> {
        self.entries(&self.info.changed_updates)
    }

    /// The updates in OutOfScopeRevisionIDs, ascending.
    pub(crate) fn gone(&self) -> Vec<u128> {
        sorted(self.info.out_of_scope_revision_ids.iter().map(|rid| self.name(*rid)))
    }

    /// The updates in DeployedOutOfScopeRevisionIds, ascending.
    pub(crate) fn hidden(&self) -> Vec<u128> {
        sorted(self.info.deployed_out_of_scope_revision_ids.iter().map(|rid| self.name(*rid)))
    }

    /// The new or changed entry of an update.
    pub(crate) fn entry(&self, update: u128) -> &UpdateInfo {
        let mut entries = self.info.new_updates.iter().chain(&self.info.changed_updates);
        entries.find(|entry| self.name(entry.id) == update).unwrap_or_else(|| panic!("no entry for {update}"))
    }

    /// What to do with it.
    pub(crate) fn action(&self, update: u128) -> Action {
        self.deployment(update).action
    }

    /// Its deployment.
    pub(crate) fn deployment(&self, update: u128) -> &weir_wire::wusp::Deployment {
        self.entry(update).deployment.as_ref().expect("a deployment on every entry")
    }

    /// Whether nothing new, changed or gone is in it.
    pub(crate) fn is_quiet(&self) -> bool {
        let SyncInfo { new_updates, changed_updates, out_of_scope_revision_ids, .. } = &self.info;
        new_updates.is_empty()
            && changed_updates.is_empty()
            && out_of_scope_revision_ids.is_empty()
            && self.info.deployed_out_of_scope_revision_ids.is_empty()
            && !self.info.truncated
    }

    fn entries(&self, entries: &[UpdateInfo]) -> Vec<u128> {
        sorted(entries.iter().map(|entry| self.name(entry.id)))
    }

    fn name(&self, rid: RevisionId) -> u128 {
        *self.names.get(&rid).unwrap_or_else(|| panic!("{rid} never came"))
    }
}

/// Which revision an entry is, by its Core.
fn identity(update: &UpdateInfo) -> UpdateIdentity {
    let core = update.xml.as_deref().expect("new entries have a Core");
    let head = core.strip_prefix("<UpdateIdentity UpdateID=\"").expect("the Core begins with the identity");
    let (update_id, rest) = head.split_once("\" RevisionNumber=\"").expect("RevisionNumber");
    let (revision, _) = rest.split_once('"').expect("the end of RevisionNumber");
    UpdateIdentity {
        update_id: update_id.parse().expect("UpdateID"),
        revision: RevisionNumber(revision.parse().expect("RevisionNumber")),
    }
}

/// With repetitions, so that an update that is there twice shows.
fn sorted(numbers: impl Iterator<Item = u128>) -> Vec<u128> {
    let mut numbers: Vec<u128> = numbers.collect();
    numbers.sort_unstable();
    numbers
}
