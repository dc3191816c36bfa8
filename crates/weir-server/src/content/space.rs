//! How much room content has: the quota, and what must stay free on the disk.

use weir_store::{ReadTx, StoreError, content::ContentStore};

use crate::admin::setting::{CONTENT_QUOTA, CONTENT_RESERVE, Current};

const GIB: u64 = 1 << 30;

/// The room that content has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Space {
    /// Bytes of verified files.
    pub(crate) used: u64,
    /// Bytes that the disk has left.
    pub(crate) free: u64,
    /// Files leave the disk as soon as they are whole: they are in an object store.
    pub(crate) passing: bool,
    /// Bytes that content may take.
    pub(crate) quota: Option<u64>,
    /// Bytes that must stay free.
    pub(crate) reserve: u64,
}

/// What keeps more content from being stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lack {
    /// The quota is used up; so many bytes are lacking.
    Quota(u64),
    /// The disk is full; so many bytes are lacking.
    Disk(u64),
}

impl Space {
    /// The room there is now.
    pub(crate) fn read(tx: &ReadTx<'_>, content: &ContentStore) -> Result<Self, StoreError> {
        let settings = Current::read(tx)?;
        let quota = settings.number(CONTENT_QUOTA);
        Ok(Self {
            used: tx.content_file_totals()?.bytes,
            free: content.free()?,
            passing: content.objects().is_some(),
            quota: (quota > 0).then(|| quota.saturating_mul(GIB)),
            reserve: settings.number(CONTENT_RESERVE).saturating_mul(GIB),
        })
    }

    /// Bytes that stay on the disk, of so many that are to come.
    pub(crate) fn staying(&self, bytes: u64) -> u64 {
        if self.passing { 0 } else { bytes }
    }

    /// What keeps `stored` more bytes of files from being kept, of which `written` are still to be written to the disk.
    pub(crate) fn lacks(&self, stored: u64, written: u64) -> Option<Lack> {
        let all = self.used.saturating_add(stored);
        if let Some(over) = self.quota.map(|quota| all.saturating_sub(quota)).filter(|over| *over > 0) {
            return Some(Lack::Quota(over));
        }
        // what must be written always needs room; without anything to write the reserve does not matter
        let short = written.saturating_add(self.reserve).saturating_sub(self.free);
        (written > 0 && short > 0).then_some(Lack::Disk(short))
    }

    /// Bytes that the disk has left after so many more were written.
    pub(crate) fn free_after(&self, written: u64) -> u64 {
        self.free.saturating_sub(written)
    }
}

impl Lack {
    /// In words, with what helps.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Quota(bytes) => format!(
                "the quota of content (setting content.quota_gib) is too small by {bytes} bytes; raise it, or make room: \
                 weir content gc"
            ),
            Self::Disk(bytes) => format!(
                "the disk of the content folder has too little room by {bytes} bytes, with content.reserve_gib kept free; \
                 make room: weir content gc"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_and_reserve_bound_what_is_stored() {
        let space = Space { used: 60, free: 100, passing: false, quota: Some(100), reserve: 30 };
        assert_eq!(space.lacks(40, 40), None);
        assert_eq!(space.lacks(41, 41), Some(Lack::Quota(1)));
        let open = Space { quota: None, ..space };
        assert_eq!(open.lacks(70, 70), None);
        assert_eq!(open.lacks(71, 71), Some(Lack::Disk(1)));
        assert_eq!(open.lacks(71, 0), None, "nothing is to be written");
        assert_eq!(Space { free: 10, ..open }.lacks(1, 1), Some(Lack::Disk(21)));
        assert_eq!(open.lacks(u64::MAX, u64::MAX), Some(Lack::Disk(u64::MAX - 100)));
        assert_eq!(space.free_after(30), 70);
        let passing = Space { passing: true, ..open };
        assert_eq!((open.staying(71), passing.staying(71)), (71, 0));
        assert_eq!(passing.lacks(71, passing.staying(71)), None, "only what is on its way needs the disk");
    }
}
