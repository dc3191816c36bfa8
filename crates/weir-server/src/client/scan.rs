//! SyncUpdates and SyncPrinterCatalog (MS-WUSP 3.1.5.7, 3.1.5.12): the hot path. No SQL unless a fragment is not in the
//! cache, no XML building besides the frame of each entry.

use std::sync::Arc;

use jiff::{Timestamp, tz::Offset};
use weir_model::{
    catalogue::{
        Agenda, DriverQuery, Entry, Known, PageLimits, PrinterQuery, SoftwareQuery, SyncPlan, Timed, WireAction,
    },
    exposure::Build,
    fnv::Fnv,
    ids::{ChangeNumber, DeploymentId, UpdateId},
};
use weir_wire::{
    soap::ErrorCode,
    wusp::{
        self, Action, ProductsParameters, SyncPrinterCatalog, SyncTail, SyncUpdateParameters, SyncUpdates, SyncWriter,
        UpdateInfo,
    },
};

use super::{
    call::{Call, Caller, Refusal, Reply, with_scratch},
    cookie::{Anchor, Cookie, ProtocolVersion, TimedAnchor},
    devices,
    handshake::timestamp,
    page::{Page, Sources},
};
use crate::live::ScopeOf;

/// Clients from here on know hardware ids of a deployment.
const HARDWARE_IDS: ProtocolVersion = ProtocolVersion { major: 1, minor: 6 };
/// Clients from here on know filters, the two groups of out-of-scope ids, and DriverSyncNotNeeded.
const FILTERS: ProtocolVersion = ProtocolVersion { major: 1, minor: 7 };
/// Clients from here on know AutoSelect, AutoDownload and SupersedenceBehavior.
const AUTO_SELECT: ProtocolVersion = ProtocolVersion { major: 1, minor: 8 };

