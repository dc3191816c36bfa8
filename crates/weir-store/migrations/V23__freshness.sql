-- The name in the cookie of the last call, apart from dns_name, which a registration overwrites: the two may be written
-- differently, and only the same is compared with the same.
ALTER TABLE computer ADD COLUMN cookie_name TEXT;

-- What a computer was seen as, for those that changed. channel: 0 the name in its cookie, 1 its hardware sheet, 2 reports
-- with an older anchor than the one before (without a print). A few rows for each computer and channel.
CREATE TABLE computer_print (
    computer_no INTEGER NOT NULL REFERENCES computer (computer_no) ON DELETE CASCADE,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    hardware TEXT NOT NULL,
    system TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    returns INTEGER NOT NULL,
    returned_at INTEGER,
    address TEXT,
    PRIMARY KEY (computer_no, channel, name, hardware, system)
) STRICT, WITHOUT ROWID;

-- Computers that were retired, so that one that calls again is what it was. collections: the ids of those that an
-- administrator put it into, as a JSON array; zone: the IANA zone that an administrator gave it.
CREATE TABLE computer_retired (
    retired_no INTEGER PRIMARY KEY AUTOINCREMENT,
    computer_id TEXT NOT NULL UNIQUE,
    dns_name TEXT NOT NULL,
    first_contact_at INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL,
    last_report_at INTEGER,
    time_zone TEXT,
    collections TEXT NOT NULL,
    reason INTEGER NOT NULL,
    retired_at INTEGER NOT NULL,
    retired_by TEXT NOT NULL
) STRICT;
