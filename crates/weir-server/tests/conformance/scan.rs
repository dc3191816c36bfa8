//! Scans (checklist 18 to 29, 32 to 42, 55 to 57).
