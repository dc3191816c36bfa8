//! Values of roll-ups from and to the records of their messages. Texts are cut to what the protocol allows.

use jiff::Timestamp;
use weir_model::{
    ids::{ComputerId, UpdateIdentity},
    rollup::{
        Activity, ClientSummary, ComputerChange, ComputerDetails, ComputerEntry, LastNumber, OsFingerprint,
        RollupConfiguration, ServerEntry, ServerSummary, StatusEntry, SyncOutcome, UpdateStatus,
    },
};
use weir_wire::wsss::{
    self, ChangedComputer, ComputerLastRollupNumber, ComputerRollupDetails, ComputerRollupInfo,
    ComputerStatusRollupInfo, ComputerStatusRollupUpdateStatus, DownstreamServerRollupClientActivitySummary,
    DownstreamServerRollupClientSummary, DownstreamServerRollupInfo, DownstreamServerRollupServerSummary, Since,
};

/// Groups, or names of groups, of one computer.
const GROUPS: usize = 1_000;

/// A text of at most so many characters.
fn cut(text: Option<&str>, most: usize) -> String {
    text.unwrap_or_default().trim().chars().take(most).collect()
}

/// Counts and increments are never negative.
fn count(number: i32) -> i32 {
    number.max(0)
}

fn batch(number: i32) -> u32 {
    // A server that says nothing useful is asked with the smallest batch there is.
    u32::try_from(number).unwrap_or_default().max(1)
}

pub(super) fn configuration(from: &wsss::RollupConfiguration) -> RollupConfiguration {
    RollupConfiguration {
        detailed: from.do_detailed_rollup,
        reset: from.rollup_reset_guid,
        server: from.server_id,
        servers_batch: batch(from.rollup_downstream_servers_max_batch_size),
        computers_batch: batch(from.rollup_computers_max_batch_size),
        out_of_sync_batch: batch(from.get_out_of_sync_computers_max_batch_size),
        status_batch: batch(from.rollup_computer_status_max_batch_size),
    }
}

pub(super) fn server(from: &DownstreamServerRollupInfo) -> ServerEntry {
    ServerEntry {
        id: from.server_id,
        name: cut(from.full_domain_name.as_deref(), 255),
        last_sync: from.last_sync_time.0,
        parent: from.parent_server_id,
        version: cut(from.version.as_deref(), 32),
        replica: from.is_replica,
        last_rollup: from.last_rollup_time.0,
        summary: from.server_summary.as_ref().map(summary).unwrap_or_default(),
        clients: from.client_summaries.iter().map(client).collect(),
    }
}

pub(super) fn server_to(from: &ServerEntry) -> DownstreamServerRollupInfo {
    DownstreamServerRollupInfo {
        server_id: from.id,
        full_domain_name: Some(from.name.clone()),
        last_sync_time: Since(from.last_sync),
        parent_server_id: from.parent,
        version: Some(from.version.clone()),
        is_replica: from.replica,
        last_rollup_time: Since(from.last_rollup),
        server_summary: Some(summary_to(&from.summary)),
        client_summaries: from.clients.iter().map(client_to).collect(),
    }
}

macro_rules! figures {
    ($($own:ident: $wire:ident,)*) => {
        fn summary(from: &DownstreamServerRollupServerSummary) -> ServerSummary {
            ServerSummary { $($own: count(from.$wire),)* }
        }

        fn summary_to(from: &ServerSummary) -> DownstreamServerRollupServerSummary {
            DownstreamServerRollupServerSummary { $($wire: from.$own,)* }
        }
    };
}

figures! {
    updates: update_count,
    declined: declined_update_count,
    approved: approved_update_count,
    not_approved: not_approved_update_count,
    stale_approvals: updates_with_stale_update_approvals_count,
    expired: expired_update_count,
    critical_or_security_not_approved: critical_or_security_updates_not_approved_for_install_count,
    infrastructure_not_approved: wsus_infrastructure_updates_not_approved_for_install_count,
    with_client_errors: updates_with_client_errors_count,
    with_server_errors: updates_with_server_errors_count,
    needing_files: updates_needing_files_count,
    needed_by_computers: updates_needed_by_computers_count,
    up_to_date: updates_up_to_date_count,
    custom_groups: custom_computer_target_group_count,
    computers: computer_target_count,
    computers_needing: computer_targets_needing_updates_count,
    computers_with_errors: computer_targets_with_update_errors_count,
    computers_up_to_date: computers_up_to_date_count,
}

