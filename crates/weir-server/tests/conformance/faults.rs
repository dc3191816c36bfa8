//! Faults and what is wrong with parameters (checklist 4, 16, 17, 31).
