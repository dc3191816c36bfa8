//! GetRollupConfiguration and RollupDownstreamServers (MS-WSUSSS 3.1.4.13, 3.1.4.14).

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{RevisionNumber, UpdateId};

use super::{Cookie, Refusal, Since};
use crate::soap::{Cursor, Item, nested, record};

record! {
    /// Asks for the limits of roll-ups.
    pub struct GetRollupConfiguration {
        /// The constant cookie; to be accepted whatever it is, as in all roll-ups.
        cookie: Option<Cookie> = "cookie",
    }
}

record! {
    /// The limits of roll-ups.
    pub struct RollupConfiguration {
        /// Whether computers and their status are wanted.
        do_detailed_rollup: bool = "DoDetailedRollup",
        /// When it changes, everything is to be rolled up again.
        rollup_reset_guid: Uuid = "RollupResetGuid",
        /// The server's own id.
        server_id: Uuid = "ServerId",
        /// Client summaries in one RollupDownstreamServers, counted over all servers.
        rollup_downstream_servers_max_batch_size: i32 = "RollupDownstreamServersMaxBatchSize",
        /// Computers in one RollupComputers.
        rollup_computers_max_batch_size: i32 = "RollupComputersMaxBatchSize",
        /// Computers in one GetOutOfSyncComputers.
        get_out_of_sync_computers_max_batch_size: i32 = "GetOutOfSyncComputersMaxBatchSize",
        /// Computers in one RollupComputerStatus.
        rollup_computer_status_max_batch_size: i32 = "RollupComputerStatusMaxBatchSize",
    }
}

record! {
    /// Answer to GetRollupConfiguration.
    pub struct GetRollupConfigurationAnswer {
        /// The limits.
        result: RollupConfiguration = "GetRollupConfigurationResult",
    }
}

record! {
    /// Tells of the servers below.
    pub struct RollupDownstreamServers {
        /// The constant cookie.
        cookie: Option<Cookie> = "cookie",
        /// The sender's clock.
        client_time: Option<Timestamp> = "clientTime",
        /// The sender and all below it. A server may come in several entries.
        downstream_servers: Option<Vec<DownstreamServerRollupInfo>> = "downstreamServers",
    }
}

impl RollupDownstreamServers {
    /// Checks what the schema does not say, and returns the servers and the sender's clock.
    ///
    /// # Errors
    ///
    /// The list is absent, or there are more servers or more client summaries in all than `limit`, or the time is
    /// absent.
    pub fn validate(&self, limit: usize) -> Result<(&[DownstreamServerRollupInfo], Timestamp), Refusal> {
        let servers = self.downstream_servers.as_ref().ok_or(Refusal::missing("downstreamServers"))?;
        let summaries: usize = servers.iter().map(|server| server.client_summaries.len()).sum();
        if servers.len() > limit || summaries > limit {
            return Err(Refusal::parameter("downstreamServers", "more than the configuration allows"));
        }
        Ok((servers, self.client_time.ok_or(Refusal::missing("clientTime"))?))
    }
}

record! {
    /// A server.
    pub struct DownstreamServerRollupInfo {
        /// The id that it gave itself.
        server_id: Uuid = "ServerId",
        /// Its name.
        full_domain_name: Option<String> = "FullDomainName",
        /// When it last synchronized.
        last_sync_time: Since = "LastSyncTime",
        /// The server above; zero stands for the receiver.
        parent_server_id: Uuid = "ParentServerId",
        /// Version of the product, one to four numbers.
        version: Option<String> = "Version",
        /// Whether it takes over deployments.
        is_replica: bool = "IsReplica",
        /// When it last rolled up. An older one than is stored is to be ignored.
        last_rollup_time: Since = "LastRollupTime",
        /// Counts of its updates and computers.
        server_summary: Option<DownstreamServerRollupServerSummary> = "ServerSummary",
        /// A row per operating system.
        client_summaries: Vec<DownstreamServerRollupClientSummary> = "ClientSummaries",
    }
}

impl Item for DownstreamServerRollupInfo {
    const NAME: &'static str = "DownstreamServerRollupInfo";
}