/// What two records of different types say of an operating system in fields of the same names.
macro_rules! fingerprint {
    ($from:expr) => {
        OsFingerprint {
            os_major_version: $from.os_major_version,
            os_minor_version: $from.os_minor_version,
            os_build_number: $from.os_build_number,
            os_service_pack_major_number: $from.os_service_pack_major_number,
            os_service_pack_minor_number: $from.os_service_pack_minor_number,
            os_locale: cut($from.os_locale.as_deref(), 64),
            suite_mask: $from.suite_mask,
            old_product_type: $from.old_product_type,
            new_product_type: $from.new_product_type,
            system_metrics: $from.system_metrics,
            processor_architecture: cut($from.processor_architecture.as_deref(), 50),
        }
    };
}

fn client(from: &DownstreamServerRollupClientSummary) -> ClientSummary {
    let activity = from.activity_summaries.iter().map(|activity| Activity {
        update: UpdateIdentity { update_id: activity.update_id, revision: activity.revision_number },
        succeeded: count(activity.install_success_count),
        failed: count(activity.install_failure_count),
    });
    ClientSummary { os: fingerprint!(from), count: count(from.count), activity: activity.collect() }
}

fn client_to(from: &ClientSummary) -> DownstreamServerRollupClientSummary {
    let activity = from.activity.iter().map(|activity| DownstreamServerRollupClientActivitySummary {
        update_id: activity.update.update_id,
        revision_number: activity.update.revision,
        install_success_count: activity.succeeded,
        install_failure_count: activity.failed,
    });
    let os = &from.os;
    DownstreamServerRollupClientSummary {
        os_major_version: os.os_major_version,
        os_minor_version: os.os_minor_version,
        os_build_number: os.os_build_number,
        os_service_pack_major_number: os.os_service_pack_major_number,
        os_service_pack_minor_number: os.os_service_pack_minor_number,
        os_locale: Some(os.os_locale.clone()),
        suite_mask: os.suite_mask,
        old_product_type: os.old_product_type,
        new_product_type: os.new_product_type,
        system_metrics: os.system_metrics,
        processor_architecture: Some(os.processor_architecture.clone()),
        count: from.count,
        activity_summaries: activity.collect(),
    }
}

fn id(text: Option<&str>) -> Option<ComputerId> {
    text?.trim().parse().ok()
}

pub(super) fn computer(from: &ComputerRollupInfo) -> Option<ComputerEntry> {
    Some(ComputerEntry {
        id: id(from.computer_id.as_deref())?,
        last_sync: from.last_sync_time.0,
        outcome: match from.last_sync_result {
            1 => SyncOutcome::Succeeded,
            2 => SyncOutcome::Failed,
            _ => SyncOutcome::Unknown,
        },
        last_reboot: from.last_reported_reboot_time.0,
        last_report: from.last_reported_status_time.0,
        last_inventory: from.last_inventory_time.0,
        parent: from.parent_server_id,
        details: from.details.as_ref().map(details),
    })
}

pub(super) fn computer_to(from: &ComputerEntry) -> ComputerRollupInfo {
    ComputerRollupInfo {
        computer_id: Some(from.id.to_string()),
        last_sync_time: Since(from.last_sync),
        last_sync_result: match from.outcome {
            SyncOutcome::Unknown => 0,
            SyncOutcome::Succeeded => 1,
            SyncOutcome::Failed => 2,
        },
        last_reported_reboot_time: Since(from.last_reboot),
        last_reported_status_time: Since(from.last_report),
        last_inventory_time: Since(from.last_inventory),
        parent_server_id: from.parent,
        details: from.details.as_ref().map(details_to),
    }
}

