-- Several servers on one database: front ends. What it means stands in the migration for SQLite.

CREATE TABLE front_end (
    front_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    authority TEXT COLLATE "C" NOT NULL,
    admin TEXT COLLATE "C",
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- The constraint on the term makes it part of a key: who takes a duty over waits until writes in the name of its holder are
-- complete, which hold FOR KEY SHARE, and who only prolongs it does not.
CREATE TABLE duty (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    front_id TEXT COLLATE "C" NOT NULL,
    term BIGINT NOT NULL,
    until BIGINT NOT NULL,
    UNIQUE (name, term)
);

CREATE TRIGGER feed_computer_zone AFTER UPDATE OF time_zone ON computer FOR EACH ROW
    WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION feed_moved();
