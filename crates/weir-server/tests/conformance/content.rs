//! Content and self-update (checklist 7 to 9).
