//! The life of cookies (checklist 12 to 14).
