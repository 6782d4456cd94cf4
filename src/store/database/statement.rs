//! Statements that are put together.

use std::fmt::Write;

use sqlx::any::{Any, AnyArguments};
use sqlx::query::Query;
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};

use crate::store::Result;

/// A statement that is put together: every value is bound, none is written into the text.
pub(super) struct Statement {
    sql: String,
    values: AnyArguments,
}

impl Statement {
    pub(super) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: AnyArguments::default() }
    }

    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(super) fn bind<'v>(&mut self, value: impl Encode<'v, Any> + Type<Any>) -> Result<&mut Self> {
        self.values.add(value).map_err(sqlx::Error::Encode)?;
        let _ = write!(self.sql, "${}", self.values.len());
        Ok(self)
    }

    pub(super) fn query(self) -> Query<'static, Any, AnyArguments> {
        sqlx::query_with(AssertSqlSafe(self.sql), self.values)
    }
}
