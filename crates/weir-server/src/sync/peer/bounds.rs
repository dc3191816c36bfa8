//! How much of an answer is taken, and how long it may take.

use std::time::Duration;

use weir_store::{ReadTx, StoreError};
use weir_wire::wsss::Operation;

use crate::admin::setting::{self, Current};

/// Bytes of an answer that holds no list of revisions or documents. The largest recorded one has 4 kB; one that names every
/// language there is stays below 100 kB.
const SMALL: usize = 1 << 20;
/// Bytes a second, on average from the first on, below which a large answer counts as broken: a modem has six times that.
const SLOWEST: u64 = 1 << 10;
/// What names, connections and a busy machine may add to the time of a call.
const DELAYS: Duration = Duration::from_secs(2);
/// An answer as a whole may take as many times the time without a byte.
const WHOLE: u32 = 12;

/// What an answer can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extent {
    /// A few values.
    Small,
    /// A row per revision, deployment or computer.
    List,
    /// Documents.
    Documents,
}

impl Extent {
    /// That of the answers to an operation.
    pub(super) fn of(operation: Operation) -> Self {
        match operation {
            Operation::GetUpdateData | Operation::GetDriverSetData => Self::Documents,
            Operation::GetDeployments
            | Operation::GetDriverIdList
            | Operation::GetOutOfSyncComputers
            | Operation::GetRelatedRevisionsForUpdates
            | Operation::GetRevisionIdList
            | Operation::GetUpdateDecryptionData
            | Operation::RollupComputerStatus
            | Operation::RollupComputers => Self::List,
            Operation::DownloadFiles
            | Operation::GetAuthConfig
            | Operation::GetAuthorizationCookie
            | Operation::GetConfigData
            | Operation::GetCookie
            | Operation::GetRollupConfiguration
            | Operation::Ping
            | Operation::RollupDownstreamServers => Self::Small,
        }
    }
}

/// How much of anything is taken and waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes of an answer with documents, decoded (`sync.answer_mib`): a single document may have more than the memory for
    /// all calls under way, and is then taken alone.
    answer: usize,
    /// Bytes of a list, decoded (`sync.memory_mib`).
    memory: usize,
    /// Time without a byte.
    stall: Duration,
    /// Times that a broken connection is made again.
    pub(super) retries: u32,
}

impl Bounds {
    pub(super) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let current = Current::read(tx)?;
        let mib = |key| usize::try_from(current.number(key)).unwrap_or(usize::MAX >> 20) << 20;
        Ok(Self {
            answer: mib(setting::SYNC_ANSWER),
            memory: mib(setting::SYNC_MEMORY),
            stall: Duration::from_secs(current.number(setting::SYNC_TIMEOUT)),
            retries: current.number(setting::SYNC_RETRIES) as u32,
        })
    }

    /// Bytes of an answer that are taken.
    pub(super) fn bytes(&self, extent: Extent) -> usize {
        match extent {
            Extent::Small => SMALL.min(self.answer),
            Extent::List => self.memory.min(self.answer),
            Extent::Documents => self.answer,
        }
    }

    /// How long a call may have lasted when so many bytes of its answer are here. A little longer than the time without a
    /// byte, so that silence is told from slowness: a call that met silence is made again.
    pub(super) fn time(&self, extent: Extent, received: usize) -> Duration {
        let least = self.stall + self.stall / 4 + DELAYS;
        match extent {
            Extent::Small => least,
            Extent::List | Extent::Documents => {
                let earned = Duration::from_secs(received as u64 / SLOWEST);
                (least + earned).min(self.stall.saturating_mul(WHOLE)).max(least)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn bounds() -> Bounds {
        Bounds { answer: 512 * MIB, memory: 64 * MIB, stall: Duration::from_secs(300), retries: 0 }
    }

    #[test]
    fn only_documents_may_be_larger_than_the_memory_of_all_calls() {
        let bytes = |operation| bounds().bytes(Extent::of(operation));
        assert_eq!(bytes(Operation::GetAuthConfig), MIB);
        assert_eq!(bytes(Operation::GetConfigData), MIB);
        assert_eq!(bytes(Operation::GetRevisionIdList), 64 * MIB);
        assert_eq!(bytes(Operation::GetUpdateData), 512 * MIB);
        assert_eq!(Bounds { answer: 2 * MIB, ..bounds() }.bytes(Extent::List), 2 * MIB);
    }

    #[test]
    fn bytes_earn_time_and_drops_of_them_do_not() {
        let seconds = |extent, received| bounds().time(extent, received).as_secs();
        assert_eq!(seconds(Extent::Small, MIB), 377);
        assert_eq!(seconds(Extent::Documents, 600), 377, "a byte each half second");
        assert_eq!(seconds(Extent::List, MIB), 377 + 1_024);
        assert_eq!(seconds(Extent::Documents, 512 * MIB), 3_600);
    }
}
