//! Xpress and the limits of lists (checklist 5, 6, 30).
