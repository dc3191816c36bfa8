-- Several servers on one database: front ends. Tables are new; a server of the release before does not know of them, and works on this
-- database beside others as long as it is the only one of its kind.

-- The front ends of now: a row is written anew every few seconds while its process lives. content and authority: what all of them
-- must have in common, see front_end.rs. Times are those of the database.
CREATE TABLE front_end (
    front_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    content TEXT NOT NULL,
    authority TEXT NOT NULL,
    admin TEXT,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Work that one front end has at a time, and until when it has it. Each other holder has another term.
CREATE TABLE duty (
    name TEXT NOT NULL PRIMARY KEY,
    front_id TEXT NOT NULL,
    term INTEGER NOT NULL,
    until INTEGER NOT NULL,
    UNIQUE (name, term)
) STRICT, WITHOUT ROWID;

-- The directory in memory follows the feed of computers, and knows their zones.
CREATE TRIGGER feed_computer_zone AFTER UPDATE OF time_zone ON computer WHEN OLD.time_zone IS NOT NEW.time_zone BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
