//! What the items share.
