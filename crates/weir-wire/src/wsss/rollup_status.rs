//! GetOutOfSyncComputers and RollupComputerStatus (MS-WSUSSS 3.1.4.16, 3.1.4.17).

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::UpdateId;

use super::{Cookie, Present, Refusal, Since};
use crate::soap::{Cursor, Item, record};

record! {
    /// Asks which computers need a full roll-up of status.
    pub struct GetOutOfSyncComputers {
        /// The constant cookie.
        cookie: Option<Cookie> = "cookie",
        /// The sender's own id.
        parent_server_id: Option<Uuid> = "parentServerId",
        /// What the sender last sent of each.
        last_rollup_numbers: Option<Vec<ComputerLastRollupNumber>> = "lastRollupNumbers",
    }
}

impl GetOutOfSyncComputers {
    /// Checks what the schema does not say, and returns the numbers and the sender's id.
    ///
    /// # Errors
    ///
    /// The list is absent or longer than `limit`, or the sender's id is absent.
    pub fn validate(&self, limit: usize) -> Result<(&[ComputerLastRollupNumber], Uuid), Refusal> {
        let numbers = self.last_rollup_numbers.as_ref().ok_or(Refusal::missing("lastRollupNumbers"))?;
        if numbers.len() > limit {
            return Err(Refusal::parameter("lastRollupNumbers", "more than the configuration allows"));
        }
        Ok((numbers, self.parent_server_id.ok_or(Refusal::missing("parentServerId"))?))
    }
}

record! {
    /// The number of a computer's last roll-up.
    #[derive(Eq)]
    pub struct ComputerLastRollupNumber {
        /// The computer.
        computer_id: Option<String> = "ComputerId",
        /// The number.
        rollup_number: i32 = "RollupNumber",
    }
}

impl Item for ComputerLastRollupNumber {
    const NAME: &'static str = "ComputerLastRollupNumber";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

record! {
    /// Answer to GetOutOfSyncComputers.
    pub struct GetOutOfSyncComputersAnswer {
        /// The computers.
        result: Present<OutOfSync> = "GetOutOfSyncComputersResult",
    }
}

/// Id of a computer that needs a full roll-up.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OutOfSync(pub String);

impl crate::soap::Content for OutOfSync {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, crate::soap::Malformed> {
        String::read(cursor).map(Self)
    }

    fn put(&self, xml: &mut crate::soap::Xml<'_>) {
        self.0.put(xml);
    }
}

impl Item for OutOfSync {
    const NAME: &'static str = "string";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

record! {
    /// Tells the status of updates on computers.
    pub struct RollupComputerStatus {
        /// The constant cookie.
        cookie: Option<Cookie> = "cookie",
        /// The sender's clock.
        client_time: Option<Timestamp> = "clientTime",
        /// The sender's own id.
        parent_server_id: Option<Uuid> = "parentServerId",
        /// The computers.
        computers: Option<Vec<ComputerStatusRollupInfo>> = "computers",
    }
}

impl RollupComputerStatus {
    /// Checks what the schema does not say, and returns the computers, the sender's clock and its id.
    ///
    /// # Errors
    ///
    /// The list is absent or longer than `limit`, or the time or the id is absent.
    pub fn validate(&self, limit: usize) -> Result<(&[ComputerStatusRollupInfo], Timestamp, Uuid), Refusal> {
        let computers = self.computers.as_ref().ok_or(Refusal::missing("computers"))?;
        if computers.len() > limit {
            return Err(Refusal::parameter("computers", "more than the configuration allows"));
        }
        let time = self.client_time.ok_or(Refusal::missing("clientTime"))?;
        Ok((computers, time, self.parent_server_id.ok_or(Refusal::missing("parentServerId"))?))
    }
}

record! {
    /// The status of updates on a computer.
    pub struct ComputerStatusRollupInfo {
        /// A fresh id.
        instance_id: Uuid = "InstanceId",
        /// The computer.
        computer_id: Option<String> = "ComputerId",
        /// As of which synchronization its status is.
        effective_last_detection_time: Since = "EffectiveLastDetectionTime",
        /// One more than last time; 1 at first.
        rollup_number: i32 = "RollupNumber",
        /// Whether what is stored is to be replaced as a whole.
        is_full_rollup: bool = "IsFullRollup",
        /// The states.
        update_status: Vec<ComputerStatusRollupUpdateStatus> = "UpdateStatus",
    }
}

impl Item for ComputerStatusRollupInfo {
    const NAME: &'static str = "ComputerStatusRollupInfo";
}

record! {
    /// The state of an update.
    #[derive(Copy, Eq)]
    pub struct ComputerStatusRollupUpdateStatus {
        /// The update.
        update_id: UpdateId = "UpdateId",
        /// 0 unknown, 1 not applicable, 2 not installed, 3 downloaded, 4 installed, 5 failed, 6 installed and waiting for a
        /// restart.
        summarization_state: i32 = "SummarizationState",
        /// When it came to be so.
        last_change_time: Since = "LastChangeTime",
    }
}

impl Item for ComputerStatusRollupUpdateStatus {
    const NAME: &'static str = "ComputerStatusRollupUpdateStatus";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

record! {
    /// Answer to RollupComputerStatus.
    pub struct RollupComputerStatusAnswer {
        /// False: the server is busy and took nothing; to be sent again after a minute.
        result: bool = "RollupComputerStatusResult",
    }
}
