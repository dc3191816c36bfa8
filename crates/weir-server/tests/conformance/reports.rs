//! Status reports (checklist 50 to 54).
