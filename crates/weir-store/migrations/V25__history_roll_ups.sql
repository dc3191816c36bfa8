-- How old what servers below had told was when the last record of a day was taken: day counted from 1970-01-01.
CREATE TABLE history_roll_up (
    day INTEGER NOT NULL,
    server_no INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (day, server_no)
) STRICT, WITHOUT ROWID;
