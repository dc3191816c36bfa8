//! Extended information, file locations and the refreshed cache (checklist 43 to 49).
