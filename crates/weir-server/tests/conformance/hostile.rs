//! Input that means harm: the right fault or status, nothing stored, and the server still answers.
