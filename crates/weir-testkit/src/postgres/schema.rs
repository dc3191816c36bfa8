//! The schema, as the store makes it.

refinery::embed_migrations!("../weir-store/migrations-postgres");