impl Call<'_> {
    pub(super) async fn sync_updates(&self, request: &SyncUpdates) -> Result<Reply, Refusal> {
        let caller = self.registered_caller(request.sealed()).await?;
        let parameters = request.validate(&self.bounds())?;
        self.note_build(&caller);
        let modern = caller.cookie.protocol >= FILTERS;
        let mut categories: Vec<UpdateId> = if modern { parameters.filter().collect() } else { Vec::new() };
        categories.sort_unstable();
        categories.dedup();
        let filter = (!categories.is_empty()).then(|| filter_hash(&categories));

        let drivers = parameters.skip_software_sync;
        let anchor = caller.cookie.anchors.scan(drivers, filter);
        let agenda = caller.agenda(self.now);
        let plan = self.plan(&caller, parameters, &categories, (anchor, agenda.as_deref()), modern)?;
        let mut cookie = caller.cookie.clone();
        cookie.anchors.advance(drivers, filter, caller.anchor(plan.anchor, agenda.as_deref(), self.now));
        let writer = SyncWriter::software_or_drivers(self.version);
        self.answer_plan(&caller, &cookie, writer, &plan).await
    }

    /// Newer agents tell with each scan what exposure asks for, and registration does not carry.
    fn note_build(&self, caller: &Caller) {
        let told = ProductsParameters::device_attributes_of(self.body).and_then(Build::of_device);
        let Some(build) = told.filter(|build| caller.computer.build_is_new(*build)) else { return };
        if !self.state.ingest.built(caller.computer.no, caller.cookie.computer.clone(), build) {
            caller.computer.forget_build();
        }
    }

    fn plan(
        &self,
        caller: &Caller,
        parameters: &SyncUpdateParameters,
        categories: &[UpdateId],
        (anchor, agenda): (Option<Anchor>, Option<&Agenda>),
        modern: bool,
    ) -> Result<SyncPlan, Refusal> {
        let (snapshot, scope) = (&caller.published.snapshot, &caller.scope.scope);
        let related = (!categories.is_empty()).then(|| caller.published.related(categories));
        let filter = related.as_deref();
        let two_groups = modern && parameters.need_two_group_out_of_scope_updates == Some(true);
        let everything_changed = caller.everything_changed(anchor);
        let timed = Timed { agenda, known: known(anchor, agenda) };
        let anchor = anchor.map(|anchor| anchor.change);
        let installed = parameters.installed_non_leaf_update_ids.as_slice();
        if !parameters.skip_software_sync {
            let other = parameters.other_cached_update_ids.as_slice();
            let query = SoftwareQuery { installed, other, filter, two_groups, anchor, everything_changed, timed };
            return Ok(with_scratch(|scratch| snapshot.software(scope, &query, &self.page_limits(), scratch)));
        }
        // most passes meet a scope without drivers: then their long list of devices is not read at all
        let spec = parameters.system_spec.as_ref().filter(|_| scope.any_driver(filter));
        let devices = match spec {
            Some(spec) => spec.devices(self.body, self.limits)?.into_iter().map(devices::device).collect(),
            None => Vec::new(),
        };
        let computer_ids = parameters.computer_spec.as_ref().map_or(&[][..], |spec| spec.hardware_ids.as_slice());
        let query = DriverQuery {
            installed,
            cached: &parameters.cached_driver_ids,
            filter,
            two_groups,
            anchor,
            everything_changed,
            timed,
            devices: &devices,
            computer_ids,
            feature_key: parameters.feature_score_matching_key.as_deref(),
        };
        Ok(with_scratch(|scratch| snapshot.drivers(scope, &query, &self.page_limits(), scratch)))
    }

    pub(super) async fn sync_printer_catalog(&self, request: &SyncPrinterCatalog) -> Result<Reply, Refusal> {
        let caller = self.registered_caller(request.sealed()).await?;
        request.validate(&self.bounds())?;
        let anchor = caller.cookie.anchors.printer;
        let agenda = caller.agenda(self.now);
        let query = PrinterQuery {
            installed: &request.installed_non_leaf_update_ids,
            cached: &request.printer_update_ids,
            anchor: anchor.map(|anchor| anchor.change),
            everything_changed: caller.everything_changed(anchor),
            timed: Timed { agenda: agenda.as_deref(), known: known(anchor, agenda.as_deref()) },
        };
        let (snapshot, scope) = (&caller.published.snapshot, &caller.scope.scope);
        let plan = with_scratch(|scratch| snapshot.printers(scope, &query, &self.page_limits(), scratch));
        let mut cookie = caller.cookie.clone();
        cookie.anchors.printer = Some(caller.anchor(plan.anchor, agenda.as_deref(), self.now));
        self.answer_plan(&caller, &cookie, SyncWriter::printers(self.version), &plan).await
    }

    /// As [`Call::caller`], for what a computer may do only after it registered.
    async fn registered_caller(&self, sealed: Option<&[u8]>) -> Result<Caller, Refusal> {
        let mut caller = self.caller(sealed).await?;
        if self.configuration.settings.registration_required && !caller.computer.registered {
            self.look_again(&mut caller).await?;
            if !caller.computer.registered {
                return Err(Refusal::new(ErrorCode::RegistrationRequired));
            }
        }
        Ok(caller)
    }

    fn page_limits(&self) -> PageLimits {
        let settings = &self.configuration.settings;
        PageLimits { entries: settings.page_entries as usize, bytes: settings.page_bytes, fill: settings.page_filling }
    }

    async fn answer_plan(
        &self,
        caller: &Caller,
        cookie: &Cookie,
        writer: SyncWriter,
        plan: &SyncPlan,
    ) -> Result<Reply, Refusal> {
        let protocol = caller.cookie.protocol;
        let ids = plan.new.iter().map(|entry| (entry.id, entry.core_len));
        let sources = Sources::gather(self.state, ids).await?;
        let mut page = Page::with_capacity(1_024 + plan.new.len() * 1_024 + sources.small_bytes());
        writer.head(page.text());
        if !plan.new.is_empty() {
            writer.new_updates_open(page.text());
            for entry in &plan.new {
                // a revision that was deleted since the snapshot was made has no text any more, and goes with the next
                if let Some(source) = sources.find(entry.id) {
                    writer.update_open(page.text(), entry.id, &deployment(entry, protocol), entry.is_leaf);
                    page.fragment(entry.id, source);
                    writer.update_close(page.text());
                }
            }
            writer.new_updates_close(page.text());
        }
        let changed: Vec<UpdateInfo> = plan
            .changed
            .iter()
            .map(|entry| UpdateInfo {
                id: entry.id,
                deployment: Some(deployment(entry, protocol)),
                is_leaf: entry.is_leaf,
                xml: None,
            })
            .collect();
        let new_cookie = self.wire_cookie(cookie)?;
        let tail = SyncTail {
            out_of_scope: &plan.out_of_scope,
            changed: &changed,
            truncated: plan.truncated,
            new_cookie: Some(&new_cookie),
            deployed_out_of_scope: &plan.deployed_out_of_scope,
            driver_sync_not_needed: (protocol >= FILTERS).then_some(plan.driver_sync_not_needed),
        };
        writer.tail(page.text(), &tail);
        Ok(Reply::Page(page))
    }
}