fn details(from: &ComputerRollupDetails) -> ComputerDetails {
    let requested = from.requested_target_group_names.iter().flatten();
    ComputerDetails {
        groups: from.target_group_id_list.iter().flatten().copied().take(GROUPS).collect(),
        requested_groups: requested.map(|name| cut(Some(name), 256)).take(GROUPS).collect(),
        ip_address: cut(from.ip_address.as_deref(), 56),
        name: cut(from.full_domain_name.as_deref(), 255),
        os: fingerprint!(from),
        os_family: cut(from.os_family.as_deref(), 256),
        os_description: cut(from.os_description.as_deref(), 256),
        make: cut(from.computer_make.as_deref(), 64),
        model: cut(from.computer_model.as_deref(), 64),
        bios_version: cut(from.bios_version.as_deref(), 64),
        bios_name: cut(from.bios_name.as_deref(), 64),
        bios_release_date: from.bios_release_date.0,
        client_version: cut(from.client_version.as_deref(), 20),
    }
}

fn details_to(from: &ComputerDetails) -> ComputerRollupDetails {
    let text = |text: &str, most| Some(cut(Some(text), most));
    let os = &from.os;
    ComputerRollupDetails {
        ip_address: text(&from.ip_address, 56),
        full_domain_name: text(&from.name, 255),
        os_major_version: os.os_major_version,
        os_minor_version: os.os_minor_version,
        os_build_number: os.os_build_number,
        os_service_pack_major_number: os.os_service_pack_major_number,
        os_service_pack_minor_number: os.os_service_pack_minor_number,
        os_locale: text(&os.os_locale, 64),
        os_family: text(&from.os_family, 256),
        os_description: text(&from.os_description, 256),
        computer_make: text(&from.make, 64),
        computer_model: text(&from.model, 64),
        bios_version: text(&from.bios_version, 64),
        bios_name: text(&from.bios_name, 64),
        bios_release_date: Since(from.bios_release_date),
        processor_architecture: text(&os.processor_architecture, 50),
        suite_mask: os.suite_mask,
        old_product_type: os.old_product_type,
        new_product_type: os.new_product_type,
        system_metrics: os.system_metrics,
        client_version: text(&from.client_version, 20),
        target_group_id_list: Some(from.groups.clone()),
        requested_target_group_names: Some(from.requested_groups.iter().map(|name| cut(Some(name), 256)).collect()),
    }
}

pub(super) fn change_to(from: ComputerChange) -> wsss::ComputerChange {
    match from {
        ComputerChange::Deleted => wsss::ComputerChange::Deleted,
        ComputerChange::NewParent => wsss::ComputerChange::NewParent,
    }
}

pub(super) fn change(from: &ChangedComputer) -> Option<(ComputerId, ComputerChange)> {
    let change = match from.change {
        wsss::ComputerChange::Deleted => ComputerChange::Deleted,
        wsss::ComputerChange::NewParent => ComputerChange::NewParent,
    };
    Some((id(from.computer_id.as_deref())?, change))
}

pub(super) fn number(from: &ComputerLastRollupNumber) -> Option<LastNumber> {
    Some(LastNumber { computer: id(from.computer_id.as_deref())?, number: from.rollup_number })
}

pub(super) fn number_to(from: &LastNumber) -> ComputerLastRollupNumber {
    ComputerLastRollupNumber { computer_id: Some(from.computer.to_string()), rollup_number: from.number }
}

pub(super) fn status(from: &ComputerStatusRollupInfo) -> Option<StatusEntry> {
    let states = from.update_status.iter().map(|status| UpdateStatus {
        update: status.update_id,
        state: u8::try_from(status.summarization_state).unwrap_or_default(),
        changed: status.last_change_time.0.unwrap_or(Timestamp::UNIX_EPOCH),
    });
    Some(StatusEntry {
        instance: from.instance_id,
        computer: id(from.computer_id.as_deref())?,
        effective: from.effective_last_detection_time.0,
        number: from.rollup_number,
        full: from.is_full_rollup,
        states: states.collect(),
    })
}

pub(super) fn status_to(from: &StatusEntry) -> ComputerStatusRollupInfo {
    let states = from.states.iter().map(|status| ComputerStatusRollupUpdateStatus {
        update_id: status.update,
        summarization_state: i32::from(status.state),
        last_change_time: Since(Some(status.changed)),
    });
    ComputerStatusRollupInfo {
        instance_id: from.instance,
        computer_id: Some(from.computer.to_string()),
        effective_last_detection_time: Since(from.effective),
        rollup_number: from.number,
        is_full_rollup: from.full,
        update_status: states.collect(),
    }
}
