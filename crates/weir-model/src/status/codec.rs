/// Why stored status bytes cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatusDecodeError {
    /// Damaged.
    #[error("the stored status is damaged: {0}; the next full report of the computer replaces it")]
    Damaged(&'static str),
    /// Written by a newer version.
    #[error("the stored status has version {0}, which this version of Weir cannot read")]
    Version(u8),
}
