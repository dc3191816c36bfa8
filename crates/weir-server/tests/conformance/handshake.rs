//! Configuration, authorization and registration (checklist 10, 11, 15).