impl Caller {
    /// What the deployments of the computer's scope are now, if the time matters to them.
    pub(super) fn agenda(&self, now: Timestamp) -> Option<Arc<Agenda>> {
        self.published.agenda(&self.scope, self.computer.zone.as_deref(), now)
    }

    fn anchor(&self, change: ChangeNumber, agenda: Option<&Agenda>, now: Timestamp) -> Anchor {
        let timed = agenda.map(|agenda| TimedAnchor { mark: agenda.mark(), at_ms: now.as_millisecond() });
        let ScopeOf { scope, fingerprint, .. } = &*self.scope;
        Anchor { change, groups: *fingerprint, decided: scope.decided(), timed: timed.unwrap_or_default() }
    }

    /// The computer moved since its last scan, and something else is decided for it now.
    fn everything_changed(&self, anchor: Option<Anchor>) -> bool {
        let ScopeOf { scope, fingerprint, .. } = &*self.scope;
        anchor.is_some_and(|anchor| anchor.groups != *fingerprint && !scope.decided().agrees(anchor.decided))
    }
}

/// What the computer knows of timed deployments.
fn known(anchor: Option<Anchor>, agenda: Option<&Agenda>) -> Known {
    let told = anchor.map(|anchor| anchor.timed).unwrap_or_default();
    match (told.mark, agenda.map_or(0, Agenda::mark)) {
        (0, 0) => Known::Everything,
        (told, now) if told != now => Known::Nothing,
        _ => Known::At(timestamp(told.at_ms)),
    }
}

/// The deployment of an entry, with the fields that this client knows (the version gates of the protocol).
pub(super) fn deployment(entry: &Entry, protocol: ProtocolVersion) -> wusp::Deployment {
    let planned = &entry.deployment;
    let action = match planned.action {
        WireAction::Bundle => Action::Bundle,
        WireAction::Evaluate => Action::Evaluate,
        WireAction::Install => Action::Install,
        WireAction::OptionalInstall => Action::OptionalInstall,
        WireAction::PreDeploymentCheck => Action::PreDeploymentCheck,
        WireAction::Uninstall => Action::Uninstall,
    };
    let changed = Offset::UTC.to_datetime(planned.changed_at).date();
    let mut wire = wusp::Deployment::new(DeploymentId(planned.id), action, planned.is_assigned, changed);
    wire.deadline = planned.deadline;
    if protocol >= HARDWARE_IDS {
        wire.hardware_ids.clone_from(&planned.hardware_ids);
    }
    if protocol >= AUTO_SELECT { wire.with_client_defaults() } else { wire }
}

fn filter_hash(categories: &[UpdateId]) -> u64 {
    let mut hash = Fnv::default();
    for category in categories {
        hash.bytes(category.0.as_bytes());
    }
    hash.0
}