record! {
    /// Counts of a server.
    #[derive(Copy, Default, Eq)]
    pub struct DownstreamServerRollupServerSummary {
        /// Updates.
        update_count: i32 = "UpdateCount",
        /// Declined updates.
        declined_update_count: i32 = "DeclinedUpdateCount",
        /// Updates approved for installation somewhere.
        approved_update_count: i32 = "ApprovedUpdateCount",
        /// Updates approved nowhere.
        not_approved_update_count: i32 = "NotApprovedUpdateCount",
        /// Updates approved in a revision that is not the newest.
        updates_with_stale_update_approvals_count: i32 = "UpdatesWithStaleUpdateApprovalsCount",
        /// Expired updates.
        expired_update_count: i32 = "ExpiredUpdateCount",
        /// Critical and security updates that are not approved for installation.
        critical_or_security_updates_not_approved_for_install_count: i32 =
            "CriticalOrSecurityUpdatesNotApprovedForInstallCount",
        /// Mandatory updates that are not approved for installation.
        wsus_infrastructure_updates_not_approved_for_install_count: i32 =
            "WsusInfrastructureUpdatesNotApprovedForInstallCount",
        /// Updates that failed on a computer.
        updates_with_client_errors_count: i32 = "UpdatesWithClientErrorsCount",
        /// Updates with a file that could not be fetched.
        updates_with_server_errors_count: i32 = "UpdatesWithServerErrorsCount",
        /// Updates with a file that is still to be fetched.
        updates_needing_files_count: i32 = "UpdatesNeedingFilesCount",
        /// Updates that a computer needs.
        updates_needed_by_computers_count: i32 = "UpdatesNeededByComputersCount",
        /// Updates that no computer needs.
        updates_up_to_date_count: i32 = "UpdatesUpToDateCount",
        /// Target groups besides the built-in ones.
        custom_computer_target_group_count: i32 = "CustomComputerTargetGroupCount",
        /// Computers.
        computer_target_count: i32 = "ComputerTargetCount",
        /// Computers that need an update.
        computer_targets_needing_updates_count: i32 = "ComputerTargetsNeedingUpdatesCount",
        /// Computers on which an update failed.
        computer_targets_with_update_errors_count: i32 = "ComputerTargetsWithUpdateErrorsCount",
        /// Computers that need no update.
        computers_up_to_date_count: i32 = "ComputersUpToDateCount",
    }
}

record! {
    /// Computers with one operating system, and what they did since the last roll-up.
    #[derive(Default)]
    pub struct DownstreamServerRollupClientSummary {
        /// Windows version.
        os_major_version: i32 = "OSMajorVersion",
        /// Windows version.
        os_minor_version: i32 = "OSMinorVersion",
        /// Windows version.
        os_build_number: i32 = "OSBuildNumber",
        /// Service pack.
        os_service_pack_major_number: i32 = "OSServicePackMajorNumber",
        /// Service pack.
        os_service_pack_minor_number: i32 = "OSServicePackMinorNumber",
        /// Such as `en-US`.
        os_locale: Option<String> = "OSLocale",
        /// `OSVERSIONINFOEX.wSuiteMask`.
        suite_mask: i16 = "SuiteMask",
        /// 1 workstation, 2 domain controller, 3 server.
        old_product_type: u8 = "OldProductType",
        /// `GetProductInfo`.
        new_product_type: i32 = "NewProductType",
        /// `GetSystemMetrics`.
        system_metrics: i32 = "SystemMetrics",
        /// Free text, such as `AMD64`.
        processor_architecture: Option<String> = "ProcessorArchitecture",
        /// How many computers.
        count: i32 = "Count",
        /// Installations per revision: increments, to be added to what is stored.
        activity_summaries: Vec<DownstreamServerRollupClientActivitySummary> = "ActivitySummaries",
    }
}

impl Item for DownstreamServerRollupClientSummary {
    const NAME: &'static str = "DownstreamServerRollupClientSummary";
}

record! {
    /// Installations of a revision.
    #[derive(Eq)]
    pub struct DownstreamServerRollupClientActivitySummary {
        /// The update.
        update_id: UpdateId = "UpdateId",
        /// Its revision.
        revision_number: RevisionNumber = "RevisionNumber",
        /// How many succeeded.
        install_success_count: i32 = "InstallSuccessCount",
        /// How many failed.
        install_failure_count: i32 = "InstallFailureCount",
    }
}

impl Item for DownstreamServerRollupClientActivitySummary {
    const NAME: &'static str = "DownstreamServerRollupClientActivitySummary";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

record! {
    /// Answer to RollupDownstreamServers: empty.
    pub struct RollupDownstreamServersAnswer {}
}

nested! { RollupConfiguration, }
