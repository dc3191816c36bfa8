//! The registry of SQL texts. Every statement the crate runs is declared with [`statements!`], which also lists it, so
//! that one test prepares all of them and looks at their plans.
//!
//! Texts are written once for every engine: `?1` placeholders, standard SQL with `RETURNING` and `ON CONFLICT`. Where the engines
//! differ, a second text follows for PostgreSQL, with the same placeholders and columns.

/// A registered SQL text.
pub(crate) struct Statement {
    /// What it does, for error messages: "the database failed (ACTION)".
    pub(crate) action: &'static str,
    /// The SQL.
    pub(crate) text: &'static str,
    /// The SQL for PostgreSQL, where it must be another.
    pub(crate) postgres: Option<&'static str>,
}

impl Statement {
    /// The text for PostgreSQL, with the placeholders that are written for every engine (`?1`).
    pub(crate) fn for_postgres(&self) -> &'static str {
        self.postgres.unwrap_or(self.text)
    }
}

/// Declares statements as `NAME: "what it does" = "SQL";`, or `NAME: "what it does" = "SQL", postgres "SQL";`, and lists them in
/// `STATEMENTS`.
macro_rules! statements {
    ($($name:ident: $action:literal = $text:literal $(, postgres $twin:literal)?;)+) => {
        $(static $name: $crate::sql::Statement = $crate::sql::Statement {
            action: $action,
            text: $text,
            postgres: $crate::sql::twin!($($twin)?),
        };)+

        /// What the registry knows of this module.
        #[cfg(test)]
        pub(crate) static STATEMENTS: &[&$crate::sql::Statement] = &[$(&$name),+];
    };
}
pub(crate) use statements;

/// The text for PostgreSQL, if one was given.
macro_rules! twin {
    () => {
        None
    };
    ($text:literal) => {
        Some($text)
    };
}
pub(crate) use twin;

/// Every statement of the crate.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static Statement> {
    [
        crate::access::STATEMENTS,
        crate::alert::STATEMENTS,
        crate::approval::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::backup::STATEMENTS,
        crate::bundle::STATEMENTS,
        crate::catalogue::STATEMENTS,
        crate::cleanup::STATEMENTS,
        crate::client_settings::STATEMENTS,
        crate::collection::STATEMENTS,
        crate::computer::STATEMENTS,
        crate::computer::DIRECTORY_STATEMENTS,
        crate::content_file::STATEMENTS,
        crate::content_need::STATEMENTS,
        crate::content_request::STATEMENTS,
        crate::criterion::STATEMENTS,
        crate::db::STATEMENTS,
        crate::delivery::STATEMENTS,
        crate::deployment::STATEMENTS,
        crate::deployment::EXPANDED_STATEMENTS,
        crate::deployment::LIST_STATEMENTS,
        crate::deployment::ROSTER_STATEMENTS,
        crate::downstream::STATEMENTS,
        crate::event::STATEMENTS,
        crate::export::STATEMENTS,
        crate::feed::STATEMENTS,
        crate::failure::STATEMENTS,
        crate::exposure::STATEMENTS,
        crate::flag::STATEMENTS,
        crate::fragment::STATEMENTS,
        crate::front_end::STATEMENTS,
        crate::marks::STATEMENTS,
        crate::history::STATEMENTS,
        crate::freshness::STATEMENTS,
        crate::idempotency::STATEMENTS,
        crate::identity::STATEMENTS,
        crate::import::STATEMENTS,
        crate::inspect::STATEMENTS,
        crate::intent::STATEMENTS,
        crate::job::STATEMENTS,
        crate::list::STATEMENTS,
        crate::listing::STATEMENTS,
        crate::membership::STATEMENTS,
        crate::mirror::STATEMENTS,
        crate::phased::STATEMENTS,
        crate::pulse::STATEMENTS,
        crate::retired::STATEMENTS,
        crate::relation::STATEMENTS,
        crate::report::STATEMENTS,
        crate::report_schedule::STATEMENTS,
        crate::revision::STATEMENTS,
        crate::rollup::STATEMENTS,
        crate::rollup::COMPUTER_STATEMENTS,
        crate::rollup::SENT_STATEMENTS,
        crate::rollup::SERVER_STATEMENTS,
        crate::roster::STATEMENTS,
        crate::rule::RUN_STATEMENTS,
        crate::rule::STATEMENTS,
        crate::saved_search::STATEMENTS,
        crate::search::STATEMENTS,
        crate::selection::STATEMENTS,
        crate::setting::STATEMENTS,
        crate::site::STATEMENTS,
        crate::sites::STATEMENTS,
        crate::sites::OWN_STATEMENTS,
        crate::staging::STATEMENTS,
        crate::staging::SKIPPED_STATEMENTS,
        crate::status_message::STATEMENTS,
        crate::subscription::STATEMENTS,
        crate::watch::STATEMENTS,
        crate::window::STATEMENTS,
        crate::template::STATEMENTS,
        crate::total::STATEMENTS,
        crate::transport::STATEMENTS,
        crate::update_group::STATEMENTS,
        crate::update_stop::STATEMENTS,
        crate::update_setting::STATEMENTS,
        crate::user::STATEMENTS,
    ]
    .into_iter()
    .flat_map(|list| list.iter().copied())
}
