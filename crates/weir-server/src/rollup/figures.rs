//! The figures of this server (MS-WSUSSS 3.1.4.14.3.3): of its updates, and of the computers that scan here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_model::{
    ids::{RevisionNumber, UpdateId},
    rollup::{OsFingerprint, ServerSummary},
    status::{Counts, State},
    targeting::DeploymentAction,
    update::UpdateType,
};
use weir_store::{
    ReadTx, Store, StoreError,
    computer::THIS_SERVER,
    deployment::{Deployed, DeploymentFilter, Rows},
    list::UpdateFilter,
};

use crate::{content, live::Live};

/// Critical Updates and Security Updates.
const URGENT: [UpdateId; 2] = [
    UpdateId(uuid::Uuid::from_u128(0xe6cf_1350_c01b_414d_a61f_263d_14d1_33b4)),
    UpdateId(uuid::Uuid::from_u128(0x0fa1_201d_4330_4fa8_8ae9_b877_473b_6441)),
];
/// WSUS Infrastructure Updates.
const INFRASTRUCTURE: UpdateId = UpdateId(uuid::Uuid::from_u128(0x051f_8713_e600_4bee_b7b7_690d_43c7_8948));
/// Rows read at once.
const PAGE: u32 = 1_000;

/// The figures and the kinds of computers.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Figures {
    pub(super) summary: ServerSummary,
    pub(super) kinds: Vec<(OsFingerprint, i32)>,
}

/// What is deployed of an update.
#[derive(Default)]
struct Approvals {
    any: bool,
    install: bool,
    /// Revisions that installations and removals are pinned to; none for the newest.
    revisions: BTreeSet<Option<RevisionNumber>>,
    waits: bool,
    fails: bool,
}

/// What computers say.
#[derive(Default)]
struct Fleet {
    updates: HashMap<UpdateId, Counts>,
    computers: i32,
    needing: i32,
    failing: i32,
    up_to_date: i32,
}

/// Figures of the database as it is. While neither catalogue nor computers changed, those of the last time are given
/// without looking at a computer. The answer names the state that they are of. Blocks.
pub(super) fn read(store: &Store, live: &Live) -> Result<(Figures, weir_model::ids::ChangeNumber, u64), StoreError> {
    store.read(|tx| {
        let (change, marks) = (tx.catalogue_version()?, tx.rollup_state()?.marks);
        if let Some(kept) = tx.rollup_figures(change, marks)?
            && let Ok(figures) = serde_json::from_value(kept)
        {
            return Ok((figures, change, marks));
        }
        let figures = Figures { summary: summary(tx, live)?, kinds: tx.rollup_own_kinds()? };
        Ok((figures, change, marks))
    })
}

fn summary(tx: &ReadTx<'_>, live: &Live) -> Result<ServerSummary, StoreError> {
    let (fleet, approvals) = (fleet(tx, live)?, approvals(tx)?);
    let mut sum = ServerSummary {
        computers: fleet.computers,
        computers_needing: fleet.needing,
        computers_with_errors: fleet.failing,
        computers_up_to_date: fleet.up_to_date,
        custom_groups: whole(tx.collection_list()?.iter().filter(|row| !row.built_in).count()),
        ..ServerSummary::default()
    };
    let (none, unasked) = (Approvals::default(), Counts::default());
    let mut cursor = None;
    loop {
        let page = tx.update_list(&UpdateFilter::default(), cursor.as_deref(), PAGE)?;
        for row in page.items {
            // Members of bundles, categories and detectoids are no updates to an administrator.
            if !matches!(row.update_type, UpdateType::Software | UpdateType::Driver) || !row.explicitly_deployable {
                continue;
            }
            let update = row.identity.update_id;
            let approval = approvals.get(&update).unwrap_or(&none);
            let counts = fleet.updates.get(&update).unwrap_or(&unasked);
            sum.updates += 1;
            if row.declined {
                sum.declined += 1;
                continue;
            }
            let approved = !approval.revisions.is_empty();
            let stale = approval.revisions.iter().any(|pinned| pinned.is_some_and(|at| at < row.identity.revision));
            let of = |categories: &[UpdateId]| row.categories.iter().any(|id| categories.contains(id));
            sum.approved += i32::from(approved);
            sum.not_approved += i32::from(!approved);
            sum.stale_approvals += i32::from(stale);
            sum.expired += i32::from(row.expired && !approval.any);
            sum.critical_or_security_not_approved += i32::from(!approval.install && of(&URGENT));
            sum.infrastructure_not_approved += i32::from(!approval.install && of(&[INFRASTRUCTURE]));
            sum.needing_files += i32::from(approval.waits);
            sum.with_server_errors += i32::from(approval.fails);
            sum.with_client_errors += i32::from(counts.failed > 0);
            let needed = counts.needed() > 0;
            sum.needed_by_computers += i32::from(needed);
            let known = fleet.updates.contains_key(&update);
            sum.up_to_date += i32::from(known && !needed && counts.failed == 0 && counts.unknown == 0);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(sum);
        }
    }
}

fn whole(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The computers that scan here.
fn fleet(tx: &ReadTx<'_>, live: &Live) -> Result<Fleet, StoreError> {
    let mut fleet = Fleet::default();
    let view = live.compliance(tx)?;
    let members = view.members(Some(THIS_SERVER), &|_| true);
    view.survey(&members, None, &mut |computer| {
        let (needs, fails) = (computer.counts.needed() > 0, computer.has(State::Failed));
        fleet.computers += 1;
        fleet.needing += i32::from(needs);
        fleet.failing += i32::from(fails);
        fleet.up_to_date += i32::from(computer.state().is_compliant());
    });
    let counted = view.count(&members, None).updates.into_iter().filter(|it| it.counts.total() > 0);
    fleet.updates = counted.filter_map(|it| Some((view.update(it.update)?, it.counts))).collect();
    Ok(fleet)
}

fn approvals(tx: &ReadTx<'_>) -> Result<BTreeMap<UpdateId, Approvals>, StoreError> {
    let policy = content::policy(tx)?;
    let waiting = tx.deployments_waiting(&policy)?;
    let resting: BTreeSet<_> = tx.content_rest_list()?.into_iter().map(|rest| rest.digest).collect();
    let mut approvals: BTreeMap<UpdateId, Approvals> = BTreeMap::new();
    let mut cursor = None;
    loop {
        let filter = DeploymentFilter { rows: Rows::Computers, ..DeploymentFilter::default() };
        let page = tx.deployment_list(&filter, cursor.as_deref(), PAGE)?;
        for row in page.items {
            let Deployed::Update { id, revision } = row.deployed else { continue };
            let approval = approvals.entry(id).or_default();
            approval.any = true;
            let install = matches!(row.action, DeploymentAction::Install | DeploymentAction::Optional);
            if !row.enabled || !(install || row.action == DeploymentAction::Uninstall) {
                continue;
            }
            approval.install |= install;
            approval.revisions.insert(revision);
            if waiting.contains_key(&row.id) {
                approval.waits = true;
                if !approval.fails && !resting.is_empty() {
                    let files = tx.deployment_files(id, revision, &policy)?;
                    approval.fails = files.iter().any(|file| resting.contains(&file.digest));
                }
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(approvals);
        }
    }
}
