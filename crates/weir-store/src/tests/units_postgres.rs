//! Units of work on PostgreSQL: what is sent and not waited for, what is begun inside something else and not ended, and what fails or
//! is lost in the middle.

use std::{
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use weir_testkit::{engine::Direct, postgres::Database};

use super::actor;
use crate::{Options, Store, StoreError, WriteTx, codec::args, sql::Statement};

static VALUE: Statement =
    Statement { action: "reading a number", text: "SELECT value FROM counter WHERE name = 'exposure'", postgres: None };
static UP: Statement = Statement {
    action: "counting up",
    text: "UPDATE counter SET value = value + 1 WHERE name = 'exposure'",
    postgres: None,
};
static UP_OF: Statement = Statement {
    action: "counting up by name",
    text: "UPDATE counter SET value = value + ?2 WHERE name = ?1",
    postgres: None,
};
static TWICE: Statement = Statement {
    action: "adding what is there",
    text: "INSERT INTO counter (name, value) VALUES ('exposure', 0)",
    postgres: None,
};
static NOTHING: Statement = Statement {
    action: "dividing",
    text: "SELECT 1 / (value - value) FROM counter WHERE name = 'exposure'",
    postgres: None,
};
static MANY: Statement = Statement {
    action: "reading very many rows",
    text: "SELECT CAST(n AS BIGINT), repeat('x', 1000) FROM generate_series(1, 20000) n",
    postgres: None,
};
static PATH: Statement =
    Statement { action: "reading a setting", text: "SELECT current_setting('search_path')", postgres: None };

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A store with one reader, so that each unit follows the one before on the same connection.
struct Site {
    store: Store,
    _folder: TempDir,
    database: Database,
}

impl Site {
    fn new() -> Self {
        let (folder, database) = (TempDir::new().expect("a scratch folder"), Database::fresh());
        let options = Options { readers: 1, database: Some(database.url().to_owned()), ..Options::default() };
        let store = Store::open(folder.path(), &options).expect("opens");
        Self { store, _folder: folder, database }
    }

    fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.store.write(&actor(0), work)
    }

    fn value(&self) -> i64 {
        self.store.read(|tx| tx.one(&VALUE, args![], |row| row.int(0))).expect("reads")
    }

    /// Ends every connection of the store, and waits until they are gone.
    fn cut(&self) {
        let direct = Direct::at(self.database.url());
        let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'";
        direct.query(&format!("SELECT pg_terminate_backend(pid) {others}"), &[]);
        let deadline = Instant::now() + PATIENCE;
        while direct.number(&format!("SELECT count(*) {others}"), &[]) > 0 {
            assert!(Instant::now() < deadline, "they stay");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn what_was_sent_before_a_part_stays_and_is_told() {
    let site = Site::new();
    // the first one says that changes are heard of
    let heard = site.store.wait_for_change(0, PATIENCE);
    site.write(|tx| {
        tx.send(&UP, args![])?;
        let refused: Result<(), StoreError> = tx.part(|| {
            tx.send(&UP, args![])?;
            tx.run(&TWICE, args![])?;
            Ok(())
        });
        assert!(matches!(refused, Err(StoreError::Constraint { .. })), "{refused:?}");
        // what fails outside is no failure of the part
        tx.part(|| tx.one(&VALUE, args![], |row| row.int::<i64>(0)))
    })
    .expect("the rest is stored");
    assert_eq!(site.value(), 1);
    assert_ne!(site.store.wait_for_change(heard, PATIENCE), heard, "others hear of it");
}

#[test]
fn a_part_inside_a_part_fails_alone() {
    let site = Site::new();
    site.write(|tx| {
        tx.part(|| {
            tx.send(&UP, args![])?;
            let inner: Result<(), StoreError> = tx.part(|| {
                tx.send(&UP, args![])?;
                tx.send(&TWICE, args![])
            });
            assert!(matches!(inner, Err(StoreError::Constraint { .. })), "{inner:?}");
            tx.part(|| tx.send(&UP, args![]))
        })?;
        let outer: Result<(), StoreError> = tx.part(|| {
            tx.part(|| tx.send(&UP, args![]))?;
            Err(StoreError::Exhausted("patience"))
        });
        assert!(matches!(outer, Err(StoreError::Exhausted(_))), "{outer:?}");
        Ok(())
    })
    .expect("is stored");
    assert_eq!(site.value(), 2);
}

#[test]
fn a_failure_that_is_not_undone_fails_the_unit() {
    let site = Site::new();
    let late = site.write(|tx| {
        tx.send(&UP, args![])?;
        tx.send(&TWICE, args![])
    });
    assert!(matches!(late, Err(StoreError::Constraint { action: "adding what is there", .. })), "{late:?}");
    for statement in [&TWICE, &NOTHING] {
        let hidden = site.write(|tx| {
            tx.run(&UP, args![])?;
            let failed = tx.each(statement, args![], |_| Ok(ControlFlow::Continue(())));
            assert!(failed.is_err());
            Ok(())
        });
        assert!(matches!(hidden, Err(StoreError::Query { .. })), "{hidden:?}");
    }
    let only = site.write(|tx| Ok(tx.first(&NOTHING, args![], |_| Ok(())).is_err()));
    assert!(only.is_err(), "also where nothing was changed");
    assert_eq!(site.value(), 0);
    site.write(|tx| tx.run(&UP, args![])).expect("the connection is good");
    assert_eq!(site.value(), 1);
}

#[test]
fn rows_may_be_left_and_statements_begun_among_them() {
    let site = Site::new();
    for _ in 0..2 {
        let before = site.value();
        site.write(|tx| {
            let mut seen = 0;
            tx.each(&MANY, args![], |_| {
                seen += 1;
                tx.send(&UP, args![])?;
                if seen % 5 == 0 {
                    let mut inside = 0;
                    tx.each(&MANY, args![], |_| {
                        inside += 1;
                        tx.send(&UP, args![])?;
                        Ok(if inside < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
                    })?;
                }
                Ok(if seen < 12 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            })?;
            assert_eq!(tx.one(&VALUE, args![], |row| row.int::<i64>(0))?, before + 18);
            Ok(())
        })
        .expect("is stored");
        assert_eq!(site.value(), before + 18);
    }
    let mut rows = 0;
    let read = site.store.read(|tx| {
        tx.each(&MANY, args![], |_| Ok(ControlFlow::Break(())))?;
        tx.each(&MANY, args![], |_| {
            rows += 1;
            if rows == 7 {
                tx.one(&VALUE, args![], |_| Ok(()))?;
            }
            Ok(ControlFlow::Continue(()))
        })
    });
    read.expect("reads");
    assert_eq!(rows, 20_000, "none is lost to the statement inside");
}

#[test]
fn many_rows_of_one_statement_are_counted_each() {
    let site = Site::new();
    let counts = site.write(|tx| {
        tx.send(&UP, args![])?;
        // more than are on their way at one time
        let rows: Vec<_> = (0..1_300)
            .map(|number| {
                crate::codec::row![if number % 3 == 0 { "exposure" } else { "nobody" }, i64::from(number % 2)]
            })
            .collect();
        let counts = tx.run_each(&UP_OF, &rows)?;
        assert_eq!(counts.len(), rows.len());
        assert!(counts.iter().enumerate().all(|(at, count)| *count == u64::from(at % 3 == 0)), "{counts:?}");
        assert!(tx.run_each(&UP_OF, &rows[..0])?.is_empty());
        Ok(counts.iter().sum::<u64>())
    });
    assert_eq!(counts.expect("is stored"), 434);
    assert_eq!(site.value(), 1 + 217);
}

#[test]
fn a_panic_leaves_nothing_and_the_connection_goes_on() {
    let site = Site::new();
    let stopped = catch_unwind(AssertUnwindSafe(|| {
        site.write(|tx| {
            tx.send(&UP, args![])?;
            tx.each(&MANY, args![], |_| panic!("this is meant"))
        })
    }));
    assert!(stopped.is_err());
    assert_eq!(site.value(), 0);
    site.write(|tx| tx.run(&UP, args![])).expect("is stored");
    assert_eq!(site.value(), 1);
}

#[test]
fn a_connection_that_ends_is_replaced() {
    let site = Site::new();
    site.write(|tx| tx.run(&UP, args![])).expect("is stored");
    assert_eq!(site.value(), 1);
    site.cut();
    // while nobody used it: nobody notices
    assert_eq!(site.value(), 1);
    site.write(|tx| tx.run(&UP, args![])).expect("is stored");

    let middle = site.write(|tx| {
        tx.run(&UP, args![])?;
        site.cut();
        // what is left of the unit does not happen outside of its transaction
        let lost = tx.run(&UP, args![]);
        assert!(lost.as_ref().is_err_and(StoreError::is_passing), "{lost:?}");
        assert!(tx.run(&UP, args![]).is_err());
        Ok(())
    });
    assert!(middle.as_ref().is_err_and(StoreError::is_passing), "{middle:?}");
    let end = site.write(|tx| {
        tx.run(&UP, args![])?;
        site.cut();
        Ok(())
    });
    assert!(matches!(end, Err(StoreError::Unconfirmed { .. })), "{end:?}");
    assert_eq!(site.value(), 2);
    let view = site.store.read(|tx| {
        tx.one(&VALUE, args![], |row| row.int::<i64>(0))?;
        site.cut();
        tx.one(&VALUE, args![], |row| row.int::<i64>(0))
    });
    assert!(matches!(view, Err(StoreError::Unreachable { .. })), "a view is not exchanged for another: {view:?}");
    assert_eq!(site.value(), 2);
}

/// As a migration of another front end may do it.
#[test]
fn what_was_prepared_is_prepared_anew_when_the_schema_changes() {
    let site = Site::new();
    let both = |tx: &WriteTx<'_>| {
        tx.run(&UP, args![])?;
        tx.one(&VALUE, args![], |row| row.int::<i64>(0))
    };
    assert_eq!((site.write(both).expect("is stored"), site.value()), (1, 1));
    let direct = Direct::at(site.database.url());
    direct.try_batch("ALTER TABLE counter ALTER COLUMN value TYPE NUMERIC").expect("is changed");
    assert_eq!(site.value(), 1, "a view has seen nothing yet");
    let first = site.write(both);
    assert!(matches!(first, Err(StoreError::Unreachable { .. })), "it may be tried again: {first:?}");
    assert_eq!((site.write(both).expect("is stored"), site.value()), (2, 2));
}

/// CVE-2018-1058: whoever may make a schema, or temporary tables, is not asked first.
#[test]
fn names_are_looked_for_in_one_schema() {
    let site = Site::new();
    let path = site.store.read(|tx| tx.one(&PATH, args![], |row| row.text(0))).expect("reads");
    assert_eq!(path, "public, pg_temp");
}
