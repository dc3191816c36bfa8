//! Conversions between values and columns.
